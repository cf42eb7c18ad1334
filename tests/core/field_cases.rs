//! Inputs that failed in the field, each by the id of its row. Node runs the same cases through the
//! package, in `tests/node/field-cases.test.mjs`.

use crate::support::{Person, START, ann, issue, policy};
use countersign::client_ip::ClientIp;
use countersign::engine::{
    Check, CheckPass, CheckPassReply, CheckReply, Command, IssueRecoveryCode, SecondStepReason, Subject, check, check_pass,
};
use countersign::error::ErrorCode;
use countersign::network_set::NetworkSet;
use countersign::otpauth::OtpAuth;
use countersign::policy::{Policy, Roles};
use countersign::record::Record;
use countersign::time::UnixSeconds;
use countersign::token::TokenError;
use countersign::totp::{TotpParameters, TotpSecret};
use serde_json::json;

#[test]
fn t48_c8_nothing_counts_outside_its_lifetime_when_the_clock_goes_back() {
    let ten_hours = 36_000;
    // The clock ran ten hours ahead while these were made.
    let mut person = ann();
    person.now += ten_hours;
    let pass = person.log_in("in");
    let app = person.reply(json!({"enroll_totp": {"session": "in", "pass": pass, "label": "ann"}}));
    let ticket = person.ticket();
    person.reply(json!({"send_sms": {"ticket": ticket, "session": "s"}}));
    let sms = person.sms_code();
    let recovery = issue(&mut person);
    let made = person.clone();

    person.now -= ten_hours;
    assert_eq!(person.verify("recovery_code", &recovery)["result"], "expired");
    assert_eq!(person.verify("sms", &sms)["result"], "expired");
    person.secret = app["secret"].as_str().unwrap().replace(' ', "");
    let code = person.code();
    assert_eq!(person.reply(json!({"confirm_totp": {"session": "in", "code": code}}))["result"], "expired");
    let verify = json!({"verify": {"ticket": ticket, "session": "s", "method": "totp", "code": "000000"}});
    assert_eq!(person.reply(verify), json!({"result": "denied", "reason": "ticket_invalid"}));
    let change = json!({"remove": {"session": "in", "pass": pass, "method": "totp"}});
    assert_eq!(person.reply(change), json!({"result": "denied", "reason": "fresh_factor_required"}));

    // A clock that is a little behind changes nothing, and at their own time all of them count.
    for now in [made.now - 60, made.now] {
        let mut person = made.clone();
        person.now = now;
        assert_eq!(person.verify("recovery_code", &recovery)["result"], "verified");
    }
}

#[test]
fn c8_a_clock_that_ran_ahead_locks_nobody_out_once_it_is_right() {
    let month = 2_592_000;
    let mut person = ann();
    person.now += month;
    for _ in 0..5 {
        assert_eq!(person.verify("totp", "000000")["result"], "wrong");
    }
    let ticket = person.ticket();
    assert_eq!(person.reply(json!({"send_sms": {"ticket": ticket, "session": "s"}}))["result"], "sms_refused");
    person.now -= month;
    let backup = person.backup[0].clone();
    assert_eq!(person.verify("backup_code", &backup)["result"], "verified");

    let mut person = ann();
    person.now += month;
    let ticket = person.ticket();
    assert_eq!(person.reply(json!({"send_sms": {"ticket": ticket, "session": "s"}}))["result"], "sms_sent");
    person.now -= month;
    let ticket = person.ticket();
    assert_eq!(person.reply(json!({"send_sms": {"ticket": ticket, "session": "s"}}))["result"], "sms_sent");
}

#[test]
fn c14_a_secret_of_80_bits_is_verified_and_none_is_minted() {
    let secret = TotpSecret::from_base32("JBSWY3DPEHPK3PXP").unwrap();
    let (parameters, now) = (TotpParameters::DEFAULT, UnixSeconds::new(START).unwrap());
    let step = parameters.step_at(now);
    assert_eq!(secret.verify(parameters, &secret.code_at(parameters, step), now, 1, None), Some(step));
    assert!(TotpSecret::from_base32("JBSWY3DPEHPK3").is_err(), "64 bits");

    let mut person = Person::new("ann", policy(json!({})));
    let started = person.reply(json!({"enroll_totp": {"session": "s", "label": "ann"}}));
    assert_eq!(started["secret"].as_str().unwrap().replace(' ', "").len(), 32, "160 bits");
}

#[test]
fn c15_any_label_is_made_to_fit() {
    let email = format!("{}@acme.example", "a".repeat(187));
    for (user, label, shown) in [
        ("ann", "urn:acme:ann", "urn acme ann".to_owned()),
        ("ann", email.as_str(), "a".repeat(128)),
        ("ann", "\u{202e}ann\n", "ann".to_owned()),
        ("ann", "", "ann".to_owned()),
        ("ann", "\u{200b}\u{2060}", "ann".to_owned()),
        ("::", ":", "Acme".to_owned()),
        ("ann", &"😀".repeat(40), "😀".repeat(32)),
    ] {
        let mut person = Person::new(user, policy(json!({})));
        let started = person.reply(json!({"enroll_totp": {"session": "s", "label": label}}));
        let read = OtpAuth::parse_strict(started["uri"].as_str().unwrap()).unwrap();
        assert_eq!((read.issuer.as_str(), read.label), ("Acme", shown), "{label:?}");
    }
}

#[test]
fn c17_a_code_copied_with_what_stood_around_it_is_read() {
    let mut person = Person::enrolled("ann", policy(json!({"backupCodes": {"count": 5}})));
    for around in ["\u{200e}", "\u{200b}", "\u{feff}", "\u{2066}", "\u{2061}", "\u{2064}", "\u{fe0e}", "\u{fe0f}", "\u{ff0d}"] {
        person.now += 30;
        let code = format!("{around}{}{around}", person.code());
        assert_eq!(person.verify("totp", &code)["result"], "verified", "{around:?}");
    }
    let backup = person.backup.clone();
    for (code, typed) in [
        (&backup[0], backup[0].replace('-', "–")),
        (&backup[1], backup[1].replace('-', "\u{2011}")),
        (&backup[2], format!("{}.", backup[2])),
        (&backup[3], format!(" {}\u{200b} ", backup[3].replace('-', " — "))),
        (&backup[4], backup[4].replace('-', "\u{ff0d}")),
    ] {
        assert_eq!(person.verify("backup_code", &typed)["result"], "verified", "{code} as {typed:?}");
    }
    for typed in ["１２３４５６", "12345\u{0666}", "123.456", "123456..", "..", "\u{200b}"] {
        assert_eq!(person.verify("totp", typed)["result"], "malformed", "{typed:?}");
    }
}

#[test]
fn c18_a_name_in_the_alphabet_of_an_sms_is_accepted() {
    for name in ["Zürich Vorsorge", "Ærø & Søn", "¿Qué?", "Ñandu"] {
        let accepted = policy(json!({"name": name}));
        assert_eq!(accepted.name(), name);
    }
    for name in ["Łódź", "Acme [x]", "Acme €", "Ａcme"] {
        let document = json!({"v": 1, "name": name, "origin": "https://a.example", "methods": ["totp", "sms"]});
        assert_eq!(Policy::parse(&document.to_string()).unwrap_err().path, "name", "{name}");
    }
    let decomposed = json!({"v": 1, "name": "Zu\u{308}rich", "origin": "https://a.example", "methods": ["totp", "sms"]});
    let error = Policy::parse(&decomposed.to_string()).unwrap_err();
    assert!(error.message.contains("NFC"), "{error}");
}

#[test]
fn c19_an_address_may_come_with_a_port_and_a_rule_may_not() {
    let known = |text: &str| match ClientIp::parse_with_port(text) {
        ClientIp::Known(address) => address.to_string(),
        ClientIp::Unknown => "unknown".to_owned(),
    };
    for (text, address) in [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:51008", "203.0.113.7"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[::ffff:203.0.113.7]:443", "203.0.113.7"),
        ("2001:db8::1:443", "2001:db8::1:443"),
        ("203.0.113.7:", "unknown"),
        ("203.0.113.7:99999", "unknown"),
        ("203.0.113.07:80", "unknown"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[::ffff:203.0.113.7]", "203.0.113.7"),
        ("[203.0.113.7]", "unknown"),
        ("[fe80::1%1]", "unknown"),
        ("[[2001:db8::1]]", "unknown"),
        ("[2001:db8::1", "unknown"),
        ("[]", "unknown"),
        ("[fe80::1%1]:80", "unknown"),
        ("203.0.113.7:80:80", "unknown"),
        ("localhost:80", "unknown"),
        (" 203.0.113.7:80", "unknown"),
    ] {
        assert_eq!(known(text), address, "{text}");
    }
    for rule in ["203.0.113.7:51008", "[2001:db8::1]:443", "[2001:db8::1]", "203.0.113.0/24:80"] {
        assert!(NetworkSet::parse(&[rule.to_owned()]).is_err(), "{rule}");
    }
}

#[test]
fn c21_a_number_with_a_digit_too_few_or_too_many_is_no_number() {
    let mut person = Person::new("ann", policy(json!({})));
    let mut enroll = |number: &str| {
        let reply = person.reply(json!({"enroll_sms": {"session": "s", "number": number}}));
        let reason = reply["reason"].as_str().map(str::to_owned);
        person.now += 3_600;
        reason.unwrap_or_else(|| reply["result"].as_str().unwrap().to_owned())
    };
    for number in ["+6141234567", "+614123456789", "+614123456789012", "+614", "0412345678", "+999123456789", "+0412345678", "ann", ""] {
        assert_eq!(enroll(number), "number_invalid", "{number}");
    }
    for number in ["+61298765432", "+14155550123", "+6491234567"] {
        assert_eq!(enroll(number), "number_not_allowed", "{number}");
    }
    for number in ["+61412345678", "+61 412 345 678", "\u{202a}+61\u{a0}412\u{2011}345\u{2011}678\u{202c}"] {
        assert_eq!(enroll(number), "sms_sent", "{number}");
    }
}

#[test]
fn c21_an_exception_beats_a_prefix() {
    let rules = policy(json!({"sms": {"prefixes": ["+1", "+44"], "except": ["+1900", "+1876"]}}));
    for (number, result) in [
        ("+14155550123", "sms_sent"),
        ("+447400123456", "sms_sent"),
        ("+19005550123", "number_not_allowed"),
        ("+18765550123", "number_not_allowed"),
        ("+1415555012", "number_invalid"),
        ("+141555501234", "number_invalid"),
    ] {
        let mut person = Person::new("ann", rules.clone());
        let reply = person.reply(json!({"enroll_sms": {"session": "s", "number": number}}));
        assert_eq!(reply["reason"].as_str().or(reply["result"].as_str()), Some(result), "{number}");
    }
}

#[test]
fn c21_a_number_on_record_that_becomes_an_exception_gets_no_code() {
    let mut person = ann();
    person.policy = policy(json!({"sms": {"prefixes": ["+61"], "except": ["+61412"]}}));
    let begun = person.reply(json!({"begin": {"session": "s"}}));
    assert!(!begun["methods"].as_array().unwrap().iter().any(|usable| usable["method"] == "sms"), "{begun}");
    let send = json!({"send_sms": {"session": "s", "ticket": begun["ticket"]}});
    assert_eq!(person.reply(send), json!({"result": "denied", "reason": "number_not_allowed"}));
}

#[test]
fn c12_a_field_of_the_client_is_answered_and_never_an_error() {
    let mut person = ann();
    let ticket = person.ticket();
    let pass = person.log_in("in");
    let stored = person.record.clone();
    let long = "1".repeat(70_000);
    let junk = [json!(123_456), json!(null), json!({"a": 1}), json!(["1"]), json!(true), json!(1.5), json!(-1)];
    for value in &junk {
        let mut commands = vec![
            ("ticket", json!({"send_sms": {"session": "s", "ticket": value}})),
            ("ticket", json!({"verify": {"session": "s", "ticket": value, "method": "totp", "code": "1"}})),
            ("method", json!({"verify": {"session": "s", "ticket": ticket, "method": value, "code": "1"}})),
            ("code", json!({"verify": {"session": "s", "ticket": ticket, "method": "totp", "code": value}})),
            ("label", json!({"enroll_totp": {"session": "in", "pass": pass, "label": value}})),
            ("number", json!({"enroll_sms": {"session": "in", "pass": pass, "number": value}})),
            ("factor", json!({"remove": {"session": "in", "pass": pass, "factor": value}})),
            ("factor", json!({"rename": {"session": "in", "pass": pass, "factor": value, "name": "Work"}})),
            ("name", json!({"rename": {"session": "in", "pass": pass, "factor": "0123456789ab", "name": value}})),
            ("browser", json!({"remove_trusted_browser": {"session": "in", "pass": pass, "browser": value}})),
            ("setup", json!({"show_totp_setup": {"session": "in", "setup": value}})),
            ("newCodes", json!({"show_new_backup_codes": {"session": "in", "pass": pass, "newCodes": value}})),
            ("set", json!({"confirm_backup_codes": {"session": "in", "pass": pass, "set": value}})),
        ];
        if !value.is_null() {
            commands.extend([
                ("pass", json!({"enroll_totp": {"session": "in", "pass": value, "label": "ann"}})),
                ("pass", json!({"enroll_sms": {"session": "in", "pass": value, "number": "+61412345678"}})),
                ("factor", json!({"send_sms": {"session": "s", "ticket": ticket, "factor": value}})),
                ("factor", json!({"verify": {"session": "s", "ticket": ticket, "method": "totp", "factor": value, "code": "1"}})),
                ("name", json!({"enroll_totp": {"session": "in", "pass": pass, "label": "ann", "name": value}})),
                ("name", json!({"enroll_sms": {"session": "in", "pass": pass, "number": "+61412345678", "name": value}})),
                ("replaces", json!({"enroll_totp": {"session": "in", "pass": pass, "label": "ann", "replaces": value}})),
                ("replaces", json!({"enroll_sms": {"session": "in", "pass": pass, "number": "+61412345678", "replaces": value}})),
                ("pass", json!({"rename": {"session": "in", "pass": value, "factor": "0123456789ab", "name": "Work"}})),
                ("pass", json!({"remove": {"session": "in", "pass": value, "method": "totp"}})),
                ("pass", json!({"remove_trusted_browser": {"session": "in", "pass": value, "browser": "0123456789ab"}})),
                ("pass", json!({"renew_backup_codes": {"session": "in", "pass": value}})),
                ("pass", json!({"show_backup_codes": {"session": "in", "pass": value}})),
                ("pass", json!({"show_new_backup_codes": {"session": "in", "pass": value, "newCodes": "-"}})),
                ("pass", json!({"confirm_backup_codes": {"session": "in", "pass": value, "set": "-"}})),
                ("pass", json!({"issue_recovery_code": {"by": {"user": "olga", "session": "in", "pass": value, "role": "owner"}}})),
            ]);
        }
        for (field, command) in commands {
            let reply = person.reply(command.clone());
            assert_eq!((reply["result"].as_str(), reply["field"].as_str()), (Some("malformed"), Some(field)), "{command}");
            assert!(!reply["expected"].as_str().unwrap().is_empty());
        }
    }
    for (field, command) in [
        ("ticket", json!({"verify": {}})),
        ("ticket", json!({"send_sms": {}})),
        ("method", json!({"verify": {"session": "s", "ticket": ticket, "method": "sms2", "code": "1"}})),
        ("factor", json!({"remove": {"session": "in", "pass": pass, "factor": "totp"}})),
        ("name", json!({"rename": {"session": "in", "pass": pass, "factor": "0123456789ab", "name": "two\nlines"}})),
        ("code", json!({"verify": {"session": "s", "ticket": ticket, "method": "totp"}})),
        ("code", json!({"verify": {"session": "s", "ticket": ticket, "method": "totp", "code": long}})),
        // The host's field is wrong as well, and the client is told its part first.
        ("code", json!({"verify": {"ticket": ticket, "method": "totp", "code": 123_456}})),
        ("code", json!({"confirm_totp": {}})),
    ] {
        let reply = person.reply(command.clone());
        assert_eq!((reply["result"].as_str(), reply["field"].as_str()), (Some("malformed"), Some(field)), "{command}");
    }
    assert_eq!(person.record, stored, "nothing is counted");

    // The form is told where it is known.
    let reply = person.reply(json!({"verify": {"session": "s", "ticket": ticket, "method": "totp", "code": 123_456}}));
    assert_eq!(reply, json!({"result": "malformed", "field": "code", "expected": "6 digits", "kind": "digits", "digits": 6}));
    let reply = person.reply(json!({"verify": {"session": "s", "ticket": ticket, "method": "backup_code"}}));
    assert_eq!((&reply["kind"], reply.get("digits")), (&json!("grouped"), None));
}

#[test]
fn c12_a_mistake_of_the_host_is_an_error_with_its_path() {
    for (command, path) in [
        (json!({"verify": {"ticket": "t", "method": "totp", "code": "1"}}), "session"),
        (json!({"verify": {"ticket": "t", "method": "totp", "code": "1", "session": 7}}), "session"),
        (json!({"verify": {"ticket": "t", "method": "totp", "code": "1", "session": "s", "newSession": 7}}), "newSession"),
        (json!({"verify": {"ticket": "t", "method": "totp", "code": "1", "session": "s", "cod": "1"}}), "cod"),
        (json!({"enroll_totp": {"label": "ann", "session": "s", "plan": 7}}), "plan"),
        (json!({"begin": {"session": "s", "code": 1}}), "code"),
    ] {
        let error = Command::parse(&command.to_string()).unwrap_err();
        assert_eq!((error.code, error.path.as_str()), (ErrorCode::InvalidInput, path), "{command}");
    }
    for (question, path) in [
        (json!({"by": {"user": 7, "session": "s", "role": "owner"}}), "by.user"),
        (json!({"by": {"user": "olga", "session": "s", "role": "boss"}}), "by.role"),
    ] {
        let error = IssueRecoveryCode::parse(&question.to_string()).err().unwrap();
        assert_eq!((error.code, error.path.as_str()), (ErrorCode::InvalidInput, path), "{question}");
    }
}

#[test]
fn c12_a_pass_that_is_no_text_is_a_pass_that_does_not_count() {
    let person = ann();
    let record = Record::parse(&person.id(), person.record.as_deref().unwrap()).unwrap();
    let now = UnixSeconds::new(person.now).unwrap();
    for pass in [json!(7), json!({}), json!(["x"]), json!(false), json!("x".repeat(70_000))] {
        let question = Check::parse(&json!({"session": "in", "pass": pass}).to_string()).unwrap();
        let reply =
            check(&person.policy, &person.keys, Subject::Record(&record), &question, ClientIp::Unknown, &Roles::Unknown, now).unwrap();
        assert_eq!(reply, Some(CheckReply::SecondStep { reason: SecondStepReason::Invalid }), "{pass}");
        let question = CheckPass::parse(&json!({"session": "in", "pass": pass}).to_string()).unwrap();
        let reply = check_pass(&person.policy, &person.keys, record.id(), &question, now);
        assert_eq!(reply, CheckPassReply::Refused { reason: TokenError::Invalid }, "{pass}");
    }
    let missing = CheckPass::parse(r#"{"session": "in"}"#).unwrap();
    let reply = check_pass(&person.policy, &person.keys, record.id(), &missing, now);
    assert_eq!(reply, CheckPassReply::Refused { reason: TokenError::Invalid });
}

#[test]
fn i3_a_secret_that_is_no_base32_is_refused_with_the_true_reason() {
    for (text, reason) in [
        ("S46SQCPPTCNPROMHWYBDCTBZXV", "bits that belong to no byte"),
        ("GEZDGNBVGY3TQOJQGEZ", "a length that base32 cannot have"),
        ("GEZDGNBVGY3TQOJQG", "a length that base32 cannot have"),
        ("GEZDGNBVGY3TQOJQGEZDGNBVGY=", "padded"),
        ("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1", "A–Z and 2–7"),
        ("GEZDGNBV", "10 to 128 bytes"),
    ] {
        let error = TotpSecret::from_base32(text).unwrap_err();
        assert!(error.message.contains(reason), "{text}: {error}");
        assert!(!error.message.contains(text));
    }
    assert!(TotpSecret::from_base32("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNA").is_ok(), "55 symbols");
}

#[test]
fn c12_the_message_of_a_nested_id_names_its_path_once() {
    let question = json!({"by": {"user": "", "session": "s", "role": "owner"}});
    let error = IssueRecoveryCode::parse(&question.to_string()).err().unwrap();
    assert_eq!(error.to_string(), "`by.user`: must be 1 to 256 bytes without control characters");
    let error = Command::parse(r#"{"begin": {"session": ""}}"#).unwrap_err();
    assert_eq!(error.to_string(), "`session`: must be 1 to 256 bytes without control characters");
}
