//! Revocation: the gate, `check` and `check_pass` decide alike by the same list, and a write at the gate names its ticket.

use countersign::engine::{Check, CheckPass, CheckPassReply, CheckReply, SecondStepReason, Subject, check, check_pass};
use countersign::error::Error;
use countersign::gate::{CallOutResponse, Gate, Verdict};
use countersign::record::Record;
use countersign::revoked::Revoked;
use countersign::time::UnixSeconds;
use countersign::token::TokenError;
use serde_json::{Value, json};

use crate::gate::{COOKIE, answer, gate, header, headers, judge, refused, stored};
use crate::support::{Person, ann, keys, policy};
use crate::trusted_browser::{by, trusted};

/// Gives the list to a gate and sends it a request: the reason for which the gate refuses it, or `None` where it lets it on.
fn refusal(gate: &mut Gate, list: &Value, headers: &[(String, Vec<u8>)], now: u64) -> Option<String> {
    let text = list.to_string();
    let response = CallOutResponse { status: Some(b"200"), body: Some(text.as_bytes()) };
    assert!(gate.take_revocations(&response, UnixSeconds::new(now).unwrap()), "{text}");
    match judge(gate, headers, now) {
        Verdict::Judged(judgement) => refused(&judgement).map(|(_, reason)| reason),
        Verdict::CallOut(..) => None,
    }
}

/// A pass of the session `s`, by app.
fn pass_of(person: &mut Person) -> String {
    let ticket = person.reply(json!({"begin": {"session": "before"}}))["ticket"].clone();
    let code = person.code();
    let step = json!({"ticket": ticket, "session": "before", "newSession": "s", "method": "totp", "code": code});
    person.reply(json!({"verify": step}))["pass"].as_str().unwrap().to_owned()
}

fn claims(pass: &str) -> Value {
    let claims = pass.split('.').nth(1).unwrap();
    serde_json::from_slice(&data_encoding::BASE64URL_NOPAD.decode(claims.as_bytes()).unwrap()).unwrap()
}

/// The list of a case with real times and epochs.
fn real(list: &Value, now: u64, epoch: &str) -> Value {
    let (number, _) = epoch.split_once('.').unwrap();
    let numbered = |by: i64| format!("{:012}.AAAAAAAAAAAA", number.parse::<u64>().unwrap().saturating_add_signed(by));
    match list {
        Value::Number(time) => json!(now.saturating_add_signed(time.as_i64().unwrap())),
        Value::String(name) => match name.as_str() {
            "$own" => json!(epoch),
            "$earlier" => json!(numbered(-1)),
            "$later" => json!(numbered(1)),
            "$twin" => json!(numbered(0)),
            text => json!(text),
        },
        Value::Array(items) => items.iter().map(|item| real(item, now, epoch)).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), real(value, now, epoch))).collect(),
        Value::Null | Value::Bool(_) => list.clone(),
    }
}

#[test]
fn a_gate_refuses_what_its_list_ends_and_nothing_else() {
    let table: Value = serde_json::from_str(include_str!("../vectors/revoked.json")).unwrap();
    let source = json!({"cluster": "login", "authority": "login", "path": "/2fa/revoked"});
    let people = [None, Some("acme")].map(|account| {
        let mut person = Person::new("ann", policy(json!({})));
        person.account = account.map(str::to_owned);
        let started = person.reply(json!({"enroll_totp": {"session": "s", "label": "ann"}}));
        person.secret = started["secret"].as_str().unwrap().replace(' ', "");
        let code = person.code();
        assert_eq!(person.reply(json!({"confirm_totp": {"session": "s", "code": code}}))["result"], "enrolled");
        person.now += 60;
        let pass = pass_of(&mut person);
        let ticket = person.ticket();
        (account, pass, ticket, person)
    });
    let cases = table["cases"].as_array().unwrap();
    assert!(cases.len() > 20);
    for case in cases {
        let (_, pass, ticket, person) = people.iter().find(|(account, ..)| *account == case["account"].as_str()).unwrap();
        let mut list = real(&case["list"], person.now, claims(pass)["epoch"].as_str().unwrap());
        list["v"] = json!(1);
        let with_pass = headers("/reports", &[("cookie", &format!("{COOKIE}={pass}; sid=s"))]);
        let with_code = headers("/reports", &[("cookie", "sid=s"), ("x-otp", "123456"), ("x-otp-ticket", ticket)]);
        let mut ends = Vec::new();
        for (token, headers) in [("pass", with_pass), ("ticket", with_code)] {
            let mut gate =
                gate(json!({"accounts": case["account"].as_str().map_or(json!("none"), |one| json!({"one": one})), "revocation": source}));
            match refusal(&mut gate, &list, &headers, person.now).as_deref() {
                Some("pass_revoked") => ends.push(token),
                other => assert_eq!(other, None, "{case}"),
            }
        }
        assert_eq!(json!(ends), case["ends"], "{case}");
    }
}

/// The parts of a list that end Ann's pass, each on its own.
fn parts(pass: &str, now: u64) -> [Value; 4] {
    let number: u64 = claims(pass)["epoch"].as_str().unwrap().split('.').next().unwrap().parse().unwrap();
    let later = format!("{:012}.AAAAAAAAAAAA", number + 1);
    let both = json!({"session": true, "until": now - 1});
    [json!({"session": true}), both, json!({"session": false, "until": now}), json!({"session": false, "epoch": later})]
}

#[test]
fn a_revoked_pass_counts_in_no_check_and_says_why() {
    let mut ann = ann();
    ann.now += 60;
    let pass = pass_of(&mut ann);
    let record = Record::parse(&ann.id(), ann.record.as_deref().unwrap()).unwrap();
    let id = ann.id();
    let now = UnixSeconds::new(ann.now).unwrap();
    let ask = |question: Value, part: &Value| {
        let question = Check { revoked: Revoked::parse(&part.to_string()).unwrap(), ..Check::parse(&question.to_string()).unwrap() };
        let ask = |subject| check(&ann.policy, &ann.keys, subject, &question, ann.ip, &ann.roles, now).unwrap();
        (ask(Subject::User(&id)), ask(Subject::Record(&record)))
    };
    let alone = |question: Value, part: &Value| {
        let question =
            CheckPass { revoked: Revoked::parse(&part.to_string()).unwrap(), ..CheckPass::parse(&question.to_string()).unwrap() };
        match check_pass(&ann.policy, &ann.keys, &id, &question, now) {
            CheckPassReply::Valid { .. } => None,
            CheckPassReply::Refused { reason } => Some(reason),
        }
    };
    let second_step = |reason| (None, Some(CheckReply::SecondStep { reason }));
    let good = json!({"session": "s", "pass": pass});
    assert!(matches!(ask(good.clone(), &json!({"session": false})).0, Some(CheckReply::In { method: Some(_), .. })));
    for part in &parts(&pass, ann.now) {
        for more in [json!({}), json!({"maxAge": 0}), json!({"methods": ["totp"]})] {
            let mut question = good.clone();
            question.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            assert_eq!(alone(question.clone(), part), Some(TokenError::Revoked), "{part}");
            assert_eq!(ask(question, part), second_step(SecondStepReason::Revoked), "{part}");
        }
        // The reasons of the pass itself come first, as at the gate.
        let elsewhere = json!({"session": "other", "pass": pass});
        assert_eq!(ask(elsewhere.clone(), part), second_step(SecondStepReason::OtherSession));
        assert_eq!(alone(elsewhere, part), Some(TokenError::OtherSession));
        assert_eq!(ask(json!({"session": "s"}), part), second_step(SecondStepReason::NoPass));
    }
    // A second before is another time, and the pass's own epoch ends nothing.
    let own = claims(&pass)["epoch"].clone();
    for part in
        [json!({"session": false, "until": ann.now - 1}), json!({"session": false, "epoch": own}), json!({"session": false, "epoch": ""})]
    {
        assert_eq!(alone(good.clone(), &part), None, "{part}");
    }
}

#[test]
fn a_pass_counts_from_its_login_and_not_from_its_factor() {
    let (mut person, cookie) = trusted();
    person.now += 3_600;
    let pass = by(&mut person, &cookie)["pass"].clone();
    let counts = |until: u64| {
        let revoked = Revoked::parse(&json!({"session": false, "until": until}).to_string()).unwrap();
        let question = CheckPass { revoked, ..CheckPass::parse(&json!({"session": "in", "pass": pass}).to_string()).unwrap() };
        let reply = check_pass(&person.policy, &person.keys, &person.id(), &question, UnixSeconds::new(person.now).unwrap());
        matches!(reply, CheckPassReply::Valid { .. })
    };
    assert!(counts(person.now - 1) && !counts(person.now));
}

#[test]
fn a_part_of_a_list_is_read_strictly() {
    let error = |text: &str| Revoked::parse(text).map(|_| ()).map_err(|Error { path, .. }| path);
    assert_eq!(error(r#"{"session":false}"#), Ok(()));
    for (text, path) in [
        ("{}", "session"),
        (r#"{"session":1}"#, "session"),
        (r#"{"session":true,"until":-1}"#, "until"),
        (r#"{"session":true,"until":253402300800}"#, "until"),
        (r#"{"session":true,"epoch":"e"}"#, "epoch"),
        (r#"{"session":true,"users":{}}"#, "users"),
        ("[]", ""),
    ] {
        assert_eq!(error(text), Err(path.to_owned()), "{text}");
    }
}

#[test]
fn an_entry_stays_on_the_list_for_the_life_of_a_ticket_and_a_pass_or_of_a_set_up_and_two_minutes() {
    assert_eq!(Revoked::seconds_on_list(&policy(json!({"ticketSeconds": 60, "passSeconds": 3600}))), 60 + 3_600 + 120);
    assert_eq!(Revoked::seconds_on_list(&policy(json!({"ticketSeconds": 60, "passSeconds": 1000}))), 1_800 + 120);
}

#[test]
fn each_kind_of_token_of_an_ended_session_or_user_has_ended() {
    let forced = policy(json!({"require": "everyone", "firstFactor": "password"}));
    let mut ann = ann();
    ann.now += 60;
    let (pass, ticket) = (pass_of(&mut ann), ann.ticket());
    let mut new = Person::new("new", forced);
    new.now = ann.now;
    let set_up_ticket = new.reply(json!({"begin": {"session": "s"}}))["ticket"].as_str().unwrap().to_owned();
    let session = countersign::ids::SessionId::new("s").unwrap();
    let ends = |part: Value, person: &Person, token: &str| {
        let now = UnixSeconds::new(person.now).unwrap();
        Revoked::parse(&part.to_string()).unwrap().ends_token(&person.policy, &keys(), token, &person.id(), &session, now)
    };
    for (person, token) in [(&ann, &pass), (&ann, &ticket), (&new, &set_up_ticket)] {
        assert!(ends(json!({"session": true}), person, token));
        assert!(ends(json!({"session": false, "until": person.now}), person, token));
        assert!(!ends(json!({"session": false, "until": person.now - 1}), person, token));
        assert!(!ends(json!({"session": false}), person, token));
    }
    let later = json!({"session": false, "epoch": "999999999999.AAAAAAAAAAAA"});
    assert!(ends(later.clone(), &ann, &pass) && !ends(later, &ann, &ticket), "a ticket has no epoch");
    assert!(ends(json!({"session": true}), &ann, "a set-up") && !ends(json!({"session": false, "until": ann.now}), &ann, "a set-up"));
}

#[test]
fn a_write_names_the_session_and_the_time_of_its_ticket_and_the_host_may_refuse_it() {
    let mut gate = gate(json!({}));
    for (status, expected) in [("204", None), ("410", Some((401, "pass_revoked".to_owned())))] {
        let mut ann = ann();
        ann.now += 60;
        let session = "s/%";
        let ticket = ann.reply(json!({"begin": {"session": session}}))["ticket"].as_str().unwrap().to_owned();
        let since = ann.now;
        ann.now += 5;
        let code = ann.code();
        let cookie = [("cookie", format!("sid={session}")), ("x-otp", code), ("x-otp-ticket", ticket)];
        let request = headers("/reports", &cookie.each_ref().map(|(name, value)| (*name, value.as_str())));
        let Verdict::CallOut(_, verification) = judge(&mut gate, &request, ann.now) else { panic!("decided without a call-out") };
        let Verdict::CallOut(put, verification) = answer(&mut gate, *verification, "200", stored(&ann).as_bytes(), ann.now) else {
            panic!("decided before the write");
        };
        assert_eq!(header(&put, "ticket-session"), "s%2F%25");
        assert_eq!(header(&put, "ticket-at"), since.to_string());
        let Verdict::Judged(judgement) = answer(&mut gate, *verification, status, b"", ann.now) else { panic!("one more call-out") };
        assert_eq!(refused(&judgement), expected);
    }
}
