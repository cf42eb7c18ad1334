//! T54: an app of another system is imported by the operator alone, told to its user, and no code of before counts again.

use countersign::client_ip::ClientIp;
use countersign::effect::Effect;
use countersign::engine::operator::{self, Import, MoveStep};
use countersign::engine::{Command, Env, ImportRefusal, Reply, SecondStep, status, verify};
use countersign::entropy::Entropy;
use countersign::error::{Error, ErrorCode};
use countersign::factor::FactorName;
use countersign::ids::OperatorId;
use countersign::keys::KeyRing;
use countersign::policy::Roles;
use countersign::record::Record;
use countersign::time::UnixSeconds;
use countersign::totp::{TotpAlgorithm, TotpParameters, TotpSecret};
use serde_json::{Value, json};

use crate::support::{Person, ann, by_owner, issue, policy};

/// 160 bits.
const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
const OTHER: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

fn name() -> OperatorId {
    OperatorId::new("night shift").unwrap()
}

fn of(secret: &str) -> Import {
    let secret = TotpSecret::from_foreign_base32(secret).unwrap();
    Import { secret, parameters: TotpParameters::DEFAULT, last_step: None, name: None, replace: false }
}

fn in_place(secret: &str) -> Import {
    Import { replace: true, ..of(secret) }
}

fn record(person: &Person) -> Record {
    person.record.as_ref().map_or_else(|| Record::new(person.id()), |text| Record::parse(&person.id(), text).unwrap())
}

fn now(person: &Person) -> UnixSeconds {
    UnixSeconds::new(person.now).unwrap()
}

fn entropy(person: &Person) -> Entropy {
    person.draws.set(person.draws.get() + 1);
    Entropy::new([u8::try_from(person.draws.get() % 251).unwrap(); 32])
}

fn try_import(person: &mut Person, import: Import) -> Result<Reply, Error> {
    let pending = operator::import_totp(&person.policy, &person.keys, record(person), import, &name(), now(person), entropy(person))?;
    if let Some(record) = pending.to_store() {
        person.record = Some(record.to_text());
    }
    let (reply, effects) = pending.stored();
    person.effects = effects;
    Ok(reply)
}

fn import(person: &mut Person, import: Import) -> Reply {
    try_import(person, import).unwrap()
}

fn refused(reason: ImportRefusal) -> Reply {
    Reply::Refused { reason }
}

/// Someone who has never been here, later than an owner who has.
fn bob() -> Person {
    let mut bob = Person::new("bob", policy(json!({})));
    bob.now += 3_600;
    bob
}

/// Bob's app has come along.
fn imported() -> Person {
    let mut bob = bob();
    assert!(matches!(import(&mut bob, of(SECRET)), Reply::Imported { weak: false, .. }));
    SECRET.clone_into(&mut bob.secret);
    bob
}

/// The kinds of effects of the last step.
fn told(person: &Person) -> Vec<String> {
    let tell = |effect: &Effect| match effect {
        Effect::Log(event) => serde_json::to_value(event).unwrap()["event"].as_str().unwrap().to_owned(),
        Effect::Notify(notice) => format!("{:?} to {:?}", notice.kind, notice.to),
        Effect::Sms(_) => "sms".to_owned(),
        Effect::EndPasses(_) => "end passes".to_owned(),
    };
    person.effects.iter().map(tell).collect()
}

fn seen(person: &Person) -> Value {
    serde_json::to_value(status(&person.policy, &person.keys, &record(person), now(person)).unwrap()).unwrap()
}

#[test]
fn t54_an_import_names_the_operator_in_the_log_and_tells_nobody_yet() {
    let bob = imported();
    assert_eq!(told(&bob), ["totp_imported"]);
    let event = serde_json::to_value(&bob.effects[0]).unwrap()["log"].clone();
    let factor = seen(&bob)["methods"][0].clone();
    let expected = json!({"v": 1, "user": "bob", "at": bob.now, "event": "totp_imported", "operator": "night shift",
        "factor": {"id": factor["id"], "name": "Authenticator app"}});
    assert_eq!(event, expected);
    assert!(!bob.record.unwrap().contains(SECRET));
}

#[test]
fn t54_the_user_is_told_at_the_first_login_from_where_it_came_and_once() {
    let mut bob = imported();
    bob.ip = ClientIp::parse("203.0.113.7");
    bob.now += 60;
    let code = bob.code();
    assert_eq!(bob.verify("totp", &code)["result"], "verified");
    assert_eq!(told(&bob), ["code_accepted", "backup_codes_made", "AppImported to User"]);
    let notice = serde_json::to_value(&bob.effects[2]).unwrap()["notify"].clone();
    assert_eq!((&notice["ip"], &notice["name"], &notice["method"]), (&json!("203.0.113.7"), &json!("Authenticator app"), &json!("totp")));
    bob.now += 60;
    let code = bob.code();
    assert_eq!(bob.verify("totp", &code)["backupCodes"], Value::Null);
    assert_eq!(told(&bob), ["code_accepted"]);
}

#[test]
fn t54_a_wrong_code_and_a_refused_one_tell_nothing_and_bring_no_codes() {
    let mut bob = imported();
    assert_eq!(bob.verify("totp", "000000")["result"], "wrong");
    assert_eq!(told(&bob), ["code_refused"]);
    let code = bob.code();
    assert_eq!(bob.verify("totp", &code)["result"], "already_used");
    assert_eq!(told(&bob), ["code_repeated"]);
    bob.now += 30;
    bob.log_in("in");
    assert_eq!(told(&bob).last().unwrap(), "AppImported to User");
}

#[test]
fn t54_the_code_of_now_and_all_before_it_are_used() {
    let mut bob = imported();
    for (back, result) in [(0, "already_used"), (30, "already_used"), (60, "wrong"), (300, "wrong")] {
        let at = bob.now;
        bob.now -= back;
        let code = bob.code();
        bob.now = at;
        assert_eq!(bob.verify("totp", &code)["result"], result, "{back} seconds ago");
    }
    bob.now += 30;
    let code = bob.code();
    assert_eq!(bob.verify("totp", &code)["result"], "verified");
}

#[test]
fn t54_a_later_step_that_the_other_system_took_is_used_as_well() {
    for (ahead, result) in [(-1_i64, "verified"), (0, "verified"), (1, "already_used")] {
        let mut bob = Person::new("bob", policy(json!({})));
        SECRET.clone_into(&mut bob.secret);
        let step = (bob.now / 30).saturating_add_signed(ahead);
        import(&mut bob, Import { last_step: Some(step), ..of(SECRET) });
        bob.now += 30;
        let code = bob.code();
        assert_eq!(bob.verify("totp", &code)["result"], result, "{ahead} steps later than now");
    }
}

#[test]
fn a_last_step_that_is_no_step_of_about_now_is_refused() {
    let mut bob = Person::new("bob", policy(json!({})));
    let current = bob.now / 30;
    for step in [current + 21, bob.now, u64::MAX] {
        let error = try_import(&mut bob, Import { last_step: Some(step), ..of(SECRET) }).unwrap_err();
        assert_eq!((error.code, error.path.as_str()), (ErrorCode::InvalidInput, "lastStep"));
    }
    assert_eq!(bob.record, None);
    assert!(matches!(import(&mut bob, Import { last_step: Some(current + 20), ..of(SECRET) }), Reply::Imported { .. }));
}

#[test]
fn i3_settings_of_the_other_system_come_along() {
    for (algorithm, digits, period) in
        [(TotpAlgorithm::SHA1, 8, 60), (TotpAlgorithm::SHA256, 6, 30), (TotpAlgorithm::SHA512, 7, 15), (TotpAlgorithm::SHA1, 6, 300)]
    {
        let parameters = TotpParameters::new(algorithm, digits, period).unwrap();
        let mut bob = Person::new("bob", policy(json!({})));
        import(&mut bob, Import { parameters, ..of(SECRET) });
        let secret = TotpSecret::from_base32(SECRET).unwrap();
        let code = |at: u64| secret.code_at(parameters, at / u64::from(period)).as_str().to_owned();
        assert_eq!(bob.verify("totp", &code(bob.now))["result"], "already_used");
        bob.now += u64::from(period);
        assert_eq!(bob.verify("totp", &code(bob.now))["result"], "verified");
    }
}

/// The secret of a case in the vectors.
fn foreign(case: &Value) -> Result<TotpSecret, Error> {
    let bytes = || TotpSecret::from_bytes(case["bytes"].as_str().unwrap().as_bytes());
    case["text"].as_str().map_or_else(bytes, TotpSecret::from_foreign_base32)
}

#[test]
fn i1_i2_i3_secrets_of_other_systems_give_the_codes_that_their_apps_show() {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/imported-secrets.json")).unwrap();
    for case in vectors["cases"].as_array().unwrap() {
        let (secret, time) = (foreign(case).unwrap(), case["time"].as_u64().unwrap());
        let algorithm = case.get("algorithm").map_or(TotpAlgorithm::SHA1, |name| serde_json::from_value(name.clone()).unwrap());
        let number = |name: &str, default: u64| u32::try_from(case[name].as_u64().unwrap_or(default)).unwrap();
        let parameters = TotpParameters::new(algorithm, u8::try_from(number("digits", 6)).unwrap(), number("period", 30)).unwrap();
        let code = secret.code_at(parameters, time / u64::from(parameters.period_seconds()));
        assert_eq!(code.as_str(), case["code"], "{case}");
    }
    for case in vectors["refused"].as_array().unwrap() {
        let error = foreign(case).unwrap_err();
        assert_eq!((error.path.as_str(), error.message.as_str()), ("secret", case["why"].as_str().unwrap()), "{case}");
    }
}

#[test]
fn i3_left_over_bits_count_for_nothing_whatever_the_number_of_symbols() {
    assert!(TotpSecret::from_base32("S46SQCPPTCNPROMHWYBDCTBZXV").is_err(), "what we write stays canonical");
    for (symbols, bytes) in [(16, 10), (17, 10), (19, 11), (22, 13), (55, 34), (205, 128)] {
        for text in ["M".repeat(symbols), "m".repeat(symbols) + "=", ["M".repeat(symbols - 1), "M".to_owned()].join(" - ")] {
            let read = TotpSecret::from_foreign_base32(&text).unwrap();
            assert_eq!(read.to_base32().len(), (bytes * 8_usize).div_ceil(5), "{symbols} symbols");
        }
    }
    assert!(TotpSecret::from_foreign_base32(&"M".repeat(207)).is_err());
    assert!(TotpSecret::from_foreign_base32("MMMMMMMMMMMMMMMé").is_err());
}

#[test]
fn the_same_app_again_changes_nothing_also_after_logins() {
    let mut bob = imported();
    let before = bob.record.clone();
    for again in [of(SECRET), in_place(SECRET)] {
        assert!(matches!(import(&mut bob, again), Reply::Unchanged { .. }));
        assert_eq!((&bob.record, told(&bob).len()), (&before, 0));
    }
    bob.now += 60;
    bob.log_in("in");
    let before = bob.record.clone();
    bob.now += 3_600;
    for again in [of(SECRET), in_place(SECRET), of(&SECRET.to_lowercase())] {
        assert!(matches!(import(&mut bob, again), Reply::Unchanged { .. }));
        assert_eq!((&bob.record, told(&bob).len()), (&before, 0));
    }
}

#[test]
fn a_user_with_a_factor_keeps_it_unless_the_operator_says_replace() {
    let mut person = ann();
    let before = person.record.clone();
    assert_eq!(import(&mut person, of(SECRET)), refused(ImportRefusal::HasFactor));
    assert_eq!((&person.record, told(&person).len()), (&before, 0));

    // The app goes; phone and backup codes stay.
    let pass = person.log_in("in");
    let Reply::Imported { factor, .. } = import(&mut person, in_place(SECRET)) else { panic!("not imported") };
    assert_eq!(told(&person), ["end passes", "totp_imported", "factor_removed"]);
    assert_eq!(factor.name.as_str(), "Authenticator app");
    let methods: Vec<_> = person.factors().into_iter().map(|factor| factor.method.as_str()).collect();
    assert_eq!((methods, record(&person).backup_left()), (vec!["totp", "sms"], 3));
    person.now += 30;
    let code = person.code();
    assert_eq!(person.verify("totp", &code)["result"], "wrong", "the app of before");
    SECRET.clone_into(&mut person.secret);
    let code = person.code();
    assert_eq!(person.verify("totp", &code)["backupCodes"], Value::Null, "there are some");
    let renewed = person.reply(json!({"renew_backup_codes": {"session": "in", "pass": pass}}));
    assert_eq!(renewed["reason"], "fresh_factor_required", "a pass from before the import");
}

#[test]
fn other_settings_of_the_same_secret_are_another_app() {
    let mut bob = imported();
    let parameters = TotpParameters::new(TotpAlgorithm::SHA1, 6, 60).unwrap();
    assert_eq!(import(&mut bob, Import { parameters, ..of(SECRET) }), refused(ImportRefusal::HasFactor));
    assert!(matches!(import(&mut bob, Import { parameters, ..in_place(SECRET) }), Reply::Imported { .. }));
    assert_eq!(bob.factors().len(), 1);
}

#[test]
fn an_app_that_the_user_removed_does_not_come_back_by_another_run() {
    let mut bob = imported();
    bob.now += 60;
    let pass = bob.log_in("in");
    assert_eq!(bob.reply(json!({"remove": {"session": "in", "pass": pass, "method": "totp"}}))["result"], "removed");
    let before = bob.record.clone();
    assert_eq!(import(&mut bob, of(SECRET)), refused(ImportRefusal::HadFactor));
    assert_eq!(bob.record, before);
    assert!(matches!(import(&mut bob, in_place(SECRET)), Reply::Imported { .. }));
}

#[test]
fn t54_a_user_who_was_reset_gets_no_app_back_by_an_import() {
    let mut bob = imported();
    let code = by_owner(&mut bob, "reset");
    for again in [of(SECRET), in_place(SECRET), in_place(OTHER)] {
        assert_eq!(import(&mut bob, again), refused(ImportRefusal::Reset));
    }
    bob.verify("recovery_code", &code);
    assert_eq!(import(&mut bob, of(SECRET)), refused(ImportRefusal::HadFactor));
    assert!(matches!(import(&mut bob, in_place(OTHER)), Reply::Imported { .. }));
}

#[test]
fn an_app_comes_beside_a_live_recovery_code_only_where_that_is_said() {
    let mut bob = bob();
    let code = issue(&mut bob);
    assert_eq!(import(&mut bob, of(SECRET)), refused(ImportRefusal::RecoveryCode));
    assert!(matches!(import(&mut bob, in_place(SECRET)), Reply::Imported { .. }));
    assert_eq!(bob.verify("recovery_code", &code)["result"], "verified", "it goes on counting");
    assert_eq!(told(&bob).last().unwrap(), "AppImported to User");
}

#[test]
fn nobody_is_imported_at_a_place_that_a_move_has_to_do_with() {
    let (mut bob, mut there) = (imported(), Person::new("bob", policy(json!({}))));
    (there.account, there.now) = (Some("acme".to_owned()), bob.now);
    let step = |person: &mut Person, other: &Person, step: MoveStep| {
        let (policy, keys) = (&person.policy, &person.keys);
        let pending =
            operator::move_step(policy, keys, record(person), step, &record(other), &name(), now(person), entropy(person)).unwrap();
        person.record = pending.to_store().map(Record::to_text).or_else(|| person.record.take());
        pending.stored().0
    };
    step(&mut bob, &there, MoveStep::Depart);
    assert_eq!(import(&mut bob, in_place(OTHER)), refused(ImportRefusal::Moved), "on the way");
    step(&mut there, &bob, MoveStep::Arrive);
    assert!(matches!(step(&mut there, &bob, MoveStep::Arrive), Reply::Moved { .. }));
    assert_eq!(import(&mut there, in_place(OTHER)), refused(ImportRefusal::Moved), "not complete");
    step(&mut bob, &there, MoveStep::Leave);
    step(&mut there, &bob, MoveStep::Settle);
    assert_eq!(import(&mut bob, in_place(OTHER)), refused(ImportRefusal::Moved), "has left");

    // The user has not been told yet, and has no backup codes: the new place does both.
    assert!(matches!(import(&mut there, of(SECRET)), Reply::Unchanged { .. }));
    there.now += 60;
    SECRET.clone_into(&mut there.secret);
    let code = there.code();
    assert_eq!(there.verify("totp", &code)["backupCodes"].as_array().unwrap().len(), 3);
    assert_eq!(told(&there).last().unwrap(), "AppImported to User");
}

#[test]
fn an_erased_user_is_imported_once_the_record_is_deleted() {
    let mut bob = imported();
    let pending = operator::erase(&bob.policy, &bob.keys, record(&bob), None, &name(), now(&bob), entropy(&bob)).unwrap();
    bob.record = pending.to_store().map(Record::to_text);
    assert_eq!(import(&mut bob, in_place(SECRET)), refused(ImportRefusal::Erased));
    bob.record = None;
    assert!(matches!(import(&mut bob, of(SECRET)), Reply::Imported { .. }));
}

#[test]
fn the_first_login_brings_backup_codes_that_count() {
    let mut bob = imported();
    assert_eq!(seen(&bob)["backupCodes"], Value::Null);
    bob.now += 60;
    let code = bob.code();
    let reply = bob.verify("totp", &code);
    let codes: Vec<String> = reply["backupCodes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned()).collect();
    assert_eq!(codes.len(), 3);
    let [pass, set, new_codes] = ["pass", "set", "newCodes"].map(|name| reply[name].as_str().unwrap().to_owned());
    let shown = bob.reply(json!({"show_new_backup_codes": {"session": "in", "pass": pass, "newCodes": new_codes}}));
    assert_eq!(shown["codes"][2]["code"], codes[2]);
    let confirmed = bob.reply(json!({"confirm_backup_codes": {"session": "in", "pass": pass, "set": set}}));
    assert_eq!(confirmed["result"], "confirmed");
    assert_eq!(bob.verify("backup_code", &codes[0])["backupCodesLeft"], 2);
}

#[test]
fn where_the_policy_has_no_backup_codes_the_first_login_brings_none_and_a_later_policy_does() {
    let mut bob = Person::new("bob", policy(json!({"methods": ["totp"]})));
    import(&mut bob, of(SECRET));
    SECRET.clone_into(&mut bob.secret);
    for (rules, codes) in [(json!({"methods": ["totp"]}), 0), (json!({}), 3), (json!({}), 0)] {
        bob.policy = policy(rules);
        bob.now += 60;
        let code = bob.code();
        let reply = bob.verify("totp", &code);
        assert_eq!(reply["result"], "verified");
        assert_eq!(reply["backupCodes"].as_array().map_or(0, Vec::len), codes);
    }
}

#[test]
fn a_rescued_user_gets_the_backup_codes_at_a_login_by_the_app() {
    let mut bob = imported();
    let code = issue(&mut bob);
    assert_eq!(bob.verify("recovery_code", &code)["backupCodes"], Value::Null, "the phone may be lost");
    bob.now += 60;
    let code = bob.code();
    assert_eq!(bob.verify("totp", &code)["backupCodes"].as_array().unwrap().len(), 3);
}

#[test]
fn a_gate_tells_the_user_and_leaves_the_backup_codes_to_a_login_that_shows_them() {
    let mut bob = imported();
    bob.now += 60;
    let Command::Verify(second) =
        Command::parse(&json!({"verify": {"ticket": bob.ticket(), "session": "s", "method": "totp", "code": bob.code()}}).to_string())
            .unwrap()
    else {
        panic!()
    };
    let second: SecondStep = second;
    let env = Env { now: now(&bob), client: ClientIp::Unknown, roles: Roles::Unknown, entropy: entropy(&bob) };
    let pending = verify(&bob.policy, &bob.keys, record(&bob), second, env).unwrap();
    bob.record = pending.to_store().map(Record::to_text);
    let (reply, effects) = pending.stored();
    bob.effects = effects;
    assert!(matches!(reply, Reply::Verified { backup_codes: None, .. }));
    assert_eq!(told(&bob), ["code_accepted", "AppImported to User"]);
    bob.now += 60;
    let code = bob.code();
    assert_eq!(bob.verify("totp", &code)["backupCodes"].as_array().unwrap().len(), 3);
    assert_eq!(told(&bob), ["code_accepted", "backup_codes_made"]);
}

#[test]
fn a_weak_secret_is_imported_and_marked_until_the_app_is_set_up_anew() {
    for (symbols, weak) in [(16, true), (26, true), (31, true), (32, false), (52, false)] {
        let mut bob = Person::new("bob", policy(json!({})));
        bob.secret = SECRET.repeat(2)[..symbols].to_owned();
        let secret = TotpSecret::from_foreign_base32(&bob.secret).unwrap();
        let Reply::Imported { factor, weak: told } = import(&mut bob, Import { secret, ..of(SECRET) }) else { panic!() };
        assert_eq!((told, seen(&bob)["methods"][0]["weak"].as_bool()), (weak, weak.then_some(true)), "{symbols} symbols");
        bob.now += 60;
        bob.secret = TotpSecret::from_foreign_base32(&bob.secret).unwrap().to_base32();
        let code = bob.code();
        let reply = bob.verify("totp", &code);
        assert_eq!(reply["weak"]["id"].as_str(), weak.then_some(factor.id.as_str()));
        if !weak {
            continue;
        }
        let started =
            bob.reply(json!({"enroll_totp": {"session": "in", "pass": reply["pass"], "label": "bob", "replaces": reply["weak"]["id"]}}));
        bob.secret = started["secret"].as_str().unwrap().replace(' ', "");
        let code = bob.code();
        assert_eq!(bob.reply(json!({"confirm_totp": {"session": "in", "code": code}}))["result"], "enrolled");
        assert_eq!(seen(&bob)["methods"][0]["weak"], Value::Null);
        bob.now += 60;
        let code = bob.code();
        assert_eq!(bob.verify("totp", &code)["weak"], Value::Null);
    }
}

#[test]
fn t54_a_set_up_that_was_begun_before_an_import_confirms_nothing_after_it() {
    let mut bob = Person::new("bob", policy(json!({})));
    let started = bob.reply(json!({"enroll_totp": {"session": "s", "label": "bob"}}));
    bob.secret = started["secret"].as_str().unwrap().replace(' ', "");
    import(&mut bob, of(SECRET));
    let code = bob.code();
    assert_eq!(bob.reply(json!({"confirm_totp": {"session": "s", "code": code}}))["result"], "expired");
    let again = bob.reply(json!({"enroll_totp": {"session": "s", "label": "bob"}}));
    assert_eq!(again["reason"], "fresh_factor_required");
}

#[test]
fn t54_where_a_second_factor_is_forced_an_imported_user_is_challenged_and_sets_up_none_by_the_password() {
    let mut bob = Person::new("bob", policy(json!({"require": "everyone", "firstFactor": "password"})));
    let begun = bob.reply(json!({"begin": {"session": "s"}}));
    assert_eq!(begun["result"], "set_up");
    import(&mut bob, of(SECRET));
    let start = bob.reply(json!({"enroll_totp": {"session": "s", "ticket": begun["ticket"], "label": "bob"}}));
    assert_eq!(start["reason"], "fresh_factor_required");
    assert_eq!(bob.reply(json!({"begin": {"session": "s"}}))["result"], "challenge");
}

#[test]
fn an_app_is_imported_also_where_the_policy_offers_none_and_status_says_so() {
    let mut bob = Person::new("bob", policy(json!({"methods": ["backup_code", "recovery_code"]})));
    assert!(matches!(import(&mut bob, of(SECRET)), Reply::Imported { .. }));
    assert_eq!((&seen(&bob)["enrollment"], &seen(&bob)["methods"][0]["usable"]), (&json!("unusable"), &json!(false)));
}

#[test]
fn a_name_is_the_given_one_or_a_free_one() {
    let mut bob = Person::new("bob", policy(json!({})));
    import(&mut bob, Import { name: FactorName::parse("Old phone"), ..of(SECRET) });
    assert_eq!(bob.factors()[0].named.name.as_str(), "Old phone");
    import(&mut bob, in_place(OTHER));
    assert_eq!(bob.factors()[0].named.name.as_str(), "Old phone", "of the app in whose place it comes");
}

#[test]
fn a_missing_key_stops_an_import_unless_the_app_is_replaced() {
    let mut bob = imported();
    let keys = json!({"v": 1, "sealing": [{"kid": "other", "secret": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]});
    let ours: Value = serde_json::from_str(include_str!("../vectors/keys.json")).unwrap();
    let mut document = ours;
    document["sealing"] = keys["sealing"].clone();
    bob.keys = KeyRing::parse(&document.to_string()).unwrap();
    assert_eq!(try_import(&mut bob, of(SECRET)).unwrap_err().code, ErrorCode::KeyMissing);
    assert!(matches!(import(&mut bob, in_place(SECRET)), Reply::Imported { .. }));
    assert_eq!(bob.factors().len(), 1);
}

#[test]
fn t54_an_export_opens_the_apps_with_an_event_for_each_user() {
    let mut bob = imported();
    let exported = operator::export(&bob.keys, &record(&bob), &name(), now(&bob)).unwrap();
    let exported = serde_json::to_value(&exported).unwrap();
    let app = &exported["apps"][0];
    assert_eq!(app["secret"], SECRET);
    assert_eq!((&app["digits"], &app["period"], &app["algorithm"]), (&json!(6), &json!(30), &json!("SHA1")));
    assert_eq!(app["lastStep"], bob.now / 30);
    let expected =
        json!({"v": 1, "user": "bob", "at": bob.now, "event": "secrets_exported", "factors": [app["factor"]], "operator": "night shift"});
    assert_eq!(exported["event"], expected);

    let nobody = operator::export(&bob.keys, &Record::new(bob.id()), &name(), now(&bob)).unwrap();
    assert!(nobody.apps.is_empty() && nobody.event.is_none());
    let started = operator::export_started(None, name(), now(&bob)).unwrap();
    let expected = json!({"v": 1, "user": "night shift", "at": bob.now, "event": "export_started", "operator": "night shift"});
    assert_eq!(serde_json::to_value(started).unwrap(), expected);

    bob.user = "eve".to_owned();
    let moved = bob.record.clone().unwrap();
    assert!(Record::parse(&bob.id(), &moved).is_err(), "a record opens for its own user alone");
}

#[test]
fn records_of_before_imports_are_read_and_stay_as_they_are() {
    let person = ann();
    let text = person.record.clone().unwrap();
    assert!(!text.contains("isUntold") && !text.contains("owesBackupCodes"));
    assert_eq!(record(&person).to_text(), text);
}

/// Whatever comes in between: a refused import changes nothing, one that counts leaves one app and no code of before, and each is told
/// once, at a login, with backup codes once.
#[test]
fn t54_imports_hold_in_any_history() {
    let rules = || policy(json!({"backupCodes": {"count": 1}}));
    for episode in 0..60_u64 {
        let mut state = episode.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut below = |bound: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % bound
        };
        let mut bob = Person { policy: rules(), ..bob() };
        bob.draws.set(1_000 * episode);
        let (mut pass, mut untold, mut codes_owed) = (String::new(), 0, false);
        for _ in 0..14 {
            bob.now += 30 * below(4);
            let before = (bob.record.clone(), bob.factors());
            match below(10) {
                0..4 => {
                    let secret = if below(2) == 0 { SECRET } else { OTHER };
                    let replace = below(3) == 0;
                    let reply = import(&mut bob, Import { replace, ..of(secret) });
                    if matches!(reply, Reply::Imported { .. }) {
                        assert!(replace || before.1.is_empty(), "a factor is replaced only where that is said");
                        assert_eq!(bob.factors().iter().filter(|factor| factor.method.as_str() == "totp").count(), 1);
                        assert_eq!(told(&bob).iter().filter(|word| word.contains(" to ")).count(), 0);
                        (bob.secret, untold) = (secret.to_owned(), 1);
                        codes_owed = record(&bob).backup_left() == 0 && seen(&bob)["backupCodes"].is_null();
                        let code = bob.code();
                        assert_ne!(bob.verify("totp", &code)["result"], "verified", "a code of before");
                    } else {
                        assert!(matches!(reply, Reply::Unchanged { .. } | Reply::Refused { .. }), "{reply:?}");
                        assert_eq!((&bob.record, told(&bob).len()), (&before.0, 0));
                    }
                }
                4..7 if !bob.factors().is_empty() => {
                    let code = bob.code();
                    let reply = bob.verify("totp", &code);
                    let notices = told(&bob).iter().filter(|word| *word == "AppImported to User").count();
                    if reply["result"] == "verified" {
                        assert_eq!((notices, reply["backupCodes"].is_array()), (untold, codes_owed));
                        (pass, untold, codes_owed) = (reply["pass"].as_str().unwrap().to_owned(), 0, false);
                    } else {
                        assert_eq!((notices, &reply["backupCodes"]), (0, &Value::Null));
                    }
                }
                7 if !bob.factors().is_empty() => assert_eq!(bob.verify("totp", "12345")["result"], "malformed"),
                8 => {
                    let reply = bob.reply(json!({"remove": {"session": "in", "pass": pass, "method": "totp"}}));
                    if reply["result"] == "removed" {
                        (untold, codes_owed) = (0, false);
                    }
                }
                9 if below(4) == 0 => {
                    let code = by_owner(&mut bob, "reset");
                    assert_eq!(import(&mut bob, in_place(OTHER)), refused(ImportRefusal::Reset));
                    assert_eq!(bob.verify("recovery_code", &code)["result"], "verified");
                    (untold, codes_owed) = (0, false);
                }
                _ => {}
            }
            let text = bob.record.clone().unwrap_or_default();
            assert!(!text.contains(SECRET) && !text.contains(OTHER));
        }
    }
}
