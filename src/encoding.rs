//! Text encodings: base64url and percent-encoding.

use std::borrow::Cow;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use zeroize::Zeroizing;

/// Base64url without padding (RFC 4648 §5), in constant time.
pub(crate) fn to_base64url(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// Base64url without padding, strictly and in constant time; `None` for anything else.
pub(crate) fn from_base64url(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    Base64UrlUnpadded::decode_vec(text).ok().map(Zeroizing::new)
}

/// Percent-encodes everything but RFC 3986's unreserved characters (§2.3).
pub(crate) fn percent_encode(out: &mut String, text: &str) {
    const ALL_BUT_UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    out.extend(utf8_percent_encode(text, ALL_BUT_UNRESERVED));
}

/// Percent-decodes; `None` where a `%` is not followed by two hexadecimal digits. The library would
/// leave such a `%` as it is.
pub(crate) fn percent_decode(text: &str) -> Option<String> {
    let escaped = |rest: &str| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    let sound = text.split('%').skip(1).all(escaped);
    if sound { percent_decode_str(text).decode_utf8().ok().map(Cow::into_owned) } else { None }
}
