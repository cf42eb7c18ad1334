//! Removal of a factor. With the last one that the user can still use, all the others and the backup
//! codes go too, because alone they would lock the user out.

use crate::error::Error;
use crate::event::{Action, EventKind};
use crate::notice::NoticeKind;
use crate::policy::{Method, Reason};

use super::command::{ClientField, Remove};
use super::context::Context;
use super::factors;
use super::freshness::Proof;
use super::reply::Reply;

/// Removes a factor of the user's own.
pub(super) fn remove(context: &mut Context<'_>, command: &Remove) -> Result<Reply, Error> {
    let Remove { session, pass, method } = command;
    if !method.is_own_factor() {
        return Ok(Reply::malformed(ClientField::Method));
    }
    if context.record.factor(*method).is_none() {
        return Ok(context.denied(Action::Remove, Reason::NotEnrolled));
    }
    let Some(pass) = context.view().fresh_pass(session, pass.as_deref(), Proof::AnyFactor) else {
        return Ok(context.denied(Action::Remove, Reason::FreshFactorRequired));
    };
    let others: Vec<Method> = context.record.factors().map(|factor| factor.method).filter(|other| other != method).collect();
    let is_last = !any_usable(context, &others)?;
    if is_last && context.is_forced() {
        // The user could not come back: another factor must come first.
        return Ok(context.denied(Action::Remove, Reason::EnrollmentRequired));
    }
    drop_factor(context, *method);
    if is_last {
        for other in others {
            drop_factor(context, other);
        }
        context.record.backup = None;
    }
    context.record.drop_login_codes();
    context.begin_epoch();
    let (pass, expires_at) = context.new_pass(pass)?;
    let methods_left = context.record.factors().map(|factor| factor.method).collect();
    Ok(Reply::Removed { method: *method, methods_left, pass, expires_at })
}

fn any_usable(context: &Context<'_>, methods: &[Method]) -> Result<bool, Error> {
    for method in methods {
        if factors::is_usable(context.view(), *method)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn drop_factor(context: &mut Context<'_>, method: Method) {
    context.record.drop_factor(method);
    context.log(EventKind::FactorRemoved { method });
    context.notify(NoticeKind::FactorRemoved, Some(method));
}
