// The code blocks of the documentation and of the doc comments, and the folder in which they are compiled and run.
//
// A comment before a block gives its kind:
//   <!-- file: host.ts -->          other blocks import it by this name
//   <!-- run -->                    the block is run as well, and must end without an error
//   <!-- policy -->                 JSON that `policy.parse` accepts
//   <!-- gate configuration -->     JSON or YAML with a configuration of the gate, which tests/core/docs.rs parses
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { transformSync } from 'esbuild'
import { at, has, Problem } from '../../scripts/common.mjs'

export const pages = [
  ...['README.md', 'CONTRIBUTING.md', 'DESIGN.md', 'SECURITY.md', 'CHANGELOG.md'].filter((page) => has(page)),
  ...readdirSync(at('docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

/** @typedef {{ page: string, line: number, language: string, mark: string, code: string, name: string }} Block */

/** @returns {Block[]} */
export function blocksOf(page) {
  const text = readFileSync(at(page), 'utf8')
  const found = text.matchAll(/(?:^<!-- (?<mark>.+) -->\n)?^ *```(?<language>.*)\n(?<code>(?:.*\n)*?) *```$/gm)
  return Array.from(found, ({ index, groups: { mark = '', language, code } }) => {
    const line = text.slice(0, index).split('\n').length
    return { page, line, language, mark, code, name: fileName(page, line, mark) }
  })
}

function fileName(page, line, mark) {
  const [, given] = /^file: (\S+)$/.exec(mark) ?? []
  return given ?? `${page.replaceAll(/[^\w]+/g, '-')}-${line}.ts`
}

/** The `@example` blocks in the doc comments of js/. @returns {Block[]} */
export function exampleBlocks() {
  const sources = readdirSync(at('js'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  return sources.flatMap((source) => {
    const text = readFileSync(at('js', source), 'utf8')
    return Array.from(text.matchAll(/^ *\/\*\*[\s\S]*?\*\//gm)).flatMap(({ 0: comment, index }) => {
      const plain = comment.replaceAll(/^ *(?:\/\*\*|\*(?!\/) ?)/gm, '')
      const examples = plain.matchAll(/@example(?<title>.*)\n```(?<language>.*)\n(?<code>(?:.*\n)*?)```/g)
      const page = `js/${source}`
      return Array.from(examples, ({ index: inside, groups: { language, code } }) => {
        const line = text.slice(0, index).split('\n').length + plain.slice(0, inside).split('\n').length - 1
        return { page, line, language, mark: '', code, name: fileName(page, line, '') }
      })
    })
  })
}

/** A folder with `countersign`, Express and their types, as in a user's project. */
export function folderOf(blocks) {
  if (!has('docs/node_modules/express')) throw new Problem('Express is missing: run `npm ci --prefix docs` first.')
  const folder = `target/docs-blocks-${process.pid}`
  rmSync(at(folder), { recursive: true, force: true })
  mkdirSync(at(folder), { recursive: true })
  symlinkSync(at('docs/node_modules'), at(folder, 'node_modules'))
  for (const { name, code } of blocks) writeFileSync(at(folder, name), code)
  return folder
}

/** Removes the types from the TypeScript in a folder. They must be checked elsewhere. */
export function strip(folder) {
  for (const name of readdirSync(at(folder)).filter((name) => name.endsWith('.ts'))) {
    const { code } = transformSync(readFileSync(at(folder, name), 'utf8'), {
      loader: 'ts',
      target: 'node20',
      tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
    })
    writeFileSync(at(folder, name.replace(/\.ts$/, '.js')), code)
  }
}
