// Draws QR codes in the page, by the same WebAssembly as on the server. If that fails, the picture from
// the server stays. A preview follows the text typed in the field that names it.

// @ts-expect-error: served beside this file, from the package
import { defineSecondFactorQr } from './countersign/browser.mjs'

defineSecondFactorQr()

for (const field of document.querySelectorAll('[data-preview]')) {
  const preview = document.querySelector(field.dataset.preview)
  field.addEventListener('input', () => preview.setAttribute('issuer', field.value.trim() || field.defaultValue))
}
