//! A policy that is known to be right. [`Policy::parse`] is strict: a misspelt key would silently
//! weaken a policy, so that it is an error with its path.
//!
//! A policy that could never work is refused as well, and the error says what to change: one that
//! nobody could log in under, and one that forces a factor which nobody could set up.

use crate::error::{Error, ErrorCode};
use crate::hashed_codes::HashCost;
use crate::invisible::{is_bidi_control, is_invisible};
use crate::origin::origin_host;
use crate::otpauth::MAX_NAME;
use crate::phone::is_prefix_of_numbers;
use crate::sms_text::{MAX_SEGMENT, is_decomposed, is_gsm7, sms_text};
use crate::totp::TotpParameters;

use super::document::{BackupCodesPolicy, FirstFactor, PolicyDocument, SmsPolicy};
use super::rules::Rules;
use super::terms::Method;

/// Greatest memory of a hash in KiB: 64 MiB.
const MAX_MEMORY_KIB: u32 = 65_536;
/// Greatest work of a set of codes, memory × passes × count: four times that of the default.
const MAX_WORK: u32 = 4 * 19_456 * 2 * 10;

/// A policy that is known to be right. Only [`Policy::parse`] and [`Policy::of_all`] make one.
#[derive(Debug, Clone)]
pub struct Policy {
    pub(super) document: PolicyDocument,
    host: String,
    /// The rules of each account: one, but for a policy of several.
    pub(super) accounts: Vec<Rules>,
    /// Whether it stands for all accounts of a user.
    pub(super) is_of_all: bool,
    totp: TotpParameters,
    cost: HashCost,
}

impl Policy {
    /// Parses the JSON text of a policy, strictly: a misspelt key would silently weaken it.
    ///
    /// ```
    /// use countersign::policy::{Method, Policy};
    ///
    /// let policy = Policy::parse(r#"{"v": 1, "name": "Acme", "origin": "https://acme.example", "methods": ["totp"]}"#)?;
    /// assert!(policy.offers(Method::Totp) && !policy.offers(Method::Sms));
    ///
    /// let misspelt = r#"{"v": 1, "name": "Acme", "origin": "https://acme.example", "network": {"denied": []}}"#;
    /// assert_eq!(Policy::parse(misspelt).unwrap_err().path, "network.denied");
    /// # Ok::<(), countersign::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorCode::InvalidPolicy`] with the path of the field.
    pub fn parse(json: &str) -> Result<Self, Error> {
        Self::from_document(PolicyDocument::parse(json)?)
    }

    /// Checks a document.
    pub(crate) fn from_document(document: PolicyDocument) -> Result<Self, Error> {
        check_names(&document)?;
        check_methods(&document)?;
        check_sms(&document.sms)?;
        check_lifetimes(&document)?;
        let rules = Rules::check(&document.network, &document.require)?;
        check_a_way_in(&document, &rules)?;
        Self::compile(document, vec![rules])
    }

    /// Makes a policy of a document whose rules are checked.
    pub(super) fn compile(document: PolicyDocument, accounts: Vec<Rules>) -> Result<Self, Error> {
        let policy = |error: Error| Error { code: ErrorCode::InvalidPolicy, ..error };
        let host = origin_host(&document.origin).ok_or_else(|| {
            Error::new(
                ErrorCode::InvalidPolicy,
                "origin",
                "must be https://host[:port] in lower case without a path; http is for localhost only",
            )
        })?;
        let totp = TotpParameters::new(document.totp.algorithm, document.totp.digits, document.totp.period_seconds)
            .map_err(|e| policy(e.within("totp")))?;
        let cost = check_cost(&document.backup_codes)?;
        let parsed = Self { document, host, accounts, is_of_all: false, totp, cost };
        if parsed.offers(Method::Sms) {
            let is_composed = !is_decomposed(&parsed.document.name);
            check(is_composed, "name", "has a letter and its accent as two characters: write it as one (Unicode NFC)")?;
            check(
                is_gsm7(&parsed.document.name),
                "name",
                "must be of the GSM 7-bit alphabet without [ ] { } \\ ^ ~ | so that an SMS is one segment",
            )?;
            let longest = parsed.sms_text(&"0".repeat(usize::from(parsed.document.sms.digits)));
            check(longest.chars().count() <= MAX_SEGMENT, "name", "name and host are too long together: an SMS must fit 160 characters")?;
        }
        Ok(parsed)
    }

    /// The service's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.document.name
    }

    /// Host of the origin, without the port.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The `iss` of passes.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.document.origin
    }

    /// The `aud` of passes.
    #[must_use]
    pub fn audience(&self) -> &str {
        self.document.audience.as_deref().unwrap_or(&self.document.origin)
    }

    /// Whether a method is offered.
    #[must_use]
    pub fn offers(&self, method: Method) -> bool {
        match method {
            Method::TrustedBrowser => self.document.trusted_browser.is_some(),
            Method::Totp | Method::Sms | Method::BackupCode | Method::RecoveryCode => self.document.methods.contains(&method),
        }
    }

    /// Whether any rule depends on the client's address.
    pub(crate) fn asks_for_address(&self) -> bool {
        self.accounts.iter().any(Rules::ask_for_address)
    }

    /// The rules of each account that this policy stands for.
    pub(super) fn accounts(&self) -> &[Rules] {
        &self.accounts
    }

    /// Whether owners issue recovery codes. They do not where one second factor belongs to several
    /// accounts: the owner of one would open the others.
    #[must_use]
    pub const fn owners_issue_recovery_codes(&self) -> bool {
        !self.is_of_all
    }

    /// The proof by which a user who never had a factor sets up the first one, where a second factor is forced.
    #[must_use]
    pub const fn first_factor(&self) -> FirstFactor {
        self.document.first_factor
    }

    /// Whether a plan may enroll a factor. `None` is "no plan known" and may enroll only where no
    /// plan is asked for.
    #[must_use]
    pub fn plan_may_enroll(&self, plan: Option<&str>) -> bool {
        match (&self.document.plans, plan) {
            (None, Some(_) | None) => true,
            (Some(plans), Some(plan)) => plans.iter().any(|p| p == plan),
            (Some(_), None) => false,
        }
    }

    /// Whether a user of this plan may set up a factor.
    pub(crate) fn may_enroll(&self, plan: Option<&str>) -> bool {
        self.plan_may_enroll(plan) && self.offers_own_factor()
    }

    /// Whether a factor of the user's own is offered: app or SMS.
    pub(super) fn offers_own_factor(&self) -> bool {
        Method::ALL.into_iter().any(|method| method.is_own_factor() && self.offers(method))
    }

    /// Whether a user of this plan who never had a factor sets up the first one by the password alone, where one is
    /// forced.
    pub(crate) fn sets_up_by_password(&self, plan: Option<&str>) -> bool {
        self.first_factor() == FirstFactor::Password && self.may_enroll(plan)
    }

    /// Whether a second factor is forced on anybody.
    pub(crate) fn forces_anybody(&self) -> bool {
        self.accounts.iter().any(Rules::force_anybody)
    }

    pub(crate) const fn totp(&self) -> TotpParameters {
        self.totp
    }

    pub(crate) const fn window(&self) -> u8 {
        self.document.totp.window
    }

    pub(crate) const fn sms(&self) -> &SmsPolicy {
        &self.document.sms
    }

    pub(crate) const fn backup_codes(&self) -> &BackupCodesPolicy {
        &self.document.backup_codes
    }

    pub(crate) const fn cost(&self) -> HashCost {
        self.cost
    }

    pub(crate) fn recovery_seconds(&self) -> u64 {
        u64::from(self.document.recovery_code.lifetime_seconds)
    }

    /// Life of the trust in a browser; `None`: no browser is trusted.
    pub(crate) fn trusted_browser_seconds(&self) -> Option<u64> {
        self.document.trusted_browser.map(|trusted| u64::from(trusted.days).saturating_mul(86_400))
    }

    pub(crate) fn ticket_seconds(&self) -> u64 {
        u64::from(self.document.ticket_seconds)
    }

    pub(crate) fn pass_seconds(&self) -> u64 {
        u64::from(self.document.pass_seconds)
    }

    pub(crate) fn fresh_seconds(&self) -> u64 {
        u64::from(self.document.fresh_seconds)
    }

    /// The text of an SMS with this code.
    pub(crate) fn sms_text(&self, code: &str) -> String {
        sms_text(self.name(), &self.host, self.document.sms.lifetime_seconds / 60, code)
    }
}

fn check_names(document: &PolicyDocument) -> Result<(), Error> {
    let PolicyDocument { v, name, audience, .. } = document;
    check(*v == 1, "v", "the version of the policy must be 1")?;
    check((1..=40).contains(&name.chars().count()), "name", "must be 1 to 40 characters")?;
    check(name.chars().any(|c| !c.is_whitespace() && !is_invisible(c)), "name", "must have a character that shows")?;
    let is_plain = |c: char| c != ':' && !c.is_control() && !is_bidi_control(c);
    check(name.chars().all(is_plain), "name", "must have no colon, no control character and no mark of direction")?;
    check(name.len() <= MAX_NAME, "name", "must be at most 128 bytes, or no app could be set up")?;
    let is_visible = |text: &String| (1..=256).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    check(audience.as_ref().is_none_or(is_visible), "audience", "must be 1 to 256 printable ASCII characters")
}

fn check_methods(document: &PolicyDocument) -> Result<(), Error> {
    let methods = &document.methods;
    for (index, method) in methods.iter().enumerate() {
        let twice = methods.iter().take(index).any(|other| other == method);
        check(!twice, &format!("methods[{index}]"), "is given twice")?;
        check(
            *method != Method::TrustedBrowser,
            &format!("methods[{index}]"),
            "trusted_browser is no method that is offered alone: set `trustedBrowser`, with its days",
        )?;
    }
    check(!is_sms_alone(methods), "methods", "sms is a restricted factor: offer totp or backup_code beside it")?;
    check(document.totp.window <= 2, "totp.window", "must be 0 to 2")
}

/// Whether SMS has no method beside it that could take its place.
pub(super) fn is_sms_alone(methods: &[Method]) -> bool {
    methods.contains(&Method::Sms) && !methods.iter().any(|method| matches!(method, Method::Totp | Method::BackupCode))
}

fn check_sms(sms: &SmsPolicy) -> Result<(), Error> {
    check(!sms.prefixes.is_empty(), "sms.prefixes", "name at least one prefix, like +614")?;
    let no_prefix = "must be + and the first digits of mobile numbers of some country, like +614";
    for (index, prefix) in sms.prefixes.iter().enumerate() {
        let path = format!("sms.prefixes[{index}]");
        check(is_prefix_of_numbers(prefix), &path, no_prefix)?;
        let is_excepted = sms.except.iter().any(|except| prefix.starts_with(except.as_str()));
        check(!is_excepted, &path, "`sms.except` leaves no number under it: take it out of one of the two")?;
    }
    for (index, prefix) in sms.except.iter().enumerate() {
        check(is_prefix_of_numbers(prefix), &format!("sms.except[{index}]"), no_prefix)?;
    }
    check((6..=8).contains(&sms.digits), "sms.digits", "must be 6, 7 or 8")?;
    check((60..=600).contains(&sms.lifetime_seconds), "sms.lifetimeSeconds", "must be 60 to 600")?;
    check((10..=600).contains(&sms.cooldown_seconds), "sms.cooldownSeconds", "must be 10 to 600")?;
    check((1..=10).contains(&sms.per_minute), "sms.perMinute", "must be 1 to 10")?;
    check((1..=50).contains(&sms.per_hour), "sms.perHour", "must be 1 to 50")?;
    check((1..=100).contains(&sms.per_day), "sms.perDay", "must be 1 to 100")
}

fn check_lifetimes(document: &PolicyDocument) -> Result<(), Error> {
    check((60..=3_600).contains(&document.recovery_code.lifetime_seconds), "recoveryCode.lifetimeSeconds", "must be 60 to 3600")?;
    let days_fit = document.trusted_browser.is_none_or(|trusted| (1..=90).contains(&trusted.days));
    check(days_fit, "trustedBrowser.days", "must be 1 to 90")?;
    check((60..=1_800).contains(&document.ticket_seconds), "ticketSeconds", "must be 60 to 1800")?;
    check((60..=2_592_000).contains(&document.pass_seconds), "passSeconds", "must be 60 to 2592000")?;
    check((30..=3_600).contains(&document.fresh_seconds), "freshSeconds", "must be 30 to 3600")
}

/// The cost of a hash. Anybody with a password can make the service hash, so it has an upper bound as well.
fn check_cost(backup: &BackupCodesPolicy) -> Result<HashCost, Error> {
    check((1..=20).contains(&backup.count), "backupCodes.count", "must be 1 to 20")?;
    check((7_168..=MAX_MEMORY_KIB).contains(&backup.memory_kib), "backupCodes.memoryKib", "must be 7168 to 65536")?;
    let cost = HashCost::new(backup.memory_kib, backup.passes, backup.lanes)
        .map_err(|error| Error { code: ErrorCode::InvalidPolicy, ..error.within("backupCodes") })?;
    let work = backup.memory_kib.saturating_mul(backup.passes).saturating_mul(u32::from(backup.count));
    check(
        work <= MAX_WORK,
        "backupCodes",
        "memoryKib × passes × count must be at most 1556480, four times the default; lower one of them",
    )?;
    Ok(cost)
}

/// Where a second factor is forced, it must be possible to set one up.
fn check_a_way_in(document: &PolicyDocument, rules: &Rules) -> Result<(), Error> {
    if !rules.force_anybody() {
        return Ok(());
    }
    let own_factor = document.methods.iter().any(|method| method.is_own_factor());
    check(
        own_factor,
        "methods",
        "`require` forces a second factor that nobody could set up: offer totp, or set `require` to \"optional\"",
    )?;
    let some_plan = document.plans.as_ref().is_none_or(|plans| !plans.is_empty());
    check(some_plan, "plans", "`require` forces a second factor that no plan may set up: name a plan, or set `require` to \"optional\"")
}

fn check(holds: bool, path: &str, message: &str) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::new(ErrorCode::InvalidPolicy, path, message)) }
}
