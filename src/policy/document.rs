//! The policy as it is written in configuration: every key with its meaning, range and default.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorCode};
use crate::json::from_json;
use crate::totp::TotpAlgorithm;

use super::rule_document::{NetworkPolicy, RequirePolicy};
use super::terms::Method;

/// The policy as written in configuration (JSON). Every key but `v`, `name` and `origin` has a
/// default; an unknown key is an error.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyDocument {
    /// Version of this document: 1.
    pub v: u32,
    /// The service's name, shown in authenticator apps and SMS: 1 to 40 characters, at most 128 bytes,
    /// no colon; where SMS is offered, in the basic GSM 7-bit alphabet.
    pub name: String,
    /// The login page's origin: `https://host[:port]`; `http` on localhost only. It is the `iss` of
    /// passes, and its host stands in the last line of an SMS.
    pub origin: String,
    /// The `aud` of passes; default: the origin.
    #[serde(default)]
    pub audience: Option<String>,
    /// The methods offered; default: all but SMS, which needs a gateway of the operator's.
    #[serde(default = "default_methods")]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub methods: Vec<Method>,
    /// The users who must have a second factor; default: `optional`.
    #[serde(default)]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub require: RequirePolicy,
    /// The proof by which a user who never had a factor sets up the first one, where a second factor is forced;
    /// default: `recovery_code`.
    #[serde(default)]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub first_factor: FirstFactor,
    /// Rules about addresses: from where the account opens, and API clients that need no challenge.
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
    /// Browsers that a person may trust after a code by app or SMS; absent: none.
    #[serde(default)]
    pub trusted_browser: Option<TrustedBrowserPolicy>,
    /// Life of a ticket in seconds, 60 to 1,800; default 600.
    #[serde(default = "default_ticket_seconds")]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub ticket_seconds: u32,
    /// Life of a pass in seconds, 60 to 2,592,000 (30 days); default 43,200 (12 hours).
    #[serde(default = "default_pass_seconds")]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub pass_seconds: u32,
    /// Greatest age of a second factor for sensitive changes, in seconds, 30 to 3,600; default 300.
    #[serde(default = "default_fresh_seconds")]
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub fresh_seconds: u32,
}

impl PolicyDocument {
    /// Reads a document. Its values are checked by [`super::Policy::from_document`] only.
    pub(crate) fn parse(json: &str) -> Result<Self, Error> {
        from_json(json, ErrorCode::InvalidPolicy)
    }
}

/// The proof by which a user who never had a factor sets up the first one, where a second factor is forced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum FirstFactor {
    /// A recovery code, which an owner or the operator hands over.
    #[default]
    RecoveryCode,
    /// The password alone: the login leads to the set-up of a factor. It holds for users who never had one, and
    /// never after a removal or the use of a recovery code. Someone who knows the password of such a user can set up a
    /// factor of their own.
    Password,
}

/// Authenticator apps (RFC 6238). An enrolled app keeps the algorithm, digits and period with which it was
/// set up; `window` holds for every app at once.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct TotpPolicy {
    /// Hash under the HMAC; default `SHA1`, which every app knows.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub algorithm: TotpAlgorithm,
    /// Digits of a code, 6 to 8; default 6.
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
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct SmsPolicy {
    /// Prefixes of numbers that may be enrolled; default `+614`, Australian mobiles.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub prefixes: Vec<String>,
    /// Prefixes of numbers that may not be enrolled although one of `prefixes` holds them, like `+1900` under `+1`;
    /// default: none.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub except: Vec<String>,
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
            except: Vec::new(),
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
pub struct BackupCodesPolicy {
    /// Codes in a set, 1 to 20; default 10.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub count: u8,
    /// Keep a sealed copy so that they can be shown again; default false.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub keep_for_showing: bool,
    /// Memory of Argon2id in KiB, 7,168 to 65,536; default 19,456.
    #[cfg_attr(feature = "npm", tsify(optional))]
    pub memory_kib: u32,
    /// Passes of Argon2id, 1 to 16; default 2. `memoryKib` × `passes` × `count` is at most 1,556,480.
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
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
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

/// Trusted browsers: such a browser answers the challenge at login instead of a code. Its pass is never fresh, and weaker than any
/// other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrustedBrowserPolicy {
    /// Days of the trust, 1 to 90, counted from the code that began it.
    pub days: u32,
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
