//! The terms of the rules: method, channel, role, and the reasons of a refusal.

use serde::{Deserialize, Serialize};

/// A way to prove possession. It goes by its name in all documents: `totp`, `sms`, `backup_code`,
/// `recovery_code`, `trusted_browser`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// A code from an authenticator app.
    Totp,
    /// A code by SMS.
    Sms,
    /// One of the ten single-use codes made with the first factor.
    BackupCode,
    /// A single-use code issued by an owner, good for an hour.
    RecoveryCode,
    /// A browser that was trusted after a code by app or SMS. It proves no factor, and its pass is weaker than any other.
    TrustedBrowser,
}

impl Method {
    /// All methods, in the order in which a challenge lists them.
    pub const ALL: [Self; 5] = [Self::Totp, Self::Sms, Self::BackupCode, Self::RecoveryCode, Self::TrustedBrowser];

    /// The method's name in all documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Sms => "sms",
            Self::BackupCode => "backup_code",
            Self::RecoveryCode => "recovery_code",
            Self::TrustedBrowser => "trusted_browser",
        }
    }

    /// The method of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }

    /// Whether it is a factor of the user's own: set up, named and removed by its user. Backup
    /// and recovery codes stand in for such a factor, and a trusted browser remembers one.
    #[must_use]
    pub const fn is_own_factor(self) -> bool {
        match self {
            Self::Totp | Self::Sms => true,
            Self::BackupCode | Self::RecoveryCode | Self::TrustedBrowser => false,
        }
    }
}

/// The kind of caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A person who can answer a challenge.
    Web,
    /// A program that cannot.
    Api,
}

/// The user's role in the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May issue recovery codes for others.
    Owner,
    /// May not.
    Member,
}

/// The roles that a user has in the account, by the host's own names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub enum Roles {
    /// The host did not say. A rule about roles then holds, because the user may have any of them.
    #[default]
    Unknown,
    /// These, and no others. The list may be empty.
    Known(Vec<String>),
}

impl Roles {
    /// Whether a text can be the name of a role.
    pub(super) fn is_name(name: &str) -> bool {
        (1..=64).contains(&name.len()) && !name.chars().any(char::is_control)
    }
}

impl TryFrom<Vec<String>> for Roles {
    type Error = &'static str;

    fn try_from(names: Vec<String>) -> Result<Self, Self::Error> {
        if names.iter().all(|name| Self::is_name(name)) {
            Ok(Self::Known(names))
        } else {
            Err("a role must be 1 to 64 bytes without control characters")
        }
    }
}

/// The rule that refuses a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A deny rule holds the client's address.
    AddressDenied,
    /// There is an allow list and the client's address is not on it.
    AddressNotAllowed,
    /// A rule depends on the address, and none is known.
    AddressUnknown,
    /// A second factor is forced, the user has none, and no recovery code is alive.
    EnrollmentRequired,
    /// An API client where a second factor is needed, and no `api` or `allow` rule admits its address.
    ApiClientBlocked,
    /// The user's factors are not offered any more, and no recovery code is alive.
    NoUsableMethod,
    /// An owner has reset the user, and no recovery code is alive: only another one lets in, and no API client.
    RecoveryCodeRequired,
    /// The operator's move of this user to another account or user id is not complete.
    MoveUnderWay,
    /// The plan has no second factor.
    Plan,
    /// The policy does not offer this method.
    MethodNotOffered,
    /// The text is no phone number in E.164 form, or has too few or too many digits for a mobile number of its country.
    NumberInvalid,
    /// No prefix of the policy allows the number, or an exception holds it.
    NumberNotAllowed,
    /// The phone number is one of the user's factors already.
    NumberEnrolled,
    /// The user has as many factors of this kind as there may be: five apps, two phones.
    TooManyFactors,
    /// The user does not have this factor.
    NotEnrolled,
    /// A fresh pass of this user and session is needed.
    FreshFactorRequired,
    /// Only an owner may do this.
    OwnerOnly,
    /// A recovery code, and a reset, is for someone else than the owner who asks for it.
    NotForOneself,
    /// It was asked for too often within the last hour or day. A first factor makes backup codes, so it counts as
    /// they do.
    TooOften,
    /// The user's second factor belongs to several accounts, whose owners issue no recovery codes and reset
    /// nobody: the operator of the host issues codes.
    OperatorOnly,
    /// The policy keeps no copy of the backup codes.
    NotKept,
    /// The ticket is not ours, of another user, or not a ticket.
    TicketInvalid,
    /// The ticket belongs to another session of the user's.
    OtherSession,
    /// The ticket has expired: begin again.
    TicketExpired,
}

impl Reason {
    /// Whether it is an address rule.
    #[must_use]
    pub const fn is_about_the_address(self) -> bool {
        match self {
            Self::AddressDenied | Self::AddressNotAllowed | Self::AddressUnknown => true,
            Self::EnrollmentRequired
            | Self::ApiClientBlocked
            | Self::NoUsableMethod
            | Self::RecoveryCodeRequired
            | Self::MoveUnderWay
            | Self::Plan
            | Self::MethodNotOffered
            | Self::NumberInvalid
            | Self::NumberNotAllowed
            | Self::NumberEnrolled
            | Self::TooManyFactors
            | Self::NotEnrolled
            | Self::FreshFactorRequired
            | Self::OwnerOnly
            | Self::NotForOneself
            | Self::TooOften
            | Self::OperatorOnly
            | Self::NotKept
            | Self::TicketInvalid
            | Self::OtherSession
            | Self::TicketExpired => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;
    use crate::json::from_json;

    /// serde knows the variants of an enum, and lists their names for a name that is none.
    #[test]
    fn all_lists_every_method_by_its_name() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(dead_code, reason = "only the reading is tested")]
        struct Holder {
            method: Method,
        }

        let error = from_json::<Holder>(r#"{"method":"none of them"}"#, ErrorCode::InvalidInput).unwrap_err();
        assert_eq!(error.message, format!("expected one of `{}`", Method::ALL.map(Method::as_str).join("`, `")));
        for method in Method::ALL {
            assert_eq!(Method::parse(method.as_str()), Some(method));
        }
    }
}
