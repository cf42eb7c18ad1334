// Every guide without JavaScript, by forms and links alone.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { startService, Visitor } from '../e2e/support.mjs'
import { Person, phoneLook } from './person.mjs'

const withoutScript = { javaScript: false }

test('set up an app and SMS, keep the codes, log in by each method', async (t) => {
  const service = await startService(t)
  const person = await Person.open(t, service, withoutScript)
  const { page } = person
  await person.open('/login')
  assert.equal(await page.getByRole('button', { name: 'Show' }).count(), 0)
  await person.looksRight('login')
  await person.logIn('member')
  const { codes, code } = await person.setUpApp(async (name) => {
    await person.looksRight(name)
    // Buttons that need a script are hidden.
    for (const each of ['Copy', 'Print'])
      assert.equal(await page.getByRole('button', { name: each }).count(), 0, `${name}: ${each}`)
    await person.doesNotRead(/as soon as the sixth digit/)
  })
  await person.reads(/use the browser’s own Print/)

  const [file] = await Promise.all([page.waitForEvent('download'), person.button('Download as text').click()])
  assert.equal(file.suggestedFilename(), 'backup-codes.txt')
  const text = readFileSync(await file.path(), 'utf8')
  assert.match(text, /Acme[^]*member@acme\.example/)
  for (const each of codes) assert.ok(text.includes(each))
  assert.equal(await person.heading(), 'Two-factor authentication is on', 'the page is still there')

  await person.press('I have saved them')
  await person.doesNotRead(/You have not said/)
  await person.unfold('Set up SMS')
  await person.fill('Australian mobile number', '0412 345 678')
  await person.press('Send code')
  await person.confirmWith(code())
  await person.fill('Australian mobile number', '0412 345 678')
  await person.press('Send code')
  await person.reads(/You can ask for another code at \d\d:\d\d:\d\d UTC/)
  await person.looksRight('set-up-sms')
  await person.typeCode(await person.readSms(), 'Turn on')
  await person.reads(/Phone\s+•••• 678/)

  const again = async () => {
    service.advance(60)
    await person.logOut()
    await person.logIn('member')
    assert.equal(person.path, '/login/second-step')
  }
  await again()
  const digits = code()
  await person.typeCode(`${digits.slice(0, 3)} ${digits.slice(3)}`)
  assert.equal(await person.heading(), 'Welcome, member@acme.example')
  await again()
  await person.follow('Use SMS')
  await person.press('Send me a code')
  await person.looksRight('second-step-sms-sent')
  await person.typeCode(await person.readSms())
  assert.equal(await person.heading(), 'Welcome, member@acme.example')
  await again()
  await person.follow('Use backup code')
  await person.typeCode(codes[0])
  await person.follow('Later: go on')
  assert.equal(await person.heading(), 'Welcome, member@acme.example')
})

test('recovery code, force for everyone, address rules, turning off', async (t) => {
  const service = await startService(t)
  await new Visitor(service, '203.0.113.7').json('/api/token', { client: 'reports', secret: 'reports-demo-secret' })
  const owner = await Person.open(t, service, withoutScript)
  await owner.logIn('owner')
  const { code } = await owner.setUpApp()
  await owner.follow('Policy')
  await owner.looksRight('policy')
  await owner.page.getByRole('radio', { name: /^Everyone/ }).check()
  await owner.press('See what this changes')
  await owner.confirmWith(code())
  await owner.reads(/These people will need a recovery code[^]*member@acme\.example/)
  await owner.reads(/reports gets in → shut out\s[^]*A rule for 203\.0\.113\.7\/32 would admit it/)
  await owner.press('Save')
  await owner.follow('Users')
  await owner.press(/^Generate recovery code for member/)
  const recoveryCode = await owner.page.locator('#recovery-code code').textContent()

  const member = await Person.open(t, service, { ...withoutScript, look: phoneLook })
  await member.logIn('member')
  await member.looksRight('second-step-recovery')
  await member.typeCode(recoveryCode)
  await member.reads(/You logged in with a recovery code/)
  await member.setUpApp()
  await member.press('I have saved them')
  await member.looksRight('security-app')

  await owner.follow('Security')
  await owner.unfold('Turn off')
  await owner.reads(
    /This account asks everyone for a second factor, and this is your only one\. Set up another one first/,
  )
  assert.equal(await owner.button('Turn off the app').count(), 0, 'an action that would be refused is not offered')
})
