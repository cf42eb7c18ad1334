//! Trusted browsers: what the documents promise of them, and T55 asked of each step.
//!
//! The model keeps every secret of a browser in clear, in the order in which they turned, and a pool of all cookies that
//! browsers ever got, for thieves and for the same user elsewhere.

use crate::effect::Effect;
use crate::notice::NoticeKind;
use crate::policy::{Method, Reason};

use super::ask::{Ask, Pass, Token, Typed, Who, account};
use super::invariants::After;
use super::oracle::Oracle;
use super::rng::Rng;
use super::rules::Rules;
use super::seen::Seen;
use super::shadow::{DAY, SKEW, Shadow};
use super::world::{Checked, Fault, PEOPLE, World};

/// Seconds after a use within which the secret before is no alarm.
const GRACE: u64 = 30;

/// A browser that a user trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Browser {
    /// The id, and the tokens that it ever had, once replies have named them. The last one counts.
    pub(super) id: String,
    pub(super) tokens: Vec<String>,
    pub(super) name: String,
    pub(super) method: Method,
    pub(super) added_at: u64,
    pub(super) used_at: Option<u64>,
    kid: usize,
}

/// The wish to trust the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trust {
    pub(super) name: Option<&'static str>,
    pub(super) replaces: Option<String>,
}

/// A token that a browser got in a reply, and the state of its user then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cookie {
    pub(super) who: Who,
    pub(super) text: String,
    epoch: usize,
    logins: usize,
    /// Something was written since under rules that trust no browser.
    pub(super) has_ended: bool,
}

/// The standing of a token that belongs to a browser.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Current,
    JustTurned,
    Copied,
}

impl Browser {
    pub(super) fn ends(&self, rules: &Rules) -> u64 {
        self.added_at + rules.trusted_days.unwrap_or(0) * DAY
    }

    pub(super) fn is_live(&self, rules: &Rules, now: u64) -> bool {
        rules.trusted_days.is_some() && rules.offers(self.method) && self.added_at <= now + SKEW && now < self.ends(rules)
    }

    fn seen_at(&self) -> u64 {
        self.used_at.unwrap_or(self.added_at)
    }
}

impl Oracle<'_> {
    fn standing(&self, token: &str) -> Option<(usize, Standing)> {
        let (rules, now) = (self.rules, self.now);
        self.me.browsers.iter().enumerate().find_map(|(index, browser)| {
            let counts = browser.is_live(rules, now) && self.keys.sealing.contains(&browser.kid);
            let turns = browser.tokens.iter().rev().position(|known| known == token).filter(|_| counts)?;
            Some((
                index,
                match turns {
                    0 => Standing::Current,
                    1 if now.saturating_sub(browser.seen_at()) <= GRACE => Standing::JustTurned,
                    _ => Standing::Copied,
                },
            ))
        })
    }

    /// The browser's id, where its token counts. One that turned before ends the browser, as a copy.
    pub(super) fn by_browser(&mut self, code: &Typed) -> Result<String, Seen> {
        match self.standing(&code.text) {
            Some((index, Standing::Current)) => {
                let (now, kid) = (self.now, self.keys.newest());
                let browser = &mut self.me.browsers[index];
                (browser.used_at, browser.kid) = (Some(now), kid);
                browser.tokens.push(String::new());
                Ok(browser.id.clone())
            }
            Some((index, Standing::Copied)) => {
                self.me.browsers.remove(index);
                Err(Seen::Expired)
            }
            Some((_, Standing::JustTurned)) | None => Err(Seen::Expired),
        }
    }

    /// After a code by app or SMS, where the rules trust browsers.
    pub(super) fn trust(&mut self, method: Method, trust: &Trust) {
        if self.rules.trusted_days.is_none() || !matches!(method, Method::Totp | Method::Sms) {
            return;
        }
        if let Some((index, _)) = trust.replaces.as_deref().and_then(|token| self.standing(token)) {
            self.me.browsers.remove(index);
        }
        self.me.end_browsers(self.rules, self.now);
        if self.me.browsers.len() >= 10 {
            let seen: Vec<u64> = self.me.browsers.iter().map(Browser::seen_at).collect();
            let unused = seen.iter().position(|at| Some(at) == seen.iter().min()).unwrap();
            self.me.browsers.remove(unused);
        }
        let numbered = |number: usize| if number == 1 { "Browser".to_owned() } else { format!("Browser {number}") };
        let is_free = |name: &String| !self.me.browsers.iter().any(|browser| browser.name == *name);
        let name = trust.name.map_or_else(|| (1..).map(numbered).find(is_free).unwrap(), str::to_owned);
        let kid = self.keys.newest();
        let tokens = vec![String::new()];
        self.me.browsers.push(Browser { id: String::new(), tokens, name, method, added_at: self.now, used_at: None, kid });
    }

    /// A pass of the session is enough, by whatever method.
    pub(super) fn remove_browser(&mut self, session: &str, pass: Token, id: &str) -> Seen {
        if self.session_pass(session, pass).is_none() {
            return Seen::Denied(Reason::FreshFactorRequired);
        }
        let (rules, now) = (self.rules, self.now);
        match self.me.browsers.iter().position(|browser| browser.id == id && browser.is_live(rules, now)) {
            Some(index) => Seen::BrowserRemoved(self.me.browsers.remove(index).id),
            None => Seen::Denied(Reason::NotEnrolled),
        }
    }
}

impl Shadow {
    /// A write leaves out the browsers that are not trusted now.
    pub(super) fn end_browsers(&mut self, rules: &Rules, now: u64) {
        self.browsers.retain(|browser| browser.is_live(rules, now));
    }
}

impl World {
    /// Writes the token of a reply into the model.
    pub(super) fn learn_browser(&mut self, me: &mut Shadow, who: Who, method: Method, factor: &str, token: &str) -> Checked {
        let (id, _) = token.split_once('.').ok_or("browser: a token without an id")?;
        let browser = if method == Method::TrustedBrowser {
            me.browsers.iter_mut().find(|browser| browser.id == factor && browser.id == id)
        } else {
            me.browsers.last_mut().filter(|browser| browser.id.is_empty())
        };
        let browser = browser.ok_or("browser: a token that the model does not know")?;
        let newest = browser.tokens.last_mut().unwrap();
        if !newest.is_empty() || token.len() != 56 || self.cookies.iter().any(|cookie| cookie.text == token) {
            return Err(format!("browser: {token} is not a new token"));
        }
        token.clone_into(newest);
        id.clone_into(&mut browser.id);
        let (epoch, logins) = (me.epoch, me.logins);
        self.cookies.push(Cookie { who, text: token.to_owned(), epoch, logins, has_ended: false });
        Ok(())
    }

    /// A login by a cookie, and what its pass is good for.
    pub(super) fn browse(&mut self, who: Who, rng: &mut Rng) -> Checked {
        if rng.percent(3) {
            let days = rng.pick(&[None, Some(1), Some(30)]);
            let rules = self.rules[account(who)].each(|mut document| {
                document.settings.trusted_days = days;
                document
            });
            self.set_rules(account(who), rules);
        }
        let caller = self.arrive(who, rng);
        let is_trusted = |pass: &Pass| pass.who == who && pass.method == Method::TrustedBrowser && self.now < pass.until;
        let ask = match (self.passes.iter().rposition(is_trusted), self.live_ticket(who)) {
            (Some(number), _) if rng.percent(40) => {
                let (session, pass) = (self.passes[number].session, Token::Pass(number));
                match rng.below(4) {
                    0 | 1 => Ask::Gate { session, pass },
                    2 => Ask::RemoveBrowser { session, pass, browser: self.a_browser(who, rng) },
                    _ => self.check_with(session, pass, rng),
                }
            }
            (_, Some(number)) if !self.cookies.is_empty() => {
                let (session, ticket) = (self.tickets[number].session, Token::Ticket(number));
                let elsewhere = self.cookies.iter().rfind(|cookie| cookie.who != who && cookie.who % 3 == who % 3);
                let stranger = match rng.below(10) {
                    0 => self.cookies.get(rng.below(self.cookies.len())),
                    1 => elsewhere,
                    _ => None,
                };
                let stranger = stranger.map(|cookie| Typed { plain: cookie.text.clone(), text: cookie.text.clone() });
                let code = stranger.unwrap_or_else(|| self.a_cookie(who, rng));
                let next = if session == "s1" { "s2" } else { "s1" };
                Ask::Verify { ticket, session, next, method: Method::TrustedBrowser, factor: None, code, trust: None }
            }
            _ => return self.natural_step(who, rng),
        };
        self.perform(who, caller, &ask, Fault::None, rng).map(|_| ())
    }

    fn natural_step(&mut self, who: Who, rng: &mut Rng) -> Checked {
        let who = if rng.percent(80) { who } else { (who + 1) % PEOPLE };
        let (caller, ask) = self.natural(who, rng);
        self.perform(who, caller, &ask, Fault::None, rng).map(|_| ())
    }

    /// A cookie of the person's own, or of anybody; of now, or of before.
    pub(super) fn a_cookie(&self, who: Who, rng: &mut Rng) -> Typed {
        let own = |about: usize, rng: &mut Rng| {
            let browsers = &self.people[who].browsers;
            let browser = (!browsers.is_empty()).then(|| &browsers[rng.below(browsers.len())])?;
            let newest = browser.tokens.len() - 1;
            Some(browser.tokens[newest.saturating_sub(about)].clone())
        };
        let of = |of: Who, rng: &mut Rng| {
            let theirs: Vec<&String> = self.cookies.iter().filter(|cookie| cookie.who == of).map(|cookie| &cookie.text).collect();
            rng.late(theirs.len()).map(|index| theirs[index].clone())
        };
        let text = match rng.below(20) {
            0..13 => own(0, rng),
            13 => own(1, rng),
            14 => own(rng.below(4), rng),
            15 => of(who, rng),
            16 => of((who + 3) % PEOPLE, rng),
            17 => of(rng.below(PEOPLE), rng),
            18 => own(0, rng).map(|token| format!("{}.{}A", &token[..12], "q".repeat(42))),
            _ => None,
        };
        let text = text.or_else(|| of(who, rng)).unwrap_or_else(|| "no token".to_owned());
        Typed { plain: text.clone(), text }
    }

    pub(super) fn a_trust(&self, who: Who, rng: &mut Rng) -> Option<Trust> {
        let name = rng.percent(30).then(|| rng.pick(&["Firefox on Linux", "Browser", "Browser 2"]));
        let replaces = rng.percent(25).then(|| self.a_cookie(who, rng).text);
        rng.percent(50).then_some(Trust { name, replaces })
    }

    /// A browser of the person's own, or of anybody.
    pub(super) fn a_browser(&self, who: Who, rng: &mut Rng) -> String {
        let token = self.a_cookie(who, rng).text;
        token.split_once('.').map_or_else(|| "no-such-one-".to_owned(), |(id, _)| id.to_owned())
    }

    /// T55.
    pub(super) fn trusted_browsers_only_log_in(&mut self, after: &After<'_>) -> Checked {
        match (after.ask, after.seen) {
            (Ask::Verify { method: Method::TrustedBrowser, code, .. }, seen) => {
                let cookie = self.cookies.iter().find(|cookie| cookie.text == code.text).cloned();
                let is_told = after
                    .effects
                    .iter()
                    .any(|effect| matches!(effect, Effect::Notify(notice) if notice.kind == NoticeKind::TrustedBrowserCopied));
                if let Seen::Verified { .. } = seen {
                    let rules = &self.rules[account(after.who)];
                    let is_on = rules.documents.iter().all(|document| document.settings.trusted_days.is_some());
                    let is_own = cookie.as_ref().is_some_and(|cookie| cookie.who == after.who) && is_on;
                    self.meet(is_own, "a trusted browser answers only a login on the web of its own user and account")?;
                    let is_of_now = cookie.is_some_and(|cookie| {
                        cookie.epoch == after.before.epoch && cookie.logins == after.before.logins && !cookie.has_ended
                    });
                    self.meet(is_of_now, "a trusted browser is dead after each ending")?;
                } else {
                    let (rules, now) = (&self.rules[account(after.who)], self.now);
                    let is_lost = |browser: &Browser| browser.is_live(rules, now) && !after.now.browsers.contains(browser);
                    if after.before.browsers.iter().any(is_lost) {
                        let was_ours = after.before.browsers.iter().any(|browser| is_lost(browser) && browser.tokens.contains(&code.text));
                        self.meet(is_told && was_ours, "the user is told of a copied browser, and it ends")?;
                    }
                    if let Some(cookie) = cookie.filter(|_| *seen == Seen::Expired) {
                        let why = if account(cookie.who) != account(after.who) {
                            "of another account"
                        } else if cookie.who != after.who {
                            "of another user"
                        } else if is_told {
                            "that was copied"
                        } else {
                            "that had ended, or turned just before"
                        };
                        self.count(format!("refused a trusted browser {why}"));
                    }
                }
                self.meet(after.before.bucket == after.now.bucket, "a trusted browser is charged to nobody, and takes no charge back")
            }
            (Ask::Check { pass: Token::Pass(number), max_age, fresh, methods, .. }, Seen::In(Some(_), _))
                if self.passes[*number].method == Method::TrustedBrowser =>
            {
                let is_on = self.rules[account(after.who)].trusted_days.is_some();
                let is_named = methods.as_ref().is_none_or(|methods| methods.contains(&Method::TrustedBrowser));
                let is_plain = is_on && is_named && max_age.is_none() && !fresh;
                self.meet(is_plain, "nothing is fresh by a trusted browser, and its pass counts where the policy has it")
            }
            _ => Ok(()),
        }
    }

    /// Notes the cookies that a write under rules without trusted browsers has ended for good.
    pub(super) fn end_cookies(&mut self, who: Who) {
        if self.rules[account(who)].trusted_days.is_none() {
            self.cookies.iter_mut().filter(|cookie| cookie.who == who).for_each(|cookie| cookie.has_ended = true);
        }
    }
}
