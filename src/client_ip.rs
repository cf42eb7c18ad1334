//! The address of a client.
//!
//! One address has one verdict, in every spelling: an IPv4 address inside IPv6
//! (`::ffff:192.0.2.1`) is the IPv4 address. A text that does not parse strictly is *unknown*,
//! never reinterpreted: no octal, no hexadecimal, no bare numbers, no zone ids.

use core::net::IpAddr;

/// The address a request came from, canonical, or unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientIp {
    /// A canonical address.
    Known(IpAddr),
    /// No address was given, or it does not parse. A rule about addresses denies it.
    Unknown,
}

impl ClientIp {
    /// Reads an address as dotted quad (RFC 6943 §3.1.1 strict) or IPv6 (RFC 4291 §2.2).
    #[must_use]
    pub fn parse(text: &str) -> Self {
        text.parse().map_or(Self::Unknown, |address: IpAddr| Self::Known(address.to_canonical()))
    }
}
