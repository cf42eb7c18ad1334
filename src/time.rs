//! Time as an argument: seconds since the Unix epoch, never read from a clock.

use serde::{Deserialize, Serialize};

/// A moment in whole seconds since 1970-01-01T00:00:00Z.
///
/// Range: 0 to 253 402 300 799 (the end of the year 9999). The upper bound keeps every
/// sum of a time and a lifetime exact in a JavaScript number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(try_from = "u64", into = "u64")]
pub struct UnixSeconds(u64);

/// The last second of the year 9999.
const LAST: u64 = 253_402_300_799;

impl UnixSeconds {
    /// The epoch itself.
    pub const EPOCH: Self = Self(0);

    /// A time from seconds since the epoch; `None` past the year 9999.
    #[must_use]
    pub const fn new(seconds: u64) -> Option<Self> {
        if seconds > LAST { None } else { Some(Self(seconds)) }
    }

    /// Seconds since the epoch.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// This time, `seconds` later; stops at the year 9999.
    #[must_use]
    pub fn plus(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds).min(LAST))
    }

    /// This time, `seconds` earlier; stops at the epoch.
    #[must_use]
    pub const fn minus(self, seconds: u64) -> Self {
        Self(self.0.saturating_sub(seconds))
    }

    /// Seconds from `earlier` to this time; 0 when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Seconds by which the clocks of two machines may differ, or one clock may be set back.
pub(crate) const CLOCK_SKEW: u64 = 60;

/// The span of time in which a code or a set-up counts. It counts outside of it on neither side: when
/// the clock is set back by more than a minute, it is dead until its time comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lifetime {
    from: UnixSeconds,
    until: UnixSeconds,
}

impl Lifetime {
    /// The `seconds` from `now` on.
    pub(crate) fn starting(now: UnixSeconds, seconds: u64) -> Self {
        Self { from: now, until: now.plus(seconds) }
    }

    /// The time at which it begins.
    pub(crate) const fn starts_at(self) -> UnixSeconds {
        self.from
    }

    /// The time at which it ends.
    pub(crate) const fn ends_at(self) -> UnixSeconds {
        self.until
    }

    /// Whether `now` is in it.
    pub(crate) fn contains(self, now: UnixSeconds) -> bool {
        self.from <= now.plus(CLOCK_SKEW) && now < self.until
    }
}

impl TryFrom<u64> for UnixSeconds {
    type Error = &'static str;

    fn try_from(seconds: u64) -> Result<Self, Self::Error> {
        Self::new(seconds).ok_or("a time must be unix seconds before the year 10000")
    }
}

impl From<UnixSeconds> for u64 {
    fn from(time: UnixSeconds) -> Self {
        time.0
    }
}
