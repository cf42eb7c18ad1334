//! An outcome that has not happened yet: it shows the record to store, and gives the reply and the
//! effects only to a caller who says that the record is stored.
//!
//! ```text
//!  step ──▶ Pending ── to_store() ──▶ compare-and-set ── landed ──▶ stored() ──▶ reply, effects
//!              │                            │
//!              └── dropped ◀── lost the race┘
//! ```

use core::fmt;

use serde::Serialize;

use crate::effect::Effect;
use crate::json::to_json;
use crate::record::Record;

use super::reply::Reply;

/// An outcome that has not happened yet. Store the record, then take the reply out.
#[must_use = "nothing has happened until the record is stored"]
pub struct Pending {
    pub(super) record: Record,
    pub(super) changed: bool,
    pub(super) reply: Reply,
    pub(super) effects: Vec<Effect>,
}

impl Pending {
    /// The record to store by compare-and-set against the version that was loaded; `None` when
    /// the step changed nothing.
    #[must_use]
    pub const fn to_store(&self) -> Option<&Record> {
        if self.changed { Some(&self.record) } else { None }
    }

    /// The record and the effects as JSON text, `{"record":"…","effects":[…]}`, for a storage that
    /// also carries out the effects once the record is stored. The reply stays here until then.
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

    /// The reply and the effects. Call it when the record is stored, or when there was none to store.
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
