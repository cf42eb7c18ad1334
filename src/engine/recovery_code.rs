//! Recovery codes: issued for a user who has no factor at hand, once, good for an hour.
//!
//! ```text
//!  issue ──▶ alive ── the right code ──▶ used: the user is in, and a new factor epoch begins
//!              ├───── another is issued ──▶ replaced
//!              ├───── the operator withdraws it ──▶ withdrawn
//!              └───── its hour is over ──▶ ended
//! ```
//!
//! An owner with a fresh factor of their own issues one, and never for themselves; so does the operator
//! ([`operator`](super::operator)). A user has at most one. User and owners are told.
//!
//! Nothing else ends a code, and a wrong one costs nobody but its sender: it writes nothing and is charged
//! to nobody. Otherwise someone with the password alone could spend the code or make its user wait. The
//! code has 75 random bits. Ten more of its MAC, the *check tag*, stand in the record under a key that the
//! database does not hold, and the password hash runs only for a code whose tag is the right one: for one
//! wrong code in a thousand. A wrong code that came so far is remembered, and never hashed again.

use crate::encoding::to_base64url;
use crate::error::Error;
use crate::event::{Action, EventKind};
use crate::hashed_codes::{CodeSet, LongCodeKind};
use crate::ids::RecordId;
use crate::keys::Secret32;
use crate::keys::sealing::{Purpose, SealingRing};
use crate::mac::{is_same, mac};
use crate::notice::NoticeKind;
use crate::policy::{Method, Reason, Role};
use crate::rate::{DAY, HOUR, counts, full_until};
use crate::record::{IssuedBy, Record, RecoveryCode};
use crate::secret_text::SecretText;
use crate::time::Lifetime;
use crate::token::Ticket;
use crate::typed_code::LongCode;

use super::attempt::OrReply;
use super::command::{ClientField, Issuer};
use super::context::{Context, View};
use super::freshness::Proof;
use super::reply::{CodeKind, Reply, UsableMethod};

/// Bits of the check tag.
const CHECK_BITS: u16 = 10;
/// Wrong codes that are remembered: some 65,000 tries have as many.
const MAX_REFUTED: usize = 64;
/// Codes that owners may issue for one user within an hour, and within a day.
const LIMITS: [(u64, u32); 2] = [(HOUR, 5), (DAY, 20)];

/// Issues a recovery code by an owner of the account.
pub(super) fn issue(context: &mut Context<'_>, issuer: &Record, by: &Issuer) -> Result<Reply, Error> {
    if by.pass.as_deref().is_some_and(str::is_empty) {
        return Ok(Reply::malformed(ClientField::Pass));
    }
    if let Some(reason) = obstacle(context, issuer, by) {
        return Ok(context.denied(Action::IssueRecoveryCode, reason));
    }
    let now = context.now;
    if let Some(until) = full_until(context.record.codes_issued.iter().copied(), now, &LIMITS) {
        return Ok(context.denied_until(Action::IssueRecoveryCode, Reason::TooOften, until));
    }
    context.record.codes_issued.retain(|at| counts(*at, now, DAY));
    context.record.codes_issued.push(now);
    context.log(EventKind::RecoveryCodeIssued { by: by.user.clone() });
    mint(context, IssuedBy::Owner(by.user.clone()))
}

/// Makes the code, in place of one that is alive.
pub(super) fn mint(context: &mut Context<'_>, issued_by: IssuedBy) -> Result<Reply, Error> {
    if context.record.recovery.is_some() {
        context.log(EventKind::RecoveryCodeReplaced);
        context.notify_all(NoticeKind::RecoveryCodeReplaced, Method::RecoveryCode, None);
    }
    let by = issued_by.owner().cloned();
    let (id, sealing, cost) = (context.id(), context.keys.sealing(), context.policy.cost());
    let (set, codes) = CodeSet::mint(sealing, &mut context.entropy, &id, LongCodeKind::Recovery, cost, 1, context.hashes);
    let lifetime = Lifetime::starting(context.now, context.policy.recovery_seconds());
    let mut shown = String::new();
    for code in codes {
        let check = CheckKey::of(sealing, &set, context.record.id())?.tag(&code);
        shown = code.grouped();
        context.record.recovery =
            Some(RecoveryCode { set: set.clone(), check, refuted: Vec::new(), issued_by: issued_by.clone(), lifetime });
    }
    context.notify_all(NoticeKind::RecoveryCodeIssued, Method::RecoveryCode, by);
    Ok(Reply::RecoveryCode { code: SecretText(shown), expires_at: lifetime.ends_at() })
}

/// The second step by a recovery code. The login uses it up.
pub(super) fn verify(context: &mut Context<'_>, _: &Ticket, code: &str) -> Result<OrReply<()>, Error> {
    let Some(typed) = LongCode::parse(code) else { return Ok(Err(Reply::malformed_long_code())) };
    let Some(recovery) = context.record.live_recovery(context.policy, context.now).cloned() else {
        return Ok(Err(Reply::Expired {}));
    };
    let (id, sealing) = (context.id(), context.keys.sealing());
    let key = CheckKey::of(sealing, &recovery.set, &id)?;
    let mark = key.mark(&typed);
    if key.tag(&typed) != recovery.check || recovery.refuted.iter().any(|refuted| is_same(refuted, &mark)) {
        return Ok(Err(refuse(context)));
    }
    if recovery.set.find(sealing, &id, LongCodeKind::Recovery, &typed, context.hashes)?.is_none() {
        if let Some(recovery) = &mut context.record.recovery {
            recovery.refuted.truncate(MAX_REFUTED.saturating_sub(1));
            recovery.refuted.insert(0, mark);
        }
        return Ok(Err(refuse(context)));
    }
    context.record.recovery = None;
    context.notify_all(NoticeKind::RecoveryCodeUsed, Method::RecoveryCode, None);
    Ok(Ok(()))
}

/// Ends the code whose hour is over: an event, at the next step.
pub(super) fn end(context: &mut Context<'_>) {
    let now = context.now;
    if context.record.recovery.take_if(|code| now >= code.lifetime.ends_at()).is_some() {
        context.log(EventKind::RecoveryCodeEnded);
    }
}

/// The method in a challenge, while a recovery code is alive.
pub(super) fn usable(view: View<'_>) -> Result<Option<UsableMethod>, Error> {
    let alive = view.record.live_recovery(view.policy, view.now);
    Ok(alive.map(|_| UsableMethod { method: Method::RecoveryCode, kind: CodeKind::Grouped, digits: None, hint: None }))
}

/// A wrong code: told to its sender, and to the log, and charged to nobody.
fn refuse(context: &mut Context<'_>) -> Reply {
    let failures = context.record.attempts.failures();
    context.log(EventKind::CodeRefused { method: Method::RecoveryCode, failures });
    Reply::Wrong { attempts_left: None, retry_at: None }
}

/// The rule that forbids to issue a code, if one does.
fn obstacle(context: &Context<'_>, issuer: &Record, by: &Issuer) -> Option<Reason> {
    let view = View { record: issuer, ..context.view() };
    if !context.policy.offers(Method::RecoveryCode) {
        Some(Reason::MethodNotOffered)
    } else if !context.policy.owners_issue_recovery_codes() {
        Some(Reason::OperatorOnly)
    } else if by.role != Role::Owner {
        Some(Reason::OwnerOnly)
    } else if by.user == *context.record.user() {
        Some(Reason::NotForOneself)
    } else if view.fresh_pass(&by.session, by.pass.as_deref(), Proof::OwnFactor).is_none() {
        Some(Reason::FreshFactorRequired)
    } else {
        None
    }
}

/// The key of check tags, for one user's code.
struct CheckKey {
    key: Secret32,
    id: Vec<u8>,
}

impl CheckKey {
    fn of(sealing: &SealingRing, set: &CodeSet, id: &RecordId) -> Result<Self, Error> {
        Ok(Self { key: sealing.subkey(set.kid(), Purpose::CheckTag)?, id: id.to_bytes() })
    }

    /// The check tag of a code.
    fn tag(&self, code: &LongCode) -> u16 {
        let [high, low, ..] = self.mac(b"tag", code);
        u16::from_be_bytes([high, low]) >> (16_u16.saturating_sub(CHECK_BITS))
    }

    /// The mark by which a wrong code is remembered.
    fn mark(&self, code: &LongCode) -> String {
        to_base64url(self.mac(b"mark", code).first_chunk::<9>().map_or(&[], |bytes| bytes.as_slice()))
    }

    fn mac(&self, label: &[u8], code: &LongCode) -> [u8; 32] {
        mac(self.key.bytes(), &[label, &self.id, code.as_str().as_bytes()])
    }
}
