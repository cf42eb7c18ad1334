//! The record of one user, which the host stores as opaque text beside a version number.
//!
//! It is read strictly: `"v": 2`, the account and user it belongs to, and nothing unknown. TOTP secrets and
//! phone numbers are sealed, SMS codes are MACs, backup and recovery codes are Argon2id: the
//! stored text alone opens no account and names no phone.

use serde::{Deserialize, Serialize};

use crate::encoding::to_base64url;
use crate::entropy::Entropy;
use crate::epoch::FactorEpoch;
use crate::error::{Error, ErrorCode};
use crate::factor::{FactorId, FactorName, NamedFactor};
use crate::hashed_codes::CodeSet;
use crate::ids::{RecordId, UserId};
pub use crate::issued_by::IssuedBy;
use crate::json::{from_json_after, to_json};
use crate::keys::sealing::Sealed;
use crate::lockout::Attempts;
use crate::login_epoch::LoginEpoch;
use crate::policy::{Method, Policy};
use crate::restore_epoch::RestoreEpoch;
use crate::time::{Lifetime, UnixSeconds};
use crate::totp::{TotpParameters, TotpSecret};
use crate::trusted_browser::TrustedBrowser;

/// Longest record that is read, in bytes. Ours are below 32 KiB.
const MAX_RECORD: usize = 65_536;

/// A user's second factor as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Record {
    v: u32,
    id: RecordId,
    /// Random, another in each record that is stored: a host that does not know whether a write landed
    /// reads back, and finds its own text or not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    write: String,
    /// Changes with every change of the factors.
    #[serde(default, skip_serializing_if = "FactorEpoch::is_first")]
    pub(crate) epoch: FactorEpoch,
    /// Changes with the password.
    #[serde(default, skip_serializing_if = "LoginEpoch::is_first")]
    pub(crate) logins: LoginEpoch,
    /// That of the key ring at the last write.
    #[serde(default, skip_serializing_if = "RestoreEpoch::is_first")]
    pub(crate) restore_epoch: RestoreEpoch,
    pub(crate) attempts: Attempts,
    /// In the order in which they were added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) apps: Vec<App>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) phones: Vec<Phone>,
    /// In the order in which they were trusted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) browsers: Vec<TrustedBrowser>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) backup: Option<BackupCodes>,
    /// An app was imported, and its user has no backup codes yet: a login brings them.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub(crate) owes_backup_codes: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) recovery: Option<RecoveryCode>,
    /// An owner has reset the user, and no recovery code was used since: nothing else lets in.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub(crate) needs_recovery_code: bool,
    /// The end of the user's life here, by the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) departure: Option<Departure>,
    /// The move that brought the user here, until it is complete. Until then nothing leads away from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) arrival: Option<Arrival>,
    /// Times at which owners issued recovery codes, by themselves or with a reset, within the last day, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) codes_issued: Vec<UnixSeconds>,
    /// The messages sent within the last day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) sms_sent: Vec<SentSms>,
    /// Times at which a message gave its slot back, within the last hour.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) sms_returned: Vec<UnixSeconds>,
    /// Times at which sets of backup codes were made, within the last day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) sets_made: Vec<UnixSeconds>,
}

/// The end of a user's life at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Departure {
    /// The operator moves the user to another place. The apps and phones are on their way, and nothing lets in.
    Leaving {
        to: RecordId,
        id: MoveId,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        apps: Vec<App>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        phones: Vec<Phone>,
    },
    /// The move is complete. Only a recovery code lets in, and begins another life here.
    Left { to: RecordId },
    /// The operator has erased the user, and the record is about to be deleted.
    Erased {
        /// The move that was under way, until it is taken back at the new place.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        withdrawal: Option<Withdrawal>,
    },
}

/// A move whose user was erased on the way. Where it arrives all the same, it is taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Withdrawal {
    pub(crate) to: RecordId,
    pub(crate) id: MoveId,
    /// Whether apps or phones were on the way, or the user needed a recovery code: the password lets in nobody there.
    pub(crate) shuts: bool,
    /// Whether the user has ever had a factor: the password sets up no first one there.
    pub(crate) had_one: bool,
}

/// A move that brought the user to a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Arrival {
    pub(crate) from: RecordId,
    pub(crate) id: MoveId,
    /// The apps and phones that came along.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) factors: Vec<NamedFactor>,
}

/// The name of one move: random, so that a move that is done again is known from another one between the same places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct MoveId(String);

impl MoveId {
    pub(crate) fn random(entropy: &mut Entropy) -> Self {
        Self(to_base64url(&entropy.bytes::<9>()))
    }
}

/// The part that records of all versions have.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Versioned {
    v: u32,
}

/// A factor of the user's own, an app or a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Factor {
    /// Its id and name.
    pub named: NamedFactor,
    /// The method by which it is shown.
    pub method: Method,
    /// The time at which a code confirmed it.
    pub added_at: UnixSeconds,
    /// The time at which it last logged the user in.
    pub last_used_at: Option<UnixSeconds>,
}

/// An authenticator app that is confirmed, or that the operator has imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct App {
    pub(crate) id: FactorId,
    pub(crate) name: FactorName,
    pub(crate) secret: Sealed,
    pub(crate) parameters: TotpParameters,
    /// The last step that matched, in the window or as that of a slow clock; it and all before it are refused.
    pub(crate) last_step: u64,
    pub(crate) added_at: UnixSeconds,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last_used_at: Option<UnixSeconds>,
    /// It was imported, and the user has not been told so.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub(crate) is_untold: bool,
}

impl App {
    /// Whether its secret has fewer than 160 bits (RFC 4226 §4). Only an imported one has.
    pub(crate) const fn is_weak(&self) -> bool {
        self.secret.plain_bytes() < TotpSecret::RECOMMENDED_BYTES
    }
}

/// A confirmed phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Phone {
    pub(crate) id: FactorId,
    pub(crate) name: FactorName,
    pub(crate) number: Sealed,
    pub(crate) added_at: UnixSeconds,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last_used_at: Option<UnixSeconds>,
}

/// The current set of backup codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct BackupCodes {
    /// Random, another for each set: a page that shows an older set confirms nothing of this one.
    pub(crate) id: String,
    pub(crate) set: CodeSet,
    /// Whether the person has them: said so, or logged in by one.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub(crate) is_confirmed: bool,
    pub(crate) created_at: UnixSeconds,
    /// Only where the policy keeps a copy for showing again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) copy: Option<Sealed>,
}

/// The one recovery code that is alive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RecoveryCode {
    pub(crate) set: CodeSet,
    /// Twenty bits of a MAC of the code: a wrong code is hashed only if it has the same.
    pub(crate) check: u32,
    /// Marks of the wrong codes that were hashed all the same, latest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) refuted: Vec<String>,
    pub(crate) issued_by: IssuedBy,
    pub(crate) lifetime: Lifetime,
}

/// A message that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SentSms {
    /// The id of the message, which the gateway has too.
    pub(crate) id: String,
    pub(crate) at: UnixSeconds,
    /// The code in it, where it was sent for a login. The code of a set-up is in the set-up itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) login_code: Option<LoginCode>,
    /// Number of wrong tries at it, where it was sent for a set-up.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) tries: u32,
}

/// A login code by SMS. It belongs to one ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LoginCode {
    /// The id of the ticket.
    pub(crate) ticket: String,
    /// The phone that it was sent to.
    pub(crate) phone: FactorId,
    pub(crate) kid: String,
    pub(crate) mac: String,
    pub(crate) lifetime: Lifetime,
    /// True once it logged the user in.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub(crate) is_used: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Record {
    /// The record of someone who has enrolled nothing.
    #[must_use]
    pub const fn new(id: RecordId) -> Self {
        Self {
            v: 2,
            id,
            write: String::new(),
            epoch: FactorEpoch::FIRST,
            logins: LoginEpoch::FIRST,
            restore_epoch: RestoreEpoch::FIRST,
            attempts: Attempts::NEW,
            apps: Vec::new(),
            phones: Vec::new(),
            browsers: Vec::new(),
            backup: None,
            owes_backup_codes: false,
            recovery: None,
            needs_recovery_code: false,
            departure: None,
            arrival: None,
            codes_issued: Vec::new(),
            sms_sent: Vec::new(),
            sms_returned: Vec::new(),
            sets_made: Vec::new(),
        }
    }

    /// Reads a stored record.
    ///
    /// # Errors
    /// [`ErrorCode::UnknownRecordVersion`] for a record of a newer version,
    /// [`ErrorCode::InvalidRecord`] for anything else that is not this user's record.
    pub fn parse(id: &RecordId, text: &str) -> Result<Self, Error> {
        let broken = |path: &str, message: &str| Error::new(ErrorCode::InvalidRecord, path, message);
        if text.len() > MAX_RECORD {
            return Err(broken("record", "is too long to be a record"));
        }
        let is_known = |Versioned { v }| match v {
            2 => Ok(()),
            other => {
                let message = format!("this version reads records of version 2, not {other}; update the library");
                Err(Error::new(ErrorCode::UnknownRecordVersion, "v", message))
            }
        };
        let record: Self = from_json_after(text, &["v"], ErrorCode::InvalidRecord, is_known).map_err(|error| error.within("record"))?;
        if record.id != *id {
            return Err(broken("record.id", "the record belongs to another user or account"));
        }
        Ok(record)
    }

    /// The text to store.
    #[must_use]
    pub fn to_text(&self) -> String {
        to_json(self)
    }

    /// The account and user whose record it is.
    #[must_use]
    pub const fn id(&self) -> &RecordId {
        &self.id
    }

    /// The user whose record it is.
    #[must_use]
    pub const fn user(&self) -> &UserId {
        self.id.user()
    }

    /// Whether the user has a factor of their own.
    #[must_use]
    pub fn has_factor(&self) -> bool {
        self.factors().next().is_some()
    }

    /// The user's own factors: apps, then phones, each in the order in which they were added.
    pub fn factors(&self) -> impl Iterator<Item = Factor> {
        let apps = self.apps.iter().map(|App { id, name, added_at, last_used_at, .. }| (Method::Totp, id, name, added_at, last_used_at));
        let phones =
            self.phones.iter().map(|Phone { id, name, added_at, last_used_at, .. }| (Method::Sms, id, name, added_at, last_used_at));
        apps.chain(phones).map(|(method, id, name, added_at, last_used_at)| Factor {
            named: NamedFactor { id: id.clone(), name: name.clone() },
            method,
            added_at: *added_at,
            last_used_at: *last_used_at,
        })
    }

    /// Whether one more factor of a method has room: a user has at most five apps and two phones. One that it comes in the place
    /// of does not count.
    pub(crate) fn has_room(&self, method: Method, replaces: Option<&FactorId>) -> bool {
        let most = match method {
            Method::Totp => 5,
            Method::Sms => 2,
            Method::BackupCode | Method::RecoveryCode | Method::TrustedBrowser => 0,
        };
        self.factors().filter(|factor| factor.method == method && Some(&factor.named.id) != replaces).count() < most
    }

    /// The user's factor with this id.
    pub(crate) fn factor(&self, id: &FactorId) -> Option<Factor> {
        self.factors().find(|factor| factor.named.id == *id)
    }

    /// Takes out the user's factor with this id.
    pub(crate) fn drop_factor(&mut self, id: &FactorId) {
        self.apps.retain(|app| app.id != *id);
        self.phones.retain(|phone| phone.id != *id);
    }

    /// Whether nothing but a recovery code lets in: after a reset, and where the operator has moved the user away or erased the user.
    pub(crate) const fn only_a_recovery_code_lets_in(&self) -> bool {
        self.needs_recovery_code || self.departure.is_some()
    }

    /// Whether the operator's move of the user to another place is not complete.
    pub(crate) const fn is_on_the_way(&self) -> bool {
        matches!(self.departure, Some(Departure::Leaving { .. }))
    }

    /// Whether the user was moved to another place, and nobody has begun anew here since.
    pub(crate) const fn has_left(&self) -> bool {
        matches!(self.departure, Some(Departure::Left { .. }))
    }

    /// Whether apps or phones of the user are on their way to another place.
    pub(crate) fn sends_factors(&self) -> bool {
        matches!(&self.departure, Some(Departure::Leaving { apps, phones, .. }) if !apps.is_empty() || !phones.is_empty())
    }

    /// Whether the operator has erased the user, and nobody has begun anew here since.
    pub(crate) const fn is_erased(&self) -> bool {
        matches!(self.departure, Some(Departure::Erased { .. }))
    }

    /// The old place of a move to here that is not complete.
    pub(crate) fn comes_from(&self) -> Option<&RecordId> {
        self.arrival.as_ref().map(|arrival| &arrival.from)
    }

    /// The new place of a move from here that is under way, or was when the user was erased.
    pub(crate) const fn goes_to(&self) -> Option<&RecordId> {
        match &self.departure {
            Some(Departure::Leaving { to, .. } | Departure::Erased { withdrawal: Some(Withdrawal { to, .. }) }) => Some(to),
            Some(Departure::Left { .. } | Departure::Erased { withdrawal: None }) | None => None,
        }
    }

    /// The move that must be taken back at its new place before this record is deleted.
    pub(crate) const fn withdrawal(&self) -> Option<&Withdrawal> {
        match &self.departure {
            Some(Departure::Erased { withdrawal }) => withdrawal.as_ref(),
            Some(Departure::Leaving { .. } | Departure::Left { .. }) | None => None,
        }
    }

    /// Counts as changed, so that it is stored anew and a slow write loses its race.
    pub(crate) fn touch(&mut self) {
        self.write.clear();
    }

    /// Takes out all apps and phones, and the backup codes with them.
    pub(crate) fn forget_factors(&mut self) {
        (self.apps, self.phones, self.backup, self.owes_backup_codes) = (Vec::new(), Vec::new(), None, false);
    }

    /// Gives the user's factor with this id another name.
    pub(crate) fn rename_factor(&mut self, id: &FactorId, name: &FactorName) {
        let apps = self.apps.iter_mut().map(|app| (&app.id, &mut app.name));
        let phones = self.phones.iter_mut().map(|phone| (&phone.id, &mut phone.name));
        for (_, named) in apps.chain(phones).filter(|(known, _)| *known == id) {
            *named = name.clone();
        }
    }

    /// Ends the login codes of all tickets.
    pub(crate) fn drop_login_codes(&mut self) {
        for sent in &mut self.sms_sent {
            sent.login_code = None;
        }
    }

    /// Ends the unused login code of one ticket. A used one stays, so that it is known again.
    pub(crate) fn drop_unused_login_code(&mut self, ticket: &str) {
        for sent in &mut self.sms_sent {
            sent.login_code.take_if(|code| !code.is_used && code.ticket == ticket);
        }
    }

    /// Number of backup codes that are not used yet.
    #[must_use]
    pub fn backup_left(&self) -> usize {
        self.backup.as_ref().map_or(0, |backup| backup.set.left())
    }

    /// Gives the record a name of its own, before it is stored.
    pub(crate) fn name_write(&mut self, entropy: &mut Entropy) {
        self.write = to_base64url(&entropy.bytes::<9>());
    }

    /// The browsers that are trusted now.
    pub(crate) fn live_browsers(&self, policy: &Policy, now: UnixSeconds) -> impl Iterator<Item = &TrustedBrowser> {
        self.browsers.iter().filter(move |browser| browser.is_live(policy, now))
    }

    /// Drops the browsers that are not trusted now. A policy that trusts browsers again revives none.
    pub(crate) fn drop_ended_browsers(&mut self, policy: &Policy, now: UnixSeconds) {
        self.browsers.retain(|browser| browser.is_live(policy, now));
    }

    /// Drops the parts that time or the policy has ended: they need not be kept.
    pub(crate) fn tidy(&mut self, policy: &Policy, now: UnixSeconds) {
        self.drop_ended_browsers(policy, now);
        for sent in &mut self.sms_sent {
            sent.login_code.take_if(|code| now >= code.lifetime.ends_at());
        }
    }

    /// The recovery code, while it is alive. An owner's counts where the policy offers recovery codes and owners issue them, the
    /// operator's always.
    pub(crate) fn live_recovery(&self, policy: &Policy, now: UnixSeconds) -> Option<&RecoveryCode> {
        let counts = |code: &&RecoveryCode| match code.issued_by {
            IssuedBy::Owner(_) => policy.offers(Method::RecoveryCode) && policy.owners_issue_recovery_codes(),
            IssuedBy::Operator(_) => true,
        };
        self.recovery.as_ref().filter(counts).filter(|code| code.lifetime.contains(now))
    }
}
