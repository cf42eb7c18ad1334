//! The one function that decides a login.
//!
//! Order of the rules; the first that applies decides:
//!
//! 1. addresses: a rule about addresses and no known address → denied; on the deny list →
//!    denied; an allow list that does not hold it → denied
//! 2. an API client cannot answer a challenge: where a second factor is needed (forced, or the
//!    user has one) it passes only by an allow rule that holds its address; a rule that holds
//!    every address (`/0`) names no one
//! 3. a person with a factor is challenged, forced or not, under any plan
//! 4. a person without one is let in, unless a second factor is forced: then only an owner's
//!    recovery code helps

use serde::{Deserialize, Serialize};

use crate::client_ip::ClientIp;

use super::check::{Policy, Require};
use super::terms::{Channel, Reason};

/// The factors of a user, seen through a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Enrollment {
    /// The user has no factor.
    None,
    /// The user has a factor that the policy offers.
    Usable,
    /// The user has only factors that the policy does not offer any more.
    Unusable,
}

/// The facts on which a login is decided.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// The address that the request comes from.
    pub client: ClientIp,
    /// Person or program.
    pub channel: Channel,
    /// The factors that the user has enrolled.
    pub enrollment: Enrollment,
    /// Whether an owner's recovery code is alive for the user.
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
    /// A second factor is forced for everyone.
    ForcedForEveryone,
    /// A second factor is forced from this network.
    ForcedFromNetwork,
    /// No second factor is forced.
    NotForced,
    /// The caller is an API client, which cannot answer a challenge.
    ApiClient,
    /// The user has a usable factor.
    Enrolled,
    /// The user has only factors that are not offered any more.
    EnrolledUnusable,
    /// The user has no factor.
    NotEnrolled,
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
pub fn explain(policy: &Policy, facts: &Facts) -> Explanation {
    let mut rules = Vec::new();
    let decision = decide_into(policy, facts, &mut rules);
    Explanation { decision, rules }
}

fn decide_into(policy: &Policy, facts: &Facts, rules: &mut Vec<Rule>) -> Decision {
    let mut admits_programs = false;
    let mut from_network = false;
    match facts.client {
        ClientIp::Unknown if policy.asks_for_address() => {
            rules.push(Rule::AddressUnknown);
            return Decision::Denied(Reason::AddressUnknown);
        }
        ClientIp::Unknown => {}
        ClientIp::Known(address) => {
            if policy.deny.contains(address) {
                rules.push(Rule::DenyRule);
                return Decision::Denied(Reason::AddressDenied);
            }
            admits_programs = policy.allow.is_named(address);
            if policy.allow.contains(address) {
                rules.push(Rule::AllowRule);
            } else if !policy.allow.is_empty() {
                rules.push(Rule::NoAllowRule);
                return Decision::Denied(Reason::AddressNotAllowed);
            }
            if let Require::From(networks) = &policy.require {
                from_network = networks.contains(address);
            }
        }
    }
    let forced = match policy.require {
        Require::Everyone => Some(Rule::ForcedForEveryone),
        Require::From(_) if from_network => Some(Rule::ForcedFromNetwork),
        Require::From(_) | Require::Optional => None,
    };
    rules.push(forced.unwrap_or(Rule::NotForced));
    rules.push(match facts.enrollment {
        Enrollment::None => Rule::NotEnrolled,
        Enrollment::Usable => Rule::Enrolled,
        Enrollment::Unusable => Rule::EnrolledUnusable,
    });
    let needed = forced.is_some() || facts.enrollment != Enrollment::None;
    match facts.channel {
        Channel::Api => {
            rules.push(Rule::ApiClient);
            if needed && !admits_programs { Decision::Denied(Reason::ApiClientBlocked) } else { Decision::Allowed }
        }
        Channel::Web => {
            if facts.recovery_code {
                rules.push(Rule::RecoveryCodeAlive);
            }
            match (facts.enrollment, forced.is_some(), facts.recovery_code) {
                (Enrollment::Usable, _, _) | (Enrollment::Unusable, _, true) | (Enrollment::None, true, true) => Decision::Challenge,
                (Enrollment::Unusable, _, false) => Decision::Denied(Reason::NoUsableMethod),
                (Enrollment::None, true, false) => Decision::Denied(Reason::EnrollmentRequired),
                (Enrollment::None, false, _) => Decision::Allowed,
            }
        }
    }
}
