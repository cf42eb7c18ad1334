//! Where calls come from, and the lists of networks in an account's rules, as the model reads them from
//! docs/policy.md.

use serde_json::{Value, json};

use crate::client_ip::ClientIp;
use crate::policy::Roles;

use super::rng::Rng;

/// The places that requests come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Client {
    Office,
    Home,
    Cafe,
    Unknown,
}

pub(super) const CLIENTS: [Client; 4] = [Client::Office, Client::Home, Client::Cafe, Client::Unknown];

impl Client {
    pub(super) fn address(self) -> Option<&'static str> {
        match self {
            Self::Office => Some("203.0.113.7"),
            Self::Home => Some("198.51.100.9"),
            Self::Cafe => Some("192.0.2.66"),
            Self::Unknown => None,
        }
    }

    pub(super) fn ip(self) -> ClientIp {
        self.address().map_or(ClientIp::Unknown, |address| ClientIp::Known(address.parse().unwrap()))
    }
}

/// The roles that the host names with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Nothing,
    These(&'static [&'static str]),
}

pub(super) const ROLES: [&str; 2] = ["admin", "clerk"];
const TOLD: [Told; 6] =
    [Told::Nothing, Told::Nothing, Told::These(&[]), Told::These(&["clerk"]), Told::These(&["admin", "guest"]), Told::These(&["guest"])];

impl Told {
    pub(super) fn any(rng: &mut Rng) -> Self {
        rng.pick(&TOLD)
    }

    pub(super) fn roles(self) -> Roles {
        match self {
            Self::Nothing => Roles::Unknown,
            Self::These(names) => Roles::Known(names.iter().map(|&name| name.to_owned()).collect()),
        }
    }
}

/// All that the rules look at in a call but its channel and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) client: Client,
    pub(super) roles: Told,
}

/// A network. Its members are written out, so that nothing here computes prefixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network {
    text: &'static str,
    members: &'static [Client],
    /// A rule of more than a `/8` of all addresses names no one.
    names: bool,
}

pub(super) const OFFICE: Network = Network { text: "203.0.113.0/24", members: &[Client::Office], names: true };
pub(super) const HOME: Network = Network { text: "198.51.100.9/32", members: &[Client::Home], names: true };
pub(super) const CAFE: Network = Network { text: "192.0.2.64/26", members: &[Client::Cafe], names: true };
pub(super) const ANYWHERE: Network = Network { text: "0.0.0.0/0", members: &[Client::Office, Client::Home, Client::Cafe], names: false };
const HALF_OF_ALL: Network = Network { text: "128.0.0.0/1", ..ANYWHERE };
pub(super) const NETWORKS: [Network; 5] = [OFFICE, HOME, CAFE, ANYWHERE, HALF_OF_ALL];

/// A rule of a list: a network, for good or until a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Listed {
    network: Network,
    pub(super) until: Option<u64>,
}

impl Listed {
    pub(super) const fn for_good(network: Network) -> Self {
        Self { network, until: None }
    }

    pub(super) const fn until(network: Network, until: u64) -> Self {
        Self { network, until: Some(until) }
    }

    /// Now and then with an end, which may be over already.
    pub(super) fn any(network: Network, now: u64, rng: &mut Rng) -> Self {
        let until = match rng.below(10) {
            0 => Some(now - rng.pick(&[0, 1, 50])),
            1..4 => Some(now + rng.pick(&[1, 40, 700, 4_000, 90_000, 86_400 * 500])),
            _ => None,
        };
        Self { network, until }
    }

    pub(super) fn has_ended(&self, now: u64) -> bool {
        self.until.is_some_and(|until| now >= until)
    }

    fn holds(&self, client: Client, now: u64) -> bool {
        !self.has_ended(now) && self.network.members.contains(&client)
    }

    pub(super) fn to_json(self) -> Value {
        match self.until {
            None => json!(self.network.text),
            Some(until) => json!({"network": self.network.text, "until": until}),
        }
    }
}

/// Whether a rule of the list holds the place now.
pub(super) fn hold(list: &[Listed], client: Client, now: u64) -> bool {
    list.iter().any(|rule| rule.holds(client, now))
}

/// Whether one of them names the place.
pub(super) fn name(list: &[Listed], client: Client, now: u64) -> bool {
    list.iter().any(|rule| rule.network.names && rule.holds(client, now))
}

/// Some of these networks as rules.
pub(super) fn some(networks: &[Network], chance: usize, now: u64, rng: &mut Rng) -> Vec<Listed> {
    let chosen: Vec<&Network> = networks.iter().filter(|_| rng.percent(chance)).collect();
    chosen.into_iter().map(|network| Listed::any(*network, now, rng)).collect()
}
