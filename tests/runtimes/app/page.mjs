// A page that draws a QR code, as the documents say.
import { previewEnrollment } from 'countersign/browser'

globalThis.drawn = previewEnrollment({ issuer: 'Acme', label: 'ann' }).then(
  ({ svg }) => (svg.startsWith('<svg ') ? 'drawn' : svg),
  (error) => `${error.code}: ${error.message}`,
)
