//! The course of every run of a step: the record goes in, the command changes it, and what time has
//! ended goes out.

use std::borrow::Cow;

use crate::effect::Effect;
use crate::error::Error;
use crate::hashed_codes::Hashes;
use crate::keys::KeyRing;
use crate::policy::Policy;
use crate::record::Record;

use super::context::{Context, Env};
use super::pending::{Outcome, Pending};
use super::reply::Reply;
use super::{recovery_code, restored};

/// One run: the outcome, or `Err` where a hash was missing. Then even an error of the run counts for
/// nothing, because it may come of the missing hash.
pub(super) fn run<H: Hashes>(
    policy: &Policy,
    keys: &KeyRing,
    record: Record,
    env: Env,
    mut hashes: H,
    job: impl FnOnce(&mut Context<'_>) -> Result<Reply, Error>,
) -> Result<Result<Pending, H::Missing>, Error> {
    let restored = match restored::as_it_counts(&record, keys)? {
        Cow::Borrowed(_) => None,
        Cow::Owned(restored) => Some(restored),
    };
    let record = restored.unwrap_or(record);
    let before = record.clone();
    let mut context = Context::new(policy, keys, record, env, &mut hashes);
    restored::begin(&mut context);
    recovery_code::end(&mut context);
    let reply = job(&mut context);
    let Context { mut record, now, mut entropy, effects, limit, .. } = context;
    let all_hashed = match hashes.end() {
        Ok(all_hashed) => all_hashed,
        Err(missing) => return Ok(Err(missing)),
    };
    let reply = reply?;
    let changed = record != before;
    if changed {
        record.tidy(policy, now);
        record.name_write(&mut entropy);
    }
    let effects = Effect::in_order(effects);
    Ok(Ok(Pending::new(Outcome { record, changed, reply, effects, limit }, all_hashed)))
}
