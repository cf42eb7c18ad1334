//! Limits on how often something may happen: at most so many times within a minute, an hour or a day.
//!
//! The times are kept with what happened, for a day. A time further ahead than clocks differ is from a clock
//! that once ran ahead, and counts for nothing.

use crate::time::{CLOCK_SKEW, UnixSeconds};

/// A minute, in seconds.
pub(crate) const MINUTE: u64 = 60;
/// An hour, in seconds.
pub(crate) const HOUR: u64 = 3_600;
/// A day, in seconds: the longest window, for which times are kept.
pub(crate) const DAY: u64 = 86_400;

/// Whether a time counts now, within a window of seconds.
pub(crate) fn counts(at: UnixSeconds, now: UnixSeconds, window: u64) -> bool {
    at.plus(window) > now && at <= now.plus(CLOCK_SKEW)
}

/// The time from which it may happen again, where a window is full. Each limit is a window in seconds, and
/// the most that it holds.
pub(crate) fn full_until(times: impl IntoIterator<Item = UnixSeconds>, now: UnixSeconds, limits: &[(u64, u32)]) -> Option<UnixSeconds> {
    let mut times: Vec<UnixSeconds> = times.into_iter().filter(|at| counts(*at, now, DAY)).collect();
    times.sort_unstable();
    limits.iter().find_map(|(window, most)| {
        let most = usize::try_from(*most).unwrap_or(usize::MAX);
        // The oldest of the last `most`: while it is in the window, the window is full.
        let oldest = times.iter().rev().nth(most.saturating_sub(1))?;
        counts(*oldest, now, *window).then(|| oldest.plus(*window))
    })
}
