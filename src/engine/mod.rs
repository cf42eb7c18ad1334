//! One step of a user's second factor: record, command and circumstances in; new record, reply
//! and effects out.
//!
//! ```text
//!  host                                core
//!   │ load (record, version)            │
//!   ├── step(record, command, env) ────▶│  decides; nothing has happened yet
//!   │◀──────────────── Pending ─────────┤
//!   │ compare-and-set to_store()        │
//!   │   lost the race: drop it, load again, step again with fresh entropy
//!   │   landed:                         │
//!   ├── stored() ──────────────────────▶│
//!   │◀──────── reply, effects ──────────┤  now it has happened
//! ```
//!
//! [`Pending`] shows the record to store and keeps the reply to itself. So one code opens one login
//! whatever runs in parallel, and no SMS leaves for a state that was not stored.

mod attempt;
mod backup_codes;
mod command;
mod context;
mod enroll;
mod factors;
mod freshness;
mod login;
mod pending;
mod recovery_code;
mod remove;
mod reply;
mod sms;
mod sms_budget;
mod status;
mod totp;

pub use command::{Begin, Change, Command, Confirm, EnrollSms, EnrollTotp, IssueRecoveryCode, Issuer, Remove, SecondStep, SendSms};
pub use context::Env;
pub use pending::Pending;
pub use reply::{CodeKind, Reply, ShownCode, SmsRefusal, UsableMethod};
pub use status::{AttemptStatus, BackupStatus, FactorStatus, RecoveryStatus, Status, enrollment, status};

use crate::error::Error;
use crate::keys::KeyRing;
use crate::policy::Policy;
use crate::record::Record;

use command::AddressRules;
use context::Context;

/// Carries out one command on a user's record.
///
/// # Errors
/// A mistake of the host: a malformed argument, a missing key, a record that is not ours. The
/// record is then as it was, and nothing was counted.
pub fn step(policy: &Policy, keys: &KeyRing, record: Record, command: Command, env: Env) -> Result<Pending, Error> {
    run(policy, keys, record, env, |context| {
        if let (AddressRules::StopAtOnce(action), Some(reason)) = (command.address_rules(), context.turned_away()) {
            return Ok(context.denied(action, reason));
        }
        match command {
            Command::Begin(command) => login::begin(context, &command),
            Command::SendSms(command) => login::send_sms(context, &command),
            Command::Verify(command) => login::verify(context, command),
            Command::EnrollTotp(command) => totp::start(context, &command),
            Command::ConfirmTotp(command) => totp::confirm(context, &command),
            Command::EnrollSms(command) => sms::start(context, &command),
            Command::ConfirmSms(command) => sms::confirm(context, &command),
            Command::Remove(command) => remove::remove(context, &command),
            Command::RenewBackupCodes(command) => backup_codes::renew(context, &command),
            Command::ShowBackupCodes(command) => backup_codes::show(context, &command),
            Command::IssueRecoveryCode(command) => recovery_code::issue(context, &command.by),
        }
    })
}

/// Carries out the second step alone: [`step`] with [`Command::Verify`], for a host that does
/// nothing else and has no room for the rest.
///
/// # Errors
/// As [`step`].
pub fn verify(policy: &Policy, keys: &KeyRing, record: Record, second: SecondStep, env: Env) -> Result<Pending, Error> {
    run(policy, keys, record, env, |context| login::verify(context, second))
}

fn run(
    policy: &Policy,
    keys: &KeyRing,
    record: Record,
    env: Env,
    job: impl FnOnce(&mut Context<'_>) -> Result<Reply, Error>,
) -> Result<Pending, Error> {
    let before = record.clone();
    let mut context = Context::new(policy, keys, record, env);
    let reply = job(&mut context)?;
    let changed = context.record != before;
    if changed {
        context.record.tidy(context.now);
    }
    Ok(Pending { record: context.record, changed, reply, effects: context.effects })
}
