//! The operator's commands, of [`Core`].

use wasm_bindgen::prelude::*;

use crate::engine::operator;
use crate::ids::OperatorId;

use super::convert::{self, again, entropy, record, record_id, thrown, time};
use super::core::{Core, PendingStep, ended};

#[wasm_bindgen]
impl Core {
    /// One run of issuing a recovery code by the operator, as [`Core::step`]; see
    /// [`operator::issue_recovery_code_with_hashes`].
    #[wasm_bindgen(unchecked_return_type = "PendingStep | Uint8Array")]
    #[expect(clippy::too_many_arguments, reason = "an object would have to be read field by field, from JavaScript")]
    pub fn operator_issue_recovery_code(
        &self,
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
        ended(operator::issue_recovery_code_with_hashes(&self.policy, &self.keys, record, &operator, now, entropy, &finished))
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

    /// The first step of a move, on the record of the new place; see [`operator::move_here`].
    #[expect(clippy::too_many_arguments, reason = "an object would have to be read field by field, from JavaScript")]
    pub fn operator_move_here(
        &self,
        id: &str,
        stored: Option<String>,
        from: &str,
        source: Option<String>,
        operator: &str,
        now: f64,
        seed: &[u8],
    ) -> Result<PendingStep, JsValue> {
        let (record, operator) = (record(record_id(id)?, stored.as_deref())?, OperatorId::new(operator).map_err(thrown)?);
        let source = convert::record(record_id(from)?, source.as_deref())?;
        let (now, entropy) = (time("clock", now)?, entropy(seed)?);
        operator::move_here(&self.policy, &self.keys, record, &source, &operator, now, entropy).map(PendingStep).map_err(thrown)
    }

    /// The second step of a move, on the record of the old place; see [`operator::move_away`].
    pub fn operator_move_away(
        &self,
        id: &str,
        stored: Option<String>,
        to: &str,
        operator: &str,
        now: f64,
        seed: &[u8],
    ) -> Result<PendingStep, JsValue> {
        let (record, operator) = (record(record_id(id)?, stored.as_deref())?, OperatorId::new(operator).map_err(thrown)?);
        let (to, now, entropy) = (record_id(to)?, time("clock", now)?, entropy(seed)?);
        operator::move_away(&self.policy, &self.keys, record, &to, &operator, now, entropy).map(PendingStep).map_err(thrown)
    }

    /// Empties a record before it is deleted; see [`operator::erase`].
    pub fn operator_erase(&self, id: &str, stored: Option<String>, operator: &str, now: f64, seed: &[u8]) -> Result<PendingStep, JsValue> {
        let (record, operator) = (record(record_id(id)?, stored.as_deref())?, OperatorId::new(operator).map_err(thrown)?);
        let (now, entropy) = (time("clock", now)?, entropy(seed)?);
        operator::erase(&self.policy, &self.keys, record, &operator, now, entropy).map(PendingStep).map_err(thrown)
    }
}
