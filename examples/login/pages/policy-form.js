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
    ...Object.fromEntries(listNames.map((list) => [list, rulesOf(input, list)])),
  }
}

export function formOf({ require, firstFactor, network, name }) {
  return {
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
export function fieldsOf({ require, firstFactor, roles, name, ...rest }) {
  return [
    ['require', require],
    ['firstFactor', firstFactor],
    ...roles.map((role) => ['roles', role]),
    ...listNames.map((list) => [list, rest[list].map(lineOf).join('\n')]),
    ['name', name],
  ]
}
