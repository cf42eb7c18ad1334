//! Phone numbers: E.164, allowed by prefix, shown by their last three digits.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// A number in E.164 form: `+`, no leading 0, 8 to 15 digits (ITU-T E.164 §6).
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Reads a number; spaces, hyphens, dots and brackets are left out, nothing else is guessed. A
    /// phone library of the host turns a number in national form into E.164.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 32 {
            return None;
        }
        let plain: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
        let digits = plain.strip_prefix('+')?;
        let fits = (8..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        fits.then_some(Self(plain))
    }

    /// Whether it starts with one of the prefixes, like `+614`.
    #[must_use]
    pub fn starts_with_any(&self, prefixes: &[String]) -> bool {
        prefixes.iter().any(|prefix| self.0.starts_with(prefix.as_str()))
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
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneNumber(…)")
    }
}
