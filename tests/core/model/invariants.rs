//! The promises of SECURITY.md, checked after every step apart from the model's own prediction.

use crate::effect::Effect;
use crate::notice::NoticeKind;
use crate::policy::{Channel, Method};

use super::ask::{Ask, Token, Typed, Who, account};
use super::document::Document;
use super::places::Caller;
use super::seen::Seen;
use super::setups::{Content, LoginCode, Proof, TRIES};
use super::shadow::{Lock, Shadow, is_alive};
use super::world::{Checked, World};

/// One step: the user's state before and after it, and all that came out of it.
pub(super) struct After<'a> {
    pub(super) who: Who,
    pub(super) caller: Caller,
    pub(super) ask: &'a Ask,
    pub(super) is_over_limit: bool,
    pub(super) before: &'a Shadow,
    pub(super) now: &'a Shadow,
    pub(super) seen: &'a Seen,
    pub(super) stored: bool,
    pub(super) effects: &'a [Effect],
}

impl World {
    /// Asserts the promises, and counts how often each was put to the test.
    pub(super) fn hold(&mut self, after: &After<'_>) -> Checked {
        self.verified_only_by_a_right_unused_code(after)?;
        self.a_code_that_is_told_is_over(after)?;
        self.trusted_browsers_only_log_in(after)?;
        self.confirmed_only_by_its_session(after)?;
        self.changes_only_with_a_fresh_pass(after)?;
        self.in_only_by_a_pass_of_ones_own(after)?;
        self.messages_only_for_what_is_stored(after)?;
        self.refusals_change_nothing(after)?;
        self.guesses_are_bounded(after)?;
        self.epochs_end_passes(after)?;
        self.removed_factors_stay_removed(after)?;
        self.the_password_sets_up_the_first_factor_only(after)?;
        self.a_reset_shuts_out_all_but_a_recovery_code(after)?;
        self.all_accounts_agree(after)?;
        self.a_lenient_account_opens_no_strict_one(after)
    }

    pub(super) fn meet(&mut self, holds: bool, name: &str) -> Checked {
        self.count(format!("invariant {name}"));
        if holds { Ok(()) } else { Err(format!("invariant {name}: broken")) }
    }

    fn verified_only_by_a_right_unused_code(&mut self, after: &After<'_>) -> Checked {
        let key = match (after.ask, after.seen) {
            (Ask::Verify { ticket, session, method, factor, code, .. }, Seen::Verified { .. }) => {
                let Token::Ticket(number) = ticket else { return Err("invariant verified: without a ticket".to_owned()) };
                let ticket = &self.tickets[*number];
                let ticket_logins = ticket.logins;
                let is_in_time = is_alive(ticket.from, ticket.until, self.now) && !ticket.is_for_set_up;
                self.meet(ticket_logins == after.before.logins, "a ticket or set-up from before a change of the password opens nothing")?;
                let ticket = &self.tickets[*number];
                let is_mine = ticket.who == after.who && ticket.session == *session && is_in_time;
                self.meet(is_mine, "verified through a ticket of this user, account and session, in time")?;
                self.name_of_right_code(after, *method, factor.as_deref(), *number, code)
            }
            (Ask::ConfirmApp { setup, code, .. } | Ask::ConfirmPhone { setup, code, .. }, Seen::Enrolled { .. }) => {
                let Token::Setup(number) = setup else { return Err("invariant confirmed: without a set-up".to_owned()) };
                let is_current = self.setups[*number].logins == after.before.logins;
                self.meet(is_current, "a ticket or set-up from before a change of the password opens nothing")?;
                match &self.setups[*number].content {
                    Content::App { secret, .. } => self.step_of(&secret.base32, secret.digits, secret.period, code),
                    Content::Phone { message, code: sent, .. } => (*sent == code.plain).then(|| message.clone()),
                }
            }
            _ => return Ok(()),
        };
        self.meet(key.is_some(), "a code logs in or confirms only if it is right and in time")?;
        let is_new = self.used.insert(key.unwrap_or_default());
        self.meet(is_new, "a code counts once, wherever its factor was moved")
    }

    /// A slow clock is told by a code that counts no more, and from then on by no clock.
    fn a_code_that_is_told_is_over(&mut self, after: &After<'_>) -> Checked {
        let (Ask::Verify { code, .. }, Seen::Wrong { slow_by: Some(seconds), .. }) = (after.ask, after.seen) else { return Ok(()) };
        let window = self.rules[account(after.who)].window;
        let told = after.before.apps.iter().map(|app| &app.secret).find_map(|secret| {
            let (current, step) = (secret.step(self.now), secret.step(self.now) - seconds / secret.period);
            let is_over = step + window < current && *seconds <= 600;
            (is_over && secret.code(step) == code.plain).then(|| format!("{}{step}", secret.base32))
        });
        self.meet(told.is_some(), "a slow clock is told by a code of the last ten minutes alone")?;
        self.used.extend(told);
        Ok(())
    }

    /// A name of the code, if it is right: found from the user's state alone.
    fn name_of_right_code(&self, after: &After<'_>, method: Method, factor: Option<&str>, ticket: usize, code: &Typed) -> Option<String> {
        let before = after.before;
        let is_named = |id: &str| factor.is_none_or(|factor| factor == id);
        match method {
            Method::Totp => {
                let mut apps = before.apps.iter().filter(|app| is_named(&app.id)).map(|app| &app.secret);
                apps.find_map(|secret| self.step_of(&secret.base32, secret.digits, secret.period, code))
            }
            Method::Sms => {
                let is_right = |login: &LoginCode| {
                    is_named(&login.phone)
                        && login.ticket == ticket
                        && login.code == code.plain
                        && !login.is_used
                        && is_alive(login.from, login.until, self.now)
                };
                before.sent.iter().find(|sent| sent.login.as_ref().is_some_and(is_right)).map(|sent| sent.id.clone())
            }
            Method::BackupCode => {
                before.backup.as_ref()?.codes.iter().find(|(plain, used)| *plain == code.plain && !used).map(|(plain, _)| plain.clone())
            }
            Method::RecoveryCode => {
                let alive = before.recovery.as_ref()?;
                (alive.code == code.plain && is_alive(alive.from, alive.until, self.now)).then(|| alive.code.clone())
            }
            Method::TrustedBrowser => {
                let mut newest = before.browsers.iter().filter_map(|browser| browser.tokens.last());
                newest.find(|token| **token == code.text).cloned()
            }
        }
    }

    fn step_of(&self, base32: &str, digits: u8, period: u64, code: &Typed) -> Option<String> {
        let secret = super::shadow::Secret { base32: base32.to_owned(), digits, period };
        let step = secret.step(self.now);
        let matching = |step: &u64| secret.code(*step) == code.plain && !self.used.contains(&format!("{base32}{step}"));
        // Two steps may share a code: the latest is the one that counts.
        (step.saturating_sub(2)..=step + 2).rfind(matching).map(|step| format!("{base32}{step}"))
    }

    /// T14, T49: a set-up is of this user, account, session and epoch, in time, and no password alone begins one where
    /// a factor is forced.
    fn confirmed_only_by_its_session(&mut self, after: &After<'_>) -> Checked {
        let (Ask::ConfirmApp { setup, session, .. } | Ask::ConfirmPhone { setup, session, .. }, Seen::Enrolled { method, .. }) =
            (after.ask, after.seen)
        else {
            return Ok(());
        };
        let Token::Setup(number) = setup else { return Err("invariant confirmed: without a set-up".to_owned()) };
        let setup = &self.setups[*number];
        let is_mine = setup.who == after.who && setup.session == *session && setup.method() == *method;
        let is_in_time = is_alive(setup.from, setup.until, self.now) && setup.epoch == after.before.epoch;
        let is_forced = !after.before.has_factor() && self.rules[account(after.who)].forces(after.caller, self.now);
        let is_proven = match setup.proof {
            Proof::Pass => true,
            Proof::Rescue => !(is_forced || after.before.has_factor()) || !self.has_recovery_code(after),
            Proof::Ticket => !is_forced || self.is_let_in_by_password(after),
            Proof::Nothing => !is_forced,
        };
        self.meet(is_mine && is_in_time, "a set-up counts for its user, account, session, method, epoch and life")?;
        if let Seen::Enrolled { codes: Some(_), .. } = after.seen
            && after.before.no_set_until(self.now).is_some()
        {
            self.count("doubtful: backup codes beyond their budget, offered only since the set-up began".to_owned());
        }
        self.meet(is_proven, "where a factor is forced, the password enrolls nothing")
    }

    fn changes_only_with_a_fresh_pass(&mut self, after: &After<'_>) -> Checked {
        let (pass, session, who, record) = match (after.ask, after.seen) {
            (Ask::Remove { pass, session, .. }, Seen::Removed { .. })
            | (Ask::Renew { pass, session } | Ask::Show { pass, session }, Seen::Codes { .. }) => {
                (*pass, *session, after.who, after.before)
            }
            (Ask::EnrollApp { pass, session, .. }, Seen::AppStarted { .. })
            | (Ask::EnrollPhone { pass, session, .. }, Seen::SmsSent { .. })
                if after.before.has_factor() =>
            {
                (*pass, *session, after.who, after.before)
            }
            (Ask::Issue { by, pass, session, .. } | Ask::Reset { by, pass, session, .. }, Seen::Recovery { .. }) => {
                (*pass, *session, *by, &self.people[*by])
            }
            _ => return Ok(()),
        };
        let Token::Pass(number) = pass else { return Err("invariant change: without a pass".to_owned()) };
        let pass = &self.passes[number];
        let is_mine = pass.who == who && account(who) == account(after.who) && pass.session == session;
        let is_fresh =
            self.now.saturating_sub(pass.shown_at) <= self.rules[account(who)].fresh && is_alive(pass.from, pass.until, self.now);
        let is_current = pass.epoch == record.epoch;
        let is_spoilt = pass.method == Method::RecoveryCode && self.has_recovery_code(after);
        let is_trusted = pass.method == Method::TrustedBrowser;
        self.meet(!is_spoilt, "the pass of a recovery code changes nothing beside another one")?;
        self.meet(!is_trusted, "the pass of a trusted browser changes nothing")?;
        self.meet(is_mine && is_fresh && is_current, "changes only with a fresh pass of this user, account, session and epoch")
    }

    fn in_only_by_a_pass_of_ones_own(&mut self, after: &After<'_>) -> Checked {
        let (Ask::Check { pass: Token::Pass(number), session, fresh, with_list, .. }, Seen::In(Some(_), _)) = (after.ask, after.seen)
        else {
            return Ok(());
        };
        let pass = &self.passes[*number];
        let is_listed = self.listed_epoch(after.who).is_some_and(|listed| pass.epoch < listed);
        self.meet(!(*with_list && is_listed), "a pass of an earlier epoch than the list names comes in nowhere")?;
        let pass = &self.passes[*number];
        let holds = pass.who == after.who
            && pass.session == *session
            && is_alive(pass.from, pass.until.min(pass.from + self.rules[account(after.who)].pass_life), self.now)
            && (!fresh || pass.epoch == after.before.epoch);
        self.meet(holds, "a pass counts for its user, account, session and life")
    }

    fn messages_only_for_what_is_stored(&mut self, after: &After<'_>) -> Checked {
        let messages: Vec<_> =
            after.effects.iter().filter_map(|effect| if let Effect::Sms(sms) = effect { Some(sms) } else { None }).collect();
        let Some(message) = messages.first() else {
            return if matches!(after.seen, Seen::SmsSent { .. }) { Err("invariant sms: no message".to_owned()) } else { Ok(()) };
        };
        let is_known = after.now.sent.last().is_some_and(|sent| sent.id == message.id);
        let asked = match after.ask {
            Ask::SendSms { factor, .. } => {
                let is_meant = |id: &str| factor.as_ref().is_none_or(|factor| factor == id);
                after.before.phones.iter().any(|phone| is_meant(&phone.id) && phone.number == message.to.0)
            }
            Ask::EnrollPhone { number, .. } => *number == message.to.0,
            _ => false,
        };
        let rules = &self.rules[account(after.who)];
        let is_allowed = rules.allows(&message.to.0) && rules.offers(Method::Sms);
        let is_open = after.before.bucket.lock(self.now, rules.window, 1) == Lock::Open || matches!(after.ask, Ask::EnrollPhone { .. });
        self.meet(messages.len() == 1 && after.stored && is_known && asked, "an sms only for a record that is stored")?;
        self.meet(is_allowed && is_open, "an sms only to an allowed number, and for a login only of an account that does not wait")
    }

    fn refusals_change_nothing(&mut self, after: &After<'_>) -> Checked {
        if let Ask::NeverLeft { .. } = after.ask {
            let (before, now) = (after.before.sent.len(), after.now.sent.len());
            if after.stored && before != now {
                self.count("sms_never_left: a slot came back".to_owned());
            } else if after.stored && before == now {
                self.count("sms_never_left: no slot came back".to_owned());
            }
            return Ok(());
        }
        if after.is_over_limit {
            let is_alone = matches!(after.effects, [Effect::Log(_)]);
            let is_same = after.before == after.now && !after.stored;
            self.meet(is_same && is_alone, "a set-up message over its limit changes nothing, and is not sent")?;
        }
        if !after.seen.is_refusal() {
            return Ok(());
        }
        let has_ended = after.before.recovery.as_ref().is_some_and(|code| self.now >= code.until);
        // A copy of a trusted browser ends it.
        let is_copied = matches!(after.ask, Ask::Verify { method: Method::TrustedBrowser, .. } if *after.seen == Seen::Expired);
        self.meet(!after.stored || has_ended || is_copied, "a refused command changes nothing")
    }

    /// T6, T7, T47: whatever is rescued, replaced or logged in between.
    fn guesses_are_bounded(&mut self, after: &After<'_>) -> Checked {
        if let (Ask::ConfirmApp { setup, .. } | Ask::ConfirmPhone { setup, .. }, Seen::Wrong { .. }) = (after.ask, after.seen) {
            if let Token::Setup(number) = setup
                && let Content::Phone { message, .. } = &self.setups[*number].content
            {
                let tries = self.tries.entry(message.clone()).or_default();
                *tries += 1;
                let is_bounded = *tries <= TRIES;
                if *tries == TRIES {
                    self.count("event the code of a set-up was ended by wrong ones".to_owned());
                }
                self.meet(is_bounded, "the code of a phone's set-up has five wrong tries")?;
            }
            return self.meet(after.before.bucket == after.now.bucket, "wrong codes of a set-up are charged to no login");
        }
        if let Seen::Wrong { left: Some(_), .. } = after.seen {
            self.guesses[after.who] += 1;
            let most = 51 + self.elapsed / 3_600;
            if !self.went_back {
                self.meet(self.guesses[after.who] <= most, "guesses come no faster than the bucket leaks")?;
            }
            let has_locked = after.before.bucket.attempts_left() > 0 && after.now.bucket.attempts_left() == 0;
            let has_stopped = after.before.bucket.failures < 100 && after.now.bucket.failures >= 100;
            let is_told = after.effects.iter().any(|effect| matches!(effect, Effect::Notify(notice) if notice.kind == NoticeKind::Locked));
            return self.meet(is_told == (has_locked || has_stopped), "the user is told of a lock, once");
        }
        if let Seen::Wrong { left: None, .. } = after.seen {
            return self.meet(after.before.bucket == after.now.bucket, "wrong recovery codes are charged to nobody");
        }
        Ok(())
    }

    fn epochs_end_passes(&mut self, after: &After<'_>) -> Checked {
        let ended = after.effects.iter().filter(|effect| matches!(effect, Effect::EndPasses(_))).count();
        if ended == 0 && after.before.epoch == after.now.epoch {
            return Ok(());
        }
        let is_told_again = match after.ask {
            Ask::Depart { .. } => after.before.gone.is_some(),
            Ask::Arrive { .. } | Ask::Withdraw { .. } => true,
            _ => false,
        };
        self.meet(ended == 1 && (after.before.epoch != after.now.epoch || is_told_again), "a new epoch is told to the gate")
    }

    /// T44, T58: whatever the operator moves.
    fn removed_factors_stay_removed(&mut self, after: &After<'_>) -> Checked {
        let ids = |me: &Shadow| me.own().into_iter().map(|(_, factor, _)| factor.to_owned()).collect::<Vec<_>>();
        let (before, now) = (ids(after.before), ids(after.now));
        if matches!(after.ask, Ask::Remove { .. } | Ask::Reset { .. } | Ask::OperatorResets) {
            let gone = before.into_iter().filter(|factor| !now.contains(factor));
            self.removed.extend(gone);
        }
        let is_back = now.iter().any(|factor| self.removed.contains(factor));
        self.meet(!is_back, "a removed factor does not come back")
    }

    /// T41. Where everyone is forced from the start, a person gets in by a recovery code of this account first, and a
    /// program from an address that its rules name. That holds for the strict account, and for users who have one
    /// second factor for a strict account and others.
    fn a_lenient_account_opens_no_strict_one(&mut self, after: &After<'_>) -> Checked {
        let rules = &self.rules[account(after.who)];
        if !rules.stay_strict() {
            return Ok(());
        }
        let is_program = matches!(after.ask, Ask::Begin { channel: Channel::Api, .. } | Ask::Check { channel: Channel::Api, .. });
        let starts_a_phone = matches!((after.ask, after.seen), (Ask::EnrollPhone { .. }, Seen::SmsSent { .. }));
        let (lets_in, is_by_address) = match after.seen {
            Seen::Allowed { .. } | Seen::In(None, _) => (true, is_program),
            Seen::SetUp { .. } | Seen::In(Some(_), _) | Seen::Enrolled { .. } | Seen::Verified { .. } | Seen::AppStarted { .. } => {
                (true, false)
            }
            _ => (starts_a_phone, false),
        };
        if let Seen::Verified { method: Method::RecoveryCode, .. } = after.seen {
            self.rescued[after.who] = true;
        }
        if !lets_in {
            return Ok(());
        }
        let channel = if is_program { Channel::Api } else { Channel::Web };
        let strict = || rules.documents.iter().filter(|document| document.stays_strict);
        let is_open = strict().all(|document| document.turned_away(after.caller.client, channel, self.now).is_none());
        if is_by_address {
            let is_named = strict().all(|document| document.admits_programs(after.caller.client, self.now));
            return self.meet(is_open && is_named, "a strict account lets in a program without a pass only from a named address");
        }
        self.meet(is_open && self.rescued[after.who], LENIENT_OPENS_NO_STRICT)
    }

    /// At a strict account's gate as well.
    pub(super) fn the_gate_opens_no_strict_account(&mut self, account: usize, seen: &Seen) -> Checked {
        match seen {
            Seen::Through(who) if self.rules[account].stay_strict() => {
                let is_its_own = super::ask::account(*who) == account && self.rescued[*who];
                self.meet(is_its_own, LENIENT_OPENS_NO_STRICT)
            }
            _ => Ok(()),
        }
    }

    /// Where a user has one second factor for many accounts, each of them agrees to all that is granted.
    fn all_accounts_agree(&mut self, after: &After<'_>) -> Checked {
        let rules = &self.rules[account(after.who)];
        if !rules.is_of_all {
            return Ok(());
        }
        let is_program = matches!(after.ask, Ask::Begin { channel: Channel::Api, .. } | Ask::Check { channel: Channel::Api, .. });
        let channel = if is_program { Channel::Api } else { Channel::Web };
        let now = self.now;
        let agrees = |document: &Document| {
            let comes_in = document.turned_away(after.caller.client, channel, now).is_none();
            let set = &document.settings;
            Some(match (after.ask, after.seen) {
                (_, Seen::Allowed { .. } | Seen::In(None, _)) if is_program => {
                    comes_in && (document.admits_programs(after.caller.client, now) || !document.forces(after.caller, now))
                }
                (_, Seen::Allowed { .. } | Seen::In(None, _)) => comes_in && !document.forces(after.caller, now),
                (_, Seen::SetUp { ends, .. }) => comes_in && document.first_by_password && *ends <= now + set.ticket_life,
                (_, Seen::Challenge { ends, .. }) => comes_in && *ends <= now + set.ticket_life,
                (_, Seen::Verified { method: Method::RecoveryCode, ends, .. }) => {
                    let is_the_operators = after.before.recovery.as_ref().is_some_and(|code| code.by_operator);
                    comes_in && is_the_operators && *ends <= now + set.pass_life
                }
                (_, Seen::Verified { method, ends, .. } | Seen::Enrolled { method, ends, .. }) => {
                    comes_in && document.offers(*method) && *ends <= now + set.pass_life
                }
                (Ask::EnrollPhone { number, .. }, Seen::SmsSent { .. }) => comes_in && document.allows(number),
                (Ask::Check { pass: Token::Pass(number), .. }, Seen::In(Some(_), Some(ends))) => {
                    comes_in && *ends <= self.passes[*number].from + set.pass_life
                }
                (Ask::Issue { .. } | Ask::Reset { .. }, Seen::Recovery { .. }) => false,
                _ => return None,
            })
        };
        let agreed: Option<Vec<bool>> = rules.documents.iter().map(agrees).collect();
        match agreed {
            None => Ok(()),
            Some(agreed) => {
                self.meet(!agreed.contains(&false), "all accounts of a user agree, and no owner's code counts")?;
                if agreed.len() > 1 { self.meet(true, "all of several accounts agree") } else { Ok(()) }
            }
        }
    }
}

/// The invariant that matters most.
const LENIENT_OPENS_NO_STRICT: &str = "a lenient account opens a strict one by no sequence of commands";
