//! T58 in the model: the operator moves a user to another account, or erases one.

use std::collections::BTreeSet;

use serde_json::Value;

use super::ask::{Ask, USERS, Who};
use super::oracle::Oracle;
use super::places::{Caller, Client, Told};
use super::rng::Rng;
use super::seen::Seen;
use super::shadow::{Arrived, Bucket, Gone, Shadow, Travel, Withdrawn};
use super::world::{Checked, Fault, PEOPLE, World};

/// The two records that a process of the operator's holds: that of the new place, and then that of the user on the way there.
pub(super) struct Departed {
    pub(super) who: Who,
    pub(super) person: Shadow,
    pub(super) record: String,
    there: Option<String>,
}

impl Oracle<'_> {
    /// The user leaves for another place. `None`: it is refused, because another move has to do with one of the places.
    pub(super) fn depart(&mut self, to: Who, there: &Shadow) -> Option<Seen> {
        match &self.me.gone {
            Some(Gone::Leaving(Travel { to: place, .. }) | Gone::Left(place)) => return (*place == to).then_some(Seen::Ended),
            Some(Gone::Erased(Some(_))) => return None,
            Some(Gone::Erased(None)) => return Some(Seen::Moved(0)),
            None if !self.is_stored => return Some(Seen::Moved(0)),
            None => {}
        }
        let is_complete = |arrived: &Arrived| arrived.from == to && there.gone == Some(Gone::Left(self.who));
        if !takes(there, self.who) || !self.me.arrival.as_ref().is_none_or(is_complete) {
            return None;
        }
        let (apps, phones) = (std::mem::take(&mut self.me.apps), std::mem::take(&mut self.me.phones));
        self.me.gone = Some(Gone::Leaving(Travel { to, id: self.next_epoch, apps, phones }));
        (self.me.arrival, self.me.backup, self.me.recovery) = (None, None, None);
        if self.me.had_factor {
            self.begin_epoch();
        }
        self.end_logins();
        Some(Seen::Ended)
    }

    /// Apps and phones come once to a place where the user has none, and no recovery code that is alive.
    pub(super) fn arrive(&mut self, from: Who, there: &Shadow) -> Option<Seen> {
        let travel = match &there.gone {
            Some(Gone::Leaving(travel)) if travel.to == self.who => travel,
            Some(Gone::Left(place)) if *place == self.who => return Some(Seen::Moved(self.me.own().len())),
            _ => return Some(Seen::MoveChanged),
        };
        if !self.is_stored {
            self.end_logins();
            return Some(Seen::MoveChanged);
        }
        if self.me.arrival.as_ref().is_some_and(|arrived| arrived.id == travel.id) {
            return Some(Seen::Moved(self.me.own().len()));
        }
        if !takes(&self.me, from) {
            return None;
        }
        let comes_home = self.me.gone.take().is_some();
        let brings_factors = travel.has_factor();
        let rules = self.rules;
        let has_room = !self.me.has_factor() && !self.me.needs_a_code() && self.me.live_recovery(rules, self.now).is_none();
        let may_come = !rules.force_anybody() || (rules.accept_the_password() && !self.me.had_factor);
        let comes = brings_factors && has_room && may_come;
        if comes {
            let newest = self.keys.newest();
            (self.me.apps, self.me.phones) = (travel.apps.clone(), travel.phones.clone());
            self.me.apps.iter_mut().for_each(|app| (app.kid, app.opens) = (newest, true));
            self.me.phones.iter_mut().for_each(|phone| (phone.kid, phone.opens) = (newest, true));
            let here = if comes_home { Bucket::default() } else { self.me.bucket.clone() };
            self.me.bucket = there.bucket.stricter(&here, self.now, rules.window);
        }
        let factors = if comes { own(&self.me) } else { Vec::new() };
        let number = factors.len();
        self.me.arrival = Some(Arrived { from, id: travel.id, factors });
        let is_shut = !self.me.has_factor() && (brings_factors || there.is_reset || (comes_home && self.me.had_factor));
        self.me.is_reset |= is_shut;
        if comes || is_shut || (there.had_factor && !self.me.had_factor) {
            self.me.had_factor = true;
            self.begin_epoch();
            self.end_logins();
        }
        Some(Seen::Moved(number))
    }

    pub(super) fn leave(&mut self, to: Who, there: &Shadow) -> Seen {
        let travel = match &self.me.gone {
            Some(Gone::Leaving(travel)) => travel,
            Some(Gone::Left(place)) if *place == to => return Seen::Ended,
            Some(Gone::Left(_) | Gone::Erased(_)) | None => return Seen::MoveChanged,
        };
        let arrived = there.arrival.as_ref().filter(|arrived| arrived.id == travel.id);
        let Some(arrived) = arrived else { return Seen::MoveChanged };
        self.me.is_reset |= travel.has_factor() && arrived.factors.is_empty();
        self.me.gone = Some(Gone::Left(to));
        Seen::Ended
    }

    pub(super) fn settle(&mut self, from: Who, there: &Shadow) -> Seen {
        let is_open = match &there.gone {
            Some(Gone::Leaving(travel)) => travel.to == self.who,
            Some(Gone::Erased(Some(withdrawn))) => withdrawn.to == self.who,
            Some(Gone::Left(_) | Gone::Erased(None)) | None => false,
        };
        if !is_open {
            self.me.arrival.take_if(|arrived| arrived.from == from);
        }
        Seen::Ended
    }

    /// `None`: a move to this place is not complete. A move from here must not end at the new place afterwards.
    pub(super) fn erased(&mut self, new_place: Option<(Who, &Shadow)>) -> Option<Seen> {
        if self.me.arrival.is_some() {
            return None;
        }
        let withdrawn = match &self.me.gone {
            Some(Gone::Leaving(travel)) => {
                let Some((_, there)) = new_place.filter(|(place, _)| *place == travel.to) else { return Some(Seen::MoveChanged) };
                let has_arrived = there.arrival.as_ref().is_some_and(|arrived| arrived.id == travel.id);
                let shuts = travel.has_factor() || self.me.is_reset;
                (!has_arrived).then_some(Withdrawn { to: travel.to, id: travel.id, shuts, had_one: self.me.had_factor })
            }
            Some(Gone::Erased(Some(withdrawn))) => {
                if new_place.is_none_or(|(place, _)| place != withdrawn.to) {
                    return Some(Seen::MoveChanged);
                }
                Some(withdrawn.clone())
            }
            Some(Gone::Erased(None)) => None,
            Some(Gone::Left(_)) | None => None,
        };
        if self.is_stored {
            self.forget();
            self.me.gone = Some(Gone::Erased(withdrawn));
            if self.me.had_factor {
                self.begin_epoch();
            }
            self.end_logins();
        }
        Some(Seen::Ended)
    }

    /// Takes back a move that was under way from a place that was erased.
    pub(super) fn withdraw(&mut self, from: Who, there: &Shadow) -> Seen {
        let Some(Gone::Erased(Some(withdrawn))) = &there.gone else { return Seen::Ended };
        if withdrawn.to != self.who {
            return Seen::MoveChanged;
        }
        debug_assert_ne!(from, self.who);
        // A record that is not there is not written for nothing: an arrival needs one.
        self.me.writes += u64::from(self.is_stored);
        if self.me.has_left() {
            return Seen::Ended;
        }
        let arrived = self.me.arrival.take_if(|arrived| arrived.id == withdrawn.id);
        for factor in arrived.iter().flat_map(|arrived| &arrived.factors) {
            self.me.apps.retain(|app| app.id != *factor);
            self.me.phones.retain(|phone| phone.id != *factor);
        }
        let sends_factors = matches!(&self.me.gone, Some(Gone::Leaving(travel)) if travel.has_factor());
        let is_shut = withdrawn.shuts && !self.me.has_factor() && !sends_factors;
        let is_new = is_shut && !self.me.is_reset;
        if is_shut {
            (self.me.backup, self.me.is_reset) = (None, true);
        }
        if is_new || arrived.is_some() || (withdrawn.had_one && !self.me.had_factor) {
            self.me.had_factor = true;
            self.begin_epoch();
            self.end_logins();
        }
        Seen::Ended
    }

    pub(super) fn forget(&mut self) {
        self.me.apps.clear();
        self.me.phones.clear();
        (self.me.backup, self.me.recovery) = (None, None);
    }
}

/// The ids of a user's apps and phones.
fn own(me: &Shadow) -> Vec<String> {
    me.own().into_iter().map(|(_, factor, _)| factor.to_owned()).collect()
}

/// Whether a place takes a user: no other move has to do with it. The way home is open.
fn takes(place: &Shadow, from: Who) -> bool {
    let is_open = match &place.gone {
        None => true,
        Some(Gone::Left(to)) => *to == from,
        Some(Gone::Leaving(_) | Gone::Erased(_)) => false,
    };
    is_open && place.arrival.as_ref().is_none_or(|arrived| arrived.from == from)
}

/// The steps of a move, each with the place whose record it writes.
fn moves(who: Who, to: Who) -> [(Who, Ask); 4] {
    [(who, Ask::Depart { to }), (to, Ask::Arrive { from: who, read: None }), (who, Ask::Leave { to }), (to, Ask::Settle { from: who })]
}

impl World {
    /// Moves a user to another account, wholly or only in the first steps, or erases one.
    pub(super) fn operate(&mut self, who: Who, caller: Caller, rng: &mut Rng) -> Checked {
        let places: Vec<Who> = (0..PEOPLE).filter(|other| *other != who && other % USERS.len() == who % USERS.len()).collect();
        let to = rng.pick(&places);
        if rng.percent(25) {
            return self.erase(who, caller, rng);
        }
        let steps = moves(who, to);
        if rng.percent(40) {
            return self.carry_on_late(who, caller, to, rng);
        }
        let before = own(&self.people[to]);
        let mut came = 0;
        for (step, (place, ask)) in steps.into_iter().enumerate() {
            // The operator's process may die between the steps: the move is done again at some time, or never.
            if step > 0 && rng.percent(25) {
                self.count("event a move was cut off".to_owned());
                return if rng.percent(30) { self.erase(who, caller, rng) } else { Ok(()) };
            }
            let mut seen = self.perform(place, caller, &ask, Fault::None, rng)?;
            if (step, &seen) == (1, &Seen::MoveChanged) {
                // The first run has made the record.
                seen = self.perform(place, caller, &ask, Fault::None, rng)?;
            }
            self.a_factor_counts_at_one_place()?;
            if let (0, Some(Gone::Leaving(_)), Some(record)) = (step, &self.people[who].gone, &self.store[who]) {
                let there = self.store[to].clone();
                self.departures.push(Departed { who, person: self.people[who].clone(), record: record.clone(), there });
            }
            match seen {
                Seen::Ended => {}
                Seen::Moved(number) if step == 1 => came = number,
                _ => return Ok(()),
            }
        }
        let now = own(&self.people[to]);
        self.meet(now == before || (before.is_empty() && came == now.len()), "nothing moves beside a second factor")?;
        self.meet(own(&self.people[who]).is_empty(), "a move that is complete leaves nothing at the old place")
    }

    /// Empties the record, and takes back what was under way. The process may die before each, and before the record is deleted.
    fn erase(&mut self, who: Who, caller: Caller, rng: &mut Rng) -> Checked {
        let to = self.people[who].goes_to().filter(|_| rng.percent(90));
        let mut factors = own(&self.people[who]);
        if let Some(Gone::Leaving(travel)) = &self.people[who].gone {
            let has_arrived = self.people[travel.to].arrival.as_ref().is_some_and(|arrived| arrived.id == travel.id);
            let apps = travel.apps.iter().map(|app| app.id.clone());
            let on_the_way = apps.chain(travel.phones.iter().map(|phone| phone.id.clone())).filter(|_| !has_arrived);
            factors.extend(on_the_way);
        }
        if self.perform(who, caller, &Ask::Erased { to }, Fault::None, rng)? != Seen::Ended {
            return Ok(());
        }
        if rng.percent(20) {
            return Ok(());
        }
        if let Some(to) = self.people[who].goes_to() {
            // A process of the move may have been slow.
            if let Some(number) = self.departures.iter().rposition(|departed| departed.who == who) {
                self.arrive_late(number, caller, rng)?;
            }
            let had_arrived = self.people[to].arrival.is_some();
            self.perform(to, caller, &Ask::Withdraw { from: who }, Fault::None, rng)?;
            if had_arrived && self.people[to].arrival.is_none() {
                self.count("event a late arrival was taken back".to_owned());
            }
            self.perform(to, caller, &Ask::Settle { from: who }, Fault::None, rng)?;
        }
        self.removed.extend(factors);
        Ok(())
    }

    /// The host deletes a record that was emptied, and has ended the sessions: nobody who comes later knows of it.
    fn delete(&mut self, who: Who) {
        self.store[who] = None;
        self.people[who] = Shadow::default();
        (self.had_factor[who], self.rescued[who], self.is_shut[who]) = (false, false, false);
        (self.reset_at[who], self.guesses[who]) = (0, 0);
    }

    /// A process that was slow does one step of a move that others have carried on, or of one that was cut off.
    fn carry_on_late(&mut self, who: Who, caller: Caller, to: Who, rng: &mut Rng) -> Checked {
        let departures = (0..self.departures.len()).filter(|number| self.departures[*number].who == who).collect::<Vec<_>>();
        let (place, ask) = match rng.late(departures.len()) {
            Some(late) if rng.percent(60) => return self.arrive_late(departures[late], caller, rng),
            _ => rng.pick(&moves(who, to)),
        };
        self.perform(place, caller, &ask, Fault::None, rng)?;
        self.a_factor_counts_at_one_place()
    }

    /// A process that has read a departure, and the new place before it, arrives by what it has read.
    fn arrive_late(&mut self, number: usize, caller: Caller, rng: &mut Rng) -> Checked {
        let (who, gone) = (self.departures[number].who, &self.departures[number].person.gone);
        let Some(Gone::Leaving(travel)) = gone else { unreachable!("a departure") };
        let to = travel.to;
        if self.departures[number].there != self.store[to] {
            self.count("event a late arrival lost its race".to_owned());
            return Ok(());
        }
        self.count("event a late arrival".to_owned());
        self.perform(to, caller, &Ask::Arrive { from: who, read: Some(number) }, Fault::None, rng)?;
        self.a_factor_counts_at_one_place()
    }

    /// The documented remedy for someone on the way: the operator does the move again, or erases the place where that is refused.
    pub(super) fn end_the_move(&mut self, who: Who, rng: &mut Rng) -> Checked {
        let caller = Caller { client: Client::Office, roles: Told::Nothing };
        let to = match &self.people[who].gone {
            Some(Gone::Leaving(travel)) => travel.to,
            Some(Gone::Erased(Some(_))) => return self.end_the_erasure(who, caller, rng),
            Some(Gone::Left(_) | Gone::Erased(None)) | None => return Ok(()),
        };
        for (place, ask) in moves(who, to).into_iter().skip(1) {
            let mut seen = self.perform(place, caller, &ask, Fault::None, rng)?;
            if seen == Seen::MoveChanged {
                seen = self.perform(place, caller, &ask, Fault::None, rng)?;
            }
            if seen == Seen::MoveRefused {
                self.count("way: somebody on the way was erased".to_owned());
                self.perform(who, caller, &Ask::Erased { to: Some(to) }, Fault::None, rng)?;
                return self.end_the_erasure(who, caller, rng);
            }
        }
        self.count("way: a move was completed".to_owned());
        Ok(())
    }

    /// The operator erases someone once more, whose erasure was cut off: then anybody may begin anew there.
    fn end_the_erasure(&mut self, who: Who, caller: Caller, rng: &mut Rng) -> Checked {
        if let Some(to) = self.people[who].goes_to() {
            self.perform(to, caller, &Ask::Withdraw { from: who }, Fault::None, rng)?;
        }
        self.delete(who);
        Ok(())
    }

    /// Read from the records as they are stored, apart from the model's own prediction.
    fn a_factor_counts_at_one_place(&mut self) -> Checked {
        let records = self.store.iter().flatten().map(|text| serde_json::from_str::<Value>(text).unwrap());
        let ids: Vec<String> = records
            .flat_map(|record| ["apps", "phones"].map(|kind| record[kind].as_array().cloned().unwrap_or_default()))
            .flatten()
            .map(|factor| factor["id"].to_string())
            .collect();
        let distinct: BTreeSet<&String> = ids.iter().collect();
        let is_once = distinct.len() == ids.len();
        self.meet(is_once, "a factor counts at one place at most")
    }
}
