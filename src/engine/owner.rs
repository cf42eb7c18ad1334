//! The rules before an act of an owner for another user of the account: a recovery code, or a reset.
//!
//! The owner shows a fresh factor of their own, and acts for someone else. One budget holds for both acts: each gives out a code.

use crate::event::{Action, EventKind};
use crate::policy::{Channel, Method, Reason, Role};
use crate::rate::{DAY, HOUR, counts, full_until};
use crate::record::Record;
use crate::time::UnixSeconds;

use super::attempt::OrReply;
use super::client_field::ClientField;
use super::command::Issuer;
use super::context::{Context, View};
use super::freshness::Proof;
use super::reply::Reply;

/// Codes that owners may give out for one user within an hour, and within a day.
const LIMITS: [(u64, u32); 2] = [(HOUR, 5), (DAY, 20)];

/// Admits an act of an owner, and charges it to the budget.
pub(super) fn admit(context: &mut Context<'_>, owner: &Record, by: &Issuer, action: Action) -> OrReply<()> {
    if let Some(reason) = context.turned_away(Channel::Web) {
        return Err(refused(context, by, action, reason, None));
    }
    if by.pass.as_deref().is_some_and(str::is_empty) {
        return Err(Reply::malformed(ClientField::Pass));
    }
    if let Some(reason) = obstacle(context, owner, by, action) {
        return Err(refused(context, by, action, reason, None));
    }
    let now = context.now;
    if let Some(until) = full_until(context.record.codes_issued.iter().copied(), now, &LIMITS) {
        return Err(refused(context, by, action, Reason::TooOften, Some(until)));
    }
    context.record.codes_issued.retain(|at| counts(*at, now, DAY));
    context.record.codes_issued.push(now);
    Ok(())
}

/// Refuses the act, and logs the owner who asked for it: the user whom it is about did nothing.
fn refused(context: &mut Context<'_>, by: &Issuer, action: Action, reason: Reason, retry_at: Option<UnixSeconds>) -> Reply {
    context.log(EventKind::Refused { action, reason, by: Some(by.user.clone()) });
    Reply::Denied { reason, retry_at }
}

/// The rule that forbids the act, if one does.
fn obstacle(context: &Context<'_>, owner: &Record, by: &Issuer, action: Action) -> Option<Reason> {
    let record = &context.record;
    // Somebody who was moved is reset at the new place.
    let is_elsewhere = record.goes_to().is_some() || (action == Action::Reset && record.has_left());
    let view = View { record: owner, ..context.view() };
    if !context.policy.offers(Method::RecoveryCode) {
        Some(Reason::MethodNotOffered)
    } else if !context.policy.owners_issue_recovery_codes() {
        Some(Reason::OperatorOnly)
    } else if by.role != Role::Owner {
        Some(Reason::OwnerOnly)
    } else if by.user == *context.record.user() {
        Some(Reason::NotForOneself)
    } else if view.fresh_pass(&by.session, by.pass.as_deref(), Proof::OwnFactor).is_none() {
        Some(Reason::FreshFactorRequired)
    } else if is_elsewhere {
        Some(Reason::MoveUnderWay)
    } else {
        None
    }
}
