//! A wrong code that an app showed some minutes ago: the reply tells how slow the phone's clock is, and nothing else changes.

use countersign::time::UnixSeconds;
use countersign::totp::{TotpParameters, TotpSecret};
use serde_json::{Value, json};

use crate::support::{Person, ann, policy};

const PERIOD: u64 = 30;

/// The code that an app shows so many steps from now.
fn code_at(secret: &str, now: u64, steps: i64) -> String {
    let parameters = TotpParameters::DEFAULT;
    let step = parameters.step_at(UnixSeconds::new(now).unwrap()).saturating_add_signed(steps);
    TotpSecret::from_base32(secret).unwrap().code_at(parameters, step).as_str().to_owned()
}

fn shown(person: &Person, steps: i64) -> String {
    code_at(&person.secret, person.now, steps)
}

fn at(person: &Person, now: u64) -> Person {
    let mut person = person.clone();
    person.now = now;
    person
}

/// The attempts of a record.
fn attempts(person: &Person) -> Value {
    serde_json::from_str::<Value>(person.record.as_deref().unwrap()).unwrap()["attempts"].clone()
}

fn effects(person: &Person) -> Vec<Value> {
    person.effects.iter().map(|effect| serde_json::to_value(effect).unwrap()).collect()
}

#[test]
fn p8_a_slow_clock_is_told_for_ten_minutes_and_a_fast_one_never() {
    for window in [0, 1, 2] {
        for steps in -23..=23_i64 {
            let mut person = ann();
            person.policy = policy(json!({"totp": {"window": window}}));
            let code = shown(&person, steps);
            let reply = person.verify("totp", &code);
            let slow_by = u64::try_from(-steps).ok().filter(|back| (window + 1..=20).contains(back)).map(|back| back * PERIOD);
            let expected = if steps.unsigned_abs() <= window { "verified" } else { "wrong" };
            assert_eq!(reply["result"], expected, "{steps} steps at window {window}");
            assert_eq!(reply.get("slowBySeconds"), slow_by.map(|seconds| json!(seconds)).as_ref(), "{steps} steps at window {window}");
        }
    }
}

#[test]
fn p8_the_set_up_of_an_app_tells_a_slow_clock_too() {
    let mut person = Person::new("ann", policy(json!({})));
    let started = person.reply(json!({"enroll_totp": {"session": "s", "label": "ann"}}));
    person.secret = started["secret"].as_str().unwrap().replace(' ', "");
    for (steps, expected) in [
        (-21, json!({"result": "wrong"})),
        (-20, json!({"result": "wrong", "slowBySeconds": 600})),
        (-4, json!({"result": "wrong", "slowBySeconds": 120})),
        (-4, json!({"result": "wrong", "slowBySeconds": 120})),
        (-2, json!({"result": "wrong", "slowBySeconds": 60})),
        (2, json!({"result": "wrong"})),
        (4, json!({"result": "wrong"})),
    ] {
        let confirm = json!({"confirm_totp": {"session": "s", "code": shown(&person, steps)}});
        assert_eq!(person.reply(confirm), expected, "{steps} steps");
        assert_eq!((person.record.clone(), person.events()), (None, vec!["setup_code_refused".to_owned()]));
    }
    let confirm = json!({"confirm_totp": {"session": "s", "code": shown(&person, -1)}});
    assert_eq!(person.reply(confirm)["result"], "enrolled");
}

#[test]
fn t6_a_code_of_a_slow_clock_is_charged_as_any_wrong_one() {
    let (mut slow, mut wrong) = (ann(), ann());
    let mut told = 0;
    // A hundred are the end: each is tried as soon as it may be.
    for attempt in 0..100 {
        let code = shown(&slow, -4);
        let (mut as_slow, as_wrong) = (slow.verify("totp", &code), wrong.verify("totp", &shown(&wrong, 900)));
        let slow_by = as_slow.as_object_mut().unwrap().remove("slowBySeconds");
        assert_eq!(slow_by, Some(json!(120)), "attempt {attempt}: {as_slow}");
        told += 1;
        assert_eq!(as_slow, as_wrong, "attempt {attempt}");
        assert_eq!(attempts(&slow), attempts(&wrong), "attempt {attempt}");
        assert_eq!(effects(&slow), effects(&wrong), "attempt {attempt}");
        let next = as_wrong["retryAt"].as_u64().unwrap_or_default().max(slow.now + PERIOD);
        (slow.now, wrong.now) = (next, next);
    }
    assert_eq!((told, slow.failures()), (100, 100));
    let code = shown(&slow, -4);
    assert_eq!(slow.verify("totp", &code), json!({"result": "locked"}), "nothing is compared");
}

#[test]
fn t48_a_code_that_was_told_counts_for_no_clock_any_more() {
    // The clock runs two hours ahead, and tells of a code that is still to come.
    let mut person = ann();
    let right = person.now;
    person.now += 7_200;
    let code = shown(&person, -4);
    assert_eq!(person.verify("totp", &code)["slowBySeconds"], 120);
    // It is set back. A wait from a clock that ran ahead holds nobody back.
    person.now = right;
    let wrong = shown(&person, 900);
    assert_eq!(person.verify("totp", &wrong)["result"], "wrong");
    person.now = right + 7_200 - 120;
    assert_eq!(shown(&person, 0), code);
    assert_eq!(person.verify("totp", &code)["result"], "already_used");
    person.now += PERIOD;
    let next = shown(&person, 0);
    assert_eq!(person.verify("totp", &next)["result"], "verified");
}

#[test]
fn t48_no_other_clock_compares_a_code_while_it_could_count_there() {
    let mut person = ann();
    let code = shown(&person, -4);
    assert_eq!(person.verify("totp", &code)["slowBySeconds"], 120);
    for behind in [1, 60, 90, 120, 150, 600] {
        let mut person = at(&person, person.now - behind);
        let until = person.now + behind;
        assert_eq!(person.verify("totp", &code), json!({"result": "locked", "retryAt": until}), "{behind} seconds behind");
    }
}

#[test]
fn a_used_code_is_told_as_an_old_one_too_and_stays_used() {
    let mut person = ann();
    let used = shown(&person, 0);
    assert_eq!(person.verify("totp", &used)["result"], "verified");
    person.now += 30;
    assert_eq!(person.verify("totp", &used)["result"], "already_used", "within the window");
    for seconds in [60, 90, 300, 600] {
        let mut person = at(&person, person.now - 30 + seconds);
        for left in [4, 3] {
            let told = json!({"result": "wrong", "attemptsLeft": left, "slowBySeconds": seconds});
            assert_eq!(person.verify("totp", &used), told);
        }
    }
    // Older than the last one used, it leaves that one used.
    let (last, before) = (shown(&person, 1), shown(&person, -5));
    assert_eq!(person.verify("totp", &last)["result"], "verified");
    assert_eq!(person.verify("totp", &before)["slowBySeconds"], 150);
    assert_eq!(person.verify("totp", &last)["result"], "already_used");
}

#[test]
fn the_old_code_of_an_app_tells_nothing_in_the_field_of_another_method() {
    let mut person = ann();
    let ticket = person.ticket();
    assert_eq!(person.reply(json!({"send_sms": {"session": "s", "ticket": ticket}}))["result"], "sms_sent");
    let code = shown(&person, -4);
    let verify = json!({"verify": {"session": "s", "ticket": ticket, "method": "sms", "code": code}});
    assert_eq!(person.reply(verify), json!({"result": "wrong", "attemptsLeft": 4}));
}
