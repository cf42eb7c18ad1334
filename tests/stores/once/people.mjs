// Users with factors on a store, and logins that wait for a code.
import assert from 'node:assert/strict'
import { createSecondFactor, generateKeys, totp } from 'countersign'
import { createOperator } from 'countersign/operator'
import { capturedSms } from 'countersign/testing'

export const METHODS = ['totp', 'sms', 'backup_code', 'recovery_code']
const START = 1_800_000_000
const LOGIN = START + 1_800
/** When the app shows the code after that of the login. */
export const LATER = LOGIN + 30
/** The cheapest hashes that a policy may ask for. */
const POLICY = {
  v: 1,
  name: 'Acme',
  origin: 'https://acme.example',
  methods: METHODS,
  backupCodes: { count: 1, memoryKib: 7_168, passes: 5 },
}

/** A service on a store. `input` is the part of the jobs of a worker that is the same for each. */
export function service(store) {
  const keys = generateKeys()
  const sms = capturedSms()
  let time = START
  const options = { policy: POLICY, keys, store, sendSms: sms.send, clock: () => time, hashing: 'inline' }
  const factor = createSecondFactor(options)
  const operator = createOperator(options)

  /**
   * A user with the factor of a method, and a login of theirs that waits for a code: `code` is right, `wrong` is not. `next` begins
   * another login, 30 seconds later, with the next code of their app.
   */
  async function person(method = 'totp') {
    time = START
    const user = `user ${Math.random()}`
    const who = { user, session: 'setup' }
    const { setup, secret } = await factor.enrollTotp({ ...who, label: user })
    const code = () => totp.generate({ secret, time })
    const enrolled = await factor.confirmTotp({ ...who, setup, code: code() })
    assert.equal(enrolled.result, 'enrolled')
    if (method === 'sms') {
      const sent = await factor.enrollSms({ ...who, pass: enrolled.pass, number: '+61412345678' })
      const done = await factor.confirmSms({ ...who, setup: sent.setup, code: sms.lastCode() })
      assert.equal(done.result, 'enrolled')
    }
    time = LOGIN
    const issued = method === 'recovery_code' ? await operator.issueRecoveryCode({ user, operator: 'ops' }) : undefined
    const session = 'before'
    const { ticket } = await factor.begin({ user, session })
    if (method === 'sms') assert.equal((await factor.sendSms({ ticket, session })).result, 'sms_sent')
    const right = {
      totp: code,
      sms: () => sms.lastCode(),
      backup_code: () => enrolled.backupCodes[0],
      recovery_code: () => issued.code,
    }[method]()
    const next = async () => {
      time = LATER
      const begun = await factor.begin({ user, session })
      return { ticket: begun.ticket, session, newSession: 'in', method: 'totp', code: code() }
    }
    return {
      user,
      right: { ticket, session, newSession: 'in', method, code: right },
      wrong: (n) => unlike(right, n),
      next,
    }
  }

  return { person, factor, input: { policy: POLICY, keys, time: LOGIN } }
}

/** A code of the same form that is another one, by its number. A digit in place of each letter keeps the form. */
function unlike(code, n) {
  const digits = String(n).padStart(4, '0')
  const other = digits + (code[4] === '1' ? '2' : '1') + code.slice(5)
  return code.includes('-') ? code.replace(/^\w{4}/, digits).replace(/\w$/, code.endsWith('1') ? '2' : '1') : other
}
