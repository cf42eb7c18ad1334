// The web component. Everything that needs a page stands inside functions, so that the file can be
// imported on a server too.
import { invalid } from './error.js'
import { text } from './input.js'
import { type PreviewSource, previewEnrollment } from './preview.js'

const STYLE = `
:host { display: inline-block; inline-size: var(--second-factor-qr-size, 12rem); max-inline-size: 100%; }
:host([hidden]), [hidden] { display: none; }
svg { display: block; inline-size: 100%; block-size: auto; border-radius: var(--second-factor-qr-radius, 0.25rem); forced-color-adjust: none; print-color-adjust: exact; }
`

/**
 * Registers `<second-factor-qr>`; a second time with the same name does nothing.
 *
 * Attributes: `uri` (as the server handed it out), or `issuer` and `label` with `sample`; `alt`, the
 * name for screen readers. Its content, a server-drawn picture, is shown until the code is drawn and
 * where it cannot be. Events: `ready`, and `error` with the error as `detail`. Style it by
 * `--second-factor-qr-size`, `--second-factor-qr-radius` and `::part(code)`.
 *
 * @example
 * ```ts
 * import { defineSecondFactorQr } from 'countersign/browser'
 *
 * defineSecondFactorQr() // then: <second-factor-qr uri="otpauth://…"><img src="…" alt="QR code"></second-factor-qr>
 * ```
 */
export function defineSecondFactorQr(name = 'second-factor-qr'): void {
  text(name, 'name')
  if (customElements.get(name) !== undefined) return

  class SecondFactorQr extends HTMLElement {
    static readonly observedAttributes = ['uri', 'issuer', 'label', 'sample', 'alt']
    readonly #fallback = document.createElement('slot')
    readonly #code = document.createElement('div')
    #planned = false
    #turn = 0

    constructor() {
      super()
      const shadow = this.attachShadow({ mode: 'open' })
      const sheet = new CSSStyleSheet() // no inline style, which a strict policy forbids
      sheet.replaceSync(STYLE)
      shadow.adoptedStyleSheets = [sheet]
      this.#code.setAttribute('part', 'code')
      this.#code.hidden = true
      shadow.append(this.#fallback, this.#code)
    }

    connectedCallback() {
      this.#plan()
    }

    attributeChangedCallback() {
      this.#plan()
    }

    /** Attributes that change together are drawn once. */
    #plan() {
      if (this.#planned || !this.isConnected) return
      this.#planned = true
      queueMicrotask(() => {
        this.#planned = false
        void this.#draw()
      })
    }

    async #draw() {
      const turn = ++this.#turn
      try {
        const preview = await previewEnrollment(this.#source())
        if (turn !== this.#turn) return
        const picture = document.importNode(
          new DOMParser().parseFromString(preview.svg, 'image/svg+xml').documentElement,
          true,
        )
        const kind = preview.sample ? 'Sample QR code' : 'QR code'
        picture.setAttribute(
          'aria-label',
          this.getAttribute('alt') ?? `${kind} for ${preview.issuer}, ${preview.label}`,
        )
        this.#code.replaceChildren(picture)
        this.#show(true)
        this.dispatchEvent(
          new CustomEvent('ready', {
            detail: { issuer: preview.issuer, label: preview.label, sample: preview.sample },
          }),
        )
      } catch (error) {
        if (turn !== this.#turn) return
        // The old code must not stand in place of one that cannot be drawn.
        this.#code.replaceChildren()
        this.#show(false)
        this.dispatchEvent(new CustomEvent('error', { detail: error }))
      }
    }

    #show(drawn: boolean) {
      this.#code.hidden = !drawn
      this.#fallback.hidden = drawn
    }

    #source(): PreviewSource {
      const uri = this.getAttribute('uri')
      if (uri !== null) return { uri }
      // A sample must be asked for, so that a page with a forgotten URI shows none.
      if (!this.hasAttribute('sample')) throw invalid('uri', 'is missing; for a sample, say sample')
      return { issuer: this.getAttribute('issuer') ?? '', label: this.getAttribute('label') ?? '' }
    }
  }

  customElements.define(name, SecondFactorQr)
}
