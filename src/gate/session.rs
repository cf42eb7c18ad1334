//! The host's session, to which passes are bound, and how it is told from a request.
//!
//! A pass that is made here cannot be bound to the id that the session has: that id is from before
//! the second step (fixation), and only the host can change it. It is bound to a name of its own,
//! which follows from the id and which no cookie can stand for. Otherwise whoever reads the name in
//! the pass could send it as the session, and it would be on no revocation list.

use sha2::{Digest, Sha256};

use crate::encoding::to_base64url;
use crate::error::Error;
use crate::ids::SessionId;
use crate::json::{Faults, FromJson, Node};

use super::cookies::check_name;
use super::request::Once;

/// How the host's session is told, to which passes are bound.
#[derive(Debug, Clone)]
pub(super) enum Session {
    Unbound,
    Cookie { name: String, hashed: bool },
}

/// The session as configured.
pub(super) enum SessionDocument {
    Unbound,
    Cookie(SessionCookie),
}

impl FromJson for SessionDocument {
    fn read(node: Node<'_>, faults: &mut Faults) -> Self {
        if let Node::Object(_) = node {
            return Self::Cookie(SessionCookie::read(node, faults));
        }
        if !matches!(node, Node::Text(word) if word == "unbound") {
            faults.expected("{\"cookie\", \"id\"} or \"unbound\"");
        }
        Self::Unbound
    }
}

#[derive(Debug, Clone, FromJson)]
#[serde(deny_unknown_fields)]
pub(super) struct SessionCookie {
    cookie: String,
    id: SessionIdForm,
}

#[derive(Debug, Clone, Copy, FromJson)]
#[serde(rename_all = "snake_case")]
enum SessionIdForm {
    Plain,
    Sha256,
}

/// What the names start with that passes are bound to which were made here.
const MADE_HERE: &str = "gate ";

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
    pub(super) fn id_of(&self, cookie: Once<'_>) -> Option<SessionId> {
        match self {
            Self::Unbound => None,
            Self::Cookie { hashed, .. } => {
                let value = cookie.text().filter(|value| !value.is_empty())?;
                let hash = |value: &str| to_base64url(&Sha256::digest(value.as_bytes()));
                let id = if *hashed { hash(value) } else { value.to_owned() };
                SessionId::new(&id).ok().filter(|id| !id.as_str().starts_with(MADE_HERE))
            }
        }
    }
}

/// The session of a pass that is made here.
pub(super) fn made_here(session: &SessionId) -> SessionId {
    let digest = Sha256::new().chain_update(b"countersign-gate\n").chain_update(session.as_str().as_bytes()).finalize();
    // 48 visible characters and blanks are always a session id.
    SessionId::new(&format!("{MADE_HERE}{}", to_base64url(&digest))).unwrap_or_else(|_| session.clone())
}
