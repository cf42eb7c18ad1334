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
        if !context.record.epoch.is_first() {
            context.record.epoch = context.record.epoch.next_of_a_deleted_record(&mut context.entropy);
            context.tell_that_passes_ended();
        }
    }
    context.log(EventKind::Erased { operator: operator.clone() });
    Ok(Reply::Ended {})
}

impl Context<'_> {
    /// Ends what this record holds, but for the passes: factors, codes, tickets and set-ups. A user without a record stays without
    /// one: then it gives `false`.
    pub(super) fn end_all(&mut self) -> bool {
        if self.record == Record::new(self.id()) {
            return false;
        }
        self.record.forget_factors();
        self.record.recovery = None;
        sign_out::end_logins(self);
        true
    }
}
