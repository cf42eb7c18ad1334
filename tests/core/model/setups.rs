//! The rules of set-ups, of messages, and of the codes in them.
//!
//! A set-up is a token that its session holds; the record knows nothing of it. A login code stands in the record, on
//! the message that brought it.

use crate::engine::SmsRefusal;
use crate::policy::{Method, Reason};

use super::ask::{Plan, Token, Typed, Who};
use super::oracle::{Compared, Oracle};
use super::seen::Seen;
use super::shadow::{App, Backup, DAY, HOUR, Lock, Phone, SKEW, Secret, is_alive};

const APP_SETUP_LIFE: u64 = 1_800;
/// Wrong tries that end the code of a phone's set-up.
pub(super) const TRIES: u32 = 5;
/// Slots that messages which never left give back within an hour.
const RETURNS: usize = 3;

/// A factor that no code has confirmed yet, as the session that began it holds it.
#[derive(Debug, Clone)]
pub(super) struct Setup {
    pub(super) who: Who,
    pub(super) session: &'static str,
    pub(super) from: u64,
    pub(super) until: u64,
    pub(super) proof: Proof,
    pub(super) epoch: usize,
    pub(super) kid: usize,
    pub(super) content: Content,
    pub(super) text: String,
}

/// The tokens that a session shows when it begins a set-up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    pub(super) pass: Token,
    pub(super) ticket: Token,
}

/// The proof with which a set-up began, beside the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    Nothing,
    /// A ticket for the set-up of the first factor, of a user who never had one.
    Ticket,
    /// The pass of a recovery code.
    Rescue,
    Pass,
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    App { secret: Secret, is_theirs: bool },
    Phone { number: &'static str, message: String, code: String },
}

impl Setup {
    pub(super) const fn method(&self) -> Method {
        match self.content {
            Content::App { .. } => Method::Totp,
            Content::Phone { .. } => Method::Sms,
        }
    }
}

/// A message that was sent, and has not given its slot back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) at: u64,
    pub(super) login: Option<LoginCode>,
    /// Wrong tries, where it was sent for a set-up.
    pub(super) tries: u32,
    /// It never left, and there was no slot to give back.
    pub(super) is_lost: bool,
}

/// A login code. It answers one ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LoginCode {
    pub(super) ticket: usize,
    pub(super) code: String,
    pub(super) from: u64,
    pub(super) until: u64,
    pub(super) is_used: bool,
    pub(super) kid: usize,
}

/// The numbers that belong to the right person.
pub(super) const THEIR_NUMBERS: [&str; 2] = ["+61412345678", "+447700900123"];

/// The time from which something may happen again, which may happen so many times within each window: the first end
/// of a window at which none is full.
pub(super) fn again_at(times: impl Iterator<Item = u64>, now: u64, limits: &[(u64, usize)]) -> Option<u64> {
    let times: Vec<u64> = times.collect();
    let is_full = |then: u64| {
        let within = |window| times.iter().filter(|at| is_counted(**at, then, window)).count();
        limits.iter().any(|(window, most)| within(*window) >= *most)
    };
    let ends = times.iter().flat_map(|at| limits.iter().map(move |(window, _)| at + window));
    if is_full(now) { ends.filter(|end| *end > now && !is_full(*end)).min() } else { None }
}

/// A time that lies ahead is from a clock that ran ahead, and counts for nothing.
pub(super) const fn is_counted(at: u64, now: u64, window: u64) -> bool {
    at <= now + SKEW && now < at + window
}

/// In place of the id of a session that the engine makes.
pub(super) const NEW_ID: &str = "";

/// The session after a confirmation. A set-up by a ticket ends a login, and so the session gets a new id.
fn new_id(session: &'static str, next: Option<&'static str>, proof: Proof) -> &'static str {
    next.unwrap_or(if proof == Proof::Ticket { NEW_ID } else { session })
}

impl Oracle<'_> {
    pub(super) fn enroll_app(&mut self, session: &'static str, shown: Shown, plan: Plan) -> Seen {
        let proof = match self.admit_set_up(session, shown, Method::Totp, plan) {
            Ok(proof) => proof,
            Err(seen) => return seen,
        };
        let secret = Secret { base32: String::new(), digits: self.rules.app_digits, period: self.rules.app_period };
        let until = self.now + APP_SETUP_LIFE;
        self.begin_setup(session, proof, until, Content::App { secret, is_theirs: false });
        Seen::AppStarted { digits: self.rules.app_digits, ends: until }
    }

    pub(super) fn confirm_app(&mut self, session: &'static str, next: Option<&'static str>, setup: Token, code: &Typed) -> Seen {
        if !self.rules.offers(Method::Totp) {
            return Seen::Denied(Reason::MethodNotOffered);
        }
        let Some(setup) = self.open_setup(session, setup, Method::Totp) else { return Seen::Expired };
        let Content::App { secret, is_theirs } = setup.content else { unreachable!("a set-up of an app") };
        if setup.epoch != self.me.epoch {
            let is_held = self.me.app.as_ref().is_some_and(|app| app.secret.base32 == secret.base32);
            return if is_held { Seen::AlreadyUsed(None) } else { Seen::Expired };
        }
        if self.lacks_proof(setup.proof) {
            return Seen::Denied(Reason::FreshFactorRequired);
        }
        if !code.is_digits(secret.digits) {
            return Seen::Malformed;
        }
        let Some(last_step) = self.steps(&secret).filter(|step| secret.code(*step) == code.plain).last() else {
            return Seen::Wrong { left: None, retry_at: None };
        };
        let had_factor = self.me.has_factor();
        self.me.app = Some(App { secret, last_step, is_theirs, kid: self.keys.newest() });
        self.confirmed(Method::Totp, new_id(session, next, setup.proof), had_factor)
    }

    pub(super) fn enroll_phone(&mut self, session: &'static str, shown: Shown, number: &'static str, plan: Plan) -> Seen {
        let proof = match self.admit_set_up(session, shown, Method::Sms, plan) {
            Ok(proof) => proof,
            Err(seen) => return seen,
        };
        if !self.rules.allows(number) {
            return Seen::Denied(Reason::NumberNotAllowed);
        }
        let seen = self.send();
        if let Seen::SmsSent { ends, .. } = seen {
            self.begin_setup(session, proof, ends, Content::Phone { number, message: String::new(), code: String::new() });
        }
        seen
    }

    pub(super) fn confirm_phone(&mut self, session: &'static str, next: Option<&'static str>, setup: Token, code: &Typed) -> Seen {
        if !self.rules.offers(Method::Sms) {
            return Seen::Denied(Reason::MethodNotOffered);
        }
        let Some(setup) = self.open_setup(session, setup, Method::Sms) else { return Seen::Expired };
        let Content::Phone { number, message, code: sent } = setup.content else { unreachable!("a set-up of a phone") };
        if setup.epoch != self.me.epoch {
            let is_held = code.plain == sent && self.me.phone.as_ref().is_some_and(|phone| phone.number == number);
            return if is_held { Seen::AlreadyUsed(None) } else { Seen::Expired };
        }
        if self.lacks_proof(setup.proof) {
            return Seen::Denied(Reason::FreshFactorRequired);
        }
        if !code.is_digits(u8::try_from(sent.len()).unwrap()) {
            return Seen::Malformed;
        }
        if !self.rules.allows(number) {
            return Seen::Denied(Reason::NumberNotAllowed);
        }
        let Some(message) = self.me.sent.iter_mut().find(|kept| kept.id == message && kept.tries < TRIES && !kept.is_lost) else {
            return Seen::Expired;
        };
        if code.plain != sent {
            message.tries += 1;
            return Seen::Wrong { left: Some(TRIES - message.tries), retry_at: None };
        }
        let had_factor = self.me.has_factor();
        let is_theirs = THEIR_NUMBERS.contains(&number);
        self.me.phone = Some(Phone { number, is_theirs, kid: self.keys.newest() });
        self.confirmed(Method::Sms, new_id(session, next, setup.proof), had_factor)
    }

    /// A login code for the phone on record. It takes the place of the unused one of the same ticket.
    pub(super) fn send_login_code(&mut self, ticket: usize) -> Seen {
        let Some(phone) = self.me.phone.clone() else { return Seen::Denied(Reason::NotEnrolled) };
        if !self.rules.allows(phone.number) {
            return Seen::Denied(Reason::NumberNotAllowed);
        }
        match self.me.bucket.lock(self.now) {
            Lock::Open => {}
            Lock::Until(time) => return Seen::SmsRefused(SmsRefusal::TooManyAttempts, Some(time)),
            Lock::Stopped => return Seen::SmsRefused(SmsRefusal::TooManyAttempts, None),
        }
        let seen = self.send();
        if let Seen::SmsSent { ends, .. } = seen {
            self.end_unused_code(ticket);
            let (from, kid) = (self.now, self.keys.newest());
            let code = LoginCode { ticket, code: String::new(), from, until: ends, is_used: false, kid };
            self.me.sent.last_mut().unwrap().login = Some(code);
        }
        seen
    }

    pub(super) fn by_phone(&mut self, ticket: usize, code: &Typed) -> Result<(), Seen> {
        let Some(phone) = self.me.phone.clone() else { return Err(Seen::Denied(Reason::NotEnrolled)) };
        if !code.is_digits(self.rules.sms_digits) {
            return Err(Seen::Malformed);
        }
        let now = self.now;
        let mine = |code: &LoginCode| code.ticket == ticket && is_alive(code.from, code.until, now);
        let alive: Vec<LoginCode> = self.me.sent.iter().filter_map(|sent| sent.login.clone()).filter(mine).collect();
        if alive.is_empty() {
            return Err(Seen::Expired);
        }
        if !self.rules.allows(phone.number) {
            return Err(Seen::Denied(Reason::NumberNotAllowed));
        }
        let mut same = alive.iter().filter(|sent| sent.code == code.plain);
        let compared = match same.clone().next() {
            None => Compared::Wrong,
            Some(_) if same.any(|sent| !sent.is_used) => Compared::Right(()),
            Some(_) => Compared::Used(None),
        };
        self.attempt(compared)?;
        for sent in self.me.sent.iter_mut().filter_map(|sent| sent.login.as_mut()).filter(|code| code.ticket == ticket) {
            sent.is_used |= sent.code == code.plain;
        }
        self.me.phone = Some(Phone { kid: self.keys.newest(), ..phone });
        Ok(())
    }

    /// Ends the code of a ticket that is not used.
    pub(super) fn end_unused_code(&mut self, ticket: usize) {
        for sent in &mut self.me.sent {
            sent.login.take_if(|code| code.ticket == ticket && !code.is_used);
        }
    }

    /// A change of factors ends the login codes of all tickets.
    pub(super) fn end_login_codes(&mut self) {
        for sent in &mut self.me.sent {
            sent.login = None;
        }
    }

    /// A message that never left: its code ends, and its slot comes back, three times an hour.
    pub(super) fn never_left(&mut self, id: &str) -> Seen {
        let now = self.now;
        let Some(index) = self.me.sent.iter().position(|sent| sent.id == id) else { return Seen::Expired };
        self.me.returned.retain(|at| is_counted(*at, now, HOUR));
        if self.me.returned.len() < RETURNS {
            self.me.sent.remove(index);
            self.me.returned.push(now);
        } else {
            self.me.sent[index].login = None;
            self.me.sent[index].is_lost = true;
        }
        Seen::Expired
    }

    /// A message, if cool-down and budget allow one.
    fn send(&mut self) -> Seen {
        let (now, rules) = (self.now, self.rules);
        let cooldown = (rules.cooldown, 1);
        let limits = [cooldown, (60, rules.per_minute), (HOUR, rules.per_hour), (DAY, rules.per_day)];
        let again = |sent: &[Message], limits: &[_]| again_at(sent.iter().map(|sent| sent.at), now, limits);
        if let Some(time) = again(&self.me.sent, &limits) {
            let is_cooling = again(&self.me.sent, &[cooldown]).is_some();
            return Seen::SmsRefused(if is_cooling { SmsRefusal::Cooldown } else { SmsRefusal::Budget }, Some(time));
        }
        self.me.sent.retain(|sent| is_counted(sent.at, now, DAY));
        self.me.sent.push(Message { id: String::new(), at: now, login: None, tries: 0, is_lost: false });
        let again = again(&self.me.sent, &limits).unwrap();
        Seen::SmsSent { digits: rules.sms_digits, ends: now + rules.sms_life, again }
    }

    /// The proof of a set-up that may begin. A ticket that is brought in place of a pass has to be good.
    fn admit_set_up(&self, session: &'static str, shown: Shown, method: Method, plan: Plan) -> Result<Proof, Seen> {
        if !self.rules.offers(method) {
            return Err(Seen::Denied(Reason::MethodNotOffered));
        }
        if !self.rules.plan_may_enroll(plan) {
            return Err(Seen::Denied(Reason::Plan));
        }
        let pass = self.current_pass(session, shown.pass);
        let proof = match shown.ticket {
            _ if pass.is_some_and(|pass| pass.method == Method::RecoveryCode) => Proof::Rescue,
            _ if pass.is_some() => Proof::Pass,
            Token::None => Proof::Nothing,
            ticket => {
                self.open_ticket(ticket, session, true).map_err(Seen::Denied)?;
                if self.me.had_factor { Proof::Nothing } else { Proof::Ticket }
            }
        };
        let is_fresh = pass.is_some_and(|pass| self.is_fresh(pass));
        if self.lacks_proof(proof) || (self.me.has_factor() && !is_fresh) {
            return Err(Seen::Denied(Reason::FreshFactorRequired));
        }
        if !self.me.has_factor()
            && self.rules.offers(Method::BackupCode)
            && let Some(seen) = self.too_many_sets()
        {
            return Err(seen);
        }
        Ok(proof)
    }

    /// The refusal of one more set of backup codes.
    pub(super) fn too_many_sets(&self) -> Option<Seen> {
        self.me.no_set_until(self.now).map(|time| Seen::DeniedUntil(Reason::TooOften, time))
    }

    fn begin_setup(&mut self, session: &'static str, proof: Proof, until: u64, content: Content) {
        let (who, from, epoch, kid) = (self.who, self.now, self.me.epoch, self.keys.newest());
        self.new_setup = Some(Setup { who, session, from, until, proof, epoch, kid, content, text: String::new() });
    }

    /// A set-up that is of this user, session and method, and in time.
    fn open_setup(&self, session: &str, token: Token, method: Method) -> Option<Setup> {
        let Token::Setup(number) = token else { return None };
        let setup = &self.setups[number];
        let is_mine = setup.who == self.who && setup.session == session && setup.method() == method;
        let is_open = self.keys.sealing.contains(&setup.kid) && is_alive(setup.from, setup.until, self.now);
        (is_mine && is_open).then(|| setup.clone())
    }

    /// Between the two ends of a set-up the force may begin, the rules may stop to accept the password, and a recovery code
    /// may be issued.
    fn lacks_proof(&self, proof: Proof) -> bool {
        let has_code = self.me.live_recovery(self.rules, self.now).is_some();
        let counts = match proof {
            Proof::Pass => true,
            Proof::Rescue => !has_code,
            Proof::Ticket => !has_code && self.rules.accept_the_password(),
            Proof::Nothing => false,
        };
        !counts && (self.me.has_factor() || self.rules.forces(self.caller, self.now))
    }

    fn confirmed(&mut self, method: Method, session: &'static str, had_factor: bool) -> Seen {
        self.end_login_codes();
        self.me.had_factor = true;
        self.begin_epoch();
        let mut codes = None;
        if !had_factor && self.rules.offers(Method::BackupCode) {
            codes = Some(self.rules.backup_count);
            self.mint_backup_codes();
        }
        let ends = self.give_pass(session, method);
        Seen::Enrolled { method, codes, ends }
    }

    pub(super) fn mint_backup_codes(&mut self) {
        let now = self.now;
        let codes = vec![(String::new(), false); self.rules.backup_count];
        self.me.backup = Some(Backup { codes, is_kept: self.rules.keep, kid: self.keys.newest(), ..Backup::default() });
        self.me.sets.retain(|at| is_counted(*at, now, DAY));
        self.me.sets.push(now);
    }
}
