//! The import of an authenticator app that another system has set up: the user goes on with it, and scans nothing.
//!
//! ```text
//!  operator's import ──▶ the app counts; its codes of before count no more
//!         │
//!         └─────▶ first login ──▶ the user is told, and gets backup codes: those of the other system stay there
//! ```
//!
//! Somebody who chose the secret in a record can log in as its user. So the import is the operator's act alone, it is audited, and the
//! user hears of it at the first login, with the address of that login. At the import itself nobody is told: it may be of a
//! million users at once.
//!
//! It puts an app beside or in the place of what is there only where that is said (`replace`). The same app again changes nothing,
//! so that an import that was cut off is done again. A user who was reset, or is on the way to another place, has no app imported:
//! it may be the one that was taken back, and a place that a move has to do with is left to it.
//!
//! No code confirms the app: its codes are those that the other system took. The step of now counts as used, so that a code
//! that was typed there is not used here again.

use crate::error::{Error, ErrorCode};
use crate::event::EventKind;
use crate::factor::{FactorId, FactorName, NamedFactor};
use crate::ids::{OperatorId, SessionId};
use crate::notice::NoticeKind;
use crate::policy::Method;
use crate::record::{App, Factor, Record};
use crate::time::UnixSeconds;
use crate::totp::{TotpParameters, TotpSecret};

use super::backup_codes::{self, MadeCodes};
use super::context::{Context, invalid};
use super::reply::{ImportRefusal, Reply};
use super::{enroll, totp};

/// Longest time by which the clock of the other system may be ahead of ours, in seconds.
const AHEAD: u64 = 600;

/// An authenticator app, as another system knows it.
#[derive(Debug)]
pub struct Import {
    /// The secret.
    pub secret: TotpSecret,
    /// Its settings.
    pub parameters: TotpParameters,
    /// The last step whose code the other system took.
    pub last_step: Option<u64>,
    /// The name by which the user tells this app from others.
    pub name: Option<FactorName>,
    /// Puts it in the place of the user's apps. Phones and backup codes stay.
    pub replace: bool,
}

/// Imports the app.
pub(super) fn import(context: &mut Context<'_>, import: Import, operator: &OperatorId) -> Result<Reply, Error> {
    let Import { secret, parameters, last_step, name, replace } = import;
    let last_step = used_until(parameters, last_step, context.now)?;
    if let Some(reason) = never(&context.record) {
        return Ok(Reply::Refused { reason });
    }
    if let Some(factor) = same_app(context, &secret, parameters, replace)? {
        return Ok(Reply::Unchanged { factor });
    }
    if let Some(reason) = only_by_replacing(&context.record).filter(|_| !replace) {
        return Ok(Reply::Refused { reason });
    }
    let replaced: Vec<Factor> = context.record.factors().filter(|factor| factor.method == Method::Totp).collect();
    let kept = || replaced.first().map(|factor| factor.named.name.clone());
    let name = name.or_else(kept).unwrap_or_else(|| enroll::free_name(context, Method::Totp));
    let factor = NamedFactor { id: FactorId::mint(&mut context.entropy), name };
    let NamedFactor { id, name } = factor.clone();
    let sealed = totp::seal(context, &secret)?;
    let app = App { id, name, secret: sealed, parameters, last_step, added_at: context.now, last_used_at: None, is_untold: true };
    let weak = app.is_weak();
    context.log(EventKind::TotpImported { factor: factor.clone(), operator: operator.clone() });
    for factor in &replaced {
        context.drop_factor(factor);
    }
    context.record.apps.push(app);
    context.record.owes_backup_codes = context.record.backup.is_none();
    context.record.drop_login_codes();
    if context.record.epoch.is_first() {
        // In the first epoch there are no passes: a gate need not hear of a million ends.
        context.record.epoch = context.record.epoch.next(context.now, &mut context.entropy);
    } else {
        context.begin_epoch();
    }
    Ok(Reply::Imported { factor, weak })
}

/// Tells the user of the apps that were imported, at the first login since.
pub(super) fn tell(context: &mut Context<'_>) {
    let untold = context.record.apps.iter_mut().filter_map(|app| core::mem::take(&mut app.is_untold).then(|| app.name.clone()));
    let names: Vec<FactorName> = untold.collect();
    for name in names {
        context.notify_of_factor(NoticeKind::AppImported, Method::Totp, &name);
    }
}

/// The backup codes that an import owes to the user, after a code by app or SMS.
pub(super) fn owed_backup_codes(context: &mut Context<'_>, method: Method, session: &SessionId) -> Result<Option<MadeCodes>, Error> {
    let owes = context.record.owes_backup_codes && context.record.backup.is_none() && context.record.has_factor();
    let may_come = method.is_own_factor() && context.policy.offers(Method::BackupCode);
    if owes && may_come && backup_codes::no_new_set_until(context.view()).is_none() {
        backup_codes::mint(context, session).map(Some)
    } else {
        Ok(None)
    }
}

/// An app whose secret is weak, which the user should set up anew.
pub(super) fn weak_app(record: &Record) -> Option<NamedFactor> {
    let weak = record.apps.iter().find(|app| app.is_weak());
    weak.map(|App { id, name, .. }| NamedFactor { id: id.clone(), name: name.clone() })
}

/// The last step that counts as used: that of now, or a later one that the other system took.
fn used_until(parameters: TotpParameters, last_step: Option<u64>, now: UnixSeconds) -> Result<u64, Error> {
    let current = parameters.step_at(now);
    match last_step {
        Some(step) if step > parameters.step_at(now.plus(AHEAD)) => {
            Err(invalid("lastStep", "is later than now: a step is the time in unix seconds divided by the period"))
        }
        Some(step) => Ok(current.max(step)),
        None => Ok(current),
    }
}

/// The reason for which no app is imported, whatever is said.
const fn never(record: &Record) -> Option<ImportRefusal> {
    if record.is_erased() {
        Some(ImportRefusal::Erased)
    } else if record.departure.is_some() || record.arrival.is_some() {
        Some(ImportRefusal::Moved)
    } else if record.needs_recovery_code {
        Some(ImportRefusal::Reset)
    } else {
        None
    }
}

/// The reason for which an app is imported only where `replace` is said.
fn only_by_replacing(record: &Record) -> Option<ImportRefusal> {
    if record.has_factor() {
        Some(ImportRefusal::HasFactor)
    } else if record.recovery.is_some() {
        Some(ImportRefusal::RecoveryCode)
    } else if record.epoch.is_first() {
        None
    } else {
        Some(ImportRefusal::HadFactor)
    }
}

/// The user's app with this secret and these settings. One whose key is lost can be replaced, and is not passed over otherwise.
fn same_app(context: &Context<'_>, secret: &TotpSecret, parameters: TotpParameters, replace: bool) -> Result<Option<NamedFactor>, Error> {
    let apps = match totp::apps_of(context.view(), secret) {
        Err(error) if replace && error.code == ErrorCode::KeyMissing => Vec::new(),
        apps => apps?,
    };
    let same = apps.into_iter().find(|app| app.parameters == parameters);
    Ok(same.map(|App { id, name, .. }| NamedFactor { id: id.clone(), name: name.clone() }))
}
