// The example of Express, under Express 4.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { createSecondFactor, generateKeys, memoryStore } from 'countersign'
import { expressSecondFactor } from 'countersign/express'
import { conforms } from '../conformance.mjs'
import { client, examplesWith } from '../service.mjs'

conforms('Express 4', { folder: examplesWith({ express: 'express4' }), file: 'express.js' })

test('Express 4: routes read a body that a parser of the app has left', async (t) => {
  const require = createRequire(new URL('../package.json', import.meta.url))
  const express = require('express4')
  const policy = { v: 1, name: 'Acme', origin: 'https://acme.example' }
  const auth = expressSecondFactor({
    secondFactor: createSecondFactor({ policy, keys: generateKeys(), store: memoryStore() }),
  })
  const app = express()
  app.use(express.json())
  app.use('/second-factor', auth.routes)
  app.post('/login', (req, res, next) => auth.login(req, res, { user: 'ann' }).catch(next))
  const server = app.listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const ann = client({ origin: `http://127.0.0.1:${server.address().port}` })
  assert.equal((await ann.post('/login')).body.result, 'allowed')
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const answer = await ann.send('POST', '/second-factor/enroll-totp', 'name=Phone', form)
  assert.equal(answer.body.result, 'totp_started', answer.text)
  const { setup } = answer.body
  const typed = await ann.send(
    'POST',
    '/second-factor/confirm-totp',
    new URLSearchParams({ setup, code: '1' }).toString(),
    form,
  )
  assert.equal(typed.status, 422, typed.text)
})
