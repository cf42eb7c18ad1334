//! Randomness as an argument: a seed of the host's CSPRNG, expanded for one step.
//!
//! There are two streams, each HMAC-SHA-256 under a seed over a counter. Backup and recovery codes and
//! their salts come from the one, all else from the other. A step that lost the race is tried again
//! with a fresh seed, because no nonce may seal two plaintexts; but its codes stay the same, so that
//! their hashes are not computed again. The core has no random source of its own, so that every step
//! can be replayed in a test.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::encoding::to_base64url;
use crate::mac::mac;

/// Random bytes for one step, expanded from seeds of the host's CSPRNG.
///
/// A seed serves one step only: a step that is tried again needs a fresh one.
pub struct Entropy {
    stream: RandomStream,
    codes: RandomStream,
}

impl Entropy {
    /// From 32 bytes of the host's cryptographic random source.
    #[must_use]
    pub const fn new(seed: [u8; 32]) -> Self {
        Self::again(seed, seed)
    }

    /// For a step that is tried again: the codes that it makes are those of `first`, the seed of its
    /// first try; all else comes from `seed`, which is fresh.
    #[must_use]
    pub const fn again(first: [u8; 32], seed: [u8; 32]) -> Self {
        Self { stream: RandomStream::new(seed, b"countersign/entropy"), codes: RandomStream::new(first, b"countersign/codes") }
    }

    /// The next `N` random bytes.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        self.stream.bytes()
    }

    /// A uniform number below `bound` (at most 2³²).
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        self.stream.below(bound)
    }

    /// A random 128-bit identifier in base64url.
    pub(crate) fn id(&mut self) -> String {
        to_base64url(&self.bytes::<16>())
    }

    /// The stream of backup and recovery codes and of their salts.
    pub(crate) const fn codes(&mut self) -> &mut RandomStream {
        &mut self.codes
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy(…)")
    }
}

/// One stream of random bytes.
#[derive(ZeroizeOnDrop)]
pub(crate) struct RandomStream {
    seed: [u8; 32],
    #[zeroize(skip)]
    purpose: &'static [u8],
    counter: u64,
}

impl RandomStream {
    const fn new(seed: [u8; 32], purpose: &'static [u8]) -> Self {
        Self { seed, purpose, counter: 0 }
    }

    /// The next `N` random bytes.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        for chunk in out.chunks_mut(32) {
            let mut block = mac(&self.seed, &[self.purpose, &self.counter.to_be_bytes()]);
            self.counter = self.counter.wrapping_add(1);
            for (to, from) in chunk.iter_mut().zip(block.iter()) {
                *to = *from;
            }
            block.zeroize();
        }
        out
    }

    /// A uniform number below `bound` (at most 2³²), by rejection: no modulo bias.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let bound = u64::from(bound.max(1));
        let zone = u64::MAX.checked_rem(bound).map_or(0, |rest| u64::MAX.saturating_sub(rest));
        loop {
            let candidate = u64::from_be_bytes(self.bytes::<8>());
            if candidate < zone {
                let rest = candidate.checked_rem(bound).unwrap_or(0);
                return u32::try_from(rest).unwrap_or(0);
            }
        }
    }
}
