//! The authenticator app as a factor: its set-up, its confirmation, and the second step by it.
//!
//! The secret is made here, never supplied by a client. A code counts once: the step that matched
//! is kept, and it and all before it are refused from then on, the confirming code included
//! (RFC 6238 §5.2).

use crate::error::{Error, ErrorCode};
use crate::event::{Action, EventKind};
use crate::keys::sealing::Sealed;
use crate::otpauth::{OtpAuth, fitting};
use crate::policy::{Method, Reason};
use crate::qr::qr_svg;
use crate::record::{TotpFactor, TotpSetup};
use crate::secret_text::SecretText;
use crate::token::Ticket;
use crate::totp::TotpSecret;
use crate::typed_code::Digits;

use super::attempt::OrReply;
use super::command::{Confirm, EnrollTotp};
use super::context::{Context, View};
use super::enroll;
use super::reply::{CodeKind, Reply, UsableMethod};

/// Name of the sealed field, part of its associated data.
const FIELD: &str = "totp.secret";

/// Begins a set-up: makes a secret and shows it.
pub(super) fn start(context: &mut Context<'_>, command: &EnrollTotp) -> Result<Reply, Error> {
    let EnrollTotp { session, pass, label, plan } = command;
    if let Some(reason) = enroll::obstacle(context, session, pass.as_deref(), Method::Totp, plan.as_deref()) {
        return Ok(context.denied(Action::EnrollTotp, reason));
    }
    let parameters = context.policy.totp();
    let secret = TotpSecret::mint(&mut context.entropy);
    let sealed = seal(context, &secret)?;
    let setup = enroll::setup(context, session, pass.as_deref());
    let shown = secret.grouped();
    let uri = OtpAuth::new(context.policy.name(), &shown_label(context, label), secret, parameters)?.to_uri();
    let qr_svg = SecretText(qr_svg(&uri)?);
    let expires_at = setup.lifetime.ends_at();
    context.record.totp_setup = Some(TotpSetup { secret: sealed, parameters, setup });
    context.log(EventKind::EnrollmentStarted { method: Method::Totp });
    Ok(Reply::TotpStarted { uri: SecretText(uri), secret: SecretText(shown), qr_svg, digits: parameters.digits(), expires_at })
}

/// Turns the app on when a code from it is right.
pub(super) fn confirm(context: &mut Context<'_>, command: &Confirm) -> Result<Reply, Error> {
    if !context.policy.offers(Method::Totp) {
        return Ok(context.denied(Action::EnrollTotp, Reason::MethodNotOffered));
    }
    let open = context.record.totp_setup.clone().filter(|begun| enroll::is_open(context, &begun.setup, &command.session));
    let Some(TotpSetup { secret: sealed, parameters, setup }) = open else { return Ok(Reply::Expired {}) };
    if enroll::needs_pass(context, setup.with_pass) {
        return Ok(context.denied(Action::EnrollTotp, Reason::FreshFactorRequired));
    }
    let Some(typed) = Digits::parse(&command.code, parameters.digits()) else {
        return Ok(Reply::malformed_digits(parameters.digits()));
    };
    let secret = open_secret(context.view(), &sealed)?;
    let matched =
        context.attempt(Method::Totp, |context| Ok(secret.verify(parameters, &typed, context.now, context.policy.window(), None)))?;
    let last_step = match matched {
        Ok(matched) => matched,
        Err(reply) => return Ok(reply),
    };
    let before = enroll::Before::of(context, Method::Totp);
    context.record.totp = Some(TotpFactor { secret: sealed, parameters, last_step, added_at: context.now, last_used_at: None });
    enroll::confirmed(context, Method::Totp, &command.session, before)
}

/// The second step by a code from the app.
pub(super) fn verify(context: &mut Context<'_>, _: &Ticket, code: &str) -> Result<OrReply<()>, Error> {
    let Some(factor) = context.record.totp.clone() else {
        return Ok(Err(context.denied(Action::Verify, Reason::NotEnrolled)));
    };
    let digits = factor.parameters.digits();
    let Some(typed) = Digits::parse(code, digits) else { return Ok(Err(Reply::malformed_digits(digits))) };
    let secret = open_secret(context.view(), &factor.secret)?;
    let matched = context.attempt(Method::Totp, |context| {
        Ok(secret.verify(factor.parameters, &typed, context.now, context.policy.window(), Some(factor.last_step)))
    })?;
    let last_step = match matched {
        Ok(matched) => matched,
        Err(reply) => return Ok(Err(reply)),
    };
    // Sealed anew under the newest key: after a rotation, records move over as their users log in.
    let secret = seal(context, &secret)?;
    context.record.totp = Some(TotpFactor { secret, last_step, last_used_at: Some(context.now), ..factor });
    Ok(Ok(()))
}

/// The method in a challenge, where the policy still offers it.
pub(super) fn usable(view: View<'_>) -> Result<Option<UsableMethod>, Error> {
    let factor = view.record.totp.as_ref().filter(|_| view.policy.offers(Method::Totp));
    Ok(factor.map(|factor| UsableMethod {
        method: Method::Totp,
        kind: CodeKind::Digits,
        digits: Some(factor.parameters.digits()),
        hint: None,
    }))
}

/// The label as the app shows it; the user id where nothing of the label fits, and then the service's name.
fn shown_label(context: &Context<'_>, label: &str) -> String {
    let texts = [label, context.record.user().as_str(), context.policy.name()];
    texts.into_iter().map(fitting).find(|text| !text.is_empty()).unwrap_or_default()
}

fn seal(context: &mut Context<'_>, secret: &TotpSecret) -> Result<Sealed, Error> {
    let id = context.id();
    context.keys.sealing().seal(&mut context.entropy, &id, FIELD, secret.as_bytes())
}

fn open_secret(view: View<'_>, sealed: &Sealed) -> Result<TotpSecret, Error> {
    let plain = view.keys.sealing().open(view.record.id(), FIELD, sealed)?;
    TotpSecret::from_bytes(&plain).map_err(|_| Error::new(ErrorCode::InvalidRecord, FIELD, "the record holds something else than a secret"))
}
