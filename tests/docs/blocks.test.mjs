// Every code block of the documentation is compiled, run, parsed or looked up; every link and path exists.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { policy } from 'countersign'
import { parseAllDocuments } from 'yaml'
import { growthOf, linesOf, pageOf, readFigures } from '../../bench/figures.mjs'
import { llmsText } from '../../docs/llms.mjs'
import { at } from '../../scripts/common.mjs'
import { blocksOf, exampleBlocks, folderOf, pages, strip } from './blocks.mjs'

const run = promisify(execFile)
const blocks = pages.flatMap(blocksOf)
const examples = exampleBlocks()
const typescript = [...blocks, ...examples].filter(({ language }) => language === 'ts')

let folder
/** File → errors of the compiler. */
const complaints = new Map()

before(async () => {
  folder = folderOf(typescript)
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2022', 'dom'],
    module: 'nodenext',
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noImplicitReturns: true,
    noFallthroughCasesInSwitch: true,
    noUnusedLocals: true,
    verbatimModuleSyntax: true,
    experimentalDecorators: true, // of NestJS
    noEmit: true,
    // The package extends Fastify's types, and is not beside it here, as it is in a user's project.
    paths: { fastify: ['./node_modules/fastify/fastify.d.ts'] },
  }
  writeFileSync(at(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
  const tsc = run(process.execPath, [at('node_modules/typescript/bin/tsc'), '-p', at(folder), '--pretty', 'false'], {
    cwd: at(folder),
  })
  const output = await tsc.then(
    () => '',
    ({ stdout, stderr }) => stdout + stderr,
  )
  let last
  for (const line of output.split('\n').filter(Boolean)) {
    const [, name = last] = /^(\S+?)\(\d/.exec(line) ?? [] // more lines of an error have no name
    last = name
    complaints.set(name, [...(complaints.get(name) ?? []), line])
  }
  strip(folder)
})

after(() => rmSync(at(folder), { recursive: true, force: true }))

test('no two blocks have one file name', () => {
  const names = typescript.map(({ name }) => name)
  assert.deepEqual(
    names.filter((name, index) => names.indexOf(name) !== index),
    [],
  )
})

test('the compiler finds errors only in blocks, which are reported below', () => {
  const known = new Set(typescript.map(({ name }) => name))
  assert.deepEqual(
    // The types of frameworks are theirs: some do not compile under each of our options.
    [...complaints].filter(([name]) => !known.has(name) && !name.includes('node_modules/')),
    [],
  )
})

/** Language → check of a block. A block in another language fails. */
const checks = {
  ts: async ({ name, mark }) => {
    assert.deepEqual(complaints.get(name) ?? [], [])
    assert.match(mark, /^(?:|run|file: [\w-]+\.ts)$/)
    if (mark === 'run') await run(process.execPath, [at(folder, name.replace(/\.ts$/, '.js'))], { cwd: at(folder) })
  },
  json: ({ code, mark }) => {
    const document = JSON.parse(code)
    if (mark === 'policy') assert.equal(JSON.parse(policy.parse(code)).v, 1)
    else assert.equal(mark, 'gate configuration', 'a comment before the block must give the kind of the JSON')
    assert.equal(document.v, 1)
  },
  yaml: ({ code, mark }) => {
    const documents = parseAllDocuments(code)
    for (const { errors, warnings } of documents) assert.deepEqual([...errors, ...warnings], [])
    assert.equal(mark, 'gate configuration', 'a comment before the block must give the kind of the YAML')
  },
  sh: ({ code }) => {
    for (const line of code.split('\n')) if (line.trim() !== '') assertCommand(line)
  },
  sql: ({ code }) => assert.match(code, /^(?:CREATE|SELECT|INSERT|UPDATE|DELETE)\b/),
  html: ({ code }) => {
    const source = readFileSync(at('js/second-factor-qr.ts'), 'utf8')
    const [, list] = /observedAttributes = \[(.*?)\]/.exec(source)
    const known = [...list.matchAll(/'(\w+)'/g)].map(([, name]) => name)
    const [, given] = /<second-factor-qr([^>]*)>/.exec(code)
    for (const [, name] of given.matchAll(/ ([\w-]+)(?:="[^"]*")?/g))
      assert.ok(known.includes(name), `attribute ${name}`)
  },
  text: ({ code }) => assert.notEqual(code.trim(), ''), // a diagram
}

for (const block of [...blocks, ...examples]) {
  const { page, line, language } = block
  test(`${page}:${line} ${language}`, async () => {
    assert.ok(Object.hasOwn(checks, language), `no check for the language "${language}"`)
    await checks[language](block)
  })
}

test('there are examples in the doc comments', () => assert.notEqual(examples.length, 0))

/** Other programs that the pages name. */
const OTHERS = ['openssl', 'envoy', 'curl', 'echo', 'age', 'age-keygen']

function assertCommand(line) {
  const [, command] = /^(?:[A-Z_]+=(?:"[^"]*"|\S+) )*(.*?)(?: +#.*)?$/.exec(line)
  for (const part of command.split(/ && | \| /)) {
    const [program, first, second] = part.split(' > ')[0].split(/\s+/)
    const { scripts } = JSON.parse(readFileSync(at('package.json'), 'utf8'))
    if (program === 'npm' && first === 'run') assert.ok(scripts[second], line)
    else if (program === 'npm' && ['start', 'test'].includes(first)) assert.ok(scripts[first], line)
    else if (program === 'npm') assert.ok(['pack', 'install', 'ci', 'init', 'pkg'].includes(first), line)
    else if (program === 'npx' && first === 'countersign') assert.ok(usage().includes(`countersign ${second}`), line)
    else if (program === 'npx') assert.ok(['tsc', 'tsx', 'wrangler'].includes(first), line)
    else if (program === 'node') assert.ok(isProgram([first, second].find((word) => !word.startsWith('-'))), line)
    else if (program === 'cargo') assert.ok(['test', 'check', 'fmt', 'clippy', 'doc'].includes(first), line)
    else assert.ok(OTHERS.includes(program), line)
  }
}

/** A file of this repository, or one that the compiler makes of a file in a guide. */
const isProgram = (path) => existsSync(at(path)) || blocks.some(({ name }) => name.replace(/\.ts$/, '.js') === path)

const usage = () => readFileSync(at('pkg/cli.cjs'), 'utf8')

// Links and paths

/** The anchors of a page, as GitHub makes them from its headings. */
function anchorsOf(page) {
  const text = readFileSync(page, 'utf8').replaceAll(/```[\s\S]*?```/g, '')
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading)
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

/** Pages whose links and paths are checked. The code in the last two has checks in tests/envoy. */
const linked = [
  ...pages,
  ...['minimal', 'login', 'envoy'].map((name) => `examples/${name}/README.md`),
  'packaging/README.md',
]

for (const page of linked) {
  const prose = readFileSync(at(page), 'utf8').replaceAll(/```[\s\S]*?```/g, '')

  test(`${page}: the target of every link exists`, () => {
    for (const [, target] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue
      const [path, anchor] = target.split('#')
      const file = path === '' ? at(page) : join(dirname(at(page)), path)
      assert.ok(existsSync(file), target)
      if (anchor !== undefined) assert.ok(anchorsOf(file).includes(anchor), target)
    }
  })

  test(`${page}: every path in it exists`, () => {
    const folders = 'src|js|tests|scripts|examples|docs|packaging|bench'
    // In backticks, or in a comment that names the test of a block.
    for (const [, path] of prose.matchAll(
      new RegExp(`(?:\`|<!-- validated by )((?:${folders})/[\\w./*-]*)(?:\`| -->)`, 'g'),
    )) {
      if (!path.includes('*')) assert.ok(existsSync(at(path)), path)
    }
  })
}

test('README.md has fewer than 200 lines', () => {
  assert.ok(readFileSync(at('README.md'), 'utf8').split('\n').length < 200)
})

test('every guide begins with the goal: "After this page you can …"', () => {
  for (const page of pages.filter((name) => name.startsWith('docs/'))) {
    assert.match(readFileSync(at(page), 'utf8'), /^# .+\n\nAfter this page you can /, page)
  }
})

test('docs/adapters.md: the table of errors has every code of the types', () => {
  const codesOf = (file) => {
    const [, union] = /^export type ErrorCode = (.*);$/m.exec(readFileSync(at('pkg/types', file), 'utf8'))
    return Array.from(union.matchAll(/["'](\w+)["']/g), ([, code]) => code)
  }
  const [, section] = /^## Errors\n([\s\S]*?)^## /m.exec(readFileSync(at('docs/adapters.md'), 'utf8'))
  const cells = Array.from(section.matchAll(/^\| (`.*?) \|/gm), ([, cell]) => cell)
  const listed = cells.flatMap((cell) => Array.from(cell.matchAll(/`(\w+)`/g), ([, code]) => code))
  assert.deepEqual(listed.sort(), [...codesOf('generated.d.ts'), ...codesOf('error.d.ts')].sort())
})

test('docs/adapters.md: the table of reasons has every reason of the types, and who can help', () => {
  const types = readFileSync(at('pkg/types/generated.d.ts'), 'utf8')
  const [, union] = /^export type Reason = (.*);$/m.exec(types)
  const reasons = Array.from(union.matchAll(/"(\w+)"/g), ([, reason]) => reason)
  assert.ok(reasons.length > 20)
  const [, section] = /^## Reasons of a refusal\n([\s\S]*?)^## /m.exec(readFileSync(at('docs/adapters.md'), 'utf8'))
  const rows = Array.from(section.matchAll(/^\| `(\w+)` \| (?:you|owner|person) \| .+ \|$/gm), ([, reason]) => reason)
  assert.deepEqual(rows, reasons)
})

// The table of events in docs/operations.md

/** The types that a field of an event may have: ids, numbers, and words of ours. A field of another type needs a thought. */
const FACTS = {
  Reason: 'a word',
  Method: 'a word',
  Action: 'a word',
  SmsRefusal: 'a word',
  UserId: 'an id',
  AccountId: 'an id',
  OperatorId: 'an id',
  NamedFactor: 'an id and a name of an app or phone',
  'NamedFactor[]': 'the same of several',
  FactorName: 'a name of an app or phone',
  number: 'a count',
  string: 'a digest, in `policy_changed` alone',
  'SettingChange[]': 'settings of a policy',
}

/** The kinds of events by the types, with the fields of each and their types. */
function eventKinds() {
  const types = readFileSync(at('pkg/types/generated.d.ts'), 'utf8')
  const [, union] = /^export type EventKind = (.*);$/m.exec(types)
  const kinds = union.split(' | ').map((kind) => {
    const [, name, rest] = /^\{ event: "(\w+)"((?:; \w+\??: [\w[\]]+)*) \}$/.exec(kind) ?? assert.fail(kind)
    const fields = rest.split('; ').slice(1)
    return [name, fields.map((field) => field.split(/\??: /))]
  })
  return new Map(/** @type {[string, string[][]][]} */ (kinds))
}

test('docs/operations.md: the table of events has every kind of the types, with its fields', () => {
  const kinds = eventKinds()
  assert.ok(kinds.size > 20)
  const [, section] = /^## Events\n([\s\S]*?)^#+ /m.exec(readFileSync(at('docs/operations.md'), 'utf8'))
  const [, table] = /^\| event \| its fields .*\n\|.*\n((?:\|.*\n)+)/m.exec(section)
  const rows = Array.from(table.matchAll(/^\| `(\w+)` \| (.*?) ?\| (.+) \|$/gm), ([, name, cell, meaning]) => {
    assert.notEqual(meaning.trim(), '')
    return [name, Array.from(cell.matchAll(/`(\w+)`/g), ([, field]) => field)]
  })
  assert.deepEqual(
    rows,
    Array.from(kinds, ([name, fields]) => [name, fields.map(([field]) => field)]),
  )
})

test('docs/operations.md: the table of an event’s own fields has those of the types', () => {
  const types = readFileSync(at('pkg/types/generated.d.ts'), 'utf8')
  const [, body] = /^export type Event = \{\n([\s\S]*?)^\} & EventKind;/m.exec(types)
  const fields = Array.from(body.matchAll(/^ {4}(\w+)\??: /gm), ([, field]) => field)
  const [, section] = /^## Events\n([\s\S]*?)^\| event /m.exec(readFileSync(at('docs/operations.md'), 'utf8'))
  const cells = Array.from(section.matchAll(/^\| (`.*?) \|/gm), ([, cell]) => cell)
  const listed = cells.flatMap((cell) => Array.from(cell.matchAll(/`(\w+)`/g), ([, field]) => field))
  assert.deepEqual(listed.sort(), [...fields, 'event'].sort())
  assert.match(body, /^ {4}v: 1;$/m)
})

// The table of notices in docs/operations.md

test('docs/operations.md: the tables of notices have every kind and field of the types, and the people who are told', () => {
  const types = readFileSync(at('pkg/types/generated.d.ts'), 'utf8')
  const [, union] = /^export type NoticeKind = (.*);$/m.exec(types)
  const kinds = Array.from(union.matchAll(/"(\w+)"/g), ([, kind]) => kind)
  assert.ok(kinds.length > 8)
  const [, section] = /^## Notices\n([\s\S]*?)^## /m.exec(readFileSync(at('docs/operations.md'), 'utf8'))
  const rows = Array.from(section.matchAll(/^\| `(\w+)` \| (.*?) ?\| (user|user, owners) \| (.+) \|$/gm))
  assert.deepEqual(
    rows.map(([, kind]) => kind),
    kinds,
  )

  const [, body] = /^export interface Notice \{\n([\s\S]*?)^\}/m.exec(types)
  const fields = Array.from(body.matchAll(/^ {4}(\w+)\??: /gm), ([, field]) => field)
  const [, own] = /^\| field \| meaning \|\n\|.*\n((?:\|.*\n)+)/m.exec(section)
  const cells = [...Array.from(own.matchAll(/^\| (`.*?) \|/gm), ([, cell]) => cell), ...rows.map(([, , cell]) => cell)]
  const listed = cells.flatMap((cell) => Array.from(cell.matchAll(/`(\w+)`/g), ([, field]) => field))
  assert.deepEqual([...new Set(listed)].sort(), fields.sort())

  // The rules tell user and owners by one function, and the user alone by another.
  const rules = readdirSync(at('src/engine')).map((name) => readFileSync(at('src/engine', name), 'utf8'))
  const told = rules.flatMap((text) => [...text.matchAll(/notify_all\(NoticeKind::(\w+)/g)].map(([, kind]) => kind))
  const snake = (kind) => kind.replaceAll(/(?<=.)[A-Z]/g, (sign) => `_${sign}`).toLowerCase()
  const toOwners = rows.filter(([, , , to]) => to === 'user, owners').map(([, kind]) => kind)
  assert.deepEqual(toOwners.toSorted(), [...new Set(told.map(snake))].sort())
})

for (const page of ['docs/getting-started.md', 'docs/adapters.md']) {
  test(`${page}: the fields of a client are all named`, () => {
    const [, list] = /^const CLIENT_FIELDS = new Set\(\[([\s\S]*?)\]\)$/m.exec(readFileSync(at('js/input.ts'), 'utf8'))
    const names = Array.from(list.matchAll(/'(\w+)'/g), ([, name]) => `\`${name}\``)
    const text = readFileSync(at(page), 'utf8').replaceAll(/\s+/g, ' ')
    const written = ['and', 'or'].map((word) => `${names.slice(0, -1).join(', ')} ${word} ${names.at(-1)}`)
    assert.ok(written.some((sentence) => text.includes(sentence)))
  })
}

test('T32: no field of an event can hold a secret, by its type', () => {
  for (const [name, fields] of eventKinds()) {
    for (const [field, type] of fields) {
      assert.ok(Object.hasOwn(FACTS, type), `${name}.${field}: ${type}`)
      assert.ok(type !== 'string' || name === 'policy_changed', `${name}.${field}: free text`)
    }
  }
})

// The table of docs/policy.md

const policyRows = Array.from(
  readFileSync(at('docs/policy.md'), 'utf8').matchAll(/^\| `([\w.]+)` *\| *(.*?) *\| *(.*?) *\| *(.*?) *\|$/gm),
  ([, key, preset, range]) => ({ key, preset, range }),
).filter(({ key }) => !/^(?:needRecoveryCode|blocked\w+|locksOut\w+|noRescue|refused)$/.test(key))

/** The keys of the policy by the types, with the text at each: `sms.digits`. */
function keysOfTheTypes() {
  const types = readFileSync(at('pkg/types/generated.d.ts'), 'utf8')
  const membersOf = (name) => {
    const [, body] = new RegExp(`^export interface ${name} \\{\\n([\\s\\S]*?)^\\}`, 'm').exec(types)
    return [...body.matchAll(/\/\*\*([\s\S]*?)\*\/\s*(\w+)\??: (.*);/g)]
  }
  return new Map(
    membersOf('PolicyDocument').flatMap(([, text, key, given]) => {
      // A part that may be left out has no default.
      const type = given.replace(/ \| undefined$/, '')
      const isPart = /^\w+Policy$/.test(type) && type !== 'RequirePolicy'
      return isPart ? membersOf(type).map(([, text, inner]) => [`${key}.${inner}`, text]) : [[key, text]]
    }),
  )
}

test('docs/policy.md: the table has every key, with the default of the types', () => {
  const types = keysOfTheTypes()
  assert.deepEqual(
    policyRows.map(({ key }) => key),
    [...types.keys()],
  )
  for (const { key, preset } of policyRows.filter(({ preset }) => /^[\d,]+$/.test(preset))) {
    assert.match(types.get(key), new RegExp(`default ${preset}\\b`), key)
  }
})

test('docs/policy.md: the parser accepts both ends of every range, and refuses values beyond', () => {
  const ranges = policyRows.filter(({ range }) => range.includes(' to '))
  assert.ok(ranges.length > 10)
  for (const { key, range } of ranges) {
    const [least, greatest] = range.split(' to ').map((text) => Number(text.replaceAll(',', '')))
    const parse = (value) => {
      const [outer, inner] = key.split('.')
      // The product of these two has a minimum, and with the number of codes a maximum.
      const cost = {
        memoryKib: { passes: value < 17_920 ? 5 : 2 },
        passes: { memoryKib: value < 5 ? 35_840 : 7_168 },
      }[inner]
      const part = inner === undefined ? value : { ...cost, [inner]: value }
      return () => policy.parse({ v: 1, name: 'Acme', origin: 'https://acme.example', [outer]: part })
    }
    for (const value of [least, greatest]) assert.doesNotThrow(parse(value), `${key}: ${value}`)
    for (const value of [least - 1, greatest + 1]) assert.throws(parse(value), `${key}: ${value}`)
  }
})

test('the page of figures is made of the figures that were measured', () => {
  const figures = readFigures()
  assert.equal(readFileSync(at('docs/figures.md'), 'utf8'), pageOf(figures))
  assert.ok(readFileSync(at('README.md'), 'utf8').includes(`<!-- figures -->\n${linesOf(figures)}<!-- end`))
  assert.ok(readFileSync(at('docs/growing.md'), 'utf8').includes(`<!-- growing -->\n${growthOf(figures)}<!-- end`))
})

test('docs/llms.txt names every guide, by the goal with which it begins', () => {
  const text = readFileSync(at('docs/llms.txt'), 'utf8')
  assert.equal(text, llmsText(), 'run: node docs/llms.mjs')
  for (const [, path] of text.matchAll(/\]\((\S+)\)/g)) assert.ok(existsSync(at('docs', path)), path)
})
