//! A record that was restored from a backup: the one of an earlier restore epoch than that of the key ring.
//!
//! ```text
//!  stored record ──▶ as_it_counts ──▶ every reader: nothing that a restore may have brought back
//!                         │
//!                         └──▶ begin, at the first step ──▶ a new factor epoch, and used codes of apps stay used
//! ```
//!
//! Backup codes, the recovery code, trusted browsers and login codes by SMS end, because the backup does not know which of them were
//! used or removed since. Apps and phones stay: without them everyone would be shut out. A reset that was made after the backup,
//! and a factor that was added or removed since, are lost; the operator resets those users by the audit log.

use std::borrow::Cow;

use crate::error::{Error, ErrorCode};
use crate::keys::KeyRing;
use crate::record::Record;

use super::context::Context;

/// The record as it counts under the key ring.
///
/// # Errors
/// [`ErrorCode::KeyMissing`] for a record of a later restore epoch: this process has an old key ring.
pub(super) fn as_it_counts<'a>(record: &'a Record, keys: &KeyRing) -> Result<Cow<'a, Record>, Error> {
    if record.restore_epoch > keys.restore_epoch() {
        let message = "the record has a later `restoreEpoch` than the key ring; start this process again with the ring of now";
        Err(Error::new(ErrorCode::KeyMissing, "keys.restoreEpoch", message))
    } else if record.restore_epoch == keys.restore_epoch() {
        Ok(Cow::Borrowed(record))
    } else {
        let mut record = record.clone();
        if record == Record::new(record.id().clone()) {
            record.restore_epoch = keys.restore_epoch();
        }
        record.backup = None;
        record.recovery = None;
        record.browsers.clear();
        record.drop_login_codes();
        Ok(Cow::Owned(record))
    }
}

/// Takes a record into the restore epoch of the key ring, at the first step after the restore. The new factor epoch is later than
/// any that the revocation list may name for the user.
pub(super) fn begin(context: &mut Context<'_>) {
    let epoch = context.keys.restore_epoch();
    if core::mem::replace(&mut context.record.restore_epoch, epoch) == epoch {
        return;
    }
    // The first epoch tells of a user who never had a factor, which stays true.
    if !context.record.epoch.is_first() {
        context.begin_epoch();
    }
    let window = u64::from(context.policy.window());
    for app in &mut context.record.apps {
        let shown = app.parameters.step_at(epoch.time()).saturating_add(window);
        app.last_step = app.last_step.max(shown);
    }
}
