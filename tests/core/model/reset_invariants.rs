//! T57: the promises about a reset, checked after every step apart from the model's own prediction.

use crate::effect::Effect;
use crate::event::EventKind;
use crate::notice::{NoticeKind, Recipient};
use crate::policy::{Channel, Method, Role};

use super::ask::{Ask, Token};
use super::invariants::After;
use super::oracle::is_owner;
use super::seen::Seen;
use super::world::{Checked, World};

impl World {
    pub(super) fn a_reset_shuts_out_all_but_a_recovery_code(&mut self, after: &After<'_>) -> Checked {
        let was_shut = self.is_shut[after.who];
        if was_shut {
            self.a_reset_user_gets_in_only_by_a_recovery_code(after)?;
        }
        self.nothing_from_before_a_reset_counts(after)?;
        match (after.ask, after.seen) {
            (Ask::Reset { .. } | Ask::OperatorResets, Seen::Recovery { .. }) => {
                if let Ask::Reset { .. } = after.ask {
                    self.a_reset_is_an_owners_for_somebody_else(after)?;
                }
                self.a_reset_leaves_nothing(after)?;
                self.reset_at[after.who] = self.epochs;
                self.is_shut[after.who] = true;
            }
            (Ask::Verify { .. }, Seen::Verified { .. }) => self.is_shut[after.who] = false,
            _ => {}
        }
        Ok(())
    }

    fn a_reset_user_gets_in_only_by_a_recovery_code(&mut self, after: &After<'_>) -> Checked {
        let holds = match after.seen {
            Seen::Allowed { .. } | Seen::SetUp { .. } | Seen::In(None, _) | Seen::AppStarted { .. } | Seen::Enrolled { .. } => false,
            Seen::Challenge { methods, .. } => *methods == [Method::RecoveryCode],
            Seen::Verified { method, .. } => *method == Method::RecoveryCode,
            Seen::SmsSent { .. } | Seen::Codes { .. } | Seen::Removed { .. } | Seen::Renamed(..) | Seen::Confirmed => false,
            // Without a list and without the record nobody can know.
            Seen::In(Some(_), _) => matches!(after.ask, Ask::Check { with_record: false, with_list: false, .. }),
            _ => return Ok(()),
        };
        let is_person = !matches!(after.ask, Ask::Begin { channel: Channel::Api, .. } | Ask::Check { channel: Channel::Api, .. });
        self.meet(holds && (is_person || matches!(after.seen, Seen::In(Some(_), _))), "a reset user gets in only by a recovery code")
    }

    /// No old ticket, set-up, pass or factor opens anything, also once a recovery code has let the user in.
    fn nothing_from_before_a_reset_counts(&mut self, after: &After<'_>) -> Checked {
        let at = self.reset_at[after.who];
        let is_since = match (after.ask, after.seen) {
            _ if at == 0 => return Ok(()),
            (Ask::Verify { ticket: Token::Ticket(number), .. }, Seen::Verified { .. })
            | (Ask::SendSms { ticket: Token::Ticket(number), .. }, Seen::SmsSent { .. }) => self.tickets[*number].logins >= at,
            (
                Ask::ConfirmApp { setup: Token::Setup(number), .. } | Ask::ConfirmPhone { setup: Token::Setup(number), .. },
                Seen::Enrolled { .. },
            )
            | (Ask::ShowSetup { setup: Token::Setup(number), .. }, Seen::AppStarted { .. }) => self.setups[*number].epoch >= at,
            (Ask::Check { pass: Token::Pass(number), with_list: true, .. }, Seen::In(Some(_), _)) => {
                self.passes[*number].epoch >= at || self.listed_epoch(after.who).is_none_or(|listed| listed < at)
            }
            (
                Ask::Remove { pass: Token::Pass(number), .. } | Ask::Renew { pass: Token::Pass(number), .. },
                Seen::Removed { .. } | Seen::Codes { .. },
            ) => self.passes[*number].epoch >= at,
            _ => return Ok(()),
        };
        self.meet(is_since, "after a reset no old ticket, set-up, pass or factor opens anything")
    }

    fn a_reset_is_an_owners_for_somebody_else(&mut self, after: &After<'_>) -> Checked {
        let Ask::Reset { by, role, pass: Token::Pass(number), .. } = after.ask else {
            return Err("invariant reset: without a pass".to_owned());
        };
        let is_fit = *by != after.who && *role == Role::Owner && self.passes[*number].who == *by;
        self.count(format!("reset by {}", if is_owner(*by) { "the owner" } else { "somebody whom the host calls an owner" }));
        self.meet(is_fit, "nobody resets themselves")
    }

    fn a_reset_leaves_nothing(&mut self, after: &After<'_>) -> Checked {
        let is_empty = !after.now.has_factor() && after.now.backup.is_none();
        let told: Vec<Recipient> = after
            .effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Notify(notice) if notice.kind == NoticeKind::Reset => Some(notice.to),
                _ => None,
            })
            .collect();
        let is_logged =
            after.effects.iter().any(|effect| matches!(effect, Effect::Log(event) if matches!(event.kind, EventKind::Reset { .. } | EventKind::ResetByOperator { .. })));
        let is_told = is_logged && told == [Recipient::User, Recipient::Owners];
        self.meet(is_empty && is_told, "a reset leaves no factor, and is logged and told to user and owners")
    }
}
