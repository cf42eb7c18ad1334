//! Status: each fact of a record that a settings page shows.

use countersign::engine::status;
use countersign::record::Record;
use countersign::time::UnixSeconds;
use serde_json::{Value, json};

use crate::support::{Person, ann, policy};

fn seen(person: &Person) -> Value {
    let record = Record::parse(&person.id(), person.record.as_ref().unwrap()).unwrap();
    let status = status(&person.policy, &person.keys, &record, UnixSeconds::new(person.now).unwrap()).unwrap();
    serde_json::to_value(status).unwrap()
}

#[test]
fn each_factor_tells_its_last_login_and_a_phone_the_end_of_its_number() {
    let mut person = ann();
    let before = seen(&person)["methods"].clone();
    assert_eq!((&before[0]["method"], &before[0]["hint"]), (&json!("totp"), &Value::Null));
    assert_eq!((&before[1]["method"], &before[1]["hint"], &before[1]["lastUsedAt"]), (&json!("sms"), &json!("•••• 678"), &Value::Null));
    person.now += 3_600;
    person.log_in("in");
    let after = seen(&person)["methods"].clone();
    assert_eq!((&after[0]["lastUsedAt"], &after[1]["lastUsedAt"]), (&json!(person.now), &Value::Null));
    assert_eq!(after[0]["addedAt"], before[0]["addedAt"]);
}

#[test]
fn backup_codes_can_be_shown_where_a_copy_was_kept_and_the_policy_still_keeps_one() {
    for was_kept in [false, true] {
        for is_kept in [false, true] {
            let rules = |kept: bool| policy(json!({"backupCodes": {"keepForShowing": kept, "count": 1}}));
            let mut person = Person::enrolled("ann", rules(was_kept));
            person.policy = rules(is_kept);
            assert_eq!(seen(&person)["backupCodes"]["canShow"], was_kept && is_kept, "kept then: {was_kept}, now: {is_kept}");
        }
    }
}
