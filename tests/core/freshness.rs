//! C4 and T44: a pass from before a change of factors, or before a rescue, changes nothing; the session that made the
//! change goes on with the pass in its reply.

use countersign::effect::Effect;
use countersign::gate::CallOutResponse;
use countersign::time::UnixSeconds;
use serde_json::{Value, json};

use crate::gate::{COOKIE, gate, headers, judge, judged, refused};
use crate::support::{Person, ann, check, issue, policy};

const REFUSED: &str = "fresh_factor_required";

/// Every command that needs a fresh pass of a user's own.
fn changes(session: &str, pass: &str) -> [Value; 5] {
    let with = |mut fields: Value| {
        (fields["session"], fields["pass"]) = (json!(session), json!(pass));
        fields
    };
    [
        json!({"remove": with(json!({"method": "sms"}))}),
        json!({"enroll_totp": with(json!({"label": "ann"}))}),
        json!({"enroll_sms": with(json!({"number": "+61487654321"}))}),
        json!({"renew_backup_codes": with(json!({}))}),
        json!({"show_backup_codes": with(json!({}))}),
    ]
}

/// Asserts that each change is refused with this pass, and that nothing is written.
fn changes_nothing(person: &mut Person, session: &str, pass: &str) {
    let before = person.record.clone();
    for command in changes(session, pass) {
        assert_eq!(person.reply(command.clone()), json!({"result": "denied", "reason": REFUSED}), "{command}");
    }
    assert_eq!(person.record, before);
}

/// Asserts that the first change works with this pass; nothing is stored.
fn changes_something(person: &Person, session: &str, pass: &str) {
    let [remove, ..] = changes(session, pass);
    assert_eq!(person.try_step(remove).unwrap().1["result"], "removed");
}

fn pass_in(reply: &Value) -> String {
    reply["pass"].as_str().unwrap_or_else(|| panic!("no pass in {reply}")).to_owned()
}

/// Replaces the app of this session; gives the pass in the reply.
fn replace_app(person: &mut Person, session: &str, pass: &str) -> String {
    let started = person.reply(json!({"enroll_totp": {"session": session, "pass": pass, "label": "ann"}}));
    person.secret = started["secret"].as_str().unwrap_or_else(|| panic!("{started}")).replace(' ', "");
    let code = person.code();
    pass_in(&person.reply(json!({"confirm_totp": {"session": session, "code": code}})))
}

#[test]
fn t44_a_pass_from_before_a_change_changes_nothing() {
    let change: [fn(&mut Person, &str) -> String; 4] = [
        |person, pass| replace_app(person, "mine", pass),
        |person, pass| {
            person.reply(json!({"enroll_sms": {"session": "mine", "pass": pass, "number": "+61487654321"}}));
            let code = person.sms_code();
            pass_in(&person.reply(json!({"confirm_sms": {"session": "mine", "code": code}})))
        },
        |person, pass| pass_in(&person.reply(json!({"remove": {"session": "mine", "pass": pass, "method": "totp"}}))),
        |person, pass| pass_in(&person.reply(json!({"renew_backup_codes": {"session": "mine", "pass": pass}}))),
    ];
    for (index, change) in change.into_iter().enumerate() {
        let mut person = ann();
        let by_app = person.log_in("app");
        let backup = person.backup[0].clone();
        let ticket = person.ticket();
        let verify = json!({"verify": {"ticket": ticket, "session": "s", "newSession": "backup", "method": "backup_code", "code": backup}});
        let by_backup = pass_in(&person.reply(verify));
        person.now += 30;
        let pass = person.log_in("mine");
        changes_something(&person, "app", &by_app);
        // In the very second of the passes.
        let new = change(&mut person, &pass);
        let ended = person.effects.iter().filter(|effect| matches!(effect, Effect::EndPasses(_))).count();
        assert_eq!(ended, 1, "a gate is told, change {index}");
        for (session, pass) in [("app", &by_app), ("backup", &by_backup), ("mine", &pass)] {
            changes_nothing(&mut person, session, pass);
        }
        changes_nothing(&mut person, "app", &new);
        if index != 2 {
            changes_something(&person, "mine", &new);
        }
    }
}

#[test]
fn t44_a_change_keeps_no_pass_fresh_or_alive() {
    let mut person = ann();
    let mut pass = person.log_in("mine");
    let start = person.now;
    let end = Some(start + 43_200);
    for _ in 0..3 {
        person.now += 90;
        let reply = person.reply(json!({"renew_backup_codes": {"session": "mine", "pass": pass}}));
        assert_eq!(reply["expiresAt"].as_u64(), end);
        pass = pass_in(&reply);
    }
    person.now = start + 301;
    changes_nothing(&mut person, "mine", &pass);
}

#[test]
fn t44_the_pass_of_a_removed_factor_is_not_fresh() {
    let mut person = ann();
    let pass = person.log_in("mine");
    let new = pass_in(&person.reply(json!({"remove": {"session": "mine", "pass": pass, "method": "totp"}})));
    changes_nothing(&mut person, "mine", &new);
}

#[test]
fn c4_after_a_rescue_the_thief_of_the_phone_changes_nothing() {
    let mut person = ann();
    let stolen = person.log_in("thief");
    let recovery = issue(&mut person);
    changes_something(&person, "thief", &stolen);
    let rescued = pass_in(&person.verify("recovery_code", &recovery));
    changes_nothing(&mut person, "thief", &stolen);
    let new = replace_app(&mut person, "in", &rescued);
    changes_nothing(&mut person, "thief", &stolen);
    changes_something(&person, "in", &new);
}

#[test]
fn t44_an_owner_whose_app_was_replaced_since_issues_nothing() {
    let mut owner = ann();
    let stolen = owner.log_in("thief");
    owner.now += 30;
    let mine = owner.log_in("mine");
    let new = replace_app(&mut owner, "mine", &mine);
    let mut bob = Person::new("bob", owner.policy.clone());
    bob.now = owner.now;
    bob.issuer = owner.record.clone();
    let mut ask = |session: &str, pass: &str| {
        let by = json!({"user": "ann", "session": session, "pass": pass, "role": "owner"});
        bob.reply(json!({"issue_recovery_code": {"by": by}}))
    };
    for (session, pass) in [("thief", &stolen), ("mine", &mine)] {
        assert_eq!(ask(session, pass), json!({"result": "denied", "reason": REFUSED}));
    }
    assert_eq!(ask("mine", &new)["result"], "recovery_code");
}

#[test]
fn c4_a_gate_that_is_told_of_the_change_refuses_the_passes_from_before() {
    let source = json!({"cluster": "login", "authority": "login", "path": "/2fa/revoked"});
    let mut person = ann();
    let stolen = person.log_in("thief");
    person.now += 30;
    let pass = person.log_in("mine");
    let new = replace_app(&mut person, "mine", &pass);
    let ended = person.effects.iter().find_map(|effect| if let Effect::EndPasses(ended) = effect { Some(ended) } else { None }).unwrap();
    let list = json!({"v": 1, "epochs": {"ann": ended.epoch, "bob": "001800000000.AbCdEfGh_-12"}}).to_string();
    let mut gate = gate(json!({"revocation": source}));
    let response = CallOutResponse { status: Some(b"200"), body: Some(list.as_bytes()) };
    assert!(gate.take_revocations(&response, UnixSeconds::new(person.now).unwrap()));
    let mut outcome = |session: &str, pass: &str| {
        let headers = headers("/reports", &[("cookie", &format!("{COOKIE}={pass}; sid={session}"))]);
        refused(&judged(judge(&mut gate, &headers, person.now)))
    };
    for (session, pass) in [("thief", &stolen), ("mine", &pass)] {
        assert_eq!(outcome(session, pass), Some((401, "pass_revoked".to_owned())));
    }
    assert_eq!(outcome("mine", &new), None);
}

#[test]
fn t44_a_pass_by_a_method_that_is_no_longer_offered_changes_nothing() {
    let mut person = ann();
    let pass = person.log_in("mine");
    changes_something(&person, "mine", &pass);
    person.policy = policy(json!({"methods": ["sms", "backup_code", "recovery_code"], "backupCodes": {"keepForShowing": true}}));
    let before = person.record.clone();
    for command in changes("mine", &pass).into_iter().filter(|command| command.get("enroll_totp").is_none()) {
        assert_eq!(person.reply(command.clone()), json!({"result": "denied", "reason": REFUSED}), "{command}");
    }
    assert_eq!(person.record, before);
}

#[test]
fn check_counts_the_age_of_the_factor_to_the_second() {
    let mut person = ann();
    person.policy = policy(json!({"freshSeconds": 300}));
    let pass = person.log_in("in");
    for (asked, most) in [(json!({"fresh": true}), 300), (json!({"maxAge": 100}), 100), (json!({"maxAge": 0}), 0)] {
        let mut question = json!({"session": "in", "pass": pass});
        question.as_object_mut().unwrap().extend(asked.as_object().unwrap().clone());
        let shown_at = person.now;
        person.now = shown_at + most;
        assert_eq!(check(&person, question.clone())["result"], "in", "{asked}");
        person.now += 1;
        assert_eq!(check(&person, question), json!({"result": "second_step", "reason": "too_old"}), "{asked}");
        person.now = shown_at;
    }
}
