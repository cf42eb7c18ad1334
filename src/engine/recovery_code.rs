//! Recovery codes: issued for a user who has no factor at hand, once, good for an hour.
//!
//! ```text
//!  issue ──▶ alive ── the right code ──▶ used: the user is in, and a new factor epoch begins
//!              ├───── another is issued ──▶ replaced
//!              ├───── the operator withdraws it ──▶ withdrawn
//!              └───── its hour is over ──▶ ended
//! ```
//!
//! An owner with a fresh factor of their own issues one, and never for themselves ([`owner`](super::owner)); so does the
//! operator ([`operator`](super::operator)). A user has at most one. User and owners are told. The one that a
//! [`reset`](super::reset) gives is the same.
//!
//! Nothing else ends a code, and a wrong one costs nobody but its sender: it writes nothing and is charged
//! to nobody. Otherwise someone with the password alone could spend the code or make its user wait. The
//! code has 75 random bits. Twenty bits of a MAC of it, the *check tag*, stand in the record, under a key
//! that the database does not hold. The password hash runs only for a code whose tag is the right one: for
//! one wrong code in a million. The last of these are remembered, and are not hashed again.

use crate::encoding::to_base64url;
use crate::error::Error;
use crate::event::{Action, EventKind};
use crate::hashed_codes::{CodeSet, LongCodeKind};
use crate::ids::RecordId;
use crate::keys::Secret32;
use crate::keys::sealing::{Purpose, SealingRing};
use crate::mac::{is_same, mac};
use crate::notice::NoticeKind;
use crate::policy::Method;
use crate::record::{IssuedBy, Record, RecoveryCode};
use crate::secret_text::SecretText;
use crate::time::Lifetime;
use crate::token::Ticket;
use crate::typed_code::LongCode;

use super::attempt::{OrReply, Typed, Used};
use super::command::Issuer;
use super::context::{Context, View};
use super::owner;
use super::reply::{CodeKind, Reply, UsableMethod};

/// Bits of the check tag: the tag of one wrong code in a million is the right one. The code keeps 55 bits more.
const CHECK_BITS: u32 = 20;
/// Wrong codes that are remembered. Only more of them, sent in a circle, are hashed anew each time: it takes 17
/// million tries within the code's hour to find them.
const MAX_REFUTED: usize = 16;
/// Issues a recovery code by an owner of the account.
pub(super) fn issue(context: &mut Context<'_>, issuer: &Record, by: &Issuer) -> Result<Reply, Error> {
    if let Err(reply) = owner::admit(context, issuer, by, Action::IssueRecoveryCode) {
        return Ok(reply);
    }
    context.log(EventKind::RecoveryCodeIssued { by: by.user.clone() });
    mint(context, IssuedBy::Owner(by.user.clone()))
}

/// Makes the code, in place of one that is alive, and tells so.
pub(super) fn mint(context: &mut Context<'_>, issued_by: IssuedBy) -> Result<Reply, Error> {
    if replace(context) {
        context.notify_all(NoticeKind::RecoveryCodeReplaced, Some(Method::RecoveryCode), None);
    }
    context.notify_all(NoticeKind::RecoveryCodeIssued, Some(Method::RecoveryCode), issued_by.owner().cloned());
    make(context, issued_by)
}

/// Ends the code that is alive, because another takes its place; whether there was one.
pub(super) fn replace(context: &mut Context<'_>) -> bool {
    let is_replaced = context.record.recovery.take().is_some();
    if is_replaced {
        context.log(EventKind::RecoveryCodeReplaced);
    }
    is_replaced
}

/// Makes the code, and tells nobody. Where a user was erased, somebody begins anew with it: the record is not deleted any more.
pub(super) fn make(context: &mut Context<'_>, issued_by: IssuedBy) -> Result<Reply, Error> {
    if context.record.is_erased() {
        context.record.departure = None;
        context.record.needs_recovery_code = true;
    }
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
    Ok(Reply::RecoveryCode { code: SecretText(shown), expires_at: lifetime.ends_at() })
}

/// The second step by a recovery code. The login uses it up.
pub(super) fn verify(context: &mut Context<'_>, _: &Ticket, step: &Typed<'_>) -> Result<OrReply<Used>, Error> {
    let Some(typed) = LongCode::parse(step.code) else { return Ok(Err(Reply::malformed_long_code())) };
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
    context.record.needs_recovery_code = false;
    context.record.departure = None;
    context.notify_all(NoticeKind::RecoveryCodeUsed, Some(Method::RecoveryCode), None);
    Ok(Ok(Used::now(None, context.now)))
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
    Ok(alive.map(|_| UsableMethod {
        method: Method::RecoveryCode,
        kind: CodeKind::Grouped,
        digits: None,
        hint: None,
        factors: Vec::new(),
        confirmed: None,
    }))
}

/// A wrong code: told to its sender, and to the log, and charged to nobody.
fn refuse(context: &mut Context<'_>) -> Reply {
    let failures = context.record.attempts.failures();
    context.log(EventKind::CodeRefused { method: Method::RecoveryCode, failures });
    Reply::Wrong { attempts_left: None, retry_at: None, slow_by_seconds: None }
}

/// The key of check tags, for one user's code.
struct CheckKey {
    key: Secret32,
    id: Vec<u8>,
}

impl CheckKey {
    fn of(sealing: &SealingRing, set: &CodeSet, id: &RecordId) -> Result<Self, Error> {
        Ok(Self { key: sealing.subkey(set.kid(), Purpose::CheckTag)?.clone(), id: id.to_bytes() })
    }

    /// The check tag of a code.
    fn tag(&self, code: &LongCode) -> u32 {
        let [first, second, third, fourth, ..] = self.mac(b"tag", code);
        u32::from_be_bytes([first, second, third, fourth]) >> (32_u32.saturating_sub(CHECK_BITS))
    }

    /// The mark by which a wrong code is remembered.
    fn mark(&self, code: &LongCode) -> String {
        to_base64url(self.mac(b"mark", code).first_chunk::<9>().map_or(&[], |bytes| bytes.as_slice()))
    }

    fn mac(&self, label: &[u8], code: &LongCode) -> [u8; 32] {
        mac(self.key.bytes(), &[label, &self.id, code.as_str().as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::client_ip::ClientIp;
    use crate::engine::{Command, Env, operator, step};
    use crate::entropy::Entropy;
    use crate::hashed_codes::{hashes_of, make_hashes_cheap};
    use crate::ids::{OperatorId, UserId};
    use crate::keys::KeyRing;
    use crate::policy::{Policy, Roles};
    use crate::time::UnixSeconds;

    /// Ann, for whom a recovery code is alive.
    struct Ann {
        policy: Policy,
        keys: KeyRing,
        record: Record,
        right: String,
        ticket: Value,
        draws: u8,
    }

    impl Ann {
        fn with_a_recovery_code() -> Self {
            make_hashes_cheap();
            let policy = json!({"v": 1, "name": "Acme", "origin": "https://acme.example", "require": "everyone"});
            let mut ann = Self {
                policy: Policy::parse(&policy.to_string()).unwrap(),
                keys: KeyRing::parse(include_str!("../../tests/vectors/keys.json")).unwrap(),
                record: Record::new(RecordId::from(UserId::new("ann").unwrap())),
                right: String::new(),
                ticket: Value::Null,
                draws: 0,
            };
            let (operator, Env { now, entropy, .. }) = (OperatorId::new("night shift").unwrap(), ann.env());
            let pending = operator::issue_recovery_code(&ann.policy, &ann.keys, ann.record.clone(), &operator, now, entropy).unwrap();
            ann.record = pending.to_store().unwrap().clone();
            let Reply::RecoveryCode { code, .. } = pending.stored().0 else { panic!("no code was issued") };
            ann.right = code.0;
            ann.ticket = ann.reply(&json!({"begin": {"session": "s"}}))["ticket"].clone();
            ann
        }

        fn env(&mut self) -> Env {
            self.draws = self.draws.checked_add(1).unwrap();
            let now = UnixSeconds::new(1_800_000_000).unwrap();
            Env { now, client: ClientIp::Unknown, roles: Roles::Unknown, entropy: Entropy::new([self.draws; 32]) }
        }

        fn reply(&mut self, command: &Value) -> Value {
            let env = self.env();
            let command = Command::parse(&command.to_string()).unwrap();
            let pending = step(&self.policy, &self.keys, self.record.clone(), command, env).unwrap();
            self.record = pending.to_store().unwrap_or(&self.record).clone();
            serde_json::to_value(pending.stored().0).unwrap()
        }

        /// Tries a code; gives the result, and how many hashes it cost.
        fn try_code(&mut self, code: &str) -> (Value, u32) {
            let command = json!({"verify": {"ticket": self.ticket, "session": "s", "method": "recovery_code", "code": code}});
            let mut reply = Value::Null;
            let hashes = hashes_of(|| reply = self.reply(&command));
            (reply["result"].clone(), hashes)
        }

        fn recovery(&mut self) -> &mut RecoveryCode {
            self.record.recovery.as_mut().unwrap()
        }

        /// Makes the check tag in the record that of another code, as if somebody had found a wrong one that has the
        /// right tag: to find one takes a million tries.
        fn set_tag_of(&mut self, code: &str) {
            let (id, set) = (self.record.id().clone(), self.recovery().set.clone());
            let tag = CheckKey::of(self.keys.sealing(), &set, &id).unwrap().tag(&LongCode::parse(code).unwrap());
            self.recovery().check = tag;
        }
    }

    /// The `number`th of many wrong codes.
    fn wrong(number: usize) -> String {
        format!("{number:016}")
    }

    #[test]
    fn t42_wrong_codes_whose_tag_is_the_right_one_are_hashed_once_each() {
        let mut ann = Ann::with_a_recovery_code();
        let right = ann.right.clone();
        for round in 0..3 {
            for number in 0..MAX_REFUTED {
                ann.set_tag_of(&wrong(number));
                let first = u32::from(round == 0);
                assert_eq!(ann.try_code(&wrong(number)), (json!("wrong"), first), "code {number}, round {round}");
            }
        }
        ann.set_tag_of(&right);
        assert_eq!(ann.try_code(&right), (json!("verified"), 1));
    }

    #[test]
    fn t42_as_many_wrong_codes_as_are_remembered_cost_tens_of_millions_of_tries() {
        // A circle of more codes than are remembered is hashed anew each time. To find one takes 2^CHECK_BITS tries.
        let tries = (MAX_REFUTED + 1) << CHECK_BITS;
        assert!(tries > 16_000_000, "{tries} tries within the hour of a code");
        let mut ann = Ann::with_a_recovery_code();
        for number in 0..=MAX_REFUTED {
            ann.set_tag_of(&wrong(number));
            ann.try_code(&wrong(number));
        }
        ann.set_tag_of(&wrong(0));
        assert_eq!(ann.try_code(&wrong(0)), (json!("wrong"), 1), "the oldest is forgotten");
        assert_eq!(ann.recovery().refuted.len(), MAX_REFUTED);
    }

    #[test]
    fn t42_a_check_tag_has_twenty_bits_each_of_which_counts() {
        let mut ann = Ann::with_a_recovery_code();
        let right = ann.right.clone();
        let tag = ann.recovery().check;
        assert!(tag < 1 << 20);
        for bit in 0..20 {
            ann.recovery().check = tag ^ (1 << bit);
            assert_eq!(ann.try_code(&right), (json!("wrong"), 0), "bit {bit}");
        }
        let mut seen = 0;
        for number in 0..200 {
            ann.set_tag_of(&wrong(number));
            seen |= ann.recovery().check;
        }
        assert_eq!(seen, (1 << 20) - 1, "tags use all their bits");
    }
}
