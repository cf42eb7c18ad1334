//! The phone as a factor: its set-up, its confirmation, the code of a login, and the second step.
//!
//! A code belongs to the one who asked for it. A login code answers one ticket: the record keeps it as a MAC
//! over account, user, number and ticket, beside the codes of other tickets, and once it is used until its
//! lifetime ends. The code of a set-up is sealed in that set-up, and five wrong ones end it.
//!
//! A user has up to two phones. A code goes to the one that is named, or else to the one that last logged the user in.

use core::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::effect::{Effect, SmsMessage, SmsTemplate};
use crate::encoding::to_base64url;
use crate::error::{Error, ErrorCode};
use crate::event::{Action, EventKind, SmsRefusal};
use crate::factor::{FactorId, FactorName, NamedFactor};
use crate::ids::RecordId;
use crate::keys::sealing::{Purpose, Sealed, openable};
use crate::lockout::{Comparisons, LockState};
use crate::mac::{is_same, mac};
use crate::phone::PhoneNumber;
use crate::policy::{Method, Policy, Reason};
use crate::record::{LoginCode, Phone};
use crate::secret_text::SecretText;
use crate::time::{Lifetime, UnixSeconds};
use crate::token::Ticket;
use crate::typed_code::Digits;

use super::attempt::{Comparison, OrReply, Typed, Used};
use super::command::{Confirm, EnrollSms};
use super::context::{Context, View};
use super::enroll::{self, Confirmation, Start};
use super::reply::{CodeKind, Reply, UsableFactor, UsableMethod};
use super::sms_budget;

/// Name of the sealed field, part of its associated data.
const FIELD: &str = "sms.number";
/// Wrong tries that end the code of a set-up.
const MAX_TRIES: u32 = 5;

/// The content of a set-up.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PhoneSetup {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<FactorName>,
    /// In E.164 form.
    number: String,
    /// The id of the message with the code.
    message: String,
    code: String,
}

/// Begins a set-up: sends a code to the new number. Until the code is typed the number does not count.
pub(super) fn start(context: &mut Context<'_>, command: &EnrollSms) -> Result<Reply, Error> {
    let EnrollSms { session, pass, ticket, number, name, replaces, plan } = command;
    let (pass, ticket, plan) = (pass.as_deref(), ticket.as_deref(), plan.as_deref());
    let start = Start { action: Action::EnrollSms, method: Method::Sms, session, pass, ticket, plan, replaces: replaces.as_ref() };
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
    let is_other = |phone: &&Phone| Some(&phone.id) != command.replaces.as_ref();
    if holds(context.view(), is_other, &number) {
        return Ok(context.denied(Action::EnrollSms, Reason::NumberEnrolled));
    }
    let sent = match send(context, &number) {
        Ok(sent) => sent,
        Err(reply) => return Ok(reply),
    };
    context.limit = Some(sms_budget::number_limit(context, &number));
    let content = PhoneSetup {
        name: name.clone(),
        number: number.as_str().to_owned(),
        message: sent.message.clone(),
        code: sent.code.as_str().to_owned(),
    };
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
    let Some(setup) = enroll::open::<PhoneSetup>(context, Method::Sms, &command.session, &command.setup) else {
        return Ok(Reply::Expired {});
    };
    let PhoneSetup { name, number, message, code } = &setup.content;
    let number = read_number(number.as_bytes())?;
    let digits = u8::try_from(code.len()).unwrap_or(u8::MAX);
    let typed = Digits::parse(&command.code, digits);
    // Only the right code learns that the number is on record.
    let is_right = typed.as_ref().is_some_and(|typed| is_same(typed.as_str(), code));
    if let Some(reply) = enroll::ended(context, &setup, |view| Ok(is_right && holds(view, |_| true, &number)))? {
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
        return Ok(Reply::Wrong { attempts_left, retry_at: None, slow_by_seconds: None });
    }
    let confirmation = Confirmation::of(context, Method::Sms, &setup, name.as_ref());
    let number = seal(context, &number)?;
    let NamedFactor { id, name } = confirmation.factor.clone();
    context.record.phones.push(Phone { id, name, number, added_at: context.now, last_used_at: None });
    enroll::confirmed(context, command, confirmation)
}

/// Sends a login code to a phone on record. It ends the unused code of the same ticket, and no other.
pub(super) fn send_login_code(context: &mut Context<'_>, ticket: &Ticket, factor: Option<&FactorId>) -> Result<Reply, Error> {
    let phones = phones(context.view())?;
    let mut named = phones.into_iter().filter(|(phone, _)| factor.is_none_or(|id| phone.id == *id)).peekable();
    if named.peek().is_none() {
        return Ok(context.denied(Action::SendSms, Reason::NotEnrolled));
    }
    let Some((phone, number)) = named.find(|(_, number)| is_allowed(context.policy, number)) else {
        return Ok(context.denied(Action::SendSms, Reason::NumberNotAllowed));
    };
    let phone = phone.id.clone();
    // A code could not be typed now.
    match context.record.attempts.lock_state(context.now, Comparisons::least(context.policy.window())) {
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
    let code = LoginCode {
        ticket: ticket.id().to_owned(),
        phone,
        kid: sealing.newest_kid().to_owned(),
        mac,
        lifetime: sent.lifetime,
        is_used: false,
    };
    if let Some(message) = context.record.sms_sent.last_mut() {
        message.login_code = Some(code);
    }
    Ok(sent.reply(context, &number, None))
}

/// The second step by the code that was sent for this ticket, to the phone that is named or to any.
pub(super) fn verify(context: &mut Context<'_>, ticket: &Ticket, step: &Typed<'_>) -> Result<OrReply<Used>, Error> {
    if !context.record.phones.iter().any(|phone| step.is_from(&phone.id)) {
        return Ok(Err(context.denied(Action::Verify, Reason::NotEnrolled)));
    }
    let digits = context.policy.sms().digits;
    let Some(typed) = Digits::parse(step.code, digits) else { return Ok(Err(Reply::malformed_digits(digits))) };
    let codes = live_codes(context, ticket, step)?;
    if codes.is_empty() {
        return Ok(Err(Reply::Expired {}));
    }
    let codes: Vec<SentCode> = codes.into_iter().filter(|sent| is_allowed(context.policy, &sent.number)).collect();
    if codes.is_empty() {
        return Ok(Err(context.denied(Action::Verify, Reason::NumberNotAllowed)));
    }
    let matched = context.attempt_known(Method::Sms, 1, |context| compare(context, &codes, &typed))?;
    let SentCode { code, phone, number } = match matched {
        Ok(matched) => matched,
        Err(reply) => return Ok(Err(reply)),
    };
    for known in context.record.sms_sent.iter_mut().filter_map(|sent| sent.login_code.as_mut()) {
        known.is_used |= known.mac == code.mac;
    }
    // Sealed anew under the newest key, as the app's secret is.
    let (sealed, now) = (seal(context, number)?, context.now);
    if let Some(known) = context.record.phones.iter_mut().find(|known| known.id == phone.id) {
        *known = Phone { number: sealed, last_used_at: Some(now), ..phone.clone() };
    }
    let used = NamedFactor { id: phone.id.clone(), name: phone.name.clone() };
    Ok(Ok(Used::now(Some(used), context.now)))
}

/// The method in a challenge, where the policy still offers it and allows a number.
pub(super) fn usable(view: View<'_>) -> Result<Option<UsableMethod>, Error> {
    if !view.policy.offers(Method::Sms) {
        return Ok(None);
    }
    let digits = view.policy.sms().digits;
    let allowed = phones(view)?.into_iter().filter(|(_, number)| is_allowed(view.policy, number));
    let factors: Vec<UsableFactor> = allowed
        .map(|(Phone { id, name, .. }, number)| UsableFactor { id: id.clone(), name: name.clone(), digits, hint: Some(number.hint()) })
        .collect();
    let Some(first) = factors.first() else { return Ok(None) };
    let hint = first.hint.clone();
    Ok(Some(UsableMethod { method: Method::Sms, kind: CodeKind::Digits, digits: Some(digits), hint, factors, confirmed: None }))
}

/// The end of the number of the phone with this id, if it is one.
pub(super) fn hint(view: View<'_>, id: &FactorId) -> Result<Option<String>, Error> {
    let phone = view.record.phones.iter().find(|phone| phone.id == *id);
    phone.map(|phone| Ok(open_number(view, &phone.number)?.hint())).transpose()
}

/// The user's phones with their numbers. The one that logged the user in last comes first.
fn phones(view: View<'_>) -> Result<Vec<(&Phone, PhoneNumber)>, Error> {
    let mut phones: Vec<&Phone> = view.record.phones.iter().collect();
    phones.sort_by_key(|phone| Reverse(phone.last_used_at));
    openable(phones.into_iter().map(|phone| Ok((phone, open_number(view, &phone.number)?))))
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
        account: context.account(),
        user: context.record.user().clone(),
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
    context.log(EventKind::SmsRefused { reason });
    Reply::SmsRefused { reason, retry_at }
}

/// A login code, and the phone that it was sent to.
struct SentCode {
    code: LoginCode,
    phone: Phone,
    number: PhoneNumber,
}

/// The codes of this ticket that are alive: one that is not used, and those that were.
fn live_codes(context: &Context<'_>, ticket: &Ticket, step: &Typed<'_>) -> Result<Vec<SentCode>, Error> {
    let codes = context.record.sms_sent.iter().filter_map(|sent| sent.login_code.as_ref());
    let alive = codes.filter(|code| code.ticket == ticket.id() && code.lifetime.contains(context.now) && step.is_from(&code.phone));
    let sent = alive.filter_map(|code| Some((code, context.record.phones.iter().find(|phone| phone.id == code.phone)?)));
    openable(sent.map(|(code, phone)| {
        let number = open_number(context.view(), &phone.number)?;
        Ok(SentCode { code: code.clone(), phone: phone.clone(), number })
    }))
}

/// Compares the typed code with these.
fn compare<'a>(context: &Context<'_>, codes: &'a [SentCode], typed: &Digits) -> Result<Comparison<&'a SentCode>, Error> {
    let mut outcome = Comparison::WRONG;
    for sent in codes {
        let SentCode { code, number, .. } = sent;
        let key = context.keys.sealing().subkey(&code.kid, Purpose::SmsCode)?;
        if !is_same(&code_mac(key.bytes(), context.record.id(), number, &code.ticket, typed), &code.mac) {
            continue;
        }
        if !code.is_used {
            return Ok(Comparison::Right(sent));
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

/// Whether the record holds this very number, at one of these phones. A number that does not open is not compared.
fn holds(view: View<'_>, these: impl Fn(&&Phone) -> bool, number: &PhoneNumber) -> bool {
    let known = view.record.phones.iter().filter(these).map(|phone| open_number(view, &phone.number));
    known.flatten().any(|known| known == *number)
}

pub(super) fn seal(context: &mut Context<'_>, number: &PhoneNumber) -> Result<Sealed, Error> {
    let id = context.id();
    context.keys.sealing().seal(&mut context.entropy, &id, FIELD, number.as_str().as_bytes())
}

pub(super) fn open_number(view: View<'_>, sealed: &Sealed) -> Result<PhoneNumber, Error> {
    read_number(&view.keys.sealing().open(view.record.id(), FIELD, sealed)?)
}

fn read_number(plain: &[u8]) -> Result<PhoneNumber, Error> {
    core::str::from_utf8(plain)
        .ok()
        .and_then(PhoneNumber::stored)
        .ok_or_else(|| Error::new(ErrorCode::InvalidRecord, FIELD, "something else than a phone number was sealed"))
}
