import { CountersignError } from '../error.js'

/**
 * Thrown where a handler asks for its person and has no guard, so that it runs for nobody.
 *
 * @example
 * ```ts
 * import { noPerson, type Person } from 'countersign/adapter'
 *
 * const people = new WeakMap<object, Person>()
 * export const personOf = (request: object): Person => people.get(request) ?? noPerson()
 * ```
 */
export function noPerson(): never {
  throw new CountersignError('no_guard', '', 'nobody was let through to this handler: put `guard()` before it')
}
