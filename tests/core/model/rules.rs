//! An account's rules as the model reads them from docs/policy.md: who is turned away by address, whom a
//! second factor is forced on, and how a login is decided.

use serde_json::{Value, json};

use crate::client_ip::ClientIp;
use crate::policy::{Channel, Method, Policy, Reason};

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
    pub(super) fn ip(self) -> ClientIp {
        let address = match self {
            Self::Office => "203.0.113.7",
            Self::Home => "198.51.100.9",
            Self::Cafe => "192.0.2.66",
            Self::Unknown => return ClientIp::Unknown,
        };
        ClientIp::Known(address.parse().unwrap())
    }
}

/// A network that rules name. Its members are written out, so that nothing here computes prefixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network {
    text: &'static str,
    members: &'static [Client],
    /// A rule that holds every address names no one.
    names: bool,
}

pub(super) const OFFICE: Network = Network { text: "203.0.113.0/24", members: &[Client::Office], names: true };
pub(super) const HOME: Network = Network { text: "198.51.100.9/32", members: &[Client::Home], names: true };
pub(super) const CAFE: Network = Network { text: "192.0.2.64/26", members: &[Client::Cafe], names: true };
pub(super) const ANYWHERE: Network = Network { text: "0.0.0.0/0", members: &[Client::Office, Client::Home, Client::Cafe], names: false };

fn holds(networks: &[Network], client: Client) -> bool {
    networks.iter().any(|network| network.members.contains(&client))
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Require {
    Optional,
    Everyone,
    From(Vec<Network>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rules {
    pub(super) methods: Vec<Method>,
    pub(super) require: Require,
    pub(super) allow: Vec<Network>,
    pub(super) deny: Vec<Network>,
    pub(super) plans: Option<Vec<&'static str>>,
    pub(super) prefixes: Vec<&'static str>,
    pub(super) app_digits: u8,
    pub(super) app_period: u64,
    pub(super) window: u64,
    pub(super) sms_digits: u8,
    pub(super) sms_life: u64,
    pub(super) cooldown: u64,
    pub(super) per_minute: usize,
    pub(super) per_hour: usize,
    pub(super) per_day: usize,
    pub(super) backup_count: usize,
    pub(super) keep: bool,
    pub(super) recovery_life: u64,
    pub(super) ticket_life: u64,
    pub(super) pass_life: u64,
    pub(super) fresh: u64,
}

/// The decision on a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Login {
    In,
    SecondStep,
    Out(Reason),
}

/// A user's factors, seen through the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Factors {
    None,
    Usable,
    Unusable,
}

impl Rules {
    /// Everyone must, from one network, by few methods.
    pub(super) fn strict() -> Self {
        Self {
            methods: vec![Method::Totp, Method::BackupCode, Method::RecoveryCode],
            require: Require::Everyone,
            allow: vec![OFFICE],
            fresh: 60,
            pass_life: 3_600,
            backup_count: 2,
            ..Self::lenient()
        }
    }

    /// Nobody must, from anywhere, by all methods.
    pub(super) fn lenient() -> Self {
        Self {
            methods: Method::ALL.to_vec(),
            require: Require::Optional,
            allow: Vec::new(),
            deny: Vec::new(),
            plans: None,
            prefixes: vec!["+614", "+44"],
            app_digits: 6,
            app_period: 30,
            window: 1,
            sms_digits: 6,
            sms_life: 300,
            cooldown: 30,
            per_minute: 2,
            per_hour: 5,
            per_day: 10,
            backup_count: 3,
            keep: true,
            recovery_life: 3_600,
            ticket_life: 600,
            pass_life: 43_200,
            fresh: 300,
        }
    }

    /// Other rules in one respect.
    pub(super) fn changed(&self, rng: &mut Rng) -> Self {
        let mut next = self.clone();
        let networks = [OFFICE, HOME, CAFE, ANYWHERE];
        match rng.below(19) {
            0..3 => {
                next.methods = Method::ALL.into_iter().filter(|_| rng.percent(65)).collect();
                if !next.methods.contains(&Method::Totp) && !next.methods.contains(&Method::BackupCode) {
                    next.methods.push(Method::Totp);
                }
            }
            3..6 => {
                next.require = match rng.below(4) {
                    0 => Require::Everyone,
                    1 => Require::From(vec![rng.pick(&networks)]),
                    _ => Require::Optional,
                }
            }
            6 => next.allow = networks.into_iter().filter(|_| rng.percent(30)).collect(),
            7 => next.deny = [OFFICE, HOME, CAFE].into_iter().filter(|_| rng.percent(30)).collect(),
            8 => next.plans = rng.pick(&[None, None, Some(vec!["paid"]), Some(vec![])]),
            9 | 17 | 18 => next.prefixes = rng.pick(&[vec!["+614"], vec!["+44"], vec!["+614", "+44"], vec!["+1"]]),
            10 => (next.app_digits, next.app_period) = rng.pick(&[(6, 30), (8, 30), (6, 60), (7, 15)]),
            11 => next.window = rng.pick(&[0, 1, 2]),
            12 => (next.sms_digits, next.sms_life) = rng.pick(&[(6, 300), (8, 60), (6, 600)]),
            13 => (next.per_minute, next.per_hour, next.per_day) = rng.pick(&[(2, 5, 10), (1, 1, 1), (10, 50, 100)]),
            14 => (next.keep, next.backup_count) = rng.pick(&[(true, 3), (false, 1), (true, 2)]),
            15 => (next.ticket_life, next.recovery_life) = rng.pick(&[(60, 60), (600, 3_600), (1_800, 3_600)]),
            _ => (next.pass_life, next.fresh) = rng.pick(&[(60, 30), (43_200, 300), (2_592_000, 3_600)]),
        }
        if next.admitted().is_none() { self.clone() } else { next }
    }

    /// The policy of these rules; `None` where it is refused, because nobody could ever follow it.
    pub(super) fn policy(&self) -> Option<Policy> {
        let texts = |networks: &[Network]| networks.iter().map(|network| network.text).collect::<Vec<_>>();
        let require = match &self.require {
            Require::Optional => json!("optional"),
            Require::Everyone => json!("everyone"),
            Require::From(networks) => json!({"networks": texts(networks)}),
        };
        let mut document = json!({
            "v": 1, "name": "Acme", "origin": "https://login.acme.example", "methods": self.methods, "require": require,
            "network": {"allow": texts(&self.allow), "deny": texts(&self.deny)},
            "totp": {"digits": self.app_digits, "periodSeconds": self.app_period, "window": self.window},
            "sms": {
                "prefixes": self.prefixes, "digits": self.sms_digits, "lifetimeSeconds": self.sms_life, "cooldownSeconds": self.cooldown,
                "perMinute": self.per_minute, "perHour": self.per_hour, "perDay": self.per_day,
            },
            "backupCodes": {"count": self.backup_count, "keepForShowing": self.keep},
            "recoveryCode": {"lifetimeSeconds": self.recovery_life},
            "ticketSeconds": self.ticket_life, "passSeconds": self.pass_life, "freshSeconds": self.fresh,
        });
        if let Some(plans) = &self.plans {
            document["plans"] = Value::from(plans.clone());
        }
        Policy::parse(&document.to_string()).ok()
    }

    pub(super) fn offers(&self, method: Method) -> bool {
        self.methods.contains(&method)
    }

    pub(super) fn allows(&self, number: &str) -> bool {
        self.prefixes.iter().any(|prefix| number.starts_with(prefix))
    }

    pub(super) fn plan_may_enroll(&self, plan: Option<&str>) -> bool {
        self.plans.as_ref().is_none_or(|plans| plan.is_some_and(|plan| plans.contains(&plan)))
    }

    /// A known place from which nobody is turned away.
    pub(super) fn admitted(&self) -> Option<Client> {
        CLIENTS.into_iter().find(|client| *client != Client::Unknown && self.turned_away(*client).is_none())
    }

    pub(super) fn turned_away(&self, client: Client) -> Option<Reason> {
        let asks = !self.allow.is_empty() || !self.deny.is_empty() || matches!(self.require, Require::From(_));
        if client == Client::Unknown {
            asks.then_some(Reason::AddressUnknown)
        } else if holds(&self.deny, client) {
            Some(Reason::AddressDenied)
        } else if !self.allow.is_empty() && !holds(&self.allow, client) {
            Some(Reason::AddressNotAllowed)
        } else {
            None
        }
    }

    pub(super) fn forces(&self, client: Client) -> bool {
        match &self.require {
            Require::Optional => false,
            Require::Everyone => true,
            Require::From(networks) => holds(networks, client),
        }
    }

    pub(super) fn login(&self, client: Client, channel: Channel, factors: Factors, recovery_alive: bool) -> Login {
        if let Some(reason) = self.turned_away(client) {
            return Login::Out(reason);
        }
        let forced = self.forces(client);
        let is_named = self.allow.iter().any(|network| network.names && network.members.contains(&client));
        match (channel, factors) {
            (Channel::Api, Factors::None) if !forced => Login::In,
            (Channel::Api, _) if is_named => Login::In,
            (Channel::Api, _) => Login::Out(Reason::ApiClientBlocked),
            (Channel::Web, Factors::Usable) => Login::SecondStep,
            (Channel::Web, Factors::Unusable) if recovery_alive => Login::SecondStep,
            (Channel::Web, Factors::Unusable) => Login::Out(Reason::NoUsableMethod),
            (Channel::Web, Factors::None) if !forced => Login::In,
            (Channel::Web, Factors::None) if recovery_alive => Login::SecondStep,
            (Channel::Web, Factors::None) => Login::Out(Reason::EnrollmentRequired),
        }
    }
}
