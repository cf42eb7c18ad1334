//! Notices tell from where a change was made, and how many backup codes are left. A user is not told the address of an owner.

use countersign::client_ip::ClientIp;
use countersign::effect::Effect;
use serde_json::{Value, json};

use crate::recovery::by_operator;
use crate::support::{Person, ann, issue, policy};

const HERE: &str = "203.0.113.7";

/// Ann at a known address.
fn ann_here() -> Person {
    let mut person = ann();
    person.ip = ClientIp::parse(HERE);
    person
}

/// One field of the notices of the last step: `[to, kind, field]`.
fn told(person: &Person, field: &str) -> Vec<Value> {
    let tell = |effect: &Effect| match effect {
        Effect::Notify(notice) => {
            let notice = serde_json::to_value(notice).unwrap();
            Some(json!([notice["to"], notice["kind"], notice[field]]))
        }
        Effect::Sms(_) | Effect::Log(_) | Effect::EndPasses(_) => None,
    };
    person.effects.iter().filter_map(tell).collect()
}

#[test]
fn a_notice_about_backup_codes_tells_how_many_are_left() {
    let mut person = ann_here();
    for left in [2, 1] {
        let code = person.backup.remove(0);
        assert_eq!(person.verify("backup_code", &code)["backupCodesLeft"], left);
        assert_eq!(told(&person, "backupCodesLeft"), [json!(["user", "backup_code_used", left])]);
        assert_eq!(told(&person, "ip"), [json!(["user", "backup_code_used", HERE])]);
    }
    let pass = person.log_in("in");
    person.reply(json!({"renew_backup_codes": {"session": "in", "pass": pass}}));
    assert_eq!(told(&person, "backupCodesLeft"), [json!(["user", "backup_codes_renewed", 3])]);

    person.now += 60;
    let pass = person.log_in("in");
    person.reply(json!({"remove": {"session": "in", "pass": pass, "method": "sms"}}));
    assert_eq!(told(&person, "backupCodesLeft"), [json!(["user", "factor_removed", null])]);
    assert_eq!(told(&person, "ip"), [json!(["user", "factor_removed", HERE])]);
}

#[test]
fn a_lock_names_the_address_of_the_last_wrong_code() {
    let mut person = ann_here();
    while told(&person, "ip").is_empty() {
        assert_eq!(person.verify("backup_code", "0000-0000-0000-0000")["result"], "wrong");
    }
    assert_eq!(told(&person, "ip"), [json!(["user", "locked", HERE])]);
}

#[test]
fn the_address_of_an_owner_who_issues_a_code_is_for_the_owners_alone() {
    let mut person = ann_here();
    issue(&mut person);
    let issued = [json!(["user", "recovery_code_issued", null]), json!(["owners", "recovery_code_issued", HERE])];
    assert_eq!(told(&person, "ip"), issued);
    let code = issue(&mut person);
    let replaced = [json!(["user", "recovery_code_replaced", null]), json!(["owners", "recovery_code_replaced", HERE])];
    assert_eq!(told(&person, "ip"), [replaced, issued].concat());

    // The code is used in a login of the user's: both are told from where.
    person.verify("recovery_code", &code);
    assert_eq!(told(&person, "ip"), [json!(["user", "recovery_code_used", HERE]), json!(["owners", "recovery_code_used", HERE])]);
}

#[test]
fn a_first_factor_by_password_names_its_address_to_user_and_owners() {
    let mut person = Person::new("ann", policy(json!({"require": "everyone", "firstFactor": "password"})));
    person.ip = ClientIp::parse("::ffff:203.0.113.7");
    let begun = person.reply(json!({"begin": {"session": "s"}}));
    let started = person.reply(json!({"enroll_totp": {"session": "s", "ticket": begun["ticket"], "label": "ann"}}));
    person.secret = started["secret"].as_str().unwrap().replace(' ', "");
    let code = person.code();
    person.reply(json!({"confirm_totp": {"session": "s", "code": code}}));
    let kind = "first_factor_by_password";
    assert_eq!(told(&person, "ip"), [json!(["user", kind, HERE]), json!(["owners", kind, HERE])]);
}

#[test]
fn without_an_address_a_notice_has_none() {
    let mut person = ann();
    person.verify("backup_code", &person.backup[0].clone());
    assert_eq!(told(&person, "ip"), [json!(["user", "backup_code_used", null])]);
    person.ip = ClientIp::parse(HERE);
    by_operator(&mut person);
    assert_eq!(told(&person, "ip"), [json!(["user", "recovery_code_issued", null]), json!(["owners", "recovery_code_issued", null])]);
}
