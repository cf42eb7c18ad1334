//! Tickets: proof that the first factor passed, good for the second step and nothing else.
//!
//! Only we read a ticket, so a MAC is enough: HMAC-SHA-256 under a subkey of the sealing ring. It
//! is bound to its account, user and session and lives for minutes.

use hmac::Mac as _;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::entropy::Entropy;
use crate::error::Error;
use crate::ids::{AccountId, RecordId, SessionId, UserId};
use crate::keys::sealing::{Purpose, SealingRing};
use crate::mac::hmac_sha256;
use crate::policy::Policy;
use crate::time::UnixSeconds;

use super::error::TokenError;
use super::jws::{self, Header, Jws};

/// `alg` of a ticket.
const ALGORITHM: &str = "HS256";
/// `typ` of a ticket.
const TYPE: &str = "2fa-ticket+jwt";
/// `aud` of a ticket: the second step and nothing else.
const AUDIENCE: &str = "countersign:second-step";

/// A ticket that is ours, in time, and of this session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    subject: RecordId,
    session: SessionId,
    id: String,
    issued_at: UnixSeconds,
    expires_at: UnixSeconds,
}

impl Ticket {
    pub(crate) fn issue(
        policy: &Policy,
        keys: &SealingRing,
        entropy: &mut Entropy,
        subject: &RecordId,
        session: &SessionId,
        now: UnixSeconds,
    ) -> Result<(String, Self), Error> {
        let expires_at = now.plus(policy.ticket_seconds());
        let claims = TicketClaims {
            iss: policy.issuer().to_owned(),
            aud: AUDIENCE.to_owned(),
            account: subject.account().cloned(),
            sub: subject.user().clone(),
            sid: session.clone(),
            iat: now,
            exp: expires_at,
            jti: entropy.id(),
        };
        let key = keys.newest_subkey(Purpose::Ticket);
        let header = Header { alg: ALGORITHM.to_owned(), typ: TYPE.to_owned(), kid: keys.newest_kid().to_owned() };
        let token = jws::encode(&header, &claims, |input| signature(key.bytes(), input).to_vec())?;
        Ok((token, Self { subject: subject.clone(), session: claims.sid, id: claims.jti, issued_at: now, expires_at }))
    }

    /// Opens a ticket for the session that brought it.
    ///
    /// # Errors
    /// A [`TokenError`].
    pub fn open(policy: &Policy, keys: &SealingRing, token: &str, session: &SessionId, now: UnixSeconds) -> Result<Self, TokenError> {
        Self::read(Some(policy.issuer()), keys, token, session, now)
    }

    /// Opens a ticket whose policy is not known yet, to learn its user. [`Ticket::open`] must follow.
    ///
    /// # Errors
    /// A [`TokenError`].
    pub fn open_for_any(keys: &SealingRing, token: &str, session: &SessionId, now: UnixSeconds) -> Result<Self, TokenError> {
        Self::read(None, keys, token, session, now)
    }

    fn read(issuer: Option<&str>, keys: &SealingRing, token: &str, session: &SessionId, now: UnixSeconds) -> Result<Self, TokenError> {
        let jws = Jws::split(token)?;
        if jws.header.alg != ALGORITHM || jws.header.typ != TYPE {
            return Err(TokenError::Invalid);
        }
        let key = keys.subkey(&jws.header.kid, Purpose::Ticket).map_err(|_| TokenError::Invalid)?;
        if !bool::from(signature(key.bytes(), jws.signing_input.as_bytes()).ct_eq(&jws.signature)) {
            return Err(TokenError::Invalid);
        }
        let claims: TicketClaims = jws.claims()?;
        let is_ours = issuer.is_none_or(|issuer| claims.iss == issuer) && claims.aud == AUDIENCE;
        if !is_ours || claims.iat >= claims.exp || jws::is_from_the_future(claims.iat, now) {
            return Err(TokenError::Invalid);
        }
        if now >= claims.exp {
            return Err(TokenError::Expired);
        }
        if claims.sid != *session {
            return Err(TokenError::OtherSession);
        }
        let subject = RecordId::new(claims.account, claims.sub);
        Ok(Self { subject, session: claims.sid, id: claims.jti, issued_at: claims.iat, expires_at: claims.exp })
    }

    /// The user whose first factor passed, and the account.
    #[must_use]
    pub const fn subject(&self) -> &RecordId {
        &self.subject
    }

    /// The id of the login; SMS codes are bound to it.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The time at which the first factor passed.
    pub(crate) const fn issued_at(&self) -> UnixSeconds {
        self.issued_at
    }

    /// The time at which it ends.
    pub(crate) const fn expires_at(&self) -> UnixSeconds {
        self.expires_at
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TicketClaims {
    iss: String,
    aud: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<AccountId>,
    sub: UserId,
    sid: SessionId,
    iat: UnixSeconds,
    exp: UnixSeconds,
    jti: String,
}

fn signature(key: &[u8; 32], signing_input: &[u8]) -> [u8; 32] {
    hmac_sha256(key).chain_update(signing_input).finalize().into_bytes().into()
}
