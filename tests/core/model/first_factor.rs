//! The first factor by the password alone: users who set one up at their login, and someone with the password who keeps
//! the tickets of such logins, and uses them wherever they might count.

use crate::policy::{Channel, Method};

use super::ask::{Ask, SESSIONS, Ticket, Token, USERS, Who, account, is_thief};
use super::document::{Document, Require};
use super::events::typed;
use super::places::Caller;
use super::rng::Rng;
use super::seen::Seen;
use super::world::{Checked, Fault, PEOPLE, START, World};

impl World {
    /// Someone sets up the first factor at a login, or tries to where it does not count.
    pub(super) fn first_factors(&mut self, favourite: Who, rng: &mut Rng) -> Checked {
        // Each person has one first factor only.
        let unset: Vec<Who> = (0..PEOPLE).filter(|who| !self.people[*who].had_factor).collect();
        let who = if unset.is_empty() || rng.percent(30) { favourite } else { rng.pick(&unset) };
        if rng.percent(25) {
            self.ask_for_the_first_factor(who, rng.percent(80));
        }
        let caller = self.arrive(who, rng);
        match rng.below(13) {
            0 => return self.keep_a_ticket_over_a_removal(who, caller, rng),
            1 => return self.keep_a_ticket_over_a_rescue(who, caller, rng),
            2 => return self.change_the_rules_in_between(who, caller, rng),
            3 => return self.use_a_ticket_before_it_was_made(who, caller, rng),
            4..6 => return self.come_from_everywhere(who, rng),
            _ => {}
        }
        let ask = match rng.below(4) {
            0 => {
                let channel = if rng.percent(70) { Channel::Web } else { Channel::Api };
                Ask::Begin { session: rng.pick(&SESSIONS), channel, plan: self.rules[account(who)].a_plan() }
            }
            1 => self.natural(who, rng).1,
            _ => match self.any_setup_ticket(who, rng) {
                Some(number) => {
                    let session = if rng.percent(15) { rng.pick(&SESSIONS) } else { self.tickets[number].session };
                    self.enroll_by(Token::Ticket(number), session, who, rng)
                }
                None => self.natural(who, rng).1,
            },
        };
        self.perform(who, caller, &ask, Fault::None, rng).map(|_| ())
    }

    /// A ticket for a set-up: of this person, of the same user in another account, or of another user.
    pub(super) fn any_setup_ticket(&self, who: Who, rng: &mut Rng) -> Option<usize> {
        let is_wanted: fn(Who, Who) -> bool = match rng.below(4) {
            0 => |of, who| of != who && of % USERS.len() == who % USERS.len(),
            1 => |of, who| of != who && account(of) == account(who),
            _ => |of, who| of == who,
        };
        let found = self.tickets.iter().rposition(|ticket| ticket.is_for_set_up && is_wanted(ticket.who, who));
        found.or_else(|| self.live_setup_ticket(who))
    }

    pub(super) fn live_setup_ticket(&self, who: Who) -> Option<usize> {
        let is_live = |ticket: &Ticket| {
            ticket.is_for_set_up
                && ticket.who == who
                && ticket.from <= self.now
                && self.now < ticket.until
                && self.keys.sealing.contains(&ticket.kid)
        };
        self.tickets.iter().rposition(is_live)
    }

    pub(super) fn enroll_by(&self, ticket: Token, session: &'static str, who: Who, rng: &mut Rng) -> Ask {
        let (pass, plan) = (Token::None, self.rules[account(who)].a_plan());
        if self.rules[account(who)].offers(Method::Sms) && rng.percent(35) {
            Ask::EnrollPhone { session, pass, ticket, number: self.a_number(rng), name: None, replaces: None, plan }
        } else {
            Ask::EnrollApp { session, pass, ticket, name: None, replaces: None, plan }
        }
    }

    /// The new id of a session at a confirmation, if the host names one.
    pub(super) fn next_id(&self, session: &str, chance: usize, rng: &mut Rng) -> Option<&'static str> {
        let of_the_same = SESSIONS.into_iter().filter(|other| is_thief(other) == is_thief(session) && *other != session);
        let others: Vec<_> = of_the_same.collect();
        rng.percent(chance).then(|| rng.pick(&others))
    }

    /// The rules of an account force everyone, and accept the password for the first factor or not. Those of a strict
    /// account that never accept it stay so.
    fn ask_for_the_first_factor(&mut self, who: Who, by_password: bool) {
        self.change_each(who, |document| Document { require: Require::Everyone, first_by_password: by_password, ..document });
    }

    fn change_each(&mut self, who: Who, mut change: impl FnMut(Document) -> Document) {
        let rules = self.rules[account(who)].each(|document| if document.stays_strict { document } else { change(document) });
        self.set_rules(account(who), rules);
    }

    /// A login leads to a set-up: the number of its ticket.
    fn begin_set_up(&mut self, who: Who, caller: Caller, session: &'static str, rng: &mut Rng) -> Checked<Option<usize>> {
        let plan = self.rules[account(who)].a_plan();
        let seen = self.perform(who, caller, &Ask::Begin { session, channel: Channel::Web, plan }, Fault::None, rng)?;
        Ok(matches!(seen, Seen::SetUp { .. }).then(|| self.tickets.len() - 1))
    }

    /// Confirms the newest set-up of this person with its right code.
    fn confirm_newest(&mut self, who: Who, caller: Caller, rng: &mut Rng) -> Checked<Option<Seen>> {
        let Some(number) = self.setups.iter().rposition(|setup| setup.who == who) else { return Ok(None) };
        let code = self.right_code_of(number, rng);
        let ask = self.confirm(number, self.setups[number].session, code, rng);
        self.perform(who, caller, &ask, Fault::None, rng).map(Some)
    }

    /// Two tickets; one sets up a factor, which is removed again while none is forced; the other is brought afterwards.
    fn keep_a_ticket_over_a_removal(&mut self, who: Who, caller: Caller, rng: &mut Rng) -> Checked {
        self.ask_for_the_first_factor(who, true);
        let Some(kept) = self.begin_set_up(who, caller, "x1", rng)? else { return Ok(()) };
        let Some(used) = self.begin_set_up(who, caller, "s1", rng)? else { return Ok(()) };
        if rng.percent(50) {
            // The set-up of the thief is begun before, and confirmed after.
            let ask = self.enroll_by(Token::Ticket(kept), "x1", who, rng);
            self.perform(who, caller, &ask, Fault::None, rng)?;
        }
        let stranger = self.setups.iter().rposition(|setup| setup.who == who && setup.session == "x1");
        let plan = self.rules[account(who)].a_plan();
        let ask = Ask::EnrollApp { session: "s1", pass: Token::None, ticket: Token::Ticket(used), name: None, replaces: None, plan };
        self.perform(who, caller, &ask, Fault::None, rng)?;
        let Some(Seen::Enrolled { .. }) = self.confirm_newest(who, caller, rng)? else { return Ok(()) };
        if let Some(number) = stranger {
            let code = self.right_code_of(number, rng);
            let ask = self.confirm(number, "x1", code, rng);
            self.perform(who, caller, &ask, Fault::None, rng)?;
        }
        self.change_each(who, |document| Document { require: Require::Optional, ..document });
        if let Some(number) = self.live_pass(who) {
            let factor = self.people[who].own()[0].1.to_owned();
            let ask = Ask::Remove { session: self.passes[number].session, pass: Token::Pass(number), factor };
            self.perform(who, caller, &ask, Fault::None, rng)?;
        }
        if rng.percent(80) {
            self.ask_for_the_first_factor(who, true);
        }
        self.bring_again(who, caller, kept, rng)
    }

    /// A recovery code helps while a ticket for a set-up is kept, which is brought afterwards.
    fn keep_a_ticket_over_a_rescue(&mut self, who: Who, caller: Caller, rng: &mut Rng) -> Checked {
        self.ask_for_the_first_factor(who, true);
        let Some(kept) = self.begin_set_up(who, caller, "x1", rng)? else { return Ok(()) };
        self.ask_for_the_first_factor(who, false);
        if self.perform(who, caller, &Ask::OperatorIssues, Fault::None, rng)? == Seen::MoveRefused {
            return Ok(());
        }
        let made = self.tickets.len();
        self.perform(who, caller, &Ask::Begin { session: "s1", channel: Channel::Web, plan: None }, Fault::None, rng)?;
        let Some(recovery) = self.people[who].recovery.clone().filter(|_| self.tickets.len() > made) else { return Ok(()) };
        let (ticket, code) = (Token::Ticket(made), typed(recovery.code, rng));
        let ask = Ask::Verify { ticket, session: "s1", next: "s2", method: Method::RecoveryCode, factor: None, code, trust: None };
        self.perform(who, caller, &ask, Fault::None, rng)?;
        self.ask_for_the_first_factor(who, true);
        self.bring_again(who, caller, kept, rng)
    }

    /// The clock is set back behind the time at which a ticket was made, and later right again.
    fn use_a_ticket_before_it_was_made(&mut self, who: Who, caller: Caller, rng: &mut Rng) -> Checked {
        let now = self.now;
        let Some(ticket) = self.begin_set_up(who, caller, "s2", rng)? else { return Ok(()) };
        self.set_clock(now.saturating_sub(rng.pick(&[60, 61, 300])).max(START));
        let ask = self.enroll_by(Token::Ticket(ticket), "s2", who, rng);
        self.perform(who, caller, &ask, Fault::None, rng)?;
        self.set_clock(now);
        Ok(())
    }

    /// A ticket of a user who has had a factor since: at a login, and at a set-up.
    fn bring_again(&mut self, who: Who, caller: Caller, ticket: usize, rng: &mut Rng) -> Checked {
        let plan = self.rules[account(who)].a_plan();
        self.perform(who, caller, &Ask::Begin { session: "x2", channel: Channel::Web, plan }, Fault::None, rng)?;
        let ask = self.enroll_by(Token::Ticket(ticket), self.tickets[ticket].session, who, rng);
        let seen = self.perform(who, caller, &ask, Fault::None, rng)?;
        if let Seen::AppStarted { .. } | Seen::SmsSent { .. } = seen {
            self.confirm_newest(who, caller, rng)?;
        }
        self.count("event a ticket for a first factor was brought after one".to_owned());
        Ok(())
    }

    /// The account stops to accept the password before the set-up begins, or before it is confirmed.
    fn change_the_rules_in_between(&mut self, who: Who, caller: Caller, rng: &mut Rng) -> Checked {
        self.ask_for_the_first_factor(who, true);
        let Some(ticket) = self.begin_set_up(who, caller, "s3", rng)? else { return Ok(()) };
        let is_early = rng.percent(30);
        if is_early {
            self.ask_for_the_first_factor(who, false);
        }
        let ask = self.enroll_by(Token::Ticket(ticket), "s3", who, rng);
        let begun = self.perform(who, caller, &ask, Fault::None, rng)?;
        if !is_early && rng.percent(70) {
            self.ask_for_the_first_factor(who, false);
        }
        if let Seen::AppStarted { .. } | Seen::SmsSent { .. } = begun {
            self.confirm_newest(who, caller, rng)?;
        }
        Ok(())
    }
}
