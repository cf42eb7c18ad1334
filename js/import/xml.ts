// XML as a tree of elements. Names are compared without prefix and without case: privacyIDEA writes its PSKC in lower case.
// There is no DTD: neither an entity nor a file outside is ever read.
import { SaxesParser } from 'saxes'
import type { Source } from './lines.js'

/** An element. */
export interface Element {
  /** The local name, in lower case. */
  name: string
  /** Attributes by local name, in lower case. */
  attributes: ReadonlyMap<string, string>
  children: Element[]
  /** The text within, without white space around it. */
  text: string
}

/** Deepest tree, and most elements: PSKC is flat. */
const [DEEPEST, MOST_ELEMENTS] = [50, 50_000_000]

/** The root. Throws where the text is no XML. */
export function rootOf(source: Source): Element {
  const parser = new SaxesParser({ xmlns: false, fragment: false })
  const open: Element[] = []
  let root: Element | undefined
  let elements = 0
  parser.on('error', (error) => {
    throw error
  })
  parser.on('opentag', ({ name, attributes }) => {
    elements += 1
    if (open.length > DEEPEST || elements > MOST_ELEMENTS) throw new RangeError('too deep, or too large')
    const named = Object.entries(attributes).map(([name, value]): [string, string] => [localName(name), value])
    const element = { name: localName(name), attributes: new Map(named), children: [], text: '' }
    open.at(-1)?.children.push(element)
    root ??= element
    open.push(element)
  })
  const addText = (text: string) => {
    const element = open.at(-1)
    if (element !== undefined) element.text += text
  }
  parser.on('text', addText)
  parser.on('cdata', addText)
  parser.on('closetag', () => {
    const element = open.pop()
    if (element !== undefined) element.text = element.text.trim()
  })
  for (const piece of source) parser.write(piece)
  parser.close()
  if (root === undefined) throw new RangeError('no element')
  return root
}

const localName = (name: string) => name.slice(name.indexOf(':') + 1).toLowerCase()

/** The element at a path below another one; the first where there are several. */
export function within(element: Element | undefined, ...path: string[]): Element | undefined {
  return path.reduce<Element | undefined>((at, name) => at?.children.find((child) => child.name === name), element)
}
