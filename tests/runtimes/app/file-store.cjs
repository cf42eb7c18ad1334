// A store of a host's own, for the kit: each record is a chain of files, and the name of the next one is the version. A link is
// made once, in one step, whoever tries: that is the compare-and-set.
const { createHash } = require('node:crypto')
const { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')
const { newVersion, recordKey } = require('countersign')

const folder = join(__dirname, 'out', 'records')

/** The file of the record that follows a version, or of the first one. */
const fileAfter = (id, version = 'nothing') =>
  join(folder, createHash('sha256').update(recordKey(id)).digest('hex'), `after-${version}`)

function recordIn(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

async function load(id) {
  let stored
  for (let next = recordIn(fileAfter(id)); next !== undefined; next = recordIn(fileAfter(id, next.version)))
    stored = next
  return stored
}

async function save(id, record, expected) {
  if (expected !== undefined && (await load(id))?.version !== expected) return false // an old version, or none of this record
  const file = fileAfter(id, expected)
  mkdirSync(join(file, '..'), { recursive: true })
  const written = join(folder, `new-${newVersion()}`)
  writeFileSync(written, JSON.stringify({ record, version: newVersion() }))
  try {
    linkSync(written, file)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(written)
  }
}

module.exports = () => ({ store: { load, save } })
