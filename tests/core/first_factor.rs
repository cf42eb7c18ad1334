//! The first factor by the password alone, `firstFactor: "password"`: it is for users who never had one, by a ticket that
//! opens that set-up and nothing else. `tests/scenarios/first-factor.json` tells the course.

use countersign::client_ip::ClientIp;
use countersign::effect::Effect;
use countersign::notice::{NoticeKind, Recipient};
use countersign::policy::{Policy, review};
use countersign::time::UnixSeconds;
use serde_json::{Value, json};

use crate::recovery::{by_operator, withdrawn_by_operator};
use crate::support::{Person, check, issue, policy};

fn by_password() -> Policy {
    policy(json!({"require": "everyone", "firstFactor": "password"}))
}

/// Ann, who never had a factor, and the ticket of her set-up in session `s`.
fn at_login() -> (Person, String) {
    let mut person = Person::new("ann", by_password());
    let begun = person.reply(json!({"begin": {"session": "s"}}));
    assert_eq!(begun["result"], "set_up", "{begun}");
    let ticket = begun["ticket"].as_str().unwrap().to_owned();
    (person, ticket)
}

fn enroll(person: &mut Person, ticket: &str) -> Value {
    let started = person.reply(json!({"enroll_totp": {"session": "s", "ticket": ticket, "label": "ann"}}));
    if let Some(secret) = started["secret"].as_str() {
        person.secret = secret.replace(' ', "");
    }
    started
}

fn confirm(person: &mut Person, fields: Value) -> Value {
    let (setup, code) = (person.setup.clone(), person.code());
    let mut command = json!({"session": "s", "setup": setup, "code": code});
    command.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    person.reply(json!({"confirm_totp": command}))
}

#[test]
fn the_login_ends_in_a_new_session_with_a_pass_and_user_and_owners_are_told() {
    let (mut person, ticket) = at_login();
    assert_eq!(person.events(), ["login_set_up"]);
    enroll(&mut person, &ticket);
    let enrolled = confirm(&mut person, json!({}));
    assert_eq!(enrolled["result"], "enrolled", "{enrolled}");
    let session = enrolled["session"].as_str().unwrap();
    assert_ne!(session, "s", "a session id that was known before the login is not kept");
    let is_in = |session: &str| check(&person, json!({"session": session, "pass": enrolled["pass"], "fresh": true}))["result"].clone();
    assert_eq!((is_in(session), is_in("s")), (json!("in"), json!("second_step")));
    assert_eq!(person.events(), ["factor_added", "first_factor_by_password", "backup_codes_made"]);
    let told = person.effects.iter().filter_map(|effect| match effect {
        Effect::Notify(notice) => Some((notice.kind, notice.to)),
        Effect::Sms(_) | Effect::EndPasses(_) | Effect::Log(_) => None,
    });
    let expected = [Recipient::User, Recipient::Owners].map(|to| (NoticeKind::FirstFactorByPassword, to));
    assert_eq!(told.collect::<Vec<_>>(), expected);
}

#[test]
fn the_session_id_must_change() {
    let (mut person, ticket) = at_login();
    enroll(&mut person, &ticket);
    let (setup, code) = (person.setup.clone(), person.code());
    let kept = json!({"confirm_totp": {"session": "s", "newSession": "s", "setup": setup, "code": code}});
    assert_eq!(person.try_step(kept).unwrap_err().path, "newSession");
    assert_eq!(confirm(&mut person, json!({"newSession": "t"}))["session"], "t");
}

#[test]
fn a_set_up_that_is_no_login_keeps_its_session_unless_a_new_one_is_named() {
    for (given, expected) in [(json!({}), "s"), (json!({"newSession": "t"}), "t")] {
        let mut person = Person::new("ann", policy(json!({})));
        let started = person.reply(json!({"enroll_totp": {"session": "s", "label": "ann"}}));
        person.secret = started["secret"].as_str().unwrap().replace(' ', "");
        assert_eq!(confirm(&mut person, given)["session"], expected);
        assert!(!person.events().contains(&"first_factor_by_password".to_owned()));
    }
}

#[test]
fn the_ticket_is_of_one_user_account_session_and_kind() {
    let (person, ticket) = at_login();
    let refused = |mut person: Person, ticket: &str, reason: &str| {
        assert_eq!(enroll(&mut person, ticket), json!({"result": "denied", "reason": reason}), "{}", person.user);
    };
    refused(Person { user: "bob".to_owned(), ..person.clone() }, &ticket, "ticket_invalid");
    refused(Person { account: Some("acme".to_owned()), ..person.clone() }, &ticket, "ticket_invalid");
    refused(Person { now: person.now + 600, ..person.clone() }, &ticket, "ticket_expired");
    refused(Person { now: person.now - 61, ..person.clone() }, &ticket, "ticket_invalid");
    refused(person.clone(), "", "ticket_invalid");
    refused(person.clone(), &format!("{ticket}A"), "ticket_invalid");
    let mut enrolled = crate::support::ann();
    let second_step = enrolled.ticket();
    refused(person, &second_step, "ticket_invalid");
}

/// The ticket is no way to a second factor for someone who had one before: whatever ended it, only a code helps.
#[test]
fn never_after_a_removal_or_a_recovery_code() {
    let mut removed = Person::new("ann", policy(json!({})));
    let started = removed.reply(json!({"enroll_totp": {"session": "s", "label": "ann"}}));
    removed.secret = started["secret"].as_str().unwrap().replace(' ', "");
    let pass = confirm(&mut removed, json!({}))["pass"].clone();
    assert_eq!(removed.reply(json!({"remove": {"session": "s", "pass": pass, "method": "totp"}}))["result"], "removed");
    removed.policy = by_password();
    assert_eq!(removed.reply(json!({"begin": {"session": "s"}}))["reason"], "enrollment_required");

    // A ticket from before the first factor, brought after it was removed again.
    let (mut person, ticket) = at_login();
    enroll(&mut person, &ticket);
    let enrolled = confirm(&mut person, json!({"newSession": "in"}));
    person.policy = policy(json!({"firstFactor": "password"}));
    let gone = person.reply(json!({"remove": {"session": "in", "pass": enrolled["pass"], "method": "totp"}}));
    assert_eq!(gone["result"], "removed", "{gone}");
    person.policy = by_password();
    assert_eq!(enroll(&mut person, &ticket), json!({"result": "denied", "reason": "fresh_factor_required"}));

    // A rescue that ended in no factor.
    let mut rescued = Person::new("ann", by_password());
    rescued.now += 7_200;
    let ticket = rescued.reply(json!({"begin": {"session": "s"}}))["ticket"].as_str().unwrap().to_owned();
    rescued.policy = policy(json!({"require": "everyone"}));
    let code = issue(&mut rescued);
    assert_eq!(rescued.verify("recovery_code", &code)["result"], "verified");
    rescued.policy = by_password();
    assert_eq!(rescued.reply(json!({"begin": {"session": "s"}}))["reason"], "enrollment_required");
    assert_eq!(enroll(&mut rescued, &ticket), json!({"result": "denied", "reason": "fresh_factor_required"}));
}

#[test]
fn two_set_ups_at_once_give_one_factor() {
    let (mut person, ticket) = at_login();
    enroll(&mut person, &ticket);
    let (thief_setup, thief_secret) = (person.setup.clone(), person.secret.clone());
    enroll(&mut person, &ticket);
    assert_eq!(confirm(&mut person, json!({}))["result"], "enrolled");
    (person.setup, person.secret) = (thief_setup, thief_secret);
    assert_eq!(confirm(&mut person, json!({})), json!({"result": "expired"}));
    assert_eq!(enroll(&mut person, &ticket)["reason"], "fresh_factor_required");
}

#[test]
fn the_policy_is_asked_again_at_the_confirmation() {
    let (mut person, ticket) = at_login();
    enroll(&mut person, &ticket);
    person.policy = policy(json!({"require": "everyone"}));
    assert_eq!(confirm(&mut person, json!({}))["reason"], "fresh_factor_required");
    person.policy = policy(json!({"require": "everyone", "firstFactor": "password", "network": {"deny": ["203.0.113.0/24"]}}));
    person.ip = ClientIp::parse("203.0.113.7");
    assert_eq!(confirm(&mut person, json!({}))["reason"], "address_denied");
    person.policy = by_password();
    assert_eq!(confirm(&mut person, json!({}))["result"], "enrolled");
}

#[test]
fn a_request_without_a_pass_is_sent_to_the_login_and_an_api_client_is_blocked() {
    let (mut person, _) = at_login();
    assert_eq!(check(&person, json!({"session": "s"})), json!({"result": "second_step", "reason": "no_pass"}));
    assert_eq!(check(&person, json!({"session": "s", "channel": "api"}))["reason"], "api_client_blocked");
    assert_eq!(person.reply(json!({"begin": {"session": "s", "channel": "api"}}))["reason"], "api_client_blocked");
}

#[test]
fn a_field_that_is_no_text_is_malformed() {
    let (mut person, _) = at_login();
    for (name, field) in [("enroll_totp", "label"), ("enroll_sms", "number")] {
        let reply = person.reply(json!({name: {"session": "s", "ticket": 7, field: "ann"}}));
        assert_eq!((&reply["result"], &reply["field"]), (&json!("malformed"), &json!("ticket")), "{name}");
    }
}

/// S8, T46: an owner who issues a code wants to see the person; and the code is the way in for those who can set up nothing.
#[test]
fn a_live_recovery_code_goes_before_the_set_up() {
    let mut person = Person::new("ann", by_password());
    person.now += 7_200;
    let code = issue(&mut person);
    assert_eq!(person.reply(json!({"begin": {"session": "s"}}))["result"], "challenge");
    assert_eq!(person.verify("recovery_code", &code)["result"], "verified");
    assert_eq!(person.reply(json!({"begin": {"session": "s"}}))["reason"], "enrollment_required", "the rescue was her first way in");

    let mut late = Person::new("bob", by_password());
    late.now += 7_200;
    issue(&mut late);
    late.now += 3_600;
    assert_eq!(late.reply(json!({"begin": {"session": "s"}}))["result"], "set_up", "the code has ended");
}

/// T38, T45: login, check and review agree on users whose plan may set up nothing.
#[test]
fn a_plan_that_may_set_up_nothing_gets_no_set_up() {
    let under_plans = || policy(json!({"require": "everyone", "firstFactor": "password", "plans": ["pro"]}));
    let refused = json!({"result": "denied", "reason": "enrollment_required"});
    for (plan, is_refused) in [(json!("pro"), false), (json!("free"), true), (Value::Null, true)] {
        let mut person = Person::new("ann", under_plans());
        let begun = person.reply(json!({"begin": {"session": "s", "plan": plan}}));
        assert_eq!(begun["result"] == "set_up", !is_refused, "{plan}: {begun}");
        let checked = check(&person, json!({"session": "s", "plan": plan}));
        assert_eq!(checked == refused, is_refused, "{plan}: {checked}");
        let user = json!({"user": "ann", "role": "owner", "enrollment": "never", "plan": plan});
        let people = json!({"author": "ann", "users": [user], "apiClients": []});
        let found = review(&under_plans(), &serde_json::from_value(people).unwrap(), UnixSeconds::new(person.now).unwrap());
        assert_eq!((found.refused, found.set_up_by_password.is_empty()), (is_refused, is_refused), "{plan}: {found:?}");
    }
}

/// T38, T45: accounts of one user that share no own factor.
#[test]
fn accounts_that_share_no_own_factor_get_no_set_up() {
    let one = |methods| policy(json!({"require": "everyone", "firstFactor": "password", "methods": methods}));
    let both = || Policy::of_all(vec![one(json!(["totp", "backup_code"])), one(json!(["sms", "backup_code"]))]).unwrap();
    let mut person = Person::new("ann", both());
    assert_eq!(person.reply(json!({"begin": {"session": "s"}}))["reason"], "enrollment_required");
    let people = json!({"author": "ann", "users": [{"user": "ann", "role": "owner", "enrollment": "never"}], "apiClients": []});
    let found = review(&both(), &serde_json::from_value(people).unwrap(), UnixSeconds::new(person.now).unwrap());
    assert!(found.refused && found.set_up_by_password.is_empty(), "{found:?}");
}

/// T46, T59: a recovery code that is issued later goes before a ticket and a set-up that exist already.
#[test]
fn a_recovery_code_stops_tickets_and_set_ups_from_before_it() {
    let refused = json!({"result": "denied", "reason": "fresh_factor_required"});
    let (mut person, ticket) = at_login();
    enroll(&mut person, &ticket);
    let (setup, secret) = (person.setup.clone(), person.secret.clone());
    by_operator(&mut person);
    assert_eq!(enroll(&mut person, &ticket), refused, "a ticket from before");
    (person.setup, person.secret) = (setup, secret);
    assert_eq!(confirm(&mut person, json!({})), refused, "a set-up from before");
}

/// T46: a recovery code got into the wrong hands, and another one is issued. The pass of the first one then changes nothing,
/// until the second one is used, ends or is withdrawn.
#[test]
fn a_second_recovery_code_stops_the_pass_of_the_first() {
    let refused = json!({"result": "denied", "reason": "fresh_factor_required"});
    for has_factor in [false, true] {
        let mut person = if has_factor { Person::enrolled("ann", policy(json!({}))) } else { Person::new("ann", policy(json!({}))) };
        person.policy = policy(json!({"require": "everyone"}));
        let first = by_operator(&mut person);
        let verified = person.verify("recovery_code", first["code"].as_str().unwrap());
        let (pass, session) = (verified["pass"].clone(), verified["session"].clone());
        let enroll = json!({"enroll_totp": {"session": session, "pass": pass, "label": "ann"}});
        let remove = json!({"remove": {"session": session, "pass": pass, "method": "totp"}});
        let renew = json!({"renew_backup_codes": {"session": session, "pass": pass}});
        let started = person.reply(enroll.clone());
        person.secret = started["secret"].as_str().unwrap().replace(' ', "");
        by_operator(&mut person);
        assert_eq!(person.reply(enroll.clone()), refused, "a new set-up");
        let confirm = json!({"confirm_totp": {"session": session, "setup": started["setup"], "code": person.code()}});
        assert_eq!(person.reply(confirm.clone()), refused, "a set-up from before");
        if has_factor {
            assert_eq!([person.reply(remove), person.reply(renew)], [refused.clone(), refused.clone()]);
        }
        withdrawn_by_operator(&mut person);
        assert_eq!(person.reply(enroll)["result"], "totp_started");
        assert_eq!(person.reply(confirm)["result"], "enrolled");
    }
}
