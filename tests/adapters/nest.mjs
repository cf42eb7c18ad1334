// A folder for NestJS: the examples and tests that are TypeScript with decorators, compiled; and the package as it is installed, because
// it imports the NestJS of its host.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transformSync } from 'esbuild'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = join(here, '../..')
const SOURCES = [join(root, 'examples/adapters'), join(here, 'nest')]

/** Another `node_modules/@nestjs`, to try an older NestJS by hand. */
const { NEST } = process.env

/** @param {string} name */
export function nestFolder(name) {
  const folder = join(here, '.examples', name)
  const packages = join(folder, 'node_modules')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(packages, 'countersign'), { recursive: true })
  for (const part of ['package.json', 'pkg'])
    cpSync(join(root, part), join(packages, 'countersign', part), { recursive: true })
  if (NEST) symlinkSync(NEST, join(packages, '@nestjs'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  for (const source of SOURCES) {
    for (const file of readdirSync(source)) {
      const text = readFileSync(join(source, file), 'utf8')
      writeFileSync(join(folder, file), text)
      if (file.endsWith('.ts')) writeFileSync(join(folder, file.replace(/\.ts$/, '.js')), compiled(text))
    }
  }
  return folder
}

/** Without `emitDecoratorMetadata`, as esbuild and Node.js compile: what is injected is named by `@Inject()`. */
const compiled = (text) =>
  transformSync(text, {
    loader: 'ts',
    target: 'node20',
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true, verbatimModuleSyntax: true } },
  }).code
