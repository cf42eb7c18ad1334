//! The end of a user: nothing of the second factor is left in the record, and nothing of before counts.
//!
//! The host deletes the record itself, and then what it holds of the user elsewhere.

use crate::error::Error;
use crate::event::EventKind;
use crate::ids::OperatorId;
use crate::record::Record;

use super::context::Context;
use super::reply::Reply;
use super::sign_out;

/// Empties the record, before the host deletes it.
pub(super) fn erase(context: &mut Context<'_>, operator: &OperatorId) -> Result<Reply, Error> {
    context.end_all();
    context.log(EventKind::Erased { operator: operator.clone() });
    Ok(Reply::Ended {})
}

impl Context<'_> {
    /// Ends everything that this record holds: factors, codes, tickets, set-ups, and passes of all sessions. Only a recovery code
    /// lets in from now on. A user without a record stays without one.
    pub(super) fn end_all(&mut self) {
        if self.record == Record::new(self.id()) {
            return;
        }
        self.record.forget_factors();
        self.record.recovery = None;
        // The password alone would let in where no second factor is forced.
        self.record.needs_recovery_code = true;
        sign_out::end_logins(self);
        self.begin_epoch();
    }
}
