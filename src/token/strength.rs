//! The strength of a pass, told by its claims `acr` and `amr`: a pass by backup or recovery code is
//! weaker than one by app or SMS, one by a trusted browser is weaker still, and no service takes it for one.

use crate::policy::Method;

/// Strength of a pass, as its `acr` (OpenID Connect Core §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Acr {
    SecondFactor,
    Backup,
    Recovery,
    TrustedBrowser,
}

impl Acr {
    pub(crate) const fn of(method: Method) -> Self {
        match method {
            Method::Totp | Method::Sms => Self::SecondFactor,
            Method::BackupCode => Self::Backup,
            Method::RecoveryCode => Self::Recovery,
            Method::TrustedBrowser => Self::TrustedBrowser,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::SecondFactor => "urn:countersign:acr:2fa",
            Self::Backup => "urn:countersign:acr:backup",
            Self::Recovery => "urn:countersign:acr:recovery",
            Self::TrustedBrowser => "urn:countersign:acr:trusted-browser",
        }
    }
}

/// The `amr` of a pass (RFC 8176 §2). Backup and recovery codes and trusted browsers have no value there: only the
/// private claim `second_factor` names them.
pub(crate) const fn amr(method: Method) -> &'static [&'static str] {
    match method {
        Method::Totp => &["pwd", "otp", "mfa"],
        Method::Sms => &["pwd", "sms", "mfa"],
        Method::BackupCode | Method::RecoveryCode | Method::TrustedBrowser => &["pwd"],
    }
}
