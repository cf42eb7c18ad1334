//! The course of every step: the record goes in, the command changes it, and what time has ended goes out.

use crate::error::Error;
use crate::keys::KeyRing;
use crate::policy::Policy;
use crate::record::Record;

use super::context::{Context, Env};
use super::pending::Pending;
use super::recovery_code;
use super::reply::Reply;

pub(super) fn run(
    policy: &Policy,
    keys: &KeyRing,
    record: Record,
    env: Env,
    job: impl FnOnce(&mut Context<'_>) -> Result<Reply, Error>,
) -> Result<Pending, Error> {
    let before = record.clone();
    let mut context = Context::new(policy, keys, record, env);
    recovery_code::end(&mut context);
    let reply = job(&mut context)?;
    let changed = context.record != before;
    if changed {
        context.record.tidy(context.now);
    }
    Ok(Pending { record: context.record, changed, reply, effects: context.effects, limit: context.limit })
}
