//! Tickets: proof that the first factor passed. A [`Ticket`] is good for the second step and nothing else; a
//! [`SetupTicket`], for a user who never had a factor, for the set-up of the first one and nothing else.
//!
//! Only we read a ticket, so a MAC is enough: HMAC-SHA-256 under a subkey of the sealing ring. It
//! is bound to its account, user, session and login epoch and lives for minutes. Type and audience differ between the
//! two kinds, so that neither is ever taken for the other (RFC 8725 §3.11, §3.12).

use hmac::Mac as _;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::entropy::Entropy;
use crate::error::Error;
use crate::ids::{AccountId, RecordId, SessionId, UserId};
use crate::keys::sealing::{Purpose, SealingRing};
use crate::login_epoch::LoginEpoch;
use crate::mac::hmac_sha256;
use crate::policy::Policy;
use crate::record::Record;
use crate::time::UnixSeconds;

use super::error::TokenError;
use super::jws::{self, Header, Jws};

/// `alg` of a ticket.
const ALGORITHM: &str = "HS256";

/// A kind of ticket: its `typ`, and the `aud` that says what it opens.
struct Kind {
    typ: &'static str,
    audience: &'static str,
}

const SECOND_STEP: Kind = Kind { typ: "2fa-ticket+jwt", audience: "countersign:second-step" };
const SET_UP: Kind = Kind { typ: "2fa-setup-ticket+jwt", audience: "countersign:set-up" };

/// A ticket that is ours, in time, and of this session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    subject: RecordId,
    session: SessionId,
    id: String,
    epoch: LoginEpoch,
    issued_at: UnixSeconds,
    expires_at: UnixSeconds,
}

impl Ticket {
    pub(crate) fn issue(
        policy: &Policy,
        keys: &SealingRing,
        entropy: &mut Entropy,
        record: &Record,
        session: &SessionId,
        now: UnixSeconds,
    ) -> Result<(String, Self), Error> {
        let claims = TicketClaims::new(&SECOND_STEP, policy, entropy, record, session, now);
        Ok((claims.encode(&SECOND_STEP, keys)?, claims.into()))
    }

    /// Opens a ticket for the session that brought it.
    ///
    /// # Errors
    /// A [`TokenError`].
    pub fn open(policy: &Policy, keys: &SealingRing, token: &str, session: &SessionId, now: UnixSeconds) -> Result<Self, TokenError> {
        TicketClaims::read(&SECOND_STEP, Some(policy.issuer()), keys, token, session, now).map(Self::from)
    }

    /// Opens a ticket whose policy is not known yet, to learn its user. [`Ticket::open`] must follow.
    ///
    /// # Errors
    /// A [`TokenError`].
    pub fn open_for_any(keys: &SealingRing, token: &str, session: &SessionId, now: UnixSeconds) -> Result<Self, TokenError> {
        TicketClaims::read(&SECOND_STEP, None, keys, token, session, now).map(Self::from)
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

    /// The login epoch in which it was made.
    pub(crate) const fn epoch(&self) -> &LoginEpoch {
        &self.epoch
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

/// A set-up ticket that is ours, in time, and of this user and session. It opens the set-up of the first factor
/// while the policy accepts the password for that ([`FirstFactor::Password`](crate::policy::FirstFactor::Password)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupTicket {
    epoch: LoginEpoch,
    issued_at: UnixSeconds,
    expires_at: UnixSeconds,
}

impl SetupTicket {
    pub(crate) fn issue(
        policy: &Policy,
        keys: &SealingRing,
        entropy: &mut Entropy,
        record: &Record,
        session: &SessionId,
        now: UnixSeconds,
    ) -> Result<(String, Self), Error> {
        let claims = TicketClaims::new(&SET_UP, policy, entropy, record, session, now);
        Ok((claims.encode(&SET_UP, keys)?, Self::from(claims)))
    }

    /// Opens a set-up ticket for the user and session that brought it.
    pub(crate) fn open(
        policy: &Policy,
        keys: &SealingRing,
        token: &str,
        subject: &RecordId,
        session: &SessionId,
        now: UnixSeconds,
    ) -> Result<Self, TokenError> {
        let claims = TicketClaims::read(&SET_UP, Some(policy.issuer()), keys, token, session, now)?;
        if claims.account.as_ref() != subject.account() {
            Err(TokenError::OtherAccount)
        } else if claims.sub != *subject.user() {
            Err(TokenError::OtherUser)
        } else {
            Ok(Self::from(claims))
        }
    }

    /// The login epoch in which it was made.
    pub(crate) const fn epoch(&self) -> &LoginEpoch {
        &self.epoch
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
    /// Absent in the first one.
    #[serde(default, skip_serializing_if = "LoginEpoch::is_first")]
    epoch: LoginEpoch,
    jti: String,
}

impl TicketClaims {
    fn new(kind: &Kind, policy: &Policy, entropy: &mut Entropy, record: &Record, session: &SessionId, now: UnixSeconds) -> Self {
        let subject = record.id();
        Self {
            iss: policy.issuer().to_owned(),
            aud: kind.audience.to_owned(),
            account: subject.account().cloned(),
            sub: subject.user().clone(),
            sid: session.clone(),
            iat: now,
            exp: now.plus(policy.ticket_seconds()),
            epoch: record.logins.clone(),
            jti: entropy.id(),
        }
    }

    fn encode(&self, kind: &Kind, keys: &SealingRing) -> Result<String, Error> {
        let key = keys.newest_subkey(Purpose::Ticket);
        let header = Header { alg: ALGORITHM.to_owned(), typ: kind.typ.to_owned(), kid: keys.newest_kid().to_owned() };
        jws::encode(&header, self, |input| signature(key.bytes(), input).to_vec())
    }

    fn read(
        kind: &Kind,
        issuer: Option<&str>,
        keys: &SealingRing,
        token: &str,
        session: &SessionId,
        now: UnixSeconds,
    ) -> Result<Self, TokenError> {
        let jws = Jws::split(token)?;
        if jws.header.alg != ALGORITHM || jws.header.typ != kind.typ {
            return Err(TokenError::Invalid);
        }
        let key = keys.subkey(&jws.header.kid, Purpose::Ticket).map_err(|_| TokenError::Invalid)?;
        if !bool::from(signature(key.bytes(), jws.signing_input.as_bytes()).ct_eq(&jws.signature)) {
            return Err(TokenError::Invalid);
        }
        let claims: Self = jws.claims()?;
        let is_ours = issuer.is_none_or(|issuer| claims.iss == issuer) && claims.aud == kind.audience;
        if !is_ours || claims.iat >= claims.exp || jws::is_from_the_future(claims.iat, now) {
            return Err(TokenError::Invalid);
        }
        if now >= claims.exp {
            return Err(TokenError::Expired);
        }
        if claims.sid != *session {
            return Err(TokenError::OtherSession);
        }
        Ok(claims)
    }
}

impl From<TicketClaims> for Ticket {
    fn from(claims: TicketClaims) -> Self {
        let subject = RecordId::new(claims.account, claims.sub);
        Self { subject, session: claims.sid, id: claims.jti, epoch: claims.epoch, issued_at: claims.iat, expires_at: claims.exp }
    }
}

impl From<TicketClaims> for SetupTicket {
    fn from(claims: TicketClaims) -> Self {
        Self { epoch: claims.epoch, issued_at: claims.iat, expires_at: claims.exp }
    }
}

fn signature(key: &[u8; 32], signing_input: &[u8]) -> [u8; 32] {
    hmac_sha256(key).chain_update(signing_input).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use crate::keys::KeyRing;

    use super::*;

    const NOW: u64 = 1_800_000_000;

    /// The ring of the vectors, and a ring that has the same key id and another key.
    fn rings() -> (KeyRing, KeyRing) {
        let text = include_str!("../../tests/vectors/keys.json");
        let mut document: serde_json::Value = serde_json::from_str(text).unwrap();
        document["sealing"][0]["secret"] = serde_json::json!("CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk");
        (KeyRing::parse(text).unwrap(), KeyRing::parse(&document.to_string()).unwrap())
    }

    fn policy() -> Policy {
        Policy::parse(r#"{"v": 1, "name": "Acme", "origin": "https://acme.example"}"#).unwrap()
    }

    fn at(seconds: u64) -> UnixSeconds {
        UnixSeconds::new(seconds).unwrap()
    }

    fn session() -> SessionId {
        SessionId::new("s").unwrap()
    }

    fn claims() -> TicketClaims {
        let ann = Record::new(RecordId::from(UserId::new("ann").unwrap()));
        TicketClaims::new(&SECOND_STEP, &policy(), &mut Entropy::new([1; 32]), &ann, &session(), at(NOW))
    }

    fn opened(keys: &KeyRing, token: &str) -> Result<Ticket, TokenError> {
        Ticket::open(&policy(), keys.sealing(), token, &session(), at(NOW))
    }

    #[test]
    fn t18_every_symbol_of_a_ticket_counts_and_so_does_its_key() {
        let (keys, other) = rings();
        let token = claims().encode(&SECOND_STEP, keys.sealing()).unwrap();
        assert_eq!(opened(&keys, &token).unwrap().subject().user().as_str(), "ann");
        for index in 0..token.len() {
            let change = |(place, symbol)| match symbol {
                _ if place != index => symbol,
                'B' => 'C',
                _ => 'B',
            };
            let altered: String = token.chars().enumerate().map(change).collect();
            assert!(opened(&keys, &altered).is_err(), "symbol {index}");
        }
        let forged = claims().encode(&SECOND_STEP, other.sealing()).unwrap();
        assert_eq!(opened(&keys, &forged), Err(TokenError::Invalid), "the same key id, another key");
    }

    /// Each ticket is signed well, so that nothing but the one change refuses it.
    #[test]
    fn t18_a_ticket_of_ours_with_anything_else_in_it_is_refused() {
        let (keys, _) = rings();
        let signed = |alg: &str, typ: &str, claims: &TicketClaims| {
            let header = Header { alg: alg.to_owned(), typ: typ.to_owned(), kid: keys.sealing().newest_kid().to_owned() };
            let key = keys.sealing().newest_subkey(Purpose::Ticket);
            jws::encode(&header, claims, |input| signature(key.bytes(), input).to_vec()).unwrap()
        };
        let (alg, typ) = (ALGORITHM, SECOND_STEP.typ);
        assert!(opened(&keys, &signed(alg, typ, &claims())).is_ok());
        let cases = [
            ("another algorithm", signed("none", typ, &claims())),
            ("another type", signed(alg, SET_UP.typ, &claims())),
            ("another origin", signed(alg, typ, &TicketClaims { iss: "https://other.example".to_owned(), ..claims() })),
            ("another audience", signed(alg, typ, &TicketClaims { aud: SET_UP.audience.to_owned(), ..claims() })),
            ("it ends when it begins", signed(alg, typ, &TicketClaims { iat: at(NOW), exp: at(NOW), ..claims() })),
            ("from the future", signed(alg, typ, &TicketClaims { iat: at(NOW + 61), ..claims() })),
        ];
        for (why, token) in cases {
            assert_eq!(opened(&keys, &token), Err(TokenError::Invalid), "{why}");
        }
        let ahead = signed(alg, typ, &TicketClaims { iat: at(NOW + 60), ..claims() });
        assert!(opened(&keys, &ahead).is_ok(), "clocks may differ by a minute");
        let ended = signed(alg, typ, &TicketClaims { iat: at(NOW - 600), exp: at(NOW), ..claims() });
        assert_eq!(opened(&keys, &ended), Err(TokenError::Expired));
        let other = signed(alg, typ, &TicketClaims { sid: SessionId::new("t").unwrap(), ..claims() });
        assert_eq!(opened(&keys, &other), Err(TokenError::OtherSession));
    }
}
