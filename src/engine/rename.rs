//! The name of a factor. It is no proof of anything: another name ends no pass and needs no fresh factor.

use crate::error::Error;
use crate::event::{Action, EventKind};
use crate::factor::NamedFactor;
use crate::policy::Reason;

use super::command::Rename;
use super::context::Context;
use super::reply::Reply;

/// Gives a factor of the user's own another name.
pub(super) fn rename(context: &mut Context<'_>, command: &Rename) -> Result<Reply, Error> {
    let Rename { session, pass, factor: id, name } = command;
    let view = context.view();
    if !view.current_pass(session, pass.as_deref()).is_some_and(|pass| view.may_change(&pass)) {
        return Ok(context.denied(Action::Rename, Reason::FreshFactorRequired));
    }
    let Some(before) = context.record.factor(id) else {
        return Ok(context.denied(Action::Rename, Reason::NotEnrolled));
    };
    let (method, factor) = (before.method, NamedFactor { id: id.clone(), name: name.clone() });
    if before.named != factor {
        context.record.rename_factor(id, name);
        context.log(EventKind::FactorRenamed { method, factor: factor.clone(), before: before.named.name });
    }
    Ok(Reply::Renamed { method, factor })
}
