//! The login: after the first factor a decision, then the second step.

use crate::code::{Digits, LongCode, LongCodeKind};
use crate::error::{Error, ErrorCode};
use crate::event::{Action, EventKind, NoticeKind, SecretText};
use crate::otp::TotpSecret;
use crate::policy::{Channel, Decision, Method, Reason};
use crate::record::{Record, SessionId, SmsPurpose};
use crate::secret::Sealed;
use crate::token::{KeyRing, Pass, Ticket, TokenError};

use super::{Reply, SecondStep, Step, UsableMethod, invalid, sms};

/// Name of the sealed field, part of its associated data.
pub(super) const TOTP_FIELD: &str = "totp.secret";
/// Wrong tries that end a recovery code.
const RECOVERY_TRIES: u32 = 10;

/// Opens a sealed TOTP secret.
pub(super) fn open_totp(keys: &KeyRing, record: &Record, sealed: &Sealed) -> Result<TotpSecret, Error> {
    let plain = keys.sealing().open(record.user().as_str(), TOTP_FIELD, sealed)?;
    TotpSecret::from_bytes(&plain)
        .map_err(|_| Error::new(ErrorCode::InvalidRecord, TOTP_FIELD, "the record holds something else than a secret"))
}

/// After the first factor: allowed, challenged or denied.
pub(super) fn begin(step: &mut Step<'_>, session: &SessionId, channel: Channel, plan: Option<&str>) -> Result<Reply, Error> {
    match step.decide(channel, step.record.enrollment(step.policy)) {
        Decision::Allowed => {
            step.log(EventKind::LoginAllowed);
            let enroll = channel == Channel::Web && !step.record.has_factor() && step.policy.may_enroll(plan);
            Ok(Reply::Allowed { enroll })
        }
        Decision::Denied(reason) => {
            step.log(EventKind::LoginDenied { reason });
            Ok(Reply::Denied { reason })
        }
        Decision::Challenge => {
            let methods = usable_methods(step)?;
            let user = step.record.user().clone();
            let (token, ticket) = Ticket::issue(step.policy, step.keys.sealing(), &mut step.entropy, &user, session, step.now)?;
            step.log(EventKind::LoginChallenged);
            Ok(Reply::Challenge { ticket: SecretText(token), methods, expires_at: ticket.expires_at() })
        }
    }
}

/// Sends a login code to the phone on record.
pub(super) fn send_sms(step: &mut Step<'_>, ticket: &str, session: &SessionId) -> Result<Reply, Error> {
    let ticket = match admit(step, ticket, session, Method::Sms, Action::SendSms) {
        Ok(ticket) => ticket,
        Err(reply) => return Ok(reply),
    };
    let Some(factor) = &step.record.sms else {
        return Ok(step.denied(Action::SendSms, Reason::NotEnrolled));
    };
    let number = sms::open_number(step.keys, &step.record, &factor.number)?;
    if !number.starts_with_any(&step.policy.sms().prefixes) {
        return Ok(step.denied(Action::SendSms, Reason::NumberNotAllowed));
    }
    Ok(sms::send(step, &number, SmsPurpose::Login, ticket.id()))
}

/// The second step: one code by one method.
pub(super) fn verify(step: &mut Step<'_>, second: SecondStep) -> Result<Reply, Error> {
    let SecondStep { ticket, session, new_session, method, code } = second;
    if new_session.as_ref() == Some(&session) {
        return Err(invalid("newSession", "must differ from `session`: change the session id at the second step"));
    }
    let ticket = match admit(step, &ticket, &session, method, Action::Verify) {
        Ok(ticket) => ticket,
        Err(reply) => return Ok(reply),
    };
    let checked = match method {
        Method::Totp => verify_totp(step, &code),
        Method::Sms => verify_sms(step, &ticket, &code),
        Method::BackupCode => verify_backup(step, &code),
        Method::RecoveryCode => verify_recovery(step, &code),
    }?;
    if let Err(reply) = checked {
        return Ok(reply);
    }
    match method {
        Method::RecoveryCode => step.record.attempts.clear(),
        Method::Totp | Method::Sms | Method::BackupCode => {
            let before = step.record.attempts.clone();
            step.record.attempts.succeed(&before);
        }
    }
    // Whatever else was under way for this login is over.
    step.record.sms_code = None;
    step.record.recovery = None;
    step.log(EventKind::CodeAccepted { method });
    let user = step.record.user().clone();
    let session = match new_session {
        Some(session) => session,
        None => SessionId::new(&step.entropy.id())?,
    };
    let (token, pass) = Pass::issue(step.policy, step.keys.passes(), &mut step.entropy, &user, &session, method, step.now)?;
    Ok(Reply::Verified {
        user,
        pass: SecretText(token),
        session,
        method,
        expires_at: pass.expires_at(),
        enroll: method == Method::RecoveryCode || !step.record.has_factor(),
        backup_codes_left: (method == Method::BackupCode).then(|| step.record.backup_left()),
    })
}

/// What the user can use right now.
fn usable_methods(step: &Step<'_>) -> Result<Vec<UsableMethod>, Error> {
    let Step { policy, keys, record, .. } = step;
    let mut methods = Vec::new();
    if record.totp.is_some() && policy.offers(Method::Totp) {
        methods.push(UsableMethod { method: Method::Totp, hint: None });
    }
    if let Some(factor) = record.sms.as_ref().filter(|_| policy.offers(Method::Sms)) {
        let hint = Some(sms::open_number(keys, record, &factor.number)?.hint());
        methods.push(UsableMethod { method: Method::Sms, hint });
    }
    if record.has_factor() && record.backup_left() > 0 && policy.offers(Method::BackupCode) {
        methods.push(UsableMethod { method: Method::BackupCode, hint: None });
    }
    if record.live_recovery(policy, step.now).is_some() {
        methods.push(UsableMethod { method: Method::RecoveryCode, hint: None });
    }
    Ok(methods)
}

/// Whether the second step may be taken: a ticket of this user and session, from an address
/// that the rules still admit, by a method that is still offered.
fn admit(step: &mut Step<'_>, ticket: &str, session: &SessionId, method: Method, action: Action) -> Result<Ticket, Reply> {
    let ticket = match Ticket::open(step.policy, step.keys.sealing(), ticket, session, step.now) {
        Ok(ticket) if ticket.user() == step.record.user() => ticket,
        Err(TokenError::Expired) => return Err(step.denied(action, Reason::TicketExpired)),
        Ok(_)
        | Err(
            TokenError::Invalid | TokenError::OtherUser | TokenError::OtherSession | TokenError::TooOld | TokenError::MethodNotAccepted,
        ) => {
            return Err(step.denied(action, Reason::TicketInvalid));
        }
    };
    if let Some(reason) = step.turned_away() {
        return Err(step.denied(action, reason));
    }
    if !step.policy.offers(method) {
        return Err(step.denied(action, Reason::MethodNotOffered));
    }
    Ok(ticket)
}

/// The outcome of one method: `Err` is the reply for a code that did not pass.
type Checked = Result<Result<(), Reply>, Error>;

fn verify_totp(step: &mut Step<'_>, code: &str) -> Checked {
    let Some(factor) = step.record.totp.clone() else {
        return Ok(Err(step.denied(Action::Verify, Reason::NotEnrolled)));
    };
    let Some(typed) = Digits::parse(code, factor.parameters.digits()) else {
        return Ok(Err(malformed_digits(factor.parameters.digits())));
    };
    let secret = open_totp(step.keys, &step.record, &factor.secret)?;
    let matched = step.attempt(Method::Totp, |step| {
        Ok(secret.verify(factor.parameters, &typed, step.now, step.policy.window(), Some(factor.last_step)))
    })?;
    let matched = match matched {
        Ok(matched) => matched,
        Err(reply) => return Ok(Err(reply)),
    };
    // Written anew under the newest key: after a rotation records move over as people log in.
    let user = step.user();
    let secret = step.keys.sealing().seal(&mut step.entropy, &user, TOTP_FIELD, secret.as_bytes())?;
    if let Some(factor) = &mut step.record.totp {
        factor.secret = secret;
        factor.last_step = matched;
        factor.last_used_at = Some(step.now);
    }
    Ok(Ok(()))
}

fn verify_sms(step: &mut Step<'_>, ticket: &Ticket, code: &str) -> Checked {
    let Some(factor) = step.record.sms.clone() else {
        return Ok(Err(step.denied(Action::Verify, Reason::NotEnrolled)));
    };
    let Some(typed) = Digits::parse(code, step.policy.sms().digits) else {
        return Ok(Err(malformed_digits(step.policy.sms().digits)));
    };
    let Some(sent) = sms::live_code(step, SmsPurpose::Login) else {
        return Ok(Err(Reply::Expired {}));
    };
    let number = sms::open_number(step.keys, &step.record, &factor.number)?;
    let matched = step.attempt(Method::Sms, |step| Ok(sms::matches(step, &sent, &number, ticket.id(), &typed)?.then_some(())))?;
    if let Err(reply) = matched {
        return Ok(Err(reply));
    }
    let user = step.user();
    let number = step.keys.sealing().seal(&mut step.entropy, &user, sms::NUMBER_FIELD, number.as_str().as_bytes())?;
    if let Some(factor) = &mut step.record.sms {
        factor.number = number;
        factor.last_used_at = Some(step.now);
    }
    Ok(Ok(()))
}

fn verify_backup(step: &mut Step<'_>, code: &str) -> Checked {
    let Some(backup) = step.record.backup.clone().filter(|_| step.record.has_factor()) else {
        return Ok(Err(step.denied(Action::Verify, Reason::NotEnrolled)));
    };
    let Some(typed) = LongCode::parse(code) else {
        return Ok(Err(malformed_long()));
    };
    let user = step.user();
    let found = step.attempt(Method::BackupCode, |step| backup.set.find(step.keys.sealing(), &user, LongCodeKind::Backup, &typed))?;
    let index = match found {
        Ok(index) => index,
        Err(reply) => return Ok(Err(reply)),
    };
    let now = step.now;
    if let Some(slot) = step.record.backup.as_mut().and_then(|backup| backup.set.slots.get_mut(index)) {
        slot.used_at = Some(now);
    }
    step.notify(NoticeKind::BackupCodeUsed, Some(Method::BackupCode));
    Ok(Ok(()))
}

fn verify_recovery(step: &mut Step<'_>, code: &str) -> Checked {
    let Some(typed) = LongCode::parse(code) else {
        return Ok(Err(malformed_long()));
    };
    let Some(recovery) = step.record.live_recovery(step.policy, step.now).cloned() else {
        return Ok(Err(Reply::Expired {}));
    };
    let user = step.user();
    let found = step.attempt(Method::RecoveryCode, |step| recovery.set.find(step.keys.sealing(), &user, LongCodeKind::Recovery, &typed))?;
    match found {
        Ok(_) => {
            step.notify(NoticeKind::RecoveryCodeUsed, Some(Method::RecoveryCode));
            Ok(Ok(()))
        }
        Err(reply) => {
            let tries = recovery.tries.saturating_add(1);
            if tries >= RECOVERY_TRIES {
                step.record.recovery = None;
                step.log(EventKind::RecoveryCodeSpent);
            } else if let Some(recovery) = &mut step.record.recovery {
                recovery.tries = tries;
            }
            Ok(Err(reply))
        }
    }
}

pub(super) fn malformed_digits(length: u8) -> Reply {
    Reply::Malformed { expected: format!("{length} digits") }
}

fn malformed_long() -> Reply {
    Reply::Malformed { expected: "16 letters and digits, like XXXX-XXXX-XXXX-XXXX".to_owned() }
}
