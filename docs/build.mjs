// Builds the API reference into target/docs, from the types that npm ships and from the guides of this folder.
//   node docs/build.mjs
//
// It fails when a link leads nowhere, when a signature shows a type that cannot be imported, when something that
// can be imported has no description, and when a function has no example.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { at, has, main, Problem, seconds } from '../scripts/common.mjs'

const OUT = 'target/docs'

/** The sources of what package.json exports, one a module: declarations lose the comment of a whole file. */
function entryPoints() {
  const { exports } = JSON.parse(readFileSync(at('package.json'), 'utf8'))
  const declarations = Object.values(exports).map((entry) => (entry.import ?? entry.default)?.types)
  const names = declarations.flatMap((file) => /^\.\/pkg\/types\/(.+)\.d\.ts$/.exec(file ?? '')?.[1] ?? [])
  if (!has('target/npm/countersign.d.ts')) throw new Problem('The types are missing: run `npm run build` first.')
  return names.map((name) => at(`js/${name}.ts`))
}

async function buildReference() {
  const start = performance.now()
  if (!has('docs/node_modules/typedoc')) throw new Problem('typedoc is missing: run `npm ci --prefix docs` first.')
  const typedoc = await import(pathToFileURL(createRequire(at('docs/package.json')).resolve('typedoc')).href)
  const app = await typedoc.Application.bootstrap({
    name: 'Countersign',
    entryPoints: entryPoints(),
    tsconfig: at('tsconfig.json'),
    readme: at('README.md'),
    // The guides are pages of the reference, so that their links are checked as well.
    projectDocuments: [at('docs/*.md')],
    disableSources: true,
    includeVersion: true,
    hideGenerator: true,
    disableGit: true,
    excludeExternals: true,
    // The parts of which the ids of texts, and the names of defects, are made. Hosts write them whole.
    intentionallyNotExported: ['MailId', 'Fact', 'OwnFactor', 'Situation', 'Step', 'DEFECTS'],
    highlightLanguages: ['typescript', 'javascript', 'html', 'json', 'yaml', 'shellscript', 'sql'],
    validation: { notExported: true, invalidLink: true, invalidPath: true, rewrittenLink: true, notDocumented: false },
    logLevel: 'Warn',
  })
  const project = await app.convert()
  if (project === undefined) throw new Problem('The types do not compile.')
  // By the names under which they are imported.
  for (const module of project.getChildrenByKind(typedoc.ReflectionKind.Module)) {
    module.name =
      module.name === 'index'
        ? 'countersign'
        : `countersign/${module.name.replace(/^adapters\//, '').replace('-client', '/client')}`
  }
  app.validate(project)
  for (const gap of gaps(typedoc, project)) app.logger.error(gap)
  if (app.logger.hasErrors() || app.logger.hasWarnings()) throw new Problem('The API reference has gaps, see above.')
  await app.generateDocs(project, at(OUT))
  console.log(`API reference: ${OUT}/index.html (${seconds(start)})`)
}

/** Exported things without a description, and exported functions without an example. */
function* gaps({ ReflectionKind: Kind }, project) {
  const exported = Kind.Module | Kind.Variable | Kind.Function | Kind.Class | Kind.Interface | Kind.TypeAlias
  const members = Kind.Property | Kind.Method | Kind.Accessor
  for (const reflection of project.getReflectionsByKind(exported | members)) {
    // Members of anonymous types are described by the thing that they are part of.
    const isNamed = reflection.kindOf(exported) || reflection.parent?.kindOf(Kind.Interface | Kind.Class)
    if (!isNamed || reflection.flags.isExternal || reflection.flags.isInherited) continue
    const comments = [reflection, ...(reflection.signatures ?? [])].flatMap(({ comment }) => comment ?? [])
    const name = reflection.getFriendlyFullName()
    const isTag = reflection.type?.type === 'literal' // `result: 'wrong'` says it all
    if (!isTag && !comments.some((comment) => comment.hasVisibleComponent())) yield `${name} has no description`
    const isCalled =
      reflection.kindOf(Kind.Function) || ['SecondFactor', 'UserMethods'].includes(reflection.parent?.name)
    const isExample = (comment) => comment.getTag('@example') !== undefined
    if (isCalled && !comments.some(isExample)) yield `${name} has no @example`
  }
}

await main(import.meta.url, buildReference)
