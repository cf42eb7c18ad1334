//! Inputs that failed in the field, each by the id of its row. Node runs the same cases through the
//! package, in `tests/node/field-cases.test.mjs`.

use crate::support::{Person, START, ann, issue, policy};
use countersign::client_ip::ClientIp;
use countersign::network_set::NetworkSet;
use countersign::otpauth::OtpAuth;
use countersign::policy::Policy;
use countersign::time::UnixSeconds;
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
    let mut person = ann();
    for around in ["\u{200e}", "\u{200b}", "\u{feff}", "\u{2066}"] {
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
        ("[2001:db8::1]", "unknown"),
        ("[fe80::1%1]:80", "unknown"),
        ("203.0.113.7:80:80", "unknown"),
        ("localhost:80", "unknown"),
        (" 203.0.113.7:80", "unknown"),
    ] {
        assert_eq!(known(text), address, "{text}");
    }
    for rule in ["203.0.113.7:51008", "[2001:db8::1]:443", "203.0.113.0/24:80"] {
        assert!(NetworkSet::parse(&[rule.to_owned()]).is_err(), "{rule}");
    }
}
