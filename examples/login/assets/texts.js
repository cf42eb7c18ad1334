// The texts of the scripts. The server writes them, in the language of the page, on the line that screen readers say aloud.

const { dataset } = document.getElementById('announce')

/** The text of that name, with its braces filled. */
export const text = (name, values = {}) => dataset[name].replace(/\{(\w+)\}/g, (_, value) => values[value])
