//! T55: a trusted browser answers the challenge of its own user at login, and nothing else; a stolen one is noticed.

use countersign::engine::{CheckPass, check_pass};
use countersign::gate::Gate;
use countersign::time::UnixSeconds;
use serde_json::{Value, json};

use crate::gate::{COOKIE, gate, headers, judge, judged, parsed, refused};
use crate::support::{Person, ann, check, issue, policy};

pub const DAY: u64 = 86_400;

pub fn trusting(days: u64) -> Value {
    json!({"trustedBrowser": {"days": days}})
}

/// Ann under a policy that trusts browsers for 30 days.
pub fn trusting_ann() -> Person {
    let mut person = ann();
    person.policy = policy(trusting(30));
    person
}

/// Logs in by app and trusts the browser; gives the reply.
pub fn trust(person: &mut Person, wish: Value) -> Value {
    let (ticket, code) = (person.ticket(), person.code());
    let verify = json!({"ticket": ticket, "session": "s", "newSession": "in", "method": "totp", "code": code, "trustBrowser": wish});
    let reply = person.reply(json!({ "verify": verify }));
    assert_eq!(reply["result"], "verified", "{reply}");
    person.now += 60;
    reply
}

pub fn cookie(reply: &Value) -> String {
    reply["browser"]["token"].as_str().unwrap_or_else(|| panic!("no browser in {reply}")).to_owned()
}

/// Ann, with the cookie of a browser that she has just trusted.
pub fn trusted() -> (Person, String) {
    let mut person = trusting_ann();
    let cookie = cookie(&trust(&mut person, json!({"name": "Firefox on Linux"})));
    (person, cookie)
}

/// Logs in by a cookie.
pub fn by(person: &mut Person, cookie: &str) -> Value {
    person.verify("trusted_browser", cookie)
}

/// Asserts that a cookie gives no login, and that nobody's attempts are counted.
pub fn is_refused(person: &mut Person, cookie: &str, why: &str) {
    let failures = person.failures();
    let reply = by(person, cookie);
    assert!(reply == json!({"result": "expired"}) || reply["reason"] == "method_not_offered", "{why}: {reply}");
    assert_eq!(person.failures(), failures, "{why}");
}

/// The methods of a challenge.
fn challenged_by(person: &mut Person) -> Vec<String> {
    let reply = person.reply(json!({"begin": {"session": "s"}}));
    let methods = reply["methods"].as_array().unwrap_or_else(|| panic!("no challenge: {reply}"));
    methods.iter().map(|method| method["method"].as_str().unwrap().to_owned()).collect()
}

pub fn browsers(person: &Person) -> Vec<Value> {
    let record = countersign::record::Record::parse(&person.id(), person.record.as_deref().unwrap()).unwrap();
    let now = UnixSeconds::new(person.now).unwrap();
    let status = countersign::engine::status(&person.policy, &person.keys, &record, now).unwrap();
    serde_json::to_value(status).unwrap()["trustedBrowsers"].as_array().unwrap().clone()
}

/// The kinds of notice of the last step.
fn notices(person: &Person) -> Vec<String> {
    let all = person.effects.iter().map(|effect| serde_json::to_value(effect).unwrap()["notify"]["kind"].clone());
    all.filter_map(|kind| kind.as_str().map(str::to_owned)).collect()
}

#[test]
fn a_person_trusts_a_browser_and_logs_in_by_it_until_its_days_are_over() {
    let mut person = trusting_ann();
    assert_eq!(challenged_by(&mut person), ["totp", "sms", "backup_code"]);
    let added_at = person.now;
    let reply = trust(&mut person, json!({"name": "Firefox on Linux"}));
    assert_eq!(person.events(), ["code_accepted", "browser_trusted"]);
    assert_eq!(notices(&person), ["browser_trusted"]);
    assert_eq!(reply["browser"]["expiresAt"], added_at + 30 * DAY);
    assert_eq!(challenged_by(&mut person), ["totp", "sms", "backup_code", "trusted_browser"]);

    let first = cookie(&reply);
    person.now += 20 * DAY;
    let used = by(&mut person, &first);
    assert_eq!(
        (&used["result"], &used["method"], &used["factor"]["name"]),
        (&json!("verified"), &json!("trusted_browser"), &json!("Firefox on Linux"))
    );
    assert_eq!(used["browser"]["expiresAt"], added_at + 30 * DAY, "a use adds no day");
    assert_eq!((person.events(), notices(&person)), (vec!["code_accepted".to_owned()], vec![]));
    let second = cookie(&used);
    assert_ne!(first, second);
    let [browser] = browsers(&person).try_into().unwrap();
    let expected = json!({
        "id": first[..12], "name": "Firefox on Linux", "addedAt": added_at, "lastUsedAt": person.now, "expiresAt": added_at + 30 * DAY,
    });
    assert_eq!(browser, expected);

    person.now = added_at + 30 * DAY - 1;
    let last = by(&mut person, &second);
    assert_eq!(last["expiresAt"], added_at + 30 * DAY, "the pass ends with the trust");
    person.now += 1;
    assert_eq!(challenged_by(&mut person), ["totp", "sms", "backup_code"]);
    is_refused(&mut person, &cookie(&last), "its days are over");
    assert_eq!(browsers(&person), Vec::<Value>::new());
}

#[test]
fn a_code_counts_where_no_browser_is_trusted() {
    let mut plain = ann();
    assert!(trust(&mut plain, json!({"name": "Firefox"}))["browser"].is_null(), "the policy trusts none");

    let mut person = trusting_ann();
    let (ticket, code) = (person.ticket(), person.backup[0].clone());
    let verify = json!({"ticket": ticket, "session": "s", "method": "backup_code", "code": code, "trustBrowser": {}});
    let reply = person.reply(json!({ "verify": verify }));
    assert_eq!((&reply["result"], &reply["browser"]), (&json!("verified"), &Value::Null), "a backup code trusts no browser");

    for wish in [json!({"name": 7}), json!({"name": "\n", "replaces": [1]}), json!({"name": "x".repeat(500), "replaces": "no token"})] {
        person.now += 60;
        assert!(trust(&mut person, wish)["browser"].is_object());
    }
    let names: Vec<_> = browsers(&person).iter().map(|browser| browser["name"].clone()).collect();
    assert_eq!(names, ["Browser", "Browser 2", "Browser 3"], "a client's odd name costs nobody the code");
}

#[test]
fn a_user_trusts_ten_browsers_and_the_least_used_makes_room() {
    let mut person = trusting_ann();
    let cookies: Vec<String> = (0..10).map(|_| cookie(&trust(&mut person, json!({})))).collect();
    let kept = cookie(&by(&mut person, &cookies[0]));
    person.now += 60;
    trust(&mut person, json!({}));
    assert_eq!(person.events(), ["code_accepted", "trusted_browser_removed", "browser_trusted"]);
    assert_eq!(browsers(&person).len(), 10);
    is_refused(&mut person, &cookies[1], "the one that was not used for the longest time");
    assert_eq!(by(&mut person, &kept)["result"], "verified");

    let again = trust(&mut person, json!({"replaces": cookies[5]}));
    assert_eq!((person.events(), browsers(&person).len()), (vec!["code_accepted".to_owned(), "browser_trusted".to_owned()], 10));
    is_refused(&mut person, &cookies[5], "the same browser has another");
    assert_eq!(by(&mut person, &cookie(&again))["result"], "verified");
}

#[test]
fn a_person_ends_one_browser_by_any_pass_of_the_session() {
    let (mut person, first) = trusted();
    let second = cookie(&trust(&mut person, json!({})));
    let remove = |pass: &Value, id: &str| json!({"remove_trusted_browser": {"session": "in", "pass": pass, "browser": id}});
    let denied = |reason: &str| json!({"result": "denied", "reason": reason});
    let by_browser = by(&mut person, &second)["pass"].clone();
    person.now += 3_600;
    assert_eq!(person.reply(remove(&json!("no pass"), &first[..12])), denied("fresh_factor_required"));
    assert_eq!(person.reply(remove(&by_browser, "no-such-one-")), denied("not_enrolled"));
    let removed = person.reply(remove(&by_browser, &first[..12]));
    assert_eq!(removed, json!({"result": "trusted_browser_removed", "browser": {"id": first[..12], "name": "Firefox on Linux"}}));
    assert_eq!(person.events(), ["trusted_browser_removed"]);
    is_refused(&mut person, &first, "it was removed");
    assert_eq!(browsers(&person).len(), 1);
    assert_eq!(
        person.reply(remove(&by_browser, "?")),
        json!({"result": "malformed", "field": "browser", "expected": "the id of a trusted browser, as text"})
    );
}

#[test]
fn t55_a_stolen_secret_that_was_used_is_noticed_and_both_copies_end() {
    for turns in 1..4 {
        // The thief logs in once or more, and then the person; or the other way round.
        let (mut person, stolen) = trusted();
        let mut newest = stolen.clone();
        for _ in 0..turns {
            newest = cookie(&by(&mut person, &newest));
            person.now += 31;
        }
        is_refused(&mut person, &stolen, "a copy");
        assert_eq!(
            (person.events(), notices(&person)),
            (vec!["trusted_browser_copied".to_owned()], vec!["trusted_browser_copied".to_owned()])
        );
        is_refused(&mut person, &newest, "the other copy");
        assert_eq!(browsers(&person), Vec::<Value>::new());

        // Trusting the browser anew shows the copy as well.
        let (mut person, stolen) = trusted();
        by(&mut person, &stolen);
        person.now += 31;
        trust(&mut person, json!({"replaces": stolen}));
        assert_eq!(notices(&person), ["trusted_browser_copied", "browser_trusted"]);
    }
}

#[test]
fn t55_a_double_click_is_no_alarm_and_logs_in_once() {
    let (mut person, first) = trusted();
    let second = cookie(&by(&mut person, &first));
    person.now += 30;
    is_refused(&mut person, &first, "used");
    assert_eq!((person.events(), notices(&person)), (vec!["trusted_browser_refused".to_owned()], vec![]));
    let third = cookie(&by(&mut person, &second));
    // The secret before the last two is no second tab.
    is_refused(&mut person, &first, "used twice ago");
    assert_eq!(person.events(), ["trusted_browser_copied"]);
    is_refused(&mut person, &third, "a copy was seen");
}

#[test]
fn t55_an_unknown_secret_writes_nothing_locks_nobody_and_leaves_the_ticket() {
    let (mut person, good) = trusted();
    let (id, secret) = good.split_once('.').unwrap();
    let other_end = if good.ends_with('A') { 'E' } else { 'A' };
    let other_start = if secret.starts_with('B') { 'C' } else { 'B' };
    let wrong = [
        String::new(),
        "123456".to_owned(),
        id.to_owned(),
        format!("{good}A"),
        format!("{good} "),
        format!("AAAAAAAAAAAA.{secret}"),
        format!("{id}.{other_start}{}", &secret[1..]),
        format!("{id}.{}", "A".repeat(43)),
    ];
    let ticket = person.ticket();
    let before = person.record.clone();
    for code in wrong.iter().cycle().take(300) {
        let verify = json!({"ticket": ticket, "session": "s", "method": "trusted_browser", "code": code});
        assert_eq!(person.reply(json!({ "verify": verify })), json!({"result": "expired"}), "{code}");
        assert_eq!(person.events(), ["trusted_browser_refused"]);
        assert_eq!(person.record, before, "nothing is written");
    }
    let code = person.code();
    let verify = json!({"verify": {"ticket": ticket, "session": "s", "method": "totp", "code": code}});
    assert_eq!(person.try_step(verify).unwrap().1["result"], "verified", "the ticket is still good");
    // Someone who has the lasting half of the secret, and no other, has copied it.
    is_refused(&mut person, &format!("{}{other_end}", &good[..good.len() - 1]), "the half that turns is wrong");
}

#[test]
fn t55_a_trusted_browser_of_one_user_or_account_is_none_of_another() {
    let (ann, cookie) = trusted();
    let moved = |user: &str, account: Option<&str>| {
        let mut other = ann.clone();
        (other.user, other.account) = (user.to_owned(), account.map(str::to_owned));
        let mut record: Value = serde_json::from_str(ann.record.as_ref().unwrap()).unwrap();
        // The whole entry in another's record: its MACs are of Ann's.
        record["id"] = json!({ "user": user });
        if let Some(account) = account {
            record["id"]["account"] = json!(account);
        }
        for part in ["apps", "phones", "backup"] {
            record.as_object_mut().unwrap().remove(part);
        }
        record["epoch"] = json!("");
        other.record = Some(record.to_string());
        other
    };
    for (user, account) in [("bob", None), ("ann", Some("acme"))] {
        let mut other = moved(user, account);
        other.policy = policy(json!({"require": "everyone", "trustedBrowser": {"days": 30}}));
        let code = issue_to(&mut other);
        let ticket = other.ticket();
        let verify = |method: &str, code: &str| json!({"verify": {"ticket": ticket, "session": "s", "method": method, "code": code}});
        assert_eq!(other.reply(verify("trusted_browser", &cookie)), json!({"result": "expired"}), "{user} {account:?}");
        assert_eq!(other.events(), ["trusted_browser_refused"], "it is not taken for a copy");
        assert_eq!(other.reply(verify("recovery_code", &code))["result"], "verified");
    }
}

/// A recovery code, so that someone without a factor is challenged.
fn issue_to(person: &mut Person) -> String {
    let mut owner = trusting_ann();
    (owner.user, owner.account) = ("olga".to_owned(), person.account.clone());
    owner.record = None;
    let started = owner.reply(json!({"enroll_totp": {"session": "s", "label": "olga"}}));
    owner.secret = started["secret"].as_str().unwrap().replace(' ', "");
    owner.now = person.now;
    let code = owner.code();
    let pass = owner.reply(json!({"confirm_totp": {"session": "s", "code": code}}))["pass"].clone();
    person.issuer = owner.record;
    let by = json!({"user": "olga", "session": "s", "pass": pass, "role": "owner"});
    person.reply(json!({"issue_recovery_code": {"by": by}}))["code"].as_str().unwrap().to_owned()
}

#[test]
fn t55_every_ending_ends_all_trusted_browsers() {
    type End = fn(&mut Person);
    let pass = |person: &mut Person| {
        person.now += 60;
        person.log_in("in")
    };
    let endings: [(&str, End); 6] = [
        ("the password was changed", |person| {
            person.reply(json!({"password_changed": {}}));
        }),
        ("signed out everywhere", |person| {
            person.reply(json!({"sign_out_everywhere": {}}));
        }),
        ("a rescue", |person| {
            let code = issue(person);
            assert_eq!(person.verify("recovery_code", &code)["result"], "verified");
        }),
        ("the policy was off at a write", |person| {
            person.policy = policy(json!({}));
            let backup = person.backup[0].clone();
            assert_eq!(person.verify("backup_code", &backup)["result"], "verified");
            person.policy = policy(trusting(30));
        }),
        ("fewer days at a write", |person| {
            person.now += 2 * DAY;
            person.policy = policy(trusting(1));
            assert_eq!(person.verify("totp", "000000")["result"], "wrong");
            person.policy = policy(trusting(30));
        }),
        ("its method was not offered at a write", |person| {
            person.policy = policy(json!({"methods": ["sms", "backup_code"], "trustedBrowser": {"days": 30}}));
            let backup = person.backup[0].clone();
            assert_eq!(person.verify("backup_code", &backup)["result"], "verified");
            person.policy = policy(trusting(30));
        }),
    ];
    for (why, end) in endings {
        let (mut person, cookie) = trusted();
        end(&mut person);
        assert!(!challenged_by(&mut person).contains(&"trusted_browser".to_owned()), "{why}");
        is_refused(&mut person, &cookie, why);
    }
    let changes: [fn(&Value) -> Value; 3] = [
        |pass| json!({"remove": {"session": "in", "pass": pass, "method": "sms"}}),
        |pass| json!({"renew_backup_codes": {"session": "in", "pass": pass}}),
        |pass| json!({"enroll_totp": {"session": "in", "pass": pass, "label": "ann"}}),
    ];
    for change in changes {
        let (mut person, cookie) = trusted();
        let pass = json!(pass(&mut person));
        let reply = person.reply(change(&pass));
        if let Some(secret) = reply["secret"].as_str() {
            person.secret = secret.replace(' ', "");
            let code = person.code();
            assert_eq!(person.reply(json!({"confirm_totp": {"session": "in", "code": code}}))["result"], "enrolled");
        }
        is_refused(&mut person, &cookie, &reply["result"].to_string());
    }
}

#[test]
fn t55_a_policy_that_trusts_no_browser_refuses_them_at_once() {
    let (mut person, cookie) = trusted();
    person.policy = policy(json!({}));
    assert_eq!(challenged_by(&mut person), ["totp", "sms", "backup_code"]);
    assert_eq!(by(&mut person, &cookie), json!({"result": "denied", "reason": "method_not_offered"}));
    assert_eq!(browsers(&person), Vec::<Value>::new());
}

#[test]
fn t55_an_api_client_is_not_challenged_by_it() {
    let (mut person, _) = trusted();
    let reply = person.reply(json!({"begin": {"session": "s", "channel": "api"}}));
    assert_eq!(reply, json!({"result": "denied", "reason": "api_client_blocked"}));
}

#[test]
fn t55_its_pass_is_never_fresh_and_permits_no_change() {
    // In the very second of the code that trusted it, so that the factor itself is fresh.
    let mut person = trusting_ann();
    let reply = trust(&mut person, json!({}));
    person.now -= 60;
    let pass = by(&mut person, &cookie(&reply))["pass"].clone();
    assert!(pass.is_string());
    let set = "AAAAAAAAAAAA";
    for (name, mut fields) in [
        ("remove", json!({"method": "sms"})),
        ("rename", json!({"factor": person.factors()[0].named.id, "name": "Mine"})),
        ("enroll_totp", json!({"label": "ann"})),
        ("enroll_sms", json!({"number": "+61487654321"})),
        ("renew_backup_codes", json!({})),
        ("show_backup_codes", json!({})),
        ("show_new_backup_codes", json!({"newCodes": "x"})),
        ("confirm_backup_codes", json!({ "set": set })),
    ] {
        (fields["session"], fields["pass"]) = (json!("in"), pass.clone());
        let denied = json!({"result": "denied", "reason": "fresh_factor_required"});
        assert_eq!(person.reply(json!({ name: fields })), denied, "{name}");
    }
    // Nor does an owner issue a recovery code by it.
    let mut bob = Person::new("bob", policy(json!({})));
    (bob.issuer, bob.now) = (person.record.clone(), person.now);
    let issuing = json!({"user": "ann", "session": "in", "pass": pass, "role": "owner"});
    assert_eq!(bob.reply(json!({"issue_recovery_code": {"by": issuing}}))["reason"], "fresh_factor_required");

    let ask = |more: Value| {
        let mut question = json!({"session": "in", "pass": pass});
        question.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        check(&person, question)
    };
    assert_eq!((&ask(json!({}))["result"], &ask(json!({}))["method"]), (&json!("in"), &json!("trusted_browser")));
    assert_eq!(ask(json!({"methods": ["totp", "trusted_browser"]}))["result"], "in");
    for (question, reason) in [
        (json!({"fresh": true}), "too_old"),
        (json!({"maxAge": 2_592_000}), "too_old"),
        (json!({"methods": ["totp", "sms", "backup_code", "recovery_code"]}), "method_not_accepted"),
    ] {
        assert_eq!(ask(question.clone()), json!({"result": "second_step", "reason": reason}), "{question}");
    }
}

#[test]
fn t55_its_pass_tells_what_it_is_and_counts_only_where_the_policy_trusts_browsers() {
    let (mut person, cookie) = trusted();
    let shown_at = person.now - 60;
    person.now += DAY;
    let pass = by(&mut person, &cookie)["pass"].clone();
    let question = CheckPass::parse(&json!({"session": "in", "pass": pass}).to_string()).unwrap();
    let now = UnixSeconds::new(person.now).unwrap();
    let answer = |changes| serde_json::to_value(check_pass(&policy(changes), &person.keys, &person.id(), &question, now)).unwrap();
    let expected = json!({
        "result": "valid", "user": "ann", "method": "trusted_browser", "authTime": shown_at, "expiresAt": person.now + 43_200,
        "acr": "urn:countersign:acr:trusted-browser", "amr": ["pwd"],
    });
    assert_eq!(answer(trusting(30)), expected);
    assert_eq!(answer(trusting(1)), json!({"result": "refused", "reason": "expired"}), "fewer days since");
    assert_eq!(answer(json!({})), json!({"result": "refused", "reason": "method_not_accepted"}));

    person.policy = policy(json!({}));
    let reply = check(&person, json!({"session": "in", "pass": pass}));
    assert_eq!(reply, json!({"result": "second_step", "reason": "method_not_accepted"}));
}

#[test]
fn t55_the_gate_refuses_its_pass_unless_its_policy_trusts_browsers() {
    let (mut person, cookie) = trusted();
    let pass = by(&mut person, &cookie)["pass"].as_str().unwrap().to_owned();
    let by_app = person.log_in("in");
    let outcome = |gate: &mut Gate, path: &str, pass: &str| {
        let headers = headers(path, &[("cookie", &format!("{COOKIE}={pass}; sid=in"))]);
        refused(&judged(judge(gate, &headers, person.now))).map_or("admitted".to_owned(), |(status, reason)| format!("{status} {reason}"))
    };
    assert_eq!(outcome(&mut gate(json!({})), "/", &pass), "401 method_not_accepted");

    let plain = json!({"v": 1, "name": "Acme", "origin": "https://login.acme.example", "trustedBrowser": {"days": 30}});
    let routes = json!([
        {"prefix": "/admin/", "trustedBrowser": false},
        {"prefix": "/pay/", "maxAge": 2_592_000},
        {"prefix": "/keys/", "methods": ["totp", "sms"]},
        {"prefix": "/read/", "methods": ["totp", "trusted_browser"]},
    ]);
    let mut gate = gate(json!({"policy": plain, "routes": routes}));
    for _ in 0..2 {
        // The second time from the cache.
        assert_eq!(outcome(&mut gate, "/", &pass), "admitted");
        assert_eq!(outcome(&mut gate, "/read/x", &pass), "admitted");
        assert_eq!(outcome(&mut gate, "/pay/x", &pass), "401 pass_too_old");
        for path in ["/admin/x", "/keys/x", "/%61dmin/", "/x;/admin"] {
            assert!(["401 method_not_accepted", "401 pass_too_old"].contains(&&*outcome(&mut gate, path, &pass)), "{path}");
        }
        for path in ["/", "/admin/x", "/pay/x", "/keys/x"] {
            assert_eq!(outcome(&mut gate, path, &by_app), "admitted", "{path}");
        }
    }
}

#[test]
fn t55_no_route_of_the_gate_loosens_and_the_gate_verifies_no_trusted_browser() {
    for (changes, path) in [
        (json!({"routes": [{"prefix": "/x/", "trustedBrowser": true}]}), "routes[0].trustedBrowser"),
        (json!({"verify": {"cluster": "c", "authority": "a", "path": "/2fa", "methods": ["trusted_browser"]}}), "verify.methods"),
    ] {
        assert_eq!(parsed(&changes).unwrap_err().path, path);
    }
    // A challenge from a path that asks for a second factor by policy alone: the route asks for one too.
    let optional = json!({"proof": "as_policy", "routes": [{"prefix": "/x/", "trustedBrowser": false}]});
    let asks = |path: &str| refused(&judged(judge(&mut gate(optional.clone()), &headers(path, &[("cookie", "sid=in")]), 1_800_000_000)));
    assert_eq!((asks("/"), asks("/x/")), (None, Some((401, "no_pass".to_owned()))));
}

#[test]
fn t55_the_record_holds_no_secret_of_a_browser_and_a_missing_key_recognizes_none() {
    let (mut person, cookie) = trusted();
    let secret = cookie.split_once('.').unwrap().1;
    for part in [secret, &secret[..21], &secret[22..]] {
        assert!(!person.record.as_ref().unwrap().contains(part));
    }
    let mut record: Value = serde_json::from_str(person.record.as_ref().unwrap()).unwrap();
    for stored in ["lasting", "current"] {
        let taken = format!("{}.{}", &cookie[..12], record["browsers"][0][stored].as_str().unwrap());
        is_refused(&mut person, &taken, "what is stored is no secret");
    }
    record["browsers"][0]["kid"] = json!("gone");
    person.record = Some(record.to_string());
    is_refused(&mut person, &cookie, "the key is not in the ring");
}

#[test]
fn t55_no_event_notice_or_debug_form_holds_a_secret_of_a_browser() {
    let (mut person, first) = trusted();
    let mut texts = Vec::new();
    let mut secrets = vec![first.clone()];
    for code in [&first, &first] {
        let ticket = person.ticket();
        let command = json!({"verify": {"ticket": ticket, "session": "s", "method": "trusted_browser", "code": code}});
        let reply = person.reply(command.clone());
        secrets.extend(reply["browser"]["token"].as_str().map(str::to_owned));
        texts.push(format!("{:?}", countersign::engine::Command::parse(&command.to_string()).unwrap()));
        texts.extend(person.effects.iter().map(|effect| format!("{effect:?} {}", serde_json::to_string(effect).unwrap())));
        person.now += 31;
    }
    assert!(texts.iter().any(|text| text.contains("trusted_browser_copied")));
    assert_eq!(secrets.len(), 2);
    for secret in &secrets {
        assert!(!texts.iter().any(|text| text.contains(secret.split_once('.').unwrap().1)), "{texts:?}");
    }
}

#[test]
fn t55_a_login_by_it_works_while_wrong_codes_wait_and_takes_none_back() {
    let (mut person, cookie) = trusted();
    for _ in 0..20 {
        person.verify("totp", "000000");
    }
    let failures = person.failures();
    assert!(failures > 0);
    assert_eq!(by(&mut person, &cookie)["result"], "verified", "a stranger's wrong codes do not keep the person out");
    assert_eq!(person.failures(), failures);
}
