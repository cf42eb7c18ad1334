//! The vectors, through the public interface of the core. The same files are read through the
//! npm package by the Node tests. Expected values come from the RFCs or by hand, never from our own output.
#![expect(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

use countersign::client_ip::ClientIp;
use countersign::error::{Error, ErrorCode};
use countersign::ids::{AccountId, RecordId, SessionId, UserId};
use countersign::keys::KeyRing;
use countersign::network_set::NetworkSet;
use countersign::otpauth::OtpAuth;
use countersign::policy::{Channel, Enrollment, Facts, People, Policy, Roles, explain, review};
use countersign::time::UnixSeconds;
use countersign::token::{Pass, TokenError};
use countersign::totp::{TotpAlgorithm, TotpParameters, TotpSecret};
use countersign::typed_code::Digits;
use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{Signer as _, SigningKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

macro_rules! vectors {
    ($name:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!("vectors/", $name, ".json"))).unwrap()
    };
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is not text"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("{value} is not a list"))
}

fn texts(value: &Value) -> Vec<String> {
    list(value).iter().map(|v| text(v).to_owned()).collect()
}

fn number<T: TryFrom<u64>>(value: &Value) -> T {
    value.as_u64().and_then(|number| T::try_from(number).ok()).unwrap_or_else(|| panic!("{value} is no such number"))
}

fn algorithm(name: &Value) -> TotpAlgorithm {
    let known = [TotpAlgorithm::SHA1, TotpAlgorithm::SHA256, TotpAlgorithm::SHA512];
    known.into_iter().find(|algorithm| json!(algorithm) == *name).unwrap_or_else(|| panic!("{name} is no algorithm"))
}

fn at(seconds: &Value) -> UnixSeconds {
    UnixSeconds::new(seconds.as_u64().unwrap()).unwrap()
}

/// The wrong document of a row: `base` with the change of the row.
fn document(base: &Value, row: &Value) -> String {
    if let Some(text) = row["text"].as_str() {
        return text.to_owned();
    }
    let mut document = base.clone();
    if let Some(name) = row["without"].as_str() {
        document.as_object_mut().unwrap().remove(name).expect("it was there");
    }
    for (key, value) in row["set"].as_object().into_iter().flatten() {
        document[key] = value.clone();
    }
    document.to_string()
}

#[test]
fn rfc4226_hotp_values() {
    let vectors = vectors!("rfc4226");
    let secret = TotpSecret::from_base32(text(&vectors["secret"])).unwrap();
    let codes = texts(&vectors["codes"]);
    assert_eq!(codes.len(), 10);
    for (counter, code) in (0_u64..).zip(&codes) {
        assert_eq!(secret.code_at(TotpParameters::DEFAULT, counter).as_str(), code);
        let now = UnixSeconds::new(counter * 30).unwrap();
        let typed = Digits::parse(code, 6).unwrap();
        assert_eq!(secret.verify(TotpParameters::DEFAULT, &typed, now, 0, None), Some(counter));
        assert_eq!(secret.verify(TotpParameters::DEFAULT, &typed, now, 0, Some(counter)), None, "used");
    }
}

#[test]
fn rfc6238_totp_values() {
    let vectors = vectors!("rfc6238");
    let rows = list(&vectors["codes"]);
    assert_eq!(rows.len(), 18);
    for row in rows {
        let (digits, period) = (number(&vectors["digits"]), number(&vectors["periodSeconds"]));
        let parameters = TotpParameters::new(algorithm(&row["algorithm"]), digits, period).unwrap();
        let secret = TotpSecret::from_base32(text(&vectors["secrets"][text(&row["algorithm"])])).unwrap();
        let now = at(&row["time"]);
        assert_eq!(secret.code_at(parameters, parameters.step_at(now)).as_str(), text(&row["code"]), "{row}");
        let typed = Digits::parse(text(&row["code"]), parameters.digits()).unwrap();
        assert_eq!(secret.verify(parameters, &typed, now, 1, None), Some(now.seconds() / 30), "{row}");
    }
}

#[test]
fn rfc4648_base32() {
    let vectors = vectors!("rfc4648");
    let block = &vectors["block"];
    let times = usize::try_from(block["times"].as_u64().unwrap()).unwrap();
    let (block_text, block_base32) = (text(&block["text"]).repeat(times), text(&block["base32"]).repeat(times));
    for vector in list(&vectors["vectors"]) {
        let (plain, base32) = (text(&vector["text"]), text(&vector["base32"]));
        let secret = TotpSecret::from_bytes(format!("{block_text}{plain}").as_bytes()).unwrap();
        let encoded = format!("{block_base32}{base32}");
        let unpadded = encoded.trim_end_matches('=');
        assert_eq!(secret.to_base32(), unpadded);
        assert_eq!(TotpSecret::from_base32(&encoded).unwrap().to_base32(), unpadded);
        assert_eq!(TotpSecret::from_base32(unpadded).unwrap().to_base32(), unpadded);
        assert_eq!(TotpSecret::from_base32(base32).unwrap_err().path, "secret", "alone it is too short");
    }
    for spelling in texts(&vectors["spellings"]) {
        assert_eq!(TotpSecret::from_base32(&spelling).unwrap().to_base32(), "MZXW6YTB".repeat(4), "{spelling}");
    }
    for row in list(&vectors["refused"]) {
        match TotpSecret::from_base32(text(&row["base32"])) {
            Ok(_) => panic!("{row} was read"),
            Err(Error { code, path, .. }) => assert_eq!((code, path.as_str()), (ErrorCode::InvalidInput, "secret"), "{row}"),
        }
    }
}

fn known(text: &str) -> core::net::IpAddr {
    match ClientIp::parse(text) {
        ClientIp::Known(address) => address,
        ClientIp::Unknown => panic!("{text} was not read"),
    }
}

#[test]
fn networks_contain_exactly_the_addresses_of_the_table() {
    for row in list(&vectors!("networks")["membership"]) {
        let set = NetworkSet::parse(&texts(&row["networks"])).unwrap();
        for address in texts(&row["inside"]) {
            assert!(set.contains(known(&address), UnixSeconds::EPOCH), "{address} is in {}", row["networks"]);
        }
        for address in texts(&row["outside"]) {
            assert!(!set.contains(known(&address), UnixSeconds::EPOCH), "{address} is not in {}", row["networks"]);
        }
    }
}

#[test]
fn t22_every_spelling_is_one_address() {
    for spellings in list(&vectors!("networks")["spellings"]) {
        let spellings = texts(spellings);
        let only = NetworkSet::parse(&[spellings[0].clone()]).unwrap();
        for spelling in &spellings {
            assert_eq!(known(spelling), known(&spellings[0]), "{spelling}");
            assert!(only.contains(known(spelling), UnixSeconds::EPOCH), "{spelling}");
        }
    }
}

#[test]
fn t23_lax_addresses_are_unknown() {
    let table = vectors!("networks");
    for text in texts(&table["notAddresses"]) {
        assert_eq!(ClientIp::parse(&text), ClientIp::Unknown, "{text:?}");
        assert_eq!(ClientIp::parse_with_port(&text), ClientIp::Unknown, "{text:?}");
    }
    for text in texts(&table["addressesWithPort"]) {
        assert_eq!(ClientIp::parse(&text), ClientIp::Unknown, "{text:?}");
        assert_ne!(ClientIp::parse_with_port(&text), ClientIp::Unknown, "{text:?}");
    }
}

#[test]
fn t23_lax_networks_are_refused() {
    let mut wrong = Vec::new();
    for row in list(&vectors!("networks")["notNetworks"]) {
        match NetworkSet::parse(&texts(&row["networks"])) {
            Ok(_) => wrong.push(format!("{row} was read")),
            Err(error) if (error.code, &error.path) == (ErrorCode::InvalidPolicy, &format!("[{}]", row["index"])) => {}
            Err(error) => wrong.push(format!("{row}: {error:?}")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The one row that matches the facts. Fails on a gap or an overlap in the table.
fn only_row<'a>(rows: &'a [Value], facts: &[(&str, Value)]) -> &'a Value {
    let hits: Vec<_> = rows
        .iter()
        .filter(|row| facts.iter().all(|(key, value)| row[*key] == *value || row[*key].as_array().is_some_and(|l| l.contains(value))))
        .collect();
    assert_eq!(hits.len(), 1, "{facts:?}");
    hits[0]
}

#[test]
fn every_login_is_decided_as_the_table_says() {
    let table = vectors!("policy");
    let rows = |name: &str| list(&table[name]).to_vec();
    let (forced_rows, address_rows, login_rows) = (rows("forced"), rows("addresses"), rows("logins"));
    let mut count = 0;
    for (require, require_document) in table["require"].as_object().unwrap() {
        for (network, network_document) in table["network"].as_object().unwrap() {
            let document = json!({"v": 1, "name": "Acme", "origin": "https://login.acme.example", "require": require_document, "network": network_document});
            let policy = Policy::parse(&document.to_string()).unwrap();
            for (from, ip) in table["from"].as_object().unwrap() {
                let place = [("require", json!(require)), ("network", json!(network)), ("from", json!(from))];
                let forced = only_row(&forced_rows, &[place[0].clone(), place[2].clone()])["forced"].clone();
                let address = only_row(&address_rows, &place);
                for (channel, enrollment, recovery_code) in [Channel::Web, Channel::Api]
                    .into_iter()
                    .flat_map(|c| {
                        [Enrollment::Never, Enrollment::None, Enrollment::Usable, Enrollment::Unusable, Enrollment::Reset].map(|e| (c, e))
                    })
                    .flat_map(|(c, e)| [false, true].map(|r| (c, e, r)))
                {
                    count += 1;
                    let mut rules = address["rules"].clone();
                    let decision = if address["denied"].is_null() {
                        let login = only_row(
                            &login_rows,
                            &[
                                ("channel", json!(channel)),
                                ("forced", forced.clone()),
                                ("enrollment", json!(enrollment)),
                                ("recoveryCode", json!(recovery_code)),
                                ("allowRule", address["allowRule"].clone()),
                            ],
                        );
                        let met = rules.as_array_mut().unwrap();
                        met.push(table["forcedRules"][text(&forced)].clone());
                        met.extend(list(&login["rules"]).iter().cloned());
                        match text(&login["outcome"]) {
                            "denied" => json!({"outcome": "denied", "reason": login["reason"]}),
                            outcome => json!({"outcome": outcome}),
                        }
                    } else {
                        json!({"outcome": "denied", "reason": address["denied"]})
                    };
                    let client = ip.as_str().map_or(ClientIp::Unknown, ClientIp::parse);
                    let explained = explain(
                        &policy,
                        &Facts { now: UnixSeconds::EPOCH, client, roles: &Roles::Unknown, channel, enrollment, plan: None, recovery_code },
                    );
                    let case = format!("{place:?} {channel:?} {enrollment:?} {recovery_code}");
                    assert_eq!(json!(explained.decision), decision, "{case}");
                    assert_eq!(json!(explained.rules), rules, "{case}");
                }
            }
        }
    }
    assert_eq!(count, 3 * 4 * 6 * 20);
}

#[test]
fn every_row_of_the_decisions_is_decided_as_it_says() {
    let table = vectors!("decisions");
    let (mut count, mut wrong) = (0, Vec::new());
    for group in list(&table["groups"]) {
        let base = json!({"v": 1, "name": "Acme", "origin": "https://login.acme.example"});
        let policy = Policy::parse(&document(&base, &json!({"set": group["set"]}))).unwrap_or_else(|error| panic!("{group}: {error}"));
        for row in list(&group["rows"]).iter().map(text) {
            count += 1;
            let (question, answer) = row.split_once(" -> ").unwrap();
            let (outcome, rules) = answer.split_once(" by ").unwrap();
            let mut words = question.split(' ');
            let (channel, from, enrollment) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
            let (mut roles, mut seconds, mut plan, mut recovery_code) = (Roles::Unknown, 0, None, false);
            for word in words {
                match word.split_once('=') {
                    None if word == "code" => recovery_code = true,
                    Some(("plan", name)) => plan = Some(name),
                    Some(("at", shift)) => seconds = shift.parse().unwrap(),
                    Some(("roles", "")) => roles = Roles::Known(Vec::new()),
                    Some(("roles", names)) => roles = Roles::Known(names.split(',').map(str::to_owned).collect()),
                    _ => panic!("{row}: {word}"),
                }
            }
            let facts = Facts {
                now: UnixSeconds::new(table["now"].as_u64().unwrap().checked_add_signed(seconds).unwrap()).unwrap(),
                client: table["from"].get(from).unwrap().as_str().map_or(ClientIp::Unknown, ClientIp::parse),
                roles: &roles,
                channel: serde_json::from_value(json!(channel)).unwrap(),
                enrollment: serde_json::from_value(json!(enrollment)).unwrap(),
                plan,
                recovery_code,
            };
            let decision = match outcome {
                "allowed" | "challenge" | "set_up" => json!({"outcome": outcome}),
                reason => json!({"outcome": "denied", "reason": reason}),
            };
            let expected = json!({"decision": decision, "rules": rules.split(' ').collect::<Vec<_>>()});
            let explained = json!(explain(&policy, &facts));
            if explained != expected {
                wrong.push(format!("{}: {row}, but {explained}", group["about"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(count >= 300, "{count} rows");
}

/// Each change of policy has the consequences that the table lists. The rows are written by hand.
#[test]
fn reviews_find_what_the_table_lists() {
    let table = vectors!("reviews");
    assert!(list(&table["reviews"]).len() >= 33, "rows are missing");
    for row in list(&table["reviews"]) {
        let with = |changes: &Value| Policy::parse(&document(&table["base"], &json!({"set": changes}))).unwrap();
        let policy = match row.get("policies") {
            Some(policies) => Policy::of_all(list(policies).iter().map(with).collect()).unwrap(),
            None => with(&row["policy"]),
        };
        let people: People = serde_json::from_value(row["people"].clone()).unwrap();
        let found = serde_json::to_value(review(&policy, &people, UnixSeconds::new(1_800_000_000).unwrap())).unwrap();
        let mut expected = json!({
            "needRecoveryCode": [], "setUpByPassword": [], "blockedUsers": [], "blockedApiClients": [], "forgottenFamilies": [],
            "locksOutAuthor": false, "locksOutOwners": false, "noRescue": false, "refused": false,
        });
        for (field, value) in row["expect"].as_object().unwrap() {
            expected[field] = value.clone();
        }
        assert_eq!(found, expected, "{}", row["about"]);
    }
}

#[test]
fn wrong_policies_are_refused_where_they_are_wrong() {
    let table = vectors!("policy-invalid");
    for set in list(&table["valid"]) {
        Policy::parse(&document(&table["base"], &json!({"set": set}))).unwrap_or_else(|error| panic!("{set}: {error}"));
    }
    let mut wrong = Vec::new();
    for row in list(&table["refused"]) {
        match Policy::parse(&document(&table["base"], row)) {
            Ok(_) => wrong.push(format!("{row} was read")),
            Err(error) if (error.code, error.path.as_str()) == (ErrorCode::InvalidPolicy, text(&row["path"])) => {}
            Err(error) => wrong.push(format!("{row}: {error:?}")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn wrong_key_rings_are_refused_where_they_are_wrong() {
    let table = vectors!("keys-invalid");
    for set in list(&table["valid"]) {
        KeyRing::parse(&document(&table["base"], &json!({"set": set}))).unwrap_or_else(|error| panic!("{set}: {error}"));
    }
    let mut wrong = Vec::new();
    for row in list(&table["refused"]) {
        match KeyRing::parse(&document(&table["base"], row)) {
            Ok(_) => wrong.push(format!("{row} was read")),
            Err(error) if (error.code, error.path.as_str()) == (ErrorCode::InvalidKeys, text(&row["path"])) => {}
            Err(error) => wrong.push(format!("{row}: {error:?}")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn c16_otpauth_uris_are_read_as_apps_read_them_and_ours_strictly() {
    let table = vectors!("otpauth");
    for row in list(&table["read"]) {
        let otpauth = OtpAuth::parse(text(&row["uri"])).unwrap_or_else(|error| panic!("{row}: {error}"));
        assert_eq!((otpauth.issuer.as_str(), otpauth.label.as_str()), (text(&row["issuer"]), text(&row["label"])));
        assert_eq!(otpauth.secret.to_base32(), text(&row["secret"]));
        let parameters = TotpParameters::new(algorithm(&row["algorithm"]), number(&row["digits"]), number(&row["periodSeconds"])).unwrap();
        assert_eq!(otpauth.parameters, parameters, "{row}");
        let strict = OtpAuth::parse_strict(text(&row["uri"]));
        if row["written"] == true {
            assert_eq!(otpauth.to_uri(), text(&row["uri"]));
            assert!(strict.is_ok(), "{row}");
        } else {
            assert_eq!(strict.err().map(|error| error.code), Some(ErrorCode::InvalidUri), "{row} is not of our form");
        }
    }
    let mut wrong = Vec::new();
    for row in list(&table["refused"]) {
        match OtpAuth::parse(text(&row["uri"])) {
            Ok(_) => wrong.push(format!("{row} was read")),
            Err(error) if (error.code, error.path.as_str()) == (ErrorCode::InvalidUri, text(&row["path"])) => {}
            Err(error) => wrong.push(format!("{row}: {error:?}")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for row in list(&table["notWritten"]) {
        let mut fields =
            json!({"issuer": "Acme", "label": "ann", "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "digits": 6, "periodSeconds": 30});
        for (key, value) in row["set"].as_object().unwrap() {
            fields[key] = value.clone();
        }
        let written = TotpParameters::new(TotpAlgorithm::SHA1, number(&fields["digits"]), number(&fields["periodSeconds"]))
            .and_then(|parameters| Ok((parameters, TotpSecret::from_base32(text(&fields["secret"]))?)))
            .and_then(|(parameters, secret)| OtpAuth::new(text(&fields["issuer"]), text(&fields["label"]), secret, parameters));
        match written {
            Ok(_) => panic!("{row} was written"),
            Err(error) => assert_eq!((error.code, error.path.as_str()), (ErrorCode::InvalidInput, text(&row["path"])), "{row}"),
        }
    }
}

fn bytes(base64url: &Value) -> Vec<u8> {
    BASE64URL_NOPAD.decode(text(base64url).as_bytes()).unwrap()
}

fn eddsa(seed: &[u8], input: &str) -> Vec<u8> {
    SigningKey::from_bytes(&seed.try_into().unwrap()).sign(input.as_bytes()).to_bytes().to_vec()
}

fn hs256(key: &[u8], input: &str) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(input.as_bytes()).finalize().into_bytes().to_vec()
}

/// These tests sign with a signer of their own, which must give the RFCs' signatures.
#[test]
fn rfc7515_and_rfc8037_signatures() {
    let table = vectors!("tokens");
    let (ed, hs) = (&table["rfc8037"], &table["rfc7515"]);
    assert_eq!(eddsa(&bytes(&ed["d"]), text(&ed["input"])), bytes(&ed["signature"]));
    assert_eq!(hs256(&bytes(&hs["k"]), text(&hs["input"])), bytes(&hs["signature"]));
    let keys = KeyRing::parse(&table["keys"].to_string()).unwrap();
    let jwks = serde_json::to_value(keys.signing().jwks()).unwrap();
    let public = json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "ed", "x": ed["x"]});
    assert_eq!(jwks, json!({"keys": [public]}), "the RFC's public key, and no HS256 secret");
}

#[test]
fn t29_hostile_passes_are_refused() {
    let table = vectors!("tokens");
    let policy = Policy::parse(&table["policy"].to_string()).unwrap();
    let keys = KeyRing::parse(&table["keys"].to_string()).unwrap();
    let now = at(&table["now"]);
    let user = UserId::new(text(&table["user"])).unwrap();
    let account = table["account"].as_str().map(|account| AccountId::new(account).unwrap());
    let (subject, session) = (RecordId::new(account, user), SessionId::new(text(&table["session"])).unwrap());
    let open = |token: &str| match Pass::open(&policy, keys.signing(), token, now).and_then(|pass| pass.of(&subject, &session)) {
        Ok(_) => "valid",
        Err(TokenError::Invalid) => "invalid",
        Err(TokenError::Expired) => "expired",
        Err(TokenError::OtherAccount) => "other_account",
        Err(TokenError::OtherUser) => "other_user",
        Err(TokenError::OtherSession) => "other_session",
        Err(TokenError::TooOld | TokenError::MethodNotAccepted | TokenError::Revoked) => "not asked here",
    };
    let mut wrong = Vec::new();
    for case in list(&table["cases"]) {
        let part = |name: &str| {
            let mut part = text(&table[name]).to_owned();
            if let Some(change) = case[name].as_array() {
                assert!(part.contains(text(&change[0])), "{case}");
                part = part.replace(text(&change[0]), text(&change[1])).replace("<3000 times a>", &"a".repeat(3_000));
            }
            BASE64URL_NOPAD.encode(part.as_bytes())
        };
        let input = format!("{}.{}", part("header"), part("claims"));
        let signature = match case["sign"].as_str().unwrap_or("ed") {
            "ed" => eddsa(&bytes(&table["rfc8037"]["d"]), &input),
            "hs" => hs256(&bytes(&table["rfc7515"]["k"]), &input),
            "public as secret" => hs256(&bytes(&table["rfc8037"]["x"]), &input),
            "other" => eddsa(&bytes(&table["otherSeed"]), &input),
            "nothing" => Vec::new(),
            other => panic!("unknown signer {other}"),
        };
        let around = |name: &str| case[name].as_str().unwrap_or_default();
        let token = format!("{}{input}.{}{}", around("before"), BASE64URL_NOPAD.encode(&signature), around("after"));
        let opened = open(&token);
        if opened != text(&case["result"]) {
            wrong.push(format!("{case}: {opened}"));
        }
    }
    for rfc in ["rfc7515", "rfc8037"] {
        let token = format!("{}.{}", text(&table[rfc]["input"]), text(&table[rfc]["signature"]));
        assert_eq!(open(&token), "invalid", "well signed, but no pass");
    }
    for token in ["", ".", "..", "...", "e30.e30.", "\u{0}", "é.é.é"] {
        assert_eq!(open(token), "invalid", "{token:?}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A pass with one changed symbol, anywhere, is refused.
#[test]
fn t29_every_symbol_of_a_pass_counts() {
    let table = vectors!("tokens");
    let policy = Policy::parse(&table["policy"].to_string()).unwrap();
    let keys = KeyRing::parse(&table["keys"].to_string()).unwrap();
    let part = |name: &str| BASE64URL_NOPAD.encode(text(&table[name]).as_bytes());
    let input = format!("{}.{}", part("header"), part("claims"));
    let token = format!("{input}.{}", BASE64URL_NOPAD.encode(&eddsa(&bytes(&table["rfc8037"]["d"]), &input)));
    assert!(Pass::open(&policy, keys.signing(), &token, at(&table["now"])).is_ok());
    for index in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert_eq!(Pass::open(&policy, keys.signing(), &changed, at(&table["now"])).err(), Some(TokenError::Invalid), "{index}");
    }
}
