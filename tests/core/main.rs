//! Tests of the core from outside: properties, attacks by name, scenarios from files, and the
//! layers of the source.
#![expect(unreachable_pub, reason = "modules of one test binary")]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod accounts;
mod backup_codes;
mod docs;
mod effects;
mod field_cases;
mod first_factor;
mod freshness;
mod gate;
mod gate_ended_passes;
mod gate_field_cases;
mod hashing;
mod importing;
mod layers;
mod limits;
mod moved;
mod notices;
mod policy;
mod properties;
mod recovery;
mod reset;
mod restored;
mod revoked;
mod scenarios;
mod search;
mod set_ups;
mod several_factors;
mod sign_out;
mod slow_clock;
mod sms;
mod status;
mod store_model;
mod support;
mod threats;
mod trusted_browser;
mod trusted_browser_edges;
