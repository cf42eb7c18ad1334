//! A gate in front of each account: whose pass goes through, as docs/gate.md promises it.
//!
//! A gate has one account's policy; in front of a host whose users have many accounts, that of the first. It is told
//! which passes have ended by a list that it fetches, and it starts anew with each new configuration.

use serde_json::{Value, json};

use crate::effect::Effect;
use crate::gate::{CallOutResponse, Gate, GateConfig, Outcome, Request, Secrets, Verdict};
use crate::policy::{Channel, Method, Reason};
use crate::revoked::Revoked;
use crate::time::UnixSeconds;

use super::ask::{ACCOUNTS, Ask, Token, USERS, Who, account};
use super::host::{id, ring_text};
use super::places::Caller;
use super::rng::Rng;
use super::seen::Seen;
use super::shadow::{DAY, SKEW};
use super::world::{Checked, PEOPLE, World};

/// Seconds after which a list is too old.
const STALE: u64 = 60;

/// The latest epoch of a user that the host was told of: the model's number of it, and its name, with the one before.
/// Passes of it and of later ones count.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    epoch: usize,
    names: Vec<Value>,
}

/// A gate, and what the model knows of it.
pub(super) struct Door {
    gate: Gate,
    /// The list that was fetched last, and when.
    list: Option<(u64, Vec<Option<Kept>>)>,
}

impl World {
    /// The host puts the passes that a change has ended on the list.
    pub(super) fn tell_gates(&mut self, who: Who, epoch: usize, effects: &[Effect]) {
        for effect in effects {
            if let Effect::EndPasses(ended) = effect {
                let before = self.kept[who].take().and_then(|kept| kept.names.into_iter().next_back());
                self.kept[who] = Some(Kept { epoch, names: before.into_iter().chain([json!(ended.epoch)]).collect() });
            }
        }
    }

    /// The latest epoch of a person on the list.
    pub(super) fn listed_epoch(&self, who: Who) -> Option<usize> {
        self.kept[who].as_ref().map(|kept| kept.epoch)
    }

    /// The part of the list about a person, as it is in Node: at once, with the latest epoch.
    pub(super) fn revoked_part(&self, who: Who) -> Revoked {
        let epoch = self.kept[who].as_ref().and_then(|kept| kept.names.last());
        Revoked::parse(&json!({"session": false, "epoch": epoch}).to_string()).unwrap()
    }

    pub(super) fn ask_gate(&mut self, who: Who, caller: Caller, ask: &Ask, rng: &mut Rng) -> Checked<Seen> {
        let Ask::Gate { session, pass } = ask else { return Err("gate: another question".to_owned()) };
        self.steps += 1;
        let mut door = match self.doors[account(who)].take() {
            Some(door) => door,
            None => self.new_door(account(who)),
        };
        if rng.percent(85) {
            let list = self.list_of_ended_passes(rng).to_string();
            let response = CallOutResponse { status: Some(b"200"), body: Some(list.as_bytes()) };
            let is_read = door.gate.take_revocations(&response, UnixSeconds::new(self.now).unwrap());
            door.list = Some((self.now, self.kept.to_vec()));
            if !is_read {
                return Err(format!("gate: the list is not read: {list}"));
            }
        }
        let expected = self.promised_at(&door, account(who), caller, session, *pass);
        let seen = self.seen_at(&mut door, caller, session, *pass);
        if let (Seen::Through(who), Token::Pass(number), Some((_, kept))) = (&seen, pass, &door.list)
            && kept[*who].as_ref().is_some_and(|kept| kept.epoch < self.passes[*number].epoch)
        {
            self.count("gate: through in a later epoch than the list names".to_owned());
        }
        self.doors[account(who)] = Some(door);
        let told = format!("the gate of {:?} is asked {ask:?} from {caller:?}: {seen:?}", ACCOUNTS[account(who)]);
        self.tell(|_| told.clone());
        self.count(format!("gate: {}", seen.word()));
        self.count_attacks_at_the_gate(&seen);
        self.the_gate_opens_no_strict_account(account(who), &seen)?;
        if seen == expected { Ok(seen) } else { Err(format!("gate: {told}, and the model says {expected:?}")) }
    }

    fn new_door(&self, account: usize) -> Door {
        let storage = json!({"cluster": "login", "authority": "login", "path": "/ended"});
        let config = json!({
            "v": 1,
            "policy": self.rules[account].documents[0].to_json(),
            "accounts": ACCOUNTS[account].map_or(json!("none"), |account| json!({"one": account})),
            "session": {"cookie": "sid", "id": "plain"},
            "challenge": {"page": "/login"},
            "exempt": {"paths": ["/login"]},
            "revocation": storage,
        });
        let secrets = Secrets { keys: Some(ring_text(&self.keys)), storage_token: Some("a".repeat(32)) };
        Door { gate: Gate::new(GateConfig::parse(&config.to_string(), &secrets).unwrap()), list: None }
    }

    /// A host keeps the latest epoch of a user, or the names of more than one in the order in which it was told.
    fn list_of_ended_passes(&self, rng: &mut Rng) -> Value {
        let mut list = json!({"v": 1, "epochs": {}, "accounts": {}});
        for (who, kept) in self.kept.iter().enumerate() {
            let Some(Kept { names, .. }) = kept else { continue };
            let mut told = names.clone();
            if rng.percent(50) {
                told.reverse();
            }
            let users = match ACCOUNTS[account(who)] {
                Some(account) => &mut list["accounts"][account]["epochs"],
                None => &mut list["epochs"],
            };
            users[USERS[who % USERS.len()]] = if rng.percent(30) { json!(told) } else { json!(names.last()) };
        }
        list
    }

    fn seen_at(&self, door: &mut Door, caller: Caller, session: &str, pass: Token) -> Seen {
        let cookies = match self.text(pass) {
            Some(pass) => format!("sid={session}; __Host-second-factor={pass}"),
            None => format!("sid={session}"),
        };
        let headers = [(":method", "GET"), (":path", "/reports"), ("cookie", cookies.as_str())];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        let source = || caller.client.address().map(|address| format!("{address}:4711").into_bytes());
        let request = Request { headers: &headers, has_body: false, source: &source };
        let Verdict::Judged(judgement) = door.gate.judge(&request, UnixSeconds::new(self.now).unwrap()) else {
            return Seen::Stopped("a call-out".to_owned());
        };
        match judgement.outcome {
            Outcome::Answer(answer) => {
                let body: Value = serde_json::from_str(&answer.body).unwrap();
                Seen::Stopped(body["reason"].as_str().unwrap().to_owned())
            }
            Outcome::Admit(admission) => {
                let changes = admission.changes(&headers);
                let header = |name: &str| {
                    let values = changes.iter().filter(|(changed, _)| *changed == name).filter_map(|(_, value)| *value);
                    values.map(|value| String::from_utf8(value.to_vec()).unwrap()).next_back()
                };
                let (user, account) = (header("x-second-factor-sub"), header("x-second-factor-account"));
                let is_named =
                    |who: &Who| user.as_deref() == Some(id(*who).user().as_str()) && account.as_deref() == ACCOUNTS[self::account(*who)];
                (0..PEOPLE).find(is_named).map_or_else(|| Seen::Stopped("let in as nobody".to_owned()), Seen::Through)
            }
        }
    }

    /// The answer that the documents promise.
    fn promised_at(&self, door: &Door, account: usize, caller: Caller, session: &str, token: Token) -> Seen {
        let document = &self.rules[account].documents[0];
        let stopped = |reason: &str| Seen::Stopped(reason.to_owned());
        match document.turned_away(caller.client, Channel::Web, self.now) {
            None => {}
            Some(Reason::AddressDenied) => return stopped("address_denied"),
            Some(Reason::AddressNotAllowed) => return stopped("address_not_allowed"),
            Some(_) => return stopped("address_unknown"),
        }
        let pass = match token {
            Token::None => return stopped("no_pass"),
            Token::Pass(number) => &self.passes[number],
            Token::Junk | Token::Ticket(_) | Token::Setup(_) | Token::NewCodes(_) | Token::Altered(_) => return stopped("pass_invalid"),
        };
        let of_trust = document.settings.trusted_days.filter(|_| pass.method == Method::TrustedBrowser);
        let trusted_until = of_trust.map_or(u64::MAX, |days| pass.shown_at + days * DAY);
        let list = door.list.as_ref().filter(|(at, _)| at.abs_diff(self.now) <= STALE);
        if !self.keys.signing.contains(&pass.kid) || pass.from > self.now + SKEW {
            stopped("pass_invalid")
        } else if !document.offers(pass.method) && pass.method == Method::TrustedBrowser {
            stopped("method_not_accepted")
        } else if self.now >= pass.until.min(pass.from + document.settings.pass_life).min(trusted_until) {
            stopped("pass_expired")
        } else if super::ask::account(pass.who) != account {
            stopped("other_account")
        } else if pass.session != session {
            stopped("other_session")
        } else {
            match list {
                None => stopped("revocation_stale"),
                Some((_, kept)) if kept[pass.who].as_ref().is_some_and(|kept| pass.epoch < kept.epoch) => stopped("pass_revoked"),
                Some(_) => Seen::Through(pass.who),
            }
        }
    }

    fn count_attacks_at_the_gate(&mut self, seen: &Seen) {
        let refused = match seen {
            Seen::Stopped(reason) => match reason.as_str() {
                "other_account" => "a pass of another account at the gate",
                "other_session" => "a pass of another session at the gate",
                "pass_revoked" => "a pass of an earlier epoch at the gate",
                _ => return,
            },
            _ => return,
        };
        self.count(format!("refused {refused}"));
    }
}
