// Rollup: a program for Node, and a page.
import commonjs from '@rollup/plugin-commonjs'
import nodeResolve from '@rollup/plugin-node-resolve'
import { rollup } from 'rollup'

const warnings = []
const onwarn = ({ message }) => warnings.push(message)
const program = await rollup({
  input: 'login.mjs',
  plugins: [nodeResolve({ exportConditions: ['node'] }), commonjs()],
  onwarn,
})
await program.write({ file: 'out/rollup/login.mjs', format: 'esm' })
const page = await rollup({ input: 'page.mjs', plugins: [nodeResolve({ browser: true })], onwarn })
await page.write({ file: 'out/rollup-page/page.mjs', format: 'esm' })
console.log(warnings.join('\n'))
