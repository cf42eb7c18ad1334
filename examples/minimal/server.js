// A login with a second factor, in one file. At login the second factor is three calls: `begin` after the password,
// `verify` with the code, `check` before each page. Two calls set up an app: `enrollTotp` and `confirmTotp`.
import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { createSecondFactor, generateKeys, memoryStore } from 'countersign'
import express from 'express'

const { PORT = '3000', ORIGIN = `http://localhost:${PORT}` } = process.env
const secondFactor = createSecondFactor({
  policy: { v: 1, name: 'Acme', origin: ORIGIN },
  keys: generateKeys(), // a real service makes them once, by `npx countersign keys`, and keeps them secret
  store: memoryStore(), // a real service keeps its records in a database, for example by `sqliteStore`
})

// The second factor knows a user by an id that never changes, and never by the name that was typed.
const ann = { id: 'u-1', name: 'ann', hash: 'cbd1afceb610f665d7b9c04f8424b2694f35be6e70be401951dc54dfbc1dd1da' }
async function checkPassword({ name, password }) {
  const hash = await promisify(scrypt)(String(password), '6b1d4f0c9a7e2835', 32, { p: 5 }) // for an unknown name as well
  return timingSafeEqual(hash, Buffer.from(ann.hash, 'hex')) && name === ann.name ? ann : undefined
}

// The cookie holds a secret. The session's id is a hash of it, because tickets and passes carry the id in clear.
const sessions = new Map()
const isHttps = ORIGIN.startsWith('https:')
const COOKIE = isHttps ? '__Host-session' : 'session' // browsers refuse `__Host-` without https
const idOf = (secret) => createHash('sha256').update(secret).digest('base64url')
const idIn = (req) => idOf(new RegExp(`(?:^|; )${COOKIE}=([\\w-]+)`).exec(req.headers.cookie ?? '')?.[1] ?? '')
const sessionOf = (req) => sessions.get(idIn(req))
const newSession = (secret = randomBytes(32).toString('base64url')) => ({ secret, id: idOf(secret) })
/** Each step of the login goes on under a new id, so that a cookie from before the step opens nothing after it. */
function startSession(req, res, { secret, id }, state) {
  sessions.delete(idIn(req))
  sessions.set(id, { id, ...state })
  setTimeout(() => sessions.delete(id), 12 * 3600 * 1000).unref()
  res.cookie(COOKIE, secret, { httpOnly: true, secure: isHttps, sameSite: 'lax', path: '/' })
}

const show = (res, title, ...body) =>
  res.send(`<!doctype html><html lang="en"><title>${title}</title><h1>${title}</h1>${body.join(' ')}</html>`)
const refuse = (res, reason, ...body) => show(res.status(403), `Refused: ${reason}`, ...body) // `wrong`, `locked`, …
const form = (action, ...body) => `<form method="post" action="${action}">${body.join(' ')}</form>`
const field = (text, name, type = 'text') => `<label>${text} <input name="${name}" type="${type}" required></label>`
const button = (text, method = '') => `<button name="method" value="${method}">${text}</button>`
const logInForm = form('/login', field('Name', 'name'), field('Password', 'password', 'password'), button('Log in'))
const codeForm = form('/code', field('Code', 'code'), button('Use app', 'totp'), button('Backup code', 'backup_code'))
const homeForms = form('/set-up', button('Set up an app')) + form('/logout', button('Log out'))
const confirmForm = form('/set-up/confirm', field('Code', 'code'), button('Confirm'))

const app = express().set('env', 'production') // in which Express logs errors, and shows nobody their text
app.use(express.urlencoded(), (req, res, next) => {
  const csp = "default-src 'none'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
  res.set({ 'cache-control': 'no-store', 'content-security-policy': csp }) // pages hold secrets
  const { 'sec-fetch-site': site, origin } = req.headers // older browsers send the origin alone
  if (req.method === 'GET' || (site === undefined ? origin === ORIGIN : site === 'same-origin')) return next()
  refuse(res, 'the form is of another site')
})

app.get('/login', (_req, res) => show(res, 'Log in', logInForm))
app.post('/login', async (req, res) => {
  const user = await checkPassword(req.body ?? {}) // a real service limits these tries
  if (user === undefined) return refuse(res, 'wrong name or password', logInForm)
  startSession(req, res, newSession(), { user })
  res.redirect(303, '/code')
})
app.get('/code', async (req, res) => {
  const own = sessionOf(req)
  if (own === undefined) return res.redirect('/login')
  const reply = await secondFactor.begin({ user: own.user.id, session: own.id, ticket: own.ticket, ip: req.ip })
  if (reply.result === 'allowed') return res.redirect('/') // this user has no second factor
  if (reply.result !== 'challenge') return refuse(res, reply.result)
  own.ticket = reply.ticket // the proof of the password, for `verify`
  show(res, 'Second step', codeForm)
})
app.post('/code', async (req, res) => {
  const { id, user, ticket } = sessionOf(req) ?? {}
  if (ticket === undefined) return res.redirect(303, '/login')
  const { method, code } = req.body ?? {} // as they come: `verify` takes any value
  const next = newSession()
  const reply = await secondFactor.verify({ ticket, session: id, newSession: next.id, method, code, ip: req.ip })
  if (reply.result !== 'verified') return refuse(res, reply.result, '<a href="/code">Again</a>')
  startSession(req, res, next, { user, pass: reply.pass }) // the proof of the second step, for `check`
  res.redirect(303, '/')
})
app.post('/logout', (req, res) => {
  sessions.delete(idIn(req))
  res.redirect(303, '/login')
})

// All routes below ask first whether the session still has what the rules ask for.
app.use(async (req, res, next) => {
  const { id, user, pass } = sessionOf(req) ?? {}
  if (user === undefined) return res.redirect(303, '/login')
  const reply = await secondFactor.check({ user: user.id, session: id, pass, ip: req.ip })
  if (reply.result === 'in') return next()
  if (reply.result === 'second_step') return res.redirect(303, '/code')
  refuse(res, reply.reason)
})
app.get('/', (req, res) => show(res, `Hello ${sessionOf(req).user.name}`, homeForms))
app.post('/set-up', async (req, res) => {
  const session = sessionOf(req)
  const { id, user, pass } = session
  const reply = await secondFactor.enrollTotp({ user: user.id, session: id, pass, label: user.name, ip: req.ip })
  if (reply.result !== 'totp_started') return refuse(res, reply.result, '<a href="/code">Show a code first</a>')
  session.setup = reply.setup // sealed, and worth nothing in another session
  const src = `data:image/svg+xml;base64,${Buffer.from(reply.qrSvg).toString('base64')}`
  show(res, 'Scan', `<img src="${src}" alt="QR code" width="240"> or type <code>${reply.secret}</code>`, confirmForm)
})
app.post('/set-up/confirm', async (req, res) => {
  const session = sessionOf(req)
  const { id, user, setup = '' } = session
  const reply = await secondFactor.confirmTotp({ user: user.id, session: id, setup, code: req.body?.code, ip: req.ip })
  if (reply.result !== 'enrolled') return refuse(res, reply.result, confirmForm, '<a href="/">Leave</a>')
  session.pass = reply.pass // the second step of this session, done by the set-up
  show(res, 'Keep these codes, shown once', reply.backupCodes?.join('<br>'), '<p><a href="/">Done</a>')
})

app.listen(Number(PORT), 'localhost').on('listening', () => {
  console.log(`Listening on ${ORIGIN}: log in as ann, with the password correct horse battery staple`)
})
