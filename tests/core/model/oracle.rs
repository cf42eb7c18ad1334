//! The answer that the documents promise for a command, and the state after it.

use crate::policy::{Channel, Method, Reason, Role};

use super::ask::{Ask, Keys, OWNER, Pass, Plan, Ticket, Token, Typed, USERS, Who, account};
use super::browsers::Trust;
use super::places::Caller;
use super::rules::{Login, Rules};
use super::seen::Seen;
use super::setups::{NewCodes, Setup, Shown, Wish, again_at, is_counted};
use super::shadow::{App, DAY, HOUR, Lock, Recovery, SKEW, Secret, Shadow, is_alive};

pub(super) struct Oracle<'a> {
    pub(super) rules: &'a Rules,
    pub(super) keys: &'a Keys,
    pub(super) tickets: &'a [Ticket],
    pub(super) passes: &'a [Pass],
    pub(super) setups: &'a [Setup],
    pub(super) new_codes: &'a [NewCodes],
    pub(super) now: u64,
    pub(super) caller: Caller,
    pub(super) who: Who,
    pub(super) me: Shadow,
    /// Whether the store has a record of the user.
    pub(super) is_stored: bool,
    /// The latest epoch of the user that the host's revocation list has.
    pub(super) listed_epoch: Option<usize>,
    /// The number of the epoch that a change begins.
    pub(super) next_epoch: usize,
    /// The tokens that the reply holds, still without their texts.
    pub(super) new_ticket: Option<Ticket>,
    pub(super) new_pass: Option<Pass>,
    pub(super) new_setup: Option<Setup>,
    /// A wrong recovery code may be remembered, for which a record is written.
    pub(super) may_write: bool,
}

/// A typed code beside the right one.
pub(super) enum Compared<T> {
    Right(T),
    /// Right, and used already. The next code of the app comes at this time.
    Used(Option<u64>),
    Wrong,
}

impl<T> Compared<T> {
    fn of(right: Option<T>) -> Self {
        right.map_or(Self::Wrong, Self::Right)
    }
}

impl Oracle<'_> {
    pub(super) fn answer(&mut self, ask: &Ask, other: &Shadow) -> Seen {
        match ask {
            Ask::Check { .. } => return self.check(ask),
            Ask::Gate { .. } => unreachable!("the gate is asked elsewhere"),
            _ => {}
        }
        self.me.recovery.take_if(|code| self.now >= code.until);
        let is_after_the_ticket = matches!(ask, Ask::SendSms { .. } | Ask::Verify { .. });
        let is_the_hosts_own = matches!(
            ask,
            Ask::PasswordChanged
                | Ask::SignOutEverywhere
                | Ask::OperatorIssues
                | Ask::OperatorResets
                | Ask::OperatorWithdraws
                | Ask::Depart { .. }
                | Ask::Arrive { .. }
                | Ask::Leave { .. }
                | Ask::Settle { .. }
                | Ask::Withdraw { .. }
                | Ask::Erased { .. }
                | Ask::NeverLeft { .. }
        );
        let channel = if let Ask::Begin { channel, .. } = ask { *channel } else { Channel::Web };
        if let Some(reason) = self.turned_away(channel).filter(|_| !is_after_the_ticket && !is_the_hosts_own) {
            return Seen::Denied(reason);
        }
        match ask {
            Ask::Begin { session, channel, plan } => self.begin(session, *channel, *plan),
            Ask::SendSms { ticket, session, factor } => match self.admit(*ticket, session, Method::Sms) {
                Ok(ticket) => self.send_login_code(ticket, factor.as_deref()),
                Err(seen) => seen,
            },
            Ask::Verify { ticket, session, next, method, factor, code, trust } => {
                match self.verify(*ticket, session, *method, factor.as_deref(), code) {
                    Ok((ticket, used)) => self.verified(ticket, *method, used, next, trust.as_ref()),
                    Err(seen) => seen,
                }
            }
            Ask::EnrollApp { session, pass, ticket, name, replaces, plan } => {
                self.enroll_app(session, Shown { pass: *pass, ticket: *ticket }, Wish { name: *name, replaces: replaces.as_deref() }, *plan)
            }
            Ask::ShowSetup { session, setup } => self.show_setup(session, *setup),
            Ask::ConfirmApp { session, next, setup, code } => self.confirm_app(session, *next, *setup, code),
            Ask::EnrollPhone { session, pass, ticket, number, name, replaces, plan } => self.enroll_phone(
                session,
                Shown { pass: *pass, ticket: *ticket },
                number,
                Wish { name: *name, replaces: replaces.as_deref() },
                *plan,
            ),
            Ask::ConfirmPhone { session, next, setup, code } => self.confirm_phone(session, *next, *setup, code),
            Ask::Rename { session, pass, factor, name } => self.rename(session, *pass, factor, name),
            Ask::Remove { session, pass, factor } => self.remove(session, *pass, factor),
            Ask::RemoveBrowser { session, pass, browser } => self.remove_browser(session, *pass, browser),
            Ask::Renew { session, pass } => self.renew(session, *pass),
            Ask::Show { session, pass } => self.show(session, *pass),
            Ask::ShowNew { session, pass, codes } => self.show_new(session, *pass, *codes),
            Ask::ConfirmCodes { session, pass, set } => self.confirm_codes(session, *pass, set),
            Ask::Issue { by, session, pass, role } => match self.owner_acts((*by, other), session, *pass, *role, false) {
                Ok(()) => self.make_recovery_code(false),
                Err(seen) => seen,
            },
            Ask::Reset { by, session, pass, role } => match self.owner_acts((*by, other), session, *pass, *role, true) {
                Ok(()) => self.reset(false),
                Err(seen) => seen,
            },
            Ask::PasswordChanged => self.end_logins(),
            Ask::SignOutEverywhere => {
                if self.me.had_factor {
                    self.begin_epoch();
                }
                self.end_logins()
            }
            Ask::OperatorIssues | Ask::OperatorResets if self.me.is_leaving() => Seen::MoveRefused,
            Ask::OperatorResets if self.me.has_left() => Seen::MoveRefused,
            Ask::OperatorIssues => self.make_recovery_code(true),
            Ask::OperatorResets => self.reset(true),
            Ask::OperatorWithdraws => match self.me.recovery.take() {
                Some(_) => Seen::Withdrawn,
                None => Seen::Expired,
            },
            Ask::Depart { to } => self.depart(*to, other).unwrap_or(Seen::MoveRefused),
            Ask::Arrive { from, .. } => self.arrive(*from, other).unwrap_or(Seen::MoveRefused),
            Ask::Leave { to } => self.leave(*to, other),
            Ask::Settle { from } => self.settle(*from, other),
            Ask::Withdraw { from } => self.withdraw(*from, other),
            Ask::Erased { to } => self.erased(to.map(|to| (to, other))).unwrap_or(Seen::MoveRefused),
            Ask::NeverLeft { message } => self.never_left(message),
            Ask::Check { .. } | Ask::Gate { .. } => unreachable!("answered above"),
        }
    }

    fn turned_away(&self, channel: Channel) -> Option<Reason> {
        self.rules.turned_away(self.caller.client, channel, self.now)
    }

    fn begin(&mut self, session: &'static str, channel: Channel, plan: Plan) -> Seen {
        let (rules, now) = (self.rules, self.now);
        let recovery_alive = self.me.live_recovery(rules, now).is_some();
        let may_enroll = rules.may_enroll(plan);
        match rules.login(self.caller, channel, self.me.factors(rules), plan, recovery_alive, now) {
            Login::In => Seen::Allowed { enroll: channel == Channel::Web && !self.me.has_factor() && may_enroll },
            Login::Out(reason) => Seen::Denied(reason),
            Login::SetUp => {
                let ends = self.give_ticket(session, true);
                let methods = [Method::Totp, Method::Sms].into_iter().filter(|method| rules.offers(*method)).collect();
                Seen::SetUp { methods, ends }
            }
            Login::SecondStep => {
                let ends = self.give_ticket(session, false);
                let methods: Vec<Method> = Method::ALL.into_iter().filter(|method| self.me.can_use(*method, rules, now)).collect();
                let confirmed = self.me.backup.as_ref().map(|backup| backup.is_confirmed);
                Seen::Challenge { confirmed: confirmed.filter(|_| methods.contains(&Method::BackupCode)), methods, ends }
            }
        }
    }

    fn give_ticket(&mut self, session: &'static str, is_for_set_up: bool) -> u64 {
        let (who, from, until, kid) = (self.who, self.now, self.now + self.rules.ticket_life, self.keys.newest());
        let logins = self.me.logins;
        self.new_ticket = Some(Ticket { is_for_set_up, who, session, logins, from, until, kid, text: String::new() });
        until
    }

    /// The number of a ticket of this kind, user and session that is in time.
    pub(super) fn open_ticket(&self, token: Token, session: &str, is_for_set_up: bool) -> Result<usize, Reason> {
        let Token::Ticket(number) = token else { return Err(Reason::TicketInvalid) };
        let ticket = &self.tickets[number];
        let is_ours = ticket.is_for_set_up == is_for_set_up && self.keys.sealing.contains(&ticket.kid);
        if !is_ours || ticket.from > self.now + SKEW {
            Err(Reason::TicketInvalid)
        } else if self.now >= ticket.until {
            Err(Reason::TicketExpired)
        } else if ticket.session != session {
            Err(Reason::OtherSession)
        } else if ticket.who != self.who {
            Err(Reason::TicketInvalid)
        } else if ticket.logins != self.me.logins {
            Err(Reason::TicketExpired)
        } else {
            Ok(number)
        }
    }

    /// The number of a ticket that admits to the second step.
    fn admit(&self, token: Token, session: &str, method: Method) -> Result<usize, Seen> {
        let denied = |reason| Err(Seen::Denied(reason));
        let number = self.open_ticket(token, session, false).map_err(Seen::Denied)?;
        if let Some(reason) = self.turned_away(Channel::Web) {
            return denied(reason);
        }
        if self.me.needs_a_code() && method != Method::RecoveryCode {
            return denied(Reason::RecoveryCodeRequired);
        }
        let recovery_alive = self.me.live_recovery(self.rules, self.now).is_some();
        let counts = self.rules.offers(method) || (method == Method::RecoveryCode && recovery_alive);
        if !counts {
            return denied(Reason::MethodNotOffered);
        }
        Ok(number)
    }

    /// The ticket, and the id of the app or phone that was used.
    fn verify(
        &mut self,
        ticket: Token,
        session: &str,
        method: Method,
        factor: Option<&str>,
        code: &Typed,
    ) -> Result<(usize, String), Seen> {
        let ticket = self.admit(ticket, session, method)?;
        let used = match method {
            Method::Totp => self.by_app(factor, code)?,
            Method::Sms => self.by_phone(ticket, factor, code)?,
            Method::BackupCode => self.by_backup_code(code).map(|()| String::new())?,
            Method::RecoveryCode => self.by_recovery_code(code).map(|()| String::new())?,
            Method::TrustedBrowser => self.by_browser(code)?,
        };
        Ok((ticket, used))
    }

    /// A code is compared with all apps that may show it: the one that is named, or all with as many digits.
    fn by_app(&mut self, factor: Option<&str>, code: &Typed) -> Result<String, Seen> {
        let named = |app: &App| factor.is_none_or(|id| app.id == id);
        let apps: Vec<usize> = (0..self.me.apps.len()).filter(|index| named(&self.me.apps[*index])).collect();
        if apps.is_empty() {
            return Err(Seen::Denied(Reason::NotEnrolled));
        }
        let showing: Vec<usize> = apps.into_iter().filter(|index| code.is_digits(self.me.apps[*index].secret.digits)).collect();
        if showing.is_empty() {
            return Err(Seen::Malformed);
        }
        let showing: Vec<usize> = showing.into_iter().filter(|index| self.me.apps[*index].opens).collect();
        let mut compared = Compared::Wrong;
        for index in &showing {
            let app = &self.me.apps[*index];
            match self.steps(&app.secret).filter(|step| app.secret.code(*step) == code.plain).last() {
                Some(step) if step > app.last_step => {
                    compared = Compared::Right((*index, step));
                    break;
                }
                Some(_) => compared = Compared::Used(Some((app.secret.step(self.now).max(app.last_step) + 1) * app.secret.period)),
                None => {}
            }
        }
        let (index, last_step) = match self.attempt(compared, showing.len()) {
            Ok(right) => right,
            Err(Seen::Wrong { left, retry_at, .. }) => {
                return Err(Seen::Wrong { left, retry_at, slow_by: self.tell_slow_clock(&showing, code) });
            }
            Err(seen) => return Err(seen),
        };
        let kid = self.keys.newest();
        let app = &mut self.me.apps[index];
        (app.last_step, app.kid, app.opens) = (last_step, kid, true);
        Ok(app.id.clone())
    }

    /// The least slow clock of these apps; the code is used up.
    fn tell_slow_clock(&mut self, apps: &[usize], code: &Typed) -> Option<u64> {
        let slow = |index: &usize| self.slow_by(&self.me.apps[*index].secret, code).map(|seconds| (seconds, *index));
        let told: Vec<(u64, usize)> = apps.iter().filter_map(slow).collect();
        for (seconds, index) in &told {
            let app = &mut self.me.apps[*index];
            app.last_step = app.last_step.max(app.secret.step(self.now) - seconds / app.secret.period);
        }
        told.into_iter().map(|(seconds, _)| seconds).min()
    }

    /// How many seconds ago an app showed a code: ten minutes at most, and before the steps that count.
    pub(super) fn slow_by(&self, secret: &Secret, code: &Typed) -> Option<u64> {
        let current = secret.step(self.now);
        let mut steps = self.rules.window + 1..=600 / secret.period;
        steps.find(|back| secret.code(current - back) == code.plain).map(|back| back * secret.period)
    }

    fn by_backup_code(&mut self, code: &Typed) -> Result<(), Seen> {
        let Some(backup) = self.me.backup.clone().filter(|_| self.me.has_factor()) else {
            return Err(Seen::Denied(Reason::NotEnrolled));
        };
        if !code.is_long() {
            return Err(Seen::Malformed);
        }
        let right = backup.codes.iter().position(|(plain, used)| *plain == code.plain && !used);
        let index = self.attempt(Compared::of(right), 1)?;
        let backup = self.me.backup.as_mut().unwrap();
        backup.codes[index].1 = true;
        backup.is_confirmed = true;
        Ok(())
    }

    fn by_recovery_code(&mut self, code: &Typed) -> Result<(), Seen> {
        if !code.is_long() {
            return Err(Seen::Malformed);
        }
        let Some(alive) = self.me.live_recovery(self.rules, self.now) else { return Err(Seen::Expired) };
        if alive.code != code.plain {
            self.may_write = true;
            return Err(Seen::Wrong { left: None, retry_at: None, slow_by: None });
        }
        self.me.recovery = None;
        (self.me.is_reset, self.me.gone) = (false, None);
        Ok(())
    }

    fn verified(&mut self, ticket: usize, method: Method, factor: String, session: &'static str, trust: Option<&Trust>) -> Seen {
        self.me.writes += 1;
        self.end_unused_code(ticket);
        if method == Method::RecoveryCode {
            self.me.bucket.rescue();
            self.me.had_factor = true;
            self.begin_epoch();
        } else if method != Method::TrustedBrowser {
            self.me.bucket.succeed();
        }
        if let Some(trust) = trust {
            self.trust(method, trust);
        }
        let ends = self.give_pass(session, method, factor);
        let enroll = method == Method::RecoveryCode || !self.me.has_factor();
        Seen::Verified { method, ends, enroll, left: (method == Method::BackupCode).then(|| self.me.codes_left()) }
    }

    /// The time steps of an app that count now.
    pub(super) fn steps(&self, secret: &Secret) -> impl Iterator<Item = u64> + use<> {
        let (step, window) = (secret.step(self.now), self.rules.window);
        step.saturating_sub(window)..=step + window
    }

    /// An attempt: nothing is compared while locked, and a wrong one is counted; a used one is not.
    pub(super) fn attempt<T>(&mut self, compared: Compared<T>, apps: usize) -> Result<T, Seen> {
        let locked = |lock| match lock {
            Lock::Open => None,
            Lock::Until(time) => Some(Some(time)),
            Lock::Stopped => Some(None),
        };
        let (window, apps) = (self.rules.window, u64::try_from(apps).unwrap());
        if let Some(retry_at) = locked(self.me.bucket.lock(self.now, window, apps)) {
            return Err(Seen::Locked(retry_at));
        }
        match compared {
            Compared::Right(right) => return Ok(right),
            Compared::Used(next) => return Err(Seen::AlreadyUsed(next)),
            Compared::Wrong => {}
        }
        self.me.bucket.fail(self.now, window, apps);
        let locked = locked(self.me.bucket.lock(self.now, window, apps));
        let left = if locked.is_some() { 0 } else { self.me.bucket.attempts_left() };
        Err(Seen::Wrong { left: Some(left), retry_at: locked.flatten(), slow_by: None })
    }

    fn rename(&mut self, session: &str, pass: Token, id: &str, name: &str) -> Seen {
        if !self.current_pass(session, pass).is_some_and(|pass| self.counts(pass)) {
            return Seen::Denied(Reason::FreshFactorRequired);
        }
        let Some((method, ..)) = self.me.own().into_iter().find(|(_, known, _)| *known == id) else {
            return Seen::Denied(Reason::NotEnrolled);
        };
        for app in self.me.apps.iter_mut().filter(|app| app.id == id) {
            name.clone_into(&mut app.name);
        }
        for phone in self.me.phones.iter_mut().filter(|phone| phone.id == id) {
            name.clone_into(&mut phone.name);
        }
        Seen::Renamed(method, name.to_owned())
    }

    fn remove(&mut self, session: &str, pass: Token, id: &str) -> Seen {
        let Some(pass) = self.current_pass(session, pass).filter(|pass| self.is_fresh(pass)).cloned() else {
            return Seen::Denied(Reason::FreshFactorRequired);
        };
        let Some((method, ..)) = self.me.own().into_iter().find(|(_, known, _)| *known == id) else {
            return Seen::Denied(Reason::NotEnrolled);
        };
        let is_last = !self.me.own().iter().any(|(_, other, _)| *other != id && self.me.can_use_factor(other, self.rules));
        if is_last && self.rules.forces(self.caller, self.now) {
            return Seen::Denied(Reason::EnrollmentRequired);
        }
        self.me.apps.retain(|app| app.id != id && !is_last);
        self.me.phones.retain(|phone| phone.id != id && !is_last);
        if is_last {
            self.me.backup = None;
        }
        self.end_login_codes();
        self.begin_epoch();
        let ends = self.renew_pass(pass);
        let left = self.me.own().into_iter().map(|(method, ..)| method).collect();
        Seen::Removed { method, left, ends }
    }

    fn renew(&mut self, session: &str, pass: Token) -> Seen {
        let pass = self.current_pass(session, pass).filter(|pass| self.is_fresh(pass)).cloned();
        if let Some(reason) = self.no_backup_codes() {
            return Seen::Denied(reason);
        }
        let Some(pass) = pass else { return Seen::Denied(Reason::FreshFactorRequired) };
        if let Some(seen) = self.too_many_sets() {
            return seen;
        }
        self.mint_backup_codes();
        self.begin_epoch();
        let ends = Some(self.renew_pass(pass));
        Seen::Codes { used: vec![false; self.rules.backup_count], is_confirmed: false, ends }
    }

    fn show(&self, session: &str, pass: Token) -> Seen {
        if let Some(reason) = self.no_backup_codes() {
            return Seen::Denied(reason);
        }
        if !self.current_pass(session, pass).is_some_and(|pass| self.is_fresh(pass) && is_strong(pass)) {
            return Seen::Denied(Reason::FreshFactorRequired);
        }
        match self.me.backup.as_ref().filter(|backup| backup.is_kept && self.rules.keep) {
            Some(backup) => {
                let used = backup.codes.iter().map(|(_, used)| *used).collect();
                Seen::Codes { used, is_confirmed: backup.is_confirmed, ends: None }
            }
            None => Seen::Denied(Reason::NotKept),
        }
    }

    pub(super) fn end_logins(&mut self) -> Seen {
        self.me.browsers.clear();
        self.me.logins = self.next_epoch;
        self.end_login_codes();
        Seen::Ended
    }

    /// The session that made a set sees it again, until the person has said that the codes are saved.
    fn show_new(&self, session: &str, pass: Token, codes: Token) -> Seen {
        if let Some(reason) = self.no_backup_codes() {
            return Seen::Denied(reason);
        }
        if self.current_pass(session, pass).is_none() {
            return Seen::Denied(Reason::FreshFactorRequired);
        }
        let Token::NewCodes(number) = codes else { return Seen::Expired };
        let new = &self.new_codes[number];
        let is_mine = new.who == self.who && new.session == session && self.keys.sealing.contains(&new.kid);
        match self.me.backup.as_ref().filter(|backup| backup.set == new.set && !backup.is_confirmed) {
            Some(backup) if is_mine && is_alive(new.from, new.until, self.now) => {
                Seen::Codes { used: vec![false; backup.codes.len()], is_confirmed: false, ends: None }
            }
            _ => Seen::Expired,
        }
    }

    /// Any pass of the current epoch will do, and it names the set that is there now.
    fn confirm_codes(&mut self, session: &str, pass: Token, set: &str) -> Seen {
        if let Some(reason) = self.no_backup_codes() {
            return Seen::Denied(reason);
        }
        if self.current_pass(session, pass).is_none() {
            return Seen::Denied(Reason::FreshFactorRequired);
        }
        match self.me.backup.as_mut().filter(|backup| backup.set == set) {
            Some(backup) => {
                backup.is_confirmed = true;
                Seen::Confirmed
            }
            None => Seen::Expired,
        }
    }

    fn no_backup_codes(&self) -> Option<Reason> {
        if !self.rules.offers(Method::BackupCode) {
            Some(Reason::MethodNotOffered)
        } else {
            (!self.me.has_factor()).then_some(Reason::NotEnrolled)
        }
    }

    /// Admits an owner who issues a code or resets a user: both have the same rules and one budget.
    fn owner_acts(&mut self, (by, issuer): (Who, &Shadow), session: &str, pass: Token, role: Role, is_reset: bool) -> Result<(), Seen> {
        let proof = self.pass_of(by, issuer, session, pass).filter(|pass| self.is_fresh(pass) && is_strong(pass));
        let reason = if !self.rules.offers(Method::RecoveryCode) {
            Reason::MethodNotOffered
        } else if !self.rules.owners_may_issue() {
            Reason::OperatorOnly
        } else if role != Role::Owner {
            Reason::OwnerOnly
        } else if by == self.who {
            Reason::NotForOneself
        } else if proof.is_none() {
            Reason::FreshFactorRequired
        } else if self.me.is_leaving() || (is_reset && self.me.has_left()) {
            Reason::MoveUnderWay
        } else if let Some(time) = again_at(self.me.issued.iter().copied(), self.now, &[(HOUR, 5), (DAY, 20)]) {
            return Err(Seen::DeniedUntil(Reason::TooOften, time));
        } else {
            let now = self.now;
            self.me.issued.retain(|at| is_counted(*at, now, DAY));
            self.me.issued.push(now);
            return Ok(());
        };
        Err(Seen::Denied(reason))
    }

    /// All that lets in is taken back, and a recovery code is the only way in.
    fn reset(&mut self, by_operator: bool) -> Seen {
        self.forget();
        (self.me.had_factor, self.me.is_reset) = (true, true);
        self.begin_epoch();
        self.end_logins();
        self.make_recovery_code(by_operator)
    }

    fn make_recovery_code(&mut self, by_operator: bool) -> Seen {
        if self.me.is_erased() {
            (self.me.gone, self.me.is_reset) = (None, true);
        }
        let until = self.now + self.rules.recovery_life;
        self.me.recovery = Some(Recovery { code: String::new(), by_operator, from: self.now, until, kid: self.keys.newest() });
        self.me.writes += 1;
        Seen::Recovery { ends: until }
    }

    fn check(&self, ask: &Ask) -> Seen {
        let Ask::Check { session, pass, channel, max_age, methods, fresh, plan, with_record, with_list } = ask else { unreachable!() };
        if let Some(reason) = self.turned_away(*channel) {
            return Seen::Denied(reason);
        }
        let verdict = self.judge(*pass, session).and_then(|pass| {
            let is_trusted = pass.method == Method::TrustedBrowser;
            let age = if is_trusted { u64::MAX } else { self.now.saturating_sub(pass.shown_at) };
            if *with_list && self.listed_epoch.is_some_and(|listed| pass.epoch < listed) {
                Err("revoked")
            } else if (*fresh && age > self.rules.fresh) || max_age.is_some_and(|most| age > u64::from(most)) {
                Err("too_old")
            } else if methods.as_ref().is_some_and(|methods| !methods.contains(&pass.method)) {
                Err("method_not_accepted")
            } else {
                Ok(pass)
            }
        });
        let verdict = match verdict {
            // A record that is seen tells of the reset, without a list.
            Ok(_) if *with_record && self.me.needs_a_code() => Err("revoked"),
            Ok(_) if *fresh && !*with_record => return Seen::AsksForTheRecord,
            Ok(pass) if *fresh && !(self.counts(pass) && is_current(pass, &self.me)) => Err("too_old"),
            Ok(pass) => Ok(pass),
            Err(_) if !*with_record => return Seen::AsksForTheRecord,
            Err(reason) => Err(reason),
        };
        let recovery_alive = self.me.live_recovery(self.rules, self.now).is_some();
        match verdict {
            Ok(pass) => Seen::In(Some(pass.method), Some(self.end(pass))),
            Err(reason) => match self.rules.login(self.caller, *channel, self.me.factors(self.rules), *plan, recovery_alive, self.now) {
                Login::In => Seen::In(None, None),
                Login::SecondStep | Login::SetUp => Seen::SecondStep(reason.to_owned()),
                Login::Out(reason) => Seen::Denied(reason),
            },
        }
    }

    /// A pass of this user and session that is in time, or the word for its flaw.
    fn judge(&self, token: Token, session: &str) -> Result<&Pass, &'static str> {
        let pass = match token {
            Token::None => return Err("no_pass"),
            Token::Junk | Token::Ticket(_) | Token::Setup(_) | Token::NewCodes(_) | Token::Altered(_) => return Err("invalid"),
            Token::Pass(number) => &self.passes[number],
        };
        if !self.keys.signing.contains(&pass.kid) || pass.from > self.now + SKEW {
            Err("invalid")
        } else if pass.method == Method::TrustedBrowser && self.rules.trusted_days.is_none() {
            Err("method_not_accepted")
        } else if self.now >= self.end(pass) {
            Err("expired")
        } else if account(pass.who) != account(self.who) {
            Err("other_account")
        } else if pass.who != self.who {
            Err("other_user")
        } else if pass.session != session {
            Err("other_session")
        } else {
            Ok(pass)
        }
    }

    /// The pass, if it is of this user and session, in time, and of the current epoch.
    pub(super) fn current_pass(&self, session: &str, token: Token) -> Option<&Pass> {
        self.pass_of(self.who, &self.me, session, token)
    }

    /// The same by whatever method: it proves who the session is.
    pub(super) fn session_pass(&self, session: &str, token: Token) -> Option<&Pass> {
        self.judge(token, session).ok().filter(|pass| pass.epoch == self.me.epoch)
    }

    fn pass_of(&self, who: Who, record: &Shadow, session: &str, token: Token) -> Option<&Pass> {
        let Token::Pass(number) = token else { return None };
        let pass = &self.passes[number];
        let is_in_time = self.keys.signing.contains(&pass.kid) && pass.from <= self.now + SKEW && self.now < self.end(pass);
        (is_in_time && pass.who == who && pass.session == session && is_current(pass, record)).then_some(pass)
    }

    /// The end of a pass: its own, and no later than the policy that checks it allows.
    fn end(&self, pass: &Pass) -> u64 {
        let of_trust = if pass.method == Method::TrustedBrowser { self.rules.trusted_days } else { None };
        let trusted_until = of_trust.map_or(u64::MAX, |days| pass.shown_at + days * DAY);
        pass.until.min(pass.from + self.rules.pass_life).min(trusted_until)
    }

    pub(super) fn is_fresh(&self, pass: &Pass) -> bool {
        self.counts(pass) && self.now.saturating_sub(pass.shown_at) <= self.rules.fresh
    }

    /// A method that is no longer offered changes nothing. A recovery code was the operator's, perhaps; it changes nothing
    /// once there is another one.
    fn counts(&self, pass: &Pass) -> bool {
        match pass.method {
            Method::RecoveryCode => self.me.live_recovery(self.rules, self.now).is_none(),
            Method::TrustedBrowser => false,
            method => self.rules.offers(method),
        }
    }

    pub(super) fn begin_epoch(&mut self) {
        self.me.browsers.clear();
        self.me.epoch = self.next_epoch;
    }

    /// The pass of a second factor that was shown now; gives its end.
    pub(super) fn give_pass(&mut self, session: &'static str, method: Method, factor: String) -> u64 {
        let trusted = self.me.browsers.iter().find(|browser| method == Method::TrustedBrowser && browser.id == factor);
        let shown_at = trusted.map_or(self.now, |browser| browser.added_at.min(self.now));
        let trusted_until = trusted.map_or(u64::MAX, |browser| browser.ends(self.rules));
        let until = (self.now + self.rules.pass_life).min(trusted_until);
        let (who, epoch, from, kid) = (self.who, self.me.epoch, self.now, self.keys.signing[0]);
        self.new_pass = Some(Pass { who, session, method, factor, epoch, from, shown_at, until, kid, text: String::new() });
        until
    }

    /// The same pass in the epoch that a change began.
    fn renew_pass(&mut self, pass: Pass) -> u64 {
        let until = self.end(&pass);
        self.new_pass = Some(Pass { epoch: self.me.epoch, until, kid: self.keys.signing[0], text: String::new(), ..pass });
        until
    }
}

/// Whether a pass is of the record's epoch, by a factor that is still there.
fn is_current(pass: &Pass, record: &Shadow) -> bool {
    let is_there = match pass.method {
        Method::Totp | Method::Sms => record.own().iter().any(|(_, id, _)| *id == pass.factor),
        Method::BackupCode => record.backup.is_some(),
        Method::RecoveryCode => true,
        Method::TrustedBrowser => false,
    };
    pass.epoch == record.epoch && is_there
}

/// By app or SMS.
const fn is_strong(pass: &Pass) -> bool {
    matches!(pass.method, Method::Totp | Method::Sms)
}

pub(super) fn is_owner(who: Who) -> bool {
    who % USERS.len() == OWNER
}
