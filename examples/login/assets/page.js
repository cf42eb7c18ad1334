// Loaded on every page. Each script looks for its own markup and does nothing without it.

import './code-field.js'
import './copy-and-print.js'
import './countdown.js'
import './keep-typed.js'
import './local-times.js'
import './search-zone.js'
import './show-password.js'
import './told.js'

// Loaded only beside a QR code, because it fetches WebAssembly.
if (document.querySelector('second-factor-qr')) import('./qr.js')
