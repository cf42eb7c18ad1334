// The recipe of iron-session.
import { conforms } from '../conformance.mjs'
import { recipes } from '../recipes.mjs'

conforms('Express 5, iron-session', { folder: recipes('iron'), file: 'iron-session.js' })
