//! The gate without Envoy: no header and no wrong answer of the storage API admits a request.

use countersign::entropy::Entropy;
use countersign::error::Error;
use countersign::gate::{CallOut, CallOutResponse, Counter, Gate, GateConfig, Judgement, Outcome, Request, Secrets, Verdict, Verification};
use countersign::time::UnixSeconds;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{Person, ann, keys, policy};

pub(crate) const COOKIE: &str = "__Host-second-factor";

pub(crate) fn config(changes: &Value) -> Value {
    let mut config = json!({
        "v": 1,
        "policy": {
            "v": 1, "name": "Acme", "origin": "https://login.acme.example",
            "methods": ["totp", "sms", "backup_code", "recovery_code"],
        },
        "session": {"cookie": "sid", "id": "plain"},
        "challenge": {"page": "/login"},
        "exempt": {"paths": ["/login"]},
        "verify": {"cluster": "login", "authority": "login", "path": "/2fa"},
    });
    for (key, value) in changes.as_object().unwrap() {
        config[key] = value.clone();
    }
    config
}

pub(crate) fn gate(changes: Value) -> Gate {
    Gate::new(parsed(&changes).unwrap())
}

pub(crate) fn parsed(changes: &Value) -> Result<GateConfig, Error> {
    let keys = Some(include_str!("../vectors/keys.json").to_owned());
    let secrets = Secrets { keys, storage_token: Some("a storage token of tests, 32 long".replace(' ', "-")) };
    GateConfig::parse(&config(changes).to_string(), &secrets)
}

pub(crate) fn headers(path: &str, more: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    let all = [(":method", "GET"), (":path", path)];
    all.iter().chain(more).map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect()
}

pub(crate) fn judge(gate: &mut Gate, headers: &[(String, Vec<u8>)], now: u64) -> Verdict {
    let source = || Some(b"192.0.2.1:4711".to_vec());
    gate.judge(&Request { headers, has_body: false, source: &source }, UnixSeconds::new(now).unwrap())
}

pub(crate) fn judged(verdict: Verdict) -> Judgement {
    match verdict {
        Verdict::Judged(judgement) => judgement,
        Verdict::CallOut(..) => panic!("a code is to be verified"),
    }
}

/// Status and reason of a refusal; `None` if the request goes on.
pub(crate) fn refused(judgement: &Judgement) -> Option<(u16, String)> {
    match &judgement.outcome {
        Outcome::Admit(_) => None,
        Outcome::Answer(answer) => {
            let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
            Some((answer.status, body["reason"].as_str().unwrap_or_default().to_owned()))
        }
    }
}

/// Ann's request with the ticket of a new login and the present, unused code.
fn with_code(gate: &mut Gate) -> (Person, CallOut, Box<Verification>) {
    let mut ann = ann();
    ann.now += 60;
    let (ticket, code) = (ann.ticket(), ann.code());
    let headers = headers("/reports", &[("cookie", "sid=s"), ("x-otp", &code), ("x-otp-ticket", &ticket)]);
    match judge(gate, &headers, ann.now) {
        Verdict::CallOut(call_out, verification) => (ann, call_out, verification),
        Verdict::Judged(judgement) => panic!("decided without a call-out: {judgement:?}"),
    }
}

pub(crate) fn answer(gate: &mut Gate, verification: Verification, status: &str, body: &[u8], now: u64) -> Verdict {
    let response = CallOutResponse { status: Some(status.as_bytes()), body: Some(body) };
    gate.continue_verification(verification, &response, UnixSeconds::new(now).unwrap(), Entropy::new([9; 32]))
}

pub(crate) fn stored(ann: &Person) -> String {
    json!({"record": ann.record, "version": 3}).to_string()
}

fn saving(gate: &mut Gate) -> (Person, CallOut, Box<Verification>) {
    let (ann, _, verification) = with_code(gate);
    match answer(gate, *verification, "200", stored(&ann).as_bytes(), ann.now) {
        Verdict::CallOut(call_out, verification) => (ann, call_out, verification),
        Verdict::Judged(judgement) => panic!("decided before the write: {judgement:?}"),
    }
}

pub(crate) fn header<'a>(call_out: &'a CallOut, name: &str) -> &'a str {
    call_out.headers.iter().find(|(given, _)| *given == name).map_or("", |(_, value)| &value.0)
}

#[test]
fn t3_a_code_admits_only_after_its_write_has_landed() {
    let mut gate = gate(json!({}));
    let (ann, call_out, verification) = with_code(&mut gate);
    assert_eq!((header(&call_out, ":method"), header(&call_out, ":path")), ("GET", "/2fa/records/ann"));
    let Verdict::CallOut(call_out, verification) = answer(&mut gate, *verification, "200", stored(&ann).as_bytes(), ann.now) else {
        panic!("decided before the write");
    };
    assert_eq!((header(&call_out, ":method"), header(&call_out, "if-match")), ("PUT", "\"3\""));
    let body: Value = serde_json::from_str(call_out.body.as_deref().unwrap()).unwrap();
    assert!(body["record"].is_string() && body["effects"][0]["log"]["event"] == "code_accepted");
    let Verdict::Judged(judgement) = answer(&mut gate, *verification, "204", b"", ann.now) else { panic!("one more call-out") };
    assert_eq!(judgement.counters, [Counter::Allowed, Counter::VerifyOk]);
    let Outcome::Admit(admission) = &judgement.outcome else { panic!("refused: {judgement:?}") };
    let cookie = &admission.set_cookie().unwrap().0;
    let pass = cookie.strip_prefix("__Host-second-factor=").and_then(|rest| rest.split_once(';')).unwrap().0;

    // The new pass is good for this session and for no other.
    let with = |session: &str| headers("/reports", &[("cookie", &format!("{COOKIE}={pass}; sid={session}"))]);
    assert_eq!(refused(&judged(judge(&mut gate, &with("s"), ann.now))), None);
    assert_eq!(refused(&judged(judge(&mut gate, &with("t"), ann.now))), Some((401, "other_session".to_owned())));
    // A second request with the old record and the same code loses the race, and the new record refuses it.
    let (_, _, verification) = saving(&mut gate);
    let Verdict::CallOut(again, verification) = answer(&mut gate, *verification, "412", b"", ann.now) else { panic!("gave up") };
    assert_eq!(header(&again, ":method"), "GET");
    let record = json!({"record": body["record"], "version": 4}).to_string();
    let Verdict::Judged(judgement) = answer(&mut gate, *verification, "200", record.as_bytes(), ann.now) else {
        panic!("C10: a used code costs no attempt, so nothing is written");
    };
    assert_eq!(refused(&judgement), Some((401, "code_used".to_owned())));
    assert_eq!(judgement.counters, [Counter::Challenged]);
}

#[test]
fn t3_a_race_lost_twice_is_refused() {
    let mut gate = gate(json!({}));
    let (ann, _, verification) = saving(&mut gate);
    let Verdict::CallOut(_, verification) = answer(&mut gate, *verification, "412", b"", ann.now) else { panic!("gave up") };
    let Verdict::CallOut(_, verification) = answer(&mut gate, *verification, "200", stored(&ann).as_bytes(), ann.now) else {
        panic!("gave up");
    };
    let Verdict::Judged(judgement) = answer(&mut gate, *verification, "412", b"", ann.now) else { panic!("a third try") };
    assert_eq!(refused(&judgement), Some((503, "storage_conflict".to_owned())));
}

#[test]
fn t6_no_code_is_computed_while_another_of_the_user_waits_for_its_write() {
    let mut gate = gate(json!({}));
    let (ann, _, first) = saving(&mut gate);
    let loading = |gate: &mut Gate| with_code(gate).2;
    let step = |gate: &mut Gate, verification: Box<Verification>, ann: &Person| {
        answer(gate, *verification, "200", stored(ann).as_bytes(), ann.now)
    };
    // The second reads the record once more, and then it is refused.
    let second = loading(&mut gate);
    let Verdict::CallOut(call_out, second) = step(&mut gate, second, &ann) else { panic!("gave up") };
    assert_eq!(header(&call_out, ":method"), "GET");
    let Verdict::Judged(judgement) = step(&mut gate, second, &ann) else { panic!("computed while the first waits") };
    assert_eq!(refused(&judgement), Some((503, "storage_conflict".to_owned())));
    // Another user does not wait. The lock ends with the write, with a lost race, and when the client disconnects.
    let mut bob = Person::enrolled("bob", ann.policy.clone());
    let of_bob = headers("/reports", &[("cookie", "sid=s"), ("x-otp", "000000"), ("x-otp-ticket", &bob.ticket())]);
    let Verdict::CallOut(_, verification) = judge(&mut gate, &of_bob, bob.now) else { panic!("decided without a call-out") };
    assert!(matches!(step(&mut gate, verification, &bob), Verdict::CallOut(call_out, _) if header(&call_out, ":method") == "PUT"));
    let puts = |gate: &mut Gate| {
        let verification = loading(gate);
        match step(gate, verification, &ann) {
            Verdict::CallOut(call_out, verification) if header(&call_out, ":method") == "PUT" => Some(verification),
            Verdict::CallOut(..) | Verdict::Judged(_) => None,
        }
    };
    assert!(puts(&mut gate).is_none());
    let Verdict::Judged(_) = answer(&mut gate, *first, "204", b"", ann.now) else { panic!("one more call-out") };
    let lost = puts(&mut gate).expect("the first write has ended");
    let Verdict::CallOut(..) = answer(&mut gate, *lost, "412", b"", ann.now) else { panic!("gave up") };
    let left = puts(&mut gate).expect("the race was lost");
    drop(left);
    assert!(puts(&mut gate).is_some(), "the client has disconnected");
    // A code that costs no attempt takes no lock.
    let malformed = headers("/reports", &[("cookie", "sid=s"), ("x-otp", "1234567"), ("x-otp-ticket", &ann.clone().ticket())]);
    let Verdict::CallOut(_, verification) = judge(&mut gate, &malformed, ann.now) else { panic!("decided without a call-out") };
    let Verdict::Judged(judgement) = step(&mut gate, verification, &ann) else { panic!("charged") };
    assert_eq!(refused(&judgement), Some((400, "code_malformed".to_owned())));
    assert!(puts(&mut gate).is_some());
}

#[test]
fn no_wrong_answer_of_the_storage_admits_a_request() {
    let mut gate = gate(json!({}));
    let other = json!({"record": ann().record.map(|record| record.replace("\"ann\"", "\"bob\"")), "version": 3}).to_string();
    let long = format!("{{\"record\":\"{}\",\"version\":3}}", "a".repeat(200_000));
    let good = stored(&ann());
    for (status, body) in [
        ("503", ""),
        ("504", ""),
        ("404", "{\"error\":\"not_found\"}"),
        ("204", ""),
        ("302", ""),
        ("200", ""),
        ("200", "ok"),
        ("200", "{}"),
        ("200", "{\"record\":\"\",\"version\":3}"),
        ("200", "{\"record\":\"{}\",\"version\":3}"),
        ("200", "{\"record\":{},\"version\":3}"),
        ("200", &good.replace(":3}", ":\"3\"}")),
        ("200", &good.replace(":3}", ":-3}")),
        ("200", &good.replace(":3}", ":3.5}")),
        ("200", &good.replace(":3}", ":3,\"version\":4}")),
        ("200", &good.replace(":3}", ":3,\"more\":1}")),
        ("200", &other),
        ("200", &long),
        ("0200", &good),
        ("201", &good),
        ("", &good),
    ] {
        let (ann, _, verification) = with_code(&mut gate);
        match answer(&mut gate, *verification, status, body.as_bytes(), ann.now) {
            Verdict::Judged(judgement) => assert_eq!(refused(&judgement), Some((503, "storage_failed".to_owned())), "{status} {body:.60}"),
            Verdict::CallOut(..) => panic!("accepted {status} {body:.60}"),
        }
    }
    for (status, body) in
        [("200", ""), ("200", "{}"), ("201", ""), ("202", ""), ("400", ""), ("409", ""), ("500", ""), ("503", ""), ("", "")]
    {
        let (ann, _, verification) = saving(&mut gate);
        match answer(&mut gate, *verification, status, body.as_bytes(), ann.now) {
            Verdict::Judged(judgement) => {
                assert_eq!(refused(&judgement), Some((503, "storage_failed".to_owned())), "{status}");
                assert_eq!(judgement.counters.last(), Some(&Counter::CalloutError));
            }
            Verdict::CallOut(..) => panic!("went on after {status}"),
        }
    }
}

/// A gate with a revocation list, and Ann with a pass of session `in` and a ticket of session `s`.
struct Revoking {
    gate: Gate,
    ann: Person,
    with_pass: Vec<(String, Vec<u8>)>,
    with_code: Vec<(String, Vec<u8>)>,
}

impl Revoking {
    fn new() -> Self {
        let source = json!({"cluster": "login", "authority": "login", "path": "/2fa/revoked", "everySeconds": 10, "maxStaleSeconds": 60});
        let mut ann = ann();
        ann.now += 60;
        let pass = ann.log_in("in");
        ann.now += 30;
        let (ticket, code) = (ann.ticket(), ann.code());
        Self {
            gate: gate(json!({"revocation": source})),
            with_pass: headers("/reports", &[("cookie", &format!("{COOKIE}={pass}; sid=in"))]),
            with_code: headers("/reports", &[("cookie", "sid=s"), ("x-otp", &code), ("x-otp-ticket", &ticket)]),
            ann,
        }
    }

    /// Gives the gate this list, `later` seconds after the ticket was made.
    fn list(&mut self, list: &str, later: u64) -> bool {
        let response = CallOutResponse { status: Some(b"200"), body: Some(list.as_bytes()) };
        self.gate.take_revocations(&response, UnixSeconds::new(self.ann.now + later).unwrap())
    }

    fn outcome(&mut self, headers: &[(String, Vec<u8>)], later: u64) -> String {
        match judge(&mut self.gate, headers, self.ann.now + later) {
            Verdict::Judged(judgement) => refused(&judgement).map_or("admitted".to_owned(), |(_, reason)| reason),
            Verdict::CallOut(..) => "to be verified".to_owned(),
        }
    }

    fn pass(&mut self, later: u64) -> String {
        let headers = self.with_pass.clone();
        self.outcome(&headers, later)
    }

    fn code(&mut self, later: u64) -> String {
        let headers = self.with_code.clone();
        self.outcome(&headers, later)
    }

    /// Verifies Ann's code, with this list arriving between the comparison and the end of the write.
    fn verified(&mut self, meanwhile: &str, later: u64) -> Judgement {
        let now = self.ann.now + later;
        let Verdict::CallOut(_, verification) = judge(&mut self.gate, &self.with_code, self.ann.now) else {
            panic!("decided without a call-out")
        };
        let body = stored(&self.ann);
        let Verdict::CallOut(_, verification) = answer(&mut self.gate, *verification, "200", body.as_bytes(), self.ann.now) else {
            panic!("decided before the write");
        };
        assert!(self.list(meanwhile, later));
        match answer(&mut self.gate, *verification, "204", b"", now) {
            Verdict::Judged(judgement) => judgement,
            Verdict::CallOut(..) => panic!("one more call-out"),
        }
    }
}

const NOTHING_REVOKED: &str = r#"{"v":1}"#;

#[test]
fn a_revoked_session_gets_no_pass_from_its_ticket_and_keeps_none() {
    let mut all = Revoking::new();
    assert_eq!((all.pass(0).as_str(), all.code(0).as_str()), ("revocation_stale", "revocation_stale"), "before the first list");
    assert!(all.list(r#"{"v":1,"sessions":["other"],"users":{"bob":1900000000}}"#, 0));
    assert_eq!((all.pass(0).as_str(), all.code(0).as_str()), ("admitted", "to be verified"));
    assert_eq!(all.pass(60), "admitted");
    assert_eq!((all.pass(61).as_str(), all.code(61).as_str()), ("revocation_stale", "revocation_stale"), "after the last list");
    // The clock was set back, so the age of the list is unknown.
    all.ann.now -= 61;
    assert_eq!(all.pass(0), "revocation_stale");
    all.ann.now += 61;
    for bad in ["", "[]", r#"{"v":2}"#, r#"{"v":1,"sessions":"s"}"#, r#"{"v":1,"more":[]}"#] {
        assert!(!all.list(bad, 61), "{bad}");
    }
    assert!(all.list(r#"{"v":1,"sessions":["in","s"]}"#, 0));
    assert_eq!((all.pass(0).as_str(), all.code(0).as_str()), ("pass_revoked", "pass_revoked"));
}

#[test]
fn a_revoked_user_keeps_neither_pass_nor_ticket_from_before() {
    let mut all = Revoking::new();
    let at = all.ann.now;
    for (until, pass, code) in [
        (at - 31, "admitted", "to be verified"),
        (at - 30, "pass_revoked", "to be verified"),
        (at - 1, "pass_revoked", "to be verified"),
        (at, "pass_revoked", "pass_revoked"),
        (at + 60, "pass_revoked", "pass_revoked"),
    ] {
        assert!(all.list(&json!({"v": 1, "users": {"ann": until}}).to_string(), 0));
        assert_eq!((all.pass(0).as_str(), all.code(0).as_str()), (pass, code), "{until}");
        assert!(all.list(&json!({"v": 1, "users": {"bob": until}}).to_string(), 0));
        assert_eq!((all.pass(0).as_str(), all.code(0).as_str()), ("admitted", "to be verified"), "a user who is not revoked");
    }
}

#[test]
fn a_session_that_ends_while_its_code_is_verified_gets_no_pass() {
    for (meanwhile, later, expected) in [
        (NOTHING_REVOKED, 5, None),
        (r#"{"v":1,"sessions":["s"]}"#, 5, Some((401, "pass_revoked".to_owned()))),
        (r#"{"v":1,"users":{"ann":1900000000}}"#, 5, Some((401, "pass_revoked".to_owned()))),
    ] {
        let mut all = Revoking::new();
        assert!(all.list(NOTHING_REVOKED, 0));
        assert_eq!(refused(&all.verified(meanwhile, later)), expected, "{meanwhile}");
    }
}

#[test]
fn t19_no_cookie_stands_for_the_session_of_a_pass_that_the_gate_made() {
    let mut all = Revoking::new();
    assert!(all.list(NOTHING_REVOKED, 0));
    let judgement = all.verified(NOTHING_REVOKED, 0);
    let Outcome::Admit(admission) = &judgement.outcome else { panic!("refused: {judgement:?}") };
    let pass = admission.set_cookie().unwrap().0.split([';', '=']).nth(1).unwrap().to_owned();
    let claims = data_encoding::BASE64URL_NOPAD.decode(pass.split('.').nth(1).unwrap().as_bytes()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    let sid = claims["sid"].as_str().unwrap();
    let with = |cookie: &str| headers("/reports", &[("cookie", &format!("{COOKIE}={pass}; sid={cookie}"))]);
    assert_eq!(all.outcome(&with("s"), 0), "admitted");
    // The session named in the pass is on no revocation list, so it must not work as a cookie.
    assert_eq!(all.outcome(&with(sid), 0), "no_session");
    assert_eq!(all.outcome(&with(&sid.to_uppercase()), 0), "other_session");
    assert!(all.list(r#"{"v":1,"sessions":["s"]}"#, 0));
    assert_eq!(all.outcome(&with("s"), 0), "pass_revoked");
    assert_eq!(all.outcome(&with(sid), 0), "no_session");
}

#[test]
fn t26_a_cookie_that_another_parser_takes_for_the_session_is_a_second_one() {
    let mut gate = gate(json!({}));
    let ann = ann();
    let pass = ann.clone().log_in("mine");
    for cookie in ANOTHER_READING {
        for all in [format!("{cookie}; sid=mine; {COOKIE}={pass}"), format!("{COOKIE}={pass}; sid=mine; a=b; {cookie}")] {
            let judgement = judged(judge(&mut gate, &headers("/reports", &[("cookie", &all)]), ann.now));
            assert_eq!(refused(&judgement), Some((400, "duplicate_header".to_owned())), "{cookie:?}");
        }
    }
    for cookie in ["xsid=v", "sid2=v", "my_sid=v", "sid", "a=sid=v", "a=xsid=v", "a=b;", "=", "a=\"b\"", "csrf=c2lk=="] {
        let all = format!("{cookie}; sid=mine; {COOKIE}={pass}");
        let judgement = judged(judge(&mut gate, &headers("/reports", &[("cookie", &all)]), ann.now));
        assert_eq!(refused(&judgement), None, "{cookie:?}");
    }
}

#[test]
fn t26_a_second_session_is_refused_beside_a_forwarded_pass() {
    let mut gate = gate(json!({"pass": {"forward": true}}));
    let mut ann = ann();
    ann.now += 60;
    let (ticket, code) = (ann.ticket(), ann.code());
    for cookie in ["sid=s; __Host-second-factor=x sid=victim", "__Host-second-factor=x,sid=victim; sid=s"] {
        let given = headers("/reports", &[("cookie", cookie), ("x-otp", &code), ("x-otp-ticket", &ticket)]);
        assert_eq!(refused(&judged(judge(&mut gate, &given, ann.now))), Some((400, "duplicate_header".to_owned())), "{cookie}");
    }
}

/// Cookies that one parser or another takes for `sid`.
const ANOTHER_READING: [&str; 22] = [
    "sid=v",
    "sid =v",
    "sid\t=v",
    "\u{a0}sid=v",
    "sid\u{85}=v",
    "\u{b}sid=v",
    "SID=v",
    "Sid =v",
    "=sid=v",
    "==sid=v",
    "\"sid\"=v",
    "s id=v",
    "%73id=v",
    "s%69%64=v",
    "sid%20=v",
    "sid[]=v",
    "a=b sid=v",
    "a=b,sid=v",
    "a=b, SID =v",
    "a=\"b\"sid=v",
    "$Version=1,sid=v",
    "a=b c=d sid\t=v",
];

#[test]
fn t27_a_stricter_route_needs_a_pass_where_the_policy_asks_for_none() {
    let routes = json!([{"prefix": "/payroll/", "maxAge": 300}, {"path": "/pay", "methods": ["totp"]}]);
    let mut gate = gate(json!({"proof": "as_policy", "routes": routes, "apiPaths": {"prefixes": ["/payroll/api/", "/api/"]}}));
    let mut ann = ann();
    let pass = ann.log_in("in");
    let cookie = format!("{COOKIE}={pass}; sid=in");
    let mut reason = |path: &str, more: &[(&str, &str)], later: u64| {
        refused(&judged(judge(&mut gate, &headers(path, more), ann.now + later))).map(|(_, reason)| reason)
    };
    for path in ["/", "/reports"] {
        assert_eq!(reason(path, &[], 0), None, "{path}");
    }
    for path in ["/payroll/", "/Payroll", "/pay", "//pay"] {
        assert_eq!(reason(path, &[], 0).as_deref(), Some("no_pass"), "{path}");
        assert_eq!(reason(path, &[("cookie", &cookie)], 0), None, "{path}");
        assert_eq!(reason(path, &[("cookie", &cookie.replace("sid=in", "sid=other"))], 0).as_deref(), Some("other_session"), "{path}");
    }
    assert_eq!(reason("/payroll/", &[("cookie", &cookie)], 301).as_deref(), Some("pass_too_old"));
    assert_eq!(reason("/reports", &[("cookie", &cookie)], 301), None);
    // Without a forced factor, an API client is admitted from any address, but not on a stricter route.
    assert_eq!(reason("/api/x", &[], 0), None);
    assert_eq!(reason("/payroll/api/x", &[], 0).as_deref(), Some("no_pass"));
}

#[test]
fn the_log_names_the_flaw_of_a_pass_and_the_answer_does_not() {
    let mut gate = gate(json!({}));
    let (mut here, mut elsewhere) = (ann(), Person::enrolled("ann", policy(json!({"origin": "https://acme.example"}))));
    let pass = here.log_in("in");
    let (start, signature) = pass.rsplit_once('.').unwrap();
    let other_key = {
        let header = data_encoding::BASE64URL_NOPAD.encode(br#"{"alg":"EdDSA","typ":"2fa-pass+jwt","kid":"nobodys"}"#);
        format!("{header}.{}.{signature}", pass.split('.').nth(1).unwrap())
    };
    let now = here.now;
    for (token, now, detail) in [
        (pass.clone(), now, None),
        ("x".to_owned(), now, Some("malformed")),
        (here.ticket(), now, Some("not_a_pass")),
        (other_key, now, Some("unknown_key")),
        (format!("{start}.A{}", &signature[1..]), now, Some("wrong_signature")),
        (elsewhere.log_in("in"), now, Some("other_origin")),
        (pass, now - 1_000, Some("from_the_future")),
    ] {
        let mut gate = self::gate(json!({"pass": {"cacheEntries": 0}}));
        let judgement = judged(judge(&mut gate, &headers("/", &[("cookie", &format!("{COOKIE}={token}; sid=in"))]), now));
        let line: Option<Value> = judgement.log.as_deref().map(|line| serde_json::from_str(line).unwrap());
        assert_eq!(line.as_ref().and_then(|line| line["detail"].as_str()), detail, "{token}");
        assert_eq!(refused(&judgement).map(|(_, reason)| reason).as_deref(), detail.map(|_| "pass_invalid"));
        if let (Outcome::Answer(answer), Some(detail)) = (&judgement.outcome, detail) {
            assert!(!answer.body.contains(detail), "{}", answer.body);
        }
    }
    // The log also names the status of the storage API.
    let (ann, _, verification) = with_code(&mut gate);
    let Verdict::Judged(judgement) = answer(&mut gate, *verification, "401", b"", ann.now) else { panic!("went on") };
    assert!(judgement.log.unwrap().contains(r#""detail":"status_401""#));
}

#[test]
fn in_shadow_mode_a_refused_request_goes_on_and_is_counted() {
    let mut gate = gate(json!({"mode": "shadow"}));
    let given = headers("/reports", &[("x-second-factor-sub", "mallory"), ("accept", "text/html")]);
    let judgement = judged(judge(&mut gate, &given, ann().now));
    assert_eq!(judgement.counters, [Counter::Challenged, Counter::ShadowWouldDeny]);
    let Outcome::Admit(admission) = &judgement.outcome else { panic!("stopped") };
    assert_eq!(admission.changes(&given), [("x-second-factor-sub", None)]);
    let line: Value = serde_json::from_str(judgement.log.as_deref().unwrap()).unwrap();
    assert_eq!(
        line,
        json!({"verdict": "challenged", "reason": "no_pass", "status": 303, "ip": "192.0.2.1", "method": "GET",
        "path": "/reports", "mode": "shadow"})
    );
}

/// A gate with only the keys of its configuration, or the error's path and message.
fn with_jwks(jwks: &Value) -> Result<Gate, (String, String)> {
    let config = config(&json!({"jwks": jwks, "verify": null}));
    GateConfig::parse(&config.to_string(), &Secrets::default()).map(Gate::new).map_err(|error| (error.path, error.message))
}

#[test]
fn the_jwk_set_of_the_login_service_verifies_its_passes() {
    let jwks = serde_json::to_value(keys().signing().jwks()).unwrap();
    let mut gate = with_jwks(&jwks).unwrap();
    let mut ann = ann();
    let pass = ann.log_in("in");
    let given = headers("/reports", &[("cookie", &format!("{COOKIE}={pass}; sid=in"))]);
    assert_eq!(refused(&judged(judge(&mut gate, &given, ann.now))), None);
    // Another key with the same name does not verify a pass of the first.
    let mut other = jwks;
    other["keys"][0]["x"] = json!("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    let judgement = judged(judge(&mut with_jwks(&other).unwrap(), &given, ann.now));
    assert!(judgement.log.as_ref().unwrap().contains(r#""detail":"wrong_signature""#), "{judgement:?}");
}

#[test]
fn a_jwk_set_holds_public_keys_and_nothing_else() {
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "k", "x": x});
    let with = |member: &str, value: Value| {
        let mut jwk = jwk.clone();
        jwk[member] = value;
        json!({"keys": [jwk]})
    };
    let without = |member: &str| {
        let mut jwk = jwk.clone();
        jwk.as_object_mut().unwrap().remove(member);
        json!({"keys": [jwk]})
    };
    assert!(with_jwks(&json!({"keys": [jwk]})).is_ok());
    let private = "is private, and this text is not kept secret; give public keys only, and replace this key";
    let unknown = "unknown member, expected one of `kty`, `crv`, `alg`, `use`, `kid`, `x`";
    for (jwks, path, message) in [
        (with("d", json!("hidden")), "jwks.keys[0].d", private),
        (with("d", json!(["hidden"])), "jwks.keys[0].d", private),
        (json!({"keys": [jwk, {"kty": "oct", "k": "hidden"}]}), "jwks.keys[1].k", private),
        (with("ext", json!(true)), "jwks.keys[0].ext", unknown),
        (with("key_ops", json!(["verify"])), "jwks.keys[0].key_ops", unknown),
        (with("kty", json!("RSA")), "jwks.keys[0].kty", "must be `OKP`"),
        (with("crv", json!("X25519")), "jwks.keys[0].crv", "must be `Ed25519`"),
        (with("alg", json!("none")), "jwks.keys[0].alg", "must be `EdDSA`"),
        (with("use", json!("enc")), "jwks.keys[0].use", "must be `sig`"),
        (with("x", json!(1)), "jwks.keys[0].x", "expected a string"),
        (without("alg"), "jwks.keys[0].alg", "is missing"),
        (without("kid"), "jwks.keys[0].kid", "is missing"),
        (json!({"keys": [jwk, jwk]}), "jwks.keys[1].kid", "two keys have this name; give each its own"),
        (with("x", json!("AA")), "jwks.keys[0].x", "must be 32 bytes in base64url without padding (43 characters)"),
    ] {
        assert_eq!(with_jwks(&jwks).unwrap_err(), (path.to_owned(), message.to_owned()));
    }
    for (jwks, path) in [(json!({"keys": []}), "jwks"), (json!([jwk]), "jwks"), (json!({"keys": {}}), "jwks.keys")] {
        assert_eq!(with_jwks(&jwks).unwrap_err().0, path, "{jwks}");
    }
}

#[test]
fn a_code_is_sent_alone_or_with_its_method() {
    let mut gate = gate(json!({"verify": {
        "cluster": "login", "authority": "login", "path": "/2fa", "methods": ["totp", "sms", "backup_code", "recovery_code"],
    }}));
    let mut ann = ann();
    ann.now += 60;
    let ticket = ann.ticket();
    let app = ann.code();
    for (otp, expected) in [
        (app.clone(), "verified"),
        (format!(" totp {app} "), "verified"),
        (format!("backup_code {}", ann.backup[0]), "verified"),
        // A code without a method is for the app, in any spelling.
        (ann.backup[0].clone(), "code_malformed"),
        (format!("password {app}"), "code_malformed"),
        ("sms 000000".to_owned(), "code_expired"),
        ("recovery_code AAAA".to_owned(), "code_malformed"),
    ] {
        let given = headers("/reports", &[("cookie", "sid=s"), ("x-otp", &otp), ("x-otp-ticket", &ticket)]);
        let Verdict::CallOut(_, verification) = judge(&mut gate, &given, ann.now) else { panic!("{otp}: decided at once") };
        let mut verdict = answer(&mut gate, *verification, "200", stored(&ann).as_bytes(), ann.now);
        if let Verdict::CallOut(_, verification) = verdict {
            verdict = answer(&mut gate, *verification, "204", b"", ann.now);
        }
        let reason = refused(&judged(verdict)).map_or("verified".to_owned(), |(_, reason)| reason);
        assert_eq!(reason, expected, "{otp}");
    }
}

/// Whatever a client sends as code is answered as a mistake of the client's, with the field and the form of a right one.
#[test]
fn c12_a_code_header_of_any_form_is_answered() {
    let mut gate = gate(json!({"verify": {"cluster": "login", "authority": "login", "path": "/2fa", "methods": ["totp", "backup_code"]}}));
    let mut ann = ann();
    ann.now += 60;
    let ticket = ann.ticket();
    let long = "1".repeat(70_000);
    for otp in [b"\xff\xfe".as_slice(), b"", b" ", b"{}", b"totp", b"sms2 123456", "１２３４５６".as_bytes(), b"12345", long.as_bytes()]
    {
        let mut given = headers("/reports", &[("cookie", "sid=s"), ("x-otp-ticket", &ticket)]);
        given.push(("x-otp".to_owned(), otp.to_vec()));
        let verdict = match judge(&mut gate, &given, ann.now) {
            Verdict::CallOut(_, verification) => answer(&mut gate, *verification, "200", stored(&ann).as_bytes(), ann.now),
            decided @ Verdict::Judged(_) => decided,
        };
        assert_eq!(refused(&judged(verdict)), Some((400, "code_malformed".to_owned())), "{:?}", String::from_utf8_lossy(otp));
    }
    let given = headers("/reports", &[("cookie", "sid=s"), ("x-otp-ticket", &ticket), ("x-otp", "12345")]);
    let Verdict::CallOut(_, verification) = judge(&mut gate, &given, ann.now) else { panic!("decided at once") };
    let judgement = judged(answer(&mut gate, *verification, "200", stored(&ann).as_bytes(), ann.now));
    let Outcome::Answer(answer) = judgement.outcome else { panic!("admitted") };
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((&body["reply"]["field"], &body["reply"]["digits"]), (&json!("code"), &json!(6)), "{body}");
}

fn any_header() -> impl Strategy<Value = (String, Vec<u8>)> {
    let name = prop_oneof![
        "cookie|authorization|x-otp|x-otp-ticket|accept|x-forwarded-for|sec-fetch-mode|x-second-factor-sub|x_otp|:method|:path",
        "[a-z_-]{1,20}",
    ];
    let value = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..60),
        "(sid=s|__Host-second-factor=[a-zA-Z0-9.]{0,20}|Bearer [a-z.]{0,9}|; |,|sms 123456|[0-9]{6}|text/html|/[a-z%;.]{0,9}){0,5}"
            .prop_map(String::into_bytes),
    ];
    (name, value)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// T28: every set of headers without a good pass is refused, with one line of JSON in the log.
    #[test]
    fn t28_no_headers_pass_the_gate_or_make_it_panic(mut more in proptest::collection::vec(any_header(), 0..12), path in "/[a-z/%;.\\\\?=-]{0,20}") {
        let mut gate = gate(json!({"exempt": {"paths": ["/login"]}, "challenge": {"page": "/login"}}));
        let mut all = headers(&path, &[]);
        all.append(&mut more);
        let last = all.iter().rev().find(|(name, _)| name == ":path").map(|(_, value)| value.clone()).unwrap_or_default();
        prop_assume!(!last.starts_with(b"/login"));
        let judgement = judged(judge(&mut gate, &all, ann().now));
        prop_assert!(refused(&judgement).is_some());
        let line = judgement.log.unwrap();
        prop_assert!(!line.contains('\n') && serde_json::from_str::<Value>(&line).is_ok());
    }
}
