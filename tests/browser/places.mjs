// The ways through the pages, for the tests that look at every place: each page, and each redirect that tells something.

import { messages } from '../../examples/login/messages/index.js'
import {
  authenticatorCode,
  enrolledVisitor,
  freshVisitor,
  lockOut,
  passwords,
  smsCode,
  startService,
  Visitor,
} from '../e2e/support.mjs'
import { Person } from './person.mjs'

export const words = messages.en
const { login, security, secondStep, setUpApp, setUpSms, codes, owners, policy } = words

const wrongFor = (code) => (code === '000000' ? '000001' : '000000')

/** Opens the `<details>` in which the button is, and presses it. */
async function pressWithin(person, name) {
  const { page } = person
  await page.locator('details:not([open])', { has: page.locator('button', { hasText: name }) }).evaluate((details) => {
    details.open = true
  })
  await person.press(name)
}

async function typeNumber(person, number) {
  await person.page.locator('#number').fill(number)
  await person.press(security.sms.send)
}

/**
 * Each way leads through some places, and yields the name of each place on the arrival there.
 * @type {Record<string, (person: Person, service: Person['service']) => AsyncGenerator<string>>}
 */
const ways = {
  async *'the login'(person) {
    await person.open('/login')
    yield 'the login'
    await person.fill(login.email, 'member@acme.example')
    await person.fill(login.password, 'wrong')
    await person.press(login.button)
    yield 'the login: a wrong password'
    await person.logIn('member')
    yield 'home'
    await person.press(words.layout.logOut)
    yield 'the login: logged out'
    await person.open('/nowhere')
    yield 'a page that does not exist'
  },

  async *'the second step by app and backup code'(person, service) {
    const { code } = await enrolledVisitor(service, 'member')
    await person.logIn('member')
    yield 'the second step: app'
    await person.typeCode(wrongFor(code()))
    yield 'the second step: app, a wrong code'
    await person.follow(secondStep.use.backup_code)
    yield 'the second step: backup code'
    await person.typeCode('AAAA-AAAA-AAAA-AAAA')
    yield 'the second step: backup code, a wrong code'
    await person.follow(secondStep.use.recovery_code)
    yield 'the second step: recovery code'
    await person.typeCode('AAAA')
    yield 'the second step: recovery code, too short'
  },

  async *'a locked login'(person, service) {
    const { code } = await enrolledVisitor(service, 'member')
    await lockOut(service, 'member', code)
    await person.logIn('member')
    await person.typeCode(code())
    yield 'the second step: locked'
  },

  async *'the second step by SMS'(person, service) {
    const visitor = new Visitor(service)
    await visitor.logIn('member')
    await visitor.json('/api/security/sms', { number: '0412 345 678' })
    await visitor.json('/api/security/sms/confirm', { code: await smsCode(visitor) })
    service.advance(60)
    await person.logIn('member')
    yield 'the second step: SMS'
    await person.press(secondStep.send)
    yield 'the second step: SMS, sent'
    await person.typeCode(wrongFor(await smsCode(visitor)))
    yield 'the second step: SMS, a wrong code'
  },

  async *'the last backup codes'(person, service) {
    const { backupCodes } = await enrolledVisitor(service, 'member')
    const visitor = new Visitor(service)
    for (const code of backupCodes.slice(0, 6)) {
      await visitor.logIn('member')
      await visitor.secondStep('backup_code', code)
    }
    await person.logIn('member')
    await person.follow(secondStep.use.backup_code)
    await person.typeCode(backupCodes[6])
    yield 'the arrival: few backup codes'
    await person.follow(words.arrival.later)
    yield 'home: few backup codes'
  },

  async *'one of two apps is lost'(person, service) {
    const { visitor, backupCodes } = await freshVisitor(service, 'member')
    const { secret } = await visitor.json('/api/security/totp', { name: 'Tablet' })
    const code = authenticatorCode(secret.replaceAll(' ', ''), service.now)
    await visitor.json('/api/security/totp/confirm', { code })
    await person.logIn('member')
    await person.follow(secondStep.use.backup_code)
    await person.typeCode(backupCodes[0])
    await person.follow(words.arrival.goOn.app)
    yield 'security: the lost app'
  },

  async *'the recovery code'(person, service) {
    const { visitor } = await freshVisitor(service, 'owner')
    const { users } = await visitor.json('/api/users')
    const { id: user } = users.find(({ email }) => email === 'member@acme.example')
    const { code } = await visitor.json('/api/users/recovery-code', { user })
    service.database((db) => db.prepare(`UPDATE accounts SET require = '"everyone"'`).run())
    await person.logIn('member')
    yield 'the second step: recovery code only'
    await person.typeCode(code)
    yield 'the arrival: recovery code'
    await person.follow(words.arrival.later)
    yield 'home: recovery code'
    await person.follow(words.layout.security)
    yield 'security: recovery code'
  },

  async *'the set-ups'(person, service) {
    await person.logIn('member')
    await person.follow(words.layout.security)
    yield 'security: off'
    await person.press(security.app.setUp)
    yield 'the set-up of an app'
    const key = await person.page.locator('#key code').textContent()
    const code = () => person.codeOf(key.replaceAll(' ', ''))
    await person.typeCode(wrongFor(code()))
    yield 'the set-up of an app: a wrong code'
    await person.typeCode(code())
    yield 'backup codes: the first'
    await person.press(codes.saved)
    yield 'security: app'
    service.advance(330)
    await person.unfold(security.sms.setUp)
    await typeNumber(person, '0412 345 678')
    yield 'the question to confirm'
    await person.press(words.layout.continue)
    yield 'the second step: confirm'
    await person.typeCode(code())
    yield 'security: confirmed for SMS'
    await typeNumber(person, '0412 345 67')
    yield 'the set-up of SMS: a digit is missing'
    await typeNumber(person, '0412 345 678')
    yield 'the set-up of SMS'
    await person.follow(setUpSms.another)
    yield 'the set-up of SMS: another number'
    await person.open('/security/sms')
    await person.typeCode(wrongFor(await person.readSms()))
    yield 'the set-up of SMS: a wrong code'
    await person.typeCode(await person.readSms())
    yield 'security: app and SMS'
    await person.follow(security.activity)
    yield 'activity'
    await person.follow(words.layout.backToSecurity)
    await pressWithin(person, security.codes.renewButton)
    yield 'backup codes: a new set'
  },

  async *'a first factor at login'(person, service) {
    service.database((db) => db.prepare(`UPDATE accounts SET require = '"everyone"', first_factor = 'password'`).run())
    await person.logIn('member')
    yield 'the set-up of a first factor'
    await person.press(security.app.setUp)
    yield 'the set-up of an app: at login'
    const key = await person.page.locator('#key code').textContent()
    await person.typeCode(person.codeOf(key.replaceAll(' ', '')))
    yield 'backup codes: the first, at login'
  },

  async *'a set-up that is over'(person, service) {
    await person.logIn('member')
    await person.open('/security/totp')
    yield 'the set-up of an app: none'
    await person.press(setUpApp.again)
    service.advance(7200)
    await person.page.reload()
    yield 'the set-up of an app: over'
    await person.follow(words.layout.backToSecurity)
    await person.unfold(security.sms.setUp)
    await typeNumber(person, '0412 345 678')
    service.advance(1200)
    await person.page.reload()
    yield 'the set-up of SMS: over'
  },

  async *'the settings'(person, service) {
    const { code } = await enrolledVisitor(service, 'member')
    await person.logIn('member')
    await person.page.getByRole('checkbox').check()
    await person.typeCode(code())
    await person.follow(words.layout.security)
    yield 'security: trusted browsers and sessions'
    await person.press(security.sessions.endOthers)
    yield 'security: logged out elsewhere'
    await person.unfold(security.rename)
    await person.page.getByLabel(security.newName, { exact: true }).fill('\u200b')
    await person.press(security.renameButton)
    yield 'security: a name that is refused'
    await person.unfold(security.password.change)
    await person.fill(security.password.current, 'wrong')
    await person.fill(security.password.next, 'a few words in a row')
    await person.press(security.password.button)
    yield 'security: a wrong password'
    await person.fill(security.password.current, passwords.member)
    await person.fill(security.password.next, 'a few words in a row')
    await person.press(security.password.button)
    yield 'security: a new password'
    service.advance(330)
    await person.follow(security.codes.show)
    yield 'the question to confirm, by app'
    await person.press(words.layout.continue)
    await person.typeCode(code())
    yield 'backup codes: shown'
    service.advance(330)
    await person.follow(words.layout.security)
    await pressWithin(person, security.turnOffButton.totp)
    await person.press(words.layout.continue)
    await person.typeCode(code())
    yield 'security: confirmed for turning off'
    await person.press(security.turnOffButton.totp)
    yield 'security: turned off'
  },

  async *'the users'(person, service) {
    const { code } = await enrolledVisitor(service, 'owner')
    const client = new Visitor(service, '203.0.113.7')
    await client.json('/api/token', { client: 'reports', secret: 'reports-demo-secret' })
    await person.logIn('owner')
    await person.typeCode(code())
    service.advance(330)
    await person.follow(words.layout.users)
    yield 'users'
    await person.press(new RegExp(`^${owners.issue} for member`))
    await person.press(words.layout.continue)
    await person.typeCode(code())
    yield 'users: confirmed for a recovery code'
    await person.press(new RegExp(`^${owners.issue} for member`))
    yield 'a recovery code'
    await person.follow(words.layout.backToUsers)
    await pressWithin(person, new RegExp(`^${owners.resetButton}.*colleague`))
    yield 'a recovery code after a reset'
    service.advance(700)
    await person.page.reload()
    yield 'a recovery code that is over'
    await person.open('/policy')
    await person.page.locator('[name=require][value=everyone]').check()
    await person.press(policy.see)
    await person.press(words.layout.continue)
    service.advance(30)
    await person.typeCode(code())
    await person.press(policy.review.save)
    await person.follow(words.layout.users)
    yield 'users: a client is blocked'
    await person.press(/: reports$/)
    yield 'users: a client is admitted'
  },

  async *'the policy and the audit log'(person, service) {
    await person.logIn('owner')
    await person.open('/policy')
    yield 'policy'
    await person.page.locator('#allow-add').fill('203.0.113.0/24')
    await person.press(`${policy.add}${policy.addTo(policy.lists.allow.title)}`)
    yield 'policy: a network is added'
    await person.page.locator('#deny-add').fill('10.0.0.0/33')
    await person.press(policy.see)
    yield 'policy: a mistake'
    await person.press(`${policy.row.remove} 10.0.0.0/33`)
    await person.press(policy.see)
    yield 'policy: it locks the owner out'
    await person.follow(policy.review.change)
    yield 'policy: the draft'
    await person.press(`${policy.row.remove} 203.0.113.0/24`)
    await person.press(policy.see)
    yield 'policy: the review'
    const other = new Visitor(service)
    await other.logIn('owner')
    await other.json('/api/policy', { require: 'optional', deny: ['198.51.100.0/24'], confirmed: true })
    await person.page.reload()
    yield 'policy: another was saved meanwhile'
    await person.press(policy.review.save)
    yield 'policy: saved'
    await person.follow(words.layout.audit)
    yield 'audit'
    await person.open('/audit?from=2027-02-01&to=2027-01-01')
    yield 'audit: a day that is wrong'
    await person.open('/audit?address=banana')
    yield 'audit: no address and no network'
    await person.fill(words.audit.filter.address, '192.0.2.0/24')
    await person.press(words.audit.filter.button)
    yield 'audit: found'
  },
}

/** `walk` takes the way, and calls `look(place, person)` at each of its places. */
export const everyWay = Object.entries(ways).map(([name, way]) => ({
  name,
  /** @param {(place: string, person: Person) => Promise<void>} look */
  async walk(t, look) {
    const service = await startService(t)
    const person = await Person.open(t, service)
    for await (const place of way(person, service)) await look(place, person)
  },
}))
