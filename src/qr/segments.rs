//! The text of a QR code cut into segments, in the fewest bits (ISO/IEC 18004 annex J). The secret of an `otpauth://`
//! URI is in capitals and digits, which take a third less room in a segment of their own.

use qrcode::optimize::Segment;
use qrcode::types::{Mode, Version};

/// The modes, each with the size of a character in sixths of a bit.
const MODES: [(Mode, usize); 3] = [(Mode::Byte, 48), (Mode::Alphanumeric, 33), (Mode::Numeric, 20)];

/// The shortest way to write the text so far, where the next byte is in `mode`.
#[derive(Clone, Copy)]
struct Way {
    mode: Mode,
    /// In sixths of a bit, with the head of a segment that has begun.
    size: usize,
    /// The mode of the last byte.
    last: Mode,
}

/// The segments of a text, in the sizes that a version has.
pub(super) fn shortest(text: &[u8], version: Version) -> Vec<Segment> {
    let head = |mode: Mode| version.mode_bits_count().saturating_add(mode.length_bits_count(version)).saturating_mul(6);
    let mut ways = MODES.map(|(mode, _)| Way { mode, size: head(mode), last: mode });
    let mut steps = Vec::with_capacity(text.len());
    for &byte in text {
        for (way, (mode, size)) in ways.iter_mut().zip(MODES) {
            way.last = mode;
            way.size = if has(mode, byte) { way.size.saturating_add(size) } else { usize::MAX };
        }
        let ended = least(&ways);
        for way in &mut ways {
            let begun = ended.size.next_multiple_of(6).saturating_add(head(way.mode));
            if begun < way.size {
                (way.size, way.last) = (begun, ended.last);
            }
        }
        steps.push(ways);
    }
    let mut segments: Vec<Segment> = Vec::new();
    let mut mode = least(&ways).mode;
    for (begin, ways) in steps.iter().enumerate().rev() {
        mode = ways.iter().find(|way| way.mode == mode).map_or(mode, |way| way.last);
        let end = match segments.last_mut() {
            Some(next) if next.mode == mode => {
                next.begin = begin;
                continue;
            }
            next => next.map_or(text.len(), |next| next.begin),
        };
        segments.push(Segment { mode, begin, end });
    }
    segments.reverse();
    segments
}

fn least(ways: &[Way; 3]) -> Way {
    let [first, rest @ ..] = *ways;
    rest.into_iter().fold(first, |least, way| if way.size < least.size { way } else { least })
}

const fn has(mode: Mode, byte: u8) -> bool {
    match mode {
        Mode::Numeric => byte.is_ascii_digit(),
        Mode::Alphanumeric => matches!(byte, b'0'..=b'9' | b'A'..=b'Z' | b' ' | b'$' | b'%' | b'*' | b'+' | b'-' | b'.' | b'/' | b':'),
        Mode::Byte => true,
        // Its characters are in Shift JIS, and the text is UTF-8.
        Mode::Kanji => false,
    }
}

#[cfg(test)]
mod tests {
    use qrcode::optimize::total_encoded_len;

    use super::*;

    #[test]
    fn the_secret_of_a_uri_has_a_segment_of_its_own() {
        let (head, secret, rest) = ("otpauth://totp/Acme:ann?secret=", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "&issuer=Acme");
        let text = format!("{head}{secret}{rest}");
        let ends = [head.len(), head.len() + secret.len(), text.len()];
        let expected = [(Mode::Byte, 0), (Mode::Alphanumeric, ends[0]), (Mode::Byte, ends[1])];
        let expected: Vec<_> = expected.into_iter().zip(ends).map(|((mode, begin), end)| Segment { mode, begin, end }).collect();
        assert_eq!(shortest(text.as_bytes(), Version::Normal(9)), expected);
        assert_eq!(shortest(b"", Version::Normal(9)), []);
    }

    #[test]
    fn no_other_cut_takes_fewer_bits() {
        const RUNS: u32 = 5;
        let choices = |number: usize| (0..RUNS).map(move |place| number / 3_usize.pow(place) % 3);
        for (run, largest) in [(3, 9), (7, 9), (8, 26), (13, 40)] {
            let version = Version::Normal(largest);
            for number in 0..3_usize.pow(RUNS) {
                let text: String = choices(number).map(|letter| ["a", "A", "1"][letter].repeat(run)).collect();
                let cuts = (0..3_usize.pow(RUNS)).filter_map(|modes| {
                    let mut segments: Vec<Segment> = Vec::new();
                    for (index, mode) in choices(modes).map(|mode| MODES[mode].0).enumerate() {
                        let (begin, end) = (index * run, (index + 1) * run);
                        match segments.last_mut() {
                            Some(last) if last.mode == mode => last.end = end,
                            _ => segments.push(Segment { mode, begin, end }),
                        }
                    }
                    let fits = |each: &Segment| text.as_bytes()[each.begin..each.end].iter().all(|byte| has(each.mode, *byte));
                    segments.iter().all(fits).then(|| total_encoded_len(&segments, version))
                });
                let found = shortest(text.as_bytes(), version);
                assert_eq!(Some(total_encoded_len(&found, version)), cuts.min(), "{text}: {found:?}");
            }
        }
    }
}
