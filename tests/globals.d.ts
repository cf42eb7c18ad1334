// For `checkJs`: the parts of a page that TypeScript cannot know.

// Variables that the tests set in a page.
interface Window {
  violations: string[]
  violated(directive: string): void
  shifts: string[]
  stops?: Element[]
  printed?: number
  count: number
  wasRun?: true
  notDrawn: boolean
  smsArrives(code: string): void
  OTPCredential: unknown
  axe: any
}
declare var axe: any
declare var testFiles: Record<string, string>
declare var moduleBytes: Uint8Array
declare function finished(): Promise<{ name: string; error?: string }[]>

// `querySelector` gives an `Element`. Its real type depends on the selector, which TypeScript does not evaluate.
interface Element {
  dataset: DOMStringMap
  dateTime: string
  defaultValue: any
  disabled: any
  form: any
  hidden: any
  labels: any
  style: any
  title: string
  value: any
}
interface Event {
  readonly detail: any
  readonly inputType: string
}

// WebOTP is missing in TypeScript's types.
interface CredentialRequestOptions {
  otp?: { transport: string[] }
}
interface Credential {
  code?: string
}

interface PerformanceEntry {
  value: number
  sources: { node: Element }[]
  hadRecentInput: boolean
}

// JSON.parse converts its argument to text.
interface JSON {
  parse(text: Uint8Array): any
}
