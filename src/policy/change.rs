//! The difference between two policies, for the audit log: the settings that changed, from what to what.
//!
//! Both policies are compared with their defaults filled in, and lists as sets, so that the layout of
//! a document and the order of a list change nothing. The digest is over the same settings: two
//! policies have one digest if and only if they have no difference. A policy holds no secret.

use std::collections::BTreeSet;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::encoding::to_base64url;
use crate::json::to_json;

use super::check::Policy;
use super::document::{BackupCodesPolicy, PolicyDocument, RecoveryCodePolicy, SmsPolicy, TotpPolicy, TrustedBrowserPolicy};
use super::rule_document::{NetworkEntry, NetworkPolicy, NetworkRule, RequirePolicy, RequireRules, RequireWord};

/// Entries of a list that a change names; the rest are counted.
const MAX_NAMED: usize = 100;

/// One setting that changed. A list has `added` and `removed`, any other setting `from` and `to`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
pub struct SettingChange {
    /// The path of the setting, like `network.allow`.
    pub path: String,
    /// The value before; absent where there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Setting>,
    /// The value after; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Setting>,
    /// Entries that are new in a list; at most 100 are named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub added: Vec<Setting>,
    /// Entries that are in a list no more; at most 100 are named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub removed: Vec<Setting>,
    /// Number of further entries, added or removed, that are not named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more: Option<usize>,
}

/// The value of a setting, or an entry of a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(untagged)]
pub enum Setting {
    /// A number.
    Number(u32),
    /// Yes or no.
    Flag(bool),
    /// A text.
    Text(String),
    /// A list that was not there before, or is not there any more.
    List(Vec<String>),
    /// A network with a note or an end.
    Rule(NetworkEntry),
}

#[derive(Serialize)]
#[serde(untagged)]
enum Value {
    One(Option<Setting>),
    Set(BTreeSet<Setting>),
}

impl Policy {
    /// SHA-256 of the policy's settings, in base64url.
    #[must_use]
    pub fn digest(&self) -> String {
        to_base64url(&Sha256::digest(to_json(&settings(&self.document))))
    }

    /// The settings that differ in `after`, in the order of the documentation.
    #[must_use]
    pub fn changes_to(&self, after: &Self) -> Vec<SettingChange> {
        let pairs = settings(&self.document).into_iter().zip(settings(&after.document));
        pairs.filter_map(|((path, before), (_, after))| change(path, before, after)).collect()
    }
}

fn change(path: &'static str, before: Value, after: Value) -> Option<SettingChange> {
    let plain = SettingChange { path: path.to_owned(), from: None, to: None, added: Vec::new(), removed: Vec::new(), more: None };
    let (before, after) = match (before, after) {
        (Value::Set(before), Value::Set(after)) => (before, after),
        (before, after) => {
            let (from, to) = (before.into_one(), after.into_one());
            return (from != to).then_some(SettingChange { from, to, ..plain });
        }
    };
    let mut added: Vec<_> = after.difference(&before).cloned().collect();
    let mut removed: Vec<_> = before.difference(&after).cloned().collect();
    if added.is_empty() && removed.is_empty() {
        return None;
    }
    let more = added.len().saturating_sub(MAX_NAMED).saturating_add(removed.len().saturating_sub(MAX_NAMED));
    added.truncate(MAX_NAMED);
    removed.truncate(MAX_NAMED);
    Some(SettingChange { added, removed, more: (more > 0).then_some(more), ..plain })
}

impl Value {
    /// The value where it is compared with one that is no list.
    fn into_one(self) -> Option<Setting> {
        match self {
            Self::One(setting) => setting,
            Self::Set(set) => Some(Setting::List(
                set.into_iter().filter_map(|setting| if let Setting::Text(text) = setting { Some(text) } else { None }).collect(),
            )),
        }
    }
}

/// Every setting, with its path. The patterns name all fields, so that a new one does not compile until it is here.
fn settings(document: &PolicyDocument) -> Vec<(&'static str, Value)> {
    let PolicyDocument { v: _, name, origin, audience, methods, require, network, plans, totp, sms, backup_codes, recovery_code, .. } =
        document;
    let PolicyDocument { first_factor, trusted_browser, ticket_seconds, pass_seconds, fresh_seconds, .. } = document;
    let NetworkPolicy { allow, api, deny } = network;
    let TotpPolicy { algorithm, digits, period_seconds, window } = totp;
    let SmsPolicy { prefixes, except, digits: sms_digits, lifetime_seconds, cooldown_seconds, per_minute, per_hour, per_day } = sms;
    let BackupCodesPolicy { count, keep_for_showing, memory_kib, passes, lanes } = backup_codes;
    let RecoveryCodePolicy { lifetime_seconds: recovery_seconds } = recovery_code;
    let trusted_days = trusted_browser.map(|TrustedBrowserPolicy { days }| Setting::Number(days));
    let nobody = RequireRules::default();
    let (word, RequireRules { networks, outside, roles }) = match require {
        RequirePolicy::Word(RequireWord::Optional) => (Some("optional"), &nobody),
        RequirePolicy::Word(RequireWord::Everyone) => (Some("everyone"), &nobody),
        RequirePolicy::Rules(rules) => (None, rules),
    };
    vec![
        ("name", text(name)),
        ("origin", text(origin)),
        ("audience", Value::One(audience.clone().map(Setting::Text))),
        ("methods", texts(methods.iter().map(|method| method.as_str().to_owned()))),
        ("require", Value::One(word.map(|word| Setting::Text(word.to_owned())))),
        ("require.networks", rules(networks.as_deref().unwrap_or_default())),
        ("require.outside", rules(outside.as_deref().unwrap_or_default())),
        ("require.roles", texts(roles.iter().flatten().cloned())),
        ("firstFactor", text(to_json(first_factor).trim_matches('"'))),
        ("network.allow", rules(allow)),
        ("network.api", rules(api)),
        ("network.deny", rules(deny)),
        ("plans", plans.as_ref().map_or(Value::One(None), |plans| texts(plans.iter().cloned()))),
        ("totp.algorithm", text(to_json(algorithm).trim_matches('"'))),
        ("totp.digits", number(u32::from(*digits))),
        ("totp.periodSeconds", number(*period_seconds)),
        ("totp.window", number(u32::from(*window))),
        ("sms.prefixes", texts(prefixes.iter().cloned())),
        ("sms.except", texts(except.iter().cloned())),
        ("sms.digits", number(u32::from(*sms_digits))),
        ("sms.lifetimeSeconds", number(*lifetime_seconds)),
        ("sms.cooldownSeconds", number(*cooldown_seconds)),
        ("sms.perMinute", number(*per_minute)),
        ("sms.perHour", number(*per_hour)),
        ("sms.perDay", number(*per_day)),
        ("backupCodes.count", number(u32::from(*count))),
        ("backupCodes.keepForShowing", Value::One(Some(Setting::Flag(*keep_for_showing)))),
        ("backupCodes.memoryKib", number(*memory_kib)),
        ("backupCodes.passes", number(*passes)),
        ("backupCodes.lanes", number(*lanes)),
        ("recoveryCode.lifetimeSeconds", number(*recovery_seconds)),
        ("trustedBrowser.days", Value::One(trusted_days)),
        ("ticketSeconds", number(*ticket_seconds)),
        ("passSeconds", number(*pass_seconds)),
        ("freshSeconds", number(*fresh_seconds)),
    ]
}

const fn number(number: u32) -> Value {
    Value::One(Some(Setting::Number(number)))
}

fn text(text: &str) -> Value {
    Value::One(Some(Setting::Text(text.to_owned())))
}

fn texts(list: impl Iterator<Item = String>) -> Value {
    Value::Set(list.map(Setting::Text).collect())
}

fn rules(rules: &[NetworkRule]) -> Value {
    let setting = |rule: &NetworkRule| match rule {
        NetworkRule::Entry(entry) if entry.note.is_some() || entry.until.is_some() => Setting::Rule(entry.clone()),
        NetworkRule::Entry(NetworkEntry { network, .. }) | NetworkRule::Network(network) => Setting::Text(network.clone()),
    };
    Value::Set(rules.iter().map(setting).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    fn policy(set: &[(&str, Json)]) -> Policy {
        let mut document = json!({"v": 1, "name": "Acme", "origin": "https://login.acme.example"});
        for (path, value) in set {
            match path.split_once('.') {
                Some((part, key)) => {
                    if document.get(part).is_none() {
                        document[part] = json!({});
                    }
                    document[part][key] = value.clone();
                }
                None => document[*path] = value.clone(),
            }
        }
        Policy::parse(&document.to_string()).unwrap()
    }

    fn changes(before: &[(&str, Json)], after: &[(&str, Json)]) -> Json {
        let (before, after) = (policy(before), policy(after));
        let changes = before.changes_to(&after);
        assert_eq!(changes.is_empty(), before.digest() == after.digest(), "one digest, no difference");
        json!(changes)
    }

    #[test]
    fn every_setting_that_changes_is_named_with_both_values() {
        for (path, from, to) in [
            ("name", json!("Acme"), json!("Acme Ltd")),
            ("origin", json!("https://login.acme.example"), json!("https://acme.example")),
            ("audience", Json::Null, json!("https://app.acme.example")),
            ("require", json!("optional"), json!("everyone")),
            ("totp.algorithm", json!("SHA1"), json!("SHA256")),
            ("totp.digits", json!(6), json!(8)),
            ("totp.periodSeconds", json!(30), json!(60)),
            ("totp.window", json!(1), json!(0)),
            ("sms.digits", json!(6), json!(8)),
            ("sms.lifetimeSeconds", json!(300), json!(600)),
            ("sms.cooldownSeconds", json!(30), json!(60)),
            ("sms.perMinute", json!(2), json!(1)),
            ("sms.perHour", json!(5), json!(4)),
            ("sms.perDay", json!(10), json!(9)),
            ("backupCodes.count", json!(10), json!(8)),
            ("backupCodes.keepForShowing", json!(false), json!(true)),
            ("backupCodes.memoryKib", json!(19_456), json!(32_768)),
            ("backupCodes.passes", json!(2), json!(3)),
            ("backupCodes.lanes", json!(1), json!(2)),
            ("recoveryCode.lifetimeSeconds", json!(3_600), json!(600)),
            ("trustedBrowser.days", Json::Null, json!(30)),
            ("ticketSeconds", json!(600), json!(300)),
            ("passSeconds", json!(43_200), json!(3_600)),
            ("freshSeconds", json!(300), json!(60)),
        ] {
            let mut expected = json!({"path": path, "from": from, "to": to});
            expected.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            assert_eq!(changes(&[], &[(path, to)]), json!([expected]), "{path}");
        }
    }

    #[test]
    fn a_list_is_a_set_of_entries_that_come_and_go() {
        for (path, before, after, added, removed) in [
            ("methods", json!(["totp", "backup_code"]), json!(["sms", "totp"]), json!(["sms"]), json!(["backup_code"])),
            ("sms.prefixes", json!(["+614"]), json!(["+642", "+614"]), json!(["+642"]), json!([])),
            ("plans", json!(["pro"]), json!(["pro", "max"]), json!(["max"]), json!([])),
            (
                "network.allow",
                json!(["203.0.113.0/24", {"network": "192.0.2.1"}]),
                json!(["192.0.2.1", {"network": "203.0.113.0/24", "note": "office"}]),
                json!([{"network": "203.0.113.0/24", "note": "office"}]),
                json!(["203.0.113.0/24"]),
            ),
            ("network.api", json!([]), json!(["192.0.2.9"]), json!(["192.0.2.9"]), json!([])),
            (
                "network.deny",
                json!([{"network": "192.0.2.9", "until": 1_800_000_000}]),
                json!([{"network": "192.0.2.9", "until": 1_900_000_000}]),
                json!([{"network": "192.0.2.9", "until": 1_900_000_000}]),
                json!([{"network": "192.0.2.9", "until": 1_800_000_000}]),
            ),
            ("require.networks", json!(["192.0.2.0/24"]), json!(["192.0.2.0/25"]), json!(["192.0.2.0/25"]), json!(["192.0.2.0/24"])),
            ("require.outside", json!(["192.0.2.0/24"]), json!(["192.0.2.0/25"]), json!(["192.0.2.0/25"]), json!(["192.0.2.0/24"])),
            ("require.roles", json!(["admin"]), json!(["admin", "sales"]), json!(["sales"]), json!([])),
        ] {
            let mut expected = json!({"path": path, "added": added, "removed": removed});
            expected.as_object_mut().unwrap().retain(|_, value| *value != json!([]));
            assert_eq!(changes(&[(path, before)], &[(path, after)]), json!([expected]), "{path}");
        }
        assert_eq!(changes(&[("plans", json!(["pro"]))], &[]), json!([{"path": "plans", "from": ["pro"]}]));
        assert_eq!(changes(&[], &[("plans", json!([]))]), json!([{"path": "plans", "to": []}]));
        let forced = [("require.roles", json!(["admin"]))];
        let expected = json!([{"path": "require", "from": "optional"}, {"path": "require.roles", "added": ["admin"]}]);
        assert_eq!(changes(&[], &forced), expected);
    }

    #[test]
    fn order_and_defaults_make_no_difference() {
        let plain = [("methods", json!(["totp", "backup_code"])), ("network.deny", json!(["192.0.2.9", "192.0.2.8"]))];
        let same = [
            ("network.deny", json!(["192.0.2.8", {"network": "192.0.2.9"}, "192.0.2.8"])),
            ("methods", json!(["backup_code", "totp"])),
            ("passSeconds", json!(43_200)),
        ];
        assert_eq!(changes(&plain, &same), json!([]));
        // Computed by another program over the settings as JSON.
        assert_eq!(policy(&[]).digest(), "Et8rOhyOH5E0-k0Geb1WChIjvnivbavonftm05wEDsM");
    }

    #[test]
    fn a_long_list_is_named_in_part_and_counted() {
        let many: Vec<_> = (0..250).map(|n| format!("10.0.{n}.0/24")).collect();
        let changed = changes(&[], &[("network.allow", json!(many))]);
        assert_eq!((changed[0]["added"].as_array().unwrap().len(), &changed[0]["more"]), (100, &json!(150)));
    }
}
