//! The operator's commands, of [`Core`].

use wasm_bindgen::prelude::*;

use crate::engine::operator::{self, MoveStep};
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

    /// The account and user of the new place, as JSON; see [`operator::goes_to`].
    pub fn operator_goes_to(&self, id: &str, stored: Option<String>) -> Result<Option<String>, JsValue> {
        Ok(operator::goes_to(&record(record_id(id)?, stored.as_deref())?).map(to_json))
    }

    /// The account and user of the old place, as JSON; see [`operator::comes_from`].
    pub fn operator_comes_from(&self, id: &str, stored: Option<String>) -> Result<Option<String>, JsValue> {
        Ok(operator::comes_from(&record(record_id(id)?, stored.as_deref())?).map(to_json))
    }
}
