//! The account's rules, and the one function that decides a login by them.
//!
//! Order of the rules; the first that speaks, decides:
//!
//! 1. addresses: a rule about addresses and no known address → denied; on the deny list →
//!    denied; an allow list that does not hold it → denied
//! 2. an API client cannot answer a challenge: where a second factor is needed (forced, or the
//!    user has one) it passes only by an allow rule that holds its address; a rule that holds
//!    every address (`/0`) names no one
//! 3. a person with a factor is challenged, forced or not, whatever the plan says
//! 4. a person without one is let in, unless a second factor is forced: then only an owner's
//!    recovery code helps
//!
//! The plan gates enrolment and nothing else: a plan that lapses drops no one's second factor,
//! and opens no door that was forced shut.

use serde::{Deserialize, Serialize};

use crate::code::HashCost;
use crate::error::{Error, ErrorCode, from_json};
use crate::network::{ClientIp, NetworkSet};
use crate::otp::{TotpAlgorithm, TotpParameters};
use crate::phone::is_gsm7;

/// A way to prove possession.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// A code from an authenticator app.
    Totp,
    /// A code by SMS.
    Sms,
    /// One of the ten single-use codes made at enrolment.
    BackupCode,
    /// A single-use code issued by an owner, good for an hour.
    RecoveryCode,
}

/// How the caller talks to the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A person who can answer a challenge.
    Web,
    /// A program that cannot.
    Api,
}

/// What the user may do in the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May issue recovery codes for others.
    Owner,
    /// Everyone else.
    Member,
}

/// Why a request was turned down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    EnrolmentRequired,
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum RequireDocument {
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
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
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
    pub require: RequireDocument,
    /// Restriction of the whole account by address.
    #[serde(default)]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub network: NetworkDocument,
    /// The plans that may enrol; absent: every plan.
    #[serde(default)]
    pub plans: Option<Vec<String>>,
    /// Authenticator apps.
    #[serde(default)]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub totp: TotpDocument,
    /// SMS.
    #[serde(default)]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub sms: SmsDocument,
    /// Backup codes.
    #[serde(default)]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub backup_codes: BackupCodesDocument,
    /// Recovery codes.
    #[serde(default)]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub recovery_code: RecoveryCodeDocument,
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(default, deny_unknown_fields)]
pub struct NetworkDocument {
    /// Networks (CIDR) that may log in; these also admit API clients.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub allow: Vec<String>,
    /// Networks (CIDR) that may not.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub deny: Vec<String>,
}

/// Authenticator apps (RFC 6238). Applies to new enrolments; an enrolled app keeps what it has.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct TotpDocument {
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

impl Default for TotpDocument {
    fn default() -> Self {
        Self { algorithm: TotpAlgorithm::SHA1, digits: 6, period_seconds: 30, window: 1 }
    }
}

/// SMS. The budgets hold per user.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct SmsDocument {
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

impl Default for SmsDocument {
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
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct BackupCodesDocument {
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

impl Default for BackupCodesDocument {
    fn default() -> Self {
        Self { count: 10, keep_for_showing: false, memory_kib: 19_456, passes: 2, lanes: 1 }
    }
}

/// Recovery codes issued by an owner.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct RecoveryCodeDocument {
    /// Life in seconds, 60 to 3,600; default 3,600.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub lifetime_seconds: u32,
}

impl Default for RecoveryCodeDocument {
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
        let document: PolicyDocument = from_json(json, ErrorCode::InvalidPolicy)?;
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
            RequireDocument::Optional => Require::Optional,
            RequireDocument::Everyone => Require::Everyone,
            RequireDocument::Networks(texts) => {
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

    /// Whether a plan may enrol a factor. `None` is "no plan known" and may enrol only where no
    /// plan is asked for.
    #[must_use]
    pub fn plan_may_enrol(&self, plan: Option<&str>) -> bool {
        match (&self.document.plans, plan) {
            (None, Some(_) | None) => true,
            (Some(plans), Some(plan)) => plans.iter().any(|p| p == plan),
            (Some(_), None) => false,
        }
    }

    /// Whether anyone may still set up a factor that a person carries.
    pub(crate) fn may_enrol(&self, plan: Option<&str>) -> bool {
        self.plan_may_enrol(plan) && (self.offers(Method::Totp) || self.offers(Method::Sms))
    }

    pub(crate) const fn totp(&self) -> TotpParameters {
        self.totp
    }

    pub(crate) const fn window(&self) -> u8 {
        self.document.totp.window
    }

    pub(crate) const fn sms(&self) -> &SmsDocument {
        &self.document.sms
    }

    pub(crate) const fn backup_codes(&self) -> &BackupCodesDocument {
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
fn origin_host(origin: &str) -> Option<String> {
    let (scheme, rest) = origin.split_once("://")?;
    let (host, port) = rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port)));
    let host_fits = (1..=253).contains(&host.len())
        && host.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-'))
        && host.split('.').all(|label| (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-'));
    let port_fits = port.is_none_or(|port| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|p| p > 0));
    let scheme_fits = scheme == "https" || (scheme == "http" && matches!(host, "localhost" | "127.0.0.1"));
    (host_fits && port_fits && scheme_fits).then(|| host.to_owned())
}

/// What a user brings to a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Enrolment {
    /// No factor of their own.
    None,
    /// A factor that the policy offers.
    Usable,
    /// Only factors that the policy does not offer any more.
    Unusable,
}

/// All that a login is decided on.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// Where the request comes from.
    pub client: ClientIp,
    /// Person or program.
    pub channel: Channel,
    /// What the user has enrolled.
    pub enrolment: Enrolment,
    /// Whether an owner's recovery code is alive for the user.
    pub recovery_code: bool,
}

/// The decision on a login after the first factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(tag = "outcome", content = "reason", rename_all = "snake_case")]
pub enum Decision {
    /// In, without a second factor.
    Allowed,
    /// In after a second factor.
    Challenge,
    /// Not in.
    Denied(Reason),
}

/// A rule that a decision met on its way, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Addresses matter here and the client's is unknown.
    AddressUnknown,
    /// A deny rule holds the address.
    DenyRule,
    /// An allow rule holds the address.
    AllowRule,
    /// There are allow rules and none holds the address.
    NoAllowRule,
    /// A second factor is forced for everyone.
    ForcedForEveryone,
    /// A second factor is forced from this network.
    ForcedFromNetwork,
    /// A second factor is as each user likes.
    NotForced,
    /// The caller is an API client, which cannot answer a challenge.
    ApiClient,
    /// The user has a usable factor.
    Enrolled,
    /// The user has only factors that are not offered any more.
    EnrolledUnusable,
    /// The user has no factor.
    NotEnrolled,
    /// A recovery code is alive for the user.
    RecoveryCodeAlive,
}

/// A decision and the rules that led to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
pub struct Explanation {
    /// The decision.
    pub decision: Decision,
    /// The rules met, in order.
    pub rules: Vec<Rule>,
}

/// Decides a login, and says by which rules. Pure: the same policy and facts, the same answer.
#[must_use]
pub fn explain(policy: &Policy, facts: &Facts) -> Explanation {
    let mut rules = Vec::new();
    let decision = decide_into(policy, facts, &mut rules);
    Explanation { decision, rules }
}

fn decide_into(policy: &Policy, facts: &Facts, rules: &mut Vec<Rule>) -> Decision {
    let addresses_matter = !policy.allow.is_empty() || !policy.deny.is_empty() || matches!(policy.require, Require::From(_));
    let mut admits_programs = false;
    let mut from_network = false;
    match facts.client {
        ClientIp::Unknown if addresses_matter => {
            rules.push(Rule::AddressUnknown);
            return Decision::Denied(Reason::AddressUnknown);
        }
        ClientIp::Unknown => {}
        ClientIp::Known(address) => {
            if policy.deny.contains(address) {
                rules.push(Rule::DenyRule);
                return Decision::Denied(Reason::AddressDenied);
            }
            admits_programs = policy.allow.names(address);
            if policy.allow.contains(address) {
                rules.push(Rule::AllowRule);
            } else if !policy.allow.is_empty() {
                rules.push(Rule::NoAllowRule);
                return Decision::Denied(Reason::AddressNotAllowed);
            }
            if let Require::From(networks) = &policy.require {
                from_network = networks.contains(address);
            }
        }
    }
    let forced = match policy.require {
        Require::Everyone => Some(Rule::ForcedForEveryone),
        Require::From(_) if from_network => Some(Rule::ForcedFromNetwork),
        Require::From(_) | Require::Optional => None,
    };
    rules.push(forced.unwrap_or(Rule::NotForced));
    rules.push(match facts.enrolment {
        Enrolment::None => Rule::NotEnrolled,
        Enrolment::Usable => Rule::Enrolled,
        Enrolment::Unusable => Rule::EnrolledUnusable,
    });
    let needed = forced.is_some() || facts.enrolment != Enrolment::None;
    match facts.channel {
        Channel::Api => {
            rules.push(Rule::ApiClient);
            if needed && !admits_programs { Decision::Denied(Reason::ApiClientBlocked) } else { Decision::Allowed }
        }
        Channel::Web => {
            if facts.recovery_code {
                rules.push(Rule::RecoveryCodeAlive);
            }
            match (facts.enrolment, forced.is_some(), facts.recovery_code) {
                (Enrolment::Usable, _, _) | (Enrolment::Unusable, _, true) | (Enrolment::None, true, true) => Decision::Challenge,
                (Enrolment::Unusable, _, false) => Decision::Denied(Reason::NoUsableMethod),
                (Enrolment::None, true, false) => Decision::Denied(Reason::EnrolmentRequired),
                (Enrolment::None, false, _) => Decision::Allowed,
            }
        }
    }
}

/// Someone whom a change of policy concerns.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Person {
    /// User id.
    pub user: String,
    /// What they may do.
    pub role: Role,
    /// Their factors under the *next* policy.
    pub enrolment: Enrolment,
    /// Where they usually come from, if known.
    #[serde(default)]
    pub ip: Option<String>,
}

/// A program that logs in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiClient {
    /// Its id.
    pub id: String,
    /// Where it comes from, if known.
    #[serde(default)]
    pub ip: Option<String>,
}

/// Who asks for a change of policy, and whom it concerns.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct People {
    /// User id of who makes the change; must be among `users`.
    pub author: String,
    /// Address the author comes from.
    #[serde(default)]
    pub author_ip: Option<String>,
    /// All users of the account.
    pub users: Vec<Person>,
    /// All API clients of the account.
    pub api_clients: Vec<ApiClient>,
}

/// An API client that the next policy blocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
pub struct BlockedApiClient {
    /// Its id.
    pub id: String,
    /// Why.
    pub reason: Reason,
    /// The allow rule that would admit it, where its address is known and not on the deny list.
    pub rule: Option<String>,
}

/// What a change of policy would do, before it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct Review {
    /// Users who could log in only with an owner's recovery code (perhaps from some networks only).
    pub need_recovery_code: Vec<String>,
    /// Users whose known address the next policy turns away.
    pub blocked_users: Vec<String>,
    /// API clients that could not log in.
    pub blocked_api_clients: Vec<BlockedApiClient>,
    /// The author could not log in again from where they are now.
    pub locks_out_author: bool,
    /// No owner could log in.
    pub locks_out_owners: bool,
    /// There are users who need a recovery code, and no owner could issue one.
    pub no_rescue: bool,
    /// The change should be refused unless the author insists: one of the three above.
    pub refused: bool,
}

/// Works out whom a policy would lock out, before it is switched on.
#[must_use]
pub fn review(next: &Policy, people: &People) -> Review {
    let verdict = |client: ClientIp, channel: Channel, enrolment: Enrolment| {
        explain(next, &Facts { client, channel, enrolment, recovery_code: false }).decision
    };
    let address = |ip: Option<&str>| ip.map_or(ClientIp::Unknown, ClientIp::parse);
    let turned_away = |decision: Decision| matches!(decision, Decision::Denied(Reason::AddressDenied | Reason::AddressNotAllowed));
    let without_factor = |person: &Person| {
        let forced_somewhere = match (&next.require, address(person.ip.as_deref())) {
            (Require::Optional, _) => false,
            (Require::Everyone, _) | (Require::From(_), ClientIp::Unknown) => true,
            (Require::From(networks), ClientIp::Known(ip)) => networks.contains(ip),
        };
        match person.enrolment {
            Enrolment::Usable => false,
            Enrolment::Unusable => true,
            Enrolment::None => forced_somewhere,
        }
    };
    let blocked_api_clients = people.api_clients.iter().filter_map(|client| {
        let ip = address(client.ip.as_deref());
        let Decision::Denied(reason) = verdict(ip, Channel::Api, Enrolment::None) else { return None };
        let rule = match (ip, reason) {
            (ClientIp::Known(ip), Reason::AddressNotAllowed | Reason::ApiClientBlocked) => Some(ipnet::IpNet::from(ip).to_string()),
            _ => None,
        };
        Some(BlockedApiClient { id: client.id.clone(), reason, rule })
    });
    let author = people.users.iter().find(|person| person.user == people.author);
    let locks_out_author = author.is_none_or(|person| {
        let client = address(people.author_ip.as_deref());
        matches!(verdict(client, Channel::Web, person.enrolment), Decision::Denied(_))
    });
    let owner_gets_in = |person: &Person| {
        let client = if person.user == people.author { people.author_ip.as_deref() } else { person.ip.as_deref() };
        match client.map(ClientIp::parse) {
            Some(given) => !matches!(verdict(given, Channel::Web, person.enrolment), Decision::Denied(_)),
            // Where they come from is not known: assume a place that the rules allow.
            None => !without_factor(person),
        }
    };
    let locks_out_owners = !people.users.iter().filter(|person| person.role == Role::Owner).any(owner_gets_in);
    let need_recovery_code: Vec<String> = people.users.iter().filter(|p| without_factor(p)).map(|p| p.user.clone()).collect();
    let issuer = |person: &Person| person.role == Role::Owner && person.enrolment == Enrolment::Usable;
    let can_issue = next.offers(Method::RecoveryCode) && people.users.iter().any(issuer);
    let no_rescue = !need_recovery_code.is_empty() && !can_issue;
    Review {
        need_recovery_code,
        blocked_users: people
            .users
            .iter()
            .filter(|p| p.ip.is_some() && turned_away(verdict(address(p.ip.as_deref()), Channel::Web, p.enrolment)))
            .map(|p| p.user.clone())
            .collect(),
        blocked_api_clients: blocked_api_clients.collect(),
        locks_out_author,
        locks_out_owners,
        no_rescue,
        refused: locks_out_author || locks_out_owners || no_rescue,
    }
}
