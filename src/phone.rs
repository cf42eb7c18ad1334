//! Phone numbers: E.164 with the length of a mobile number of its country, allowed by prefix, shown by
//! the last three digits.
//!
//! A number has a country calling code that exists, and as many digits as mobile numbers of that code
//! have: `+6141234567` is one digit short, and a message to it would cost money and reach nobody. A
//! number that is allowed begins with one of the policy's prefixes and with none of its exceptions.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::invisible::is_separator;
use crate::phone_lengths::MOBILE_LENGTHS;

/// Longest text taken for a number, in bytes.
const MAX_TYPED: usize = 64;

/// A number in E.164 form: `+`, calling code and national number (ITU-T E.164 §6).
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Reads a number; white space, dashes, dots, brackets and invisible characters are left out, nothing else is
    /// guessed. A phone library of the host turns a number in national form into E.164.
    ///
    /// ```
    /// use countersign::phone::PhoneNumber;
    ///
    /// assert!(PhoneNumber::parse("+61 412 345 678").is_some());
    /// assert!(PhoneNumber::parse("+61 412 345 67").is_none()); // a digit is missing
    /// assert!(PhoneNumber::parse("0412 345 678").is_none()); // no calling code
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_TYPED {
            return None;
        }
        let plain: String = text.chars().filter(|c| !matches!(c, '.' | '(' | ')') && !is_separator(*c)).collect();
        let number = Self::stored(&plain)?;
        let CallingCode { digits, lengths } = calling_code(number.digits())?;
        let national = number.digits().len().checked_sub(digits)?;
        (1_u16.checked_shl(u32::try_from(national).ok()?)? & lengths != 0).then_some(number)
    }

    /// Reads a number of a record. It was checked when it was set up; the lengths of today may be others, and must lock
    /// nobody out.
    pub(crate) fn stored(text: &str) -> Option<Self> {
        is_international(text).then(|| Self(text.to_owned()))
    }

    /// Whether it begins with one of the prefixes, like `+614`, and with none of the exceptions.
    #[must_use]
    pub fn is_allowed(&self, prefixes: &[String], except: &[String]) -> bool {
        let is_under = |list: &[String]| list.iter().any(|prefix| self.0.starts_with(prefix.as_str()));
        is_under(prefixes) && !is_under(except)
    }

    /// The end of the number, which may be shown before the second factor: `•••• 678`.
    #[must_use]
    pub fn hint(&self) -> String {
        let tail: Vec<char> = self.0.chars().rev().take(3).collect();
        format!("•••• {}", tail.into_iter().rev().collect::<String>())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    fn digits(&self) -> &str {
        self.0.strip_prefix('+').unwrap_or_default()
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneNumber(…)")
    }
}

/// Whether a text is a prefix under which there are mobile numbers.
pub(crate) fn is_prefix_of_numbers(prefix: &str) -> bool {
    let digits = prefix.strip_prefix('+').unwrap_or_default();
    is_international(prefix)
        && match calling_code(digits) {
            Some(code) => {
                let longest = 15_u32.saturating_sub(code.lengths.leading_zeros());
                digits.len().saturating_sub(code.digits) <= usize::try_from(longest).unwrap_or(0)
            }
            // The beginning of several calling codes, like `+2`.
            None => MOBILE_LENGTHS.iter().any(|(code, _)| code.to_string().starts_with(digits)),
        }
}

/// Whether a text is `+` and 1 to 15 digits, the first of which is not 0.
fn is_international(text: &str) -> bool {
    let Some(digits) = text.strip_prefix('+') else { return false };
    (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0')
}

/// A country calling code.
struct CallingCode {
    /// Number of its digits, 1 to 3.
    digits: usize,
    /// The lengths of its mobile numbers, as the table has them.
    lengths: u16,
}

/// The calling code that a number begins with. None begins another, so that there is at most one.
fn calling_code(number: &str) -> Option<CallingCode> {
    (1..=3).find_map(|digits| {
        let code: u16 = number.get(..digits)?.parse().ok()?;
        let row = MOBILE_LENGTHS.binary_search_by_key(&code, |(code, _)| *code).ok()?;
        MOBILE_LENGTHS.get(row).map(|(_, lengths)| CallingCode { digits, lengths: *lengths })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calling_codes_are_sorted_none_begins_another_and_each_has_a_length() {
        assert!(MOBILE_LENGTHS.is_sorted_by_key(|(code, _)| *code));
        let codes: Vec<String> = MOBILE_LENGTHS.iter().map(|(code, _)| code.to_string()).collect();
        for (index, code) in codes.iter().enumerate() {
            assert!(codes.iter().enumerate().all(|(other, text)| other == index || !text.starts_with(code.as_str())), "{code}");
        }
        for (code, lengths) in MOBILE_LENGTHS {
            let longest = 15 - lengths.leading_zeros();
            assert!(
                *lengths != 0 && lengths.trailing_zeros() >= 4 && longest + u32::try_from(code.to_string().len()).unwrap() <= 15,
                "{code}"
            );
        }
    }

    #[test]
    fn every_length_in_the_table_is_read_and_no_other() {
        for (code, lengths) in MOBILE_LENGTHS {
            for national in 0..16_u32 {
                let text = format!("+{code}{}", "4".repeat(usize::try_from(national).unwrap()));
                assert_eq!(PhoneNumber::parse(&text).is_some(), lengths & (1 << national) != 0, "{text}");
            }
        }
    }

    #[test]
    fn a_prefix_leads_to_numbers_or_is_refused() {
        for prefix in ["+1", "+2", "+21", "+61", "+614", "+61412345678", "+882"] {
            assert!(is_prefix_of_numbers(prefix), "{prefix}");
        }
        for prefix in ["", "+", "61", "+0", "+999", "+800", "+210", "+614123456789", "+61 4", "+614x"] {
            assert!(!is_prefix_of_numbers(prefix), "{prefix}");
        }
    }
}
