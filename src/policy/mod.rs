//! The account's rules: how they are written, how a login is decided by them, and whom a change
//! would lock out.
//!
//! [`Policy::parse`] is strict and the only way to a [`Policy`]; [`explain`] decides; [`review`]
//! looks ahead. The plan gates enrollment and nothing else: a plan that lapses drops no one's second
//! factor, and opens no door that was forced shut.

mod decide;
mod review;

pub use decide::{Decision, Enrollment, Explanation, Facts, Rule, explain};
pub use review::{ApiClient, BlockedApiClient, People, Person, Review, review};

use serde::Serialize;

use crate::code::HashCost;
use crate::error::{Error, ErrorCode};
use crate::json::{FromJson, from_json};
use crate::network::NetworkSet;
use crate::otp::{TotpAlgorithm, TotpParameters};
use crate::phone::is_gsm7;

/// A way to prove possession.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, FromJson)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// A code from an authenticator app.
    Totp,
    /// A code by SMS.
    Sms,
    /// One of the ten single-use codes made at enrollment.
    BackupCode,
    /// A single-use code issued by an owner, good for an hour.
    RecoveryCode,
}

impl Method {
    /// Its name, as in all documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Sms => "sms",
            Self::BackupCode => "backup_code",
            Self::RecoveryCode => "recovery_code",
        }
    }
}

/// How the caller talks to the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, FromJson)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A person who can answer a challenge.
    Web,
    /// A program that cannot.
    Api,
}

/// What the user may do in the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, FromJson)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May issue recovery codes for others.
    Owner,
    /// Everyone else.
    Member,
}

/// Why a request was turned down.
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
    /// An API client where a second factor is needed, without an allow rule for its address.
    ApiClientBlocked,
    /// The user's factors are not offered any more, and no recovery code is alive.
    NoUsableMethod,
    /// The plan has no second factor.
    Plan,
    /// The policy does not offer this method.
    MethodNotOffered,
    /// The number's region is not allowed, or the number is not E.164.
    NumberNotAllowed,
    /// The user does not have this factor.
    NotEnrolled,
    /// A fresh pass of this user and session is needed.
    FreshFactorRequired,
    /// Only an owner may do this.
    OwnerOnly,
    /// A recovery code is for someone else than its issuer.
    NotForOneself,
    /// The policy keeps no copy of the backup codes.
    NotKept,
    /// The ticket is not ours, of another user or session, or not a ticket.
    TicketInvalid,
    /// The ticket has expired: begin again.
    TicketExpired,
}

/// Who must have a second factor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, FromJson)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum RequirePolicy {
    /// Whoever wants one.
    #[default]
    Optional,
    /// Everyone, enrolled or not.
    Everyone,
    /// Everyone who comes from one of these networks (CIDR).
    Networks(Vec<String>),
}

/// The policy as written in configuration (JSON). Every key but `v`, `name` and `origin` has a
/// default; an unknown key is an error.
#[derive(Debug, Clone, PartialEq, Eq, FromJson)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyDocument {
    /// Version of this document: 1.
    pub v: u32,
    /// The service's name, shown in authenticator apps and SMS: 1 to 40 characters, no colon.
    pub name: String,
    /// Where people log in: `https://host[:port]`; `http` on localhost only. It is the `iss` of
    /// passes, and its host stands in the last line of an SMS.
    pub origin: String,
    /// The `aud` of passes; default: the origin.
    #[serde(default)]
    pub audience: Option<String>,
    /// The methods offered; default: all but SMS, which needs a gateway of the operator's.
    #[serde(default = "default_methods")]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub methods: Vec<Method>,
    /// Who must have a second factor; default: `optional`.
    #[serde(default)]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub require: RequirePolicy,
    /// Restriction of the whole account by address.
    #[serde(default)]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub network: NetworkPolicy,
    /// The plans that may enroll; absent: every plan.
    #[serde(default)]
    pub plans: Option<Vec<String>>,
    /// Authenticator apps.
    #[serde(default)]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub totp: TotpPolicy,
    /// SMS.
    #[serde(default)]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub sms: SmsPolicy,
    /// Backup codes.
    #[serde(default)]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub backup_codes: BackupCodesPolicy,
    /// Recovery codes.
    #[serde(default)]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub recovery_code: RecoveryCodePolicy,
    /// Life of a ticket in seconds, 60 to 1,800; default 600.
    #[serde(default = "default_ticket_seconds")]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub ticket_seconds: u32,
    /// Life of a pass in seconds, 60 to 2,592,000 (30 days); default 43,200 (12 hours).
    #[serde(default = "default_pass_seconds")]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub pass_seconds: u32,
    /// How old a second factor may be for sensitive changes, in seconds, 30 to 3,600; default 300.
    #[serde(default = "default_fresh_seconds")]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub fresh_seconds: u32,
}

/// Address rules. Deny beats allow; an empty allow list allows everywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, FromJson)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(default, deny_unknown_fields)]
pub struct NetworkPolicy {
    /// Networks (CIDR) that may log in; these also admit API clients.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub allow: Vec<String>,
    /// Networks (CIDR) that may not.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub deny: Vec<String>,
}

/// Authenticator apps (RFC 6238). Applies to new enrollments; an enrolled app keeps what it has.
#[derive(Debug, Clone, PartialEq, Eq, FromJson)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct TotpPolicy {
    /// Default `SHA1`, which every app knows.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub algorithm: TotpAlgorithm,
    /// 6 to 8; default 6.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub digits: u8,
    /// Step in seconds, 15 to 300; default 30.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub period_seconds: u32,
    /// Steps accepted to either side of now, 0 to 2; default 1.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub window: u8,
}

impl Default for TotpPolicy {
    fn default() -> Self {
        Self { algorithm: TotpAlgorithm::SHA1, digits: 6, period_seconds: 30, window: 1 }
    }
}

/// SMS. The budgets hold per user.
#[derive(Debug, Clone, PartialEq, Eq, FromJson)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct SmsPolicy {
    /// Prefixes of numbers that may be enrolled; default `+614`, Australian mobiles.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub prefixes: Vec<String>,
    /// Digits of a code, 6 to 8; default 6.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub digits: u8,
    /// Life of a code in seconds, 60 to 600 (NIST SP 800-63B-4); default 300.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub lifetime_seconds: u32,
    /// Seconds between two messages, 10 to 600; default 30.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub cooldown_seconds: u32,
    /// Messages a minute, 1 to 10; default 2.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub per_minute: u32,
    /// Messages an hour, 1 to 50; default 5.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub per_hour: u32,
    /// Messages a day, 1 to 100; default 10.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub per_day: u32,
}

impl Default for SmsPolicy {
    fn default() -> Self {
        Self {
            prefixes: vec!["+614".to_owned()],
            digits: 6,
            lifetime_seconds: 300,
            cooldown_seconds: 30,
            per_minute: 2,
            per_hour: 5,
            per_day: 10,
        }
    }
}

/// Backup codes.
#[derive(Debug, Clone, PartialEq, Eq, FromJson)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct BackupCodesPolicy {
    /// Codes in a set, 1 to 20; default 10.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub count: u8,
    /// Keep a sealed copy so that they can be shown again; default false.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub keep_for_showing: bool,
    /// Memory of Argon2id in KiB, 7,168 to 262,144; default 19,456.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub memory_kib: u32,
    /// Passes of Argon2id, 1 to 16; default 2.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub passes: u32,
    /// Lanes of Argon2id, 1 to 4; default 1.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub lanes: u32,
}

impl Default for BackupCodesPolicy {
    fn default() -> Self {
        Self { count: 10, keep_for_showing: false, memory_kib: 19_456, passes: 2, lanes: 1 }
    }
}

/// Recovery codes issued by an owner.
#[derive(Debug, Clone, PartialEq, Eq, FromJson)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct RecoveryCodePolicy {
    /// Life in seconds, 60 to 3,600; default 3,600.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub lifetime_seconds: u32,
}

impl Default for RecoveryCodePolicy {
    fn default() -> Self {
        Self { lifetime_seconds: 3_600 }
    }
}

fn default_methods() -> Vec<Method> {
    vec![Method::Totp, Method::BackupCode, Method::RecoveryCode]
}

const fn default_ticket_seconds() -> u32 {
    600
}

const fn default_pass_seconds() -> u32 {
    43_200
}

const fn default_fresh_seconds() -> u32 {
    300
}

/// Who must have a second factor, parsed.
#[derive(Debug, Clone)]
enum Require {
    Optional,
    Everyone,
    From(Box<NetworkSet>),
}

/// A policy that is known to be right. Only [`Policy::parse`] makes one.
#[derive(Debug, Clone)]
pub struct Policy {
    document: PolicyDocument,
    host: String,
    require: Require,
    allow: NetworkSet,
    deny: NetworkSet,
    totp: TotpParameters,
    cost: HashCost,
}

impl Policy {
    /// Parses the JSON text of a policy, strictly: a misspelt key would silently weaken it.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidPolicy`] with the path of the field.
    pub fn parse(json: &str) -> Result<Self, Error> {
        Self::from_document(from_json(json, ErrorCode::InvalidPolicy)?)
    }

    /// Checks a document that is part of another.
    pub(crate) fn from_document(document: PolicyDocument) -> Result<Self, Error> {
        let policy = |error: Error| Error { code: ErrorCode::InvalidPolicy, ..error };
        check(document.v == 1, "v", "the version of the policy must be 1")?;
        check((1..=40).contains(&document.name.chars().count()), "name", "must be 1 to 40 characters")?;
        check(!document.name.chars().any(|c| c == ':' || c.is_control()), "name", "must have no colon and no control characters")?;
        let host = origin_host(&document.origin).ok_or_else(|| {
            Error::new(
                ErrorCode::InvalidPolicy,
                "origin",
                "must be https://host[:port] in lower case without a path; http is for localhost only",
            )
        })?;
        if let Some(audience) = &document.audience {
            check(
                (1..=256).contains(&audience.len()) && audience.bytes().all(|b| b.is_ascii_graphic()),
                "audience",
                "must be 1 to 256 printable ASCII characters",
            )?;
        }
        for (index, method) in document.methods.iter().enumerate() {
            let twice = document.methods.iter().take(index).any(|other| other == method);
            check(!twice, &format!("methods[{index}]"), "is given twice")?;
        }
        let sms_alone =
            document.methods.contains(&Method::Sms) && !document.methods.iter().any(|m| matches!(m, Method::Totp | Method::BackupCode));
        check(!sms_alone, "methods", "sms is a restricted factor: offer totp or backup_code beside it")?;
        let totp = TotpParameters::new(document.totp.algorithm, document.totp.digits, document.totp.period_seconds)
            .map_err(|e| policy(e.within("totp")))?;
        check(document.totp.window <= 2, "totp.window", "must be 0 to 2")?;
        let sms = &document.sms;
        check(!sms.prefixes.is_empty(), "sms.prefixes", "name at least one prefix, like +614")?;
        for (index, prefix) in sms.prefixes.iter().enumerate() {
            let digits = prefix.strip_prefix('+').unwrap_or_default();
            let fits = (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
            check(fits, &format!("sms.prefixes[{index}]"), "must be + and 1 to 15 digits, like +614")?;
        }
        check((6..=8).contains(&sms.digits), "sms.digits", "must be 6, 7 or 8")?;
        check((60..=600).contains(&sms.lifetime_seconds), "sms.lifetimeSeconds", "must be 60 to 600")?;
        check((10..=600).contains(&sms.cooldown_seconds), "sms.cooldownSeconds", "must be 10 to 600")?;
        check((1..=10).contains(&sms.per_minute), "sms.perMinute", "must be 1 to 10")?;
        check((1..=50).contains(&sms.per_hour), "sms.perHour", "must be 1 to 50")?;
        check((1..=100).contains(&sms.per_day), "sms.perDay", "must be 1 to 100")?;
        let backup = &document.backup_codes;
        check((1..=20).contains(&backup.count), "backupCodes.count", "must be 1 to 20")?;
        let cost = HashCost::new(backup.memory_kib, backup.passes, backup.lanes).map_err(|e| policy(e.within("backupCodes")))?;
        check((60..=3_600).contains(&document.recovery_code.lifetime_seconds), "recoveryCode.lifetimeSeconds", "must be 60 to 3600")?;
        check((60..=1_800).contains(&document.ticket_seconds), "ticketSeconds", "must be 60 to 1800")?;
        check((60..=2_592_000).contains(&document.pass_seconds), "passSeconds", "must be 60 to 2592000")?;
        check((30..=3_600).contains(&document.fresh_seconds), "freshSeconds", "must be 30 to 3600")?;
        let require = match &document.require {
            RequirePolicy::Optional => Require::Optional,
            RequirePolicy::Everyone => Require::Everyone,
            RequirePolicy::Networks(texts) => {
                check(!texts.is_empty(), "require.networks", "name at least one network, or use \"optional\"")?;
                Require::From(Box::new(NetworkSet::parse(texts).map_err(|e| at("require.networks", e))?))
            }
        };
        let allow = NetworkSet::parse(&document.network.allow).map_err(|e| at("network.allow", e))?;
        let deny = NetworkSet::parse(&document.network.deny).map_err(|e| at("network.deny", e))?;
        let parsed = Self { document, host, require, allow, deny, totp, cost };
        if parsed.offers(Method::Sms) {
            check(is_gsm7(&parsed.document.name), "name", "must be plain ASCII without [ ] { } \\ ^ ~ | ` so that an SMS is one segment")?;
            let longest = parsed.sms_body(&"0".repeat(usize::from(parsed.document.sms.digits)));
            check(longest.len() <= 160, "name", "name and host are too long together: an SMS must fit 160 characters")?;
        }
        Ok(parsed)
    }

    /// The service's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.document.name
    }

    /// Host of the origin, without the port.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The `iss` of passes.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.document.origin
    }

    /// The `aud` of passes.
    #[must_use]
    pub fn audience(&self) -> &str {
        self.document.audience.as_deref().unwrap_or(&self.document.origin)
    }

    /// Whether a method is offered.
    #[must_use]
    pub fn offers(&self, method: Method) -> bool {
        self.document.methods.contains(&method)
    }

    /// Whether any rule depends on the client's address.
    pub(crate) fn asks_for_address(&self) -> bool {
        !self.allow.is_empty() || !self.deny.is_empty() || matches!(self.require, Require::From(_))
    }

    /// Whether a plan may enroll a factor. `None` is "no plan known" and may enroll only where no
    /// plan is asked for.
    #[must_use]
    pub fn plan_may_enroll(&self, plan: Option<&str>) -> bool {
        match (&self.document.plans, plan) {
            (None, Some(_) | None) => true,
            (Some(plans), Some(plan)) => plans.iter().any(|p| p == plan),
            (Some(_), None) => false,
        }
    }

    /// Whether anyone may still set up a factor that a person carries.
    pub(crate) fn may_enroll(&self, plan: Option<&str>) -> bool {
        self.plan_may_enroll(plan) && (self.offers(Method::Totp) || self.offers(Method::Sms))
    }

    pub(crate) const fn totp(&self) -> TotpParameters {
        self.totp
    }

    pub(crate) const fn window(&self) -> u8 {
        self.document.totp.window
    }

    pub(crate) const fn sms(&self) -> &SmsPolicy {
        &self.document.sms
    }

    pub(crate) const fn backup_codes(&self) -> &BackupCodesPolicy {
        &self.document.backup_codes
    }

    pub(crate) const fn cost(&self) -> HashCost {
        self.cost
    }

    pub(crate) fn recovery_seconds(&self) -> u64 {
        u64::from(self.document.recovery_code.lifetime_seconds)
    }

    pub(crate) fn ticket_seconds(&self) -> u64 {
        u64::from(self.document.ticket_seconds)
    }

    pub(crate) fn pass_seconds(&self) -> u64 {
        u64::from(self.document.pass_seconds)
    }

    pub(crate) fn fresh_seconds(&self) -> u64 {
        u64::from(self.document.fresh_seconds)
    }

    /// The text of an SMS: one GSM-7 segment whose last line binds the code to the origin, so
    /// that a phone offers it to no other site (WICG, origin-bound one-time codes).
    pub(crate) fn sms_body(&self, code: &str) -> String {
        let minutes = self.document.sms.lifetime_seconds / 60;
        format!("{code} is your {} code, valid {minutes} min. Give it to no one.\n\n@{} #{code}", self.document.name, self.host)
    }
}

fn check(holds: bool, path: &str, message: &str) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::new(ErrorCode::InvalidPolicy, path, message)) }
}

/// `[0]` of a list becomes `network.allow[0]`.
fn at(list: &str, error: Error) -> Error {
    Error { path: format!("{list}{}", error.path), ..error }
}

/// The host of `https://host[:port]`; plain http only where no network is crossed.
pub(crate) fn origin_host(origin: &str) -> Option<String> {
    let (scheme, rest) = origin.split_once(':')?;
    let rest = rest.strip_prefix("//")?;
    let (host, port) = rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port)));
    let host_fits = (1..=253).contains(&host.len())
        && host.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-'))
        && host.split('.').all(|label| (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-'));
    let port_fits = port.is_none_or(|port| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|p| p > 0));
    let scheme_fits = scheme == "https" || (scheme == "http" && matches!(host, "localhost" | "127.0.0.1"));
    (host_fits && port_fits && scheme_fits).then(|| host.to_owned())
}
