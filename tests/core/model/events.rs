//! Random commands and events. About half are what an honest person does next, so that deep states are reached; the
//! rest take any token, code and session of anybody.

use crate::policy::{Channel, Method, Role};

use super::ask::{Ask, OWNER, Pass, SESSIONS, Ticket, Token, Typed, Who, account, owner_of};
use super::places::{CLIENTS, Caller};
use super::rng::Rng;
use super::seen::Seen;
use super::setups::{Content, NewCodes, Proof, Setup, THEIR_NUMBERS, TRIES};
use super::world::{Checked, Fault, PEOPLE, World};

/// The kind of events that an episode has most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Mixed,
    Guessing,
    Changes,
    Clock,
    Keys,
    Accounts,
    Owners,
    /// The gateway is down most of the time.
    Gateway,
    /// Someone with the password meddles with what the right person does.
    Stranger,
    /// The lists of networks and roles change, and people and programs come from everywhere.
    Lists,
    /// Many users set up one number.
    OneNumber,
    /// People set up their first factor by the password alone.
    FirstFactors,
    /// People log in by trusted browsers, and thieves by the cookies of others.
    Browsers,
}

pub(super) const MOODS: [Mood; 13] = [
    Mood::Mixed,
    Mood::Guessing,
    Mood::Changes,
    Mood::Clock,
    Mood::Keys,
    Mood::Accounts,
    Mood::Owners,
    Mood::Gateway,
    Mood::Stranger,
    Mood::Lists,
    Mood::OneNumber,
    Mood::FirstFactors,
    Mood::Browsers,
];

const NUMBERS: [&str; 4] = [THEIR_NUMBERS[0], THEIR_NUMBERS[1], "+61498765432", "+15551234567"];

impl World {
    /// One random event.
    pub(super) fn event(&mut self, mood: Mood, favourite: Who, rng: &mut Rng) -> Checked {
        let chance = |about: bool, much, little| if about { much } else { little };
        if rng.percent(chance(mood == Mood::Clock, 20, 8)) {
            self.clock_event(mood, rng);
        } else if rng.percent(chance(mood == Mood::Keys, 12, 1)) {
            self.key_event(rng);
        } else if rng.percent(chance(mood == Mood::Changes, 2, 3)) {
            let account = rng.below(3);
            self.set_rules(account, self.other_rules(account, rng));
        } else {
            let who = if rng.percent(65) { favourite } else { rng.below(PEOPLE) };
            if mood == Mood::Guessing && rng.percent(60) {
                return self.guess(favourite, rng);
            }
            if mood == Mood::Stranger && rng.percent(45) {
                return self.meddle(favourite, rng);
            }
            if mood == Mood::Lists && rng.percent(50) {
                return self.come_from_everywhere(favourite, rng);
            }
            if mood == Mood::FirstFactors && rng.percent(50) {
                return self.first_factors(favourite, rng);
            }
            if mood == Mood::Browsers && rng.percent(45) {
                return self.browse(favourite, rng);
            }
            if mood == Mood::OneNumber && rng.percent(40) {
                return self.flood_one_number(rng);
            }
            if mood == Mood::Owners && rng.percent(40) {
                return self.owner_acts(favourite, rng);
            }
            if rng.percent(chance(mood == Mood::Accounts, 8, 2)) {
                let caller = self.natural(who, rng).0;
                return self.operate(who, caller, rng);
            }
            let (caller, ask) =
                if rng.percent(if mood == Mood::Accounts { 40 } else { 60 }) { self.natural(who, rng) } else { self.wild(who, rng) };
            if rng.percent(4) && !matches!(ask, Ask::Gate { .. }) {
                self.lose(who, caller, &ask, rng);
                // The winner is often the same request, sent twice.
                let (caller, winner) = if rng.percent(60) { (caller, ask.clone()) } else { self.natural(who, rng) };
                self.perform(who, caller, &winner, Fault::None, rng)?;
            }
            let fault = match rng.below(100) {
                0..3 => Fault::BeforeTheWrite,
                3..6 => Fault::AfterTheWrite,
                _ => Fault::None,
            };
            let seen = self.perform(who, caller, &ask, fault, rng)?;
            if fault == Fault::None {
                self.aftermath(mood, who, caller, &ask, &seen, rng)?;
            }
        }
        Ok(())
    }

    /// Events that often follow a command at once: the gateway fails, a code is mistyped, or a request is sent twice.
    fn aftermath(&mut self, mood: Mood, who: Who, caller: Caller, ask: &Ask, seen: &Seen, rng: &mut Rng) -> Checked {
        if let Seen::SmsSent { .. } = seen
            && rng.percent(if mood == Mood::Gateway { 70 } else { 8 })
        {
            let message = self.people[who].sent.last().map(|sent| sent.id.clone()).unwrap_or_default();
            self.perform(who, caller, &Ask::NeverLeft { message }, Fault::None, rng)?;
        }
        if let (Ask::EnrollPhone { .. }, Seen::SmsSent { .. }) = (ask, seen)
            && rng.percent(6)
        {
            self.type_wrong_codes(self.setups.len() - 1, caller, rng)?;
        }
        if let Seen::Verified { .. } | Seen::Enrolled { .. } | Seen::Wrong { slow_by: Some(_), .. } = seen
            && rng.percent(15)
        {
            self.perform(who, caller, ask, Fault::None, rng)?;
        }
        Ok(())
    }

    /// An owner comes in, and issues a code to somebody.
    fn owner_acts(&mut self, who: Who, rng: &mut Rng) -> Checked {
        let owner = owner_of(who);
        let fresh = self.rules[account(owner)].fresh;
        let is_fresh = |pass: &Pass| matches!(pass.method, Method::Totp | Method::Sms) && self.now.saturating_sub(pass.shown_at) <= fresh;
        let (caller, ask) = match self.live_pass(owner).filter(|number| is_fresh(&self.passes[*number])) {
            Some(_) => {
                let caller = self.arrive(owner, rng);
                self.issue_for(owner - rng.below(3), caller, rng)
            }
            None => self.natural(owner, rng),
        };
        let who = if let Ask::Issue { .. } | Ask::Reset { .. } = ask { owner - 1 - rng.below(2) } else { owner };
        self.perform(who, caller, &ask, Fault::None, rng).map(|_| ())
    }

    pub(super) fn live_ticket(&self, who: Who) -> Option<usize> {
        let is_live = |ticket: &Ticket| {
            let is_in_time = ticket.from <= self.now && self.now < ticket.until;
            !ticket.is_for_set_up
                && ticket.who == who
                && ticket.logins == self.people[who].logins
                && is_in_time
                && self.keys.sealing.contains(&ticket.kid)
        };
        self.tickets.iter().rposition(is_live)
    }

    pub(super) fn live_pass(&self, who: Who) -> Option<usize> {
        let epoch = self.people[who].epoch;
        let is_live =
            |pass: &Pass| pass.who == who && pass.epoch == epoch && self.now < pass.until && self.keys.signing.contains(&pass.kid);
        self.passes.iter().rposition(is_live)
    }

    pub(super) fn methods(&self, who: Who) -> Vec<Method> {
        let rules = &self.rules[account(who)];
        Method::ALL.into_iter().filter(|method| self.people[who].can_use(*method, rules, self.now)).collect()
    }

    /// The next thing that a person does who wants a second factor, or has one.
    pub(super) fn natural(&self, who: Who, rng: &mut Rng) -> (Caller, Ask) {
        let (me, rules) = (&self.people[who], &self.rules[account(who)]);
        let caller = self.arrive(who, rng);
        let session = rng.pick(&SESSIONS[..4]);
        let plan = rules.a_plan();
        if let Some(number) = self.live_setup(who).filter(|_| rng.percent(75)) {
            let (session, code) = (self.setups[number].session, self.right_code_of(number, rng));
            return (caller, self.confirm(number, session, code, rng));
        }
        let pass = self.live_pass(who);
        if let Some(number) =
            pass.filter(|number| rng.percent(if self.now - self.passes[*number].shown_at.min(self.now) < rules.fresh { 65 } else { 20 }))
        {
            let session = self.passes[number].session;
            let pass = Token::Pass(number);
            let ask = match rng.below(if me.has_factor() { 12 } else { 4 }) {
                0 | 1 => Ask::EnrollApp {
                    session,
                    pass,
                    ticket: Token::None,
                    name: a_name(rng),
                    replaces: self.perhaps_replaces(who, rng),
                    plan,
                },
                2 | 3 => Ask::EnrollPhone {
                    session,
                    pass,
                    ticket: Token::None,
                    number: self.a_number(rng),
                    name: a_name(rng),
                    replaces: self.perhaps_replaces(who, rng),
                    plan,
                },
                4 => Ask::Remove { session, pass, factor: self.a_factor(who, rng) },
                5 => Ask::Renew { session, pass },
                6 => Ask::Show { session, pass },
                7 if who % 3 == OWNER => return self.issue_for(who - rng.below(3), caller, rng),
                8 => Ask::Gate { session, pass },
                11 => Ask::RemoveBrowser { session, pass, browser: self.a_browser(who, rng) },
                9 => Ask::ConfirmCodes { session, pass, set: self.a_set(who, rng) },
                10 => Ask::ShowNew { session, pass, codes: self.any_new_codes(who, rng) },
                _ => self.check_with(session, pass, rng),
            };
            return (caller, ask);
        }
        if let Some(number) = self.live_ticket(who).filter(|_| rng.percent(80)) {
            let (session, ticket) = (self.tickets[number].session, Token::Ticket(number));
            let methods = self.methods(who);
            if !methods.is_empty() {
                // Sometimes a factor that the rules have ceased to offer, or whose number they have ceased to allow.
                let own: Vec<Method> = [Method::Totp, Method::Sms].into_iter().filter(|method| me.has(*method)).collect();
                let method = if own.is_empty() || rng.percent(80) { rng.pick(&methods) } else { rng.pick(&own) };
                let mut codes = me.sent.iter().filter_map(|sent| sent.login.as_ref());
                let asked = codes.rfind(|code| code.ticket == number && !code.is_used).map(|code| code.code.clone());
                if method == Method::Sms && (asked.is_none() || rng.percent(10)) {
                    return (caller, Ask::SendSms { ticket, session, factor: self.perhaps_a_factor(who, rng) });
                }
                let next = rng.pick(&SESSIONS[..4]);
                let next = if next == session { "x1" } else { next };
                let code = match asked.filter(|_| method == Method::Sms) {
                    Some(code) => typed(code, rng),
                    None => self.right_code(who, method, rng),
                };
                let (factor, trust) = (self.perhaps_a_factor(who, rng), self.a_trust(who, rng));
                return (caller, Ask::Verify { ticket, session, next, method, factor, code, trust });
            }
        }
        if let Some(number) = self.live_setup_ticket(who).filter(|_| !me.had_factor && rng.percent(80)) {
            return (caller, self.enroll_by(Token::Ticket(number), self.tickets[number].session, who, rng));
        }
        if !me.has_factor() && rng.percent(50) {
            let forced = me.needs_a_code() || rules.forces(caller, self.now);
            if forced && me.recovery.is_none() && (me.had_factor || !rules.accept_the_password()) {
                return if rng.percent(60) { (caller, Ask::OperatorIssues) } else { self.issue_for(who, caller, rng) };
            }
            if !forced {
                return if rng.percent(60) {
                    (
                        caller,
                        Ask::EnrollApp {
                            session,
                            pass: Token::None,
                            ticket: Token::None,
                            name: a_name(rng),
                            replaces: self.perhaps_replaces(who, rng),
                            plan,
                        },
                    )
                } else {
                    let number = self.a_number(rng);
                    (
                        caller,
                        Ask::EnrollPhone {
                            session,
                            pass: Token::None,
                            ticket: Token::None,
                            number,
                            name: a_name(rng),
                            replaces: self.perhaps_replaces(who, rng),
                            plan,
                        },
                    )
                };
            }
        }
        (caller, Ask::Begin { session, channel: Channel::Web, plan })
    }

    pub(super) fn a_number(&self, rng: &mut Rng) -> &'static str {
        if rng.percent(70) { THEIR_NUMBERS[rng.below(2)] } else { rng.pick(&NUMBERS) }
    }

    /// An owner's code for a user of the owner's account, or a reset.
    fn issue_for(&self, who: Who, caller: Caller, rng: &mut Rng) -> (Caller, Ask) {
        let by = owner_of(who);
        let pass = self.live_pass(by);
        let session = pass.map_or(SESSIONS[0], |number| self.passes[number].session);
        let role = if rng.percent(90) { Role::Owner } else { Role::Member };
        let pass = pass.map_or(Token::None, Token::Pass);
        let ask = if rng.percent(25) { Ask::Reset { by, session, pass, role } } else { Ask::Issue { by, session, pass, role } };
        (caller, ask)
    }

    pub(super) fn check_with(&self, session: &'static str, pass: Token, rng: &mut Rng) -> Ask {
        Ask::Check {
            session,
            pass,
            channel: if rng.percent(85) { Channel::Web } else { Channel::Api },
            max_age: rng.pick(&[None, None, Some(30), Some(3_600)]),
            methods: rng.pick(&[None, None, Some(vec![Method::Totp, Method::Sms]), Some(vec![Method::TrustedBrowser])]),
            fresh: rng.percent(50),
            plan: rng.pick(&[None, Some("free"), Some("paid")]),
            with_record: rng.percent(80),
            with_list: rng.percent(50),
        }
    }

    /// Anything with anything.
    fn wild(&self, who: Who, rng: &mut Rng) -> (Caller, Ask) {
        let mut caller = self.arrive(who, rng);
        if rng.percent(30) {
            caller.client = rng.pick(&CLIENTS);
        }
        let (mut ticket, mut session) = self.any_token(true, rng);
        if let Some(number) = self.live_ticket(who).filter(|_| rng.percent(50)) {
            (ticket, session) = (Token::Ticket(number), self.tickets[number].session);
        }
        let (pass, pass_session) = self.any_token(false, rng);
        let plan = rng.pick(&[None, Some("free"), Some("paid")]);
        if rng.percent(15) {
            session = rng.pick(&SESSIONS);
        }
        let pass_session = if rng.percent(15) { rng.pick(&SESSIONS) } else { pass_session };
        let ask = match rng.below(34) {
            0..2 => {
                let channel = if rng.percent(50) { Channel::Web } else { Channel::Api };
                Ask::Begin { session, channel, plan }
            }
            2..4 => Ask::SendSms { ticket, session, factor: self.perhaps_a_factor(who, rng) },
            4..13 => {
                let method = rng.pick(&Method::ALL);
                let next = rng.pick(&SESSIONS);
                let next = if next == session { if session == "x2" { "x1" } else { "x2" } } else { next };
                let factor = self.perhaps_a_factor(who, rng);
                let (code, trust) = (self.any_code(who, method, rng), self.a_trust(who, rng));
                Ask::Verify { ticket, session, next, method, factor, code, trust }
            }
            13 if rng.percent(50) => {
                Ask::EnrollApp { session, pass: Token::None, ticket, name: a_name(rng), replaces: self.perhaps_replaces(who, rng), plan }
            }
            13 => Ask::EnrollApp {
                session: pass_session,
                pass,
                ticket: Token::None,
                name: a_name(rng),
                replaces: self.perhaps_replaces(who, rng),
                plan,
            },
            14..16 | 17..19 => self.any_confirmation(who, rng),
            16 if rng.percent(50) => Ask::EnrollPhone {
                session,
                pass: Token::None,
                ticket,
                number: rng.pick(&NUMBERS),
                name: a_name(rng),
                replaces: self.perhaps_replaces(who, rng),
                plan,
            },
            16 => Ask::EnrollPhone {
                session: pass_session,
                pass,
                ticket,
                number: rng.pick(&NUMBERS),
                name: a_name(rng),
                replaces: self.perhaps_replaces(who, rng),
                plan,
            },
            19 if rng.percent(40) => Ask::Rename {
                session: pass_session,
                pass,
                factor: self.a_factor(who, rng),
                name: rng.pick(&["Work", "Phone", "Authenticator app 2"]),
            },
            19 if rng.percent(30) => Ask::RemoveBrowser { session: pass_session, pass, browser: self.a_browser(who, rng) },
            19 => Ask::Remove { session: pass_session, pass, factor: self.a_factor(who, rng) },
            20 => Ask::Renew { session: pass_session, pass },
            21 => Ask::Show { session: pass_session, pass },
            22..24 => {
                let by = account(who) * 3 + rng.below(3);
                let role = rng.pick(&[Role::Owner, Role::Owner, Role::Member]);
                if rng.percent(30) {
                    Ask::Reset { by, session: pass_session, pass, role }
                } else {
                    Ask::Issue { by, session: pass_session, pass, role }
                }
            }
            24 if rng.percent(25) => Ask::PasswordChanged,
            24 if rng.percent(25) => Ask::SignOutEverywhere,
            24 if rng.percent(25) => Ask::OperatorResets,
            24 => Ask::OperatorIssues,
            25 => Ask::OperatorWithdraws,
            26 => Ask::NeverLeft { message: self.any_message(who, rng) },
            27 | 28 => Ask::Gate { session: pass_session, pass },
            29 if rng.percent(40) => Ask::ShowNew { session: pass_session, pass, codes: self.any_new_codes(who, rng) },
            29 => Ask::ConfirmCodes { session: pass_session, pass, set: self.a_set(who, rng) },
            _ => self.check_with(pass_session, pass, rng),
        };
        (caller, ask)
    }

    /// A factor of the person's own, or of anybody.
    fn a_factor(&self, who: Who, rng: &mut Rng) -> String {
        let own: Vec<_> = self.people[who].own().into_iter().map(|(_, id, _)| id.to_owned()).collect();
        let own = if own.is_empty() { None } else { Some(rng.pick(&own)) };
        let any = rng.late(self.factors.len()).map(|index| self.factors[index].clone());
        own.filter(|_| rng.percent(85)).or(any).unwrap_or_else(|| "no-such-app-".to_owned())
    }

    fn perhaps_replaces(&self, who: Who, rng: &mut Rng) -> Option<String> {
        rng.percent(20).then(|| self.a_factor(who, rng))
    }

    /// Most people name no factor.
    fn perhaps_a_factor(&self, who: Who, rng: &mut Rng) -> Option<String> {
        rng.percent(30).then(|| self.a_factor(who, rng))
    }

    /// The person's own set of backup codes, or anybody's.
    fn a_set(&self, who: Who, rng: &mut Rng) -> String {
        let own = self.people[who].backup.as_ref().map(|backup| backup.set.clone()).filter(|_| rng.percent(70));
        own.or_else(|| rng.late(self.sets.len()).map(|number| self.sets[number].clone())).unwrap_or_else(|| "none".to_owned())
    }

    /// The newest codes of the person's own, or anybody's.
    fn any_new_codes(&self, who: Who, rng: &mut Rng) -> Token {
        let own = self.new_codes.iter().rposition(|new| new.who == who).filter(|_| rng.percent(65));
        let is_elsewhere = |new: &NewCodes| new.who != who && new.who % 3 == who % 3;
        let elsewhere = self.new_codes.iter().rposition(is_elsewhere).filter(|_| rng.percent(60));
        own.or(elsewhere).or_else(|| rng.late(self.new_codes.len())).map_or(Token::Junk, Token::NewCodes)
    }

    /// The newest set-up that this person can still confirm.
    pub(super) fn live_setup(&self, who: Who) -> Option<usize> {
        let me = &self.people[who];
        let has_a_code = |setup: &Setup| match &setup.content {
            Content::App { .. } => true,
            Content::Phone { message, .. } => me.sent.iter().any(|sent| sent.id == *message && sent.tries < TRIES && !sent.is_lost),
        };
        let is_live = |setup: &Setup| {
            setup.who == who && setup.epoch == me.epoch && setup.logins == me.logins && self.now < setup.until && has_a_code(setup)
        };
        self.setups.iter().rposition(is_live)
    }

    pub(super) fn confirm(&self, number: usize, session: &'static str, code: Typed, rng: &mut Rng) -> Ask {
        let setup = Token::Setup(number);
        let ends_a_login = self.setups[number].proof == Proof::Ticket;
        let next = self.next_id(session, if ends_a_login { 70 } else { 10 }, rng);
        match self.setups[number].method() {
            Method::Sms => Ask::ConfirmPhone { session, next, setup, code },
            _ => Ask::ConfirmApp { session, next, setup, code },
        }
    }

    /// A confirmation with anybody's set-up: in time or ended, altered, of another session or method.
    fn any_confirmation(&self, who: Who, rng: &mut Rng) -> Ask {
        let own = self.live_setup(who).filter(|_| rng.percent(50));
        let mine = self.setups.iter().rposition(|setup| setup.who == who && rng.percent(60)).filter(|_| rng.percent(50));
        let Some(number) = own.or(mine).or_else(|| rng.late(self.setups.len())) else {
            let setup = rng.pick(&[Token::None, Token::Junk]);
            return Ask::ConfirmApp { session: SESSIONS[4], next: None, setup, code: self.any_code(who, Method::Totp, rng) };
        };
        let session = if rng.percent(15) { rng.pick(&SESSIONS) } else { self.setups[number].session };
        let method = self.setups[number].method();
        let code = if rng.percent(60) { self.right_code_of(number, rng) } else { self.any_code(who, method, rng) };
        let setup = match rng.below(20) {
            0 => Token::Altered(number),
            1 => self.any_token(true, rng).0,
            _ => Token::Setup(number),
        };
        if rng.percent(15) {
            return Ask::ShowSetup { session, setup };
        }
        let next = self.next_id(session, 20, rng);
        if (method == Method::Totp) == rng.percent(92) {
            Ask::ConfirmApp { session, next, setup, code }
        } else {
            Ask::ConfirmPhone { session, next, setup, code }
        }
    }

    /// The right code of a set-up, or one that was right.
    pub(super) fn right_code_of(&self, setup: usize, rng: &mut Rng) -> Typed {
        let plain = match &self.setups[setup].content {
            Content::App { secret, .. } => {
                let steps: [i64; 9] = [0, 0, 0, 0, 0, 1, -1, -3, far(rng)];
                secret.code(secret.step(self.now).saturating_add_signed(rng.pick(&steps)))
            }
            Content::Phone { code, .. } => code.clone(),
        };
        typed(plain, rng)
    }

    fn any_message(&self, who: Who, rng: &mut Rng) -> String {
        let of = if rng.percent(85) { who } else { (who + 3) % PEOPLE };
        let sent = &self.people[of].sent;
        rng.late(sent.len()).map_or_else(|| "m".to_owned(), |index| sent[index].id.clone())
    }

    /// A token of anybody, with the session that it belongs to.
    fn any_token(&self, is_ticket: bool, rng: &mut Rng) -> (Token, &'static str) {
        let is_ticket = is_ticket != rng.percent(3);
        let found = if is_ticket {
            rng.late(self.tickets.len()).map(|number| (Token::Ticket(number), self.tickets[number].session))
        } else {
            rng.late(self.passes.len()).map(|number| (Token::Pass(number), self.passes[number].session))
        };
        let none = if rng.percent(50) { Token::None } else { Token::Junk };
        found.filter(|_| rng.percent(92)).unwrap_or((none, SESSIONS[5]))
    }

    /// A code of any kind: right, of somebody else, used, wrong or malformed.
    fn any_code(&self, who: Who, method: Method, rng: &mut Rng) -> Typed {
        let other = account(who) * 3 + rng.below(3);
        match rng.below(12) {
            0..4 => self.right_code(who, method, rng),
            4 => self.right_code(other, method, rng),
            5 => self.right_code((who + 3) % PEOPLE, method, rng),
            6 => self.right_code((who + 6) % PEOPLE, method, rng),
            7..9 if !self.typed.is_empty() => typed(self.typed[rng.late(self.typed.len()).unwrap()].clone(), rng),
            9 => self.right_code(who, rng.pick(&Method::ALL), rng),
            10 => typed(rng.pick(&["", "12345", "abcdef", "٣٣٣٣٣٣", "0000-0000-0000-000U"]).to_owned(), rng),
            _ => self.wrong_code(who, method, rng),
        }
    }

    pub(super) fn wrong_code(&self, who: Who, method: Method, rng: &mut Rng) -> Typed {
        let digits = match method {
            Method::Totp => self.people[who].apps.first().map_or(6, |app| usize::from(app.secret.digits)),
            Method::Sms => usize::from(self.rules[account(who)].sms_digits),
            Method::TrustedBrowser => return self.a_cookie(who, rng),
            Method::BackupCode | Method::RecoveryCode => {
                let symbol = |rng: &mut Rng| char::from(b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"[rng.below(32)]);
                return typed((0..16).map(|_| symbol(rng)).collect(), rng);
            }
        };
        typed((0..digits).map(|_| char::from(b"0123456789"[rng.below(10)])).collect(), rng)
    }

    /// The right code of a user, or one that was right; some code where there is none.
    fn right_code(&self, who: Who, method: Method, rng: &mut Rng) -> Typed {
        let of = &self.people[who];
        let found = match method {
            Method::Totp => {
                let setups = self.setups.iter().filter(|setup| setup.who == who);
                let in_setup = setups
                    .filter_map(|setup| if let Content::App { secret, .. } = &setup.content { Some(secret) } else { None })
                    .next_back();
                let app = if of.apps.is_empty() { None } else { Some(&of.apps[rng.below(of.apps.len())]) };
                let secret = app.map(|app| &app.secret).filter(|_| in_setup.is_none() || rng.percent(80)).or(in_setup);
                let steps: [i64; 9] = [0, 0, 0, 0, 1, -1, 2, -3, far(rng)];
                secret.map(|secret| secret.code(secret.step(self.now).saturating_add_signed(rng.pick(&steps))))
            }
            Method::Sms => {
                let codes: Vec<&String> = of.sent.iter().filter_map(|sent| sent.login.as_ref()).map(|login| &login.code).collect();
                rng.late(codes.len()).map(|index| codes[index].clone())
            }
            Method::BackupCode => {
                let unused = of.backup.as_ref().and_then(|backup| backup.codes.iter().find(|(_, used)| !used)).filter(|_| rng.percent(80));
                let any = of.backup.as_ref().map(|backup| &backup.codes[rng.below(backup.codes.len())]);
                unused.or(any).map(|(plain, _)| plain.clone())
            }
            Method::RecoveryCode => of.recovery.as_ref().map(|code| code.code.clone()),
            Method::TrustedBrowser => return self.a_cookie(who, rng),
        };
        typed(found.unwrap_or_else(|| "000000".to_owned()), rng)
    }
}

/// Steps to a code that an app showed some time ago, or will show.
fn far(rng: &mut Rng) -> i64 {
    i64::try_from(rng.below(51)).unwrap() - 25
}

/// A code as people type it.
pub(super) fn typed(plain: String, rng: &mut Rng) -> Typed {
    let text = match rng.below(6) {
        0 => plain.to_lowercase(),
        1 => format!(" {plain} "),
        2 if plain.is_char_boundary(3) && plain.len() > 3 => format!("{}-{}.", &plain[..3], &plain[3..]),
        _ => plain.clone(),
    };
    Typed { text, plain: plain.replace('-', "") }
}

/// The name that a person gives a factor, if any.
fn a_name(rng: &mut Rng) -> Option<&'static str> {
    rng.percent(30).then(|| rng.pick(&["Work", "Phone", "Authenticator app 2", "Старый телефон"]))
}
