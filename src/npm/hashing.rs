//! Argon2id on its own, in numbers only, so that a worker calls it in an instance of its own without
//! the glue of wasm-bindgen, and needs none of its imports.

use wasm_bindgen::prelude::*;

use crate::hashed_codes::HashJob;

/// A finished hash, read out word by word.
#[wasm_bindgen]
pub struct HashWords([u8; 32]);

#[wasm_bindgen]
impl HashWords {
    /// Eight bytes of the hash, the lowest first; `index` is 0 to 3.
    pub fn word(&self, index: usize) -> u64 {
        let (words, _) = self.0.as_chunks::<8>();
        words.get(index).map_or(0, |word| u64::from_le_bytes(*word))
    }
}

/// The bytes of a hash job, in words of eight, the lowest byte first; the last word has four.
#[wasm_bindgen]
#[expect(clippy::too_many_arguments, reason = "numbers are all that a worker without glue can hand over")]
pub fn argon2id(w0: u64, w1: u64, w2: u64, w3: u64, w4: u64, w5: u64, w6: u64, w7: u64) -> Option<HashWords> {
    let words = [w0, w1, w2, w3, w4, w5, w6, w7].map(u64::to_le_bytes);
    let bytes = words.as_flattened().get(..HashJob::BYTES)?;
    Some(HashWords(*HashJob::from_bytes(bytes).ok()?.compute().hash()))
}
