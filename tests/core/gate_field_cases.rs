//! Inputs that failed in the field at the gate, each by the id of its row. `tests/envoy/field-cases.test.mjs` has
//! the same cases in the real Envoy.

use countersign::gate::{Gate, Outcome, Request, Verdict};
use countersign::policy::Policy;
use countersign::time::UnixSeconds;
use countersign::token::{Pass, TokenError};
use serde_json::{Value, json};

use crate::gate::{COOKIE, config, gate, headers, judge, judged, parsed, refused};
use crate::support::{Person, ann, keys, policy};

type Headers = Vec<(String, Vec<u8>)>;

fn reason(gate: &mut Gate, headers: &Headers, now: u64) -> String {
    refused(&judged(judge(gate, headers, now))).map_or("admitted".to_owned(), |(_, reason)| reason)
}

/// The headers with which an admitted request goes on.
fn handed_on(verdict: Verdict, given: &Headers) -> Headers {
    let judgement = judged(verdict);
    let Outcome::Admit(admission) = &judgement.outcome else { panic!("refused: {judgement:?}") };
    let mut all = given.clone();
    for (name, value) in admission.changes(given) {
        all.retain(|(other, _)| other != name);
        all.extend(value.map(|value| (name.to_owned(), value.to_vec())));
    }
    all
}

fn with_pass(session: &str, pass: &str, more: &[(&str, &str)]) -> Headers {
    let cookie = format!("{COOKIE}={pass}; sid={session}");
    headers("/reports", &[&[("cookie", cookie.as_str())], more].concat())
}

#[test]
fn c1_a_pass_lives_no_longer_than_the_policy_that_checks_it_allows() {
    let lasting = |seconds: u64| policy(json!({"passSeconds": seconds}));
    let mut ann = Person::enrolled("ann", lasting(43_200));
    let pass = ann.log_in("in");
    let signing = keys().signing().clone();
    let open = |policy: &Policy, later: u64| Pass::open(policy, &signing, &pass, UnixSeconds::new(ann.now + later).unwrap());
    for (seconds, lives) in [(43_200, 43_200), (600, 600), (60, 60), (86_400, 43_200)] {
        let policy = lasting(seconds);
        let last = open(&policy, lives - 1).unwrap();
        assert_eq!(last.expires_at().seconds(), ann.now + lives, "{seconds}");
        assert_eq!(open(&policy, lives), Err(TokenError::Expired), "{seconds}");
    }
}

#[test]
fn c1_a_pass_that_one_configuration_found_good_is_checked_anew_by_another() {
    let mut ann = ann();
    let pass = ann.log_in("in");
    let with = |changes: Value| {
        let mut policy = config(&json!({}))["policy"].clone();
        policy.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        // One entry, so that every pass is looked for in the same place.
        gate(json!({"policy": policy, "pass": {"cacheEntries": 1}}))
    };
    let (mut lenient, mut strict, mut other) = (with(json!({})), with(json!({"passSeconds": 600})), with(json!({"audience": "x"})));
    let given = with_pass("in", &pass, &[]);
    let later = ann.now + 700;
    for _ in 0..3 {
        assert_eq!(reason(&mut lenient, &given, later), "admitted");
        assert_eq!(reason(&mut strict, &given, later), "pass_expired");
        assert_eq!(reason(&mut other, &given, later), "pass_invalid");
    }
    // Within one gate, the whole token is the key, its signature included.
    let (start, signature) = pass.rsplit_once('.').unwrap();
    for other in [format!("{start}.B{}", &signature[1..]), format!("{start}.C{}", &signature[1..]), format!("{pass}A"), start.to_owned()] {
        let expected = if other == pass { "admitted" } else { "pass_invalid" };
        assert_eq!(reason(&mut lenient, &with_pass("in", &other, &[]), later), expected, "{other}");
    }
    // A pass in the cache ends when its policy says, and not later.
    assert_eq!(reason(&mut strict, &given, ann.now + 599), "admitted");
    assert_eq!(reason(&mut strict, &given, ann.now + 600), "pass_expired");
}

#[test]
fn t48_the_clock_goes_back_and_a_pass_that_was_found_good_is_from_the_future() {
    let mut ann = ann();
    let pass = ann.log_in("in");
    for entries in [0, 1] {
        let mut gate = gate(json!({"pass": {"cacheEntries": entries}}));
        let mut reason = |now: u64| reason(&mut gate, &with_pass("in", &pass, &[]), now);
        assert_eq!(reason(ann.now), "admitted");
        // Clocks may differ by a minute.
        assert_eq!(reason(ann.now - 60), "admitted");
        assert_eq!(reason(ann.now - 61), "pass_invalid");
        assert_eq!(reason(ann.now), "admitted");
    }
}

#[test]
fn a_pass_that_ended_and_is_of_another_account_has_one_reason_cached_or_not() {
    let mut ann = ann();
    let pass = ann.log_in("in");
    for entries in [0, 1] {
        let mut gate = gate(json!({"accounts": {"one": "acme"}, "pass": {"cacheEntries": entries}}));
        let mut reason = |now: u64| reason(&mut gate, &with_pass("in", &pass, &[]), now);
        assert_eq!(reason(ann.now), "other_account");
        assert_eq!(reason(ann.now + 43_200), "pass_expired");
    }
}

#[test]
fn g4_the_services_own_bearer_token_beside_a_good_pass_is_handed_on() {
    let mut gate = gate(json!({}));
    let mut ann = ann();
    let pass = ann.log_in("in");
    for token in ["Bearer of-the-service", "Bearer eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2ln", "Bearer \u{ff}", "Basic YTpi"] {
        let given = with_pass("in", &pass, &[("authorization", token)]);
        let handed_on = handed_on(judge(&mut gate, &given, ann.now), &given);
        assert!(handed_on.contains(&("authorization".to_owned(), token.as_bytes().to_vec())), "{token}");
        assert!(handed_on.contains(&("x-second-factor-sub".to_owned(), b"ann".to_vec())), "{token}");
    }
    let bearer = format!("Bearer {pass}");
    assert_eq!(reason(&mut gate, &with_pass("in", &pass, &[("authorization", &bearer)]), ann.now), "duplicate_header");
}

const PREFLIGHT: [(&str, &str); 3] =
    [(":method", "OPTIONS"), ("origin", "https://pages.example"), ("access-control-request-method", "PUT")];

fn listed(all: &[(&str, &str)]) -> Headers {
    all.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect()
}

#[test]
fn g6_a_preflight_goes_on_without_credentials_and_nothing_like_it_does() {
    let (mut closed, mut open) = (gate(json!({})), gate(json!({"forwardPreflight": true})));
    let now = ann().now;
    let path = [(":path", "/reports")];
    let preflight = listed(&[&path[..], &PREFLIGHT[..]].concat());
    assert_eq!(reason(&mut closed, &preflight, now), "no_pass");
    let mut given = preflight.clone();
    let credentials = [("cookie", "sid=s; a=b"), ("authorization", "Bearer x"), ("x-otp", "1"), ("x_second_factor_sub", "mallory")];
    given.extend(listed(&credentials));
    assert_eq!(handed_on(judge(&mut open, &given, now), &given), preflight);

    for more in [
        ("origin", "https://other.example"),
        ("access-control-request-method", "GET"),
        (":method", "GET"),
        ("upgrade", "websocket"),
        ("x-http-method-override", "GET"),
        ("x_http_method", "GET"),
        ("x-method-override", "GET"),
    ] {
        let given = [preflight.clone(), listed(&[more])].concat();
        assert_eq!(reason(&mut open, &given, now), "no_pass", "{more:?}");
    }
    for index in 0..PREFLIGHT.len() {
        for value in [None, Some(("", "")), Some(("", "options"))] {
            let mut less = preflight.clone();
            let (name, _) = less.remove(index + 1);
            if let Some((_, value)) = value.filter(|(_, value)| value.is_empty() || name == ":method") {
                less.push((name, value.as_bytes().to_vec()));
            }
            assert_eq!(reason(&mut open, &less, now), "no_pass", "{less:?}");
        }
    }
    let source = || Some(b"192.0.2.1:4711".to_vec());
    let with_body = Request { headers: &preflight, has_body: true, source: &source };
    let judgement = judged(open.judge(&with_body, UnixSeconds::new(now).unwrap()));
    assert_eq!(refused(&judgement), Some((401, "no_pass".to_owned())));

    let mut policy = config(&json!({}))["policy"].clone();
    policy["network"] = json!({"deny": ["192.0.2.0/24"]});
    let mut denying = gate(json!({"forwardPreflight": true, "policy": policy}));
    assert_eq!(reason(&mut denying, &preflight, now), "address_denied");
}

#[test]
fn g7_the_challenge_page_is_told_the_reason_and_the_age() {
    let routes = json!([{"prefix": "/payroll/", "maxAge": 300}]);
    let mut gate = gate(json!({"routes": routes}));
    let mut ann = ann();
    let pass = ann.log_in("in");
    let cookie = format!("{COOKIE}={pass}; sid=in");
    let mut location = |path: &str, cookie: &str, later: u64| {
        let given = headers(path, &[("accept", "text/html"), ("sec-fetch-mode", "navigate"), ("cookie", cookie)]);
        let judgement = judged(judge(&mut gate, &given, ann.now + later));
        let Outcome::Answer(answer) = judgement.outcome else { panic!("admitted") };
        answer.headers.into_iter().find(|(name, _)| *name == "location").unwrap().1
    };
    assert_eq!(location("/x", "sid=in", 0), "/login?next=%2Fx&reason=no_pass");
    assert_eq!(location("/payroll/", "sid=in", 0), "/login?next=%2Fpayroll%2F&reason=no_pass&max_age=300");
    assert_eq!(location("/payroll/", &cookie, 301), "/login?next=%2Fpayroll%2F&reason=pass_too_old&max_age=300");
    assert_eq!(location("/x", &cookie.replace("sid=in", "sid=other"), 0), "/login?next=%2Fx&reason=other_session");
}

#[test]
fn g13_cookie_names_of_https_are_refused_with_an_origin_of_http() {
    let error = |changes: Value| {
        let mut policy = config(&json!({}))["policy"].clone();
        policy["origin"] = json!("http://localhost:10000");
        let mut all = json!({"policy": policy, "pass": {"cookie": "second-factor"}});
        all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        parsed(&all).err().map(|error| error.path)
    };
    assert_eq!(error(json!({})), None);
    assert_eq!(error(json!({"pass": {}})).as_deref(), Some("pass.cookie"), "the default is a name of https");
    for name in ["__Host-x", "__Secure-x", "__host-x", "__SECURE-x"] {
        assert_eq!(error(json!({"pass": {"cookie": name}})).as_deref(), Some("pass.cookie"), "{name}");
        let session = json!({"session": {"cookie": name, "id": "plain"}});
        assert_eq!(error(session.clone()).as_deref(), Some("session.cookie"), "{name}");
        assert!(parsed(&session).is_ok(), "{name} with https");
    }
}

#[test]
fn g15_a_script_is_told_401_and_not_sent_to_a_page() {
    let mut gate = gate(json!({}));
    let mut status = |more: &[(&str, &str)]| refused(&judged(judge(&mut gate, &headers("/", more), ann().now))).unwrap().0;
    let html = ("accept", "text/html, */*");
    let script = ("x-requested-with", "XMLHttpRequest");
    assert_eq!(status(&[html]), 303);
    assert_eq!(status(&[html, script]), 401);
    assert_eq!(status(&[html, ("sec-fetch-mode", "cors"), script]), 401);
    assert_eq!(status(&[html, ("sec-fetch-mode", "navigate"), ("sec-fetch-mode", "cors")]), 401);
    // An app that shows pages names itself in each request; it sends fetch metadata as well.
    assert_eq!(status(&[html, ("sec-fetch-mode", "navigate"), ("x-requested-with", "com.example.app")]), 303);
}
