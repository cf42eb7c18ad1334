//! Tokens: the ticket between the two steps of a login, and the pass after the second.
//!
//! Both are JWS compact tokens in the strict profile of `jws`. They are different types, carry a
//! different `typ`, and no key serves both.

mod error;
mod jws;
mod pass;
mod strength;
mod ticket;

pub use error::{Flaw, TokenError};
pub use jws::MAX_TOKEN;
pub use pass::Pass;
pub(crate) use pass::Proven;
pub(crate) use strength::amr;
pub use ticket::Ticket;
