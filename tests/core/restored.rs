//! T59: after a restore of the database the restore epoch ends all that could live twice, and leaves apps and phones.

use countersign::effect::Effect;
use countersign::engine::{CheckPass, check_pass, enrollment, status};
use countersign::error::ErrorCode;
use countersign::gate::Gate;
use countersign::keys::KeyRing;
use countersign::policy::Enrollment;
use countersign::record::Record;
use countersign::time::UnixSeconds;
use serde_json::{Value, json};

use crate::gate::{COOKIE, gate, headers, judge, judged, refused};
use crate::support::{Person, START, ann, by_owner, check, issue, keys, policy};
use crate::trusted_browser::{cookie, trust, trusting};

/// The key ring of the vectors in a restore epoch.
fn ring(epoch: u64) -> KeyRing {
    KeyRing::parse(&ring_text(json!(epoch)).to_string()).unwrap()
}

fn ring_text(epoch: Value) -> Value {
    let mut document: Value = serde_json::from_str(include_str!("../vectors/keys.json")).unwrap();
    document["restoreEpoch"] = epoch;
    document
}

/// The user after a restore that ended now, of the record as it is.
fn restored(person: &Person) -> Person {
    Person { keys: ring(person.now), now: person.now + 60, ..person.clone() }
}

#[test]
fn t59_backup_codes_end_with_a_restore() {
    let mut person = restored(&ann());
    let code = person.backup[0].clone();
    let reply = person.verify("backup_code", &code);
    assert_eq!(reply, json!({"result": "denied", "reason": "not_enrolled"}));
    let unrestored = ann().verify("backup_code", &code);
    assert_eq!(unrestored["result"], "verified", "the code was good before");
}

#[test]
fn t59_a_recovery_code_ends_with_a_restore() {
    let mut before = ann();
    let code = issue(&mut before);
    assert_eq!(before.clone().verify("recovery_code", &code)["result"], "verified", "the code was good before");
    let mut after = restored(&before);
    assert_ne!(after.verify("recovery_code", &code)["result"], "verified");
}

#[test]
fn t59_the_need_of_a_recovery_code_stays() {
    let mut before = ann();
    by_owner(&mut before, "reset");
    let mut after = restored(&before);
    let reply = after.reply(json!({"begin": {"session": "s", "channel": "web"}}));
    assert_eq!(reply["reason"], "recovery_code_required", "{reply}");
}

#[test]
fn t59_a_trusted_browser_ends_with_a_restore() {
    let mut before = ann();
    before.policy = policy(trusting(30));
    let token = cookie(&trust(&mut before, json!({"name": "Firefox"})));
    assert_eq!(before.clone().verify("trusted_browser", &token)["result"], "verified", "it was trusted before");
    let mut after = restored(&before);
    assert_ne!(after.verify("trusted_browser", &token)["result"], "verified");
    assert_eq!(state(&after)["trustedBrowsers"], json!([]));
}

#[test]
fn t59_tickets_and_set_ups_end_with_a_restore() {
    let mut before = ann();
    let ticket = before.ticket();
    let pass = before.log_in("in");
    before.now += 60;
    let started = before.reply(json!({"enroll_totp": {"session": "in", "pass": pass, "label": "ann"}}));
    let mut after = restored(&before);
    let code = after.code();
    let second = json!({"verify": {"ticket": ticket, "session": "s", "newSession": "in", "method": "totp", "code": code}});
    assert_eq!(after.reply(second)["reason"], "ticket_invalid");
    after.log_in("in");
    let confirm = json!({"confirm_totp": {"session": "in", "setup": started["setup"], "code": code}});
    assert_eq!(after.reply(confirm)["result"], "expired");
}

#[test]
fn t59_passes_end_with_a_restore_in_node_and_at_the_gate() {
    let mut before = ann();
    let pass = before.log_in("in");
    let after = restored(&before);
    let question = |person: &Person| {
        let question = CheckPass::parse(&json!({"session": "in", "pass": pass}).to_string()).unwrap();
        let reply = check_pass(&person.policy, &person.keys, &person.id(), &question, UnixSeconds::new(person.now).unwrap());
        serde_json::to_value(reply).unwrap()
    };
    assert_eq!(question(&before)["result"], "valid");
    assert_eq!(question(&after), json!({"result": "refused", "reason": "revoked"}));
    assert_eq!(check(&after, json!({"session": "in", "pass": pass})), json!({"result": "second_step", "reason": "revoked"}));

    let request = |gate: &mut Gate| {
        let headers = headers("/reports", &[("cookie", &format!("{COOKIE}={pass}; sid=in"))]);
        refused(&judged(judge(gate, &headers, before.now + 1)))
    };
    let set = |keys: &KeyRing| json!({"jwks": keys.signing().jwks()});
    assert_eq!(request(&mut gate(set(&before.keys))), None);
    assert_eq!(request(&mut gate(set(&after.keys))), Some((401, "pass_revoked".to_owned())), "the set carries the epoch");
    let empty = json!({"jwks": {"keys": [], "restoreEpoch": before.now}});
    assert_eq!(request(&mut gate(empty)), Some((401, "pass_revoked".to_owned())), "so does one without keys");
}

#[test]
fn t59_apps_and_phones_stay_and_their_used_codes_stay_used() {
    let mut before = ann();
    // The backup was made before this login; so the record does not know of its code.
    let backup = before.record.clone();
    let code = before.code();
    before.log_in("in");
    let mut after = Person { record: backup, keys: ring(before.now), ..before.clone() };
    assert_eq!(after.verify("totp", &code)["result"], "already_used");
    after.now += 60;
    let code = after.code();
    let reply = after.verify("totp", &code);
    assert_eq!(reply["result"], "verified", "{reply}");
    assert_eq!(after.factors().len(), 2);
    let unraised = Person { record: before.record.clone(), ..ann() };
    assert_eq!(unraised.clone().verify("totp", &unraised.code())["result"], "already_used");
}

#[test]
fn t59_the_first_step_begins_a_factor_epoch_that_is_later_than_any_before() {
    let mut before = ann();
    let backup = before.record.clone();
    // After the backup the factors changed, and the revocation list learnt of a later epoch.
    before.now += 600;
    by_owner(&mut before, "reset");
    let epoch_of = |effects: &[Effect]| {
        effects.iter().find_map(|effect| serde_json::to_value(effect).unwrap()["end_passes"]["epoch"].as_str().map(str::to_owned))
    };
    let listed = epoch_of(&before.effects).expect("a reset ends passes");
    let mut after = Person { record: backup, keys: ring(before.now), now: before.now + 60, ..before.clone() };
    after.ticket();
    let begun = epoch_of(&after.effects).expect("the host is told");
    assert!(begun > listed, "{begun} after {listed}");
    let first = after.record.clone();
    after.ticket();
    assert_eq!((after.record.clone(), epoch_of(&after.effects)), (first, None), "once for each user");
}

#[test]
fn t59_new_users_write_nothing_and_keep_what_they_make() {
    let mut person = Person { keys: ring(START), ..Person::new("new", policy(json!({}))) };
    person.reply(json!({"begin": {"session": "s", "channel": "web"}}));
    assert_eq!(person.record, None);
    let started = person.reply(json!({"enroll_totp": {"session": "s", "label": "new"}}));
    person.secret = started["secret"].as_str().unwrap().replace(' ', "");
    let code = person.code();
    let enrolled = person.reply(json!({"confirm_totp": {"session": "s", "code": code}}));
    person.now += 60;
    let code = enrolled["backupCodes"][0].as_str().unwrap().to_owned();
    assert_eq!(person.verify("backup_code", &code)["result"], "verified");
}

#[test]
fn t59_a_process_with_an_old_key_ring_fails() {
    let mut person = restored(&ann());
    person.ticket();
    person.keys = keys();
    let error = person.try_step(json!({"begin": {"session": "s", "channel": "web"}})).unwrap_err();
    assert_eq!((error.code, error.path.as_str()), (ErrorCode::KeyMissing, "keys.restoreEpoch"));
    let record = Record::parse(&person.id(), person.record.as_deref().unwrap()).unwrap();
    let now = UnixSeconds::new(person.now).unwrap();
    assert_eq!(status(&person.policy, &person.keys, &record, now).unwrap_err().code, ErrorCode::KeyMissing);
    assert_eq!(enrollment(&person.policy, &person.keys, &record, now), Enrollment::Unusable);
}

#[test]
fn the_restore_epoch_is_a_number_of_seconds() {
    for wrong in [json!(-1), json!("1"), json!(1.5), json!(1_800_000_000_000_u64), json!(null)] {
        let error = KeyRing::parse(&ring_text(wrong.clone()).to_string()).unwrap_err();
        assert_eq!((error.code, error.path.as_str()), (ErrorCode::InvalidKeys, "restoreEpoch"), "{wrong}");
    }
    assert_eq!(serde_json::to_value(ring(0).signing().jwks()).unwrap().get("restoreEpoch"), None);
    assert_eq!(serde_json::to_value(ring(7).signing().jwks()).unwrap()["restoreEpoch"], 7);
}

fn state(person: &Person) -> Value {
    let record = Record::parse(&person.id(), person.record.as_deref().unwrap()).unwrap();
    serde_json::to_value(status(&person.policy, &person.keys, &record, UnixSeconds::new(person.now).unwrap()).unwrap()).unwrap()
}
