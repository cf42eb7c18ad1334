//! The way back: the secrets of authenticator apps in the clear, for an operator who leaves us. An export needs the store and the key
//! ring both, and each user's is an event of its own.

use serde::Serialize;

use crate::client_ip::ClientIp;
use crate::error::Error;
use crate::event::{Event, EventKind};
use crate::factor::NamedFactor;
use crate::ids::{AccountId, OperatorId, RecordId, UserId};
use crate::keys::KeyRing;
use crate::record::{App, Record};
use crate::secret_text::SecretText;
use crate::time::UnixSeconds;
use crate::totp::TotpAlgorithm;

use super::totp;

/// The authenticator apps of a user, opened.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Export {
    /// The apps, in the order in which they were added.
    pub apps: Vec<ExportedApp>,
    /// Whether apps of the user are on their way to another place, and in neither record: complete the move first.
    pub is_moving: bool,
    /// The event to keep before anybody is shown the apps; none where there are none.
    pub event: Option<Event>,
}

/// An authenticator app, opened.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportedApp {
    /// Its id and name.
    pub factor: NamedFactor,
    /// In base32.
    pub secret: SecretText,
    /// Hash under the HMAC.
    pub algorithm: TotpAlgorithm,
    /// Number of digits of a code.
    pub digits: u8,
    /// Length of a step in seconds.
    pub period: u32,
    /// The last step that counts as used.
    pub last_step: u64,
}

/// Opens the apps of a record.
pub(super) fn export(keys: &KeyRing, record: &Record, operator: &OperatorId, now: UnixSeconds) -> Result<Export, Error> {
    let opened = record.apps.iter().map(|App { id, name, secret, parameters, last_step, .. }| {
        Ok(ExportedApp {
            factor: NamedFactor { id: id.clone(), name: name.clone() },
            secret: SecretText(totp::open_secret_of(record.id(), keys, secret)?.to_base32()),
            algorithm: parameters.algorithm(),
            digits: parameters.digits(),
            period: parameters.period_seconds(),
            last_step: *last_step,
        })
    });
    let apps: Vec<ExportedApp> = opened.collect::<Result<_, Error>>()?;
    let factors: Vec<NamedFactor> = apps.iter().map(|app| app.factor.clone()).collect();
    let exported = EventKind::SecretsExported { factors, operator: operator.clone() };
    let event = (!apps.is_empty()).then(|| Event::new(record.id(), now, ClientIp::Unknown, exported));
    Ok(Export { apps, is_moving: record.sends_factors(), event })
}

/// The event with which an export begins.
pub(super) fn started(account: Option<AccountId>, operator: OperatorId, now: UnixSeconds) -> Result<Event, Error> {
    let who = RecordId::new(account, UserId::new(operator.as_str())?);
    Ok(Event::new(&who, now, ClientIp::Unknown, EventKind::ExportStarted { operator }))
}
