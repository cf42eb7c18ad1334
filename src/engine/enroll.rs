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
//!
//! Where a second factor is forced, and after a reset, the password alone sets up none: a user without a factor comes in by a
//! recovery code, which gives a pass. The exception is the policy's choice (`firstFactor: "password"`): a user
//! who never had a factor brings a set-up ticket, which the login gave. Such a set-up ends that login, so the
//! session gets a new id.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::event::{Action, EventKind};
use crate::factor::{FactorId, FactorName, NamedFactor};
use crate::ids::SessionId;
use crate::notice::NoticeKind;
use crate::policy::{FirstFactor, Method, Reason};
use crate::record::Factor;
use crate::secret_text::SecretText;
use crate::time::Lifetime;
use crate::token::{Pass, Proven, Setup, SetupOwner, SetupProof, SetupTicket, TokenError};

use super::attempt::OrReply;
use super::backup_codes;
use super::command::Confirm;
use super::context::{Context, View, invalid};
use super::freshness::Proof;
use super::reply::Reply;

/// The wish to set up a factor, as the commands for all factors have it.
pub(super) struct Start<'a> {
    pub(super) action: Action,
    pub(super) method: Method,
    pub(super) session: &'a SessionId,
    pub(super) pass: Option<&'a str>,
    pub(super) ticket: Option<&'a str>,
    pub(super) plan: Option<&'a str>,
    pub(super) replaces: Option<&'a FactorId>,
}

/// Admits a set-up, with the proof that its session shows. The first factor makes backup codes, whose budget is
/// asked for here: each set begins a new epoch, so none is made between the beginning of a set-up and its
/// confirmation.
pub(super) fn admit(context: &mut Context<'_>, start: &Start<'_>) -> OrReply<SetupProof> {
    let proof = match admitted_proof(context, start) {
        Ok(proof) => proof,
        Err(reason) => return Err(context.denied(start.action, reason)),
    };
    let until = if makes_backup_codes(context) { backup_codes::no_new_set_until(context.view()) } else { None };
    match until {
        Some(until) => Err(context.denied_until(start.action, Reason::TooOften, until)),
        None => Ok(proof),
    }
}

/// Whether the next factor to be confirmed brings backup codes.
fn makes_backup_codes(context: &Context<'_>) -> bool {
    !context.record.has_factor() && context.policy.offers(Method::BackupCode)
}

/// The proof of the session, or the rule that forbids to set up this factor.
fn admitted_proof(context: &Context<'_>, start: &Start<'_>) -> Result<SetupProof, Reason> {
    let Start { method, session, pass, plan, replaces, .. } = start;
    if !context.policy.offers(*method) {
        return Err(Reason::MethodNotOffered);
    }
    if !context.policy.plan_may_enroll(*plan) {
        return Err(Reason::Plan);
    }
    let proof = shown_proof(context, start)?;
    let has_fresh_pass = || context.view().fresh_pass(session, *pass, Proof::AnyFactor).is_some();
    if needs_pass(context, proof) || (context.record.has_factor() && !has_fresh_pass()) {
        return Err(Reason::FreshFactorRequired);
    }
    if replaces.is_some_and(|id| context.record.factor(id).is_none()) {
        return Err(Reason::NotEnrolled);
    }
    if context.record.has_room(*method, *replaces) { Ok(proof) } else { Err(Reason::TooManyFactors) }
}

/// The proof that the session shows. A ticket that is brought must be good, and counts for a user who never had a factor.
fn shown_proof(context: &Context<'_>, start: &Start<'_>) -> Result<SetupProof, Reason> {
    if let Some(pass) = context.view().current_pass(start.session, start.pass) {
        return Ok(if pass.method() == Method::RecoveryCode { SetupProof::Rescue } else { SetupProof::Pass });
    }
    let Some(ticket) = start.ticket else { return Ok(SetupProof::None) };
    let (policy, sealing, id) = (context.policy, context.keys.sealing(), context.record.id());
    let ticket = SetupTicket::open(policy, sealing, ticket, id, start.session, context.now).map_err(TokenError::of_ticket)?;
    if *ticket.epoch() != context.record.logins {
        return Err(Reason::TicketExpired);
    }
    Ok(if context.record.epoch.is_first() { SetupProof::Ticket } else { SetupProof::None })
}

/// The token of a new set-up of this session.
pub(super) fn begin<T: Serialize + DeserializeOwned>(
    context: &mut Context<'_>,
    start: &Start<'_>,
    proof: SetupProof,
    lifetime: Lifetime,
    content: T,
) -> Result<SecretText, Error> {
    let Start { method, session, replaces, .. } = *start;
    let (epoch, logins) = (context.record.epoch.clone(), context.record.logins.clone());
    let setup = Setup { epoch, logins, lifetime, proof, replaces: replaces.cloned(), content };
    let token = setup.seal(context.keys.sealing(), &mut context.entropy, SetupOwner { id: context.record.id(), session, method })?;
    context.log(EventKind::EnrollmentStarted { method });
    Ok(token)
}

/// A set-up, if it is in time, of this session, and of the record's login epoch.
pub(super) fn open<T: Serialize + DeserializeOwned>(
    context: &Context<'_>,
    method: Method,
    session: &SessionId,
    setup: &str,
) -> Option<Setup<T>> {
    let owner = SetupOwner { id: context.record.id(), session, method };
    let setup = Setup::open(context.keys.sealing(), setup, owner, context.now)?;
    (setup.logins == context.record.logins).then_some(setup)
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

/// Whether the proof of a set-up is missing or does not count. Asked at both ends of a set-up, because in between the
/// force may begin, the policy may stop to accept the password, and somebody may issue a recovery code. While that code is
/// alive it goes before the password, and before the pass of an earlier code, which may have got into the wrong hands.
pub(super) fn needs_pass(context: &Context<'_>, proof: SetupProof) -> bool {
    if context.record.only_a_recovery_code_lets_in() {
        return true;
    }
    if !context.record.has_factor() && !context.is_forced() {
        return false;
    }
    let has_code = context.record.live_recovery(context.policy, context.now).is_some();
    match proof {
        SetupProof::Pass => false,
        SetupProof::Rescue => has_code,
        SetupProof::Ticket => has_code || context.policy.first_factor() != FirstFactor::Password,
        SetupProof::None => true,
    }
}

/// Refuses a session id that does not change.
pub(super) fn check_new_session(command: &Confirm) -> Result<(), Error> {
    if command.new_session.as_ref() == Some(&command.session) {
        return Err(invalid("newSession", "must differ from `session`: change the session id, or leave it out"));
    }
    Ok(())
}

/// The factor that a confirmation writes into the record, and the state of the record before.
pub(super) struct Confirmation {
    method: Method,
    pub(super) factor: NamedFactor,
    proof: SetupProof,
    /// The factor in whose place it comes.
    replaces: Option<Factor>,
    makes_backup_codes: bool,
}

impl Confirmation {
    /// Begins a confirmation: the factor gets its id, and where it was given no name, that of the one it replaces or a free one.
    pub(super) fn of<T>(context: &mut Context<'_>, method: Method, setup: &Setup<T>, name: Option<&FactorName>) -> Self {
        let replaces = setup.replaces.as_ref().and_then(|id| context.record.factor(id));
        let kept = || replaces.as_ref().filter(|factor| factor.method == method).map(|factor| factor.named.name.clone());
        let name = name.cloned().or_else(kept).unwrap_or_else(|| free_name(context, method));
        let factor = NamedFactor { id: FactorId::mint(&mut context.entropy), name };
        Self { method, factor, proof: setup.proof, replaces, makes_backup_codes: makes_backup_codes(context) }
    }
}

/// The name of a new factor that was given none.
pub(super) fn free_name(context: &Context<'_>, method: Method) -> FactorName {
    let kind = match method {
        Method::Totp => "Authenticator app",
        Method::Sms => "Phone",
        Method::BackupCode | Method::RecoveryCode | Method::TrustedBrowser => "Codes",
    };
    let taken: Vec<FactorName> = context.record.factors().map(|factor| factor.named.name).collect();
    FactorName::free(kind, &taken)
}

/// Ends a set-up whose factor now stands in the record. The first factor brings backup codes, and the
/// session a pass, because it has just shown a code of the factor.
pub(super) fn confirmed(context: &mut Context<'_>, command: &Confirm, confirmation: Confirmation) -> Result<Reply, Error> {
    let Confirmation { method, factor, proof, replaces, makes_backup_codes } = confirmation;
    context.record.drop_login_codes();
    context.begin_epoch();
    context.log(EventKind::FactorAdded { method, factor: factor.clone() });
    let by_password = proof == SetupProof::Ticket;
    if by_password {
        context.log(EventKind::FirstFactorByPassword { method });
        context.notify_all(NoticeKind::FirstFactorByPassword, Some(method), None);
    } else {
        let kind = if replaces.is_some() { NoticeKind::FactorReplaced } else { NoticeKind::FactorAdded };
        context.notify_of_factor(kind, method, &factor.name);
    }
    if let Some(replaced) = &replaces {
        context.drop_factor(replaced);
    }
    let session = match &command.new_session {
        Some(session) => session.clone(),
        None if by_password => SessionId::new(&context.entropy.id())?,
        None => command.session.clone(),
    };
    let made = if makes_backup_codes { Some(backup_codes::mint(context, &session)?) } else { None };
    let (backup_codes, set, new_codes) = backup_codes::parts(made);
    let proven = Proven {
        subject: context.id(),
        session: session.clone(),
        method,
        factor: Some(factor.id.clone()),
        shown_at: context.now,
        epoch: context.record.epoch.clone(),
    };
    let (pass, expires_at) = context.new_pass(Pass::now(context.policy, proven, context.now))?;
    Ok(Reply::Enrolled { method, factor, backup_codes, set, new_codes, pass, session, expires_at })
}
