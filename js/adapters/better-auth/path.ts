// The paths of the plugin's endpoints: `/second-factor/verify`, and so on.

/** The part before the name of an action. */
export const PATH = '/second-factor'
