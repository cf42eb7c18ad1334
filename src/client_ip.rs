//! The address of a client.
//!
//! One address has one verdict, in every spelling: an IPv4 address inside IPv6
//! (`::ffff:192.0.2.1`) is the IPv4 address. A text that does not parse strictly is *unknown*,
//! never reinterpreted: no octal, no hexadecimal, no bare numbers, no zone ids.
//!
//! Only IPv4-mapped addresses become IPv4. NAT64 and 6to4 addresses stay IPv6 to the rules.

use core::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The address a request came from, canonical, or unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientIp {
    /// A canonical address.
    Known(IpAddr),
    /// No address was given, or it does not parse. A rule about addresses denies it.
    Unknown,
}

impl ClientIp {
    /// Reads the address that a host hands in, which a proxy may have written with a port or in brackets:
    /// `203.0.113.7:51008`, `[2001:db8::1]:443` or `[2001:db8::1]`. Rules and headers are read by [`parse`](Self::parse).
    #[must_use]
    pub fn parse_with_port(text: &str) -> Self {
        if let Some(address) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            return address.parse().map_or(Self::Unknown, |address: Ipv6Addr| Self::Known(IpAddr::from(address).to_canonical()));
        }
        match Self::parse(text) {
            // A zone id is no part of an address, with or without a port.
            Self::Unknown if !text.contains('%') => {
                text.parse().map_or(Self::Unknown, |address: SocketAddr| Self::Known(address.ip().to_canonical()))
            }
            parsed @ (Self::Known(_) | Self::Unknown) => parsed,
        }
    }

    /// Reads an address as dotted quad (RFC 6943 §3.1.1 strict) or IPv6 (RFC 4291 §2.2).
    #[must_use]
    pub fn parse(text: &str) -> Self {
        text.parse().map_or(Self::Unknown, |address: IpAddr| Self::Known(address.to_canonical()))
    }

    /// The address as text, if it is known.
    pub(crate) fn to_text(self) -> Option<String> {
        match self {
            Self::Known(address) => Some(address.to_string()),
            Self::Unknown => None,
        }
    }
}
