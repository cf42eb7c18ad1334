//! Tokens: the ticket between the two steps of a login, or before the set-up of a first factor, the pass
//! after the second factor, the set-up of a factor, and new backup codes.
//!
//! Tickets and passes are JWS compact tokens in the strict profile of `jws`. They are different types, carry
//! a different `typ`, and no key serves both tickets and passes. Set-ups and new codes hold secrets, so they are sealed;
//! so is the state of a login that a browser keeps.

mod error;
mod jws;
mod new_codes;
mod pass;
mod pass_cache;
mod sealed_session;
mod setup;
mod strength;
mod ticket;

pub use error::{Flaw, TokenError};
pub use jws::MAX_TOKEN;
pub(crate) use new_codes::NewCodes;
pub use pass::Pass;
pub(crate) use pass::Proven;
pub use pass_cache::KnownPasses;
pub(crate) use pass_cache::{PassCache, TokenDigest};
pub use sealed_session::{open_session, seal_session};
pub(crate) use setup::{LONGEST_SETUP, Setup, SetupOwner, SetupProof, began_at};
pub(crate) use strength::amr;
pub use ticket::{SetupTicket, Ticket};
