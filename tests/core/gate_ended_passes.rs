//! The gate and the passes that a change of factors has ended: it refuses those of earlier epochs, in whatever order
//! and how late it learns of the changes.

use countersign::effect::Effect;
use countersign::gate::{CallOutResponse, Gate};
use countersign::policy::Method;
use countersign::time::UnixSeconds;
use serde_json::{Value, json};

use crate::gate::{COOKIE, gate, headers, judge, judged, refused};
use crate::support::{Person, ann, policy};

fn gate_with_list() -> Gate {
    gate(json!({"revocation": {"cluster": "login", "authority": "login", "path": "/2fa/revoked"}}))
}

/// Hands the gate a list; false if it does not take it.
fn take(gate: &mut Gate, list: &Value, now: u64) -> bool {
    let text = list.to_string();
    let response = CallOutResponse { status: Some(b"200"), body: Some(text.as_bytes()) };
    gate.take_revocations(&response, UnixSeconds::new(now).unwrap())
}

/// The outcome for the pass of session `in`, at a gate that has this entry for Ann.
fn outcome(entry: &Value, pass: &str, now: u64) -> String {
    let mut gate = gate_with_list();
    assert!(take(&mut gate, &json!({"v": 1, "epochs": {"ann": entry}}), now), "{entry}");
    let headers = headers("/reports", &[("cookie", &format!("{COOKIE}={pass}; sid=in"))]);
    refused(&judged(judge(&mut gate, &headers, now))).map_or("admitted".to_owned(), |(_, reason)| reason)
}

/// Renews the backup codes, which is a change; gives the new pass of session `in` and the epoch that a gate is told.
fn change(person: &mut Person, pass: &str) -> (String, String) {
    let reply = person.reply(json!({"renew_backup_codes": {"session": "in", "pass": pass}}));
    let new = reply["pass"].as_str().unwrap_or_else(|| panic!("{reply}")).to_owned();
    (new, told(person))
}

/// The epoch in the effect of the last step.
fn told(person: &Person) -> String {
    let ended = |effect: &Effect| match effect {
        Effect::EndPasses(ended) => Some(ended.epoch.as_str().to_owned()),
        Effect::Sms(_) | Effect::Notify(_) | Effect::Log(_) => None,
    };
    person.effects.iter().find_map(ended).unwrap()
}

#[test]
fn a_list_one_fetch_behind_does_not_refuse_the_newest_pass() {
    let mut person = ann();
    let before = person.log_in("in");
    let (first, first_epoch) = change(&mut person, &before);
    // In the same second: the number grows all the same.
    let (second, second_epoch) = change(&mut person, &first);
    let refused_by = |epoch: &str| [&before, &first, &second].map(|pass| outcome(&json!(epoch), pass, person.now) == "pass_revoked");
    assert_eq!(refused_by(&first_epoch), [true, false, false], "the list of before the second change");
    assert_eq!(refused_by(&second_epoch), [true, true, false]);
}

#[test]
fn of_several_entries_the_latest_counts_in_any_order() {
    let mut person = ann();
    let before = person.log_in("in");
    let (first, first_epoch) = change(&mut person, &before);
    let (second, second_epoch) = change(&mut person, &first);
    for entry in [json!([first_epoch, second_epoch]), json!([second_epoch, first_epoch]), json!([second_epoch])] {
        assert_eq!(outcome(&entry, &second, person.now), "admitted", "{entry}");
        for old in [&before, &first] {
            assert_eq!(outcome(&entry, old, person.now), "pass_revoked", "{entry}");
        }
    }
    assert_eq!(outcome(&json!([]), &before, person.now), "admitted", "an entry without an epoch ends nothing");
}

#[test]
fn a_change_while_the_clock_is_set_back_is_still_later() {
    let mut person = ann();
    let before = person.log_in("in");
    let (first, first_epoch) = change(&mut person, &before);
    person.now -= 50;
    let (second, second_epoch) = change(&mut person, &first);
    assert_eq!(outcome(&json!(first_epoch), &second, person.now), "admitted");
    assert_eq!(outcome(&json!(second_epoch), &first, person.now), "pass_revoked");
}

#[test]
fn a_record_that_was_deleted_and_made_again_is_in_a_later_epoch() {
    let mut person = ann();
    let mut pass = person.log_in("in");
    let mut epoch = String::new();
    for _ in 0..3 {
        person.now += 1;
        (pass, epoch) = change(&mut person, &pass);
    }
    let mut again = Person::new("ann", policy(json!({})));
    again.now = person.now + 1;
    let started = again.reply(json!({"enroll_totp": {"session": "in", "label": "ann"}}));
    again.secret = started["secret"].as_str().unwrap().replace(' ', "");
    let code = again.code();
    let new = again.reply(json!({"confirm_totp": {"session": "in", "code": code}}));
    let new_pass = new["pass"].as_str().unwrap();
    assert_eq!(outcome(&json!(epoch), new_pass, again.now), "admitted");
    assert_eq!(outcome(&json!(told(&again)), &pass, again.now), "pass_revoked");
}

#[test]
fn another_epoch_of_the_same_number_is_refused() {
    let mut person = ann();
    let pass = person.log_in("in");
    let (new, epoch) = change(&mut person, &pass);
    let (number, name) = epoch.split_once('.').unwrap();
    assert_eq!((number.len(), name.len()), (12, 12));
    let other = format!("{number}.{}", name.chars().rev().collect::<String>());
    assert_eq!(outcome(&json!(epoch), &new, person.now), "admitted");
    assert_eq!(outcome(&json!(other), &new, person.now), "pass_revoked");
}

#[test]
fn epochs_sort_as_text_so_that_a_host_keeps_the_latest() {
    let mut person = ann();
    let mut pass = person.log_in("in");
    let mut epochs = Vec::new();
    for seconds in [0, 0, 1, 100] {
        person.now += seconds;
        let (new, epoch) = change(&mut person, &pass);
        pass = new;
        epochs.push(epoch);
    }
    assert!(epochs.is_sorted_by(|one, next| one < next), "{epochs:?}");
}

#[test]
fn a_list_with_an_epoch_of_another_form_is_not_taken() {
    let mut gate = gate_with_list();
    let good = "001800000000.AbCdEfGh_-12";
    assert!(take(&mut gate, &json!({"v": 1, "epochs": {"ann": good}}), 1_800_000_000));
    for wrong in [
        json!("other"),
        json!("1800000000.AbCdEfGh_-12"),
        json!("0001800000000.AbCdEfGh_-12"),
        json!("000000000000.AbCdEfGh_-12"),
        json!("+01800000000.AbCdEfGh_-12"),
        json!("00180000000x.AbCdEfGh_-12"),
        json!("001800000000-AbCdEfGh_-12"),
        json!("001800000000.AbCdEfGh_-1"),
        json!("001800000000.AbCdEfGh_-123"),
        json!("001800000000.AbCdEfGh+-12"),
        json!("00180000000\u{661}.AbCdEfGh_-1"),
        json!(1_800_000_000),
        json!({"number": 1, "name": "x"}),
        json!([good, "other"]),
        json!([[good]]),
    ] {
        assert!(!take(&mut gate, &json!({"v": 1, "epochs": {"ann": wrong}}), 1_800_000_000), "{wrong}");
        let in_account = json!({"v": 1, "accounts": {"acme": {"epochs": {"ann": wrong}}}});
        assert!(!take(&mut gate, &in_account, 1_800_000_000), "{wrong}");
    }
}

#[test]
fn a_rescue_is_told_to_the_gate_with_a_later_epoch() {
    let mut person = ann();
    let stolen = person.log_in("in");
    let code = crate::support::issue(&mut person);
    let reply = person.verify(Method::RecoveryCode.as_str(), &code);
    assert_eq!(reply["result"], "verified");
    assert_eq!(outcome(&json!(told(&person)), &stolen, person.now), "pass_revoked");
}
