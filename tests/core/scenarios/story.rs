//! Reads a story of `tests/scenarios` into its long form: one command after another, each with its time and all its fields.
//! `tests/scenarios/README.md` describes the short form. An unknown key, fixture or command fails with its place.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

const DEFAULTS: &str = include_str!("../../scenarios/defaults.json");

/// One step: its time and its action. `place` is for messages.
pub(super) struct Step {
    pub(super) place: String,
    pub(super) at: u64,
    pub(super) action: Action,
}

pub(super) enum Action {
    /// The policy from now on.
    Policy(Value),
    Command(Command),
}

pub(super) struct Command {
    pub(super) account: Option<String>,
    pub(super) user: String,
    pub(super) ip: Option<String>,
    pub(super) roles: Option<Vec<String>>,
    /// `{ "begin": { … } }`, with variables still in it: `$ann.ticket`.
    pub(super) wire: Value,
    pub(super) expect: Value,
    pub(super) sms: Option<usize>,
    /// Name of the variable → path into the reply, or `sms`, or `app`.
    pub(super) save: BTreeMap<String, String>,
}

/// The steps of a file; the first sets the policy.
pub(super) fn read(file: &str, text: &str) -> Vec<Step> {
    let story: StoryFile = serde_json::from_str(text).unwrap_or_else(|e| panic!("{file}: {e}"));
    assert!(!story.title.is_empty() && !story.about.is_empty(), "{file}: a scenario has a title and says what it is about");
    let defaults: Defaults = serde_json::from_str(DEFAULTS).unwrap();
    let policy = merged(&defaults.policy, &Value::Object(story.policy));
    let mut reader = Reader { at: defaults.start, defaults: &defaults, policy: policy.clone(), steps: Vec::new() };
    for (index, line) in story.steps.iter().enumerate() {
        reader.line(line, &Caller::default(), &format!("{file}, step {}", index + 1));
    }
    let first = Step { place: format!("{file}, policy"), at: defaults.start, action: Action::Policy(policy) };
    std::iter::once(first).chain(reader.steps).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoryFile {
    title: String,
    about: String,
    #[serde(default)]
    policy: Map<String, Value>,
    steps: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Defaults {
    start: u64,
    policy: Value,
    commands: BTreeMap<String, Value>,
    save: BTreeMap<String, BTreeMap<String, String>>,
    given: BTreeMap<String, Vec<Line>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Command(CommandLine),
    Given(GivenLine),
    Policy(PolicyLine),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CommandLine {
    after: Option<String>,
    account: Option<String>,
    user: Option<String>,
    ip: Option<String>,
    roles: Option<Vec<String>>,
    why: Option<String>,
    r#do: Value,
    expect: Value,
    sms: Option<usize>,
    save: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenLine {
    after: Option<String>,
    account: Option<String>,
    ip: Option<String>,
    given: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyLine {
    after: Option<String>,
    #[serde(rename = "why")]
    _why: Option<String>,
    policy: Value,
}

/// The caller of a fixture's lines.
#[derive(Default)]
struct Caller {
    account: Option<String>,
    user: Option<String>,
    ip: Option<String>,
}

struct Reader<'a> {
    defaults: &'a Defaults,
    at: u64,
    policy: Value,
    steps: Vec<Step>,
}

impl Reader<'_> {
    /// Adds a line of the story, or of a fixture. A fixture's line is for the user, in the account and from the address of
    /// its `given` line.
    fn line(&mut self, line: &Line, caller: &Caller, place: &str) {
        let (Line::Command(CommandLine { after, .. }) | Line::Given(GivenLine { after, .. }) | Line::Policy(PolicyLine { after, .. })) =
            line;
        self.at += after.as_deref().map_or(0, |text| seconds(text, place));
        match line {
            Line::Command(line) => {
                let place = format!("{place} ({})", line.why.clone().unwrap_or_else(|| line.r#do.to_string()));
                let action = Action::Command(self.command(line, caller, &place));
                self.steps.push(Step { place, at: self.at, action });
            }
            Line::Given(GivenLine { given, account, ip, .. }) => {
                let place = format!("{place} ({given})");
                let fixture = given.split_once(" has ").and_then(|(user, what)| Some((user, self.defaults.given.get(what)?)));
                let (user, lines) = fixture.unwrap_or_else(|| panic!("{place}: no such fixture in defaults.json"));
                let caller = Caller { user: Some(user.to_owned()), account: account.clone(), ip: ip.clone() };
                lines.iter().for_each(|line| self.line(line, &caller, &place));
            }
            Line::Policy(PolicyLine { policy, .. }) => {
                self.policy = merged(&self.policy, policy);
                self.steps.push(Step { place: place.to_owned(), at: self.at, action: Action::Policy(self.policy.clone()) });
            }
        }
    }

    fn command(&self, line: &CommandLine, caller: &Caller, place: &str) -> Command {
        let user = line.user.as_deref().or(caller.user.as_deref()).unwrap_or("ann");
        let (name, fields) = named(&line.r#do, place);
        let (result, expected) = named(&line.expect, place);
        let defaults = self.defaults.commands.get(&name).unwrap_or_else(|| panic!("{place}: no command `{name}` in defaults.json"));
        let save = line.save.as_ref().or_else(|| self.defaults.save.get(&result)).into_iter().flatten();
        Command {
            account: line.account.clone().or_else(|| caller.account.clone()),
            user: user.to_owned(),
            ip: line.ip.clone().or_else(|| caller.ip.clone()),
            roles: line.roles.clone(),
            wire: json!({ name: each_text(&merged(defaults, &method_and_code(fields)), &|text| full_name(text, user)) }),
            expect: self.expectation(result, expected, place),
            sms: line.sms,
            save: save.map(|(name, path)| (format!("{user}.{name}"), path.clone())).collect(),
        }
    }

    /// The expected reply in its long form. In the short form a text alone is the `reason`, a time is relative to now, as
    /// `+10 min`, and a method of a challenge without more fields is its name.
    fn expectation(&self, result: String, details: Value, place: &str) -> Value {
        let lists_methods = result == "challenge";
        let mut reply = if details.is_string() { json!({ "reason": details }) } else { details };
        reply["result"] = result.into();
        for (key, value) in reply.as_object_mut().unwrap() {
            if key.ends_with("At") && !value.is_null() {
                let wait = value.as_str().and_then(|text| text.strip_prefix('+'));
                let wait = wait.unwrap_or_else(|| panic!("{place}: `{key}` is a time from now, as `+30 s`"));
                *value = (self.at + seconds(wait, place)).into();
            }
            if key == "methods" && lists_methods {
                let methods = value.as_array_mut().unwrap().iter_mut();
                methods.filter(|method| method.is_string()).for_each(|method| *method = json!({ "method": method }));
            }
        }
        reply
    }
}

/// `"begin"` or `{ "begin": { … } }`: the name, and its fields.
fn named(value: &Value, place: &str) -> (String, Value) {
    if let Value::String(name) = value {
        return (name.clone(), json!({}));
    }
    let one = value.as_object().filter(|fields| fields.len() == 1).and_then(|fields| fields.iter().next());
    let (name, more) = one.unwrap_or_else(|| panic!("{place}: one name, or one name with its fields, in place of {value}"));
    (name.clone(), more.clone())
}

/// Replaces `{ "totp": "123456" }` by `{ "method": "totp", "code": "123456" }`.
fn method_and_code(mut fields: Value) -> Value {
    for method in ["totp", "sms", "backup_code", "recovery_code", "trusted_browser"] {
        if let Some(code) = fields.as_object_mut().unwrap().remove(method) {
            fields["method"] = method.into();
            fields["code"] = code;
        }
    }
    fields
}

/// Completes `$app` to `$ann.app`, and replaces `{user}`, for the user `ann`.
fn full_name(text: &str, user: &str) -> String {
    match text.strip_prefix('$') {
        Some(name) if !name.contains('.') => format!("${user}.{name}"),
        _ => text.replace("{user}", user),
    }
}

/// `5 min 1 s` in seconds.
pub(super) fn seconds(text: &str, place: &str) -> u64 {
    let words: Vec<_> = text.split(' ').collect();
    let size = |pair: &[&str]| match pair {
        [count, "h"] => Some(count.parse::<u64>().ok()? * 3600),
        [count, "min"] => Some(count.parse::<u64>().ok()? * 60),
        [count, "s"] => count.parse().ok(),
        _ => None,
    };
    words.chunks(2).map(size).sum::<Option<u64>>().unwrap_or_else(|| panic!("{place}: `{text}` is no duration, as `5 min 1 s`"))
}

/// JSON Merge Patch (RFC 7396): objects are merged, `null` takes out, anything else replaces.
fn merged(target: &Value, patch: &Value) -> Value {
    let Value::Object(changes) = patch else { return patch.clone() };
    let mut result = target.as_object().cloned().unwrap_or_default();
    for (key, change) in changes {
        if change.is_null() {
            result.remove(key);
        } else {
            let before = result.get(key).cloned().unwrap_or_default();
            result.insert(key.clone(), merged(&before, change));
        }
    }
    Value::Object(result)
}

/// The value with each text in it replaced by `change`.
pub(super) fn each_text(value: &Value, change: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(change(text)),
        Value::Object(fields) => fields.iter().map(|(key, inner)| (key.clone(), each_text(inner, change))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => value.clone(),
    }
}
