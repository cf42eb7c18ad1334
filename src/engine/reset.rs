//! A reset by an owner, or by the operator: for a user whose factors or sessions somebody else may have. One write takes everything back, and a
//! recovery code is the only way in.
//!
//! ```text
//!  reset ──▶ apps, phones and backup codes are gone; tickets, set-ups and passes have ended
//!    │
//!    └─────▶ only a recovery code lets in ── an owner's or the operator's is used ──▶ as any user without a factor
//! ```
//!
//! The code that the reset gives ends after an hour. Its end, and its withdrawal, change nothing: another one is needed. So
//! someone who knows the password gets in at no time, also where the policy forces no second factor; and no first factor is
//! set up by the password alone.
//!
//! The host is told by [`EndedPasses`](crate::effect::EndedPasses) that the passes have ended. It ends its sessions itself.

use crate::error::Error;
use crate::event::{Action, EventKind};
use crate::ids::OperatorId;
use crate::notice::NoticeKind;
use crate::policy::Method;
use crate::record::{Factor, IssuedBy, Record};

use super::command::Issuer;
use super::context::Context;
use super::reply::Reply;
use super::{owner, recovery_code, sign_out};

/// Resets the user, by an owner of the account.
pub(super) fn reset(context: &mut Context<'_>, issuer: &Record, by: &Issuer) -> Result<Reply, Error> {
    if let Err(reply) = owner::admit(context, issuer, by, Action::Reset) {
        return Ok(reply);
    }
    context.log(EventKind::Reset { by: by.user.clone() });
    take_back(context, IssuedBy::Owner(by.user.clone()))
}

/// Resets the user, by the operator.
pub(super) fn by_operator(context: &mut Context<'_>, operator: &OperatorId) -> Result<Reply, Error> {
    context.log(EventKind::ResetByOperator { operator: operator.clone() });
    take_back(context, IssuedBy::Operator(operator.clone()))
}

fn take_back(context: &mut Context<'_>, issued_by: IssuedBy) -> Result<Reply, Error> {
    let factors: Vec<Factor> = context.record.factors().collect();
    for Factor { named, method, .. } in factors {
        context.record.drop_factor(&named.id);
        context.log(EventKind::FactorRemoved { method, factor: named });
    }
    context.record.forget_factors();
    context.record.needs_recovery_code = true;
    context.begin_epoch();
    sign_out::end_logins(context);
    recovery_code::replace(context);
    context.log(match &issued_by {
        IssuedBy::Owner(by) => EventKind::RecoveryCodeIssued { by: by.clone() },
        IssuedBy::Operator(operator) => EventKind::RecoveryCodeIssuedByOperator { operator: operator.clone() },
    });
    context.notify_all(NoticeKind::Reset, Some(Method::RecoveryCode), issued_by.owner().cloned());
    recovery_code::make(context, issued_by)
}
