//! Counts what the random commands tried and which rules they met, so that a model that has stopped to attack, or that
//! does not vary a rule, is seen to be blind.

use crate::policy::{Channel, Method, Reason};

use super::ask::{Ask, Token, USERS, Who, account};
use super::document::{Document, Require};
use super::places::{Caller, Listed, Told, hold};
use super::seen::Seen;
use super::setups::{LoginCode, Proof};
use super::shadow::{SKEW, Secret, Shadow, is_alive};
use super::world::{PEOPLE, World};

impl World {
    /// Counts the kinds of attack that a command is, and that it was refused.
    pub(super) fn count_attacks(&mut self, who: Who, ask: &Ask, before: &Shadow, seen: &Seen) {
        let mut tried = Vec::new();
        let (ticket, pass, session, by) = match ask {
            Ask::Verify { ticket, session, .. } | Ask::SendSms { ticket, session, .. } => (*ticket, Token::None, *session, who),
            Ask::EnrollApp { pass, session, .. }
            | Ask::EnrollPhone { pass, session, .. }
            | Ask::Rename { pass, session, .. }
            | Ask::Remove { pass, session, .. }
            | Ask::RemoveBrowser { pass, session, .. }
            | Ask::Renew { pass, session }
            | Ask::Show { pass, session }
            | Ask::Check { pass, session, .. } => (Token::None, *pass, *session, who),
            Ask::Issue { by, pass, session, .. } | Ask::Reset { by, pass, session, .. } => (Token::None, *pass, *session, *by),
            _ => (Token::None, Token::None, "", who),
        };
        if let Token::Ticket(number) = ticket {
            let ticket = &self.tickets[number];
            let is_good = ticket.who == who && ticket.session == session && self.now < ticket.until;
            tried.extend((is_good && ticket.logins != before.logins).then_some("a ticket from before a change of the password"));
            tried.extend((is_good && ticket.logins < self.reset_at[who]).then_some("a ticket from before a reset"));
            tried.extend((ticket.is_for_set_up && is_good).then_some("a set-up ticket at the second step"));
            if ticket.session == session && !ticket.is_for_set_up && self.now < ticket.until {
                let is_elsewhere = account(ticket.who) != account(who) && ticket.who % 3 == who % 3;
                tried.extend(is_elsewhere.then_some("a ticket of another account"));
                tried.extend((account(ticket.who) == account(who) && ticket.who != who).then_some("a ticket of another user"));
            }
            let is_mine = ticket.who == who && !ticket.is_for_set_up;
            tried.extend((is_mine && ticket.session != session).then_some("a ticket of another session"));
        }
        if let Token::Pass(number) = pass {
            let pass = &self.passes[number];
            if pass.session == session && self.now < pass.until {
                tried.extend((account(pass.who) != account(by) && pass.who % 3 == by % 3).then_some("a pass of another account"));
                tried.extend((account(pass.who) == account(by) && pass.who != by).then_some("a pass of another user"));
                let is_old = pass.who == by && pass.epoch != self.people[by].epoch && !matches!(ask, Ask::Check { .. });
                tried.extend(is_old.then_some("a pass of an earlier epoch"));
                let is_refused = !matches!(seen, Seen::In(Some(_), _));
                let is_of_before = pass.who == by && pass.epoch < self.reset_at[by] && is_refused;
                tried.extend(is_of_before.then_some("a pass from before a reset"));
            }
        }
        if let (Ask::Verify { method: Method::Sms, code, ticket: Token::Ticket(number), .. }, Seen::Wrong { .. } | Seen::Expired) =
            (ask, seen)
        {
            let is_meant_for_another = |login: &LoginCode| login.code == code.plain && login.ticket != *number && !login.is_used;
            let mut alive = before.sent.iter().filter_map(|sent| sent.login.as_ref()).filter(|login| self.now < login.until);
            tried.extend(alive.any(is_meant_for_another).then_some("a code of another ticket"));
        }
        if let (Ask::Verify { method, code, .. }, Seen::Wrong { .. }) = (ask, seen) {
            let knows = |person: &Shadow| match method {
                Method::Totp => person.apps.iter().any(|app| app.secret.code(app.secret.step(self.now)) == code.plain),
                Method::Sms => person.sent.iter().filter_map(|sent| sent.login.as_ref()).any(|sent| sent.code == code.plain),
                Method::BackupCode => {
                    person.backup.as_ref().is_some_and(|backup| backup.codes.iter().any(|(plain, _)| *plain == code.plain))
                }
                Method::RecoveryCode => person.recovery.as_ref().is_some_and(|alive| alive.code == code.plain),
                Method::TrustedBrowser => false,
            };
            let elsewhere = (0..PEOPLE).filter(|other| account(*other) != account(who) && other % 3 == who % 3);
            tried.extend(elsewhere.map(|other| &self.people[other]).any(knows).then_some("a code of another account"));
            tried.extend((*method != Method::Sms && knows(before)).then_some("a code used before"));
            let comes = |secret: &Secret| (3..=20).any(|steps| secret.code(secret.step(self.now) + steps) == code.plain);
            let is_to_come = *method == Method::Totp && before.apps.iter().any(|app| comes(&app.secret));
            tried.extend(is_to_come.then_some("a code of a later step"));
        }
        if let (
            Ask::ShowSetup { session, setup } | Ask::ConfirmApp { session, setup, .. } | Ask::ConfirmPhone { session, setup, .. },
            Seen::Expired,
        ) = (ask, seen)
        {
            tried.extend(matches!(setup, Token::Altered(_)).then_some("an altered set-up"));
            tried.extend(matches!(setup, Token::Ticket(_) | Token::Pass(_)).then_some("another token as a set-up"));
            if let Token::Setup(number) = setup {
                let setup = &self.setups[*number];
                let is_mine = setup.who == who;
                let is_elsewhere = account(setup.who) != account(who) && setup.who % 3 == who % 3;
                if self.now < setup.until && self.keys.sealing.contains(&setup.kid) {
                    let is_older = is_mine && setup.session == *session && setup.logins != before.logins;
                    tried.extend(is_older.then_some("a set-up from before a change of the password"));
                    tried.extend((is_elsewhere && setup.session == *session).then_some("a set-up of another account"));
                    let is_others = account(setup.who) == account(who) && !is_mine;
                    tried.extend((is_others && setup.session == *session).then_some("a set-up of another user"));
                    tried.extend((is_mine && setup.session != *session).then_some("a set-up of another session"));
                    let is_of_its_kind = (setup.method() == Method::Sms) == matches!(ask, Ask::ConfirmPhone { .. });
                    let is_open = is_mine && setup.session == *session;
                    tried.extend((is_open && !is_of_its_kind).then_some("a set-up of another method"));
                    tried.extend((is_open && is_of_its_kind && setup.epoch != before.epoch).then_some("a set-up of an earlier epoch"));
                }
            }
        }
        if let (Ask::ShowNew { session, codes: Token::NewCodes(number), .. }, Seen::Expired) = (ask, seen) {
            let new = &self.new_codes[*number];
            let is_mine = new.who == who;
            let is_elsewhere = account(new.who) != account(who) && new.who % 3 == who % 3;
            let is_saved = before.backup.as_ref().is_some_and(|backup| backup.set == new.set && backup.is_confirmed);
            if self.now < new.until && self.keys.sealing.contains(&new.kid) {
                tried.extend((is_elsewhere && new.session == *session).then_some("new codes of another account"));
                tried.extend((is_mine && new.session != *session).then_some("new codes of another session"));
                tried.extend((is_mine && new.session == *session && is_saved).then_some("new codes that are saved"));
            }
        }
        tried.extend(self.attack_by_setup_ticket(who, ask, before, seen));
        for what in tried {
            self.count(format!("refused {what}"));
        }
    }

    /// The attack by which a ticket fails to begin a set-up, or a set-up that a ticket began to be confirmed.
    fn attack_by_setup_ticket(&self, who: Who, ask: &Ask, before: &Shadow, seen: &Seen) -> Option<&'static str> {
        match (ask, seen) {
            (
                Ask::EnrollApp { ticket: Token::Ticket(number), session, .. }
                | Ask::EnrollPhone { ticket: Token::Ticket(number), session, .. },
                Seen::Denied(reason),
            ) => {
                let ticket = &self.tickets[*number];
                let is_in_time = is_alive(ticket.from, ticket.until, self.now) && self.keys.sealing.contains(&ticket.kid);
                match reason {
                    Reason::TicketExpired => Some("a set-up ticket that had ended"),
                    Reason::OtherSession => Some("a set-up ticket of another session"),
                    Reason::FreshFactorRequired if ticket.who != who || !is_in_time || ticket.session != *session => None,
                    Reason::FreshFactorRequired if before.had_factor => Some("a set-up ticket of a user who had a factor"),
                    Reason::FreshFactorRequired => Some("a set-up ticket after the rules have changed"),
                    Reason::TicketInvalid if ticket.is_for_set_up && ticket.who == who && ticket.from > self.now + SKEW => {
                        Some("a set-up ticket from the future")
                    }
                    Reason::TicketInvalid if !is_in_time || ticket.session != *session => None,
                    Reason::TicketInvalid if !ticket.is_for_set_up => Some("a ticket of the second step at a set-up"),
                    Reason::TicketInvalid if account(ticket.who) == account(who) => Some("a set-up ticket of another user"),
                    Reason::TicketInvalid if ticket.who % USERS.len() == who % USERS.len() => Some("a set-up ticket of another account"),
                    _ => None,
                }
            }
            (
                Ask::ConfirmApp { setup: Token::Setup(number), .. } | Ask::ConfirmPhone { setup: Token::Setup(number), .. },
                Seen::Denied(Reason::FreshFactorRequired),
            ) => (self.setups[*number].proof == Proof::Ticket).then_some("a set-up by ticket after the rules have changed"),
            (Ask::Begin { channel: Channel::Api, .. }, Seen::Denied(Reason::ApiClientBlocked)) => {
                let is_web_only = !before.had_factor && self.rules[account(who)].accept_the_password();
                is_web_only.then_some("a first factor by the password to a program")
            }
            _ => None,
        }
    }

    /// Counts the rules that a login met.
    pub(super) fn count_rules(&mut self, who: Who, caller: Caller, ask: &Ask, seen: &Seen) {
        let Ask::Begin { channel, .. } = ask else { return };
        let mut met = Vec::new();
        for document in &self.rules[account(who)].documents {
            met.extend(self.met(document, caller, *channel, seen));
        }
        let several = self.rules[account(who)].documents.len() > 1;
        met.extend(several.then_some("several accounts of one user"));
        for what in met {
            self.count(format!("rule: {what}"));
        }
    }

    fn met(&self, document: &Document, caller: Caller, channel: Channel, seen: &Seen) -> Vec<&'static str> {
        let (client, now) = (caller.client, self.now);
        let all_ended = |list: &[Listed]| !list.is_empty() && list.iter().all(|rule| rule.has_ended(now));
        let mut met = Vec::new();
        if let Require::Any { networks, outside, roles } = &document.require {
            let has_one = matches!(caller.roles, Told::These(names) if names.iter().any(|name| roles.contains(name)));
            let is_unknown = !roles.is_empty() && caller.roles == Told::Nothing;
            met.extend(has_one.then_some("forced for a role"));
            met.extend(is_unknown.then_some("forced for roles that nobody told"));
            met.extend((!roles.is_empty() && !is_unknown && !has_one).then_some("the roles that were told force nothing"));
            met.extend(hold(networks, client, now).then_some("forced from a network"));
            met.extend((!outside.is_empty() && !hold(outside, client, now)).then_some("forced outside of networks"));
            met.extend(hold(outside, client, now).then_some("not outside of the networks"));
            met.extend(all_ended(outside).then_some("an ended list has everybody outside"));
        }
        met.extend(all_ended(&document.allow).then_some("an ended list admits nobody"));
        let lists = [&document.allow, &document.api, &document.deny];
        let is_ahead_again = |rule: &&Listed| rule.until.is_some_and(|until| until <= self.latest) && !rule.has_ended(now);
        met.extend(lists.into_iter().flatten().find(is_ahead_again).map(|_| "a rule that had ended holds again"));
        if channel == Channel::Api && hold(&document.api, client, now) {
            met.push("a program is on the api list");
            let is_fenced = !document.allow.is_empty() && !hold(&document.allow, client, now);
            met.extend((is_fenced && *seen != Seen::Denied(Reason::AddressNotAllowed)).then_some("a program passes the allow list"));
            met.extend(hold(&document.deny, client, now).then_some("a program is denied although it is on the api list"));
        }
        met
    }
}
