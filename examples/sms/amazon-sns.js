// `sendSms` by Amazon SNS: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
//
// A message to a number has no idempotency key: `MessageDeduplicationId` is for topics alone. So the request is sent once, and
// not by aws4fetch's own `fetch`, which tries ten times.
import { AwsClient } from 'aws4fetch'
import { failure, post, setting } from './gateway.js'

const region = setting('AWS_REGION')
const aws = new AwsClient({
  accessKeyId: setting('AWS_ACCESS_KEY_ID'), // of a role that may do nothing but `sns:Publish`
  secretAccessKey: setting('AWS_SECRET_ACCESS_KEY'),
  sessionToken: setting('AWS_SESSION_TOKEN', ''), // of a role; empty for a user's key
  service: 'sns',
  region,
})
const sender = setting('SNS_SENDER_ID', '') // where the country has sender ids: up to 11 letters and digits
const url = setting('AWS_ENDPOINT_URL_SNS', `https://sns.${region}.amazonaws.com/`)

/** Transactional: not held back for promotions at night. */
const attributes = { 'AWS.SNS.SMS.SMSType': 'Transactional', ...(sender && { 'AWS.SNS.SMS.SenderID': sender }) }

/** @param {import('countersign').SmsMessage} message */
export async function sendSms({ to, body }) {
  const form = new URLSearchParams({ Action: 'Publish', Version: '2010-03-31', PhoneNumber: to, Message: body })
  for (const [index, [name, value]] of Object.entries(attributes).entries()) {
    const entry = `MessageAttributes.entry.${index + 1}`
    form.set(`${entry}.Name`, name)
    form.set(`${entry}.Value.DataType`, 'String')
    form.set(`${entry}.Value.StringValue`, value)
  }
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const answer = await post(await aws.sign(url, { method: 'POST', headers, body: form.toString() }))
  const [, id] = /<MessageId>([\w-]+)<\/MessageId>/.exec(answer.text) ?? []
  const [, code] = /<Code>([\w.]+)<\/Code>/.exec(answer.text) ?? []
  if (answer.status !== 200 || id === undefined) throw failure(answer, code)
}
