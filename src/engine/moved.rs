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
//! Where a factor could not come and the user has none at the new place, only a recovery code lets in there.
//!
//! Backup and recovery codes stay behind, because their hashes are bound to the old place.
//! Tickets, passes and set-ups name the old place, and end with it; only a recovery code lets in there. The attempt budget comes
//! with the apps and phones.
//!
//! A move that was cut off between its steps is done again. The new place keeps the name of the old one, and takes no factor from
//! there a second time: what was used, removed or reset at the new place since stays so. The old place keeps the name of
//! the new one, and a move that is complete changes nothing when it is done again. A move back waits until the first is complete.

use crate::error::Error;
use crate::event::EventKind;
use crate::factor::NamedFactor;
use crate::ids::{OperatorId, RecordId};
use crate::notice::NoticeKind;
use crate::policy::FirstFactor;
use crate::record::Record;

use super::context::{Context, View, invalid};
use super::reply::Reply;
use super::{sign_out, sms, totp};

/// The first step, on the record of the new place. `source` is the record of the old one.
pub(super) fn here(context: &mut Context<'_>, source: &Record, operator: &OperatorId) -> Result<Reply, Error> {
    let (from, to) = (source.id(), context.id());
    check_places(from, &to)?;
    let brings_something = source.has_factor() || source.needs_recovery_code;
    // One in the first epoch was made anew since that move.
    let is_the_one = !context.record.epoch.is_first();
    if source.came_from.contains(&to) && context.record.moved_to.as_ref() != Some(from) && is_the_one {
        return Err(invalid("from", "is the new place of a move from `to` that is not complete: do that move again first"));
    }
    let is_closed = context.record.is_erased || context.record.moved_to.as_ref().is_some_and(|place| place != from);
    if is_closed && brings_something {
        return Err(invalid("to", "was moved on to another place, or is being erased: erase it first"));
    }
    let has_come = context.record.came_from.contains(from);
    if source.moved_to.is_some() || source.is_erased || is_closed {
        tell_again(context);
        return Ok(Reply::Moved { factors: if has_come { named_factors(&context.record) } else { Vec::new() } });
    }
    context.record.moved_to = None;
    let carries_reset = source.needs_recovery_code && (has_come || !context.record.has_factor());
    let comes = !carries_reset && !has_come && source.has_factor() && is_free(context);
    // Someone who had a factor once sets up no first one by the password.
    let had_one = context.record.epoch.is_first() && !source.epoch.is_first();
    // Who had a second factor is not let in by the password alone because the factor could not come.
    let stays_behind = source.has_factor() && !comes && !has_come && !context.record.has_factor();
    if stays_behind {
        context.record.needs_recovery_code = true;
    } else if carries_reset {
        context.record.forget_factors();
        context.record.recovery = None;
        context.record.needs_recovery_code = true;
    } else if comes {
        take_factors(context, source)?;
    } else if has_come {
        use_up(context, source);
    }
    if (carries_reset || comes) && !has_come {
        context.record.came_from.push(from.clone());
    }
    if carries_reset || comes || had_one || stays_behind {
        sign_out::end_logins(context);
        context.begin_epoch();
    } else if has_come {
        tell_again(context);
    }
    let factors = if comes || has_come { named_factors(&context.record) } else { Vec::new() };
    let (from_account, from_user) = (from.account().cloned(), from.user().clone());
    context.log(EventKind::MovedHere { from_account, from_user, factors: factors.clone(), operator: operator.clone() });
    if source.has_factor() {
        context.notify_all(NoticeKind::Moved, None, None);
    }
    Ok(Reply::Moved { factors })
}

/// The second step, on the record of the old place.
pub(super) fn away(context: &mut Context<'_>, to: &RecordId, operator: &OperatorId) -> Result<Reply, Error> {
    check_places(context.record.id(), to)?;
    if context.record.moved_to.is_some() {
        tell_again(context);
        return Ok(Reply::Ended {});
    }
    if context.end_all() {
        context.record.needs_recovery_code = false;
        context.record.moved_to = Some(to.clone());
        context.record.came_from.clear();
        // In the first epoch there are no passes, and the user never had a factor, which stays true.
        if !context.record.epoch.is_first() {
            context.begin_epoch();
        }
    }
    let (to_account, to_user) = (to.account().cloned(), to.user().clone());
    context.log(EventKind::MovedAway { to_account, to_user, operator: operator.clone() });
    Ok(Reply::Ended {})
}

/// Tells once more that passes have ended: the word of it may have been lost. In the first epoch there were none.
fn tell_again(context: &mut Context<'_>) {
    if !context.record.epoch.is_first() {
        context.tell_that_passes_ended();
    }
}

fn check_places(from: &RecordId, to: &RecordId) -> Result<(), Error> {
    if from == to { Err(invalid("to", "must be another account or user than `from`")) } else { Ok(()) }
}

/// Whether factors may come to the new place.
fn is_free(context: &Context<'_>) -> bool {
    let (policy, record) = (context.policy, &context.record);
    let by_password = policy.first_factor() == FirstFactor::Password && record.epoch.is_first();
    let may_come = by_password || !policy.forces_anybody();
    may_come && !record.has_factor() && !record.only_a_recovery_code_lets_in() && record.live_recovery(policy, context.now).is_none()
}

/// Seals the apps and phones of the source anew.
fn take_factors(context: &mut Context<'_>, source: &Record) -> Result<(), Error> {
    let there = View { record: source, ..context.view() };
    let apps = source.apps.iter().map(|app| Ok((app.clone(), totp::open_secret(there, &app.secret)?)));
    let apps = apps.collect::<Result<Vec<_>, Error>>()?;
    let phones = source.phones.iter().map(|phone| Ok((phone.clone(), sms::open_number(there, &phone.number)?)));
    let phones = phones.collect::<Result<Vec<_>, Error>>()?;
    for (mut app, secret) in apps {
        app.secret = totp::seal(context, &secret)?;
        context.record.apps.push(app);
    }
    for (mut phone, number) in phones {
        phone.number = sms::seal(context, &number)?;
        context.record.phones.push(phone);
    }
    context.record.attempts = source.attempts.clone();
    Ok(())
}

/// A code that was used at the old place between the steps is used at the new one too, and wrong ones are counted.
fn use_up(context: &mut Context<'_>, source: &Record) {
    for app in &mut context.record.apps {
        let there = source.apps.iter().find(|other| other.id == app.id);
        app.last_step = there.map_or(app.last_step, |there| app.last_step.max(there.last_step));
    }
    if source.attempts.failures() > context.record.attempts.failures() {
        context.record.attempts = source.attempts.clone();
    }
}

fn named_factors(record: &Record) -> Vec<NamedFactor> {
    record.factors().map(|factor| factor.named).collect()
}
