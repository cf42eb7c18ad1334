//! The host: stores, policies, keys and a clock, with the real engine beside the model's own records.

use std::collections::{BTreeMap, BTreeSet};

use crate::effect::Effect;
use crate::engine::{Limit, OverLimit, Reply, SmsRefusal, TrustedBrowserStatus, status};
use crate::error::ErrorCode;
use crate::keys::KeyRing;
use crate::policy::Policy;
use crate::time::UnixSeconds;

use super::ask::{ACCOUNTS, Ask, Keys, Pass, SESSIONS, Ticket, Token, USERS, Who, account, is_thief};
use super::browsers::Cookie;
use super::document::Document;
use super::gates::{Door, Kept};
use super::host::{Answer, plain, ring};
use super::invariants::After;
use super::operator_moves::Departed;
use super::oracle::Oracle;
use super::places::Caller;
use super::rng::Rng;
use super::rules::Rules;
use super::seen::Seen;
use super::setups::{Content, NEW_CODES_LIFE, NEW_ID, NewCodes, Setup};
use super::shadow::{Backup, DAY, Lock, Shadow};

pub(super) const START: u64 = 1_800_000_000;
pub(super) const PEOPLE: usize = ACCOUNTS.len() * USERS.len();

/// A violation: its name, a colon, and what was seen.
pub(super) type Checked<T = ()> = Result<T, String>;

/// A failure of the host on the way of one command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// The store throws, and has written nothing.
    BeforeTheWrite,
    /// The store throws although it has written, or the process dies then: the reply and the effects are lost.
    AfterTheWrite,
}

pub(super) struct World {
    pub(super) now: u64,
    pub(super) rules: [Rules; 3],
    pub(super) policies: [Policy; 3],
    pub(super) keys: Keys,
    pub(super) ring: KeyRing,
    pub(super) people: Vec<Shadow>,
    pub(super) store: Vec<Option<String>>,
    pub(super) tickets: Vec<Ticket>,
    pub(super) passes: Vec<Pass>,
    pub(super) setups: Vec<Setup>,
    pub(super) new_codes: Vec<NewCodes>,
    /// The tokens of trusted browsers that replies have named.
    pub(super) cookies: Vec<Cookie>,
    pub(super) epochs: usize,
    /// Codes that logged in, or confirmed an app.
    pub(super) used: BTreeSet<String>,
    /// Factors that were removed, or reset, at a place.
    pub(super) removed: BTreeSet<String>,
    /// People as they were when they left for another place.
    pub(super) departures: Vec<Departed>,
    /// Wrong codes that were tried against the message of a set-up.
    pub(super) tries: BTreeMap<String, u32>,
    /// Codes that were typed, to be typed again.
    pub(super) typed: Vec<String>,
    /// The ids of the sets of backup codes that replies have named.
    pub(super) sets: Vec<String>,
    /// The ids of the factors that replies have named.
    pub(super) factors: Vec<String>,
    /// Whether a recovery code ever let this person in.
    pub(super) rescued: [bool; PEOPLE],
    /// Whether this person ever had a factor, or came in by a recovery code.
    pub(super) had_factor: [bool; PEOPLE],
    /// The number of the change by which an owner last reset this person, and whether a recovery code let them in since.
    pub(super) reset_at: [usize; PEOPLE],
    pub(super) is_shut: [bool; PEOPLE],
    /// Attempts that were counted, the time that went by, and whether the clock ever went back.
    pub(super) guesses: [u64; PEOPLE],
    pub(super) elapsed: u64,
    pub(super) went_back: bool,
    /// The latest time that the clock has ever shown.
    pub(super) latest: u64,
    /// Whether the host counts messages over all users; its counts of the messages to a number, and the engine's name
    /// of each count.
    keeps_counts: bool,
    counted: BTreeMap<(&'static str, usize), Vec<u64>>,
    counters: BTreeMap<String, (&'static str, usize)>,
    pub(super) doors: [Option<Door>; 3],
    /// The epochs that the host puts on the gates' list.
    pub(super) kept: [Option<Kept>; PEOPLE],
    pub(super) count: BTreeMap<String, u64>,
    pub(super) steps: u64,
    pub(super) trace: Option<Vec<String>>,
}

impl World {
    /// The world of an episode. In half of them the strict account forces everyone from beginning to end. In half of
    /// them the users of the host without accounts in its store have one second factor for a strict account and others.
    pub(super) fn new(rng: &mut Rng, trace: bool) -> Self {
        let [mut strict, lenient] = [Document::strict(rng.percent(50)), Document::lenient()];
        strict.first_by_password = !strict.stays_strict && rng.percent(60);
        let without_accounts = if rng.percent(50) {
            Rules::of(vec![lenient.clone(), strict.clone()], true)
        } else {
            Rules::of_one(Document { settings: super::document::Settings { keep: false, ..lenient.settings.clone() }, ..lenient.clone() })
        };
        let rules = [without_accounts, Rules::of_one(strict), Rules::of_one(lenient)];
        let keys = Keys { sealing: vec![0], signing: vec![0], sealings: 1, signings: 1 };
        Self {
            now: START,
            policies: rules.each_ref().map(|rules| rules.policy().unwrap()),
            rules,
            ring: ring(&keys),
            keys,
            people: vec![Shadow::default(); PEOPLE],
            store: vec![None; PEOPLE],
            tickets: Vec::new(),
            passes: Vec::new(),
            setups: Vec::new(),
            new_codes: Vec::new(),
            cookies: Vec::new(),
            epochs: 0,
            used: BTreeSet::new(),
            removed: BTreeSet::new(),
            departures: Vec::new(),
            tries: BTreeMap::new(),
            typed: Vec::new(),
            sets: Vec::new(),
            factors: Vec::new(),
            rescued: [false; PEOPLE],
            had_factor: [false; PEOPLE],
            reset_at: [0; PEOPLE],
            is_shut: [false; PEOPLE],
            guesses: [0; PEOPLE],
            elapsed: 0,
            went_back: false,
            latest: START,
            keeps_counts: rng.percent(70),
            counted: BTreeMap::new(),
            counters: BTreeMap::new(),
            doors: [const { None }; 3],
            kept: [const { None }; PEOPLE],
            count: BTreeMap::new(),
            steps: 0,
            trace: trace.then(Vec::new),
        }
    }

    /// A copy to walk on: without what was made and counted so far.
    pub(super) fn copy(&self) -> Self {
        Self {
            rules: self.rules.clone(),
            policies: self.policies.clone(),
            keys: self.keys.clone(),
            ring: self.ring.clone(),
            people: self.people.clone(),
            store: self.store.clone(),
            tickets: Vec::new(),
            passes: Vec::new(),
            setups: Vec::new(),
            new_codes: Vec::new(),
            cookies: Vec::new(),
            tries: BTreeMap::new(),
            used: BTreeSet::new(),
            removed: BTreeSet::new(),
            departures: Vec::new(),
            typed: Vec::new(),
            sets: Vec::new(),
            factors: Vec::new(),
            counted: BTreeMap::new(),
            counters: BTreeMap::new(),
            doors: [const { None }; 3],
            kept: [const { None }; PEOPLE],
            count: BTreeMap::new(),
            trace: None,
            ..*self
        }
    }

    pub(super) fn tell(&mut self, line: impl FnOnce(&Self) -> String) {
        let line = self.trace.is_some().then(|| line(self));
        if let (Some(trace), Some(line)) = (&mut self.trace, line) {
            trace.push(line);
        }
    }

    pub(super) fn count(&mut self, what: String) {
        *self.count.entry(what).or_default() += 1;
    }

    pub(super) fn set_rules(&mut self, account: usize, rules: Rules) {
        let Some(policy) = rules.policy() else { return self.count("event policy refused".to_owned()) };
        self.tell(|_| format!("{:?} now has {rules:?}", ACCOUNTS[account]));
        self.policies[account] = policy;
        self.rules[account] = rules;
        self.doors[account] = None;
        self.count("event policy changed".to_owned());
    }

    pub(super) fn set_keys(&mut self, keys: Keys) {
        self.tell(|_| format!("keys: {keys:?}"));
        self.ring = ring(&keys);
        self.keys = keys;
        self.doors = [const { None }; 3];
        self.count("event keys changed".to_owned());
    }

    pub(super) fn set_clock(&mut self, now: u64) {
        self.tell(|world| format!("clock: {} → {}", world.now - START, now - START));
        self.elapsed += now.saturating_sub(self.now);
        self.latest = self.latest.max(now);
        self.went_back |= now < self.now;
        self.count(if now < self.now { "event clock back" } else { "event clock on" }.to_owned());
        self.now = now;
    }

    /// Carries out a command, and compares all that is seen of it with the model.
    pub(super) fn perform(&mut self, who: Who, caller: Caller, ask: &Ask, fault: Fault, rng: &mut Rng) -> Checked<Seen> {
        if let Ask::Gate { .. } = ask {
            return self.ask_gate(who, caller, ask, rng);
        }
        self.steps += 1;
        self.epochs += 1;
        self.people[who].see_keys(&self.keys);
        let before = self.people[who].clone();
        let other = match ask {
            Ask::Issue { by, .. } | Ask::Reset { by, .. } => self.people[*by].clone(),
            Ask::Arrive { read: Some(number), .. } => self.departures[*number].person.clone(),
            Ask::Depart { to: place }
            | Ask::Arrive { from: place, read: None }
            | Ask::Leave { to: place }
            | Ask::Settle { from: place }
            | Ask::Withdraw { from: place }
            | Ask::Erased { to: Some(place) } => self.people[*place].clone(),
            _ => Shadow::default(),
        };
        let mut oracle = Oracle {
            rules: &self.rules[account(who)],
            keys: &self.keys,
            tickets: &self.tickets,
            passes: &self.passes,
            setups: &self.setups,
            new_codes: &self.new_codes,
            now: self.now,
            caller,
            who,
            me: before.clone(),
            is_stored: self.store[who].is_some(),
            listed_epoch: self.listed_epoch(who),
            next_epoch: self.epochs,
            new_ticket: None,
            new_pass: None,
            new_setup: None,
            may_write: false,
        };
        let mut expected = oracle.answer(ask, &other);
        let Oracle { mut me, new_ticket, new_pass, mut new_setup, may_write, .. } = oracle;
        if let Ask::Verify { code, .. } | Ask::ConfirmApp { code, .. } | Ask::ConfirmPhone { code, .. } = ask {
            self.typed.push(code.plain.clone());
        }
        let told =
            |text: &str| format!("{} {:?} {ask:?} from {caller:?}, {fault:?}: {text}", USERS[who % USERS.len()], ACCOUNTS[account(who)]);
        let called = match self.call(who, caller, ask, rng.seed()) {
            Err(error) => {
                self.tell(|_| told(&format!("{error}")));
                self.count(format!("{}: key missing", ask.name()));
                let needed = if let Ask::Arrive { .. } = ask { other.kids_on_the_way() } else { before.kids() };
                let lacks_a_key = needed.iter().any(|kid| !self.keys.sealing.contains(kid));
                let needs_it = !self.replaces_a_factor(ask, &before);
                if error.code == ErrorCode::InvalidInput && expected == Seen::MoveRefused {
                    self.count(format!("{}: refused", ask.name()));
                    return Ok(expected);
                }
                return if error.code == ErrorCode::KeyMissing && lacks_a_key && needs_it {
                    Ok(Seen::Expired)
                } else {
                    Err(format!("no error: {}", told(&format!("{error}"))))
                };
            }
            Ok(called) => called,
        };
        let over = self.over_limit(who, ask, &expected, called.limit(), rng)?;
        if let Some(over) = over {
            (me, new_setup) = (before.clone(), None);
            expected = match over {
                OverLimit::Reached => Seen::SmsRefused(SmsRefusal::NumberBudget, Some(self.now + DAY)),
                OverLimit::NotCounted => Seen::SmsRefused(SmsRefusal::CountFailed, Some(self.now + 60)),
            };
        }
        let Answer { seen, stored, reply, effects } = called.answer(over);
        self.tell(|_| told(&format!("{seen:?}")));
        self.count(format!("{}: {}", ask.name(), seen.word()));
        if seen != expected {
            return Err(format!("reply: {}", told(&format!("{seen:?}, and the model says {expected:?}"))));
        }
        if stored.is_some() != (me != before) && !(may_write && stored.is_some()) {
            return Err(format!("write: {}", told(&format!("{seen:?}, stored: {}", stored.is_some()))));
        }
        self.count_attacks(who, ask, &before, &seen);
        self.count_rules(who, caller, ask, &seen);
        if fault == Fault::BeforeTheWrite {
            self.count("event store failed before the write".to_owned());
            return Ok(seen);
        }
        if let Some(reply) = &reply {
            self.learn(
                &mut me,
                ask,
                reply,
                &effects,
                New { who, ticket: new_ticket, pass: new_pass, setup: new_setup },
                fault == Fault::None,
            )?;
        }
        if stored.is_some() {
            me.tidy(self.now);
            me.end_browsers(&self.rules[account(who)], self.now);
            self.end_cookies(who);
        }
        let after = After {
            who,
            caller,
            ask,
            is_over_limit: over.is_some(),
            before: &before,
            now: &me,
            seen: &seen,
            stored: stored.is_some(),
            effects: &effects,
        };
        self.hold(&after).map_err(|text| format!("{text} in {}", told(&format!("{seen:?}"))))?;
        if fault == Fault::None {
            self.tell_gates(who, me.epoch, &effects);
        }
        self.people[who] = me;
        if stored.is_some() {
            self.store[who] = stored;
            if fault == Fault::AfterTheWrite {
                self.count("event reply lost after the write".to_owned());
            }
        }
        self.compare_status(who).map_err(|text| format!("{text} after {}", told(&format!("{seen:?}"))))?;
        Ok(seen)
    }

    /// The host counts the message of a set-up, over all users: the count that the engine names is one of its number
    /// alone, and of the newest sealing key. `Some`: the message is not sent.
    fn over_limit(&mut self, who: Who, ask: &Ask, expected: &Seen, limit: Option<&Limit>, rng: &mut Rng) -> Checked<Option<OverLimit>> {
        let counted = match (ask, expected) {
            (Ask::EnrollPhone { number, .. }, Seen::SmsSent { .. }) => Some((*number, self.keys.newest())),
            _ => None,
        };
        let (counted, limit) = match (counted, limit) {
            (None, None) => return Ok(None),
            (Some(counted), Some(limit)) => (counted, limit),
            _ => return Err(format!("limit: {ask:?} has {limit:?}")),
        };
        let has_another = self.counters.iter().any(|(key, known)| *known == counted && *key != limit.key);
        let known = *self.counters.entry(limit.key.clone()).or_insert(counted);
        let per_day = self.rules[account(who)].per_day;
        let is_of_the_rules = limit.seconds == DAY && usize::try_from(limit.max) == Ok(per_day);
        if known != counted || has_another || !is_of_the_rules {
            return Err(format!("limit: {limit:?} for {counted:?}, and it is the count of {known:?}"));
        }
        if !self.keeps_counts {
            return Ok(None);
        }
        if rng.percent(6) {
            return Ok(Some(OverLimit::NotCounted));
        }
        let now = self.now;
        let times = self.counted.entry(counted).or_default();
        times.retain(|at| *at <= now && now < at + DAY);
        times.push(now);
        Ok((times.len() > per_day).then_some(OverLimit::Reached))
    }

    /// Whether a set-up of the current epoch is confirmed: it takes the place of an old factor, which nobody has to read.
    fn replaces_a_factor(&self, ask: &Ask, before: &Shadow) -> bool {
        match ask {
            Ask::ConfirmApp { setup: Token::Setup(number), .. } | Ask::ConfirmPhone { setup: Token::Setup(number), .. } => {
                self.setups[*number].epoch == before.epoch
            }
            _ => false,
        }
    }

    /// Steps and throws the outcome away, as a writer does who lost the race.
    pub(super) fn lose(&mut self, who: Who, caller: Caller, ask: &Ask, rng: &mut Rng) {
        let _ = self.call(who, caller, ask, rng.seed());
        self.tell(|_| format!("{who} {ask:?} loses a race"));
        self.count("event race lost".to_owned());
    }

    /// Writes the secrets of a reply into the model. A reply that was lost teaches the people nothing.
    fn learn(&mut self, me: &mut Shadow, ask: &Ask, reply: &Reply, effects: &[Effect], new: New, is_delivered: bool) -> Checked {
        let New { who, ticket, mut pass, mut setup } = new;
        let is_theirs = is_delivered
            && match ask {
                Ask::EnrollApp { session, .. } | Ask::ConfirmApp { session, .. } | Ask::ConfirmPhone { session, .. } => !is_thief(session),
                Ask::Renew { session, .. } | Ask::Show { session, .. } | Ask::ShowNew { session, .. } => !is_thief(session),
                _ => true,
            };
        let (mut pass_text, mut made) = (None, None);
        match reply {
            Reply::Challenge { ticket: text, .. } | Reply::SetUp { ticket: text, .. } => {
                let ticket = Ticket { text: text.0.clone(), ..ticket.ok_or("reply: a ticket that the model does not know")? };
                if is_delivered {
                    self.tickets.push(ticket);
                }
            }
            Reply::TotpStarted { secret, .. } if matches!(ask, Ask::ShowSetup { .. }) => {
                let Ask::ShowSetup { setup: Token::Setup(number), .. } = ask else { return Err("reply: no set-up was brought".to_owned()) };
                let Content::App { secret: known, .. } = &self.setups[*number].content else {
                    return Err("reply: an app for a phone".to_owned());
                };
                if known.base32 != secret.0.replace(' ', "") {
                    return Err("shown set-up: it has another secret".to_owned());
                }
            }
            Reply::TotpStarted { setup: text, secret, .. } => {
                let setup = setup.as_mut().ok_or("reply: a set-up that the model does not know")?;
                setup.text.clone_from(&text.0);
                let Content::App { secret: known, is_theirs: of_them } = &mut setup.content else {
                    return Err("reply: an app for a phone".to_owned());
                };
                known.base32 = secret.0.replace(' ', "");
                *of_them = is_theirs;
            }
            Reply::SmsSent { setup: text, .. } => {
                if text.is_some() != setup.is_some() {
                    return Err("reply: a set-up goes with the message of a set-up, and with no other".to_owned());
                }
                if let (Some(setup), Some(text)) = (&mut setup, text) {
                    setup.text.clone_from(&text.0);
                }
            }
            Reply::Enrolled { method, factor, backup_codes, set, new_codes, pass: text, session, .. } => {
                let known = pass.as_mut().ok_or("reply: a pass that the model does not know")?;
                let own = if *method == crate::policy::Method::Sms {
                    me.phones.last_mut().map(|phone| (&mut phone.id, &phone.name))
                } else {
                    me.apps.last_mut().map(|app| (&mut app.id, &app.name))
                };
                let (id, name) = own.ok_or("reply: a factor that the model does not know")?;
                if name != factor.name.as_str() || self.factors.iter().any(|known| known == factor.id.as_str()) {
                    return Err(format!("factor: {factor:?}, and the model says a new one by the name {name}"));
                }
                factor.id.as_str().clone_into(id);
                id.clone_into(&mut known.factor);
                self.factors.push(id.clone());
                if known.session == NEW_ID && self.is_new_id(session.as_str()) {
                    known.session = Box::leak(session.as_str().to_owned().into_boxed_str());
                }
                if known.session != session.as_str() {
                    return Err(format!("session: {} after the confirmation, and the model says {:?}", session.as_str(), known.session));
                }
                if backup_codes.is_some() != set.is_some() {
                    return Err("backup codes: the id of their set goes with new ones, and with nothing else".to_owned());
                }
                if let Some(codes) = backup_codes {
                    let backup = me.backup.as_mut().unwrap();
                    backup.codes = codes.iter().map(|code| (plain(&code.0), false)).collect();
                    backup.is_theirs = is_theirs;
                    self.name_set(backup, set.as_deref())?;
                }
                made = new_codes.as_ref().map(|text| (known.session, text.0.clone()));
                pass_text = Some(text.0.clone());
            }
            Reply::BackupCodes { codes, set, new_codes, pass, .. } => {
                let backup = me.backup.as_mut().unwrap();
                let shown: Vec<_> = codes.iter().map(|code| (plain(&code.code.0), code.used)).collect();
                if pass.is_none() && shown != backup.codes {
                    return Err("shown codes: they are not those that were made".to_owned());
                }
                backup.codes = shown;
                self.name_set(backup, set.as_deref())?;
                backup.is_theirs = if pass.is_some() { is_theirs } else { is_theirs || backup.is_theirs };
                pass_text = pass.as_ref().map(|pass| pass.0.clone());
                if let Ask::Renew { session, .. } = ask {
                    made = new_codes.as_ref().map(|text| (*session, text.0.clone()));
                } else if new_codes.is_some() {
                    return Err("shown codes: they are sealed anew".to_owned());
                }
            }
            Reply::Verified { pass: text, method, factor, browser, .. } => {
                let known = &pass.as_ref().ok_or("reply: a pass that the model does not know")?.factor;
                if factor.as_ref().map_or("", |factor| factor.id.as_str()) != known.as_str() {
                    return Err(format!("factor: {factor:?} was used, and the model says {known}"));
                }
                let known = known.clone();
                if let Some(browser) = browser {
                    self.learn_browser(me, who, *method, &known, &browser.token.0)?;
                }
                if me.browsers.iter().any(|browser| browser.id.is_empty() || browser.tokens.contains(&String::new())) {
                    return Err("browser: the model says that it is trusted".to_owned());
                }
                pass_text = Some(text.0.clone());
            }
            Reply::Removed { pass, .. } => pass_text = Some(pass.0.clone()),
            Reply::RecoveryCode { code, .. } => me.recovery.as_mut().unwrap().code = plain(&code.0),
            _ => {}
        }
        if let Some(text) = pass_text.filter(|_| is_delivered) {
            self.passes.push(Pass { text, ..pass.ok_or("reply: a pass that the model does not know")? });
        }
        if let Some((session, text)) = made.filter(|_| is_delivered) {
            let set = me.backup.as_ref().unwrap().set.clone();
            let (from, kid) = (self.now, self.keys.newest());
            self.new_codes.push(NewCodes { who, session, set, from, until: from + NEW_CODES_LIFE, kid, text });
        }
        for effect in effects {
            if let Effect::Sms(message) = effect {
                let sent = me.sent.last_mut().ok_or("sms: a message that the model does not know")?;
                sent.id.clone_from(&message.id);
                if let Some(login) = &mut sent.login {
                    login.code.clone_from(&message.template.code.0);
                }
                if let Some(Content::Phone { message: id, code, .. }) = setup.as_mut().map(|setup| &mut setup.content) {
                    id.clone_from(&message.id);
                    code.clone_from(&message.template.code.0);
                }
            }
        }
        self.setups.extend(setup.filter(|_| is_delivered));
        Ok(())
    }

    /// Writes the id of a set into the model: it is new, or that which the set has.
    fn name_set(&mut self, backup: &mut Backup, set: Option<&str>) -> Checked {
        let Some(set) = set.filter(|set| *set != backup.set) else { return Ok(()) };
        if !backup.set.is_empty() || self.sets.iter().any(|known| known == set) {
            return Err(format!("backup codes: {set} is the id of another set"));
        }
        self.sets.push(set.to_owned());
        set.clone_into(&mut backup.set);
        Ok(())
    }

    /// Whether no session has had this id.
    fn is_new_id(&self, session: &str) -> bool {
        !SESSIONS.contains(&session) && !self.passes.iter().any(|pass| pass.session == session)
    }

    /// The engine's status of a record agrees with the model.
    fn compare_status(&self, who: Who) -> Checked {
        let (me, rules) = (&self.people[who], &self.rules[account(who)]);
        if me.kids().iter().any(|kid| !self.keys.sealing.contains(kid)) {
            return Ok(());
        }
        let now = UnixSeconds::new(self.now).unwrap();
        let record = self.record(who).map_err(|error| format!("record: {error}"))?;
        let status = status(&self.policies[account(who)], &self.ring, &record, now).map_err(|error| format!("status: {error}"))?;
        let (until, stopped) = match me.bucket.lock(self.now, rules.window, 1) {
            Lock::Open => (None, false),
            Lock::Until(time) => (Some(time), false),
            Lock::Stopped => (None, true),
        };
        let methods: Vec<_> =
            status.methods.iter().map(|factor| (factor.method, factor.id.as_str(), factor.name.as_str(), factor.usable)).collect();
        let own = me.own().into_iter();
        let expected: Vec<_> = own.map(|(method, id, name)| (method, id, name, me.can_use_factor(id, rules))).collect();
        let live = me.browsers.iter().filter(|browser| browser.is_live(rules, self.now));
        let trusted: Vec<_> = live
            .map(|browser| (browser.id.as_str(), browser.name.as_str(), browser.added_at, browser.used_at, browser.ends(rules)))
            .collect();
        let is_same = methods == expected
            && status.backup_codes.as_ref().map(|backup| (backup.left, backup.total, backup.confirmed))
                == me.backup.as_ref().map(|backup| (me.codes_left(), backup.codes.len(), backup.is_confirmed))
            && status.recovery_code.as_ref().map(|code| code.expires_at.seconds())
                == me.live_recovery(rules, self.now).map(|code| code.until)
            && status.trusted_browsers.iter().map(trusted_in_status).collect::<Vec<_>>() == trusted
            && status.attempts.failures == me.bucket.failures
            && status.attempts.locked_until.map(UnixSeconds::seconds) == until
            && status.attempts.stopped == stopped;
        if is_same { Ok(()) } else { Err(format!("status: {status:?}, and the model knows {me:?}")) }
    }
}

/// Id, name, added, used, ends.
fn trusted_in_status(browser: &TrustedBrowserStatus) -> (&str, &str, u64, Option<u64>, u64) {
    let TrustedBrowserStatus { id, name, added_at, last_used_at, expires_at } = browser;
    (id.as_str(), name.as_str(), added_at.seconds(), last_used_at.map(UnixSeconds::seconds), expires_at.seconds())
}

/// The tokens that the oracle foretells, without their texts.
struct New {
    who: Who,
    ticket: Option<Ticket>,
    pass: Option<Pass>,
    setup: Option<Setup>,
}
