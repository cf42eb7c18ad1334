// The tables of docs/better-auth.md, made of the data of the adapter and of its tests: `node tests/adapters/better-auth-tables.mjs` writes them.
import { readFileSync, writeFileSync } from 'node:fs'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'
import { NEW_SESSIONS } from './better-auth-service.mjs'
import { WAYS } from './better-auth-ways.mjs'

const PAGE = fileURLToPath(new URL('../../docs/better-auth.md', import.meta.url))

const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`.replaceAll('| --- ', '|---').replace('--- |', '---|'))
    .join('\n')

const TABLES = {
  'new sessions': table(
    ['a session that an answer hands out', 'then it', 'as at'],
    NEW_SESSIONS.map(({ told, outcome, where }) => [told, outcome, where]),
  ),
  'ways in': table(
    ['way in', 'of', 'second factor'],
    WAYS.map(({ name, plugin, reason, answers }) => [
      name,
      plugin === 'core' ? 'better-auth' : `\`${plugin}\``,
      reason ? `no log-in: ${reason}` : answers === 'redirect' ? 'asked, on your page' : 'asked',
    ]),
  ),
}

/** The page with the tables of now. */
export function withTables(text = readFileSync(PAGE, 'utf8')) {
  for (const [name, rows] of Object.entries(TABLES)) {
    const [before, after] = [`<!-- ${name} -->\n`, `<!-- end of ${name} -->`]
    const [from, to] = [text.indexOf(before) + before.length, text.indexOf(after)]
    if (from < before.length || to < from) throw new Error(`docs/better-auth.md has no place for the table ${name}`)
    text = `${text.slice(0, from)}${rows}\n${text.slice(to)}`
  }
  return text
}

export const page = () => readFileSync(PAGE, 'utf8')

if (argv[1] === fileURLToPath(import.meta.url)) writeFileSync(PAGE, withTables())
