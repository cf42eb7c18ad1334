// The kit on better-auth's own database, on one server.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { proveStore } from 'countersign/testing/store'
import { without } from '../servers/server.mjs'

/**
 * @param {'postgres' | 'mariadb'} name
 * @param {(t: any) => Promise<{ url: string }>} start
 * @param {number} [longest] bytes of a record for which the column has room, where they are fewer than 64 KiB
 */
export async function proveOn(name, start, longest) {
  const skip = without(name)
  if (skip) return void test(`D1: ${name}`, { skip })
  process.env.BETTER_AUTH_SERVER = (await start({ after })).url
  const { default: open } = await import('./better-auth-open.mjs')
  proveStore({
    test: (title, run, timeout) => {
      if (longest === undefined || !/letter for letter/.test(title)) test(`D1: ${name}: ${title}`, { timeout }, run)
    },
    open,
    module: new URL('./better-auth-open.mjs', import.meta.url),
  })
  if (longest === undefined) return
  test(`D1: ${name}: a record of ${longest} bytes comes back, and a longer one is refused`, async (t) => {
    const { store, close } = await open()
    t.after(close)
    const record = `{"a":"${'x'.repeat(longest - 8)}"}`
    assert.equal(await store.save({ user: 'long' }, record, undefined), true)
    const { version } = await store.load({ user: 'long' })
    await assert.rejects(store.save({ user: 'long' }, `${record}x`, version))
    assert.deepEqual(await store.load({ user: 'long' }), { record, version })
  })
}
