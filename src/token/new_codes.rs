//! New backup codes, sealed for the session that made them. It can show them again for ten minutes, because a reload or a lost
//! reply would otherwise cost the person the whole set. The record holds nothing of it.

use serde::{Deserialize, Serialize};

use crate::entropy::Entropy;
use crate::error::{Error, ErrorCode};
use crate::ids::{RecordId, SessionId};
use crate::json::{from_json, to_json};
use crate::keys::sealing::{Purpose, SealingRing};
use crate::secret_text::SecretText;
use crate::time::{Lifetime, UnixSeconds};

/// Longest token that is read, in bytes. Ours are below 1,100.
const MAX_TOKEN: usize = 2_048;
/// Life in seconds: long enough to print the codes at the second try.
const SECONDS: u64 = 600;

/// A new set of backup codes.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewCodes {
    /// The id of the set.
    pub(crate) set: String,
    /// The codes as they are shown.
    pub(crate) codes: Vec<String>,
    lifetime: Lifetime,
}

impl NewCodes {
    pub(crate) fn new(set: String, codes: Vec<String>, now: UnixSeconds) -> Self {
        Self { set, codes, lifetime: Lifetime::starting(now, SECONDS) }
    }

    /// The token for the session that made the set.
    pub(crate) fn seal(&self, keys: &SealingRing, entropy: &mut Entropy, id: &RecordId, session: &SessionId) -> Result<SecretText, Error> {
        keys.seal_token(entropy, Purpose::NewCodes, id, &[session.as_str().as_bytes()], to_json(self).as_bytes()).map(SecretText)
    }

    /// Opens a token that is ours, of this user and session, and in time.
    pub(crate) fn open(keys: &SealingRing, token: &str, id: &RecordId, session: &SessionId, now: UnixSeconds) -> Option<Self> {
        if token.len() > MAX_TOKEN {
            return None;
        }
        let plain = keys.open_token(Purpose::NewCodes, id, &[session.as_str().as_bytes()], token)?;
        let new: Self = from_json(core::str::from_utf8(&plain).ok()?, ErrorCode::InvalidInput).ok()?;
        new.lifetime.contains(now).then_some(new)
    }
}
