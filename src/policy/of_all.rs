//! One policy for all accounts of a user, whose one second factor opens all of them.
//!
//! - It lets in only where each account's policy lets in, and forces a second factor where one of them does.
//! - A method is offered where all offer it, and a plan may set up where all allow it.
//! - A first factor is set up by the password alone where all accept that.
//! - Lifetimes are the shortest and budgets the smallest. Waits, digits and the cost of hashing are the greatest.
//! - A browser is trusted where all trust browsers, for the fewest days.
//! - Owners issue no recovery codes, because the owner of one account would open the others. The
//!   operator of the host issues them.
//! - Origin and audience must be the same: a pass names one of each. The name shown is that of the first.
//!
//! Strictness may add up to nothing: where the accounts share no method, a user with a factor is
//! denied (`no_usable_method`). That is an answer and no mistake in a document, so it is not refused here.

use crate::error::{Error, ErrorCode};

use super::check::{Policy, is_sms_alone};
use super::document::{BackupCodesPolicy, PolicyDocument, RecoveryCodePolicy, SmsPolicy, TotpPolicy, TrustedBrowserPolicy};
use super::terms::Method;

impl Policy {
    /// The policy of a user with one second factor for all these accounts.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidPolicy`] where there is none, where two have another origin or audience, and where no
    /// SMS could hold the first name; the path begins with the index.
    pub fn of_all(policies: Vec<Self>) -> Result<Self, Error> {
        let wrong = |path: String, message: &str| Err(Error::new(ErrorCode::InvalidPolicy, path, message));
        let Some(first) = policies.first() else {
            return wrong(String::new(), "name the policy of at least one account");
        };
        for (index, other) in policies.iter().enumerate() {
            if other.issuer() != first.issuer() {
                return wrong(format!("[{index}].origin"), "must be that of the other accounts: the user's pass names one origin");
            }
            if other.audience() != first.audience() {
                return wrong(format!("[{index}].audience"), "must be that of the other accounts: the user's pass names one audience");
            }
        }
        let (documents, accounts): (Vec<_>, Vec<_>) = policies.into_iter().map(|policy| (policy.document, policy.accounts)).unzip();
        let accounts = accounts.into_iter().flatten().collect();
        let Some(mut document) = documents.into_iter().reduce(PolicyDocument::strictest) else {
            return wrong(String::new(), "name the policy of at least one account");
        };
        // SMS goes where no number is allowed by all, and where it would be the only method left.
        if document.sms.prefixes.is_empty() || is_sms_alone(&document.methods) {
            document.methods.retain(|method| *method != Method::Sms);
        }
        let mut policy = Self::compile(document, accounts).map_err(|error| Error { path: format!("[0].{}", error.path), ..error })?;
        policy.is_of_all = true;
        Ok(policy)
    }
}

impl PolicyDocument {
    /// The stricter of both in each field. `require` and `network` are those of the first: the rules of
    /// each account are kept beside the document.
    fn strictest(self, other: Self) -> Self {
        Self {
            v: self.v,
            name: self.name,
            origin: self.origin,
            audience: self.audience,
            methods: self.methods.into_iter().filter(|method| other.methods.contains(method)).collect(),
            require: self.require,
            first_factor: self.first_factor.min(other.first_factor),
            network: self.network,
            plans: match (self.plans, other.plans) {
                (Some(plans), Some(others)) => Some(plans.into_iter().filter(|plan| others.contains(plan)).collect()),
                (Some(plans), None) | (None, Some(plans)) => Some(plans),
                (None, None) => None,
            },
            totp: self.totp.strictest(&other.totp),
            sms: self.sms.strictest(&other.sms),
            backup_codes: self.backup_codes.strictest(&other.backup_codes),
            recovery_code: RecoveryCodePolicy {
                lifetime_seconds: self.recovery_code.lifetime_seconds.min(other.recovery_code.lifetime_seconds),
            },
            trusted_browser: match (self.trusted_browser, other.trusted_browser) {
                (Some(TrustedBrowserPolicy { days: one }), Some(TrustedBrowserPolicy { days: two })) => {
                    Some(TrustedBrowserPolicy { days: one.min(two) })
                }
                (Some(_) | None, None) | (None, Some(_)) => None,
            },
            ticket_seconds: self.ticket_seconds.min(other.ticket_seconds),
            pass_seconds: self.pass_seconds.min(other.pass_seconds),
            fresh_seconds: self.fresh_seconds.min(other.fresh_seconds),
        }
    }
}

impl TotpPolicy {
    fn strictest(&self, other: &Self) -> Self {
        Self {
            algorithm: self.algorithm.max(other.algorithm),
            digits: self.digits.max(other.digits),
            period_seconds: self.period_seconds.min(other.period_seconds),
            window: self.window.min(other.window),
        }
    }
}

impl SmsPolicy {
    fn strictest(&self, other: &Self) -> Self {
        // Of two prefixes that overlap, the longer one holds the numbers that both hold.
        let mut prefixes: Vec<String> = Vec::new();
        for (one, another) in self.prefixes.iter().flat_map(|one| other.prefixes.iter().map(move |another| (one, another))) {
            let shared = if one.starts_with(another.as_str()) {
                one
            } else if another.starts_with(one.as_str()) {
                another
            } else {
                continue;
            };
            if !prefixes.contains(shared) {
                prefixes.push(shared.clone());
            }
        }
        let mut except = self.except.clone();
        except.extend(other.except.iter().filter(|prefix| !self.except.contains(prefix)).cloned());
        prefixes.retain(|prefix| !except.iter().any(|except| prefix.starts_with(except.as_str())));
        Self {
            prefixes,
            except,
            digits: self.digits.max(other.digits),
            lifetime_seconds: self.lifetime_seconds.min(other.lifetime_seconds),
            cooldown_seconds: self.cooldown_seconds.max(other.cooldown_seconds),
            per_minute: self.per_minute.min(other.per_minute),
            per_hour: self.per_hour.min(other.per_hour),
            per_day: self.per_day.min(other.per_day),
        }
    }
}

impl BackupCodesPolicy {
    /// The cost of hashing is that of the one with more work, and not the greatest of each number, which
    /// together could pass the bound.
    fn strictest(&self, other: &Self) -> Self {
        let work = |policy: &&Self| {
            let product = u64::from(policy.memory_kib).saturating_mul(u64::from(policy.passes));
            (product, policy.memory_kib, policy.lanes)
        };
        let dearer = [self, other].into_iter().max_by_key(work).unwrap_or(self);
        Self {
            count: self.count.min(other.count),
            keep_for_showing: self.keep_for_showing && other.keep_for_showing,
            memory_kib: dearer.memory_kib,
            passes: dearer.passes,
            lanes: dearer.lanes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn policy(set: &Value) -> Policy {
        let mut document = json!({
            "v": 1, "name": "Acme", "origin": "https://login.acme.example",
            "methods": ["totp", "sms", "backup_code", "recovery_code"],
        });
        for (key, value) in set.as_object().unwrap() {
            document[key] = value.clone();
        }
        Policy::parse(&document.to_string()).unwrap()
    }

    fn of_all(sets: &[Value]) -> Result<Policy, (String, String)> {
        Policy::of_all(sets.iter().map(policy).collect()).map_err(|error| (error.path, error.message))
    }

    /// The settings of a policy that a combination changes, by their paths.
    fn settings(policy: &Policy) -> Value {
        let PolicyDocument { name, methods, first_factor, plans, totp, sms, backup_codes, .. } = &policy.document;
        let SmsPolicy { prefixes, except, digits, lifetime_seconds, cooldown_seconds, per_minute, per_hour, per_day } = sms;
        json!({
            "name": name, "methods": methods, "first": first_factor, "plans": plans,
            "totp": [totp.algorithm, totp.digits, totp.period_seconds, totp.window],
            "prefixes": prefixes, "except": except, "sms": [digits, lifetime_seconds, cooldown_seconds, per_minute, per_hour, per_day],
            "codes": [backup_codes.count, backup_codes.memory_kib, backup_codes.passes, backup_codes.lanes],
            "kept": backup_codes.keep_for_showing,
            "recovery": policy.recovery_seconds(), "ticket": policy.ticket_seconds(),
            "pass": policy.pass_seconds(), "fresh": policy.fresh_seconds(), "trusted": policy.trusted_browser_seconds(),
        })
    }

    #[test]
    fn the_strictest_of_each_setting_holds_in_any_order() {
        for (one, other, path, expected) in [
            (json!({"methods": ["totp", "sms"]}), json!({"methods": ["totp", "backup_code"]}), "methods", json!(["totp"])),
            (json!({"methods": ["totp"]}), json!({"methods": ["backup_code"]}), "methods", json!([])),
            (json!({"methods": ["totp", "sms"]}), json!({"methods": ["sms", "backup_code"]}), "methods", json!([])),
            (json!({}), json!({"plans": ["pro"]}), "plans", json!(["pro"])),
            (json!({"plans": ["max", "pro"]}), json!({"plans": ["pro", "free"]}), "plans", json!(["pro"])),
            (json!({"plans": ["max"]}), json!({"plans": ["pro"]}), "plans", json!([])),
            (
                json!({"totp": {"algorithm": "SHA256", "digits": 8, "periodSeconds": 60, "window": 0}}),
                json!({"totp": {"algorithm": "SHA512", "digits": 6, "periodSeconds": 30, "window": 2}}),
                "totp",
                json!(["SHA512", 8, 30, 0]),
            ),
            (json!({"sms": {"prefixes": ["+61"]}}), json!({"sms": {"prefixes": ["+614", "+1"]}}), "prefixes", json!(["+614"])),
            (json!({"sms": {"prefixes": ["+1"], "except": ["+1876"]}}), json!({"sms": {"prefixes": ["+1"]}}), "except", json!(["+1876"])),
            (json!({"sms": {"prefixes": ["+1"], "except": ["+1876"]}}), json!({"sms": {"prefixes": ["+1876"]}}), "prefixes", json!([])),
            (json!({"sms": {"prefixes": ["+614", "+61"]}}), json!({"sms": {"prefixes": ["+614"]}}), "prefixes", json!(["+614"])),
            (
                json!({"sms": {"digits": 8, "lifetimeSeconds": 600, "cooldownSeconds": 10, "perMinute": 1, "perHour": 9, "perDay": 9}}),
                json!({"sms": {"digits": 6, "lifetimeSeconds": 60, "cooldownSeconds": 90, "perMinute": 3, "perHour": 2, "perDay": 50}}),
                "sms",
                json!([8, 60, 90, 1, 2, 9]),
            ),
            (
                json!({"backupCodes": {"count": 8, "memoryKib": 65_536, "passes": 2, "lanes": 2}}),
                json!({"backupCodes": {"count": 10, "memoryKib": 19_456, "passes": 8, "lanes": 1}}),
                "codes",
                json!([8, 19_456, 8, 1]),
            ),
            (
                json!({"backupCodes": {"memoryKib": 19_456, "lanes": 1}}),
                json!({"backupCodes": {"memoryKib": 19_456, "lanes": 2}}),
                "codes",
                json!([10, 19_456, 2, 2]),
            ),
            (json!({"backupCodes": {"keepForShowing": true}}), json!({}), "kept", json!(false)),
            (json!({"backupCodes": {"keepForShowing": true}}), json!({"backupCodes": {"keepForShowing": true}}), "kept", json!(true)),
            (json!({"recoveryCode": {"lifetimeSeconds": 600}}), json!({}), "recovery", json!(600)),
            (json!({"ticketSeconds": 60}), json!({"ticketSeconds": 1_800}), "ticket", json!(60)),
            (json!({"passSeconds": 2_592_000}), json!({"passSeconds": 60}), "pass", json!(60)),
            (json!({"freshSeconds": 30}), json!({}), "fresh", json!(30)),
            (json!({"trustedBrowser": {"days": 30}}), json!({}), "trusted", json!(null)),
            (json!({"trustedBrowser": {"days": 30}}), json!({"trustedBrowser": {"days": 7}}), "trusted", json!(7 * 86_400)),
            (json!({"firstFactor": "password"}), json!({}), "first", json!("recovery_code")),
            (json!({"firstFactor": "password"}), json!({"firstFactor": "password"}), "first", json!("password")),
        ] {
            for pair in [[one.clone(), other.clone()], [other.clone(), one.clone()]] {
                let combined = settings(&of_all(&pair).unwrap());
                assert_eq!(combined[path], expected, "{path} of {pair:?}");
                // Nothing else changes, and a third account changes nothing when it is one of both.
                let again = settings(&of_all(&[pair[0].clone(), pair[1].clone(), pair[0].clone()]).unwrap());
                assert_eq!(again, combined);
            }
        }
    }

    #[test]
    fn sms_goes_where_no_number_is_allowed_by_all() {
        let combined = of_all(&[json!({"sms": {"prefixes": ["+61"]}}), json!({"sms": {"prefixes": ["+1", "+64"]}})]).unwrap();
        assert_eq!(combined.document.methods, [Method::Totp, Method::BackupCode, Method::RecoveryCode]);
    }

    #[test]
    fn origin_and_audience_must_be_equal_and_the_first_name_is_shown() {
        let other = json!({"origin": "https://other.example"});
        let audience = json!({"audience": "https://app.acme.example"});
        let same = json!({"audience": "https://login.acme.example", "name": "Other"});
        assert_eq!(of_all(&[json!({}), same.clone(), other]).unwrap_err().0, "[2].origin");
        assert_eq!(of_all(&[json!({}), audience.clone()]).unwrap_err().0, "[1].audience");
        assert_eq!(of_all(&[]).unwrap_err().0, "");
        assert_eq!(of_all(&[audience.clone(), audience]).unwrap().audience(), "https://app.acme.example");
        let named = of_all(&[json!({"name": "First"}), same]).unwrap();
        assert_eq!((named.name(), named.issuer()), ("First", "https://login.acme.example"));
        // The first name need not fit an SMS where the combination sends none.
        assert_eq!(of_all(&[json!({"name": "Ł", "methods": ["totp"]}), json!({})]).unwrap().name(), "Ł");
    }

    #[test]
    fn a_first_name_that_fits_no_sms_of_the_combination_is_an_error() {
        let name = "n".repeat(40);
        let set = |host: usize| json!({"name": name, "origin": format!("https://{}.{}", "h".repeat(20), "h".repeat(host))});
        let parses = |set: &Value| {
            let mut document = json!({"v": 1, "methods": ["totp", "sms"]});
            document.as_object_mut().unwrap().extend(set.as_object().unwrap().clone());
            Policy::parse(&document.to_string()).is_ok()
        };
        let longest = (1..60).rev().map(set).find(parses).unwrap();
        let other = json!({"name": "n", "origin": longest["origin"], "sms": {"digits": 8}});
        assert_eq!(of_all(&[longest, other]).unwrap_err().0, "[0].name");
    }

    #[test]
    fn owners_issue_recovery_codes_in_an_account_alone() {
        assert!(policy(&json!({})).owners_issue_recovery_codes());
        assert!(!of_all(&[json!({})]).unwrap().owners_issue_recovery_codes());
        assert!(!of_all(&[json!({}), json!({})]).unwrap().owners_issue_recovery_codes());
    }
}
