//! A review of a change of policy, before it is made: the users who would need a recovery code, the
//! API clients it would block, and whether its author or all owners would be locked out.

use serde::{Deserialize, Serialize};

use crate::client_ip::ClientIp;

use super::check::{Policy, Require};
use super::decide::{Decision, Enrollment, Facts, explain};
use super::terms::{Channel, Method, Reason, Role};

/// A user whom a change of policy concerns.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Person {
    /// User id.
    pub user: String,
    /// The user's role in the account.
    pub role: Role,
    /// The user's factors under the *next* policy.
    pub enrollment: Enrollment,
    /// The address that the user usually comes from, if known.
    #[serde(default)]
    pub ip: Option<String>,
}

/// An API client of the account.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiClient {
    /// Its id.
    pub id: String,
    /// The address that it comes from, if known.
    #[serde(default)]
    pub ip: Option<String>,
}

/// The author of a change of policy, and everyone whom it concerns.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct People {
    /// User id of the author; must be among `users`.
    pub author: String,
    /// Address the author comes from.
    #[serde(default)]
    pub author_ip: Option<String>,
    /// All users of the account.
    pub users: Vec<Person>,
    /// All API clients of the account.
    pub api_clients: Vec<ApiClient>,
}

/// An API client that the next policy blocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
pub struct BlockedApiClient {
    /// Its id.
    pub id: String,
    /// The rule that blocks it.
    pub reason: Reason,
    /// The allow rule that would admit it, where its address is known and not on the deny list.
    pub rule: Option<String>,
}

/// The consequences of a change of policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct Review {
    /// Users who could log in only with an owner's recovery code (perhaps from some networks only).
    pub need_recovery_code: Vec<String>,
    /// Users whose known address the next policy turns away.
    pub blocked_users: Vec<String>,
    /// API clients that could not log in.
    pub blocked_api_clients: Vec<BlockedApiClient>,
    /// The author could not log in again from where they are now.
    pub locks_out_author: bool,
    /// No owner could log in.
    pub locks_out_owners: bool,
    /// There are users who need a recovery code, and no owner could issue one.
    pub no_rescue: bool,
    /// The change should be refused unless the author insists: one of the three above.
    pub refused: bool,
}

/// Finds the users and API clients that a policy would lock out, before it is switched on.
#[must_use]
pub fn review(next: &Policy, people: &People) -> Review {
    let verdict = |client: ClientIp, channel: Channel, enrollment: Enrollment| {
        explain(next, &Facts { client, channel, enrollment, recovery_code: false }).decision
    };
    let address = |ip: Option<&str>| ip.map_or(ClientIp::Unknown, ClientIp::parse_with_port);
    let turned_away = |decision: Decision| matches!(decision, Decision::Denied(Reason::AddressDenied | Reason::AddressNotAllowed));
    let without_factor = |person: &Person| {
        let forced_somewhere = match (&next.require, address(person.ip.as_deref())) {
            (Require::Optional, _) => false,
            (Require::Everyone, _) | (Require::From(_), ClientIp::Unknown) => true,
            (Require::From(networks), ClientIp::Known(ip)) => networks.contains(ip),
        };
        match person.enrollment {
            Enrollment::Usable => false,
            Enrollment::Unusable => true,
            Enrollment::None => forced_somewhere,
        }
    };
    let blocked_api_clients = people.api_clients.iter().filter_map(|client| {
        let ip = address(client.ip.as_deref());
        let Decision::Denied(reason) = verdict(ip, Channel::Api, Enrollment::None) else { return None };
        let rule = match (ip, reason) {
            (ClientIp::Known(ip), Reason::AddressNotAllowed | Reason::ApiClientBlocked) => Some(ipnet::IpNet::from(ip).to_string()),
            _ => None,
        };
        Some(BlockedApiClient { id: client.id.clone(), reason, rule })
    });
    let author = people.users.iter().find(|person| person.user == people.author);
    let locks_out_author = author.is_none_or(|person| {
        let client = address(people.author_ip.as_deref());
        matches!(verdict(client, Channel::Web, person.enrollment), Decision::Denied(_))
    });
    let owner_gets_in = |person: &Person| {
        let client = if person.user == people.author { people.author_ip.as_deref() } else { person.ip.as_deref() };
        match client.map(ClientIp::parse_with_port) {
            Some(given) => !matches!(verdict(given, Channel::Web, person.enrollment), Decision::Denied(_)),
            // The address is not known: assume one that the rules allow.
            None => !without_factor(person),
        }
    };
    let locks_out_owners = !people.users.iter().filter(|person| person.role == Role::Owner).any(owner_gets_in);
    let need_recovery_code: Vec<String> = people.users.iter().filter(|p| without_factor(p)).map(|p| p.user.clone()).collect();
    let issuer = |person: &Person| person.role == Role::Owner && person.enrollment == Enrollment::Usable;
    let can_issue = next.offers(Method::RecoveryCode) && people.users.iter().any(issuer);
    let no_rescue = !need_recovery_code.is_empty() && !can_issue;
    Review {
        need_recovery_code,
        blocked_users: people
            .users
            .iter()
            .filter(|p| p.ip.is_some() && turned_away(verdict(address(p.ip.as_deref()), Channel::Web, p.enrollment)))
            .map(|p| p.user.clone())
            .collect(),
        blocked_api_clients: blocked_api_clients.collect(),
        locks_out_author,
        locks_out_owners,
        no_rescue,
        refused: locks_out_author || locks_out_owners || no_rescue,
    }
}
