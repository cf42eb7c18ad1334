//! Events beside the commands: the clock, the keys, the rules of the accounts and the places of the callers change.

use crate::policy::Channel;

use super::ask::{Ask, Keys, SESSIONS, Token, Who, account};
use super::document::Document;
use super::events::Mood;
use super::places::{CLIENTS, Caller, Client, Told};
use super::rng::Rng;
use super::rules::Rules;
use super::shadow::Lock;
use super::world::{Checked, Fault, PEOPLE, START, World};

/// The host without accounts in its store. Its users may have one second factor for many accounts.
const OF_MANY: usize = 0;

impl World {
    /// Someone who comes from a place from which the rules turn nobody away, if there is one.
    pub(super) fn arrive(&self, who: Who, rng: &mut Rng) -> Caller {
        let client = self.rules[account(who)].admitted(self.now).unwrap_or(Client::Office);
        Caller { client, roles: Told::any(rng) }
    }

    /// The rules of an account after some change.
    pub(super) fn other_rules(&self, account: usize, rng: &mut Rng) -> Rules {
        let rules = &self.rules[account];
        if rules.admitted(self.now).is_none() && rng.percent(60) {
            return rules.each(Document::opened);
        }
        let mut documents = rules.documents.clone();
        let index = rng.below(documents.len());
        let next = match rng.below(10) {
            // The user joins an account, and leaves one.
            0 if rules.is_of_all && documents.len() < 3 => {
                let joined = if rng.percent(50) { Document::lenient() } else { Document::strict(false) };
                documents.insert(rng.below(documents.len() + 1), joined);
                Rules::of(documents, true)
            }
            1 if documents.len() > 1 && !documents[index].stays_strict => {
                documents.remove(index);
                Rules::of(documents, true)
            }
            // The host begins, or ceases, to give a list.
            2 if account == OF_MANY && documents.len() == 1 && rng.percent(50) => Rules::of(documents, !rules.is_of_all),
            _ => rules.with(index, |document| document.changed(self.now, rng)),
        };
        // Rules that admit nobody from the start teach nothing; those that end may do so later.
        if next.admitted(self.now).is_none() { rules.clone() } else { next }
    }

    /// A person or a program asks to be let in, from anywhere, after a list has changed perhaps.
    pub(super) fn come_from_everywhere(&mut self, who: Who, rng: &mut Rng) -> Checked {
        if rng.percent(25) {
            let rules = &self.rules[account(who)];
            let index = rng.below(rules.documents.len());
            self.set_rules(account(who), rules.with(index, |document| document.with_other_lists(self.now, rng)));
        }
        let caller = Caller { client: rng.pick(&CLIENTS), roles: Told::any(rng) };
        let channel = if rng.percent(50) { Channel::Web } else { Channel::Api };
        let (session, plan) = (rng.pick(&SESSIONS), None);
        let ask = match rng.below(3) {
            0 => self.check_with(session, Token::None, rng),
            _ => Ask::Begin { session, channel, plan },
        };
        self.perform(who, caller, &ask, Fault::None, rng).map(|_| ())
    }

    pub(super) fn clock_event(&mut self, mood: Mood, rng: &mut Rng) {
        let now = self.now;
        let next = match (rng.below(12), mood == Mood::Clock || mood == Mood::Owners) {
            (0, true) => now - rng.pick(&[1, 10, 45, 61]),
            (1, true) => now - rng.pick(&[90, 600, 3_600, 20_000]),
            (2, true) => now + rng.pick(&[86_400 * 400, 86_400 * 4_000]),
            // Back to where the clock is right.
            (3..5, true) if now > START + 86_400 * 300 => START + (now % 86_400),
            (5, _) => now + 3_700,
            (6, _) => now + rng.pick(&[90, 600, 1_900]),
            (7, _) => {
                let who = rng.below(PEOPLE);
                match self.people[who].bucket.lock(now, self.rules[account(who)].window, 1) {
                    Lock::Until(time) => time,
                    Lock::Open | Lock::Stopped => now + 30,
                }
            }
            _ => now + 1 + u64::try_from(rng.below(45)).unwrap(),
        };
        self.set_clock(next.max(START));
    }

    pub(super) fn key_event(&mut self, rng: &mut Rng) {
        let mut keys: Keys = self.keys.clone();
        match rng.below(7) {
            0 => {
                keys.sealing.insert(0, keys.sealings);
                keys.sealings += 1;
            }
            1 => {
                keys.signing.insert(0, keys.signings);
                keys.signings += 1;
            }
            2 | 3 if keys.sealing.len() > 1 => {
                keys.sealing.pop();
            }
            4 if keys.signing.len() > 1 => {
                keys.signing.pop();
            }
            _ => keys = keys.all_put_back(),
        }
        self.set_keys(keys);
    }
}
