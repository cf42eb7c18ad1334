//! Codes that people type: digits from a phone, and the 16 symbols of backup and recovery codes.
//!
//! A typed text is brought to one canonical form *before* anything is compared, counted or
//! remembered: white space, dashes, invisible characters and a full stop at the end go, case folds.
//! Only ASCII digits are digits.
//!
//! A long code is 16 Crockford base32 symbols in four groups. The first symbol is a tag, unique
//! within its set and stored in clear; the other 15 carry 75 random bits.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::entropy::{Entropy, RandomStream};
use crate::invisible::is_separator;

/// Longest text taken for a code, in bytes. Longer text is malformed without being read.
const MAX_TYPED: usize = 64;

/// A code of 6 to 8 ASCII digits, leading zeros included.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Digits(String);

impl Digits {
    /// Reads a typed text; `None` unless it is exactly `length` digits once white space, dashes and invisible
    /// characters are gone.
    #[must_use]
    pub fn parse(typed: &str, length: u8) -> Option<Self> {
        let text = canonical(typed)?;
        (text.len() == usize::from(length) && text.bytes().all(|b| b.is_ascii_digit())).then_some(Self(text))
    }

    /// A uniformly random code.
    pub(crate) fn mint(entropy: &mut Entropy, length: u8) -> Self {
        let bound = 10_u32.saturating_pow(u32::from(length));
        Self::of(entropy.below(bound), length)
    }

    /// A number as a code, with leading zeros.
    pub(crate) fn of(number: u32, length: u8) -> Self {
        let width = usize::from(length);
        Self(format!("{number:0width$}"))
    }

    /// The code as a number. Among codes of one length each has another.
    pub(crate) fn number(&self) -> u32 {
        self.0.bytes().fold(0, |number: u32, digit| number.wrapping_mul(10).wrapping_add(u32::from(digit & 15)))
    }

    /// The digits. A live code: show it to its owner only.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digits(…)")
    }
}

/// Crockford's alphabet: no I, L, O, U.
pub(crate) const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A backup or recovery code in canonical form: 16 symbols of Crockford base32.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct LongCode(String);

impl LongCode {
    /// Reads a typed text: any case, `I` and `L` as 1, `O` as 0, with or without white space, dashes and invisible
    /// characters. `None` unless 16 symbols remain.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        let text: String = canonical(typed)?
            .chars()
            .map(|c| match c.to_ascii_uppercase() {
                'I' | 'L' => '1',
                'O' => '0',
                other => other,
            })
            .collect();
        (text.len() == 16 && text.bytes().all(|b| ALPHABET.contains(&b))).then_some(Self(text))
    }

    pub(crate) fn mint(random: &mut RandomStream, tag: char) -> Self {
        let mut text = String::with_capacity(16);
        text.push(tag);
        let mut random = random.bytes::<15>();
        // 32 symbols divide a byte's range evenly: no bias.
        text.extend(random.iter().map(|byte| symbol(u32::from(*byte))));
        random.zeroize();
        Self(text)
    }

    /// The slot tag: the first symbol.
    pub(crate) fn tag(&self) -> char {
        self.0.chars().next().unwrap_or('0')
    }

    /// The 16 symbols, without separators. A live code: show it to its owner only.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form for people: `XXXX-XXXX-XXXX-XXXX`.
    #[must_use]
    pub fn grouped(&self) -> String {
        group(&self.0, '-')
    }
}

impl fmt::Debug for LongCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LongCode(…)")
    }
}

/// Splits text into groups of four.
pub(crate) fn group(text: &str, separator: char) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(text.len() / 4));
    for (index, c) in text.chars().enumerate() {
        if index > 0 && index.is_multiple_of(4) {
            out.push(separator);
        }
        out.push(c);
    }
    out
}

fn symbol(value: u32) -> char {
    let index = usize::try_from(value % 32).unwrap_or(0);
    char::from(ALPHABET.get(index).copied().unwrap_or(b'0'))
}

/// Removes everything that may stand between and around the symbols of a code: white space, dashes,
/// invisible characters, and a full stop at the end. `None` when the rest is empty or not ASCII.
fn canonical(typed: &str) -> Option<String> {
    if typed.len() > MAX_TYPED {
        return None;
    }
    let mut text: String = typed.chars().filter(|c| !is_separator(*c)).collect();
    if text.ends_with('.') {
        text.pop();
    }
    (!text.is_empty() && text.is_ascii()).then_some(text)
}
