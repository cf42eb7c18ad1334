//! Plays the stories of `tests/scenarios/*.json` against the core: each command, at its time, gives the reply that the
//! file expects. `tests/shared/scenarios.mjs` plays the same files through WebAssembly.

mod operator_acts;
mod story;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use countersign::client_ip::ClientIp;
use countersign::effect::Effect;
use countersign::engine::{Command, Env, IssueRecoveryCode, issue_recovery_code, reset, step};
use countersign::entropy::Entropy;
use countersign::ids::{AccountId, RecordId, UserId};
use countersign::keys::KeyRing;
use countersign::policy::{Policy, Roles};
use countersign::record::Record;
use countersign::time::UnixSeconds;
use countersign::totp::{TotpParameters, TotpSecret};
use operator_acts::Operated;
use serde_json::{Value, json};
use story::{Action, Step};

const MISTAKES: &str = include_str!("../vectors/stories-invalid.json");
const KEYS: &str = include_str!("../vectors/keys.json");

#[test]
fn every_scenario_gives_its_replies() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "json") && !path.ends_with("defaults.json"));
    files.sort();
    assert!(files.len() >= 17, "scenarios are missing");
    let mut commands = 0;
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        commands += play(&story::read(&name, &std::fs::read_to_string(&file).unwrap()));
    }
    assert!(commands >= 235, "commands are missing: {commands}");
}

#[test]
fn a_mistake_in_a_story_fails() {
    let mistakes: Vec<Value> = serde_json::from_str(MISTAKES).unwrap();
    assert!(mistakes.len() >= 20, "mistakes are missing");
    for mistake in &mistakes {
        let begin = json!({ "why": "policies are read here", "do": "begin", "expect": "allowed" });
        let text = json!({ "title": "-", "about": "-", "steps": [mistake["step"], begin] }).to_string();
        let failure = std::panic::catch_unwind(|| play(&story::read("story.json", &text)));
        let message = failure.err().and_then(|payload| payload.downcast_ref::<String>().cloned());
        assert!(message.as_ref().is_some_and(|text| text.contains("story.json")), "{}: {message:?}", mistake["why"]);
    }
}

enum Saved {
    Text(String),
    App(TotpSecret),
}

/// Plays the steps, and gives the number of commands among them.
fn play(steps: &[Step]) -> usize {
    let keys = KeyRing::parse(KEYS).unwrap();
    let mut policy = None;
    let mut records: BTreeMap<RecordId, String> = BTreeMap::new();
    let mut saved: BTreeMap<&str, Saved> = BTreeMap::new();
    let mut secrets = BTreeSet::new();
    let mut commands = 0;
    for (index, Step { place, at, action }) in steps.iter().enumerate() {
        let command = match action {
            Action::Policy(document) => {
                policy = Some(Policy::parse(&document.to_string()).unwrap_or_else(|e| panic!("{place}: {e}")));
                continue;
            }
            Action::Command(command) => command,
        };
        commands += 1;
        let now = UnixSeconds::new(*at).unwrap();
        let wire = story::each_text(&command.wire, &|text| match text.strip_prefix('$') {
            Some(name) => value_of(&saved, name, *at, place),
            None => text.to_owned(),
        });
        let policy = policy.as_ref().unwrap();
        let account = command.account.as_deref().map(|account| AccountId::new(account).unwrap());
        let id = RecordId::new(account, UserId::new(&command.user).unwrap());
        let record = records.get(&id).map_or_else(|| Record::new(id.clone()), |text| Record::parse(&id, text).unwrap());
        let mut seed = [0; 32];
        seed[0] = u8::try_from(index).unwrap();
        let client = command.ip.as_deref().map_or(ClientIp::Unknown, ClientIp::parse);
        let roles = command.roles.clone().map_or(Roles::Unknown, Roles::Known);
        let env = Env { now, client, roles, entropy: Entropy::new(seed) };
        if let Some(reply) = operator_acts::play(&wire, &mut records, &id, &Operated { policy, keys: &keys, now, seed }, place) {
            assert_contains(&reply, &command.expect, place);
            let code = reply["code"].as_str();
            saved.extend(command.save.keys().filter_map(|variable| Some((variable.as_str(), Saved::Text(code?.to_owned())))));
            continue;
        }
        let pending = if let Some(question) = wire.get("issue_recovery_code").or_else(|| wire.get("reset")) {
            let act = if wire.get("reset").is_some() { reset } else { issue_recovery_code };
            let question = IssueRecoveryCode::parse(&question.to_string()).unwrap_or_else(|e| panic!("{place}: {e}"));
            let by = id.with_user(question.by.user.clone());
            let issuer = records.get(&by).map_or_else(|| Record::new(by.clone()), |text| Record::parse(&by, text).unwrap());
            act(policy, &keys, record, &issuer, &question, env)
        } else {
            let command = Command::parse(&wire.to_string()).unwrap_or_else(|e| panic!("{place}: {e}"));
            step(policy, &keys, record, command, env)
        };
        let pending = pending.unwrap_or_else(|e| panic!("{place}: {e}"));
        if let Some(record) = pending.to_store() {
            records.insert(id, record.to_text());
        }
        let (reply, effects) = pending.stored();
        let reply = serde_json::to_value(&reply).unwrap();
        assert_contains(&reply, &command.expect, place);
        collect_secrets(&wire, "", &mut secrets);
        collect_secrets(&reply, "", &mut secrets);
        for effect in &effects {
            let told = serde_json::to_value(effect).unwrap();
            if matches!(effect, Effect::Sms(_)) {
                collect_secrets(&told, "", &mut secrets);
            } else {
                assert_holds_none(&told, &secrets, place);
            }
        }
        let sms: Vec<_> = effects.iter().filter_map(|effect| if let Effect::Sms(sms) = effect { Some(sms) } else { None }).collect();
        if let Some(expected) = command.sms {
            assert_eq!(sms.len(), expected, "{place}: messages sent");
        }
        for (variable, path) in &command.save {
            let find = |path: &str| reply.pointer(&format!("/{}", path.replace('.', "/"))).and_then(Value::as_str);
            let at = |path: &str| find(path).unwrap_or_else(|| panic!("{place}: no {path} to save")).to_owned();
            let path = path.strip_suffix('?').map_or(Some(&**path), |path| find(path).map(|_| path));
            let Some(path) = path else { continue };
            let value = match path {
                "sms" => Saved::Text(sms.last().unwrap_or_else(|| panic!("{place}: no message to save")).template.code.0.clone()),
                "app" => Saved::App(TotpSecret::from_base32(&at("secret")).unwrap()),
                path => Saved::Text(at(path)),
            };
            saved.insert(variable, value);
        }
    }
    commands
}

/// Fields whose texts are told to one person or none.
const SECRET_FIELDS: [&str; 13] =
    ["ticket", "setup", "newCodes", "code", "codes", "backupCodes", "pass", "secret", "uri", "qrSvg", "number", "to", "body"];

/// Collects the texts of the secret fields of a command, a reply or a message.
fn collect_secrets(value: &Value, field: &str, secrets: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| collect_secrets(value, name, secrets)),
        Value::Array(list) => list.iter().for_each(|value| collect_secrets(value, field, secrets)),
        // Shorter texts stand in a story for no code at all.
        Value::String(text) if text.len() >= 6 && SECRET_FIELDS.contains(&field) => {
            secrets.insert(text.clone());
        }
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}

/// T32: no text of an event, a notice or an epoch holds one of these.
fn assert_holds_none(told: &Value, secrets: &BTreeSet<String>, place: &str) {
    match told {
        Value::Object(fields) => fields.values().for_each(|value| assert_holds_none(value, secrets, place)),
        Value::Array(list) => list.iter().for_each(|value| assert_holds_none(value, secrets, place)),
        Value::String(text) => {
            let held = secrets.iter().find(|secret| holds(text, secret));
            assert_eq!(held, None, "{place}: `{text}` is told");
        }
        Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}

/// Whether a text holds a secret. The digits of a short code may stand by chance in a longer run, such as a padded number.
fn holds(text: &str, secret: &str) -> bool {
    let continues = |neighbour: Option<char>| secret.len() <= 8 && neighbour.is_some_and(|c| c.is_ascii_alphanumeric());
    text.match_indices(secret)
        .any(|(at, _)| !continues(text[..at].chars().next_back()) && !continues(text[at + secret.len()..].chars().next()))
}

/// The saved text, or the present code of a saved app; with `- 2 min`, the code of two minutes before.
fn value_of(saved: &BTreeMap<&str, Saved>, text: &str, now: u64, place: &str) -> String {
    let (name, time) = if let Some((name, duration)) = text.split_once(" - ") {
        (name, now - story::seconds(duration, place))
    } else if let Some((name, duration)) = text.split_once(" + ") {
        (name, now + story::seconds(duration, place))
    } else {
        (text, now)
    };
    match saved.get(name).unwrap_or_else(|| panic!("{place}: nothing was saved as `{name}`")) {
        Saved::Text(value) => {
            assert_eq!(name, text, "{place}: only an app has a code at another time");
            value.clone()
        }
        Saved::App(secret) => {
            let parameters = TotpParameters::DEFAULT;
            secret.code_at(parameters, parameters.step_at(UnixSeconds::new(time).unwrap())).as_str().to_owned()
        }
    }
}

/// Asserts that every expected field is there, and that one expected as `null` is absent. Lists must match element by element.
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
