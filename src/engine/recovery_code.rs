//! Recovery codes: issued by an owner for another user, once, good for an hour.
//!
//! A user has at most one; a new one replaces it. It unlocks a locked account, and ends at ten wrong
//! tries. Only an owner with a fresh factor of their own can issue one, and never for themselves;
//! both the owner and the user are told.

use crate::effect::Effect;
use crate::error::Error;
use crate::event::{Action, EventKind};
use crate::hashed_codes::{CodeSet, LongCodeKind};
use crate::notice::{Notice, NoticeKind};
use crate::policy::{Method, Reason, Role};
use crate::record::{Record, RecoveryCode};
use crate::secret_text::SecretText;
use crate::time::Lifetime;
use crate::token::Ticket;
use crate::typed_code::LongCode;

use super::attempt::OrReply;
use super::command::Issuer;
use super::context::{Context, View};
use super::freshness::Proof;
use super::reply::{CodeKind, Reply, UsableMethod};

/// Wrong tries that end a recovery code.
const MAX_TRIES: u32 = 10;

/// Issues a recovery code for this user.
pub(super) fn issue(context: &mut Context<'_>, issuer: &Record, by: &Issuer) -> Result<Reply, Error> {
    if let Some(reason) = obstacle(context, issuer, by) {
        return Ok(context.denied(Action::IssueRecoveryCode, reason));
    }
    let (id, sealing, cost) = (context.id(), context.keys.sealing(), context.policy.cost());
    let (set, codes) = CodeSet::mint(sealing, &mut context.entropy, &id, LongCodeKind::Recovery, cost, 1);
    let code = codes.iter().map(LongCode::grouped).collect::<String>();
    let lifetime = Lifetime::starting(context.now, context.policy.recovery_seconds());
    context.record.recovery = Some(RecoveryCode { set, issued_by: by.user.clone(), lifetime, tries: 0 });
    context.log(EventKind::RecoveryCodeIssued { by: by.user.clone() });
    notify_both(context, by);
    Ok(Reply::RecoveryCode { code: SecretText(code), expires_at: lifetime.ends_at() })
}

/// The second step by a recovery code. The login ends the code, right after this.
pub(super) fn verify(context: &mut Context<'_>, _: &Ticket, code: &str) -> Result<OrReply<()>, Error> {
    let Some(typed) = LongCode::parse(code) else { return Ok(Err(Reply::malformed_long_code())) };
    let Some(recovery) = context.record.live_recovery(context.policy, context.now).cloned() else {
        return Ok(Err(Reply::Expired {}));
    };
    let id = context.id();
    let found =
        context.attempt(Method::RecoveryCode, |context| recovery.set.find(context.keys.sealing(), &id, LongCodeKind::Recovery, &typed))?;
    if found.is_err() {
        count_try(context, &recovery);
    } else {
        context.notify(NoticeKind::RecoveryCodeUsed, Some(Method::RecoveryCode));
    }
    Ok(found.map(|_| ()))
}

/// The method in a challenge, while a recovery code is alive.
pub(super) fn usable(view: View<'_>) -> Result<Option<UsableMethod>, Error> {
    let alive = view.record.live_recovery(view.policy, view.now);
    Ok(alive.map(|_| UsableMethod { method: Method::RecoveryCode, kind: CodeKind::Grouped, digits: None, hint: None }))
}

fn obstacle(context: &Context<'_>, issuer: &Record, by: &Issuer) -> Option<Reason> {
    let view = View { record: issuer, ..context.view() };
    if !context.policy.offers(Method::RecoveryCode) {
        Some(Reason::MethodNotOffered)
    } else if by.role != Role::Owner {
        Some(Reason::OwnerOnly)
    } else if by.user == *context.record.user() {
        Some(Reason::NotForOneself)
    } else if view.fresh_pass(&by.session, by.pass.as_deref(), Proof::OwnFactor).is_none() {
        Some(Reason::FreshFactorRequired)
    } else {
        None
    }
}

fn notify_both(context: &mut Context<'_>, by: &Issuer) {
    let (kind, method, at) = (NoticeKind::RecoveryCodeIssued, Some(Method::RecoveryCode), context.now);
    let (account, user, owner) = (context.account(), context.record.user().clone(), by.user.clone());
    context.effects.push(Effect::Notify(Notice {
        account: account.clone(),
        user: user.clone(),
        kind,
        method,
        at,
        by: Some(owner.clone()),
        about: None,
    }));
    context.effects.push(Effect::Notify(Notice { account, user: owner, kind, method, at, by: None, about: Some(user) }));
}

fn count_try(context: &mut Context<'_>, recovery: &RecoveryCode) {
    let tries = recovery.tries.saturating_add(1);
    if tries >= MAX_TRIES {
        context.record.recovery = None;
        context.log(EventKind::RecoveryCodeSpent);
    } else if let Some(recovery) = &mut context.record.recovery {
        recovery.tries = tries;
    }
}
