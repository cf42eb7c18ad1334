//! Where a second factor is forced, the password alone sets up the first one, and only for a user who never had one, in
//! an account whose rules accept that. Asked of every step, whatever the model foretold.

use crate::effect::Effect;
use crate::event::EventKind;
use crate::notice::{NoticeKind, Recipient};
use crate::policy::{Channel, Method};

use super::ask::{Ask, Token, Who, account};
use super::invariants::After;
use super::seen::Seen;
use super::setups::Proof;
use super::shadow::is_alive;
use super::world::{Checked, World};

impl World {
    pub(super) fn each_accepts_the_password(&self, who: Who) -> bool {
        self.rules[account(who)].documents.iter().all(|document| document.first_by_password)
    }

    pub(super) fn the_password_sets_up_the_first_factor_only(&mut self, after: &After<'_>) -> Checked {
        self.a_login_leads_to_the_first_factor_only(after)?;
        self.a_forced_set_up_begins_by_proof(after)?;
        self.all_are_told_of_a_first_factor_by_password(after)?;
        // The model's own note of it, beside the record's.
        self.had_factor[after.who] |= matches!(after.seen, Seen::Enrolled { .. } | Seen::Verified { method: Method::RecoveryCode, .. });
        Ok(())
    }

    fn is_forced(&self, after: &After<'_>) -> bool {
        self.rules[account(after.who)].documents.iter().any(|document| document.forces(after.caller, self.now))
    }

    fn a_login_leads_to_the_first_factor_only(&mut self, after: &After<'_>) -> Checked {
        let Seen::SetUp { .. } = after.seen else { return Ok(()) };
        let is_person = matches!(after.ask, Ask::Begin { channel: Channel::Web, .. });
        let never_had_one = !self.had_factor[after.who] && !after.before.has_factor();
        let is_accepted = self.is_forced(after) && self.each_accepts_the_password(after.who);
        let is_logged = after.effects.iter().any(|effect| matches!(effect, Effect::Log(event) if event.kind == EventKind::LoginSetUp));
        let is_same = after.before.epoch == after.now.epoch && !after.now.has_factor();
        self.meet(is_logged && is_same, "a login that leads to a set-up is logged, and changes no factor")?;
        self.meet(is_person && never_had_one && is_accepted, "a login leads to the first factor of a person who never had one")
    }

    /// By a pass, or by a ticket for it: of this user, account and session, in time, of a user who never had a factor.
    fn a_forced_set_up_begins_by_proof(&mut self, after: &After<'_>) -> Checked {
        let (Ask::EnrollApp { session, pass, ticket, .. } | Ask::EnrollPhone { session, pass, ticket, .. }) = after.ask else {
            return Ok(());
        };
        if !matches!(after.seen, Seen::AppStarted { .. } | Seen::SmsSent { .. }) || !self.is_forced(after) {
            return Ok(());
        }
        let by_pass = matches!(pass, Token::Pass(number) if {
            let pass = &self.passes[*number];
            pass.who == after.who && pass.session == *session && is_alive(pass.from, pass.until, self.now)
        });
        let by_ticket = matches!(ticket, Token::Ticket(number) if {
            let ticket = &self.tickets[*number];
            let is_mine = ticket.is_for_set_up && ticket.who == after.who && ticket.session == *session;
            is_mine && is_alive(ticket.from, ticket.until, self.now)
        });
        self.meet(
            (by_pass && (after.before.has_factor() || !self.has_recovery_code(after))) || (by_ticket && self.is_let_in_by_password(after)),
            "a forced set-up begins by a pass, or by its ticket before there ever was a factor",
        )
    }

    /// Whether the password alone may set up the first factor: there never was one, all accounts accept that, and no
    /// recovery code is alive.
    pub(super) fn is_let_in_by_password(&self, after: &After<'_>) -> bool {
        !self.had_factor[after.who] && self.each_accepts_the_password(after.who) && !self.has_recovery_code(after)
    }

    /// Whether a recovery code was alive before the step.
    pub(super) fn has_recovery_code(&self, after: &After<'_>) -> bool {
        after.before.live_recovery(&self.rules[account(after.who)], self.now).is_some()
    }

    /// User and owners are told of a first factor by the password, and of no other.
    fn all_are_told_of_a_first_factor_by_password(&mut self, after: &After<'_>) -> Checked {
        let setup = match (after.ask, after.seen) {
            (Ask::ConfirmApp { setup, session, .. } | Ask::ConfirmPhone { setup, session, .. }, Seen::Enrolled { .. }) => {
                Some((setup, *session))
            }
            _ => None,
        };
        let by_password = match setup {
            Some((Token::Setup(number), _)) => self.setups[*number].proof == Proof::Ticket,
            _ => false,
        };
        let told: Vec<Recipient> = after
            .effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Notify(notice) if notice.kind == NoticeKind::FirstFactorByPassword => Some(notice.to),
                _ => None,
            })
            .collect();
        let is_logged = after
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Log(event) if matches!(event.kind, EventKind::FirstFactorByPassword { .. })));
        if !by_password {
            return if told.is_empty() && !is_logged {
                Ok(())
            } else {
                Err("invariant told: of a first factor by password that is none".to_owned())
            };
        }
        self.meet(is_logged && told == [Recipient::User, Recipient::Owners], "user and owners are told of a first factor by the password")
    }
}
