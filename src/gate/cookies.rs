//! The `cookie` header, and cookies whose name another server might take for ours.
//!
//! The gate takes a cookie only under its name, byte for byte. Servers behind it do not agree on the
//! other spellings of a name: they trim more than blanks, decode `%73id`, take `SID` or `s.id` for
//! `sid`, split at commas or white space, or skip a leading `=`. If such a server read another
//! session than the gate did, a pass of one user would count in the session of another. So a cookie whose
//! name resembles ours counts as a second cookie of that name, and the request is refused.

use percent_encoding::percent_decode;

use crate::error::Error;

use super::check::check;

/// Checks the name of a cookie in the configuration (a part of RFC 6265 §4.1.1).
pub(super) fn check_name(name: &str, at: &str) -> Result<(), Error> {
    let fits = (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    check(fits, at, "must be a cookie's name of letters, digits and - _ .")
}

/// The parts of a `cookie` header (RFC 6265 §4.2.1).
pub(super) fn parts(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(header);
    core::iter::from_fn(move || {
        let all = rest?;
        let (part, after) = split(all, b';').map_or((all, None), |(part, after)| (part, Some(after)));
        rest = after;
        Some(part.trim_ascii())
    })
}

/// The text before and after the first such byte.
fn split(text: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let (before, after) = text.split_at_checked(memchr::memchr(byte, text)?)?;
    Some((before, after.get(1..)?))
}

/// The value of the cookie of this name, if the part is that cookie. The name consists of letters,
/// digits and `- _ .`.
pub(super) fn value_of<'a>(part: &'a [u8], name: &str) -> Option<&'a [u8]> {
    part.strip_prefix(name.as_bytes())?.strip_prefix(b"=")
}

/// All names that one parser or another finds in a part: the text before its first `=`, and before each
/// `=` the text after the last character at which some parsers start a new cookie.
pub(super) fn names(part: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(from_name(part));
    let mut words = core::iter::from_fn(move || {
        let (before, after) = split(rest?, b'=')?;
        rest = Some(after);
        Some(trim_end(before))
    });
    let first = words.next();
    let in_first = first.and_then(|word| after_last(word, |b| !can_be_in_a_name(b) && b != b'%'));
    let in_values = words.filter_map(|word| after_last(word, parts_words));
    first.into_iter().chain(in_first).chain(in_values)
}

fn after_last(word: &[u8], parts: impl Fn(u8) -> bool) -> Option<&[u8]> {
    let start = word.iter().rposition(|&b| parts(b))?;
    word.get(start..).map(from_name)
}

/// Whether a parser might take one name for the other. Parsers drop or decode characters that are no
/// part of a name and ignore case; PHP takes ` `, `+`, `.` and `[` for `_`, and `sid[x]` for an array `sid`.
pub(super) fn resembles(given: &[u8], name: &str) -> bool {
    let underscored = |b: u8| if matches!(b, b' ' | b'+' | b'.' | b'[') { b'_' } else { b };
    let fold = |b: u8| b.to_ascii_lowercase();
    let ours = || name.bytes().map(fold);
    let is_like = |given: &[u8]| {
        percent_decode(given).filter(|&b| can_be_in_a_name(b)).map(fold).eq(ours())
            || percent_decode(trim_end(given)).map(underscored).filter(|&b| can_be_in_a_name(b)).map(fold).eq(ours().map(underscored))
    };
    // The check of most cookies ends here.
    let begins = given.first().is_some_and(|&b| stands_for_others(b) || ours().next() == Some(fold(b)));
    begins && (is_like(given) || split(given, b'[').is_some_and(|(array, _)| is_like(array)))
}

/// The part from the first character on that a name can begin with.
fn from_name(mut part: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = part {
        if (can_be_in_a_name(*first) || stands_for_others(*first)) && !part.starts_with(b"[=") {
            break;
        }
        part = rest;
    }
    part
}

const fn can_be_in_a_name(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')
}

/// `%` stands for any character, the others for each other.
const fn stands_for_others(b: u8) -> bool {
    matches!(b, b'%' | b'[' | b'.' | b'_')
}

const fn parts_words(b: u8) -> bool {
    !b.is_ascii_graphic() || matches!(b, b',' | b'"' | b'[' | b']' | b'\\')
}

fn trim_end(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., last] = text
        && parts_words(*last)
    {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    enum Found<'a> {
        Nothing,
        Value(&'a [u8]),
        Resemblance,
    }

    fn find<'a>(part: &'a [u8], name: &str) -> Found<'a> {
        match value_of(part, name) {
            Some(value) => Found::Value(value),
            None if names(part).any(|other| resembles(other, name)) => Found::Resemblance,
            None => Found::Nothing,
        }
    }

    #[test]
    fn t26_a_cookie_is_found_under_its_name_and_resembled_by_its_other_spellings() {
        for (part, found) in [
            (&b"sid=v"[..], Found::Value(b"v")),
            (b"sid=", Found::Value(b"")),
            (b"sid=a=b", Found::Value(b"a=b")),
            (b"sid= v ", Found::Value(b" v ")),
            (b"\xa0sid=v", Found::Resemblance),
            (b"sid\xa0=v", Found::Resemblance),
            (b"\x1fsid\x7f=v", Found::Resemblance),
            (b"sid==v", Found::Value(b"=v")),
            (b"=sid=v", Found::Resemblance),
            (b"[=sid=v", Found::Resemblance),
            (b"= , sid=v", Found::Resemblance),
            (b"%2573id=v", Found::Nothing),
            (b"a=b\xa0sid=v", Found::Resemblance),
            (b"a=b,c,sid=v", Found::Resemblance),
            (b"a=b,sid", Found::Nothing),
            (b"a=bsid=v", Found::Nothing),
            // Not a name in RFC 6265, but one to aiohttp, webob and Python.
            (b"x sid=v", Found::Resemblance),
            (b"$Version\tsid =v", Found::Resemblance),
            (b"x,sid=v", Found::Resemblance),
            (b"secure \"sid=v", Found::Resemblance),
            (b"a]sid=v", Found::Resemblance),
            (b"a=b\\sid=v", Found::Resemblance),
            (b"a=b[sid=v", Found::Resemblance),
            (b"x/sid=v", Found::Resemblance),
            (b"x(sid=v", Found::Resemblance),
            (b"x%sid=v", Found::Nothing),
            (b"a=/?sid=v&c=d", Found::Nothing),
            (b"xsid=v", Found::Nothing),
            (b"sid x=v", Found::Nothing),
            (b"sid[x]=v", Found::Resemblance),
            (b"sid[x=v", Found::Resemblance),
            (b"sidx[x]=v", Found::Nothing),
            (b"a==", Found::Nothing),
            (b"", Found::Nothing),
            (b"===", Found::Nothing),
            (b"%=%", Found::Nothing),
        ] {
            assert_eq!(find(part, "sid"), found, "{}", part.escape_ascii());
        }
    }

    #[test]
    fn t26_a_name_that_php_takes_for_ours_resembles_it() {
        for part in [&b"my.sid=v"[..], b"my sid=v", b"my[sid=v", b"MY_SID=v", b"my+sid=v", b"my%2esid=v", b"my.sid =v"] {
            assert_eq!(find(part, "my_sid"), Found::Resemblance, "{}", part.escape_ascii());
        }
        // CVE-2022-31629, CVE-2024-2756
        for part in [
            &b"..Host-sid=v"[..],
            b"_.Host-sid=v",
            b"[_Host-sid=v",
            b"_[Host-sid=v",
            b"_ Host-sid=v",
            b" _.HOST-sid =v",
            b"%5f%5fHost-sid=v",
        ] {
            assert_eq!(find(part, "__Host-sid"), Found::Resemblance, "{}", part.escape_ascii());
        }
        for part in [&b"my_sid=v"[..], b"my sid=v", b"My.Sid=v"] {
            assert_eq!(find(part, "my.sid"), Found::Resemblance, "{}", part.escape_ascii());
        }
        for part in [&b"my-sid=v"[..], b"mysid=v", b"my__sid=v"] {
            assert_eq!(find(part, "my_sid"), Found::Nothing, "{}", part.escape_ascii());
        }
    }
}
