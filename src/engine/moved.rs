//! The move of a user's second factor to another account or user id: an account is given, changed, or two become one.
//!
//! A record is bound to its account and user, so that its parts open nowhere else. The operator's move opens them
//! at the old place and seals them anew at the new one, in three steps. Each writes one record and reads the other:
//!
//! ```text
//!  old place                         new place
//!   │ depart: closed; apps and phones │
//!   │ are on their way, by a random id│
//!   ├───────────────────────────────▶ │ arrive: once for each id; sealed anew, in a new factor epoch
//!   │ ◀───────────────────────────────┤
//!   │ leave: nothing is left          │
//! ```
//!
//! A factor counts at one place at most. A move that was cut off is done again, and goes on where it stopped: until then the
//! old place leads nowhere else. A move that is complete changes nothing when it is done again.
//!
//! A factor from elsewhere is worth no more than the password. So nothing comes
//! - to a place where the user has a second factor already, where a recovery code is alive, or after a reset: a move must not
//!   put somebody's app beside theirs;
//! - to an account that forces a second factor, unless the password alone sets up the first one there: a newcomer shows a
//!   recovery code.
//!
//! Where a factor could not come and the user has none at the new place, only a recovery code lets in there. A reset comes along.
//!
//! Backup and recovery codes stay behind, because their hashes are bound to the old place.
//! Tickets, passes and set-ups name the old place, and end with it; only a recovery code lets in there, and begins another life
//! without the factors. The attempt budget comes with the apps and phones.

use crate::error::Error;
use crate::event::EventKind;
use crate::factor::NamedFactor;
use crate::ids::{OperatorId, RecordId};
use crate::notice::NoticeKind;
use crate::phone::PhoneNumber;
use crate::policy::FirstFactor;
use crate::record::{App, Arrival, Departure, MoveId, Phone, Record};
use crate::totp::TotpSecret;

use super::context::{Context, View, invalid};
use super::reply::Reply;
use super::{sign_out, sms, totp};

/// Moves that a place remembers. One that is older and was cut off could bring its factors once more.
const MAX_ARRIVALS: usize = 32;

/// The first step, on the record of the old place: nothing counts there from now on.
pub(super) fn depart(context: &mut Context<'_>, new_place: &Record, operator: &OperatorId) -> Result<Reply, Error> {
    let (from, to) = (context.id(), new_place.id());
    if from == *to {
        return Err(invalid("to", "must be another account or user than `from`"));
    }
    let moved_away = EventKind::MovedAway { to_account: to.account().cloned(), to_user: to.user().clone(), operator: operator.clone() };
    match &context.record.departure {
        Some(Departure::Leaving { to: there, .. } | Departure::Left { to: there }) if there == to => {
            tell_again(context);
            return Ok(Reply::Ended {});
        }
        Some(Departure::Leaving { .. } | Departure::Left { .. }) => {
            return Err(invalid("from", "was moved to another account or user: do that move again if it failed, then move from there"));
        }
        Some(Departure::Erased) => {
            context.log(moved_away);
            return Ok(Reply::Moved { factors: Vec::new() });
        }
        None => {}
    }
    if context.record == Record::new(from.clone()) {
        context.log(moved_away);
        return Ok(Reply::Moved { factors: Vec::new() });
    }
    check_open(new_place, &from)?;
    // A key that is missing stops the move here, where nothing has changed yet.
    let (apps, phones) = (core::mem::take(&mut context.record.apps), core::mem::take(&mut context.record.phones));
    open(context.view(), &apps, &phones)?;
    let id = MoveId::random(&mut context.entropy);
    context.record.departure = Some(Departure::Leaving { to: to.clone(), id, apps, phones });
    (context.record.backup, context.record.recovery) = (None, None);
    sign_out::end_logins(context);
    // In the first epoch there are no passes. It tells of a user who never had a factor, which stays true.
    if !context.record.epoch.is_first() {
        context.begin_epoch();
    }
    context.log(moved_away);
    Ok(Reply::Ended {})
}

/// The second step, on the record of the new place.
pub(super) fn arrive(context: &mut Context<'_>, old_place: &Record, operator: &OperatorId) -> Result<Reply, Error> {
    let (from, here) = (old_place.id(), context.id());
    let (id, apps, phones) = match &old_place.departure {
        Some(Departure::Leaving { to, id, apps, phones }) if *to == here => (id, apps, phones),
        Some(Departure::Left { to }) if *to == here => return Ok(done_again(context)),
        Some(Departure::Leaving { .. } | Departure::Left { .. } | Departure::Erased) | None => return Ok(Reply::MoveChanged {}),
    };
    let known = context.record.arrivals.iter_mut().find(|arrival| arrival.id == *id);
    let factors = if let Some(Arrival { was_reset, .. }) = known {
        if *was_reset || !old_place.needs_recovery_code {
            return Ok(done_again(context));
        }
        // An owner of the old place has reset the user since.
        *was_reset = true;
        take_reset(context);
        Vec::new()
    } else {
        check_open(&context.record, from)?;
        remember(context, Arrival { id: id.clone(), was_reset: old_place.needs_recovery_code });
        take_user(context, old_place, apps, phones)?
    };
    let (from_account, from_user) = (from.account().cloned(), from.user().clone());
    context.log(EventKind::MovedHere { from_account, from_user, factors: factors.clone(), operator: operator.clone() });
    Ok(Reply::Moved { factors })
}

/// The third step, on the record of the old place: nothing is left there, once the user has arrived.
pub(super) fn leave(context: &mut Context<'_>, new_place: &Record) -> Reply {
    let record = &mut context.record;
    let Some(Departure::Leaving { to, id, .. }) = &record.departure else { return Reply::Ended {} };
    let arrival = new_place.arrivals.iter().find(|arrival| to == new_place.id() && arrival.id == *id);
    if arrival.is_none_or(|arrival| record.needs_recovery_code && !arrival.was_reset) {
        return Reply::MoveChanged {};
    }
    record.departure = Some(Departure::Left { to: to.clone() });
    record.needs_recovery_code = false;
    Reply::Ended {}
}

/// The way to a place is open where no other move leads away from it. The way home is open.
fn check_open(place: &Record, from: &RecordId) -> Result<(), Error> {
    match &place.departure {
        None => Ok(()),
        Some(Departure::Left { to }) if to == from => Ok(()),
        Some(Departure::Leaving { .. }) => Err(invalid("to", "is being moved itself: do that move again first, or erase it")),
        Some(Departure::Left { .. } | Departure::Erased) => {
            Err(invalid("to", "was moved to another account or user, or is being erased: erase it first"))
        }
    }
}

fn remember(context: &mut Context<'_>, arrival: Arrival) {
    let arrivals = &mut context.record.arrivals;
    arrivals.push(arrival);
    let too_many = arrivals.len().saturating_sub(MAX_ARRIVALS);
    arrivals.drain(..too_many);
}

/// Takes from the old place what may come, and gives the factors that did.
fn take_user(context: &mut Context<'_>, old_place: &Record, apps: &[App], phones: &[Phone]) -> Result<Vec<NamedFactor>, Error> {
    context.record.departure = None;
    let has_factor = !(apps.is_empty() && phones.is_empty());
    let comes = has_factor && is_free(context);
    let has_none_here = !comes && !context.record.has_factor();
    if comes {
        seal_anew(context, open(View { record: old_place, ..context.view() }, apps, phones)?)?;
        context.record.attempts = old_place.attempts.clone();
    }
    if old_place.needs_recovery_code && has_none_here {
        take_reset(context);
    } else if has_factor && has_none_here {
        // The password alone does not let in who had a second factor.
        context.record.needs_recovery_code = true;
        end_what_was_before(context);
    } else if comes || (context.record.epoch.is_first() && !old_place.epoch.is_first()) {
        // Someone who had a factor once sets up no first one by the password.
        end_what_was_before(context);
    }
    if has_factor {
        context.notify_all(NoticeKind::Moved, None, None);
    }
    Ok(if comes { named_factors(&context.record) } else { Vec::new() })
}

fn take_reset(context: &mut Context<'_>) {
    context.record.forget_factors();
    context.record.recovery = None;
    context.record.needs_recovery_code = true;
    end_what_was_before(context);
}

fn end_what_was_before(context: &mut Context<'_>) {
    sign_out::end_logins(context);
    context.begin_epoch();
}

/// Whether factors may come to the new place.
fn is_free(context: &Context<'_>) -> bool {
    let (policy, record) = (context.policy, &context.record);
    let by_password = policy.first_factor() == FirstFactor::Password && record.epoch.is_first();
    let may_come = by_password || !policy.forces_anybody();
    may_come && !record.has_factor() && !record.only_a_recovery_code_lets_in() && record.live_recovery(policy, context.now).is_none()
}

/// Apps and phones, each with what was sealed of it.
struct Opened {
    apps: Vec<(App, TotpSecret)>,
    phones: Vec<(Phone, PhoneNumber)>,
}

/// Opens the apps and phones of a record.
fn open(at: View<'_>, apps: &[App], phones: &[Phone]) -> Result<Opened, Error> {
    let apps = apps.iter().map(|app| Ok((app.clone(), totp::open_secret(at, &app.secret)?)));
    let phones = phones.iter().map(|phone| Ok((phone.clone(), sms::open_number(at, &phone.number)?)));
    Ok(Opened { apps: apps.collect::<Result<_, Error>>()?, phones: phones.collect::<Result<_, Error>>()? })
}

fn seal_anew(context: &mut Context<'_>, Opened { apps, phones }: Opened) -> Result<(), Error> {
    for (mut app, secret) in apps {
        app.secret = totp::seal(context, &secret)?;
        context.record.apps.push(app);
    }
    for (mut phone, number) in phones {
        phone.number = sms::seal(context, &number)?;
        context.record.phones.push(phone);
    }
    Ok(())
}

fn done_again(context: &mut Context<'_>) -> Reply {
    tell_again(context);
    Reply::Moved { factors: named_factors(&context.record) }
}

/// Tells once more that passes have ended: the word of it may have been lost. In the first epoch there were none.
fn tell_again(context: &mut Context<'_>) {
    if !context.record.epoch.is_first() {
        context.tell_that_passes_ended();
    }
}

fn named_factors(record: &Record) -> Vec<NamedFactor> {
    record.factors().map(|factor| factor.named).collect()
}
