//! Address and role rules in the engine and at the gate: each call asks for them. The decisions themselves are in
//! `tests/vectors/decisions.json`.

use countersign::client_ip::ClientIp;
use countersign::engine::{Check, Subject, check};
use countersign::gate::{Gate, GateConfig, Outcome, Request, Secrets, Verdict};
use countersign::policy::{Author, Person as UserUnderReview, Policy, Reviewer, Roles};
use countersign::record::Record;
use countersign::time::UnixSeconds;
use serde_json::{Value, json};

use crate::support::{Person, START, ann, policy};

fn roles(names: &[&str]) -> Roles {
    Roles::Known(names.iter().map(|name| (*name).to_owned()).collect())
}

/// Result or reason of a reply.
fn answer(reply: &Value) -> String {
    reply["reason"].as_str().or_else(|| reply["result"].as_str()).unwrap().to_owned()
}

fn begin(person: &mut Person, channel: &str) -> String {
    answer(&person.reply(json!({"begin": {"session": "s", "channel": channel}})))
}

fn checked(person: &Person, channel: &str) -> String {
    let question = Check::parse(&json!({"session": "s", "channel": channel}).to_string()).unwrap();
    let id = person.id();
    let record = person.record.as_ref().map_or_else(|| Record::new(id.clone()), |text| Record::parse(&id, text).unwrap());
    let now = UnixSeconds::new(person.now).unwrap();
    let reply = check(&person.policy, &person.keys, Subject::Record(&record), &question, person.ip, &person.roles, now).unwrap();
    answer(&json!(reply))
}

#[test]
fn p9_one_api_client_is_admitted_and_nobody_is_fenced_in() {
    let before = json!({"require": "everyone"});
    let after = json!({"require": "everyone", "network": {"api": ["192.0.2.10"]}});
    for ip in ["192.0.2.10", "198.51.100.7", "2001:db8::7", "unknown"] {
        let (mut was, mut is) = (Person::new("ann", policy(before.clone())), Person::new("ann", policy(after.clone())));
        (was.ip, is.ip) = (ClientIp::parse(ip), ClientIp::parse(ip));
        assert_eq!(begin(&mut is, "web"), begin(&mut was, "web"), "a person from {ip}");
        assert_eq!(checked(&is, "web"), checked(&was, "web"), "a person from {ip}");
        let admitted = ip == "192.0.2.10";
        assert_eq!(begin(&mut was, "api"), "api_client_blocked");
        assert_eq!(begin(&mut is, "api"), if admitted { "allowed" } else { "api_client_blocked" }, "an API client from {ip}");
        assert_eq!(checked(&is, "api"), if admitted { "in" } else { "api_client_blocked" }, "an API client from {ip}");
    }
}

#[test]
fn an_api_client_outside_of_the_fence_begins_and_is_checked_by_its_own_list() {
    let rules = json!({"network": {"allow": ["198.51.100.0/24"], "api": ["192.0.2.10"]}});
    let mut bot = Person::new("bot", policy(rules));
    bot.ip = ClientIp::parse("192.0.2.10");
    assert_eq!((begin(&mut bot, "api"), checked(&bot, "api")), ("allowed".to_owned(), "in".to_owned()));
    assert_eq!((begin(&mut bot, "web"), checked(&bot, "web")), ("address_not_allowed".to_owned(), "address_not_allowed".to_owned()));
    // It is a person who sets up a factor, from wherever.
    let enroll = json!({"enroll_totp": {"session": "s", "label": "bot"}});
    assert_eq!(answer(&bot.reply(enroll)), "address_not_allowed");
}

#[test]
fn a_role_that_forces_a_factor_lets_the_password_enroll_none() {
    for (given, is_forced) in [(Roles::Unknown, true), (roles(&["admin"]), true), (roles(&["sales"]), false), (roles(&[]), false)] {
        let mut person = Person::new("ann", policy(json!({"require": {"roles": ["admin"]}})));
        person.roles = given;
        let expected = |forced: &str, free: &str| if is_forced { forced.to_owned() } else { free.to_owned() };
        assert_eq!(begin(&mut person, "web"), expected("enrollment_required", "allowed"));
        assert_eq!(checked(&person, "web"), expected("enrollment_required", "in"));
        let started = person.reply(json!({"enroll_totp": {"session": "s", "label": "ann"}}));
        assert_eq!(answer(&started), expected("fresh_factor_required", "totp_started"));
        if is_forced {
            continue;
        }
        person.secret = started["secret"].as_str().unwrap().replace(' ', "");
        let confirm = json!({"confirm_totp": {"session": "s", "code": person.code()}});
        for forced in [Roles::Unknown, roles(&["sales", "admin"])] {
            let mut promoted = person.clone();
            promoted.roles = forced;
            assert_eq!(answer(&promoted.reply(confirm.clone())), "fresh_factor_required", "the force may begin in between");
        }
        assert_eq!(answer(&person.reply(confirm)), "enrolled");
    }
}

#[test]
fn a_rule_ends_for_commands_and_requests_at_its_second() {
    let rules = json!({"network": {"allow": [{"network": "198.51.100.0/24", "until": START}]}});
    let mut person = Person::new("ann", policy(rules));
    person.ip = ClientIp::parse("198.51.100.7");
    person.now = START - 1;
    assert_eq!((begin(&mut person, "web"), checked(&person, "web")), ("allowed".to_owned(), "in".to_owned()));
    person.now = START;
    assert_eq!((begin(&mut person, "web"), checked(&person, "web")), ("address_not_allowed".to_owned(), "address_not_allowed".to_owned()));
}

#[test]
fn owners_issue_no_recovery_code_for_a_user_of_many_accounts() {
    let mut owner = Person::enrolled("olga", policy(json!({})));
    let pass = owner.log_in("owner");
    let issue = json!({"issue_recovery_code": {"by": {"user": "olga", "session": "owner", "pass": pass, "role": "owner"}}});
    let mut ann = Person::new("ann", policy(json!({})));
    ann.now = owner.now;
    ann.issuer.clone_from(&owner.record);
    assert_eq!(answer(&ann.reply(issue.clone())), "recovery_code");
    // A code from before the user's policies became several lets nobody in.
    let mut before = ann.clone();
    before.policy = Policy::of_all(vec![policy(json!({"require": "everyone"}))]).unwrap();
    assert_eq!(begin(&mut before, "web"), "enrollment_required");
    for policies in [vec![policy(json!({}))], vec![policy(json!({})), policy(json!({"require": "everyone"}))]] {
        let mut ann = Person::new("ann", Policy::of_all(policies).unwrap());
        ann.now = owner.now;
        assert_eq!(answer(&ann.reply(issue.clone())), "operator_only");
    }
}

fn gate(policy: &Value) -> Gate {
    let mut document = json!({"v": 1, "name": "Acme", "origin": "https://login.acme.example"});
    document.as_object_mut().unwrap().extend(policy.as_object().unwrap().clone());
    let config = json!({
        "v": 1, "policy": document, "proof": "as_policy", "apiPaths": {"prefixes": ["/api/"]},
        "session": {"cookie": "sid", "id": "plain"}, "challenge": {"page": "/login"}, "exempt": {"paths": ["/login"]},
    });
    let secrets = Secrets { keys: Some(include_str!("../vectors/keys.json").to_owned()), storage_token: None };
    Gate::new(GateConfig::parse(&config.to_string(), &secrets).unwrap())
}

/// Status of the answer to a request without a pass; `None`: it goes on.
fn status(gate: &mut Gate, path: &str, ip: &str, now: u64) -> Option<u16> {
    let headers: Vec<_> = [(":method", "GET"), (":path", path)].map(|(name, value)| (name.to_owned(), value.into())).into();
    let address = format!("{ip}:4711");
    let source = || Some(address.clone().into_bytes());
    match gate.judge(&Request { headers: &headers, has_body: false, source: &source }, UnixSeconds::new(now).unwrap()) {
        Verdict::Judged(judgement) => match judgement.outcome {
            Outcome::Admit(_) => None,
            Outcome::Answer(answer) => Some(answer.status),
        },
        Verdict::CallOut(..) => panic!("no code was sent"),
    }
}

#[test]
fn at_the_gate_a_role_rule_always_needs_a_pass() {
    let mut free = gate(&json!({}));
    assert_eq!(status(&mut free, "/x", "192.0.2.1", START), None);
    let mut by_role = gate(&json!({"require": {"roles": ["admin"]}}));
    assert_eq!(status(&mut by_role, "/x", "192.0.2.1", START), Some(401));
    assert_eq!(status(&mut by_role, "/api/x", "192.0.2.1", START), Some(403));
}

#[test]
fn at_the_gate_an_api_client_is_admitted_by_its_own_list_until_the_rule_ends() {
    let network = json!({"allow": ["198.51.100.0/24"], "api": [{"network": "192.0.2.10", "until": START}]});
    let mut gate = gate(&json!({"require": {"roles": ["admin"]}, "network": network}));
    assert_eq!(status(&mut gate, "/api/x", "192.0.2.10", START - 1), None);
    assert_eq!(status(&mut gate, "/api/x", "192.0.2.10", START), Some(403));
    assert_eq!(status(&mut gate, "/x", "192.0.2.10", START - 1), Some(403), "a person is fenced in");
    assert_eq!(status(&mut gate, "/x", "198.51.100.7", START), Some(401));
}

#[test]
fn at_the_gate_an_api_list_alone_makes_the_address_count() {
    let mut gate = gate(&json!({"require": "everyone", "network": {"api": ["192.0.2.10"]}}));
    assert_eq!(status(&mut gate, "/api/x", "192.0.2.10", START), None);
    assert_eq!(status(&mut gate, "/api/x", "192.0.2.11", START), Some(403));
}

/// Codes count so many steps before and after now as the policy says, and a failure is forgiven as many hours later.
#[test]
fn the_window_is_that_of_the_policy() {
    for window in [0, 1, 2] {
        for steps in 0..4_u64 {
            for is_late in [false, true] {
                let mut person = ann();
                person.policy = policy(json!({"totp": {"window": window}}));
                person.now += 600;
                let now = person.now;
                person.now = if is_late { now - 30 * steps } else { now + 30 * steps };
                let code = person.code();
                person.now = now;
                let expected = if steps <= window { "verified" } else { "wrong" };
                assert_eq!(person.verify("totp", &code)["result"], expected, "{steps} steps at window {window}");
            }
        }
        let mut person = ann();
        person.policy = policy(json!({"totp": {"window": window}}));
        person.now += 600;
        // One failure is forgiven after an hour for each code that counts.
        for _ in 0..4 {
            assert_eq!(person.verify("totp", "000000")["result"], "wrong");
        }
        person.now += (2 * window + 1) * 3_600 - 1;
        assert_eq!(person.clone().verify("totp", "000000")["attemptsLeft"], 0);
        person.now += 1;
        assert_eq!(person.verify("totp", "000000")["attemptsLeft"], 1);
    }
}

/// Where users have several accounts, each is reviewed under the policies of their own.
#[test]
fn a_review_goes_on_under_the_policy_of_the_next_users() {
    let (lenient, strict) = (policy(json!({})), policy(json!({"require": "everyone", "network": {"deny": ["::/0"]}})));
    let author = Author { user: "ann".to_owned(), ip: Some("192.0.2.1".to_owned()) };
    let person =
        |user: &str| -> UserUnderReview { serde_json::from_value(json!({"user": user, "role": "owner", "enrollment": "none"})).unwrap() };
    let mut reviewer = Reviewer::new(&lenient, author, UnixSeconds::new(START).unwrap());
    reviewer.add_user(&person("ann"));
    reviewer.under(&strict);
    reviewer.note_lists();
    reviewer.note_lists();
    reviewer.add_user(&person("bob"));
    let found = reviewer.finish();
    assert_eq!(found.need_recovery_code, ["bob"]);
    let lists: Vec<_> = found.forgotten_families.into_iter().map(|forgotten| forgotten.list).collect();
    assert_eq!(lists, ["network.deny"], "each list is told once");
}
