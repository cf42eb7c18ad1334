//! Codes by SMS: minted, sent within budgets, and checked.
//!
//! One code is alive at a time; sending another revokes it. The code is stored as a MAC over
//! user, purpose, number and the request that asked for it: a login code answers one ticket, an
//! enrollment code one session. Messages are counted per user, over logins and enrollments alike.

use crate::code::{Digits, same, sms_mac};
use crate::error::{Error, ErrorCode};
use crate::event::{Effect, EventKind, SecretText, SmsMessage, SmsTemplate};
use crate::lockout::LockState;
use crate::phone::PhoneNumber;
use crate::record::{Record, SmsCode, SmsPurpose};
use crate::secret::{Purpose, Sealed};
use crate::time::UnixSeconds;
use crate::token::KeyRing;

use super::{Reply, SmsRefusal, Step};

/// Name of the sealed field, part of its associated data.
pub(super) const NUMBER_FIELD: &str = "sms.number";

/// Opens a sealed number.
pub(super) fn open_number(keys: &KeyRing, record: &Record, sealed: &Sealed) -> Result<PhoneNumber, Error> {
    let plain = keys.sealing().open(record.user().as_str(), NUMBER_FIELD, sealed)?;
    core::str::from_utf8(&plain)
        .ok()
        .and_then(PhoneNumber::parse)
        .ok_or_else(|| Error::new(ErrorCode::InvalidRecord, NUMBER_FIELD, "the record holds something else than a phone number"))
}

/// Sends a new code to `number`, if the budgets allow it.
pub(super) fn send(step: &mut Step<'_>, number: &PhoneNumber, purpose: SmsPurpose, binding: &str) -> Reply {
    if let Some((reason, retry_at)) = refusal(step) {
        step.log(EventKind::SmsRefused);
        return Reply::SmsRefused { reason, retry_at };
    }
    let rules = step.policy.sms();
    let code = Digits::mint(&mut step.entropy, rules.digits);
    let expires_at = step.now.plus(u64::from(rules.lifetime_seconds));
    let kid = step.keys.sealing().newest_kid().to_owned();
    let key = step.keys.sealing().newest_subkey(Purpose::SmsCode);
    let mac = sms_mac(key.bytes(), &step.user(), purpose.label(), number.as_str(), binding, &code);
    step.record.sms_code = Some(SmsCode { kid, mac, purpose, expires_at });
    let yesterday = step.now.minus(DAY);
    step.record.sms_sent.retain(|sent| *sent > yesterday && *sent <= step.now);
    step.record.sms_sent.push(step.now);
    let message = SmsMessage {
        id: step.entropy.id(),
        to: SecretText(number.as_str().to_owned()),
        body: SecretText(step.policy.sms_body(code.as_str())),
        expires_at,
        template: SmsTemplate {
            code: SecretText(code.as_str().to_owned()),
            minutes: rules.lifetime_seconds / 60,
            host: step.policy.host().to_owned(),
            name: step.policy.name().to_owned(),
        },
    };
    step.effects.push(Effect::Sms(message));
    step.log(EventKind::SmsSent);
    Reply::SmsSent { hint: number.hint(), expires_at, resend_at: step.now.plus(u64::from(rules.cooldown_seconds)) }
}

/// The code alive for this purpose, if any.
pub(super) fn live_code(step: &Step<'_>, purpose: SmsPurpose) -> Option<SmsCode> {
    step.record.sms_code.clone().filter(|code| code.purpose == purpose && step.now < code.expires_at)
}

/// Whether what was typed is the code that was sent.
pub(super) fn matches(step: &Step<'_>, sent: &SmsCode, number: &PhoneNumber, binding: &str, typed: &Digits) -> Result<bool, Error> {
    let key = step.keys.sealing().subkey(&sent.kid, Purpose::SmsCode)?;
    let mac = sms_mac(key.bytes(), &step.user(), sent.purpose.label(), number.as_str(), binding, typed);
    Ok(same(&mac, &sent.mac))
}

const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;

/// Why no message may be sent now, and when to ask again.
fn refusal(step: &Step<'_>) -> Option<(SmsRefusal, Option<UnixSeconds>)> {
    match step.record.attempts.lock_state(step.now) {
        LockState::Open => {}
        LockState::Waiting(until) => return Some((SmsRefusal::TooManyAttempts, Some(until))),
        LockState::Stopped => return Some((SmsRefusal::TooManyAttempts, None)),
    }
    let rules = step.policy.sms();
    // A clock that once ran ahead must not forbid messages for years.
    let sent: Vec<UnixSeconds> = step.record.sms_sent.iter().map(|sent| (*sent).min(step.now)).collect();
    if let Some(last) = sent.last() {
        let again = last.plus(u64::from(rules.cooldown_seconds));
        if step.now < again {
            return Some((SmsRefusal::Cooldown, Some(again)));
        }
    }
    [(MINUTE, rules.per_minute), (HOUR, rules.per_hour), (DAY, rules.per_day)].into_iter().find_map(|(window, most)| {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        // The message that would be the `most`-th before the new one: while it is in the window, wait.
        let oldest = sent.iter().rev().nth(most.saturating_sub(1))?;
        let again = oldest.plus(window);
        (step.now < again).then_some((SmsRefusal::Budget, Some(again)))
    })
}
