//! The move of a user's second factor to another account or user id: an account is given, changed, or two become one.
//!
//! A record is bound to its account and user, so that its parts open nowhere else. The operator's move opens them
//! at the old place and seals them anew at the new one, in four steps. Each writes one record, and reads the other after it. A new place without a record gets one first:
//!
//! ```text
//!  old place                             new place
//!   │ depart: nothing lets in; apps and   │
//!   │ phones are on their way             │
//!   ├───────────────────────────────────▶ │ arrive: sealed anew, in a new factor epoch
//!   │ ◀───────────────────────────────────┤
//!   │ leave: nothing is left              │
//!   ├───────────────────────────────────▶ │ settle: the move is complete
//! ```
//!
//! A factor counts at one place at most. A move that was cut off is done again, and goes on where it stopped. Until it is
//! complete neither place leads anywhere else: nobody moves on from the new one, nobody else comes there, and it is not erased;
//! at the old one nobody is reset, and no recovery code is issued. So neither step finds anything else than the one before it
//! left. A step that was slow reads the other record after its own, and loses its race where its own has changed.
//!
//! Where the old place is erased before the user has arrived, its record keeps the move in mind until it is deleted, and a write to
//! the new place follows: a slow arrival loses its race to it, and one that was faster is taken back. A recovery code is needed there
//! then, as wherever factors were lost.
//!
//! A factor from elsewhere is worth no more than the password. So nothing comes
//! - to a place where the user has a second factor already, where a recovery code is alive, or after a reset: a move must not
//!   put somebody's app beside theirs;
//! - to an account that forces a second factor, unless the password alone sets up the first one there: a newcomer shows a
//!   recovery code.
//!
//! Where a factor could not come and the user has none at the new place, only a recovery code lets in there. A reset comes along,
//! and holds at the old place too. The old place takes the user back; where no factor comes home, or where the user's factors
//! were lost on the way out, only a recovery code lets in.
//!
//! Backup and recovery codes stay behind, because their hashes are bound to the old place.
//! Tickets, passes and set-ups name the old place, and end with it; only a recovery code lets in there, and begins another life
//! without the factors. The attempt budget comes with the apps and phones.

use crate::error::Error;
use crate::event::EventKind;
use crate::factor::NamedFactor;
use crate::ids::{OperatorId, RecordId};
use crate::lockout::Attempts;
use crate::notice::NoticeKind;
use crate::phone::PhoneNumber;
use crate::policy::FirstFactor;
use crate::record::{App, Arrival, Departure, Factor, MoveId, Phone, Record, Withdrawal};
use crate::totp::TotpSecret;

use super::context::{Context, View, invalid};
use super::reply::Reply;
use super::{sign_out, sms, totp};

/// The first step, on the record of the old place: nothing lets in there from now on.
pub(super) fn depart(context: &mut Context<'_>, new_place: &Record, operator: &OperatorId) -> Result<Reply, Error> {
    let (from, to) = (context.id(), new_place.id());
    if from == *to {
        return Err(invalid("to", "must be another account or user than `from`"));
    }
    let moved_away = EventKind::MovedAway { to_account: to.account().cloned(), to_user: to.user().clone(), operator: operator.clone() };
    match &context.record.departure {
        Some(Departure::Leaving { to: there, .. }) if there == to => {
            tell_again(context);
            context.log(moved_away);
            return Ok(Reply::Ended {});
        }
        Some(Departure::Left { to: there }) if there == to => {
            tell_again(context);
            return Ok(Reply::Ended {});
        }
        Some(Departure::Leaving { .. } | Departure::Left { .. }) => {
            return Err(invalid("from", "was moved to another account or user: do that move again if it failed, then move from there"));
        }
        Some(Departure::Erased { withdrawal: Some(_) }) => return Err(invalid("from", "is being erased: erase it again first")),
        Some(Departure::Erased { withdrawal: None }) => return Ok(nothing_to_move(context, moved_away)),
        None if context.record == Record::new(from.clone()) => return Ok(nothing_to_move(context, moved_away)),
        None => {}
    }
    let is_on_the_way_back = matches!(&new_place.departure, Some(Departure::Left { to }) if *to == from);
    if context.record.arrival.as_ref().is_some_and(|arrival| arrival.from != *to || !is_on_the_way_back) {
        return Err(invalid("from", "a move to it is not complete: do that move again first"));
    }
    check_takes(new_place, &from)?;
    // A key that is missing stops the move here, where nothing has changed yet.
    let (apps, phones) = (core::mem::take(&mut context.record.apps), core::mem::take(&mut context.record.phones));
    open(context.view(), &apps, &phones)?;
    let id = MoveId::random(&mut context.entropy);
    context.record.departure = Some(Departure::Leaving { to: to.clone(), id, apps, phones });
    (context.record.arrival, context.record.recovery) = (None, None);
    context.record.forget_factors();
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
        Some(Departure::Left { to }) if *to == here => return Ok(told_again(context)),
        Some(Departure::Leaving { .. } | Departure::Left { .. } | Departure::Erased { .. }) | None => return Ok(Reply::MoveChanged {}),
    };
    if context.record == Record::new(here.clone()) {
        // Makes the record. A write to none could land on a place that was erased since; a write to this record cannot.
        sign_out::end_logins(context);
        return Ok(Reply::MoveChanged {});
    }
    let (factors, reply) = if let Some(arrival) = context.record.arrival.clone().filter(|arrival| arrival.id == *id) {
        // The word of it may have been lost with the reply.
        (arrival.factors, told_again(context))
    } else {
        check_takes(&context.record, from)?;
        let comes = take_user(context, old_place, apps, phones)?;
        let factors = if comes { named_factors(&context.record) } else { Vec::new() };
        context.record.arrival = Some(Arrival { from: from.clone(), id: id.clone(), factors: factors.clone() });
        (factors.clone(), Reply::Moved { factors })
    };
    let (comes, from_account, from_user) = (!factors.is_empty(), from.account().cloned(), from.user().clone());
    context.log(EventKind::MovedHere { from_account, from_user, factors, operator: operator.clone() });
    if comes {
        context.notify_all(NoticeKind::Moved, None, None);
    } else if is_any(apps, phones) {
        context.notify_all(NoticeKind::MovedWithoutFactors, None, None);
    }
    Ok(reply)
}

/// The third step, on the record of the old place: nothing is left there, once the user has arrived.
pub(super) fn leave(context: &mut Context<'_>, new_place: &Record) -> Reply {
    let record = &mut context.record;
    let (to, id, apps, phones) = match &record.departure {
        Some(Departure::Leaving { to, id, apps, phones }) => (to, id, apps, phones),
        Some(Departure::Left { to }) if to == new_place.id() => return Reply::Ended {},
        // The user was erased, and perhaps somebody else has begun here since.
        Some(Departure::Left { .. } | Departure::Erased { .. }) | None => return Reply::MoveChanged {},
    };
    let arrival = new_place.arrival.as_ref().filter(|arrival| arrival.id == *id);
    let Some(arrival) = arrival else { return Reply::MoveChanged {} };
    // Also on the way home: nobody else's factor takes the place of those that are lost.
    record.needs_recovery_code |= is_any(apps, phones) && arrival.factors.is_empty();
    record.departure = Some(Departure::Left { to: to.clone() });
    Reply::Ended {}
}

/// The fourth step, on the record of the new place: once nobody is on the way from the old one, the move is complete. An arrival
/// that is to be taken back is not.
pub(super) fn settle(context: &mut Context<'_>, old_place: &Record) -> Reply {
    if old_place.goes_to() != Some(&context.id()) {
        context.record.arrival.take_if(|arrival| arrival.from == *old_place.id());
    }
    Reply::Ended {}
}

/// The withdrawal that an erasure of the old place leads to, where a move is under way. `Err`: it needs the record of the new place.
pub(super) fn withdrawal(old_place: &Record, new_place: Option<&Record>) -> Result<Option<Withdrawal>, Reply> {
    let Some(to) = old_place.goes_to() else { return Ok(None) };
    let place = new_place.filter(|place| place.id() == to).ok_or(Reply::MoveChanged {})?;
    let Some(Departure::Leaving { id, apps, phones, .. }) = &old_place.departure else { return Ok(old_place.withdrawal().cloned()) };
    let has_arrived = place.arrival.as_ref().is_some_and(|arrival| arrival.id == *id);
    let shuts = is_any(apps, phones) || old_place.needs_recovery_code;
    let withdrawal = Withdrawal { to: to.clone(), id: id.clone(), shuts, had_one: !old_place.epoch.is_first() };
    Ok(Some(withdrawal).filter(|_| !has_arrived))
}

/// On the record of the new place, after the old one was erased: takes back what has arrived since. It is stored in each case, and
/// tells each time what it has told: the word of it may have been lost.
pub(super) fn withdraw(context: &mut Context<'_>, old_place: &Record) -> Reply {
    let Some(Withdrawal { to, id, shuts, had_one }) = old_place.withdrawal() else { return Reply::Ended {} };
    // The record is of another erasure, from another move.
    if *to != context.id() {
        return Reply::MoveChanged {};
    }
    // At a place without a record nothing can arrive: an arrival names the record that it has read.
    context.record.touch();
    // The place is shut already, and takes its own user back.
    if context.record.has_left() {
        return Reply::Ended {};
    }
    let arrival = context.record.arrival.take_if(|arrival| arrival.id == *id);
    for factor in arrival.iter().flat_map(|arrival| &arrival.factors) {
        if let Some(Factor { method, named, .. }) = context.record.factor(&factor.id) {
            context.record.drop_factor(&named.id);
            context.log(EventKind::FactorRemoved { method, factor: named });
        }
    }
    let is_own = context.record.has_factor() || context.record.sends_factors();
    let is_shut = *shuts && !is_own;
    let is_new = is_shut && !context.record.needs_recovery_code;
    if is_shut {
        context.record.forget_factors();
        context.record.needs_recovery_code = true;
        context.notify_all(NoticeKind::MovedWithoutFactors, None, None);
    }
    if is_new || arrival.is_some() || (*had_one && context.record.epoch.is_first()) {
        end_what_was_before(context);
    } else {
        tell_again(context);
    }
    Reply::Ended {}
}

fn nothing_to_move(context: &mut Context<'_>, moved_away: EventKind) -> Reply {
    context.log(moved_away);
    Reply::Moved { factors: Vec::new() }
}

fn is_any(apps: &[App], phones: &[Phone]) -> bool {
    !apps.is_empty() || !phones.is_empty()
}

/// A place takes a user where no other move has to do with it. The way home is open.
fn check_takes(place: &Record, from: &RecordId) -> Result<(), Error> {
    if place.arrival.as_ref().is_some_and(|arrival| arrival.from != *from) {
        return Err(invalid("to", "another move to it is not complete: do that move again first"));
    }
    match &place.departure {
        None => Ok(()),
        Some(Departure::Left { to }) if to == from => Ok(()),
        Some(Departure::Leaving { .. }) => Err(invalid("to", "is being moved itself: do that move again first, or erase it")),
        Some(Departure::Left { .. } | Departure::Erased { .. }) => {
            Err(invalid("to", "was moved to another account or user, or is being erased: erase it first"))
        }
    }
}

/// Takes from the old place what may come; whether factors did.
fn take_user(context: &mut Context<'_>, old_place: &Record, apps: &[App], phones: &[Phone]) -> Result<bool, Error> {
    let had_one = !context.record.epoch.is_first();
    let is_way_home = context.record.departure.take().is_some();
    let has_factor = is_any(apps, phones);
    let comes = has_factor && is_free(context);
    if comes {
        seal_anew(context, open(View { record: old_place, ..context.view() }, apps, phones)?)?;
        // The budget that comes home is the one that went out.
        let here = if is_way_home { &Attempts::NEW } else { &context.record.attempts };
        context.record.attempts = old_place.attempts.stricter(here, context.now, context.policy.window());
    }
    // The password alone lets in nobody who had a second factor or was reset.
    if !context.record.has_factor() && (has_factor || old_place.needs_recovery_code || (is_way_home && had_one)) {
        context.record.needs_recovery_code = true;
        end_what_was_before(context);
    } else if comes || (!had_one && !old_place.epoch.is_first()) {
        // Someone who had a factor once sets up no first one by the password.
        end_what_was_before(context);
    }
    Ok(comes)
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
        context.record.owes_backup_codes |= app.is_untold;
        context.record.apps.push(app);
    }
    for (mut phone, number) in phones {
        phone.number = sms::seal(context, &number)?;
        context.record.phones.push(phone);
    }
    Ok(())
}

/// Answers a move that is done again: the factors that the user has here now.
fn told_again(context: &mut Context<'_>) -> Reply {
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
