//! The rules of two-factor authentication, without clock, randomness, storage or network.
//!
//! Time, client address and random bytes come in as arguments; a new record, a reply and
//! effects go out. The host stores the record, by compare-and-set, and only then gets the reply
//! and the effects: nothing has happened until it is stored. See [`engine::step`].
//!
//! Each module uses only those above it in `tests/layers.txt`.
//!
//! No function here panics on any input; errors are [`error::Error`] with a stable code.

pub mod client_ip;
pub mod effect;
mod encoding;
pub mod engine;
pub mod entropy;
pub mod error;
pub mod event;
pub mod gate;
pub mod hashed_codes;
pub mod ids;
mod json;
pub mod keys;
pub mod lockout;
mod mac;
pub mod network;
pub mod notice;
mod origin;
pub mod otpauth;
pub mod phone;
pub mod policy;
pub mod print;
pub mod qr;
pub mod record;
pub mod secret_text;
mod sms_text;
pub mod time;
pub mod token;
pub mod totp;
pub mod typed_code;

#[cfg(feature = "envoy")]
pub mod envoy;
#[cfg(feature = "npm")]
pub mod npm;
