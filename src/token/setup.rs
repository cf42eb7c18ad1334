//! Set-ups: sealed tokens of a factor that no code has confirmed yet.
//!
//! A set-up is handed to the session that began it, and comes back with the code. It opens only for its
//! account, user, session and method, and for a short time. Nothing of it is in the record, so that no
//! other session can end it or put its own in its place. It says in which factor epoch it began: a set-up
//! of an earlier epoch has ended. It also says in which login epoch, and ends with that.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::entropy::Entropy;
use crate::epoch::FactorEpoch;
use crate::error::{Error, ErrorCode};
use crate::factor::FactorId;
use crate::ids::{RecordId, SessionId};
use crate::json::{fields_from_json, from_json, to_json};
use crate::keys::sealing::{Purpose, SealingRing};
use crate::login_epoch::LoginEpoch;
use crate::policy::Method;
use crate::secret_text::SecretText;
use crate::time::{Lifetime, UnixSeconds};

/// Longest token that is read, in bytes. Ours are below 1,100.
const MAX_TOKEN: usize = 2_048;

/// Longest life of a set-up, in seconds: long enough to install an app.
pub(crate) const LONGEST_SETUP: u64 = 1_800;

/// A set-up with the content of its factor.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Setup<T> {
    /// The record's factor epoch when it began.
    pub(crate) epoch: FactorEpoch,
    /// The record's login epoch when it began.
    #[serde(default, skip_serializing_if = "LoginEpoch::is_first")]
    pub(crate) logins: LoginEpoch,
    pub(crate) lifetime: Lifetime,
    pub(crate) proof: SetupProof,
    /// The factor in whose place it comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) replaces: Option<FactorId>,
    pub(crate) content: T,
}

/// The proof that its session showed when a set-up began, beside the first factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SetupProof {
    None,
    /// A set-up ticket, which the password alone has given.
    Ticket,
    /// The pass of a recovery code.
    Rescue,
    /// The pass of a factor, or of a backup code.
    Pass,
}

/// The one to whom a set-up belongs, and its method.
#[derive(Clone, Copy)]
pub(crate) struct SetupOwner<'a> {
    pub(crate) id: &'a RecordId,
    pub(crate) session: &'a SessionId,
    pub(crate) method: Method,
}

impl<T: Serialize + DeserializeOwned> Setup<T> {
    /// The token for the session that began the set-up.
    pub(crate) fn seal(&self, keys: &SealingRing, entropy: &mut Entropy, owner: SetupOwner<'_>) -> Result<SecretText, Error> {
        keys.seal_token(entropy, Purpose::Setup, owner.id, &owner.binding(), to_json(self).as_bytes()).map(SecretText)
    }

    /// Opens a token that is ours, of this owner, and in time.
    pub(crate) fn open(keys: &SealingRing, token: &str, owner: SetupOwner<'_>, now: UnixSeconds) -> Option<Self> {
        if token.len() > MAX_TOKEN {
            return None;
        }
        let plain = keys.open_token(Purpose::Setup, owner.id, &owner.binding(), token)?;
        let setup: Self = from_json(core::str::from_utf8(&plain).ok()?, ErrorCode::InvalidInput).ok()?;
        setup.lifetime.contains(now).then_some(setup)
    }
}

/// The part that set-ups of all methods have.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Begun {
    lifetime: Lifetime,
}

/// The time at which a set-up of this session began, by whichever method.
pub(crate) fn began_at(keys: &SealingRing, token: &str, id: &RecordId, session: &SessionId) -> Option<UnixSeconds> {
    if token.len() > MAX_TOKEN {
        return None;
    }
    let plain = Method::ALL.into_iter().find_map(|method| {
        let owner = SetupOwner { id, session, method };
        keys.open_token(Purpose::Setup, id, &owner.binding(), token)
    })?;
    let begun: Begun = fields_from_json(core::str::from_utf8(&plain).ok()?, &["lifetime"], ErrorCode::InvalidInput).ok()?;
    Some(begun.lifetime.starts_at())
}

impl<'a> SetupOwner<'a> {
    fn binding(self) -> [&'a [u8]; 2] {
        [self.method.as_str().as_bytes(), self.session.as_str().as_bytes()]
    }
}
