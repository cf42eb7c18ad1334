//! The check of a pass: signature, time, account, session, revocation, age and method. The cache spares the
//! signature and nothing else; everything else is checked at each request.

use std::rc::Rc;

use crate::policy::Method;
use crate::time::UnixSeconds;
use crate::token::{Flaw, Pass, TokenDigest};

use super::config::GateConfig;
use super::identity::Identity;
use super::learnt::Learnt;
use super::refusal::Refusal;
use super::revocations::Made;
use super::session::gate_session;
use super::single_header::SingleHeader;
use super::stricter_routes::Limits;

/// Whether a pass is good for this session and path, now.
pub(super) fn check_pass(
    config: &GateConfig,
    learnt: &mut Learnt,
    token: &str,
    session: SingleHeader<'_>,
    limits: &Limits,
    now: UnixSeconds,
) -> Result<Rc<Identity>, Refusal> {
    let digest = TokenDigest::of(token);
    let identity = match learnt.passes.find(digest) {
        Some(identity) => identity,
        None => {
            let opened = Pass::examine(&config.policy, &config.keys, token, now).map_err(Refusal::of_flaw);
            learnt.passes.keep(digest, Identity::new(opened?))
        }
    };
    let pass = &identity.pass;
    // The order of `Pass::examine`, so that the cache changes no reason.
    if pass.is_from_the_future(now) {
        return Err(Refusal::PassInvalid(Flaw::FromTheFuture));
    }
    if now >= pass.expires_at() {
        return Err(Refusal::PassExpired);
    }
    if !config.accounts.accept(pass.subject().account()) {
        return Err(Refusal::OtherAccount);
    }
    let session = config.session.id_of(session);
    if config.session.binds() {
        let session = session.as_ref().ok_or(Refusal::NoSession)?;
        if *pass.session() != *session && *pass.session() != gate_session(session) {
            return Err(Refusal::OtherSession);
        }
    }
    let sessions = [Some(pass.session()), session.as_ref()];
    let made = Made { subject: pass.subject(), at: pass.issued_at(), epoch: Some(pass.epoch()), sessions };
    learnt.check_revocation(config, &made, now)?;
    let meets = |age: u32| pass.method() != Method::TrustedBrowser && now.since(pass.auth_time()) <= u64::from(age);
    if limits.max_age.is_some_and(|age| !meets(age)) {
        return Err(Refusal::PassTooOld);
    }
    if !limits.accept(pass.method()) {
        return Err(Refusal::MethodNotAccepted);
    }
    Ok(identity)
}
