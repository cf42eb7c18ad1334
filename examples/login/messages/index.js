// The texts of all pages and messages, by language. Each language has the same entries: a text, or a function that makes one.

import de from './de.js'
import en from './en.js'

export const messages = { en: withoutPrototypes(en), de: withoutPrototypes(de) }

/** @typedef {'en' | 'de'} Language */

/** In the order of preference where a person asks for none that is here. */
export const languages = /** @type {Language[]} */ (['en', 'de'])

export const isLanguage = (value) => languages.includes(value)

/**
 * The same texts in objects without a prototype: a name from outside, such as a role `constructor`, then finds none.
 * @template T
 * @param {T} entry
 * @returns {T}
 */
function withoutPrototypes(entry) {
  if (typeof entry !== 'object' || Object.getPrototypeOf(entry) !== Object.prototype) return entry
  const own = Object.entries(entry).map(([name, text]) => [name, withoutPrototypes(text)])
  return Object.assign(Object.create(null), Object.fromEntries(own))
}
