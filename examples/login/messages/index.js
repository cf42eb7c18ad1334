// The texts of all pages and messages, by language. Each language has the same entries: a text, or a function that makes one.

import de from './de.js'
import en from './en.js'

export const messages = { en, de }

/** @typedef {'en' | 'de'} Language */

/** In the order of preference where a person asks for none that is here. */
export const languages = /** @type {Language[]} */ (['en', 'de'])

export const isLanguage = (value) => languages.includes(value)
