//! Limits are checked where a value enters: whatever a set-up accepts logs in.

use crate::support::{Person, ann, policy};
use countersign::effect::Effect;
use countersign::engine::{CheckPass, CheckPassReply, Command, Env, OverLimit, Pending, check_pass, step};
use countersign::entropy::Entropy;
use countersign::error::ErrorCode;
use countersign::ids::{SessionId, UserId};
use countersign::keys::KeyRing;
use countersign::policy::Policy;
use countersign::record::Record;
use countersign::time::UnixSeconds;
use countersign::token::MAX_TOKEN;
use countersign::totp::{TotpAlgorithm, TotpParameters, TotpSecret};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A cookie with its name and attributes has 4,096 bytes in a browser.
const COOKIE: usize = 4_096;

#[derive(Debug, Clone)]
struct Case {
    policy: Value,
    user: String,
    sessions: [String; 4],
    label: String,
    number: &'static str,
    by_backup_code: bool,
}

/// Text with characters that JSON writes as two, that are long in UTF-8, or that show in no page.
fn text(bytes: usize) -> impl Strategy<Value = String> {
    let character =
        prop::sample::select(vec!['a', 'Z', '0', '"', '\\', ' ', ':', '/', '%', 'é', '漢', '😀', '\u{202e}', '\u{ad}', '\u{301}']);
    (prop::collection::vec(character, bytes), prop_oneof![Just(bytes), 1..=bytes]).prop_map(move |(characters, most)| {
        let mut out = String::new();
        for character in characters {
            if out.len() + character.len_utf8() <= most {
                out.push(character);
            }
        }
        if out.is_empty() { "a".to_owned() } else { out }
    })
}

fn id() -> impl Strategy<Value = String> {
    prop_oneof![2 => text(256), 1 => Just("\"".repeat(256)), 1 => Just("\u{10ffff}".repeat(64))]
}

fn either<T: Clone + core::fmt::Debug + 'static>(values: [T; 3]) -> impl Strategy<Value = T> {
    prop::sample::select(values.to_vec())
}

/// Policies with values at both ends of their ranges.
fn rules() -> impl Strategy<Value = Value> {
    let totp = (either(["SHA1", "SHA256", "SHA512"]), either([6, 7, 8]), either([15, 30, 300]), either([0, 1, 2]));
    let sms =
        (either([6, 7, 8]), either([60, 300, 600]), either([10, 30, 600]), either([1, 2, 10]), either([1, 5, 50]), either([1, 10, 100]));
    let lives = (either([60, 600, 1_800]), either([60, 43_200, 2_592_000]), either([30, 300, 3_600]));
    let longest = format!("{0}.{0}.{0}.{1}", "a".repeat(63), "b".repeat(61));
    let hosts = vec![("a.example".to_owned(), true), (longest, false)];
    let audience = prop::option::of(prop::sample::select(vec!["\"".repeat(256), "a".to_owned()]));
    let named = (prop::sample::select(hosts), prop::sample::select(vec![1_usize, 40]), audience);
    (totp, sms, lives, named, either([1, 2, 3])).prop_map(|(totp, sms, lives, ((host, offers_sms), name, audience), count)| {
        let mut methods = vec!["totp", "backup_code", "recovery_code"];
        methods.extend(offers_sms.then_some("sms"));
        json!({
            "v": 1, "name": "ü".repeat(name), "origin": format!("https://{host}:65535"), "audience": audience, "methods": methods,
            "totp": {"algorithm": totp.0, "digits": totp.1, "periodSeconds": totp.2, "window": totp.3},
            "sms": {
                "prefixes": ["+614", "+1", "+290"], "except": ["+1900"],
                "digits": sms.0, "lifetimeSeconds": sms.1, "cooldownSeconds": sms.2, "perMinute": sms.3, "perHour": sms.4, "perDay": sms.5,
            },
            "backupCodes": {"count": count, "memoryKib": 7_168, "passes": 5, "keepForShowing": true},
            "ticketSeconds": lives.0, "passSeconds": lives.1, "freshSeconds": lives.2,
        })
    })
}

fn case() -> impl Strategy<Value = Case> {
    let number = prop::sample::select(vec!["+61412345678", "+14155550123", "+29051234"]);
    (rules(), id(), [id(), id(), id(), id()], text(300), number, any::<bool>())
        .prop_map(|(policy, user, sessions, label, number, by_backup_code)| Case { policy, user, sessions, label, number, by_backup_code })
}

impl Case {
    fn parameters(&self) -> TotpParameters {
        let totp = &self.policy["totp"];
        let algorithm = match totp["algorithm"].as_str() {
            Some("SHA256") => TotpAlgorithm::SHA256,
            Some("SHA512") => TotpAlgorithm::SHA512,
            _ => TotpAlgorithm::SHA1,
        };
        let number = |name: &str| u32::try_from(totp[name].as_u64().unwrap()).unwrap();
        TotpParameters::new(algorithm, u8::try_from(number("digits")).unwrap(), number("periodSeconds")).unwrap()
    }

    fn code(&self, person: &Person) -> String {
        let secret = TotpSecret::from_base32(&person.secret).unwrap();
        let step = self.parameters().step_at(UnixSeconds::new(person.now).unwrap());
        secret.code_at(self.parameters(), step).as_str().to_owned()
    }

    /// A login from its first factor to the pass, which counts until its last second.
    fn log_in(&self, person: &mut Person, method: &str, backup_code: &str) -> String {
        let [_, before, after, _] = &self.sessions;
        person.now += 86_401;
        let begun = person.reply(json!({"begin": {"session": before}}));
        assert_eq!(begun["result"], "challenge", "{begun}");
        let ticket = &begun["ticket"];
        let code = match method {
            "totp" => self.code(person),
            "sms" => {
                let sent = person.reply(json!({"send_sms": {"session": before, "ticket": ticket}}));
                assert_eq!(sent["result"], "sms_sent", "{sent}");
                person.sms_code()
            }
            _ => backup_code.to_owned(),
        };
        let mut verify = json!({"session": before, "ticket": ticket, "method": method, "code": code});
        if before != after {
            verify["newSession"] = json!(after);
        }
        let done = person.reply(json!({"verify": verify}));
        assert_eq!(done["result"], "verified", "{done}");
        let pass = done["pass"].as_str().unwrap().to_owned();
        assert!(pass.len() <= MAX_TOKEN && ticket.as_str().unwrap().len() <= MAX_TOKEN);
        let question = CheckPass::parse(&json!({"session": done["session"], "pass": pass}).to_string()).unwrap();
        for now in [person.now, done["expiresAt"].as_u64().unwrap() - 1] {
            let now = UnixSeconds::new(now).unwrap();
            let reply = check_pass(&person.policy, &person.keys, &person.id(), &question, now);
            assert!(matches!(reply, CheckPassReply::Valid { .. }), "{reply:?}");
        }
        pass
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_set_up_accepts_logs_in(case in case()) {
        let mut person = Person::new(&case.user, Policy::parse(&case.policy.to_string()).unwrap());
        let [session, _, after, _] = &case.sessions;
        let started = person.reply(json!({"enroll_totp": {"session": session, "label": case.label}}));
        prop_assert_eq!(&started["result"], "totp_started");
        person.secret = started["secret"].as_str().unwrap().replace(' ', "");
        let enrolled = person.reply(json!({"confirm_totp": {"session": session, "code": case.code(&person)}}));
        prop_assert_eq!(&enrolled["result"], "enrolled");
        let backup = enrolled["backupCodes"][0].as_str().unwrap().to_owned();

        let pass = case.log_in(&mut person, if case.by_backup_code { "backup_code" } else { "totp" }, &backup);
        if person.policy.offers(countersign::policy::Method::Sms) && case.sessions[1] != *after {
            let started = person.reply(json!({"enroll_sms": {"session": after, "pass": pass, "number": case.number}}));
            prop_assert_eq!(&started["result"], "sms_sent");
            let code = person.sms_code();
            prop_assert_eq!(&person.reply(json!({"confirm_sms": {"session": after, "code": code}}))["result"], "enrolled");
            case.log_in(&mut person, "sms", &backup);
        }
    }
}

/// The longest tokens there can be: ids whose every byte JSON writes as two, the longest origin, audience and key names.
#[test]
fn the_longest_tokens_fit_a_cookie() {
    let longest = format!("https://{0}.{0}.{0}.{1}:65535", "a".repeat(63), "b".repeat(61));
    let policy = json!({"v": 1, "name": "Acme", "origin": longest, "audience": "\\".repeat(256), "methods": ["totp"]});
    let policy = Policy::parse(&policy.to_string()).unwrap();
    for alg in ["EdDSA", "HS256"] {
        let mut ring: Value = serde_json::from_str(include_str!("../vectors/keys.json")).unwrap();
        let secret = ring["sealing"][0]["secret"].clone();
        ring["sealing"] = json!([{"kid": "k".repeat(32), "secret": secret}]);
        ring["signing"] = json!([{"kid": "k".repeat(32), "alg": alg, "secret": secret}]);
        let mut person = Person::new(&"\"".repeat(256), policy.clone());
        person.keys = KeyRing::parse(&ring.to_string()).unwrap();
        let (before, after) = ("\\".repeat(256), "\"".repeat(256));
        let started = person.reply(json!({"enroll_totp": {"session": before, "label": "ann"}}));
        person.secret = started["secret"].as_str().unwrap().replace(' ', "");
        let code = person.code();
        person.reply(json!({"confirm_totp": {"session": before, "code": code}}));
        person.now += 60;
        let ticket = person.reply(json!({"begin": {"session": before}}))["ticket"].as_str().unwrap().to_owned();
        let verify = json!({"session": before, "newSession": after, "ticket": ticket, "method": "totp", "code": person.code()});
        let pass = person.reply(json!({"verify": verify}))["pass"].as_str().unwrap().to_owned();
        // Room for the account, which is as long as a user id, and for the name of a cookie.
        let account = (r#","account":"""#.len() + 512) * 4 / 3 + 4;
        for token in [&ticket, &pass] {
            assert!(token.len() > 1_024 && token.len() + account <= MAX_TOKEN, "{alg}: {}", token.len());
        }
    }
    const { assert!(MAX_TOKEN + 64 <= COOKIE) }
}

/// The largest record that the rules write is read again.
#[test]
fn the_largest_record_is_read() {
    let policy = json!({
        "v": 1, "name": "Acme", "origin": "https://acme.example", "methods": ["totp", "sms", "backup_code", "recovery_code"],
        "sms": {"perMinute": 10, "perHour": 50, "perDay": 100, "cooldownSeconds": 10},
        "backupCodes": {"count": 20, "memoryKib": 7_168, "passes": 5, "keepForShowing": true},
    });
    let policy = Policy::parse(&policy.to_string()).unwrap();
    let long = "\"".repeat(256);
    let mut owner = Person::enrolled(&"\\".repeat(256), policy.clone());
    let mut person = Person::enrolled(&long, policy);
    for _ in 0..98 {
        let ticket = person.ticket();
        assert_eq!(person.reply(json!({"send_sms": {"session": "s", "ticket": ticket}}))["result"], "sms_sent");
        person.now += 800;
    }
    owner.now = person.now;
    let enroll = json!({"session": "in", "pass": person.log_in("in"), "label": long});
    let by = json!({"user": owner.user, "session": "owner", "pass": owner.log_in("owner"), "role": "owner"});
    person.issuer.clone_from(&owner.record);
    assert_eq!(person.reply(json!({"issue_recovery_code": {"by": by}}))["result"], "recovery_code");
    assert_eq!(person.reply(json!({"enroll_totp": enroll}))["result"], "totp_started");
    let (id, text) = (person.id(), person.record.unwrap());
    assert!(Record::parse(&id, &text).is_ok());
    // The guides say that a record is usually below 8 KiB; this one has a hundred messages and twenty codes.
    assert!(text.len() > 4_000 && text.len() < 16_384, "{}", text.len());
}

/// Ids are refused where they enter, in every place.
#[test]
fn an_id_past_its_limit_is_refused_where_it_enters() {
    for bad in ["", "a\n", "a\u{85}", &"a".repeat(257), &"é".repeat(129)] {
        assert_eq!(UserId::new(bad).unwrap_err().code, ErrorCode::InvalidInput, "{bad:?}");
        assert_eq!(SessionId::new(bad).unwrap_err().code, ErrorCode::InvalidInput, "{bad:?}");
    }
    assert!(UserId::new(&"é".repeat(128)).is_ok());
}

fn pending(person: &Person, command: &Value) -> Pending {
    let id = person.id();
    let record = person.record.as_ref().map_or_else(|| Record::new(id.clone()), |text| Record::parse(&id, text).unwrap());
    let env =
        Env { now: UnixSeconds::new(person.now).unwrap(), client: person.ip, roles: person.roles.clone(), entropy: Entropy::new([9; 32]) };
    step(&person.policy, &person.keys, record, Command::parse(&command.to_string()).unwrap(), env).unwrap()
}

fn key_of(user: &str, number: &str) -> String {
    let person = Person::new(user, policy(json!({})));
    let pending = pending(&person, &json!({"enroll_sms": {"session": "s", "number": number}}));
    let limit = pending.limit().unwrap();
    assert_eq!((limit.seconds, limit.max), (86_400, 10));
    limit.key.clone()
}

/// The host counts set-up messages by a key that names the number to nobody.
#[test]
fn a_set_up_message_has_a_limit_for_its_number_over_all_users() {
    let key = key_of("ann", "+61412345678");
    assert_eq!(key, key_of("bob", "+61 412 345 678"));
    assert_ne!(key, key_of("ann", "+61412345679"));
    assert_eq!(key.len(), 43);

    let mut person = ann();
    let ticket = person.ticket();
    let login = pending(&person, &json!({"send_sms": {"session": "s", "ticket": ticket}}));
    assert!(login.limit().is_none() && login.to_store().is_some(), "a login depends on no counter");
    let refused = pending(&Person::new("ann", policy(json!({}))), &json!({"enroll_sms": {"session": "s", "number": "+1"}}));
    assert!(refused.limit().is_none(), "a message that is refused anyway is not counted");
}

#[test]
fn past_its_limit_a_set_up_message_is_not_sent_and_nothing_is_stored() {
    let person = Person::new("ann", policy(json!({})));
    for (reason, named, wait) in [(OverLimit::Reached, "number_budget", 86_400), (OverLimit::NotCounted, "count_failed", 60)] {
        let over = pending(&person, &json!({"enroll_sms": {"session": "s", "number": "+61412345678"}})).over_limit(reason);
        assert!(over.to_store().is_none() && over.limit().is_none());
        let (reply, effects) = over.stored();
        let reply = serde_json::to_value(&reply).unwrap();
        assert_eq!(reply, json!({"result": "sms_refused", "reason": named, "retryAt": person.now + wait}));
        let [Effect::Log(event)] = effects.as_slice() else { panic!("{effects:?}") };
        assert_eq!((&json!(event.kind), event.user.as_str()), (&json!({"event": "sms_refused", "reason": named}), "ann"));
    }
}
