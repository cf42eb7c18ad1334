//! The rules of one account about addresses and roles, known to be right: the three lists, and the
//! users who must have a second factor.
//!
//! A list whose rules have all ended is still a list: `allow` then admits nobody, and `outside`
//! forces everybody.

use core::net::IpAddr;

use crate::client_ip::ClientIp;
use crate::error::{Error, ErrorCode};
use crate::invisible::is_bidi_control;
use crate::network_set::NetworkSet;
use crate::time::UnixSeconds;

use super::rule_document::{NetworkPolicy, NetworkRule, RequirePolicy, RequireRules, RequireWord};
use super::terms::Roles;

/// The rules of one account.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) allow: NetworkSet,
    pub(super) api: NetworkSet,
    pub(super) deny: NetworkSet,
    require: Require,
}

/// The users who must have a second factor.
#[derive(Debug, Clone)]
enum Require {
    Optional,
    Everyone,
    Any(Box<Forcing>),
}

/// Rules of which each one forces a second factor. An empty list is a rule that is not there.
#[derive(Debug, Clone)]
struct Forcing {
    networks: NetworkSet,
    outside: NetworkSet,
    roles: Vec<String>,
}

/// A rule by which a second factor is forced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Force {
    Everyone,
    FromNetwork,
    OutsideNetworks,
    ForRole,
    RolesUnknown,
}

impl Rules {
    /// Checks the rules of a document.
    pub(super) fn check(network: &NetworkPolicy, require: &RequirePolicy) -> Result<Self, Error> {
        let rules = Self {
            allow: networks("network.allow", &network.allow)?,
            api: networks("network.api", &network.api)?,
            deny: networks("network.deny", &network.deny)?,
            require: Require::check(require)?,
        };
        if rules.deny.is_everywhere() {
            return wrong(
                "network.deny",
                "denies every address for good, so that nobody could log in; to close an account, refuse its logins",
            );
        }
        if !rules.allow.is_empty() && rules.allow.is_within(&rules.deny) {
            return wrong(
                "network.allow",
                "every network in it is on the deny list too, so that nobody could log in; take it off one of the two",
            );
        }
        Ok(rules)
    }

    /// Whether any rule looks at the client's address.
    pub(super) fn ask_for_address(&self) -> bool {
        self.need_address() || !self.api.is_empty()
    }

    /// Whether a request from an unknown address is turned away. `api` only ever admits, so that it
    /// needs none.
    pub(super) fn need_address(&self) -> bool {
        !self.allow.is_empty() || !self.deny.is_empty() || self.require.needs_address()
    }

    /// Whether anybody is forced to have a second factor.
    pub(super) const fn force_anybody(&self) -> bool {
        !matches!(self.require, Require::Optional)
    }

    /// The rules that force a second factor here.
    pub(super) fn forces(&self, client: ClientIp, roles: &Roles, now: UnixSeconds) -> Vec<Force> {
        match &self.require {
            Require::Optional => Vec::new(),
            Require::Everyone => vec![Force::Everyone],
            Require::Any(forcing) => {
                let by_address = match client {
                    ClientIp::Known(address) => forcing.by_address(address, now),
                    ClientIp::Unknown => [None, None],
                };
                by_address.into_iter().chain([forcing.by_role(roles)]).flatten().collect()
            }
        }
    }

    /// Whether a second factor could be forced on a user with these roles who comes from an address
    /// that is not known yet.
    pub(super) fn may_force(&self, roles: &Roles) -> bool {
        self.require.needs_address() || !self.forces(ClientIp::Unknown, roles, UnixSeconds::EPOCH).is_empty()
    }

    /// The lists by their paths, as far as they are given.
    pub(super) fn lists(&self) -> Vec<(&'static str, &NetworkSet)> {
        let mut lists = vec![("network.allow", &self.allow), ("network.api", &self.api), ("network.deny", &self.deny)];
        if let Require::Any(forcing) = &self.require {
            lists.extend([("require.networks", &forcing.networks), ("require.outside", &forcing.outside)]);
        }
        lists
    }
}

impl Require {
    fn check(document: &RequirePolicy) -> Result<Self, Error> {
        let RequireRules { networks: from, outside, roles } = match document {
            RequirePolicy::Word(RequireWord::Optional) => return Ok(Self::Optional),
            RequirePolicy::Word(RequireWord::Everyone) => return Ok(Self::Everyone),
            RequirePolicy::Rules(rules) => rules,
        };
        if from.is_none() && outside.is_none() && roles.is_none() {
            return wrong("require", "name `networks`, `outside` or `roles`, or use \"optional\"");
        }
        for (list, path) in [(from, "require.networks"), (outside, "require.outside")] {
            if list.as_ref().is_some_and(Vec::is_empty) {
                return wrong(path, "name at least one network, or use \"optional\"");
            }
        }
        let forcing = Forcing {
            networks: networks("require.networks", from.as_deref().unwrap_or_default())?,
            outside: networks("require.outside", outside.as_deref().unwrap_or_default())?,
            roles: checked_roles(roles.as_deref())?,
        };
        if !forcing.outside.is_empty() && forcing.outside.is_everywhere() {
            return wrong(
                "require.outside",
                "holds every address, so that nobody comes from outside; name the networks that need no second factor",
            );
        }
        Ok(Self::Any(Box::new(forcing)))
    }

    fn needs_address(&self) -> bool {
        match self {
            Self::Optional | Self::Everyone => false,
            Self::Any(forcing) => !forcing.networks.is_empty() || !forcing.outside.is_empty(),
        }
    }
}

impl Forcing {
    fn by_address(&self, address: IpAddr, now: UnixSeconds) -> [Option<Force>; 2] {
        let is_outside = !self.outside.is_empty() && !self.outside.contains(address, now);
        [self.networks.contains(address, now).then_some(Force::FromNetwork), is_outside.then_some(Force::OutsideNetworks)]
    }

    fn by_role(&self, roles: &Roles) -> Option<Force> {
        match roles {
            _ if self.roles.is_empty() => None,
            Roles::Unknown => Some(Force::RolesUnknown),
            Roles::Known(names) => names.iter().any(|name| self.roles.contains(name)).then_some(Force::ForRole),
        }
    }
}

fn networks(path: &str, rules: &[NetworkRule]) -> Result<NetworkSet, Error> {
    let at = |index: usize, field: &str| match rules.get(index) {
        Some(NetworkRule::Entry(_)) => format!("{path}[{index}].{field}"),
        Some(NetworkRule::Network(_)) | None => format!("{path}[{index}]"),
    };
    for (index, rule) in rules.iter().enumerate() {
        let note = rule.note().unwrap_or_default();
        let breaks_a_line = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        if note.chars().count() > 200 || note.chars().any(|c| breaks_a_line(c) || is_bidi_control(c)) {
            return wrong(&at(index, "note"), "must be at most 200 characters on one line, without marks of direction");
        }
    }
    NetworkSet::parse_until(rules.iter().map(|rule| (rule.network(), rule.until()))).map_err(|error| {
        let index = error.path.trim_matches(['[', ']']).parse().unwrap_or_default();
        Error { path: at(index, "network"), ..error }
    })
}

fn checked_roles(roles: Option<&[String]>) -> Result<Vec<String>, Error> {
    let Some(roles) = roles else { return Ok(Vec::new()) };
    if roles.is_empty() {
        return wrong("require.roles", "name at least one role, or use \"optional\"");
    }
    for (index, role) in roles.iter().enumerate() {
        if !Roles::is_name(role) {
            return wrong(&format!("require.roles[{index}]"), "must be 1 to 64 bytes without control characters");
        }
    }
    Ok(roles.to_vec())
}

fn wrong<T>(path: &str, message: &str) -> Result<T, Error> {
    Err(Error::new(ErrorCode::InvalidPolicy, path, message))
}
