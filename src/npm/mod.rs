//! The npm shell: values or JSON text in, plain objects out. It translates and decides nothing.
//!
//! Documents come in as JSON text, because serde-wasm-bindgen does not refuse unknown keys and a
//! misspelt key would silently weaken a policy. The allocator wipes freed memory; the JavaScript
//! layer wipes the stack after each call.

mod convert;
mod core;
mod hashing;
mod operator;
mod policies;
mod tools;

pub use self::core::{Core, PendingStep, is_ticket_revoked};
pub use hashing::*;
pub use policies::*;
pub use tools::*;
