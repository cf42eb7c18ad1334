/** A request that no page of this service sends: answered with 400. */
export class BadInput extends Error {
  code = 'bad_input'

  constructor(path, problem) {
    super(`\`${path}\` ${problem}`)
    this.path = path
  }
}
