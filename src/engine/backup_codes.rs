//! Backup codes: ten single-use codes, made with the first factor, renewed or shown on demand.
//!
//! A new set ends the old one. Any fresh factor may renew the set; only app or SMS may show it,
//! because one code must not show the other nine. A user gets few sets an hour and a day, because each
//! costs one password hash a code.
//!
//! The reply that brings a set may be lost, and then the person holds no codes and nobody knows. So a set is
//! unconfirmed until the person says that it is saved, or logs in by one of its codes. It counts all the same, and
//! nothing ends by itself. The person's word names the set, because the page may be older than the set. Until then, and for ten
//! minutes, the session that made the set can show it again, whatever the policy keeps.

use crate::error::Error;
use crate::event::{Action, EventKind};
use crate::hashed_codes::{CodeSet, LongCodeKind};
use crate::ids::SessionId;
use crate::notice::NoticeKind;
use crate::policy::{Method, Reason};
use crate::rate::{DAY, HOUR, counts, full_until};
use crate::record::BackupCodes;
use crate::secret_text::SecretText;
use crate::time::UnixSeconds;
use crate::token::{NewCodes, Pass, Ticket};
use crate::typed_code::LongCode;

use super::attempt::{OrReply, Typed, Used};
use super::command::{Change, ConfirmBackupCodes, ShowNewBackupCodes};
use super::context::{Context, View};
use super::freshness::Proof;
use super::reply::{CodeKind, Reply, ShownCode, UsableMethod};

/// Name of the sealed field, part of its associated data.
const COPY_FIELD: &str = "backup.copy";
/// Sets that a user may get within an hour, and within a day.
const LIMITS: [(u64, u32); 2] = [(HOUR, 5), (DAY, 20)];

/// Makes new backup codes in place of the old.
pub(super) fn renew(context: &mut Context<'_>, change: &Change) -> Result<Reply, Error> {
    let pass = match fresh_pass(context, change, Proof::AnyFactor) {
        Ok(pass) => pass,
        Err(reason) => return Ok(context.denied(Action::RenewBackupCodes, reason)),
    };
    if let Some(until) = no_new_set_until(context.view()) {
        return Ok(context.denied_until(Action::RenewBackupCodes, Reason::TooOften, until));
    }
    let made = mint(context, &change.session)?;
    context.notify(NoticeKind::BackupCodesRenewed, Some(Method::BackupCode));
    context.begin_epoch();
    let (pass, expires_at) = context.new_pass(pass)?;
    let MadeCodes { codes, set, sealed } = made;
    Ok(Reply::BackupCodes { codes: unused(codes), set: Some(set), new_codes: Some(sealed), pass: Some(pass), expires_at: Some(expires_at) })
}

/// Shows the backup codes once more, from the sealed copy.
pub(super) fn show(context: &mut Context<'_>, change: &Change) -> Result<Reply, Error> {
    if let Err(reason) = fresh_pass(context, change, Proof::OwnFactor) {
        return Ok(context.denied(Action::ShowBackupCodes, reason));
    }
    let kept = context.record.backup.as_ref().filter(|_| context.policy.backup_codes().keep_for_showing);
    let Some((backup, copy)) = kept.and_then(|backup| Some((backup, backup.copy.as_ref()?))) else {
        return Ok(context.denied(Action::ShowBackupCodes, Reason::NotKept));
    };
    let plain = context.keys.sealing().open(context.record.id(), COPY_FIELD, copy)?;
    let text = String::from_utf8_lossy(&plain);
    let codes = text.lines().zip(&backup.set.slots).map(|(code, slot)| {
        let code = SecretText(code.to_owned());
        ShownCode { code, used: slot.used_at.is_some() }
    });
    let reply = Reply::BackupCodes { codes: codes.collect(), set: unconfirmed(context), new_codes: None, pass: None, expires_at: None };
    context.log(EventKind::BackupCodesShown);
    Ok(reply)
}

/// Shows new codes again to the session that made them, while nobody has confirmed them. An old pass of the session is enough: it
/// has seen them already.
pub(super) fn show_new(context: &mut Context<'_>, command: &ShowNewBackupCodes) -> Result<Reply, Error> {
    let ShowNewBackupCodes { session, pass, new_codes } = command;
    if let Some(reason) = no_codes(context) {
        return Ok(context.denied(Action::ShowBackupCodes, reason));
    }
    if context.view().current_pass(session, pass.as_deref()).is_none() {
        return Ok(context.denied(Action::ShowBackupCodes, Reason::FreshFactorRequired));
    }
    let new = NewCodes::open(context.keys.sealing(), new_codes, context.record.id(), session, context.now);
    let Some(NewCodes { set, codes, .. }) = new.filter(|new| unconfirmed(context).as_ref() == Some(&new.set)) else {
        return Ok(Reply::Expired {});
    };
    context.log(EventKind::BackupCodesShown);
    let codes = unused(codes.into_iter().map(SecretText).collect());
    Ok(Reply::BackupCodes { codes, set: Some(set), new_codes: None, pass: None, expires_at: None })
}

/// Notes that the person has the codes. An old pass of the session is enough: it gives nothing away, and people
/// take their time to write codes down.
pub(super) fn confirm(context: &mut Context<'_>, command: &ConfirmBackupCodes) -> Result<Reply, Error> {
    let ConfirmBackupCodes { session, pass, set } = command;
    if let Some(reason) = no_codes(context) {
        return Ok(context.denied(Action::ConfirmBackupCodes, reason));
    }
    if context.view().current_pass(session, pass.as_deref()).is_none() {
        return Ok(context.denied(Action::ConfirmBackupCodes, Reason::FreshFactorRequired));
    }
    let Some(backup) = context.record.backup.as_mut().filter(|backup| backup.id == *set) else { return Ok(Reply::Expired {}) };
    if !backup.is_confirmed {
        backup.is_confirmed = true;
        context.log(EventKind::BackupCodesConfirmed);
    }
    Ok(Reply::Confirmed {})
}

/// The id of the current set, while nobody has confirmed it.
fn unconfirmed(context: &Context<'_>) -> Option<String> {
    context.record.backup.as_ref().filter(|backup| !backup.is_confirmed).map(|backup| backup.id.clone())
}

/// The time from which a new set may be made, where there were too many.
pub(super) fn no_new_set_until(view: View<'_>) -> Option<UnixSeconds> {
    full_until(view.record.sets_made.iter().copied(), view.now, &LIMITS)
}

fn unused(codes: Vec<SecretText>) -> Vec<ShownCode> {
    codes.into_iter().map(|code| ShownCode { code, used: false }).collect()
}

/// A new set of backup codes.
pub(super) struct MadeCodes {
    pub(super) codes: Vec<SecretText>,
    pub(super) set: String,
    /// The codes for the session that made them.
    pub(super) sealed: SecretText,
}

/// The codes, their set, and the sealed codes, as replies have them.
pub(super) fn parts(made: Option<MadeCodes>) -> (Option<Vec<SecretText>>, Option<String>, Option<SecretText>) {
    made.map_or((None, None, None), |MadeCodes { codes, set, sealed }| (Some(codes), Some(set), Some(sealed)))
}

/// Makes a new set of backup codes for a session; an older set ends.
pub(super) fn mint(context: &mut Context<'_>, session: &SessionId) -> Result<MadeCodes, Error> {
    let rules = context.policy.backup_codes();
    let (id, sealing, cost) = (context.id(), context.keys.sealing(), context.policy.cost());
    let (set, codes) = CodeSet::mint(sealing, &mut context.entropy, &id, LongCodeKind::Backup, cost, rules.count, context.hashes);
    let codes: Vec<String> = codes.iter().map(LongCode::grouped).collect();
    let copy =
        if rules.keep_for_showing { Some(sealing.seal(&mut context.entropy, &id, COPY_FIELD, codes.join("\n").as_bytes())?) } else { None };
    let now = context.now;
    context.record.sets_made.retain(|at| counts(*at, now, DAY));
    context.record.sets_made.push(now);
    let name = context.entropy.id();
    context.record.owes_backup_codes = false;
    context.record.backup = Some(BackupCodes { id: name.clone(), set, is_confirmed: false, created_at: now, copy });
    context.log(EventKind::BackupCodesMade);
    let new = NewCodes::new(name.clone(), codes, now);
    let sealed = new.seal(context.keys.sealing(), &mut context.entropy, &id, session)?;
    Ok(MadeCodes { codes: new.codes.into_iter().map(SecretText).collect(), set: name, sealed })
}

/// The second step by a backup code, which is used up.
pub(super) fn verify(context: &mut Context<'_>, _: &Ticket, step: &Typed<'_>) -> Result<OrReply<Used>, Error> {
    let Some(backup) = context.record.backup.clone().filter(|_| context.record.has_factor()) else {
        return Ok(Err(context.denied(Action::Verify, Reason::NotEnrolled)));
    };
    let Some(typed) = LongCode::parse(step.code) else { return Ok(Err(Reply::malformed_long_code())) };
    let id = context.id();
    let found = context.attempt(Method::BackupCode, |context| {
        backup.set.find(context.keys.sealing(), &id, LongCodeKind::Backup, &typed, context.hashes)
    })?;
    Ok(found.map(|index| {
        let now = context.now;
        if let Some(backup) = context.record.backup.as_mut() {
            backup.is_confirmed = true;
            if let Some(slot) = backup.set.slots.get_mut(index) {
                slot.used_at = Some(now);
            }
        }
        context.notify(NoticeKind::BackupCodeUsed, Some(Method::BackupCode));
        Used::now(None, now)
    }))
}

/// The method in a challenge, where a code is left.
pub(super) fn usable(view: View<'_>) -> Result<Option<UsableMethod>, Error> {
    let View { policy, record, .. } = view;
    let is_usable = record.has_factor() && record.backup_left() > 0 && policy.offers(Method::BackupCode);
    let confirmed = record.backup.as_ref().map(|backup| backup.is_confirmed);
    Ok(is_usable.then_some(UsableMethod {
        method: Method::BackupCode,
        kind: CodeKind::Grouped,
        digits: None,
        hint: None,
        factors: Vec::new(),
        confirmed,
    }))
}

/// The fresh pass of the caller, or the rule that refuses the command.
fn fresh_pass(context: &Context<'_>, change: &Change, proof: Proof) -> Result<Pass, Reason> {
    match no_codes(context) {
        Some(reason) => Err(reason),
        None => context.view().fresh_pass(&change.session, change.pass.as_deref(), proof).ok_or(Reason::FreshFactorRequired),
    }
}

/// The reason why the user has no backup codes that could count, if there is one.
fn no_codes(context: &Context<'_>) -> Option<Reason> {
    if !context.policy.offers(Method::BackupCode) {
        Some(Reason::MethodNotOffered)
    } else if !context.record.has_factor() {
        Some(Reason::NotEnrolled)
    } else {
        None
    }
}
