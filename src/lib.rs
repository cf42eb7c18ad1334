//! The rules of two-factor authentication, without clock, randomness, storage or network.
//!
//! Time, client address and random bytes come in as arguments; a new record, a reply and
//! effects go out. The host stores the record, by compare-and-set, and only then gets the reply
//! and the effects: nothing has happened until it is stored. See [`engine::step`].
//!
//! One step, the login of a user who has no second factor:
//!
//! ```
//! use countersign::engine::{Command, Env, Reply, step};
//! use countersign::policy::{Policy, Roles};
//! use countersign::{client_ip::ClientIp, entropy::Entropy, ids::{RecordId, UserId}, keys::KeyRing, record::Record, time::UnixSeconds};
//!
//! # let json = include_str!("../tests/vectors/keys.json");
//! let keys = KeyRing::parse(json)?; // from the host's secret storage
//! let policy = Policy::parse(r#"{"v": 1, "name": "Acme", "origin": "https://acme.example"}"#)?;
//! let record = Record::new(RecordId::from(UserId::new("ann")?)); // or `Record::parse` of the text in the host's store
//! let command = Command::parse(r#"{"begin": {"session": "s-1"}}"#)?;
//! let now = UnixSeconds::new(1_800_000_000).expect("before the year 9999");
//! let entropy = Entropy::new([7; 32]); // in production: 32 fresh random bytes
//!
//! let env = Env { now, client: ClientIp::Unknown, roles: Roles::Unknown, entropy };
//! let pending = step(&policy, &keys, record, command, env)?;
//! assert!(pending.to_store().is_none()); // nothing changed; otherwise store it by compare-and-set first
//! let (reply, _effects) = pending.stored();
//! assert_eq!(reply, Reply::Allowed { enroll: true }); // in; ann may set up a factor
//! # Ok::<(), countersign::error::Error>(())
//! ```
//!
//! Each module uses only those above it in `tests/layers.txt`.
//!
//! No function here panics on any input; errors are [`error::Error`] with a stable code.

pub mod client_ip;
pub mod effect;
mod encoding;
pub mod engine;
pub mod entropy;
pub mod epoch;
pub mod error;
pub mod event;
pub mod factor;
pub mod gate;
pub mod hashed_codes;
pub mod ids;
mod invisible;
mod issued_by;
mod json;
pub mod keys;
pub mod lockout;
mod login_epoch;
mod mac;
pub mod network_set;
pub mod notice;
mod origin;
pub mod otpauth;
pub mod phone;
mod phone_lengths;
pub mod policy;
pub mod print;
pub mod qr;
mod rate;
pub mod record;
pub mod restore_epoch;
pub mod revoked;
pub mod secret_text;
mod sms_text;
pub mod time;
pub mod token;
pub mod totp;
mod trusted_browser;
pub mod typed_code;

/// A model of the rules beside the engine; its first lines say why it is part of the unit tests.
#[cfg(test)]
#[path = "../tests/core/model/mod.rs"]
mod model;

#[cfg(feature = "browser")]
pub mod browser;
#[cfg(feature = "envoy")]
pub mod envoy;
#[cfg(feature = "npm")]
pub mod npm;
#[cfg(any(feature = "browser", feature = "npm"))]
mod wiping;
