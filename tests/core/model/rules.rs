//! The rules that hold for a user, as the model reads them from docs/policy.md: the policy of one account, or those of
//! all accounts of a user who has one second factor for them.

use std::ops::Deref;

use crate::policy::{Channel, Method, Policy, Reason};

use super::ask::Plan;
use super::document::{Document, Settings};
use super::places::{CLIENTS, Caller, Client};

/// The decision on a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Login {
    In,
    SecondStep,
    /// The first factor is set up by the password alone.
    SetUp,
    Out(Reason),
}

/// A user's factors, seen through the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Factors {
    /// None, and there never was one, nor did a recovery code ever help.
    Never,
    None,
    Usable,
    Unusable,
    /// An owner has taken all of them away.
    Reset,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rules {
    pub(super) documents: Vec<Document>,
    /// The host gives a list: its users have one second factor for all their accounts, perhaps for one only.
    pub(super) is_of_all: bool,
    strictest: Settings,
}

/// A setting of the rules is the strictest of all documents.
impl Deref for Rules {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        &self.strictest
    }
}

impl Rules {
    pub(super) fn of_one(document: Document) -> Self {
        Self::of(vec![document], false)
    }

    pub(super) fn of(documents: Vec<Document>, is_of_all: bool) -> Self {
        Self { strictest: strictest(&documents), documents, is_of_all }
    }

    /// The same with one document changed.
    pub(super) fn with(&self, index: usize, change: impl FnOnce(Document) -> Document) -> Self {
        let mut documents = self.documents.clone();
        documents[index] = change(documents[index].clone());
        Self::of(documents, self.is_of_all)
    }

    /// The same with each document changed.
    pub(super) fn each(&self, change: impl FnMut(Document) -> Document) -> Self {
        Self::of(self.documents.iter().cloned().map(change).collect(), self.is_of_all)
    }

    /// The policy of these rules; `None` where a document is refused.
    pub(super) fn policy(&self) -> Option<Policy> {
        let mut policies: Vec<Policy> = self.documents.iter().map(Document::policy).collect::<Option<_>>()?;
        if self.is_of_all { Policy::of_all(policies).ok() } else { policies.pop() }
    }

    pub(super) fn stay_strict(&self) -> bool {
        self.documents.iter().any(|document| document.stays_strict)
    }

    pub(super) fn offers(&self, method: Method) -> bool {
        if method == Method::TrustedBrowser { self.trusted_days.is_some() } else { self.methods.contains(&method) }
    }

    /// The password alone sets up the first factor where all accounts accept that.
    pub(super) fn force_anybody(&self) -> bool {
        self.documents.iter().any(|document| document.require != super::document::Require::Optional)
    }

    pub(super) fn accept_the_password(&self) -> bool {
        self.documents.iter().all(|document| document.first_by_password)
    }

    /// Whether a user of this plan may set up a factor at all.
    pub(super) fn may_enroll(&self, plan: Option<&str>) -> bool {
        self.plan_may_enroll(plan) && (self.offers(Method::Totp) || self.offers(Method::Sms))
    }

    /// The owner of one account would open the others.
    pub(super) fn owners_may_issue(&self) -> bool {
        !self.is_of_all
    }

    pub(super) fn allows(&self, number: &str) -> bool {
        self.documents.iter().all(|document| document.allows(number))
    }

    pub(super) fn plan_may_enroll(&self, plan: Option<&str>) -> bool {
        self.documents.iter().all(|document| document.plan_may_enroll(plan))
    }

    /// A plan that may enroll, where one has to be named.
    pub(super) fn a_plan(&self) -> Plan {
        [None, Some("paid")].into_iter().find(|plan| self.plan_may_enroll(*plan)).flatten()
    }

    /// A known place from which nobody is turned away.
    pub(super) fn admitted(&self, now: u64) -> Option<Client> {
        CLIENTS.into_iter().find(|client| *client != Client::Unknown && self.turned_away(*client, Channel::Web, now).is_none())
    }

    pub(super) fn turned_away(&self, client: Client, channel: Channel, now: u64) -> Option<Reason> {
        self.documents.iter().find_map(|document| document.turned_away(client, channel, now))
    }

    pub(super) fn forces(&self, caller: Caller, now: u64) -> bool {
        self.documents.iter().any(|document| document.forces(caller, now))
    }

    pub(super) fn login(&self, caller: Caller, channel: Channel, factors: Factors, plan: Plan, recovery_alive: bool, now: u64) -> Login {
        if let Some(reason) = self.turned_away(caller.client, channel, now) {
            return Login::Out(reason);
        }
        if factors == Factors::Reset {
            let lets_in = channel == Channel::Web && recovery_alive;
            return if lets_in { Login::SecondStep } else { Login::Out(Reason::RecoveryCodeRequired) };
        }
        if channel == Channel::Api {
            let has_none = matches!(factors, Factors::None | Factors::Never);
            let needs_none = |document: &Document| has_none && !document.forces(caller, now);
            let lets_in = |document: &Document| needs_none(document) || document.admits_programs(caller.client, now);
            return if self.documents.iter().all(lets_in) { Login::In } else { Login::Out(Reason::ApiClientBlocked) };
        }
        match factors {
            Factors::Usable | Factors::Reset => Login::SecondStep,
            Factors::Unusable if recovery_alive => Login::SecondStep,
            Factors::Unusable => Login::Out(Reason::NoUsableMethod),
            Factors::None | Factors::Never if !self.forces(caller, now) => Login::In,
            Factors::None | Factors::Never if recovery_alive => Login::SecondStep,
            Factors::Never if self.accept_the_password() && self.may_enroll(plan) => Login::SetUp,
            Factors::None | Factors::Never => Login::Out(Reason::EnrollmentRequired),
        }
    }
}

/// The strictest of each setting.
fn strictest(documents: &[Document]) -> Settings {
    let all = || documents.iter().map(|document| &document.settings);
    let shortest = |of: fn(&Settings) -> u64| all().map(of).min().unwrap();
    let fewest = |of: fn(&Settings) -> usize| all().map(of).min().unwrap();
    let longest = |of: fn(&Settings) -> u8| all().map(of).max().unwrap();
    Settings {
        methods: shared_methods(documents),
        app_digits: longest(|set| set.app_digits),
        app_period: shortest(|set| set.app_period),
        window: shortest(|set| set.window),
        sms_digits: longest(|set| set.sms_digits),
        sms_life: shortest(|set| set.sms_life),
        cooldown: all().map(|set| set.cooldown).max().unwrap(),
        per_minute: fewest(|set| set.per_minute),
        per_hour: fewest(|set| set.per_hour),
        per_day: fewest(|set| set.per_day),
        backup_count: fewest(|set| set.backup_count),
        keep: all().all(|set| set.keep),
        recovery_life: shortest(|set| set.recovery_life),
        ticket_life: shortest(|set| set.ticket_life),
        pass_life: shortest(|set| set.pass_life),
        fresh: shortest(|set| set.fresh),
        // None, where one has none.
        trusted_days: all().map(|set| set.trusted_days).min().unwrap(),
    }
}

/// The methods that all offer. SMS is none where no number is allowed by all, nor where nothing could take its place.
fn shared_methods(documents: &[Document]) -> Vec<Method> {
    let offered = |method: Method| documents.iter().all(|document| document.settings.methods.contains(&method));
    let mut prefixes = documents.iter().flat_map(|document| document.prefixes.iter().copied());
    let is_any_number_allowed = prefixes.any(|prefix| documents.iter().all(|document| document.allows(prefix)));
    let sms_counts = is_any_number_allowed && (offered(Method::Totp) || offered(Method::BackupCode));
    Method::ALL.into_iter().filter(|method| offered(*method) && (*method != Method::Sms || sms_counts)).collect()
}
