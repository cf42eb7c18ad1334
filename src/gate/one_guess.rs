//! One guess of a user at a time: in each worker of Envoy, no code of a user is computed while
//! another code of that user waits for its write.
//!
//! The compare-and-set alone is enough to count every guess whose answer is told. But a guess that
//! loses the race was computed all the same: a hundred backup codes at once would keep a worker
//! from all other requests for seconds, and the time that each took might tell which was right.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use crate::ids::RecordId;

/// The users with a guess that waits for its write.
#[derive(Debug, Clone, Default)]
pub(super) struct GuessLocks(Rc<RefCell<BTreeSet<RecordId>>>);

/// The lock of one user. Dropping it frees the user, however the verification ends.
#[derive(Debug)]
pub(super) struct GuessLock {
    locks: GuessLocks,
    user: RecordId,
}

impl GuessLocks {
    /// The user's lock; `None` while another guess of the user holds it.
    pub(super) fn take(&self, user: &RecordId) -> Option<GuessLock> {
        let is_free = self.0.borrow_mut().insert(user.clone());
        is_free.then(|| GuessLock { locks: self.clone(), user: user.clone() })
    }
}

impl Drop for GuessLock {
    fn drop(&mut self) {
        self.locks.0.borrow_mut().remove(&self.user);
    }
}
