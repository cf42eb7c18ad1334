//! Sealed sessions: the state of a login as a text that the browser or a native client keeps, where the host has no sessions.
//!
//! An adapter writes the state, and reads it again; it is no business of this module. Nobody else reads or changes it. The text opens from
//! the time at which it was sealed until its end, and not after a restore of the database.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::entropy::Entropy;
use crate::error::{Error, ErrorCode};
use crate::json::{from_json, to_json};
use crate::keys::KeyRing;
use crate::keys::sealing::Purpose;
use crate::secret_text::SecretText;
use crate::time::{Lifetime, UnixSeconds};

/// Longest text that is read, in bytes: a cookie holds no more.
const MAX_TEXT: usize = 4_096;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SealedSession {
    lifetime: Lifetime,
    state: String,
}

/// Seals `state` for `seconds` from `now` on.
///
/// # Errors
/// `too_long`: the text would not fit into a cookie.
pub fn seal_session(keys: &KeyRing, mut entropy: Entropy, state: &str, now: UnixSeconds, seconds: u64) -> Result<String, Error> {
    let session = SealedSession { lifetime: Lifetime::starting(now, seconds), state: state.to_owned() };
    let plain = Zeroizing::new(to_json(&session));
    let text = keys.sealing().seal_text(&mut entropy, Purpose::Session, plain.as_bytes())?;
    if text.len() > MAX_TEXT {
        return Err(Error::new(
            ErrorCode::TooLong,
            "session",
            "the state of the session does not fit into a cookie; keep sessions on the server",
        ));
    }
    Ok(text)
}

/// The state in a text of [`seal_session`]. `None` for every other text, and outside its lifetime.
pub fn open_session(keys: &KeyRing, text: &str, now: UnixSeconds) -> Option<SecretText> {
    if text.len() > MAX_TEXT {
        return None;
    }
    let plain = keys.sealing().open_text(Purpose::Session, text)?;
    let session: SealedSession = from_json(core::str::from_utf8(&plain).ok()?, ErrorCode::InvalidInput).ok()?;
    session.lifetime.contains(now).then_some(SecretText(session.state))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> KeyRing {
        KeyRing::parse(include_str!("../../tests/vectors/keys.json")).unwrap()
    }

    fn at(seconds: u64) -> UnixSeconds {
        UnixSeconds::new(seconds).unwrap()
    }

    const NOW: u64 = 1_800_000_000;

    fn sealed(state: &str) -> Result<String, Error> {
        seal_session(&keys(), Entropy::new([7; 32]), state, at(NOW), 3_600)
    }

    #[test]
    fn t48_a_sealed_session_opens_within_its_lifetime_alone() {
        let text = sealed(r#"{"user":"ann"}"#).unwrap();
        let opened = |now| open_session(&keys(), &text, at(now)).map(|state| state.0);
        assert_eq!(opened(NOW).as_deref(), Some(r#"{"user":"ann"}"#));
        assert!(opened(NOW + 3_599).is_some());
        assert!(opened(NOW + 3_600).is_none());
        assert!(opened(NOW - 36_000).is_none(), "the clock was set back");
    }

    #[test]
    fn a_sealed_session_shows_nothing_and_opens_unchanged_alone() {
        let text = sealed("ann-and-her-pass").unwrap();
        assert!(!text.contains("ann"));
        let (kid, sealed) = text.rsplit_once('.').unwrap();
        for position in 0..sealed.len() {
            let mut changed = sealed.as_bytes().to_vec();
            changed[position] = if changed[position] == b'A' { b'B' } else { b'A' };
            let changed = format!("{kid}.{}", String::from_utf8(changed).unwrap());
            assert!(open_session(&keys(), &changed, at(NOW)).is_none(), "{position}");
        }
        for other in ["", ".", "k1", "k1.", "other.AAAA", &format!("other.{sealed}"), &"A".repeat(5_000)] {
            assert!(open_session(&keys(), other, at(NOW)).is_none());
        }
    }

    #[test]
    fn a_state_that_no_cookie_holds_is_refused() {
        assert!(sealed(&"x".repeat(2_900)).is_ok());
        assert_eq!(sealed(&"x".repeat(3_100)).unwrap_err().code, ErrorCode::TooLong);
    }
}
