//! Someone who has the password: guesses codes, and meddles with what the right person does.

use crate::policy::{Channel, Method};

use super::ask::{Ask, Ticket, Token, Who, account, is_thief};
use super::document::{Document, Require};
use super::events::typed;
use super::places::Caller;
use super::rng::Rng;
use super::seen::Seen;
use super::setups::THEIR_NUMBERS;
use super::shadow::Lock;
use super::world::{Checked, Fault, PEOPLE, World};

impl World {
    /// A guess by someone who has the password, as soon as one may be made.
    pub(super) fn guess(&mut self, who: Who, rng: &mut Rng) -> Checked {
        if let Lock::Until(time) = self.people[who].bucket.lock(self.now, self.rules[account(who)].window, 1) {
            self.set_clock(time);
        }
        let caller = self.arrive(who, rng);
        let ticket = match self.live_ticket(who) {
            Some(number) => number,
            None => {
                self.perform(who, caller, &Ask::Begin { session: "x1", channel: Channel::Web, plan: None }, Fault::None, rng)?;
                match self.live_ticket(who) {
                    Some(number) => number,
                    None => {
                        let (caller, ask) = self.natural(who, rng);
                        return self.perform(who, caller, &ask, Fault::None, rng).map(|_| ());
                    }
                }
            }
        };
        let (session, next) = (self.tickets[ticket].session, "x2");
        let next = if session == next { "x1" } else { next };
        let method = self.methods(who).first().copied().unwrap_or(Method::Totp);
        let code = self.wrong_code(who, method, rng);
        self.perform(
            who,
            caller,
            &Ask::Verify { ticket: Token::Ticket(ticket), session, next, method, factor: None, code, trust: None },
            Fault::None,
            rng,
        )
        .map(|_| ())
    }

    /// T49: a stranger with the password begins set-ups, asks for messages, and tries codes that were meant for others.
    pub(super) fn meddle(&mut self, who: Who, rng: &mut Rng) -> Checked {
        let caller = self.arrive(who, rng);
        let session = rng.pick(&["x1", "x2"]);
        let plan = self.rules[account(who)].a_plan();
        let in_time = |ticket: &Ticket| ticket.from <= self.now && self.now < ticket.until;
        let mine = |ticket: &Ticket| !ticket.is_for_set_up && ticket.who == who && is_thief(ticket.session) && in_time(ticket);
        let ticket = self.tickets.iter().rposition(mine);
        let set_up = self.live_setup(who).filter(|_| !self.people[who].has_factor() && rng.percent(15));
        if let Some(number) = set_up {
            // The force begins between the two ends of a set-up.
            self.set_rules(account(who), self.rules[account(who)].with(0, |document| Document { require: Require::Everyone, ..document }));
            let code = self.right_code_of(number, rng);
            let ask = self.confirm(number, self.setups[number].session, code, rng);
            return self.perform(who, caller, &ask, Fault::None, rng).map(|_| ());
        }
        let ask = match (rng.below(10), ticket) {
            (0, _) => Ask::EnrollApp { session, pass: Token::None, ticket: Token::None, name: None, replaces: None, plan },
            (1, _) => Ask::EnrollPhone {
                session,
                pass: Token::None,
                ticket: Token::None,
                number: self.a_number(rng),
                name: None,
                replaces: None,
                plan,
            },
            (2..4, _) => return self.exhaust(who, caller, rng),
            (4, _) => return self.cross_messages(who, caller, rng),
            (5..9, Some(number)) => {
                let ticket = Token::Ticket(number);
                let session = self.tickets[number].session;
                let codes = self.people[who].sent.iter().filter_map(|sent| sent.login.as_ref());
                let (own, others): (Vec<_>, Vec<_>) = codes.partition(|code| code.ticket == number);
                match others.last() {
                    Some(other) if !own.is_empty() || rng.percent(30) => {
                        let code = typed(other.code.clone(), rng);
                        let next = if session == "x1" { "x2" } else { "x1" };
                        Ask::Verify { ticket, session, next, method: Method::Sms, factor: None, code, trust: None }
                    }
                    _ => Ask::SendSms { ticket, session, factor: None },
                }
            }
            _ => Ask::Begin { session, channel: Channel::Web, plan },
        };
        self.perform(who, caller, &ask, Fault::None, rng).map(|_| ())
    }

    /// The person waits for a message while a stranger asks for one too: whose code ends, and whose counts for whom?
    fn cross_messages(&mut self, who: Who, caller: Caller, rng: &mut Rng) -> Checked {
        let mut asked = Vec::new();
        for session in if rng.percent(50) { ["s1", "x1"] } else { ["x1", "s1"] } {
            let made = self.tickets.len();
            self.perform(who, caller, &Ask::Begin { session, channel: Channel::Web, plan: None }, Fault::None, rng)?;
            if self.tickets.len() == made {
                return Ok(());
            }
            let ask = Ask::SendSms { ticket: Token::Ticket(made), session, factor: None };
            let mut seen = self.perform(who, caller, &ask, Fault::None, rng)?;
            if let Seen::SmsRefused(_, Some(time)) = seen
                && time < self.now + 120
            {
                self.set_clock(time);
                seen = self.perform(who, caller, &ask, Fault::None, rng)?;
            }
            let code = self.people[who].sent.last().and_then(|sent| sent.login.as_ref()).map(|login| login.code.clone());
            if let (Seen::SmsSent { .. }, Some(code)) = (seen, code) {
                asked.push((made, session, code));
            }
        }
        let [(first, session, code), (second, other, _)] = asked.as_slice() else { return Ok(()) };
        let (ticket, session) = if rng.percent(25) { (*second, *other) } else { (*first, *session) };
        let (ticket, code) = (Token::Ticket(ticket), typed(code.clone(), rng));
        self.perform(
            who,
            caller,
            &Ask::Verify { ticket, session, next: "s2", method: Method::Sms, factor: None, code, trust: None },
            Fault::None,
            rng,
        )?;
        self.count("event messages crossed".to_owned());
        Ok(())
    }

    /// Users of all accounts set up the same number, as those do who want a phone to be flooded.
    pub(super) fn flood_one_number(&mut self, rng: &mut Rng) -> Checked {
        let who = rng.below(PEOPLE);
        let caller = self.arrive(who, rng);
        let plan = self.rules[account(who)].a_plan();
        let number = THEIR_NUMBERS[usize::from(rng.percent(20))];
        let (session, pass) = match self.live_pass(who) {
            Some(number) => (self.passes[number].session, Token::Pass(number)),
            None => ("x1", Token::None),
        };
        let ask = Ask::EnrollPhone { session, pass, ticket: Token::None, number, name: None, replaces: None, plan };
        let seen = self.perform(who, caller, &ask, Fault::None, rng)?;
        if let Seen::SmsRefused(_, Some(time)) = seen
            && time < self.now + 3_700
        {
            self.set_clock(time);
            self.perform(who, caller, &ask, Fault::None, rng)?;
        }
        Ok(())
    }

    /// Wrong codes for the newest set-up of a phone.
    fn exhaust(&mut self, who: Who, caller: Caller, rng: &mut Rng) -> Checked {
        let Some(number) = self.setups.iter().rposition(|setup| setup.who == who && setup.method() == Method::Sms) else {
            let (caller, ask) = self.natural(who, rng);
            return self.perform(who, caller, &ask, Fault::None, rng).map(|_| ());
        };
        self.type_wrong_codes(number, caller, rng)
    }

    /// Often as many as end the code of a phone's set-up.
    pub(super) fn type_wrong_codes(&mut self, setup: usize, caller: Caller, rng: &mut Rng) -> Checked {
        let (who, session) = (self.setups[setup].who, self.setups[setup].session);
        for _ in 0..if rng.percent(50) { 6 } else { 1 + rng.below(3) } {
            let code = self.wrong_code(who, Method::Sms, rng);
            let ask = self.confirm(setup, session, code, rng);
            self.perform(who, caller, &ask, Fault::None, rng)?;
        }
        Ok(())
    }
}
