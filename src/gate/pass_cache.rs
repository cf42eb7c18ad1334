//! Passes whose signature was found good, by the digest of the token.
//!
//! A fixed number of slots, one for each digest: a new pass takes its slot, whoever was there.
//! So the size has a bound, nothing has to be tidied up, and who sends many passes can at most
//! cost others a signature check.

use std::rc::Rc;

use sha2::{Digest, Sha256};

use crate::token::Pass;

#[derive(Debug)]
pub(super) struct PassCache {
    slots: Vec<Option<([u8; 32], Rc<Pass>)>>,
}

impl PassCache {
    pub(super) fn new(entries: u32) -> Self {
        let mut slots = Vec::new();
        slots.resize_with(usize::try_from(entries).unwrap_or(0), || None);
        Self { slots }
    }

    pub(super) fn find(&self, token: &str) -> Option<Rc<Pass>> {
        let digest = digest(token);
        match self.slots.get(self.slot(&digest)?) {
            Some(Some((held, pass))) if *held == digest => Some(Rc::clone(pass)),
            Some(Some(_) | None) | None => None,
        }
    }

    pub(super) fn keep(&mut self, token: &str, pass: Pass) -> Rc<Pass> {
        let pass = Rc::new(pass);
        let digest = digest(token);
        if let Some(slot) = self.slot(&digest).and_then(|index| self.slots.get_mut(index)) {
            *slot = Some((digest, Rc::clone(&pass)));
        }
        pass
    }

    fn slot(&self, digest: &[u8; 32]) -> Option<usize> {
        let first = digest.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes))?;
        usize::try_from(first).ok()?.checked_rem(self.slots.len())
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
