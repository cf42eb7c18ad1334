// A component of a page.
const { drawQrCodes } = require('./component.cjs')

test('a QR code is drawn, by the function and in the element', async () => {
  expect(await drawQrCodes()).toEqual({ svg: expect.stringMatching(/^<svg /), hasElementDrawn: true })
})
