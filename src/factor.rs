//! A factor of the user's own, an app or a phone, as replies, events and tokens name it: by an id, and by a name for
//! people, like "Work phone". Trusted browsers have ids and names of the same form.

use serde::{Deserialize, Serialize};

use crate::encoding::to_base64url;
use crate::entropy::Entropy;
use crate::invisible::{is_bidi_control, is_invisible};

/// Length of an id in characters: 72 random bits in base64url.
const ID_CHARS: usize = 12;
/// Greatest number of characters.
const MAX_CHARS: usize = 40;

/// A factor by id and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
pub struct NamedFactor {
    /// Its id.
    pub id: FactorId,
    /// Its name.
    pub name: FactorName,
}

/// The id of a factor: 12 characters of base64url, made here. It is no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(try_from = "String", into = "String")]
pub struct FactorId(String);

impl FactorId {
    pub(crate) fn mint(entropy: &mut Entropy) -> Self {
        Self(to_base64url(&entropy.bytes::<9>()))
    }

    /// Reads an id. `None`: it is none of ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_base64url = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        (text.len() == ID_CHARS && text.bytes().all(is_base64url)).then(|| Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for FactorId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        Self::parse(&text).ok_or("must be the id of a factor")
    }
}

impl From<FactorId> for String {
    fn from(id: FactorId) -> Self {
        id.0
    }
}

/// A name: 1 to 40 characters on one line, without white space around it, with a character that shows, and without marks of
/// direction.
///
/// ```
/// use countersign::factor::FactorName;
///
/// assert_eq!(FactorName::parse(" Work phone ").unwrap().as_str(), "Work phone");
/// assert!(FactorName::parse("").is_none() && FactorName::parse("two\nlines").is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(try_from = "String", into = "String")]
pub struct FactorName(String);

impl FactorName {
    /// Reads a name as it was typed. `None`: it is no name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.trim();
        let breaks_a_line = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        let is_name = (1..=MAX_CHARS).contains(&name.chars().count())
            && name.chars().any(|c| !c.is_whitespace() && !is_invisible(c))
            && !name.chars().any(|c| breaks_a_line(c) || is_bidi_control(c));
        is_name.then(|| Self(name.to_owned()))
    }

    /// The first of `Phone`, `Phone 2`, `Phone 3` … that is not taken.
    pub(crate) fn free(kind: &str, taken: &[Self]) -> Self {
        let numbered = (2_u32..).map(|number| format!("{kind} {number}"));
        let name = core::iter::once(kind.to_owned()).chain(numbered).find(|name| taken.iter().all(|other| other.0 != *name));
        Self(name.unwrap_or_default())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for FactorName {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        Self::parse(&text).ok_or("must be 1 to 40 characters on one line")
    }
}

impl From<FactorName> for String {
    fn from(name: FactorName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_1_to_40_characters_on_one_line_that_show() {
        for name in ["P", "Anna’s iPhone", "工作手机", &"ü".repeat(40), "👩‍💻 laptop"] {
            assert_eq!(FactorName::parse(name).unwrap().as_str(), name);
        }
        for other in ["", " \t ", &"p".repeat(41), "a\nb", "a\u{0}", "a\u{202e}b", "\u{200b}\u{2060}", "a\u{2028}b"] {
            assert_eq!(FactorName::parse(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_free_name_has_the_lowest_number() {
        let [one, two, other] = ["Phone", "Phone 2", "Phone 4"].map(|name| FactorName::parse(name).unwrap());
        assert_eq!(FactorName::free("Phone", &[]).as_str(), "Phone");
        assert_eq!(FactorName::free("Phone", &[two.clone(), other.clone()]).as_str(), "Phone");
        assert_eq!(FactorName::free("Phone", &[one, two, other]).as_str(), "Phone 3");
    }
}
