// webpack: a program for Node, and a page.
import webpack from 'webpack'

const context = import.meta.dirname ?? process.cwd()
const shared = { context, mode: 'production' }
const program = {
  ...shared,
  target: 'node20',
  entry: './login.mjs',
  output: { path: `${context}/out/webpack`, filename: 'login.cjs' },
}
const page = {
  ...shared,
  target: 'web',
  entry: './page.mjs',
  output: { path: `${context}/out/webpack-page`, filename: 'page.mjs', publicPath: '/' },
}
webpack([program, page], (error, stats) => {
  if (error || stats.hasErrors()) throw error ?? new Error(stats.toString())
  console.log(stats.hasWarnings() ? stats.toString({ all: false, warnings: true }) : '')
})
