//! Several apps and phones of one user: each has an id and a name, comes and goes by itself, and keeps its own used codes. A guess at
//! several apps costs as much as one at each (T56).

use countersign::time::UnixSeconds;
use countersign::totp::{TotpAlgorithm, TotpParameters, TotpSecret};
use serde_json::{Value, json};

use crate::support::{Person, policy};

/// Ann with apps, and their secrets.
struct Ann {
    person: Person,
    secrets: Vec<String>,
}

impl Ann {
    fn with_apps(number: usize) -> Self {
        let mut ann = Self { person: Person::new("ann", policy(json!({}))), secrets: Vec::new() };
        for _ in 0..number {
            ann.add_app(json!({}));
        }
        ann
    }

    /// Adds an app from the session `in`, by a pass of the first app.
    fn add_app(&mut self, wish: Value) -> Value {
        self.person.now += 30;
        let pass = if self.secrets.is_empty() { Value::Null } else { json!(self.pass()) };
        self.person.now += 30;
        let mut start = json!({"session": "in", "pass": pass, "label": "ann"});
        for (field, value) in wish.as_object().unwrap() {
            start[field] = value.clone();
        }
        let started = self.person.reply(json!({"enroll_totp": start}));
        let Some(secret) = started["secret"].as_str() else { return started };
        self.secrets.push(secret.replace(' ', ""));
        let code = self.code(self.secrets.len() - 1);
        self.person.reply(json!({"confirm_totp": {"session": "in", "setup": started["setup"], "code": code}}))
    }

    fn pass(&mut self) -> String {
        let verified = self.verify(json!({"newSession": "in", "code": self.code(0)}));
        verified["pass"].as_str().unwrap_or_else(|| panic!("{verified}")).to_owned()
    }

    fn code(&self, app: usize) -> String {
        self.code_before(app, 0)
    }

    /// The code that the app showed so many steps ago.
    fn code_before(&self, app: usize, steps: u64) -> String {
        let parameters = TotpParameters::DEFAULT;
        let step = parameters.step_at(UnixSeconds::new(self.person.now).unwrap()) - steps;
        TotpSecret::from_base32(&self.secrets[app]).unwrap().code_at(parameters, step).as_str().to_owned()
    }

    /// A code that none of the apps shows now or next.
    fn wrong(&self) -> String {
        let parameters = TotpParameters::DEFAULT;
        let step = parameters.step_at(UnixSeconds::new(self.person.now).unwrap());
        let secrets: Vec<_> = self.secrets.iter().map(|secret| TotpSecret::from_base32(secret).unwrap()).collect();
        let shows =
            |code: &str| secrets.iter().any(|secret| (step - 3..=step + 3).any(|step| secret.code_at(parameters, step).as_str() == code));
        (0..).map(|number| format!("{number:06}")).find(|code| !shows(code)).unwrap()
    }

    fn verify(&mut self, fields: Value) -> Value {
        let ticket = self.person.ticket();
        let mut verify = json!({"session": "s", "ticket": ticket, "method": "totp"});
        for (field, value) in fields.as_object().unwrap() {
            verify[field] = value.clone();
        }
        self.person.reply(json!({"verify": verify}))
    }

    fn ids(&self) -> Vec<String> {
        self.person.factors().into_iter().map(|factor| factor.named.id.into()).collect()
    }

    fn names(&self) -> Vec<String> {
        self.person.factors().into_iter().map(|factor| factor.named.name.into()).collect()
    }
}

#[test]
fn five_apps_have_names_and_a_sixth_has_no_room() {
    let mut ann = Ann::with_apps(1);
    assert_eq!(ann.add_app(json!({"name": " Work phone "}))["factor"]["name"], "Work phone");
    assert_eq!(ann.add_app(json!({"name": "Authenticator app 2"}))["result"], "enrolled");
    assert_eq!(ann.add_app(json!({}))["factor"]["name"], "Authenticator app 3");
    assert_eq!(ann.add_app(json!({"name": null}))["result"], "enrolled");
    assert_eq!(ann.names(), ["Authenticator app", "Work phone", "Authenticator app 2", "Authenticator app 3", "Authenticator app 4"]);
    assert_eq!(ann.add_app(json!({})), json!({"result": "denied", "reason": "too_many_factors"}));
    let first = ann.ids()[0].clone();
    assert_eq!(ann.add_app(json!({"replaces": "no-such-app-"})), json!({"result": "denied", "reason": "not_enrolled"}));
    let replaced = ann.add_app(json!({"replaces": first, "name": "New"}));
    assert_eq!((replaced["result"].as_str(), ann.names().len()), (Some("enrolled"), 5));
    assert!(!ann.ids().contains(&first) && ann.names().contains(&"New".to_owned()));
    assert_eq!(ann.person.events(), ["factor_added", "factor_removed"]);
}

#[test]
fn a_replacement_without_a_name_keeps_that_of_the_same_kind_of_factor() {
    let mut ann = Ann::with_apps(1);
    ann.add_app(json!({"name": "Work phone"}));
    let work = ann.ids()[1].clone();
    assert_eq!(ann.add_app(json!({"replaces": work}))["factor"]["name"], "Work phone");
    assert_eq!(ann.names(), ["Authenticator app", "Work phone"]);

    ann.person.now += 60;
    let pass = ann.pass();
    let start = json!({"session": "in", "pass": pass, "number": "+61412345678", "replaces": ann.ids()[1]});
    let started = ann.person.reply(json!({"enroll_sms": start}));
    let confirm = json!({"session": "in", "setup": started["setup"], "code": ann.person.sms_code()});
    ann.person.now += 60;
    assert_eq!(ann.person.reply(json!({"confirm_sms": confirm}))["factor"]["name"], "Phone", "an app's name is none for a phone");
}

#[test]
fn two_phones_with_two_numbers_and_no_third() {
    let mut ann = Ann::with_apps(1);
    let mut add = |number: &str, replaces: Value| {
        ann.person.now += 60;
        let pass = ann.pass();
        let start = json!({"session": "in", "pass": pass, "number": number, "replaces": replaces});
        let started = ann.person.reply(json!({"enroll_sms": start}));
        if started["result"] != "sms_sent" {
            return started["reason"].as_str().unwrap().to_owned();
        }
        let confirm = json!({"session": "in", "setup": started["setup"], "code": ann.person.sms_code()});
        ann.person.now += 60;
        ann.person.reply(json!({"confirm_sms": confirm}))["factor"]["name"].as_str().unwrap().to_owned()
    };
    assert_eq!(add("+61412345678", Value::Null), "Phone");
    assert_eq!(add("+61412345678", Value::Null), "number_enrolled");
    assert_eq!(add("+61498765432", Value::Null), "Phone 2");
    assert_eq!(add("+61411111111", Value::Null), "too_many_factors");
    let second = ann.ids()[2].clone();

    // A code goes to the phone that is named, and answers for that phone alone.
    ann.person.now += 3_600;
    let ticket = ann.person.ticket();
    let sent = ann.person.reply(json!({"send_sms": {"session": "s", "ticket": ticket, "factor": second}}));
    assert_eq!(sent["hint"], "•••• 432");
    let code = ann.person.sms_code();
    let first = ann.ids()[1].clone();
    let verify = |factor: &Value| json!({"verify": {"session": "s", "ticket": ticket, "method": "sms", "factor": factor, "code": code}});
    assert_eq!(ann.person.reply(verify(&json!(first)))["result"], "expired");
    assert_eq!(ann.person.reply(verify(&Value::Null))["factor"]["id"], json!(second));

    // The one used last is the one that a code goes to by itself.
    ann.person.now += 3_600;
    let begun = ann.person.reply(json!({"begin": {"session": "s"}}));
    let sms = begun["methods"].as_array().unwrap().iter().find(|usable| usable["method"] == "sms").unwrap();
    assert_eq!((sms["hint"].as_str(), sms["factors"][0]["id"].as_str()), (Some("•••• 432"), Some(second.as_str())));
}

#[test]
fn the_challenge_lists_the_apps_and_a_login_names_the_one_it_came_by() {
    let mut ann = Ann::with_apps(2);
    let ids = ann.ids();
    ann.person.now += 60;
    let verified = ann.verify(json!({"code": ann.code(1)}));
    assert_eq!((verified["result"].as_str(), verified["factor"]["id"].as_str()), (Some("verified"), Some(ids[1].as_str())));
    let begun = ann.person.reply(json!({"begin": {"session": "s"}}));
    let app = |index: usize, name: &str| json!({"id": ids[index], "name": name, "digits": 6});
    assert_eq!(
        begun["methods"][0],
        json!({"method": "totp", "kind": "digits", "digits": 6, "factors": [app(1, "Authenticator app 2"), app(0, "Authenticator app")]}),
        "the one used last comes first"
    );
}

#[test]
fn a_code_counts_for_the_app_that_is_named_alone() {
    let mut ann = Ann::with_apps(2);
    let ids = ann.ids();
    ann.person.now += 60;
    let of_second = ann.code(1);
    assert_eq!(ann.verify(json!({"factor": ids[0], "code": of_second}))["result"], "wrong");
    assert_eq!(ann.verify(json!({"factor": "no-such-app-", "code": of_second}))["reason"], "not_enrolled");
    assert_eq!(ann.verify(json!({"factor": ids[1], "code": of_second}))["result"], "verified");
}

#[test]
fn t1_each_app_keeps_its_own_used_codes() {
    let mut ann = Ann::with_apps(2);
    ann.person.now += 60;
    for app in [0, 1] {
        let code = ann.code(app);
        assert_eq!(ann.verify(json!({"code": code}))["result"], "verified");
        assert_eq!(ann.verify(json!({"code": code}))["result"], "already_used");
    }
}

#[test]
fn t56_a_guess_at_five_apps_costs_five_times_as_much() {
    let compared = |ann: &mut Ann, fields: &dyn Fn(&Ann) -> Value| {
        let mut forgiven = Vec::new();
        for _ in 0..5 {
            let fields = fields(ann);
            assert_eq!(ann.verify(fields)["result"], "wrong");
        }
        // Fewer tries are left until so many hours have passed.
        let before = ann.person.clone();
        for hours in [3, 6, 15, 30] {
            ann.person.now = before.now + hours * 3_600;
            let wrong = fields(ann);
            forgiven.push(ann.verify(wrong)["attemptsLeft"].as_u64().unwrap());
            ann.person = before.clone();
        }
        forgiven
    };
    let mut ann = Ann::with_apps(5);
    ann.person.now += 3_600;
    let ids = ann.ids();
    let mut one = Ann { person: ann.person.clone(), secrets: ann.secrets.clone() };
    assert_eq!(compared(&mut ann, &|ann| json!({"code": ann.wrong()})), [0, 0, 0, 1]);
    assert_eq!(compared(&mut one, &|ann| json!({"factor": ids[2], "code": ann.wrong()})), [0, 1, 4, 4]);
}

#[test]
fn t56_the_old_code_of_any_of_five_apps_costs_as_much_as_a_wrong_one() {
    let mut ann = Ann::with_apps(5);
    ann.person.now += 3_600;
    let (before, wrong, ids) = (ann.person.clone(), ann.wrong(), ann.ids());
    let attempts = |ann: &Ann| serde_json::from_str::<Value>(ann.person.record.as_deref().unwrap()).unwrap()["attempts"].clone();
    for named in [None, Some(())] {
        for (app, id) in ids.iter().enumerate() {
            let factor = named.map(|()| id);
            ann.person = before.clone();
            assert_eq!(ann.verify(json!({"factor": factor, "code": wrong})), json!({"result": "wrong", "attemptsLeft": 4}));
            let charged = attempts(&ann);
            ann.person = before.clone();
            let code = ann.code_before(app, 7);
            let told = json!({"result": "wrong", "attemptsLeft": 4, "slowBySeconds": 210});
            assert_eq!(ann.verify(json!({"factor": factor, "code": code})), told, "app {app}");
            assert_eq!(attempts(&ann), charged, "app {app}");
        }
    }
    // The app that is named is compared, and no other.
    ann.person = before;
    let code = ann.code_before(0, 7);
    assert_eq!(ann.verify(json!({"factor": ids[1], "code": code}))["slowBySeconds"], Value::Null);
}

#[test]
fn a_factor_that_is_removed_takes_the_freshness_of_its_pass_along() {
    let mut ann = Ann::with_apps(2);
    let ids = ann.ids();
    ann.person.now += 60;
    let pass = ann.pass();
    let removed = ann.person.reply(json!({"remove": {"session": "in", "pass": pass, "factor": ids[0]}}));
    assert_eq!((removed["result"].as_str(), &removed["methodsLeft"]), (Some("removed"), &json!(["totp"])));
    let again = json!({"remove": {"session": "in", "pass": removed["pass"], "factor": ids[1]}});
    assert_eq!(ann.person.reply(again)["reason"], "fresh_factor_required", "the pass came by the app that is gone");
    ann.secrets.remove(0);
    ann.person.now += 30;
    let pass = ann.pass();
    let last = ann.person.reply(json!({"remove": {"session": "in", "pass": pass, "factor": ids[1]}}));
    assert_eq!((last["result"].as_str(), ann.ids().len()), (Some("removed"), 0));
}

#[test]
fn another_name_needs_a_pass_and_ends_none() {
    let mut ann = Ann::with_apps(1);
    let id = ann.ids()[0].clone();
    ann.person.now += 60;
    let pass = ann.pass();
    let rename =
        |pass: &Value, factor: &str, name: &str| json!({"rename": {"session": "in", "pass": pass, "factor": factor, "name": name}});
    assert_eq!(ann.person.reply(rename(&Value::Null, &id, "Work"))["reason"], "fresh_factor_required");
    assert_eq!(ann.person.reply(rename(&json!(pass), "no-such-app-", "Work"))["reason"], "not_enrolled");
    assert_eq!(ann.person.reply(rename(&json!(pass), &id, "two\nlines"))["field"], "name");
    let renamed = ann.person.reply(rename(&json!(pass), &id, "Work"));
    assert_eq!(renamed, json!({"result": "renamed", "method": "totp", "factor": {"id": id, "name": "Work"}}));
    assert_eq!((ann.person.events(), ann.names()), (vec!["factor_renamed".to_owned()], vec!["Work".to_owned()]));
    ann.person.reply(rename(&json!(pass), &id, "Work"));
    assert_eq!(ann.person.events(), Vec::<String>::new(), "nothing changed");
    let renew = json!({"renew_backup_codes": {"session": "in", "pass": pass}});
    assert_eq!(ann.person.reply(renew)["result"], "backup_codes", "the pass is good still");
}

#[test]
fn apps_with_different_digits_are_told_apart_by_the_length_of_the_code() {
    let mut ann = Ann::with_apps(1);
    ann.person.policy = policy(json!({"totp": {"digits": 8}}));
    ann.person.now += 60;
    let pass = ann.pass();
    let started = ann.person.reply(json!({"enroll_totp": {"session": "in", "pass": pass, "label": "ann"}}));
    let secret = TotpSecret::from_base32(&started["secret"].as_str().unwrap().replace(' ', "")).unwrap();
    let eight = TotpParameters::new(TotpAlgorithm::SHA1, 8, 30).unwrap();
    let code = |now: u64| secret.code_at(eight, eight.step_at(UnixSeconds::new(now).unwrap())).as_str().to_owned();
    let confirm = json!({"session": "in", "setup": started["setup"], "code": code(ann.person.now)});
    assert_eq!(ann.person.reply(json!({"confirm_totp": confirm}))["result"], "enrolled");
    ann.person.now += 60;
    let begun = ann.person.reply(json!({"begin": {"session": "s"}}));
    assert_eq!((&begun["methods"][0]["digits"], begun["methods"][0]["factors"].as_array().unwrap().len()), (&Value::Null, 2));
    assert_eq!(ann.verify(json!({"code": code(ann.person.now)}))["result"], "verified");
    assert_eq!(ann.verify(json!({"code": ann.code(0)}))["result"], "verified");
    assert_eq!(ann.verify(json!({"code": "1234567"}))["expected"], "the 6 to 8 digits that one of the apps shows");
}
