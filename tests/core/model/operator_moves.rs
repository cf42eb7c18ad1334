//! T58 in the model: the operator moves a user to another account, or erases one.

use std::collections::BTreeSet;

use serde_json::Value;

use super::ask::{Ask, USERS, Who};
use super::oracle::Oracle;
use super::places::{Caller, Client, Told};
use super::rng::Rng;
use super::seen::Seen;
use super::shadow::{Arrived, Bucket, Gone, Shadow, Travel};
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
            Some(Gone::Erased) => return Some(Seen::Moved(0)),
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
        self.arrive_with(from, there, true)
    }

    /// The user arrives without factors, where the place takes somebody at all.
    pub(super) fn call_off(&mut self, from: Who, there: &Shadow) -> Seen {
        if takes(&self.me, from) { self.arrive_with(from, there, false).unwrap_or(Seen::MoveRefused) } else { Seen::Ended }
    }

    fn arrive_with(&mut self, from: Who, there: &Shadow, brings_all: bool) -> Option<Seen> {
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
        let comes = brings_all && brings_factors && has_room && may_come;
        if comes {
            let newest = self.keys.newest();
            (self.me.apps, self.me.phones) = (travel.apps.clone(), travel.phones.clone());
            self.me.apps.iter_mut().for_each(|app| (app.kid, app.opens) = (newest, true));
            self.me.phones.iter_mut().for_each(|phone| (phone.kid, phone.opens) = (newest, true));
            let here = if comes_home { Bucket::default() } else { self.me.bucket.clone() };
            self.me.bucket = there.bucket.stricter(&here, self.now, rules.window);
        }
        let factors = if comes { self.me.own().len() } else { 0 };
        self.me.arrival = Some(Arrived { from, id: travel.id, factors });
        let is_shut = !self.me.has_factor() && (brings_factors || there.is_reset || (comes_home && self.me.had_factor));
        self.me.is_reset |= is_shut;
        if comes || is_shut || (there.had_factor && !self.me.had_factor) {
            self.me.had_factor = true;
            self.begin_epoch();
            self.end_logins();
        }
        Some(Seen::Moved(factors))
    }

    pub(super) fn leave(&mut self, to: Who, there: &Shadow) -> Seen {
        let Some(Gone::Leaving(travel)) = &self.me.gone else { return Seen::Ended };
        let arrived = there.arrival.as_ref().filter(|arrived| arrived.id == travel.id);
        let Some(arrived) = arrived else { return Seen::MoveChanged };
        self.me.is_reset |= travel.has_factor() && arrived.factors == 0;
        self.me.gone = Some(Gone::Left(to));
        Seen::Ended
    }

    pub(super) fn settle(&mut self, from: Who, there: &Shadow) -> Seen {
        let is_leaving = matches!(&there.gone, Some(Gone::Leaving(travel)) if travel.to == self.who);
        if !is_leaving {
            self.me.arrival.take_if(|arrived| arrived.from == from);
        }
        Seen::Ended
    }

    /// `None`: a move to this place is not complete. A move from here must not end at the new place afterwards.
    pub(super) fn erased(&mut self, new_place: Option<(Who, &Shadow)>) -> Option<Seen> {
        if self.me.arrival.is_some() {
            return None;
        }
        if let Some(Gone::Leaving(travel)) = &self.me.gone {
            let may_arrive = |(place, there): (Who, &Shadow)| {
                let has_arrived = there.arrival.as_ref().is_some_and(|arrived| arrived.id == travel.id);
                place != travel.to || !has_arrived && takes(there, self.who)
            };
            if new_place.is_none_or(may_arrive) {
                return Some(Seen::MoveChanged);
            }
        }
        if self.is_stored {
            self.forget();
            self.me.gone = Some(Gone::Erased);
            if self.me.had_factor {
                self.begin_epoch();
            }
            self.end_logins();
        }
        Some(Seen::Ended)
    }

    pub(super) fn forget(&mut self) {
        self.me.apps.clear();
        self.me.phones.clear();
        (self.me.backup, self.me.recovery) = (None, None);
    }
}

/// Whether a place takes a user: no other move has to do with it. The way home is open.
fn takes(place: &Shadow, from: Who) -> bool {
    let is_open = match &place.gone {
        None => true,
        Some(Gone::Left(to)) => *to == from,
        Some(Gone::Leaving(_) | Gone::Erased) => false,
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
        let own = |me: &Shadow| me.own().into_iter().map(|(_, factor, _)| factor.to_owned()).collect::<Vec<_>>();
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
                return Ok(());
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

    /// Empties the record, and dies before the record is deleted. A move from there is called off first, unless it is forgotten.
    fn erase(&mut self, who: Who, caller: Caller, rng: &mut Rng) -> Checked {
        let own = |me: &Shadow| me.own().into_iter().map(|(_, factor, _)| factor.to_owned()).collect::<Vec<_>>();
        let mut factors = own(&self.people[who]);
        let mut to = None;
        if let Some(Gone::Leaving(travel)) = &self.people[who].gone {
            let there = travel.to;
            let on_the_way = travel.apps.iter().map(|app| app.id.clone()).chain(travel.phones.iter().map(|phone| phone.id.clone()));
            let on_the_way: Vec<String> = on_the_way.collect();
            to = rng.percent(80).then_some(there);
            if rng.percent(80) {
                let call_off = Ask::CallOff { from: who };
                if self.perform(there, caller, &call_off, Fault::None, rng)? == Seen::MoveChanged {
                    self.perform(there, caller, &call_off, Fault::None, rng)?;
                }
            }
            // Those that arrived before stay.
            factors.extend(on_the_way.into_iter().filter(|id| !own(&self.people[there]).contains(id)));
        }
        if self.perform(who, caller, &Ask::Erased { to }, Fault::None, rng)? != Seen::Ended {
            return Ok(());
        }
        self.removed.extend(factors);
        Ok(())
    }

    /// A process that was slow does one step of a move that others have carried on, or of one that was cut off.
    fn carry_on_late(&mut self, who: Who, caller: Caller, to: Who, rng: &mut Rng) -> Checked {
        let departures = (0..self.departures.len()).filter(|number| self.departures[*number].who == who).collect::<Vec<_>>();
        let (place, ask) = match rng.late(departures.len()) {
            Some(late) if rng.percent(60) => {
                let number = departures[late];
                let Some(Gone::Leaving(travel)) = &self.departures[number].person.gone else { unreachable!("a departure") };
                let to = travel.to;
                if self.departures[number].there != self.store[to] {
                    self.count("event a late arrival lost its race".to_owned());
                    return Ok(());
                }
                self.count("event a late arrival".to_owned());
                (to, Ask::Arrive { from: who, read: Some(number) })
            }
            _ => rng.pick(&moves(who, to)),
        };
        self.perform(place, caller, &ask, Fault::None, rng)?;
        self.a_factor_counts_at_one_place()
    }

    /// The documented remedy for someone on the way: the operator does the move again, or erases the place where that is refused.
    pub(super) fn end_the_move(&mut self, who: Who, rng: &mut Rng) -> Checked {
        let Some(Gone::Leaving(travel)) = &self.people[who].gone else { return Ok(()) };
        let to = travel.to;
        let caller = Caller { client: Client::Office, roles: Told::Nothing };
        for (place, ask) in moves(who, to).into_iter().skip(1) {
            let mut seen = self.perform(place, caller, &ask, Fault::None, rng)?;
            if seen == Seen::MoveChanged {
                seen = self.perform(place, caller, &ask, Fault::None, rng)?;
            }
            if seen == Seen::MoveRefused {
                self.count("way: somebody on the way was erased".to_owned());
                return self.perform(who, caller, &Ask::Erased { to: Some(to) }, Fault::None, rng).map(|_| ());
            }
        }
        self.count("way: a move was completed".to_owned());
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
