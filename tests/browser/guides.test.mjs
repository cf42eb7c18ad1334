// Plays every guide click by click, on a phone. Each page is looked at on a desktop too, in light and dark.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startService, Visitor } from '../e2e/support.mjs'
import { guideLook, Person } from './person.mjs'

/** Declares a test with a service of its own. */
function guide(name, follow) {
  test(name, async (t) => {
    const service = await startService(t)
    await follow({
      service,
      someone: (options) => Person.open(t, service, { look: guideLook, ...options }),
    })
  })
}

guide('S1, S4, S6: set up an authenticator app, log out, and log in with it', async ({ someone, service }) => {
  const person = await someone()
  await person.open('/login')
  await person.looksRight('login')
  await person.fill('E-mail address', 'member@acme.example')
  await person.fill('Password', 'not the password')
  await person.press('Log in')
  await person.reads(/e-mail address or the password is not right/)
  assert.equal(
    await person.page.getByLabel('E-mail address').inputValue(),
    'member@acme.example',
    'the form keeps the typed address',
  )
  await person.looksRight('login-wrong')
  await person.fill('Password', 'member-demo-password')
  await person.press('Log in')
  assert.equal(await person.heading(), 'Welcome, member@acme.example')
  await person.looksRight('home-member')

  const { codes, code } = await person.setUpApp((name) => person.looksRight(name))
  assert.equal(new Set(codes).size, 10)
  await person.press('I have saved them')
  assert.equal(person.path, '/security')
  await person.reads(/Two-factor authentication is on/)
  await person.reads(/10 of 10 left/)
  await person.doesNotRead(/You have not said/)
  await person.looksRight('security-app')

  await person.logOut()
  await person.logIn('member')
  assert.equal(person.path, '/login/second-step')
  await person.looksRight('second-step-app')
  await person.typeCode(code() === '000000' ? '000001' : '000000')
  await person.reads(/That code is not right\. Check it and try again: \d more tries/)
  await person.looksRight('second-step-wrong')
  await person.typeCode(code())
  assert.equal(await person.heading(), 'Welcome, member@acme.example')
  await person.follow('Security')
  await person.reads(/Last used\s+\d+ \w+ 2027/)
})

guide('S9: a person who never had a factor sets one up at login', async ({ someone, service }) => {
  service.database((db) => db.prepare(`UPDATE accounts SET require = '"everyone"', first_factor = 'password'`).run())
  const person = await someone()
  await person.logIn('member')
  assert.equal(person.path, '/login/set-up')
  await person.reads(/This account asks for a second factor, and you have none yet/)
  await person.reads(/Begin by \d\d:\d\d:\d\d UTC, or log in again\./)
  await person.looksRight('first-factor')
  await person.press('Set up the app')
  const secret = new URL(await person.scan()).searchParams.get('secret')
  await person.looksRight('first-factor-app')
  await person.typeCode(person.codeOf(secret) === '000000' ? '000001' : '000000', 'Turn on')
  await person.reads(/That code is not right/)
  await person.typeCode(person.codeOf(secret), 'Turn on')
  assert.equal(await person.heading(), 'You are logged in')
  assert.equal((await person.codes()).length, 10)
  await person.looksRight('first-factor-codes')
  await person.press('I have saved them')
  assert.equal(await person.heading(), 'Welcome, member@acme.example')
  await person.follow('Security')
  await person.reads(/Last used\s+at set-up/)
  await person.looksRight('first-factor-security')
  await person.open('/outbox')
  await person.reads(/Mail to owner@acme\.example[^]*member@acme\.example set up a second factor at a login/)
  await person.reads(/Mail to member@acme\.example[^]*Your second factor was set up at a login/)
  await person.looksRight('first-factor-outbox')
})

guide('S9: an owner lets people set up their first factor at login', async ({ someone, service }) => {
  const owner = await someone()
  await owner.logIn('owner')
  const { code } = await owner.setUpApp()
  await owner.open('/policy')
  assert.ok(!(await owner.page.getByText('How people without a second factor get one').isVisible()), 'nobody is asked')
  await owner.page.getByLabel('Everyone').check()
  await owner.page.getByLabel('By themselves when they log in').check()
  await owner.looksRight('policy-first-factor')
  await owner.press('See what this changes')
  await owner.confirmWith(code())
  await owner.reads(/These people will set up their first second factor when they log in/)
  await owner.reads(/member@acme\.example/)
  await owner.looksRight('policy-first-factor-review')
  await owner.press('Save')
  await owner.reads(/Saved/)
  await owner.follow('Audit')
  await owner.reads(
    /How people without a second factor get one: “Only with a recovery code” → “By themselves when they log in”/,
  )
  await owner.looksRight('audit-policy')
})

guide('S3, S6: set up SMS beside the app, log in with it, and switch between them', async ({ someone, service }) => {
  const person = await someone()
  await person.logIn('member')
  const { code } = await person.setUpApp()
  await person.press('I have saved them')
  await person.unfold('Set up SMS')
  await person.looksRight('security-sms-unfolded')
  await person.fill('Australian mobile number', '0412 345 678')
  await person.press('Send code')
  await person.looksRight('confirm-it-is-you')
  await person.confirmWith(code())
  await person.reads(/Confirmed\. Go on with it below/)
  await person.focusIsOn(person.page.getByLabel('Australian mobile number'))
  await person.fill('Australian mobile number', '+44 7911 123456')
  await person.press('Send code')
  await person.reads(/Australian mobile numbers only/)
  await person.looksRight('set-up-sms-refused')
  await person.fill('Australian mobile number', '0412 345 678')
  await person.press('Send code')
  await person.reads(/We sent a code to \+61 412 345 678/)
  assert.match(await person.button(/^Send another code/).textContent(), /in 0:\d\d/)
  await person.looksRight('set-up-sms')
  await person.typeCode(await person.readSms(), 'Turn on')
  assert.equal(person.path, '/security')
  await person.reads(/Phone\s+•••• 678/)
  await person.looksRight('security-both')

  service.advance(60)
  await person.logOut()
  await person.logIn('member')
  await person.follow('Use SMS')
  await person.reads(/We can send a code to •••• 678/)
  await person.looksRight('second-step-sms')
  await person.press('Send me a code')
  await person.looksRight('second-step-sms-sent')
  await person.follow('Use the authenticator app')
  await person.follow('Use SMS')
  await person.reads(/We sent a code to •••• 678/)
  assert.match(await person.button(/^Send another code/).textContent(), /in 0:\d\d/, 'the page remembers the SMS')
  await person.looksRight('second-step-sms-again')
  service.advance(31)
  await person.follow('Use the authenticator app')
  await person.follow('Use SMS')
  await person.press('Send another code')
  await person.typeCode(await person.readSms())
  assert.equal(await person.heading(), 'Welcome, member@acme.example')
})

guide(
  'S7, S4: log in with a backup code, see how many are left, show them again, make a new set',
  async ({ someone }) => {
    const person = await someone()
    await person.logIn('member')
    const { codes, code } = await person.setUpApp()
    await person.logOut()
    await person.logIn('member')
    await person.follow('Use backup code')
    await person.reads(/You have not said that you saved these codes/)
    await person.looksRight('second-step-backup')
    await person.page.locator('#long_code').fill(codes[2].toLowerCase())
    await person.press('Log in')
    await person.reads(/You logged in with a backup code\. If you no longer have your phone/)
    await person.looksRight('arrival-backup-code')
    await person.follow('Later: go on')
    assert.equal(await person.heading(), 'Welcome, member@acme.example')
    await person.follow('Security')
    await person.reads(/9 of 10 left/)

    // P1: a login by backup code is not fresh enough to see the codes, and another one would not be either.
    await person.follow('Show codes')
    assert.equal(await person.heading(), 'Confirm it is you')
    await person.reads(/A backup code is not enough, so that one lost code does not give away the others/)
    await person.looksRight('confirm-by-own-factor')
    await person.press('Continue')
    assert.equal(await person.page.getByText('Use backup code').count(), 0, 'what does not help is not offered')
    await person.typeCode(code(), 'Confirm')
    assert.equal(await person.heading(), 'Your backup codes')
    assert.equal(await person.page.locator('.codes del').textContent(), codes[2])
    assert.deepEqual(
      await person.codes(),
      codes.filter((each) => each !== codes[2]),
    )
    await person.looksRight('backup-codes-shown')
    await person.follow('Back to Security')
    await person.unfold('Make a new set')
    await person.reads(/Your old codes stop working at once/)
    await person.looksRight('backup-codes-warning')
    await person.press('Make ten new codes')
    assert.equal(await person.heading(), 'Your new backup codes')
    assert.equal((await person.codes()).filter((each) => codes.includes(each)).length, 0)
    await person.looksRight('backup-codes-new')
    await person.page.reload()
    assert.equal(await person.heading(), 'Your new backup codes', 'P2: a reload shows them again')
    await person.follow('Security')
    await person.reads(
      /You have not said that you saved these codes\. If you do not have them, show them and keep them\./,
    )
    await person.looksRight('security-codes-unconfirmed')
    await person.follow('Show codes')
    await person.press('I have saved them')
    assert.equal(person.path, '/security')
    await person.reads(/Good: you have your backup codes/)
    await person.doesNotRead(/You have not said/)
  },
)

guide('a trusted browser asks for no code, until it is trusted no longer', async ({ someone, service }) => {
  const person = await someone()
  await person.logIn('member')
  const { code } = await person.setUpApp()
  await person.logOut()
  await person.logIn('member')
  await person.page.getByLabel('Trust this browser for 30 days').check()
  await person.looksRight('second-step-trust')
  await person.typeCode(code())
  await person.logOut()
  service.advance(60)
  await person.logIn('member')
  assert.equal(await person.heading(), 'Welcome, member@acme.example')
  await person.follow('Security')
  await person.reads(/Trusted browsers[^]*(Chrome|Firefox) on Linux/)
  await person.looksRight('security-trusted-browser')
  await person.press(/^Trust no longer/)
  await person.doesNotRead(/Trusted browsers/)
  await person.logOut()
  await person.logIn('member')
  assert.equal(person.path, '/login/second-step')
})

guide(
  'S5, S8, T39: an owner makes a recovery code, it logs in once, and the page urges to set up a factor',
  async ({ someone, service }) => {
    const owner = await someone()
    await owner.logIn('owner')
    await owner.looksRight('home-owner')
    await owner.follow('Users')
    const { code } = await owner.setUpApp()
    await owner.follow('Users')
    await owner.looksRight('users')
    await owner.press(/^Generate recovery code for member/)
    await owner.confirmWith(code())
    assert.equal(owner.path, '/users')
    await owner.focusIsOn(owner.button(/^Generate recovery code for member/))
    await owner.press(/^Generate recovery code for member/)
    await owner.reads(/For member@acme\.example, once, until \d\d:\d\d:\d\d/)
    await owner.looksRight('recovery-code')
    const recoveryCode = await owner.page.locator('#recovery-code code').textContent()
    await owner.follow('Back to Users')
    await owner.reads(/One is good until/)

    // As after "force for everyone", which has its own guide.
    service.database((db) => db.prepare('UPDATE accounts SET require = ?').run('"everyone"'))
    const member = await someone({ ip: '198.51.100.9' })
    await member.logIn('member')
    assert.equal(member.path, '/login/second-step')
    await member.looksRight('second-step-recovery')
    await member.page.locator('#long_code').fill(recoveryCode)
    await member.press('Log in')
    await member.reads(/You logged in with a recovery code\. Set up two-factor authentication now/)
    await member.looksRight('home-after-recovery')
    await member.follow('Set it up')
    await member.reads(/You logged in with a recovery code/)
    await member.press('Set up the app')
    const secret = new URL(await member.scan()).searchParams.get('secret')
    await member.typeCode(member.codeOf(secret), 'Turn on')
    assert.equal(await member.heading(), 'Two-factor authentication is on')
  },
)

guide(
  'S8: a user with a factor is offered the recovery code only beside the backup code',
  async ({ someone, service }) => {
    const owner = await someone()
    await owner.logIn('owner')
    const { code } = await owner.setUpApp()
    const member = await someone()
    await member.logIn('member')
    await member.setUpApp()
    await member.logOut()
    await owner.follow('Users')
    await owner.press(/^Generate recovery code for member/)
    await owner.confirmWith(code())
    await owner.press(/^Generate recovery code for member/)
    const recoveryCode = await owner.page.locator('#recovery-code code').textContent()

    await member.logIn('member')
    assert.equal(await member.page.getByText('Use recovery code').count(), 0, 'a recovery code is not offered first')
    await member.follow('Use backup code')
    await member.follow('Use recovery code')
    await member.looksRight('second-step-recovery-after-backup')
    await member.page.locator('#long_code').fill(recoveryCode)
    await member.press('Log in')
    await member.reads(
      /You logged in with a recovery code\. If you no longer have your phone, set up your app on the new one now/,
    )
    await member.looksRight('arrival-recovery-code')
    await member.follow('Later: go on')
    assert.equal(await member.heading(), 'Welcome, member@acme.example')
  },
)

guide(
  'S9, S12, T38: force a second factor on everyone: first the page names the users whom it would lock out',
  async ({ someone, service }) => {
    const client = new Visitor(service, '203.0.113.7')
    assert.equal(
      (await client.json('/api/token', { client: 'reports', secret: 'reports-demo-secret' })).result,
      'token',
    )
    const member = await someone({ ip: '192.0.2.44' })
    await member.logIn('member')

    const owner = await someone()
    await owner.logIn('owner')
    await owner.follow('Policy')
    await owner.looksRight('policy')
    await owner.page.getByRole('radio', { name: /^Everyone/ }).check()
    await owner.press('See what this changes')
    await owner.reads(/You would shut yourself out[^]*Set up a second factor for yourself first/)
    await owner.looksRight('policy-review-refused')
    await owner.press('Back without saving')

    const { code } = await owner.setUpApp()
    await owner.follow('Policy')
    await owner.page.getByRole('radio', { name: /^Everyone/ }).check()
    await owner.press('See what this changes')
    await owner.confirmWith(code())
    assert.equal(owner.path, '/policy/review', 'the draft survives the second step')
    await owner.reads(/These people will need a recovery code[^]*colleague@acme\.example[^]*member@acme\.example/)
    await owner.reads(/reports gets in → shut out\s[^]*A rule for 203\.0\.113\.7\/32 would admit it/)
    await owner.looksRight('policy-review')
    await owner.press('Admit reports and look again')
    await owner.doesNotRead(/shut|blocked/)
    await owner.follow('Change it')
    assert.equal(await owner.page.getByLabel('Note on 203.0.113.7/32').inputValue(), 'reports')
    await owner.press('See what this changes')
    await owner.press('Save')
    await owner.reads(/Saved\. It holds at once/)
    await owner.looksRight('policy-saved')
    await owner.follow('Users')
    await owner.reads(/reports[^]*Gets in/)

    await member.open('/security')
    await member.logIn('member')
    await member.reads(
      /This account asks for a second factor, and you have none now\. Ask an owner of the account for a recovery code/,
    )
    await member.looksRight('login-needs-recovery')
    assert.equal(
      (await client.json('/api/token', { client: 'reports', secret: 'reports-demo-secret' })).result,
      'token',
      'the rule for API clients admits it',
    )
  },
)

guide(
  'S10, S11: address rules: the page names the reason of a refusal, and the line with a typing mistake',
  async ({ someone }) => {
    const owner = await someone()
    await owner.logIn('owner')
    const { code } = await owner.setUpApp()
    await owner.follow('Policy')
    await owner.fill('Add networks: Never these networks', '203.0.113.0/24 # guests\n10.0.0.0/33')
    await owner.press('See what this changes')
    await owner.reads(/In the networks to keep out, 10\.0\.0\.0\/33: this is no network/)
    await owner.focusIsOn(owner.page.locator('#deny-1-network'))
    await owner.looksRight('policy-mistake')
    await owner.press('Remove 10.0.0.0/33')
    await owner.reads(/This is your draft/)
    await owner.page.getByRole('radio', { name: /^Some people/ }).check()
    await owner.fill('Add networks: People who come from these networks', '198.51.100.0/24 # guests')
    await owner.press('Add to: People who come from these networks')
    assert.equal(await owner.page.getByLabel('Note on 198.51.100.0/24').inputValue(), 'guests')
    await owner.looksRight('policy-rows')
    await owner.press('See what this changes')
    await owner.confirmWith(code())
    await owner.looksRight('policy-review-networks')
    await owner.press('Save')

    const elsewhere = await someone({ ip: '203.0.113.9' })
    await elsewhere.logIn('member')
    await elsewhere.reads(/cannot be used from this network\. Try from/)
    const forced = await someone({ ip: '198.51.100.9' })
    await forced.logIn('member')
    await forced.reads(/Ask an owner of the account for a recovery code/)
    const free = await someone({ ip: '192.0.2.99' })
    await free.logIn('member')
    assert.equal(await free.heading(), 'Welcome, member@acme.example')

    await owner.follow('Audit')
    await owner.reads(/Login refused[^]*from a network that is never let in, from 203\.0\.113\.9/)
    await owner.looksRight('audit')
  },
)

guide(
  'T14: turning a factor off and moving to another phone ask for a fresh factor, then go on',
  async ({ someone, service }) => {
    const person = await someone()
    await person.logIn('member')
    const first = await person.setUpApp()
    await person.press('I have saved them')
    await person.press('Move to another phone')
    await person.confirmWith(first.code())
    await person.press('Move to another phone')
    const secret = new URL(await person.scan()).searchParams.get('secret')
    assert.notEqual(secret, first.secret)
    await person.typeCode(person.codeOf(secret), 'Turn on')
    await person.follow('Security')

    service.advance(301)
    await person.unfold('Turn off')
    await person.reads(/This is your only second factor/)
    await person.looksRight('turn-off')
    await person.press('Turn off the app')
    await person.confirmWith(person.codeOf(secret))
    await person.reads(/This is your only second factor/)
    await person.press('Turn off the app')
    assert.equal(person.path, '/security')
    await person.reads(/Two-factor authentication is off/)
  },
)

guide(
  'a second app is added, gets a name, and logs in once the first one is turned off',
  async ({ someone, service }) => {
    const person = await someone()
    await person.logIn('member')
    const first = await person.setUpApp()
    await person.press('I have saved them')
    await person.press('Add another app')
    await person.confirmWith(first.code())
    await person.press('Add another app')
    const secret = new URL(await person.scan()).searchParams.get('secret')
    await person.typeCode(person.codeOf(secret), 'Turn on')
    await person.follow('Security')
    const [old, added] = [0, 1].map((index) => person.page.locator('[aria-labelledby=totp] .factors > li').nth(index))
    await person.unfold('Rename', added)
    await added.getByLabel('Name').fill('Work phone')
    await person.press(added.getByRole('button', { name: 'Rename' }))
    await person.looksRight('two-apps')
    await person.unfold('Turn off', old)
    await person.press(old.getByRole('button', { name: 'Turn off the app' }))
    assert.deepEqual(await person.page.locator('[aria-labelledby=totp] h3').allTextContents(), ['Work phone'])
    service.advance(30)
    await person.logOut()
    await person.logIn('member')
    await person.typeCode(person.codeOf(secret))
    assert.equal(await person.heading(), 'Welcome, member@acme.example')
  },
)

guide(
  'T6, S6: too many wrong codes: the page names the end of the lock and the ways to log in until then',
  async ({ someone }) => {
    const person = await someone()
    await person.logIn('member')
    const { code } = await person.setUpApp()
    await person.logOut()
    await person.logIn('member')
    const wrong = code() === '000000' ? '000001' : '000000'
    const left = []
    for (let i = 0; i < 12 && !/Too many/.test(await person.page.locator('main').innerText()); i += 1) {
      await person.typeCode(wrong)
      left.push(/(\w+) more tr/.exec(await person.page.locator('main').innerText())?.[1])
    }
    assert.deepEqual(left.filter(Boolean).slice(-2), ['2', 'one'])
    await person.reads(
      /Too many wrong codes; those of the last days count as well\. Wait, and try again at \d\d:\d\d:\d\d/,
    )
    await person.reads(/0:\d\d left/)
    await person.looksRight('second-step-locked')
    await person.follow('Use recovery code')
    await person.reads(/An owner of your account makes one for you/)
  },
)

guide('the outbox, a page that does not exist, and a page for owners only', async ({ someone }) => {
  const person = await someone()
  await person.open('/outbox')
  await person.looksRight('outbox-empty')
  await person.logIn('member')
  await person.setUpApp()
  await person.open('/outbox')
  await person.reads(/Mail to member@acme\.example[^]*A second factor was added to your login/)
  await person.looksRight('outbox')
  await person.open('/nowhere')
  assert.equal(await person.heading(), 'Not found')
  await person.looksRight('not-found')
  await person.open('/users')
  await person.reads(/Only an owner of the account can do this/)
  await person.looksRight('not-possible')
})
