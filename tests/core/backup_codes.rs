//! A set of backup codes is unconfirmed until the person says that it is saved, or logs in by one of its codes.

use countersign::engine::status;
use countersign::record::Record;
use countersign::time::UnixSeconds;
use serde_json::{Value, json};

use crate::support::{Person, ann, policy};

/// The backup codes in the answer of `status`.
fn is_confirmed(person: &Person) -> bool {
    let record = Record::parse(&person.id(), person.record.as_deref().unwrap()).unwrap();
    let status = status(&person.policy, &person.keys, &record, UnixSeconds::new(person.now).unwrap()).unwrap();
    status.backup_codes.unwrap().confirmed
}

/// The method `backup_code` in a challenge.
fn challenge_tells(person: &mut Person) -> Value {
    let challenge = person.reply(json!({"begin": {"session": "s"}}));
    let methods = challenge["methods"].as_array().unwrap_or_else(|| panic!("{challenge}"));
    for other in methods.iter().filter(|method| method["method"] != "backup_code") {
        assert_eq!(other.get("confirmed"), None, "{other}");
    }
    methods.iter().find(|method| method["method"] == "backup_code").unwrap()["confirmed"].clone()
}

fn confirm(person: &mut Person, session: &str, pass: &str, set: &str) -> Value {
    person.reply(json!({"confirm_backup_codes": {"session": session, "pass": pass, "set": set}}))
}

/// Makes new codes: the pass from now on, the id of the set, and the first code.
fn renew(person: &mut Person, session: &str, pass: &str) -> (String, String, String) {
    let reply = person.reply(json!({"renew_backup_codes": {"session": session, "pass": pass}}));
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{reply}")).to_owned();
    (text(&reply["pass"]), text(&reply["set"]), text(&reply["codes"][0]["code"]))
}

/// Someone with an app and one new backup code, in session `in`.
fn with_new_codes() -> (Person, String, String, String) {
    let mut person = ann();
    person.policy = policy(json!({"backupCodes": {"count": 1, "keepForShowing": true}}));
    let pass = person.log_in("in");
    let (pass, set, code) = renew(&mut person, "in", &pass);
    (person, pass, set, code)
}

#[test]
fn new_codes_are_unconfirmed_until_the_person_says_that_they_are_saved() {
    let mut person = Person::new("ann", policy(json!({"backupCodes": {"count": 1}})));
    let started = person.reply(json!({"enroll_totp": {"session": "in", "label": "ann"}}));
    person.secret = started["secret"].as_str().unwrap().replace(' ', "");
    let code = person.code();
    let enrolled = person.reply(json!({"confirm_totp": {"session": "in", "code": code}}));
    let (pass, first) = (enrolled["pass"].as_str().unwrap(), enrolled["set"].as_str().unwrap());
    assert!(!is_confirmed(&person), "the reply may have been lost");

    assert_eq!(confirm(&mut person, "in", pass, first), json!({"result": "confirmed"}));
    assert_eq!(person.events(), ["backup_codes_confirmed"]);
    assert!(is_confirmed(&person));

    // Twice is once.
    let stored = person.record.clone();
    assert_eq!(confirm(&mut person, "in", pass, first), json!({"result": "confirmed"}));
    assert_eq!((person.events(), &person.record), (Vec::new(), &stored));

    let (pass, second, _) = renew(&mut person, "in", pass);
    assert_ne!(first, second);
    assert!(!is_confirmed(&person), "the new set has been confirmed by nobody");
    assert_eq!(confirm(&mut person, "in", &pass, &second), json!({"result": "confirmed"}));
}

#[test]
fn a_challenge_tells_whether_the_codes_are_confirmed() {
    let (mut person, pass, set, _) = with_new_codes();
    assert_eq!(challenge_tells(&mut person), json!(false));
    confirm(&mut person, "in", &pass, &set);
    assert_eq!(challenge_tells(&mut person), json!(true));
}

#[test]
fn the_page_of_an_older_set_confirms_nothing() {
    let (mut person, pass, old, _) = with_new_codes();
    let (pass, new, _) = renew(&mut person, "in", &pass);
    let stored = person.record.clone();
    for set in [&*old, "", "\u{0}", &new[1..], &"A".repeat(5_000)] {
        assert_eq!(confirm(&mut person, "in", &pass, set), json!({"result": "expired"}), "{set:?}");
    }
    assert_eq!(person.record, stored);
    assert_eq!(confirm(&mut person, "in", &pass, &new), json!({"result": "confirmed"}));
}

#[test]
fn only_the_session_confirms_by_a_pass_of_the_current_epoch_however_old() {
    let refused = json!({"result": "denied", "reason": "fresh_factor_required"});
    let (mut person, pass, set, _) = with_new_codes();
    person.now += 30;
    let before = person.log_in("elsewhere");
    let stored = person.record.clone();
    let mut olga = Person::enrolled("olga", policy(json!({})));
    olga.now = person.now;
    let olgas = olga.log_in("in");
    for (session, pass) in [("other", &*pass), ("in", &*before), ("in", &*olgas), ("in", ""), ("in", "x.y.z")] {
        assert_eq!(confirm(&mut person, session, pass, &set), refused, "{session} {pass:?}");
    }
    assert_eq!(person.reply(json!({"confirm_backup_codes": {"session": "in", "set": set}})), refused);
    assert_eq!(person.record, stored);

    // A change of factors ends the pass for this, and a login gives another.
    let mut changed = person.clone();
    changed.reply(json!({"remove": {"session": "elsewhere", "pass": before, "method": "sms"}}));
    assert_eq!(confirm(&mut changed, "in", &pass, &set), refused);

    // Writing codes down takes longer than a pass is fresh.
    person.now += 4 * 3_600;
    assert_eq!(confirm(&mut person, "in", &pass, &set), json!({"result": "confirmed"}));
}

#[test]
fn a_login_by_one_of_the_codes_confirms_them_and_a_wrong_code_does_not() {
    let (mut person, _, _, code) = with_new_codes();
    assert_eq!(person.verify("backup_code", "0000-0000-0000-0000")["result"], "wrong");
    assert!(!is_confirmed(&person));
    assert_eq!(person.verify("backup_code", &code)["result"], "verified");
    assert!(is_confirmed(&person));
    assert_eq!(person.events(), ["code_accepted"], "the login says so");
}

#[test]
fn codes_that_are_shown_bring_their_set_while_it_is_unconfirmed() {
    let (mut person, pass, set, _) = with_new_codes();
    let show = json!({"show_backup_codes": {"session": "in", "pass": pass}});
    assert_eq!(person.reply(show.clone())["set"], json!(set));
    assert!(!is_confirmed(&person), "the reply may have been lost as well");
    confirm(&mut person, "in", &pass, &set);
    assert_eq!(person.reply(show).get("set"), None);
}

#[test]
fn without_backup_codes_there_is_nothing_to_confirm() {
    let (mut person, pass, set, _) = with_new_codes();
    let mut other = person.clone();
    other.policy = policy(json!({"methods": ["totp", "sms"]}));
    assert_eq!(confirm(&mut other, "in", &pass, &set), json!({"result": "denied", "reason": "method_not_offered"}));
    for method in ["totp", "sms"] {
        person.now += 30;
        let pass = if method == "totp" {
            person.log_in("in")
        } else {
            let ticket = person.ticket();
            person.reply(json!({"send_sms": {"ticket": ticket, "session": "s"}}));
            let code = person.sms_code();
            let verify = json!({"verify": {"ticket": ticket, "session": "s", "newSession": "in", "method": "sms", "code": code}});
            person.reply(verify)["pass"].as_str().unwrap().to_owned()
        };
        assert_eq!(person.reply(json!({"remove": {"session": "in", "pass": pass, "method": method}}))["result"], "removed");
    }
    assert_eq!(confirm(&mut person, "in", &pass, &set), json!({"result": "denied", "reason": "not_enrolled"}));
}

#[test]
fn new_codes_are_shown_again_to_their_session_until_they_are_saved() {
    let mut person = ann();
    person.policy = policy(json!({"backupCodes": {"count": 1, "keepForShowing": false}}));
    let pass = person.log_in("in");
    let renewed = person.reply(json!({"renew_backup_codes": {"session": "in", "pass": pass}}));
    let (pass, sealed, made) = (renewed["pass"].clone(), renewed["newCodes"].clone(), person.now);
    let show = |person: &mut Person, session: &str, pass: &Value| {
        person.reply(json!({"show_new_backup_codes": {"session": session, "pass": pass, "newCodes": sealed}}))
    };
    let expired = json!({"result": "expired"});
    let again = show(&mut person, "in", &pass);
    assert_eq!(again, json!({"result": "backup_codes", "codes": renewed["codes"], "set": renewed["set"]}));
    assert_eq!(person.events(), ["backup_codes_shown"]);

    assert_eq!(show(&mut person, "in", &Value::Null)["reason"], "fresh_factor_required");
    person.now += 30;
    let elsewhere = Value::from(person.log_in("elsewhere"));
    assert_eq!(show(&mut person, "elsewhere", &elsewhere), expired, "another session");
    person.now = made + 599;
    assert_eq!(show(&mut person, "in", &pass)["result"], "backup_codes");
    person.now = made + 600;
    assert_eq!(show(&mut person, "in", &pass), expired, "ten minutes later");

    person.now = made + 120;
    let saved = person.clone();
    confirm(&mut person, "in", pass.as_str().unwrap(), renewed["set"].as_str().unwrap());
    assert_eq!(show(&mut person, "in", &pass), expired, "the person has saved them");

    person = saved.clone();
    person.verify("backup_code", renewed["codes"][0]["code"].as_str().unwrap());
    assert_eq!(show(&mut person, "in", &pass), expired, "one of them was used");

    person = saved;
    let (newer, ..) = renew(&mut person, "in", pass.as_str().unwrap());
    assert_eq!(show(&mut person, "in", &newer.into()), expired, "there is a newer set");
}

#[test]
fn the_codes_of_a_first_factor_are_shown_again_under_the_new_id_of_the_session() {
    let mut person = Person::new("ann", policy(json!({"require": "everyone", "firstFactor": "password"})));
    let begun = person.reply(json!({"begin": {"session": "s"}}));
    let started = person.reply(json!({"enroll_totp": {"session": "s", "ticket": begun["ticket"], "label": "ann"}}));
    person.secret = started["secret"].as_str().unwrap().replace(' ', "");
    let code = person.code();
    let enrolled = person.reply(json!({"confirm_totp": {"session": "s", "newSession": "in", "code": code}}));
    let mut show = |session: &str| {
        let fields = json!({"session": session, "pass": enrolled["pass"], "newCodes": enrolled["newCodes"]});
        person.reply(json!({"show_new_backup_codes": fields}))
    };
    let codes: Vec<Value> = show("in")["codes"].as_array().unwrap().iter().map(|code| code["code"].clone()).collect();
    assert_eq!(Value::from(codes), enrolled["backupCodes"]);
    assert_eq!(show("s")["reason"], "fresh_factor_required", "the id of the login");
}
