//! T58 in the model: the operator moves a user to another account, or erases one.

use super::ask::{Ask, USERS, Who};
use super::oracle::Oracle;
use super::places::Caller;
use super::rng::Rng;
use super::seen::Seen;
use super::shadow::Shadow;
use super::world::{Checked, Fault, PEOPLE, World};

impl Oracle<'_> {
    /// Apps and phones come to a place where the user has none, and no recovery code that is alive. While nothing changed there,
    /// the move is done again from the present state of the old place.
    pub(super) fn moved_here(&mut self, from: Who, there: &Shadow) -> Seen {
        let has_come = self.me.came.is_some_and(|(place, life, _)| (place, life) == (from, there.life));
        let is_untouched = self.me.came == Some((from, there.life, self.me.epoch));
        if let Some(place) = there.moved_to {
            if has_come && is_untouched && place != self.who {
                self.end_all();
                (self.me.moved_to, self.me.came) = (Some(place), None);
            }
            return Seen::Moved(if has_come { self.me.own().len() } else { 0 });
        }
        self.reopen();
        let is_free = !self.me.has_factor()
            && !self.me.is_reset
            && self.me.live_recovery(self.rules, self.now).is_none()
            && (!self.rules.force_anybody() || (self.rules.accept_the_password() && !self.me.had_factor));
        let had_one = !self.me.had_factor && there.had_factor;
        let (brings_reset, mut number) = (there.is_reset && (has_come || !self.me.has_factor()), 0);
        let comes = !brings_reset && (is_untouched || (there.has_factor() && is_free));
        if brings_reset {
            self.forget();
            self.me.is_reset = true;
        } else if comes {
            self.take(there, is_untouched);
            number = self.me.own().len();
        }
        if brings_reset || comes || had_one {
            self.me.had_factor = true;
            self.begin_epoch();
            self.end_logins();
        }
        if brings_reset {
            self.me.came = None;
        } else if comes {
            self.me.came = Some((from, there.life, self.me.epoch));
        }
        Seen::Moved(number)
    }

    fn take(&mut self, there: &Shadow, is_again: bool) {
        let (newest, old) = (self.keys.newest(), self.me.clone());
        self.forget();
        self.me.apps.clone_from(&there.apps);
        self.me.phones.clone_from(&there.phones);
        for app in &mut self.me.apps {
            let used = old.apps.iter().find(|used| used.id == app.id).map_or(0, |used| used.last_step);
            (app.kid, app.last_step) = (newest, app.last_step.max(used));
        }
        for phone in &mut self.me.phones {
            let used = old.phones.iter().find(|used| used.id == phone.id).and_then(|used| used.used_at);
            (phone.kid, phone.used_at) = (newest, phone.used_at.max(used));
        }
        self.me.bucket = if is_again { old.bucket.stricter(&there.bucket) } else { there.bucket.clone() };
    }

    pub(super) fn reopen(&mut self) {
        if self.me.moved_to.take().is_some() {
            self.me.life = self.next_epoch;
        }
    }

    fn forget(&mut self) {
        self.me.apps.clear();
        self.me.phones.clear();
        self.me.backup = None;
    }

    pub(super) fn moved_away(&mut self, to: Who) -> Seen {
        if self.me.moved_to != Some(to) && self.is_stored {
            self.end_all();
            (self.me.is_reset, self.me.moved_to) = (false, Some(to));
        }
        Seen::Ended
    }

    pub(super) fn erased(&mut self) -> Seen {
        if self.is_stored {
            self.end_all();
            self.me.is_reset = true;
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
