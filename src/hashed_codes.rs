//! Sets of hashed codes: the form in which backup and recovery codes are stored, and found again.
//!
//! Each code is stored as Argon2id (RFC 9106), with its own salt, over an HMAC of the code under a
//! pepper that the database does not hold. The tag of a typed code picks the slot, so that an
//! attempt costs exactly one hash, whether or not a slot matches.
//!
//! A hash takes tens of milliseconds, so it may be computed elsewhere, such as in another thread. A run
//! asks `Hashes` for each hash: either it is computed at once, or it is looked up among finished ones,
//! and is noted as a [`HashJob`] where it is missing. A run in which one was missing has no outcome; it
//! is made again with the finished hashes. A job is a cost, an HMAC and a salt. It names no user, and
//! neither code nor key can be read from it.

use core::convert::Infallible;
use core::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::ZeroizeOnDrop;

use crate::encoding::{from_base64url, to_base64url};
use crate::entropy::Entropy;
use crate::error::{Error, ErrorCode};
use crate::ids::RecordId;
use crate::json::{from_json, to_json};
use crate::keys::sealing::{Purpose, SealingRing};
use crate::mac::mac;
use crate::time::UnixSeconds;
use crate::typed_code::{ALPHABET, LongCode};

/// The kind of a long code. It goes into the hash, so that a backup code is never a recovery code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LongCodeKind {
    Backup,
    Recovery,
}

impl LongCodeKind {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Backup => b"backup",
            Self::Recovery => b"recovery",
        }
    }
}

/// Cost of Argon2id (RFC 9106 §3.1).
///
/// It is at least as strong as the settings that OWASP lists: `memory_kib` × `passes` ≥ 35,840 and
/// `memory_kib` ≥ 7,168.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, try_from = "RawCost", into = "RawCost")]
pub struct HashCost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCost {
    m: u32,
    t: u32,
    p: u32,
}

impl HashCost {
    /// OWASP's minimum: 19 MiB, two passes, one lane.
    pub const DEFAULT: Self = Self { memory_kib: 19_456, passes: 2, lanes: 1 };

    /// A cost: memory 7,168 to 262,144 KiB, passes 1 to 16, lanes 1 to 4.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidInput`] when out of range or weaker than OWASP's minimum.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, Error> {
        let error = |path: &str, message: &str| Err(Error::new(ErrorCode::InvalidInput, path, message));
        if !(7_168..=262_144).contains(&memory_kib) {
            return error("memoryKib", "must be 7168 to 262144");
        }
        if !(1..=16).contains(&passes) {
            return error("passes", "must be 1 to 16");
        }
        if !(1..=4).contains(&lanes) {
            return error("lanes", "must be 1 to 4");
        }
        if memory_kib.saturating_mul(passes) < 35_840 {
            return error("passes", "memoryKib × passes must be at least 35840");
        }
        Ok(Self { memory_kib, passes, lanes })
    }
}

impl TryFrom<RawCost> for HashCost {
    type Error = Error;

    fn try_from(raw: RawCost) -> Result<Self, Error> {
        Self::new(raw.m, raw.t, raw.p)
    }
}

impl From<HashCost> for RawCost {
    fn from(cost: HashCost) -> Self {
        Self { m: cost.memory_kib, t: cost.passes, p: cost.lanes }
    }
}

/// One Argon2id hash to compute.
///
/// [`compute`](Self::compute) is the work; a host with threads does it there.
#[derive(Clone, PartialEq, Eq, ZeroizeOnDrop)]
pub struct HashJob {
    #[zeroize(skip)]
    cost: HashCost,
    hmac: [u8; 32],
    salt: [u8; 16],
}

impl HashJob {
    /// Length of a job as bytes.
    pub const BYTES: usize = 60;

    /// Computes the hash.
    #[must_use]
    pub fn compute(self) -> FinishedHash {
        #[cfg(test)]
        tests::HASHES.with(|count| count.set(count.get().saturating_add(1)));
        let HashCost { memory_kib, passes, lanes } = self.cost;
        // The model of the rules needs a hundred thousand hashes. Only the unit tests of this crate can make them cheap.
        #[cfg(test)]
        let (memory_kib, passes, lanes) = if tests::CHEAP.get() { (8, 1, 1) } else { (memory_kib, passes, lanes) };
        let mut hash = [0; 32];
        #[expect(clippy::expect_used, reason = "`new` admits only costs that Argon2 accepts; lengths are constant")]
        Params::new(memory_kib, passes, lanes, Some(32))
            .and_then(|params| {
                Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(&self.hmac, &self.salt, &mut hash)
            })
            .expect("valid cost");
        FinishedHash { job: self, hash }
    }

    /// The job as bytes, for a worker that is not Rust: memory in KiB, passes and lanes, each 32 bits
    /// with the lowest byte first, the 32-byte HMAC, the 16-byte salt.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let HashCost { memory_kib, passes, lanes } = self.cost;
        let numbers = [memory_kib, passes, lanes].into_iter().flat_map(u32::to_le_bytes);
        let mut bytes = [0; Self::BYTES];
        for (to, from) in bytes.iter_mut().zip(numbers.chain(self.hmac).chain(self.salt)) {
            *to = from;
        }
        bytes
    }

    /// Reads a job from bytes.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidInput`] when they have another length, or the cost is out of range.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let parts = bytes.split_at_checked(12).and_then(|(numbers, rest)| {
            let (hmac, salt) = rest.split_at_checked(32)?;
            Some((numbers, hmac.try_into().ok()?, salt.try_into().ok()?))
        });
        let (numbers, hmac, salt) =
            parts.ok_or_else(|| Error::new(ErrorCode::InvalidInput, "job", "must be the 60 bytes of a hash job"))?;
        let mut numbers = numbers.as_chunks::<4>().0.iter().map(|number| u32::from_le_bytes(*number));
        let mut next = || numbers.next().unwrap_or(0);
        let cost = HashCost::new(next(), next(), next())?;
        Ok(Self { cost, hmac, salt })
    }

    /// The job with a hash that was computed elsewhere.
    #[must_use]
    pub const fn finished(self, hash: [u8; 32]) -> FinishedHash {
        FinishedHash { job: self, hash }
    }
}

impl fmt::Debug for HashJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashJob(…)")
    }
}

/// A hash job with its hash.
#[derive(Clone, PartialEq, Eq, ZeroizeOnDrop)]
pub struct FinishedHash {
    job: HashJob,
    hash: [u8; 32],
}

impl FinishedHash {
    /// The hash.
    #[must_use]
    pub const fn hash(&self) -> &[u8; 32] {
        &self.hash
    }
}

impl fmt::Debug for FinishedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FinishedHash(…)")
    }
}

/// The source of the hashes of one run.
pub(crate) trait Hashes {
    /// The value in place of an outcome, where a hash was missing.
    type Missing
    where
        Self: Sized;

    /// The hash of a job; `None` where it is missing. The run may then go on in any way, because nothing of it is kept.
    fn hash(&mut self, job: HashJob) -> Option<[u8; 32]>;

    /// Ends the run, with the proof that no hash was missing.
    fn end(self) -> Result<AllHashed, Self::Missing>
    where
        Self: Sized;
}

/// Proof that no hash was missing in a run. An outcome is not made without it.
pub(crate) struct AllHashed(());

/// Computes each hash at once.
pub(crate) struct Inline;

impl Hashes for Inline {
    type Missing = Infallible;

    fn hash(&mut self, job: HashJob) -> Option<[u8; 32]> {
        Some(job.compute().hash)
    }

    fn end(self) -> Result<AllHashed, Infallible> {
        Ok(AllHashed(()))
    }
}

/// Looks each hash up, and notes the jobs whose hashes are not there.
pub(crate) struct Lookup<'a> {
    finished: &'a [FinishedHash],
    missing: Vec<HashJob>,
}

impl<'a> Lookup<'a> {
    pub(crate) const fn among(finished: &'a [FinishedHash]) -> Self {
        Self { finished, missing: Vec::new() }
    }
}

impl Hashes for Lookup<'_> {
    type Missing = Vec<HashJob>;

    fn hash(&mut self, job: HashJob) -> Option<[u8; 32]> {
        let known = self.finished.iter().find(|finished| finished.job == job).map(|finished| finished.hash);
        if known.is_none() {
            self.missing.push(job);
        }
        known
    }

    fn end(self) -> Result<AllHashed, Vec<HashJob>> {
        if self.missing.is_empty() { Ok(AllHashed(())) } else { Err(self.missing) }
    }
}

/// One stored long code: tag, salt and hash; nothing from which the code can be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Slot {
    tag: char,
    salt: String,
    hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) used_at: Option<UnixSeconds>,
}

/// A set of stored long codes made together: the ten backup codes, or one recovery code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CodeSet {
    kid: String,
    cost: HashCost,
    pub(crate) slots: Vec<Slot>,
}

impl CodeSet {
    /// Mints `count` codes (1 to 32) for one user. The codes are returned once and kept nowhere.
    pub(crate) fn mint(
        keys: &SealingRing,
        entropy: &mut Entropy,
        id: &RecordId,
        kind: LongCodeKind,
        cost: HashCost,
        count: u8,
        hashes: &mut dyn Hashes,
    ) -> (Self, Vec<LongCode>) {
        let random = entropy.codes();
        let pepper = keys.newest_subkey(Purpose::Pepper);
        let mut tags: Vec<char> = ALPHABET.iter().copied().map(char::from).collect();
        let mut slots = Vec::new();
        let mut codes = Vec::new();
        for _ in 0..count.min(32) {
            let pick = usize::try_from(random.below(u32::try_from(tags.len()).unwrap_or(1))).unwrap_or(0);
            let code = LongCode::mint(random, tags.swap_remove(pick));
            let salt = random.bytes::<16>();
            let job = HashJob { cost, hmac: peppered(pepper.bytes(), id, kind, &code), salt };
            let hash = hashes.hash(job).unwrap_or_default();
            slots.push(Slot { tag: code.tag(), salt: to_base64url(&salt), hash: to_base64url(&hash), used_at: None });
            codes.push(code);
        }
        (Self { kid: keys.newest_kid().to_owned(), cost, slots }, codes)
    }

    /// The index of the unused slot that this code matches. Hashes exactly once, found or not.
    pub(crate) fn find(
        &self,
        keys: &SealingRing,
        id: &RecordId,
        kind: LongCodeKind,
        code: &LongCode,
        hashes: &mut dyn Hashes,
    ) -> Result<Option<usize>, Error> {
        let pepper = keys.subkey(&self.kid, Purpose::Pepper)?;
        let slot = self.slots.iter().enumerate().find(|(_, slot)| slot.tag == code.tag() && slot.used_at.is_none());
        let stored = slot.and_then(|(_, slot)| Some((fixed::<16>(&slot.salt)?, fixed::<32>(&slot.hash)?)));
        // A dummy salt for an unknown tag: the same work, so time tells nothing.
        let (salt, hash) = stored.unwrap_or(([0; 16], [0; 32]));
        let job = HashJob { cost: self.cost, hmac: peppered(pepper.bytes(), id, kind, code), salt };
        let Some(typed) = hashes.hash(job) else { return Ok(None) };
        let same = typed.ct_eq(&hash);
        Ok(if bool::from(same) && stored.is_some() { slot.map(|(index, _)| index) } else { None })
    }

    /// The name of the key that peppered the set.
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// Number of codes that are not used yet.
    pub(crate) fn left(&self) -> usize {
        self.slots.iter().filter(|slot| slot.used_at.is_none()).count()
    }
}

fn peppered(pepper: &[u8; 32], id: &RecordId, kind: LongCodeKind, code: &LongCode) -> [u8; 32] {
    mac(pepper, &[&id.to_bytes(), kind.label(), code.as_str().as_bytes()])
}

fn fixed<const N: usize>(text: &str) -> Option<[u8; N]> {
    from_base64url(text)?.as_slice().try_into().ok()
}

/// Backup codes on their own, for a host that has rules of its own for everything else.
///
/// Such a set has no attempt budget: count attempts, and store the set that [`spend`](Self::spend)
/// returns by compare-and-set before letting anyone in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupSet(CodeSet);

impl BackupSet {
    /// Mints `count` codes (1 to 20) for a user; returns the set to store and the codes to show.
    #[must_use]
    pub fn mint(keys: &SealingRing, entropy: &mut Entropy, id: &RecordId, cost: HashCost, count: u8) -> (Self, Vec<String>) {
        let (set, codes) = CodeSet::mint(keys, entropy, id, LongCodeKind::Backup, cost, count.clamp(1, 20), &mut Inline);
        (Self(set), codes.iter().map(LongCode::grouped).collect())
    }

    /// Reads a stored set.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidRecord`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        from_json(text, ErrorCode::InvalidRecord).map(Self).map_err(|error| error.within("stored"))
    }

    /// The text to store: tags, salts and hashes.
    #[must_use]
    pub fn to_text(&self) -> String {
        to_json(&self.0)
    }

    /// The set with this code used up; `None` when the code is wrong or used already.
    ///
    /// # Errors
    /// [`ErrorCode::KeyMissing`] when the key that peppered the set is not in the ring.
    pub fn spend(&self, keys: &SealingRing, id: &RecordId, typed: &str, now: UnixSeconds) -> Result<Option<Self>, Error> {
        let Some(code) = LongCode::parse(typed) else { return Ok(None) };
        let found = self.0.find(keys, id, LongCodeKind::Backup, &code, &mut Inline)?;
        Ok(found.map(|index| {
            let mut next = self.clone();
            if let Some(slot) = next.0.slots.get_mut(index) {
                slot.used_at = Some(now);
            }
            next
        }))
    }
}

#[cfg(test)]
pub(crate) use tests::{hashes_of, make_hashes_cheap};

#[cfg(test)]
mod tests {
    use core::cell::Cell;

    use crate::restore_epoch::RestoreEpoch;

    use super::*;
    use crate::ids::{AccountId, UserId};
    use crate::keys::SealingKey;

    thread_local! {
        pub(super) static HASHES: Cell<u32> = const { Cell::new(0) };
        pub(super) static CHEAP: Cell<bool> = const { Cell::new(false) };
    }

    /// From now on, hashes of this thread cost next to nothing.
    pub(crate) fn make_hashes_cheap() {
        CHEAP.set(true);
    }

    /// The number of hashes that are computed in this thread by a run.
    pub(crate) fn hashes_of(run: impl FnOnce()) -> u32 {
        let before = HASHES.get();
        run();
        HASHES.get().wrapping_sub(before)
    }

    #[test]
    fn t31_an_attempt_costs_one_hash_whether_or_not_a_slot_matches() {
        let secret = to_base64url(&[1; 32]);
        let keys = SealingRing::parse(&[SealingKey { kid: "k".to_owned(), secret }], RestoreEpoch::FIRST).unwrap();
        let ann = RecordId::from(UserId::new("ann").unwrap());
        let (mut set, codes) =
            CodeSet::mint(&keys, &mut Entropy::new([2; 32]), &ann, LongCodeKind::Backup, HashCost::DEFAULT, 3, &mut Inline);
        set.slots[1].used_at = Some(UnixSeconds::EPOCH);
        let unused_tag = ALPHABET.iter().map(|b| char::from(*b)).find(|tag| codes.iter().all(|code| code.tag() != *tag)).unwrap();
        let wrong = LongCode::parse(&format!("{}{}", codes[0].tag(), "0".repeat(15))).unwrap();
        let unknown = LongCode::parse(&format!("{unused_tag}{}", "0".repeat(15))).unwrap();
        for (code, expected) in [(&codes[0], Some(0)), (&codes[1], None), (&wrong, None), (&unknown, None)] {
            HASHES.set(0);
            assert_eq!(set.find(&keys, &ann, LongCodeKind::Backup, code, &mut Inline).unwrap(), expected);
            assert_eq!(HASHES.get(), 1);
        }
        assert_eq!(set.find(&keys, &ann, LongCodeKind::Recovery, &codes[0], &mut Inline).unwrap(), None, "another kind");
        let bob = ann.with_user(UserId::new("bob").unwrap());
        assert_eq!(set.find(&keys, &bob, LongCodeKind::Backup, &codes[0], &mut Inline).unwrap(), None, "another user");
        let elsewhere = RecordId::in_account(AccountId::new("acme").unwrap(), ann.user().clone());
        assert_eq!(set.find(&keys, &elsewhere, LongCodeKind::Backup, &codes[0], &mut Inline).unwrap(), None, "another account");
    }
}
