//! The host's own word that the password was changed, or that a user is signed out everywhere.

use serde_json::{Value, json};

use crate::support::{Person, ann, issue, policy};

fn ended(person: &mut Person, word: &str) {
    assert_eq!(person.reply(json!({ word: {} })), json!({"result": "ended"}));
}

fn remove(person: &mut Person, session: &str, pass: &str) -> Value {
    person.reply(json!({"remove": {"session": session, "pass": pass, "method": "sms"}}))
}

/// ASVS 6.4.3: someone who learned the old password stands between the two steps of a login.
#[test]
fn a_change_of_the_password_ends_the_logins_that_the_old_one_began() {
    let expired = json!({"result": "denied", "reason": "ticket_expired"});
    for word in ["password_changed", "sign_out_everywhere"] {
        let mut person = ann();
        let ticket = person.ticket();
        let sent = person.reply(json!({"send_sms": {"session": "s", "ticket": ticket}}));
        assert_eq!(sent["result"], "sms_sent");
        let (sms, code) = (person.sms_code(), person.code());
        assert!(person.record.as_ref().unwrap().contains("loginCode"));
        ended(&mut person, word);
        assert!(!person.record.as_ref().unwrap().contains("loginCode"), "{word}: no code by SMS is kept");
        for (method, code) in [("totp", &code), ("sms", &sms)] {
            let verify = json!({"verify": {"session": "s", "ticket": ticket, "method": method, "code": code}});
            assert_eq!(person.reply(verify), expired, "{word}, {method}");
        }
        assert_eq!(person.reply(json!({"send_sms": {"session": "s", "ticket": ticket}})), expired, "{word}");

        // A login in the very second of the change counts.
        let code = person.code();
        assert_eq!(person.verify("totp", &code)["result"], "verified", "{word}");
    }
}

#[test]
fn a_change_of_the_password_ends_set_ups_and_leaves_passes() {
    let mut person = ann();
    let pass = person.log_in("in");
    let started = person.reply(json!({"enroll_totp": {"session": "in", "pass": pass, "label": "ann"}}));
    let confirm = json!({"confirm_totp": {"session": "in", "setup": started["setup"], "code": "000000"}});
    assert_eq!(person.reply(confirm.clone())["result"], "wrong");
    ended(&mut person, "password_changed");
    assert_eq!(person.events(), ["password_changed"]);
    assert_eq!(person.reply(confirm)["result"], "expired");
    assert_eq!(remove(&mut person, "in", &pass)["result"], "removed", "the session that changed the password goes on");
}

#[test]
fn signing_out_everywhere_ends_the_passes_of_all_sessions() {
    let mut person = ann();
    let pass = person.log_in("in");
    ended(&mut person, "sign_out_everywhere");
    let told: Vec<Value> = person.effects.iter().map(|effect| serde_json::to_value(effect).unwrap()).collect();
    assert_eq!((&told[0]["end_passes"]["user"], &told[1]["log"]["event"]), (&json!("ann"), &json!("signed_out_everywhere")));
    assert_eq!(remove(&mut person, "in", &pass)["reason"], "fresh_factor_required");
}

#[test]
fn someone_who_never_had_a_factor_still_sets_up_the_first_one_by_the_password() {
    let mut person = Person::new("ann", policy(json!({"require": "everyone", "firstFactor": "password"})));
    let before = person.reply(json!({"begin": {"session": "s"}}))["ticket"].clone();
    ended(&mut person, "sign_out_everywhere");
    let enroll = |ticket: &Value| json!({"enroll_totp": {"session": "s", "ticket": ticket, "label": "ann"}});
    assert_eq!(person.reply(enroll(&before)), json!({"result": "denied", "reason": "ticket_expired"}));
    let begun = person.reply(json!({"begin": {"session": "s"}}));
    assert_eq!(person.reply(enroll(&begun["ticket"]))["result"], "totp_started");
}

#[test]
fn signing_out_everywhere_ends_the_pass_of_a_recovery_code() {
    let mut person = Person::new("ann", policy(json!({"require": "everyone"})));
    person.now += 10_000;
    let code = issue(&mut person);
    let pass = person.verify("recovery_code", &code)["pass"].clone();
    let enroll = json!({"enroll_totp": {"session": "in", "pass": pass, "label": "ann"}});
    assert_eq!(person.try_step(enroll.clone()).unwrap().1["result"], "totp_started");
    ended(&mut person, "sign_out_everywhere");
    assert_eq!(person.reply(enroll)["reason"], "fresh_factor_required", "also of someone without a factor");
}

#[test]
fn each_change_of_the_password_ends_what_began_since_the_one_before() {
    let mut person = ann();
    for _ in 0..2 {
        ended(&mut person, "password_changed");
        let (ticket, code) = (person.ticket(), person.code());
        let verify = json!({"verify": {"session": "s", "ticket": ticket, "method": "totp", "code": code}});
        ended(&mut person, "password_changed");
        assert_eq!(person.reply(verify)["reason"], "ticket_expired");
    }
}

#[test]
fn the_hosts_own_words_have_no_fields() {
    for word in ["password_changed", "sign_out_everywhere"] {
        let command = countersign::engine::Command::parse(&json!({ word: {"session": "s"} }).to_string());
        assert_eq!(command.unwrap_err().path, "session", "{word}");
    }
}
