//! A record's life as data: `tests/scenarios/*.json`, run here and in Node through WebAssembly.
//! The format is described in `tests/scenarios/README.md`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use countersign::client_ip::ClientIp;
use countersign::effect::Effect;
use countersign::engine::{Command, Env, step};
use countersign::entropy::Entropy;
use countersign::ids::UserId;
use countersign::keys::KeyRing;
use countersign::policy::Policy;
use countersign::record::Record;
use countersign::time::UnixSeconds;
use countersign::totp::{TotpParameters, TotpSecret};
use serde_json::Value;

const KEYS: &str = include_str!("../vectors/keys.json");

#[test]
fn every_scenario_gives_its_replies() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    assert!(files.len() >= 12, "scenarios are missing");
    let mut steps = 0;
    for file in files {
        let scenario: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        steps += run(&name, &scenario);
    }
    assert!(steps > 150, "steps are missing: {steps}");
}

fn run(name: &str, scenario: &Value) -> usize {
    let keys = KeyRing::parse(KEYS).unwrap();
    let mut policy = Policy::parse(&scenario["policy"].to_string()).unwrap_or_else(|e| panic!("{name}: {e}"));
    let mut records: BTreeMap<String, String> = BTreeMap::new();
    let mut saved: BTreeMap<String, String> = BTreeMap::new();
    let steps = scenario["steps"].as_array().unwrap();
    for (index, given) in steps.iter().enumerate() {
        let place = format!("{name}, step {index} ({})", given["why"].as_str().unwrap_or("-"));
        if let Some(next) = given.get("policy") {
            policy = Policy::parse(&next.to_string()).unwrap_or_else(|e| panic!("{place}: {e}"));
            continue;
        }
        let now = given["at"].as_u64().unwrap();
        let user = given["user"].as_str().unwrap();
        let id = UserId::new(user).unwrap();
        let record = records.get(user).map_or_else(|| Record::new(id.clone()), |text| Record::parse(&id, text).unwrap());
        let command = fill(&given["do"], &saved, now);
        let command = Command::parse(&command.to_string()).unwrap_or_else(|e| panic!("{place}: {e}"));
        let mut seed = [0; 32];
        seed[0] = u8::try_from(index).unwrap();
        let env = Env {
            now: UnixSeconds::new(now).unwrap(),
            client: given["ip"].as_str().map_or(ClientIp::Unknown, ClientIp::parse),
            entropy: Entropy::new(seed),
        };
        let pending = step(&policy, &keys, record, command, env).unwrap_or_else(|e| panic!("{place}: {e}"));
        if let Some(record) = pending.to_store() {
            records.insert(user.to_owned(), record.to_text());
        }
        let (reply, effects) = pending.stored();
        let reply = serde_json::to_value(&reply).unwrap();
        assert_contains(&reply, &given["expect"], &place);
        let sms: Vec<_> = effects.iter().filter_map(|effect| if let Effect::Sms(sms) = effect { Some(sms) } else { None }).collect();
        if let Some(expected) = given.get("sms") {
            assert_eq!(sms.len() as u64, expected.as_u64().unwrap(), "{place}: messages sent");
        }
        for (variable, path) in given.get("save").and_then(Value::as_object).into_iter().flatten() {
            let path = path.as_str().unwrap();
            let value = match path {
                "sms" => sms.last().unwrap().template.code.0.clone(),
                path => path
                    .split('.')
                    .fold(&reply, |at, key| key.parse::<usize>().map_or_else(|_| &at[key], |i| &at[i]))
                    .as_str()
                    .unwrap_or_else(|| panic!("{place}: no {path}"))
                    .to_owned(),
            };
            saved.insert(variable.clone(), value);
        }
    }
    steps.len()
}

/// Replaces `$name` by what was saved, and `$totp name` by the code of that secret at the time.
fn fill(value: &Value, saved: &BTreeMap<String, String>, now: u64) -> Value {
    match value {
        Value::String(text) => match text.strip_prefix("$totp ") {
            Some(name) => {
                let secret = TotpSecret::from_base32(&saved[name]).unwrap();
                let step = TotpParameters::DEFAULT.step_at(UnixSeconds::new(now).unwrap());
                let code = secret.code_at(TotpParameters::DEFAULT, step);
                Value::String(code.as_str().to_owned())
            }
            None => Value::String(text.strip_prefix('$').map_or_else(|| text.clone(), |name| saved[name].clone())),
        },
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), fill(value, saved, now))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => value.clone(),
    }
}

/// Everything that is expected is there; lists must match element by element.
fn assert_contains(actual: &Value, expected: &Value, place: &str) {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => {
            for (key, value) in expected {
                match actual.get(key) {
                    Some(found) => assert_contains(found, value, &format!("{place}, {key}")),
                    None => assert!(value.is_null(), "{place}: no `{key}` in {:?}", actual.keys()),
                }
            }
        }
        (Value::Array(actual), Value::Array(expected)) => {
            assert_eq!(actual.len(), expected.len(), "{place}: length of {actual:?}");
            actual.iter().zip(expected).for_each(|(a, e)| assert_contains(a, e, place));
        }
        (actual, expected) => assert_eq!(actual, expected, "{place}"),
    }
}
