//! The part of a reply that the model foretells: all but its secrets.

use crate::engine::{Reply, SmsRefusal};
use crate::policy::{Method, Reason};
use crate::time::UnixSeconds;

use super::ask::Who;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    Allowed {
        enroll: bool,
    },
    Challenge {
        methods: Vec<Method>,
        /// Whether somebody has confirmed the backup codes, where they are among the methods.
        confirmed: Option<bool>,
        ends: u64,
    },
    SetUp {
        methods: Vec<Method>,
        ends: u64,
    },
    Denied(Reason),
    DeniedUntil(Reason, u64),
    SmsSent {
        digits: u8,
        ends: u64,
        again: u64,
    },
    SmsRefused(SmsRefusal, Option<u64>),
    Verified {
        method: Method,
        ends: u64,
        enroll: bool,
        left: Option<usize>,
    },
    Wrong {
        left: Option<u32>,
        retry_at: Option<u64>,
        /// The seconds since an app showed the code, where they are told.
        slow_by: Option<u64>,
    },
    /// Right, and used already: the time of the next code.
    AlreadyUsed(Option<u64>),
    Malformed,
    Locked(Option<u64>),
    Expired,
    AppStarted {
        digits: u8,
        ends: u64,
    },
    Enrolled {
        method: Method,
        codes: Option<usize>,
        ends: u64,
    },
    Renamed(Method, String),
    Removed {
        method: Method,
        left: Vec<Method>,
        ends: u64,
    },
    Codes {
        used: Vec<bool>,
        is_confirmed: bool,
        ends: Option<u64>,
    },
    Recovery {
        ends: u64,
    },
    /// The id of the browser.
    BrowserRemoved(String),
    Withdrawn,
    Confirmed,
    Ended,
    /// A move back waits until the first is complete: an error.
    MoveRefused,
    MoveChanged,
    /// Number of apps and phones that came along.
    Moved(usize),
    /// `check`: the method of the pass, if one was needed, and its end.
    In(Option<Method>, Option<u64>),
    /// `check`: the reason in words.
    SecondStep(String),
    /// `check` without a record: it asks for the record.
    AsksForTheRecord,
    /// At the gate: through, as this person.
    Through(Who),
    /// At the gate: the reason in words.
    Stopped(String),
}

impl Seen {
    pub(super) fn of(reply: &Reply) -> Self {
        let at = |time: &UnixSeconds| time.seconds();
        match reply {
            Reply::Allowed { enroll } => Self::Allowed { enroll: *enroll },
            Reply::Challenge { methods, expires_at, .. } => {
                let confirmed = methods.iter().find_map(|usable| usable.confirmed);
                Self::Challenge { methods: methods.iter().map(|usable| usable.method).collect(), confirmed, ends: at(expires_at) }
            }
            Reply::SetUp { methods, expires_at, .. } => Self::SetUp { methods: methods.clone(), ends: at(expires_at) },
            Reply::Denied { reason, retry_at: None } => Self::Denied(*reason),
            Reply::Denied { reason, retry_at: Some(time) } => Self::DeniedUntil(*reason, at(time)),
            Reply::SmsSent { digits, expires_at, resend_at, .. } => {
                Self::SmsSent { digits: *digits, ends: at(expires_at), again: at(resend_at) }
            }
            Reply::SmsRefused { reason, retry_at } => Self::SmsRefused(*reason, retry_at.as_ref().map(at)),
            Reply::Verified { method, expires_at, enroll, backup_codes_left, .. } => {
                Self::Verified { method: *method, ends: at(expires_at), enroll: *enroll, left: *backup_codes_left }
            }
            Reply::Wrong { attempts_left, retry_at, slow_by_seconds } => {
                Self::Wrong { left: *attempts_left, retry_at: retry_at.as_ref().map(at), slow_by: *slow_by_seconds }
            }
            Reply::AlreadyUsed { retry_at } => Self::AlreadyUsed(retry_at.as_ref().map(at)),
            Reply::Malformed { .. } => Self::Malformed,
            Reply::Locked { retry_at } => Self::Locked(retry_at.as_ref().map(at)),
            Reply::Expired {} => Self::Expired,
            Reply::TotpStarted { digits, expires_at, .. } => Self::AppStarted { digits: *digits, ends: at(expires_at) },
            Reply::Enrolled { method, backup_codes, expires_at, .. } => {
                Self::Enrolled { method: *method, codes: backup_codes.as_ref().map(Vec::len), ends: at(expires_at) }
            }
            Reply::Renamed { method, factor } => Self::Renamed(*method, factor.name.as_str().to_owned()),
            Reply::Removed { method, methods_left, expires_at, .. } => {
                Self::Removed { method: *method, left: methods_left.clone(), ends: at(expires_at) }
            }
            Reply::BackupCodes { codes, set, expires_at, .. } => Self::Codes {
                used: codes.iter().map(|code| code.used).collect(),
                is_confirmed: set.is_none(),
                ends: expires_at.as_ref().map(at),
            },
            Reply::RecoveryCode { expires_at, .. } => Self::Recovery { ends: at(expires_at) },
            Reply::TrustedBrowserRemoved { browser } => Self::BrowserRemoved(browser.id.as_str().to_owned()),
            Reply::Withdrawn {} => Self::Withdrawn,
            Reply::Confirmed {} => Self::Confirmed,
            Reply::Ended {} => Self::Ended,
            Reply::MoveChanged {} => Self::MoveChanged,
            Reply::Moved { factors } => Self::Moved(factors.len()),
            Reply::Imported { .. } | Reply::Unchanged { .. } | Reply::Refused { .. } => unreachable!("the model imports no app"),
        }
    }

    /// A word for the count of results.
    pub(super) fn word(&self) -> String {
        match self {
            Self::Denied(reason) => format!("denied {reason:?}"),
            Self::DeniedUntil(reason, _) => format!("denied {reason:?} until a time"),
            Self::SmsRefused(reason, _) => format!("sms refused {reason:?}"),
            Self::Verified { method, .. } => format!("verified {}", method.as_str()),
            Self::Wrong { slow_by: Some(_), .. } => "wrong by a slow clock".to_owned(),
            Self::Locked(None) => "stopped".to_owned(),
            Self::SecondStep(reason) => format!("second step {reason}"),
            Self::Stopped(reason) => format!("stopped {reason}"),
            Self::In(Some(_), _) => "in by pass".to_owned(),
            Self::In(None, _) => "in without pass".to_owned(),
            Self::Moved(0) => "nothing moved".to_owned(),
            other => {
                let text = format!("{other:?}");
                text.split([' ', '(', '{']).next().unwrap().to_lowercase()
            }
        }
    }

    /// Whether the command was refused: it may change nothing.
    pub(super) const fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Denied(_)
                | Self::DeniedUntil(..)
                | Self::SmsRefused(..)
                | Self::AlreadyUsed(_)
                | Self::Malformed
                | Self::Locked(_)
                | Self::Expired
                | Self::SecondStep(_)
        )
    }
}
