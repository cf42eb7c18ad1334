//! The model's own record of one user, with everything in clear.

use data_encoding::BASE32_NOPAD;
use totp_rs::{Algorithm, Builder};

use crate::policy::Method;

use super::ask::{Keys, Who};
use super::browsers::Browser;
use super::rules::{Factors, Rules};
use super::setups::{Message, again_at};

pub(super) const HOUR: u64 = 3_600;
pub(super) const DAY: u64 = 86_400;
/// Clocks may differ by a minute.
pub(super) const SKEW: u64 = 60;

/// The state of one user in one account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Shadow {
    pub(super) apps: Vec<App>,
    pub(super) phones: Vec<Phone>,
    pub(super) browsers: Vec<Browser>,
    pub(super) backup: Option<Backup>,
    pub(super) recovery: Option<Recovery>,
    /// An owner has reset the user, and no recovery code was used since.
    pub(super) is_reset: bool,
    /// The end of the user's life here, by the operator.
    pub(super) gone: Option<Gone>,
    /// The move that brought the user here, until it is complete.
    pub(super) arrival: Option<Arrived>,
    /// There was a factor once, or a recovery code has helped.
    pub(super) had_factor: bool,
    pub(super) bucket: Bucket,
    /// Times at which owners issued codes.
    pub(super) issued: Vec<u64>,
    /// Messages, and the times at which some gave their slots back.
    pub(super) sent: Vec<Message>,
    pub(super) returned: Vec<u64>,
    /// Times at which sets of backup codes were made.
    pub(super) sets: Vec<u64>,
    /// A number that no other change, of any user, has.
    pub(super) epoch: usize,
    /// The same for the changes that end tickets and set-ups.
    pub(super) logins: usize,
    /// Counts sealings and marks, which change a record and nothing else.
    pub(super) writes: u64,
}

/// The end of a user's life at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Gone {
    Leaving(Travel),
    Left(Who),
    Erased(Option<Withdrawn>),
}

/// A move that was under way when the user was erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Withdrawn {
    pub(super) to: Who,
    pub(super) id: usize,
    pub(super) shuts: bool,
    pub(super) had_one: bool,
}

/// A move under way, by a number that no other has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Travel {
    pub(super) to: Who,
    pub(super) id: usize,
    pub(super) apps: Vec<App>,
    pub(super) phones: Vec<Phone>,
}

impl Travel {
    pub(super) fn has_factor(&self) -> bool {
        !self.apps.is_empty() || !self.phones.is_empty()
    }
}

/// A move that has come, and the factors that it brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arrived {
    pub(super) from: Who,
    pub(super) id: usize,
    pub(super) factors: Vec<String>,
}

/// A secret in an authenticator app.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Secret {
    pub(super) base32: String,
    pub(super) digits: u8,
    pub(super) period: u64,
}

impl Secret {
    pub(super) fn step(&self, now: u64) -> u64 {
        now / self.period
    }

    pub(super) fn code(&self, step: u64) -> String {
        let secret = BASE32_NOPAD.decode(self.base32.as_bytes()).unwrap();
        let app = Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(self.digits)
            .with_step_duration(self.period)
            .with_secret(secret)
            .build_noncompliant();
        app.generate(step * self.period).to_string()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct App {
    /// As the reply named it.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) secret: Secret,
    pub(super) last_step: u64,
    /// Whether its key is in the ring.
    pub(super) opens: bool,
    /// Whether the right person has it, and no thief set it up.
    pub(super) is_theirs: bool,
    pub(super) kid: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Phone {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) used_at: Option<u64>,
    /// Whether its key is in the ring.
    pub(super) opens: bool,
    pub(super) number: &'static str,
    pub(super) is_theirs: bool,
    pub(super) kid: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Backup {
    /// The id of the set, once a reply has named it.
    pub(super) set: String,
    pub(super) codes: Vec<(String, bool)>,
    /// Somebody has said that they are saved, or has logged in by one.
    pub(super) is_confirmed: bool,
    pub(super) is_kept: bool,
    pub(super) is_theirs: bool,
    pub(super) kid: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recovery {
    pub(super) code: String,
    pub(super) by_operator: bool,
    pub(super) from: u64,
    pub(super) until: u64,
    pub(super) kid: usize,
}

/// Whether something made at `from` and ending at `until` counts at `now`: on neither side of its life.
pub(super) const fn is_alive(from: u64, until: u64, now: u64) -> bool {
    from <= now + SKEW && now < until
}

/// The budget of attempts: a count of consecutive failures, and a leaky bucket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Bucket {
    pub(super) failures: u32,
    /// Comparisons with an app, and the tries that they come of.
    level: u64,
    tries: u64,
    level_at: u64,
    retry_at: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lock {
    Open,
    Until(u64),
    Stopped,
}

impl Bucket {
    pub(super) const fn is_stopped(&self) -> bool {
        self.failures >= 100
    }

    /// The stricter of two, in each part.
    pub(super) fn stricter(&self, other: &Self, now: u64, window: u64) -> Self {
        let leaked = |bucket: &Self| {
            let mut bucket = bucket.clone();
            bucket.leak(now, window);
            bucket
        };
        let (one, two) = (leaked(self), leaked(other));
        let ends = |bucket: &Self| bucket.level_at + bucket.level * 3_600 * (2 * window + 1);
        let retry = |bucket: &Self| if bucket.retry_at <= now + 3_600 { bucket.retry_at } else { 0 };
        let fuller = if ends(&two) > ends(&one) { &two } else { &one };
        Self {
            failures: one.failures.max(two.failures),
            level: fuller.level,
            tries: one.tries.max(two.tries),
            level_at: fuller.level_at,
            retry_at: retry(&one).max(retry(&two)),
        }
    }

    /// Whether a try at this number of apps has to wait: after five tries, and where it would raise the level above 50.
    pub(super) fn lock(&self, now: u64, window: u64, apps: u64) -> Lock {
        if self.is_stopped() {
            return Lock::Stopped;
        }
        let above = (self.level + apps).saturating_sub(50);
        let room = if self.level_at <= now + SKEW { self.level_at + above * 3_600 * (2 * window + 1) } else { 0 };
        let retry = if self.retry_at <= now + 3_600 { self.retry_at } else { 0 };
        let until = room.max(retry);
        if now < until { Lock::Until(until) } else { Lock::Open }
    }

    pub(super) fn attempts_left(&self) -> u32 {
        u32::try_from(5_u64.saturating_sub(self.tries)).unwrap()
    }

    /// A try that was compared with this number of apps.
    pub(super) fn fail(&mut self, now: u64, window: u64, apps: u64) {
        self.leak(now, window);
        self.level += apps;
        self.tries += 1;
        self.failures += 1;
        self.retry_at = now
            + match self.tries {
                0..=4 => 0,
                5 => 30,
                6 => 60,
                7 => 120,
                8 => 240,
                9 => 480,
                10 => 960,
                11 => 1_920,
                _ => 3_600,
            };
    }

    fn leak(&mut self, now: u64, window: u64) {
        let leak = 3_600 * (2 * window + 1);
        self.level_at = self.level_at.min(now);
        let (tries, level) = (self.tries, self.level);
        while self.level > 0 && now - self.level_at >= leak {
            self.level -= 1;
            self.level_at += leak;
        }
        if self.level == 0 {
            self.level_at = now;
        }
        // The tries fall with the level, rounded up.
        self.tries = if level == 0 { 0 } else { (tries * self.level).div_ceil(level) };
    }

    pub(super) const fn succeed(&mut self) {
        self.failures = 0;
        self.retry_at = 0;
    }

    /// Time alone lowers the pressure.
    pub(super) const fn rescue(&mut self) {
        self.failures = 0;
    }
}

impl Shadow {
    pub(super) const fn has_factor(&self) -> bool {
        !self.apps.is_empty() || !self.phones.is_empty()
    }

    /// Notes which factors open with these keys.
    pub(super) fn see_keys(&mut self, keys: &Keys) {
        for app in &mut self.apps {
            app.opens = keys.sealing.contains(&app.kid);
        }
        for phone in &mut self.phones {
            phone.opens = keys.sealing.contains(&phone.kid);
        }
    }

    pub(super) const fn has(&self, method: Method) -> bool {
        match method {
            Method::Totp => !self.apps.is_empty(),
            Method::Sms => !self.phones.is_empty(),
            Method::BackupCode => self.backup.is_some(),
            Method::RecoveryCode => self.recovery.is_some(),
            Method::TrustedBrowser => !self.browsers.is_empty(),
        }
    }

    /// Methods, ids and names of the factors.
    pub(super) fn own(&self) -> Vec<(Method, &str, &str)> {
        let apps = self.apps.iter().map(|app| (Method::Totp, app.id.as_str(), app.name.as_str()));
        apps.chain(self.phones.iter().map(|phone| (Method::Sms, phone.id.as_str(), phone.name.as_str()))).collect()
    }

    /// The name of the factor that a set-up brings: its own, that of the factor of the same kind which it replaces, or a free one.
    pub(super) fn new_name(&self, method: Method, wanted: Option<&str>, replaces: Option<&str>) -> String {
        let kept = self.own().into_iter().find(|(of, id, _)| *of == method && Some(*id) == replaces);
        let kind = if method == Method::Totp { "Authenticator app" } else { "Phone" };
        wanted.or(kept.map(|(_, _, name)| name)).map_or_else(|| self.free_name(kind), str::to_owned)
    }

    /// The first of `Phone`, `Phone 2` … that no factor has.
    fn free_name(&self, kind: &str) -> String {
        let names = (1..).map(|number| if number == 1 { kind.to_owned() } else { format!("{kind} {number}") });
        names.into_iter().find(|name| !self.own().iter().any(|(_, _, known)| known == name)).unwrap()
    }

    /// Whether the user can log in by the factor with this id.
    pub(super) fn can_use_factor(&self, id: &str, rules: &Rules) -> bool {
        let is_app = rules.offers(Method::Totp) && self.apps.iter().any(|app| app.id == id);
        let is_usable = |phone: &Phone| phone.id == id && phone.opens && rules.allows(phone.number);
        is_app || (rules.offers(Method::Sms) && self.phones.iter().any(is_usable))
    }

    /// The time from which backup codes may be made again: five sets an hour, twenty a day.
    pub(super) fn no_set_until(&self, now: u64) -> Option<u64> {
        again_at(self.sets.iter().copied(), now, &[(HOUR, 5), (DAY, 20)])
    }

    pub(super) fn codes_left(&self) -> usize {
        self.backup.as_ref().map_or(0, |backup| backup.codes.iter().filter(|(_, used)| !used).count())
    }

    /// The recovery code, while it counts.
    pub(super) fn live_recovery(&self, rules: &Rules, now: u64) -> Option<&Recovery> {
        let counts = |code: &&Recovery| code.by_operator || (rules.offers(Method::RecoveryCode) && rules.owners_may_issue());
        self.recovery.as_ref().filter(counts).filter(|code| is_alive(code.from, code.until, now))
    }

    pub(super) fn can_use(&self, method: Method, rules: &Rules, now: u64) -> bool {
        match method {
            Method::Totp => rules.offers(method) && !self.apps.is_empty(),
            Method::Sms => rules.offers(method) && self.phones.iter().any(|phone| phone.opens && rules.allows(phone.number)),
            Method::BackupCode => rules.offers(method) && self.has_factor() && self.codes_left() > 0,
            Method::RecoveryCode => self.live_recovery(rules, now).is_some(),
            Method::TrustedBrowser => self.browsers.iter().any(|browser| browser.is_live(rules, now)),
        }
    }

    /// Whether nothing but a recovery code lets in.
    pub(super) const fn needs_a_code(&self) -> bool {
        self.is_reset || self.gone.is_some()
    }

    pub(super) fn factors(&self, rules: &Rules) -> Factors {
        let usable = [Method::Totp, Method::Sms, Method::BackupCode].into_iter().any(|method| self.can_use(method, rules, 0));
        if self.needs_a_code() {
            return Factors::Reset;
        }
        match (self.has_factor(), usable) {
            (false, _) if self.had_factor => Factors::None,
            (false, _) => Factors::Never,
            (true, true) => Factors::Usable,
            (true, false) => Factors::Unusable,
        }
    }

    pub(super) const fn has_left(&self) -> bool {
        matches!(self.gone, Some(Gone::Left(_)))
    }

    /// Whether the user is on the way to another place, or was when the operator erased them.
    pub(super) const fn is_leaving(&self) -> bool {
        self.goes_to().is_some()
    }

    pub(super) const fn is_erased(&self) -> bool {
        matches!(self.gone, Some(Gone::Erased(_)))
    }

    /// The new place of a move from here that is under way, or was at the erasure.
    pub(super) const fn goes_to(&self) -> Option<Who> {
        match &self.gone {
            Some(Gone::Leaving(Travel { to, .. }) | Gone::Erased(Some(Withdrawn { to, .. }))) => Some(*to),
            Some(Gone::Left(_) | Gone::Erased(None)) | None => None,
        }
    }

    /// The sealing keys that a user on the way cannot arrive without.
    pub(super) fn kids_on_the_way(&self) -> Vec<usize> {
        let Some(Gone::Leaving(travel)) = &self.gone else { return Vec::new() };
        travel.apps.iter().map(|app| app.kid).chain(travel.phones.iter().map(|phone| phone.kid)).collect()
    }

    /// The sealing keys that the record cannot be read without.
    pub(super) fn kids(&self) -> Vec<usize> {
        let of_factors =
            self.apps.iter().map(|x| x.kid).chain(self.phones.iter().map(|x| x.kid)).chain(self.backup.as_ref().map(|x| x.kid));
        let of_messages = self.sent.iter().map(|sent| sent.login.as_ref().map(|code| code.kid));
        of_factors.chain(self.recovery.as_ref().map(|x| x.kid)).chain(of_messages.flatten()).collect()
    }

    /// A write leaves out what time has ended.
    pub(super) fn tidy(&mut self, now: u64) {
        for sent in &mut self.sent {
            sent.login.take_if(|code| now >= code.until);
        }
    }
}
