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
//! [`Pending`] shows the record to store and keeps the reply to itself. So whatever runs in
//! parallel, one code opens one door, and no SMS leaves for a state that was not saved.

mod codes;
mod enroll;
mod login;
mod sms;

use core::fmt;

use serde::Serialize;

use crate::error::{Error, ErrorCode};
use crate::event::{Action, Effect, Event, EventKind, Notice, NoticeKind, SecretText};
use crate::json::{FromJson, from_json, to_json};
use crate::lockout::LockState;
use crate::network::ClientIp;
use crate::phone::PhoneNumber;
use crate::policy::{Channel, Decision, Enrollment, Facts, Method, Policy, Reason, Role, explain};
use crate::record::{Record, SessionId, UserId};
use crate::secret::{Entropy, Purpose, mac, to_base64url};
use crate::time::UnixSeconds;
use crate::token::{KeyRing, Pass};

/// The circumstances of a step.
#[derive(Debug)]
pub struct Env {
    /// The host's clock.
    pub now: UnixSeconds,
    /// Where the request comes from.
    pub client: ClientIp,
    /// Random bytes for this step alone.
    pub entropy: Entropy,
}

/// What the host asks.
#[derive(Clone, FromJson)]
#[serde(rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Command {
    /// After the first factor: may this user come in, and by what?
    Begin {
        /// The host's session, to which the ticket is bound.
        session: SessionId,
        /// Person or program.
        channel: Channel,
        /// The account's plan.
        #[serde(default)]
        plan: Option<String>,
    },
    /// Send a code to the user's phone, or a new one; the old one dies.
    SendSms {
        /// From the challenge.
        ticket: String,
        /// The session that the ticket is bound to.
        session: SessionId,
    },
    /// The second step.
    Verify(SecondStep),
    /// Begin to set up an authenticator app. The secret is always ours, never the client's.
    EnrollTotp {
        /// The logged-in session.
        session: SessionId,
        /// A fresh pass, where the user has a factor already.
        #[serde(default)]
        pass: Option<String>,
        /// Shown in the app beside the service's name: an e-mail address or user name.
        label: String,
        /// The account's plan.
        #[serde(default)]
        plan: Option<String>,
    },
    /// Confirm the app with a code from it.
    ConfirmTotp {
        /// The session that began.
        session: SessionId,
        /// What the person typed.
        code: String,
    },
    /// Begin to set up a phone, or send its code again.
    EnrollSms {
        /// The logged-in session.
        session: SessionId,
        /// A fresh pass, where the user has a factor already.
        #[serde(default)]
        pass: Option<String>,
        /// The number in E.164 form.
        number: String,
        /// The account's plan.
        #[serde(default)]
        plan: Option<String>,
    },
    /// Confirm the phone with the code sent to it.
    ConfirmSms {
        /// The session that began.
        session: SessionId,
        /// What the person typed.
        code: String,
    },
    /// Remove a factor.
    Remove {
        /// The logged-in session.
        session: SessionId,
        /// A fresh pass.
        #[serde(default)]
        pass: Option<String>,
        /// `totp` or `sms`.
        method: Method,
    },
    /// Make new backup codes; the old ones die.
    RenewBackupCodes {
        /// The logged-in session.
        session: SessionId,
        /// A fresh pass.
        #[serde(default)]
        pass: Option<String>,
    },
    /// Show the backup codes again, where the policy keeps a copy.
    ShowBackupCodes {
        /// The logged-in session.
        session: SessionId,
        /// A fresh pass by app or SMS.
        #[serde(default)]
        pass: Option<String>,
    },
    /// An owner issues a recovery code for this user.
    IssueRecoveryCode {
        /// Who issues it.
        by: Issuer,
    },
}

impl Command {
    /// Reads a command from JSON text, strictly.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidInput`] with the path of the field.
    pub fn parse(json: &str) -> Result<Self, Error> {
        from_json(json, ErrorCode::InvalidInput)
    }
}

/// The second step of a login.
#[derive(Clone, FromJson)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecondStep {
    /// From the challenge.
    pub ticket: String,
    /// The session that the ticket is bound to.
    pub session: SessionId,
    /// The session id from now on; a random one when absent.
    #[serde(default)]
    pub new_session: Option<SessionId>,
    /// By which method.
    pub method: Method,
    /// What the person typed.
    pub code: String,
}

impl fmt::Debug for SecondStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecondStep").field("method", &self.method).finish_non_exhaustive()
    }
}

/// Who issues a recovery code.
#[derive(Clone, FromJson)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// The issuer's user id.
    pub user: UserId,
    /// The issuer's session.
    pub session: SessionId,
    /// The issuer's fresh pass by app or SMS.
    #[serde(default)]
    pub pass: Option<String>,
    /// What the issuer may do, as the host knows it.
    pub role: Role,
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Begin { .. } => "Begin",
            Self::SendSms { .. } => "SendSms",
            Self::Verify(_) => "Verify",
            Self::EnrollTotp { .. } => "EnrollTotp",
            Self::ConfirmTotp { .. } => "ConfirmTotp",
            Self::EnrollSms { .. } => "EnrollSms",
            Self::ConfirmSms { .. } => "ConfirmSms",
            Self::Remove { .. } => "Remove",
            Self::RenewBackupCodes { .. } => "RenewBackupCodes",
            Self::ShowBackupCodes { .. } => "ShowBackupCodes",
            Self::IssueRecoveryCode { .. } => "IssueRecoveryCode",
        })
    }
}

/// A method that the user can use right now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
pub struct UsableMethod {
    /// Which.
    pub method: Method,
    /// For SMS: the end of the number, `•••• 678`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// A backup code and whether it was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
pub struct ShownCode {
    /// `XXXX-XXXX-XXXX-XXXX`.
    pub code: SecretText,
    /// Whether it was used.
    pub used: bool,
}

/// Why an SMS was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum SmsRefusal {
    /// The last one was sent a moment ago.
    Cooldown,
    /// Too many in the last minute, hour or day.
    Budget,
    /// The account waits or is stopped after wrong codes.
    TooManyAttempts,
}

/// The answer for the caller. A wrong code is a reply, never an error. Times are unix seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(tag = "result", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Reply {
    /// In, without a second factor.
    Allowed {
        /// This user has none and may set one up: suggest it.
        enroll: bool,
    },
    /// A second factor is needed.
    Challenge {
        /// Hand it to `verify` and `send_sms`, from the same session.
        ticket: SecretText,
        /// What the user can use right now.
        methods: Vec<UsableMethod>,
        /// When the ticket ends.
        expires_at: UnixSeconds,
    },
    /// Turned down.
    Denied {
        /// Why.
        reason: Reason,
    },
    /// A code is on its way.
    SmsSent {
        /// The end of the number, `•••• 678`.
        hint: String,
        /// When the code ends.
        expires_at: UnixSeconds,
        /// When another may be asked for.
        resend_at: UnixSeconds,
    },
    /// No code was sent.
    SmsRefused {
        /// Why.
        reason: SmsRefusal,
        /// When to ask again; absent: only an owner's recovery code helps.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_at: Option<UnixSeconds>,
    },
    /// The second factor passed: the user is in.
    Verified {
        /// Who.
        user: UserId,
        /// The pass, bound to `session`.
        pass: SecretText,
        /// The session id that the pass is bound to: make it the user's from now on.
        session: SessionId,
        /// By which method.
        method: Method,
        /// When the pass ends.
        expires_at: UnixSeconds,
        /// The user should set up a factor now: the next login needs another recovery code.
        enroll: bool,
        /// After a backup code: how many are left.
        #[serde(skip_serializing_if = "Option::is_none")]
        backup_codes_left: Option<usize>,
    },
    /// A wrong code. It was counted.
    Wrong {
        /// Attempts left before a wait.
        attempts_left: u32,
        /// When the next attempt may be made, where one has to wait.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_at: Option<UnixSeconds>,
    },
    /// Not of the form of such a code. It was not counted.
    Malformed {
        /// The form, in words.
        expected: String,
    },
    /// Too many wrong codes. Nothing was compared.
    Locked {
        /// When the next attempt may be made; absent: only an owner's recovery code helps.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_at: Option<UnixSeconds>,
    },
    /// There is no code alive, or no set-up under way, that this could answer.
    Expired {},
    /// Show this to set up the app.
    TotpStarted {
        /// The `otpauth://` URI.
        uri: SecretText,
        /// The secret in groups of four, to type by hand.
        secret: SecretText,
        /// The URI as QR code.
        qr_svg: SecretText,
        /// When the set-up ends.
        expires_at: UnixSeconds,
    },
    /// The factor is on.
    Enrolled {
        /// Which.
        method: Method,
        /// On the first factor: the new backup codes. They are shown this once.
        #[serde(skip_serializing_if = "Option::is_none")]
        backup_codes: Option<Vec<SecretText>>,
    },
    /// The factor is off.
    Removed {
        /// Which.
        method: Method,
        /// The factors left.
        methods_left: Vec<Method>,
    },
    /// The backup codes.
    BackupCodes {
        /// In the order they were made.
        codes: Vec<ShownCode>,
    },
    /// A recovery code, for the owner to hand over in person.
    RecoveryCode {
        /// `XXXX-XXXX-XXXX-XXXX`, shown this once.
        code: SecretText,
        /// When it ends.
        expires_at: UnixSeconds,
    },
}

/// An outcome that has not happened yet: store the record, then take the reply out.
#[must_use = "nothing has happened until the record is stored"]
pub struct Pending {
    record: Record,
    changed: bool,
    reply: Reply,
    effects: Vec<Effect>,
}

impl Pending {
    /// The record to store by compare-and-set against the version that was loaded; `None` when
    /// the step changed nothing.
    #[must_use]
    pub const fn to_store(&self) -> Option<&Record> {
        if self.changed { Some(&self.record) } else { None }
    }

    /// The same for a storage that also carries out the effects once the record has landed, as
    /// JSON text: `{"record":"…","effects":[…]}`. The reply stays here until then.
    #[must_use]
    pub fn to_hand_over(&self) -> Option<String> {
        #[derive(Serialize)]
        struct HandOver<'a> {
            record: String,
            effects: &'a [Effect],
        }
        let record = self.to_store()?.to_text();
        Some(to_json(&HandOver { record, effects: &self.effects }))
    }

    /// Call it when the record landed (or there was nothing to store): the reply, and what to do.
    #[must_use]
    pub fn stored(self) -> (Reply, Vec<Effect>) {
        (self.reply, self.effects)
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("changed", &self.changed).finish_non_exhaustive()
    }
}

/// Carries out one command on a user's record.
///
/// # Errors
/// What the host did wrong: a malformed argument, a missing key, a record that is not ours. The
/// record is then as it was, and nothing was counted.
pub fn step(policy: &Policy, keys: &KeyRing, record: Record, command: Command, env: Env) -> Result<Pending, Error> {
    run(policy, keys, record, env, |step| match command {
        // An address that the rules turn away may do nothing at all; `begin` and the second step
        // say so themselves, after looking at the ticket.
        Command::EnrollTotp { .. }
        | Command::ConfirmTotp { .. }
        | Command::EnrollSms { .. }
        | Command::ConfirmSms { .. }
        | Command::Remove { .. }
        | Command::RenewBackupCodes { .. }
        | Command::ShowBackupCodes { .. }
        | Command::IssueRecoveryCode { .. }
            if step.turned_away().is_some() =>
        {
            let reason = step.turned_away().unwrap_or(Reason::AddressDenied);
            step.log(EventKind::LoginDenied { reason });
            Ok(Reply::Denied { reason })
        }
        Command::Begin { session, channel, plan } => login::begin(step, &session, channel, plan.as_deref()),
        Command::SendSms { ticket, session } => login::send_sms(step, &ticket, &session),
        Command::Verify(second) => login::verify(step, second),
        Command::EnrollTotp { session, pass, label, plan } => enroll::start_totp(step, &session, pass.as_deref(), &label, plan.as_deref()),
        Command::ConfirmTotp { session, code } => enroll::confirm_totp(step, &session, &code),
        Command::EnrollSms { session, pass, number, plan } => enroll::start_sms(step, session, pass.as_deref(), &number, plan.as_deref()),
        Command::ConfirmSms { session, code } => enroll::confirm_sms(step, &session, &code),
        Command::Remove { session, pass, method } => enroll::remove(step, &session, pass.as_deref(), method),
        Command::RenewBackupCodes { session, pass } => codes::renew_backup(step, &session, pass.as_deref()),
        Command::ShowBackupCodes { session, pass } => codes::show_backup(step, &session, pass.as_deref()),
        Command::IssueRecoveryCode { by } => codes::issue_recovery(step, &by),
    })
}

/// The second step alone: what [`step`] does with [`Command::Verify`], for a host that does nothing
/// else and has no room for the rest.
///
/// # Errors
/// As [`step`].
pub fn verify(policy: &Policy, keys: &KeyRing, record: Record, second: SecondStep, env: Env) -> Result<Pending, Error> {
    run(policy, keys, record, env, |step| login::verify(step, second))
}

fn run(
    policy: &Policy,
    keys: &KeyRing,
    record: Record,
    env: Env,
    job: impl FnOnce(&mut Step<'_>) -> Result<Reply, Error>,
) -> Result<Pending, Error> {
    let before = record.clone();
    let mut step = Step { policy, keys, record, now: env.now, client: env.client, entropy: env.entropy, effects: Vec::new() };
    let reply = job(&mut step)?;
    let changed = step.record != before;
    if changed {
        step.record.tidy(step.now);
    }
    Ok(Pending { record: step.record, changed, reply, effects: step.effects })
}

/// What a step works on.
struct Step<'a> {
    policy: &'a Policy,
    keys: &'a KeyRing,
    record: Record,
    now: UnixSeconds,
    client: ClientIp,
    entropy: Entropy,
    effects: Vec<Effect>,
}

/// Which passes count as fresh for a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// Any second factor: who lost the phone comes by a backup or recovery code and must be
    /// able to replace it.
    AnyFactor,
    /// App or SMS: one backup code must not show the other nine, nor let in another user.
    OwnFactor,
}

impl Step<'_> {
    fn user(&self) -> String {
        self.record.user().as_str().to_owned()
    }

    fn log(&mut self, happened: EventKind) {
        let ip = match self.client {
            ClientIp::Known(address) => Some(address.to_string()),
            ClientIp::Unknown => None,
        };
        self.effects.push(Effect::Log(Event { user: self.record.user().clone(), at: self.now, ip, happened }));
    }

    fn notify(&mut self, kind: NoticeKind, method: Option<Method>) {
        let user = self.record.user().clone();
        self.effects.push(Effect::Notify(Notice { user, kind, method, at: self.now, by: None, about: None }));
    }

    fn denied(&mut self, action: Action, reason: Reason) -> Reply {
        self.log(EventKind::Refused { action, reason });
        Reply::Denied { reason }
    }

    /// The login decision for whoever comes from here, were they to log in now.
    fn decide(&self, channel: Channel, enrollment: Enrollment) -> Decision {
        let recovery_code = self.record.live_recovery(self.policy, self.now).is_some();
        explain(self.policy, &Facts { client: self.client, channel, enrollment, recovery_code }).decision
    }

    /// Why the client's address is turned away, if it is.
    fn turned_away(&self) -> Option<Reason> {
        match self.decide(Channel::Web, self.record.enrollment(self.policy)) {
            Decision::Denied(reason @ (Reason::AddressDenied | Reason::AddressNotAllowed | Reason::AddressUnknown)) => Some(reason),
            Decision::Denied(_) | Decision::Allowed | Decision::Challenge => None,
        }
    }

    /// Whether someone without a factor could not come in from here but by a recovery code.
    fn is_forced(&self) -> bool {
        self.decide(Channel::Web, Enrollment::None) != Decision::Allowed
    }

    /// What stands for a session id in a record.
    fn session_mac(&self, session: &SessionId) -> String {
        let key = self.keys.sealing().newest_subkey(Purpose::Session);
        let mac = mac(key.bytes(), &[self.record.user().as_str().as_bytes(), session.as_str().as_bytes()]);
        to_base64url(&mac)
    }

    /// Whether a pass is of this user and session, however old.
    fn holds_pass(&self, session: &SessionId, pass: Option<&str>) -> bool {
        let opened = pass
            .map(|pass| Pass::open(self.policy, self.keys.passes(), pass, self.now).and_then(|pass| pass.of(self.record.user(), session)));
        matches!(opened, Some(Ok(_)))
    }

    /// Whether a pass of this user and session is fresh enough for a change.
    fn is_fresh(&self, user: &UserId, session: &SessionId, pass: Option<&str>, proof: Proof) -> bool {
        let Some(pass) = pass else { return false };
        let Ok(pass) = Pass::open(self.policy, self.keys.passes(), pass, self.now).and_then(|pass| pass.of(user, session)) else {
            return false;
        };
        let accepted = match (proof, pass.method()) {
            (Proof::AnyFactor, Method::Totp | Method::Sms | Method::BackupCode | Method::RecoveryCode)
            | (Proof::OwnFactor, Method::Totp | Method::Sms) => true,
            (Proof::OwnFactor, Method::BackupCode | Method::RecoveryCode) => false,
        };
        accepted && self.now.since(pass.auth_time()) <= self.policy.fresh_seconds()
    }

    /// Runs one attempt at a code: charged before it is compared, taken back when it was right.
    /// `Ok(Err(reply))` is the reply for an attempt that failed or could not be made.
    fn attempt<T>(
        &mut self,
        method: Method,
        compare: impl FnOnce(&mut Self) -> Result<Option<T>, Error>,
    ) -> Result<Result<T, Reply>, Error> {
        // A recovery code lifts the lock, so the lock must not stop it; ten tries end it.
        let door = if method == Method::RecoveryCode { LockState::Open } else { self.record.attempts.lock_state(self.now) };
        let retry_at = match door {
            LockState::Open => None,
            LockState::Waiting(until) => Some(until),
            LockState::Stopped => {
                self.log(EventKind::AttemptWhileLocked { method });
                return Ok(Err(Reply::Locked { retry_at: None }));
            }
        };
        if retry_at.is_some() {
            self.log(EventKind::AttemptWhileLocked { method });
            return Ok(Err(Reply::Locked { retry_at }));
        }
        let before = self.record.attempts.clone();
        self.record.attempts.charge(self.now, self.policy.window());
        if let Some(matched) = compare(self)? {
            self.record.attempts = before;
            return Ok(Ok(matched));
        }
        let failures = self.record.attempts.failures();
        self.log(EventKind::CodeRefused { method, failures });
        let (attempts_left, retry_at) = match self.record.attempts.lock_state(self.now) {
            LockState::Open => (self.record.attempts.left_before_wait(), None),
            LockState::Waiting(until) => (0, Some(until)),
            LockState::Stopped => (0, None),
        };
        if self.record.attempts.just_locked(&before) {
            self.notify(NoticeKind::Locked, None);
        }
        Ok(Err(Reply::Wrong { attempts_left, retry_at }))
    }
}

/// A user's second factor at a glance, for a settings page or an administrator. No secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Whether the user has a factor of their own.
    pub enrolled: bool,
    /// What that is worth under the policy.
    pub enrollment: Enrollment,
    /// The factors.
    pub methods: Vec<FactorStatus>,
    /// The backup codes, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_codes: Option<BackupStatus>,
    /// The recovery code alive, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery_code: Option<RecoveryStatus>,
    /// The attempt budget.
    pub attempts: AttemptStatus,
}

/// One factor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct FactorStatus {
    /// `totp` or `sms`.
    pub method: Method,
    /// For SMS: the end of the number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// When it was confirmed.
    pub added_at: UnixSeconds,
    /// When it last logged the user in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<UnixSeconds>,
}

/// The backup codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct BackupStatus {
    /// Not used yet.
    pub left: usize,
    /// In the set.
    pub total: usize,
    /// When they were made.
    pub created_at: UnixSeconds,
    /// Whether they can be shown again.
    pub can_show: bool,
}

/// The recovery code alive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct RecoveryStatus {
    /// Who issued it.
    pub issued_by: UserId,
    /// When it ends.
    pub expires_at: UnixSeconds,
}

/// The attempt budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct AttemptStatus {
    /// Consecutive failures.
    pub failures: u32,
    /// When the next attempt may be made, where one has to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locked_until: Option<UnixSeconds>,
    /// Only an owner's recovery code helps.
    pub stopped: bool,
}

/// Reads a record for a settings page.
///
/// # Errors
/// [`ErrorCode::KeyMissing`] or [`ErrorCode::SealBroken`] when the phone number does not open.
pub fn status(policy: &Policy, keys: &KeyRing, record: &Record, now: UnixSeconds) -> Result<Status, Error> {
    let mut methods = Vec::new();
    if let Some(totp) = &record.totp {
        methods.push(FactorStatus { method: Method::Totp, hint: None, added_at: totp.added_at, last_used_at: totp.last_used_at });
    }
    if let Some(factor) = &record.sms {
        let hint = Some(sms::open_number(keys, record, &factor.number)?.hint());
        methods.push(FactorStatus { method: Method::Sms, hint, added_at: factor.added_at, last_used_at: factor.last_used_at });
    }
    let backup_codes = record.backup.as_ref().map(|backup| BackupStatus {
        left: backup.set.left(),
        total: backup.set.slots.len(),
        created_at: backup.created_at,
        can_show: backup.copy.is_some() && policy.backup_codes().keep_for_showing,
    });
    let recovery_code =
        record.live_recovery(policy, now).map(|code| RecoveryStatus { issued_by: code.issued_by.clone(), expires_at: code.expires_at });
    let (locked_until, stopped) = match record.attempts.lock_state(now) {
        LockState::Open => (None, false),
        LockState::Waiting(until) => (Some(until), false),
        LockState::Stopped => (None, true),
    };
    let attempts = AttemptStatus { failures: record.attempts.failures(), locked_until, stopped };
    Ok(Status { enrolled: record.has_factor(), enrollment: record.enrollment(policy), methods, backup_codes, recovery_code, attempts })
}

/// An argument that the host must get right.
fn invalid(path: &str, message: &str) -> Error {
    Error::new(ErrorCode::InvalidInput, path, message)
}

/// The number in a form that may be enrolled under the policy.
fn allowed_number(policy: &Policy, text: &str) -> Option<PhoneNumber> {
    PhoneNumber::parse(text).filter(|number| number.starts_with_any(&policy.sms().prefixes))
}
