//! The attempt budget: one per user over all factors, as a small state machine.
//!
//! ```text
//!            charge, tries < 5
//!            ┌──────┐
//!            │      ▼
//!          ┌─┴────────┐  charge, tries ≥ 5     ┌─────────┐
//!  new ──▶ │   Open   │ ─────────────────────▶ │ Waiting │
//!          │          │ ◀───────────────────── │         │
//!          └──────────┘  retry_at has come     └─────────┘
//!            ▲    │ charge, failures = 100          ▲
//!     rescue │    ▼                                 │ rescue, before retry_at
//!          ┌─┴──────────────────────────────────────┴──┐
//!          │ Stopped: only a recovery code helps       │
//!          └───────────────────────────────────────────┘
//! ```
//!
//! Three numbers are kept. `failures` counts consecutive failures; success and a rescue by recovery code
//! set it to 0, and at 100 the user is stopped (NIST SP 800-63B-4 §3.2.2). `level` is a leaky bucket of comparisons: each
//! failure raises it by the number of apps that the code was compared with (a code by SMS and a backup code count as one),
//! neither success nor a rescue lowers it, and one comparison leaks out in an hour for each candidate code in it (in 3
//! hours at ±1 step). `tries` is the number of failures that `level` stands for, and falls with it.
//!
//! `tries` sets the wait: none below 5, then 30 seconds doubling to an hour. So a person with five apps has as many tries as
//! one with one app. `level` never rises above 50: an attempt waits until its comparisons have room. One that names its
//! app needs less room, and waits for the shorter time, than one that is compared with five.
//!
//! A guesser who knows the password and tries all year, while the user logs in every day and
//! resets `failures`, gets 50 + 365·24/3 = 2,970 comparisons with 3 codes in 1,000,000 each: under 1 %.
//!
//! An attempt is charged *before* anything is compared, and the charge is taken back on success.
//! A resend, a new ticket, another method or another address changes nothing here.

use serde::{Deserialize, Serialize};

use crate::time::{CLOCK_SKEW, UnixSeconds};

/// Consecutive failures at which the user is stopped.
pub const STOP_AT: u32 = 100;
/// Attempts without a wait.
const FREE: u32 = 5;
/// First wait, in seconds.
const FIRST_WAIT: u64 = 30;
/// Longest wait while doubling, in seconds.
const LONGEST_WAIT: u64 = 3_600;
/// The highest level. There, attempts come no faster than they leak out.
const FULL: u32 = 50;

/// State of the lock: whether an attempt may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockState {
    /// An attempt may be made.
    Open,
    /// An attempt may be made from this time on.
    Waiting(UnixSeconds),
    /// No attempt may be made; only a recovery code helps.
    Stopped,
}

/// The comparisons that an attempt makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparisons {
    /// Number of apps that the code is compared with; 1 for a code that is from no app.
    pub apps: u32,
    /// Number of time steps that the policy accepts to either side.
    pub window: u8,
}

impl Comparisons {
    /// Those of a code that names its app, or is from none.
    #[must_use]
    pub const fn least(window: u8) -> Self {
        Self { apps: 1, window }
    }
}

/// The attempt budget of one user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Attempts {
    failures: u32,
    level: u32,
    tries: u32,
    level_at: UnixSeconds,
    retry_at: UnixSeconds,
}

impl Attempts {
    /// No attempt made yet.
    pub const NEW: Self = Self { failures: 0, level: 0, tries: 0, level_at: UnixSeconds::EPOCH, retry_at: UnixSeconds::EPOCH };

    /// Consecutive failures since the last success, 0 to [`STOP_AT`].
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Whether an attempt with these comparisons may be made now. A time further away than the longest wait, or than clocks
    /// differ, is from a clock that once ran ahead: it holds nobody back, and the next failure sets a wait from now.
    #[must_use]
    pub fn lock_state(&self, now: UnixSeconds, comparisons: Comparisons) -> LockState {
        if self.failures >= STOP_AT {
            return LockState::Stopped;
        }
        let until_retry = Some(self.retry_at).filter(|retry_at| *retry_at <= now.plus(LONGEST_WAIT));
        let until_room = Some(self.room_at(comparisons)).filter(|_| self.level_at <= now.plus(CLOCK_SKEW));
        match until_retry.max(until_room).filter(|until| now < *until) {
            Some(until) => LockState::Waiting(until),
            None => LockState::Open,
        }
    }

    /// The time from which there is room for an attempt.
    fn room_at(&self, Comparisons { apps, window }: Comparisons) -> UnixSeconds {
        let excess = self.level.saturating_add(apps).saturating_sub(FULL);
        self.level_at.plus(leak_seconds(window).saturating_mul(u64::from(excess)))
    }

    /// Whether the attempt just charged is the one that made the user wait, or stop.
    pub(crate) const fn just_locked(&self, before: &Self) -> bool {
        (before.left_before_wait() > 0 && self.left_before_wait() == 0) || self.failures == STOP_AT
    }

    /// Attempts left before the next wait.
    #[must_use]
    pub const fn left_before_wait(&self) -> u32 {
        FREE.saturating_sub(self.tries)
    }

    /// Counts an attempt as failed, before its code is compared.
    pub(crate) fn charge(&mut self, now: UnixSeconds, Comparisons { apps, window }: Comparisons) {
        self.leak(now, window);
        self.failures = self.failures.saturating_add(1).min(STOP_AT);
        self.level = self.level.saturating_add(apps);
        self.tries = self.tries.saturating_add(1);
        let wait = match self.tries {
            0..FREE => 0,
            FREE.. => {
                let doublings = self.tries.saturating_sub(FREE);
                2_u64.saturating_pow(doublings).saturating_mul(FIRST_WAIT).min(LONGEST_WAIT)
            }
        };
        self.retry_at = now.plus(wait);
    }

    /// Lets out of the level, and of the tries that it stands for, what time has leaked.
    fn leak(&mut self, now: UnixSeconds, window: u8) {
        self.level_at = self.level_at.min(now);
        let leak = leak_seconds(window);
        let leaked = now.since(self.level_at).checked_div(leak).unwrap_or(0);
        let left = self.level.saturating_sub(u32::try_from(leaked).unwrap_or(u32::MAX));
        self.tries = self.tries.saturating_mul(left).div_ceil(self.level.max(1));
        self.level = left;
        self.level_at = match left {
            0 => now,
            _ => self.level_at.plus(leaked.saturating_mul(leak)),
        };
    }

    /// Takes the charge of an attempt that succeeded back: `before` is the state it found.
    pub(crate) fn succeed(&mut self, before: &Self) {
        *self = Self { failures: 0, retry_at: UnixSeconds::EPOCH, ..before.clone() };
    }

    /// The stricter of two budgets in each part: where one user's factors come to a place that has a budget already. A time from
    /// a clock that once ran ahead takes nothing from the other budget.
    #[must_use]
    pub(crate) fn stricter(&self, other: &Self, now: UnixSeconds, window: u8) -> Self {
        let leaked = |budget: &Self| {
            let mut budget = budget.clone();
            budget.leak(now, window);
            budget
        };
        let (one, two) = (leaked(self), leaked(other));
        let emptied_at = |budget: &Self| budget.level_at.plus(leak_seconds(window).saturating_mul(u64::from(budget.level)));
        let retry_at = |budget: &Self| if budget.retry_at <= now.plus(LONGEST_WAIT) { budget.retry_at } else { UnixSeconds::EPOCH };
        let fuller = if emptied_at(&two) > emptied_at(&one) { &two } else { &one };
        Self {
            failures: one.failures.max(two.failures),
            level: fuller.level,
            tries: one.tries.max(two.tries),
            level_at: fuller.level_at,
            retry_at: retry_at(&one).max(retry_at(&two)),
        }
    }

    /// Sets the count of consecutive failures to 0, so that a stopped user goes on: a recovery code
    /// vouches for the user. Level and wait stay, and fall by time alone: otherwise each rescue would give
    /// a guesser who tries all year fifty guesses more.
    pub(crate) fn rescue(&mut self) {
        self.failures = 0;
    }
}

/// Seconds in which one comparison leaks out: an hour for each code that would be accepted.
fn leak_seconds(window: u8) -> u64 {
    u64::from(window).saturating_mul(2).saturating_add(1).saturating_mul(3_600)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> UnixSeconds {
        UnixSeconds::new(seconds).unwrap()
    }

    #[test]
    fn open_to_waiting_and_back() {
        let mut attempts = Attempts::NEW;
        for left in [4, 3, 2, 1] {
            attempts.charge(at(1_000_000), Comparisons::least(1));
            assert_eq!(attempts.lock_state(at(1_000_000), Comparisons::least(1)), LockState::Open);
            assert_eq!(attempts.left_before_wait(), left);
        }
        attempts.charge(at(1_000_000), Comparisons::least(1));
        assert_eq!(attempts.lock_state(at(1_000_029), Comparisons::least(1)), LockState::Waiting(at(1_000_030)));
        assert_eq!(attempts.lock_state(at(1_000_030), Comparisons::least(1)), LockState::Open);
        attempts.charge(at(1_000_030), Comparisons::least(1));
        assert_eq!(attempts.lock_state(at(1_000_030), Comparisons::least(1)), LockState::Waiting(at(1_000_090)), "the wait doubles");
    }

    #[test]
    fn of_two_budgets_the_stricter_part_counts() {
        let (mut waits, mut full, mut ahead) = (Attempts::NEW, Attempts::NEW, Attempts::NEW);
        for _ in 0..6 {
            waits.charge(at(2_000_000), Comparisons::least(1));
        }
        for hour in 0..30 {
            full.charge(at(1_900_000 + hour * 3_600), Comparisons { apps: 5, window: 1 });
        }
        full.succeed(&full.clone());
        let both = waits.stricter(&full, at(2_010_000), 1);
        assert_eq!((both.failures, both.retry_at), (6, at(2_000_060)));
        let empty_at = |budget: &Attempts| budget.level_at.plus(3 * 3_600 * u64::from(budget.level));
        assert_eq!((empty_at(&both), both.level < full.level), (empty_at(&full), true), "what has leaked is out");
        assert!(both.tries >= 6 && both.tries <= full.tries, "{both:?}");
        assert_eq!(full.stricter(&waits, at(2_010_000), 1), both);

        // One try while the clock was ten days ahead.
        ahead.charge(at(2_864_000), Comparisons::least(1));
        for _ in 0..5 {
            ahead.charge(at(2_864_000), Comparisons::least(1));
        }
        let both = full.stricter(&ahead, at(2_010_000), 1);
        assert_eq!((empty_at(&both), both.retry_at), (empty_at(&full), UnixSeconds::EPOCH));
    }

    #[test]
    fn waits_double_up_to_an_hour() {
        let mut attempts = Attempts::NEW;
        let mut now = at(1_000_000);
        let mut waits = Vec::new();
        for _ in 0..14 {
            attempts.charge(now, Comparisons::least(1));
            let wait = match attempts.lock_state(now, Comparisons::least(1)) {
                LockState::Open => 0,
                LockState::Waiting(until) => until.since(now),
                LockState::Stopped => panic!("stopped"),
            };
            waits.push(wait);
            now = now.plus(wait);
        }
        assert_eq!(waits, [0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]);
    }

    #[test]
    fn a_clock_that_ran_ahead_does_not_lock_until_its_time_comes() {
        let mut attempts = Attempts::NEW;
        for _ in 0..5 {
            attempts.charge(at(4_000_000_000), Comparisons::least(1));
        }
        let now = at(1_800_000_000);
        assert_eq!(attempts.lock_state(now, Comparisons::least(1)), LockState::Open);
        attempts.charge(now, Comparisons::least(1));
        assert_eq!(
            attempts.lock_state(now, Comparisons::least(1)),
            LockState::Waiting(now.plus(60)),
            "the level is kept, and the next failure waits"
        );
    }

    #[test]
    fn stops_at_one_hundred_until_a_rescue() {
        let mut attempts = Attempts::NEW;
        let mut now = at(1_000_000);
        for _ in 0..STOP_AT {
            now = now.plus(1_000_000);
            attempts.charge(now, Comparisons::least(1));
        }
        assert_eq!(attempts.lock_state(now.plus(1_000_000_000), Comparisons::least(1)), LockState::Stopped);
        attempts.rescue();
        assert_eq!(attempts.lock_state(now, Comparisons::least(1)), LockState::Open, "so long after the last failure");
    }

    #[test]
    fn success_resets_the_count_and_not_the_level() {
        let mut attempts = Attempts::NEW;
        for _ in 0..4 {
            attempts.charge(at(1_000_000), Comparisons::least(1));
        }
        let before = attempts.clone();
        attempts.charge(at(1_000_001), Comparisons::least(1));
        attempts.succeed(&before);
        assert_eq!(attempts.failures(), 0);
        assert_eq!(attempts.lock_state(at(1_000_001), Comparisons::least(1)), LockState::Open);
        attempts.charge(at(1_000_002), Comparisons::least(1));
        assert_eq!(
            attempts.lock_state(at(1_000_002), Comparisons::least(1)),
            LockState::Waiting(at(1_000_032)),
            "the fifth failure within hours waits"
        );
    }

    #[test]
    fn the_fifth_and_the_hundredth_failure_lock() {
        let (mut attempts, mut locked) = (Attempts::NEW, Vec::new());
        for failure in 1..=STOP_AT {
            let before = attempts.clone();
            attempts.charge(at(1_000_000), Comparisons::least(1));
            if attempts.just_locked(&before) {
                locked.push(failure);
            }
        }
        assert_eq!(locked, [FREE, STOP_AT]);
    }

    #[test]
    fn success_ends_the_wait_also_where_the_clock_goes_back() {
        let mut attempts = Attempts::NEW;
        for _ in 0..FREE {
            attempts.charge(at(1_000_000), Comparisons::least(1));
        }
        let before = attempts.clone();
        attempts.charge(at(1_000_030), Comparisons::least(1));
        attempts.succeed(&before);
        assert_eq!(attempts.lock_state(at(1_000_010), Comparisons::least(1)), LockState::Open);
    }

    /// T56: a guesser with the choice between all apps and one takes both in turn, and gains nothing.
    #[test]
    fn t56_naming_an_app_now_and_then_gains_no_guesses() {
        let mut attempts = Attempts::NEW;
        let start = at(1_800_000_000);
        let (mut now, mut compared, mut next) = (start, 0_u32, Comparisons { apps: 5, window: 2 });
        while now < start.plus(365 * 86_400) {
            match attempts.lock_state(now, next) {
                LockState::Open => {
                    attempts.charge(now, next);
                    attempts.failures = 0;
                    compared += next.apps;
                    next.apps = if compared % 2 == 0 { 5 } else { 1 };
                }
                LockState::Waiting(until) => now = until,
                LockState::Stopped => panic!("the count is reset"),
            }
        }
        let chance = f64::from(compared) * 5.0 / 1e6;
        assert!((0.008..=0.01).contains(&chance), "{compared} comparisons, chance {chance}");
    }

    #[test]
    fn several_apps_leave_as_many_tries_and_take_longer_to_be_forgiven() {
        let (now, hours) = (at(1_800_000_000), |hours: u64| at(1_800_000_000).plus(hours * 3_600));
        let five = Comparisons { apps: 5, window: 1 };
        let mut attempts = Attempts::NEW;
        for left in [4, 3, 2, 1, 0] {
            attempts.charge(now, five);
            assert_eq!(attempts.left_before_wait(), left);
        }
        assert_eq!(attempts.lock_state(now, five), LockState::Waiting(now.plus(30)));
        // One try of five comparisons leaks out in 15 hours, one that names an app in three.
        let left_after = |time, compared| {
            let mut later = attempts.clone();
            later.charge(time, compared);
            later.left_before_wait()
        };
        assert_eq!((left_after(hours(14), five), left_after(hours(15), five)), (0, 0));
        assert_eq!((left_after(hours(29), Comparisons::least(1)), left_after(hours(30), Comparisons::least(1))), (0, 1));
    }

    /// T56: someone who has the password tries as fast as the waits permit, and the person with five apps comes back.
    #[test]
    fn t56_a_person_who_names_the_app_waits_no_longer_than_one_with_a_single_app() {
        for window in [0_u8, 1, 2] {
            let five = Comparisons { apps: 5, window };
            let (mut attempts, mut now) = (Attempts::NEW, at(1_800_000_000));
            for _ in 0..30 {
                attempts.charge(now, five);
                let LockState::Waiting(until) = attempts.lock_state(now, five) else { continue };
                let named = match attempts.lock_state(now, Comparisons::least(window)) {
                    LockState::Waiting(until) => until.since(now),
                    LockState::Open => 0,
                    LockState::Stopped => panic!("30 failures"),
                };
                let longest = LONGEST_WAIT.max(leak_seconds(window));
                assert!(named <= longest && named <= until.since(now), "window {window}: {named} s");
                now = until;
            }
        }
    }

    /// C7, T47: a guesser who knows the password tries for a year, and an owner rescues the user every day,
    /// at the worst moment: right after a guess has made the user wait.
    #[test]
    fn t47_c7_daily_rescues_leave_a_year_of_guessing_under_one_percent() {
        for window in [0_u8, 1, 2] {
            let mut attempts = Attempts::NEW;
            let start = at(1_800_000_000);
            let end = start.plus(365 * 86_400);
            let (mut now, mut next_rescue, mut guesses) = (start, start, 0_u32);
            while now < end {
                if now >= next_rescue {
                    attempts.rescue();
                    next_rescue = next_rescue.plus(86_400);
                }
                match attempts.lock_state(now, Comparisons::least(window)) {
                    LockState::Open => {
                        attempts.charge(now, Comparisons::least(window));
                        guesses += 1;
                    }
                    LockState::Waiting(until) => now = until,
                    LockState::Stopped => now = next_rescue,
                }
            }
            let chance = f64::from(guesses) * f64::from(2 * window + 1) / 1e6;
            assert!(guesses > 1_000, "the simulated attacker did attack");
            assert!(chance <= 0.01, "window {window}: {guesses} guesses, chance {chance}");
        }
    }

    /// T6, T56: a guesser who knows the password tries for a year, while the user logs in
    /// after every single guess and so resets the count each time. With several apps, each guess is compared with all.
    #[test]
    fn t6_t56_a_year_of_guessing_stays_under_one_percent() {
        for (apps, window) in [1, 2, 5].into_iter().flat_map(|apps| [0_u8, 1, 2].map(|window| (apps, window))) {
            let (mut attempts, guess) = (Attempts::NEW, Comparisons { apps, window });
            let start = at(1_800_000_000);
            let end = start.plus(365 * 86_400);
            let mut now = start;
            let mut guesses = 0_u32;
            while now < end {
                match attempts.lock_state(now, guess) {
                    LockState::Open => {
                        attempts.charge(now, guess);
                        guesses += 1;
                        if let LockState::Open = attempts.lock_state(now, guess) {
                            let before = attempts.clone();
                            attempts.succeed(&before);
                        } else {
                            attempts.failures = 0;
                        }
                    }
                    LockState::Waiting(until) => now = until,
                    LockState::Stopped => break,
                }
            }
            let chance = f64::from(guesses * apps) * f64::from(2 * window + 1) / 1e6;
            assert!(guesses * apps > 1_000, "the simulated attacker did attack");
            assert!(chance <= 0.01, "{apps} apps, window {window}: {guesses} guesses, chance {chance}");
        }
    }
}
