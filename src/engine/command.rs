//! Commands: the host's questions to the rules, one of them a step.
//!
//! A command travels as JSON, `{"begin": {"session": "…"}}`, and is parsed strictly: an unknown
//! field is an error with its path, so that a misspelt one never weakens a check in silence.
//!
//! A field that comes from a client, such as a code, is no mistake of the host. If it is no text, the
//! command is [`Command::Malformed`], and its reply names the field: a host need not check a client's
//! input first. The client's fields are looked at before those of the host.

use core::fmt;

use serde::{Deserialize, Deserializer};

use crate::error::{Error, ErrorCode};
use crate::event::Action;
use crate::factor::{FactorId, FactorName};
use crate::ids::{SessionId, UserId};
use crate::json::from_json;
use crate::policy::{Channel, Method, Role};

use super::client_field::{self, ClientField};

/// A question of the host about one user.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Decides a login after the first factor.
    Begin(Begin),
    /// Sends a login code to the phone on record; an older code of the same ticket ends.
    SendSms(SendSms),
    /// Takes the second step of a login.
    Verify(SecondStep),
    /// Begins to set up an authenticator app.
    EnrollTotp(EnrollTotp),
    /// Shows the app's set-up again.
    ShowTotpSetup(ShowTotpSetup),
    /// Confirms the app with a code from it.
    ConfirmTotp(Confirm),
    /// Begins to set up a phone, or sends its code again.
    EnrollSms(EnrollSms),
    /// Confirms the phone with the code sent to it.
    ConfirmSms(Confirm),
    /// Gives a factor another name.
    Rename(Rename),
    /// Removes a factor.
    Remove(Remove),
    /// Ends the trust in a browser.
    RemoveTrustedBrowser(RemoveTrustedBrowser),
    /// Makes new backup codes; the old ones end.
    RenewBackupCodes(Change),
    /// Shows the backup codes again, where the policy keeps a copy.
    ShowBackupCodes(Change),
    /// Shows new backup codes again.
    ShowNewBackupCodes(ShowNewBackupCodes),
    /// Notes that the person has saved the backup codes.
    ConfirmBackupCodes(ConfirmBackupCodes),
    /// Ends what the old password has begun.
    PasswordChanged(HostsWord),
    /// Signs the user out everywhere.
    SignOutEverywhere(HostsWord),
    /// A command with a field of the client's that cannot be read. Nothing is carried out.
    #[serde(skip)]
    Malformed(ClientField),
}

/// Fields of `begin`.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Begin {
    /// The host's session, to which the ticket is bound.
    pub session: SessionId,
    /// Person or program; a person by default.
    #[serde(default = "web")]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub channel: Channel,
    /// The account's plan, where the policy names plans.
    #[serde(default)]
    pub plan: Option<String>,
    /// The ticket that the session has, where a person between password and code asks again: only one that still counts
    /// gives another. Without it, the first factor has passed just now.
    #[serde(default)]
    pub ticket: Option<String>,
}

const fn web() -> Channel {
    Channel::Web
}

/// Fields of `send_sms`.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SendSms {
    /// The ticket of the challenge.
    pub ticket: String,
    /// The session that the ticket is bound to.
    pub session: SessionId,
    /// The id of the phone; by default the one that last logged the user in.
    #[serde(default)]
    pub factor: Option<FactorId>,
}

/// Fields of `verify`: the second step of a login.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecondStep {
    /// The ticket of the challenge.
    pub ticket: String,
    /// The session that the ticket is bound to.
    pub session: SessionId,
    /// The session id after this step; a random one when absent. It must differ from `session`.
    #[serde(default)]
    pub new_session: Option<SessionId>,
    /// The method that the code belongs to.
    pub method: Method,
    /// The id of the app or phone that the code is from; by default any of the method. A code that is compared with
    /// several apps costs as much as one try at each.
    #[serde(default)]
    pub factor: Option<FactorId>,
    /// The code as it was typed; the cookie's token where the method is `trusted_browser`.
    #[serde(default, deserialize_with = "text_or_empty")]
    pub code: String,
    /// Trusts this browser after a code by app or SMS, where the policy has `trustedBrowser`: the reply then has `browser`.
    /// Elsewhere the login counts, and the browser is not trusted.
    #[serde(default)]
    pub trust_browser: Option<TrustBrowser>,
}

/// The wish to trust a browser, beside a code.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrustBrowser {
    /// The name by which the user tells this browser from others, like `Firefox on Linux`. It is often made of what the client
    /// says of itself: a value that is no name, and none, give `Browser`, with a number where that is taken.
    #[serde(default, deserialize_with = "name_or_none")]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub name: Option<FactorName>,
    /// The token in the browser's cookie, where it has one: the new one takes its place. Any other value replaces nothing.
    #[serde(default, deserialize_with = "some_text_or_empty")]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub replaces: Option<String>,
}

/// Fields of `enroll_totp`. The secret is made here; a client never supplies it.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnrollTotp {
    /// The logged-in session, or that of a set-up ticket.
    pub session: SessionId,
    /// A fresh pass, where the user has a factor already.
    #[serde(default)]
    pub pass: Option<String>,
    /// The ticket of `set_up`, where the login led there.
    #[serde(default)]
    pub ticket: Option<String>,
    /// Shown in the app beside the service's name: an e-mail address or user name.
    pub label: String,
    /// The name by which the user tells this app from others; default: that of the app which it replaces, else
    /// `Authenticator app`, with a number where that is taken.
    #[serde(default)]
    pub name: Option<FactorName>,
    /// The id of a factor in whose place it comes, such as that of a lost phone: the confirmation removes it.
    #[serde(default)]
    pub replaces: Option<FactorId>,
    /// The account's plan, where the policy names plans.
    #[serde(default)]
    pub plan: Option<String>,
}

/// Fields of `enroll_sms`.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnrollSms {
    /// The logged-in session, or that of a set-up ticket.
    pub session: SessionId,
    /// A fresh pass, where the user has a factor already.
    #[serde(default)]
    pub pass: Option<String>,
    /// The ticket of `set_up`, where the login led there.
    #[serde(default)]
    pub ticket: Option<String>,
    /// The number in E.164 form, like `+61412345678`.
    pub number: String,
    /// The name by which the user tells this phone from others; default: that of the phone which it replaces, else
    /// `Phone`, with a number where that is taken.
    #[serde(default)]
    pub name: Option<FactorName>,
    /// The id of a factor in whose place it comes, such as that of an old number: the confirmation removes it.
    #[serde(default)]
    pub replaces: Option<FactorId>,
    /// The account's plan, where the policy names plans.
    #[serde(default)]
    pub plan: Option<String>,
}

/// Fields of `confirm_totp` and `confirm_sms`.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Confirm {
    /// The session that began the set-up.
    pub session: SessionId,
    /// The session id after this step, which must differ from `session`. When absent, a set-up by a set-up ticket,
    /// which ends a login, gives a random one; after any other the session stays.
    #[serde(default)]
    pub new_session: Option<SessionId>,
    /// The set-up, from the reply that began it. A client may carry it.
    pub setup: String,
    /// The code as it was typed.
    #[serde(default, deserialize_with = "text_or_empty")]
    pub code: String,
}

/// Fields of `show_totp_setup`.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShowTotpSetup {
    /// The session that began it.
    pub session: SessionId,
    /// The set-up, from the reply that began it.
    pub setup: String,
}

/// Fields of `remove`.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Remove {
    /// The logged-in session.
    pub session: SessionId,
    /// A fresh pass.
    #[serde(default)]
    pub pass: Option<String>,
    /// The id of the factor to remove, from `status`.
    pub factor: FactorId,
}

/// Fields of `remove_trusted_browser`.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RemoveTrustedBrowser {
    /// The logged-in session.
    pub session: SessionId,
    /// The session's pass, however old it is and by whatever method.
    #[serde(default)]
    pub pass: Option<String>,
    /// The id of the browser, from `status`.
    pub browser: FactorId,
}

/// Fields of `rename`.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rename {
    /// The logged-in session.
    pub session: SessionId,
    /// The session's pass, however old its factor is.
    #[serde(default)]
    pub pass: Option<String>,
    /// The id of the factor, from `status`.
    pub factor: FactorId,
    /// Its new name.
    pub name: FactorName,
}

/// Fields of `renew_backup_codes` and `show_backup_codes`.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Change {
    /// The logged-in session.
    pub session: SessionId,
    /// A fresh pass; to show the codes, by app or SMS.
    #[serde(default)]
    pub pass: Option<String>,
}

/// Fields of `show_new_backup_codes`.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShowNewBackupCodes {
    /// The session for which the codes were made.
    pub session: SessionId,
    /// The session's pass, however old its factor is.
    #[serde(default)]
    pub pass: Option<String>,
    /// `newCodes` from the reply that brought the codes.
    pub new_codes: String,
}

/// Fields of `confirm_backup_codes`.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConfirmBackupCodes {
    /// The logged-in session.
    pub session: SessionId,
    /// The session's pass, however old its factor is.
    #[serde(default)]
    pub pass: Option<String>,
    /// The set whose codes the person has, from the reply that brought them. A client may carry it.
    pub set: String,
}

/// No fields: the host's own word, of `password_changed` and `sign_out_everywhere`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostsWord {}

/// The question of [`issue_recovery_code`](super::issue_recovery_code), and of [`reset`](super::reset()).
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IssueRecoveryCode {
    /// The owner who issues the code, or resets the user.
    pub by: Issuer,
}

/// The owner who issues a recovery code, or resets a user.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// The issuer's user id.
    pub user: UserId,
    /// The issuer's session.
    pub session: SessionId,
    /// The issuer's fresh pass by app or SMS.
    #[serde(default, deserialize_with = "some_text_or_empty")]
    pub pass: Option<String>,
    /// The issuer's role, as the host knows it.
    pub role: Role,
}

impl IssueRecoveryCode {
    /// Reads the question from JSON text, strictly.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidInput`]; its path names the field.
    pub fn parse(json: &str) -> Result<Self, Error> {
        from_json(json, ErrorCode::InvalidInput)
    }
}

impl Command {
    /// Reads a command from JSON text, strictly.
    ///
    /// ```
    /// use countersign::engine::{ClientField, Command};
    ///
    /// // The client's mistake is a command with a reply, and the host's an error with a path.
    /// let command = Command::parse(r#"{"send_sms": {"session": "s-1", "ticket": 7}}"#)?;
    /// assert!(matches!(command, Command::Malformed(ClientField::Ticket)));
    /// assert_eq!(Command::parse(r#"{"send_sms": {"session": 7, "ticket": "t"}}"#).unwrap_err().path, "session");
    /// # Ok::<(), countersign::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorCode::InvalidInput`]; its path names the field, without the command's name.
    pub fn parse(json: &str) -> Result<Self, Error> {
        from_json(json, ErrorCode::InvalidInput).or_else(|error| {
            if let Some(field) = client_field::malformed(json) {
                return Ok(Self::Malformed(field));
            }
            let path = error.path.split_once('.').map_or("", |(_, field)| field).to_owned();
            Err(Error { path, ..error })
        })
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Begin(_) => "Begin",
            Self::SendSms(_) => "SendSms",
            Self::Verify(_) => "Verify",
            Self::EnrollTotp(_) => "EnrollTotp",
            Self::ShowTotpSetup(_) => "ShowTotpSetup",
            Self::ConfirmTotp(_) => "ConfirmTotp",
            Self::EnrollSms(_) => "EnrollSms",
            Self::ConfirmSms(_) => "ConfirmSms",
            Self::Rename(_) => "Rename",
            Self::Remove(_) => "Remove",
            Self::RemoveTrustedBrowser(_) => "RemoveTrustedBrowser",
            Self::RenewBackupCodes(_) => "RenewBackupCodes",
            Self::ShowBackupCodes(_) => "ShowBackupCodes",
            Self::ShowNewBackupCodes(_) => "ShowNewBackupCodes",
            Self::ConfirmBackupCodes(_) => "ConfirmBackupCodes",
            Self::PasswordChanged(_) => "PasswordChanged",
            Self::SignOutEverywhere(_) => "SignOutEverywhere",
            Self::Malformed(_) => "Malformed",
        }
    }

    /// The place of the account's address rules in this command.
    pub(super) const fn address_rules(&self) -> AddressRules {
        match self {
            Self::Begin(_) => AddressRules::DecideTheLogin,
            Self::SendSms(_) | Self::Verify(_) => AddressRules::ApplyAfterTheTicket,
            Self::EnrollTotp(_) | Self::ShowTotpSetup(_) | Self::ConfirmTotp(_) => AddressRules::StopAtOnce(Action::EnrollTotp),
            Self::EnrollSms(_) | Self::ConfirmSms(_) => AddressRules::StopAtOnce(Action::EnrollSms),
            Self::Rename(_) => AddressRules::StopAtOnce(Action::Rename),
            Self::Remove(_) => AddressRules::StopAtOnce(Action::Remove),
            Self::RemoveTrustedBrowser(_) => AddressRules::StopAtOnce(Action::RemoveTrustedBrowser),
            Self::RenewBackupCodes(_) => AddressRules::StopAtOnce(Action::RenewBackupCodes),
            Self::ShowBackupCodes(_) | Self::ShowNewBackupCodes(_) => AddressRules::StopAtOnce(Action::ShowBackupCodes),
            Self::ConfirmBackupCodes(_) => AddressRules::StopAtOnce(Action::ConfirmBackupCodes),
            Self::PasswordChanged(_) | Self::SignOutEverywhere(_) | Self::Malformed(_) => AddressRules::HaveNothingToStop,
        }
    }
}

/// The place of the address rules in a command. A new command names its own, or does not compile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AddressRules {
    /// They stop the command before it begins. The refusal is logged under this action.
    StopAtOnce(Action),
    /// They are part of the login decision, whose refusal is logged as a denied login.
    DecideTheLogin,
    /// They stop the command once its ticket is found good, so that a caller without one learns no rules.
    ApplyAfterTheTicket,
    /// The command is the host's own word, or is not carried out anyway.
    HaveNothingToStop,
}

/// A code that is no text is the empty text, which is no code either: the reply can then name the form of a right one.
pub(super) fn text_or_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(String::deserialize(deserializer).unwrap_or_default())
}

/// The same for a pass: one that is no text is the empty text, which is no pass.
fn some_text_or_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer).unwrap_or_else(|_| Some(String::new())))
}

/// A name that is none counts as none.
fn name_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<FactorName>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer).unwrap_or_default().and_then(|text| FactorName::parse(&text)))
}

/// A command holds codes and tokens: only its name is shown.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for SecondStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecondStep").field("method", &self.method).finish_non_exhaustive()
    }
}
