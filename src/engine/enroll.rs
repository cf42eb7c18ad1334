//! Enrollment: the rules that the set-ups of all factors share.
//!
//! ```text
//!  start ── may it be set up? ──▶ set-up (a sealed token of this session) ── a right code ──▶ confirmed: the factor counts
//!                                    │
//!                                    └── ended by time, and by any change of factors meanwhile
//! ```
//!
//! Nothing counts until a code confirms it. Once the user has a factor, any change needs a fresh
//! pass. A set-up belongs to the session that began it and to the factor epoch in which it began, so that
//! no set-up begun before the first factor can be confirmed after it. The record knows of no set-up: no
//! other session can end one, nor put its own in its place.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::event::{Action, EventKind};
use crate::ids::SessionId;
use crate::notice::NoticeKind;
use crate::policy::{Method, Reason};
use crate::secret_text::SecretText;
use crate::time::Lifetime;
use crate::token::{Pass, Proven, Setup, SetupOwner};

use super::backup_codes;
use super::command::Confirm;
use super::context::{Context, View};
use super::freshness::Proof;
use super::reply::Reply;

/// The refusal to begin a set-up, if there is one. The first factor makes backup codes, whose budget is
/// asked for here: each set begins a new epoch, so none is made between the beginning of a set-up and its
/// confirmation.
pub(super) fn refusal(
    context: &mut Context<'_>,
    action: Action,
    session: &SessionId,
    pass: Option<&str>,
    method: Method,
    plan: Option<&str>,
) -> Option<Reply> {
    if let Some(reason) = obstacle(context, session, pass, method, plan) {
        return Some(context.denied(action, reason));
    }
    let until = if makes_backup_codes(context) { backup_codes::no_new_set_until(context.view()) } else { None };
    until.map(|until| context.denied_until(action, Reason::TooOften, until))
}

/// Whether the next factor to be confirmed brings backup codes.
fn makes_backup_codes(context: &Context<'_>) -> bool {
    !context.record.has_factor() && context.policy.offers(Method::BackupCode)
}

/// The rule that forbids to set up this factor, if one does.
fn obstacle(context: &Context<'_>, session: &SessionId, pass: Option<&str>, method: Method, plan: Option<&str>) -> Option<Reason> {
    let has_factor = context.record.has_factor();
    if !context.policy.offers(method) {
        Some(Reason::MethodNotOffered)
    } else if !context.policy.plan_may_enroll(plan) {
        Some(Reason::Plan)
    } else if needs_pass(context, context.view().current_pass(session, pass).is_some())
        || (has_factor && context.view().fresh_pass(session, pass, Proof::AnyFactor).is_none())
    {
        Some(Reason::FreshFactorRequired)
    } else {
        None
    }
}

/// The token of a new set-up of this session.
pub(super) fn begin<T: Serialize + DeserializeOwned>(
    context: &mut Context<'_>,
    method: Method,
    session: &SessionId,
    pass: Option<&str>,
    lifetime: Lifetime,
    content: T,
) -> Result<SecretText, Error> {
    let with_pass = context.view().current_pass(session, pass).is_some();
    let setup = Setup { epoch: context.record.epoch.clone(), lifetime, with_pass, content };
    let token = setup.seal(context.keys.sealing(), &mut context.entropy, SetupOwner { id: context.record.id(), session, method })?;
    context.log(EventKind::EnrollmentStarted { method });
    Ok(token)
}

/// The set-up in a confirmation, if it is in time and of this session.
pub(super) fn open<T: Serialize + DeserializeOwned>(context: &Context<'_>, method: Method, command: &Confirm) -> Option<Setup<T>> {
    let owner = SetupOwner { id: context.record.id(), session: &command.session, method };
    Setup::open(context.keys.sealing(), &command.setup, owner, context.now)
}

/// The reply to a set-up that a change of factors has ended, if one has. `is_held`: the change was its own
/// confirmation, which came twice. It is asked only then: a factor whose key is lost can be replaced.
pub(super) fn ended<T>(
    context: &Context<'_>,
    setup: &Setup<T>,
    is_held: impl FnOnce(View<'_>) -> Result<bool, Error>,
) -> Result<Option<Reply>, Error> {
    if setup.epoch == context.record.epoch {
        return Ok(None);
    }
    let reply = if is_held(context.view())? { Reply::AlreadyUsed { retry_at: None } } else { Reply::Expired {} };
    Ok(Some(reply))
}

/// Whether a pass is missing. Where a second factor is forced, the password alone must not enroll
/// one: a user without a factor comes in by an owner's recovery code, which gives a pass. Asked at
/// both ends of a set-up, because the force may begin in between.
pub(super) fn needs_pass(context: &Context<'_>, with_pass: bool) -> bool {
    !context.record.has_factor() && context.is_forced() && !with_pass
}

/// State of the record before a factor is written into it.
#[derive(Clone, Copy)]
pub(super) struct Before {
    makes_backup_codes: bool,
    replaced: bool,
}

impl Before {
    pub(super) fn of(context: &Context<'_>, method: Method) -> Self {
        Self { makes_backup_codes: makes_backup_codes(context), replaced: context.record.factor(method).is_some() }
    }
}

/// Ends a set-up whose factor now stands in the record. The first factor brings backup codes, and the
/// session a pass, because it has just shown a code of the factor.
pub(super) fn confirmed(context: &mut Context<'_>, method: Method, session: &SessionId, before: Before) -> Result<Reply, Error> {
    let Before { makes_backup_codes, replaced } = before;
    context.record.drop_login_codes();
    context.begin_epoch();
    context.log(if replaced { EventKind::FactorReplaced { method } } else { EventKind::FactorAdded { method } });
    let kind = if replaced && method == Method::Sms { NoticeKind::NumberChanged } else { NoticeKind::FactorAdded };
    context.notify(kind, Some(method));
    let backup_codes = if makes_backup_codes { Some(backup_codes::mint(context)?) } else { None };
    let proven = Proven { subject: context.id(), session: session.clone(), method, epoch: context.record.epoch.clone() };
    let (pass, expires_at) = context.new_pass(Pass::now(context.policy, proven, context.now))?;
    Ok(Reply::Enrolled { method, backup_codes, pass, expires_at })
}
