// `sendSms` by ClickSend: https://developers.clicksend.com/docs/messaging/sms
//
// A message there has no idempotency key. `custom_string` is a reference of ours: it comes back in ClickSend's history and
// delivery reports, and stops no second message. So a request is sent once.
import { basic, failure, json, post, setting } from './gateway.js'

const authorization = basic(setting('CLICKSEND_USERNAME'), setting('CLICKSEND_API_KEY'))
const from = setting('CLICKSEND_FROM', '') // a number or a sender id; empty: a number that ClickSend shares
const url = new URL('/v3/sms/send', setting('CLICKSEND_URL', 'https://rest.clicksend.com'))

/**
 * A refusal of one message comes with status 200. These mean that it never left. `THROTTLED` does not: it says that the same
 * text has just gone to the number.
 */
const REFUSALS = [
  ...['INVALID_RECIPIENT', 'INVALID_SENDER_ID', 'COUNTRY_NOT_ENABLED', 'INSUFFICIENT_CREDIT'],
  ...['EMPTY_MESSAGE', 'MISSING_REQUIRED_FIELDS', 'ACCOUNT_NOT_ACTIVATED'],
]

/** @param {import('countersign').SmsMessage} message */
export async function sendSms({ id, to, body }) {
  const message = { to, body, source: 'countersign', custom_string: id, ...(from && { from }) }
  const headers = { authorization, 'content-type': 'application/json' }
  const answer = await post(url, { headers, body: JSON.stringify({ messages: [message] }) })
  const { response_code: code, data } = json(answer.text) ?? {}
  if (answer.status !== 200) throw failure(answer, code)
  const status = data?.messages?.[0]?.status
  if (status !== 'SUCCESS') throw failure(answer, status, REFUSALS.includes(status))
}
