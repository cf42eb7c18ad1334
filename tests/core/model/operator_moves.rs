//! T58 in the model: the operator moves a user to another account, or erases one.

use std::collections::BTreeSet;

use serde_json::Value;

use super::ask::{Ask, USERS, Who};
use super::oracle::Oracle;
use super::places::Caller;
use super::rng::Rng;
use super::seen::Seen;
use super::shadow::{Gone, Shadow, Travel};
use super::world::{Checked, Fault, PEOPLE, World};

/// Someone on the way to another place, as the operator's process reads them.
pub(super) struct Departed {
    pub(super) who: Who,
    pub(super) person: Shadow,
    pub(super) record: String,
}

impl Oracle<'_> {
    /// The user leaves for another place. `None`: it is refused, because one of the places leads elsewhere.
    pub(super) fn depart(&mut self, to: Who, there: &Shadow) -> Option<Seen> {
        match &self.me.gone {
            Some(Gone::Leaving(Travel { to: place, .. }) | Gone::Left(place)) => return (*place == to).then_some(Seen::Ended),
            Some(Gone::Erased) => return Some(Seen::Moved(0)),
            None if !self.is_stored => return Some(Seen::Moved(0)),
            None => {}
        }
        if !is_open(there, self.who) {
            return None;
        }
        let (apps, phones) = (std::mem::take(&mut self.me.apps), std::mem::take(&mut self.me.phones));
        self.me.gone = Some(Gone::Leaving(Travel { to, id: self.next_epoch, apps, phones }));
        (self.me.backup, self.me.recovery) = (None, None);
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
        if let Some((_, brought_reset)) = self.me.arrivals.iter_mut().find(|(id, _)| *id == travel.id) {
            if *brought_reset || !there.is_reset {
                return Some(Seen::Moved(self.me.own().len()));
            }
            *brought_reset = true;
            self.take_reset();
            return Some(Seen::Moved(0));
        }
        if !is_open(&self.me, from) {
            return None;
        }
        self.me.gone = None;
        self.me.arrivals.push((travel.id, there.is_reset));
        let brings_factors = !(travel.apps.is_empty() && travel.phones.is_empty());
        let rules = self.rules;
        let has_room = !self.me.has_factor() && !self.me.needs_a_code() && self.me.live_recovery(rules, self.now).is_none();
        let may_come = !rules.force_anybody() || (rules.accept_the_password() && !self.me.had_factor);
        let comes = brings_factors && has_room && may_come;
        if comes {
            let newest = self.keys.newest();
            (self.me.apps, self.me.phones) = (travel.apps.clone(), travel.phones.clone());
            self.me.apps.iter_mut().for_each(|app| (app.kid, app.opens) = (newest, true));
            self.me.phones.iter_mut().for_each(|phone| (phone.kid, phone.opens) = (newest, true));
            self.me.bucket = there.bucket.clone();
        }
        let has_none = !self.me.has_factor();
        if there.is_reset && has_none {
            self.take_reset();
        } else if comes || (brings_factors && has_none) || (there.had_factor && !self.me.had_factor) {
            self.me.is_reset |= brings_factors && has_none;
            self.end_what_was_before();
        }
        Some(Seen::Moved(if comes { self.me.own().len() } else { 0 }))
    }

    pub(super) fn leave(&mut self, to: Who, there: &Shadow) -> Seen {
        let Some(Gone::Leaving(travel)) = &self.me.gone else { return Seen::Ended };
        let has_arrived = |(id, brought_reset): &(usize, bool)| *id == travel.id && (*brought_reset || !self.me.is_reset);
        if travel.to != to || !there.arrivals.iter().any(has_arrived) {
            return Seen::MoveChanged;
        }
        self.me.gone = Some(Gone::Left(to));
        self.me.is_reset = false;
        Seen::Ended
    }

    pub(super) fn erased(&mut self) -> Seen {
        if self.is_stored {
            self.forget();
            self.me.gone = Some(Gone::Erased);
            if self.me.had_factor {
                self.begin_epoch();
            }
            self.end_logins();
        }
        Seen::Ended
    }

    fn take_reset(&mut self) {
        self.forget();
        self.me.is_reset = true;
        self.end_what_was_before();
    }

    fn end_what_was_before(&mut self) {
        self.me.had_factor = true;
        self.begin_epoch();
        self.end_logins();
    }

    pub(super) fn forget(&mut self) {
        self.me.apps.clear();
        self.me.phones.clear();
        (self.me.backup, self.me.recovery) = (None, None);
        self.me.forget_travel();
    }
}

/// Whether a move may lead to a place. The way home is open.
fn is_open(place: &Shadow, from: Who) -> bool {
    match &place.gone {
        None => true,
        Some(Gone::Left(to)) => *to == from,
        Some(Gone::Leaving(_) | Gone::Erased) => false,
    }
}

impl World {
    /// Moves a user to another account, wholly or only in the first steps, or erases one.
    pub(super) fn operate(&mut self, who: Who, caller: Caller, rng: &mut Rng) -> Checked {
        let places: Vec<Who> = (0..PEOPLE).filter(|other| *other != who && other % USERS.len() == who % USERS.len()).collect();
        let to = rng.pick(&places);
        if rng.percent(25) {
            return self.perform(who, caller, &Ask::Erased, Fault::None, rng).map(|_| ());
        }
        let own = |me: &Shadow| me.own().into_iter().map(|(_, factor, _)| factor.to_owned()).collect::<Vec<_>>();
        let steps = [(who, Ask::Depart { to }), (to, Ask::Arrive { from: who, read: None }), (who, Ask::Leave { to })];
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
            let seen = self.perform(place, caller, &ask, Fault::None, rng)?;
            self.a_factor_counts_at_one_place()?;
            if let (0, Some(Gone::Leaving(_)), Some(record)) = (step, &self.people[who].gone, &self.store[who]) {
                self.departures.push(Departed { who, person: self.people[who].clone(), record: record.clone() });
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

    /// A process that was slow does one step of a move that others have carried on, or of one that was cut off.
    fn carry_on_late(&mut self, who: Who, caller: Caller, to: Who, rng: &mut Rng) -> Checked {
        let departures = (0..self.departures.len()).filter(|number| self.departures[*number].who == who).collect::<Vec<_>>();
        let (place, ask) = match rng.late(departures.len()) {
            Some(late) if rng.percent(60) => {
                let number = departures[late];
                let Some(Gone::Leaving(travel)) = &self.departures[number].person.gone else { unreachable!("a departure") };
                let to = travel.to;
                self.count("event a late arrival".to_owned());
                (to, Ask::Arrive { from: who, read: Some(number) })
            }
            _ => rng.pick(&[(who, Ask::Depart { to }), (to, Ask::Arrive { from: who, read: None }), (who, Ask::Leave { to })]),
        };
        self.perform(place, caller, &ask, Fault::None, rng)?;
        self.a_factor_counts_at_one_place()
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
