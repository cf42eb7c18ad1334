//! The budget of messages: a cool-down between two, and at most so many a minute, hour and day.
//!
//! Messages are counted per user, over logins and set-ups alike. A message that never left gives its slot
//! back, a few times an hour: a gateway that is down must not use up the hour of the person who waits.
//!
//! A number may be set up by any user, so that many accounts could flood one phone. The host can count
//! set-up messages per number over all users: the step names a key and a limit, and the host says
//! whether the count is within it before it stores the record. The key is a MAC, and never the number.
//! A login needs no such count, because its number belongs to one user.

use crate::encoding::to_base64url;
use crate::error::Error;
use crate::event::{EventKind, SmsRefusal};
use crate::keys::sealing::Purpose;
use crate::mac::mac;
use crate::phone::PhoneNumber;
use crate::rate::{DAY, HOUR, MINUTE, counts, full_until};
use crate::record::SentSms;
use crate::time::UnixSeconds;

use super::context::{Context, View};
use super::pending::Limit;
use super::reply::Reply;

/// Slots that may be given back within an hour.
const RETURNS_PER_HOUR: u32 = 3;

/// The limit of set-up messages to a number: in a day no more from all users together than one user may send.
pub(super) fn number_limit(context: &Context<'_>, number: &PhoneNumber) -> Limit {
    let key = context.keys.sealing().newest_subkey(Purpose::Number);
    let key = to_base64url(&mac(key.bytes(), &[number.as_str().as_bytes()]));
    Limit { key, seconds: DAY, max: context.policy.sms().per_day }
}

/// The reason why no message may be sent now, and the time from which one may.
pub(super) fn refusal(view: View<'_>) -> Option<(SmsRefusal, UnixSeconds)> {
    let View { policy, record, now, .. } = view;
    let rules = policy.sms();
    let cooldown = (u64::from(rules.cooldown_seconds), 1);
    let full_until = |limits: &[(u64, u32)]| full_until(record.sms_sent.iter().map(|sent| sent.at), now, limits);
    let budget = [(MINUTE, rules.per_minute), (HOUR, rules.per_hour), (DAY, rules.per_day)];
    // A budget that is used up is the reason as well while the cool-down runs: the wait is the longer one.
    match (full_until(&[cooldown]), full_until(&budget)) {
        (cooled, Some(again)) => Some((SmsRefusal::Budget, cooled.map_or(again, |cooled| cooled.max(again)))),
        (Some(cooled), None) => Some((SmsRefusal::Cooldown, cooled)),
        (None, None) => None,
    }
}

/// The time from which another message may be sent.
pub(super) fn next_at(view: View<'_>) -> UnixSeconds {
    refusal(view).map_or(view.now, |(_, again)| again)
}

/// Notes a message that is sent now, as the record's last, and forgets those of more than a day ago.
pub(super) fn note(context: &mut Context<'_>, id: String) {
    let now = context.now;
    context.record.sms_sent.retain(|sent| counts(sent.at, now, DAY));
    context.record.sms_sent.push(SentSms { id, at: now, login_code: None, tries: 0 });
}

/// Ends the code in a message that never left, and gives the message's slot back.
pub(super) fn never_left(context: &mut Context<'_>, id: &str) -> Result<Reply, Error> {
    let now = context.now;
    let record = &mut context.record;
    if let Some(index) = record.sms_sent.iter().position(|sent| sent.id == id) {
        record.sms_returned.retain(|at| counts(*at, now, HOUR));
        if full_until(record.sms_returned.iter().copied(), now, &[(HOUR, RETURNS_PER_HOUR)]).is_none() {
            record.sms_sent.remove(index);
            record.sms_returned.push(now);
        } else if let Some(sent) = record.sms_sent.get_mut(index) {
            sent.login_code = None;
            sent.tries = u32::MAX;
        }
        context.log(EventKind::SmsNeverLeft);
    }
    Ok(Reply::Expired {})
}
