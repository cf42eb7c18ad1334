//! Passes: proof that the second factor passed, at a time and by a method.
//!
//! A pass is signed, because others verify it too: any JOSE library by way of the JWK set, and
//! Envoy. It is bound to its account, user and session. It ends when its maker said, and no later than the policy that
//! checks it allows. Its `acr` and `amr` tell its strength: a pass by
//! backup or recovery code is weaker than one by app or SMS. One by a trusted browser is weaker still: it has the time of the
//! app or phone that was shown when the browser was trusted, and opens only under a policy that trusts browsers.

use serde::{Deserialize, Serialize};

use crate::entropy::Entropy;
use crate::epoch::FactorEpoch;
use crate::error::Error;
use crate::factor::FactorId;
use crate::ids::{AccountId, RecordId, SessionId, UserId};
use crate::keys::signing::{SignatureError, SigningRing};
use crate::policy::{Method, Policy};
use crate::restore_epoch::RestoreEpoch;
use crate::time::UnixSeconds;

use super::error::{Flaw, TokenError};
use super::jws::{self, Header, Jws};
use super::strength::{Acr, amr};

/// `typ` of a pass.
const TYPE: &str = "2fa-pass+jwt";

/// A pass that is ours and in time. The caller must still check its subject, its session and its age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    subject: RecordId,
    session: SessionId,
    method: Method,
    /// The app or phone, where it was one.
    factor: Option<FactorId>,
    epoch: FactorEpoch,
    issued_at: UnixSeconds,
    auth_time: UnixSeconds,
    expires_at: UnixSeconds,
}

/// The facts of a second factor that passed.
pub(crate) struct Proven {
    pub(crate) subject: RecordId,
    pub(crate) session: SessionId,
    pub(crate) method: Method,
    pub(crate) factor: Option<FactorId>,
    /// The time at which the factor was shown: now, but for a trusted browser.
    pub(crate) shown_at: UnixSeconds,
    pub(crate) epoch: FactorEpoch,
}

impl Pass {
    /// The pass for a second factor that passes now.
    pub(crate) fn now(policy: &Policy, proven: Proven, now: UnixSeconds) -> Self {
        let Proven { subject, session, method, factor, shown_at, epoch } = proven;
        let end = now.plus(policy.pass_seconds());
        let expires_at = trusted_until(policy, method, shown_at).map_or(end, |until| end.min(until));
        Self { subject, session, method, factor, epoch, issued_at: now, auth_time: shown_at, expires_at }
    }

    /// The same pass in another epoch: for the session that changed the factors. The time of the factor
    /// and the end stay, so that changes do not keep a pass alive or fresh.
    pub(crate) fn in_epoch(self, epoch: FactorEpoch) -> Self {
        Self { epoch, ..self }
    }

    /// Signs it.
    pub(crate) fn sign(&self, policy: &Policy, keys: &SigningRing, entropy: &mut Entropy) -> Result<String, Error> {
        let claims = PassClaims {
            iss: policy.issuer().to_owned(),
            aud: policy.audience().to_owned(),
            account: self.subject.account().cloned(),
            sub: self.subject.user().clone(),
            sid: self.session.clone(),
            iat: self.issued_at,
            exp: self.expires_at,
            auth_time: self.auth_time,
            amr: amr(self.method).iter().map(|&value| value.to_owned()).collect(),
            acr: Acr::of(self.method).as_str().to_owned(),
            second_factor: self.method,
            factor: self.factor.clone(),
            epoch: self.epoch.clone(),
            restore_epoch: keys.restore_epoch(),
            jti: entropy.id(),
        };
        let signer = keys.signer()?;
        let header = Header { alg: signer.algorithm().to_owned(), typ: TYPE.to_owned(), kid: signer.kid().to_owned() };
        jws::encode(&header, &claims, |input| signer.sign(input))
    }

    /// Opens a pass.
    ///
    /// # Errors
    /// A [`TokenError`].
    pub fn open(policy: &Policy, keys: &SigningRing, token: &str, now: UnixSeconds) -> Result<Self, TokenError> {
        Self::examine(policy, keys, token, now).map_err(TokenError::from)
    }

    /// Opens a pass; the error names its flaw.
    pub(crate) fn examine(policy: &Policy, keys: &SigningRing, token: &str, now: UnixSeconds) -> Result<Self, Flaw> {
        let jws = Jws::split(token).map_err(|_| Flaw::Malformed)?;
        if jws.header.typ != TYPE {
            return Err(Flaw::NotAPass);
        }
        let Header { kid, alg, .. } = &jws.header;
        keys.verify(kid, alg, jws.signing_input.as_bytes(), &jws.signature).map_err(|error| match error {
            SignatureError::UnknownKey => Flaw::UnknownKey,
            SignatureError::WrongSignature => Flaw::WrongSignature,
        })?;
        let claims: PassClaims = jws.claims().map_err(|_| Flaw::Malformed)?;
        // The policy may have become stricter, or be another one of the same user.
        let mut expires_at = claims.exp.min(claims.iat.plus(policy.pass_seconds()));
        if let Some(until) = trusted_until(policy, claims.second_factor, claims.auth_time) {
            expires_at = expires_at.min(until);
        }
        let consistent = claims.iat < claims.exp
            && claims.auth_time <= claims.iat
            && claims.factor.is_some() == claims.second_factor.is_own_factor()
            && claims.acr == Acr::of(claims.second_factor).as_str()
            && claims.amr.iter().map(String::as_str).eq(amr(claims.second_factor).iter().copied());
        if claims.iss != policy.issuer() {
            Err(Flaw::OtherOrigin)
        } else if claims.aud != policy.audience() {
            Err(Flaw::OtherAudience)
        } else if jws::is_from_the_future(claims.iat, now) {
            Err(Flaw::FromTheFuture)
        } else if !consistent {
            Err(Flaw::Malformed)
        } else if claims.second_factor == Method::TrustedBrowser && !policy.offers(Method::TrustedBrowser) {
            Err(Flaw::MethodNotAccepted)
        } else if now >= expires_at {
            Err(Flaw::Expired)
        } else if claims.restore_epoch != keys.restore_epoch() {
            Err(Flaw::FromBeforeRestore)
        } else {
            Ok(Self {
                subject: RecordId::new(claims.account, claims.sub),
                session: claims.sid,
                method: claims.second_factor,
                factor: claims.factor,
                epoch: claims.epoch,
                issued_at: claims.iat,
                auth_time: claims.auth_time,
                expires_at,
            })
        }
    }

    /// Whether a token claims to be a pass. Nothing is verified.
    pub(crate) fn claims_to_be(token: &str) -> bool {
        jws::claimed_type(token).is_some_and(|typ| typ == TYPE)
    }

    /// Checks the pass against the user, in the account, and the session that bring it.
    ///
    /// # Errors
    /// [`TokenError::OtherAccount`], [`TokenError::OtherUser`] or [`TokenError::OtherSession`].
    pub fn of(self, subject: &RecordId, session: &SessionId) -> Result<Self, TokenError> {
        if self.subject.account() != subject.account() {
            Err(TokenError::OtherAccount)
        } else if self.subject.user() != subject.user() {
            Err(TokenError::OtherUser)
        } else if self.session != *session {
            Err(TokenError::OtherSession)
        } else {
            Ok(self)
        }
    }

    /// The user whose second factor passed, and the account.
    #[must_use]
    pub const fn subject(&self) -> &RecordId {
        &self.subject
    }

    /// The session it is bound to.
    #[must_use]
    pub const fn session(&self) -> &SessionId {
        &self.session
    }

    /// The method of the second factor.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.method
    }

    /// The app or phone by which it was made, where it was one.
    #[must_use]
    pub const fn factor(&self) -> Option<&FactorId> {
        self.factor.as_ref()
    }

    /// The factor epoch in which it was made.
    #[must_use]
    pub const fn epoch(&self) -> &FactorEpoch {
        &self.epoch
    }

    /// The time at which it was made.
    pub(crate) const fn issued_at(&self) -> UnixSeconds {
        self.issued_at
    }

    /// The time at which the factor was shown; for a trusted browser, that of the app or phone by which it was trusted.
    #[must_use]
    pub const fn auth_time(&self) -> UnixSeconds {
        self.auth_time
    }

    /// The time at which the pass ends: its own end, or an earlier one by the policy that checked it.
    #[must_use]
    pub const fn expires_at(&self) -> UnixSeconds {
        self.expires_at
    }

    /// Whether it says that it was made later than now. A pass that was opened before the clock was set back does.
    pub(crate) fn is_from_the_future(&self, now: UnixSeconds) -> bool {
        jws::is_from_the_future(self.issued_at, now)
    }

    /// Its strength, as in the `acr` claim.
    #[must_use]
    pub const fn acr(&self) -> &'static str {
        Acr::of(self.method).as_str()
    }
}

/// The end of the trust by which a pass was made, where it was made by a trusted browser and the policy trusts browsers.
fn trusted_until(policy: &Policy, method: Method, shown_at: UnixSeconds) -> Option<UnixSeconds> {
    let seconds = policy.trusted_browser_seconds().filter(|_| method == Method::TrustedBrowser)?;
    Some(shown_at.plus(seconds))
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PassClaims {
    iss: String,
    aud: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<AccountId>,
    sub: UserId,
    sid: SessionId,
    iat: UnixSeconds,
    exp: UnixSeconds,
    auth_time: UnixSeconds,
    amr: Vec<String>,
    acr: String,
    second_factor: Method,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    factor: Option<FactorId>,
    epoch: FactorEpoch,
    /// Absent in the first one.
    #[serde(default, skip_serializing_if = "RestoreEpoch::is_first")]
    restore_epoch: RestoreEpoch,
    jti: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T10: a code in the place of a factor gives a weaker pass.
    #[test]
    fn t10_a_pass_tells_its_strength_by_its_method() {
        let policy = Policy::parse(r#"{"v": 1, "name": "Acme", "origin": "https://acme.example"}"#).unwrap();
        let acr = |method| {
            let (subject, session) = (RecordId::from(UserId::new("ann").unwrap()), SessionId::new("s").unwrap());
            let proven = Proven { subject, session, method, factor: None, shown_at: UnixSeconds::EPOCH, epoch: FactorEpoch::FIRST };
            Pass::now(&policy, proven, UnixSeconds::EPOCH).acr()
        };
        assert_eq!([Method::Totp, Method::Sms].map(acr), ["urn:countersign:acr:2fa"; 2]);
        assert_eq!([Method::BackupCode, Method::RecoveryCode].map(acr), ["urn:countersign:acr:backup", "urn:countersign:acr:recovery"]);
        assert_eq!(acr(Method::TrustedBrowser), "urn:countersign:acr:trusted-browser");
    }
}
