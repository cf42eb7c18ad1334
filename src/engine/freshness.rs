//! Freshness: a change of a user's second factor needs a pass of this user and session whose factor was
//! shown at most `freshSeconds` ago, that is of the record's factor epoch, and whose factor is still there.
//!
//! Each change, and each rescue, begins a new epoch. So a pass from before it changes nothing: the phone
//! that was replaced must not take the account back. The session that made the change gets its own pass
//! again, in the new epoch.
//!
//! The pass of a trusted browser is never fresh, and changes nothing.
//!
//! The pass of a recovery code changes nothing while another code is alive. A second one is issued where the first got lost,
//! perhaps into the wrong hands.

use crate::effect::{Effect, EndedPasses};
use crate::error::Error;
use crate::ids::SessionId;
use crate::policy::Method;
use crate::record::Record;
use crate::secret_text::SecretText;
use crate::time::UnixSeconds;
use crate::token::Pass;

use super::context::{Context, View};

/// The factors whose pass permits a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// Any second factor: a user who lost the phone logs in by a backup or recovery code and must be
    /// able to replace it.
    AnyFactor,
    /// App or SMS: one backup code must not show the other nine, nor issue a recovery code.
    OwnFactor,
}

impl View<'_> {
    /// The pass of this user and session, if it is of the record's epoch, by whatever method and however old. It proves who the
    /// session is, and no factor.
    pub(super) fn session_pass(self, session: &SessionId, pass: Option<&str>) -> Option<Pass> {
        let pass = Pass::open(self.policy, self.keys.signing(), pass?, self.now).ok()?;
        pass.of(self.record.id(), session).ok().filter(|pass| *pass.epoch() == self.record.epoch)
    }

    /// The same, if its factor is still there, however old it is.
    pub(super) fn current_pass(self, session: &SessionId, pass: Option<&str>) -> Option<Pass> {
        self.session_pass(session, pass).filter(|pass| is_current(pass, self.record))
    }

    /// The same, if it is fresh enough for a change.
    pub(super) fn fresh_pass(self, session: &SessionId, pass: Option<&str>, proof: Proof) -> Option<Pass> {
        self.current_pass(session, pass).filter(|pass| {
            let is_accepted = match (proof, pass.method()) {
                (Proof::AnyFactor, Method::Totp | Method::Sms | Method::BackupCode | Method::RecoveryCode)
                | (Proof::OwnFactor, Method::Totp | Method::Sms) => true,
                (Proof::OwnFactor, Method::BackupCode | Method::RecoveryCode)
                | (Proof::AnyFactor | Proof::OwnFactor, Method::TrustedBrowser) => false,
            };
            is_accepted && self.may_change(pass) && self.now.since(pass.auth_time()) <= self.policy.fresh_seconds()
        })
    }

    /// Whether a pass permits a change, as far as its age is not asked for.
    pub(super) fn may_change(self, pass: &Pass) -> bool {
        let is_offered = match pass.method() {
            // The operator's counts whatever the policy offers.
            Method::RecoveryCode => self.record.live_recovery(self.policy, self.now).is_none(),
            Method::Totp | Method::Sms | Method::BackupCode => self.policy.offers(pass.method()),
            Method::TrustedBrowser => false,
        };
        is_offered && is_current(pass, self.record)
    }
}

impl Context<'_> {
    /// Begins a new factor epoch, after a change of factors or a rescue. No browser is trusted any more. Passes of earlier epochs stay
    /// good for requests in Node until they end; a gate, which has no record, is told to refuse them.
    pub(super) fn begin_epoch(&mut self) {
        self.record.browsers.clear();
        self.record.epoch = self.record.epoch.next(self.now, &mut self.entropy);
        self.tell_that_passes_ended();
    }

    /// Tells the host that passes of earlier epochs than the record's have ended.
    pub(super) fn tell_that_passes_ended(&mut self) {
        let (account, user, epoch) = (self.account(), self.record.user().clone(), self.record.epoch.clone());
        self.effects.push(Effect::EndPasses(EndedPasses { account, user, epoch, at: self.now }));
    }

    /// The pass for the reply to a change, in the record's epoch, and its end.
    pub(super) fn new_pass(&mut self, pass: Pass) -> Result<(SecretText, UnixSeconds), Error> {
        let pass = pass.in_epoch(self.record.epoch.clone());
        let token = pass.sign(self.policy, self.keys.signing(), &mut self.entropy)?;
        Ok((SecretText(token), pass.expires_at()))
    }
}

/// Whether a pass is of the record's epoch, and its factor is still there.
fn is_current(pass: &Pass, record: &Record) -> bool {
    let is_there = match pass.method() {
        Method::Totp | Method::Sms => pass.factor().is_some_and(|id| record.factor(id).is_some()),
        Method::BackupCode => record.backup.is_some(),
        // It was used up when the pass was made.
        Method::RecoveryCode => true,
        // It remembers a factor that was shown elsewhere, and proves none.
        Method::TrustedBrowser => false,
    };
    is_there && *pass.epoch() == record.epoch
}
