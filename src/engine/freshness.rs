//! Freshness: a change of a user's second factor needs a pass of this user and session whose
//! factor was shown at most `freshSeconds` ago, and is still the one in the record.
//!
//! A factor that was removed or replaced since proves nothing any more: the phone that was replaced
//! must not take the account back.

use crate::ids::{RecordId, SessionId};
use crate::policy::Method;
use crate::record::Record;
use crate::time::{CLOCK_SKEW, UnixSeconds};
use crate::token::Pass;

use super::context::Context;

/// The factors whose pass permits a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// Any second factor: a user who lost the phone logs in by a backup or recovery code and must be
    /// able to replace it.
    AnyFactor,
    /// App or SMS: one backup code must not show the other nine, nor issue a recovery code.
    OwnFactor,
}

impl Context<'_> {
    /// Whether a pass is of this user and session, however old.
    pub(super) fn holds_pass(&self, session: &SessionId, pass: Option<&str>) -> bool {
        self.open_pass(self.record.id(), session, pass).is_some()
    }

    /// Whether a pass of this user and session is fresh enough for a change.
    pub(super) fn is_fresh(&self, id: &RecordId, session: &SessionId, pass: Option<&str>, proof: Proof) -> bool {
        self.open_pass(id, session, pass).is_some_and(|pass| {
            let is_accepted = match (proof, pass.method()) {
                (Proof::AnyFactor, Method::Totp | Method::Sms | Method::BackupCode | Method::RecoveryCode)
                | (Proof::OwnFactor, Method::Totp | Method::Sms) => true,
                (Proof::OwnFactor, Method::BackupCode | Method::RecoveryCode) => false,
            };
            is_accepted && self.now.since(pass.auth_time()) <= self.policy.fresh_seconds()
        })
    }

    fn open_pass(&self, id: &RecordId, session: &SessionId, pass: Option<&str>) -> Option<Pass> {
        let pass = Pass::open(self.policy, self.keys.signing(), pass?, self.now).and_then(|pass| pass.of(id, session)).ok()?;
        // An owner who issues a recovery code has another record, which is not at hand here.
        let is_other_record = id != self.record.id();
        (is_other_record || is_still_there(&pass, &self.record, self.now)).then_some(pass)
    }
}

/// Whether the factor of a pass still is the one in the record: neither removed nor replaced since.
///
/// The two times may come from two clocks, so that a minute between them is no replacement; nor is a
/// time in the future, which a clock that once ran ahead has left in the record.
pub(super) fn is_still_there(pass: &Pass, record: &Record, now: UnixSeconds) -> bool {
    let is_before = |made_at: UnixSeconds| made_at > now || made_at <= pass.auth_time().plus(CLOCK_SKEW);
    match pass.method() {
        Method::Totp | Method::Sms => record.factor(pass.method()).is_some_and(|factor| is_before(factor.added_at)),
        Method::BackupCode => record.backup.as_ref().is_some_and(|backup| is_before(backup.created_at)),
        // It was used up when the pass was made.
        Method::RecoveryCode => true,
    }
}
