//! The end of a user: nothing of the second factor is left in the record, and nothing of before counts.
//!
//! The host deletes the record itself, and then what it holds of the user elsewhere.

use crate::error::Error;
use crate::event::EventKind;
use crate::ids::OperatorId;
use crate::record::{Departure, Record};

use super::context::{Context, invalid};
use super::reply::Reply;
use super::{moved, sign_out};

/// Empties the record, before the host deletes it. `new_place`: that of a move from here which is under way.
pub(super) fn erase(context: &mut Context<'_>, new_place: Option<&Record>, operator: &OperatorId) -> Result<Reply, Error> {
    if context.record.arrival.is_some() {
        return Err(invalid("user", "a move to this user is not complete: do that move again first"));
    }
    let withdrawal = match moved::withdrawal(&context.record, new_place) {
        Ok(withdrawal) => withdrawal,
        Err(reply) => return Ok(reply),
    };
    // A user without a record stays without one.
    if context.record != Record::new(context.id()) {
        context.record.forget_factors();
        context.record.recovery = None;
        context.record.departure = Some(Departure::Erased { withdrawal });
        sign_out::end_logins(context);
        if !context.record.epoch.is_first() {
            context.record.epoch = context.record.epoch.next_of_a_deleted_record(&mut context.entropy);
            context.tell_that_passes_ended();
        }
    }
    context.log(EventKind::Erased { operator: operator.clone() });
    Ok(Reply::Ended {})
}
