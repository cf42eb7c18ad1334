//! The operator's commands: for whoever runs the host, and for no user. No adapter, storage API or
//! ordinary command reaches them.
//!
//! An account whose only owner is stopped, or whose first owner has no factor where one is forced, has
//! nobody who could issue a recovery code or reset a user. The operator can, whatever the policy says; user and owners
//! are told, and the event names the operator.

use crate::client_ip::ClientIp;
use crate::entropy::Entropy;
use crate::error::Error;
use crate::event::{Event, EventKind};
use crate::hashed_codes::{FinishedHash, Inline, Lookup};
use crate::ids::{AccountId, OperatorId, RecordId};
use crate::keys::KeyRing;
use crate::notice::NoticeKind;
use crate::policy::{Method, Policy, Roles};
use crate::record::{IssuedBy, Record};
use crate::time::UnixSeconds;

use super::context::{Context, Env, invalid};
use super::pending::{Pending, Progress};
use super::reply::Reply;
use super::run::run;
use super::{erased, export, import, moved, recovery_code};

pub use export::{Export, ExportedApp};
pub use import::Import;

/// Issues a recovery code for the user of `record`.
///
/// # Errors
/// A missing key, or a record that is not ours.
pub fn issue_recovery_code(
    policy: &Policy,
    keys: &KeyRing,
    record: Record,
    operator: &OperatorId,
    now: UnixSeconds,
    entropy: Entropy,
) -> Result<Pending, Error> {
    at_once(policy, keys, record, now, entropy, |context| issue(context, operator))
}

/// The same with hashes that were computed before, as [`step_with_hashes`](super::step_with_hashes).
///
/// # Errors
/// As [`issue_recovery_code`].
pub fn issue_recovery_code_with_hashes(
    policy: &Policy,
    keys: &KeyRing,
    record: Record,
    operator: &OperatorId,
    now: UnixSeconds,
    entropy: Entropy,
    finished: &[FinishedHash],
) -> Result<Progress, Error> {
    with_hashes(policy, keys, record, now, entropy, finished, |context| issue(context, operator))
}

/// Resets the user: apps, phones and backup codes are gone, passes, tickets and set-ups have ended, and only the recovery code
/// in the reply lets in.
///
/// # Errors
/// As [`issue_recovery_code`].
pub fn reset(
    policy: &Policy,
    keys: &KeyRing,
    record: Record,
    operator: &OperatorId,
    now: UnixSeconds,
    entropy: Entropy,
) -> Result<Pending, Error> {
    at_once(policy, keys, record, now, entropy, |context| reset_here(context, operator))
}

/// The same with hashes that were computed before, as [`step_with_hashes`](super::step_with_hashes).
///
/// # Errors
/// As [`issue_recovery_code`].
pub fn reset_with_hashes(
    policy: &Policy,
    keys: &KeyRing,
    record: Record,
    operator: &OperatorId,
    now: UnixSeconds,
    entropy: Entropy,
    finished: &[FinishedHash],
) -> Result<Progress, Error> {
    with_hashes(policy, keys, record, now, entropy, finished, |context| reset_here(context, operator))
}

/// Withdraws the recovery code that is alive, by whomever it was issued.
///
/// # Errors
/// As [`issue_recovery_code`].
pub fn withdraw_recovery_code(
    policy: &Policy,
    keys: &KeyRing,
    record: Record,
    operator: &OperatorId,
    now: UnixSeconds,
    entropy: Entropy,
) -> Result<Pending, Error> {
    at_once(policy, keys, record, now, entropy, |context| {
        if context.record.recovery.take().is_none() {
            return Ok(Reply::Expired {});
        }
        context.log(EventKind::RecoveryCodeWithdrawn { operator: operator.clone() });
        context.notify_all(NoticeKind::RecoveryCodeWithdrawn, Some(Method::RecoveryCode), None);
        Ok(Reply::Withdrawn {})
    })
}

/// A step of a move of a user to another account or user id. They are taken in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveStep {
    /// On the record of the old place: nothing counts there from now on.
    Depart,
    /// On the record of the new place: the user arrives there, once.
    Arrive,
    /// On the record of the old place: nothing is left there, once the user has arrived.
    Leave,
    /// On the record of the new place: the move is complete.
    Settle,
    /// On the record of the new place, after the old one was erased in the middle: nothing comes along any more.
    Withdraw,
}

/// Takes a step of a move. Store the outcome of each before the next one, and read the record of the other place after that of
/// the step's own: then neither is out of date where the write lands. [`Reply::MoveChanged`] begins the move again; that of
/// [`MoveStep::Arrive`] at a place without a record has made the record.
///
/// # Errors
/// A missing key, a record that is not ours, the same account and user twice, and a place that another move has to do with.
/// Nothing has moved then.
#[expect(clippy::too_many_arguments, reason = "those of every command, a step and the other record")]
pub fn move_step(
    policy: &Policy,
    keys: &KeyRing,
    record: Record,
    step: MoveStep,
    other_place: &Record,
    operator: &OperatorId,
    now: UnixSeconds,
    entropy: Entropy,
) -> Result<Pending, Error> {
    at_once(policy, keys, record, now, entropy, |context| match step {
        MoveStep::Depart => moved::depart(context, other_place, operator),
        MoveStep::Arrive => moved::arrive(context, other_place, operator),
        MoveStep::Leave => Ok(moved::leave(context, other_place)),
        MoveStep::Settle => Ok(moved::settle(context, other_place)),
        MoveStep::Withdraw => Ok(moved::withdraw(context, other_place)),
    })
}

/// Empties the record of a user who leaves, and ends the user's passes. The host deletes the record afterwards.
///
/// Where a move from there is under way ([`goes_to`]), hand in the record of its new place, read after that of the user:
/// [`Reply::MoveChanged`] asks for it. Before the record is deleted, [`MoveStep::Withdraw`] follows at that place.
///
/// # Errors
/// As [`issue_recovery_code`].
pub fn erase(
    policy: &Policy,
    keys: &KeyRing,
    record: Record,
    new_place: Option<&Record>,
    operator: &OperatorId,
    now: UnixSeconds,
    entropy: Entropy,
) -> Result<Pending, Error> {
    at_once(policy, keys, record, now, entropy, |context| erased::erase(context, new_place, operator))
}

/// Whether the host may delete the record: it was emptied by [`erase`], and nobody has begun anew there since. `withdrawn`: the record
/// as [`MoveStep::Withdraw`] has read it. What another erasure must take back elsewhere keeps the record.
#[must_use]
pub fn may_delete(record: &Record, withdrawn: Option<&Record>) -> bool {
    let is_taken_back = record.withdrawal().is_none() || record.withdrawal() == withdrawn.and_then(Record::withdrawal);
    record.is_erased() && is_taken_back
}

/// The old place of a move that has brought the user to the place of this record, where the move is not complete by its word.
#[must_use]
pub fn comes_from(record: &Record) -> Option<&RecordId> {
    record.comes_from()
}

/// The new place of a move that is under way from the place of this record, or was when this one was erased.
#[must_use]
pub const fn goes_to(record: &Record) -> Option<&RecordId> {
    record.goes_to()
}

/// Imports an authenticator app that another system has set up.
///
/// # Errors
/// As [`issue_recovery_code`]; [`ErrorCode::InvalidInput`](crate::error::ErrorCode::InvalidInput) at `lastStep` where it is no
/// step of about now.
pub fn import_totp(
    policy: &Policy,
    keys: &KeyRing,
    record: Record,
    import: Import,
    operator: &OperatorId,
    now: UnixSeconds,
    entropy: Entropy,
) -> Result<Pending, Error> {
    at_once(policy, keys, record, now, entropy, |context| import::import(context, import, operator))
}

/// Opens the secrets of a user's authenticator apps, for an operator who leaves us. Keep its event before you use the rest.
///
/// # Errors
/// As [`issue_recovery_code`].
pub fn export(keys: &KeyRing, record: &Record, operator: &OperatorId, now: UnixSeconds) -> Result<Export, Error> {
    export::export(keys, record, operator, now)
}

/// The event with which an export begins, of one account or of all.
///
/// # Errors
/// None of its own: the name of an operator is a user id as well.
pub fn export_started(account: Option<AccountId>, operator: OperatorId, now: UnixSeconds) -> Result<Event, Error> {
    export::started(account, operator, now)
}

/// Runs a command, and computes each hash in it at once.
fn at_once(
    policy: &Policy,
    keys: &KeyRing,
    record: Record,
    now: UnixSeconds,
    entropy: Entropy,
    job: impl FnOnce(&mut Context<'_>) -> Result<Reply, Error>,
) -> Result<Pending, Error> {
    let Ok(pending) = run(policy, keys, record, no_request(now, entropy), Inline, job)?;
    Ok(pending)
}

/// Runs a command with hashes that were computed before, or gives those that it misses.
fn with_hashes(
    policy: &Policy,
    keys: &KeyRing,
    record: Record,
    now: UnixSeconds,
    entropy: Entropy,
    finished: &[FinishedHash],
    job: impl FnOnce(&mut Context<'_>) -> Result<Reply, Error>,
) -> Result<Progress, Error> {
    let ended = run(policy, keys, record, no_request(now, entropy), Lookup::among(finished), job)?;
    Ok(ended.map_or_else(Progress::Hash, |pending| Progress::Done(Box::new(pending))))
}

fn issue(context: &mut Context<'_>, operator: &OperatorId) -> Result<Reply, Error> {
    check_stays(context)?;
    context.log(EventKind::RecoveryCodeIssuedByOperator { operator: operator.clone() });
    recovery_code::mint(context, IssuedBy::Operator(operator.clone()))
}

fn reset_here(context: &mut Context<'_>, operator: &OperatorId) -> Result<Reply, Error> {
    check_stays(context)?;
    if context.record.has_left() {
        return Err(invalid("user", "was moved to another account or user: reset the user there"));
    }
    super::reset::by_operator(context, operator)
}

/// A user on the way to another place has no life here: the move, or the erasure that ended it, is completed first.
fn check_stays(context: &Context<'_>) -> Result<(), Error> {
    if context.record.is_on_the_way() {
        Err(invalid("user", "is being moved to another account or user: do that move again first"))
    } else if context.record.is_erased() && context.record.goes_to().is_some() {
        Err(invalid("user", "was erased on the way to another account or user: erase the user again first"))
    } else {
        Ok(())
    }
}

/// The circumstances of a command that no request brings.
const fn no_request(now: UnixSeconds, entropy: Entropy) -> Env {
    Env { now, client: ClientIp::Unknown, roles: Roles::Unknown, entropy }
}
