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
pub(super) const NEW_CODES_LIFE: u64 = 600;
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
    pub(super) logins: usize,
    pub(super) kid: usize,
    pub(super) name: Option<&'static str>,
    pub(super) replaces: Option<String>,
    pub(super) content: Content,
    pub(super) text: String,
}

/// The tokens that a session shows when it begins a set-up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    pub(super) pass: Token,
    pub(super) ticket: Token,
}

/// The wishes about a new factor: its name, and the one in whose place it comes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish<'a> {
    pub(super) name: Option<&'static str>,
    pub(super) replaces: Option<&'a str>,
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

/// New backup codes, as their session holds them.
#[derive(Debug, Clone)]
pub(super) struct NewCodes {
    pub(super) who: Who,
    pub(super) session: &'static str,
    pub(super) set: String,
    pub(super) from: u64,
    pub(super) until: u64,
    pub(super) kid: usize,
    pub(super) text: String,
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
    /// The id of the phone that it was sent to.
    pub(super) phone: String,
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
    pub(super) fn enroll_app(&mut self, session: &'static str, shown: Shown, wish: Wish<'_>, plan: Plan) -> Seen {
        let proof = match self.admit_set_up(session, shown, Method::Totp, wish, plan) {
            Ok(proof) => proof,
            Err(seen) => return seen,
        };
        let secret = Secret { base32: String::new(), digits: self.rules.app_digits, period: self.rules.app_period };
        let until = self.now + APP_SETUP_LIFE;
        self.begin_setup(session, proof, until, wish, Content::App { secret, is_theirs: false });
        Seen::AppStarted { digits: self.rules.app_digits, ends: until }
    }

    /// The set-up again as it was. The page that shows it was there before, so that nothing is given away.
    pub(super) fn show_setup(&self, session: &str, setup: Token) -> Seen {
        if !self.rules.offers(Method::Totp) {
            return Seen::Denied(Reason::MethodNotOffered);
        }
        let pending = self.open_setup(session, setup, Method::Totp).filter(|setup| setup.epoch == self.me.epoch);
        match pending.map(|setup| (setup.proof, setup.until, setup.content)) {
            Some((proof, ..)) if self.lacks_proof(proof) => Seen::Denied(Reason::FreshFactorRequired),
            Some((_, ends, Content::App { secret, .. })) => Seen::AppStarted { digits: secret.digits, ends },
            Some((_, _, Content::Phone { .. })) | None => Seen::Expired,
        }
    }

    pub(super) fn confirm_app(&mut self, session: &'static str, next: Option<&'static str>, setup: Token, code: &Typed) -> Seen {
        if !self.rules.offers(Method::Totp) {
            return Seen::Denied(Reason::MethodNotOffered);
        }
        let Some(setup) = self.open_setup(session, setup, Method::Totp) else { return Seen::Expired };
        let Content::App { secret, is_theirs } = setup.content else { unreachable!("a set-up of an app") };
        if setup.epoch != self.me.epoch {
            let is_held = self.me.apps.iter().any(|app| app.opens && app.secret.base32 == secret.base32);
            return if is_held { Seen::AlreadyUsed(None) } else { Seen::Expired };
        }
        if self.lacks_proof(setup.proof) {
            return Seen::Denied(Reason::FreshFactorRequired);
        }
        if !code.is_digits(secret.digits) {
            return Seen::Malformed;
        }
        let Some(last_step) = self.steps(&secret).filter(|step| secret.code(*step) == code.plain).last() else {
            return Seen::Wrong { left: None, retry_at: None, slow_by: self.slow_by(&secret, code) };
        };
        let had_factor = self.me.has_factor();
        let (id, name) = (String::new(), self.me.new_name(Method::Totp, setup.name, setup.replaces.as_deref()));
        self.me.apps.push(App { id, name, secret, last_step, opens: true, is_theirs, kid: self.keys.newest() });
        self.replace(setup.replaces);
        self.confirmed(Method::Totp, new_id(session, next, setup.proof), had_factor)
    }

    pub(super) fn enroll_phone(&mut self, session: &'static str, shown: Shown, number: &'static str, wish: Wish<'_>, plan: Plan) -> Seen {
        let proof = match self.admit_set_up(session, shown, Method::Sms, wish, plan) {
            Ok(proof) => proof,
            Err(seen) => return seen,
        };
        if !self.rules.allows(number) {
            return Seen::Denied(Reason::NumberNotAllowed);
        }
        if self.me.phones.iter().any(|phone| phone.opens && phone.number == number && Some(phone.id.as_str()) != wish.replaces) {
            return Seen::Denied(Reason::NumberEnrolled);
        }
        let seen = self.send();
        if let Seen::SmsSent { ends, .. } = seen {
            self.begin_setup(session, proof, ends, wish, Content::Phone { number, message: String::new(), code: String::new() });
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
            let is_held = code.plain == sent && self.me.phones.iter().any(|phone| phone.opens && phone.number == number);
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
            return Seen::Wrong { left: Some(TRIES - message.tries), retry_at: None, slow_by: None };
        }
        let had_factor = self.me.has_factor();
        let is_theirs = THEIR_NUMBERS.contains(&number);
        let (id, name) = (String::new(), self.me.new_name(Method::Sms, setup.name, setup.replaces.as_deref()));
        self.me.phones.push(Phone { id, name, used_at: None, opens: true, number, is_theirs, kid: self.keys.newest() });
        self.replace(setup.replaces);
        self.confirmed(Method::Sms, new_id(session, next, setup.proof), had_factor)
    }

    /// A login code for a phone on record: the one that is named, or else the one used last whose number is allowed. It takes the
    /// place of the unused one of the same ticket.
    pub(super) fn send_login_code(&mut self, ticket: usize, factor: Option<&str>) -> Seen {
        let mut phones: Vec<&Phone> = self.me.phones.iter().filter(|phone| phone.opens && factor.is_none_or(|id| phone.id == id)).collect();
        if phones.is_empty() {
            return Seen::Denied(Reason::NotEnrolled);
        }
        phones.retain(|phone| self.rules.allows(phone.number));
        // Of several that were used last, the one that was added first.
        let Some(phone) = phones.into_iter().rev().max_by_key(|phone| phone.used_at).map(|phone| phone.id.clone()) else {
            return Seen::Denied(Reason::NumberNotAllowed);
        };
        match self.me.bucket.lock(self.now, self.rules.window, 1) {
            Lock::Open => {}
            Lock::Until(time) => return Seen::SmsRefused(SmsRefusal::TooManyAttempts, Some(time)),
            Lock::Stopped => return Seen::SmsRefused(SmsRefusal::TooManyAttempts, None),
        }
        let seen = self.send();
        if let Seen::SmsSent { ends, .. } = seen {
            self.end_unused_code(ticket);
            let (from, kid) = (self.now, self.keys.newest());
            let code = LoginCode { ticket, phone, code: String::new(), from, until: ends, is_used: false, kid };
            self.me.sent.last_mut().unwrap().login = Some(code);
        }
        seen
    }

    pub(super) fn by_phone(&mut self, ticket: usize, factor: Option<&str>, code: &Typed) -> Result<String, Seen> {
        if !self.me.phones.iter().any(|phone| factor.is_none_or(|id| phone.id == id)) {
            return Err(Seen::Denied(Reason::NotEnrolled));
        }
        if !code.is_digits(self.rules.sms_digits) {
            return Err(Seen::Malformed);
        }
        let now = self.now;
        let mine = |code: &LoginCode| {
            let is_named = factor.is_none_or(|id| code.phone == id);
            let opens = self.me.phones.iter().any(|phone| phone.id == code.phone && phone.opens);
            opens && is_named && code.ticket == ticket && is_alive(code.from, code.until, now)
        };
        let mut alive: Vec<LoginCode> = self.me.sent.iter().filter_map(|sent| sent.login.clone()).filter(mine).collect();
        if alive.is_empty() {
            return Err(Seen::Expired);
        }
        let number = |id: &str| self.me.phones.iter().find(|phone| phone.id == id).unwrap().number;
        alive.retain(|code| self.rules.allows(number(&code.phone)));
        if alive.is_empty() {
            return Err(Seen::Denied(Reason::NumberNotAllowed));
        }
        let mut same = alive.iter().filter(|sent| sent.code == code.plain);
        let compared = match same.clone().next() {
            None => Compared::Wrong,
            Some(_) => same.find(|sent| !sent.is_used).map_or(Compared::Used(None), |sent| Compared::Right(sent.phone.clone())),
        };
        let used = self.attempt(compared, 1)?;
        for sent in self.me.sent.iter_mut().filter_map(|sent| sent.login.as_mut()) {
            sent.is_used |= sent.ticket == ticket && sent.phone == used && sent.code == code.plain;
        }
        let kid = self.keys.newest();
        let phone = self.me.phones.iter_mut().find(|phone| phone.id == used).unwrap();
        (phone.kid, phone.used_at) = (kid, Some(now));
        Ok(used)
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
            let is_used_up = again(&self.me.sent, &limits[1..]).is_some();
            return Seen::SmsRefused(if is_used_up { SmsRefusal::Budget } else { SmsRefusal::Cooldown }, Some(time));
        }
        self.me.sent.retain(|sent| is_counted(sent.at, now, DAY));
        self.me.sent.push(Message { id: String::new(), at: now, login: None, tries: 0, is_lost: false });
        let again = again(&self.me.sent, &limits).unwrap();
        Seen::SmsSent { digits: rules.sms_digits, ends: now + rules.sms_life, again }
    }

    /// The proof of a set-up that may begin. A ticket that is brought in place of a pass has to be good.
    fn admit_set_up(&self, session: &'static str, shown: Shown, method: Method, wish: Wish<'_>, plan: Plan) -> Result<Proof, Seen> {
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
        if wish.replaces.is_some_and(|id| !self.me.own().iter().any(|(_, known, _)| *known == id)) {
            return Err(Seen::Denied(Reason::NotEnrolled));
        }
        let most = if method == Method::Sms { 2 } else { 5 };
        let others = self.me.own().into_iter().filter(|(of, id, _)| *of == method && Some(*id) != wish.replaces);
        if others.count() >= most {
            return Err(Seen::Denied(Reason::TooManyFactors));
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

    fn begin_setup(&mut self, session: &'static str, proof: Proof, until: u64, wish: Wish<'_>, content: Content) {
        let (who, from, epoch, logins, kid) = (self.who, self.now, self.me.epoch, self.me.logins, self.keys.newest());
        self.new_setup = Some(Setup {
            who,
            session,
            from,
            until,
            proof,
            epoch,
            logins,
            kid,
            name: wish.name,
            replaces: wish.replaces.map(str::to_owned),
            content,
            text: String::new(),
        });
    }

    /// A set-up that is of this user, session and method, and in time.
    fn open_setup(&self, session: &str, token: Token, method: Method) -> Option<Setup> {
        let Token::Setup(number) = token else { return None };
        let setup = &self.setups[number];
        let is_mine = setup.who == self.who && setup.session == session && setup.method() == method;
        let is_open =
            setup.logins == self.me.logins && self.keys.sealing.contains(&setup.kid) && is_alive(setup.from, setup.until, self.now);
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
        self.me.needs_a_code() || !counts && (self.me.has_factor() || self.rules.forces(self.caller, self.now))
    }

    fn replace(&mut self, old: Option<String>) {
        // The new one has no id yet.
        self.me.apps.retain(|app| Some(&app.id) != old.as_ref());
        self.me.phones.retain(|phone| Some(&phone.id) != old.as_ref());
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
        let ends = self.give_pass(session, method, String::new());
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
