//! A user's second factor at a glance, for a settings page or an administrator. It holds no secret.

use serde::Serialize;

use crate::error::Error;
use crate::factor::{FactorId, FactorName, NamedFactor};
use crate::keys::KeyRing;
use crate::lockout::{Comparisons, LockState};
use crate::policy::{Enrollment, Method, Policy};
use crate::record::{Factor, IssuedBy, Record};
use crate::time::UnixSeconds;
use crate::trusted_browser::TrustedBrowser;

use super::context::View;
use super::{factors, restored, sms};

/// A user's second factor at a glance. Times are in unix seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Whether the user has a factor of their own.
    pub enrolled: bool,
    /// The user's enrollment under the policy.
    pub enrollment: Enrollment,
    /// The user's own factors: apps, then phones, each in the order in which they were added.
    pub methods: Vec<FactorStatus>,
    /// The backup codes, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_codes: Option<BackupStatus>,
    /// The recovery code that is alive, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery_code: Option<RecoveryStatus>,
    /// The browsers that are trusted, in the order in which they were.
    pub trusted_browsers: Vec<TrustedBrowserStatus>,
    /// The attempt budget.
    pub attempts: AttemptStatus,
}

/// One factor of a user's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct FactorStatus {
    /// Its id.
    pub id: FactorId,
    /// Its name.
    pub name: FactorName,
    /// `totp` or `sms`.
    pub method: Method,
    /// Whether the user can log in by it under the policy.
    pub usable: bool,
    /// Set where the secret of an app has fewer than 160 bits, because another system made it: ask the user to set it up anew, by
    /// `enroll_totp` with its id in `replaces`.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub weak: bool,
    /// The end of the phone number, where the method is `sms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The time at which it was confirmed, or imported.
    pub added_at: UnixSeconds,
    /// The time at which it last logged the user in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<UnixSeconds>,
}

/// A browser that is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct TrustedBrowserStatus {
    /// Its id: the beginning of the token in its cookie, before the full stop.
    pub id: FactorId,
    /// Its name.
    pub name: FactorName,
    /// The time at which it was trusted.
    pub added_at: UnixSeconds,
    /// The time at which it last logged the user in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<UnixSeconds>,
    /// The time at which the trust ends.
    pub expires_at: UnixSeconds,
}

/// The backup codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct BackupStatus {
    /// Number of codes that are not used yet.
    pub left: usize,
    /// Number of codes in the set.
    pub total: usize,
    /// The time at which they were made.
    pub created_at: UnixSeconds,
    /// Whether they can be shown again.
    pub can_show: bool,
    /// Whether the person has them: said so, or logged in by one. While not, the reply that brought them may have been lost.
    pub confirmed: bool,
}

/// The recovery code that is alive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct RecoveryStatus {
    /// The owner or the operator who issued it.
    pub issued_by: IssuedBy,
    /// The time at which it ends.
    pub expires_at: UnixSeconds,
}

/// The attempt budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct AttemptStatus {
    /// Number of consecutive failures, 0 to 100.
    pub failures: u32,
    /// The time from which the next attempt may be made. Absent: at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locked_until: Option<UnixSeconds>,
    /// True when only an owner's recovery code helps.
    pub stopped: bool,
}

/// Reads a record for a settings page.
///
/// # Errors
/// [`ErrorCode::KeyMissing`](crate::error::ErrorCode::KeyMissing) or
/// [`ErrorCode::SealBroken`](crate::error::ErrorCode::SealBroken) when the phone number does not open.
pub fn status(policy: &Policy, keys: &KeyRing, record: &Record, now: UnixSeconds) -> Result<Status, Error> {
    let record = &*restored::as_it_counts(record, keys)?;
    let view = View { policy, keys, record, now };
    let (locked_until, stopped) = match record.attempts.lock_state(now, Comparisons::least(policy.window())) {
        LockState::Open => (None, false),
        LockState::Waiting(until) => (Some(until), false),
        LockState::Stopped => (None, true),
    };
    Ok(Status {
        enrolled: record.has_factor(),
        enrollment: factors::enrollment(view)?,
        methods: factors_of(view)?,
        backup_codes: record.backup.as_ref().map(|backup| BackupStatus {
            left: backup.set.left(),
            total: backup.set.slots.len(),
            created_at: backup.created_at,
            can_show: backup.copy.is_some() && policy.backup_codes().keep_for_showing,
            confirmed: backup.is_confirmed,
        }),
        recovery_code: record
            .live_recovery(policy, now)
            .map(|code| RecoveryStatus { issued_by: code.issued_by.clone(), expires_at: code.lifetime.ends_at() }),
        trusted_browsers: record
            .live_browsers(policy, now)
            .filter_map(|browser| {
                let TrustedBrowser { id, name, added_at, last_used_at, .. } = browser.clone();
                Some(TrustedBrowserStatus { id, name, added_at, last_used_at, expires_at: browser.ends_at(policy)? })
            })
            .collect(),
        attempts: AttemptStatus { failures: record.attempts.failures(), locked_until, stopped },
    })
}

/// A user's enrollment under a policy, which may be one that is not in force yet. A user whose factors do
/// not open, because a key is missing, counts as one who can use none.
#[must_use]
pub fn enrollment(policy: &Policy, keys: &KeyRing, record: &Record, now: UnixSeconds) -> Enrollment {
    restored::as_it_counts(record, keys)
        .and_then(|record| factors::enrollment(View { policy, keys, record: &record, now }))
        .unwrap_or(Enrollment::Unusable)
}

fn factors_of(view: View<'_>) -> Result<Vec<FactorStatus>, Error> {
    let usable = factors::usable_factors(view);
    let mut list = Vec::new();
    for Factor { named: NamedFactor { id, name }, method, added_at, last_used_at } in view.record.factors() {
        let hint = sms::hint(view, &id)?;
        let weak = view.record.apps.iter().any(|app| app.id == id && app.is_weak());
        list.push(FactorStatus { usable: usable.contains(&id), id, name, method, weak, hint, added_at, last_used_at });
    }
    Ok(list)
}
