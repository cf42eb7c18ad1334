//! The move of a user's second factor to another account or user id: an account is given, changed, or two become one.
//!
//! A record is bound to its account and user, so that its parts open nowhere else. The operator's move opens them
//! at the old place and seals them anew at the new one, in two steps:
//!
//! ```text
//!  old place                     new place
//!   │ apps, phones ── here() ──▶  │  apps and phones sealed anew; a new factor epoch
//!   │◀────────────── stored ──────┤
//!   └─ away(): nothing is left; a new factor epoch
//! ```
//!
//! A factor from elsewhere is worth no more than the password. So nothing comes
//! - to a place where the user has a second factor already, where a recovery code is alive, or after a reset: a move must not
//!   put somebody's app beside theirs;
//! - to an account that forces a second factor, unless the password alone sets up the first one there: a newcomer shows a
//!   recovery code.
//!
//! Backup and recovery codes stay behind, because their hashes are bound to the old place.
//! Tickets, passes and set-ups name the old place, and end with it; only a recovery code lets in there. The attempt budget comes
//! with the apps and phones.
//!
//! A move that was cut off between its steps is done again. The new place keeps a mark: the place that its factors came from,
//! the life of the record there, and the epoch that began with them. While no factor changed there since, it takes the present state of the old place, a reset and a
//! removal included, and what was used in either place stays used. After a change at the new place nothing more comes. The
//! old place keeps the name of the new one: a move that is complete changes nothing when it is done again.

use crate::error::Error;
use crate::event::EventKind;
use crate::factor::NamedFactor;
use crate::ids::{OperatorId, RecordId};
use crate::notice::NoticeKind;
use crate::policy::FirstFactor;
use crate::record::{Came, Record};

use super::context::{Context, View, invalid};
use super::reply::Reply;
use super::{sign_out, sms, totp};

/// The first step, on the record of the new place. `source` is the record of the old one.
pub(super) fn here(context: &mut Context<'_>, source: &Record, operator: &OperatorId) -> Result<Reply, Error> {
    check_places(source.id(), context.record.id())?;
    let came = context.record.came.as_ref().filter(|came| came.from == *source.id() && came.life == source.life);
    let (has_come, is_untouched) = (came.is_some(), came.is_some_and(|came| came.epoch == context.record.epoch));
    if let Some(place) = &source.moved_to {
        if has_come && is_untouched && place != context.record.id() {
            take_back(context, place.clone());
        }
        return Ok(Reply::Moved { factors: if has_come { named_factors(&context.record) } else { Vec::new() } });
    }
    context.record.reopen();
    let carries_reset = source.needs_recovery_code && (has_come || !context.record.has_factor());
    let comes = !carries_reset && (is_untouched || (source.has_factor() && is_free(context)));
    // Someone who had a factor once sets up no first one by the password.
    let had_one = context.record.epoch.is_first() && !source.epoch.is_first();
    if carries_reset {
        context.record.forget_factors();
        context.record.needs_recovery_code = true;
    } else if comes {
        take_factors(context, source, is_untouched)?;
    }
    if carries_reset || comes || had_one {
        sign_out::end_logins(context);
        context.begin_epoch();
    }
    // A reset that came along leaves no mark: after it factors come by the rules for a new place.
    if carries_reset {
        context.record.came = None;
    } else if comes {
        context.record.came = Some(Came { from: source.id().clone(), life: source.life.clone(), epoch: context.record.epoch.clone() });
    }
    let factors = if comes { named_factors(&context.record) } else { Vec::new() };
    let (from_account, from_user) = (source.id().account().cloned(), source.user().clone());
    context.log(EventKind::MovedHere { from_account, from_user, factors: factors.clone(), operator: operator.clone() });
    if source.has_factor() {
        context.notify_all(NoticeKind::Moved, None, None);
    }
    Ok(Reply::Moved { factors })
}

/// The second step, on the record of the old place.
pub(super) fn away(context: &mut Context<'_>, to: &RecordId, operator: &OperatorId) -> Result<Reply, Error> {
    check_places(context.record.id(), to)?;
    if context.record.moved_to.as_ref() == Some(to) {
        return Ok(Reply::Ended {});
    }
    if context.end_all() {
        context.record.needs_recovery_code = false;
        context.record.moved_to = Some(to.clone());
    }
    let (to_account, to_user) = (to.account().cloned(), to.user().clone());
    context.log(EventKind::MovedAway { to_account, to_user, operator: operator.clone() });
    Ok(Reply::Ended {})
}

fn check_places(from: &RecordId, to: &RecordId) -> Result<(), Error> {
    if from == to { Err(invalid("to", "must be another account or user than `from`")) } else { Ok(()) }
}

/// Whether factors may come to the new place.
fn is_free(context: &Context<'_>) -> bool {
    let (policy, record) = (context.policy, &context.record);
    let by_password = policy.first_factor() == FirstFactor::Password && record.epoch.is_first();
    let may_come = by_password || !policy.forces_anybody();
    may_come && !record.has_factor() && !record.needs_recovery_code && record.live_recovery(policy, context.now).is_none()
}

/// Seals the apps and phones of the source anew. Where they came before and the move is done again, what was used of them at
/// the new place stays used.
fn take_factors(context: &mut Context<'_>, source: &Record, is_again: bool) -> Result<(), Error> {
    let there = View { record: source, ..context.view() };
    let apps = source.apps.iter().map(|app| Ok((app.clone(), totp::open_secret(there, &app.secret)?)));
    let apps = apps.collect::<Result<Vec<_>, Error>>()?;
    let phones = source.phones.iter().map(|phone| Ok((phone.clone(), sms::open_number(there, &phone.number)?)));
    let phones = phones.collect::<Result<Vec<_>, Error>>()?;
    let (used_apps, used_phones) = (context.record.apps.clone(), context.record.phones.clone());
    context.record.forget_factors();
    for (mut app, secret) in apps {
        if let Some(used) = used_apps.iter().find(|used| used.id == app.id) {
            app.last_step = app.last_step.max(used.last_step);
            app.last_used_at = app.last_used_at.max(used.last_used_at);
        }
        app.secret = totp::seal(context, &secret)?;
        context.record.apps.push(app);
    }
    for (mut phone, number) in phones {
        if let Some(used) = used_phones.iter().find(|used| used.id == phone.id) {
            phone.last_used_at = phone.last_used_at.max(used.last_used_at);
        }
        phone.number = sms::seal(context, &number)?;
        context.record.phones.push(phone);
    }
    context.record.attempts = if is_again { context.record.attempts.stricter(&source.attempts) } else { source.attempts.clone() };
    Ok(())
}

/// Of two moves of one user at once the other was faster: what came here goes.
fn take_back(context: &mut Context<'_>, place: RecordId) {
    if context.end_all() {
        context.record.moved_to = Some(place);
        context.record.came = None;
    }
}

fn named_factors(record: &Record) -> Vec<NamedFactor> {
    record.factors().map(|factor| factor.named).collect()
}
