//! The counters: each request counts once as allowed, challenged or denied, and some count more.
//! Envoy shows them as `wasmcustom.countersign_…`.

use super::refusal::{Refusal, RefusalKind};

/// A statistic that only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// The request went on.
    Allowed,
    /// The client was asked for a second factor.
    Challenged,
    /// The request was refused for a reason that a second factor does not help.
    Denied(Refusal),
    /// A code was right.
    VerifyOk,
    /// A code was wrong.
    VerifyWrong,
    /// A call-out did not answer as it should.
    CalloutError,
    /// In shadow mode: the request went on, and would have been refused.
    ShadowWouldDeny,
}

impl Counter {
    /// All counters, so that the shell can define them at the start.
    pub fn all() -> impl Iterator<Item = Self> {
        let denied = Refusal::ALL.into_iter().map(Self::of).filter(|counter| *counter != Self::Challenged);
        let others = [Self::Allowed, Self::Challenged, Self::VerifyOk, Self::VerifyWrong, Self::CalloutError, Self::ShadowWouldDeny];
        others.into_iter().chain(denied)
    }

    /// Name of the statistic.
    #[must_use]
    pub fn name(self) -> String {
        let name = match self {
            Self::Allowed => "allowed",
            Self::Challenged => "challenged",
            Self::Denied(refusal) => return format!("countersign_denied_{}", refusal.name()),
            Self::VerifyOk => "verify_ok",
            Self::VerifyWrong => "verify_wrong",
            Self::CalloutError => "callout_error",
            Self::ShadowWouldDeny => "shadow_would_deny",
        };
        format!("countersign_{name}")
    }

    pub(super) const fn of(refusal: Refusal) -> Self {
        match refusal.kind() {
            RefusalKind::Challenge => Self::Challenged,
            RefusalKind::Forbidden | RefusalKind::BadRequest | RefusalKind::TooManyAttempts | RefusalKind::Unavailable => {
                Self::Denied(refusal)
            }
        }
    }
}
