//! C2, C6, T42, T46: a recovery code is spent by the right person only, and there is always someone who can issue one.

use countersign::effect::Effect;
use countersign::engine::{Env, IssueRecoveryCode, issue_recovery_code, operator};
use countersign::entropy::Entropy;
use countersign::error::ErrorCode;
use countersign::ids::{AccountId, OperatorId, RecordId, UserId};
use countersign::record::Record;
use countersign::time::UnixSeconds;
use serde_json::{Value, json};

use crate::support::{Person, ann, issue, policy};

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The `number`th of many wrong codes.
fn wrong(number: u64) -> String {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(ALPHABET[usize::try_from(state % 32).unwrap()])
    };
    (0..16).map(|_| next()).collect()
}

fn try_code(person: &mut Person, ticket: &str, code: &str) -> Value {
    person.reply(json!({"verify": {"ticket": ticket, "session": "s", "newSession": "in", "method": "recovery_code", "code": code}}))
}

pub fn by_operator(person: &mut Person) -> Value {
    let record = person.record.as_ref().map_or_else(|| Record::new(person.id()), |text| Record::parse(&person.id(), text).unwrap());
    let (name, now) = (OperatorId::new("night shift").unwrap(), UnixSeconds::new(person.now).unwrap());
    let pending = operator::issue_recovery_code(&person.policy, &person.keys, record, &name, now, Entropy::new([77; 32])).unwrap();
    person.record = pending.to_store().map(Record::to_text);
    let (reply, effects) = pending.stored();
    person.effects = effects;
    serde_json::to_value(&reply).unwrap()
}

/// Lets the operator withdraw this person's code.
pub fn withdrawn_by_operator(person: &mut Person) {
    let record = Record::parse(&person.id(), person.record.as_ref().unwrap()).unwrap();
    let (name, now) = (OperatorId::new("night shift").unwrap(), UnixSeconds::new(person.now).unwrap());
    let pending = operator::withdraw_recovery_code(&person.policy, &person.keys, record, &name, now, Entropy::new([78; 32])).unwrap();
    person.record = pending.to_store().map(Record::to_text);
}

/// The kinds of the events, and of the notices with their recipients.
fn told(person: &Person) -> Vec<String> {
    let tell = |effect: &Effect| match effect {
        Effect::Log(event) => Some(serde_json::to_value(event).unwrap()["event"].as_str().unwrap().to_owned()),
        Effect::Notify(notice) => {
            let notice = serde_json::to_value(notice).unwrap();
            Some(format!("{} to {}", notice["kind"].as_str().unwrap(), notice["to"].as_str().unwrap()))
        }
        Effect::Sms(_) | Effect::EndPasses(_) => None,
    };
    person.effects.iter().filter_map(tell).collect()
}

#[test]
fn c2_t42_wrong_recovery_codes_neither_end_nor_delay_the_right_one() {
    let mut person = ann();
    let recovery = issue(&mut person);
    let (mine, theirs) = (person.ticket(), person.ticket());
    let before = person.record.clone();
    for number in 1..=4_000 {
        let reply = try_code(&mut person, &theirs, &wrong(number));
        assert_eq!(reply, json!({"result": "wrong"}), "no attempt is counted, and nobody waits");
        assert_eq!(person.record, before, "nothing is written: one of a million is hashed, and remembered");
    }
    assert_eq!(try_code(&mut person, &mine, &recovery)["result"], "verified");
}

#[test]
fn c2_nothing_but_its_use_ends_an_owners_code() {
    let mut person = ann();
    let recovery = issue(&mut person);
    // Someone with the password and the phone logs in, replaces the app and removes the number.
    let pass = person.log_in("thief");
    let started = person.reply(json!({"enroll_totp": {"session": "thief", "pass": pass, "label": "ann"}}));
    person.secret = started["secret"].as_str().unwrap().replace(' ', "");
    let code = person.code();
    let confirmed = person.reply(json!({"confirm_totp": {"session": "thief", "code": code}}));
    let removed = person.reply(json!({"remove": {"session": "thief", "pass": confirmed["pass"], "method": "sms"}}));
    assert_eq!(removed["result"], "removed");
    for _ in 0..200 {
        person.verify("totp", "000000");
        person.now += 1;
    }
    assert_eq!(person.verify("recovery_code", &recovery)["result"], "verified");
    assert_eq!(person.verify("recovery_code", &recovery)["result"], "expired", "once");
}

#[test]
fn a_code_that_is_replaced_or_ends_unused_is_told() {
    let mut person = ann();
    let first = issue(&mut person);
    assert!(!told(&person).contains(&"recovery_code_replaced".to_owned()));
    let second = issue(&mut person);
    let expected = [
        "recovery_code_issued",
        "recovery_code_replaced",
        "recovery_code_replaced to user",
        "recovery_code_replaced to owners",
        "recovery_code_issued to user",
        "recovery_code_issued to owners",
    ];
    assert_eq!(told(&person), expected);
    assert_eq!(person.verify("recovery_code", &first)["result"], "wrong");
    person.now += 3_601;
    person.reply(json!({"begin": {"session": "s"}}));
    assert_eq!(told(&person), ["recovery_code_ended", "login_challenged"]);
    person.reply(json!({"begin": {"session": "s"}}));
    assert_eq!(told(&person), ["login_challenged"], "once");
    assert_eq!(person.verify("recovery_code", &second)["result"], "expired");
}

#[test]
fn an_owner_issues_five_codes_an_hour_for_one_user_and_the_operator_any_number() {
    let mut person = ann();
    let mut owner = Person::enrolled("olga", policy(json!({})));
    person.now = owner.now;
    let mut first = None;
    let ask = |person: &mut Person, owner: &mut Person| {
        owner.now = person.now;
        let pass = owner.log_in("owner");
        person.issuer.clone_from(&owner.record);
        let by = json!({"user": "olga", "session": "owner", "pass": pass, "role": "owner"});
        person.reply(json!({"issue_recovery_code": {"by": by}}))
    };
    for count in 0..7 {
        person.now += 60;
        let at = *first.get_or_insert(person.now);
        let reply = ask(&mut person, &mut owner);
        if count < 5 {
            assert_eq!(reply["result"], "recovery_code");
        } else {
            assert_eq!(reply, json!({"result": "denied", "reason": "too_often", "retryAt": at + 3_600}));
            assert_eq!(by_operator(&mut person)["result"], "recovery_code");
        }
    }
    let again = first.unwrap() + 3_600;
    person.now = again - 30;
    assert_eq!(ask(&mut person, &mut owner)["retryAt"], again, "as said");
    person.now = again;
    assert_eq!(ask(&mut person, &mut owner)["result"], "recovery_code");
}

#[test]
fn an_owner_who_issued_twenty_codes_within_a_day_is_told_when_the_next_one_may_be() {
    let mut person = ann();
    let mut owner = Person::enrolled("olga", policy(json!({})));
    person.now = owner.now;
    let start = person.now;
    let mut replies = Vec::new();
    for count in 0..21 {
        person.now = start + count * 1_000;
        owner.now = person.now;
        let pass = owner.log_in("owner");
        person.issuer.clone_from(&owner.record);
        let by = json!({"user": "olga", "session": "owner", "pass": pass, "role": "owner"});
        replies.push(person.reply(json!({"issue_recovery_code": {"by": by}})));
    }
    let refused = replies.split_off(20);
    assert!(replies.iter().all(|reply| reply["result"] == "recovery_code"), "{replies:?}");
    assert_eq!(refused, [json!({"result": "denied", "reason": "too_often", "retryAt": start + 86_400})]);
}

#[test]
fn times_of_codes_are_kept_for_a_day() {
    let mut person = ann();
    let start = person.now;
    for (at, kept) in [(0, 1), (86_399, 2), (86_400, 2), (2 * 86_400, 1)] {
        person.now = start + at;
        issue(&mut person);
        let record: Value = serde_json::from_str(person.record.as_ref().unwrap()).unwrap();
        assert_eq!(record["codesIssued"].as_array().unwrap().len(), kept, "after {at} seconds");
    }
}

#[test]
fn t48_codes_issued_while_a_clock_ran_ahead_do_not_keep_owners_from_issuing() {
    let mut person = ann();
    let year = 365 * 86_400;
    let (now, mut owner) = (person.now, Person::enrolled("olga", policy(json!({}))));
    owner.now = now + year;
    person.now = now + year;
    let ask = |person: &mut Person, owner: &mut Person| {
        owner.now = owner.now.max(person.now);
        let pass = owner.log_in("owner");
        person.issuer.clone_from(&owner.record);
        let by = json!({"user": "olga", "session": "owner", "pass": pass, "role": "owner"});
        person.reply(json!({"issue_recovery_code": {"by": by}}))
    };
    for _ in 0..5 {
        person.now += 60;
        assert_eq!(ask(&mut person, &mut owner)["result"], "recovery_code");
    }
    person.now += 60;
    assert_eq!(ask(&mut person, &mut owner)["reason"], "too_often");
    // The clock is right again. The owner's app is shut until that year, and the owner comes from elsewhere.
    let mut owner = Person::enrolled("olga", policy(json!({})));
    person.now = now;
    assert_eq!(ask(&mut person, &mut owner)["result"], "recovery_code");
}

#[test]
fn t46_c6_the_operator_lets_in_the_only_owner_who_is_stopped() {
    let mut owner = ann();
    for _ in 0..100 {
        owner.now += 20_000;
        owner.verify("totp", "000000");
    }
    owner.now += 1_000_000;
    let code = owner.code();
    assert_eq!(owner.verify("totp", &code), json!({"result": "locked"}));
    let code = by_operator(&mut owner)["code"].as_str().unwrap().to_owned();
    let expected = ["recovery_code_issued_by_operator", "recovery_code_issued to user", "recovery_code_issued to owners"];
    assert_eq!(told(&owner), expected);
    assert_eq!(owner.verify("recovery_code", &code)["result"], "verified");
    owner.now += 30;
    let code = owner.code();
    assert_eq!(owner.verify("totp", &code)["result"], "verified");
}

#[test]
fn t46_c6_the_operator_lets_in_the_first_owner_where_everyone_needs_a_factor() {
    for methods in [json!(["totp"]), json!(["totp", "backup_code", "recovery_code"])] {
        let mut owner = Person::new("olga", policy(json!({"require": "everyone", "methods": methods})));
        let begun = owner.reply(json!({"begin": {"session": "s"}}));
        assert_eq!(begun, json!({"result": "denied", "reason": "enrollment_required"}));
        let code = by_operator(&mut owner)["code"].as_str().unwrap().to_owned();
        let verified = owner.verify("recovery_code", &code);
        assert_eq!(verified["result"], "verified", "{methods}");
        let started = owner.reply(json!({"enroll_totp": {"session": "in", "pass": verified["pass"], "label": "olga"}}));
        owner.secret = started["secret"].as_str().unwrap().replace(' ', "");
        let code = owner.code();
        assert_eq!(owner.reply(json!({"confirm_totp": {"session": "in", "code": code}}))["result"], "enrolled");
    }
}

#[test]
fn the_operator_withdraws_a_code() {
    let mut person = ann();
    let recovery = issue(&mut person);
    let record = Record::parse(&person.id(), person.record.as_deref().unwrap()).unwrap();
    let (name, now) = (OperatorId::new("night shift").unwrap(), UnixSeconds::new(person.now).unwrap());
    let withdraw =
        |record| operator::withdraw_recovery_code(&person.policy, &person.keys, record, &name, now, Entropy::new([7; 32])).unwrap();
    let pending = withdraw(record);
    let stored = pending.to_store().cloned().unwrap();
    let (reply, effects) = pending.stored();
    assert_eq!(serde_json::to_value(&reply).unwrap(), json!({"result": "withdrawn"}));
    let again = withdraw(stored.clone());
    assert!(again.to_store().is_none());
    assert_eq!(serde_json::to_value(again.stored().0).unwrap(), json!({"result": "expired"}));
    person.effects = effects;
    let expected = ["recovery_code_withdrawn", "recovery_code_withdrawn to user", "recovery_code_withdrawn to owners"];
    assert_eq!(told(&person), expected);
    person.record = Some(stored.to_text());
    assert_eq!(person.verify("recovery_code", &recovery)["result"], "expired");
}

/// The issuer's record decides whether the issuer's pass counts: a host that hands in another one is told.
#[test]
fn the_issuers_record_is_that_of_the_issuer_in_the_same_account() {
    let person = ann();
    let record = Record::parse(&person.id(), person.record.as_deref().unwrap()).unwrap();
    let question = IssueRecoveryCode::parse(&json!({"by": {"user": "olga", "session": "s", "role": "owner"}}).to_string()).unwrap();
    let ask = |account: Option<&str>, user: &str| {
        let account = account.map(|account| AccountId::new(account).unwrap());
        let issuer = Record::new(RecordId::new(account, UserId::new(user).unwrap()));
        let (now, entropy) = (UnixSeconds::new(person.now).unwrap(), Entropy::new([7; 32]));
        let env = Env { now, client: person.ip, roles: person.roles.clone(), entropy };
        issue_recovery_code(&person.policy, &person.keys, record.clone(), &issuer, &question, env)
    };
    for (account, user) in [(None, "ann"), (None, "bob"), (Some("acme"), "olga")] {
        let error = ask(account, user).unwrap_err();
        assert_eq!((error.code, error.path.as_str()), (ErrorCode::InvalidInput, "by.user"), "{account:?} {user}");
    }
    let reply = ask(None, "olga").unwrap().stored().0;
    assert_eq!(serde_json::to_value(&reply).unwrap(), json!({"result": "denied", "reason": "fresh_factor_required"}));
}
