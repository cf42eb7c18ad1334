//! The phone as a factor: its set-up, its confirmation, the code of a login, and the second step.
//!
//! A code belongs to the one who asked for it. A login code answers one ticket: the record keeps it as a MAC
//! over account, user, number and ticket, beside the codes of other tickets, and once it is used until its
//! lifetime ends. The code of a set-up is sealed in that set-up, and five wrong ones end it.

use serde::{Deserialize, Serialize};

use crate::effect::{Effect, SmsMessage, SmsTemplate};
use crate::encoding::to_base64url;
use crate::error::{Error, ErrorCode};
use crate::event::{Action, EventKind};
use crate::ids::RecordId;
use crate::keys::sealing::{Purpose, Sealed};
use crate::lockout::LockState;
use crate::mac::{is_same, mac};
use crate::phone::PhoneNumber;
use crate::policy::{Method, Policy, Reason};
use crate::record::{LoginCode, SmsFactor};
use crate::secret_text::SecretText;
use crate::time::{Lifetime, UnixSeconds};
use crate::token::Ticket;
use crate::typed_code::Digits;

use super::attempt::{Comparison, OrReply};
use super::command::{Confirm, EnrollSms};
use super::context::{Context, View};
use super::enroll::{self, Confirmation, Start};
use super::reply::{CodeKind, Reply, SmsRefusal, UsableMethod};
use super::sms_budget;

/// Name of the sealed field, part of its associated data.
const FIELD: &str = "sms.number";
/// Wrong tries that end the code of a set-up.
const MAX_TRIES: u32 = 5;

/// The content of a set-up.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PhoneSetup {
    /// In E.164 form.
    number: String,
    /// The id of the message with the code.
    message: String,
    code: String,
}

/// Begins a set-up: sends a code to the new number. Until the code is typed the number does not count.
pub(super) fn start(context: &mut Context<'_>, command: &EnrollSms) -> Result<Reply, Error> {
    let EnrollSms { session, pass, ticket, number, plan } = command;
    let (pass, ticket, plan) = (pass.as_deref(), ticket.as_deref(), plan.as_deref());
    let start = Start { action: Action::EnrollSms, method: Method::Sms, session, pass, ticket, plan };
    let proof = match enroll::admit(context, &start) {
        Ok(proof) => proof,
        Err(reply) => return Ok(reply),
    };
    let Some(number) = PhoneNumber::parse(number) else {
        return Ok(context.denied(Action::EnrollSms, Reason::NumberInvalid));
    };
    if !is_allowed(context.policy, &number) {
        return Ok(context.denied(Action::EnrollSms, Reason::NumberNotAllowed));
    }
    let sent = match send(context, &number) {
        Ok(sent) => sent,
        Err(reply) => return Ok(reply),
    };
    context.limit = Some(sms_budget::number_limit(context, &number));
    let content = PhoneSetup { number: number.as_str().to_owned(), message: sent.message.clone(), code: sent.code.as_str().to_owned() };
    let setup = enroll::begin(context, &start, proof, sent.lifetime, content)?;
    Ok(sent.reply(context, &number, Some(setup)))
}

/// Turns the phone on when the code sent to it is right. Wrong codes are counted on the message alone: they
/// end this code, and neither hold up logins nor other set-ups.
pub(super) fn confirm(context: &mut Context<'_>, command: &Confirm) -> Result<Reply, Error> {
    enroll::check_new_session(command)?;
    if !context.policy.offers(Method::Sms) {
        return Ok(context.denied(Action::EnrollSms, Reason::MethodNotOffered));
    }
    let Some(setup) = enroll::open::<PhoneSetup>(context, Method::Sms, command) else { return Ok(Reply::Expired {}) };
    let PhoneSetup { number, message, code } = &setup.content;
    let number = read_number(number.as_bytes())?;
    let digits = u8::try_from(code.len()).unwrap_or(u8::MAX);
    let typed = Digits::parse(&command.code, digits);
    // Only the right code learns that the number is on record.
    let is_right = typed.as_ref().is_some_and(|typed| is_same(typed.as_str(), code));
    if let Some(reply) = enroll::ended(context, &setup, |view| Ok(is_right && holds(view, &number)?))? {
        return Ok(reply);
    }
    if enroll::needs_pass(context, setup.proof) {
        return Ok(context.denied(Action::EnrollSms, Reason::FreshFactorRequired));
    }
    if typed.is_none() {
        return Ok(Reply::malformed_digits(digits));
    }
    if !is_allowed(context.policy, &number) {
        return Ok(context.denied(Action::EnrollSms, Reason::NumberNotAllowed));
    }
    let Some(sent) = context.record.sms_sent.iter_mut().find(|sent| sent.id == *message && sent.tries < MAX_TRIES) else {
        return Ok(Reply::Expired {});
    };
    if !is_right {
        sent.tries = sent.tries.saturating_add(1);
        let attempts_left = Some(MAX_TRIES.saturating_sub(sent.tries));
        context.log(EventKind::SetupCodeRefused { method: Method::Sms });
        return Ok(Reply::Wrong { attempts_left, retry_at: None });
    }
    let confirmation = Confirmation::of(context, Method::Sms, setup.proof);
    let number = seal(context, &number)?;
    context.record.sms = Some(SmsFactor { number, added_at: context.now, last_used_at: None });
    enroll::confirmed(context, command, confirmation)
}

/// Sends a login code to the phone on record. It ends the unused code of the same ticket, and no other.
pub(super) fn send_login_code(context: &mut Context<'_>, ticket: &Ticket) -> Result<Reply, Error> {
    let Some(factor) = &context.record.sms else {
        return Ok(context.denied(Action::SendSms, Reason::NotEnrolled));
    };
    let number = open_number(context.view(), &factor.number)?;
    if !is_allowed(context.policy, &number) {
        return Ok(context.denied(Action::SendSms, Reason::NumberNotAllowed));
    }
    // A code could not be typed now.
    match context.record.attempts.lock_state(context.now) {
        LockState::Open => {}
        LockState::Waiting(until) => return Ok(refused(context, SmsRefusal::TooManyAttempts, Some(until))),
        LockState::Stopped => return Ok(refused(context, SmsRefusal::TooManyAttempts, None)),
    }
    let sent = match send(context, &number) {
        Ok(sent) => sent,
        Err(reply) => return Ok(reply),
    };
    context.record.drop_unused_login_code(ticket.id());
    let sealing = context.keys.sealing();
    let mac = code_mac(sealing.newest_subkey(Purpose::SmsCode).bytes(), context.record.id(), &number, ticket.id(), &sent.code);
    let code =
        LoginCode { ticket: ticket.id().to_owned(), kid: sealing.newest_kid().to_owned(), mac, lifetime: sent.lifetime, is_used: false };
    if let Some(message) = context.record.sms_sent.last_mut() {
        message.login_code = Some(code);
    }
    Ok(sent.reply(context, &number, None))
}

/// The second step by the code that was sent for this ticket.
pub(super) fn verify(context: &mut Context<'_>, ticket: &Ticket, code: &str) -> Result<OrReply<()>, Error> {
    let Some(factor) = context.record.sms.clone() else {
        return Ok(Err(context.denied(Action::Verify, Reason::NotEnrolled)));
    };
    let digits = context.policy.sms().digits;
    let Some(typed) = Digits::parse(code, digits) else { return Ok(Err(Reply::malformed_digits(digits))) };
    let codes = live_codes(context, ticket);
    if codes.is_empty() {
        return Ok(Err(Reply::Expired {}));
    }
    let number = open_number(context.view(), &factor.number)?;
    if !is_allowed(context.policy, &number) {
        return Ok(Err(context.denied(Action::Verify, Reason::NumberNotAllowed)));
    }
    let matched = context.attempt_known(Method::Sms, |context| compare(context, &codes, &number, &typed))?;
    let matched = match matched {
        Ok(matched) => matched,
        Err(reply) => return Ok(Err(reply)),
    };
    for code in context.record.sms_sent.iter_mut().filter_map(|sent| sent.login_code.as_mut()) {
        code.is_used |= code.mac == matched;
    }
    // Sealed anew under the newest key, as the app's secret is.
    let number = seal(context, &number)?;
    context.record.sms = Some(SmsFactor { number, last_used_at: Some(context.now), ..factor });
    Ok(Ok(()))
}

/// The method in a challenge, where the policy still offers it and allows the number.
pub(super) fn usable(view: View<'_>) -> Result<Option<UsableMethod>, Error> {
    let Some(factor) = view.record.sms.as_ref().filter(|_| view.policy.offers(Method::Sms)) else { return Ok(None) };
    let number = open_number(view, &factor.number)?;
    Ok(is_allowed(view.policy, &number).then(|| UsableMethod {
        method: Method::Sms,
        kind: CodeKind::Digits,
        digits: Some(view.policy.sms().digits),
        hint: Some(number.hint()),
        confirmed: None,
    }))
}

/// The end of the phone number on record.
pub(super) fn hint(view: View<'_>) -> Result<Option<String>, Error> {
    view.record.sms.as_ref().map(|factor| Ok(open_number(view, &factor.number)?.hint())).transpose()
}

fn is_allowed(policy: &Policy, number: &PhoneNumber) -> bool {
    number.is_allowed(&policy.sms().prefixes, &policy.sms().except)
}

/// A message that is on its way.
struct Sent {
    /// Its id.
    message: String,
    code: Digits,
    lifetime: Lifetime,
}

impl Sent {
    fn reply(&self, context: &Context<'_>, number: &PhoneNumber, setup: Option<SecretText>) -> Reply {
        let rules = context.policy.sms();
        let resend_at = sms_budget::next_at(context.view());
        Reply::SmsSent { setup, hint: number.hint(), digits: rules.digits, expires_at: self.lifetime.ends_at(), resend_at }
    }
}

/// Sends a new code to `number`, if the budget allows it. The message is the record's last.
fn send(context: &mut Context<'_>, number: &PhoneNumber) -> OrReply<Sent> {
    if let Some((reason, retry_at)) = sms_budget::refusal(context.view()) {
        return Err(refused(context, reason, Some(retry_at)));
    }
    let rules = context.policy.sms();
    let code = Digits::mint(&mut context.entropy, rules.digits);
    let lifetime = Lifetime::starting(context.now, u64::from(rules.lifetime_seconds));
    let message = context.entropy.id();
    sms_budget::note(context, message.clone());
    context.effects.push(Effect::Sms(SmsMessage {
        id: message.clone(),
        to: SecretText(number.as_str().to_owned()),
        body: SecretText(context.policy.sms_text(code.as_str())),
        expires_at: lifetime.ends_at(),
        template: SmsTemplate {
            code: SecretText(code.as_str().to_owned()),
            minutes: rules.lifetime_seconds / 60,
            host: context.policy.host().to_owned(),
            name: context.policy.name().to_owned(),
        },
    }));
    context.log(EventKind::SmsSent);
    Ok(Sent { message, code, lifetime })
}

fn refused(context: &mut Context<'_>, reason: SmsRefusal, retry_at: Option<UnixSeconds>) -> Reply {
    context.log(EventKind::SmsRefused);
    Reply::SmsRefused { reason, retry_at }
}

/// The codes of this ticket that are alive: one that is not used, and those that were.
fn live_codes(context: &Context<'_>, ticket: &Ticket) -> Vec<LoginCode> {
    let codes = context.record.sms_sent.iter().filter_map(|sent| sent.login_code.as_ref());
    codes.filter(|code| code.ticket == ticket.id() && code.lifetime.contains(context.now)).cloned().collect()
}

/// Compares the typed code with these; a match is named by its MAC.
fn compare(context: &Context<'_>, codes: &[LoginCode], number: &PhoneNumber, typed: &Digits) -> Result<Comparison<String>, Error> {
    let mut outcome = Comparison::Wrong;
    for sent in codes {
        let key = context.keys.sealing().subkey(&sent.kid, Purpose::SmsCode)?;
        if !is_same(&code_mac(key.bytes(), context.record.id(), number, &sent.ticket, typed), &sent.mac) {
            continue;
        }
        if !sent.is_used {
            return Ok(Comparison::Right(sent.mac.clone()));
        }
        outcome = Comparison::Used { retry_at: None };
    }
    Ok(outcome)
}

/// The MAC that stands for a login code at rest.
fn code_mac(key: &[u8; 32], id: &RecordId, number: &PhoneNumber, ticket: &str, code: &Digits) -> String {
    let parts = [number.as_str(), ticket, code.as_str()].map(str::as_bytes);
    to_base64url(&mac(key, &[&[id.to_bytes().as_slice()], parts.as_slice()].concat()))
}

/// Whether the record holds this very number.
fn holds(view: View<'_>, number: &PhoneNumber) -> Result<bool, Error> {
    let Some(factor) = &view.record.sms else { return Ok(false) };
    Ok(open_number(view, &factor.number)? == *number)
}

fn seal(context: &mut Context<'_>, number: &PhoneNumber) -> Result<Sealed, Error> {
    let id = context.id();
    context.keys.sealing().seal(&mut context.entropy, &id, FIELD, number.as_str().as_bytes())
}

fn open_number(view: View<'_>, sealed: &Sealed) -> Result<PhoneNumber, Error> {
    read_number(&view.keys.sealing().open(view.record.id(), FIELD, sealed)?)
}

fn read_number(plain: &[u8]) -> Result<PhoneNumber, Error> {
    core::str::from_utf8(plain)
        .ok()
        .and_then(PhoneNumber::stored)
        .ok_or_else(|| Error::new(ErrorCode::InvalidRecord, FIELD, "something else than a phone number was sealed"))
}
