//! The budget of messages: a cool-down between two, and at most so many a minute, hour and day.
//!
//! Messages are counted per user, over logins and set-ups alike. While wrong codes make the account
//! wait, no message is sent.
//!
//! A number may be set up by any user, so that many accounts could flood one phone. The host can count
//! set-up messages per number over all users: the step names a key and a limit, and the host says
//! whether the count is within it before it stores the record. The key is a MAC, and never the number.
//! A login needs no such count, because its number belongs to one user.

use crate::encoding::to_base64url;
use crate::keys::sealing::Purpose;
use crate::lockout::LockState;
use crate::mac::mac;
use crate::phone::PhoneNumber;
use crate::time::{CLOCK_SKEW, UnixSeconds};

use super::context::{Context, View};
use super::pending::Limit;
use super::reply::SmsRefusal;

const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;
/// Longest window, in seconds: times of messages are kept this long.
pub(super) const DAY: u64 = 86_400;

/// The limit of set-up messages to a number: in a day no more from all users together than one user may send.
pub(super) fn number_limit(context: &Context<'_>, number: &PhoneNumber) -> Limit {
    let key = context.keys.sealing().newest_subkey(Purpose::Number);
    let key = to_base64url(&mac(key.bytes(), &[number.as_str().as_bytes()]));
    Limit { key, seconds: DAY, max: context.policy.sms().per_day }
}

/// The reason why no message may be sent now, and the time from which to ask again.
pub(super) fn refusal(view: View<'_>) -> Option<(SmsRefusal, Option<UnixSeconds>)> {
    let View { policy, record, now, .. } = view;
    match record.attempts.lock_state(now) {
        LockState::Open => {}
        LockState::Waiting(until) => return Some((SmsRefusal::TooManyAttempts, Some(until))),
        LockState::Stopped => return Some((SmsRefusal::TooManyAttempts, None)),
    }
    let rules = policy.sms();
    // A clock that once ran ahead has left times in the future, which must not forbid messages until then.
    let sent: Vec<UnixSeconds> = record.sms_sent.iter().copied().filter(|sent| *sent <= now.plus(CLOCK_SKEW)).collect();
    if let Some(last) = sent.last() {
        let again = last.plus(u64::from(rules.cooldown_seconds));
        if now < again {
            return Some((SmsRefusal::Cooldown, Some(again)));
        }
    }
    [(MINUTE, rules.per_minute), (HOUR, rules.per_hour), (DAY, rules.per_day)].into_iter().find_map(|(window, most)| {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        // The oldest of the last `most` messages: while it is in the window, the window is full.
        let oldest = sent.iter().rev().nth(most.saturating_sub(1))?;
        let again = oldest.plus(window);
        (now < again).then_some((SmsRefusal::Budget, Some(again)))
    })
}
