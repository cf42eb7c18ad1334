//! T58 in the model: the operator moves a user to another account, or erases one.

use super::ask::{Ask, USERS, Who};
use super::oracle::Oracle;
use super::places::Caller;
use super::rng::Rng;
use super::seen::Seen;
use super::shadow::Shadow;
use super::world::{Checked, Fault, PEOPLE, World};

impl Oracle<'_> {
    /// Apps and phones come to a place where the user has none, and no recovery code that is alive.
    pub(super) fn moved_here(&mut self, there: &Shadow) -> Seen {
        let by_password = self.rules.accept_the_password() && !self.me.had_factor;
        let may_come = self.me.has_factor() || by_password || !self.rules.force_anybody();
        let is_free = may_come
            && !self.me.is_reset
            && self.me.live_recovery(self.rules, self.now).is_none()
            && self.me.own().iter().all(|(_, factor, _)| there.own().iter().any(|(_, other, _)| other == factor));
        let comes = there.has_factor() && is_free;
        if comes {
            let newest = self.keys.newest();
            self.me.apps.clone_from(&there.apps);
            self.me.phones.clone_from(&there.phones);
            self.me.apps.iter_mut().for_each(|app| app.kid = newest);
            self.me.phones.iter_mut().for_each(|phone| phone.kid = newest);
            self.me.backup = None;
            self.me.bucket = there.bucket.clone();
        }
        if comes || (!self.me.had_factor && there.had_factor) {
            self.me.had_factor = true;
            self.begin_epoch();
            self.end_logins();
        }
        self.me.is_reset |= there.is_reset && !self.me.has_factor();
        Seen::Moved(if comes { self.me.own().len() } else { 0 })
    }

    /// Nothing is left, after a move to another place and of an erased user.
    pub(super) fn end_all(&mut self) -> Seen {
        if self.is_stored {
            self.me.apps.clear();
            self.me.phones.clear();
            (self.me.backup, self.me.recovery) = (None, None);
            (self.me.had_factor, self.me.is_reset) = (true, true);
            self.begin_epoch();
            self.end_logins();
        }
        Seen::Ended
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
        self.meet(number == 0 || before.own().is_empty(), "nothing moves beside a second factor")?;
        self.perform(who, caller, &Ask::MovedAway { to }, Fault::None, rng)?;
        Ok(())
    }
}
