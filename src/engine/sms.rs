//! The phone as a factor: its set-up, its confirmation, the code of a login, and the second step.
//!
//! One code is alive at a time; sending another ends it. A code is stored as a MAC over account, user,
//! purpose, number and the request that asked for it: a login code answers one ticket, a code of a
//! set-up one session.

use crate::effect::{Effect, SmsMessage, SmsTemplate};
use crate::encoding::to_base64url;
use crate::error::{Error, ErrorCode};
use crate::event::{Action, EventKind};
use crate::ids::RecordId;
use crate::keys::sealing::{Purpose, Sealed};
use crate::mac::{is_same, mac};
use crate::phone::PhoneNumber;
use crate::policy::{Method, Policy, Reason};
use crate::record::{SmsCode, SmsFactor, SmsPurpose, SmsSetup};
use crate::secret_text::SecretText;
use crate::time::Lifetime;
use crate::token::Ticket;
use crate::typed_code::Digits;

use super::attempt::OrReply;
use super::command::{Confirm, EnrollSms};
use super::context::{Context, View};
use super::enroll;
use super::reply::{CodeKind, Reply, UsableMethod};
use super::sms_budget;

/// Name of the sealed field, part of its associated data.
const FIELD: &str = "sms.number";

/// Begins a set-up: sends a code to the new number. Until the code is typed the number does not count.
pub(super) fn start(context: &mut Context<'_>, command: &EnrollSms) -> Result<Reply, Error> {
    let EnrollSms { session, pass, number, plan } = command;
    if let Some(reason) = enroll::obstacle(context, session, pass.as_deref(), Method::Sms, plan.as_deref()) {
        return Ok(context.denied(Action::EnrollSms, reason));
    }
    let Some(number) = PhoneNumber::parse(number) else {
        return Ok(context.denied(Action::EnrollSms, Reason::NumberInvalid));
    };
    if !is_allowed(context.policy, &number) {
        return Ok(context.denied(Action::EnrollSms, Reason::NumberNotAllowed));
    }
    let reply = send(context, &number, SmsPurpose::Enroll, session.as_str());
    if let Reply::SmsSent { .. } = reply {
        context.limit = Some(sms_budget::number_limit(context, &number));
        let setup = enroll::setup(context, session, pass.as_deref());
        context.record.sms_setup = Some(SmsSetup { number: seal(context, &number)?, setup });
        context.log(EventKind::EnrollmentStarted { method: Method::Sms });
    }
    Ok(reply)
}

/// Turns the phone on when the code sent to it is right.
pub(super) fn confirm(context: &mut Context<'_>, command: &Confirm) -> Result<Reply, Error> {
    let Confirm { session, code } = command;
    if !context.policy.offers(Method::Sms) {
        return Ok(context.denied(Action::EnrollSms, Reason::MethodNotOffered));
    }
    let open = context.record.sms_setup.clone().filter(|begun| enroll::is_open(context, &begun.setup, session));
    let (Some(SmsSetup { number: sealed, setup }), Some(sent)) = (open, live_code(context, SmsPurpose::Enroll)) else {
        return Ok(Reply::Expired {});
    };
    if enroll::needs_pass(context, setup.with_pass) {
        return Ok(context.denied(Action::EnrollSms, Reason::FreshFactorRequired));
    }
    let digits = context.policy.sms().digits;
    let Some(typed) = Digits::parse(code, digits) else { return Ok(Reply::malformed_digits(digits)) };
    let number = open_number(context.view(), &sealed)?;
    if !is_allowed(context.policy, &number) {
        return Ok(context.denied(Action::EnrollSms, Reason::NumberNotAllowed));
    }
    let matched = context.attempt(Method::Sms, |context| Ok(matches(context, &sent, &number, session.as_str(), &typed)?.then_some(())))?;
    if let Err(reply) = matched {
        return Ok(reply);
    }
    let before = enroll::Before::of(context, Method::Sms);
    context.record.sms = Some(SmsFactor { number: sealed, added_at: context.now, last_used_at: None });
    enroll::confirmed(context, Method::Sms, session, before)
}

/// Sends a login code to the phone on record.
pub(super) fn send_login_code(context: &mut Context<'_>, ticket: &Ticket) -> Result<Reply, Error> {
    let Some(factor) = &context.record.sms else {
        return Ok(context.denied(Action::SendSms, Reason::NotEnrolled));
    };
    let number = open_number(context.view(), &factor.number)?;
    if !is_allowed(context.policy, &number) {
        return Ok(context.denied(Action::SendSms, Reason::NumberNotAllowed));
    }
    Ok(send(context, &number, SmsPurpose::Login, ticket.id()))
}

/// The second step by the code that was sent.
pub(super) fn verify(context: &mut Context<'_>, ticket: &Ticket, code: &str) -> Result<OrReply<()>, Error> {
    let Some(factor) = context.record.sms.clone() else {
        return Ok(Err(context.denied(Action::Verify, Reason::NotEnrolled)));
    };
    let digits = context.policy.sms().digits;
    let Some(typed) = Digits::parse(code, digits) else { return Ok(Err(Reply::malformed_digits(digits))) };
    let Some(sent) = live_code(context, SmsPurpose::Login) else { return Ok(Err(Reply::Expired {})) };
    let number = open_number(context.view(), &factor.number)?;
    if !is_allowed(context.policy, &number) {
        return Ok(Err(context.denied(Action::Verify, Reason::NumberNotAllowed)));
    }
    let matched = context.attempt(Method::Sms, |context| Ok(matches(context, &sent, &number, ticket.id(), &typed)?.then_some(())))?;
    if let Err(reply) = matched {
        return Ok(Err(reply));
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
    }))
}

/// The end of the phone number on record.
pub(super) fn hint(view: View<'_>) -> Result<Option<String>, Error> {
    view.record.sms.as_ref().map(|factor| Ok(open_number(view, &factor.number)?.hint())).transpose()
}

fn is_allowed(policy: &Policy, number: &PhoneNumber) -> bool {
    number.is_allowed(&policy.sms().prefixes, &policy.sms().except)
}

/// Sends a new code to `number`, if the budget allows it.
fn send(context: &mut Context<'_>, number: &PhoneNumber, purpose: SmsPurpose, binding: &str) -> Reply {
    if let Some((reason, retry_at)) = sms_budget::refusal(context.view()) {
        context.log(EventKind::SmsRefused);
        return Reply::SmsRefused { reason, retry_at };
    }
    let rules = context.policy.sms();
    let code = Digits::mint(&mut context.entropy, rules.digits);
    let lifetime = Lifetime::starting(context.now, u64::from(rules.lifetime_seconds));
    let sealing = context.keys.sealing();
    let mac = code_mac(sealing.newest_subkey(Purpose::SmsCode).bytes(), context.record.id(), purpose, number, binding, &code);
    context.record.sms_code = Some(SmsCode { kid: sealing.newest_kid().to_owned(), mac, purpose, lifetime });
    let yesterday = context.now.minus(sms_budget::DAY);
    context.record.sms_sent.retain(|sent| *sent > yesterday && *sent <= context.now);
    context.record.sms_sent.push(context.now);
    let message = SmsMessage {
        id: context.entropy.id(),
        to: SecretText(number.as_str().to_owned()),
        body: SecretText(context.policy.sms_text(code.as_str())),
        expires_at: lifetime.ends_at(),
        template: SmsTemplate {
            code: SecretText(code.as_str().to_owned()),
            minutes: rules.lifetime_seconds / 60,
            host: context.policy.host().to_owned(),
            name: context.policy.name().to_owned(),
        },
    };
    context.effects.push(Effect::Sms(message));
    context.log(EventKind::SmsSent);
    let resend_at = context.now.plus(u64::from(rules.cooldown_seconds));
    Reply::SmsSent { hint: number.hint(), digits: rules.digits, expires_at: lifetime.ends_at(), resend_at }
}

/// The code that is alive for this purpose.
fn live_code(context: &Context<'_>, purpose: SmsPurpose) -> Option<SmsCode> {
    context.record.sms_code.clone().filter(|code| code.purpose == purpose && code.lifetime.contains(context.now))
}

/// Whether the typed code is the one that was sent.
fn matches(context: &Context<'_>, sent: &SmsCode, number: &PhoneNumber, binding: &str, typed: &Digits) -> Result<bool, Error> {
    let key = context.keys.sealing().subkey(&sent.kid, Purpose::SmsCode)?;
    let mac = code_mac(key.bytes(), context.record.id(), sent.purpose, number, binding, typed);
    Ok(is_same(&mac, &sent.mac))
}

/// The MAC that stands for a code at rest.
fn code_mac(key: &[u8; 32], id: &RecordId, purpose: SmsPurpose, number: &PhoneNumber, binding: &str, code: &Digits) -> String {
    let parts = [purpose.label(), number.as_str(), binding, code.as_str()].map(str::as_bytes);
    to_base64url(&mac(key, &[&[id.to_bytes().as_slice()], parts.as_slice()].concat()))
}

fn seal(context: &mut Context<'_>, number: &PhoneNumber) -> Result<Sealed, Error> {
    let id = context.id();
    context.keys.sealing().seal(&mut context.entropy, &id, FIELD, number.as_str().as_bytes())
}

fn open_number(view: View<'_>, sealed: &Sealed) -> Result<PhoneNumber, Error> {
    let plain = view.keys.sealing().open(view.record.id(), FIELD, sealed)?;
    core::str::from_utf8(&plain)
        .ok()
        .and_then(PhoneNumber::stored)
        .ok_or_else(|| Error::new(ErrorCode::InvalidRecord, FIELD, "the record holds something else than a phone number"))
}
