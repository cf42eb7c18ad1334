//! The login: a decision after the first factor, then the second step.
//!
//! ```text
//!  begin ──▶ allowed
//!    │   ──▶ denied
//!    │   ──▶ set_up, set-up ticket ──▶ enroll_totp, enroll_sms ──▶ confirm ──▶ enrolled, pass
//!    └─────▶ challenge, ticket ──▶ send_sms (again and again, within the budget)
//!                 │
//!                 └──▶ verify ──▶ wrong, malformed, locked, expired, denied: the ticket stays good
//!                         └─────▶ verified, pass
//! ```
//!
//! A ticket may be used until it ends. It gives no access without a code that is right and unused.
//!
//! `set_up` comes where a second factor is forced, the user never had one, and the policy lets the password alone
//! set up the first one. Its ticket opens that set-up and nothing else.

use crate::error::Error;
use crate::event::{Action, EventKind};
use crate::ids::{AccountId, SessionId, UserId};
use crate::keys::KeyRing;
use crate::policy::{Channel, Decision, Method, Reason};
use crate::secret_text::SecretText;
use crate::time::UnixSeconds;
use crate::token::{Pass, Proven, SetupTicket, Ticket, TokenError};

use super::attempt::{Typed, Used};
use super::command::{Begin, Command, SecondStep, SendSms, TrustBrowser};
use super::context::{Context, invalid};
use super::reply::Reply;
use super::{backup_codes, factors, import, sms, trusted_browser};

/// Decides a login after the first factor.
pub(super) fn begin(context: &mut Context<'_>, command: &Begin) -> Result<Reply, Error> {
    let Begin { session, channel, plan, ticket } = command;
    // Before the record is opened: a client whose address is turned away is told so, whatever it holds.
    if let Some(reason) = context.turned_away(*channel) {
        context.log(EventKind::LoginDenied { reason });
        return Ok(Reply::denied(reason));
    }
    if let Some(reason) = ticket.as_ref().and_then(|ticket| why_ended(context, ticket, session)) {
        context.log(EventKind::LoginDenied { reason });
        return Ok(Reply::denied(reason));
    }
    let enrollment = factors::enrollment(context.view())?;
    match context.decide(*channel, enrollment, plan.as_deref()) {
        Decision::Allowed => {
            context.log(EventKind::LoginAllowed);
            let enroll = *channel == Channel::Web && !context.record.has_factor() && context.policy.may_enroll(plan.as_deref());
            Ok(Reply::Allowed { enroll })
        }
        Decision::Denied(reason) => {
            context.log(EventKind::LoginDenied { reason });
            Ok(Reply::denied(reason))
        }
        Decision::Challenge => {
            let methods = factors::usable_methods(context.view())?;
            let (token, ticket) =
                Ticket::issue(context.policy, context.keys.sealing(), &mut context.entropy, &context.record, session, context.now)?;
            context.log(EventKind::LoginChallenged);
            Ok(Reply::Challenge { ticket: SecretText(token), methods, expires_at: ticket.expires_at() })
        }
        Decision::SetUp => {
            let methods = Method::ALL.into_iter().filter(|method| method.is_own_factor() && context.policy.offers(*method)).collect();
            let (token, ticket) =
                SetupTicket::issue(context.policy, context.keys.sealing(), &mut context.entropy, &context.record, session, context.now)?;
            context.log(EventKind::LoginSetUp);
            Ok(Reply::SetUp { ticket: SecretText(token), methods, expires_at: ticket.expires_at() })
        }
    }
}

/// The reason why the ticket of a half-made login counts no more; none where it counts. A new password, or a sign-out everywhere, ends the
/// login that the old password began: a new challenge must not bring it back.
fn why_ended(context: &Context<'_>, ticket: &str, session: &SessionId) -> Option<Reason> {
    let (policy, sealing, id) = (context.policy, context.keys.sealing(), context.record.id());
    let epoch = match Ticket::open(policy, sealing, ticket, session, context.now) {
        Ok(ticket) if ticket.subject() == id => ticket.epoch().clone(),
        Ok(_) => return Some(Reason::TicketInvalid),
        Err(of_second_step) => match SetupTicket::open(policy, sealing, ticket, id, session, context.now) {
            Ok(ticket) => ticket.epoch().clone(),
            Err(_) => return Some(of_second_step.of_ticket()),
        },
    };
    (epoch != context.record.logins).then_some(Reason::TicketExpired)
}

/// The user whom the ticket of a command names in this account, whatever its policy, for a host that has to load that user's record first.
///
/// # Errors
/// The reply to the command, where it brings no ticket that is good.
pub fn ticket_user(keys: &KeyRing, account: Option<&AccountId>, command: &Command, now: UnixSeconds) -> Result<UserId, Reply> {
    let (ticket, session) = match command {
        Command::SendSms(SendSms { ticket, session, .. }) | Command::Verify(SecondStep { ticket, session, .. }) => (ticket, session),
        Command::Malformed(field) => return Err(Reply::malformed(*field)),
        Command::Begin(_)
        | Command::EnrollTotp(_)
        | Command::ShowTotpSetup(_)
        | Command::ConfirmTotp(_)
        | Command::EnrollSms(_)
        | Command::ConfirmSms(_)
        | Command::Rename(_)
        | Command::Remove(_)
        | Command::RemoveTrustedBrowser(_)
        | Command::RenewBackupCodes(_)
        | Command::ShowBackupCodes(_)
        | Command::ShowNewBackupCodes(_)
        | Command::ConfirmBackupCodes(_)
        | Command::PasswordChanged(_)
        | Command::SignOutEverywhere(_) => return Err(Reply::denied(Reason::TicketInvalid)),
    };
    match Ticket::open_for_any(keys.sealing(), ticket, session, now) {
        Ok(ticket) if ticket.subject().account() == account => Ok(ticket.subject().user().clone()),
        Ok(_) => Err(Reply::denied(TokenError::OtherAccount.of_ticket())),
        Err(error) => Err(Reply::denied(error.of_ticket())),
    }
}

/// Sends a login code to the phone on record.
pub(super) fn send_sms(context: &mut Context<'_>, command: &SendSms) -> Result<Reply, Error> {
    match admit(context, &command.ticket, &command.session, Method::Sms, Action::SendSms) {
        Ok(ticket) => sms::send_login_code(context, &ticket, command.factor.as_ref()),
        Err(reply) => Ok(reply),
    }
}

/// The second step: one code by one method. `shows_codes`: the caller can show new backup codes to the person.
pub(super) fn verify(context: &mut Context<'_>, command: SecondStep, shows_codes: bool) -> Result<Reply, Error> {
    let SecondStep { ticket, session, new_session, method, factor, code, trust_browser } = command;
    if new_session.as_ref() == Some(&session) {
        return Err(invalid("newSession", "must differ from `session`: change the session id at the second step"));
    }
    let ticket = match admit(context, &ticket, &session, method, Action::Verify) {
        Ok(ticket) => ticket,
        Err(reply) => return Ok(reply),
    };
    let typed = Typed { code: &code, factor: factor.as_ref() };
    let used = match (factors::row(method).verify)(context, &ticket, &typed)? {
        Ok(used) => used,
        Err(reply) => return Ok(reply),
    };
    context.record.drop_unused_login_code(ticket.id());
    verified(context, method, used, new_session, trust_browser.as_ref(), shows_codes)
}

/// The second factor passed: settles the budget, and makes the pass.
fn verified(
    context: &mut Context<'_>,
    method: Method,
    used: Used,
    new_session: Option<SessionId>,
    trust_browser: Option<&TrustBrowser>,
    shows_codes: bool,
) -> Result<Reply, Error> {
    let Used { factor: used, shown_at, browser } = used;
    match method {
        Method::RecoveryCode => context.record.attempts.rescue(),
        Method::Totp | Method::Sms | Method::BackupCode => {
            let before = context.record.attempts.clone();
            context.record.attempts.succeed(&before);
        }
        // It shows no code, so that wrong codes stay counted.
        Method::TrustedBrowser => {}
    }
    context.log(EventKind::CodeAccepted { method, factor: used.clone() });
    if method == Method::RecoveryCode {
        context.begin_epoch();
    }
    let session = match new_session {
        Some(session) => session,
        None => SessionId::new(&context.entropy.id())?,
    };
    let id = context.id();
    import::tell(context);
    let new_codes = if shows_codes { import::owed_backup_codes(context, method, &session)? } else { None };
    let (backup_codes, set, new_codes) = backup_codes::parts(new_codes);
    let browser = browser.or_else(|| trusted_browser::trust(context, method, trust_browser?));
    let factor = used.as_ref().filter(|_| method.is_own_factor()).map(|used| used.id.clone());
    let proven = Proven { subject: id.clone(), session: session.clone(), method, factor, shown_at, epoch: context.record.epoch.clone() };
    let (pass, expires_at) = context.new_pass(Pass::now(context.policy, proven, context.now))?;
    Ok(Reply::Verified {
        user: id.user().clone(),
        pass,
        session,
        method,
        factor: used.map(Box::new),
        expires_at,
        enroll: method == Method::RecoveryCode || !context.record.has_factor(),
        backup_codes_left: (method == Method::BackupCode).then(|| context.record.backup_left()),
        weak: import::weak_app(&context.record).map(Box::new),
        backup_codes,
        set,
        new_codes,
        browser: browser.map(Box::new),
    })
}

/// Admits a caller to the second step: with a ticket of this user and session, from an address that
/// the rules still admit, by a method that is still offered.
fn admit(context: &mut Context<'_>, ticket: &str, session: &SessionId, method: Method, action: Action) -> Result<Ticket, Reply> {
    let ticket = match Ticket::open(context.policy, context.keys.sealing(), ticket, session, context.now) {
        Ok(ticket) if ticket.subject() == context.record.id() => ticket,
        Ok(_) => return Err(context.denied(action, Reason::TicketInvalid)),
        Err(error) => return Err(context.denied(action, error.of_ticket())),
    };
    if *ticket.epoch() != context.record.logins {
        return Err(context.denied(action, Reason::TicketExpired));
    }
    if let Some(reason) = context.turned_away(Channel::Web) {
        return Err(context.denied(action, reason));
    }
    if context.record.only_a_recovery_code_lets_in() && method != Method::RecoveryCode {
        return Err(context.denied(action, Reason::RecoveryCodeRequired));
    }
    let is_offered = context.policy.offers(method)
        || (method == Method::RecoveryCode && context.record.live_recovery(context.policy, context.now).is_some());
    if !is_offered {
        return Err(context.denied(action, Reason::MethodNotOffered));
    }
    Ok(ticket)
}
