//! The authenticator app as a factor: its set-up, its confirmation, and the second step by it.
//!
//! The secret is made here, never supplied by a client. A code counts once: the step that matched
//! is kept, and it and all before it are refused from then on, the confirming code included
//! (RFC 6238 §5.2). A refused code of these steps is told from a wrong one and costs no attempt.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorCode};
use crate::event::{Action, EventKind};
use crate::keys::sealing::Sealed;
use crate::mac::is_same;
use crate::otpauth::{OtpAuth, fitting};
use crate::policy::{Method, Reason};
use crate::qr::qr_svg;
use crate::record::TotpFactor;
use crate::secret_text::SecretText;
use crate::time::Lifetime;
use crate::token::Ticket;
use crate::totp::{TotpMatch, TotpParameters, TotpSecret};
use crate::typed_code::Digits;

use super::attempt::{Comparison, OrReply};
use super::command::{Confirm, EnrollTotp};
use super::context::{Context, View};
use super::enroll::{self, Confirmation, Start};
use super::reply::{CodeKind, Reply, UsableMethod};

/// Name of the sealed field, part of its associated data.
const FIELD: &str = "totp.secret";
/// Life of a set-up in seconds: long enough to install an app.
const SETUP_SECONDS: u64 = 1_800;

/// The content of a set-up.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AppSetup {
    /// In base32.
    secret: String,
    parameters: TotpParameters,
}

/// Begins a set-up: makes a secret and shows it.
pub(super) fn start(context: &mut Context<'_>, command: &EnrollTotp) -> Result<Reply, Error> {
    let EnrollTotp { session, pass, ticket, label, plan } = command;
    let (pass, ticket, plan) = (pass.as_deref(), ticket.as_deref(), plan.as_deref());
    let start = Start { action: Action::EnrollTotp, method: Method::Totp, session, pass, ticket, plan };
    let proof = match enroll::admit(context, &start) {
        Ok(proof) => proof,
        Err(reply) => return Ok(reply),
    };
    let parameters = context.policy.totp();
    let secret = TotpSecret::mint(&mut context.entropy);
    let content = AppSetup { secret: secret.to_base32(), parameters };
    let shown = secret.grouped();
    let uri = OtpAuth::new(context.policy.name(), &shown_label(context, label), secret, parameters)?.to_uri();
    let qr_svg = SecretText(qr_svg(&uri)?);
    let lifetime = Lifetime::starting(context.now, SETUP_SECONDS);
    let setup = enroll::begin(context, &start, proof, lifetime, content)?;
    let (digits, expires_at) = (parameters.digits(), lifetime.ends_at());
    Ok(Reply::TotpStarted { setup, uri: SecretText(uri), secret: SecretText(shown), qr_svg, digits, expires_at })
}

/// Turns the app on when a code from it is right. A wrong code is not counted, and no lock stops this: the
/// session has seen the secret, so there is nothing to guess.
pub(super) fn confirm(context: &mut Context<'_>, command: &Confirm) -> Result<Reply, Error> {
    enroll::check_new_session(command)?;
    if !context.policy.offers(Method::Totp) {
        return Ok(context.denied(Action::EnrollTotp, Reason::MethodNotOffered));
    }
    let Some(setup) = enroll::open::<AppSetup>(context, Method::Totp, command) else { return Ok(Reply::Expired {}) };
    let AppSetup { secret, parameters } = &setup.content;
    let (secret, parameters) = (TotpSecret::from_base32(secret)?, *parameters);
    if let Some(reply) = enroll::ended(context, &setup, |view| holds(view, &secret))? {
        return Ok(reply);
    }
    if enroll::needs_pass(context, setup.proof) {
        return Ok(context.denied(Action::EnrollTotp, Reason::FreshFactorRequired));
    }
    let Some(typed) = Digits::parse(&command.code, parameters.digits()) else {
        return Ok(Reply::malformed_digits(parameters.digits()));
    };
    let Some(last_step) = secret.verify(parameters, &typed, context.now, context.policy.window(), None) else {
        context.log(EventKind::SetupCodeRefused { method: Method::Totp });
        return Ok(Reply::Wrong { attempts_left: None, retry_at: None });
    };
    let confirmation = Confirmation::of(context, Method::Totp, setup.proof);
    let secret = seal(context, &secret)?;
    context.record.totp = Some(TotpFactor { secret, parameters, last_step, added_at: context.now, last_used_at: None });
    enroll::confirmed(context, command, confirmation)
}

/// The second step by a code from the app.
pub(super) fn verify(context: &mut Context<'_>, _: &Ticket, code: &str) -> Result<OrReply<()>, Error> {
    let Some(factor) = context.record.totp.clone() else {
        return Ok(Err(context.denied(Action::Verify, Reason::NotEnrolled)));
    };
    let digits = factor.parameters.digits();
    let Some(typed) = Digits::parse(code, digits) else { return Ok(Err(Reply::malformed_digits(digits))) };
    let secret = open_secret(context.view(), &factor.secret)?;
    let matched = context.attempt_known(Method::Totp, |context| Ok(compare(context, &factor, &secret, &typed)))?;
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
        confirmed: None,
    }))
}

/// The label as the app shows it; the user id where nothing of the label fits, and then the service's name.
fn shown_label(context: &Context<'_>, label: &str) -> String {
    let texts = [label, context.record.user().as_str(), context.policy.name()];
    texts.into_iter().map(fitting).find(|text| !text.is_empty()).unwrap_or_default()
}

/// Compares a code with those of the window. After a used one, the next code that counts is that of the
/// next step, or of the step after the last one used, where an app runs ahead.
fn compare(context: &Context<'_>, factor: &TotpFactor, secret: &TotpSecret, typed: &Digits) -> Comparison<u64> {
    let TotpFactor { parameters, last_step, .. } = *factor;
    match secret.compare(parameters, typed, context.now, context.policy.window(), Some(last_step)) {
        TotpMatch::Unused(step) => Comparison::Right(step),
        TotpMatch::Used => {
            let next = parameters.step_at(context.now).max(last_step).saturating_add(1);
            Comparison::Used { retry_at: Some(parameters.start_of(next)) }
        }
        TotpMatch::Wrong => Comparison::Wrong,
    }
}

/// Whether the record holds this very app.
fn holds(view: View<'_>, secret: &TotpSecret) -> Result<bool, Error> {
    let Some(factor) = &view.record.totp else { return Ok(false) };
    Ok(is_same(&open_secret(view, &factor.secret)?.to_base32(), &secret.to_base32()))
}

fn seal(context: &mut Context<'_>, secret: &TotpSecret) -> Result<Sealed, Error> {
    let id = context.id();
    context.keys.sealing().seal(&mut context.entropy, &id, FIELD, secret.as_bytes())
}

fn open_secret(view: View<'_>, sealed: &Sealed) -> Result<TotpSecret, Error> {
    let plain = view.keys.sealing().open(view.record.id(), FIELD, sealed)?;
    TotpSecret::from_bytes(&plain).map_err(|_| Error::new(ErrorCode::InvalidRecord, FIELD, "the record holds something else than a secret"))
}
