/** Thrown for input that no page of this service sends. The answer is 400. */
export class BadInput extends Error {
  code = 'bad_input'

  constructor(path, problem) {
    super(`\`${path}\` ${problem}`)
    this.path = path
  }
}
