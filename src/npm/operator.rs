//! The operator's commands, of [`Core`].

use wasm_bindgen::prelude::*;

use crate::engine::operator;
use crate::ids::OperatorId;
use crate::json::to_json;

use super::convert::{self, again, entropy, record, record_id, thrown, time};
use super::core::{Core, PendingStep, ended};

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

    /// The first step of a move, on the record of the old place; see [`operator::depart`].
    #[expect(clippy::too_many_arguments, reason = "an object would have to be read field by field, from JavaScript")]
    pub fn operator_depart(
        &self,
        id: &str,
        stored: Option<String>,
        to: &str,
        new_place: Option<String>,
        operator: &str,
        now: f64,
        seed: &[u8],
    ) -> Result<PendingStep, JsValue> {
        let (record, operator) = (record(record_id(id)?, stored.as_deref())?, OperatorId::new(operator).map_err(thrown)?);
        let new_place = convert::record(record_id(to)?, new_place.as_deref())?;
        let (now, entropy) = (time("clock", now)?, entropy(seed)?);
        operator::depart(&self.policy, &self.keys, record, &new_place, &operator, now, entropy).map(PendingStep).map_err(thrown)
    }

    /// The second step of a move, on the record of the new place; see [`operator::arrive`].
    #[expect(clippy::too_many_arguments, reason = "an object would have to be read field by field, from JavaScript")]
    pub fn operator_arrive(
        &self,
        id: &str,
        stored: Option<String>,
        from: &str,
        old_place: Option<String>,
        operator: &str,
        now: f64,
        seed: &[u8],
    ) -> Result<PendingStep, JsValue> {
        let (record, operator) = (record(record_id(id)?, stored.as_deref())?, OperatorId::new(operator).map_err(thrown)?);
        let old_place = convert::record(record_id(from)?, old_place.as_deref())?;
        let (now, entropy) = (time("clock", now)?, entropy(seed)?);
        operator::arrive(&self.policy, &self.keys, record, &old_place, &operator, now, entropy).map(PendingStep).map_err(thrown)
    }

    /// The third step of a move, on the record of the old place; see [`operator::leave`].
    pub fn operator_leave(
        &self,
        id: &str,
        stored: Option<String>,
        to: &str,
        new_place: Option<String>,
        now: f64,
        seed: &[u8],
    ) -> Result<PendingStep, JsValue> {
        let record = record(record_id(id)?, stored.as_deref())?;
        let new_place = convert::record(record_id(to)?, new_place.as_deref())?;
        let (now, entropy) = (time("clock", now)?, entropy(seed)?);
        operator::leave(&self.policy, &self.keys, record, &new_place, now, entropy).map(PendingStep).map_err(thrown)
    }

    /// The fourth step of a move, on the record of the new place; see [`operator::settle`].
    pub fn operator_settle(
        &self,
        id: &str,
        stored: Option<String>,
        from: &str,
        old_place: Option<String>,
        now: f64,
        seed: &[u8],
    ) -> Result<PendingStep, JsValue> {
        let record = record(record_id(id)?, stored.as_deref())?;
        let old_place = convert::record(record_id(from)?, old_place.as_deref())?;
        let (now, entropy) = (time("clock", now)?, entropy(seed)?);
        operator::settle(&self.policy, &self.keys, record, &old_place, now, entropy).map(PendingStep).map_err(thrown)
    }

    /// Empties a record before it is deleted; see [`operator::erase`].
    pub fn operator_erase(&self, id: &str, stored: Option<String>, operator: &str, now: f64, seed: &[u8]) -> Result<PendingStep, JsValue> {
        let (record, operator) = (record(record_id(id)?, stored.as_deref())?, OperatorId::new(operator).map_err(thrown)?);
        let (now, entropy) = (time("clock", now)?, entropy(seed)?);
        operator::erase(&self.policy, &self.keys, record, &operator, now, entropy).map(PendingStep).map_err(thrown)
    }

    /// Whether a record was emptied and may be deleted; see [`operator::is_erased`].
    pub fn operator_is_erased(&self, id: &str, stored: &str) -> Result<bool, JsValue> {
        Ok(operator::is_erased(&record(record_id(id)?, Some(stored))?))
    }

    /// The account and user of the old place, as JSON; see [`operator::comes_from`].
    pub fn operator_comes_from(&self, id: &str, stored: Option<String>) -> Result<Option<String>, JsValue> {
        Ok(operator::comes_from(&record(record_id(id)?, stored.as_deref())?).map(to_json))
    }
}
