// On every page. Each of these finds its own markup and leaves a page without it alone.

import './code-field.js'
import './copy-and-print.js'
import './countdown.js'
import './local-times.js'

// The only one that fetches WebAssembly, so only where there is a QR code.
if (document.querySelector('second-factor-qr')) import('./qr.js')
