//! C9, C10, C11 and T49 for codes: each belongs to the login or set-up that asked for it, a used one is told
//! from a wrong one, and a message that never left gives its slot back.

use countersign::effect::SmsTemplate;
use countersign::engine::status;
use countersign::policy::Method;
use countersign::record::Record;
use countersign::time::UnixSeconds;
use serde_json::{Value, json};

use crate::support::{Person, ann, policy};

fn send(person: &mut Person, ticket: &str) -> Value {
    person.reply(json!({"send_sms": {"ticket": ticket, "session": "s"}}))
}

fn verify(person: &mut Person, ticket: &str, method: &str, code: &str) -> Value {
    person.reply(json!({"verify": {"ticket": ticket, "session": "s", "method": method, "code": code}}))
}

fn enroll(person: &mut Person, session: &str, number: &str) -> String {
    let reply = person.reply(json!({"enroll_sms": {"session": session, "number": number}}));
    reply["setup"].as_str().unwrap_or_else(|| panic!("{reply}")).to_owned()
}

fn confirm(person: &mut Person, session: &str, setup: &str, code: &str) -> Value {
    person.reply(json!({"confirm_sms": {"session": session, "setup": setup, "code": code}}))
}

#[test]
fn t49_c9_messages_of_other_logins_do_not_end_a_code() {
    let mut person = ann();
    let mine = person.ticket();
    assert_eq!(send(&mut person, &mine)["result"], "sms_sent");
    let code = person.sms_code();
    for _ in 0..3 {
        person.now += 60;
        let thief = person.ticket();
        assert_eq!(send(&mut person, &thief)["result"], "sms_sent");
        let of_thief = person.sms_code();
        assert_eq!(verify(&mut person, &thief, "sms", &code)["result"], "wrong", "a code of another login");
        assert_ne!(code, of_thief);
    }
    person.now += 119;
    assert_eq!(verify(&mut person, &mine, "sms", &code)["result"], "verified");
}

#[test]
fn c9_another_message_for_the_same_login_ends_the_code_before_it() {
    let mut person = ann();
    let ticket = person.ticket();
    send(&mut person, &ticket);
    let old = person.sms_code();
    person.now += 30;
    send(&mut person, &ticket);
    let new = person.sms_code();
    assert_eq!(verify(&mut person, &ticket, "sms", &old)["result"], "wrong");
    assert_eq!(verify(&mut person, &ticket, "sms", &new)["result"], "verified");
}

#[test]
fn c9_a_login_ends_its_code_and_a_change_of_factors_ends_all() {
    let mut person = ann();
    let (ticket, other) = (person.ticket(), person.ticket());
    send(&mut person, &ticket);
    let code = person.sms_code();
    person.now += 30;
    send(&mut person, &other);
    let of_other = person.sms_code();
    let app = person.code();
    let login = json!({"verify": {"ticket": ticket, "session": "s", "newSession": "in", "method": "totp", "code": app}});
    let pass = person.reply(login)["pass"].as_str().unwrap().to_owned();
    assert_eq!(verify(&mut person, &ticket, "sms", &code)["result"], "expired");
    assert_eq!(
        person.try_step(json!({"verify": {"ticket": other, "session": "s", "method": "sms", "code": of_other}})).unwrap().1["result"],
        "verified"
    );
    person.reply(json!({"remove": {"session": "in", "pass": pass, "method": "totp"}}));
    assert_eq!(verify(&mut person, &other, "sms", &of_other)["result"], "expired");
}

#[test]
fn t49_c9_set_ups_of_other_sessions_do_not_end_that_of_the_user() {
    let mut person = Person::new("ann", policy(json!({})));
    let mine = enroll(&mut person, "mine", "+61412345678");
    let code = person.sms_code();
    person.now += 60;
    let thief = enroll(&mut person, "thief", "+61487654321");
    let of_thief = person.sms_code();
    for left in [4, 3, 2, 1, 0] {
        assert_eq!(confirm(&mut person, "thief", &thief, "000000"), json!({"result": "wrong", "attemptsLeft": left}));
    }
    assert_eq!(confirm(&mut person, "thief", &thief, &of_thief), json!({"result": "expired"}), "five wrong codes end it");
    assert_eq!(person.failures(), 0, "and cost no login");
    assert_eq!(confirm(&mut person, "mine", &mine, &of_thief)["attemptsLeft"], 4);
    assert_eq!(confirm(&mut person, "mine", &mine, &code)["result"], "enrolled");
}

#[test]
fn c9_a_phone_is_set_up_while_the_account_waits() {
    let mut person = ann();
    let pass = person.log_in("in");
    person.now += 30;
    for _ in 0..5 {
        person.verify("totp", "000000");
    }
    let ticket = person.ticket();
    assert_eq!(send(&mut person, &ticket)["reason"], "too_many_attempts");
    let enroll = json!({"enroll_sms": {"session": "in", "pass": pass, "number": "+61487654321"}});
    assert_eq!(person.reply(enroll)["result"], "sms_sent");
    let confirm = json!({"confirm_sms": {"session": "in", "code": person.sms_code()}});
    assert_eq!(person.reply(confirm)["result"], "enrolled");
}

#[test]
fn c10_a_repeated_code_of_an_app_is_told_apart_and_not_charged() {
    let mut person = ann();
    let code = person.code();
    let ticket = person.ticket();
    assert_eq!(verify(&mut person, &ticket, "totp", &code)["result"], "verified");
    let before = person.record.clone();
    person.now += 7;
    let next = person.now - person.now % 30 + 30;
    for _ in 0..50 {
        assert_eq!(verify(&mut person, &ticket, "totp", &code), json!({"result": "already_used", "retryAt": next}));
        assert_eq!(person.events(), ["code_repeated"]);
    }
    assert_eq!(person.record, before, "nothing was charged");
    person.now = next;
    let code = person.code();
    assert_eq!(verify(&mut person, &ticket, "totp", &code)["result"], "verified", "the next one counts");
    person.now += 61;
    assert_eq!(verify(&mut person, &ticket, "totp", &code)["result"], "wrong", "outside the window");
}

#[test]
fn c10_the_code_of_an_app_that_runs_ahead_counts_again_after_its_step() {
    let mut person = ann();
    person.now += 30;
    let ahead = person.code();
    person.now -= 30;
    let step = person.now - person.now % 30;
    let ticket = person.ticket();
    assert_eq!(verify(&mut person, &ticket, "totp", &ahead)["result"], "verified");
    assert_eq!(verify(&mut person, &ticket, "totp", &ahead)["retryAt"], step + 60);
}

#[test]
fn c10_the_code_of_a_set_up_does_not_log_in_and_is_not_charged() {
    let mut person = Person::new("ann", policy(json!({})));
    let started = person.reply(json!({"enroll_totp": {"session": "s", "label": "ann"}}));
    person.secret = started["secret"].as_str().unwrap().replace(' ', "");
    let code = person.code();
    assert_eq!(person.reply(json!({"confirm_totp": {"session": "s", "code": code}}))["result"], "enrolled");
    assert_eq!(person.verify("totp", &code), json!({"result": "already_used", "retryAt": person.now + 30}));
    assert_eq!(person.failures(), 0);
}

#[test]
fn c10_a_repeated_code_by_sms_is_told_apart_and_not_charged() {
    let mut person = ann();
    let ticket = person.ticket();
    send(&mut person, &ticket);
    let code = person.sms_code();
    assert_eq!(verify(&mut person, &ticket, "sms", &code)["result"], "verified");
    let before = person.record.clone();
    for _ in 0..50 {
        assert_eq!(verify(&mut person, &ticket, "sms", &code), json!({"result": "already_used"}));
    }
    assert_eq!(person.record, before, "nothing was charged");
    assert_eq!(verify(&mut person, &ticket, "sms", "000000")["result"], "wrong", "another code is");
    person.now += 300;
    assert_eq!(verify(&mut person, &ticket, "sms", &code)["result"], "expired");
}

#[test]
fn c10_nothing_is_compared_while_locked_and_hashed_codes_stay_charged() {
    let mut person = ann();
    let (ticket, app, backup) = (person.ticket(), person.code(), person.backup[0].clone());
    send(&mut person, &ticket);
    let sms = person.sms_code();
    for (method, code) in [("sms", &sms), ("totp", &app), ("backup_code", &backup)] {
        assert_eq!(verify(&mut person, &ticket, method, code)["result"], "verified", "{method}");
    }
    for left in [4, 3, 2, 1, 0] {
        assert_eq!(verify(&mut person, &ticket, "backup_code", &backup)["attemptsLeft"], left);
    }
    let before = person.record.clone();
    for (method, code) in [("totp", &app), ("sms", &sms), ("backup_code", &backup)] {
        assert_eq!(verify(&mut person, &ticket, method, code)["result"], "locked", "{method}");
    }
    assert_eq!(person.record, before);
}

#[test]
fn c11_a_message_that_never_left_gives_its_slot_back_three_times_an_hour() {
    let mut person = ann();
    let ticket = person.ticket();
    let start = person.now;
    for _ in 0..3 {
        assert_eq!(send(&mut person, &ticket)["result"], "sms_sent", "no cool-down after the one before");
        let (id, code) = (person.sms().id.clone(), person.sms_code());
        person.reply(json!({"sms_never_left": id}));
        assert_eq!(person.events(), ["sms_never_left"]);
        assert_eq!(verify(&mut person, &ticket, "sms", &code)["result"], "expired", "nobody has this code");
        let before = person.record.clone();
        person.reply(json!({"sms_never_left": id}));
        assert_eq!(person.record, before, "once a message");
    }
    send(&mut person, &ticket);
    let (id, code) = (person.sms().id.clone(), person.sms_code());
    person.reply(json!({"sms_never_left": id}));
    assert_eq!(send(&mut person, &ticket)["reason"], "cooldown", "the fourth keeps its slot");
    assert_eq!(verify(&mut person, &ticket, "sms", &code)["result"], "expired");

    person.now = start + 3_600;
    let ticket = person.ticket();
    send(&mut person, &ticket);
    let id = person.sms().id.clone();
    person.reply(json!({"sms_never_left": id}));
    assert_eq!(send(&mut person, &ticket)["result"], "sms_sent", "an hour later again");
}

#[test]
fn c11_a_message_that_never_left_ends_no_other_and_an_unknown_one_changes_nothing() {
    let mut person = ann();
    let (first, second) = (person.ticket(), person.ticket());
    send(&mut person, &first);
    let code = person.sms_code();
    person.now += 60;
    send(&mut person, &second);
    let id = person.sms().id.clone();
    let before = person.record.clone();
    person.reply(json!({"sms_never_left": "AAAAAAAAAAAAAAAAAAAAAA"}));
    assert_eq!((person.record.clone(), person.events()), (before, vec![]));
    person.reply(json!({"sms_never_left": id}));
    assert_eq!(verify(&mut person, &first, "sms", &code)["result"], "verified");

    let mut bob = Person::new("bob", policy(json!({})));
    let setup = enroll(&mut bob, "in", "+61412345678");
    let (id, code) = (bob.sms().id.clone(), bob.sms_code());
    bob.reply(json!({"sms_never_left": id}));
    assert_eq!(confirm(&mut bob, "in", &setup, &code)["result"], "expired", "nobody has this code");
    let setup = enroll(&mut bob, "in", "+61412345678");
    let code = bob.sms_code();
    assert_eq!(confirm(&mut bob, "in", &setup, &code)["result"], "enrolled");
}

#[test]
fn a_refused_message_names_the_time_from_which_every_limit_admits_it() {
    let rules = json!({"sms": {"cooldownSeconds": 10, "perMinute": 2, "perHour": 3, "perDay": 10}});
    let mut person = Person::enrolled("ann", policy(rules));
    person.now += 100_000;
    let start = person.now;
    for (seconds, result) in [(0, "sms_sent"), (1_800, "sms_sent"), (1_810, "sms_sent")] {
        person.now = start + seconds;
        let ticket = person.ticket();
        let reply = send(&mut person, &ticket);
        assert_eq!(reply["result"], result, "{reply}");
        let again = if seconds == 1_810 { start + 3_600 } else { person.now + 10 };
        assert_eq!(reply["resendAt"], again, "the time at which another message is really sent");
    }
    // The minute is over at 1,860 seconds, and the hour is full until 3,600.
    for (seconds, reason) in [(1_815, "budget"), (1_820, "budget"), (1_859, "budget"), (1_860, "budget"), (3_599, "budget")] {
        person.now = start + seconds;
        let ticket = person.ticket();
        let expected = json!({"result": "sms_refused", "reason": reason, "retryAt": start + 3_600});
        assert_eq!(send(&mut person, &ticket), expected, "at {seconds}");
    }
    person.now = start + 3_600;
    let ticket = person.ticket();
    assert_eq!(send(&mut person, &ticket)["result"], "sms_sent");
}

#[test]
fn a_login_by_sms_is_noted_and_seals_the_number_anew() {
    let mut person = ann();
    let phone = |person: &Person| {
        let record = Record::parse(&person.id(), person.record.as_ref().unwrap()).unwrap();
        let status = status(&person.policy, &person.keys, &record, UnixSeconds::new(person.now).unwrap()).unwrap();
        status.methods.into_iter().find(|factor| factor.method == Method::Sms).unwrap()
    };
    let sealed = |person: &Person| serde_json::from_str::<Value>(person.record.as_ref().unwrap()).unwrap()["phones"][0]["number"].clone();
    let before = (phone(&person), sealed(&person));
    assert_eq!((before.0.hint.as_deref(), before.0.last_used_at), (Some("•••• 678"), None));
    let ticket = person.ticket();
    send(&mut person, &ticket);
    let code = person.sms_code();
    assert_eq!(verify(&mut person, &ticket, "sms", &code)["result"], "verified");
    let after = phone(&person);
    assert_eq!((after.hint.as_deref(), after.last_used_at.map(UnixSeconds::seconds)), (Some("•••• 678"), Some(person.now)));
    assert_ne!(sealed(&person), before.1);
}

#[test]
fn a_message_tells_the_minutes_of_its_code() {
    let mut person = ann();
    person.policy = policy(json!({"sms": {"lifetimeSeconds": 240}}));
    let ticket = person.ticket();
    send(&mut person, &ticket);
    let SmsTemplate { minutes, host, name, .. } = &person.sms().template;
    assert_eq!((*minutes, host.as_str(), name.as_str()), (4, "login.acme.example", "Acme"));
    assert!(person.sms().body.0.contains("4 min"), "{}", person.sms().body.0);
}

/// The right code of an ended set-up tells that the number is on record, where it is. Another one is not.
#[test]
fn c10_a_set_up_of_another_number_has_ended() {
    let mut person = Person::new("bob", policy(json!({})));
    let first = enroll(&mut person, "mine", "+61412345678");
    let code = person.sms_code();
    person.now += 30;
    let other = enroll(&mut person, "mine", "+61498765432");
    let of_other = person.sms_code();
    assert_eq!(confirm(&mut person, "mine", &first, &code)["result"], "enrolled");
    assert_eq!(confirm(&mut person, "mine", &other, &of_other), json!({"result": "expired"}));
    assert_eq!(confirm(&mut person, "mine", &first, &code), json!({"result": "already_used"}));
}
