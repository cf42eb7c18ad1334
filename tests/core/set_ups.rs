//! C9 and T49: a set-up is a sealed token of one session, which nobody else ends, opens or guesses at the
//! account's cost. The budget of backup codes is here too, because a first factor makes a set.

use countersign::keys::KeyRing;
use serde_json::{Value, json};

use crate::support::{Person, START, ann, policy};

/// Ann without a factor, and a set-up of an app in session `mine`.
fn begun() -> Person {
    let mut person = Person::new("ann", policy(json!({})));
    begin(&mut person, "mine");
    person
}

/// Begins to set up an app; the person holds it then.
fn begin(person: &mut Person, session: &str) {
    let started = person.reply(json!({"enroll_totp": {"session": session, "label": "ann"}}));
    person.secret = started["secret"].as_str().unwrap_or_else(|| panic!("{started}")).replace(' ', "");
}

fn confirm(person: &mut Person, session: &str, setup: &str) -> Value {
    let code = person.code();
    person.reply(json!({"confirm_totp": {"session": session, "setup": setup, "code": code}}))
}

fn show(person: &mut Person, session: &str, setup: &str) -> Value {
    person.reply(json!({"show_totp_setup": {"session": session, "setup": setup}}))
}

/// The text with another character in one place.
fn altered(token: &str, place: usize) -> String {
    let other = if token.as_bytes()[place] == b'A' { "B" } else { "A" };
    format!("{}{other}{}", &token[..place], &token[place + 1..])
}

#[test]
fn t49_c9_set_ups_in_other_sessions_do_not_disturb_that_of_the_user() {
    let mut person = begun();
    assert_eq!(person.record, None, "a set-up of an app is nowhere but in its session");
    let (secret, setup) = (person.secret.clone(), person.setup.clone());
    for _ in 0..20 {
        begin(&mut person, "thief");
        assert_eq!(confirm(&mut person, "thief", &setup)["result"], "expired");
    }
    person.secret = secret;
    assert_eq!(confirm(&mut person, "mine", &setup)["result"], "enrolled");
}

#[test]
fn c9_a_set_up_opens_for_its_user_account_session_and_method_alone() {
    let person = begun();
    let setup = person.setup.clone();
    let refused = |mut person: Person, what: &str| {
        assert_eq!(confirm(&mut person, "mine", &setup), json!({"result": "expired"}), "{what}");
        assert_eq!(person.record, None, "{what}");
    };
    refused(Person { user: "bob".to_owned(), ..person.clone() }, "another user");
    refused(Person { account: Some("acme".to_owned()), ..person.clone() }, "an account");
    refused(Person { now: START + 1_800, ..person.clone() }, "half an hour later");
    refused(Person { now: START - 61, ..person.clone() }, "before it was made");
    let keys = include_str!("../vectors/keys.json").replace("test-seal", "other");
    refused(Person { keys: KeyRing::parse(&keys).unwrap(), ..person.clone() }, "a key that is gone");

    let mut mine = person.clone();
    assert_eq!(confirm(&mut mine, "other", &setup)["result"], "expired");
    let as_phone = json!({"confirm_sms": {"session": "mine", "setup": setup, "code": "123456"}});
    assert_eq!(mine.reply(as_phone)["result"], "expired");
    for token in ["", ".", "a.b.c", "\u{0}", &"A".repeat(5_000), &format!("{setup}A"), &setup[1..]] {
        assert_eq!(confirm(&mut mine, "mine", token)["result"], "expired", "{token:?}");
    }
    for place in 0..setup.len() {
        assert_eq!(confirm(&mut mine, "mine", &altered(&setup, place))["result"], "expired", "{place}");
    }
    assert_eq!(confirm(&mut mine, "mine", &setup)["result"], "enrolled");
}

#[test]
fn c9_any_change_of_factors_ends_the_set_ups_from_before_it() {
    let mut person = ann();
    let pass = person.log_in("mine");
    let enroll = |person: &mut Person, pass: &str| {
        let started = person.reply(json!({"enroll_totp": {"session": "mine", "pass": pass, "label": "ann"}}));
        (started["setup"].as_str().unwrap().to_owned(), started["secret"].as_str().unwrap().replace(' ', ""))
    };
    let (setup, secret) = enroll(&mut person, &pass);
    for change in [
        json!({"remove": {"session": "mine", "pass": pass, "method": "sms"}}),
        json!({"renew_backup_codes": {"session": "mine", "pass": pass}}),
    ] {
        let mut person = person.clone();
        assert!(person.reply(change)["pass"].is_string());
        person.secret = secret.clone();
        assert_eq!(confirm(&mut person, "mine", &setup)["result"], "expired");
    }
    let mut rescued = person.clone();
    let recovery = crate::support::issue(&mut rescued);
    assert_eq!(rescued.verify("recovery_code", &recovery)["result"], "verified");
    rescued.secret = secret;
    assert_eq!(confirm(&mut rescued, "mine", &setup)["result"], "expired");
}

#[test]
fn c9_a_set_up_shows_nothing_and_is_short() {
    let mut person = Person::new(&"u".repeat(256), policy(json!({"totp": {"digits": 8, "algorithm": "SHA512", "periodSeconds": 300}})));
    person.account = Some("a".repeat(256));
    let session = "s".repeat(256);
    let started = person.reply(json!({"enroll_totp": {"session": session, "label": "ann"}}));
    let app = person.setup.clone();
    person.reply(json!({"enroll_sms": {"session": session, "number": "+61412345678"}}));
    let sms = person.sms_code();
    let secret = started["secret"].as_str().unwrap().replace(' ', "");
    for token in [&app, &person.setup] {
        assert!(token.len() <= 1_024, "{}", token.len());
        let sealed = data_encoding::BASE64URL_NOPAD.decode(token.rsplit_once('.').unwrap().1.as_bytes()).unwrap();
        let raw = String::from_utf8_lossy(&sealed);
        for hidden in [secret.as_str(), "61412345678", &sms, "epoch", "uuuu", "ssss"] {
            assert!(!raw.contains(hidden) && !token.contains(hidden), "{hidden}");
        }
    }
    assert_ne!(app, {
        person.reply(json!({"enroll_totp": {"session": session, "label": "ann"}}));
        person.setup.clone()
    });
}

#[test]
fn t9_wrong_codes_at_the_set_up_of_an_app_cost_no_login() {
    let mut person = ann();
    let pass = person.log_in("in");
    person.reply(json!({"enroll_totp": {"session": "in", "pass": pass, "label": "ann"}}));
    let before = person.record.clone();
    for _ in 0..200 {
        assert_eq!(person.reply(json!({"confirm_totp": {"session": "in", "code": "000000"}})), json!({"result": "wrong"}));
        assert_eq!(person.events(), ["setup_code_refused"]);
    }
    assert_eq!(person.record, before);
}

#[test]
fn an_app_is_set_up_while_the_account_waits() {
    let mut person = ann();
    let pass = person.log_in("in");
    person.now += 30;
    for _ in 0..5 {
        person.verify("totp", "000000");
    }
    let code = person.code();
    assert_eq!(person.verify("totp", &code)["result"], "locked");
    let started = person.reply(json!({"enroll_totp": {"session": "in", "pass": pass, "label": "ann"}}));
    person.secret = started["secret"].as_str().unwrap().replace(' ', "");
    let setup = person.setup.clone();
    assert_eq!(confirm(&mut person, "in", &setup)["result"], "enrolled");
    let code = person.code();
    assert_eq!(person.verify("totp", &code)["result"], "locked", "the wait of logins goes on");
}

/// The old factor is not read: an app or a phone takes the place of one whose key is lost.
#[test]
fn t40_a_factor_whose_key_is_lost_is_replaced() {
    let mut person = ann();
    let pass = person.log_in("in");
    person.keys = KeyRing::parse(&include_str!("../vectors/keys.json").replace("test-seal", "other")).unwrap();
    let old: Vec<String> = person.factors().into_iter().map(|factor| factor.named.id.into()).collect();
    let (app, phone) = (&old[0], &old[1]);
    let started = person.reply(json!({"enroll_totp": {"session": "in", "pass": pass, "label": "ann", "replaces": app}}));
    person.secret = started["secret"].as_str().unwrap().replace(' ', "");
    let setup = person.setup.clone();
    let enrolled = confirm(&mut person, "in", &setup);
    assert_eq!(enrolled["result"], "enrolled");
    person.reply(json!({"enroll_sms": {"session": "in", "pass": enrolled["pass"], "number": "+61412345679", "replaces": phone}}));
    let code = person.sms_code();
    assert_eq!(person.reply(json!({"confirm_sms": {"session": "in", "code": code}}))["result"], "enrolled");
    person.now += 30;
    person.log_in("later");
}

#[test]
fn c10_a_confirmation_that_comes_twice_says_so() {
    let mut person = begun();
    let setup = person.setup.clone();
    assert_eq!(confirm(&mut person, "mine", &setup)["result"], "enrolled");
    let before = person.record.clone();
    assert_eq!(confirm(&mut person, "mine", &setup), json!({"result": "already_used"}));

    let mut phone = Person::new("bob", policy(json!({})));
    phone.reply(json!({"enroll_sms": {"session": "mine", "number": "+61412345678"}}));
    let confirm = json!({"confirm_sms": {"session": "mine", "code": phone.sms_code()}});
    assert_eq!(phone.reply(confirm.clone())["result"], "enrolled");
    assert_eq!(phone.reply(confirm), json!({"result": "already_used"}));
    assert_eq!(person.record, before);
}

#[test]
fn backup_codes_are_renewed_at_most_5_times_an_hour_and_20_a_day() {
    let mut person = Person::enrolled("ann", policy(json!({"backupCodes": {"count": 1}})));
    person.now += 3_600;
    let (mut made, mut last) = (0, Value::Null);
    for _ in 0..24 * 6 {
        person.now += 600;
        let pass = person.log_in("in");
        last = person.reply(json!({"renew_backup_codes": {"session": "in", "pass": pass}}));
        made += u32::from(last["result"] == "backup_codes");
    }
    assert_eq!(made, 20, "a day of asking every ten minutes");
    assert_eq!((&last["reason"], last["retryAt"].as_u64() > Some(person.now)), (&json!("too_often"), true), "{last}");

    person.now += 86_400;
    let mut replies = Vec::new();
    for _ in 0..6 {
        person.now += 30;
        let pass = person.log_in("in");
        replies.push(person.reply(json!({"renew_backup_codes": {"session": "in", "pass": pass}})));
    }
    let made = replies.iter().filter(|reply| reply["result"] == "backup_codes").count();
    assert_eq!(made, 5);
    let retry_at = replies[5]["retryAt"].as_u64().unwrap();
    assert_eq!(retry_at, person.now - 150 + 3_600);
    person.now = retry_at;
    let pass = person.log_in("in");
    assert_eq!(person.reply(json!({"renew_backup_codes": {"session": "in", "pass": pass}}))["result"], "backup_codes");
}

#[test]
fn a_first_factor_beyond_the_budget_of_backup_codes_is_refused_at_its_start() {
    let mut person = Person::new("ann", policy(json!({"backupCodes": {"count": 1}})));
    for _ in 0..5 {
        person.now += 30;
        begin(&mut person, "in");
        let setup = person.setup.clone();
        let enrolled = confirm(&mut person, "in", &setup);
        assert_eq!(enrolled["backupCodes"].as_array().map(Vec::len), Some(1));
        let remove = json!({"remove": {"session": "in", "pass": enrolled["pass"], "method": "totp"}});
        assert_eq!(person.reply(remove)["result"], "removed");
    }
    let retry_at = START + 30 + 3_600;
    let refused = json!({"result": "denied", "reason": "too_often", "retryAt": retry_at});
    assert_eq!(person.reply(json!({"enroll_totp": {"session": "in", "label": "ann"}})), refused);
    assert_eq!(person.reply(json!({"enroll_sms": {"session": "in", "number": "+61412345678"}})), refused);
    assert_eq!(person.events(), ["refused"], "and no message was sent");
    person.now = retry_at;
    begin(&mut person, "in");
}

#[test]
fn t49_a_set_up_that_ended_tells_no_number_to_a_session_without_the_code() {
    let mut person = Person::new("ann", policy(json!({})));
    let mut begin = |session: &str, number: &str| {
        person.now += 60;
        let reply = person.reply(json!({"enroll_sms": {"session": session, "number": number}}));
        (reply["setup"].as_str().unwrap_or_else(|| panic!("{reply}")).to_owned(), person.sms_code())
    };
    let guesses = [begin("thief", "+61412345678").0, begin("thief", "+61412345679").0];
    let (setup, code) = begin("mine", "+61412345678");
    assert_eq!(person.reply(json!({"confirm_sms": {"session": "mine", "setup": setup, "code": code}}))["result"], "enrolled");
    for setup in guesses {
        let reply = person.reply(json!({"confirm_sms": {"session": "thief", "setup": setup, "code": "000000"}}));
        assert_eq!(reply, json!({"result": "expired"}));
    }
    let again = person.reply(json!({"confirm_sms": {"session": "mine", "setup": setup, "code": code}}));
    assert_eq!(again["result"], "already_used");
}

#[test]
fn a_pending_set_up_is_shown_again_as_it_was() {
    let mut person = Person::new("ann", policy(json!({})));
    let started = person.reply(json!({"enroll_totp": {"session": "mine", "label": "ann@acme.example"}}));
    let setup = started["setup"].as_str().unwrap().to_owned();
    person.secret = started["secret"].as_str().unwrap().replace(' ', "");
    person.now += 1_799;
    assert_eq!(show(&mut person, "mine", &setup), started);
    assert!(person.events().is_empty() && person.record.is_none(), "nothing is written");
    assert_eq!(show(&mut person, "another", &setup), json!({"result": "expired"}));
    person.now += 1;
    assert_eq!(show(&mut person, "mine", &setup), json!({"result": "expired"}));

    person.now -= 1;
    assert_eq!(confirm(&mut person, "mine", &setup)["result"], "enrolled");
    assert_eq!(show(&mut person, "mine", &setup), json!({"result": "expired"}), "a set-up that is confirmed");
}

#[test]
fn a_set_up_whose_proof_counts_no_longer_is_shown_no_more() {
    let mut person = begun();
    let setup = person.setup.clone();
    person.policy = policy(json!({"require": "everyone"}));
    assert_eq!(show(&mut person, "mine", &setup)["reason"], "fresh_factor_required");
    person.policy = policy(json!({"methods": ["sms", "backup_code"]}));
    assert_eq!(show(&mut person, "mine", &setup)["reason"], "method_not_offered");
}
