//! A trusted browser as the record keeps it, and the token in its cookie.
//!
//! A person who has shown an app or phone may trust the browser: it gets a random secret, and the record MACs of it. The secret
//! answers a challenge at login, and is another one after each use.
//!
//! Half of the secret lasts as long as the trust, and half turns at each use. So each earlier secret is known again,
//! however often it turned since: one that comes back was copied. Within half a minute of a use the secret before is that
//! of a second tab, or of a reply that got lost, and is no alarm.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::encoding::{from_base64url, to_base64url};
use crate::entropy::Entropy;
use crate::factor::{FactorId, FactorName, NamedFactor};
use crate::ids::RecordId;
use crate::keys::sealing::{Purpose, SealingRing};
use crate::mac::{is_same, mac};
use crate::policy::{Method, Policy};
use crate::secret_text::SecretText;
use crate::time::{Lifetime, UnixSeconds};

/// Seconds after a use within which the secret before is no alarm.
const GRACE_SECONDS: u64 = 30;
/// Bytes of each half of a secret: 128 random bits.
const HALF: usize = 16;

/// A browser that a person trusts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TrustedBrowser {
    pub(crate) id: FactorId,
    pub(crate) name: FactorName,
    /// The key of the MACs.
    kid: String,
    /// MAC of the half that lasts.
    lasting: String,
    /// MAC of the secret.
    current: String,
    /// MAC of the secret before the last use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<String>,
    /// The method by which it was trusted, `totp` or `sms`.
    pub(crate) method: Method,
    /// The time at which it was trusted: that of the app or phone. Its days are counted from here, and a use adds none.
    pub(crate) added_at: UnixSeconds,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last_used_at: Option<UnixSeconds>,
}

/// The standing of a token that belongs to a trusted browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It has the secret that counts.
    Current,
    /// It has the secret before, and the one that counts is half a minute old at most.
    JustTurned,
    /// It has an earlier secret: there are two copies.
    Copied,
}

impl TrustedBrowser {
    /// Trusts a browser from now on. The token goes into its cookie.
    pub(crate) fn new(
        keys: &SealingRing,
        entropy: &mut Entropy,
        record: &RecordId,
        name: FactorName,
        method: Method,
        now: UnixSeconds,
    ) -> (Self, SecretText) {
        let token = BrowserToken {
            id: FactorId::mint(entropy),
            lasting: Zeroizing::new(entropy.bytes()),
            turning: Zeroizing::new(entropy.bytes()),
        };
        let (lasting, current) = token.newest_macs(keys, record);
        let kid = keys.newest_kid().to_owned();
        let browser = Self { id: token.id.clone(), name, kid, lasting, current, before: None, method, added_at: now, last_used_at: None };
        (browser, token.to_text())
    }

    /// Its id and name.
    pub(crate) fn named(&self) -> NamedFactor {
        NamedFactor { id: self.id.clone(), name: self.name.clone() }
    }

    /// The time of its last use, or of the trust.
    pub(crate) fn last_seen_at(&self) -> UnixSeconds {
        self.last_used_at.unwrap_or(self.added_at)
    }

    /// The time at which the trust ends. `None`: the policy trusts no browser, or not by this method any more.
    pub(crate) fn ends_at(&self, policy: &Policy) -> Option<UnixSeconds> {
        self.lifetime(policy).map(Lifetime::ends_at)
    }

    /// Whether it is trusted now.
    pub(crate) fn is_live(&self, policy: &Policy, now: UnixSeconds) -> bool {
        self.lifetime(policy).is_some_and(|lifetime| lifetime.contains(now))
    }

    fn lifetime(&self, policy: &Policy) -> Option<Lifetime> {
        let seconds = policy.trusted_browser_seconds().filter(|_| policy.offers(self.method))?;
        Some(Lifetime::starting(self.added_at, seconds))
    }

    /// The standing of a token. `None`: it belongs to another browser, or to none. Where the key of the MACs is not in the ring,
    /// no token is recognized: the person shows a code again.
    pub(crate) fn standing(&self, keys: &SealingRing, record: &RecordId, token: &BrowserToken, now: UnixSeconds) -> Option<Standing> {
        let key = keys.subkey(&self.kid, Purpose::TrustedBrowser).ok().filter(|_| token.id == self.id)?;
        let (lasting, current) = token.macs(key.bytes(), record);
        if !is_same(&lasting, &self.lasting) {
            return None;
        }
        let is_before = self.before.as_ref().is_some_and(|before| is_same(&current, before));
        Some(if is_same(&current, &self.current) {
            Standing::Current
        } else if is_before && now.since(self.last_seen_at()) <= GRACE_SECONDS {
            Standing::JustTurned
        } else {
            Standing::Copied
        })
    }

    /// Notes a use, and turns the secret. The MACs move to the newest key.
    pub(crate) fn turn(
        &mut self,
        keys: &SealingRing,
        entropy: &mut Entropy,
        record: &RecordId,
        used: BrowserToken,
        now: UnixSeconds,
    ) -> SecretText {
        let (lasting, before) = used.newest_macs(keys, record);
        let token = BrowserToken { turning: Zeroizing::new(entropy.bytes()), ..used };
        let (_, current) = token.newest_macs(keys, record);
        let kid = keys.newest_kid().to_owned();
        let (id, name) = (self.id.clone(), self.name.clone());
        let (method, added_at) = (self.method, self.added_at);
        *self = Self { id, name, kid, lasting, current, before: Some(before), method, added_at, last_used_at: Some(now) };
        token.to_text()
    }
}

/// The token of a browser: `id.secret`, the secret 32 bytes in base64url.
pub(crate) struct BrowserToken {
    id: FactorId,
    lasting: Zeroizing<[u8; HALF]>,
    turning: Zeroizing<[u8; HALF]>,
}

impl BrowserToken {
    /// Reads a token strictly. `None`: it has not the form of one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.split_once('.')?;
        let (id, secret) = (FactorId::parse(id)?, from_base64url(secret)?);
        let (lasting, turning) = secret.split_first_chunk::<HALF>()?;
        Some(Self { id, lasting: Zeroizing::new(*lasting), turning: Zeroizing::new(turning.try_into().ok()?) })
    }

    fn to_text(&self) -> SecretText {
        let secret = Zeroizing::new([self.lasting.as_slice(), self.turning.as_slice()].concat());
        SecretText(format!("{}.{}", self.id.as_str(), to_base64url(&secret)))
    }

    fn newest_macs(&self, keys: &SealingRing, record: &RecordId) -> (String, String) {
        self.macs(keys.newest_subkey(Purpose::TrustedBrowser).bytes(), record)
    }

    /// The MACs of the half that lasts, and of the whole secret. The record's id is in both, so that they count for no other
    /// user or account.
    fn macs(&self, key: &[u8; 32], record: &RecordId) -> (String, String) {
        let (record, id) = (record.to_bytes(), self.id.as_str().as_bytes());
        let lasting = mac(key, &[record.as_slice(), id, self.lasting.as_slice()]);
        let current = mac(key, &[record.as_slice(), id, self.lasting.as_slice(), self.turning.as_slice()]);
        (to_base64url(&lasting), to_base64url(&current))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_strictly() {
        let id = "A1b2C3d4E5f6";
        let secret = to_base64url(&[7; 32]);
        assert_eq!(BrowserToken::parse(&format!("{id}.{secret}")).unwrap().to_text().0, format!("{id}.{secret}"));
        let (short, long) = (to_base64url(&[7; 31]), to_base64url(&[7; 33]));
        let others = [
            String::new(),
            id.to_owned(),
            secret.clone(),
            format!("{id}.{short}"),
            format!("{id}.{long}"),
            format!("{id}.{secret}="),
            format!("{id}.{secret} "),
            format!(" {id}.{secret}"),
            format!("{id}.{secret}.{secret}"),
            format!("{}.{secret}", id.trim_end_matches('6')),
        ];
        for other in others {
            assert!(BrowserToken::parse(&other).is_none(), "{other}");
        }
    }
}
