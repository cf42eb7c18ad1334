//! The client's address: counted from the right of `x-forwarded-for`, and Envoy must agree.
//!
//! With `hops` trusted proxies in front of Envoy, the client's address is the entry of
//! `x-forwarded-for` that the outermost of them wrote. It is counted from the right, because Envoy
//! appended its own peer last. Entries further left come from the client and are never read. Envoy must
//! have found the same address by itself; otherwise one of the two is set up wrongly, and the
//! address is unknown. Envoy alone falls back to the proxy's own address when the header is short.

use core::net::SocketAddr;

use crate::client_ip::ClientIp;

/// `source` is Envoy's `source.address`, with its port. `forwarded_for` are the entries of
/// `x-forwarded-for` in order.
pub(super) fn client_address(hops: usize, source: Option<&[u8]>, forwarded_for: &[&[u8]]) -> ClientIp {
    let source = source.and_then(|bytes| core::str::from_utf8(bytes).ok()).and_then(|text| text.parse::<SocketAddr>().ok());
    let Some(source) = source.map(|address| ClientIp::Known(address.ip().to_canonical())) else { return ClientIp::Unknown };
    if hops == 0 {
        return source;
    }
    let entry = forwarded_for.iter().rev().nth(hops).and_then(|entry| core::str::from_utf8(entry).ok());
    if entry.map(ClientIp::parse) == Some(source) { source } else { ClientIp::Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t25_the_source_address_is_a_socket_address() {
        let from = |source: &str| client_address(0, Some(source.as_bytes()), &[]);
        let v4 = ClientIp::parse("192.0.2.1");
        assert_eq!(from("192.0.2.1:4711"), v4);
        assert_eq!(from("[::ffff:192.0.2.1]:4711"), v4);
        assert_eq!(from("[2001:db8::1]:80"), ClientIp::parse("2001:db8::1"));
        for bad in
            ["192.0.2.1", "2001:db8::1", "[2001:db8::1]", "192.0.2.01:1", "/run/envoy.sock", "", "192.0.2.1:99999", "[fe80::1%eth0]:1"]
        {
            assert_eq!(from(bad), ClientIp::Unknown, "{bad}");
        }
        assert_eq!(client_address(0, None, &[]), ClientIp::Unknown);
    }

    #[test]
    fn t24_only_the_entry_of_a_trusted_hop_counts_and_envoy_must_agree() {
        let from = |hops, source: &str, list: &[&str]| {
            let list: Vec<&[u8]> = list.iter().map(|entry| entry.as_bytes()).collect();
            client_address(hops, Some(source.as_bytes()), &list)
        };
        let real = ClientIp::parse("203.0.113.7");
        assert_eq!(from(0, "203.0.113.7:1", &["10.0.0.1", "garbage"]), real);
        assert_eq!(from(1, "203.0.113.7:1", &["203.0.113.7", "10.0.0.2"]), real);
        assert_eq!(from(1, "203.0.113.7:1", &["10.0.0.1", "203.0.113.7", "10.0.0.2"]), real);
        assert_eq!(from(2, "203.0.113.7:1", &["203.0.113.7", "10.0.0.3", "10.0.0.2"]), real);
        for (hops, source, list) in [
            (1, "10.0.0.2:1", &["10.0.0.2"][..]),
            (1, "10.0.0.2:1", &[]),
            (1, "203.0.113.7:1", &["203.0.113.8", "10.0.0.2"]),
            (1, "10.0.0.2:1", &["garbage", "10.0.0.2"]),
            (2, "203.0.113.7:1", &["203.0.113.7", "10.0.0.2"]),
            (1, "203.0.113.7:1", &["203.0.113.7:80", "10.0.0.2"]),
        ] {
            assert_eq!(from(hops, source, list), ClientIp::Unknown, "{hops} {source} {list:?}");
        }
    }
}
