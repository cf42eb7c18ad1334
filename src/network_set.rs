//! Networks that rules name, in CIDR form.
//!
//! A network is written strictly: host bits, leading zeros and IPv4 networks in IPv6 form are
//! errors, so that no rule holds another set of addresses than its author reads.

use core::net::IpAddr;

use ipnet::IpNet;
use prefix_trie::joint::JointPrefixSet;

use crate::error::{Error, ErrorCode};

/// A set of networks with look-up in time that does not grow with their number.
#[derive(Debug, Clone)]
pub struct NetworkSet(JointPrefixSet<IpNet>);

impl NetworkSet {
    /// Reads CIDR texts, like `203.0.113.0/24` or `2001:db8::/32`; a bare address is that one
    /// address.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidPolicy`] with the index, when one does not parse, has host bits set,
    /// or is an IPv4 network written as IPv6.
    pub fn parse(texts: &[String]) -> Result<Self, Error> {
        let mut set = JointPrefixSet::new();
        for (index, text) in texts.iter().enumerate() {
            set.insert(network(text).map_err(|message| Error::new(ErrorCode::InvalidPolicy, format!("[{index}]"), message))?);
        }
        Ok(Self(set))
    }

    /// Whether the set holds no network.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a network other than `/0` contains the address.
    #[must_use]
    pub fn is_named(&self, address: IpAddr) -> bool {
        self.0.get_lpm(&IpNet::from(address)).is_some_and(|network| network.prefix_len() > 0)
    }

    /// Whether one of the networks contains the address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.get_spm(&IpNet::from(address)).is_some()
    }
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
