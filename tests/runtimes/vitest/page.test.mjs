// A component of a page.
import { expect, test } from 'vitest'
import { drawQrCodes } from './component.mjs'

test('a QR code is drawn, by the function and in the element', async () => {
  expect(await drawQrCodes()).toEqual({ svg: expect.stringMatching(/^<svg /), hasElementDrawn: true })
})
