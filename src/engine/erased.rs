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
    if context.end_all() {
        context.record.is_erased = true;
    }
    context.log(EventKind::Erased { operator: operator.clone() });
    Ok(Reply::Ended {})
}

impl Context<'_> {
    /// Ends everything that this record holds: factors, codes, tickets, set-ups, and passes of all sessions. A user without a
    /// record stays without one: then it gives `false`.
    pub(super) fn end_all(&mut self) -> bool {
        if self.record == Record::new(self.id()) {
            return false;
        }
        self.record.forget_factors();
        self.record.recovery = None;
        sign_out::end_logins(self);
        // In the first epoch there are no passes, and the user never had a factor, which stays true.
        if !self.record.epoch.is_first() {
            self.begin_epoch();
        }
        true
    }
}
