//! The rules about addresses and roles as they are written: networks with a note and an end, the three
//! lists, and the users who must have a second factor.

use core::fmt;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{self, Deserializer, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Serialize};

use crate::time::UnixSeconds;

/// A rule about a network: the network alone, or with a note and an end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(untagged)]
pub enum NetworkRule {
    /// A network (CIDR) or an address.
    Network(String),
    /// The same with a note and an end.
    Entry(NetworkEntry),
}

/// A network with a note and an end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(deny_unknown_fields)]
pub struct NetworkEntry {
    /// The network (CIDR) or address.
    pub network: String,
    /// A note for people, such as the name of the office: at most 200 characters on one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The time at which the rule ends, in unix seconds: from then on it holds no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<UnixSeconds>,
}

impl NetworkRule {
    /// The network as it is written.
    #[must_use]
    pub fn network(&self) -> &str {
        match self {
            Self::Network(network) | Self::Entry(NetworkEntry { network, .. }) => network,
        }
    }

    /// The note, if there is one.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        match self {
            Self::Network(_) => None,
            Self::Entry(entry) => entry.note.as_deref(),
        }
    }

    /// The time at which the rule ends, if it does.
    #[must_use]
    pub const fn until(&self) -> Option<UnixSeconds> {
        match self {
            Self::Network(_) => None,
            Self::Entry(entry) => entry.until,
        }
    }
}

/// The three lists of address rules. `deny` beats both others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(default, deny_unknown_fields)]
pub struct NetworkPolicy {
    /// Networks from which the account opens; empty: from everywhere. A network of `/8` or longer in
    /// IPv4, or `/16` or longer in IPv6, also admits API clients without a challenge.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub allow: Vec<NetworkRule>,
    /// Networks from which API clients need no challenge, inside `allow` or not. They say nothing
    /// about people.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub api: Vec<NetworkRule>,
    /// Networks from which the account does not open.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub deny: Vec<NetworkRule>,
}

/// The users who must have a second factor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(untagged)]
pub enum RequirePolicy {
    /// All of them, or none.
    Word(RequireWord),
    /// The users whom one of these rules meets.
    Rules(RequireRules),
}

/// All users, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum RequireWord {
    /// Nobody: each user decides.
    Optional,
    /// All users, enrolled or not.
    Everyone,
}

/// The users who must have a second factor, by rules: any of them forces it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(deny_unknown_fields)]
pub struct RequireRules {
    /// All users who come from one of these networks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub networks: Option<Vec<NetworkRule>>,
    /// All users who come from outside of these networks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside: Option<Vec<NetworkRule>>,
    /// All users with one of these roles, whose names are the host's. A call that gives no roles counts
    /// as one of a user who has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
}

impl Default for RequirePolicy {
    fn default() -> Self {
        Self::Word(RequireWord::Optional)
    }
}

impl<'de> Deserialize<'de> for NetworkRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RuleVisitor;

        impl<'de> Visitor<'de> for RuleVisitor {
            type Value = NetworkRule;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a network like 203.0.113.0/24, or an object with `network`, `note` and `until`")
            }

            fn visit_str<E: de::Error>(self, network: &str) -> Result<NetworkRule, E> {
                Ok(NetworkRule::Network(network.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<NetworkRule, A::Error> {
                NetworkEntry::deserialize(MapAccessDeserializer::new(map)).map(NetworkRule::Entry)
            }
        }

        deserializer.deserialize_any(RuleVisitor)
    }
}

impl<'de> Deserialize<'de> for RequirePolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RequireVisitor;

        impl<'de> Visitor<'de> for RequireVisitor {
            type Value = RequirePolicy;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one of `optional`, `everyone`, or an object with `networks`, `outside` or `roles`")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<RequirePolicy, E> {
                let known = RequireWord::deserialize(StrDeserializer::<E>::new(word)).map(RequirePolicy::Word);
                known.map_err(|_| E::invalid_value(Unexpected::Str(word), &self))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RequirePolicy, A::Error> {
                RequireRules::deserialize(MapAccessDeserializer::new(map)).map(RequirePolicy::Rules)
            }
        }

        deserializer.deserialize_any(RequireVisitor)
    }
}
