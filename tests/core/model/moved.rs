//! T41 in the store: parts of a record that are moved to the same user of another account open nothing there.
//!
//! Someone who can write to the store can restore old records (SECURITY.md says so), and no more than that.

use serde_json::{Value, json};

use crate::engine::Reply;
use crate::policy::Method;
use crate::record::Record;

use super::ask::{USERS, Who, account};
use super::host::id;
use super::rng::Rng;
use super::world::{Checked, PEOPLE, World};

impl World {
    /// Moves each factor of the same user's other records into this one, on a copy, and shows its right code.
    pub(super) fn move_factors_here(&mut self, who: Who, rng: &mut Rng) -> Checked {
        let others: Vec<Who> = (0..PEOPLE).filter(|other| *other != who && other % USERS.len() == who % USERS.len()).collect();
        for other in others {
            if self.store[other].is_some() {
                let mut copy = self.copy();
                copy.store[who].clone_from(&self.store[other]);
                if copy.record(who).is_ok() {
                    return Err(format!("invariant moved: the record of account {} is read in account {}", account(other), account(who)));
                }
                self.count("refused a record moved in the store".to_owned());
            }
            for method in Method::ALL {
                let mut copy = self.copy();
                if let Some(is_refused) = copy.moved(other, who, method, rng)? {
                    if !is_refused {
                        return Err(format!(
                            "invariant moved: {} of {} moved from account {} to account {} logs in",
                            method.as_str(),
                            USERS[who % USERS.len()],
                            account(other),
                            account(who)
                        ));
                    }
                    self.count(format!("refused a {} moved in the store", method.as_str()));
                }
            }
        }
        Ok(())
    }

    /// Whether the moved factor is refused; `None` where there is none, or the rules of its new account stop it first.
    fn moved(&mut self, from: Who, to: Who, method: Method, rng: &mut Rng) -> Checked<Option<bool>> {
        let there = self.people[from].clone();
        let Some(source) = self.store[from].clone().filter(|_| there.has(method)) else { return Ok(None) };
        let fields: &[&str] = match method {
            Method::Totp => &["apps"],
            Method::Sms => &["phones"],
            Method::BackupCode => &["apps", "backup"],
            Method::RecoveryCode => &["recovery"],
            Method::TrustedBrowser => &["apps", "browsers"],
        };
        let source: Value = serde_json::from_str(&source).unwrap();
        let mut target: Value = serde_json::from_str(&Record::new(id(to)).to_text()).unwrap();
        for field in fields {
            if let Some(value) = source.get(field) {
                target[field] = value.clone();
            }
        }
        self.store[to] = Some(target.to_string());
        let ticket = match self.ask(to, &json!({"begin": {"session": "w"}}), rng) {
            // The number does not open.
            Err(_) => return Ok(Some(true)),
            Ok((Reply::Challenge { ticket, methods, .. }, _)) if methods.iter().any(|usable| usable.method == method) => ticket.0,
            Ok(_) => return Ok(None),
        };
        let code = match method {
            Method::Totp => {
                let app = there.apps[0].clone();
                self.now = self.now.max((app.last_step + 1) * app.secret.period);
                let Ok((Reply::Challenge { ticket, .. }, _)) = self.ask(to, &json!({"begin": {"session": "w"}}), rng) else {
                    return Ok(None);
                };
                let code = app.secret.code(app.secret.step(self.now));
                return self.is_refused(to, &ticket.0, method, &code, rng);
            }
            Method::Sms => match self.ask(to, &json!({"send_sms": {"ticket": ticket, "session": "w"}}), rng) {
                Ok((Reply::SmsSent { .. }, _)) => return Ok(Some(false)),
                _ => return Ok(Some(true)),
            },
            Method::BackupCode => there.backup.unwrap().codes.into_iter().find(|(_, used)| !used).map(|(plain, _)| plain),
            Method::RecoveryCode => there.recovery.map(|alive| alive.code),
            Method::TrustedBrowser => there.browsers.last().and_then(|browser| browser.tokens.last().cloned()),
        };
        let Some(code) = code else { return Ok(None) };
        self.is_refused(to, &ticket, method, &code, rng)
    }

    fn is_refused(&mut self, who: Who, ticket: &str, method: Method, code: &str, rng: &mut Rng) -> Checked<Option<bool>> {
        let verify = json!({"ticket": ticket, "session": "w", "newSession": "in", "method": method.as_str(), "code": code});
        Ok(match self.ask(who, &json!({"verify": verify}), rng) {
            Ok((Reply::Verified { .. }, _)) => Some(false),
            Ok(_) | Err(_) => Some(true),
        })
    }
}
