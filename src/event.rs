//! Events: the audit trail. An event carries no secret, code, token or number.
//!
//! The form has a version. Under version 1, kinds and fields may be added, and none is renamed, removed or
//! given another meaning: a reader passes over kinds and fields that it does not know.
//! `docs/operations.md` lists all of them, and a test compares that list with these types.

use serde::Serialize;

use crate::client_ip::ClientIp;
use crate::factor::{FactorName, NamedFactor};
use crate::ids::{AccountId, OperatorId, RecordId, UserId};
use crate::policy::{Method, Reason, SettingChange};
use crate::time::UnixSeconds;

/// The version of the form in which events are written.
const VERSION: u32 = 1;

/// One line of the audit trail: `{ v, account?, user, at, ip?, event, … }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// The version of the form: 1.
    pub v: u32,
    /// The user's account, where the host has accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// The user whose second factor it is about; for a change of policy, the one who made it; for an export, the operator.
    pub user: UserId,
    /// The time, in unix seconds.
    pub at: UnixSeconds,
    /// The client's address, canonical, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// The kind of event, with its fields.
    #[serde(flatten)]
    pub kind: EventKind,
}

impl Event {
    /// An event about this user.
    #[must_use]
    pub fn new(id: &RecordId, at: UnixSeconds, client: ClientIp, kind: EventKind) -> Self {
        Self { v: VERSION, account: id.account().cloned(), user: id.user().clone(), at, ip: client.to_text(), kind }
    }
}

/// Kinds of event. In JSON, `event` names the kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(tag = "event", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum EventKind {
    /// A login needed no second factor.
    LoginAllowed,
    /// A login was challenged.
    LoginChallenged,
    /// A login led to the set-up of the first factor, by the password alone.
    LoginSetUp,
    /// A login was denied.
    LoginDenied {
        /// The rule that denied it.
        reason: Reason,
    },
    /// An SMS was handed over for sending.
    SmsSent,
    /// An SMS was asked for and not sent.
    SmsRefused {
        /// The limit that refused it.
        reason: SmsRefusal,
    },
    /// An SMS never left. Its code has ended.
    SmsNeverLeft,
    /// A code was right.
    CodeAccepted {
        /// The method of the code.
        method: Method,
        /// The app or phone, where it was from one; the browser, where the method is `trusted_browser`.
        #[serde(skip_serializing_if = "Option::is_none")]
        factor: Option<NamedFactor>,
    },
    /// A code was wrong. It was counted, if it was no recovery code.
    CodeRefused {
        /// The method of the code.
        method: Method,
        /// Consecutive failures, with this one.
        failures: u32,
    },
    /// A code was right and used already. Nothing was counted.
    CodeRepeated {
        /// The method of the code.
        method: Method,
    },
    /// A code for a set-up was wrong. Nothing was counted against logins.
    SetupCodeRefused {
        /// The factor that is being set up.
        method: Method,
    },
    /// An attempt came while the user waits or is stopped.
    AttemptWhileLocked {
        /// The method of the code.
        method: Method,
    },
    /// Someone began to set up a factor.
    EnrollmentStarted {
        /// The factor.
        method: Method,
    },
    /// A factor was confirmed.
    FactorAdded {
        /// `totp` or `sms`.
        method: Method,
        /// The factor.
        factor: NamedFactor,
    },
    /// The first factor was set up by the password alone. `factor_added` stands beside it.
    FirstFactorByPassword {
        /// The factor.
        method: Method,
    },
    /// A factor was given another name.
    FactorRenamed {
        /// `totp` or `sms`.
        method: Method,
        /// The factor, by its new name.
        factor: NamedFactor,
        /// The name before.
        before: FactorName,
    },
    /// A factor was removed.
    FactorRemoved {
        /// `totp` or `sms`.
        method: Method,
        /// The factor.
        factor: NamedFactor,
    },
    /// A browser was trusted, after a code by app or SMS.
    BrowserTrusted {
        /// The method of the code, `totp` or `sms`.
        method: Method,
        /// The browser.
        browser: NamedFactor,
    },
    /// A token of a trusted browser did not count: it is not known, its trust has ended, or it was used less than half a
    /// minute ago. Nothing was counted.
    TrustedBrowserRefused,
    /// A secret of a trusted browser was used again after it had turned: there are two copies. The trust has ended.
    TrustedBrowserCopied {
        /// The browser.
        browser: NamedFactor,
    },
    /// The trust in a browser was ended by the user, or to make room for another.
    TrustedBrowserRemoved {
        /// The browser.
        browser: NamedFactor,
    },
    /// Backup codes were made.
    BackupCodesMade,
    /// The person said that the backup codes are saved. A login by one of them says so too, and is no such event.
    BackupCodesConfirmed,
    /// Backup codes were shown again.
    BackupCodesShown,
    /// An owner issued a recovery code.
    RecoveryCodeIssued {
        /// The owner.
        by: UserId,
    },
    /// The operator issued a recovery code.
    RecoveryCodeIssuedByOperator {
        /// The operator's name.
        operator: OperatorId,
    },
    /// A recovery code was replaced by another before it was used.
    RecoveryCodeReplaced,
    /// The operator withdrew a recovery code before it was used.
    RecoveryCodeWithdrawn {
        /// The operator's name.
        operator: OperatorId,
    },
    /// The life of a recovery code was over before it was used.
    RecoveryCodeEnded,
    /// An owner reset the user: all factors are gone, and only a recovery code lets in. `factor_removed` for each factor, and
    /// `recovery_code_issued`, stand beside it.
    Reset {
        /// The owner.
        by: UserId,
    },
    /// The operator has reset the user: no factor of theirs counts, and only a recovery code lets in.
    ResetByOperator {
        /// The operator's name.
        operator: OperatorId,
    },
    /// The password was changed, as the host tells by `passwordChanged`.
    PasswordChanged,
    /// The user was signed out everywhere.
    SignedOutEverywhere,
    /// The operator moved a second factor here, from another account or user id.
    MovedHere {
        /// The account that it came from, where there was one.
        #[serde(skip_serializing_if = "Option::is_none")]
        from_account: Option<AccountId>,
        /// The user whose it was.
        from_user: UserId,
        /// The apps and phones that came; none where the user had a second factor here already.
        factors: Vec<NamedFactor>,
        /// The operator's name.
        operator: OperatorId,
    },
    /// The operator moves the second factor of this user to another account or user id. Nothing counts here from now on.
    MovedAway {
        /// The account that it went to, where there is one.
        #[serde(skip_serializing_if = "Option::is_none")]
        to_account: Option<AccountId>,
        /// The user whose it is now.
        to_user: UserId,
        /// The operator's name.
        operator: OperatorId,
    },
    /// The operator erased the user.
    Erased {
        /// The operator's name.
        operator: OperatorId,
    },
    /// The operator imported an authenticator app that another system has set up. `factor_removed` stands beside it for each app
    /// in whose place it came.
    TotpImported {
        /// The app.
        factor: NamedFactor,
        /// The operator's name.
        operator: OperatorId,
    },
    /// The operator began to export the secrets of authenticator apps: `user` is the operator's name.
    ExportStarted {
        /// The operator's name.
        operator: OperatorId,
    },
    /// The operator exported the secrets of the user's authenticator apps.
    SecretsExported {
        /// The apps.
        factors: Vec<NamedFactor>,
        /// The operator's name.
        operator: OperatorId,
    },
    /// The policy was changed, as the host tells by `policyChanged`.
    PolicyChanged {
        /// Digest of the policy before: SHA-256 of its settings, in base64url.
        before: String,
        /// Digest of the policy after.
        after: String,
        /// The settings that changed.
        changes: Vec<SettingChange>,
    },
    /// An action was refused.
    Refused {
        /// The action that was asked for.
        action: Action,
        /// The rule that refused it.
        reason: Reason,
        /// The owner who asked for it, where it was an act for another user.
        #[serde(skip_serializing_if = "Option::is_none")]
        by: Option<UserId>,
    },
}

/// The reason why no SMS was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum SmsRefusal {
    /// The last message was sent less than `cooldownSeconds` ago.
    Cooldown,
    /// The budget of the last minute, hour or day is used up.
    Budget,
    /// The user waits or is stopped after wrong codes.
    TooManyAttempts,
    /// The number has had as many set-up messages as it may have from all users together.
    NumberBudget,
    /// The host's count of the number failed, and no set-up message is sent uncounted.
    CountFailed,
}

/// An action that can be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The second step of a login.
    Verify,
    /// Sending a login code.
    SendSms,
    /// Setting up an authenticator app.
    EnrollTotp,
    /// Setting up a phone.
    EnrollSms,
    /// Giving a factor another name.
    Rename,
    /// Removing a factor.
    Remove,
    /// Ending the trust in a browser.
    RemoveTrustedBrowser,
    /// Making new backup codes.
    RenewBackupCodes,
    /// Showing backup codes.
    ShowBackupCodes,
    /// Confirming that backup codes are saved.
    ConfirmBackupCodes,
    /// Issuing a recovery code.
    IssueRecoveryCode,
    /// Resetting a user.
    Reset,
}
