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
use prefix_trie::{AsView, TrieView};

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
            map.entry(network).and_modify(|known| *known = later(*known, until)).or_insert(until);
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
        [AddressFamily::Ipv4, AddressFamily::Ipv6].iter().all(|family| self.covers(&family.whole(), |until| until.is_none()))
    }

    /// Whether each network of this set lies within those networks of `other` that hold for good.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        if self.is_empty() || other.is_empty() {
            return self.is_empty();
        }
        self.0.keys().all(|network| other.covers(&network, |until| until.is_none()))
    }

    /// The family that the author of this set forgot: the networks that hold at this time contain all
    /// addresses of one family, and the set names no network of the other one.
    #[must_use]
    pub fn forgotten_family(&self, now: UnixSeconds) -> Option<AddressFamily> {
        let (named, forgotten) = match (self.0.t1.is_empty(), self.0.t2.is_empty()) {
            (false, true) => (AddressFamily::Ipv4, AddressFamily::Ipv6),
            (true, false) => (AddressFamily::Ipv6, AddressFamily::Ipv4),
            (true, true) | (false, false) => return None,
        };
        self.covers(&named.whole(), |until| holds(until, now)).then_some(forgotten)
    }

    /// Whether the networks whose end passes the test contain all addresses of this one, each alone or many together.
    fn covers(&self, network: &IpNet, test: impl Fn(Option<UnixSeconds>) -> bool + Copy) -> bool {
        self.0.cover_values(network).any(|until| test(*until))
            || match network {
                IpNet::V4(network) => self.0.t1.view_at(network).is_some_and(|place| tiles(place, test)),
                IpNet::V6(network) => self.0.t2.view_at(network).is_some_and(|place| tiles(place, test)),
            }
    }
}

/// Whether the networks from this place of the trie on contain all addresses below it: the one at the place, or those in
/// each half. The walk ends at the first gap, and copies nothing: there may be 100,000 networks.
fn tiles<'a, V>(place: V, test: impl Fn(Option<UnixSeconds>) -> bool + Copy) -> bool
where
    V: TrieView<'a, T = &'a Option<UnixSeconds>> + Clone,
{
    let half = |half: Option<V>| half.is_some_and(|half| tiles(half, test));
    place.clone().value().is_some_and(|until| test(*until)) || half(place.clone().left()) && half(place.right())
}

/// The largest block that one organisation has is a `/8` in IPv4; in IPv6 it is smaller than a `/16`.
const fn names(network: &IpNet) -> bool {
    match network {
        IpNet::V4(network) => network.prefix_len() >= 8,
        IpNet::V6(network) => network.prefix_len() >= 16,
    }
}

/// The later of two ends; no end is the latest.
fn later(one: Option<UnixSeconds>, other: Option<UnixSeconds>) -> Option<UnixSeconds> {
    one.zip(other).map(|(one, other)| one.max(other))
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
