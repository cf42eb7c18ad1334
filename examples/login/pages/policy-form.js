// The values of the policy's form: of a form that was sent, and of rules that are saved. A draft is kept in this form.

import { lineOf, rulesOf } from '../network-lists.js'

/** The lists of networks, in the order of the page. */
export const listNames = ['networks', 'outside', 'allow', 'api', 'deny']

export const isList = (name) => listNames.includes(name)

/** The draft in a form that was sent, right or not. */
export function draftOfForm(input, account) {
  return {
    require: typeof input.require === 'string' ? input.require : '',
    firstFactor: typeof input.firstFactor === 'string' ? input.firstFactor : account.firstFactor,
    roles: [input.roles ?? []].flat().map(String),
    name: typeof input.name === 'string' ? input.name.trim() : account.name,
    base: typeof input.base === 'string' ? input.base : '',
    ...Object.fromEntries(listNames.map((list) => [list, rulesOf(input, list)])),
  }
}

/** `base` names the saved rules that the form was made from. */
export function formOf({ require, firstFactor, network, name, base }) {
  return {
    base,
    require: typeof require === 'string' ? require : 'some',
    firstFactor,
    roles: require.roles ?? [],
    networks: require.networks ?? [],
    outside: require.outside ?? [],
    allow: network.allow ?? [],
    api: network.api ?? [],
    deny: network.deny ?? [],
    name,
  }
}

/** The fields of a form with these values, each list as lines. */
export function fieldsOf({ require, firstFactor, roles, name, base, ...rest }) {
  return [
    ['base', base],
    ['require', require],
    ['firstFactor', firstFactor],
    ...roles.map((role) => ['roles', role]),
    ...listNames.map((list) => [list, rest[list].map(lineOf).join('\n')]),
    ['name', name],
  ]
}
