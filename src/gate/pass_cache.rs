//! The pass cache: passes whose signature was found good, by the digest of the token.
//!
//! There is a fixed number of slots and one slot for each digest. A new pass replaces the pass
//! in its slot. So the size has a bound, nothing has to be tidied up, and a client that sends
//! many passes can at most cost others a signature check. The digest is BLAKE2b-256 (RFC 7693), which
//! is there for Argon2 and in WebAssembly takes a third of the time of SHA-256.

use std::rc::Rc;

use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest};

use super::identity::Identity;

#[derive(Debug)]
pub(super) struct PassCache {
    slots: Vec<Option<(TokenDigest, Rc<Identity>)>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TokenDigest([u8; 32]);

impl TokenDigest {
    pub(super) fn of(token: &str) -> Self {
        Self(Blake2b::<U32>::digest(token.as_bytes()).into())
    }
}

impl PassCache {
    pub(super) fn new(entries: u32) -> Self {
        let mut slots = Vec::new();
        slots.resize_with(usize::try_from(entries).unwrap_or(0), || None);
        Self { slots }
    }

    pub(super) fn find(&self, digest: TokenDigest) -> Option<Rc<Identity>> {
        match self.slots.get(self.slot(digest)?) {
            Some(Some((held, identity))) if *held == digest => Some(Rc::clone(identity)),
            Some(Some(_) | None) | None => None,
        }
    }

    pub(super) fn keep(&mut self, digest: TokenDigest, identity: Identity) -> Rc<Identity> {
        let identity = Rc::new(identity);
        if let Some(slot) = self.slot(digest).and_then(|index| self.slots.get_mut(index)) {
            *slot = Some((digest, Rc::clone(&identity)));
        }
        identity
    }

    fn slot(&self, TokenDigest(bytes): TokenDigest) -> Option<usize> {
        let first = bytes.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes))?;
        usize::try_from(first).ok()?.checked_rem(self.slots.len())
    }
}
