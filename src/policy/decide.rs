//! The one function that decides a login.
//!
//! Order of the rules; the first that applies decides:
//!
//! 1. addresses: a rule needs the address and none is known → denied; on the deny list → denied
//! 2. an API client whose address an `api` rule holds → allowed
//! 3. an allow list that does not hold the address → denied
//! 4. an API client cannot answer a challenge: where a second factor is needed (forced, or the user
//!    has one) it passes only by an allow rule that names its address; a network shorter than `/8`
//!    in IPv4, or `/16` in IPv6, names no one
//!    but one whom an owner has reset passes nowhere: its recovery code is for a person to type
//! 5. a person whom an owner has reset is challenged for the recovery code, forced or not; where none is alive → denied
//! 6. a person with a factor is challenged, forced or not, under any plan; one who can use none of them is denied, unless a
//!    recovery code is alive
//! 7. a person without one is let in, unless a second factor is forced: then one with a live recovery code
//!    is challenged; one who never had a factor sets up the first one, where the policy accepts the password
//!    alone for that and the plan may set up a factor; all others are denied
//!
//! A policy of several accounts lets in only where each of them does.

use serde::{Deserialize, Serialize};

use crate::client_ip::ClientIp;
use crate::time::UnixSeconds;

use super::check::Policy;
use super::rules::{Force, Rules};
use super::terms::{Channel, Reason, Roles};

/// The factors of a user, seen through a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Enrollment {
    /// The user has no factor and never had one.
    Never,
    /// The user has no factor, and had one before or was helped by a recovery code.
    None,
    /// The user has a factor that the policy offers.
    Usable,
    /// The user has only factors that the policy does not offer any more.
    Unusable,
    /// An owner has reset the user: no factor is left, and only a recovery code lets in.
    Reset,
}

/// The facts on which a login is decided. There is no other way to ask, so that no call forgets one.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The time of the decision: rules may have an end.
    pub now: UnixSeconds,
    /// The address that the request comes from.
    pub client: ClientIp,
    /// The user's roles in the account.
    pub roles: &'a Roles,
    /// Person or program.
    pub channel: Channel,
    /// The factors that the user has enrolled.
    pub enrollment: Enrollment,
    /// The account's plan, where the policy names plans.
    pub plan: Option<&'a str>,
    /// Whether a recovery code is alive for the user.
    pub recovery_code: bool,
}

/// The decision on a login after the first factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(tag = "outcome", content = "reason", rename_all = "snake_case")]
pub enum Decision {
    /// The user is in, without a second factor.
    Allowed,
    /// The user must show a second factor.
    Challenge,
    /// The user must set up the first factor, and may do so by the password alone.
    SetUp,
    /// The user is not let in.
    Denied(Reason),
}

/// A rule that a decision met on its way, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// A rule depends on the address, and the client's address is unknown.
    AddressUnknown,
    /// A deny rule holds the address.
    DenyRule,
    /// An allow rule holds the address.
    AllowRule,
    /// There are allow rules and none holds the address.
    NoAllowRule,
    /// An `api` rule holds the address of this API client.
    ApiRule,
    /// A second factor is forced for everyone.
    ForcedForEveryone,
    /// A second factor is forced from this network.
    ForcedFromNetwork,
    /// A second factor is forced outside of the networks that need none.
    ForcedOutsideNetworks,
    /// A second factor is forced for one of the user's roles.
    ForcedForRole,
    /// A second factor is forced for some roles, and the user's are not known.
    RolesUnknown,
    /// No second factor is forced.
    NotForced,
    /// The caller is an API client, which cannot answer a challenge.
    ApiClient,
    /// The user has a usable factor.
    Enrolled,
    /// The user has only factors that are not offered any more.
    EnrolledUnusable,
    /// The user has no factor any more.
    NotEnrolled,
    /// The user never had a factor.
    NeverEnrolled,
    /// An owner has reset the user: only a recovery code lets in.
    Reset,
    /// The first factor is set up by the password alone.
    FirstFactorByPassword,
    /// A recovery code is alive for the user.
    RecoveryCodeAlive,
}

/// A decision and the rules that led to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
pub struct Explanation {
    /// The decision.
    pub decision: Decision,
    /// The rules met, in order.
    pub rules: Vec<Rule>,
}

/// Decides a login, and says by which rules. Pure: the same policy and facts, the same answer.
#[must_use]
pub fn explain(policy: &Policy, facts: &Facts<'_>) -> Explanation {
    let mut met = Met(Vec::new());
    let decision = decide(policy, facts, &mut met);
    Explanation { decision, rules: met.0 }
}

/// The rules met so far, each once: several accounts may have the same.
struct Met(Vec<Rule>);

impl Met {
    fn push(&mut self, rule: Rule) {
        if !self.0.contains(&rule) {
            self.0.push(rule);
        }
    }
}

fn decide(policy: &Policy, facts: &Facts<'_>, met: &mut Met) -> Decision {
    // The address rules of all accounts come first: a request that one of them turns away learns nothing else.
    let mut admits = Vec::new();
    for rules in policy.accounts() {
        match by_address(rules, facts, met) {
            Ok(admits_api_client) => admits.push((rules, admits_api_client)),
            Err(reason) => return Decision::Denied(reason),
        }
    }
    let is_enrolled = match facts.enrollment {
        Enrollment::Usable | Enrollment::Unusable => true,
        Enrollment::None | Enrollment::Never | Enrollment::Reset => false,
    };
    let (mut is_forced, mut is_blocked) = (false, false);
    for (rules, admits_api_client) in admits {
        let forces = rules.forces(facts.client, facts.roles, facts.now);
        is_forced |= !forces.is_empty();
        is_blocked |= (is_enrolled || !forces.is_empty()) && !admits_api_client;
        forces.into_iter().for_each(|force| met.push(force.into()));
    }
    if !is_forced {
        met.push(Rule::NotForced);
    }
    met.push(match facts.enrollment {
        Enrollment::Never => Rule::NeverEnrolled,
        Enrollment::None => Rule::NotEnrolled,
        Enrollment::Usable => Rule::Enrolled,
        Enrollment::Unusable => Rule::EnrolledUnusable,
        Enrollment::Reset => Rule::Reset,
    });
    match facts.channel {
        Channel::Api => {
            met.push(Rule::ApiClient);
            if facts.enrollment == Enrollment::Reset {
                Decision::Denied(Reason::RecoveryCodeRequired)
            } else if is_blocked {
                Decision::Denied(Reason::ApiClientBlocked)
            } else {
                Decision::Allowed
            }
        }
        Channel::Web => {
            if facts.recovery_code {
                met.push(Rule::RecoveryCodeAlive);
            }
            match (facts.enrollment, is_forced, facts.recovery_code) {
                (Enrollment::Usable, _, _)
                | (Enrollment::Unusable | Enrollment::Reset, _, true)
                | (Enrollment::None | Enrollment::Never, true, true) => Decision::Challenge,
                (Enrollment::Unusable, _, false) => Decision::Denied(Reason::NoUsableMethod),
                (Enrollment::Reset, _, false) => Decision::Denied(Reason::RecoveryCodeRequired),
                (Enrollment::Never, true, false) if policy.sets_up_by_password(facts.plan) => {
                    met.push(Rule::FirstFactorByPassword);
                    Decision::SetUp
                }
                (Enrollment::None | Enrollment::Never, true, false) => Decision::Denied(Reason::EnrollmentRequired),
                (Enrollment::None | Enrollment::Never, false, _) => Decision::Allowed,
            }
        }
    }
}

/// The address rules of one account: the reason why they turn the request away, or else whether they
/// admit an API client without a challenge.
fn by_address(rules: &Rules, facts: &Facts<'_>, met: &mut Met) -> Result<bool, Reason> {
    let ClientIp::Known(address) = facts.client else {
        if !rules.need_address() {
            return Ok(false);
        }
        met.push(Rule::AddressUnknown);
        return Err(Reason::AddressUnknown);
    };
    if rules.deny.contains(address, facts.now) {
        met.push(Rule::DenyRule);
        Err(Reason::AddressDenied)
    } else if facts.channel == Channel::Api && rules.api.contains(address, facts.now) {
        met.push(Rule::ApiRule);
        Ok(true)
    } else if rules.allow.is_empty() {
        Ok(false)
    } else if rules.allow.contains(address, facts.now) {
        met.push(Rule::AllowRule);
        Ok(rules.allow.is_named(address, facts.now))
    } else {
        met.push(Rule::NoAllowRule);
        Err(Reason::AddressNotAllowed)
    }
}

impl From<Force> for Rule {
    fn from(force: Force) -> Self {
        match force {
            Force::Everyone => Self::ForcedForEveryone,
            Force::FromNetwork => Self::ForcedFromNetwork,
            Force::OutsideNetworks => Self::ForcedOutsideNetworks,
            Force::ForRole => Self::ForcedForRole,
            Force::RolesUnknown => Self::RolesUnknown,
        }
    }
}
