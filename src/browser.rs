//! The shell for browsers: the URI of a set-up and its QR code, and no engine. It makes no secret and knows no keys.

use wasm_bindgen::prelude::*;

use crate::error::Error;
use crate::otpauth::OtpAuth;
use crate::qr::qr_svg;
use crate::totp::{TotpParameters, TotpSecret};

/// Writes an `otpauth://` URI with the usual parameters.
#[wasm_bindgen]
pub fn otpauth_format(issuer: &str, label: &str, secret: &str) -> Result<String, JsValue> {
    let otpauth = TotpSecret::from_base32(secret).and_then(|secret| OtpAuth::new(issuer, label, secret, TotpParameters::DEFAULT));
    otpauth.map(|otpauth| otpauth.to_uri()).map_err(thrown)
}

/// Reads an `otpauth://` URI as apps do, and gives issuer, label and secret.
#[wasm_bindgen]
pub fn otpauth_parse(uri: &str) -> Result<Vec<String>, JsValue> {
    let OtpAuth { issuer, label, secret, .. } = OtpAuth::parse(uri).map_err(thrown)?;
    Ok(vec![issuer, label, secret.to_base32()])
}

/// A QR code as SVG.
#[wasm_bindgen]
pub fn qr(text: &str) -> Result<String, JsValue> {
    qr_svg(text).map_err(thrown)
}

#[wasm_bindgen]
extern "C" {
    type Object;
    #[wasm_bindgen(constructor)]
    fn new() -> Object;
    #[wasm_bindgen(method, setter)]
    fn set_code(this: &Object, code: &str);
    #[wasm_bindgen(method, setter)]
    fn set_path(this: &Object, path: &str);
    #[wasm_bindgen(method, setter)]
    fn set_message(this: &Object, message: &str);
}

fn thrown(Error { code, path, message }: Error) -> JsValue {
    let thrown = Object::new();
    thrown.set_code(code.as_str());
    thrown.set_path(&path);
    thrown.set_message(&message);
    thrown.into()
}
