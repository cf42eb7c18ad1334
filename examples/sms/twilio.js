// `sendSms` by Twilio: https://www.twilio.com/docs/messaging/api/message-resource
//
// A message there has no idempotency key: each request is a message of its own. So a request is sent once.
import { basic, failure, json, post, setting } from './gateway.js'

const account = setting('TWILIO_ACCOUNT_SID')
const authorization = basic(setting('TWILIO_API_KEY'), setting('TWILIO_API_SECRET')) // a key for this alone, which can be revoked
const from = setting('TWILIO_FROM') // a number, a sender id, or the id of a messaging service: MG…
const origin = setting('TWILIO_URL', 'https://api.twilio.com') // in Ireland: https://api.dublin.ie1.twilio.com
const url = new URL(`/2010-04-01/Accounts/${account}/Messages.json`, origin)

/** @param {import('countersign').SmsMessage} message */
export async function sendSms({ to, body, expiresAt }) {
  const seconds = Math.floor(expiresAt - Date.now() / 1000) // Twilio drops the message when the code has ended
  const form = new URLSearchParams({
    To: to,
    [/^MG[0-9a-f]{32}$/.test(from) ? 'MessagingServiceSid' : 'From']: from,
    Body: body,
    ValidityPeriod: String(Math.min(Math.max(seconds, 1), 36_000)),
  })
  const answer = await post(url, { headers: { authorization }, body: form })
  const { sid, code } = json(answer.text) ?? {}
  if (answer.status !== 201 || typeof sid !== 'string') throw failure(answer, code)
}
