//! Attacks that hit real systems, each as a named test. SECURITY.md lists the tests of each attack.

use crate::support::{Person, ann, issue, policy};
use countersign::effect::Effect;
use countersign::engine::enrollment;
use countersign::error::ErrorCode;
use countersign::keys::KeyRing;
use countersign::notice::Recipient;
use countersign::policy::{Enrollment, Policy};
use countersign::record::Record;
use countersign::time::UnixSeconds;
use serde_json::{Value, json};

#[test]
fn t1_a_code_and_every_step_before_it_are_refused() {
    let mut person = ann();
    let now = person.now;
    person.now = now - 30;
    let earlier = person.code();
    person.now = now;
    let code = person.code();
    assert_eq!(person.verify("totp", &code)["result"], "verified");
    assert_eq!(person.verify("totp", &code)["result"], "already_used");
    assert_eq!(person.verify("totp", &earlier)["result"], "already_used", "in the window, but not after the last step");
}

#[test]
fn t1_a_code_of_the_next_step_ends_the_step_before() {
    let mut person = ann();
    let current = person.code();
    person.now += 30;
    let next = person.code();
    person.now -= 30;
    assert_eq!(person.verify("totp", &next)["result"], "verified");
    assert_eq!(person.verify("totp", &current)["result"], "already_used");
}

#[test]
fn t2_a_used_code_spelt_differently_is_still_used() {
    let mut person = ann();
    let code = person.code();
    assert_eq!(person.verify("totp", &format!("{} {}", &code[..3], &code[3..]))["result"], "verified");
    for typed in [format!(" {code}"), format!("{code}\u{a0}"), format!("{}-{}", &code[..2], &code[2..])] {
        assert_eq!(person.verify("totp", &typed)["result"], "already_used");
    }
    let backup = person.backup[0].clone();
    assert_eq!(person.verify("backup_code", &backup.to_lowercase())["result"], "verified");
    assert_eq!(person.verify("backup_code", &backup.replace('-', " "))["result"], "wrong");
}

#[test]
fn t3_of_two_steps_on_one_version_only_one_can_be_stored() {
    let mut person = ann();
    let (ticket, code) = (person.ticket(), person.code());
    let command = json!({"verify": {"ticket": ticket, "session": "s", "method": "totp", "code": code}});
    let (first, reply, _) = person.try_step(command.clone()).unwrap();
    assert_eq!(reply["result"], "verified");
    // The second step lost the race: it loads the record of the first, where the code is used.
    person.record = first;
    assert_eq!(person.reply(command)["result"], "already_used");
}

#[test]
fn t8_every_login_by_a_code_moves_the_count() {
    let wrong = "000000";
    let long = "0000-0000-0000-0000";
    for case in ["totp", "sms", "backup_code", "recovery_code"] {
        let mut person = ann();
        let ticket = person.ticket();
        let verify = |method: &str, code: &str| json!({"verify": {"ticket": ticket, "session": "s", "method": method, "code": code}});
        let command = match case {
            "totp" => verify("totp", wrong),
            "sms" => {
                person.reply(json!({"send_sms": {"ticket": ticket, "session": "s"}}));
                verify("sms", wrong)
            }
            "backup_code" => verify("backup_code", long),
            "recovery_code" => {
                issue(&mut person);
                verify("recovery_code", long)
            }
            other => panic!("{other}"),
        };
        let before = person.failures();
        let reply = person.reply(command);
        assert_eq!(reply["result"], "wrong", "{case}");
        // A recovery code has 75 random bits and is never charged, so that nobody can spend an owner's.
        assert_eq!(person.failures(), before + u64::from(case != "recovery_code"), "{case}");
    }
}

#[test]
fn t9_without_a_ticket_the_count_cannot_move() {
    let mut person = ann();
    let before = person.record.clone();
    for ticket in ["", "x.y.z", "eyJhbGciOiJub25lIn0.e30."] {
        let reply = person.reply(json!({"verify": {"ticket": ticket, "session": "s", "method": "totp", "code": "000000"}}));
        assert_eq!(reply, json!({"result": "denied", "reason": "ticket_invalid"}));
    }
    assert_eq!(person.record, before);
}

#[test]
fn t9_an_owners_code_works_when_the_account_is_stopped() {
    let mut person = ann();
    for _ in 0..100 {
        person.now += 20_000;
        assert_eq!(person.verify("totp", "000000")["result"], "wrong");
    }
    person.now += 1_000_000;
    let code = person.code();
    assert_eq!(person.verify("totp", &code), json!({"result": "locked"}), "no time to wait for: stopped");
    let recovery = issue(&mut person);
    for _ in 0..9 {
        assert_eq!(person.verify("recovery_code", "0000-0000-0000-0000")["result"], "wrong");
    }
    assert_eq!(person.verify("recovery_code", &recovery)["result"], "verified");
    person.now += 30;
    let code = person.code();
    assert_eq!(person.verify("totp", &code)["result"], "verified", "the account goes on");
}

#[test]
fn t10_recovery_and_backup_codes_give_a_weaker_pass() {
    let acr = |pass: &Value| {
        let payload = pass.as_str().unwrap().split('.').nth(1).unwrap();
        let claims: Value = serde_json::from_slice(&data_encoding::BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap()).unwrap();
        claims["acr"].as_str().unwrap().to_owned()
    };
    let mut person = ann();
    let code = person.code();
    assert_eq!(acr(&person.verify("totp", &code)["pass"]), "urn:countersign:acr:2fa");
    let backup = person.backup[0].clone();
    assert_eq!(acr(&person.verify("backup_code", &backup)["pass"]), "urn:countersign:acr:backup");
    let recovery = issue(&mut person);
    assert_eq!(acr(&person.verify("recovery_code", &recovery)["pass"]), "urn:countersign:acr:recovery");
}

#[test]
fn t11_a_record_holds_no_code_secret_or_number_in_any_encoding() {
    let mut person = Person::enrolled("ann", policy(json!({"backupCodes": {"keepForShowing": true}})));
    let ticket = person.ticket();
    person.reply(json!({"send_sms": {"ticket": ticket, "session": "s"}}));
    let sms = person.sms_code();
    let recovery = issue(&mut person);
    let record = person.record.clone().unwrap();
    let raw = countersign::totp::TotpSecret::from_base32(&person.secret).unwrap();
    let secret = data_encoding::BASE32_NOPAD.decode(raw.to_base32().as_bytes()).unwrap();
    let mut needles: Vec<Vec<u8>> = vec![secret, person.secret.clone().into_bytes(), b"61412345678".to_vec(), b"12345678".to_vec()];
    for code in person.backup.iter().chain([&recovery]) {
        needles.push(code.clone().into_bytes());
        needles.push(code.replace('-', "").as_bytes()[1..].to_vec());
    }
    needles.push(format!("\"{sms}\"").into_bytes());
    for needle in needles {
        use data_encoding::{BASE32_NOPAD, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER};
        let plain = String::from_utf8_lossy(&needle).into_owned();
        for text in
            [plain, BASE64_NOPAD.encode(&needle), BASE64URL_NOPAD.encode(&needle), BASE32_NOPAD.encode(&needle), HEXLOWER.encode(&needle)]
        {
            assert!(!record.to_lowercase().contains(&text.to_lowercase()), "the record holds a secret");
        }
    }
}

#[test]
fn t12_a_stored_value_is_not_accepted_as_a_code() {
    let mut person = ann();
    let record: Value = serde_json::from_str(person.record.as_deref().unwrap()).unwrap();
    let slot = &record["backup"]["set"]["slots"][0];
    for stored in [&slot["hash"], &slot["salt"], &record["apps"][0]["secret"]["data"]] {
        let text = stored.as_str().unwrap();
        for method in ["totp", "backup_code"] {
            assert_ne!(person.verify(method, text)["result"], "verified");
        }
    }
}

#[test]
fn t13_an_empty_code_matches_no_used_slot() {
    let mut person = ann();
    for backup in person.backup.clone() {
        person.now += 10;
        assert_eq!(person.verify("backup_code", &backup)["result"], "verified");
    }
    let before = person.record.clone();
    let ticket = person.ticket();
    for method in ["totp", "sms", "backup_code", "recovery_code"] {
        for code in ["", " ", "-", "\u{0}"] {
            let reply = person.reply(json!({"verify": {"ticket": ticket, "session": "s", "method": method, "code": code}}));
            assert_eq!(reply["result"], "malformed", "{method} {code:?}");
        }
    }
    assert_eq!(person.record, before, "nothing was counted");
}

#[test]
fn t14_no_change_without_a_fresh_factor_and_no_secret_from_the_client() {
    let mut person = ann();
    let pass = person.log_in("in");
    let fresh = person.now;
    let attempts = |pass: Option<&str>| {
        let with = |fields: Value| {
            let mut fields = fields;
            fields["session"] = json!("in");
            if let Some(pass) = pass {
                fields["pass"] = json!(pass);
            }
            fields
        };
        [
            json!({"enroll_totp": with(json!({"label": "ann"}))}),
            json!({"enroll_sms": with(json!({"number": "+61487654321"}))}),
            json!({"remove": with(json!({"method": "totp"}))}),
            json!({"renew_backup_codes": with(json!({}))}),
        ]
    };
    let before = person.record.clone();
    for (now, pass) in [(fresh, None), (fresh, Some("x.y.z")), (fresh + 301, Some(pass.as_str()))] {
        person.now = now;
        for command in attempts(pass) {
            assert_eq!(person.reply(command.clone()), json!({"result": "denied", "reason": "fresh_factor_required"}), "{command}");
        }
    }
    assert_eq!(person.record, before);
    person.now = fresh + 300;
    for command in attempts(Some(&pass)) {
        assert_ne!(person.try_step(command.clone()).unwrap().1["result"], "denied", "{command}");
    }
    let supplied = json!({"enroll_totp": {"session": "in", "label": "ann", "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"}});
    assert_eq!(countersign::engine::Command::parse(&supplied.to_string()).err().unwrap().path, "secret");
}

#[test]
fn t16_an_sms_code_is_bound_to_user_purpose_and_request() {
    let mut person = ann();
    let ticket = person.ticket();
    person.reply(json!({"send_sms": {"ticket": ticket, "session": "s"}}));
    let code = person.sms_code();
    let pass = person.log_in("in");
    // The login code does not enroll a number.
    assert_eq!(person.reply(json!({"confirm_sms": {"session": "in", "code": code}}))["result"], "expired");
    person.now += 60;
    person.reply(json!({"enroll_sms": {"session": "in", "pass": pass, "number": "+61487654321"}}));
    let enrollment = person.sms_code();
    assert_eq!(person.reply(json!({"confirm_sms": {"session": "in", "code": code}}))["result"], "wrong");
    // The code of a set-up does not log in.
    let verify = |person: &mut Person, ticket: &str, code: &str| {
        person.reply(json!({"verify": {"ticket": ticket, "session": "s", "method": "sms", "code": code}}))["result"].clone()
    };
    assert_eq!(verify(&mut person, &ticket, &enrollment), "wrong");
    let other = person.ticket();
    assert_eq!(verify(&mut person, &other, &code), "expired", "another ticket");
    assert_eq!(verify(&mut person, &ticket, &code), "verified");
}

#[test]
fn t17_messages_are_few_and_never_before_the_first_factor() {
    let mut person = ann();
    assert_eq!(person.reply(json!({"send_sms": {"ticket": "", "session": "s"}}))["result"], "denied");
    assert!(!person.effects.iter().any(|effect| matches!(effect, Effect::Sms(_))));
    let mut sent = 0;
    for _ in 0..86_400 / 20 {
        person.now += 20;
        let ticket = person.ticket();
        if person.reply(json!({"send_sms": {"ticket": ticket, "session": "s"}}))["result"] == "sms_sent" {
            sent += 1;
        }
    }
    assert_eq!(sent, 10, "a day of asking every 20 seconds");
}

#[test]
fn t21_a_pass_or_ticket_of_one_user_is_refused_for_another() {
    let mut olga = Person::enrolled("olga", policy(json!({})));
    let pass = olga.log_in("in");
    let mut person = ann();
    person.now = olga.now;
    let reply = person.reply(json!({"remove": {"session": "in", "pass": pass, "method": "totp"}}));
    assert_eq!(reply, json!({"result": "denied", "reason": "fresh_factor_required"}));
    let ticket = olga.ticket();
    let code = person.code();
    let reply = person.reply(json!({"verify": {"ticket": ticket, "session": "s", "method": "totp", "code": code}}));
    assert_eq!(reply, json!({"result": "denied", "reason": "ticket_invalid"}));
}

#[test]
fn t32_no_event_notice_or_debug_form_holds_a_secret() {
    let mut person = ann();
    let ticket = person.ticket();
    let mut texts = Vec::new();
    let code = person.code();
    let commands = [
        json!({"send_sms": {"ticket": ticket, "session": "s"}}),
        json!({"verify": {"ticket": ticket, "session": "s", "method": "totp", "code": code}}),
        json!({"verify": {"ticket": ticket, "session": "s", "method": "backup_code", "code": person.backup[0]}}),
    ];
    let mut secrets = vec![person.secret.clone(), "412345678".to_owned(), person.backup[0].clone(), format!("\"{code}\"")];
    for command in commands {
        person.reply(command.clone());
        if let Some(sms) = person.effects.iter().find_map(|e| if let Effect::Sms(sms) = e { Some(sms) } else { None }) {
            secrets.push(sms.template.code.0.clone());
        }
        for effect in &person.effects {
            texts.push(format!("{effect:?}"));
            if !matches!(effect, Effect::Sms(_)) {
                texts.push(serde_json::to_string(effect).unwrap());
            }
        }
        let command = countersign::engine::Command::parse(&command.to_string()).unwrap();
        texts.push(format!("{command:?}"));
    }
    assert!(texts.len() > 8);
    for text in texts {
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{text} holds a secret");
        }
    }
}

#[test]
fn t39_owners_and_user_are_told_of_a_recovery_code_and_no_code_is_sent_by_sms() {
    let mut person = ann();
    issue(&mut person);
    let told: Vec<_> = person.effects.iter().filter_map(|e| if let Effect::Notify(n) = e { Some(n.to) } else { None }).collect();
    assert_eq!(told, [Recipient::User, Recipient::Owners]);
    assert!(!person.effects.iter().any(|effect| matches!(effect, Effect::Sms(_))));
}

#[test]
fn address_rules_stop_every_command_and_log_a_refused_action() {
    let mut person = ann();
    let (pass, ticket) = (person.log_in("in"), person.ticket());
    person.policy = policy(json!({"network": {"deny": ["203.0.113.0/24"]}}));
    person.ip = countersign::client_ip::ClientIp::parse("203.0.113.9");
    let before = person.record.clone();
    let by = json!({"user": "olga", "session": "owner", "pass": pass, "role": "owner"});
    for (command, action) in [
        (json!({"send_sms": {"ticket": ticket, "session": "s"}}), "send_sms"),
        (json!({"verify": {"ticket": ticket, "session": "s", "method": "totp", "code": "000000"}}), "verify"),
        (json!({"enroll_totp": {"session": "in", "pass": pass, "label": "ann"}}), "enroll_totp"),
        (json!({"show_totp_setup": {"session": "in", "setup": "-"}}), "enroll_totp"),
        (json!({"confirm_totp": {"session": "in", "code": "000000"}}), "enroll_totp"),
        (json!({"enroll_sms": {"session": "in", "pass": pass, "number": "+61487654321"}}), "enroll_sms"),
        (json!({"confirm_sms": {"session": "in", "code": "000000"}}), "enroll_sms"),
        (json!({"rename": {"session": "in", "pass": pass, "factor": "0123456789ab", "name": "Work"}}), "rename"),
        (json!({"remove": {"session": "in", "pass": pass, "method": "totp"}}), "remove"),
        (json!({"remove_trusted_browser": {"session": "in", "pass": pass, "browser": "0123456789ab"}}), "remove_trusted_browser"),
        (json!({"renew_backup_codes": {"session": "in", "pass": pass}}), "renew_backup_codes"),
        (json!({"show_backup_codes": {"session": "in", "pass": pass}}), "show_backup_codes"),
        (json!({"show_new_backup_codes": {"session": "in", "pass": pass, "newCodes": "-"}}), "show_backup_codes"),
        (json!({"confirm_backup_codes": {"session": "in", "pass": pass, "set": "-"}}), "confirm_backup_codes"),
        (json!({"issue_recovery_code": {"by": by}}), "issue_recovery_code"),
    ] {
        assert_eq!(person.reply(command.clone()), json!({"result": "denied", "reason": "address_denied"}), "{command}");
        let events: Vec<Value> = person.effects.iter().map(|effect| serde_json::to_value(effect).unwrap()["log"].clone()).collect();
        let [event] = events.as_slice() else { panic!("{command}: {events:?}") };
        let seen = (&event["event"], &event["action"], &event["reason"]);
        assert_eq!(seen, (&json!("refused"), &json!(action), &json!("address_denied")), "{command}");
    }
    let begun = person.reply(json!({"begin": {"session": "s"}}));
    assert_eq!(begun, json!({"result": "denied", "reason": "address_denied"}));
    assert_eq!(serde_json::to_value(&person.effects[0]).unwrap()["log"]["event"], "login_denied");
    assert_eq!(person.record, before);
}

#[test]
fn c5_a_code_sent_before_the_number_was_forbidden_opens_and_enrolls_nothing() {
    let narrowed = || policy(json!({"sms": {"prefixes": ["+1"]}}));
    let mut person = ann();
    let ticket = person.ticket();
    person.reply(json!({"send_sms": {"ticket": ticket, "session": "s"}}));
    let code = person.sms_code();
    let allowed = std::mem::replace(&mut person.policy, narrowed());
    let verify = json!({"verify": {"ticket": ticket, "session": "s", "method": "sms", "code": code}});
    assert_eq!(person.reply(verify.clone()), json!({"result": "denied", "reason": "number_not_allowed"}));
    person.policy = allowed;
    assert_eq!(person.reply(verify)["result"], "verified", "nothing was counted or used up");

    let mut person = Person::new("bob", policy(json!({})));
    person.reply(json!({"enroll_sms": {"session": "s", "number": "+61412345678"}}));
    let code = person.sms_code();
    person.policy = narrowed();
    let confirm = json!({"confirm_sms": {"session": "s", "code": code}});
    assert_eq!(person.reply(confirm), json!({"result": "denied", "reason": "number_not_allowed"}));
}

#[test]
fn begin_looks_at_the_address_before_it_opens_the_record() {
    let mut person = ann();
    person.keys = ring(&[("other", 3)], &[("p2", 8)]);
    person.policy = policy(json!({"network": {"deny": ["203.0.113.0/24"]}}));
    person.ip = countersign::client_ip::ClientIp::parse("203.0.113.9");
    let begun = person.reply(json!({"begin": {"session": "s"}}));
    assert_eq!(begun, json!({"result": "denied", "reason": "address_denied"}));
    assert_eq!(serde_json::to_value(&person.effects[0]).unwrap()["log"]["event"], "login_denied");
    person.ip = countersign::client_ip::ClientIp::parse("198.51.100.9");
    assert_eq!(person.try_step(json!({"begin": {"session": "s"}})).unwrap_err().code, ErrorCode::KeyMissing);
}

#[test]
fn c5_a_phone_whose_number_is_no_longer_allowed_is_usable_nowhere() {
    let mut person = Person::new("ann", policy(json!({})));
    person.reply(json!({"enroll_sms": {"session": "s", "number": "+61412345678"}}));
    let code = person.sms_code();
    let enrolled = person.reply(json!({"confirm_sms": {"session": "s", "code": code}}));
    let mut backup = enrolled["backupCodes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned());
    let now = UnixSeconds::new(person.now).unwrap();
    let enrollment = |person: &Person| {
        let record = Record::parse(&person.id(), person.record.as_deref().unwrap()).unwrap();
        enrollment(&person.policy, &person.keys, &record, now)
    };
    assert_eq!(enrollment(&person), Enrollment::Usable);

    person.policy = policy(json!({"sms": {"prefixes": ["+1"]}}));
    let begun = person.reply(json!({"begin": {"session": "s"}}));
    let methods: Vec<&str> = begun["methods"].as_array().unwrap().iter().map(|method| method["method"].as_str().unwrap()).collect();
    assert_eq!(methods, ["backup_code"], "a challenge by SMS could never be answered");

    for code in backup.by_ref() {
        assert_eq!(person.verify("backup_code", &code)["result"], "verified");
    }
    assert_eq!(enrollment(&person), Enrollment::Unusable, "the review of this policy names the user");
    assert_eq!(person.reply(json!({"begin": {"session": "s"}})), json!({"result": "denied", "reason": "no_usable_method"}));
}

fn ring(sealing: &[(&str, u8)], signing: &[(&str, u8)]) -> KeyRing {
    let secret = |byte: u8| data_encoding::BASE64URL_NOPAD.encode(&[byte; 32]);
    let sealing: Vec<Value> = sealing.iter().map(|(kid, byte)| json!({"kid": kid, "secret": secret(*byte)})).collect();
    let signing: Vec<Value> = signing.iter().map(|(kid, byte)| json!({"kid": kid, "alg": "EdDSA", "secret": secret(*byte)})).collect();
    KeyRing::parse(&json!({"v": 1, "sealing": sealing, "signing": signing}).to_string()).unwrap()
}

#[test]
fn t40_an_old_key_opens_a_new_one_writes_and_a_missing_one_is_a_typed_failure() {
    let mut person = Person::new("ann", policy(json!({})));
    person.keys = ring(&[("old", 1)], &[("p1", 9)]);
    let started = person.reply(json!({"enroll_totp": {"session": "s", "label": "ann"}}));
    person.secret = started["secret"].as_str().unwrap().replace(' ', "");
    let code = person.code();
    person.reply(json!({"confirm_totp": {"session": "s", "code": code}}));

    person.keys = ring(&[("new", 2), ("old", 1)], &[("p2", 8), ("p1", 9)]);
    person.now += 30;
    person.log_in("in");
    let record: Value = serde_json::from_str(person.record.as_deref().unwrap()).unwrap();
    assert_eq!(record["apps"][0]["secret"]["kid"], "new", "sealed anew at the first login");
    assert_eq!(record["backup"]["set"]["kid"], "old", "a hash cannot move: its key must stay");

    person.keys = ring(&[("other", 3)], &[("p2", 8)]);
    let before = person.record.clone();
    person.now += 30;
    let (ticket, code) = (person.ticket(), person.code());
    let error = person.try_step(json!({"verify": {"ticket": ticket, "session": "s", "method": "totp", "code": code}})).unwrap_err();
    assert_eq!(error.code, ErrorCode::KeyMissing);
    assert_eq!(person.record, before, "nothing was counted");
    let begun = person.reply(json!({"begin": {"session": "s", "channel": "web"}}));
    assert_eq!(begun["result"], "challenge", "a missing key is never \"this user has no 2FA\"");
}

#[test]
fn a_sealed_value_does_not_move_to_another_user() {
    let person = ann();
    let stolen = person.record.unwrap().replace("\"user\":\"ann\"", "\"user\":\"bob\"");
    let mut bob = Person::new("bob", policy(json!({})));
    bob.record = Some(stolen);
    bob.now = person.now;
    let error = bob.try_step(json!({"begin": {"session": "s", "channel": "web"}})).unwrap_err();
    assert_eq!(error.code, ErrorCode::SealBroken);
}

#[test]
fn a_record_of_another_version_or_user_or_with_anything_unknown_is_refused() {
    let person = ann();
    let (id, text) = (person.id(), person.record.unwrap());
    let code = |text: &str| Record::parse(&id, text).unwrap_err().code;
    assert_eq!(code(&text.replacen("\"v\":2", "\"v\":3", 1)), ErrorCode::UnknownRecordVersion);
    assert_eq!(code(&text.replacen("\"v\":2", "\"v\":2,\"extra\":0", 1)), ErrorCode::InvalidRecord);
    assert_eq!(code(&text.replace("ann", "bob")), ErrorCode::InvalidRecord);
    assert_eq!(code(&format!("{text} {{}}")), ErrorCode::InvalidRecord);
    assert_eq!(code(""), ErrorCode::InvalidRecord);
    assert_eq!(code("null"), ErrorCode::InvalidRecord);
    assert_eq!(code(&"[".repeat(100_000)), ErrorCode::InvalidRecord);
}

#[test]
fn a_misspelt_key_is_an_error_with_its_path() {
    let parse = |text: &str| Policy::parse(text).map(|_| ()).unwrap_err();
    let error = parse(r#"{"v":1,"name":"Acme","origin":"https://a.example","network":{"alow":[]}}"#);
    assert_eq!((error.code, error.path.as_str()), (ErrorCode::InvalidPolicy, "network.alow"));
    let error = parse(r#"{"v":1,"name":"Acme","origin":"https://a.example","require":"all"}"#);
    assert_eq!(error.path, "require");
    let error = parse(r#"{"v":1,"name":"Acme","origin":"https://a.example","network":{"deny":["10.0.0.1/8"]}}"#);
    assert_eq!(error.path, "network.deny[0]");
}
