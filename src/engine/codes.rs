//! Backup codes for the user, and recovery codes that an owner issues for someone else.

use crate::code::{CodeSet, LongCode, LongCodeKind};
use crate::error::Error;
use crate::event::{Action, Effect, EventKind, Notice, NoticeKind, SecretText};
use crate::policy::{Method, Reason, Role};
use crate::record::{BackupCodes, RecoveryCode, SessionId};

use super::{Issuer, Proof, Reply, ShownCode, Step};

/// Name of the sealed field, part of its associated data.
const COPY_FIELD: &str = "backup.copy";

/// Makes a new set of backup codes; whatever was there is dead.
pub(super) fn mint_backup(step: &mut Step<'_>) -> Result<Vec<SecretText>, Error> {
    let rules = step.policy.backup_codes();
    let user = step.user();
    let (set, codes) = CodeSet::mint(step.keys.sealing(), &mut step.entropy, &user, LongCodeKind::Backup, step.policy.cost(), rules.count);
    let codes: Vec<String> = codes.iter().map(LongCode::grouped).collect();
    let seal = |step: &mut Step<'_>| step.keys.sealing().seal(&mut step.entropy, &user, COPY_FIELD, codes.join("\n").as_bytes());
    let copy = rules.keep_for_showing.then(|| seal(step)).transpose()?;
    step.record.backup = Some(BackupCodes { set, created_at: step.now, copy });
    step.log(EventKind::BackupCodesMade);
    Ok(codes.into_iter().map(SecretText).collect())
}

/// New backup codes for old.
pub(super) fn renew_backup(step: &mut Step<'_>, session: &SessionId, pass: Option<&str>) -> Result<Reply, Error> {
    if let Some(reason) = obstacle(step, session, pass, Proof::AnyFactor) {
        return Ok(step.denied(Action::RenewBackupCodes, reason));
    }
    let codes = mint_backup(step)?;
    step.notify(NoticeKind::BackupCodesRenewed, Some(Method::BackupCode));
    Ok(Reply::BackupCodes { codes: codes.into_iter().map(|code| ShownCode { code, used: false }).collect() })
}

/// The backup codes once more, from the sealed copy.
pub(super) fn show_backup(step: &mut Step<'_>, session: &SessionId, pass: Option<&str>) -> Result<Reply, Error> {
    if let Some(reason) = obstacle(step, session, pass, Proof::OwnFactor) {
        return Ok(step.denied(Action::ShowBackupCodes, reason));
    }
    let kept = step.record.backup.as_ref().filter(|_| step.policy.backup_codes().keep_for_showing);
    let Some((backup, copy)) = kept.and_then(|backup| Some((backup, backup.copy.as_ref()?))) else {
        return Ok(step.denied(Action::ShowBackupCodes, Reason::NotKept));
    };
    let plain = step.keys.sealing().open(&step.user(), COPY_FIELD, copy)?;
    let text = String::from_utf8_lossy(&plain);
    let codes = text
        .lines()
        .zip(&backup.set.slots)
        .map(|(code, slot)| ShownCode { code: SecretText(code.to_owned()), used: slot.used_at.is_some() });
    let reply = Reply::BackupCodes { codes: codes.collect() };
    step.log(EventKind::BackupCodesShown);
    Ok(reply)
}

/// A recovery code for this user, issued by an owner who is not this user.
pub(super) fn issue_recovery(step: &mut Step<'_>, by: &Issuer) -> Result<Reply, Error> {
    let obstacle = if !step.policy.offers(Method::RecoveryCode) {
        Some(Reason::MethodNotOffered)
    } else if by.role != Role::Owner {
        Some(Reason::OwnerOnly)
    } else if by.user == *step.record.user() {
        Some(Reason::NotForOneself)
    } else if !step.is_fresh(&by.user, &by.session, by.pass.as_deref(), Proof::OwnFactor) {
        Some(Reason::FreshFactorRequired)
    } else {
        None
    };
    if let Some(reason) = obstacle {
        return Ok(step.denied(Action::IssueRecoveryCode, reason));
    }
    let user = step.user();
    let (set, codes) = CodeSet::mint(step.keys.sealing(), &mut step.entropy, &user, LongCodeKind::Recovery, step.policy.cost(), 1);
    let code = codes.iter().map(LongCode::grouped).collect::<String>();
    let expires_at = step.now.plus(step.policy.recovery_seconds());
    // One alive per user: an older one is overwritten.
    step.record.recovery = Some(RecoveryCode { set, issued_by: by.user.clone(), expires_at, tries: 0 });
    step.log(EventKind::RecoveryCodeIssued { by: by.user.clone() });
    let (user, kind, method, at) = (step.record.user().clone(), NoticeKind::RecoveryCodeIssued, Some(Method::RecoveryCode), step.now);
    step.effects.push(Effect::Notify(Notice { user: user.clone(), kind, method, at, by: Some(by.user.clone()), about: None }));
    step.effects.push(Effect::Notify(Notice { user: by.user.clone(), kind, method, at, by: None, about: Some(user) }));
    Ok(Reply::RecoveryCode { code: SecretText(code), expires_at })
}

fn obstacle(step: &Step<'_>, session: &SessionId, pass: Option<&str>, proof: Proof) -> Option<Reason> {
    if !step.policy.offers(Method::BackupCode) {
        Some(Reason::MethodNotOffered)
    } else if !step.record.has_factor() {
        Some(Reason::NotEnrolled)
    } else if !step.is_fresh(step.record.user(), session, pass, proof) {
        Some(Reason::FreshFactorRequired)
    } else {
        None
    }
}
