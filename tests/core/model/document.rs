//! The policy of one account as the model writes it, and what it says about addresses and roles.

use serde_json::{Value, json};

use crate::policy::{Channel, Method, Policy, Reason};

use super::places::{CAFE, Caller, Client, HOME, Listed, NETWORKS, OFFICE, ROLES, Told, hold, name, some};
use super::rng::Rng;

/// The methods that a policy lists.
const METHODS: [Method; 4] = [Method::Totp, Method::Sms, Method::BackupCode, Method::RecoveryCode];

/// The users who must have a second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Require {
    Optional,
    Everyone,
    /// Any of these rules forces it. A list that is empty is no rule.
    Any {
        networks: Vec<Listed>,
        outside: Vec<Listed>,
        roles: Vec<&'static str>,
    },
}

/// The settings of which the strictest holds where a user has many accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) methods: Vec<Method>,
    pub(super) app_digits: u8,
    pub(super) app_period: u64,
    pub(super) window: u64,
    pub(super) sms_digits: u8,
    pub(super) sms_life: u64,
    pub(super) cooldown: u64,
    pub(super) per_minute: usize,
    pub(super) per_hour: usize,
    pub(super) per_day: usize,
    pub(super) backup_count: usize,
    pub(super) keep: bool,
    pub(super) recovery_life: u64,
    pub(super) ticket_life: u64,
    pub(super) pass_life: u64,
    pub(super) fresh: u64,
    pub(super) trusted_days: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Document {
    pub(super) settings: Settings,
    pub(super) require: Require,
    /// A user who never had a factor sets up the first one by the password alone, where one is forced.
    pub(super) first_by_password: bool,
    pub(super) allow: Vec<Listed>,
    pub(super) api: Vec<Listed>,
    pub(super) deny: Vec<Listed>,
    pub(super) plans: Option<Vec<&'static str>>,
    pub(super) prefixes: Vec<&'static str>,
    pub(super) except: Vec<&'static str>,
    /// Whether it forces everyone from the beginning of the episode to its end.
    pub(super) stays_strict: bool,
}

impl Document {
    /// Everyone must, from one network, by few methods.
    pub(super) fn strict(stays_strict: bool) -> Self {
        let lenient = Self::lenient();
        Self {
            settings: Settings {
                methods: vec![Method::Totp, Method::BackupCode, Method::RecoveryCode],
                fresh: 60,
                pass_life: 3_600,
                backup_count: 2,
                ..lenient.settings
            },
            require: Require::Everyone,
            first_by_password: false,
            allow: vec![Listed::for_good(OFFICE)],
            stays_strict,
            ..lenient
        }
    }

    /// Nobody must, from anywhere, by all methods.
    pub(super) fn lenient() -> Self {
        Self {
            settings: Settings {
                methods: METHODS.to_vec(),
                app_digits: 6,
                app_period: 30,
                window: 1,
                sms_digits: 6,
                sms_life: 300,
                cooldown: 30,
                per_minute: 2,
                per_hour: 5,
                per_day: 10,
                backup_count: 3,
                keep: true,
                recovery_life: 3_600,
                ticket_life: 600,
                pass_life: 43_200,
                fresh: 300,
                trusted_days: Some(30),
            },
            require: Require::Optional,
            first_by_password: true,
            allow: Vec::new(),
            api: Vec::new(),
            deny: Vec::new(),
            plans: None,
            prefixes: vec!["+614", "+44"],
            except: Vec::new(),
            stays_strict: false,
        }
    }

    /// The same with one respect changed.
    pub(super) fn changed(&self, now: u64, rng: &mut Rng) -> Self {
        if rng.percent(36) {
            return self.with_other_lists(now, rng);
        }
        let mut next = self.clone();
        let set = &mut next.settings;
        match rng.below(17) {
            0..3 => {
                set.methods = METHODS.into_iter().filter(|_| rng.percent(65)).collect();
                if !set.methods.contains(&Method::Totp) && !set.methods.contains(&Method::BackupCode) {
                    set.methods.push(Method::Totp);
                }
            }
            3 => next.plans = rng.pick(&[None, None, Some(vec!["paid"]), Some(vec![])]),
            4 | 12 | 13 => {
                let numbers: [(Vec<_>, Vec<_>); 6] = [
                    (vec!["+614"], vec![]),
                    (vec!["+44"], vec![]),
                    (vec!["+614", "+44"], vec![]),
                    (vec!["+1"], vec![]),
                    (vec!["+61"], vec!["+6149"]),
                    (vec!["+44", "+61"], vec!["+614123"]),
                ];
                (next.prefixes, next.except) = rng.pick(&numbers);
            }
            14..17 => set.trusted_days = rng.pick(&[None, Some(1), Some(7), Some(30), Some(90)]),
            5 => (set.app_digits, set.app_period) = rng.pick(&[(6, 30), (8, 30), (6, 60), (7, 15)]),
            6 => set.window = rng.pick(&[0, 1, 2]),
            7 => (set.sms_digits, set.sms_life) = rng.pick(&[(6, 300), (8, 60), (6, 600)]),
            8 => (set.per_minute, set.per_hour, set.per_day) = rng.pick(&[(2, 5, 10), (1, 1, 1), (10, 50, 100), (10, 9, 3)]),
            9 => (set.keep, set.backup_count) = rng.pick(&[(true, 3), (false, 1), (true, 2)]),
            10 => (set.ticket_life, set.recovery_life) = rng.pick(&[(60, 60), (600, 3_600), (1_800, 3_600)]),
            _ => (set.pass_life, set.fresh) = rng.pick(&[(60, 30), (43_200, 300), (2_592_000, 3_600)]),
        }
        next
    }

    /// The same with another list of networks, or with others who must.
    pub(super) fn with_other_lists(&self, now: u64, rng: &mut Rng) -> Self {
        let mut next = self.clone();
        match rng.below(9) {
            0..4 => next.require = Require::some(now, rng),
            8 => next.first_by_password = !self.first_by_password,
            4 => next.allow = some(&NETWORKS, 30, now, rng),
            5 => next.deny = some(&[OFFICE, HOME, CAFE], 30, now, rng),
            _ => next.api = some(&NETWORKS, 40, now, rng),
        }
        if next.stays_strict {
            // A list whose rules have all ended still counts: outside of it is everybody, at any time of the model.
            let nowhere = Require::Any { networks: Vec::new(), outside: vec![Listed::until(HOME, 1)], roles: Vec::new() };
            next.require = if rng.percent(60) { Require::Everyone } else { nowhere };
            next.first_by_password = false;
        }
        next
    }

    /// The rules that end take their ends far ahead; those that have ended are still there.
    pub(super) fn lasting(mut self, now: u64) -> Self {
        self.each_rule(|rule| rule.until = rule.until.map(|until| if now >= until { until } else { FAR_AHEAD }));
        self
    }

    /// An owner takes out the address rules that shut everybody out.
    pub(super) fn opened(self) -> Self {
        Self { allow: Vec::new(), deny: Vec::new(), ..self }
    }

    fn each_rule(&mut self, change: impl FnMut(&mut Listed)) {
        let Self { allow, api, deny, require, .. } = self;
        let (mut none, mut no_others) = (Vec::new(), Vec::new());
        let (networks, outside) = match require {
            Require::Any { networks, outside, .. } => (networks, outside),
            Require::Optional | Require::Everyone => (&mut none, &mut no_others),
        };
        [allow, api, deny, networks, outside].into_iter().flatten().for_each(change);
    }

    /// The document as it is written in configuration.
    pub(super) fn to_json(&self) -> Value {
        let texts = |rules: &[Listed]| rules.iter().copied().map(Listed::to_json).collect::<Vec<_>>();
        let require = match &self.require {
            Require::Optional => json!("optional"),
            Require::Everyone => json!("everyone"),
            Require::Any { networks, outside, roles } => {
                let mut rules = json!({});
                for (key, list) in
                    [("networks", texts(networks)), ("outside", texts(outside)), ("roles", roles.iter().map(|role| json!(role)).collect())]
                {
                    if !list.is_empty() {
                        rules[key] = Value::from(list);
                    }
                }
                rules
            }
        };
        let set = &self.settings;
        let mut document = json!({
            "v": 1, "name": "Acme", "origin": "https://login.acme.example", "methods": set.methods, "require": require,
            "firstFactor": if self.first_by_password { "password" } else { "recovery_code" },
            "network": {"allow": texts(&self.allow), "api": texts(&self.api), "deny": texts(&self.deny)},
            "totp": {"digits": set.app_digits, "periodSeconds": set.app_period, "window": set.window},
            "sms": {
                "prefixes": self.prefixes, "except": self.except, "digits": set.sms_digits, "lifetimeSeconds": set.sms_life,
                "cooldownSeconds": set.cooldown, "perMinute": set.per_minute, "perHour": set.per_hour, "perDay": set.per_day,
            },
            "backupCodes": {"count": set.backup_count, "keepForShowing": set.keep},
            "recoveryCode": {"lifetimeSeconds": set.recovery_life},
            "ticketSeconds": set.ticket_life, "passSeconds": set.pass_life, "freshSeconds": set.fresh,
        });
        if let Some(days) = set.trusted_days {
            document["trustedBrowser"] = json!({ "days": days });
        }
        if let Some(plans) = &self.plans {
            document["plans"] = Value::from(plans.clone());
        }
        document
    }

    /// The policy of this document; `None` where it is refused, because nobody could ever follow it.
    pub(super) fn policy(&self) -> Option<Policy> {
        Policy::parse(&self.to_json().to_string()).ok()
    }

    pub(super) fn offers(&self, method: Method) -> bool {
        if method == Method::TrustedBrowser { self.settings.trusted_days.is_some() } else { self.settings.methods.contains(&method) }
    }

    pub(super) fn allows(&self, number: &str) -> bool {
        let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| number.starts_with(prefix));
        begins(&self.prefixes) && !begins(&self.except)
    }

    pub(super) fn plan_may_enroll(&self, plan: Option<&str>) -> bool {
        self.plans.as_ref().is_none_or(|plans| plan.is_some_and(|plan| plans.contains(&plan)))
    }

    /// The reason for which no call from there is answered, whoever is behind it.
    pub(super) fn turned_away(&self, client: Client, channel: Channel, now: u64) -> Option<Reason> {
        let people_may_come = self.allow.is_empty() || hold(&self.allow, client, now);
        let program_may_come = channel == Channel::Api && hold(&self.api, client, now);
        if client == Client::Unknown {
            self.needs_the_address().then_some(Reason::AddressUnknown)
        } else if hold(&self.deny, client, now) {
            Some(Reason::AddressDenied)
        } else {
            (!people_may_come && !program_may_come).then_some(Reason::AddressNotAllowed)
        }
    }

    /// `api` only ever admits: without an address it admits nobody.
    fn needs_the_address(&self) -> bool {
        let by_require = match &self.require {
            Require::Optional | Require::Everyone => false,
            Require::Any { networks, outside, .. } => !networks.is_empty() || !outside.is_empty(),
        };
        !self.allow.is_empty() || !self.deny.is_empty() || by_require
    }

    /// Whether a program from there needs no second factor.
    pub(super) fn admits_programs(&self, client: Client, now: u64) -> bool {
        hold(&self.api, client, now) || name(&self.allow, client, now)
    }

    pub(super) fn forces(&self, caller: Caller, now: u64) -> bool {
        match &self.require {
            Require::Optional => false,
            Require::Everyone => true,
            Require::Any { networks, outside, roles } => {
                let by_role = match caller.roles {
                    Told::Nothing => !roles.is_empty(),
                    Told::These(names) => names.iter().any(|name| roles.contains(name)),
                };
                let is_outside = !outside.is_empty() && !hold(outside, caller.client, now);
                by_role || is_outside || hold(networks, caller.client, now)
            }
        }
    }
}

/// After all that the model's clock ever says.
const FAR_AHEAD: u64 = 200_000_000_000;

impl Require {
    fn some(now: u64, rng: &mut Rng) -> Self {
        let one = |rng: &mut Rng| {
            let network = rng.pick(&NETWORKS);
            vec![Listed::any(network, now, rng)]
        };
        let role = |rng: &mut Rng| vec![rng.pick(&ROLES)];
        match rng.below(9) {
            0 => Self::Everyone,
            1 => Self::Any { networks: one(rng), outside: Vec::new(), roles: Vec::new() },
            2 => Self::Any { networks: Vec::new(), outside: one(rng), roles: Vec::new() },
            3 => Self::Any { networks: Vec::new(), outside: Vec::new(), roles: role(rng) },
            4 => Self::Any { networks: one(rng), outside: one(rng), roles: role(rng) },
            _ => Self::Optional,
        }
    }
}
