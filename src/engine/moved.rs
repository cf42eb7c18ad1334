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
//! A move that was cut off between its steps is done again: factors that came already are known by their ids.

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
    check_places(source.id(), context.record.id())?;
    let comes = source.has_factor() && is_free_for(context, source);
    let factors = if comes { take_factors(context, source)? } else { Vec::new() };
    // Someone who had a factor once sets up no first one by the password.
    if comes || (context.record.epoch.is_first() && !source.epoch.is_first()) {
        sign_out::end_logins(context);
        context.begin_epoch();
    }
    // A move undoes no reset.
    context.record.needs_recovery_code |= source.needs_recovery_code && !context.record.has_factor();
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
    context.end_all();
    let (to_account, to_user) = (to.account().cloned(), to.user().clone());
    context.log(EventKind::MovedAway { to_account, to_user, operator: operator.clone() });
    Ok(Reply::Ended {})
}

fn check_places(from: &RecordId, to: &RecordId) -> Result<(), Error> {
    if from == to { Err(invalid("to", "must be another account or user than `from`")) } else { Ok(()) }
}

/// Whether factors may come to the new place. Those of the source are there after a move that was cut off.
fn is_free_for(context: &Context<'_>, source: &Record) -> bool {
    let (policy, record) = (context.policy, &context.record);
    let has_nothing_else = record.factors().all(|factor| source.factor(&factor.named.id).is_some());
    let by_password = policy.first_factor() == FirstFactor::Password && record.epoch.is_first();
    let may_come = record.has_factor() || by_password || !policy.forces_anybody();
    has_nothing_else && may_come && !record.needs_recovery_code && record.live_recovery(policy, context.now).is_none()
}

fn take_factors(context: &mut Context<'_>, source: &Record) -> Result<Vec<NamedFactor>, Error> {
    let there = View { record: source, ..context.view() };
    let apps = source.apps.iter().map(|app| Ok((app.clone(), totp::open_secret(there, &app.secret)?)));
    let apps = apps.collect::<Result<Vec<_>, Error>>()?;
    let phones = source.phones.iter().map(|phone| Ok((phone.clone(), sms::open_number(there, &phone.number)?)));
    let phones = phones.collect::<Result<Vec<_>, Error>>()?;
    context.record.forget_factors();
    for (mut app, secret) in apps {
        app.secret = totp::seal(context, &secret)?;
        context.record.apps.push(app);
    }
    for (mut phone, number) in phones {
        phone.number = sms::seal(context, &number)?;
        context.record.phones.push(phone);
    }
    context.record.attempts = source.attempts.clone();
    Ok(context.record.factors().map(|factor| factor.named).collect())
}
