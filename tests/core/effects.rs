//! The order of effects: a message that hangs in its gateway, or a mail, must not keep back an event.

use countersign::effect::Effect;
use countersign::notice::NoticeKind;
use serde_json::json;

use crate::support::{Person, ann, issue};

/// The effects of the last step, by their kinds.
fn kinds(person: &Person) -> Vec<&'static str> {
    let kind = |effect: &Effect| match effect {
        Effect::EndPasses(_) => "end passes",
        Effect::Log(_) => "log",
        Effect::Notify(_) => "notify",
        Effect::Sms(_) => "sms",
    };
    person.effects.iter().map(kind).collect()
}

#[test]
fn a_gate_is_told_first_then_come_events_then_notices_and_last_the_message() {
    let mut person = ann();
    issue(&mut person);
    let pass = person.log_in("in");
    // The owner's code has ended: the step that sends a message tells that as well.
    person.now += 3_600;
    let ticket = person.ticket();
    assert_eq!(person.events()[0], "recovery_code_ended");
    let code = person.backup[0].clone();
    let mut by_code = person.clone();
    by_code.reply(json!({"verify": {"ticket": ticket, "session": "s", "method": "backup_code", "code": code}}));
    assert_eq!(kinds(&by_code), ["log", "notify"]);

    person.reply(json!({"send_sms": {"ticket": ticket, "session": "s"}}));
    assert_eq!(kinds(&person), ["log", "sms"]);

    person.now -= 3_600;
    person.reply(json!({"renew_backup_codes": {"session": "in", "pass": pass}}));
    assert_eq!(kinds(&person), ["end passes", "log", "notify"]);

    person.now += 60;
    let recovery = issue(&mut person);
    assert_eq!(kinds(&person), ["log", "notify", "notify"]);
    person.verify("recovery_code", &recovery);
    assert_eq!(kinds(&person), ["end passes", "log", "notify", "notify"]);
}

#[test]
fn events_of_one_step_keep_their_order() {
    let mut person = ann();
    let pass = person.log_in("in");
    let started = person.reply(json!({"enroll_totp": {"session": "in", "pass": pass, "label": "ann"}}));
    person.secret = started["secret"].as_str().unwrap().replace(' ', "");
    let code = person.code();
    let pass = person.reply(json!({"confirm_totp": {"session": "in", "code": code}}))["pass"].as_str().unwrap().to_owned();
    person.reply(json!({"remove": {"session": "in", "pass": pass, "method": "totp"}}));
    assert_eq!(person.events(), ["factor_removed"]);

    let mut last = ann();
    last.policy = crate::support::policy(json!({"methods": ["totp", "backup_code"]}));
    let pass = last.log_in("in");
    last.reply(json!({"remove": {"session": "in", "pass": pass, "method": "totp"}}));
    assert_eq!(last.events(), ["factor_removed", "factor_removed"]);
    let methods: Vec<_> =
        last.effects.iter().filter_map(|effect| if let Effect::Log(event) = effect { Some(event) } else { None }).collect();
    let methods: Vec<_> = methods.iter().map(|event| serde_json::to_value(event).unwrap()["method"].clone()).collect();
    assert_eq!(methods, [json!("totp"), json!("sms")]);
}

/// T15: each app and phone that comes or goes is told, by its name.
#[test]
fn each_app_and_phone_that_comes_or_goes_is_told_by_its_name() {
    let notices = |person: &Person| -> Vec<(NoticeKind, String)> {
        let notice = |effect: &Effect| match effect {
            Effect::Notify(notice) => Some((notice.kind, notice.name.clone().map_or_else(String::new, String::from))),
            Effect::EndPasses(_) | Effect::Log(_) | Effect::Sms(_) => None,
        };
        person.effects.iter().filter_map(notice).collect()
    };
    let mut person = ann();
    let mut pass = json!(person.log_in("in"));
    pass = person.reply(json!({"remove": {"session": "in", "pass": pass, "method": "sms"}}))["pass"].clone();
    for (name, told) in [(json!("Work"), "Work"), (json!(null), "Phone")] {
        let number = if told == "Work" { "+61498765432" } else { "+61412345678" };
        let started = person.reply(json!({"enroll_sms": {"session": "in", "pass": pass, "number": number, "name": name}}));
        let code = person.sms_code();
        let confirm = json!({"confirm_sms": {"session": "in", "setup": started["setup"], "code": code}});
        let enrolled = person.reply(confirm);
        assert_eq!((enrolled["factor"]["name"].as_str(), notices(&person)), (Some(told), vec![(NoticeKind::FactorAdded, told.to_owned())]));
        pass = enrolled["pass"].clone();
        person.now += 30;
    }
    let pass = person.reply(json!({"remove": {"session": "in", "pass": pass, "method": "sms"}}))["pass"].clone();
    assert_eq!(notices(&person), [(NoticeKind::FactorRemoved, "Work".to_owned())]);

    person.now += 60;
    let phone = String::from(person.factors().pop().unwrap().named.id);
    let started = person.reply(json!({"enroll_sms": {"session": "in", "pass": pass, "number": "+61487654321", "replaces": phone}}));
    let code = person.sms_code();
    person.reply(json!({"confirm_sms": {"session": "in", "setup": started["setup"], "code": code}}));
    assert_eq!(notices(&person), [(NoticeKind::FactorReplaced, "Phone".to_owned())]);
    assert_eq!(person.events(), ["factor_added", "factor_removed"]);
}
