//! The operator's commands, of [`Core`].

use wasm_bindgen::prelude::*;

use crate::engine::operator::{self, Import, MoveStep};
use crate::error::{Error, ErrorCode};
use crate::factor::FactorName;
use crate::ids::{AccountId, OperatorId};
use crate::json::to_json;
use crate::otpauth::algorithm;
use crate::totp::{TotpParameters, TotpSecret};

use super::convert::{self, again, entropy, number, record, record_id, thrown, time, to_js_at_once};
use super::core::{Core, PendingStep, ended};

/// The secret of an app that is imported: its bytes, or the bytes of base32 text.
fn foreign_secret(secret: &[u8], is_text: bool) -> Result<TotpSecret, Error> {
    if !is_text {
        return TotpSecret::from_bytes(secret);
    }
    let text = core::str::from_utf8(secret).map_err(|_| Error::new(ErrorCode::InvalidInput, "secret", "must be text in UTF-8"))?;
    TotpSecret::from_foreign_base32(text)
}

/// The settings of an app that is imported; without them, those of the field.
fn foreign_parameters(hash: Option<&str>, digits: Option<u64>, period: Option<u64>) -> Result<TotpParameters, Error> {
    let of_field = TotpParameters::DEFAULT;
    let digits = digits.map_or(of_field.digits(), |digits| u8::try_from(digits).unwrap_or(u8::MAX));
    let period = period.map_or(of_field.period_seconds(), |period| u32::try_from(period).unwrap_or(u32::MAX));
    let hash = hash.map_or(Ok(of_field.algorithm()), algorithm);
    let hash = hash.map_err(|error| Error { code: ErrorCode::InvalidInput, ..error })?;
    TotpParameters::new(hash, digits, period)
        .map_err(|error| if error.path == "periodSeconds" { Error { path: "period".to_owned(), ..error } } else { error })
}

#[wasm_bindgen]
impl Core {
    /// One run of issuing a recovery code by the operator, or of a reset, as [`Core::step`]; see
    /// [`operator::issue_recovery_code_with_hashes`] and [`operator::reset_with_hashes`].
    #[wasm_bindgen(unchecked_return_type = "PendingStep | Uint8Array")]
    #[expect(clippy::too_many_arguments, reason = "an object would have to be read field by field, from JavaScript")]
    pub fn operator_issue_recovery_code(
        &self,
        is_reset: bool,
        id: &str,
        stored: Option<String>,
        operator: &str,
        now: f64,
        first: &[u8],
        seed: &[u8],
        finished: &[u8],
    ) -> Result<JsValue, JsValue> {
        let (record, operator) = (record(record_id(id)?, stored.as_deref())?, OperatorId::new(operator).map_err(thrown)?);
        let (now, entropy, finished) = (time("clock", now)?, again(first, seed)?, convert::finished(finished)?);
        let act = if is_reset { operator::reset_with_hashes } else { operator::issue_recovery_code_with_hashes };
        ended(act(&self.policy, &self.keys, record, &operator, now, entropy, &finished))
    }

    /// Withdraws a recovery code by the operator; see [`operator::withdraw_recovery_code`].
    pub fn operator_withdraw_recovery_code(
        &self,
        id: &str,
        stored: Option<String>,
        operator: &str,
        now: f64,
        seed: &[u8],
    ) -> Result<PendingStep, JsValue> {
        let (record, operator) = (record(record_id(id)?, stored.as_deref())?, OperatorId::new(operator).map_err(thrown)?);
        let (now, entropy) = (time("clock", now)?, entropy(seed)?);
        operator::withdraw_recovery_code(&self.policy, &self.keys, record, &operator, now, entropy).map(PendingStep).map_err(thrown)
    }

    /// A step of a move: 0 to 4, in the order of [`operator::MoveStep`]; see [`operator::move_step`].
    #[expect(clippy::too_many_arguments, reason = "an object would have to be read field by field, from JavaScript")]
    pub fn operator_move(
        &self,
        step: u8,
        id: &str,
        stored: Option<String>,
        other: &str,
        other_place: Option<String>,
        operator: &str,
        now: f64,
        seed: &[u8],
    ) -> Result<PendingStep, JsValue> {
        let step = match step {
            0 => MoveStep::Depart,
            1 => MoveStep::Arrive,
            2 => MoveStep::Leave,
            3 => MoveStep::Settle,
            _ => MoveStep::Withdraw,
        };
        let (record, operator) = (record(record_id(id)?, stored.as_deref())?, OperatorId::new(operator).map_err(thrown)?);
        let other_place = convert::record(record_id(other)?, other_place.as_deref())?;
        let (now, entropy) = (time("clock", now)?, entropy(seed)?);
        operator::move_step(&self.policy, &self.keys, record, step, &other_place, &operator, now, entropy).map(PendingStep).map_err(thrown)
    }

    /// Empties a record before it is deleted; see [`operator::erase`].
    #[expect(clippy::too_many_arguments, reason = "as above")]
    pub fn operator_erase(
        &self,
        id: &str,
        stored: Option<String>,
        other: Option<String>,
        other_place: Option<String>,
        operator: &str,
        now: f64,
        seed: &[u8],
    ) -> Result<PendingStep, JsValue> {
        let new_place = other.map(|other| convert::record(record_id(&other)?, other_place.as_deref())).transpose()?;
        let (record, operator) = (record(record_id(id)?, stored.as_deref())?, OperatorId::new(operator).map_err(thrown)?);
        let (now, entropy) = (time("clock", now)?, entropy(seed)?);
        operator::erase(&self.policy, &self.keys, record, new_place.as_ref(), &operator, now, entropy).map(PendingStep).map_err(thrown)
    }

    /// Whether a record was emptied and may be deleted; see [`operator::may_delete`].
    pub fn operator_may_delete(&self, id: &str, stored: &str, withdrawn: Option<String>) -> Result<bool, JsValue> {
        let read = |text: Option<&str>| record(record_id(id)?, text);
        let withdrawn = withdrawn.map(|text| read(Some(&text))).transpose()?;
        Ok(operator::may_delete(&read(Some(stored))?, withdrawn.as_ref()))
    }

    /// Imports an authenticator app; see [`operator::import_totp`]. A name that is none counts as none: it is only shown.
    #[expect(clippy::too_many_arguments, reason = "a document would have to be written and read for each of a million users")]
    pub fn operator_import(
        &self,
        id: &str,
        stored: Option<String>,
        secret: &[u8],
        is_text: bool,
        digits: Option<f64>,
        period: Option<f64>,
        algorithm: Option<String>,
        last_step: Option<f64>,
        name: Option<String>,
        replace: bool,
        operator: &str,
        now: f64,
        seed: &[u8],
    ) -> Result<PendingStep, JsValue> {
        let (record, operator) = (record(record_id(id)?, stored.as_deref())?, OperatorId::new(operator).map_err(thrown)?);
        let (digits, period) = (number("digits", digits)?, number("period", period)?);
        let import = Import {
            secret: foreign_secret(secret, is_text).map_err(thrown)?,
            parameters: foreign_parameters(algorithm.as_deref(), digits, period).map_err(thrown)?,
            last_step: number("lastStep", last_step)?,
            name: name.and_then(|name| FactorName::parse(&name)),
            replace,
        };
        let (now, entropy) = (time("clock", now)?, entropy(seed)?);
        operator::import_totp(&self.policy, &self.keys, record, import, &operator, now, entropy).map(PendingStep).map_err(thrown)
    }

    /// Opens the authenticator apps of a user; see [`operator::export`].
    pub fn operator_export(&self, id: &str, stored: &str, operator: &str, now: f64) -> Result<JsValue, JsValue> {
        let (record, operator) = (record(record_id(id)?, Some(stored))?, OperatorId::new(operator).map_err(thrown)?);
        Ok(to_js_at_once(&operator::export(&self.keys, &record, &operator, time("clock", now)?).map_err(thrown)?))
    }

    /// The event with which an export begins; see [`operator::export_started`].
    pub fn operator_export_started(&self, account: Option<String>, operator: &str, now: f64) -> Result<JsValue, JsValue> {
        let account = account.as_deref().map(AccountId::new).transpose().map_err(thrown)?;
        let operator = OperatorId::new(operator).map_err(thrown)?;
        Ok(to_js_at_once(&operator::export_started(account, operator, time("clock", now)?).map_err(thrown)?))
    }

    /// The account and user of the new place, as JSON; see [`operator::goes_to`].
    pub fn operator_goes_to(&self, id: &str, stored: Option<String>) -> Result<Option<String>, JsValue> {
        Ok(operator::goes_to(&record(record_id(id)?, stored.as_deref())?).map(to_json))
    }

    /// The account and user of the old place, as JSON; see [`operator::comes_from`].
    pub fn operator_comes_from(&self, id: &str, stored: Option<String>) -> Result<Option<String>, JsValue> {
        Ok(operator::comes_from(&record(record_id(id)?, stored.as_deref())?).map(to_json))
    }
}
