// Shows the address that Express takes for the client's, and what an account's address rules say to it: to try the proxies in
// front of it, before a login stands there.
import { policy } from 'countersign'
import express from 'express'

const {
  LISTEN = '3000', // on 127.0.0.1, where nobody goes past the proxies; or a socket's path
  TRUSTED_PROXIES = '127.0.0.1', // their addresses, with commas; or, where nobody goes past them, how many they are
  OFFICE = '203.0.113.0/24',
} = process.env

/** @type {import('countersign').Policy} */
const rules = { v: 1, name: 'Acme', origin: 'https://acme.example', network: { allow: [OFFICE] } }

const isNumber = (text) => /^\d+$/.test(text)
const app = express()
app.set('trust proxy', isNumber(TRUSTED_PROXIES) ? Number(TRUSTED_PROXIES) : TRUSTED_PROXIES)
app.get('/', (req, res) => {
  const { decision } = policy.decide(rules, { ip: req.ip, channel: 'web', enrollment: 'none' })
  res.json({ ip: req.ip, decision })
})
if (isNumber(LISTEN)) app.listen(Number(LISTEN), '127.0.0.1')
else app.listen(LISTEN)
