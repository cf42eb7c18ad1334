//! Limits on how often something may happen: at most so many times within a minute, an hour or a day.
//!
//! The times are kept with what happened, for a day. A time further ahead than clocks differ is from a clock
//! that once ran ahead, and counts for nothing until the clock comes near it.

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

/// The time from which it may happen again; `None` where it may happen now. Each limit is a window in seconds, and
/// the most that it holds. Until that time there is always a window that is full.
pub(crate) fn full_until(times: impl IntoIterator<Item = UnixSeconds>, now: UnixSeconds, limits: &[(u64, u32)]) -> Option<UnixSeconds> {
    let mut times: Vec<UnixSeconds> = times.into_iter().collect();
    times.sort_unstable();
    let mut again = now;
    // At the end of one window another may be full, of times that count only by then.
    while let Some(end) = limits.iter().filter_map(|limit| end_of_full(&times, again, *limit)).max() {
        again = end;
    }
    (again > now).then_some(again)
}

/// The end of a window that is full now: the time at which the oldest of its last `most` drops out.
fn end_of_full(sorted: &[UnixSeconds], now: UnixSeconds, (window, most): (u64, u32)) -> Option<UnixSeconds> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut within = sorted.iter().rev().filter(|at| counts(**at, now, window));
    within.nth(most.saturating_sub(1)).map(|oldest| oldest.plus(window))
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "the times are near one of today")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn at(seconds: u64) -> UnixSeconds {
        UnixSeconds::new(seconds).unwrap()
    }

    /// A limit is reached where its window holds as many times as it may.
    fn is_full(times: &[u64], now: u64, limits: &[(u64, u32)]) -> bool {
        let within = |window| times.iter().filter(|at| **at <= now + CLOCK_SKEW && now < **at + window).count();
        limits.iter().any(|(window, most)| within(*window) >= usize::try_from(*most).unwrap())
    }

    /// Times before and after now, many of them close together: the clock may have run ahead.
    fn history() -> impl Strategy<Value = Vec<u64>> {
        let near = prop_oneof![Just(120_u64), Just(2 * HOUR), Just(2 * DAY)];
        let time = near.prop_flat_map(|reach| NOW - reach..NOW + reach);
        prop::collection::vec(time, 0..30)
    }

    fn limits() -> impl Strategy<Value = Vec<(u64, u32)>> {
        let window = prop_oneof![10..=600_u64, Just(MINUTE), Just(HOUR), Just(DAY)];
        prop::collection::vec((window, 1..6_u32), 1..5)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        /// Nothing is admitted before the time that is named, and it is admitted at that time.
        #[test]
        fn it_may_happen_again_at_the_time_that_is_named_and_not_before(times in history(), limits in limits(), part in 0.0..1.0_f64) {
            let until = |now| full_until(times.iter().copied().map(at), at(now), &limits).map(UnixSeconds::seconds);
            match until(NOW) {
                None => prop_assert!(!is_full(&times, NOW, &limits)),
                Some(again) => {
                    prop_assert!(again > NOW);
                    prop_assert!(!is_full(&times, again, &limits), "at the time that is named");
                    prop_assert_eq!(until(again), None);
                    #[expect(clippy::as_conversions, clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss, reason = "some time in between")]
                    let between = NOW + ((again - NOW) as f64 * part) as u64;
                    for before in [NOW, between, again - 1] {
                        prop_assert!(is_full(&times, before, &limits), "{} seconds before it", again - before);
                        prop_assert_eq!(until(before), Some(again));
                    }
                }
            }
        }
    }
}
