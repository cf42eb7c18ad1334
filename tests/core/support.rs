//! A driver with a clock and entropy of its own, for tests of the core.

use std::cell::Cell;
use std::sync::OnceLock;

use countersign::client_ip::ClientIp;
use countersign::effect::{Effect, SmsMessage};
use countersign::engine::{self, Check, Command, Env, IssueRecoveryCode, Reply, Subject, issue_recovery_code, reset, sms_never_left, step};
use countersign::entropy::Entropy;
use countersign::error::Error;
use countersign::ids::{AccountId, RecordId, UserId};
use countersign::keys::KeyRing;
use countersign::policy::{Policy, Roles};
use countersign::record::{Factor, Record};
use countersign::time::UnixSeconds;
use countersign::totp::{TotpParameters, TotpSecret};
use serde_json::{Value, json};

pub const START: u64 = 1_800_000_000;

/// One user of one account, with all methods offered.
#[derive(Clone)]
pub struct Person {
    pub policy: Policy,
    pub keys: KeyRing,
    pub account: Option<String>,
    pub user: String,
    pub record: Option<String>,
    /// The record of the owner who issues a recovery code.
    pub issuer: Option<String>,
    pub now: u64,
    pub ip: ClientIp,
    pub roles: Roles,
    pub secret: String,
    /// The set-up that was begun last. A confirmation that names none is for this one.
    pub setup: String,
    pub backup: Vec<String>,
    pub effects: Vec<Effect>,
    pub draws: Cell<u64>,
}

pub fn keys() -> KeyRing {
    KeyRing::parse(include_str!("../vectors/keys.json")).unwrap()
}

/// A policy with these changes. It has three backup codes unless the changes say otherwise: making ten takes most of the time
/// of a test that is about something else.
pub fn policy(changes: Value) -> Policy {
    let mut document = json!({
        "v": 1, "name": "Acme", "origin": "https://login.acme.example",
        "methods": ["totp", "sms", "backup_code", "recovery_code"],
    });
    for (key, value) in changes.as_object().unwrap() {
        document[key] = value.clone();
    }
    if document["backupCodes"]["count"].is_null() {
        document["backupCodes"]["count"] = json!(3);
    }
    Policy::parse(&document.to_string()).unwrap()
}

impl Person {
    pub fn new(user: &str, policy: Policy) -> Self {
        Self {
            policy,
            keys: keys(),
            account: None,
            user: user.to_owned(),
            record: None,
            issuer: None,
            now: START,
            ip: ClientIp::Unknown,
            roles: Roles::Unknown,
            secret: String::new(),
            setup: String::new(),
            backup: Vec::new(),
            effects: Vec::new(),
            draws: Cell::new(0),
        }
    }

    /// Someone with an app and a phone, and half an hour gone since.
    pub fn enrolled(user: &str, policy: Policy) -> Self {
        Self::enrolled_in(None, user, policy)
    }

    pub fn enrolled_in(account: Option<String>, user: &str, policy: Policy) -> Self {
        let mut person = Self { account, ..Self::new(user, policy) };
        // Not the entropy of another user once more.
        person.draws.set(user.bytes().map(|byte| 10_000 * u64::from(byte)).sum());
        let started = person.reply(json!({"enroll_totp": {"session": "s", "label": user}}));
        person.secret = started["secret"].as_str().unwrap().replace(' ', "");
        let code = person.code();
        let enrolled = person.reply(json!({"confirm_totp": {"session": "s", "code": code}}));
        person.backup = enrolled["backupCodes"].as_array().unwrap().iter().map(|c| c.as_str().unwrap().to_owned()).collect();
        person.now += 60;
        let pass = person.log_in("in");
        person.reply(json!({"enroll_sms": {"session": "in", "pass": pass, "number": "+61412345678"}}));
        let code = person.sms_code();
        assert_eq!(person.reply(json!({"confirm_sms": {"session": "in", "code": code}}))["result"], "enrolled");
        person.now += 1_800;
        person
    }

    pub fn id(&self) -> RecordId {
        let account = self.account.as_deref().map(|account| AccountId::new(account).unwrap());
        RecordId::new(account, UserId::new(&self.user).unwrap())
    }

    /// Steps without storing.
    pub fn try_step(&self, mut command: Value) -> Result<(Option<String>, Value, Vec<Effect>), Error> {
        for name in ["confirm_totp", "confirm_sms"] {
            if let Some(fields) = command.get_mut(name).filter(|fields| fields.get("setup").is_none()) {
                fields["setup"] = json!(self.setup);
            }
        }
        let id = self.id();
        let record = match &self.record {
            Some(text) => Record::parse(&id, text)?,
            None => Record::new(id),
        };
        // `method` stands for the first factor of that method.
        if let Some(method) = command.get_mut("remove").and_then(|fields| fields.as_object_mut()?.remove("method")) {
            let first = record.factors().find(|factor| method == factor.method.as_str());
            command["remove"]["factor"] = json!(first.map_or_else(|| "no-such-app-".to_owned(), |factor| factor.named.id.into()));
        }
        self.draws.set(self.draws.get() + 1);
        let mut seed = [7; 32];
        seed[..8].copy_from_slice(&self.draws.get().to_be_bytes());
        let env = Env { now: UnixSeconds::new(self.now).unwrap(), client: self.ip, roles: self.roles.clone(), entropy: Entropy::new(seed) };
        let pending = if let Some(message) = command.get("sms_never_left") {
            sms_never_left(&self.policy, &self.keys, record, message.as_str().unwrap(), env)?
        } else if let Some(question) = command.get("issue_recovery_code").or_else(|| command.get("reset")) {
            let act = if command.get("reset").is_some() { reset } else { issue_recovery_code };
            let question = IssueRecoveryCode::parse(&question.to_string()).unwrap();
            let by = record.id().with_user(question.by.user.clone());
            let issuer = self.issuer.as_ref().map_or_else(|| Ok(Record::new(by.clone())), |text| Record::parse(&by, text))?;
            act(&self.policy, &self.keys, record, &issuer, &question, env)?
        } else {
            step(&self.policy, &self.keys, record, Command::parse(&command.to_string()).unwrap(), env)?
        };
        let text = pending.to_store().map(Record::to_text);
        let (reply, effects): (Reply, _) = pending.stored();
        Ok((text, serde_json::to_value(&reply).unwrap(), effects))
    }

    /// Steps and stores.
    pub fn reply(&mut self, command: Value) -> Value {
        let (record, reply, effects) = self.try_step(command).unwrap();
        if record.is_some() {
            self.record = record;
        }
        self.effects = effects;
        if let Some(setup) = reply["setup"].as_str() {
            setup.clone_into(&mut self.setup);
        }
        reply
    }

    /// The factors in the record.
    pub fn factors(&self) -> Vec<Factor> {
        self.record.as_ref().map_or_else(Vec::new, |text| Record::parse(&self.id(), text).unwrap().factors().collect())
    }

    pub fn code(&self) -> String {
        let secret = TotpSecret::from_base32(&self.secret).unwrap();
        let step = TotpParameters::DEFAULT.step_at(UnixSeconds::new(self.now).unwrap());
        secret.code_at(TotpParameters::DEFAULT, step).as_str().to_owned()
    }

    /// The message that the last step sent.
    pub fn sms(&self) -> &SmsMessage {
        let sms = self.effects.iter().find_map(|effect| if let Effect::Sms(sms) = effect { Some(sms) } else { None });
        sms.expect("an SMS was sent")
    }

    pub fn sms_code(&self) -> String {
        self.sms().template.code.0.clone()
    }

    /// The events of the last step.
    pub fn events(&self) -> Vec<String> {
        let events = self.effects.iter().map(|effect| serde_json::to_value(effect).unwrap()["log"]["event"].clone());
        events.filter_map(|event| event.as_str().map(str::to_owned)).collect()
    }

    pub fn ticket(&mut self) -> String {
        let reply = self.reply(json!({"begin": {"session": "s", "channel": "web"}}));
        reply["ticket"].as_str().unwrap_or_else(|| panic!("no challenge: {reply}")).to_owned()
    }

    pub fn verify(&mut self, method: &str, code: &str) -> Value {
        let ticket = self.ticket();
        self.reply(json!({"verify": {"ticket": ticket, "session": "s", "newSession": "in", "method": method, "code": code}}))
    }

    /// A pass of the session `session`, by app.
    pub fn log_in(&mut self, session: &str) -> String {
        let ticket = self.ticket();
        let code = self.code();
        let command = json!({"verify": {"ticket": ticket, "session": "s", "newSession": session, "method": "totp", "code": code}});
        self.reply(command)["pass"].as_str().expect("logged in").to_owned()
    }

    pub fn failures(&self) -> u64 {
        let record: Value = serde_json::from_str(self.record.as_deref().unwrap_or("{\"attempts\":{\"failures\":0}}")).unwrap();
        record["attempts"]["failures"].as_u64().unwrap()
    }
}

/// Someone enrolled. Enrolling hashes ten codes: once for all tests.
pub fn ann() -> Person {
    static ANN: OnceLock<(Option<String>, String, Vec<String>, u64)> = OnceLock::new();
    let (record, secret, backup, now) = ANN.get_or_init(|| {
        let person = Person::enrolled("ann", policy(json!({})));
        (person.record, person.secret, person.backup, person.now)
    });
    let mut person = Person::new("ann", policy(json!({})));
    (person.record, person.secret, person.backup, person.now) = (record.clone(), secret.clone(), backup.clone(), *now);
    // Not the entropy of the enrollment once more.
    person.draws.set(1_000);
    person
}

/// Lets an owner issue a recovery code for this person.
pub fn issue(person: &mut Person) -> String {
    by_owner(person, "issue_recovery_code")
}

/// The code that an owner gives out for this person, by `issue_recovery_code` or `reset`.
pub fn by_owner(person: &mut Person, act: &str) -> String {
    let mut owner = Person::enrolled_in(person.account.clone(), "olga", policy(json!({})));
    owner.now = person.now.max(owner.now);
    let pass = owner.log_in("owner");
    person.issuer = owner.record;
    let by = json!({"user": "olga", "session": "owner", "pass": pass, "role": "owner"});
    person.reply(json!({act: {"by": by}}))["code"].as_str().unwrap().to_owned()
}

/// The answer to `check`.
pub fn check(person: &Person, question: Value) -> Value {
    let record = Record::parse(&person.id(), person.record.as_deref().unwrap_or(&Record::new(person.id()).to_text())).unwrap();
    let (question, now) = (Check::parse(&question.to_string()).unwrap(), UnixSeconds::new(person.now).unwrap());
    let subject = Subject::Record(&record);
    let reply = engine::check(&person.policy, &person.keys, subject, &question, person.ip, &person.roles, now).unwrap();
    serde_json::to_value(reply.unwrap()).unwrap()
}
