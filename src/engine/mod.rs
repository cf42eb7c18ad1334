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
//! [`Pending`] shows the record to store, and gives the reply only once it is stored. So one code logs
//! in once, even when steps run in parallel, and no SMS is sent for a state that was not stored.
//!
//! Backup and recovery codes are hashed with Argon2id, which takes tens of milliseconds. [`step`] does
//! it at once. [`step_with_hashes`] does not: it ends with the jobs to compute, the host computes them
//! where they hold up nobody, and runs the same step again with the hashes.

mod attempt;
mod backup_codes;
mod check;
mod client_field;
mod command;
mod context;
mod enroll;
mod erased;
mod export;
mod factors;
mod freshness;
mod import;
mod login;
mod moved;
pub mod operator;
mod owner;
mod pending;
mod recovery_code;
mod remove;
mod rename;
mod reply;
mod reset;
mod restored;
mod run;
mod sign_out;
mod sms;
mod sms_budget;
mod status;
mod totp;
mod trusted_browser;

pub use crate::event::SmsRefusal;
pub use check::{
    Check, CheckPass, CheckPassReply, CheckReply, SecondStepReason, Subject, check, check_known, check_known_pass, check_pass,
};
pub use client_field::ClientField;
pub use command::{
    Begin, Change, Command, Confirm, ConfirmBackupCodes, EnrollSms, EnrollTotp, HostsWord, IssueRecoveryCode, Issuer, Remove,
    RemoveTrustedBrowser, Rename, SecondStep, SendSms, ShowNewBackupCodes, ShowTotpSetup, TrustBrowser,
};
pub use context::Env;
pub use login::ticket_user;
pub use pending::{Limit, OverLimit, Pending, Progress};
pub use reply::{BrowserCookie, CodeKind, ImportRefusal, Reply, ShownCode, UsableFactor, UsableMethod};
pub use status::{AttemptStatus, BackupStatus, FactorStatus, RecoveryStatus, Status, TrustedBrowserStatus, enrollment, status};

use crate::error::Error;
#[cfg(doc)]
use crate::error::ErrorCode;
use crate::hashed_codes::{FinishedHash, Inline, Lookup};
use crate::keys::KeyRing;
use crate::policy::{Channel, Policy};
use crate::record::Record;

use command::AddressRules;
use context::{Context, invalid};
use run::run;

/// Carries out one command on a user's record.
///
/// A user sets up an authenticator app and logs in with it:
///
/// ```
/// use countersign::client_ip::ClientIp;
/// use countersign::engine::{Command, Env, Reply, step};
/// use countersign::entropy::Entropy;
/// # use countersign::error::Error;
/// # use countersign::ids::{RecordId, UserId};
/// # use countersign::keys::KeyRing;
/// # use countersign::policy::{Policy, Roles};
/// # use countersign::record::Record;
/// # use countersign::time::UnixSeconds;
/// # use countersign::totp::{TotpAlgorithm, TotpParameters, TotpSecret};
///
/// # fn main() -> Result<(), Error> {
/// # let keys = KeyRing::parse(include_str!("../../tests/vectors/keys.json"))?;
/// let policy = Policy::parse(r#"{"v": 1, "name": "Acme", "origin": "https://acme.example"}"#)?;
/// let mut record = Record::new(RecordId::from(UserId::new("ann")?));
/// let mut ask = |seconds: u64, command: String| -> Result<Reply, Error> {
///     let now = UnixSeconds::new(1_800_000_000 + seconds).expect("before the year 9999");
///     let entropy = Entropy::new([seconds as u8; 32]); // in production: 32 fresh random bytes
///     let env = Env { now, client: ClientIp::Unknown, roles: Roles::Unknown, entropy };
///     let pending = step(&policy, &keys, record.clone(), Command::parse(&command)?, env)?;
///     if let Some(changed) = pending.to_store() {
///         record = changed.clone(); // in production: a compare-and-set in the host's store
///     }
///     Ok(pending.stored().0)
/// };
///
/// let Reply::TotpStarted { setup, secret, .. } = ask(0, r#"{"enroll_totp": {"session": "s-1", "label": "ann"}}"#.into())? else { panic!() };
/// # let secret = TotpSecret::from_base32(&secret.0)?;
/// # let parameters = TotpParameters::new(TotpAlgorithm::SHA1, 6, 30)?;
/// # let app = |seconds: u64| secret.code_at(parameters, (1_800_000_000 + seconds) / 30);
/// let code = app(0); // the code in the user's app
/// let setup = setup.0;
/// let reply = ask(0, format!(r#"{{"confirm_totp": {{"session": "s-1", "setup": "{setup}", "code": "{}"}}}}"#, code.as_str()))?;
/// assert!(matches!(reply, Reply::Enrolled { .. }));
///
/// let Reply::Challenge { ticket, .. } = ask(60, r#"{"begin": {"session": "s-2"}}"#.into())? else { panic!() };
/// let (ticket, code) = (ticket.0, app(60));
/// let reply = ask(60, format!(r#"{{"verify": {{"session": "s-2", "ticket": "{ticket}", "method": "totp", "code": "{}"}}}}"#, code.as_str()))?;
/// assert!(matches!(reply, Reply::Verified { .. }));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// A mistake of the host: a malformed argument, a missing key, a record that is not ours. The
/// record is then as it was, and nothing was counted.
pub fn step(policy: &Policy, keys: &KeyRing, record: Record, command: Command, env: Env) -> Result<Pending, Error> {
    let Ok(pending) = run(policy, keys, record, env, Inline, |context| carry_out(context, command))?;
    Ok(pending)
}

/// Carries out one command with hashes that were computed before, and computes none.
///
/// Where a hash is missing, the run ends as [`Progress::Hash`] with the jobs, all of them at once, and
/// nothing of the run is kept. Compute them ([`HashJob::compute`]) and run the step again: the same
/// record, command, time and [`Env::entropy`] seed give the same jobs, and so an outcome. After a lost
/// race keep the finished hashes, and make the entropy with [`Entropy::again`]: a code that is compared
/// with the same slot, and codes that are made, have the same jobs as before.
///
/// [`HashJob::compute`]: crate::hashed_codes::HashJob::compute
/// [`Entropy::again`]: crate::entropy::Entropy::again
///
/// # Errors
/// As [`step`].
pub fn step_with_hashes(
    policy: &Policy,
    keys: &KeyRing,
    record: Record,
    command: Command,
    env: Env,
    finished: &[FinishedHash],
) -> Result<Progress, Error> {
    let ended = run(policy, keys, record, env, Lookup::among(finished), |context| carry_out(context, command))?;
    Ok(ended.map_or_else(Progress::Hash, |pending| Progress::Done(Box::new(pending))))
}

/// Carries out the second step alone: [`step`] with [`Command::Verify`], for a host that does
/// nothing else and has no room for the rest. It shows no backup codes: those that an import owes come at another login.
///
/// # Errors
/// As [`step`].
pub fn verify(policy: &Policy, keys: &KeyRing, record: Record, second: SecondStep, env: Env) -> Result<Pending, Error> {
    let Ok(pending) = run(policy, keys, record, env, Inline, |context| login::verify(context, second, false))?;
    Ok(pending)
}

fn carry_out(context: &mut Context<'_>, command: Command) -> Result<Reply, Error> {
    if let (AddressRules::StopAtOnce(action), Some(reason)) = (command.address_rules(), context.turned_away(Channel::Web)) {
        return Ok(context.denied(action, reason));
    }
    match command {
        Command::Begin(command) => login::begin(context, &command),
        Command::SendSms(command) => login::send_sms(context, &command),
        Command::Verify(command) => login::verify(context, command, true),
        Command::EnrollTotp(command) => totp::start(context, &command),
        Command::ShowTotpSetup(command) => totp::show(context, &command),
        Command::ConfirmTotp(command) => totp::confirm(context, &command),
        Command::EnrollSms(command) => sms::start(context, &command),
        Command::ConfirmSms(command) => sms::confirm(context, &command),
        Command::Rename(command) => rename::rename(context, &command),
        Command::Remove(command) => remove::remove(context, &command),
        Command::RemoveTrustedBrowser(command) => trusted_browser::remove(context, &command),
        Command::RenewBackupCodes(command) => backup_codes::renew(context, &command),
        Command::ShowBackupCodes(command) => backup_codes::show(context, &command),
        Command::ShowNewBackupCodes(command) => backup_codes::show_new(context, &command),
        Command::ConfirmBackupCodes(command) => backup_codes::confirm(context, &command),
        Command::PasswordChanged(HostsWord {}) => sign_out::password_changed(context),
        Command::SignOutEverywhere(HostsWord {}) => sign_out::everywhere(context),
        Command::Malformed(field) => Ok(Reply::malformed(field)),
    }
}

/// Issues a recovery code for the user of `record`, by an owner of the same account who is someone else.
/// The owner's own record tells whether the owner's pass still counts.
///
/// # Errors
/// As [`step`]; [`ErrorCode::InvalidInput`] where `issuer` is not the record of `question.by.user`.
pub fn issue_recovery_code(
    policy: &Policy,
    keys: &KeyRing,
    record: Record,
    issuer: &Record,
    question: &IssueRecoveryCode,
    env: Env,
) -> Result<Pending, Error> {
    check_issuer(&record, issuer, question)?;
    let Ok(pending) = run(policy, keys, record, env, Inline, |context| recovery_code::issue(context, issuer, &question.by))?;
    Ok(pending)
}

/// The same with hashes that were computed before, as [`step_with_hashes`].
///
/// # Errors
/// As [`issue_recovery_code`].
pub fn issue_recovery_code_with_hashes(
    policy: &Policy,
    keys: &KeyRing,
    record: Record,
    issuer: &Record,
    question: &IssueRecoveryCode,
    env: Env,
    finished: &[FinishedHash],
) -> Result<Progress, Error> {
    check_issuer(&record, issuer, question)?;
    let ended = run(policy, keys, record, env, Lookup::among(finished), |context| recovery_code::issue(context, issuer, &question.by))?;
    Ok(ended.map_or_else(Progress::Hash, |pending| Progress::Done(Box::new(pending))))
}

/// Resets the user of `record`, by an owner of the same account who is someone else: takes all factors, passes, tickets and
/// set-ups back, and issues a recovery code, which is the only way in. The question is that of [`issue_recovery_code`].
///
/// # Errors
/// As [`issue_recovery_code`].
pub fn reset(
    policy: &Policy,
    keys: &KeyRing,
    record: Record,
    issuer: &Record,
    question: &IssueRecoveryCode,
    env: Env,
) -> Result<Pending, Error> {
    check_issuer(&record, issuer, question)?;
    let Ok(pending) = run(policy, keys, record, env, Inline, |context| reset::reset(context, issuer, &question.by))?;
    Ok(pending)
}

/// The same with hashes that were computed before, as [`step_with_hashes`].
///
/// # Errors
/// As [`issue_recovery_code`].
pub fn reset_with_hashes(
    policy: &Policy,
    keys: &KeyRing,
    record: Record,
    issuer: &Record,
    question: &IssueRecoveryCode,
    env: Env,
    finished: &[FinishedHash],
) -> Result<Progress, Error> {
    check_issuer(&record, issuer, question)?;
    let ended = run(policy, keys, record, env, Lookup::among(finished), |context| reset::reset(context, issuer, &question.by))?;
    Ok(ended.map_or_else(Progress::Hash, |pending| Progress::Done(Box::new(pending))))
}

fn check_issuer(record: &Record, issuer: &Record, question: &IssueRecoveryCode) -> Result<(), Error> {
    if *issuer.id() == record.id().with_user(question.by.user.clone()) {
        Ok(())
    } else {
        Err(invalid("by.user", "must be the user of the issuer's record, in the same account"))
    }
}

/// Tells that an SMS definitely never left, by the id of its [`SmsMessage`](crate::effect::SmsMessage): its
/// code ends, and its slot in the budget is given back, a few times an hour. The reply is [`Reply::Expired`].
/// It is no [`Command`], so that no client reaches it.
///
/// # Errors
/// None of its own; see [`step`].
pub fn sms_never_left(policy: &Policy, keys: &KeyRing, record: Record, message: &str, env: Env) -> Result<Pending, Error> {
    let Ok(pending) = run(policy, keys, record, env, Inline, |context| sms_budget::never_left(context, message))?;
    Ok(pending)
}
