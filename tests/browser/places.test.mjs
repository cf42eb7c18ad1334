// At every place: the things that a screen reader says first, and the way of the Tab key.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enrolledVisitor, lockOut, startService } from '../e2e/support.mjs'
import { eventually } from '../shared/eventually.mjs'
import { announcements, isAnnounced } from './announcements.mjs'
import { heard, noticesOf } from './hearing.mjs'
import { Person } from './person.mjs'
import { everyWay, words } from './places.mjs'
import { isInOrder, orderAt } from './tab-order.mjs'

const { layout, problems } = words
const visited = new Set()

for (const { name, walk } of everyWay) {
  test(`focus, announcements and Tab key on the way: ${name}`, async (t) => {
    await walk(t, async (place, { page }) => {
      visited.add(place)
      await isAnnounced(place, page)
      await isInOrder(place, page)
    })
  })
}

test('the tables hold no other place', () => {
  const places = [...visited].toSorted()
  assert.deepEqual(Object.keys(announcements).toSorted(), places)
  assert.deepEqual([...orderAt.keys()].toSorted(), places)
})

test('a wait: its alert is said once, not each second, and its end is said', async (t) => {
  const service = await startService(t)
  const { code } = await enrolledVisitor(service, 'member')
  await lockOut(service, 'member', code)
  const person = await Person.open(t, service)
  const { page } = person
  await person.logIn('member')
  // The page's clock moves only when the test moves it.
  await page.clock.install({ time: 0 })
  await page.clock.pauseAt(1_000)
  await person.typeCode(code())
  const [alert, ...others] = await noticesOf(page)
  assert.deepEqual(others, [])
  await person.reads(/0:30 left/)
  await page.clock.runFor(10_000)
  await person.reads(/0:20 left/)
  assert.deepEqual(await noticesOf(page), [alert])
  await page.clock.runFor(21_000)
  await eventually(async () => assert.deepEqual((await noticesOf(page)).toSorted(), [alert, layout.tryNow].toSorted()))
})

test('without a script, the field for a code does not say that the last digit sends it', async (t) => {
  const service = await startService(t)
  const { code } = await enrolledVisitor(service, 'member')
  const person = await Person.open(t, service, { javaScript: false })
  await person.logIn('member')
  const descriptions = async () => (await heard(person.page)).said.slice(2)
  assert.deepEqual(await descriptions(), [])
  await person.typeCode(code() === '000000' ? '000001' : '000000')
  assert.deepEqual(await descriptions(), [`${problems.wrongAndLeft(4)} ${problems.clockHint}`])
})
