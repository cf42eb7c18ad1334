//! T46: the documented ways back in, found from the model's state and walked on the real engine, on a copy.
//!
//! The right person knows the password, and comes from an address that the rules admit. A sealing key that was
//! dropped is put back first: that is its documented remedy.

use serde_json::{Value, json};

use crate::client_ip::ClientIp;
use crate::effect::Effect;
use crate::engine::{Command, Env, IssueRecoveryCode, Reply, SmsRefusal, issue_recovery_code, operator, step};
use crate::entropy::Entropy;
use crate::ids::OperatorId;
use crate::policy::{Method, Reason, Roles};
use crate::record::Record;
use crate::time::UnixSeconds;

use super::ask::{USERS, Who, account, owner_of};
use super::document::Document;
use super::host::id;
use super::oracle::is_owner;
use super::places::{Caller, Client, Told};
use super::rng::Rng;
use super::rules::Factors;
use super::setups::THEIR_NUMBERS;
use super::shadow::{App, DAY, SKEW, Secret};
use super::world::{Checked, World};

/// A way in for the right person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    NoFactorNeeded,
    FirstFactorByPassword,
    App,
    Phone,
    BackupCode,
    OwnersCode,
    OperatorsCode,
}

/// A pass, as the walk holds it.
struct In {
    session: &'static str,
    pass: String,
}

impl World {
    /// Walks every way in that the state promises this person.
    pub(super) fn walk_back_in(&mut self, who: Who, rng: &mut Rng) -> Checked {
        let mut copy = self.copy();
        if copy.keys != copy.keys.all_put_back() {
            copy.set_keys(copy.keys.all_put_back());
        }
        let keys = copy.keys.clone();
        copy.people.iter_mut().for_each(|person| person.see_keys(&keys));
        copy.end_the_move(who, rng)?;
        copy.rules_last(who);
        if self.rules[account(who)].admitted(self.now).is_none() {
            self.count("way: after the address rules were opened".to_owned());
        }
        let ways = copy.ways(who);
        if ways.is_empty() {
            return Err(format!("way: none for {}", USERS[who % 3]));
        }
        let is_shut = copy.people[who].apps.iter().any(|app| app.is_theirs && app.last_step * app.secret.period > copy.now + DAY);
        if is_shut {
            self.count("doubtful: an app is shut until the time that a clock once ran ahead to".to_owned());
        }
        for way in ways {
            let mut walker = copy.copy();
            let walked = walker.walk(who, way, rng);
            walked.map_err(|text| format!("way {way:?} of {} in account {}: {text}", USERS[who % 3], account(who)))?;
            self.count(format!("way {way:?}"));
            for what in walker.count.into_keys() {
                self.count(what);
            }
            if copy.people[who].bucket.is_stopped() {
                self.count(format!("way {way:?} of a stopped account"));
            }
            if copy.people[who].needs_a_code() {
                self.count(format!("way {way:?} of a reset user"));
            }
            if self.keys != copy.keys {
                self.count(format!("way {way:?} after a key was put back"));
            }
        }
        Ok(())
    }

    /// Rules that hold now hold to the end of the walk. Where they admit nobody, because a list has ended or because the
    /// accounts of the user do not agree, who may change them opens them first: that is the documented remedy.
    fn rules_last(&mut self, who: Who) {
        let rules = self.rules[account(who)].each(|document| document.lasting(self.now));
        self.set_rules(account(who), rules);
        if self.rules[account(who)].admitted(self.now).is_none() {
            let opened = self.rules[account(who)].each(Document::opened);
            self.set_rules(account(who), opened);
        }
    }

    fn ways(&self, who: Who) -> Vec<Way> {
        let (me, rules) = (&self.people[who], &self.rules[account(who)]);
        let caller = Caller { client: rules.admitted(self.now).unwrap(), roles: Told::Nothing };
        let factors = me.factors(rules);
        if matches!(factors, Factors::None | Factors::Never) && !rules.forces(caller, self.now) {
            return vec![Way::NoFactorNeeded];
        }
        let mut ways = self.own_ways(who);
        let by_password = factors == Factors::Never && rules.accept_the_password() && rules.may_enroll(rules.a_plan());
        if by_password && me.live_recovery(rules, self.now).is_none() {
            ways.push(Way::FirstFactorByPassword);
        }
        let is_open = !me.bucket.is_stopped();
        if is_open && me.can_use(Method::BackupCode, rules, self.now) && me.backup.as_ref().is_some_and(|backup| backup.is_theirs) {
            ways.push(Way::BackupCode);
        }
        let owner_is_able = !is_owner(who) && !self.own_ways(owner_of(who)).is_empty();
        if rules.offers(Method::RecoveryCode) && rules.owners_may_issue() && owner_is_able {
            ways.push(Way::OwnersCode);
        }
        ways.push(Way::OperatorsCode);
        ways
    }

    /// Whether a code of this app was used while a clock ran ahead.
    fn is_ahead(&self, app: &App) -> bool {
        (app.last_step + 2) * app.secret.period > self.now + DAY
    }

    /// By a factor of one's own.
    fn own_ways(&self, who: Who) -> Vec<Way> {
        let (me, rules) = (&self.people[who], &self.rules[account(who)]);
        let mut ways = Vec::new();
        if me.bucket.is_stopped() {
            return ways;
        }
        // A code that was used while a clock ran ahead shuts the app until that time: the other ways remain.
        let has_app = me.apps.iter().any(|app| app.is_theirs && !self.is_ahead(app));
        if has_app && me.can_use(Method::Totp, rules, self.now) {
            ways.push(Way::App);
        }
        let has_phone = me.phones.iter().any(|phone| phone.is_theirs && rules.allows(phone.number));
        if has_phone && me.can_use(Method::Sms, rules, self.now) {
            ways.push(Way::Phone);
        }
        ways
    }

    fn walk(&mut self, who: Who, way: Way, rng: &mut Rng) -> Checked {
        match way {
            Way::NoFactorNeeded => match self.ask(who, &json!({"begin": {"session": "w"}}), rng)?.0 {
                Reply::Allowed { .. } => Ok(()),
                other => Err(format!("begin: {other:?}")),
            },
            Way::FirstFactorByPassword => {
                let plan = self.rules[account(who)].a_plan();
                let begun = self.ask(who, &json!({"begin": {"session": "w", "plan": plan}}), rng)?.0;
                let Reply::SetUp { ticket, methods, .. } = begun else { return Err(format!("begin: {begun:?}")) };
                if !methods.contains(&Method::Totp) {
                    return Ok(());
                }
                let start = json!({"session": "w", "ticket": ticket, "label": "x", "plan": plan});
                let started = self.ask(who, &json!({"enroll_totp": start}), rng)?.0;
                self.confirm_app(who, "w", started, rng)
            }
            Way::App | Way::Phone => self.own_factor(who, way, rng).map(|_| ()),
            Way::BackupCode => {
                let codes = &self.people[who].backup.as_ref().unwrap().codes;
                let code = codes.iter().find(|(_, used)| !used).unwrap().0.clone();
                self.second_step(who, "backup_code", rng, |_, _, _| Ok(code.clone())).map(|_| ())
            }
            Way::OwnersCode => {
                let owner = owner_of(who);
                let way = self.own_ways(owner)[0];
                let proof = self.own_factor(owner, way, rng)?;
                let code = match self.issue(who, owner, &proof, rng)? {
                    Reply::RecoveryCode { code, .. } => code.0,
                    // Five an hour and twenty a day.
                    Reply::Denied { reason: Reason::TooOften, retry_at: Some(time) } => {
                        let time = time.seconds();
                        if time <= self.now || time > self.now + DAY + SKEW {
                            return Err(format!("the owner is told to wait until {time}, and it is {}", self.now));
                        }
                        self.now = time;
                        let proof = self.own_factor(owner, way, rng)?;
                        match self.issue(who, owner, &proof, rng)? {
                            Reply::RecoveryCode { code, .. } => code.0,
                            other => return Err(format!("the owner, at the time that was told: {other:?}")),
                        }
                    }
                    other => return Err(format!("the owner: {other:?}")),
                };
                self.rescue(who, &code, rng)
            }
            Way::OperatorsCode => {
                let code = self.operators_code(who, rng)?;
                self.rescue(who, &code, rng)
            }
        }
    }

    fn operators_code(&mut self, who: Who, rng: &mut Rng) -> Checked<String> {
        let (record, name) = (self.record(who).map_err(|e| e.to_string())?, OperatorId::new("night shift").unwrap());
        let time = UnixSeconds::new(self.now).unwrap();
        let policy = &self.policies[account(who)];
        let pending = operator::issue_recovery_code(policy, &self.ring, record, &name, time, Entropy::new(rng.seed()))
            .map_err(|error| format!("the operator: {error}"))?;
        self.store[who] = pending.to_store().map(Record::to_text);
        match pending.stored().0 {
            Reply::RecoveryCode { code, .. } => Ok(code.0),
            other => Err(format!("the operator: {other:?}")),
        }
    }

    fn issue(&mut self, who: Who, owner: Who, proof: &In, rng: &mut Rng) -> Checked<Reply> {
        let by = json!({"user": USERS[owner % 3], "session": proof.session, "pass": proof.pass, "role": "owner"});
        let question = IssueRecoveryCode::parse(&json!({"by": by}).to_string()).unwrap();
        let (record, issuer) = (self.record(who).map_err(|e| e.to_string())?, self.record(owner).map_err(|e| e.to_string())?);
        let policy = &self.policies[account(who)];
        let client = self.client(who);
        let env = Env { now: UnixSeconds::new(self.now).unwrap(), client, roles: Roles::Unknown, entropy: Entropy::new(rng.seed()) };
        let pending = issue_recovery_code(policy, &self.ring, record, &issuer, &question, env).map_err(|error| error.to_string())?;
        if let Some(record) = pending.to_store() {
            self.store[who] = Some(record.to_text());
        }
        Ok(pending.stored().0)
    }

    /// In by a recovery code, whatever the lock says; then an app is set up, and logs in by itself.
    fn rescue(&mut self, who: Who, code: &str, rng: &mut Rng) -> Checked {
        let before = self.now;
        let proof = self.second_step(who, "recovery_code", rng, |_, _, _| Ok(code.to_owned()))?;
        if self.now != before {
            return Err("a recovery code had to wait".to_owned());
        }
        let rules = self.rules[account(who)].clone();
        let plan = rules.a_plan();
        if !rules.offers(Method::Totp) || !rules.plan_may_enroll(plan) {
            return Ok(());
        }
        let enroll = |pass: &str| json!({"enroll_totp": {"session": proof.session, "pass": pass, "label": "x", "plan": plan}});
        let mut started = self.ask(who, &enroll(&proof.pass), rng)?.0;
        if let Reply::Denied { reason: Reason::TooManyFactors, .. } = started {
            let remove = json!({"session": proof.session, "pass": proof.pass, "factor": self.people[who].apps[0].id});
            let removed = self.ask(who, &json!({"remove": remove}), rng)?.0;
            let Reply::Removed { pass, .. } = removed else { return Err(format!("too many apps, and none goes: {removed:?}")) };
            self.count("way: a set-up after a rescue came in the place of an app".to_owned());
            started = self.ask(who, &enroll(&pass.0), rng)?.0;
        }
        // A first factor brings backup codes, of which there were too many sets: another recovery code, later.
        let no_set_until = self.people[who].no_set_until(self.now).filter(|_| {
            let is_first = !self.people[who].has_factor();
            is_first && rules.offers(Method::BackupCode)
        });
        if let (Reply::Denied { reason: Reason::TooOften, retry_at: Some(time) }, Some(expected)) = (&started, no_set_until)
            && time.seconds() == expected
        {
            self.count("way: a set-up after a rescue waited for the budget of backup codes".to_owned());
            self.now = expected;
            // The first code has ended a reset: where no second factor is forced, the password is enough by now.
            if let Reply::Allowed { .. } = self.ask(who, &json!({"begin": {"session": "w"}}), rng)?.0 {
                return Ok(());
            }
            let code = self.operators_code(who, rng)?;
            return self.rescue(who, &code, rng);
        }
        self.confirm_app(who, proof.session, started, rng)
    }

    /// An app that was started is confirmed, and logs in by itself.
    fn confirm_app(&mut self, who: Who, session: &str, started: Reply, rng: &mut Rng) -> Checked {
        let rules = self.rules[account(who)].clone();
        let Reply::TotpStarted { setup, secret, .. } = started else { return Err(format!("set-up: {started:?}")) };
        let secret = Secret { base32: secret.0.replace(' ', ""), digits: rules.app_digits, period: rules.app_period };
        let step = secret.step(self.now);
        let code = secret.code(step);
        // Two steps may share a code, one time in a million: the later one is then used up.
        let used = (step..=step + rules.window).rfind(|step| secret.code(*step) == code).unwrap();
        let confirm = json!({"confirm_totp": {"session": session, "setup": setup.0, "code": code}});
        let enrolled = self.ask(who, &confirm, rng)?.0;
        let Reply::Enrolled { .. } = enrolled else { return Err(format!("confirmation: {enrolled:?}")) };
        self.now = self.now.max((used + 1) * secret.period);
        self.second_step(who, "totp", rng, |world, _, _| Ok(secret.code(secret.step(world.now)))).map(|_| ())
    }

    fn own_factor(&mut self, who: Who, way: Way, rng: &mut Rng) -> Checked<In> {
        if way == Way::App {
            let mut apps = self.people[who].apps.iter().filter(|app| app.is_theirs);
            let app = apps.clone().find(|app| !self.is_ahead(app)).or_else(|| apps.next()).unwrap().clone();
            self.now = self.now.max((app.last_step + 1) * app.secret.period);
            return self.second_step(who, "totp", rng, |world, _, _| Ok(app.secret.code(app.secret.step(world.now))));
        }
        let rules = &self.rules[account(who)];
        let phone = self.people[who].phones.iter().find(|phone| phone.is_theirs && rules.allows(phone.number)).unwrap().id.clone();
        self.second_step(who, "sms", rng, |world, ticket, rng| {
            let send = json!({"send_sms": {"ticket": ticket, "session": "w", "factor": phone}});
            let (reply, effects) = world.ask(who, &send, rng)?;
            match reply {
                Reply::SmsSent { .. } => {
                    let message = effects.iter().find_map(|effect| if let Effect::Sms(sms) = effect { Some(sms) } else { None });
                    let message = message.ok_or("no message")?;
                    if !THEIR_NUMBERS.contains(&message.to.0.as_str()) {
                        return Err("a message to somebody else".to_owned());
                    }
                    Ok(message.template.code.0.clone())
                }
                Reply::SmsRefused {
                    reason: SmsRefusal::Cooldown | SmsRefusal::Budget | SmsRefusal::TooManyAttempts,
                    retry_at: Some(time),
                } => Err(format!("wait until {}", time.seconds())),
                other => Err(format!("send_sms: {other:?}")),
            }
        })
    }

    /// Begins and verifies, and waits as the replies say.
    fn second_step(
        &mut self,
        who: Who,
        method: &str,
        rng: &mut Rng,
        mut code: impl FnMut(&mut Self, &str, &mut Rng) -> Checked<String>,
    ) -> Checked<In> {
        let mut last = String::new();
        // Cool-down, minute, hour and day are told one after the other, and again for each message.
        for _ in 0..20 {
            let ticket = match self.ask(who, &json!({"begin": {"session": "w"}}), rng)?.0 {
                Reply::Challenge { ticket, methods, .. } if methods.iter().any(|usable| usable.method.as_str() == method) => ticket.0,
                other => return Err(format!("begin: {other:?}")),
            };
            let code = match code(self, &ticket, rng) {
                Ok(code) => code,
                Err(text) => {
                    let Some(time) = text.strip_prefix("wait until ") else { return Err(text) };
                    let time = time.parse().unwrap();
                    // A day after the last message. A clock that ran ahead may have sent it.
                    let last_sent = self.people[who].sent.iter().map(|sent| sent.at).fold(self.now + SKEW, u64::max);
                    if time <= self.now || time > last_sent + DAY {
                        return Err(format!("told to wait until {time}, and it is {}", self.now));
                    }
                    (self.now, last) = (time, text);
                    continue;
                }
            };
            let command = json!({"verify": {"ticket": ticket, "session": "w", "newSession": "in", "method": method, "code": code}});
            match self.ask(who, &command, rng)?.0 {
                Reply::Verified { pass, .. } => return Ok(In { session: "in", pass: pass.0 }),
                Reply::Locked { retry_at: Some(time) } if time.seconds() > self.now => {
                    (self.now, last) = (time.seconds(), "locked".to_owned());
                }
                other => return Err(format!("verify by {method}: {other:?}")),
            }
        }
        Err(format!("still waiting: {last}"))
    }

    fn client(&self, who: Who) -> ClientIp {
        self.rules[account(who)].admitted(self.now).unwrap_or(Client::Office).ip()
    }

    /// One command of the right person, stored at once.
    pub(super) fn ask(&mut self, who: Who, command: &Value, rng: &mut Rng) -> Checked<(Reply, Vec<Effect>)> {
        let command = Command::parse(&command.to_string()).map_err(|error| error.to_string())?;
        let record = self.record(who).map_err(|error| error.to_string())?;
        let client = self.client(who);
        let env = Env { now: UnixSeconds::new(self.now).unwrap(), client, roles: Roles::Unknown, entropy: Entropy::new(rng.seed()) };
        let pending =
            step(&self.policies[account(who)], &self.ring, record, command, env).map_err(|error| format!("{:?}: {error}", id(who)))?;
        if let Some(record) = pending.to_store() {
            self.store[who] = Some(record.to_text());
        }
        Ok(pending.stored())
    }
}
