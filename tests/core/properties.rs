//! Properties that hold for every sequence of commands, every policy and every spelling.

use std::collections::BTreeSet;

use crate::support::{ann, keys, policy};
use countersign::client_ip::ClientIp;
use countersign::ids::{RecordId, UserId};
use countersign::keys::KeyRing;
use countersign::network_set::{AddressFamily, NetworkSet};
use countersign::otpauth::OtpAuth;
use countersign::phone::PhoneNumber;
use countersign::policy::{Channel, Decision, Enrollment, Facts, Policy, Reason, Roles, explain};
use countersign::record::Record;
use countersign::time::UnixSeconds;
use countersign::token::Pass;
use countersign::typed_code::{Digits, LongCode};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A move of a user at a login. Moves come in any order.
#[derive(Debug, Clone)]
enum Move {
    Wait(u64),
    RightTotp,
    OldTotp(usize),
    WrongTotp(u32),
    SendSms,
    Sms(bool),
    Begin,
    WrongRecovery,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        (0..4_000_u64).prop_map(Move::Wait),
        (0..40_u64).prop_map(Move::Wait),
        Just(Move::RightTotp),
        (0..20_usize).prop_map(Move::OldTotp),
        (0..1_000_000_u32).prop_map(Move::WrongTotp),
        Just(Move::SendSms),
        any::<bool>().prop_map(Move::Sms),
        Just(Move::Begin),
        Just(Move::WrongRecovery),
    ];
    prop::collection::vec(one, 1..60)
}

/// The first eighth of all addresses in a network, the length of its prefix, and its end.
type Block = (u8, u8, Option<UnixSeconds>);

fn blocks() -> impl Strategy<Value = Vec<Block>> {
    let until = prop_oneof![4 => Just(None), 1 => Just(UnixSeconds::new(crate::support::START))];
    let one = (0..8_u8, 0..=3_u8, until).prop_map(|(eighth, length, until)| (eighth >> (3 - length) << (3 - length), length, until));
    prop::collection::vec(one, 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// T1, T7: no code is accepted twice, and no command but success lowers the count.
    #[test]
    fn no_code_works_twice_and_only_success_lowers_the_count(moves in moves()) {
        let mut person = ann();
        let mut accepted: BTreeSet<String> = BTreeSet::new();
        let mut seen = Vec::new();
        let mut sms = None;
        let mut ticket = person.ticket();
        for one in moves {
            let before = person.failures();
            let verify = |method: &str, code: &str, ticket: &str| json!({"verify": {"ticket": ticket, "session": "s", "method": method, "code": code}});
            let (key, reply) = match one {
                Move::Wait(seconds) => { person.now += seconds; continue }
                Move::Begin => { ticket = person.ticket(); (None, Value::Null) }
                Move::RightTotp => {
                    let code = person.code();
                    seen.push(code.clone());
                    let step = person.now / 30;
                    (Some(format!("totp {step}")), person.reply(verify("totp", &code, &ticket)))
                }
                Move::OldTotp(index) => {
                    let Some(code) = seen.get(index).cloned() else { continue };
                    (None, person.reply(verify("totp", &code, &ticket)))
                }
                Move::WrongTotp(number) => (None, person.reply(verify("totp", &format!("{number:06}"), &ticket))),
                Move::SendSms => {
                    let reply = person.reply(json!({"send_sms": {"ticket": ticket, "session": "s"}}));
                    if reply["result"] == "sms_sent" { sms = Some(person.sms_code()); }
                    (None, reply)
                }
                Move::Sms(right) => {
                    let Some(code) = sms.clone() else { continue };
                    let typed = if right { code } else { "000000".to_owned() };
                    let reply = person.reply(verify("sms", &typed, &ticket));
                    if reply["result"] == "verified" { sms = None; }
                    (None, reply)
                }
                Move::WrongRecovery => (None, person.reply(verify("recovery_code", "0000-0000-0000-0000", &ticket))),
            };
            let verified = reply["result"] == "verified";
            if let (Some(key), true) = (key, verified) {
                prop_assert!(accepted.insert(key.clone()), "{key} was accepted twice");
            }
            if !verified {
                prop_assert!(person.failures() >= before, "{reply} lowered the count");
            }
        }
    }

    /// A stricter policy never admits more: allowed may become stricter, and a challenge never becomes allowed.
    #[test]
    fn decisions_are_monotone(base in loose(), tighter in tighter(), facts in facts()) {
        let strict = tighter.into_iter().fold(base.clone(), |policy, change| change.apply(policy));
        // A policy that is refused lets nobody in.
        let decide = |document: &Value| {
            Policy::parse(&document.to_string()).map_or(Decision::Denied(Reason::AddressDenied), |policy| facts.decide(&policy))
        };
        let (before, after) = (decide(&base), decide(&strict));
        // A missing address is refused because a rule depends on it. Where everyone is forced, no rule
        // does any more: a challenge or set-up may take the place of the refusal, a login without one never.
        let bound = if before == Decision::Denied(Reason::AddressUnknown) { 2 } else { rank(before) };
        prop_assert!(rank(after) <= bound, "{base} → {strict}: {facts:?}");
    }

    /// P9: the `api` list concerns no person, and only ever admits an API client that was blocked or fenced out. After a reset of
    /// its user it admits none.
    #[test]
    fn p9_the_api_list_only_admits_blocked_api_clients(base in loose(), facts in facts()) {
        let mut without = base.clone();
        without["network"]["api"] = json!([]);
        let decide = |document: &Value| facts.decide(&Policy::parse(&document.to_string()).unwrap());
        let (with, without) = (decide(&base), decide(&without));
        if with != without {
            prop_assert_eq!(facts.channel, Channel::Api);
            let is_reset = facts.enrollment == Enrollment::Reset;
            prop_assert_eq!(with, if is_reset { Decision::Denied(Reason::RecoveryCodeRequired) } else { Decision::Allowed });
            prop_assert!(matches!(without, Decision::Denied(Reason::ApiClientBlocked | Reason::AddressNotAllowed)), "{without:?}");
        }
    }

    /// A policy of several accounts lets in only where each of them does; an address rule is named first.
    #[test]
    fn a_policy_of_all_accounts_is_as_strict_as_each(documents in prop::collection::vec(loose(), 1..4), facts in facts()) {
        let policies: Vec<_> = documents.iter().map(|document| Policy::parse(&document.to_string()).unwrap()).collect();
        // The password alone sets up a first factor where all accept it.
        let by_code = documents.iter().any(|document| document["firstFactor"] == "recovery_code");
        let alone = documents.iter().cloned().map(|mut document| {
            if by_code { document["firstFactor"] = json!("recovery_code"); }
            facts.decide(&Policy::parse(&document.to_string()).unwrap())
        });
        let each: Vec<_> = alone.collect();
        let by_address = |decision: &&Decision| matches!(decision, Decision::Denied(reason) if reason.is_about_the_address());
        let expected = *each.iter().find(by_address).or_else(|| each.iter().min_by_key(|decision| rank(**decision))).unwrap();
        prop_assert_eq!(facts.decide(&Policy::of_all(policies).unwrap()), expected, "{:?}", each);
    }

    /// T22: every spelling of an address has one verdict.
    #[test]
    fn every_spelling_of_an_address_has_one_verdict(octets in any::<[u8; 4]>(), prefix in 0_u8..=32, upper in any::<bool>()) {
        let [a, b, c, d] = octets;
        let network: ipnet::Ipv4Net = format!("{a}.{b}.{c}.{d}/{prefix}").parse().unwrap();
        let set = NetworkSet::parse(&[network.trunc().to_string()]).unwrap();
        let hex = format!("::ffff:{:x}:{:x}", u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        let spellings = [
            format!("{a}.{b}.{c}.{d}"),
            format!("::ffff:{a}.{b}.{c}.{d}"),
            if upper { hex.to_uppercase() } else { hex },
            format!("0:0:0:0:0:ffff:{a}.{b}.{c}.{d}"),
            format!("0000:0000:0000:0000:0000:FFFF:{:02x}{:02x}:{:02x}{:02x}", a, b, c, d),
        ];
        for spelling in spellings {
            match ClientIp::parse(&spelling) {
                ClientIp::Known(address) => prop_assert!(set.contains(address, UnixSeconds::EPOCH), "{spelling} is in {network}"),
                ClientIp::Unknown => prop_assert!(false, "{spelling} parses"),
            }
        }
    }

    /// Networks cover what they hold together: looked at eighth by eighth of all addresses, which is the length of the
    /// longest here.
    #[test]
    fn networks_cover_what_they_hold_together(some in blocks(), others in blocks()) {
        let set = |blocks: &[Block]| {
            let texts: Vec<String> = blocks.iter().map(|(first, length, _)| format!("{}.0.0.0/{length}", first << 5)).collect();
            let rules = texts.iter().map(String::as_str).zip(blocks.iter().map(|(_, _, until)| *until));
            NetworkSet::parse_until(rules.chain([("::/0", None)])).unwrap()
        };
        // The same eighths, of an IPv6 network.
        let deep = |blocks: &[Block]| {
            let texts: Vec<String> = blocks.iter().map(|(first, length, _)| format!("2001:db8:0:{:x}00::/{}", first << 5, 48 + length)).collect();
            let rules = texts.iter().map(String::as_str).zip(blocks.iter().map(|(_, _, until)| *until));
            NetworkSet::parse_until(rules).unwrap()
        };
        let holds = |blocks: &[Block], eighth: u8| {
            blocks.iter().any(|(first, length, until)| until.is_none() && (first ^ eighth) >> (3 - length) == 0)
        };
        prop_assert_eq!(set(&some).is_everywhere(), (0..8).all(|eighth| holds(&some, eighth)));
        let is_within = some.iter().all(|(first, length, _)| {
            (0..8_u8).filter(|eighth| (first ^ eighth) >> (3 - length) == 0).all(|eighth| holds(&others, eighth))
        });
        prop_assert_eq!(set(&some).is_within(&set(&others)), is_within);
        prop_assert_eq!(deep(&some).is_within(&deep(&others)), is_within && (some.is_empty() || !others.is_empty()));
        // Without ends, and without a network of IPv6.
        let texts: Vec<String> = some.iter().map(|(first, length, _)| format!("{}.0.0.0/{length}", first << 5)).collect();
        let endless: Vec<Block> = some.iter().map(|(first, length, _)| (*first, *length, None)).collect();
        let forgotten = (0..8).all(|eighth| holds(&endless, eighth)).then_some(AddressFamily::Ipv6);
        prop_assert_eq!(NetworkSet::parse(&texts).unwrap().forgotten_family(UnixSeconds::EPOCH), forgotten);
    }

    /// No input makes a parser panic.
    #[test]
    fn parsers_take_anything(text in ".{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let lossy = String::from_utf8_lossy(&bytes).into_owned();
        let now = UnixSeconds::new(crate::support::START).unwrap();
        let (rules, ring) = (policy(json!({})), keys());
        for text in [text.as_str(), lossy.as_str()] {
            let _ = Digits::parse(text, 6);
            let _ = LongCode::parse(text);
            let _ = PhoneNumber::parse(text);
            let _ = ClientIp::parse(text);
            let _ = OtpAuth::parse(text);
            let _ = OtpAuth::parse(&format!("otpauth://totp/{text}"));
            let _ = OtpAuth::parse(&format!("otpauth://totp/a:b?secret=JBSWY3DPEHPK3PXPJBSWY3DPEH&issuer={text}"));
            prop_assert!(Policy::parse(text).is_err());
            prop_assert!(KeyRing::parse(text).is_err());
            prop_assert!(Pass::open(&rules, ring.signing(), text, now).is_err());
            prop_assert!(Record::parse(&RecordId::from(UserId::new("ann").unwrap()), text).is_err());
        }
    }

    /// T2: white space and hyphens make no other code.
    #[test]
    fn spelling_a_code_differently_is_the_same_code(number in 0_u32..1_000_000, gaps in prop::collection::vec(prop::sample::select(vec![" ", "-", "\u{a0}", "\t", ""]), 7)) {
        let plain = format!("{number:06}");
        let mut typed = gaps[6].to_owned();
        for (digit, gap) in plain.chars().zip(&gaps) {
            typed.push(digit);
            typed.push_str(gap);
        }
        let read = Digits::parse(&typed, 6).unwrap();
        prop_assert_eq!(read.as_str(), plain);
    }
}

/// T36: every code is read as it is written, with its leading zeros.
#[test]
fn t36_every_code_round_trips() {
    for number in 0..1_000_000_u32 {
        let text = format!("{number:06}");
        assert_eq!(Digits::parse(&text, 6).unwrap().as_str(), text);
    }
}

const fn rank(decision: Decision) -> u8 {
    match decision {
        Decision::Allowed => 3,
        Decision::SetUp => 2,
        Decision::Challenge => 1,
        Decision::Denied(_) => 0,
    }
}

#[derive(Debug, Clone)]
enum Tighten {
    Everyone,
    Force(&'static str, Value),
    Deny(String),
    NoApiRule,
    FewerMethods,
    FirstFactorByCode,
}

impl Tighten {
    fn apply(&self, mut policy: Value) -> Value {
        match self {
            Self::Everyone => policy["require"] = json!("everyone"),
            Self::Force(key, list) => {
                if policy["require"] == "optional" {
                    policy["require"] = json!({});
                }
                if policy["require"].is_object() {
                    // More networks or roles force more; fewer networks leave more outside.
                    policy["require"][key] = list.clone();
                }
            }
            Self::Deny(network) => policy["network"]["deny"].as_array_mut().unwrap().push(json!(network)),
            Self::NoApiRule => policy["network"]["api"] = json!([]),
            Self::FewerMethods => policy["methods"] = json!(["totp"]),
            Self::FirstFactorByCode => policy["firstFactor"] = json!("recovery_code"),
        }
        policy
    }
}

fn tighter() -> impl Strategy<Value = Vec<Tighten>> {
    let network = prop::sample::select(vec!["203.0.113.0/24", "10.1.0.0/16", "2001:db8:1::/48", "0.0.0.0/0"]);
    let one = prop_oneof![
        Just(Tighten::Everyone),
        Just(Tighten::Force("networks", json!(["198.51.100.0/24", "10.0.0.0/8", "2001:db8::/32"]))),
        Just(Tighten::Force("outside", json!(["198.51.100.5"]))),
        Just(Tighten::Force("roles", json!(["admin", "sales"]))),
        Just(Tighten::NoApiRule),
        Just(Tighten::FewerMethods),
        Just(Tighten::FirstFactorByCode),
        network.prop_map(|n| Tighten::Deny(n.to_owned()))
    ];
    prop::collection::vec(one, 0..4)
}

fn loose() -> impl Strategy<Value = Value> {
    let require = prop::sample::select(vec![
        json!("optional"),
        json!("everyone"),
        json!({"networks": ["198.51.100.0/24"]}),
        json!({"outside": ["198.51.100.0/24", "2001:db8::/32"]}),
        json!({"roles": ["admin"]}),
        json!({"networks": [{"network": "198.51.100.0/24", "until": crate::support::START}], "roles": ["admin"]}),
    ]);
    let allow = prop::sample::select(vec![json!([]), json!(["203.0.113.0/24", "198.51.100.0/24"]), json!(["::/0", "0.0.0.0/0"])]);
    let api =
        prop::sample::select(vec![json!([]), json!(["10.1.2.3"]), json!([{"network": "192.0.2.0/24", "until": crate::support::START}])]);
    let first_factor = prop::sample::select(vec!["recovery_code", "password"]);
    (require, allow, api, first_factor).prop_map(|(require, allow, api, first_factor)| {
        json!({
            "v": 1, "name": "Acme", "origin": "https://login.acme.example",
            "methods": ["totp", "sms", "backup_code", "recovery_code"],
            "require": require, "firstFactor": first_factor, "network": {"allow": allow, "api": api, "deny": []},
        })
    })
}

/// Facts with roles of their own.
#[derive(Debug)]
struct Given {
    now: u64,
    ip: &'static str,
    roles: Roles,
    channel: Channel,
    enrollment: Enrollment,
    recovery_code: bool,
}

impl Given {
    fn decide(&self, policy: &Policy) -> Decision {
        let Self { now, ip, roles, channel, enrollment, recovery_code } = self;
        let (now, client) = (UnixSeconds::new(*now).unwrap(), ClientIp::parse(ip));
        let facts = Facts { now, client, roles, channel: *channel, enrollment: *enrollment, plan: None, recovery_code: *recovery_code };
        explain(policy, &facts).decision
    }
}

fn facts() -> impl Strategy<Value = Given> {
    let now = prop::sample::select(vec![crate::support::START - 1, crate::support::START]);
    let ip = prop::sample::select(vec!["203.0.113.5", "198.51.100.5", "10.1.2.3", "2001:db8:1::5", "192.0.2.1", "unknown"]);
    let known = |names: &[&str]| Roles::Known(names.iter().map(|name| (*name).to_owned()).collect());
    let roles = prop::sample::select(vec![Roles::Unknown, known(&[]), known(&["admin"]), known(&["sales", "support"])]);
    let channel = prop::sample::select(vec![Channel::Web, Channel::Api]);
    let enrollment =
        prop::sample::select(vec![Enrollment::Never, Enrollment::None, Enrollment::Usable, Enrollment::Unusable, Enrollment::Reset]);
    (now, ip, roles, channel, enrollment, any::<bool>()).prop_map(|(now, ip, roles, channel, enrollment, recovery_code)| Given {
        now,
        ip,
        roles,
        channel,
        enrollment,
        recovery_code,
    })
}
