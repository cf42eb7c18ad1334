// The same page, which hands over the address of the module, as the message of the page without it says.
import { load } from 'countersign/browser'
import wasm from 'countersign/countersign.wasm?url'

load({ wasm })
import('./page.mjs')
