//! Tokens: the ticket between the two steps of a login, the pass after the second, and the set-up of a
//! factor.
//!
//! Ticket and pass are JWS compact tokens in the strict profile of `jws`. They are different types, carry
//! a different `typ`, and no key serves both. A set-up holds a secret, so it is sealed.

mod error;
mod jws;
mod pass;
mod setup;
mod strength;
mod ticket;

pub use error::{Flaw, TokenError};
pub use jws::MAX_TOKEN;
pub use pass::Pass;
pub(crate) use pass::Proven;
pub(crate) use setup::{Setup, SetupOwner};
pub(crate) use strength::amr;
pub use ticket::Ticket;
