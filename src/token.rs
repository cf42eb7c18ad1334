//! Tickets and passes: JWS compact tokens (RFC 7515, RFC 7519) in a strict profile.
//!
//! A *ticket* says that the first factor passed. It opens nothing but the second step, only we
//! read it, and so it is a MAC under a subkey of the sealing ring. A *pass* says that the second
//! factor passed, when, and by what; others verify it too, so it is signed with a key of the
//! signing list, by default Ed25519 (RFC 8037). They are different types here, carry a different
//! `typ`, and no key serves both.
//!
//! The profile: at most 1 KiB; the header is `alg`, `typ` and `kid` and nothing else, so no key
//! or URL ever comes from a token; the algorithm is the one configured for the `kid`; times are
//! integers; every claim is required, none may appear twice, and unknown ones are refused.

use core::fmt;

use ed25519_dalek::{Signature, Signer as _, SigningKey as EdSigningKey, VerifyingKey};
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::error::{Error, ErrorCode};
use crate::json::{FromJson, from_json, to_json};
use crate::policy::{Method, Policy};
use crate::record::{SessionId, UserId};
use crate::secret::{Entropy, Purpose, SealingKey, SealingRing, check_kid, from_base64url, parse_secret32, to_base64url};
use crate::time::UnixSeconds;

/// Longest token that is read, in bytes.
pub const MAX_TOKEN: usize = 1_024;
/// Seconds that a token may seem to come from the future: clocks of two machines differ.
const CLOCK_SKEW: u64 = 60;
/// `typ` of a pass, and of a ticket.
const PASS_TYPE: &str = "2fa-pass+jwt";
const TICKET_TYPE: &str = "2fa-ticket+jwt";
/// `aud` of a ticket: the second step and nothing else.
const TICKET_AUDIENCE: &str = "countersign:second-step";

/// The key ring as written in configuration (JSON).
#[derive(Clone, FromJson)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Keys {
    /// Version of this document: 1.
    pub v: u32,
    /// Sealing keys, newest first; at least one. Old ones stay until nothing needs them.
    pub sealing: Vec<SealingKey>,
    /// Keys of passes. The first signs; all of them verify. At least one.
    pub signing: Vec<SigningKey>,
}

/// One key for passes.
#[derive(Clone, FromJson)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(deny_unknown_fields)]
pub struct SigningKey {
    /// Name of the key: 1 to 32 of `A–Z a–z 0–9 . _ -`.
    pub kid: String,
    /// The one algorithm that this key is used with; a token naming another is refused.
    pub alg: SigningAlgorithm,
    /// `EdDSA`: the 32-byte Ed25519 seed; `HS256`: at least 32 bytes. In base64url.
    #[serde(default)]
    pub secret: Option<String>,
    /// `EdDSA` only: the 32-byte public key, for a party that verifies and never signs.
    #[serde(default)]
    pub public: Option<String>,
}

/// Signature algorithm of a pass (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, FromJson)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
pub enum SigningAlgorithm {
    /// Ed25519; verifiers hold no secret. The default.
    EdDSA,
    /// HMAC-SHA-256; every verifier can also sign.
    HS256,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

/// Both rings: sealing keys, and the keys of passes as configured.
#[derive(Clone)]
pub struct KeyRing {
    sealing: SealingRing,
    passes: SigningRing,
}

impl KeyRing {
    /// Parses the JSON text of a key ring.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidKeys`] with the path of the field.
    pub fn parse(json: &str) -> Result<Self, Error> {
        let keys: Keys = from_json(json, ErrorCode::InvalidKeys)?;
        if keys.v != 1 {
            return Err(Error::new(ErrorCode::InvalidKeys, "v", "the version of the key ring must be 1"));
        }
        Ok(Self { sealing: SealingRing::parse(&keys.sealing)?, passes: SigningRing::parse(&keys.signing)? })
    }

    pub(crate) const fn new(sealing: SealingRing, passes: SigningRing) -> Self {
        Self { sealing, passes }
    }

    /// The sealing keys.
    #[must_use]
    pub const fn sealing(&self) -> &SealingRing {
        &self.sealing
    }

    /// The keys of passes.
    #[must_use]
    pub const fn passes(&self) -> &SigningRing {
        &self.passes
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("newest", &self.sealing.newest_kid()).finish_non_exhaustive()
    }
}

/// Strength of a pass, as its `acr` (OpenID Connect Core §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Acr {
    SecondFactor,
    Backup,
    Recovery,
}

impl Acr {
    pub(crate) const fn of(method: Method) -> Self {
        match method {
            Method::Totp | Method::Sms => Self::SecondFactor,
            Method::BackupCode => Self::Backup,
            Method::RecoveryCode => Self::Recovery,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::SecondFactor => "urn:countersign:acr:2fa",
            Self::Backup => "urn:countersign:acr:backup",
            Self::Recovery => "urn:countersign:acr:recovery",
        }
    }
}

/// The `amr` of a pass (RFC 8176 §2). Backup and recovery codes have no value there: for them
/// the private claim `second_factor` speaks alone.
pub(crate) const fn amr(method: Method) -> &'static [&'static str] {
    match method {
        Method::Totp => &["pwd", "otp", "mfa"],
        Method::Sms => &["pwd", "sms", "mfa"],
        Method::BackupCode | Method::RecoveryCode => &["pwd"],
    }
}

#[derive(Serialize, FromJson)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

#[derive(Serialize, FromJson)]
#[serde(deny_unknown_fields)]
struct TicketClaims {
    iss: String,
    aud: String,
    sub: UserId,
    sid: SessionId,
    iat: UnixSeconds,
    exp: UnixSeconds,
    jti: String,
}

/// A ticket that is ours, in time, and of this session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    user: UserId,
    session: SessionId,
    id: String,
    issued_at: UnixSeconds,
    expires_at: UnixSeconds,
}

/// Why a token is refused. Says nothing about what a right one would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum TokenError {
    /// Not a token of this kind, or not signed by a key of the ring.
    Invalid,
    /// Its time is over.
    Expired,
    /// Of another user.
    OtherUser,
    /// Of another session.
    OtherSession,
    /// The second factor is longer ago than asked for.
    TooOld,
    /// By a method that is not accepted here.
    MethodNotAccepted,
}

/// What is wrong with a token that is to be a pass. For the operator's log, never for who sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// Not of the form of a token, or not of its claims.
    Malformed,
    /// Of another kind.
    NotAPass,
    /// Signed under a name that no key here has.
    UnknownKey,
    /// Not signed by the key that it names.
    WrongSignature,
    /// Made for another `origin`.
    OtherOrigin,
    /// Made for another `audience`.
    OtherAudience,
    /// Made at a time that is yet to come: a clock is wrong.
    FromTheFuture,
    /// Its time is over.
    Expired,
}

impl From<Flaw> for TokenError {
    fn from(flaw: Flaw) -> Self {
        match flaw {
            Flaw::Expired => Self::Expired,
            Flaw::Malformed
            | Flaw::NotAPass
            | Flaw::UnknownKey
            | Flaw::WrongSignature
            | Flaw::OtherOrigin
            | Flaw::OtherAudience
            | Flaw::FromTheFuture => Self::Invalid,
        }
    }
}

impl Ticket {
    pub(crate) fn issue(
        policy: &Policy,
        keys: &SealingRing,
        entropy: &mut Entropy,
        user: &UserId,
        session: &SessionId,
        now: UnixSeconds,
    ) -> Result<(String, Self), Error> {
        let expires_at = now.plus(policy.ticket_seconds());
        let claims = TicketClaims {
            iss: policy.issuer().to_owned(),
            aud: TICKET_AUDIENCE.to_owned(),
            sub: user.clone(),
            sid: session.clone(),
            iat: now,
            exp: expires_at,
            jti: entropy.id(),
        };
        let key = keys.newest_subkey(Purpose::Ticket);
        let signing_input = encode("HS256", TICKET_TYPE, keys.newest_kid(), &claims);
        let signature = jws_hs256(key.bytes(), &signing_input);
        let token = format!("{signing_input}.{}", to_base64url(&signature));
        check_length(&token)?;
        Ok((token, Self { user: claims.sub, session: claims.sid, id: claims.jti, issued_at: now, expires_at }))
    }

    /// Opens a ticket for the session that brought it.
    ///
    /// # Errors
    /// A [`TokenError`].
    pub fn open(policy: &Policy, keys: &SealingRing, token: &str, session: &SessionId, now: UnixSeconds) -> Result<Self, TokenError> {
        let parts = Parts::split(token)?;
        if parts.header.alg != "HS256" || parts.header.typ != TICKET_TYPE {
            return Err(TokenError::Invalid);
        }
        let key = keys.subkey(&parts.header.kid, Purpose::Ticket).map_err(|_| TokenError::Invalid)?;
        if !bool::from(jws_hs256(key.bytes(), parts.signing_input).ct_eq(&parts.signature)) {
            return Err(TokenError::Invalid);
        }
        let claims: TicketClaims = parts.claims()?;
        let sound =
            claims.iss == policy.issuer() && claims.aud == TICKET_AUDIENCE && claims.iat < claims.exp && claims.iat <= now.plus(CLOCK_SKEW);
        if !sound {
            return Err(TokenError::Invalid);
        }
        if now >= claims.exp {
            return Err(TokenError::Expired);
        }
        if claims.sid != *session {
            return Err(TokenError::OtherSession);
        }
        Ok(Self { user: claims.sub, session: claims.sid, id: claims.jti, issued_at: claims.iat, expires_at: claims.exp })
    }

    /// Whose first factor passed.
    #[must_use]
    pub const fn user(&self) -> &UserId {
        &self.user
    }

    /// The login it stands for; SMS codes are bound to it.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// When the first factor passed.
    pub(crate) const fn issued_at(&self) -> UnixSeconds {
        self.issued_at
    }

    /// When it ends.
    pub(crate) const fn expires_at(&self) -> UnixSeconds {
        self.expires_at
    }
}

#[derive(Serialize, FromJson)]
#[serde(deny_unknown_fields)]
struct PassClaims {
    iss: String,
    aud: String,
    sub: UserId,
    sid: SessionId,
    iat: UnixSeconds,
    exp: UnixSeconds,
    auth_time: UnixSeconds,
    amr: Vec<String>,
    acr: String,
    second_factor: Method,
    jti: String,
}

/// A pass that is ours and in time. Whose it is and how old, its users must still ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    user: UserId,
    session: SessionId,
    method: Method,
    auth_time: UnixSeconds,
    expires_at: UnixSeconds,
}

impl Pass {
    pub(crate) fn issue(
        policy: &Policy,
        keys: &SigningRing,
        entropy: &mut Entropy,
        user: &UserId,
        session: &SessionId,
        method: Method,
        now: UnixSeconds,
    ) -> Result<(String, Self), Error> {
        let expires_at = now.plus(policy.pass_seconds());
        let claims = PassClaims {
            iss: policy.issuer().to_owned(),
            aud: policy.audience().to_owned(),
            sub: user.clone(),
            sid: session.clone(),
            iat: now,
            exp: expires_at,
            auth_time: now,
            amr: amr(method).iter().map(|&value| value.to_owned()).collect(),
            acr: Acr::of(method).as_str().to_owned(),
            second_factor: method,
            jti: entropy.id(),
        };
        let token = keys.sign(&claims)?;
        check_length(&token)?;
        Ok((token, Self { user: claims.sub, session: claims.sid, method, auth_time: now, expires_at }))
    }

    /// Opens a pass.
    ///
    /// # Errors
    /// A [`TokenError`].
    pub fn open(policy: &Policy, keys: &SigningRing, token: &str, now: UnixSeconds) -> Result<Self, TokenError> {
        Self::examine(policy, keys, token, now).map_err(TokenError::from)
    }

    /// Opens a pass, and says what is wrong with it.
    pub(crate) fn examine(policy: &Policy, keys: &SigningRing, token: &str, now: UnixSeconds) -> Result<Self, Flaw> {
        let parts = Parts::split(token).map_err(|_| Flaw::Malformed)?;
        keys.verify(&parts)?;
        let claims: PassClaims = parts.claims().map_err(|_| Flaw::Malformed)?;
        let consistent = claims.iat < claims.exp
            && claims.auth_time <= claims.iat
            && claims.acr == Acr::of(claims.second_factor).as_str()
            && claims.amr.iter().map(String::as_str).eq(amr(claims.second_factor).iter().copied());
        if claims.iss != policy.issuer() {
            Err(Flaw::OtherOrigin)
        } else if claims.aud != policy.audience() {
            Err(Flaw::OtherAudience)
        } else if claims.iat > now.plus(CLOCK_SKEW) {
            Err(Flaw::FromTheFuture)
        } else if !consistent {
            Err(Flaw::Malformed)
        } else if now >= claims.exp {
            Err(Flaw::Expired)
        } else {
            Ok(Self {
                user: claims.sub,
                session: claims.sid,
                method: claims.second_factor,
                auth_time: claims.auth_time,
                expires_at: claims.exp,
            })
        }
    }

    /// Whether a token says that it is a pass, be it true or not.
    pub(crate) fn claims_to_be(token: &str) -> bool {
        let header = token.split_once('.').filter(|_| token.len() <= MAX_TOKEN).map(|(header, _)| json::<Header>(header));
        matches!(header, Some(Ok(Header { typ, .. })) if typ == PASS_TYPE)
    }

    /// Holds the pass against who brings it.
    ///
    /// # Errors
    /// [`TokenError::OtherUser`] or [`TokenError::OtherSession`].
    pub fn of(self, user: &UserId, session: &SessionId) -> Result<Self, TokenError> {
        if self.user != *user {
            Err(TokenError::OtherUser)
        } else if self.session != *session {
            Err(TokenError::OtherSession)
        } else {
            Ok(self)
        }
    }

    /// Whose second factor passed.
    #[must_use]
    pub const fn user(&self) -> &UserId {
        &self.user
    }

    /// The session it is bound to.
    #[must_use]
    pub const fn session(&self) -> &SessionId {
        &self.session
    }

    /// By which method.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.method
    }

    /// When.
    #[must_use]
    pub const fn auth_time(&self) -> UnixSeconds {
        self.auth_time
    }

    /// When the pass ends.
    #[must_use]
    pub const fn expires_at(&self) -> UnixSeconds {
        self.expires_at
    }

    /// Its strength, as in the `acr` claim.
    #[must_use]
    pub const fn acr(&self) -> &'static str {
        Acr::of(self.method).as_str()
    }
}

/// The keys of passes, parsed: the first signs, all verify.
#[derive(Clone)]
pub struct SigningRing(Vec<PassKey>);

#[derive(Clone)]
struct PassKey {
    kid: String,
    material: Material,
}

#[derive(Clone)]
enum Material {
    Ed25519(Box<EdSigningKey>),
    Ed25519Public(VerifyingKey),
    Hs256(Hmac<Sha256>),
}

impl fmt::Debug for SigningRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| &key.kid)).finish()
    }
}

impl SigningRing {
    pub(crate) fn parse(keys: &[SigningKey]) -> Result<Self, Error> {
        let mut parsed: Vec<PassKey> = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            let at = |field: &str| format!("signing[{index}].{field}");
            check_kid(&key.kid, &at("kid"))?;
            if parsed.iter().any(|other| other.kid == key.kid) {
                return Err(Error::new(ErrorCode::InvalidKeys, at("kid"), "two keys have this name; give each its own"));
            }
            let material = match (key.alg, &key.secret, &key.public) {
                (SigningAlgorithm::EdDSA, Some(secret), None) => {
                    Material::Ed25519(Box::new(EdSigningKey::from_bytes(parse_secret32(secret, &at("secret"))?.bytes())))
                }
                (SigningAlgorithm::EdDSA, None, Some(public)) => {
                    let bytes = parse_secret32(public, &at("public"))?;
                    let key = VerifyingKey::from_bytes(bytes.bytes()).ok().filter(|key| !key.is_weak());
                    Material::Ed25519Public(
                        key.ok_or_else(|| Error::new(ErrorCode::InvalidKeys, at("public"), "is not a usable Ed25519 public key"))?,
                    )
                }
                (SigningAlgorithm::HS256, Some(secret), None) => {
                    let bytes = from_base64url(secret).filter(|bytes| (32..=128).contains(&bytes.len()));
                    let bytes = bytes.ok_or_else(|| {
                        Error::new(ErrorCode::InvalidKeys, at("secret"), "must be 32 to 128 bytes in base64url without padding")
                    })?;
                    Material::Hs256(
                        <Hmac<Sha256> as KeyInit>::new_from_slice(&bytes)
                            .map_err(|_| Error::new(ErrorCode::InvalidKeys, at("secret"), "cannot be a key"))?,
                    )
                }
                (SigningAlgorithm::HS256, _, Some(_)) => {
                    return Err(Error::new(ErrorCode::InvalidKeys, at("public"), "HS256 has no public key"));
                }
                (SigningAlgorithm::EdDSA, Some(_), Some(_)) => {
                    return Err(Error::new(ErrorCode::InvalidKeys, at("public"), "give the secret or the public key, not both"));
                }
                (SigningAlgorithm::EdDSA | SigningAlgorithm::HS256, None, None) => {
                    return Err(Error::new(ErrorCode::InvalidKeys, at("secret"), "is missing"));
                }
            };
            parsed.push(PassKey { kid: key.kid.clone(), material });
        }
        if parsed.is_empty() { Err(Error::new(ErrorCode::InvalidKeys, "signing", "give at least one key")) } else { Ok(Self(parsed)) }
    }

    /// These keys and others that verify. A name may come in both if it is one key.
    pub(crate) fn with(mut self, others: Self) -> Result<Self, Error> {
        for other in others.0 {
            match self.0.iter().find(|key| key.kid == other.kid) {
                None => self.0.push(other),
                Some(key) if key.public().is_some() && key.public() == other.public() => {}
                Some(_) => return Err(Error::new(ErrorCode::InvalidKeys, "kid", "two keys have this name; give each its own")),
            }
        }
        Ok(self)
    }

    /// Whether the first key can sign, or only verify.
    #[must_use]
    pub fn can_sign(&self) -> bool {
        self.0.first().is_some_and(|key| match key.material {
            Material::Ed25519(_) | Material::Hs256(_) => true,
            Material::Ed25519Public(_) => false,
        })
    }

    fn sign(&self, claims: &PassClaims) -> Result<String, Error> {
        let cannot = || Error::new(ErrorCode::InvalidKeys, "signing[0]", "the first signing key must have its secret, to sign passes");
        let key = self.0.first().ok_or_else(cannot)?;
        let input = encode(key.algorithm(), PASS_TYPE, &key.kid, claims);
        let signature = match &key.material {
            Material::Ed25519(secret) => secret.sign(input.as_bytes()).to_bytes().to_vec(),
            Material::Hs256(mac) => mac.clone().chain_update(input.as_bytes()).finalize().into_bytes().to_vec(),
            Material::Ed25519Public(_) => return Err(cannot()),
        };
        Ok(format!("{input}.{}", to_base64url(&signature)))
    }

    fn verify(&self, parts: &Parts<'_>) -> Result<(), Flaw> {
        if parts.header.typ != PASS_TYPE {
            return Err(Flaw::NotAPass);
        }
        let key = self.0.iter().find(|key| key.kid == parts.header.kid).ok_or(Flaw::UnknownKey)?;
        let input = parts.signing_input.as_bytes();
        let ed25519 = |public: &VerifyingKey| {
            Signature::from_slice(&parts.signature).is_ok_and(|signature| public.verify_strict(input, &signature).is_ok())
        };
        let signed = parts.header.alg == key.algorithm()
            && match &key.material {
                Material::Ed25519(secret) => ed25519(&secret.verifying_key()),
                Material::Ed25519Public(public) => ed25519(public),
                Material::Hs256(mac) => mac.clone().chain_update(input).verify_slice(&parts.signature).is_ok(),
            };
        if signed { Ok(()) } else { Err(Flaw::WrongSignature) }
    }

    /// The public keys as a JWK set (RFC 7517 §5, RFC 8037 §2), for other verifiers of passes.
    /// HS256 keys are secret and not in it.
    #[must_use]
    pub fn jwks(&self) -> Jwks {
        let keys = self.0.iter().filter_map(|key| {
            let public = key.public()?;
            Some(Jwk {
                kty: "OKP".to_owned(),
                crv: "Ed25519".to_owned(),
                alg: "EdDSA".to_owned(),
                key_use: "sig".to_owned(),
                kid: key.kid.clone(),
                x: to_base64url(public.as_bytes()),
            })
        });
        Jwks { keys: keys.collect() }
    }
}

impl PassKey {
    fn public(&self) -> Option<VerifyingKey> {
        match &self.material {
            Material::Ed25519(secret) => Some(secret.verifying_key()),
            Material::Ed25519Public(public) => Some(*public),
            Material::Hs256(_) => None,
        }
    }

    const fn algorithm(&self) -> &'static str {
        match self.material {
            Material::Ed25519(_) | Material::Ed25519Public(_) => "EdDSA",
            Material::Hs256(_) => "HS256",
        }
    }
}

/// A JWK set (RFC 7517 §5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
pub struct Jwks {
    /// The public keys.
    pub keys: Vec<Jwk>,
}

/// One public Ed25519 key (RFC 8037 §2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
pub struct Jwk {
    /// Always `OKP`.
    pub kty: String,
    /// Always `Ed25519`.
    pub crv: String,
    /// Always `EdDSA`.
    pub alg: String,
    /// Always `sig`.
    #[serde(rename = "use")]
    pub key_use: String,
    /// Name of the key.
    pub kid: String,
    /// The public key in base64url.
    pub x: String,
}

/// A token taken apart, its header read and nothing verified yet.
struct Parts<'a> {
    header: Header,
    signing_input: &'a str,
    payload: &'a str,
    signature: Zeroizing<Vec<u8>>,
}

impl<'a> Parts<'a> {
    fn split(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > MAX_TOKEN {
            return Err(TokenError::Invalid);
        }
        let (signing_input, signature) = token.rsplit_once('.').ok_or(TokenError::Invalid)?;
        let (header, payload) = signing_input.split_once('.').ok_or(TokenError::Invalid)?;
        let header = json(header)?;
        let signature = from_base64url(signature).ok_or(TokenError::Invalid)?;
        Ok(Self { header, signing_input, payload, signature })
    }

    fn claims<T: FromJson>(&self) -> Result<T, TokenError> {
        json(self.payload)
    }
}

fn json<T: FromJson>(part: &str) -> Result<T, TokenError> {
    let bytes = from_base64url(part).ok_or(TokenError::Invalid)?;
    let text = core::str::from_utf8(&bytes).map_err(|_| TokenError::Invalid)?;
    from_json(text, ErrorCode::InvalidInput).map_err(|_| TokenError::Invalid)
}

fn encode(alg: &str, typ: &str, kid: &str, claims: &impl Serialize) -> String {
    let header = Header { alg: alg.to_owned(), typ: typ.to_owned(), kid: kid.to_owned() };
    let part = |text: String| to_base64url(text.as_bytes());
    format!("{}.{}", part(to_json(&header)), part(to_json(claims)))
}

fn check_length(token: &str) -> Result<(), Error> {
    if token.len() > MAX_TOKEN {
        Err(Error::new(ErrorCode::TooLong, "user", "user, session, origin and audience are too long together: a token must fit 1 KiB"))
    } else {
        Ok(())
    }
}

fn jws_hs256(key: &[u8; 32], signing_input: &str) -> [u8; 32] {
    crate::secret::hmac_sha256(key).chain_update(signing_input.as_bytes()).finalize().into_bytes().into()
}
