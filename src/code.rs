//! Codes that people type: digits from a phone, and the 16 symbols of backup and recovery codes.
//!
//! What a person types is brought to one canonical form *before* anything is compared, counted
//! or remembered: white space and hyphens go, case folds. Only ASCII digits are digits.
//!
//! A long code is 16 Crockford base32 symbols in four groups. The first symbol is a slot tag,
//! unique within its set and stored in clear; the other 15 carry 75 random bits. Each code is
//! stored as Argon2id (RFC 9106), with its own salt, over an HMAC of the code under a pepper that
//! the database does not hold. The tag picks the slot, so an attempt costs exactly one hash.

use core::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use serde::Serialize;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::error::{Error, ErrorCode};
use crate::json::{FromJson, from_json};
use crate::secret::{Entropy, Purpose, SealingRing, from_base64url, mac, to_base64url};
use crate::time::UnixSeconds;

/// Longest text taken for a code, in bytes. Anything longer is malformed without a look.
const MAX_TYPED: usize = 64;

/// A code of 6 to 8 ASCII digits, leading zeros included.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Digits(String);

impl Digits {
    /// Reads what a person typed; `None` unless it is exactly `length` digits once white space
    /// and hyphens are gone.
    #[must_use]
    pub fn parse(typed: &str, length: u8) -> Option<Self> {
        let text = canonical(typed)?;
        (text.len() == usize::from(length) && text.bytes().all(|b| b.is_ascii_digit())).then_some(Self(text))
    }

    /// A uniformly random code.
    pub(crate) fn mint(entropy: &mut Entropy, length: u8) -> Self {
        let bound = 10_u32.saturating_pow(u32::from(length));
        let width = usize::from(length);
        Self(format!("{:0width$}", entropy.below(bound)))
    }

    /// The digits. A live code: show it to its owner only.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digits(…)")
    }
}

/// Crockford's alphabet: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A backup or recovery code in canonical form: 16 symbols of Crockford base32.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct LongCode(String);

impl LongCode {
    /// Reads what a person typed: any case, `I` and `L` as 1, `O` as 0, with or without hyphens
    /// and spaces. `None` unless 16 symbols remain.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        let text: String = canonical(typed)?
            .chars()
            .map(|c| match c.to_ascii_uppercase() {
                'I' | 'L' => '1',
                'O' => '0',
                other => other,
            })
            .collect();
        (text.len() == 16 && text.bytes().all(|b| ALPHABET.contains(&b))).then_some(Self(text))
    }

    fn mint(entropy: &mut Entropy, tag: char) -> Self {
        let mut text = String::with_capacity(16);
        text.push(tag);
        let mut random = entropy.bytes::<15>();
        // 32 symbols divide a byte's range evenly: no bias.
        text.extend(random.iter().map(|byte| symbol(u32::from(*byte))));
        random.zeroize();
        Self(text)
    }

    /// The slot tag: the first symbol.
    fn tag(&self) -> char {
        self.0.chars().next().unwrap_or('0')
    }

    /// The form for people: `XXXX-XXXX-XXXX-XXXX`.
    #[must_use]
    pub fn grouped(&self) -> String {
        group(&self.0, '-')
    }
}

impl fmt::Debug for LongCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LongCode(…)")
    }
}

/// Splits text into groups of four.
pub(crate) fn group(text: &str, separator: char) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(text.len() / 4));
    for (index, c) in text.chars().enumerate() {
        if index > 0 && index.is_multiple_of(4) {
            out.push(separator);
        }
        out.push(c);
    }
    out
}

/// What a long code is for. It goes into the hash, so a backup code is never a recovery code.
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
/// At least what OWASP lists as equal: `memory_kib` × `passes` ≥ 35,840 and `memory_kib` ≥ 7,168.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, FromJson)]
#[serde(deny_unknown_fields, try_from = "RawCost", into = "RawCost")]
pub struct HashCost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

#[derive(Serialize, FromJson)]
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

    fn hash(self, password: &[u8; 32], salt: &[u8; 16]) -> [u8; 32] {
        #[cfg(test)]
        tests::HASHES.with(|count| count.set(count.get().saturating_add(1)));
        let mut out = [0; 32];
        #[expect(clippy::expect_used, reason = "`new` admits only costs that Argon2 accepts; lengths are constant")]
        Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
            .and_then(|params| Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(password, salt, &mut out))
            .expect("valid cost");
        out
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

/// One stored long code: tag, salt and hash; nothing from which the code can be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromJson)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Slot {
    tag: char,
    salt: String,
    hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) used_at: Option<UnixSeconds>,
}

/// A set of stored long codes made together: the ten backup codes, or one recovery code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromJson)]
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
        user: &str,
        kind: LongCodeKind,
        cost: HashCost,
        count: u8,
    ) -> (Self, Vec<LongCode>) {
        let pepper = keys.newest_subkey(Purpose::Pepper);
        let mut tags: Vec<char> = ALPHABET.iter().copied().map(char::from).collect();
        let mut slots = Vec::new();
        let mut codes = Vec::new();
        for _ in 0..count.min(32) {
            let pick = usize::try_from(entropy.below(u32::try_from(tags.len()).unwrap_or(1))).unwrap_or(0);
            let code = LongCode::mint(entropy, tags.swap_remove(pick));
            let salt = entropy.bytes::<16>();
            let hash = cost.hash(&peppered(pepper.bytes(), user, kind, &code), &salt);
            slots.push(Slot { tag: code.tag(), salt: to_base64url(&salt), hash: to_base64url(&hash), used_at: None });
            codes.push(code);
        }
        (Self { kid: keys.newest_kid().to_owned(), cost, slots }, codes)
    }

    /// The index of the unused slot that this code opens. Hashes exactly once, found or not.
    pub(crate) fn find(&self, keys: &SealingRing, user: &str, kind: LongCodeKind, code: &LongCode) -> Result<Option<usize>, Error> {
        let pepper = keys.subkey(&self.kid, Purpose::Pepper)?;
        let slot = self.slots.iter().enumerate().find(|(_, slot)| slot.tag == code.tag() && slot.used_at.is_none());
        let stored = slot.and_then(|(_, slot)| Some((fixed::<16>(&slot.salt)?, fixed::<32>(&slot.hash)?)));
        // A dummy salt for an unknown tag: the same work, so time tells nothing.
        let (salt, hash) = stored.unwrap_or(([0; 16], [0; 32]));
        let same = self.cost.hash(&peppered(pepper.bytes(), user, kind, code), &salt).ct_eq(&hash);
        Ok(if bool::from(same) && stored.is_some() { slot.map(|(index, _)| index) } else { None })
    }

    /// Codes not used yet.
    pub(crate) fn left(&self) -> usize {
        self.slots.iter().filter(|slot| slot.used_at.is_none()).count()
    }
}

fn peppered(pepper: &[u8; 32], user: &str, kind: LongCodeKind, code: &LongCode) -> [u8; 32] {
    mac(pepper, &[user.as_bytes(), kind.label(), code.0.as_bytes()])
}

fn fixed<const N: usize>(text: &str) -> Option<[u8; N]> {
    from_base64url(text)?.as_slice().try_into().ok()
}

fn symbol(value: u32) -> char {
    let index = usize::try_from(value % 32).unwrap_or(0);
    char::from(ALPHABET.get(index).copied().unwrap_or(b'0'))
}

/// Removes white space and hyphens; `None` when too long, empty or not ASCII after that.
fn canonical(typed: &str) -> Option<String> {
    if typed.len() > MAX_TYPED {
        return None;
    }
    let text: String = typed.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    (!text.is_empty() && text.is_ascii()).then_some(text)
}

/// The MAC that stands for an SMS code at rest: bound to user, purpose, number and the request
/// that asked for it, so that it answers nothing else.
pub(crate) fn sms_mac(key: &[u8; 32], user: &str, purpose: &str, number: &str, binding: &str, code: &Digits) -> String {
    to_base64url(&mac(key, &[user.as_bytes(), purpose.as_bytes(), number.as_bytes(), binding.as_bytes(), code.0.as_bytes()]))
}

/// Compares two texts in time that depends on their lengths only.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

/// Backup codes on their own, for those who keep everything else themselves.
///
/// Such a set has no attempt budget: count attempts, and store what [`spend`](Self::spend)
/// returns by compare-and-set before letting anyone in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupSet(CodeSet);

impl BackupSet {
    /// Mints `count` codes (1 to 20) for a user; returns the set to store and the codes to show.
    #[must_use]
    pub fn mint(keys: &SealingRing, entropy: &mut Entropy, user: &str, cost: HashCost, count: u8) -> (Self, Vec<String>) {
        let (set, codes) = CodeSet::mint(keys, entropy, user, LongCodeKind::Backup, cost, count.clamp(1, 20));
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
        #[expect(clippy::expect_used, reason = "plain structs with text keys: serde_json cannot fail on them")]
        serde_json::to_string(&self.0).expect("JSON")
    }

    /// The set with this code used up; `None` when the code is wrong or used already.
    ///
    /// # Errors
    /// [`ErrorCode::KeyMissing`] when the key that peppered the set is not in the ring.
    pub fn spend(&self, keys: &SealingRing, user: &str, typed: &str, now: UnixSeconds) -> Result<Option<Self>, Error> {
        let Some(code) = LongCode::parse(typed) else { return Ok(None) };
        let found = self.0.find(keys, user, LongCodeKind::Backup, &code)?;
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
mod tests {
    use core::cell::Cell;

    use super::*;
    use crate::secret::SealingKey;

    thread_local! {
        pub(super) static HASHES: Cell<u32> = const { Cell::new(0) };
    }

    #[test]
    fn t31_an_attempt_costs_one_hash_whether_or_not_a_slot_matches() {
        let secret = to_base64url(&[1; 32]);
        let keys = SealingRing::parse(&[SealingKey { kid: "k".to_owned(), secret }]).unwrap();
        let (mut set, codes) = CodeSet::mint(&keys, &mut Entropy::new([2; 32]), "ann", LongCodeKind::Backup, HashCost::DEFAULT, 3);
        set.slots[1].used_at = Some(UnixSeconds::EPOCH);
        let unused_tag = ALPHABET.iter().map(|b| char::from(*b)).find(|tag| codes.iter().all(|code| code.tag() != *tag)).unwrap();
        let wrong = LongCode::parse(&format!("{}{}", codes[0].tag(), "0".repeat(15))).unwrap();
        let unknown = LongCode::parse(&format!("{unused_tag}{}", "0".repeat(15))).unwrap();
        for (code, expected) in [(&codes[0], Some(0)), (&codes[1], None), (&wrong, None), (&unknown, None)] {
            HASHES.set(0);
            assert_eq!(set.find(&keys, "ann", LongCodeKind::Backup, code).unwrap(), expected);
            assert_eq!(HASHES.get(), 1);
        }
        assert_eq!(set.find(&keys, "ann", LongCodeKind::Recovery, &codes[0]).unwrap(), None, "another kind");
        assert_eq!(set.find(&keys, "bob", LongCodeKind::Backup, &codes[0]).unwrap(), None, "another user");
    }
}
