//! The npm shell: JSON text and numbers in, plain objects out. It translates and decides nothing.
//!
//! Documents come in as JSON text, because serde-wasm-bindgen does not refuse unknown keys and a
//! misspelt key would silently weaken a policy. Freed memory is wiped by the allocator; the
//! JavaScript layer wipes the stack after each call.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use crate::hashed_codes::{BackupSet, HashCost};

use crate::client_ip::ClientIp;
use crate::effect::Effect;
use crate::encoding::to_base64url;
use crate::engine::{self, Command, Env, Pending, step};
use crate::entropy::Entropy;
use crate::error::{Error, ErrorCode};
use crate::ids::{SessionId, UserId};
use crate::json::from_json;
use crate::keys::KeyRing;
use crate::otpauth::OtpAuth;
use crate::policy::{Channel, Enrollment, Facts, Method, People, Policy, explain, review};
use crate::print::Sheet;
use crate::qr::qr_svg;
use crate::record::Record;
use crate::time::UnixSeconds;
use crate::token::{Pass, Ticket, TokenError, amr};
use crate::totp::{TotpAlgorithm, TotpParameters, TotpSecret};
use crate::typed_code::Digits;

#[global_allocator]
static WIPING: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

/// tsify cannot say that a struct holds a union at its own level.
#[wasm_bindgen(typescript_custom_section)]
const EVENT: &str = r#"
/**
 * One line of the audit trail: when, whose, and what happened. It holds no secret.
 */
export type Event = {
    /** Whose second factor it is about. */
    user: UserId;
    /** When, in unix seconds. */
    at: UnixSeconds;
    /** The client's address, canonical, if known. */
    ip?: string;
} & EventKind;
"#;

fn to_js(value: &impl Serialize) -> Result<JsValue, JsValue> {
    value
        .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
        .map_err(|_| JsValue::from_str("a reply could not be handed to JavaScript"))
}

fn thrown(error: Error) -> JsValue {
    to_js(&error).unwrap_or_else(|text| text)
}

fn time(seconds: f64) -> Result<UnixSeconds, JsValue> {
    let whole = (0.0..=253_402_300_799.0).contains(&seconds);
    #[expect(clippy::as_conversions, reason = "the range is checked; there is no TryFrom<f64>")]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
    let time = whole.then(|| UnixSeconds::new(seconds as u64)).flatten();
    time.ok_or_else(|| thrown(Error::new(ErrorCode::InvalidInput, "clock", "a time must be unix seconds from 0 to the year 9999")))
}

fn entropy(bytes: &[u8]) -> Result<Entropy, JsValue> {
    let seed = <[u8; 32]>::try_from(bytes);
    seed.map(Entropy::new).map_err(|_| thrown(Error::new(ErrorCode::InvalidInput, "entropy", "must be 32 random bytes")))
}

fn argument<T: DeserializeOwned>(json: &str) -> Result<T, JsValue> {
    from_json(json, ErrorCode::InvalidInput).map_err(thrown)
}

/// A policy and a key ring, parsed once.
#[wasm_bindgen]
pub struct Core {
    policy: Policy,
    keys: KeyRing,
}

#[derive(Serialize)]
#[serde(tag = "result", rename_all = "snake_case", rename_all_fields = "camelCase")]
enum TicketCheck {
    Valid { user: UserId },
    Refused { reason: TokenError },
}

/// What a pass says, once it is found good.
#[derive(Serialize, tsify::Tsify)]
#[serde(tag = "result", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum PassCheck {
    /// It is ours, in time, of this user and session, recent enough and by an accepted method.
    Valid {
        /// Whose second factor passed.
        user: UserId,
        /// By which method.
        method: Method,
        /// When, in unix seconds.
        auth_time: UnixSeconds,
        /// When the pass ends, in unix seconds.
        expires_at: UnixSeconds,
        /// Its strength.
        acr: String,
        /// RFC 8176 values.
        amr: Vec<String>,
    },
    /// It is not good here.
    Refused {
        /// Why.
        reason: TokenError,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PassQuestion {
    pass: String,
    user: UserId,
    session: SessionId,
    max_age: Option<u32>,
    methods: Option<Vec<Method>>,
}

#[derive(Serialize)]
struct Outcome {
    reply: engine::Reply,
    effects: Vec<Effect>,
}

#[wasm_bindgen]
impl Core {
    /// Parses both documents.
    #[wasm_bindgen(constructor)]
    pub fn new(policy: &str, keys: &str) -> Result<Core, JsValue> {
        let keys = KeyRing::parse(keys).map_err(thrown)?;
        if !keys.signing().can_sign() {
            return Err(thrown(Error::new(
                ErrorCode::InvalidKeys,
                "signing[0]",
                "the first signing key must have its secret, to sign passes",
            )));
        }
        Ok(Self { policy: Policy::parse(policy).map_err(thrown)?, keys })
    }

    /// One step; see [`engine::step`].
    pub fn step(
        &self,
        user: &str,
        record: Option<String>,
        command: &str,
        now: f64,
        ip: Option<String>,
        seed: &[u8],
    ) -> Result<PendingStep, JsValue> {
        let user = UserId::new(user).map_err(thrown)?;
        let record = match record {
            Some(text) => Record::parse(&user, &text).map_err(thrown)?,
            None => Record::new(user),
        };
        let command = Command::parse(command).map_err(thrown)?;
        let env = Env { now: time(now)?, client: client(ip.as_deref()), entropy: entropy(seed)? };
        step(&self.policy, &self.keys, record, command, env).map(PendingStep).map_err(thrown)
    }

    /// Whose ticket this is.
    pub fn ticket_user(&self, ticket: &str, session: &str, now: f64) -> Result<JsValue, JsValue> {
        let session = SessionId::new(session).map_err(thrown)?;
        to_js(&match Ticket::open(&self.policy, self.keys.sealing(), ticket, &session, time(now)?) {
            Ok(ticket) => TicketCheck::Valid { user: ticket.user().clone() },
            Err(reason) => TicketCheck::Refused { reason },
        })
    }

    /// Whether a pass is good for this user and session.
    pub fn check_pass(&self, question: &str, now: f64) -> Result<JsValue, JsValue> {
        let question: PassQuestion = argument(question)?;
        let now = time(now)?;
        let checked = Pass::open(&self.policy, self.keys.signing(), &question.pass, now)
            .and_then(|pass| pass.of(&question.user, &question.session))
            .and_then(|pass| match question.max_age {
                Some(age) if now.since(pass.auth_time()) > u64::from(age) => Err(TokenError::TooOld),
                Some(_) | None => Ok(pass),
            })
            .and_then(|pass| match &question.methods {
                Some(methods) if !methods.contains(&pass.method()) => Err(TokenError::MethodNotAccepted),
                Some(_) | None => Ok(pass),
            });
        to_js(&match checked {
            Ok(pass) => PassCheck::Valid {
                user: pass.user().clone(),
                method: pass.method(),
                auth_time: pass.auth_time(),
                expires_at: pass.expires_at(),
                acr: pass.acr().to_owned(),
                amr: amr(pass.method()).iter().map(|&value| value.to_owned()).collect(),
            },
            Err(reason) => PassCheck::Refused { reason },
        })
    }

    /// A user's second factor at a glance.
    pub fn status(&self, user: &str, record: Option<String>, now: f64) -> Result<JsValue, JsValue> {
        let user = UserId::new(user).map_err(thrown)?;
        let record = match record {
            Some(text) => Record::parse(&user, &text).map_err(thrown)?,
            None => Record::new(user),
        };
        to_js(&engine::status(&self.policy, &self.keys, &record, time(now)?).map_err(thrown)?)
    }

    /// A user's enrollment under another policy.
    pub fn enrollment(&self, policy: &str, user: &str, record: Option<String>, now: f64) -> Result<JsValue, JsValue> {
        let policy = Policy::parse(policy).map_err(thrown)?;
        let user = UserId::new(user).map_err(thrown)?;
        let record = match record {
            Some(text) => Record::parse(&user, &text).map_err(thrown)?,
            None => Record::new(user),
        };
        to_js(&engine::enrollment(&policy, &self.keys, &record, time(now)?).map_err(thrown)?)
    }

    /// Whether the policy offers SMS.
    pub fn offers_sms(&self) -> bool {
        self.policy.offers(Method::Sms)
    }

    /// The public keys of passes.
    pub fn jwks(&self) -> Result<JsValue, JsValue> {
        to_js(&self.keys.signing().jwks())
    }
}

/// An outcome that has not happened yet.
#[wasm_bindgen]
pub struct PendingStep(Pending);

#[wasm_bindgen]
impl PendingStep {
    /// The record to store, if the step changed it.
    pub fn to_store(&self) -> Option<String> {
        self.0.to_store().map(Record::to_text)
    }

    /// Reply and effects, once the record landed.
    pub fn stored(self) -> Result<JsValue, JsValue> {
        let (reply, effects) = self.0.stored();
        to_js(&Outcome { reply, effects })
    }
}

fn client(ip: Option<&str>) -> ClientIp {
    ip.map_or(ClientIp::Unknown, ClientIp::parse)
}

/// Checks a policy document.
#[wasm_bindgen]
pub fn policy_check(policy: &str) -> Result<(), JsValue> {
    Policy::parse(policy).map(|_| ()).map_err(thrown)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FactsDocument {
    ip: Option<String>,
    channel: Channel,
    enrollment: Enrollment,
    recovery_code: bool,
}

/// Decides a login and names the rules met.
#[wasm_bindgen]
pub fn policy_decide(policy: &str, facts: &str) -> Result<JsValue, JsValue> {
    let policy = Policy::parse(policy).map_err(thrown)?;
    let FactsDocument { ip, channel, enrollment, recovery_code } = argument(facts)?;
    to_js(&explain(&policy, &Facts { client: client(ip.as_deref()), channel, enrollment, recovery_code }))
}

/// Whom a policy would lock out.
#[wasm_bindgen]
pub fn policy_review(policy: &str, people: &str) -> Result<JsValue, JsValue> {
    let policy = Policy::parse(policy).map_err(thrown)?;
    let people: People = argument(people)?;
    to_js(&review(&policy, &people))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TotpQuestion {
    secret: String,
    algorithm: Option<TotpAlgorithm>,
    digits: Option<u8>,
    period_seconds: Option<u32>,
    code: Option<String>,
    window: Option<u8>,
    after: Option<u64>,
}

impl TotpQuestion {
    fn parse(json: &str) -> Result<(Self, TotpSecret, TotpParameters), JsValue> {
        let question: Self = argument(json)?;
        let parameters = TotpParameters::new(
            question.algorithm.unwrap_or(TotpAlgorithm::SHA1),
            question.digits.unwrap_or(6),
            question.period_seconds.unwrap_or(30),
        );
        let secret = TotpSecret::from_base32(&question.secret).map_err(thrown)?;
        Ok((question, secret, parameters.map_err(thrown)?))
    }
}

/// The code of a moment.
#[wasm_bindgen]
pub fn totp_generate(question: &str, now: f64) -> Result<String, JsValue> {
    let (_, secret, parameters) = TotpQuestion::parse(question)?;
    Ok(secret.code_at(parameters, parameters.step_at(time(now)?)).as_str().to_owned())
}

/// The step that a code belongs to, or nothing.
#[wasm_bindgen]
pub fn totp_verify(question: &str, now: f64) -> Result<Option<f64>, JsValue> {
    let (question, secret, parameters) = TotpQuestion::parse(question)?;
    let window = question.window.unwrap_or(1);
    if window > 10 {
        return Err(thrown(Error::new(ErrorCode::InvalidInput, "window", "must be 0 to 10")));
    }
    let typed = Digits::parse(question.code.as_ref().map_or("", String::as_str), parameters.digits());
    let step = typed.and_then(|typed| time(now).ok().and_then(|now| secret.verify(parameters, &typed, now, window, question.after)));
    #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "a step is below 2^53: the time it comes from is")]
    Ok(step.map(|step| step as f64))
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OtpAuthDocument {
    issuer: String,
    label: String,
    secret: String,
    #[serde(default = "sha1")]
    algorithm: TotpAlgorithm,
    #[serde(default = "six")]
    digits: u8,
    #[serde(default = "thirty")]
    period_seconds: u32,
}

const fn sha1() -> TotpAlgorithm {
    TotpAlgorithm::SHA1
}

const fn six() -> u8 {
    6
}

const fn thirty() -> u32 {
    30
}

/// Writes an `otpauth://` URI.
#[wasm_bindgen]
pub fn otpauth_format(document: &str) -> Result<String, JsValue> {
    let OtpAuthDocument { issuer, label, secret, algorithm, digits, period_seconds } = argument(document)?;
    let parameters = TotpParameters::new(algorithm, digits, period_seconds).map_err(thrown)?;
    let secret = TotpSecret::from_base32(&secret).map_err(thrown)?;
    OtpAuth::new(&issuer, &label, secret, parameters).map(|otpauth| otpauth.to_uri()).map_err(thrown)
}

/// Reads an `otpauth://` URI.
#[wasm_bindgen]
pub fn otpauth_parse(uri: &str) -> Result<JsValue, JsValue> {
    let OtpAuth { issuer, label, secret, parameters } = OtpAuth::parse(uri).map_err(thrown)?;
    to_js(&OtpAuthDocument {
        issuer,
        label,
        secret: secret.to_base32(),
        algorithm: parameters.algorithm(),
        digits: parameters.digits(),
        period_seconds: parameters.period_seconds(),
    })
}

/// A QR code as SVG.
#[wasm_bindgen]
pub fn qr(text: &str) -> Result<String, JsValue> {
    qr_svg(text).map_err(thrown)
}

/// A new random TOTP secret in base32.
#[wasm_bindgen]
pub fn totp_secret(seed: &[u8]) -> Result<String, JsValue> {
    Ok(TotpSecret::mint(&mut entropy(seed)?).to_base32())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SheetDocument {
    name: String,
    user: String,
    codes: Vec<String>,
}

/// Backup codes as plain text.
#[wasm_bindgen]
pub fn backup_text(sheet: &str) -> Result<String, JsValue> {
    let SheetDocument { name, user, codes } = argument(sheet)?;
    Ok(Sheet { name: &name, user: &user, codes: &codes }.to_text())
}

/// Backup codes as a page to print.
#[wasm_bindgen]
pub fn backup_html(sheet: &str) -> Result<String, JsValue> {
    let SheetDocument { name, user, codes } = argument(sheet)?;
    Ok(Sheet { name: &name, user: &user, codes: &codes }.to_html())
}

#[derive(Serialize)]
struct MintedCodes {
    codes: Vec<String>,
    stored: String,
}

/// Backup codes on their own: `codes` to show once, `stored` to keep.
#[wasm_bindgen]
pub fn backup_mint(keys: &str, user: &str, count: u8, seed: &[u8]) -> Result<JsValue, JsValue> {
    let keys = KeyRing::parse(keys).map_err(thrown)?;
    let user = UserId::new(user).map_err(thrown)?;
    if !(1..=20).contains(&count) {
        return Err(thrown(Error::new(ErrorCode::InvalidInput, "count", "must be 1 to 20")));
    }
    let (set, codes) = BackupSet::mint(keys.sealing(), &mut entropy(seed)?, user.as_str(), HashCost::DEFAULT, count);
    to_js(&MintedCodes { codes, stored: set.to_text() })
}

/// What to keep instead of `stored` when the code was right; nothing when it was not.
#[wasm_bindgen]
pub fn backup_use(keys: &str, user: &str, stored: &str, code: &str, now: f64) -> Result<Option<String>, JsValue> {
    let keys = KeyRing::parse(keys).map_err(thrown)?;
    let user = UserId::new(user).map_err(thrown)?;
    let set = BackupSet::parse(stored).map_err(thrown)?;
    let used = set.spend(keys.sealing(), user.as_str(), code, time(now)?).map_err(thrown)?;
    Ok(used.map(|set| set.to_text()))
}

#[derive(Serialize)]
struct FreshKeys {
    v: u32,
    sealing: [FreshKey; 1],
    signing: [FreshSigningKey; 1],
}

#[derive(Serialize)]
struct FreshKey {
    kid: String,
    secret: String,
}

#[derive(Serialize)]
struct FreshSigningKey {
    kid: String,
    alg: &'static str,
    secret: String,
}

/// A new key ring.
#[wasm_bindgen]
pub fn generate_keys(seed: &[u8]) -> Result<JsValue, JsValue> {
    let mut entropy = entropy(seed)?;
    let mut name = |prefix: &str| format!("{prefix}-{}", entropy.below(u32::MAX));
    let kids = (name("seal"), name("pass"));
    to_js(&FreshKeys {
        v: 1,
        sealing: [FreshKey { kid: kids.0, secret: to_base64url(&entropy.bytes::<32>()) }],
        signing: [FreshSigningKey { kid: kids.1, alg: "EdDSA", secret: to_base64url(&entropy.bytes::<32>()) }],
    })
}
