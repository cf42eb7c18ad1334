/**
 * For the browser: the QR code of a set-up, drawn in the page by the same Rust code as on the server, in a
 * module of its own that holds no engine. Nothing runs and nothing is fetched before the first use. A secret is never made here: the
 * server makes the one to enroll, and a drawing without a server is a marked sample.
 *
 * @packageDocumentation
 */
export { CountersignError, type ErrorCode, type RuleErrorCode } from './error.js'
export { load, type Preview, type PreviewSource, previewEnrollment, type WasmSource } from './preview.js'
export { defineSecondFactorQr } from './second-factor-qr.js'
