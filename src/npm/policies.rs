//! Policies on their own: checked, asked, reviewed and compared.

use std::rc::Rc;

use serde::Deserialize;
use wasm_bindgen::prelude::*;

use crate::engine;
use crate::error::{Error, ErrorCode};
use crate::event::{Event, EventKind};
use crate::ids::{AccountId, RecordId, UserId};
use crate::keys::KeyRing;
use crate::policy::{ApiClient, Author, Channel, Enrollment, Facts, Person, Policy, PolicyDocument, Reviewer, Role, Roles, explain};
use crate::time::UnixSeconds;

use super::convert::{argument, client, record, record_id, thrown, time, to_js};

/// Checks a policy document.
#[wasm_bindgen]
pub fn policy_check(policy: &str) -> Result<(), JsValue> {
    Policy::parse(policy).map(|_| ()).map_err(thrown)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FactsDocument {
    #[serde(default)]
    ip: Option<String>,
    #[serde(default)]
    roles: Roles,
    channel: Channel,
    enrollment: Enrollment,
    #[serde(default)]
    plan: Option<String>,
    recovery_code: bool,
}

/// Decides a login and names the rules met.
#[wasm_bindgen]
pub fn policy_decide(policy: &str, facts: &str, now: f64) -> Result<JsValue, JsValue> {
    let policy = Policy::parse(policy).map_err(thrown)?;
    let FactsDocument { ip, roles, channel, enrollment, plan, recovery_code } = argument(facts)?;
    let (now, client) = (time("time", now)?, client(ip.as_deref()));
    to_js(&explain(&policy, &Facts { now, client, roles: &roles, channel, enrollment, plan: plan.as_deref(), recovery_code }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Users {
    users: Vec<User>,
}

/// A user of the account; without an enrollment, it is read from the record.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct User {
    user: String,
    role: Role,
    #[serde(default)]
    roles: Roles,
    #[serde(default)]
    enrollment: Option<Enrollment>,
    #[serde(default)]
    record: Option<String>,
    #[serde(default)]
    plan: Option<String>,
    #[serde(default)]
    ip: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ApiClients {
    api_clients: Vec<ApiClient>,
}

/// Policies being compiled: one, or those of all accounts of a user. Each takes two calls of about equal length, so that
/// the caller can pause between them: a policy may have 100,000 rules.
#[wasm_bindgen]
pub struct PolicyCompilation {
    is_list: bool,
    unchecked: Option<PolicyDocument>,
    checked: Vec<Policy>,
}

#[wasm_bindgen]
impl PolicyCompilation {
    /// Begins; a list of one policy is another policy than that one alone.
    #[wasm_bindgen(constructor)]
    pub fn new(is_list: bool) -> Self {
        Self { is_list, unchecked: None, checked: Vec::new() }
    }

    /// Reads the text of the next policy.
    pub fn read(&mut self, text: &str) -> Result<(), JsValue> {
        self.unchecked = Some(PolicyDocument::parse(text).map_err(|error| self.placed(error))?);
        Ok(())
    }

    /// Checks the policy that was read.
    pub fn check(&mut self) -> Result<(), JsValue> {
        if let Some(document) = self.unchecked.take() {
            self.checked.push(Policy::from_document(document).map_err(|error| self.placed(error))?);
        }
        Ok(())
    }

    /// Ends: the policy, or the strictest combination of the list.
    pub fn finish(mut self) -> Result<NextPolicy, JsValue> {
        let policy = match self.checked.pop() {
            Some(policy) if !self.is_list => Ok(policy),
            last => Policy::of_all(self.checked.into_iter().chain(last).collect()),
        };
        policy.map(|policy| NextPolicy(Rc::new(policy))).map_err(thrown)
    }

    fn placed(&self, error: Error) -> JsValue {
        thrown(if self.is_list { error.within(&format!("[{}]", self.checked.len())) } else { error })
    }
}

/// A policy that some of the reviewed are under.
#[wasm_bindgen]
pub struct NextPolicy(Rc<Policy>);

/// A review under way: people are handed in by and by.
#[wasm_bindgen]
pub struct PolicyReview {
    reviewer: Reviewer<Rc<Policy>>,
    account: Option<AccountId>,
    keys: Option<KeyRing>,
    now: UnixSeconds,
}

#[wasm_bindgen]
impl PolicyReview {
    /// Begins a review of the users of an account, under the author's policy. Without keys, each user needs an enrollment.
    #[wasm_bindgen(constructor)]
    pub fn new(
        authors: &NextPolicy,
        account: Option<String>,
        keys: Option<String>,
        author: &str,
        now: f64,
    ) -> Result<PolicyReview, JsValue> {
        let keys = keys.map(|keys| KeyRing::parse(&keys)).transpose().map_err(thrown)?;
        let account = account.as_deref().map(AccountId::new).transpose().map_err(thrown)?;
        let author: Author = argument(author)?;
        let now = time("time", now)?;
        Ok(Self { reviewer: Reviewer::new(Rc::clone(&authors.0), author, now), account, keys, now })
    }

    /// Notes another policy that some people are under.
    pub fn add_policy(&mut self, policy: &NextPolicy) {
        self.reviewer.under(Rc::clone(&policy.0));
        self.reviewer.note_lists();
    }

    /// Adds users who are under this policy.
    pub fn add_users(&mut self, policy: &NextPolicy, users: &str) -> Result<(), JsValue> {
        self.reviewer.under(Rc::clone(&policy.0));
        let Users { users } = argument(users)?;
        for (index, User { user, role, roles, enrollment, record, plan, ip }) in users.into_iter().enumerate() {
            let enrollment = match (enrollment, &self.keys) {
                (Some(enrollment), _) => enrollment,
                (None, Some(keys)) => {
                    let id = RecordId::new(self.account.clone(), UserId::new(&user).map_err(thrown)?);
                    engine::enrollment(self.reviewer.policy(), keys, &self::record(id, record.as_deref())?, self.now)
                }
                (None, None) => {
                    return Err(thrown(Error::new(ErrorCode::InvalidInput, format!("users[{index}].enrollment"), "must be given")));
                }
            };
            self.reviewer.add_user(&Person { user, role, roles, enrollment, plan, ip });
        }
        Ok(())
    }

    /// Adds API clients that are under this policy.
    pub fn add_api_clients(&mut self, policy: &NextPolicy, clients: &str) -> Result<(), JsValue> {
        self.reviewer.under(Rc::clone(&policy.0));
        let ApiClients { api_clients } = argument(clients)?;
        api_clients.iter().for_each(|client| self.reviewer.add_api_client(client));
        Ok(())
    }

    /// Ends the review.
    pub fn finish(self) -> Result<JsValue, JsValue> {
        to_js(&self.reviewer.finish())
    }
}

/// The event of a change of policy. `by` is the user who made it, in the account: `{"account","user"}`.
#[wasm_bindgen]
pub fn policy_changed(before: &str, after: &str, by: &str, ip: Option<String>, now: f64) -> Result<JsValue, JsValue> {
    let parsed = |text: &str, name: &str| Policy::parse(text).map_err(|error| thrown(error.within(name)));
    let (before, after) = (parsed(before, "before")?, parsed(after, "after")?);
    let by = record_id(by)?;
    let kind = EventKind::PolicyChanged { changes: before.changes_to(&after), before: before.digest(), after: after.digest() };
    to_js(&Event::new(&by, time("clock", now)?, client(ip.as_deref()), kind))
}
