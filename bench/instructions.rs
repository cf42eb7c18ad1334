//! Work for callgrind, which counts the instructions of it exactly: `instructions <job> <times>` does one job so many times.
//! `tests/instructions` runs it twice, and takes the difference for the cost of one.
#![expect(unreachable_pub, reason = "the driver is a module of the tests")]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark may panic"
)]

use std::env::args;
use std::hint::black_box;

use countersign::client_ip::ClientIp;
use countersign::engine::{Command, Env, step};
use countersign::entropy::Entropy;
use countersign::gate::{Gate, GateConfig, Outcome, Request, Secrets, Verdict};
use countersign::policy::{Channel, Enrollment, Facts, Policy, Roles, explain};
use countersign::record::Record;
use countersign::time::UnixSeconds;
use countersign::totp::{TotpParameters, TotpSecret};
use countersign::typed_code::Digits;
use serde_json::json;

use support::{Person, ann, policy};

#[expect(dead_code, reason = "the tests use more of it")]
#[path = "../tests/core/support.rs"]
mod support;

fn main() {
    let arguments: Vec<String> = args().collect();
    let [_, job, times] = arguments.as_slice() else { panic!("give a job, and how often to do it") };
    let times: u32 = times.parse().unwrap();
    let mut work: Box<dyn FnMut()> = match job.as_str() {
        "totp" => totp(),
        "begin" => begin(),
        "verify" => verify(),
        "explain" => explained(),
        "judge" => judge(1),
        "judge_first_sight" => judge(20),
        other => panic!("there is no job {other}"),
    };
    for _ in 0..times {
        work();
    }
}

/// A wrong code, which is compared with three steps.
fn totp() -> Box<dyn FnMut()> {
    let secret = TotpSecret::from_base32("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP").unwrap();
    let (parameters, code) = (TotpParameters::DEFAULT, Digits::parse("000000", 6).unwrap());
    let now = UnixSeconds::new(1_800_000_000).unwrap();
    Box::new(move || assert!(black_box(&secret).verify(parameters, black_box(&code), now, 1, None).is_none()))
}

/// A step from text to text: record and command are read, and the new record and the reply are written.
fn stepping(person: Person, command: String) -> Box<dyn FnMut()> {
    let (id, record) = (person.id(), person.record.clone().unwrap());
    Box::new(move || {
        let record = Record::parse(&id, black_box(&record)).unwrap();
        let command = Command::parse(black_box(&command)).unwrap();
        let now = UnixSeconds::new(person.now).unwrap();
        let env = Env { now, client: person.ip, roles: person.roles.clone(), entropy: Entropy::new([7; 32]) };
        let pending = step(&person.policy, &person.keys, record, command, env).unwrap();
        black_box(pending.to_store().map(Record::to_text));
        let (reply, effects) = pending.stored();
        black_box((serde_json::to_string(&reply).unwrap(), effects));
    })
}

fn begin() -> Box<dyn FnMut()> {
    stepping(ann(), json!({"begin": {"session": "s"}}).to_string())
}

fn verify() -> Box<dyn FnMut()> {
    let mut person = ann();
    let ticket = person.ticket();
    let verify = json!({"session": "s", "ticket": ticket, "method": "totp", "code": person.code()});
    stepping(person, json!({"verify": verify}).to_string())
}

/// A decision by the policy of a small company.
fn explained() -> Box<dyn FnMut()> {
    let policy: Policy = policy(json!({
        "require": {"roles": ["owner", "admin"]},
        "network": {"deny": ["203.0.113.0/24"], "allow": ["192.0.2.0/24", "2001:db8::/32"]},
    }));
    let roles = Roles::Known(vec!["admin".to_owned()]);
    let (client, now) = (ClientIp::parse("192.0.2.17"), UnixSeconds::new(1_800_000_000).unwrap());
    Box::new(move || {
        let (channel, enrollment) = (Channel::Web, Enrollment::Usable);
        let facts = Facts { now, client, roles: &roles, channel, enrollment, plan: None, recovery_code: false };
        black_box(explain(black_box(&policy), &facts));
    })
}

/// A request with a good pass: of one session, or of as many as there are requests, so that each is new to the gate.
fn judge(sessions: u32) -> Box<dyn FnMut()> {
    let config = json!({
        "v": 1,
        "policy": {"v": 1, "name": "Acme", "origin": "https://login.acme.example"},
        "session": {"cookie": "sid", "id": "plain"},
        "challenge": {"page": "/login"},
        "exempt": {"paths": ["/login"]},
    });
    let secrets = Secrets { keys: Some(include_str!("../tests/vectors/keys.json").to_owned()), storage_token: None };
    let mut gate = Gate::new(GateConfig::parse(&config.to_string(), &secrets).unwrap());
    let mut person = ann();
    let mut requests = Vec::new();
    for number in 0..sessions {
        let session = format!("session-{number}");
        let pass = person.log_in(&session);
        let cookies = format!("sid={session}; __Host-second-factor={pass}");
        let headers = [(":method", "GET"), (":path", "/reports"), ("cookie", &cookies)];
        requests.push(headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())));
        person.now += 30;
    }
    let now = UnixSeconds::new(person.now).unwrap();
    let source = || Some(b"192.0.2.1:4711".to_vec());
    let mut next = requests.into_iter().cycle();
    Box::new(move || {
        let headers = next.next().unwrap();
        let verdict = gate.judge(&Request { headers: &headers, has_body: false, source: &source }, now);
        let Verdict::Judged(judgement) = verdict else { panic!("a code is to be verified") };
        assert!(matches!(judgement.outcome, Outcome::Admit(_)), "{:?}", judgement.outcome);
    })
}
