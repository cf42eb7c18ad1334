//! Enrollment: the rules that the set-ups of all factors share.
//!
//! ```text
//!  start ── may it be set up? ──▶ set-up (30 minutes, this session) ── a right code ──▶ confirmed: the factor counts
//!                                    │
//!                                    └── ended by time, and by any factor confirmed or removed meanwhile
//! ```
//!
//! Nothing counts until a code confirms it. Once the user has a factor, any change needs a fresh
//! pass. A set-up belongs to the session that began it and ends with any confirmed change, so that
//! no set-up begun before the first factor can be confirmed after it.

use crate::error::Error;
use crate::event::EventKind;
use crate::ids::SessionId;
use crate::mac::is_same;
use crate::notice::NoticeKind;
use crate::policy::{Method, Reason};
use crate::record::Setup;
use crate::time::Lifetime;
use crate::token::{Pass, Proven};

use super::backup_codes;
use super::context::Context;
use super::freshness::Proof;
use super::reply::Reply;

/// Life of a set-up in seconds: long enough to install an app.
const SETUP_SECONDS: u64 = 1_800;

/// The rule that forbids to set up this factor, if one does.
pub(super) fn obstacle(
    context: &Context<'_>,
    session: &SessionId,
    pass: Option<&str>,
    method: Method,
    plan: Option<&str>,
) -> Option<Reason> {
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

/// A new set-up of this session.
pub(super) fn setup(context: &Context<'_>, session: &SessionId, pass: Option<&str>) -> Setup {
    Setup {
        session: context.session_mac(session),
        lifetime: Lifetime::starting(context.now, SETUP_SECONDS),
        with_pass: context.view().current_pass(session, pass).is_some(),
    }
}

/// Whether a set-up is alive and belongs to this session.
pub(super) fn is_open(context: &Context<'_>, setup: &Setup, session: &SessionId) -> bool {
    is_same(&setup.session, &context.session_mac(session)) && setup.lifetime.contains(context.now)
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
    had_factor: bool,
    replaced: bool,
}

impl Before {
    pub(super) fn of(context: &Context<'_>, method: Method) -> Self {
        Self { had_factor: context.record.has_factor(), replaced: context.record.factor(method).is_some() }
    }
}

/// Ends a set-up whose factor now stands in the record. The first factor brings backup codes, and the
/// session a pass, because it has just shown a code of the factor.
pub(super) fn confirmed(context: &mut Context<'_>, method: Method, session: &SessionId, before: Before) -> Result<Reply, Error> {
    let Before { had_factor, replaced } = before;
    context.record.drop_setups();
    context.begin_epoch();
    context.log(if replaced { EventKind::FactorReplaced { method } } else { EventKind::FactorAdded { method } });
    let kind = if replaced && method == Method::Sms { NoticeKind::NumberChanged } else { NoticeKind::FactorAdded };
    context.notify(kind, Some(method));
    let is_first = !had_factor && context.policy.offers(Method::BackupCode);
    let backup_codes = if is_first { Some(backup_codes::mint(context)?) } else { None };
    let proven = Proven { subject: context.id(), session: session.clone(), method, epoch: context.record.epoch.clone() };
    let (pass, expires_at) = context.new_pass(Pass::now(context.policy, proven, context.now))?;
    Ok(Reply::Enrolled { method, backup_codes, pass, expires_at })
}
