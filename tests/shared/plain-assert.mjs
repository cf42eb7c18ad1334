// The part of `node:assert/strict` that the shared tests use, for runtimes that have none.

const fail = (message, otherwise) => {
  throw message instanceof Error ? message : new Error(message ?? otherwise)
}

function same(a, b) {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false
  const [left, right] = [Object.keys(a), Object.keys(b)]
  return left.length === right.length && left.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]))
}

export const ok = (value, message) => value || fail(message, 'not truthy')
export const equal = (a, b, message) =>
  Object.is(a, b) || fail(message, `${JSON.stringify(a)} is not ${JSON.stringify(b)}`)
export const deepEqual = (a, b, message) =>
  same(a, b) || fail(message, `${JSON.stringify(a)} is not ${JSON.stringify(b)}`)
const judged = (error, expected, message) => expected(error) === true || fail(message, 'another error than expected')
export function throws(job, expected, message) {
  try {
    job()
  } catch (error) {
    return judged(error, expected, message)
  }
  fail(message, 'nothing was thrown')
}
export async function rejects(given, expected, message) {
  try {
    await (typeof given === 'function' ? given() : given)
  } catch (error) {
    return judged(error, expected, message)
  }
  fail(message, 'nothing was rejected')
}
