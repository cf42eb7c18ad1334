// For `checkJs`: what TypeScript cannot know of pages.

// What the tests put into the pages that they open.
interface Window {
  violations: string[]
  violated(directive: string): void
  shifts: string[]
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

// A selector says which kind of element it finds, in words that only the browser reads.
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

// WebOTP, which TypeScript does not know yet.
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

// JSON.parse takes what it is given as text.
interface JSON {
  parse(text: Uint8Array): any
}
