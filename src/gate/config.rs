//! The gate's configuration: JSON text, strictly parsed, and secrets from the environment.
//!
//! Envoy shows the configuration of a filter to whoever reads `/config_dump`, so that no secret
//! may stand in it: one that does is an error.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::encoding::percent_encode;
use crate::error::{Error, ErrorCode};
use crate::json::from_json;
use crate::keys::sealing::SealingRing;
use crate::keys::{KeyRing, Keys, SigningKey, SigningRing};
use crate::origin::origin_host;
use crate::policy::{Method, Policy, PolicyDocument};
use crate::secret_text::SecretText;

use super::cookies::{check_name, resembles};
use super::paths::{Path, Paths, PathsDocument, RouteDocument, Routes};
use super::session::{Session, SessionDocument};
use super::verification::Storage;

/// What the host's environment holds.
#[derive(Clone, Default)]
pub struct Secrets {
    /// `COUNTERSIGN_KEYS`: the key ring as JSON, as the login service has it.
    pub keys: Option<String>,
    /// `COUNTERSIGN_STORAGE_TOKEN`: what the storage API asks for.
    pub storage_token: Option<String>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(…)")
    }
}

/// Whether requests are stopped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
    #[default]
    Enforce,
    Shadow,
}

/// Where a pass is needed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Need {
    /// On every path that is not exempt.
    #[default]
    Always,
    /// Where the policy forces a second factor.
    Policy,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    v: u32,
    #[serde(default)]
    mode: Mode,
    policy: PolicyDocument,
    #[serde(default)]
    pass_keys: Vec<SigningKey>,
    session: SessionDocument,
    challenge: ChallengeDocument,
    #[serde(default)]
    client_address: ClientAddressDocument,
    #[serde(default, rename = "require")]
    need: Need,
    #[serde(default)]
    exempt: PathsDocument,
    #[serde(default)]
    programs: PathsDocument,
    #[serde(default)]
    routes: Vec<RouteDocument>,
    #[serde(default)]
    pass: PassDocument,
    #[serde(default)]
    verify: Option<VerifyDocument>,
    #[serde(default)]
    revocation: Option<RevocationDocument>,
    #[serde(default)]
    debug: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ChallengeDocument {
    page: String,
    #[serde(default)]
    return_to: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ClientAddressDocument {
    trusted_hops: u8,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct PassDocument {
    pub(super) cookie: String,
    pub(super) bearer: bool,
    pub(super) forward: bool,
    pub(super) cache_entries: u32,
}

impl Default for PassDocument {
    fn default() -> Self {
        Self { cookie: "__Host-second-factor".to_owned(), bearer: true, forward: false, cache_entries: 4_096 }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct VerifyDocument {
    cluster: String,
    authority: String,
    path: String,
    #[serde(default = "default_timeout_ms")]
    timeout_ms: u32,
    #[serde(default = "default_verify_methods")]
    methods: Vec<Method>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RevocationDocument {
    cluster: String,
    authority: String,
    path: String,
    #[serde(default = "default_timeout_ms")]
    timeout_ms: u32,
    #[serde(default = "default_every_seconds")]
    every_seconds: u32,
    #[serde(default = "default_max_stale_seconds")]
    max_stale_seconds: u32,
}

const fn default_timeout_ms() -> u32 {
    1_000
}

/// A password hash takes tens of milliseconds, in which a worker of Envoy's serves no one.
fn default_verify_methods() -> Vec<Method> {
    vec![Method::Totp, Method::Sms]
}

const fn default_every_seconds() -> u32 {
    10
}

const fn default_max_stale_seconds() -> u32 {
    60
}

/// A configuration that is known to be right. Only [`GateConfig::parse`] makes one.
#[derive(Debug, Clone)]
pub struct GateConfig {
    pub(super) mode: Mode,
    pub(super) policy: Policy,
    pub(super) keys: SigningRing,
    pub(super) session: Session,
    pub(super) challenge: Challenge,
    pub(super) trusted_hops: usize,
    pub(super) need: Need,
    pub(super) exempt: Paths,
    pub(super) programs: Paths,
    pub(super) routes: Routes,
    pub(super) pass: PassDocument,
    pub(super) verify: Option<Verify>,
    pub(super) revocation: Option<RevocationSource>,
    pub(super) debug: bool,
}

/// Where people confirm their second factor.
#[derive(Debug, Clone)]
pub(super) struct Challenge {
    page: String,
    return_to: String,
}

/// Verification at the gate.
#[derive(Debug, Clone)]
pub(super) struct Verify {
    pub(super) keys: KeyRing,
    pub(super) storage: Storage,
    pub(super) methods: Vec<Method>,
}

/// Where the revocation list comes from.
#[derive(Debug, Clone)]
pub(super) struct RevocationSource {
    pub(super) storage: Storage,
    pub(super) every_seconds: u32,
    pub(super) max_stale_seconds: u32,
}

impl GateConfig {
    /// Parses a configuration.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidConfig`], [`ErrorCode::InvalidPolicy`] or [`ErrorCode::InvalidKeys`]
    /// with the path of the field.
    pub fn parse(json: &str, secrets: &Secrets) -> Result<Self, Error> {
        let document: Document = from_json(json, ErrorCode::InvalidConfig)?;
        check(document.v == 1, "v", "the version of the configuration must be 1")?;
        let policy = Policy::from_document(document.policy).map_err(|error| error.within("policy"))?;
        let plain_http = policy.issuer().starts_with("http:");
        let session = Session::parse(document.session)?;
        let exempt = Paths::parse(document.exempt, "exempt")?;
        check(!exempt.are_all(), "exempt.prefixes", "must not hold /, which opens everything; to only watch, set `mode` to shadow")?;
        let hops = usize::from(document.client_address.trusted_hops);
        check(hops <= 5, "clientAddress.trustedHops", "must be 0 to 5")?;
        let pass = document.pass;
        check_name(&pass.cookie, "pass.cookie")?;
        check(
            pass.cookie.starts_with("__Host-") || plain_http,
            "pass.cookie",
            "must start with __Host-, so that no other host can set it; another name is for http://localhost only",
        )?;
        check(pass.cache_entries <= 65_536, "pass.cacheEntries", "must be 0 to 65536")?;
        let alike = session.cookie().is_some_and(|session| resembles(session.as_bytes(), &pass.cookie));
        check(!alike, "session.cookie", "must be another cookie than the pass, and not resemble it")?;
        let ring =
            secrets.keys.as_deref().map(|keys| from_json::<Keys>(keys, ErrorCode::InvalidKeys).map_err(in_environment)).transpose()?;
        let keys = pass_keys(ring.as_ref(), document.pass_keys)?;
        let verify = document.verify.map(|verify| Verify::parse(verify, ring.as_ref(), &session, secrets)).transpose()?;
        let revocation = document.revocation.map(|source| RevocationSource::parse(source, secrets)).transpose()?;
        Ok(Self {
            mode: document.mode,
            challenge: Challenge::parse(document.challenge, &exempt)?,
            session,
            exempt,
            programs: Paths::parse(document.programs, "programs")?,
            routes: Routes::parse(document.routes)?,
            policy,
            keys,
            trusted_hops: hops,
            need: document.need,
            pass,
            verify,
            revocation,
            debug: document.debug,
        })
    }
}

/// The keys that passes are checked with: the secret ones from the environment, then the public.
fn pass_keys(ring: Option<&Keys>, public: Vec<SigningKey>) -> Result<SigningRing, Error> {
    for (index, key) in public.iter().enumerate() {
        let secret = format!("passKeys[{index}].secret");
        check(key.secret.is_none(), &secret, "take it out: /config_dump shows this text; secret keys come from COUNTERSIGN_KEYS")?;
    }
    let secret = ring.map(|ring| SigningRing::parse(&ring.signing).map_err(in_environment)).transpose()?;
    let public = (!public.is_empty())
        .then(|| SigningRing::parse(&public))
        .transpose()
        .map_err(|error| Error { path: format!("passKeys{}", error.path.strip_prefix("signing").unwrap_or_default()), ..error })?;
    match (secret, public) {
        (Some(secret), Some(public)) => secret.with(public).map_err(|error| Error { path: "passKeys".to_owned(), ..error }),
        (Some(keys), None) | (None, Some(keys)) => Ok(keys),
        (None, None) => Err(wrong("passKeys", "give public keys here, or the key ring in COUNTERSIGN_KEYS")),
    }
}

impl Challenge {
    fn parse(document: ChallengeDocument, exempt: &Paths) -> Result<Self, Error> {
        let ChallengeDocument { page, return_to } = document;
        if let Some(origin) = &return_to {
            check(origin_host(origin).is_some(), "challenge.returnTo", "must be https://host[:port] without a path")?;
        }
        if page.starts_with('/') {
            check(
                exempt.contain(&Path::new(page.as_bytes())),
                "challenge.page",
                "must be among the `exempt` paths: a page behind the gate would send people to itself for ever",
            )?;
        } else {
            let path = page.splitn(4, '/').nth(3).unwrap_or_default();
            let origin = page.strip_suffix(path).map(|origin| origin.trim_end_matches('/'));
            let fits = origin.and_then(origin_host).is_some() && path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._~".contains(&b));
            check(fits, "challenge.page", "must be a path like /login, or https://host[:port]/path")?;
            check(return_to.is_some(), "challenge.returnTo", "is needed where the page is on another origin: the origin to come back to")?;
        }
        Ok(Self { page, return_to: return_to.unwrap_or_default() })
    }

    pub(super) fn location(&self, target: &str) -> String {
        let mut location = format!("{}?next=", self.page);
        percent_encode(&mut location, &self.return_to);
        percent_encode(&mut location, target);
        location
    }
}

impl Verify {
    fn parse(document: VerifyDocument, ring: Option<&Keys>, session: &Session, secrets: &Secrets) -> Result<Self, Error> {
        let VerifyDocument { cluster, authority, path, timeout_ms, methods } = document;
        check(session.binds(), "session", "must name the session's cookie where codes are verified: tickets are bound to the session")?;
        check(!methods.is_empty(), "verify.methods", "name at least one method")?;
        let Some(ring) = ring else {
            return Err(wrong("verify", "needs the key ring in COUNTERSIGN_KEYS, passed on by host_env_keys"));
        };
        let passes = SigningRing::parse(&ring.signing).map_err(in_environment)?;
        check(passes.can_sign(), "verify", "the first signing key in COUNTERSIGN_KEYS must have its secret, to sign passes")?;
        let keys = KeyRing::new(SealingRing::parse(&ring.sealing).map_err(in_environment)?, passes);
        let storage = Storage::parse("verify", (cluster, authority, path, timeout_ms), secrets)?;
        Ok(Self { keys, storage, methods })
    }
}

impl RevocationSource {
    fn parse(document: RevocationDocument, secrets: &Secrets) -> Result<Self, Error> {
        let RevocationDocument { cluster, authority, path, timeout_ms, every_seconds, max_stale_seconds } = document;
        check((1..=300).contains(&every_seconds), "revocation.everySeconds", "must be 1 to 300")?;
        let shortest = every_seconds.saturating_mul(2);
        check(
            (shortest..=3_600).contains(&max_stale_seconds),
            "revocation.maxStaleSeconds",
            "must be at least twice `everySeconds`, or one lost answer shuts every door, and at most 3600",
        )?;
        let storage = Storage::parse("revocation", (cluster, authority, path, timeout_ms), secrets)?;
        Ok(Self { storage, every_seconds, max_stale_seconds })
    }
}

impl Storage {
    fn parse(at: &str, from: (String, String, String, u32), secrets: &Secrets) -> Result<Self, Error> {
        let (cluster, authority, path, timeout_ms) = from;
        let field = |name: &str| format!("{at}.{name}");
        check(!cluster.is_empty() && visible(&cluster), &field("cluster"), "must name a cluster of Envoy's")?;
        check(!authority.is_empty() && visible(&authority), &field("authority"), "must be the host name to ask for")?;
        check(
            path.starts_with('/') && visible(&path) && !path.contains(['?', '#']),
            &field("path"),
            "must be a path, like /internal/second-factor",
        )?;
        check((50..=10_000).contains(&timeout_ms), &field("timeoutMs"), "must be 50 to 10000")?;
        let Some(token) = &secrets.storage_token else {
            return Err(wrong(at, "needs the storage API's token in COUNTERSIGN_STORAGE_TOKEN, passed on by host_env_keys"));
        };
        check(token.len() >= 32 && visible(token), at, "COUNTERSIGN_STORAGE_TOKEN must be 32 visible ASCII characters or more")?;
        let path = path.trim_end_matches('/').to_owned();
        Ok(Self { cluster, authority, path, timeout_ms, authorization: SecretText(format!("Bearer {token}")) })
    }
}

fn visible(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_graphic())
}

fn in_environment(error: Error) -> Error {
    error.within("COUNTERSIGN_KEYS")
}

fn check(holds: bool, path: &str, message: &str) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(wrong(path, message)) }
}

fn wrong(path: &str, message: &str) -> Error {
    Error::new(ErrorCode::InvalidConfig, path, message)
}
