//! An attempt at a login code: charged to the budget before anything is compared, and the charge taken
//! back when the code was right.
//!
//! The charge is also taken back where the code was right and is used already: it lets nobody in, and a
//! double click must not lock out the person who has just got in.
//!
//! Recovery codes are no part of the budget: they lift the lock, so that the lock must not stop them.

use crate::error::Error;
use crate::event::EventKind;
use crate::factor::{FactorId, NamedFactor};
use crate::lockout::{Comparisons, LockState};
use crate::notice::NoticeKind;
use crate::policy::Method;
use crate::time::UnixSeconds;

use super::context::Context;
use super::reply::{BrowserCookie, Reply};

/// A code as it was typed, and the app or phone that it is said to be from.
pub(super) struct Typed<'a> {
    pub(super) code: &'a str,
    pub(super) factor: Option<&'a FactorId>,
}

impl Typed<'_> {
    /// Whether it may be from this factor.
    pub(super) fn is_from(&self, id: &FactorId) -> bool {
        self.factor.is_none_or(|factor| factor == id)
    }
}

/// The proof that counted at a second step.
pub(super) struct Used {
    /// The app or phone, or the browser.
    pub(super) factor: Option<NamedFactor>,
    /// The time at which the factor was shown.
    pub(super) shown_at: UnixSeconds,
    /// The token that a trusted browser has from now on.
    pub(super) browser: Option<BrowserCookie>,
}

impl Used {
    /// A factor that is shown now.
    pub(super) const fn now(factor: Option<NamedFactor>, now: UnixSeconds) -> Self {
        Self { factor, shown_at: now, browser: None }
    }
}

/// The outcome of comparing a code.
pub(super) enum Comparison<T> {
    Right(T),
    /// Right, and used already. The next code counts from `retry_at` on.
    Used {
        retry_at: Option<UnixSeconds>,
    },
    /// The code that an app showed so many seconds ago, where it is one.
    Wrong {
        slow_by_seconds: Option<u64>,
    },
}

impl<T> Comparison<T> {
    /// Wrong at any time.
    pub(super) const WRONG: Self = Self::Wrong { slow_by_seconds: None };
}

/// A value, or the reply that takes its place.
pub(super) type OrReply<T> = Result<T, Reply>;

impl Context<'_> {
    /// Runs one attempt at a code that is not known again once it is used. `compare` gives the match, or
    /// `None` for a wrong code.
    pub(super) fn attempt<T>(
        &mut self,
        method: Method,
        compare: impl FnOnce(&mut Self) -> Result<Option<T>, Error>,
    ) -> Result<OrReply<T>, Error> {
        self.attempt_known(method, 1, |context| Ok(compare(context)?.map_or(Comparison::WRONG, Comparison::Right)))
    }

    /// Runs one attempt at a code that is known again once it is used, and that is compared with this number of apps.
    pub(super) fn attempt_known<T>(
        &mut self,
        method: Method,
        apps: usize,
        compare: impl FnOnce(&mut Self) -> Result<Comparison<T>, Error>,
    ) -> Result<OrReply<T>, Error> {
        let comparisons = Comparisons { apps: u32::try_from(apps).unwrap_or(u32::MAX), window: self.policy.window() };
        if let Some(locked) = self.locked(comparisons) {
            self.log(EventKind::AttemptWhileLocked { method });
            return Ok(Err(locked));
        }
        let before = self.record.attempts.clone();
        self.record.attempts.charge(self.now, comparisons);
        let slow_by_seconds = match compare(self)? {
            Comparison::Right(matched) => {
                self.record.attempts = before;
                return Ok(Ok(matched));
            }
            Comparison::Used { retry_at } => {
                self.record.attempts = before;
                self.log(EventKind::CodeRepeated { method });
                return Ok(Err(Reply::AlreadyUsed { retry_at }));
            }
            Comparison::Wrong { slow_by_seconds } => slow_by_seconds,
        };
        let failures = self.record.attempts.failures();
        self.log(EventKind::CodeRefused { method, failures });
        if self.record.attempts.just_locked(&before) {
            self.notify(NoticeKind::Locked, None);
        }
        let (attempts_left, retry_at) = match self.record.attempts.lock_state(self.now, comparisons) {
            LockState::Open => (self.record.attempts.left_before_wait(), None),
            LockState::Waiting(until) => (0, Some(until)),
            LockState::Stopped => (0, None),
        };
        Ok(Err(Reply::Wrong { attempts_left: Some(attempts_left), retry_at, slow_by_seconds }))
    }

    /// The reply while no such attempt may be made.
    fn locked(&self, comparisons: Comparisons) -> Option<Reply> {
        match self.record.attempts.lock_state(self.now, comparisons) {
            LockState::Open => None,
            LockState::Waiting(until) => Some(Reply::Locked { retry_at: Some(until) }),
            LockState::Stopped => Some(Reply::Locked { retry_at: None }),
        }
    }
}
