//! The factor epoch: a number and a random name in the record that change with every change of a user's
//! second factor, and with every rescue.
//!
//! A pass and a set-up carry the epoch in which they were made. One of an earlier epoch changes nothing
//! any more: the phone that was replaced must not take the account back. The record's epoch is compared
//! for equality, and the random name makes that exact: a record that was deleted and made again never
//! comes back to an epoch that it had.
//!
//! The number grows, so that a gate, which has no record, tells an earlier epoch from a later one. It is
//! the one before plus one, and at least the time of the change in unix seconds: an epoch of a record
//! that was made again is later too, unless the clock was set back.
//!
//! As text an epoch is `001800000000.Y291bnRlcnNp`: 12 digits and 12 characters of base64url. A later
//! epoch sorts after an earlier one, so that a host keeps the latest by comparing texts. The first epoch
//! is the empty text.

use serde::{Deserialize, Serialize};

use crate::encoding::{from_base64url, to_base64url};
use crate::entropy::Entropy;
use crate::time::UnixSeconds;

/// The digits of a number. There is no greater number than they can write, and the last time is below it.
const DIGITS: usize = 12;
const MAX_NUMBER: u64 = 999_999_999_999;
/// Random bytes in a name.
const NAME_BYTES: usize = 9;

/// A factor epoch, as text. A user who never had a factor is in the first one, which is empty. Of two
/// epochs of a user, the later one is the greater text.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(try_from = "String", into = "String")]
pub struct FactorEpoch(String);

impl FactorEpoch {
    /// The epoch of a user who never had a factor.
    pub(crate) const FIRST: Self = Self(String::new());

    /// The epoch after this one: unlike any before, and of a greater number.
    pub(crate) fn next(&self, now: UnixSeconds, entropy: &mut Entropy) -> Self {
        let number = self.number().saturating_add(1).max(now.seconds()).min(MAX_NUMBER);
        Self(format!("{number:0DIGITS$}.{}", to_base64url(&entropy.bytes::<NAME_BYTES>())))
    }

    /// The epoch right after this one, whatever the time: for a record that is deleted, so that a new one of the same second is
    /// in a later epoch.
    pub(crate) fn next_of_a_deleted_record(&self, entropy: &mut Entropy) -> Self {
        self.next(UnixSeconds::EPOCH, entropy)
    }

    pub(crate) fn is_first(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether passes of the other epoch have ended with the beginning of this one: they are earlier, or
    /// of another record that had the same number.
    pub(crate) fn ends(&self, other: &Self) -> bool {
        other != self && other.number() <= self.number()
    }

    /// The epoch as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// 0 for the first epoch.
    fn number(&self) -> u64 {
        number_and_name(&self.0).map_or(0, |(number, _)| number)
    }
}

impl TryFrom<String> for FactorEpoch {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_epoch = text.is_empty() || number_and_name(&text).is_some_and(|(number, _)| number > 0);
        if is_epoch { Ok(Self(text)) } else { Err("a factor epoch is 12 digits, a full stop and 12 characters of base64url") }
    }
}

impl From<FactorEpoch> for String {
    fn from(epoch: FactorEpoch) -> Self {
        epoch.0
    }
}

/// The parts of an epoch that is not the first; `None` for any other text.
fn number_and_name(text: &str) -> Option<(u64, &str)> {
    let (digits, name) = text.split_once('.')?;
    // `parse` would take a sign as well.
    let is_number = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_name = from_base64url(name).is_some_and(|bytes| bytes.len() == NAME_BYTES);
    if is_number && is_name { digits.parse().ok().map(|number| (number, name)) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(epoch: &FactorEpoch, seconds: u64) -> FactorEpoch {
        epoch.next(UnixSeconds::new(seconds).unwrap_or(UnixSeconds::EPOCH), &mut Entropy::new([1; 32]))
    }

    #[test]
    fn the_number_is_the_time_or_one_more() {
        let first = after(&FactorEpoch::FIRST, 1_800_000_000);
        assert_eq!(first.number(), 1_800_000_000);
        assert_eq!(after(&first, 1_800_000_000).number(), 1_800_000_001);
        assert_eq!(after(&first, 1_700_000_000).number(), 1_800_000_001);
        assert_eq!(after(&first, 1_900_000_000).number(), 1_900_000_000);
        assert_eq!(after(&FactorEpoch::FIRST, 0).number(), 1, "never that of the first epoch");
    }

    #[test]
    fn the_greatest_number_does_not_overflow_and_the_next_epoch_ends_it() {
        let last = FactorEpoch::try_from("999999999999.AbCdEfGh_-12".to_owned()).unwrap_or_default();
        assert_eq!(last.number(), MAX_NUMBER);
        let next = after(&last, 253_402_300_799);
        assert_eq!(FactorEpoch::try_from(next.as_str().to_owned()), Ok(next.clone()));
        assert_eq!(next.number(), MAX_NUMBER);
        assert!(next.ends(&last) && !next.ends(&next));
    }

    #[test]
    fn every_epoch_but_the_first_ends_the_first() {
        assert!(FactorEpoch::FIRST.is_first() && !after(&FactorEpoch::FIRST, 0).is_first());
        assert!(after(&FactorEpoch::FIRST, 0).ends(&FactorEpoch::FIRST));
        assert!(!FactorEpoch::FIRST.ends(&FactorEpoch::FIRST) && !FactorEpoch::FIRST.ends(&after(&FactorEpoch::FIRST, 0)));
    }
}
