//! The end of what a first factor has begun: after a change of the password, and where a user is signed out everywhere.
//!
//! | ends | `password_changed` | `sign_out_everywhere` |
//! |---|---|---|
//! | tickets, set-up tickets, and codes by SMS for a login | yes | yes |
//! | set-ups that no code has confirmed | yes | yes |
//! | trusted browsers | yes | yes |
//! | passes, of all sessions | no | yes, by a new factor epoch |
//!
//! Both are the host's own word, which no client can send: a wrong one lets nobody in. The host ends its sessions itself.

use crate::error::Error;
use crate::event::EventKind;
use crate::login_epoch::LoginEpoch;

use super::context::Context;
use super::reply::Reply;

/// The password was changed, or set anew.
pub(super) fn password_changed(context: &mut Context<'_>) -> Result<Reply, Error> {
    end_logins(context);
    context.log(EventKind::PasswordChanged);
    Ok(Reply::Ended {})
}

/// The user is signed out everywhere.
pub(super) fn everywhere(context: &mut Context<'_>) -> Result<Reply, Error> {
    end_logins(context);
    // In the first epoch there are no passes. It tells of a user who never had a factor, which stays true.
    if !context.record.epoch.is_first() {
        context.begin_epoch();
    }
    context.log(EventKind::SignedOutEverywhere);
    Ok(Reply::Ended {})
}

/// Ends tickets, set-up tickets, set-ups and login codes.
pub(super) fn end_logins(context: &mut Context<'_>) {
    context.record.logins = LoginEpoch::next(&mut context.entropy);
    context.record.drop_login_codes();
    context.record.browsers.clear();
}
