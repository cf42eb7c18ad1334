// The wire format of protobuf (https://protobuf.dev/programming-guides/encoding), as far as Google Authenticator uses it:
// numbers and runs of bytes. Other kinds of fields are passed over.

/** The values of a message by field number, in the order of the message. */
export type Fields = ReadonlyMap<number, readonly (number | Uint8Array)[]>

/** The fields of a message. Throws where the bytes are none. */
export function fieldsOf(message: unknown): Fields {
  if (!(message instanceof Uint8Array)) throw new RangeError('no message')
  const fields = new Map<number, (number | Uint8Array)[]>()
  let at = 0
  const take = (length: number): Uint8Array => {
    if (length < 0 || at + length > message.length) throw new RangeError('the message is cut off')
    at += length
    return message.slice(at - length, at)
  }
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const [byte = 0] = take(1)
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw new RangeError('a number is too long')
  }
  while (at < message.length) {
    const key = Number(varint())
    const kind = key % 8
    let value: number | Uint8Array | undefined
    if (kind === 0) value = Number(BigInt.asIntN(32, varint()))
    else if (kind === 2) value = take(Number(varint()))
    else if (kind === 1 || kind === 5) take(kind === 1 ? 8 : 4)
    else throw new RangeError('a field is of no kind')
    const name = Math.floor(key / 8)
    if (value !== undefined) fields.set(name, [...(fields.get(name) ?? []), value])
  }
  return fields
}

/** The number of a field; the last one counts. */
export function numberIn(fields: Fields, name: number): number | undefined {
  const value = fields.get(name)?.at(-1)
  return typeof value === 'number' ? value : undefined
}

/** The text of a field. */
export function textIn(fields: Fields, name: number): string | undefined {
  const value = fields.get(name)?.at(-1)
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : undefined
}
