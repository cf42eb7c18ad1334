/** Thrown for input that no page of this service sends. The answer is 400. */
export class BadInput extends Error {
  code = 'bad_input'

  constructor(path, problem) {
    super(`\`${path}\` ${problem}`)
    this.path = path
  }
}

/** A field that must be text. */
export function text(input, name) {
  const value = input[name]
  if (typeof value !== 'string' || value === '' || value.length > 256)
    throw new BadInput(name, 'is missing, too long or no text')
  return value
}

/** Whether a box is ticked: `yes` in a form, `true` in JSON. */
export const isYes = (value) => value === true || value === 'yes'
