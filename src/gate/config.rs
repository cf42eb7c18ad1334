//! The gate's configuration: JSON text, strictly parsed, and secrets from the environment.
//!
//! Envoy shows the configuration of a filter to everyone who can read `/config_dump`. So a secret in it
//! is an error; the keys of passes stand in it as a JWK set of public keys.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorCode};
use crate::json::from_json;
use crate::keys::jwk::JwksDocument;
use crate::keys::{KeyRing, Keys, SigningRing};
use crate::policy::{Method, Policy, PolicyDocument};
use crate::restore_epoch::RestoreEpoch;

use super::accounts::{Accounts, AccountsDocument};
use super::challenge_page::{ChallengeDocument, ChallengePage};
use super::check::{check, wrong};
use super::cookies::{check_name, resembles};
use super::exempt_paths::{Paths, PathsDocument};
use super::revocations::{RevocationDocument, RevocationSource};
use super::secrets::{Secrets, in_environment};
use super::session::{Session, SessionDocument};
use super::storage::{Storage, StorageSettings, default_timeout_ms};
use super::stricter_routes::{RouteDocument, Routes};

/// A configuration that is known to be right. Only [`GateConfig::parse`] makes one.
#[derive(Debug, Clone)]
pub struct GateConfig {
    pub(super) mode: Mode,
    pub(super) policy: Policy,
    pub(super) accounts: Accounts,
    pub(super) keys: SigningRing,
    pub(super) session: Session,
    pub(super) challenge: ChallengePage,
    pub(super) trusted_hops: usize,
    pub(super) proof: Proof,
    pub(super) exempt: Paths,
    /// CORS preflights go on without a pass.
    pub(super) forward_preflight: bool,
    pub(super) api_paths: Paths,
    pub(super) routes: Routes,
    pub(super) pass: PassSettings,
    pub(super) verify: Option<VerifySettings>,
    pub(super) revocation: Option<RevocationSource>,
    pub(super) debug: bool,
}

/// Whether refused requests are stopped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
    #[default]
    Enforce,
    /// They go on, and are logged and counted.
    Shadow,
}

/// Where proof of a second factor is needed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Proof {
    /// On every path that is not exempt.
    #[default]
    Always,
    /// Where the policy forces a second factor.
    AsPolicy,
}

/// How a pass comes, and how long its signature is remembered.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct PassSettings {
    pub(super) cookie: String,
    pub(super) bearer: bool,
    pub(super) forward: bool,
    pub(super) cache_entries: u32,
}

impl Default for PassSettings {
    fn default() -> Self {
        Self { cookie: "__Host-second-factor".to_owned(), bearer: true, forward: false, cache_entries: 4_096 }
    }
}

/// Verification of codes at the gate.
#[derive(Debug, Clone)]
pub(super) struct VerifySettings {
    pub(super) keys: KeyRing,
    pub(super) storage: Storage,
    pub(super) methods: Vec<Method>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    v: u32,
    #[serde(default)]
    mode: Mode,
    policy: PolicyDocument,
    #[serde(default)]
    accounts: AccountsDocument,
    #[serde(default)]
    jwks: Option<JwksDocument>,
    session: SessionDocument,
    challenge: ChallengeDocument,
    #[serde(default)]
    client_address: ClientAddressDocument,
    #[serde(default)]
    proof: Proof,
    #[serde(default)]
    exempt: PathsDocument,
    #[serde(default)]
    forward_preflight: bool,
    #[serde(default)]
    api_paths: PathsDocument,
    #[serde(default)]
    routes: Vec<RouteDocument>,
    #[serde(default)]
    pass: PassSettings,
    #[serde(default)]
    verify: Option<VerifyDocument>,
    #[serde(default)]
    revocation: Option<RevocationDocument>,
    #[serde(default)]
    debug: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ClientAddressDocument {
    trusted_hops: u8,
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

/// Without backup and recovery codes: a password hash takes tens of milliseconds, in which a worker
/// of Envoy serves no other request.
fn default_verify_methods() -> Vec<Method> {
    vec![Method::Totp, Method::Sms]
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
        let session = Session::parse(document.session)?;
        let exempt = Paths::parse(document.exempt, "exempt")?;
        check(!exempt.are_all(), "exempt.prefixes", "must not hold /, which exempts every path; to only watch, set `mode` to shadow")?;
        let hops = usize::from(document.client_address.trusted_hops);
        check(hops <= 5, "clientAddress.trustedHops", "must be 0 to 5")?;
        check_pass(&document.pass, &policy, &session)?;
        let ring =
            secrets.keys.as_deref().map(|keys| from_json::<Keys>(keys, ErrorCode::InvalidKeys).map_err(in_environment)).transpose()?;
        let keys = keys_of_passes(ring.as_ref(), document.jwks)?;
        let accounts = Accounts::parse(document.accounts)?;
        check(
            document.verify.is_none() || accounts != Accounts::Any,
            "verify",
            "must not stand beside `accounts`: \"any\", because codes of all accounts would be verified by this one policy; verify them in the \
             login service, or make a gate for each account with its policy and `accounts`: {\"one\": …}",
        )?;
        let verify = document.verify.map(|verify| VerifySettings::parse(verify, ring.as_ref(), &session, secrets)).transpose()?;
        let revocation = document.revocation.map(|source| RevocationSource::parse(source, secrets)).transpose()?;
        Ok(Self {
            mode: document.mode,
            challenge: ChallengePage::parse(document.challenge, &exempt)?,
            accounts,
            session,
            exempt,
            forward_preflight: document.forward_preflight,
            api_paths: Paths::parse(document.api_paths, "apiPaths")?,
            routes: Routes::parse(document.routes)?,
            policy,
            keys,
            trusted_hops: hops,
            proof: document.proof,
            pass: document.pass,
            verify,
            revocation,
            debug: document.debug,
        })
    }
}

fn check_pass(pass: &PassSettings, policy: &Policy, session: &Session) -> Result<(), Error> {
    check_name(&pass.cookie, "pass.cookie")?;
    let is_http = policy.issuer().starts_with("http:");
    if is_http {
        check_name_for_http(&pass.cookie, "pass.cookie")?;
        check_name_for_http(session.cookie().unwrap_or_default(), "session.cookie")?;
    }
    check(
        is_http || pass.cookie.starts_with("__Host-"),
        "pass.cookie",
        "must start with __Host-, so that no other host can set it; another name is for http://localhost only",
    )?;
    check(pass.cache_entries <= 65_536, "pass.cacheEntries", "must be 0 to 65536")?;
    let alike = session.cookie().is_some_and(|session| resembles(session.as_bytes(), &pass.cookie));
    check(!alike, "session.cookie", "must be another cookie than the pass, and not resemble it")
}

/// Refuses the names that browsers keep for https, in any case of their letters.
fn check_name_for_http(cookie: &str, at: &str) -> Result<(), Error> {
    let name = cookie.to_ascii_lowercase();
    check(
        !["__host-", "__secure-"].iter().any(|prefix| name.starts_with(prefix)),
        at,
        "must not start with __Host- or __Secure- where `policy.origin` is http: browsers refuse such a cookie there, and everyone would be challenged for ever",
    )
}

/// The keys that verify passes: those of the environment, then the public ones of the configuration, in the later restore epoch of
/// the two. A set without keys has an epoch too.
fn keys_of_passes(ring: Option<&Keys>, jwks: Option<JwksDocument>) -> Result<SigningRing, Error> {
    let secret =
        ring.map(|ring| Ok(SigningRing::parse(&ring.signing).map_err(in_environment)?.in_epoch(ring.restore_epoch))).transpose()?;
    let epoch = jwks.as_ref().map_or(RestoreEpoch::FIRST, |set| set.restore_epoch);
    let public = jwks.as_ref().map(SigningRing::from_jwks).transpose().map_err(|error| error.within("jwks"))?.flatten();
    match (secret, public) {
        (Some(secret), Some(public)) => secret.with(public).map_err(|error| Error { path: "jwks".to_owned(), ..error }),
        (None, Some(keys)) => Ok(keys),
        (Some(keys), None) => {
            let later = epoch.max(keys.restore_epoch());
            Ok(keys.in_epoch(later))
        }
        (None, None) => Err(wrong("jwks", "give public keys here, as `countersign jwks` prints them, or the key ring in COUNTERSIGN_KEYS")),
    }
}

impl VerifySettings {
    fn parse(document: VerifyDocument, ring: Option<&Keys>, session: &Session, secrets: &Secrets) -> Result<Self, Error> {
        let VerifyDocument { cluster, authority, path, timeout_ms, methods } = document;
        check(session.binds(), "session", "must name the session's cookie where codes are verified: tickets are bound to the session")?;
        check(!methods.is_empty(), "verify.methods", "name at least one method")?;
        check(
            !methods.contains(&Method::TrustedBrowser),
            "verify.methods",
            "must not name trusted_browser, which answers a challenge at login alone",
        )?;
        let Some(ring) = ring else {
            return Err(wrong("verify", "needs the key ring in COUNTERSIGN_KEYS, passed on by host_env_keys"));
        };
        let keys = KeyRing::of(ring).map_err(in_environment)?;
        check(keys.signing().can_sign(), "verify", "the first signing key in COUNTERSIGN_KEYS must have its secret, to sign passes")?;
        let storage = Storage::parse(StorageSettings { at: "verify", cluster, authority, path, timeout_ms }, secrets)?;
        Ok(Self { keys, storage, methods })
    }
}
