//! Trusted browsers: the last second of a trust, room for one more, a clock that is set back, and another key.

use countersign::engine::{CheckPass, check_pass};
use countersign::keys::KeyRing;
use countersign::time::UnixSeconds;
use serde_json::{Value, json};

use crate::support::{Person, policy};
use crate::trusted_browser::{DAY, browsers, by, cookie, is_refused, trust, trusted, trusting, trusting_ann};

fn stored(person: &Person) -> Value {
    serde_json::from_str(person.record.as_ref().unwrap()).unwrap()
}

fn removed(person: &mut Person, pass: &Value, cookie: &str) -> Value {
    person.reply(json!({"remove_trusted_browser": {"session": "in", "pass": pass, "browser": cookie[..12]}}))
}

#[test]
fn a_browser_whose_days_are_over_cannot_be_removed() {
    for (hours, expected) in [(24 * 3_600 - 1, "trusted_browser_removed"), (24 * 3_600, "denied")] {
        let mut person = trusting_ann();
        person.policy = policy(trusting(1));
        let start = person.now;
        let cookie = cookie(&trust(&mut person, json!({})));
        person.now = start + 23 * 3_600;
        let pass = json!(person.log_in("in"));
        person.now = start + hours;
        let reply = removed(&mut person, &pass, &cookie);
        assert_eq!((&reply["result"], reply["reason"] == "not_enrolled"), (&json!(expected), expected == "denied"));
    }
}

#[test]
fn a_browser_whose_days_are_over_takes_no_room_and_no_name() {
    let mut person = trusting_ann();
    for _ in 0..10 {
        trust(&mut person, json!({}));
    }
    person.now += 30 * DAY;
    trust(&mut person, json!({}));
    assert_eq!(person.events(), ["code_accepted", "browser_trusted"], "none is removed that had ended");
    let names: Vec<_> = browsers(&person).iter().map(|browser| browser["name"].clone()).collect();
    assert_eq!(names, ["Browser"]);
}

#[test]
fn a_browser_that_makes_room_gives_its_name_away() {
    let mut person = trusting_ann();
    for _ in 0..11 {
        trust(&mut person, json!({}));
    }
    let names: Vec<_> = browsers(&person).iter().map(|browser| browser["name"].clone()).collect();
    assert_eq!((names.len(), &names[9]), (10, &json!("Browser")));
}

#[test]
fn a_browser_in_the_place_of_one_takes_no_room_from_others() {
    let mut person = trusting_ann();
    let cookies: Vec<String> = (0..10).map(|_| cookie(&trust(&mut person, json!({})))).collect();
    // In the half minute after a use its page may still have the secret before.
    let used = cookie(&by(&mut person, &cookies[3]));
    trust(&mut person, json!({"replaces": cookies[3]}));
    assert_eq!(person.events(), ["code_accepted", "browser_trusted"]);
    assert_eq!(browsers(&person).len(), 10);
    is_refused(&mut person, &used, "another is in its place");
    assert_eq!(by(&mut person, &cookies[0])["result"], "verified");
}

#[test]
fn a_copy_ends_one_browser_and_no_other() {
    let (mut person, first) = trusted();
    let other = cookie(&trust(&mut person, json!({})));
    by(&mut person, &first);
    person.now += 31;
    is_refused(&mut person, &first, "a copy");
    assert_eq!(person.events(), ["trusted_browser_copied"]);
    assert_eq!(by(&mut person, &other)["result"], "verified");
}

#[test]
fn no_pass_tells_of_a_later_time_than_its_own() {
    let (mut person, cookie) = trusted();
    let added_at = person.now - 60;
    for back in [60, 0] {
        let mut person = person.clone();
        person.now = added_at - back;
        let pass = by(&mut person, &cookie)["pass"].clone();
        let question = CheckPass::parse(&json!({"session": "in", "pass": pass}).to_string()).unwrap();
        let reply = check_pass(&person.policy, &person.keys, &person.id(), &question, UnixSeconds::new(person.now).unwrap());
        assert_eq!(serde_json::to_value(reply).unwrap()["authTime"], person.now);
    }
    person.now = added_at - 61;
    is_refused(&mut person, &cookie, "the clock was set back by more than a minute");
    person.now = added_at;
    assert_eq!(by(&mut person, &cookie)["result"], "verified");
}

#[test]
fn a_use_moves_a_browser_to_the_newest_key() {
    let (mut person, first) = trusted();
    let mut document: Value = serde_json::from_str(include_str!("../vectors/keys.json")).unwrap();
    let (new, old) = (json!({"kid": "newer", "secret": "A".repeat(43)}), document["sealing"].as_array().unwrap().clone());
    document["sealing"] = [vec![new], old].concat().into();
    person.keys = KeyRing::parse(&document.to_string()).unwrap();
    let second = cookie(&by(&mut person, &first));
    is_refused(&mut person, &first, "a second tab, which is no alarm under another key");
    assert_eq!(person.events(), ["trusted_browser_refused"]);
    assert_eq!(stored(&person)["browsers"][0]["kid"], "newer");
    person.now += 31;
    is_refused(&mut person, &first, "a copy, also where it was of another key");
    assert_eq!(person.events(), ["trusted_browser_copied"]);
    is_refused(&mut person, &second, "the other copy");
}

#[test]
fn a_secret_counts_for_no_other_browser_of_the_same_user() {
    let (mut person, cookie) = trusted();
    let mut record = stored(&person);
    record["browsers"][0]["id"] = json!("AAAAAAAAAAAA");
    person.record = Some(record.to_string());
    is_refused(&mut person, &format!("AAAAAAAAAAAA.{}", &cookie[13..]), "its MACs are of another id");
    assert_eq!(person.events(), ["trusted_browser_refused"]);
}

#[test]
fn a_record_with_too_many_browsers_is_cut_to_ten() {
    let mut person = trusting_ann();
    for _ in 0..10 {
        trust(&mut person, json!({}));
    }
    let mut record = stored(&person);
    let more: Vec<Value> = (0..3)
        .map(|number| {
            let mut browser = record["browsers"][number].clone();
            browser["id"] = json!(format!("AAAAAAAAAAA{number}"));
            browser
        })
        .collect();
    record["browsers"].as_array_mut().unwrap().extend(more);
    person.record = Some(record.to_string());
    trust(&mut person, json!({}));
    assert_eq!(browsers(&person).len(), 10);
}
