//! The host's session, to which passes are bound, and how it is read from a request.
//!
//! A pass that the gate makes cannot be bound to the id that the session has: that id is from before
//! the second step (fixation), and only the host can change it. Such a pass is bound to a *gate
//! session*, a name that follows from the id and that no cookie can stand for. Otherwise anyone who
//! reads the name in the pass could send it as the session, and it would be on no revocation list.

use core::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};

use crate::encoding::to_base64url;
use crate::error::Error;
use crate::ids::SessionId;

use super::cookies::check_name;
use super::single_header::SingleHeader;

/// The source of the host's session id.
#[derive(Debug, Clone)]
pub(super) enum Session {
    /// Passes are bound to no session.
    Unbound,
    Cookie {
        name: String,
        hashed: bool,
    },
}

/// The session as configured.
pub(super) enum SessionDocument {
    Unbound,
    Cookie(SessionCookie),
}

impl<'de> Deserialize<'de> for SessionDocument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SessionVisitor;

        impl<'de> Visitor<'de> for SessionVisitor {
            type Value = SessionDocument;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("{\"cookie\", \"id\"} or \"unbound\"")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<SessionDocument, E> {
                if word == "unbound" { Ok(SessionDocument::Unbound) } else { Err(E::invalid_value(Unexpected::Other("a word"), &self)) }
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<SessionDocument, A::Error> {
                SessionCookie::deserialize(MapAccessDeserializer::new(fields)).map(SessionDocument::Cookie)
            }
        }

        deserializer.deserialize_any(SessionVisitor)
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SessionCookie {
    cookie: String,
    id: SessionIdForm,
}

/// How the session id follows from the value of the cookie.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SessionIdForm {
    Plain,
    Sha256,
}

/// The start of every gate session. A session id from a cookie never starts so.
const GATE_SESSION: &str = "gate ";

impl Session {
    pub(super) fn parse(document: SessionDocument) -> Result<Self, Error> {
        match document {
            SessionDocument::Unbound => Ok(Self::Unbound),
            SessionDocument::Cookie(SessionCookie { cookie, id }) => {
                check_name(&cookie, "session.cookie")?;
                Ok(Self::Cookie {
                    name: cookie,
                    hashed: match id {
                        SessionIdForm::Plain => false,
                        SessionIdForm::Sha256 => true,
                    },
                })
            }
        }
    }

    pub(super) const fn binds(&self) -> bool {
        match self {
            Self::Unbound => false,
            Self::Cookie { .. } => true,
        }
    }

    /// The name of the cookie, where there is one.
    pub(super) fn cookie(&self) -> Option<&str> {
        match self {
            Self::Unbound => None,
            Self::Cookie { name, .. } => Some(name),
        }
    }

    /// The session id that a cookie stands for.
    pub(super) fn id_of(&self, cookie: SingleHeader<'_>) -> Option<SessionId> {
        match self {
            Self::Unbound => None,
            Self::Cookie { hashed, .. } => {
                let value = cookie.text().filter(|value| !value.is_empty())?;
                let hash = |value: &str| to_base64url(&Sha256::digest(value.as_bytes()));
                let id = if *hashed { hash(value) } else { value.to_owned() };
                SessionId::new(&id).ok().filter(|id| !id.as_str().starts_with(GATE_SESSION))
            }
        }
    }
}

/// The session that a pass made by the gate is bound to.
pub(super) fn gate_session(session: &SessionId) -> SessionId {
    let digest = Sha256::new().chain_update(b"countersign-gate\n").chain_update(session.as_str().as_bytes()).finalize();
    // 48 visible characters and blanks are always a session id.
    SessionId::new(&format!("{GATE_SESSION}{}", to_base64url(&digest))).unwrap_or_else(|_| session.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;
    use crate::json::from_json;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Written {
        session: SessionDocument,
    }

    #[test]
    fn a_session_is_a_cookie_or_unbound_and_nothing_else() {
        let read = |session| {
            let Written { session } = from_json(&format!("{{\"session\":{session}}}"), ErrorCode::InvalidConfig)?;
            Session::parse(session).map(|session| session.cookie().map(str::to_owned))
        };
        assert_eq!(read(r#""unbound""#), Ok(None));
        assert_eq!(read(r#"{"cookie":"a","id":"sha256"}"#), Ok(Some("a".to_owned())));
        let either = r#"expected {"cookie", "id"} or "unbound""#;
        for (bad, path, message) in [
            (r#""hidden""#, "session", either),
            (r#"["a","plain"]"#, "session", either),
            ("null", "session", either),
            ("1", "session", either),
            (r#"{"cookie":"a"}"#, "session.id", "is missing"),
            (r#"{"cookie":"a","id":"hidden"}"#, "session.id", "expected one of `plain`, `sha256`"),
            (r#"{"cookie":"a","id":"plain","ids":1}"#, "session.ids", "unknown field, expected one of `cookie`, `id`"),
            (r#"{"cookie":"a","id":"plain","id":"plain"}"#, "session", "the field `id` comes twice"),
        ] {
            assert_eq!(read(bad), Err(Error::new(ErrorCode::InvalidConfig, path, message)), "{bad}");
        }
    }
}
