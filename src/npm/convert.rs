//! Values on their way in and out: JSON text and numbers in, plain objects out.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use crate::client_ip::ClientIp;
use crate::entropy::Entropy;
use crate::error::{Error, ErrorCode};
use crate::hashed_codes::{FinishedHash, HashJob};
use crate::ids::RecordId;
use crate::json::{from_json, from_number, to_json};
use crate::policy::{Policy, Roles};
use crate::record::Record;
use crate::revoked::Revoked;
use crate::time::UnixSeconds;

/// tsify cannot write a struct that has a union at its own level.
#[wasm_bindgen(typescript_custom_section)]
const EVENT: &str = r#"
/**
 * One line of the audit trail: the time, the user, and the kind of event in `event`, which tells the other fields. It
 * holds no secret. Under version 1 kinds and fields may be added, and none is renamed or removed: pass over those that
 * you do not know.
 */
export type Event = {
    /** The version of the form. */
    v: 1;
    /** The user's account, where the host has accounts. */
    account?: AccountId;
    /** The user whose second factor it is about; for a change of policy, the one who made it; for an export, the operator. */
    user: UserId;
    /** The time, in unix seconds. */
    at: UnixSeconds;
    /** The client's address, canonical, if known. */
    ip?: string;
} & EventKind;
"#;

pub(super) fn to_js(value: &impl Serialize) -> Result<JsValue, JsValue> {
    value
        .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
        .map_err(|_| JsValue::from_str("a reply could not be handed to JavaScript"))
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = JSON, js_name = parse)]
    fn parse_json(text: &str) -> JsValue;
}

/// The same by one text instead of a call for each field: for the replies that come often.
pub(super) fn to_js_at_once(value: &impl Serialize) -> JsValue {
    parse_json(&to_json(value))
}

pub(super) fn thrown(error: Error) -> JsValue {
    to_js(&error).unwrap_or_else(|text| text)
}

pub(super) fn time(path: &str, seconds: f64) -> Result<UnixSeconds, JsValue> {
    let whole = (0.0..=253_402_300_799.0).contains(&seconds);
    #[expect(clippy::as_conversions, reason = "the range is checked; there is no TryFrom<f64>")]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
    let time = whole.then(|| UnixSeconds::new(seconds as u64)).flatten();
    let message = "must be unix seconds from 0 to the year 9999; `Date.now()` gives milliseconds, 1,000 to a second";
    time.ok_or_else(|| thrown(Error::new(ErrorCode::InvalidInput, path, message)))
}

pub(super) fn entropy(bytes: &[u8]) -> Result<Entropy, JsValue> {
    seed(bytes).map(Entropy::new)
}

/// The entropy of a race, from the seed of the call's first race and its own.
pub(super) fn again(first: &[u8], own: &[u8]) -> Result<Entropy, JsValue> {
    Ok(Entropy::again(seed(first)?, seed(own)?))
}

fn seed(bytes: &[u8]) -> Result<[u8; 32], JsValue> {
    bytes.try_into().map_err(|_| thrown(Error::new(ErrorCode::InvalidInput, "entropy", "must be 32 random bytes")))
}

/// Finished hashes: jobs, each followed by its 32-byte hash.
pub(super) fn finished(bytes: &[u8]) -> Result<Vec<FinishedHash>, JsValue> {
    let (each, rest) = bytes.as_chunks::<{ HashJob::BYTES + 32 }>();
    let error = || Error::new(ErrorCode::InvalidInput, "finished", "must be hash jobs, each followed by its hash");
    let one = |bytes: &[u8; HashJob::BYTES + 32]| {
        let (job, hash) = bytes.split_last_chunk::<32>().ok_or_else(error)?;
        Ok(HashJob::from_bytes(job)?.finished(*hash))
    };
    if rest.is_empty() { each.iter().map(one).collect::<Result<_, _>>().map_err(thrown) } else { Err(thrown(error())) }
}

/// A number of a call without a document, which `JavaScript` has found to be whole and not negative.
pub(super) fn number<T: DeserializeOwned>(path: &str, given: Option<f64>) -> Result<Option<T>, JsValue> {
    #[expect(clippy::as_conversions, reason = "there is no TryFrom<f64>; a number out of range becomes the nearest one")]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the same")]
    given.map(|given| from_number(path, given as u64)).transpose().map_err(thrown)
}

pub(super) fn argument<T: DeserializeOwned>(json: &str) -> Result<T, JsValue> {
    from_json(json, ErrorCode::InvalidInput).map_err(thrown)
}

/// Parses the policies of all accounts of a user as one; see [`Policy::of_all`].
pub(super) fn policy_of_all(policies: &[String]) -> Result<Policy, Error> {
    let parsed = policies.iter().enumerate().map(|(index, text)| Policy::parse(text).map_err(|error| error.within(&format!("[{index}]"))));
    Policy::of_all(parsed.collect::<Result<_, _>>()?)
}

/// The circumstances of a call that the host gives.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallerDocument {
    #[serde(default)]
    ip: Option<String>,
    #[serde(default)]
    roles: Roles,
}

/// The client's address and the user's roles, as far as the host gives them.
pub(super) fn caller(json: &str) -> Result<(ClientIp, Roles), JsValue> {
    let CallerDocument { ip, roles } = argument(json)?;
    Ok((client(ip.as_deref()), roles))
}

/// The client's address, where the host gives one.
pub(super) fn client(ip: Option<&str>) -> ClientIp {
    ip.map_or(ClientIp::Unknown, ClientIp::parse_with_port)
}

/// A part of the host's revocation list; nothing is revoked where the host has none.
pub(super) fn revoked(part: Option<&str>) -> Result<Revoked, JsValue> {
    part.map_or_else(|| Ok(Revoked::default()), |part| Revoked::parse(part).map_err(thrown))
}

/// The id of a record, from `{"account":"…","user":"…"}`.
pub(super) fn record_id(json: &str) -> Result<RecordId, JsValue> {
    argument(json)
}

/// The record from the store, or the empty record of a user without one.
pub(super) fn record(id: RecordId, stored: Option<&str>) -> Result<Record, JsValue> {
    match stored {
        Some(text) => Record::parse(&id, text).map_err(thrown),
        None => Ok(Record::new(id)),
    }
}
