//! Randomness as an argument: one seed of the host's CSPRNG, expanded for one step.
//!
//! The stream is HMAC-SHA-256 under the seed over a counter. The core has no random source of its
//! own, so that every step can be replayed in a test.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::encoding::to_base64url;
use crate::mac::mac;

/// Random bytes for one step, expanded from a 32-byte seed out of the host's CSPRNG.
///
/// A seed serves one step only: a step that is tried again needs a fresh one.
#[derive(ZeroizeOnDrop)]
pub struct Entropy {
    seed: [u8; 32],
    counter: u64,
}

impl Entropy {
    /// From 32 bytes of the host's cryptographic random source.
    #[must_use]
    pub const fn new(seed: [u8; 32]) -> Self {
        Self { seed, counter: 0 }
    }

    /// The next `N` random bytes.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        for chunk in out.chunks_mut(32) {
            let mut block = mac(&self.seed, &[b"countersign/entropy", &self.counter.to_be_bytes()]);
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

    /// A random 128-bit identifier in base64url.
    pub(crate) fn id(&mut self) -> String {
        to_base64url(&self.bytes::<16>())
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy(…)")
    }
}
