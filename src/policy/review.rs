//! A review of a change of policy, before it is made: the users who would need a recovery code, the
//! API clients it would block, and whether its author or all owners would be locked out.
//!
//! The policy is compiled once, and people are added one after another, so that the reader of a
//! large account can pause in between. Where users have one second factor for many accounts, each is
//! reviewed under the policy of all of their accounts: [`Reviewer::under`].

use core::borrow::Borrow;

use serde::{Deserialize, Serialize};

use crate::client_ip::ClientIp;
use crate::network_set::AddressFamily;
use crate::time::UnixSeconds;

use super::check::Policy;
use super::decide::{Decision, Enrollment, Facts, explain};
use super::terms::{Channel, Method, Reason, Role, Roles};

/// A user whom a change of policy concerns.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Person {
    /// User id.
    pub user: String,
    /// The user's role in the account.
    pub role: Role,
    /// The user's roles by the host's own names, if known: a rule about roles may meet them.
    #[serde(default)]
    pub roles: Roles,
    /// The user's factors under the *next* policy.
    pub enrollment: Enrollment,
    /// The plan of the user's account, where the next policy names plans. A user without one can set up nothing there.
    #[serde(default)]
    pub plan: Option<String>,
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
    /// Its roles, if known.
    #[serde(default)]
    pub roles: Roles,
    /// The address that it comes from, if known.
    #[serde(default)]
    pub ip: Option<String>,
}

/// The author of a change of policy.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Author {
    /// User id; it must be among the users who are added.
    pub user: String,
    /// The address of the author's request.
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
    /// The `api` rule that would admit it, and concern nobody else: its address, where that is known and
    /// not on the deny list.
    pub rule: Option<String>,
}

/// A list that holds all addresses of one family and names no network of the other. Perhaps its author
/// took the one for all: `0.0.0.0/0` on the allow list shuts out IPv6.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
pub struct ForgottenFamily {
    /// The path of the list, like `network.allow`; in a list of policies, like `[1].network.allow`.
    pub list: String,
    /// The family of which the list names no network.
    pub family: AddressFamily,
}

/// The consequences of a change of policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct Review {
    /// Users who could log in only with an owner's recovery code (perhaps from some networks only).
    pub need_recovery_code: Vec<String>,
    /// Users who never had a factor, and would set one up at their next login, by the password alone (perhaps
    /// from some networks only).
    pub set_up_by_password: Vec<String>,
    /// Users whose known address the next policy turns away.
    pub blocked_users: Vec<String>,
    /// API clients that could not log in.
    pub blocked_api_clients: Vec<BlockedApiClient>,
    /// The lists in which a family of addresses seems to be forgotten.
    pub forgotten_families: Vec<ForgottenFamily>,
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
pub fn review(next: &Policy, people: &People, now: UnixSeconds) -> Review {
    let author = Author { user: people.author.clone(), ip: people.author_ip.clone() };
    let mut reviewer = Reviewer::new(next, author, now);
    people.users.iter().for_each(|person| reviewer.add_user(person));
    people.api_clients.iter().for_each(|client| reviewer.add_api_client(client));
    reviewer.finish()
}

/// A review under way.
#[derive(Debug)]
pub struct Reviewer<P> {
    next: P,
    author: Author,
    now: UnixSeconds,
    /// Users are collected here, and the rest is settled at the end.
    found: Review,
    author_gets_in: bool,
    owner_gets_in: bool,
    owner_can_issue: bool,
    /// Someone needs a recovery code which an owner could issue.
    needs_owner: bool,
    /// Someone needs a recovery code which no owner may issue.
    needs_operator: bool,
}

impl<P: Borrow<Policy>> Reviewer<P> {
    /// Begins a review of the next policy at this time.
    #[must_use]
    pub fn new(next: P, author: Author, now: UnixSeconds) -> Self {
        let found = Review {
            need_recovery_code: Vec::new(),
            set_up_by_password: Vec::new(),
            blocked_users: Vec::new(),
            blocked_api_clients: Vec::new(),
            forgotten_families: Vec::new(),
            locks_out_author: false,
            locks_out_owners: false,
            no_rescue: false,
            refused: false,
        };
        let mut reviewer = Self {
            next,
            author,
            now,
            found,
            author_gets_in: false,
            owner_gets_in: false,
            owner_can_issue: false,
            needs_owner: false,
            needs_operator: false,
        };
        reviewer.note_lists();
        reviewer
    }

    /// Goes on under another policy, that of the people who are added from now on.
    pub fn under(&mut self, next: P) {
        self.next = next;
    }

    /// Notes the lists of the present policy in which a family of addresses seems to be forgotten.
    pub fn note_lists(&mut self) {
        let next = self.next.borrow();
        for (index, rules) in next.accounts().iter().enumerate() {
            for (path, list) in rules.lists() {
                let Some(family) = list.forgotten_family(self.now) else { continue };
                let forgotten =
                    ForgottenFamily { list: if next.is_of_all { format!("[{index}].{path}") } else { path.to_owned() }, family };
                if !self.found.forgotten_families.contains(&forgotten) {
                    self.found.forgotten_families.push(forgotten);
                }
            }
        }
    }

    /// The next policy.
    pub fn policy(&self) -> &Policy {
        self.next.borrow()
    }

    /// Adds a user.
    pub fn add_user(&mut self, person: &Person) {
        let is_author = person.user == self.author.user;
        let needs_code = match person.enrollment {
            Enrollment::Usable => false,
            Enrollment::Unusable | Enrollment::Reset => true,
            Enrollment::Never if self.policy().sets_up_by_password(person.plan.as_deref()) => {
                if self.is_forced(person) {
                    self.found.set_up_by_password.push(person.user.clone());
                }
                false
            }
            Enrollment::None | Enrollment::Never => self.is_forced(person),
        };
        if is_author {
            self.author_gets_in |= self.lets_in(client(self.author.ip.as_deref()), person);
        }
        if person.role == Role::Owner {
            let ip = if is_author { self.author.ip.as_deref() } else { person.ip.as_deref() };
            // Where the address is not known, one is assumed that the rules allow.
            self.owner_gets_in |= ip.map_or(!needs_code, |ip| self.lets_in(client(Some(ip)), person));
            // By app or SMS: an owner who comes in by a backup code issues none before there is one.
            self.owner_can_issue |= person.enrollment == Enrollment::Usable && self.policy().offers_own_factor();
        }
        if person.ip.is_some() && self.turns_away(client(person.ip.as_deref()), person) {
            self.found.blocked_users.push(person.user.clone());
        }
        if needs_code {
            let next = self.next.borrow();
            let owners_issue = next.offers(Method::RecoveryCode) && next.owners_issue_recovery_codes();
            *(if owners_issue { &mut self.needs_owner } else { &mut self.needs_operator }) = true;
            self.found.need_recovery_code.push(person.user.clone());
        }
    }

    /// Adds an API client.
    pub fn add_api_client(&mut self, api_client: &ApiClient) {
        let ip = client(api_client.ip.as_deref());
        let (now, client, roles, channel, enrollment) = (self.now, ip, &api_client.roles, Channel::Api, Enrollment::None);
        let facts = Facts { now, client, roles, channel, enrollment, plan: None, recovery_code: false };
        let Decision::Denied(reason) = explain(self.policy(), &facts).decision else { return };
        let rule = match (ip, reason) {
            (ClientIp::Known(ip), Reason::AddressNotAllowed | Reason::ApiClientBlocked) => Some(ipnet::IpNet::from(ip).to_string()),
            _ => None,
        };
        self.found.blocked_api_clients.push(BlockedApiClient { id: api_client.id.clone(), reason, rule });
    }

    /// Ends the review.
    pub fn finish(self) -> Review {
        let no_rescue = self.needs_operator || (self.needs_owner && !self.owner_can_issue);
        let (locks_out_author, locks_out_owners) = (!self.author_gets_in, !self.owner_gets_in);
        Review { locks_out_author, locks_out_owners, no_rescue, refused: locks_out_author || locks_out_owners || no_rescue, ..self.found }
    }

    fn decision_on(&self, person: &Person, client: ClientIp) -> Decision {
        let (now, roles, enrollment, plan) = (self.now, &person.roles, person.enrollment, person.plan.as_deref());
        explain(self.policy(), &Facts { now, client, roles, channel: Channel::Web, enrollment, plan, recovery_code: false }).decision
    }

    fn lets_in(&self, client: ClientIp, person: &Person) -> bool {
        !matches!(self.decision_on(person, client), Decision::Denied(_))
    }

    fn turns_away(&self, client: ClientIp, person: &Person) -> bool {
        matches!(self.decision_on(person, client), Decision::Denied(Reason::AddressDenied | Reason::AddressNotAllowed))
    }

    /// Whether a second factor is forced for the user, perhaps from some networks only.
    fn is_forced(&self, person: &Person) -> bool {
        let ip = client(person.ip.as_deref());
        self.policy().accounts().iter().any(|rules| match ip {
            ClientIp::Known(_) => !rules.forces(ip, &person.roles, self.now).is_empty(),
            ClientIp::Unknown => rules.may_force(&person.roles),
        })
    }
}

fn client(ip: Option<&str>) -> ClientIp {
    ip.map_or(ClientIp::Unknown, ClientIp::parse_with_port)
}
