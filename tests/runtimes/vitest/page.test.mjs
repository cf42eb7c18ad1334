// A component of a page: the QR code is drawn without a server.
import { defineSecondFactorQr, previewEnrollment } from 'countersign/browser'
import { expect, test } from 'vitest'

test('a QR code is drawn, by the function and in the element', async () => {
  const { svg, uri } = await previewEnrollment({ issuer: 'Acme', label: 'ann' })
  expect(svg).toMatch(/^<svg /)
  if (typeof document === 'undefined') return
  defineSecondFactorQr()
  document.body.innerHTML = `<second-factor-qr uri="${uri}" sample></second-factor-qr>`
  const element = document.querySelector('second-factor-qr')
  await new Promise((resolve, reject) => {
    element.addEventListener('ready', resolve)
    element.addEventListener('error', (event) => reject(event.detail))
  })
  expect(element.shadowRoot.querySelector('svg')).not.toBeNull()
})
