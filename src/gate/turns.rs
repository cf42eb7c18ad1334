//! One guess of a user's at a time, in each worker: none is computed while another waits for its write.
//!
//! Not needed for correctness: the compare-and-set counts every guess whose answer is told. But what
//! loses that race was computed all the same. A hundred backup codes at once would keep a worker
//! from everyone else for seconds, and how long each took might tell which was right.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use crate::ids::UserId;

/// The users whose turn it is.
#[derive(Debug, Clone, Default)]
pub(super) struct Turns(Rc<RefCell<BTreeSet<String>>>);

/// The turn of one user, over when this is dropped, however the verification ends.
#[derive(Debug)]
pub(super) struct Turn {
    turns: Turns,
    user: String,
}

impl Turns {
    /// The user's turn, unless a guess of theirs is being written.
    pub(super) fn take(&self, user: &UserId) -> Option<Turn> {
        let user = user.as_str().to_owned();
        let is_free = self.0.borrow_mut().insert(user.clone());
        is_free.then(|| Turn { turns: self.clone(), user })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.0.borrow_mut().remove(&self.user);
    }
}
