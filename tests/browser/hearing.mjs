// A page as a screen reader meets it: read from the accessibility tree that the browser hands to it.

import { eventually } from '../shared/eventually.mjs'

const debuggers = new WeakMap()

/** The nodes of the accessibility tree by id. The first one is the page. */
async function treeOf(page) {
  if (!debuggers.has(page)) debuggers.set(page, await page.context().newCDPSession(page))
  const { nodes } = await debuggers.get(page).send('Accessibility.getFullAXTree')
  return new Map(nodes.map((node) => [node.nodeId, node]))
}

const roleOf = (node) => node?.role?.value
const property = (node, name) => node.properties?.find((each) => each.name === name)?.value.value
const plain = (text = '') => text.replace(/\s+/g, ' ').trim()
const isNotice = (node) => !node.ignored && ['alert', 'status'].includes(roleOf(node))

/** The elements whose texts are apart from those beside them. */
const blocks = ['paragraph', 'listitem']

function rawText(node, tree) {
  if (roleOf(node) === 'StaticText') return node.name.value
  const children = node.childIds.map((id) => tree.get(id)).filter(Boolean)
  const text = children.map((child) => rawText(child, tree)).join('')
  return blocks.includes(roleOf(node)) ? ` ${text} ` : text
}

const textOf = (node, tree) => plain(rawText(node, tree))

/** The element that has the focus. A field for a date has one part for each of day, month and year. */
function focusedIn([, ...nodes], tree) {
  const node = nodes.find((each) => property(each, 'focused'))
  for (let outer = node; outer; outer = tree.get(outer.parentId)) if (roleOf(outer) === 'Date') return outer
  return node
}

/** The things that are said of an element when it gets the focus. */
function saidOf(node, tree) {
  if (isNotice(node)) return [roleOf(node), textOf(node, tree)]
  const states = property(node, 'invalid') === 'true' ? ', invalid' : ''
  return [`${plain(node.name.value)}, ${roleOf(node)}${states}`, plain(node.description?.value)].filter(Boolean)
}

/**
 * The things that are said first on a page, in their order: its title, the element that has the focus, and its description.
 * `unheard` holds the text of each alert and status that is not among them.
 */
export async function heard(page) {
  const isWanted = (await page.locator('[autofocus]').count()) > 0
  // A browser applies `autofocus` at the first rendering, perhaps after the load event.
  return eventually(async () => {
    const tree = await treeOf(page)
    const nodes = [...tree.values()]
    const focused = focusedIn(nodes, tree)
    if (isWanted && !focused) throw new Error('nothing has the focus')
    const said = [nodes[0].name.value, ...(focused ? saidOf(focused, tree) : [])]
    const unheard = noticesIn(tree).filter((text) => !said.slice(1).some((each) => each.includes(text)))
    return { said, unheard }
  })
}

const noticesIn = (tree) =>
  [...tree.values()]
    .filter(isNotice)
    .map((node) => textOf(node, tree))
    .filter(Boolean)

/** The text of each alert and status. */
export const noticesOf = async (page) => noticesIn(await treeOf(page))
