//! The strict profile of JWS compact tokens (RFC 7515 §7.1, RFC 7519, RFC 8725).
//!
//! - A token is at most 4,000 bytes: the longest ids, origin and audience fit, and a cookie takes it.
//! - The header is `alg`, `typ` and `kid` and nothing else, so that no key and no URL ever comes
//!   from a token.
//! - Every claim is required, none may appear twice, unknown ones are refused, and times are
//!   whole seconds.
//! - A token may seem to come from at most 60 seconds in the future, because clocks differ.
//!
//! Nothing here knows a key: the caller verifies [`Jws::signature`] over [`Jws::signing_input`] by
//! the key that `kid` names and the algorithm that is configured for it, before it reads a claim.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::encoding::{from_base64url, to_base64url};
use crate::error::{Error, ErrorCode};
use crate::json::{from_json, to_json};
use crate::time::{CLOCK_SKEW, UnixSeconds};

use super::error::TokenError;

/// Longest token that is read or made, in bytes.
pub const MAX_TOKEN: usize = 4_000;

/// The header of a token.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) alg: String,
    pub(super) typ: String,
    pub(super) kid: String,
}

/// A token taken apart, its header read and nothing verified yet.
pub(super) struct Jws<'a> {
    pub(super) header: Header,
    pub(super) signing_input: &'a str,
    payload: &'a str,
    pub(super) signature: Zeroizing<Vec<u8>>,
}

impl<'a> Jws<'a> {
    /// Takes a token apart.
    pub(super) fn split(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > MAX_TOKEN {
            return Err(TokenError::Invalid);
        }
        let (signing_input, signature) = token.rsplit_once('.').ok_or(TokenError::Invalid)?;
        let (header, payload) = signing_input.split_once('.').ok_or(TokenError::Invalid)?;
        let header = read(header)?;
        let signature = from_base64url(signature).ok_or(TokenError::Invalid)?;
        Ok(Self { header, signing_input, payload, signature })
    }

    /// Reads the claims. Call it once the signature is verified.
    pub(super) fn claims<T: DeserializeOwned>(&self) -> Result<T, TokenError> {
        read(self.payload)
    }
}

/// The `typ` that a token claims to have, be it true or not.
pub(super) fn claimed_type(token: &str) -> Option<String> {
    let (header, _) = token.split_once('.').filter(|_| token.len() <= MAX_TOKEN)?;
    read::<Header>(header).ok().map(|header| header.typ)
}

/// Makes a token; `sign` gives the signature over its first two parts.
///
/// # Errors
/// [`ErrorCode::TooLong`] past [`MAX_TOKEN`].
pub(super) fn encode(header: &Header, claims: &impl Serialize, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> Result<String, Error> {
    let part = |text: String| to_base64url(text.as_bytes());
    let signing_input = format!("{}.{}", part(to_json(header)), part(to_json(claims)));
    let token = format!("{signing_input}.{}", to_base64url(&sign(signing_input.as_bytes())));
    if token.len() > MAX_TOKEN {
        return Err(Error::new(
            ErrorCode::TooLong,
            "user",
            "user, session, origin and audience are too long together: a token must fit 4,000 bytes",
        ));
    }
    Ok(token)
}

/// Whether a token that says it was issued at `iat` comes from the future.
pub(super) fn is_from_the_future(iat: UnixSeconds, now: UnixSeconds) -> bool {
    iat > now.plus(CLOCK_SKEW)
}

fn read<T: DeserializeOwned>(part: &str) -> Result<T, TokenError> {
    let bytes = from_base64url(part).ok_or(TokenError::Invalid)?;
    let text = core::str::from_utf8(&bytes).map_err(|_| TokenError::Invalid)?;
    from_json(text, ErrorCode::InvalidInput).map_err(|_| TokenError::Invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_at_most_4000_bytes() {
        let made = |kid: usize, letters: usize| {
            let header = Header { alg: "HS256".to_owned(), typ: "t".to_owned(), kid: "k".repeat(kid) };
            encode(&header, &serde_json::json!({"sub": "u".repeat(letters)}), |_| vec![7; 32])
        };
        let sizes = (1..5).flat_map(|kid| (2_500..3_000).map(move |letters| (kid, letters)));
        let is_full = |(kid, letters): &(usize, usize)| made(*kid, *letters).is_ok_and(|token| token.len() == MAX_TOKEN);
        let (kid, letters) = sizes.into_iter().find(is_full).unwrap();
        assert!(Jws::split(&made(kid, letters).unwrap()).is_ok());
        for more in [3, 300] {
            assert!(made(kid, letters + more).is_err_and(|error| error.code == ErrorCode::TooLong));
        }
        let foreign = |letters: usize| {
            let [header, payload] =
                [r#"{"alg":"HS256","typ":"t","kid":"k"}"#.to_owned(), format!(r#"{{"sub":"{}"}}"#, "u".repeat(letters))]
                    .map(|part| to_base64url(part.as_bytes()));
            Jws::split(&format!("{header}.{payload}.{header}")).is_ok()
        };
        assert!(foreign(2_000) && !foreign(3_000), "one that we did not make");
    }
}
