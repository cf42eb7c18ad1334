//! T57: a reset takes a user back from somebody else, and is no way for somebody else to take the user.

use countersign::client_ip::ClientIp;
use countersign::engine::{enrollment, operator, status};
use countersign::entropy::Entropy;
use countersign::ids::OperatorId;
use countersign::keys::KeyRing;
use countersign::policy::Enrollment;
use countersign::record::Record;
use countersign::time::UnixSeconds;
use serde_json::{Value, json};

use crate::recovery::{by_operator, withdrawn_by_operator};
use crate::support::{Person, ann, by_owner, check, issue, policy};

fn begin(person: &mut Person) -> Value {
    person.reply(json!({"begin": {"session": "s"}}))
}

fn methods(reply: &Value) -> Vec<&str> {
    reply["methods"].as_array().unwrap_or_else(|| panic!("no methods: {reply}")).iter().map(|m| m["method"].as_str().unwrap()).collect()
}

/// Ann after a reset, and the code that it gave.
fn reset_ann() -> (Person, String) {
    let mut person = ann();
    let code = by_owner(&mut person, "reset");
    (person, code)
}

fn told(person: &Person) -> Vec<String> {
    let effects = person.effects.iter().map(|effect| serde_json::to_value(effect).unwrap());
    let tell = |effect: Value| match (&effect["log"], &effect["notify"], &effect["end_passes"]) {
        (Value::Null, Value::Null, _) => format!("passes of {} end", effect["end_passes"]["user"].as_str().unwrap()),
        (Value::Null, notice, _) => format!("{} to {}", notice["kind"].as_str().unwrap(), notice["to"].as_str().unwrap()),
        (event, ..) => event["event"].as_str().unwrap().to_owned(),
    };
    effects.map(tell).collect()
}

#[test]
fn t57_only_an_owner_with_a_fresh_factor_resets_and_never_themselves() {
    let mut owner = Person::enrolled("olga", policy(json!({})));
    let mut person = ann();
    owner.now = person.now;
    let pass = owner.log_in("owner");
    person.issuer.clone_from(&owner.record);
    let before = person.record.clone();
    let mut refused = |by: Value, reason: &str| {
        person.issuer = owner.record.clone().filter(|_| by["user"] == "olga");
        assert_eq!(person.reply(json!({"reset": {"by": by}}))["reason"], reason, "{by}");
        assert_eq!((&person.record, person.events()), (&before, vec!["refused".to_owned()]), "{by}");
        let event = serde_json::to_value(&person.effects[0]).unwrap();
        assert_eq!((&event["log"]["action"], &event["log"]["reason"]), (&json!("reset"), &json!(reason)));
        assert_eq!(event["log"]["by"], by["user"], "and the person is not blamed");
    };
    refused(json!({"user": "olga", "session": "owner", "pass": pass, "role": "member"}), "owner_only");
    refused(json!({"user": "ann", "session": "owner", "pass": pass, "role": "owner"}), "not_for_oneself");
    refused(json!({"user": "olga", "session": "owner", "role": "owner"}), "fresh_factor_required");
    refused(json!({"user": "olga", "session": "other", "pass": pass, "role": "owner"}), "fresh_factor_required");
    refused(json!({"user": "carl", "session": "owner", "pass": pass, "role": "owner"}), "fresh_factor_required");

    // A pass by a backup code, or one that is older than `freshSeconds`, does not do.
    let code = owner.backup[0].clone();
    let weak = owner.verify("backup_code", &code)["pass"].clone();
    person.issuer.clone_from(&owner.record);
    let by = |pass: &Value, session: &str| json!({"user": "olga", "session": session, "pass": pass, "role": "owner"});
    assert_eq!(person.reply(json!({"reset": {"by": by(&weak, "in")}}))["reason"], "fresh_factor_required");
    person.now += 301;
    assert_eq!(person.reply(json!({"reset": {"by": by(&json!(pass), "owner")}}))["reason"], "fresh_factor_required");
    person.now -= 301;
    assert_eq!(person.reply(json!({"reset": {"by": by(&json!(pass), "owner")}}))["result"], "recovery_code");
    assert_eq!(person.reply(json!({"reset": {"by": by(&json!(7), "owner")}}))["field"], "pass");
}

#[test]
fn t57_the_operator_resets_whatever_the_policy_says() {
    for rules in [json!({}), json!({"methods": ["totp", "sms"]}), json!({"require": "everyone", "firstFactor": "password"})] {
        let mut person = ann();
        person.policy = policy(rules.clone());
        let (ticket, pass) = (person.ticket(), person.log_in("in"));
        let reply = reset_by_operator(&mut person);
        let expected = [
            "passes of ann end",
            "reset_by_operator",
            "factor_removed",
            "factor_removed",
            "recovery_code_issued_by_operator",
            "reset to user",
            "reset to owners",
        ];
        assert_eq!(told(&person), expected, "{rules}");
        assert!(person.factors().is_empty());
        assert_eq!(check(&person, json!({"session": "in", "pass": pass, "fresh": true}))["result"], "second_step");
        let late = json!({"verify": {"ticket": ticket, "session": "s", "newSession": "in", "method": "totp", "code": "000000"}});
        assert_eq!(person.reply(late)["reason"], "ticket_expired");
        assert_eq!(methods(&begin(&mut person)), ["recovery_code"], "{rules}");
        let code = reply["code"].as_str().unwrap().to_owned();
        assert_eq!(person.verify("recovery_code", &code)["result"], "verified");
    }
}

/// The operator's reset of this person.
fn reset_by_operator(person: &mut Person) -> Value {
    let record = Record::parse(&person.id(), person.record.as_ref().unwrap()).unwrap();
    let (name, now) = (OperatorId::new("night shift").unwrap(), UnixSeconds::new(person.now).unwrap());
    let pending = operator::reset(&person.policy, &person.keys, record, &name, now, Entropy::new([79; 32])).unwrap();
    person.record = pending.to_store().map(Record::to_text);
    let (reply, effects) = pending.stored();
    person.effects = effects;
    serde_json::to_value(&reply).unwrap()
}

#[test]
fn t57_an_owner_who_was_reset_resets_nobody() {
    let mut owner = Person::enrolled("olga", policy(json!({})));
    let mut person = ann();
    owner.now = person.now;
    let pass = owner.log_in("owner");
    by_other_owner(&mut owner);
    person.issuer.clone_from(&owner.record);
    let by = json!({"user": "olga", "session": "owner", "pass": pass, "role": "owner"});
    assert_eq!(person.reply(json!({"reset": {"by": by}}))["reason"], "fresh_factor_required");
}

/// Another owner resets this one.
fn by_other_owner(owner: &mut Person) {
    let mut other = Person::enrolled("otto", policy(json!({})));
    other.now = owner.now;
    let pass = other.log_in("other");
    owner.issuer = other.record;
    let by = json!({"user": "otto", "session": "other", "pass": pass, "role": "owner"});
    assert_eq!(owner.reply(json!({"reset": {"by": by}}))["result"], "recovery_code");
}

#[test]
fn t57_after_a_reset_nothing_from_before_opens_anything() {
    let mut person = ann();
    let ticket = person.ticket();
    person.reply(json!({"send_sms": {"session": "s", "ticket": ticket}}));
    let sms = person.sms_code();
    let pass = person.log_in("in");
    let started = person.reply(json!({"enroll_totp": {"session": "in", "pass": pass, "label": "ann"}}));
    let new_app = Person { secret: started["secret"].as_str().unwrap().replace(' ', ""), ..person.clone() };
    let (backup, older) = (person.backup[0].clone(), issue(&mut person));
    let code = by_owner(&mut person, "reset");
    person.now += 30;

    for (method, code) in [("totp", person.code()), ("sms", sms), ("backup_code", backup), ("recovery_code", older.clone())] {
        let verify = json!({"verify": {"session": "s", "ticket": ticket, "method": method, "code": code}});
        assert_eq!(person.reply(verify)["reason"], "ticket_expired", "{method}, by a ticket from before");
        let reply = person.verify(method, &code);
        assert!(reply["reason"] == "recovery_code_required" || reply["result"] == "wrong", "{method}, by a new ticket: {reply}");
    }
    let mut confirming = Person { now: person.now, ..new_app };
    let confirm = json!({"confirm_totp": {"session": "in", "setup": started["setup"], "code": confirming.code()}});
    confirming.record.clone_from(&person.record);
    assert_eq!(confirming.reply(confirm)["result"], "expired");

    // The pass changes nothing, and `check` refuses it as soon as it sees the record.
    for command in ["renew_backup_codes", "show_backup_codes"] {
        assert_eq!(person.reply(json!({command: {"session": "in", "pass": pass}}))["reason"], "not_enrolled");
    }
    let enroll = json!({"enroll_totp": {"session": "in", "pass": pass, "label": "ann"}});
    assert_eq!(person.reply(enroll)["reason"], "fresh_factor_required");
    for fresh in [false, true] {
        let question = json!({"session": "in", "pass": pass, "fresh": fresh});
        assert_eq!(check(&person, question), json!({"result": "second_step", "reason": "revoked"}));
    }
    assert_eq!(check(&person, json!({"session": "in"})), json!({"result": "second_step", "reason": "no_pass"}));
    assert_eq!(person.verify("recovery_code", &code)["result"], "verified");
}

#[test]
fn t57_only_a_recovery_code_lets_in_also_where_no_factor_is_forced() {
    for rules in [json!({}), json!({"require": {"networks": ["203.0.113.0/24"]}}), json!({"firstFactor": "password"})] {
        let (mut person, code) = reset_ann();
        person.policy = policy(rules.clone());
        person.ip = ClientIp::parse("198.51.100.1");
        assert_eq!(methods(&begin(&mut person)), ["recovery_code"], "{rules}");
        let enroll = json!({"enroll_totp": {"session": "s", "label": "ann"}});
        assert_eq!(person.reply(enroll.clone())["reason"], "fresh_factor_required", "{rules}");
        let enroll_sms = json!({"enroll_sms": {"session": "s", "number": "+61412345678"}});
        assert_eq!(person.reply(enroll_sms)["reason"], "fresh_factor_required", "{rules}");

        // The code ends, and the need of one stays.
        person.now += 3_600;
        assert_eq!(begin(&mut person)["reason"], "recovery_code_required", "{rules}");
        assert_eq!(check(&person, json!({"session": "s"}))["reason"], "recovery_code_required", "{rules}");
        assert_eq!(person.reply(enroll)["reason"], "fresh_factor_required", "{rules}");

        let code_again = issue(&mut person);
        assert_eq!(person.verify("recovery_code", &code)["result"], "wrong", "{rules}");
        let verified = person.verify("recovery_code", &code_again);
        assert_eq!((&verified["result"], &verified["enroll"]), (&json!("verified"), &json!(true)), "{rules}");
        assert_eq!(begin(&mut person)["result"], "allowed", "a user without a factor again: {rules}");
    }
}

#[test]
fn t57_a_withdrawn_code_leaves_the_need_of_one_and_the_operators_lets_in() {
    let (mut person, _) = reset_ann();
    withdrawn_by_operator(&mut person);
    assert_eq!(begin(&mut person)["reason"], "recovery_code_required");
    // The operator's counts whatever the policy offers.
    person.policy = policy(json!({"methods": ["totp"]}));
    let code = by_operator(&mut person)["code"].as_str().unwrap().to_owned();
    assert_eq!(methods(&begin(&mut person)), ["recovery_code"]);
    assert_eq!(person.verify("recovery_code", &code)["result"], "verified");
}

#[test]
fn t57_a_program_passes_nowhere_after_a_reset() {
    let (mut person, code) = reset_ann();
    let home = "203.0.113.9";
    for network in [json!({}), json!({"api": [home]}), json!({"allow": ["203.0.113.0/24"]})] {
        person.policy = policy(json!({"network": network}));
        person.ip = ClientIp::parse(home);
        let begun = person.reply(json!({"begin": {"session": "s", "channel": "api"}}));
        assert_eq!(begun["reason"], "recovery_code_required", "{network}");
        assert_eq!(check(&person, json!({"session": "s", "channel": "api"}))["reason"], "recovery_code_required", "{network}");
    }
    assert_eq!(person.verify("recovery_code", &code)["result"], "verified");
    assert_eq!(person.reply(json!({"begin": {"session": "s", "channel": "api"}}))["result"], "allowed");
}

#[test]
fn t57_a_reset_is_audited_and_told_to_user_and_owners() {
    let mut person = ann();
    person.ip = ClientIp::parse("203.0.113.7");
    issue(&mut person);
    let code = by_owner(&mut person, "reset");
    let expected = [
        "passes of ann end",
        "reset",
        "factor_removed",
        "factor_removed",
        "recovery_code_replaced",
        "recovery_code_issued",
        "reset to user",
        "reset to owners",
    ];
    assert_eq!(told(&person), expected);
    let all: Vec<Value> = person.effects.iter().map(|effect| serde_json::to_value(effect).unwrap()).collect();
    assert_eq!((&all[1]["log"]["by"], &all[1]["log"]["ip"]), (&json!("olga"), &json!("203.0.113.7")));
    let (user, owners) = (&all[6]["notify"], &all[7]["notify"]);
    assert_eq!((&user["by"], &user["ip"]), (&json!("olga"), &Value::Null), "the owner's address is for the owners alone");
    assert_eq!((&owners["by"], &owners["ip"]), (&json!("olga"), &json!("203.0.113.7")));
    assert_eq!((&user["method"], &owners["method"]), (&json!("recovery_code"), &json!("recovery_code")), "by what the user comes in");
    assert!(!serde_json::to_string(&all).unwrap().contains(&code));
}

#[test]
fn t57_resets_and_codes_share_one_budget() {
    let mut owner = Person::enrolled("olga", policy(json!({})));
    let mut person = ann();
    owner.now = person.now;
    let pass = owner.log_in("owner");
    person.issuer.clone_from(&owner.record);
    let by = json!({"user": "olga", "session": "owner", "pass": pass, "role": "owner"});
    for act in ["reset", "issue_recovery_code", "reset", "reset", "issue_recovery_code"] {
        assert_eq!(person.reply(json!({act: {"by": by}}))["result"], "recovery_code");
    }
    for act in ["reset", "issue_recovery_code"] {
        let reply = person.reply(json!({act: {"by": by}}));
        assert_eq!((&reply["reason"], &reply["retryAt"]), (&json!("too_often"), &json!(person.now + 3_600)), "{act}");
    }
}

#[test]
fn a_user_without_a_record_and_a_stopped_user_are_reset_too() {
    let mut bob = Person::new("bob", policy(json!({"firstFactor": "password", "require": "everyone"})));
    bob.now += 10_000;
    assert_eq!(begin(&mut bob)["result"], "set_up");
    let code = by_owner(&mut bob, "reset");
    assert_eq!(methods(&begin(&mut bob)), ["recovery_code"]);
    assert_eq!(bob.verify("recovery_code", &code)["result"], "verified");

    let mut person = ann();
    while person.verify("backup_code", "0000-0000-0000-0000")["result"] != "locked" {}
    let code = by_owner(&mut person, "reset");
    assert_eq!(person.verify("recovery_code", &code)["result"], "verified");
    assert_eq!(person.failures(), 0);
}

#[test]
fn status_and_the_record_tell_of_a_reset_until_a_recovery_code_is_used() {
    let (mut person, code) = reset_ann();
    let read = |person: &Person| {
        let record = Record::parse(&person.id(), person.record.as_ref().unwrap()).unwrap();
        let keys: &KeyRing = &person.keys;
        let now = UnixSeconds::new(person.now).unwrap();
        let status = serde_json::to_value(status(&person.policy, keys, &record, now).unwrap()).unwrap();
        (status, enrollment(&person.policy, keys, &record, now))
    };
    let (status, factors) = read(&person);
    assert_eq!((&status["enrolled"], &status["enrollment"], factors), (&json!(false), &json!("reset"), Enrollment::Reset));
    assert_eq!((&status["methods"], &status["backupCodes"]), (&json!([]), &Value::Null));
    assert_eq!(status["recoveryCode"]["issuedBy"], json!({"owner": "olga"}));
    person.verify("recovery_code", &code);
    assert_eq!(read(&person).0["enrollment"], "none");
}
