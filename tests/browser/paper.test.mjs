// Backup codes on paper and in a file.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { startService } from '../e2e/support.mjs'
import { looks, Person, plainLook } from './person.mjs'
import { inFirefox, printed, run } from './support.mjs'

const textOf = (pdf) => run('pdftotext', ['-layout', '-', '-'], 'poppler-utils', pdf)

// In the dark look as well, because paper is white.
for (const look of inFirefox ? [plainLook] : looks) {
  test(`the printed page holds the codes and their owner, and nothing else (${look.name})`, async (t) => {
    const service = await startService(t)
    const person = await Person.open(t, service, { look })
    const { page } = person
    await person.logIn('member')
    const { codes } = await person.setUpApp()
    await page.evaluate(() => (window.print = () => (window.printed = (window.printed ?? 0) + 1)))
    await person.button('Print').click()
    assert.equal(await page.evaluate(() => window.printed), 1)

    const pdf = await printed(page)
    const text = textOf(pdf)
    assert.deepEqual(text.match(/[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}/g)?.toSorted(), codes.toSorted())
    assert.match(text, /Backup codes\s+Acme · member@acme\.example · made 15 Jan 2027/)
    assert.match(text, /Each code works once/)
    assert.doesNotMatch(text, /Log out|Security|Download|Print|Copy|Skip|is on/)
    assert.equal(text.match(/\f/g)?.length, 1, 'one sheet')
    if (inFirefox) return // only Chromium shows a page as it is printed
    await page.emulateMedia({ media: 'print' })
    assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(255, 255, 255)')
    assert.equal(
      await page.evaluate(() => getComputedStyle(document.querySelector('.codes code')).color),
      'rgb(0, 0, 0)',
    )
  })
}

test('the downloaded file holds the unused codes and their owner, and nothing else of the page', async (t) => {
  const service = await startService(t)
  const person = await Person.open(t, service)
  await person.logIn('member')
  const { codes, code } = await person.setUpApp()
  await person.logOut()
  await person.logIn('member')
  await person.follow('Use backup code')
  await person.typeCode(codes[0])
  await person.follow('Later: go on')
  await person.follow('Security')
  await person.follow('Show codes')
  await person.confirmWith(code())
  const [file] = await Promise.all([person.page.waitForEvent('download'), person.button('Download as text').click()])
  const text = readFileSync(await file.path(), 'utf8')
  assert.deepEqual(text.match(/[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}/g), codes.slice(1))
  assert.match(text, /^Backup codes for Acme\nmember@acme\.example\n/)
  assert.doesNotMatch(text, /[<>]/)
})
