//! The pass cache: passes whose signature was found good, by the digest of the token.
//!
//! There is a fixed number of slots and one slot for each digest. A new pass replaces the pass
//! in its slot. So the size has a bound, nothing has to be tidied up, and a client that sends
//! many passes can at most cost others a signature check. The digest is over the whole token. It is BLAKE2b-256 (RFC 7693), which
//! is there for Argon2 and in WebAssembly takes a third of the time of SHA-256.
//!
//! A cache belongs to one policy and one key ring: where they change, another cache begins empty.

use core::cell::RefCell;
use core::fmt;
use std::rc::Rc;

use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest};

use crate::keys::signing::SigningRing;
use crate::policy::Policy;
use crate::time::UnixSeconds;

use super::error::{Flaw, TokenError};
use super::pass::Pass;

/// A value for each pass that was found good.
#[derive(Debug)]
pub(crate) struct PassCache<T> {
    entries: usize,
    /// None until the first pass is kept.
    slots: Vec<Option<(TokenDigest, Rc<T>)>>,
}

/// The digest of a whole token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TokenDigest([u8; 32]);

impl TokenDigest {
    pub(crate) fn of(token: &str) -> Self {
        Self(Blake2b::<U32>::digest(token.as_bytes()).into())
    }
}

impl<T> PassCache<T> {
    pub(crate) fn new(entries: u32) -> Self {
        Self { entries: usize::try_from(entries).unwrap_or(0), slots: Vec::new() }
    }

    pub(crate) fn find(&self, digest: TokenDigest) -> Option<Rc<T>> {
        match self.slots.get(self.slot(digest)?) {
            Some(Some((held, value))) if *held == digest => Some(Rc::clone(value)),
            Some(Some(_) | None) | None => None,
        }
    }

    pub(crate) fn keep(&mut self, digest: TokenDigest, value: T) -> Rc<T> {
        let value = Rc::new(value);
        if self.slots.is_empty() {
            self.slots.resize_with(self.entries, || None);
        }
        if let Some(slot) = self.slot(digest).and_then(|index| self.slots.get_mut(index)) {
            *slot = Some((digest, Rc::clone(&value)));
        }
        value
    }

    fn slot(&self, TokenDigest(bytes): TokenDigest) -> Option<usize> {
        let first = bytes.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes))?;
        usize::try_from(first).ok()?.checked_rem(self.entries)
    }
}

/// Passes that were opened before, under one policy and one key ring. It spares the signature and nothing else.
pub struct KnownPasses(RefCell<PassCache<Pass>>);

impl KnownPasses {
    /// Room for so many passes.
    #[must_use]
    pub fn new(entries: u32) -> Self {
        Self(RefCell::new(PassCache::new(entries)))
    }

    /// Opens a pass as [`Pass::open`] does. `policy` and `keys` must be those of all calls before.
    ///
    /// # Errors
    /// A [`TokenError`].
    pub fn open(&self, policy: &Policy, keys: &SigningRing, token: &str, now: UnixSeconds) -> Result<Pass, TokenError> {
        let digest = TokenDigest::of(token);
        let known = self.0.borrow().find(digest);
        let pass = match known {
            Some(pass) => pass,
            None => {
                let opened = Pass::open(policy, keys, token, now)?;
                self.0.borrow_mut().keep(digest, opened)
            }
        };
        // The order of `Pass::examine`, so that the cache changes no reason.
        if pass.is_from_the_future(now) {
            Err(Flaw::FromTheFuture.into())
        } else if now >= pass.expires_at() {
            Err(Flaw::Expired.into())
        } else {
            Ok(Pass::clone(&pass))
        }
    }
}

impl fmt::Debug for KnownPasses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KnownPasses(…)")
    }
}

#[cfg(test)]
mod tests {
    use crate::entropy::Entropy;
    use crate::epoch::FactorEpoch;
    use crate::ids::{RecordId, SessionId, UserId};
    use crate::keys::KeyRing;
    use crate::policy::Method;
    use crate::token::Proven;

    use super::*;

    const START: u64 = 1_800_000_000;

    fn at(seconds: u64) -> UnixSeconds {
        UnixSeconds::new(START).unwrap().plus(seconds)
    }

    fn policy() -> Policy {
        Policy::parse(r#"{"v": 1, "name": "Acme", "origin": "https://acme.example", "passSeconds": 600}"#).unwrap()
    }

    fn keys(name: &str) -> KeyRing {
        let secret = crate::encoding::to_base64url(&[7; 32]);
        let secret = format!(r#"{{"kid": "s", "secret": "{secret}"}}"#);
        let signing = crate::encoding::to_base64url(&crate::mac::mac(&[1; 32], &[name.as_bytes()]));
        KeyRing::parse(&format!(r#"{{"v": 1, "sealing": [{secret}], "signing": [{{"kid": "p", "alg": "EdDSA", "secret": "{signing}"}}]}}"#))
            .unwrap()
    }

    fn pass(keys: &KeyRing, user: &str) -> String {
        let (subject, session) = (RecordId::from(UserId::new(user).unwrap()), SessionId::new("s").unwrap());
        let proven = Proven { subject, session, method: Method::BackupCode, factor: None, shown_at: at(0), epoch: FactorEpoch::FIRST };
        Pass::now(&policy(), proven, at(0))
            .sign(&policy(), keys.signing(), &mut Entropy::new([u8::try_from(user.len()).unwrap(); 32]))
            .unwrap()
    }

    #[test]
    fn a_known_pass_is_judged_by_the_time_again() {
        let (policy, keys, known) = (policy(), keys("one"), KnownPasses::new(8));
        let token = pass(&keys, "ann");
        for (seconds, expected) in [(1, None), (599, None), (600, Some(TokenError::Expired)), (1, None)] {
            let opened = known.open(&policy, keys.signing(), &token, at(seconds));
            assert_eq!(opened.as_ref().err(), expected.as_ref(), "after {seconds} s");
            assert_eq!(opened, Pass::open(&policy, keys.signing(), &token, at(seconds)));
        }
        let before = UnixSeconds::new(START - 61).unwrap();
        assert_eq!(known.open(&policy, keys.signing(), &token, before), Err(TokenError::Invalid), "the clock was set back");
    }

    #[test]
    fn a_token_with_another_byte_is_not_known() {
        let (policy, keys, known) = (policy(), keys("one"), KnownPasses::new(8));
        let token = pass(&keys, "ann");
        assert!(known.open(&policy, keys.signing(), &token, at(1)).is_ok());
        for index in 0..token.len() {
            let mut other = token.clone().into_bytes();
            other[index] = if other[index] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            assert_eq!(known.open(&policy, keys.signing(), &other, at(1)), Err(TokenError::Invalid), "byte {index}");
        }
        for other in [format!("{token} "), format!("{token}A"), token.strip_suffix(|_: char| true).unwrap().to_owned()] {
            assert_eq!(known.open(&policy, keys.signing(), &other, at(1)), Err(TokenError::Invalid));
        }
    }

    #[test]
    fn the_number_of_known_passes_has_a_bound() {
        let (policy, keys, known) = (policy(), keys("one"), KnownPasses::new(4));
        for length in 1..=40 {
            let token = pass(&keys, &"u".repeat(length));
            assert!(known.open(&policy, keys.signing(), &token, at(1)).is_ok());
        }
        let held = known.0.borrow().slots.iter().flatten().count();
        assert!((1..=4).contains(&held), "{held}");
        let none = KnownPasses::new(0);
        assert!(none.open(&policy, keys.signing(), &pass(&keys, "ann"), at(1)).is_ok());
        assert!(none.0.borrow().slots.is_empty());
    }

    #[test]
    fn a_refused_pass_is_not_kept() {
        let (policy, keys, known) = (policy(), keys("one"), KnownPasses::new(4));
        let foreign = pass(&self::keys("other"), "ann");
        assert_eq!(known.open(&policy, keys.signing(), &foreign, at(1)), Err(TokenError::Invalid));
        assert!(known.0.borrow().slots.is_empty());
    }
}
