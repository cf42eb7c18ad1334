// The web component. Everything that needs a page stands inside functions, so that the file can be
// imported on a server too.
import { CountersignError, invalid } from './error.js'
import { text } from './input.js'
import { type PreviewSource, previewEnrollment } from './preview.js'

const SIZE = 'inline-size: var(--second-factor-qr-size, 12rem); max-inline-size: 100%;'
const PICTURE =
  'display: block; block-size: auto; border-radius: var(--second-factor-qr-radius, 0.25rem); forced-color-adjust: none; print-color-adjust: exact;'
const SHEET = `
:host { display: inline-block; ${SIZE} }
:host([hidden]), [hidden] { display: none; }
svg { inline-size: 100%; ${PICTURE} }
`

/** Whether the page takes a style sheet made by a script. Safari before 16.4 takes none. */
function adopts(shadow: ShadowRoot): boolean {
  try {
    if (!('adoptedStyleSheets' in shadow)) return false
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(SHEET)
    shadow.adoptedStyleSheets = [sheet]
    return true
  } catch {
    return false
  }
}

/** Our own SVG as elements. It is read here, because a page that requires Trusted Types forbids its parsers. */
function elementsOf(svg: string): SVGElement {
  const tags = [...svg.matchAll(/<(\w+)((?: [\w-]+="[^"<>&]*")*)(?:\/>|>([^<>&]+)<\/\1>|>)/g)]
  const [root, ...children] = tags.map(([, name, attributes, text]) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', name!) as SVGElement
    for (const [, key, value] of attributes!.matchAll(/ ([\w-]+)="([^"]*)"/g)) {
      if (key !== 'xmlns') element.setAttribute(key!, value!)
    }
    if (text !== undefined) element.append(text)
    return element
  })
  if (root === undefined || `${tags.map(([tag]) => tag).join('')}</svg>` !== svg)
    throw new CountersignError('internal', '', 'the QR code has another form than expected')
  root.append(...children)
  return root
}

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
    #hasSheet = false
    /** The reason why nothing can be drawn: without a shadow root the content is shown, whatever happens. */
    #failure: CountersignError | undefined
    #planned = false
    #turn = 0

    constructor() {
      super()
      this.#code.setAttribute('part', 'code')
      this.#code.hidden = true
      try {
        const shadow = this.attachShadow({ mode: 'open' })
        shadow.append(this.#fallback, this.#code) // at once, because an empty shadow root hides the content
        this.#hasSheet = adopts(shadow)
      } catch (error) {
        this.#failure = new CountersignError('internal', '', 'the page gives the element no shadow root', error)
      }
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
        if (this.#failure !== undefined) throw this.#failure
        const preview = await previewEnrollment(this.#source())
        if (turn !== this.#turn) return
        const picture = elementsOf(preview.svg)
        // A strict policy forbids style attributes in markup, but no property that a script sets.
        if (!this.#hasSheet) picture.style.cssText = SIZE + PICTURE
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
