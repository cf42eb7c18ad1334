//! The table of factors: one row a method, from which the challenge, the second step, the enrollment
//! and the removal follow.
//!
//! A new kind of factor is one file beside this one and one row here; the compiler names every
//! other place that has to know it.

use crate::error::Error;
use crate::factor::FactorId;
use crate::policy::{Enrollment, Method};
use crate::token::Ticket;

use super::attempt::{OrReply, Typed, Used};
use super::context::{Context, View};
use super::reply::UsableMethod;
use super::{backup_codes, recovery_code, sms, totp, trusted_browser};

/// One method, as the table has it.
pub(super) struct Row {
    /// The method in a challenge, if the user can use it right now.
    usable: fn(View<'_>) -> Result<Option<UsableMethod>, Error>,
    /// The second step by this method.
    pub(super) verify: fn(&mut Context<'_>, &Ticket, &Typed<'_>) -> Result<OrReply<Used>, Error>,
}

pub(super) const fn row(method: Method) -> Row {
    match method {
        Method::Totp => Row { usable: totp::usable, verify: totp::verify },
        Method::Sms => Row { usable: sms::usable, verify: sms::verify },
        Method::BackupCode => Row { usable: backup_codes::usable, verify: backup_codes::verify },
        Method::RecoveryCode => Row { usable: recovery_code::usable, verify: recovery_code::verify },
        Method::TrustedBrowser => Row { usable: trusted_browser::usable, verify: trusted_browser::verify },
    }
}

/// The methods that the user can use right now.
pub(super) fn usable_methods(view: View<'_>) -> Result<Vec<UsableMethod>, Error> {
    Method::ALL.into_iter().filter_map(|method| (row(method).usable)(view).transpose()).collect()
}

/// Whether the user can use a method right now.
fn is_usable(view: View<'_>, method: Method) -> Result<bool, Error> {
    (row(method).usable)(view).map(|usable| usable.is_some())
}

/// The ids of the apps and phones that the user can use right now. A method whose factors do not open has none.
pub(super) fn usable_factors(view: View<'_>) -> Vec<FactorId> {
    let usable = Method::ALL.into_iter().filter_map(|method| (row(method).usable)(view).ok().flatten());
    usable.flat_map(|method| method.factors).map(|factor| factor.id).collect()
}

/// The user's enrollment under the policy. A recovery code is no part of it: it is a fact of its own
/// in the login decision. Nor is a trusted browser, which is no factor. A user in the first factor epoch never had a factor: every change of factors
/// and every rescue begins a new epoch.
pub(super) fn enrollment(view: View<'_>) -> Result<Enrollment, Error> {
    if view.record.only_a_recovery_code_lets_in() {
        return Ok(Enrollment::Reset);
    }
    if !view.record.has_factor() {
        return Ok(if view.record.epoch.is_first() { Enrollment::Never } else { Enrollment::None });
    }
    for method in Method::ALL.into_iter().filter(|method| !matches!(method, Method::RecoveryCode | Method::TrustedBrowser)) {
        if is_usable(view, method)? {
            return Ok(Enrollment::Usable);
        }
    }
    Ok(Enrollment::Unusable)
}
