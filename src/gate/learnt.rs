//! The state of a gate, learnt since its configuration was loaded. A new configuration starts without it.

use crate::time::UnixSeconds;
use crate::token::PassCache;

use super::config::GateConfig;
use super::identity::Identity;
use super::one_guess::GuessLocks;
use super::refusal::Refusal;
use super::revocations::{Made, Revocations};

#[derive(Debug)]
pub(super) struct Learnt {
    pub(super) passes: PassCache<Identity>,
    pub(super) revocations: Revocations,
    pub(super) guesses: GuessLocks,
}

impl Learnt {
    pub(super) fn nothing(config: &GateConfig) -> Self {
        Self { passes: PassCache::new(config.pass.cache_entries), revocations: Revocations::default(), guesses: GuessLocks::default() }
    }

    /// Refuses a revoked pass or ticket, where a revocation list is configured.
    pub(super) fn check_revocation(&self, config: &GateConfig, made: &Made<'_>, now: UnixSeconds) -> Result<(), Refusal> {
        match &config.revocation {
            Some(source) => self.revocations.check(source, made, now),
            None => Ok(()),
        }
    }
}
