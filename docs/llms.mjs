// Makes docs/llms.txt of the guides, in the form of https://llmstxt.org: each page with its address and what it is good for.
//   node docs/llms.mjs
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { at, main } from '../scripts/common.mjs'

const FILE = 'docs/llms.txt'

/** The guides in the order in which a newcomer needs them; the others follow. */
const FIRST = [
  'getting-started',
  'adapters',
  'express',
  'policy',
  'storage',
  'own-store',
  'growing',
  'operations',
  'moving-in',
  'client-address',
  'sms-gateways',
]

const BESIDE = [
  ['README.md', 'what it is, an example, and the limits'],
  ['SECURITY.md', 'what is protected and what is not, and the attacks with their tests'],
  ['DESIGN.md', 'each decision with its reason'],
  ['CHANGELOG.md', 'what changed'],
  ['examples/minimal/server.js', 'a login with a second factor in one file'],
  ['examples/login/README.md', 'a login with all its pages, to copy from'],
]

/** @returns {string} */
export function llmsText() {
  const { description } = JSON.parse(readFileSync(at('package.json'), 'utf8'))
  const names = readdirSync(at('docs')).flatMap((name) => /^(.+)\.md$/.exec(name)?.[1] ?? [])
  const order = [...FIRST, ...names.filter((name) => !FIRST.includes(name))]
  const guides = order.map((name) => `- ${linkTo(`docs/${name}.md`)}`)
  const others = BESIDE.map(([path, text]) => `- [${path}](../${path}): ${text}`)
  return `# Countersign

> ${description}.

Every input and reply has its types and an example in the package itself (\`pkg/types\`). A wrong code is a reply, not an exception.

## Guides

${guides.join('\n')}

## Beside the guides

${others.join('\n')}
`
}

/** A link to a page, with the sentence that says what a reader can do after it. */
function linkTo(path) {
  const [, title, can] = /^# (.+)\n\nAfter this page you can ([^.]*)\./.exec(readFileSync(at(path), 'utf8'))
  return `[${title}](${path.replace('docs/', '')}): ${can.replaceAll('\n', ' ')}`
}

await main(import.meta.url, async () => writeFileSync(at(FILE), llmsText()))
