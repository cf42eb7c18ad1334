//! One command on the real engine.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::effect::Effect;
use crate::engine::operator::MoveStep;
use crate::engine::{
    Begin, Change, Check, CheckReply, Command, Confirm, ConfirmBackupCodes, EnrollSms, EnrollTotp, Env, HostsWord, IssueRecoveryCode,
    Issuer, Limit, OverLimit, Pending, Remove, RemoveTrustedBrowser, Rename, Reply, SecondStep, SendSms, ShowNewBackupCodes, ShowTotpSetup,
    Subject, TrustBrowser, check, issue_recovery_code, operator, reset, sms_never_left, step,
};
use crate::entropy::Entropy;
use crate::error::Error;
use crate::factor::{FactorId, FactorName};
use crate::ids::{AccountId, OperatorId, RecordId, SessionId, UserId};
use crate::keys::KeyRing;
use crate::record::Record;
use crate::revoked::Revoked;
use crate::time::UnixSeconds;

use super::ask::{ACCOUNTS, Ask, Keys, Token, Typed, USERS, Who, account};
use super::places::Caller;
use super::seen::Seen;
use super::world::World;

/// The result of a call: an outcome that waits for its record to be stored, or the answer of `check`.
pub(super) enum Called {
    Pending(Box<Pending>),
    Checked(Option<CheckReply>),
}

impl Called {
    fn pending(pending: Pending) -> Self {
        Self::Pending(Box::new(pending))
    }

    /// The count over all users that the host keeps before it stores the record.
    pub(super) fn limit(&self) -> Option<&Limit> {
        if let Self::Pending(pending) = self { pending.limit() } else { None }
    }

    pub(super) fn answer(self, over: Option<OverLimit>) -> Answer {
        match self {
            Self::Pending(pending) => Answer::of(match over {
                Some(reason) => pending.over_limit(reason),
                None => *pending,
            }),
            Self::Checked(reply) => Answer::of_check(reply),
        }
    }
}

/// The outcome of a call, taken apart for comparison. People of the model get the reply and the effects only once
/// it is stored.
pub(super) struct Answer {
    pub(super) seen: Seen,
    pub(super) stored: Option<String>,
    pub(super) reply: Option<Reply>,
    pub(super) effects: Vec<Effect>,
}

impl Answer {
    fn of(pending: Pending) -> Self {
        let stored = pending.to_store().map(Record::to_text);
        let (reply, effects) = pending.stored();
        Self { seen: Seen::of(&reply), stored, reply: Some(reply), effects }
    }

    fn of_check(reply: Option<CheckReply>) -> Self {
        let seen = match reply {
            None => Seen::AsksForTheRecord,
            Some(CheckReply::In { method, expires_at, .. }) => Seen::In(method, expires_at.map(UnixSeconds::seconds)),
            Some(CheckReply::SecondStep { reason }) => Seen::SecondStep(serde_json::to_value(reason).unwrap().as_str().unwrap().to_owned()),
            Some(CheckReply::Denied { reason }) => Seen::Denied(reason),
        };
        Self { seen, stored: None, reply: None, effects: Vec::new() }
    }
}

impl World {
    pub(super) fn call(&self, who: Who, caller: Caller, ask: &Ask, seed: [u8; 32]) -> Result<Called, Error> {
        let (policy, keys, record) = (&self.policies[account(who)], &self.ring, self.record(who)?);
        let now = UnixSeconds::new(self.now).unwrap();
        let env = Env { now, client: caller.client.ip(), roles: caller.roles.roles(), entropy: Entropy::new(seed) };
        let session = |name: &str| SessionId::new(name).unwrap();
        let text = |typed: &Typed| typed.text.clone();
        let plan = |plan: &Option<&'static str>| plan.map(str::to_owned);
        let confirm = |s: &str, next: &Option<&str>, setup: Token, code| Confirm {
            session: session(s),
            new_session: next.map(session),
            setup: self.text(setup).unwrap_or_default(),
            code: text(code),
        };
        let command = match ask {
            Ask::Begin { session: s, channel, plan: p } => {
                Command::Begin(Begin { session: session(s), channel: *channel, plan: plan(p), ticket: None })
            }
            Ask::SendSms { ticket, session: s, factor } => Command::SendSms(SendSms {
                ticket: self.text(*ticket).unwrap_or_default(),
                session: session(s),
                factor: factor.as_deref().and_then(FactorId::parse),
            }),
            Ask::Verify { ticket, session: s, next, method, factor, code, trust } => Command::Verify(SecondStep {
                ticket: self.text(*ticket).unwrap_or_default(),
                session: session(s),
                new_session: Some(session(next)),
                method: *method,
                factor: factor.as_deref().and_then(FactorId::parse),
                code: text(code),
                trust_browser: trust
                    .as_ref()
                    .map(|trust| TrustBrowser { name: trust.name.and_then(FactorName::parse), replaces: trust.replaces.clone() }),
            }),
            Ask::EnrollApp { session: s, pass, ticket, name, replaces, plan: p } => Command::EnrollTotp(EnrollTotp {
                session: session(s),
                pass: self.text(*pass),
                ticket: self.text(*ticket),
                label: "ann".to_owned(),
                name: name.and_then(FactorName::parse),
                replaces: replaces.as_deref().and_then(FactorId::parse),
                plan: plan(p),
            }),
            Ask::ShowSetup { session: s, setup } => {
                Command::ShowTotpSetup(ShowTotpSetup { session: session(s), setup: self.text(*setup).unwrap_or_default() })
            }
            Ask::ConfirmApp { session: s, next, setup, code } => Command::ConfirmTotp(confirm(s, next, *setup, code)),
            Ask::EnrollPhone { session: s, pass, ticket, number, name, replaces, plan: p } => {
                let number = (*number).to_owned();
                let (pass, ticket) = (self.text(*pass), self.text(*ticket));
                let name = name.and_then(FactorName::parse);
                let replaces = replaces.as_deref().and_then(FactorId::parse);
                Command::EnrollSms(EnrollSms { session: session(s), pass, ticket, number, name, replaces, plan: plan(p) })
            }
            Ask::ConfirmPhone { session: s, next, setup, code } => Command::ConfirmSms(confirm(s, next, *setup, code)),
            Ask::Rename { session: s, pass, factor, name } => Command::Rename(Rename {
                session: session(s),
                pass: self.text(*pass),
                factor: FactorId::parse(factor).unwrap(),
                name: FactorName::parse(name).unwrap(),
            }),
            Ask::Remove { session: s, pass, factor } => {
                Command::Remove(Remove { session: session(s), pass: self.text(*pass), factor: FactorId::parse(factor).unwrap() })
            }
            Ask::RemoveBrowser { session: s, pass, browser } => Command::RemoveTrustedBrowser(RemoveTrustedBrowser {
                session: session(s),
                pass: self.text(*pass),
                browser: FactorId::parse(browser).unwrap(),
            }),
            Ask::Renew { session: s, pass } => Command::RenewBackupCodes(Change { session: session(s), pass: self.text(*pass) }),
            Ask::Show { session: s, pass } => Command::ShowBackupCodes(Change { session: session(s), pass: self.text(*pass) }),
            Ask::ShowNew { session: s, pass, codes } => Command::ShowNewBackupCodes(ShowNewBackupCodes {
                session: session(s),
                pass: self.text(*pass),
                new_codes: self.text(*codes).unwrap_or_default(),
            }),
            Ask::ConfirmCodes { session: s, pass, set } => {
                Command::ConfirmBackupCodes(ConfirmBackupCodes { session: session(s), pass: self.text(*pass), set: set.clone() })
            }
            Ask::Issue { by, session: s, pass, role } | Ask::Reset { by, session: s, pass, role } => {
                let user = id(*by).user().clone();
                let question = IssueRecoveryCode { by: Issuer { user, session: session(s), pass: self.text(*pass), role: *role } };
                let act = if matches!(ask, Ask::Reset { .. }) { reset } else { issue_recovery_code };
                return act(policy, keys, record, &self.record(*by)?, &question, env).map(Called::pending);
            }
            Ask::PasswordChanged => Command::PasswordChanged(HostsWord {}),
            Ask::SignOutEverywhere => Command::SignOutEverywhere(HostsWord {}),
            Ask::OperatorIssues | Ask::OperatorResets | Ask::OperatorWithdraws => {
                let name = OperatorId::new("night shift").unwrap();
                let action = match ask {
                    Ask::OperatorIssues => operator::issue_recovery_code,
                    Ask::OperatorResets => operator::reset,
                    _ => operator::withdraw_recovery_code,
                };
                return action(policy, keys, record, &name, now, Entropy::new(seed)).map(Called::pending);
            }
            Ask::Depart { to } => {
                let (name, there) = (OperatorId::new("night shift").unwrap(), self.record(*to)?);
                return operator::move_step(policy, keys, record, MoveStep::Depart, &there, &name, now, Entropy::new(seed))
                    .map(Called::pending);
            }
            Ask::Arrive { from, read } => {
                let name = OperatorId::new("night shift").unwrap();
                let there = read.map_or_else(|| self.record(*from), |number| Record::parse(&id(*from), &self.departures[number].record))?;
                return operator::move_step(policy, keys, record, MoveStep::Arrive, &there, &name, now, Entropy::new(seed))
                    .map(Called::pending);
            }
            Ask::Leave { to } => {
                let name = OperatorId::new("night shift").unwrap();
                return operator::move_step(policy, keys, record, MoveStep::Leave, &self.record(*to)?, &name, now, Entropy::new(seed))
                    .map(Called::pending);
            }
            Ask::Settle { from } => {
                let name = OperatorId::new("night shift").unwrap();
                return operator::move_step(policy, keys, record, MoveStep::Settle, &self.record(*from)?, &name, now, Entropy::new(seed))
                    .map(Called::pending);
            }
            Ask::Withdraw { from } => {
                let name = OperatorId::new("night shift").unwrap();
                return operator::move_step(policy, keys, record, MoveStep::Withdraw, &self.record(*from)?, &name, now, Entropy::new(seed))
                    .map(Called::pending);
            }
            Ask::Erased { to } => {
                let (name, new_place) = (OperatorId::new("night shift").unwrap(), to.map(|to| self.record(to)).transpose()?);
                return operator::erase(policy, keys, record, new_place.as_ref(), &name, now, Entropy::new(seed)).map(Called::pending);
            }
            Ask::NeverLeft { message } => return sms_never_left(policy, keys, record, message, env).map(Called::pending),
            Ask::Check { session: s, pass, channel, max_age, methods, fresh, plan: check_plan, with_record, with_list } => {
                let pass = self.text(*pass);
                let (channel, methods) = (*channel, methods.clone());
                let question = Check {
                    session: session(s),
                    pass,
                    channel,
                    max_age: *max_age,
                    methods,
                    fresh: *fresh,
                    plan: plan(check_plan),
                    revoked: if *with_list { self.revoked_part(who) } else { Revoked::default() },
                };
                let user = id(who);
                let subject = if *with_record { Subject::Record(&record) } else { Subject::User(&user) };
                return check(policy, keys, subject, &question, caller.client.ip(), &caller.roles.roles(), now).map(Called::Checked);
            }
            Ask::Gate { .. } => unreachable!("the gate is asked elsewhere"),
        };
        step(policy, keys, record, command, env).map(Called::pending)
    }

    pub(super) fn record(&self, who: Who) -> Result<Record, Error> {
        self.store[who].as_ref().map_or_else(|| Ok(Record::new(id(who))), |text| Record::parse(&id(who), text))
    }

    pub(super) fn text(&self, token: Token) -> Option<String> {
        match token {
            Token::None => None,
            Token::Junk => Some("e30.e30.e30".to_owned()),
            Token::Ticket(number) => Some(self.tickets[number].text.clone()),
            Token::Pass(number) => Some(self.passes[number].text.clone()),
            Token::Setup(number) => Some(self.setups[number].text.clone()),
            Token::NewCodes(number) => Some(self.new_codes[number].text.clone()),
            Token::Altered(number) => {
                let text = &self.setups[number].text;
                let (symbol, other) = (text.len() - 9, |symbol| if symbol == "A" { "B" } else { "A" });
                Some(format!("{}{}{}", &text[..symbol], other(&text[symbol..=symbol]), &text[symbol + 1..]))
            }
        }
    }
}

pub(super) fn id(who: Who) -> RecordId {
    let user = UserId::new(USERS[who % USERS.len()]).unwrap();
    RecordId::new(ACCOUNTS[account(who)].map(|account| AccountId::new(account).unwrap()), user)
}

pub(super) fn plain(code: &str) -> String {
    code.replace('-', "")
}

pub(super) fn ring(keys: &Keys) -> KeyRing {
    KeyRing::parse(&ring_text(keys)).unwrap()
}

/// The key ring of these keys, which are numbers. Every other signing key is HS256.
pub(super) fn ring_text(Keys { sealing, signing, .. }: &Keys) -> String {
    let secret = |purpose: u8, kid: usize| {
        let mut bytes = [purpose; 32];
        bytes[..8].copy_from_slice(&u64::try_from(kid).unwrap().to_be_bytes());
        BASE64URL_NOPAD.encode(&bytes)
    };
    let sealing: Vec<Value> = sealing.iter().map(|kid| json!({"kid": format!("seal-{kid}"), "secret": secret(1, *kid)})).collect();
    let algorithm = |kid: usize| if kid.is_multiple_of(2) { "EdDSA" } else { "HS256" };
    let signing: Vec<Value> =
        signing.iter().map(|kid| json!({"kid": format!("pass-{kid}"), "alg": algorithm(*kid), "secret": secret(2, *kid)})).collect();
    json!({"v": 1, "sealing": sealing, "signing": signing}).to_string()
}
