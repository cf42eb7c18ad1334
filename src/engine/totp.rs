//! The authenticator app as a factor: its set-up, its confirmation, and the second step by it.
//!
//! The secret is made here, never supplied by a client. A code counts once: the step that matched
//! is kept, and it and all before it are refused from then on, the confirming code included
//! (RFC 6238 §5.2). A refused code of these steps is told from a wrong one and costs no attempt.
//!
//! A user has up to five apps. A code that names none is compared with each app whose codes have as many digits, and a
//! wrong one costs as much as one try at each of them.

use core::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorCode};
use crate::event::{Action, EventKind};
use crate::factor::{FactorName, NamedFactor};
use crate::ids::RecordId;
use crate::keys::KeyRing;
use crate::keys::sealing::{Sealed, openable};
use crate::mac::is_same;
use crate::otpauth::{OtpAuth, fitting};
use crate::policy::{Method, Reason};
use crate::qr::qr_svg;
use crate::record::App;
use crate::secret_text::SecretText;
use crate::time::{Lifetime, UnixSeconds};
use crate::token::{LONGEST_SETUP, Ticket};
use crate::totp::{TotpMatch, TotpParameters, TotpSecret};
use crate::typed_code::Digits;

use super::attempt::{Comparison, OrReply, Typed, Used};
use super::command::{Confirm, EnrollTotp, ShowTotpSetup};
use super::context::{Context, View};
use super::enroll::{self, Confirmation, Start};
use super::reply::{CodeKind, Reply, UsableFactor, UsableMethod};

/// Name of the sealed field, part of its associated data.
const FIELD: &str = "totp.secret";

/// The content of a set-up.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AppSetup {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<FactorName>,
    /// The label that the app shows.
    label: String,
    /// In base32.
    secret: String,
    parameters: TotpParameters,
}

/// Begins a set-up: makes a secret and shows it.
pub(super) fn start(context: &mut Context<'_>, command: &EnrollTotp) -> Result<Reply, Error> {
    let EnrollTotp { session, pass, ticket, label, name, replaces, plan } = command;
    let (pass, ticket, plan) = (pass.as_deref(), ticket.as_deref(), plan.as_deref());
    let start = Start { action: Action::EnrollTotp, method: Method::Totp, session, pass, ticket, plan, replaces: replaces.as_ref() };
    let proof = match enroll::admit(context, &start) {
        Ok(proof) => proof,
        Err(reply) => return Ok(reply),
    };
    let parameters = context.policy.totp();
    let secret = TotpSecret::mint(&mut context.entropy);
    let content = AppSetup { name: name.clone(), label: shown_label(context, label), secret: secret.to_base32(), parameters };
    let lifetime = Lifetime::starting(context.now, LONGEST_SETUP);
    let shown = shown(context, &content, lifetime)?;
    let setup = enroll::begin(context, &start, proof, lifetime, content)?;
    Ok(shown.with(setup))
}

/// Shows a pending set-up again to the session that began it: the page was loaded anew. The set-up goes on as it was.
pub(super) fn show(context: &mut Context<'_>, command: &ShowTotpSetup) -> Result<Reply, Error> {
    let ShowTotpSetup { session, setup: token } = command;
    if !context.policy.offers(Method::Totp) {
        return Ok(context.denied(Action::EnrollTotp, Reason::MethodNotOffered));
    }
    let pending = enroll::open::<AppSetup>(context, Method::Totp, session, token).filter(|setup| setup.epoch == context.record.epoch);
    let Some(setup) = pending else { return Ok(Reply::Expired {}) };
    if enroll::needs_pass(context, setup.proof) {
        return Ok(context.denied(Action::EnrollTotp, Reason::FreshFactorRequired));
    }
    Ok(shown(context, &setup.content, setup.lifetime)?.with(SecretText(token.clone())))
}

/// Turns the app on when a code from it is right. A wrong code is not counted, and no lock stops this: the
/// session has seen the secret, so there is nothing to guess.
pub(super) fn confirm(context: &mut Context<'_>, command: &Confirm) -> Result<Reply, Error> {
    enroll::check_new_session(command)?;
    if !context.policy.offers(Method::Totp) {
        return Ok(context.denied(Action::EnrollTotp, Reason::MethodNotOffered));
    }
    let Some(setup) = enroll::open::<AppSetup>(context, Method::Totp, &command.session, &command.setup) else {
        return Ok(Reply::Expired {});
    };
    let AppSetup { name, secret, parameters, .. } = &setup.content;
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
    let last_step = match secret.compare(parameters, &typed, context.now, context.policy.window(), None) {
        TotpMatch::Unused(step) => step,
        TotpMatch::Slow { by_seconds, .. } => return Ok(set_up_refused(context, Some(by_seconds))),
        TotpMatch::Used | TotpMatch::Wrong => return Ok(set_up_refused(context, None)),
    };
    let confirmation = Confirmation::of(context, Method::Totp, &setup, name.as_ref());
    let secret = seal(context, &secret)?;
    let NamedFactor { id, name } = confirmation.factor.clone();
    context.record.apps.push(App { id, name, secret, parameters, last_step, added_at: context.now, last_used_at: None, is_untold: false });
    enroll::confirmed(context, command, confirmation)
}

fn set_up_refused(context: &mut Context<'_>, slow_by_seconds: Option<u64>) -> Reply {
    context.log(EventKind::SetupCodeRefused { method: Method::Totp });
    Reply::Wrong { attempts_left: None, retry_at: None, slow_by_seconds }
}

/// The second step by a code from an app: the one that is named, or any.
pub(super) fn verify(context: &mut Context<'_>, _: &Ticket, step: &Typed<'_>) -> Result<OrReply<Used>, Error> {
    let apps: Vec<App> = context.record.apps.iter().filter(|app| step.is_from(&app.id)).cloned().collect();
    if apps.is_empty() {
        return Ok(Err(context.denied(Action::Verify, Reason::NotEnrolled)));
    }
    let shown = apps.iter().filter_map(|app| Some((app, Digits::parse(step.code, app.parameters.digits())?)));
    let view = context.view();
    let candidates = openable(shown.map(|(app, typed)| Ok(Candidate { secret: open_secret(view, &app.secret)?, app, typed })))?;
    if candidates.is_empty() {
        return Ok(Err(digits_of(&apps).map_or_else(Reply::malformed_app_code, Reply::malformed_digits)));
    }
    let matched = context.attempt_known(Method::Totp, candidates.len(), |context| Ok(compare(context, &candidates)))?;
    let (candidate, last_step) = match matched {
        Ok(matched) => matched,
        Err(reply) => return Ok(Err(reply)),
    };
    // Sealed anew under the newest key: after a rotation, records move over as their users log in.
    let secret = seal(context, &candidate.secret)?;
    let App { id, name, .. } = candidate.app;
    let now = context.now;
    if let Some(app) = context.record.apps.iter_mut().find(|app| app.id == *id) {
        *app = App { secret, last_step, last_used_at: Some(now), ..app.clone() };
    }
    Ok(Ok(Used::now(Some(NamedFactor { id: id.clone(), name: name.clone() }), now)))
}

/// The method in a challenge, where the policy still offers it.
pub(super) fn usable(view: View<'_>) -> Result<Option<UsableMethod>, Error> {
    let mut apps: Vec<&App> = view.record.apps.iter().collect();
    if apps.is_empty() || !view.policy.offers(Method::Totp) {
        return Ok(None);
    }
    apps.sort_by_key(|app| Reverse(app.last_used_at));
    Ok(Some(UsableMethod {
        method: Method::Totp,
        kind: CodeKind::Digits,
        digits: digits_of(&view.record.apps),
        hint: None,
        factors: apps
            .into_iter()
            .map(|App { id, name, parameters, .. }| UsableFactor {
                id: id.clone(),
                name: name.clone(),
                digits: parameters.digits(),
                hint: None,
            })
            .collect(),
        confirmed: None,
    }))
}

/// The length of the codes, where all apps have the same.
fn digits_of(apps: &[App]) -> Option<u8> {
    let (first, others) = apps.split_first()?;
    let digits = first.parameters.digits();
    others.iter().all(|app| app.parameters.digits() == digits).then_some(digits)
}

/// A set-up as the page shows it.
struct Shown {
    uri: SecretText,
    secret: SecretText,
    qr_svg: SecretText,
    digits: u8,
    expires_at: UnixSeconds,
}

impl Shown {
    fn with(self, setup: SecretText) -> Reply {
        let Self { uri, secret, qr_svg, digits, expires_at } = self;
        Reply::TotpStarted { setup, uri, secret, qr_svg, digits, expires_at }
    }
}

fn shown(context: &Context<'_>, content: &AppSetup, lifetime: Lifetime) -> Result<Shown, Error> {
    let AppSetup { label, secret, parameters, .. } = content;
    let secret = TotpSecret::from_base32(secret)?;
    let grouped = SecretText(secret.grouped());
    let uri = OtpAuth::new(context.policy.name(), label, secret, *parameters)?.to_uri();
    let qr_svg = SecretText(qr_svg(&uri)?);
    Ok(Shown { uri: SecretText(uri), secret: grouped, qr_svg, digits: parameters.digits(), expires_at: lifetime.ends_at() })
}

/// The label as the app shows it; the user id where nothing of the label fits, and then the service's name.
fn shown_label(context: &Context<'_>, label: &str) -> String {
    let texts = [label, context.record.user().as_str(), context.policy.name()];
    texts.into_iter().map(fitting).find(|text| !text.is_empty()).unwrap_or_default()
}

/// An app, and the code as one of its codes.
struct Candidate<'a> {
    app: &'a App,
    secret: TotpSecret,
    typed: Digits,
}

/// Compares the code with those of each app. After a used one, the next code that counts is that of the next step, or of the
/// step after the last one used, where an app runs ahead. Of several slow clocks the least slow one is told.
fn compare<'a, 'b>(context: &mut Context<'_>, candidates: &'b [Candidate<'a>]) -> Comparison<(&'b Candidate<'a>, u64)> {
    let (now, window) = (context.now, context.policy.window());
    let compared =
        |Candidate { app, secret, typed }: &Candidate<'_>| secret.compare(app.parameters, typed, now, window, Some(app.last_step));
    // All apps before any match is looked at: the time tells nothing of which app it was.
    let matches: Vec<_> = candidates.iter().map(|candidate| (candidate, compared(candidate))).collect();
    let mut used = None;
    for (candidate, matched) in &matches {
        let App { parameters, last_step, .. } = *candidate.app;
        match *matched {
            TotpMatch::Unused(step) => return Comparison::Right((candidate, step)),
            TotpMatch::Used => used = Some(parameters.start_of(parameters.step_at(now).max(last_step).saturating_add(1))),
            TotpMatch::Slow { .. } | TotpMatch::Wrong => {}
        }
    }
    if used.is_some() {
        return Comparison::Used { retry_at: used };
    }
    let mut slow_by_seconds = None;
    for (candidate, matched) in matches {
        let TotpMatch::Slow { step, by_seconds } = matched else { continue };
        slow_by_seconds = Some(slow_by_seconds.map_or(by_seconds, |least: u64| least.min(by_seconds)));
        // An old code that is told is used up: this clock may be ahead, and the code would count once it is right.
        if let Some(app) = context.record.apps.iter_mut().find(|app| app.id == candidate.app.id) {
            app.last_step = app.last_step.max(step);
        }
    }
    Comparison::Wrong { slow_by_seconds }
}

/// Whether the record holds this very app.
fn holds(view: View<'_>, secret: &TotpSecret) -> Result<bool, Error> {
    Ok(!apps_of(view, secret)?.is_empty())
}

/// The apps of the record with this secret. An error: none of them opens.
pub(super) fn apps_of<'a>(view: View<'a>, secret: &TotpSecret) -> Result<Vec<&'a App>, Error> {
    let opened = openable(view.record.apps.iter().map(|app| Ok((app, open_secret(view, &app.secret)?))))?;
    let same = opened.into_iter().filter(|(_, known)| is_same(&known.to_base32(), &secret.to_base32()));
    Ok(same.map(|(app, _)| app).collect())
}

pub(super) fn seal(context: &mut Context<'_>, secret: &TotpSecret) -> Result<Sealed, Error> {
    let id = context.id();
    context.keys.sealing().seal(&mut context.entropy, &id, FIELD, secret.as_bytes())
}

pub(super) fn open_secret(view: View<'_>, sealed: &Sealed) -> Result<TotpSecret, Error> {
    open_secret_of(view.record.id(), view.keys, sealed)
}

pub(super) fn open_secret_of(id: &RecordId, keys: &KeyRing, sealed: &Sealed) -> Result<TotpSecret, Error> {
    let plain = keys.sealing().open(id, FIELD, sealed)?;
    TotpSecret::from_bytes(&plain).map_err(|_| Error::new(ErrorCode::InvalidRecord, FIELD, "the record holds something else than a secret"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::client_ip::ClientIp;
    use crate::engine::{Command, Env, step};
    use crate::entropy::Entropy;
    use crate::factor::FactorId;
    use crate::hashed_codes::make_hashes_cheap;
    use crate::ids::UserId;
    use crate::policy::{Policy, Roles};
    use crate::record::Record;
    use crate::totp::COMPUTED;

    const START: u64 = 1_800_000_000;
    const APPS: u8 = 5;

    /// Ann, with apps that have not logged in yet.
    struct Ann {
        policy: Policy,
        keys: KeyRing,
        record: Record,
        secrets: Vec<TotpSecret>,
        now: u64,
    }

    impl Ann {
        fn with_five_apps() -> Self {
            Self::with_apps((1..=APPS).map(|byte| TotpSecret::from_bytes(&[byte; 20]).unwrap()).collect())
        }

        fn with_apps(secrets: Vec<TotpSecret>) -> Self {
            make_hashes_cheap();
            let id = RecordId::from(UserId::new("ann").unwrap());
            let policy = json!({"v": 1, "name": "Acme", "origin": "https://acme.example"});
            let mut ann = Self {
                policy: Policy::parse(&policy.to_string()).unwrap(),
                keys: KeyRing::parse(include_str!("../../tests/vectors/keys.json")).unwrap(),
                record: Record::new(id.clone()),
                secrets,
                now: START,
            };
            for (secret, number) in ann.secrets.iter().zip(1..) {
                let sealed = ann.keys.sealing().seal(&mut Entropy::new([1; 32]), &id, FIELD, secret.as_bytes()).unwrap();
                let name = FactorName::parse("App").unwrap();
                let app = App {
                    id: FactorId::mint(&mut Entropy::new([number; 32])),
                    name,
                    secret: sealed,
                    parameters: TotpParameters::DEFAULT,
                    last_step: 0,
                    added_at: UnixSeconds::new(START).unwrap(),
                    last_used_at: None,
                    is_untold: false,
                };
                ann.record.apps.push(app);
            }
            ann
        }

        fn code(&self, app: usize, steps: i64) -> String {
            let step = TotpParameters::DEFAULT.step_at(UnixSeconds::new(self.now).unwrap()).saturating_add_signed(steps);
            self.secrets[app].code_at(TotpParameters::DEFAULT, step).as_str().to_owned()
        }

        fn reply(&mut self, command: &Value) -> Value {
            let now = UnixSeconds::new(self.now).unwrap();
            let env = Env { now, client: ClientIp::Unknown, roles: Roles::Unknown, entropy: Entropy::new([9; 32]) };
            let pending = step(&self.policy, &self.keys, self.record.clone(), Command::parse(&command.to_string()).unwrap(), env).unwrap();
            self.record = pending.to_store().unwrap_or(&self.record).clone();
            serde_json::to_value(pending.stored().0).unwrap()
        }

        /// Tries a code; gives the result, and how many codes were computed.
        fn try_code(&mut self, code: &str) -> (Value, u32) {
            let ticket = self.reply(&json!({"begin": {"session": "s"}}))["ticket"].clone();
            let verify = json!({"verify": {"ticket": ticket, "session": "s", "method": "totp", "code": code}});
            COMPUTED.set(0);
            let reply = self.reply(&verify);
            (reply, COMPUTED.get())
        }
    }

    #[test]
    fn t31_a_code_is_compared_with_all_steps_of_all_apps_whichever_matches() {
        // The step of now, one to each side, and those of ten minutes.
        let all = u32::from(APPS) * 22;
        for app in 0..usize::from(APPS) {
            for steps in -25..=5 {
                let mut ann = Ann::with_five_apps();
                let code = ann.code(app, steps);
                let is_right = (-1..=1).contains(&steps);
                for expected in if is_right { ["verified", "already_used"] } else { ["wrong", "wrong"] } {
                    let (reply, computed) = ann.try_code(&code);
                    assert_eq!((&reply["result"], computed), (&json!(expected), all), "app {app}, {steps} steps");
                }
            }
        }
    }

    #[test]
    fn t31_nothing_is_compared_while_the_user_waits() {
        let mut ann = Ann::with_five_apps();
        for _ in 0..5 {
            let code = ann.code(0, 900);
            assert_eq!(ann.try_code(&code).0["result"], "wrong");
        }
        let code = ann.code(0, -4);
        let (reply, computed) = ann.try_code(&code);
        assert_eq!((&reply["result"], computed), (&json!("locked"), 0));
    }

    #[test]
    fn of_several_slow_clocks_the_least_slow_one_is_told_and_the_code_is_used_up() {
        let first = TotpSecret::from_bytes(&[1; 20]).unwrap();
        let now = TotpParameters::DEFAULT.step_at(UnixSeconds::new(START).unwrap());
        let of_first: Vec<_> = (6..=20).map(|back| first.code_at(TotpParameters::DEFAULT, now - back)).collect();
        // One secret in 70,000 has one of these codes at a later step.
        let mut secrets = (0..u64::MAX).map(|number| TotpSecret::from_bytes(&[number.to_be_bytes(); 2].concat()).unwrap());
        let second = secrets.find(|secret| of_first.contains(&secret.code_at(TotpParameters::DEFAULT, now - 5))).unwrap();
        let code = second.code_at(TotpParameters::DEFAULT, now - 5);
        for secrets in [[first.clone(), second.clone()], [second.clone(), first]] {
            let mut ann = Ann::with_apps(secrets.to_vec());
            assert_eq!(ann.try_code(code.as_str()).0["slowBySeconds"], 150);
            for (app, secret) in ann.record.apps.iter().zip(&secrets) {
                assert_eq!(secret.code_at(TotpParameters::DEFAULT, app.last_step).as_str(), code.as_str());
            }
        }
    }
}
