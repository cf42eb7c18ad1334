//! Setting up and removing the factors that a person carries.
//!
//! Nothing counts until a code confirms it. Once the user has a factor, any change needs a fresh
//! pass. A set-up belongs to the session that began it and ends when any factor is confirmed or
//! removed, so no set-up begun before the first factor can slip in after it.

use crate::code::{Digits, same};
use crate::error::Error;
use crate::event::{Action, EventKind, NoticeKind, SecretText};
use crate::otp::{OtpAuth, TotpSecret, qr_svg};
use crate::policy::{Method, Reason};
use crate::record::{SessionId, SmsDraft, SmsFactor, SmsPurpose, TotpDraft, TotpFactor};

use super::login::{TOTP_FIELD, malformed_digits, open_totp};
use super::{Proof, Reply, Step, allowed_number, codes, invalid, sms};

/// Life of a set-up in seconds: long enough to install an app.
const SETUP_SECONDS: u64 = 1_800;

/// Mints a secret and shows it.
pub(super) fn start_totp(
    step: &mut Step<'_>,
    session: &SessionId,
    pass: Option<&str>,
    label: &str,
    plan: Option<&str>,
) -> Result<Reply, Error> {
    if let Some(reason) = obstacle(step, session, pass, Method::Totp, plan) {
        return Ok(step.denied(Action::EnrollTotp, reason));
    }
    let parameters = step.policy.totp();
    let secret = TotpSecret::mint(&mut step.entropy);
    let user = step.user();
    let sealed = step.keys.sealing().seal(&mut step.entropy, &user, TOTP_FIELD, secret.as_bytes())?;
    let expires_at = step.now.plus(SETUP_SECONDS);
    let with_pass = step.holds_pass(session, pass);
    let shown = secret.grouped();
    let uri = OtpAuth::new(step.policy.name(), label, secret, parameters)?.to_uri();
    let qr_svg = SecretText(qr_svg(&uri)?);
    step.record.totp_draft = Some(TotpDraft { secret: sealed, parameters, session: step.session_mac(session), expires_at, with_pass });
    step.log(EventKind::EnrollmentStarted { method: Method::Totp });
    Ok(Reply::TotpStarted { uri: SecretText(uri), secret: SecretText(shown), qr_svg, expires_at })
}

/// Turns the app on when a code from it is right.
pub(super) fn confirm_totp(step: &mut Step<'_>, session: &SessionId, code: &str) -> Result<Reply, Error> {
    if !step.policy.offers(Method::Totp) {
        return Ok(step.denied(Action::EnrollTotp, Reason::MethodNotOffered));
    }
    let Some(draft) =
        step.record.totp_draft.clone().filter(|draft| same(&draft.session, &step.session_mac(session)) && step.now < draft.expires_at)
    else {
        return Ok(Reply::Expired {});
    };
    if needs_pass(step, draft.with_pass) {
        return Ok(step.denied(Action::EnrollTotp, Reason::FreshFactorRequired));
    }
    let Some(typed) = Digits::parse(code, draft.parameters.digits()) else {
        return Ok(malformed_digits(draft.parameters.digits()));
    };
    let secret = open_totp(step.keys, &step.record, &draft.secret)?;
    let matched = step.attempt(Method::Totp, |step| Ok(secret.verify(draft.parameters, &typed, step.now, step.policy.window(), None)))?;
    let last_step = match matched {
        Ok(matched) => matched,
        Err(reply) => return Ok(reply),
    };
    let (had_factor, replaced) = (step.record.has_factor(), step.record.totp.is_some());
    step.record.totp =
        Some(TotpFactor { secret: draft.secret, parameters: draft.parameters, last_step, added_at: step.now, last_used_at: None });
    confirmed(step, Method::Totp, had_factor, replaced)
}

/// Sends a code to a new number. The number is kept only as a draft until the code is typed.
pub(super) fn start_sms(
    step: &mut Step<'_>,
    session: SessionId,
    pass: Option<&str>,
    number: &str,
    plan: Option<&str>,
) -> Result<Reply, Error> {
    if let Some(reason) = obstacle(step, &session, pass, Method::Sms, plan) {
        return Ok(step.denied(Action::EnrollSms, reason));
    }
    let Some(number) = allowed_number(step.policy, number) else {
        return Ok(step.denied(Action::EnrollSms, Reason::NumberNotAllowed));
    };
    let reply = sms::send(step, &number, SmsPurpose::Enroll, session.as_str());
    if let Reply::SmsSent { .. } = reply {
        let user = step.user();
        let number = step.keys.sealing().seal(&mut step.entropy, &user, sms::NUMBER_FIELD, number.as_str().as_bytes())?;
        let expires_at = step.now.plus(SETUP_SECONDS);
        let with_pass = step.holds_pass(&session, pass);
        step.record.sms_draft = Some(SmsDraft { number, session: step.session_mac(&session), expires_at, with_pass });
        step.log(EventKind::EnrollmentStarted { method: Method::Sms });
    }
    Ok(reply)
}

/// Turns the phone on when the code sent to it is right.
pub(super) fn confirm_sms(step: &mut Step<'_>, session: &SessionId, code: &str) -> Result<Reply, Error> {
    if !step.policy.offers(Method::Sms) {
        return Ok(step.denied(Action::EnrollSms, Reason::MethodNotOffered));
    }
    let draft =
        step.record.sms_draft.clone().filter(|draft| same(&draft.session, &step.session_mac(session)) && step.now < draft.expires_at);
    let (Some(draft), Some(sent)) = (draft, sms::live_code(step, SmsPurpose::Enroll)) else {
        return Ok(Reply::Expired {});
    };
    if needs_pass(step, draft.with_pass) {
        return Ok(step.denied(Action::EnrollSms, Reason::FreshFactorRequired));
    }
    let Some(typed) = Digits::parse(code, step.policy.sms().digits) else {
        return Ok(malformed_digits(step.policy.sms().digits));
    };
    let number = sms::open_number(step.keys, &step.record, &draft.number)?;
    let matched = step.attempt(Method::Sms, |step| Ok(sms::matches(step, &sent, &number, session.as_str(), &typed)?.then_some(())))?;
    if let Err(reply) = matched {
        return Ok(reply);
    }
    let (had_factor, replaced) = (step.record.has_factor(), step.record.sms.is_some());
    step.record.sms = Some(SmsFactor { number: draft.number, added_at: step.now, last_used_at: None });
    confirmed(step, Method::Sms, had_factor, replaced)
}

/// Removes a factor; with the last one that can be used, all the rest goes too.
pub(super) fn remove(step: &mut Step<'_>, session: &SessionId, pass: Option<&str>, method: Method) -> Result<Reply, Error> {
    let present = match method {
        Method::Totp => step.record.totp.is_some(),
        Method::Sms => step.record.sms.is_some(),
        Method::BackupCode | Method::RecoveryCode => return Err(invalid("method", "only `totp` and `sms` can be removed")),
    };
    if !present {
        return Ok(step.denied(Action::Remove, Reason::NotEnrolled));
    }
    if !step.is_fresh(step.record.user(), session, pass, Proof::AnyFactor) {
        return Ok(step.denied(Action::Remove, Reason::FreshFactorRequired));
    }
    let (other, there, usable) = match method {
        Method::Totp => (Method::Sms, step.record.sms.is_some(), sms_is_usable(step)?),
        Method::Sms | Method::BackupCode | Method::RecoveryCode => {
            let there = step.record.totp.is_some();
            (Method::Totp, there, there && step.policy.offers(Method::Totp))
        }
    };
    let last = !usable;
    if last && step.is_forced() {
        // They could not come back: first another factor, then away with this one.
        return Ok(step.denied(Action::Remove, Reason::EnrollmentRequired));
    }
    step.log(EventKind::FactorRemoved { method });
    if last {
        // The other, if there is one, is no longer offered: alone it would only shut them out.
        if there {
            step.log(EventKind::FactorRemoved { method: other });
            step.notify(NoticeKind::FactorRemoved, Some(other));
        }
        (step.record.totp, step.record.sms, step.record.backup) = (None, None, None);
    } else if method == Method::Totp {
        step.record.totp = None;
    } else {
        step.record.sms = None;
    }
    drop_setups(step);
    step.notify(NoticeKind::FactorRemoved, Some(method));
    let left = [(Method::Totp, step.record.totp.is_some()), (Method::Sms, step.record.sms.is_some())];
    Ok(Reply::Removed { method, methods_left: left.into_iter().filter_map(|(method, on)| on.then_some(method)).collect() })
}

fn sms_is_usable(step: &Step<'_>) -> Result<bool, Error> {
    let Some(factor) = step.record.sms.as_ref().filter(|_| step.policy.offers(Method::Sms)) else { return Ok(false) };
    Ok(sms::open_number(step.keys, &step.record, &factor.number)?.starts_with_any(&step.policy.sms().prefixes))
}

/// Where a second factor is forced, the password alone must not enroll one: whoever has none comes in
/// by an owner's recovery code, and that gave them a pass. Asked at both ends of a set-up, for the
/// force may have begun in between.
fn needs_pass(step: &Step<'_>, with_pass: bool) -> bool {
    !step.record.has_factor() && step.is_forced() && !with_pass
}

/// Why this factor may not be set up.
fn obstacle(step: &Step<'_>, session: &SessionId, pass: Option<&str>, method: Method, plan: Option<&str>) -> Option<Reason> {
    if !step.policy.offers(method) {
        Some(Reason::MethodNotOffered)
    } else if !step.policy.plan_may_enroll(plan) {
        Some(Reason::Plan)
    } else if needs_pass(step, step.holds_pass(session, pass))
        || (step.record.has_factor() && !step.is_fresh(step.record.user(), session, pass, Proof::AnyFactor))
    {
        Some(Reason::FreshFactorRequired)
    } else {
        None
    }
}

fn confirmed(step: &mut Step<'_>, method: Method, had_factor: bool, replaced: bool) -> Result<Reply, Error> {
    drop_setups(step);
    step.record.recovery = None;
    step.log(if replaced { EventKind::FactorReplaced { method } } else { EventKind::FactorAdded { method } });
    let kind = if replaced && method == Method::Sms { NoticeKind::NumberChanged } else { NoticeKind::FactorAdded };
    step.notify(kind, Some(method));
    let first = !had_factor && step.policy.offers(Method::BackupCode);
    let backup_codes = first.then(|| codes::mint_backup(step)).transpose()?;
    Ok(Reply::Enrolled { method, backup_codes })
}

fn drop_setups(step: &mut Step<'_>) {
    step.record.totp_draft = None;
    step.record.sms_draft = None;
    step.record.sms_code = None;
}
