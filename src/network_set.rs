//! Networks that rules name, in CIDR form, each for good or until a time.
//!
//! A network is written strictly: host bits, leading zeros and IPv4 networks in IPv6 form are
//! errors, so that no rule holds another set of addresses than its author reads.
//!
//! A network whose time is over holds no address any more, and the set is still not empty: a list
//! that has run out does not turn into no list.

use core::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use prefix_trie::joint::JointPrefixMap;

use crate::error::{Error, ErrorCode};
use crate::time::UnixSeconds;

/// A set of networks with look-up in time that does not grow with their number.
#[derive(Debug, Clone, Default)]
pub struct NetworkSet(JointPrefixMap<IpNet, Option<UnixSeconds>>);

/// A family of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "lowercase")]
pub enum AddressFamily {
    /// 32 bits.
    Ipv4,
    /// 128 bits.
    Ipv6,
}

impl AddressFamily {
    /// The network of all its addresses.
    #[must_use]
    pub fn whole(self) -> IpNet {
        match self {
            Self::Ipv4 => IpNet::V4(Ipv4Net::default()),
            Self::Ipv6 => IpNet::V6(Ipv6Net::default()),
        }
    }
}

impl NetworkSet {
    /// Reads CIDR texts, like `203.0.113.0/24` or `2001:db8::/32`; a bare address is that one
    /// address.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidPolicy`] with the index, when one does not parse, has host bits set,
    /// or is an IPv4 network written as IPv6.
    pub fn parse(texts: &[String]) -> Result<Self, Error> {
        Self::parse_until(texts.iter().map(|text| (text.as_str(), None)))
    }

    /// Reads CIDR texts, each with the time from which it holds no more, if there is one. Of two
    /// equal networks the one that holds longer counts.
    ///
    /// # Errors
    /// As [`NetworkSet::parse`].
    pub fn parse_until<'a>(rules: impl Iterator<Item = (&'a str, Option<UnixSeconds>)>) -> Result<Self, Error> {
        let mut map = JointPrefixMap::new();
        for (index, (text, until)) in rules.enumerate() {
            let network = network(text).map_err(|message| Error::new(ErrorCode::InvalidPolicy, format!("[{index}]"), message))?;
            let holds_longer = match (map.get(&network), until) {
                (None, _) | (Some(Some(_)), None) => true,
                (Some(None), _) => false,
                (Some(Some(known)), Some(until)) => *known < until,
            };
            if holds_longer {
                map.insert(network, until);
            }
        }
        Ok(Self(map))
    }

    /// Whether the set names no network, not even one whose time is over.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a network that contains the address at this time is small enough to name it: `/8` or longer in IPv4, `/16`
    /// or longer in IPv6. A wider one, like `/0` or its halves, is written for everybody and means nobody by name.
    #[must_use]
    pub fn is_named(&self, address: IpAddr, now: UnixSeconds) -> bool {
        self.0.cover(&IpNet::from(address)).any(|(network, until)| names(&network) && holds(*until, now))
    }

    /// Whether one of the networks contains the address at this time.
    #[must_use]
    pub fn contains(&self, address: IpAddr, now: UnixSeconds) -> bool {
        self.0.cover_values(&IpNet::from(address)).any(|until| holds(*until, now))
    }

    /// Whether the networks that hold for good contain all addresses there are.
    #[must_use]
    pub fn is_everywhere(&self) -> bool {
        let permanent = self.permanent();
        [AddressFamily::Ipv4, AddressFamily::Ipv6].iter().all(|family| permanent.is_covered_in_aggregate(&family.whole()))
    }

    /// Whether each network of this set lies within those networks of `other` that hold for good.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        if self.is_empty() || other.is_empty() {
            return self.is_empty();
        }
        let permanent = other.permanent();
        self.0.keys().all(|network| permanent.is_covered_in_aggregate(&network))
    }

    /// The family that the author of this set forgot: the networks that hold at this time contain all
    /// addresses of one family, and the set names no network of the other one.
    #[must_use]
    pub fn forgotten_family(&self, now: UnixSeconds) -> Option<AddressFamily> {
        let names_ipv4 = self.0.keys().any(|network| matches!(network, IpNet::V4(_)));
        let names_ipv6 = self.0.keys().any(|network| matches!(network, IpNet::V6(_)));
        let (named, forgotten) = match (names_ipv4, names_ipv6) {
            (true, false) => (AddressFamily::Ipv4, AddressFamily::Ipv6),
            (false, true) => (AddressFamily::Ipv6, AddressFamily::Ipv4),
            (true, true) | (false, false) => return None,
        };
        let in_force: JointPrefixMap<IpNet, ()> =
            self.0.iter().filter(|(_, until)| holds(**until, now)).map(|(network, _)| (network, ())).collect();
        in_force.is_covered_in_aggregate(&named.whole()).then_some(forgotten)
    }

    fn permanent(&self) -> JointPrefixMap<IpNet, ()> {
        self.0.iter().filter(|(_, until)| until.is_none()).map(|(network, _)| (network, ())).collect()
    }
}

/// The largest block that one organisation has is a `/8` in IPv4; in IPv6 it is smaller than a `/16`.
const fn names(network: &IpNet) -> bool {
    match network {
        IpNet::V4(network) => network.prefix_len() >= 8,
        IpNet::V6(network) => network.prefix_len() >= 16,
    }
}

fn holds(until: Option<UnixSeconds>, now: UnixSeconds) -> bool {
    until.is_none_or(|until| now < until)
}

/// ipnet alone would read `010.0.0.0/08`: the address goes through the strict parser of the
/// standard library, the length must be written without leading zeros.
fn strict(text: &str) -> Option<IpNet> {
    let Some((address, length)) = text.split_once('/') else {
        return text.parse::<IpAddr>().ok().map(IpNet::from);
    };
    let plain = length == "0" || (length.bytes().all(|b| b.is_ascii_digit()) && !length.starts_with('0'));
    if plain { IpNet::new(address.parse().ok()?, length.parse().ok()?).ok() } else { None }
}

fn network(text: &str) -> Result<IpNet, String> {
    let parsed = strict(text).ok_or("must be a network like 203.0.113.0/24 or 2001:db8::/32")?;
    if parsed.trunc() != parsed {
        return Err(format!("has bits set after the prefix; write {}", parsed.trunc()));
    }
    match parsed {
        IpNet::V4(_) => Ok(parsed),
        IpNet::V6(v6) if v6.addr().to_ipv4_mapped().is_some() => Err("write an IPv4 network in IPv4 form".to_owned()),
        IpNet::V6(v6) if v6.prefix_len() < 96 && v6.contains(&core::net::Ipv4Addr::UNSPECIFIED.to_ipv6_mapped()) && v6.prefix_len() > 0 => {
            Err("covers IPv4 addresses written as IPv6; name the IPv4 networks themselves".to_owned())
        }
        IpNet::V6(_) => Ok(parsed),
    }
}
