//! Policies on their own: checked, asked, reviewed and compared.

use std::rc::Rc;

use serde::Deserialize;
use wasm_bindgen::prelude::*;

use crate::engine;
use crate::error::{Error, ErrorCode};
use crate::event::{Event, EventKind};
use crate::ids::{AccountId, RecordId, UserId};
use crate::json::from_text;
use crate::keys::KeyRing;
use crate::policy::{
    ApiClient, Author, Channel, Enrollment, Explanation, Facts, Person, Policy, PolicyDocument, Reviewer, Role, Roles, explain,
};
use crate::time::UnixSeconds;

use super::convert::{argument, client, record, record_id, thrown, time, to_js};

/// Checks a policy document.
#[wasm_bindgen]
pub fn policy_check(policy: &str) -> Result<(), JsValue> {
    Policy::parse(policy).map(|_| ()).map_err(thrown)
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
    pub fn finish(mut self) -> Result<CompiledPolicy, JsValue> {
        let policy = match self.checked.pop() {
            Some(policy) if !self.is_list => Ok(policy),
            last => Policy::of_all(self.checked.into_iter().chain(last).collect()),
        };
        policy.map(CompiledPolicy::new).map_err(thrown)
    }

    fn placed(&self, error: Error) -> JsValue {
        thrown(if self.is_list { error.within(&format!("[{}]", self.checked.len())) } else { error })
    }
}

/// A policy, compiled once.
#[wasm_bindgen]
pub struct CompiledPolicy {
    policy: Rc<Policy>,
    /// The explanations given so far, each once. One policy has some dozens, because they name rules and no facts.
    given: Vec<Explanation>,
}

impl CompiledPolicy {
    fn new(policy: Policy) -> Self {
        Self { policy: Rc::new(policy), given: Vec::new() }
    }
}

#[wasm_bindgen]
impl CompiledPolicy {
    /// Parses a policy.
    pub fn parse(policy: &str) -> Result<Self, JsValue> {
        Policy::parse(policy).map(Self::new).map_err(thrown)
    }

    /// Decides a login: the number of the explanation, which [`CompiledPolicy::explanation`] gives.
    #[expect(clippy::too_many_arguments, reason = "a document would cost more than the decision")]
    pub fn decide(
        &mut self,
        ip: Option<String>,
        roles: Option<String>,
        channel: Option<String>,
        enrollment: &str,
        plan: Option<String>,
        recovery_code: bool,
        now: f64,
    ) -> Result<usize, JsValue> {
        let channel = channel.map_or(Ok(Channel::Web), |channel| from_text("channel", &channel)).map_err(thrown)?;
        let roles = roles.map_or(Ok(Roles::Unknown), |roles| argument(&roles).map(|GivenRoles { roles }| roles))?;
        let enrollment = from_text("enrollment", enrollment).map_err(thrown)?;
        let (now, client) = (time("time", now)?, client(ip.as_deref()));
        let facts = Facts { now, client, roles: &roles, channel, enrollment, plan: plan.as_deref(), recovery_code };
        let explanation = explain(&self.policy, &facts);
        Ok(self.given.iter().position(|given| *given == explanation).unwrap_or_else(|| {
            self.given.push(explanation);
            self.given.len().saturating_sub(1)
        }))
    }

    /// The explanation with this number.
    pub fn explanation(&self, number: usize) -> Result<JsValue, JsValue> {
        to_js(&self.given.get(number))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenRoles {
    roles: Roles,
}

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
        authors: &CompiledPolicy,
        account: Option<String>,
        keys: Option<String>,
        author: &str,
        now: f64,
    ) -> Result<PolicyReview, JsValue> {
        let keys = keys.map(|keys| KeyRing::parse(&keys)).transpose().map_err(thrown)?;
        let account = account.as_deref().map(AccountId::new).transpose().map_err(thrown)?;
        let author: Author = argument(author)?;
        let now = time("time", now)?;
        Ok(Self { reviewer: Reviewer::new(Rc::clone(&authors.policy), author, now), account, keys, now })
    }

    /// Notes another policy that some people are under.
    pub fn add_policy(&mut self, policy: &CompiledPolicy) {
        self.reviewer.under(Rc::clone(&policy.policy));
        self.reviewer.note_lists();
    }

    /// Adds users who are under this policy.
    pub fn add_users(&mut self, policy: &CompiledPolicy, users: &str) -> Result<(), JsValue> {
        self.reviewer.under(Rc::clone(&policy.policy));
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
    pub fn add_api_clients(&mut self, policy: &CompiledPolicy, clients: &str) -> Result<(), JsValue> {
        self.reviewer.under(Rc::clone(&policy.policy));
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
