//! The rules of two-factor authentication, without clock, randomness, storage or network.
//!
//! Time, client address and random bytes come in as arguments; a new record, a reply and
//! effects go out. The host stores the record, by compare-and-set, and only then gets the reply
//! and the effects: nothing has happened until it is stored. See [`engine::step`].
//!
//! Layers, each using only those before it:
//! `error → json → time → secret → code → otp → network → phone → lockout → policy → record → token →
//! event → engine → gate → print → npm | envoy`.
//!
//! No function here panics on any input; errors are [`error::Error`] with a stable code.

pub mod error;

mod json;

pub mod time;

pub mod secret;

pub mod code;

pub mod otp;

pub mod network;

pub mod phone;

pub mod lockout;

pub mod policy;

pub mod record;

pub mod token;

pub mod event;

pub mod engine;

pub mod gate;

pub mod print;

#[cfg(feature = "npm")]
pub mod npm;

#[cfg(feature = "envoy")]
pub mod envoy;
