//! Tokens: the ticket between the two steps of a login, or before the set-up of a first factor, the pass
//! after the second factor, and the set-up of a factor.
//!
//! Tickets and passes are JWS compact tokens in the strict profile of `jws`. They are different types, carry
//! a different `typ`, and no key serves both tickets and passes. A set-up holds a secret, so it is sealed.

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
pub(crate) use setup::{Setup, SetupOwner, SetupProof};
pub(crate) use strength::amr;
pub use ticket::{SetupTicket, Ticket};
