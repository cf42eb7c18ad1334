// Hostile passes, and the rotation of keys.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateKeys } from 'countersign'
import { passOf, tokens } from '../shared/tokens.mjs'
import { ENVOYS, jwksOf, mint, named, onEach, PASS, passed, refused, startGate, TOKEN, verifyBy } from './support.mjs'

const reasons = {
  invalid: 'pass_invalid',
  expired: 'pass_expired',
  other_account: 'other_account',
  other_user: 'in',
  other_session: 'other_session',
}

await onEach(
  {
    keys: tokens.keys,
    policy: tokens.policy,
    now: tokens.now,
    // The key ring of the environment holds both keys.
    listeners: { uncached: { config: { pass: { cacheEntries: 0 } } } },
  },
  (gate, test) => {
    test('T29 every hostile pass of the vectors is refused, by cookie and as bearer', async () => {
      let count = 0
      for (const one of tokens.cases) {
        const pass = passOf(one)
        const result = one.result === 'valid' ? 'in' : reasons[one.result]
        assert.ok(result, one.result)
        for (const listener of ['main', 'uncached']) {
          // A cookie cannot hold every byte; the header takes every visible one.
          const ways = [
            () => gate.visit({ listener, session: tokens.session, headers: [['authorization', `Bearer ${pass}`]] }),
          ]
          if (/\n/.test(pass)) continue // a line break would start another header
          if (!/[;\s]/.test(pass)) ways.push(() => gate.visit({ listener, session: tokens.session, pass }))
          for (const way of ways) {
            const answer = await way()
            // Blanks at the ends of a header are not part of its value.
            if (/^\s|\s$/.test(pass)) assert.ok([200, 401].includes(answer.status))
            else if (result === 'in')
              assert.equal(
                passed(answer).identity['x-second-factor-sub'],
                JSON.parse(Buffer.from(pass.split('.')[1], 'base64url')).sub,
                one.because,
              )
            else refused(answer, 401, result)
          }
        }
        count += 1
      }
      assert.ok(count >= 60, String(count))
    })

    test('T18 a ticket is no pass, and a pass is no ticket', async () => {
      const person = await gate.enroll()
      const ticket = await person.ticket(tokens.session)
      refused(await gate.visit({ session: tokens.session, pass: ticket }), 401, 'pass_invalid')
      refused(
        await gate.visit({ session: tokens.session, headers: [['authorization', `Bearer ${ticket}`]] }),
        401,
        'pass_invalid',
      )
      for (const session of [tokens.session, 'anything'])
        refused(await gate.visit({ session, headers: [['x-otp-ticket', ticket]] }), 401, 'no_pass')
    })

    test('a pass that is cut at either end, or changed in one byte, is refused', async () => {
      const pass = await gate.mint({ session: tokens.session })
      const ask = (text) => gate.visit({ session: tokens.session, headers: [['authorization', `Bearer ${text}`]] })
      passed(await ask(pass))
      for (let at = 0; at < pass.length; at += 7) {
        const other = pass[at] === 'A' ? 'B' : 'A'
        refused(await ask(pass.slice(0, at) + other + pass.slice(at + 1)), 401, 'pass_invalid')
        if (at > 0) refused(await ask(pass.slice(0, at)), 401, 'pass_invalid')
      }
      // The last letter of a signature has unused bits, which must be zero.
      for (const last of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_') {
        if (last !== pass.at(-1)) refused(await ask(pass.slice(0, -1) + last), 401, 'pass_invalid')
      }
      passed(await ask(pass))
    })
  },
)

// One gate at a time: the environment is that of a whole Envoy.
for (const envoy of ENVOYS) {
  test(`a gate with a JWK set alone needs no secret, and accepts no HS256 (${named(envoy)})`, async (t) => {
    const jwks = await jwksOf(tokens.keys)
    assert.deepEqual(
      jwks.keys.map(({ x }) => x),
      [tokens.rfc8037.x],
    )
    const gate = await startGate(t, {
      ...envoy,
      keys: tokens.keys,
      policy: tokens.policy,
      now: tokens.now,
      config: { jwks },
      env: {},
    })
    let valid = 0
    for (const one of tokens.cases.filter(({ before, after }) => !/\s/.test(`${before}${after}`))) {
      const answer = await gate.visit({
        session: tokens.session,
        headers: [['authorization', `Bearer ${passOf(one)}`]],
      })
      const result = one.result === 'valid' ? 'in' : reasons[one.result]
      if (result === 'in' && one.sign !== 'hs') valid += passed(answer) ? 1 : 0
      else refused(answer, 401, result === 'in' ? 'pass_invalid' : result)
    }
    assert.ok(valid >= 3)
    await gate.healthy()
  })

  test(`rotation: two keys hold at once, and passes of the old one end with it (${named(envoy)})`, async (t) => {
    const [before, later] = [generateKeys(), generateKeys()]
    const both = {
      v: 1,
      sealing: [...later.sealing, ...before.sealing],
      signing: [...later.signing, ...before.signing],
    }
    const at = 1_800_000_000
    const [oldPass, newPass] = await Promise.all([mint({ keys: before, at }), mint({ keys: both, at })])
    assert.notEqual(oldPass.split('.')[0], newPass.split('.')[0])
    const config = { exempt: { paths: ['/healthz'] } }

    const keysOf = async (...rings) => ({ config: { ...config, jwks: await jwksOf(...rings) } })

    // The environment is that of a whole Envoy; public keys differ by listener.
    const gate = await startGate(t, {
      ...envoy,
      keys: both,
      env: {},
      ...(await keysOf(before, later)),
      listeners: { early: await keysOf(before), past: await keysOf(later) },
    })
    const inEnvironment = await startGate(t, { ...envoy, keys: both, config })
    // The key ring of the environment and the public keys of another add up.
    const added = await startGate(t, { ...envoy, keys: later, ...(await keysOf(before)) })
    for (const during of [gate, inEnvironment, added]) {
      passed(await during.visit({ pass: oldPass }))
      passed(await during.visit({ pass: newPass }))
      await during.healthy()
    }
    passed(await gate.visit({ listener: 'early', pass: oldPass }))
    refused(await gate.visit({ listener: 'early', pass: newPass }), 401, 'pass_invalid')
    refused(await gate.visit({ listener: 'past', pass: oldPass }), 401, 'pass_invalid')
    passed(await gate.visit({ listener: 'past', pass: newPass }))
  })

  test(`rotation: a record and a ticket of the old sealing key still verify, and the record is written under the new (${named(envoy)})`, async (t) => {
    const [before, young] = [generateKeys(), generateKeys()]
    const both = {
      v: 1,
      sealing: [...young.sealing, ...before.sealing],
      signing: [...young.signing, ...before.signing],
    }
    const gone = { ...both, sealing: young.sealing }
    for (const [keys, works] of [
      [both, true],
      [gone, false],
    ]) {
      // The gate has the new keys already; the login host still has the old ones.
      const gate = await startGate(t, {
        ...envoy,
        keys: before,
        env: { COUNTERSIGN_KEYS: JSON.stringify(keys), COUNTERSIGN_STORAGE_TOKEN: TOKEN },
        config: { verify: verifyBy() },
      })
      const person = await gate.enroll()
      const answer = await gate.verify({ otp: person.code(), ticket: await person.ticket() })
      if (works) {
        passed(answer)
        assert.ok((await gate.store.load({ user: person.user })).record.includes(young.sealing[0].kid))
        const [, pass] = new RegExp(`^${PASS}=([^;]+)`).exec(
          answer.all('set-cookie').find((line) => line.startsWith(PASS)),
        )
        passed(await gate.visit({ pass }))
      } else {
        refused(answer, 401, 'ticket_invalid')
      }
      await gate.healthy()
    }
  })
}
