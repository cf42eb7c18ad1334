// The mails of notices in a real browser: accessible in light and dark, as wide as a phone, and nothing is loaded.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noticeText } from 'countersign/notices'
import { looks } from './person.mjs'
import { newPage, noViolations, screenshot } from './support.mjs'

/** @type {any} */
const facts = { account: 'acme', user: '4711', at: 1_795_817_220, ip: '2001:db8:1234:5678:90ab:cdef:1234:5678' }
const MAILS = {
  'notice-backup-code': [
    { ...facts, to: 'user', kind: 'backup_code_used', method: 'backup_code', backupCodesLeft: 2 },
    { language: 'en' },
  ],
  'notice-factor': [{ ...facts, to: 'user', kind: 'factor_added', method: 'totp' }, { language: 'de' }],
  'notice-long-name': [
    { ...facts, to: 'owners', kind: 'recovery_code_issued', method: 'recovery_code', by: 'olga' },
    { language: 'de', userName: `${'a-long-name'.repeat(8)}@a-subsidiary-of-acme.example` },
  ],
}

for (const look of looks) {
  for (const [name, [notice, options]] of Object.entries(MAILS)) {
    test(`${name}, ${look.name}`, async (t) => {
      const page = await newPage(t, { scheme: look.scheme, width: look.width, javaScript: true })
      const asked = []
      page.on('request', (request) => asked.push(request.url()))
      const url = 'https://acme.example/security'
      await page.setContent(noticeText(notice, { service: 'Acme', timeZone: 'Europe/Berlin', url, ...options }).html)
      await screenshot(page, `${name}-${look.name}`)
      assert.deepEqual(asked, [])
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= look.width, 'too wide')
      // Mail programs show a message in a page of theirs, which has the landmarks.
      await noViolations(page, { except: ['region', 'landmark-one-main'] })
    })
  }
}
