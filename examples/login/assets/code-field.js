// The field for a code, `data-digits` long: takes `123 456` as it was pasted, sends the form with the last
// digit, and fills itself from the SMS (`data-sms`) where the browser can (WebOTP).

for (const field of document.querySelectorAll('input[data-digits]')) {
  const length = Number(field.dataset.digits)
  const { form } = field
  const waiting = new AbortController()
  let sent = ''

  field.addEventListener('input', ({ inputType = '' }) => {
    const digits = field.value.replace(/[\s\p{Pd}\u2212\p{Cf}.]/gu, '')
    if (digits !== field.value) field.value = digits
    // A code is not sent twice, nor while a digit is deleted, nor when it holds anything but digits.
    if (digits.length !== length || digits === sent || inputType.startsWith('delete') || !/^[0-9]+$/.test(digits))
      return
    form.requestSubmit()
  })

  form.addEventListener('submit', (event) => {
    // A second press of Enter would count as a second try.
    if (sent !== '' && sent === field.value) event.preventDefault()
    sent = field.value
    waiting.abort()
  })

  // The browser may show this page again from its cache, with the old value in `sent`.
  addEventListener('pageshow', () => (sent = ''))

  if ('sms' in field.dataset && 'OTPCredential' in window) {
    navigator.credentials.get({ otp: { transport: ['sms'] }, signal: waiting.signal }).then(
      ({ code }) => {
        field.value = code
        form.requestSubmit()
      },
      () => {},
    ) // No SMS came, or the person typed faster.
  }
}
