//! Trusted browsers: the trust after a code by app or SMS, the login by it, its end by the user, and its theft.
//!
//! A trusted browser answers a challenge at login, and nothing else: its pass is never fresh, and permits no change. It has no
//! attempt budget: nobody guesses 128 bits, and someone with the password must not lock the person out by wrong ones.
//!
//! The trust ends with its days, at a change of factors and a rescue (`begin_epoch`), with the login epoch (`sign_out.rs`),
//! by this file's [`remove`], and for good at the next write under a policy that has no trusted browsers.

use crate::error::Error;
use crate::event::{Action, EventKind};
use crate::factor::FactorName;
use crate::notice::NoticeKind;
use crate::policy::{Method, Reason};
use crate::token::Ticket;
use crate::trusted_browser::{BrowserToken, Standing, TrustedBrowser};

use super::attempt::{OrReply, Typed, Used};
use super::command::{RemoveTrustedBrowser, TrustBrowser};
use super::context::{Context, View};
use super::reply::{BrowserCookie, CodeKind, Reply, UsableMethod};

/// Most browsers that a user trusts. One more takes the place of the one that was not used for the longest time.
const MOST: usize = 10;

/// The method in a challenge, where a browser is trusted.
#[expect(clippy::unnecessary_wraps, reason = "the table of factors has one type for all")]
pub(super) fn usable(view: View<'_>) -> Result<Option<UsableMethod>, Error> {
    let is_live = view.record.live_browsers(view.policy, view.now).next().is_some();
    let (method, kind) = (Method::TrustedBrowser, CodeKind::Token);
    Ok(is_live.then(|| UsableMethod { method, kind, digits: None, hint: None, factors: Vec::new(), confirmed: None }))
}

/// The second step by the token in a browser's cookie, which turns.
#[expect(clippy::unnecessary_wraps, reason = "the table of factors has one type for all")]
pub(super) fn verify(context: &mut Context<'_>, _: &Ticket, step: &Typed<'_>) -> Result<OrReply<Used>, Error> {
    let found = BrowserToken::parse(step.code).and_then(|token| Some((find(context, &token)?, token)));
    match found {
        Some(((browser, Standing::Current), token)) => Ok(Ok(turn(context, &browser, token))),
        Some(((browser, Standing::Copied), _)) => {
            copied(context, &browser);
            Ok(Err(Reply::Expired {}))
        }
        Some(((_, Standing::JustTurned), _)) | None => {
            context.log(EventKind::TrustedBrowserRefused);
            Ok(Err(Reply::Expired {}))
        }
    }
}

/// Trusts the browser of someone who has just shown an app or phone, where the policy allows it.
pub(super) fn trust(context: &mut Context<'_>, method: Method, question: &TrustBrowser) -> Option<BrowserCookie> {
    context.policy.trusted_browser_seconds().filter(|_| method.is_own_factor())?;
    let replaced = question.replaces.as_deref().and_then(BrowserToken::parse).and_then(|token| find(context, &token));
    match replaced {
        Some((browser, Standing::Current | Standing::JustTurned)) => context.record.browsers.retain(|other| other.id != browser.id),
        Some((browser, Standing::Copied)) => copied(context, &browser),
        None => {}
    }
    make_room(context);
    let name = question.name.clone().unwrap_or_else(|| free_name(context));
    let (keys, record, now) = (context.keys.sealing(), context.id(), context.now);
    let (browser, token) = TrustedBrowser::new(keys, &mut context.entropy, &record, name, method, now);
    let expires_at = browser.ends_at(context.policy)?;
    context.log(EventKind::BrowserTrusted { method, browser: browser.named() });
    context.notify_of_factor(NoticeKind::BrowserTrusted, method, &browser.name);
    context.record.browsers.push(browser);
    Some(BrowserCookie { token, expires_at })
}

/// Ends the trust in one browser. A pass of the session is enough, however old and by whatever method: it takes a way in away
/// and gives none, and the person who sees a stranger's browser in the list ends it at once.
pub(super) fn remove(context: &mut Context<'_>, command: &RemoveTrustedBrowser) -> Result<Reply, Error> {
    let RemoveTrustedBrowser { session, pass, browser: id } = command;
    if context.view().session_pass(session, pass.as_deref()).is_none() {
        return Ok(context.denied(Action::RemoveTrustedBrowser, Reason::FreshFactorRequired));
    }
    let Some(browser) = context.record.live_browsers(context.policy, context.now).find(|browser| browser.id == *id).cloned() else {
        return Ok(context.denied(Action::RemoveTrustedBrowser, Reason::NotEnrolled));
    };
    drop_browser(context, &browser);
    Ok(Reply::TrustedBrowserRemoved { browser: browser.named() })
}

/// The live browser that a token belongs to.
fn find(context: &Context<'_>, token: &BrowserToken) -> Option<(TrustedBrowser, Standing)> {
    let (keys, record) = (context.keys.sealing(), context.record.id());
    context.record.live_browsers(context.policy, context.now).find_map(|browser| {
        let standing = browser.standing(keys, record, token, context.now)?;
        Some((browser.clone(), standing))
    })
}

fn turn(context: &mut Context<'_>, browser: &TrustedBrowser, token: BrowserToken) -> Used {
    let (record, now) = (context.id(), context.now);
    let mut turned = browser.clone();
    let token = turned.turn(context.keys.sealing(), &mut context.entropy, &record, token, now);
    let cookie = turned.ends_at(context.policy).map(|expires_at| BrowserCookie { token, expires_at });
    // The clock may have been set back since: no pass tells of a later time than its own.
    let used = Used { factor: Some(turned.named()), shown_at: turned.added_at.min(now), browser: cookie };
    if let Some(kept) = context.record.browsers.iter_mut().find(|kept| kept.id == turned.id) {
        *kept = turned;
    }
    used
}

/// There are two copies of the secret, and one of them is a thief's: both end, and the user hears of it.
fn copied(context: &mut Context<'_>, browser: &TrustedBrowser) {
    context.record.browsers.retain(|other| other.id != browser.id);
    context.log(EventKind::TrustedBrowserCopied { browser: browser.named() });
    context.notify_of_factor(NoticeKind::TrustedBrowserCopied, Method::TrustedBrowser, &browser.name);
}

/// Makes room for one more.
fn make_room(context: &mut Context<'_>) {
    context.record.drop_ended_browsers(context.policy, context.now);
    while context.record.browsers.len() >= MOST {
        let Some(unused) = context.record.browsers.iter().min_by_key(|browser| browser.last_seen_at()).cloned() else { return };
        drop_browser(context, &unused);
    }
}

fn drop_browser(context: &mut Context<'_>, browser: &TrustedBrowser) {
    context.record.browsers.retain(|other| other.id != browser.id);
    context.log(EventKind::TrustedBrowserRemoved { browser: browser.named() });
}

/// The name of a browser that was given none.
fn free_name(context: &Context<'_>) -> FactorName {
    let taken: Vec<FactorName> = context.record.browsers.iter().map(|browser| browser.name.clone()).collect();
    FactorName::free("Browser", &taken)
}
