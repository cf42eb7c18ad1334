//! Removal of a factor. With the last one that the user can still use, all the others and the backup
//! codes go too, because alone they would lock the user out.

use crate::error::Error;
use crate::event::Action;
use crate::notice::NoticeKind;
use crate::policy::Reason;
use crate::record::Factor;

use super::command::Remove;
use super::context::Context;
use super::factors;
use super::freshness::Proof;
use super::reply::Reply;

/// Removes a factor of the user's own.
pub(super) fn remove(context: &mut Context<'_>, command: &Remove) -> Result<Reply, Error> {
    let Remove { session, pass, factor: id } = command;
    let Some(pass) = context.view().fresh_pass(session, pass.as_deref(), Proof::AnyFactor) else {
        return Ok(context.denied(Action::Remove, Reason::FreshFactorRequired));
    };
    let (removed, others): (Vec<Factor>, Vec<Factor>) = context.record.factors().partition(|factor| factor.named.id == *id);
    let [removed] = removed.as_slice() else {
        return Ok(context.denied(Action::Remove, Reason::NotEnrolled));
    };
    let is_last = factors::usable_factors(context.view()).iter().all(|usable| usable == id);
    if is_last && context.is_forced() {
        // The user could not come back: another factor must come first.
        return Ok(context.denied(Action::Remove, Reason::EnrollmentRequired));
    }
    drop_and_tell(context, removed);
    if is_last {
        others.iter().for_each(|other| drop_and_tell(context, other));
        context.record.forget_factors();
    }
    context.record.drop_login_codes();
    context.begin_epoch();
    let (pass, expires_at) = context.new_pass(pass)?;
    let methods_left = context.record.factors().map(|factor| factor.method).collect();
    Ok(Reply::Removed { method: removed.method, factor: removed.named.clone(), methods_left, pass, expires_at })
}

fn drop_and_tell(context: &mut Context<'_>, factor: &Factor) {
    context.drop_factor(factor);
    context.notify_of_factor(NoticeKind::FactorRemoved, factor.method, &factor.named.name);
}
