//! T58 in the model: the operator moves a user to another account, or erases one.

use super::ask::{Ask, USERS, Who};
use super::oracle::Oracle;
use super::places::Caller;
use super::rng::Rng;
use super::seen::Seen;
use super::shadow::Shadow;
use super::world::{Checked, Fault, PEOPLE, World};

impl Oracle<'_> {
    /// Apps and phones come once to a place where the user has none, and no recovery code that is alive. `None`: a move back
    /// waits until the first is complete.
    pub(super) fn moved_here(&mut self, from: Who, there: &Shadow) -> Option<Seen> {
        let holds = |person: &Shadow| person.has_factor() || person.is_reset;
        let is_closed = self.me.is_erased || self.me.moved_to.is_some_and(|place| place != from);
        let is_half = there.came_from.contains(&self.who) && self.me.moved_to != Some(from) && self.me.had_factor;
        if is_half || (is_closed && holds(there)) {
            return None;
        }
        let has_come = self.me.came_from.contains(&from);
        if there.moved_to.is_some() || there.is_erased || is_closed {
            return Some(Seen::Moved(if has_come { self.me.own().len() } else { 0 }));
        }
        self.me.moved_to = None;
        let is_free = !self.me.has_factor()
            && !self.me.needs_a_code()
            && self.me.live_recovery(self.rules, self.now).is_none()
            && (!self.rules.force_anybody() || (self.rules.accept_the_password() && !self.me.had_factor));
        let brings_reset = there.is_reset && (has_come || !self.me.has_factor());
        let comes = !brings_reset && !has_come && there.has_factor() && is_free;
        let had_one = !self.me.had_factor && there.had_factor;
        let stays_behind = there.has_factor() && !comes && !has_come && !self.me.has_factor();
        if stays_behind {
            self.me.is_reset = true;
        } else if brings_reset {
            self.forget();
            (self.me.is_reset, self.me.recovery) = (true, None);
        } else if comes {
            let newest = self.keys.newest();
            self.me.apps.clone_from(&there.apps);
            self.me.phones.clone_from(&there.phones);
            self.me.apps.iter_mut().for_each(|app| app.kid = newest);
            self.me.phones.iter_mut().for_each(|phone| phone.kid = newest);
            self.me.bucket = there.bucket.clone();
        } else if has_come {
            for app in &mut self.me.apps {
                let used = there.apps.iter().find(|other| other.id == app.id).map_or(0, |other| other.last_step);
                app.last_step = app.last_step.max(used);
            }
            if there.bucket.failures > self.me.bucket.failures {
                self.me.bucket = there.bucket.clone();
            }
        }
        if (brings_reset || comes) && !has_come {
            self.me.came_from.push(from);
        }
        if brings_reset || comes || had_one || stays_behind {
            self.me.had_factor = true;
            self.begin_epoch();
            self.end_logins();
        }
        Some(Seen::Moved(if comes || has_come { self.me.own().len() } else { 0 }))
    }

    fn forget(&mut self) {
        self.me.apps.clear();
        self.me.phones.clear();
        self.me.backup = None;
    }

    pub(super) fn moved_away(&mut self, to: Who) -> Seen {
        if self.me.moved_to.is_none() && self.is_stored {
            self.end_all();
            (self.me.is_reset, self.me.moved_to) = (false, Some(to));
            self.me.came_from.clear();
        }
        Seen::Ended
    }

    pub(super) fn erased(&mut self) -> Seen {
        if self.is_stored {
            self.end_all();
            self.me.is_erased = true;
        }
        Seen::Ended
    }

    fn end_all(&mut self) {
        self.forget();
        self.me.recovery = None;
        if self.me.had_factor {
            self.begin_epoch();
        }
        self.end_logins();
    }
}

impl World {
    /// Moves a user to another account, in both steps or only in the first, or erases one.
    pub(super) fn operate(&mut self, who: Who, caller: Caller, rng: &mut Rng) -> Checked {
        let places: Vec<Who> = (0..PEOPLE).filter(|other| *other != who && other % USERS.len() == who % USERS.len()).collect();
        let to = rng.pick(&places);
        if rng.percent(25) {
            return self.perform(who, caller, &Ask::Erased, Fault::None, rng).map(|_| ());
        }
        let before = self.people[to].clone();
        let seen = self.perform(to, caller, &Ask::MovedHere { from: who }, Fault::None, rng)?;
        let Seen::Moved(number) = seen else { return Ok(()) };
        let held = |me: &Shadow| me.own().into_iter().map(|(_, factor, _)| factor.to_owned()).collect::<Vec<_>>();
        let (now, there) = (held(&self.people[to]), held(&self.people[who]));
        let is_all_of_one_place = now == held(&before) || now.iter().all(|factor| there.contains(factor));
        self.meet(number <= now.len() && is_all_of_one_place, "nothing moves beside a second factor")?;
        // The operator's process may die between the steps: the move is done again at some time, or never.
        if rng.percent(30) {
            self.count("event a move was cut off".to_owned());
            return Ok(());
        }
        self.perform(who, caller, &Ask::MovedAway { to }, Fault::None, rng).map(|_| ())
    }
}
