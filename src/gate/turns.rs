//! One verification for one user at a time, in each worker.
//!
//! Not needed for correctness: the compare-and-set counts every guess whose answer is told. But what
//! loses that race was computed all the same, and a hundred backup codes at once would keep a worker
//! from everyone else for seconds.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use crate::record::UserId;

/// The users whose turn it is.
#[derive(Debug, Clone, Default)]
pub(super) struct Turns(Rc<RefCell<BTreeSet<String>>>);

/// The turn of one user, over when this is dropped: with the verification, however that ends.
#[derive(Debug)]
pub(super) struct Turn {
    turns: Turns,
    user: String,
}

impl Turns {
    /// The user's turn, unless a verification of theirs is under way.
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
