//! The origin of a login page: `https://host[:port]`.

/// The host of an origin. Plain `http` is accepted on localhost only, where no network is crossed.
pub(crate) fn origin_host(origin: &str) -> Option<String> {
    let (scheme, rest) = origin.split_once(':')?;
    let rest = rest.strip_prefix("//")?;
    let (host, port) = rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port)));
    let host_fits = (1..=253).contains(&host.len())
        && host.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-'))
        && host.split('.').all(|label| (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-'));
    let port_fits = port.is_none_or(|port| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|p| p > 0));
    let scheme_fits = scheme == "https" || (scheme == "http" && matches!(host, "localhost" | "127.0.0.1"));
    (host_fits && port_fits && scheme_fits).then(|| host.to_owned())
}
