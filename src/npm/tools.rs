//! The parts on their own: codes, URIs, QR codes, backup codes and keys.

use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use crate::encoding::to_base64url;
use crate::error::{Error, ErrorCode};
use crate::hashed_codes::{BackupSet, HashCost};
use crate::ids::{RecordId, UserId};
use crate::json::from_text;
use crate::keys::KeyRing;
use crate::otpauth::OtpAuth;
use crate::print::Sheet;
use crate::qr::qr_svg;
use crate::totp::{TotpAlgorithm, TotpParameters, TotpSecret};
use crate::typed_code::Digits;

use super::convert::{argument, entropy, number, thrown, time, to_js};

/// The parameters of a call, each read and not yet checked together with the others.
struct Settings {
    algorithm: TotpAlgorithm,
    digits: u8,
    period_seconds: u32,
}

impl Settings {
    fn read(algorithm: Option<&str>, digits: Option<f64>, period_seconds: Option<f64>) -> Result<Self, JsValue> {
        Ok(Self {
            algorithm: algorithm.map_or(Ok(sha1()), |name| from_text("algorithm", name)).map_err(thrown)?,
            digits: number("digits", digits)?.unwrap_or_else(six),
            period_seconds: number("periodSeconds", period_seconds)?.unwrap_or_else(thirty),
        })
    }

    fn with(&self, secret: &str) -> Result<(TotpSecret, TotpParameters), JsValue> {
        let secret = TotpSecret::from_base32(secret).map_err(thrown)?;
        Ok((secret, TotpParameters::new(self.algorithm, self.digits, self.period_seconds).map_err(thrown)?))
    }
}

/// The code of a moment.
#[wasm_bindgen]
pub fn totp_generate(
    secret: &str,
    algorithm: Option<String>,
    digits: Option<f64>,
    period_seconds: Option<f64>,
    now: f64,
) -> Result<String, JsValue> {
    let (secret, parameters) = Settings::read(algorithm.as_deref(), digits, period_seconds)?.with(secret)?;
    Ok(secret.code_at(parameters, parameters.step_at(time("time", now)?)).as_str().to_owned())
}

/// The step that a code belongs to, or nothing.
#[wasm_bindgen]
#[expect(clippy::too_many_arguments, reason = "a document would cost more than the code")]
pub fn totp_verify(
    secret: &str,
    algorithm: Option<String>,
    digits: Option<f64>,
    period_seconds: Option<f64>,
    code: &str,
    now: f64,
    window: Option<f64>,
    after: Option<f64>,
) -> Result<Option<f64>, JsValue> {
    let settings = Settings::read(algorithm.as_deref(), digits, period_seconds)?;
    let (window, after) = (number("window", window)?.unwrap_or(1), number("after", after)?);
    let (secret, parameters) = settings.with(secret)?;
    if window > 10 {
        return Err(thrown(Error::new(ErrorCode::InvalidInput, "window", "must be 0 to 10")));
    }
    let typed = Digits::parse(code, parameters.digits());
    let now = time("time", now)?;
    let step = typed.and_then(|typed| secret.verify(parameters, &typed, now, window, after));
    #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "a step is below 2^53: the time it comes from is")]
    Ok(step.map(|step| step as f64))
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OtpAuthDocument {
    issuer: String,
    label: String,
    secret: String,
    #[serde(default = "sha1")]
    algorithm: TotpAlgorithm,
    #[serde(default = "six")]
    digits: u8,
    #[serde(default = "thirty")]
    period_seconds: u32,
}

const fn sha1() -> TotpAlgorithm {
    TotpAlgorithm::SHA1
}

const fn six() -> u8 {
    6
}

const fn thirty() -> u32 {
    30
}

/// Writes an `otpauth://` URI.
#[wasm_bindgen]
pub fn otpauth_format(document: &str) -> Result<String, JsValue> {
    let OtpAuthDocument { issuer, label, secret, algorithm, digits, period_seconds } = argument(document)?;
    let parameters = TotpParameters::new(algorithm, digits, period_seconds).map_err(thrown)?;
    let secret = TotpSecret::from_base32(&secret).map_err(thrown)?;
    OtpAuth::new(&issuer, &label, secret, parameters).map(|otpauth| otpauth.to_uri()).map_err(thrown)
}

/// Reads an `otpauth://` URI, as apps do or strictly.
#[wasm_bindgen]
pub fn otpauth_parse(uri: &str, strict: bool) -> Result<JsValue, JsValue> {
    let parsed = if strict { OtpAuth::parse_strict(uri) } else { OtpAuth::parse(uri) };
    let OtpAuth { issuer, label, secret, parameters } = parsed.map_err(thrown)?;
    to_js(&OtpAuthDocument {
        issuer,
        label,
        secret: secret.to_base32(),
        algorithm: parameters.algorithm(),
        digits: parameters.digits(),
        period_seconds: parameters.period_seconds(),
    })
}

/// A QR code as SVG.
#[wasm_bindgen]
pub fn qr(text: &str) -> Result<String, JsValue> {
    qr_svg(text).map_err(thrown)
}

/// A new random TOTP secret in base32.
#[wasm_bindgen]
pub fn totp_secret(seed: &[u8]) -> Result<String, JsValue> {
    Ok(TotpSecret::mint(&mut entropy(seed)?).to_base32())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SheetDocument {
    name: String,
    user: String,
    codes: Vec<String>,
}

/// Backup codes as plain text.
#[wasm_bindgen]
pub fn backup_text(sheet: &str) -> Result<String, JsValue> {
    let SheetDocument { name, user, codes } = argument(sheet)?;
    Ok(Sheet { name: &name, user: &user, codes: &codes }.to_text())
}

/// Backup codes as a page to print.
#[wasm_bindgen]
pub fn backup_html(sheet: &str) -> Result<String, JsValue> {
    let SheetDocument { name, user, codes } = argument(sheet)?;
    Ok(Sheet { name: &name, user: &user, codes: &codes }.to_html())
}

#[derive(Serialize)]
struct MintedCodes {
    codes: Vec<String>,
    stored: String,
}

/// Backup codes on their own: `codes` to show once, `stored` to keep.
#[wasm_bindgen]
pub fn backup_mint(keys: &str, user: &str, count: u8, seed: &[u8]) -> Result<JsValue, JsValue> {
    let keys = KeyRing::parse(keys).map_err(thrown)?;
    let id = RecordId::from(UserId::new(user).map_err(thrown)?);
    if !(1..=20).contains(&count) {
        return Err(thrown(Error::new(ErrorCode::InvalidInput, "count", "must be 1 to 20")));
    }
    let (set, codes) = BackupSet::mint(keys.sealing(), &mut entropy(seed)?, &id, HashCost::DEFAULT, count);
    to_js(&MintedCodes { codes, stored: set.to_text() })
}

/// The text to keep in place of `stored` when the code was right; nothing when it was not.
#[wasm_bindgen]
pub fn backup_use(keys: &str, user: &str, stored: &str, code: &str, now: f64) -> Result<Option<String>, JsValue> {
    let keys = KeyRing::parse(keys).map_err(thrown)?;
    let id = RecordId::from(UserId::new(user).map_err(thrown)?);
    let set = BackupSet::parse(stored).map_err(thrown)?;
    let used = set.spend(keys.sealing(), &id, code, time("time", now)?).map_err(thrown)?;
    Ok(used.map(|set| set.to_text()))
}

#[derive(Serialize)]
struct FreshKeys {
    v: u32,
    sealing: [FreshKey; 1],
    signing: [FreshSigningKey; 1],
}

#[derive(Serialize)]
struct FreshKey {
    kid: String,
    secret: String,
}

#[derive(Serialize)]
struct FreshSigningKey {
    kid: String,
    alg: &'static str,
    secret: String,
}

/// A new key ring.
#[wasm_bindgen]
pub fn generate_keys(seed: &[u8]) -> Result<JsValue, JsValue> {
    let mut entropy = entropy(seed)?;
    let mut name = |prefix: &str| format!("{prefix}-{}", entropy.below(u32::MAX));
    let kids = (name("seal"), name("pass"));
    to_js(&FreshKeys {
        v: 1,
        sealing: [FreshKey { kid: kids.0, secret: to_base64url(&entropy.bytes::<32>()) }],
        signing: [FreshSigningKey { kid: kids.1, alg: "EdDSA", secret: to_base64url(&entropy.bytes::<32>()) }],
    })
}
