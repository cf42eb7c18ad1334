//! The gate without Envoy: no header and no answer of a storage opens it.

use countersign::entropy::Entropy;
use countersign::gate::{
    CallOut, CallOutResponse, Counter, Gate, GateConfig, Judgement, Outcome, Progress, Request, Secrets, Verdict, Verification,
};
use countersign::time::UnixSeconds;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{Person, ann, policy};

const COOKIE: &str = "__Host-second-factor";

fn gate(changes: Value) -> Gate {
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
    let keys = Some(include_str!("../vectors/keys.json").to_owned());
    let secrets = Secrets { keys, storage_token: Some("a storage token of tests, 32 long".replace(' ', "-")) };
    Gate::new(GateConfig::parse(&config.to_string(), &secrets).unwrap())
}

fn headers(path: &str, more: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    let all = [(":method", "GET"), (":path", path)];
    all.iter().chain(more).map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect()
}

fn judge(gate: &mut Gate, headers: &[(String, Vec<u8>)], now: u64) -> Verdict {
    let source = || Some(b"192.0.2.1:4711".to_vec());
    gate.judge(&Request { headers, source: &source }, UnixSeconds::new(now).unwrap())
}

fn judged(verdict: Verdict) -> Judgement {
    match verdict {
        Verdict::Judged(judgement) => judgement,
        Verdict::Verify(..) => panic!("a code is to be verified"),
    }
}

/// `None` when the request goes on, else status and reason.
fn refused(judgement: &Judgement) -> Option<(u16, String)> {
    match &judgement.outcome {
        Outcome::Admit(_) => None,
        Outcome::Answer(answer) => {
            let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
            Some((answer.status, body["reason"].as_str().unwrap_or_default().to_owned()))
        }
    }
}

/// Ann, who has shown a code a while ago, with the ticket of a new login and the code of now.
fn at_the_gate(gate: &mut Gate) -> (Person, CallOut, Box<Verification>) {
    let mut ann = ann();
    ann.now += 60;
    let (ticket, code) = (ann.ticket(), ann.code());
    let headers = headers("/reports", &[("cookie", "sid=s"), ("x-otp", &code), ("x-otp-ticket", &ticket)]);
    match judge(gate, &headers, ann.now) {
        Verdict::Verify(call_out, verification) => (ann, call_out, verification),
        Verdict::Judged(judgement) => panic!("decided at once: {judgement:?}"),
    }
}

fn answer(gate: &mut Gate, verification: Verification, status: &str, body: &[u8], now: u64) -> Progress {
    let response = CallOutResponse { status: Some(status.as_bytes()), body: Some(body) };
    verification.answered(gate, &response, UnixSeconds::new(now).unwrap(), Entropy::new([9; 32]))
}

fn stored(ann: &Person) -> String {
    json!({"record": ann.record, "version": 3}).to_string()
}

fn saving(gate: &mut Gate) -> (Person, CallOut, Box<Verification>) {
    let (ann, _, verification) = at_the_gate(gate);
    match answer(gate, *verification, "200", stored(&ann).as_bytes(), ann.now) {
        Progress::CallOut(call_out, verification) => (ann, call_out, verification),
        Progress::Judged(judgement) => panic!("decided before the write: {judgement:?}"),
    }
}

fn header<'a>(call_out: &'a CallOut, name: &str) -> &'a str {
    call_out.headers.iter().find(|(given, _)| *given == name).map_or("", |(_, value)| &value.0)
}

#[test]
fn t3_a_code_opens_only_after_its_write_has_landed() {
    let mut gate = gate(json!({}));
    let (ann, call_out, verification) = at_the_gate(&mut gate);
    assert_eq!((header(&call_out, ":method"), header(&call_out, ":path")), ("GET", "/2fa/records/ann"));
    let Progress::CallOut(call_out, verification) = answer(&mut gate, *verification, "200", stored(&ann).as_bytes(), ann.now) else {
        panic!("decided before the write");
    };
    assert_eq!((header(&call_out, ":method"), header(&call_out, "if-match")), ("PUT", "\"3\""));
    let body: Value = serde_json::from_str(call_out.body.as_deref().unwrap()).unwrap();
    assert!(body["record"].is_string() && body["effects"][0]["log"]["event"] == "code_accepted");
    let Progress::Judged(judgement) = answer(&mut gate, *verification, "204", b"", ann.now) else { panic!("one more call-out") };
    assert_eq!(judgement.counters, [Counter::Allowed, Counter::VerifyOk]);
    let Outcome::Admit(admission) = &judgement.outcome else { panic!("refused: {judgement:?}") };
    let cookie = &admission.set_cookie().unwrap().0;
    let pass = cookie.strip_prefix("__Host-second-factor=").and_then(|rest| rest.split_once(';')).unwrap().0;

    // The new pass opens for this session and for no other.
    let with = |session: &str| headers("/reports", &[("cookie", &format!("{COOKIE}={pass}; sid={session}"))]);
    assert_eq!(refused(&judged(judge(&mut gate, &with("s"), ann.now))), None);
    assert_eq!(refused(&judged(judge(&mut gate, &with("t"), ann.now))), Some((401, "other_session".to_owned())));
    // The record as it was before knows nothing of it: the same code is a lost race, not a second door.
    let (_, _, verification) = saving(&mut gate);
    let Progress::CallOut(again, verification) = answer(&mut gate, *verification, "412", b"", ann.now) else { panic!("gave up") };
    assert_eq!(header(&again, ":method"), "GET");
    let record = json!({"record": body["record"], "version": 4}).to_string();
    let Progress::CallOut(put, verification) = answer(&mut gate, *verification, "200", record.as_bytes(), ann.now) else {
        panic!("a used code costs an attempt, which is written");
    };
    assert_eq!(header(&put, "if-match"), "\"4\"");
    let Progress::Judged(judgement) = answer(&mut gate, *verification, "204", b"", ann.now) else { panic!("one more call-out") };
    assert_eq!(refused(&judgement), Some((401, "wrong_code".to_owned())));
    assert_eq!(judgement.counters, [Counter::Challenged, Counter::VerifyWrong]);
}

#[test]
fn t3_a_race_lost_twice_is_refused() {
    let mut gate = gate(json!({}));
    let (ann, _, verification) = saving(&mut gate);
    let Progress::CallOut(_, verification) = answer(&mut gate, *verification, "412", b"", ann.now) else { panic!("gave up") };
    let Progress::CallOut(_, verification) = answer(&mut gate, *verification, "200", stored(&ann).as_bytes(), ann.now) else {
        panic!("gave up");
    };
    let Progress::Judged(judgement) = answer(&mut gate, *verification, "412", b"", ann.now) else { panic!("a third try") };
    assert_eq!(refused(&judgement), Some((503, "storage_conflict".to_owned())));
}

#[test]
fn t6_no_code_is_computed_while_another_of_the_user_waits_for_its_write() {
    let mut gate = gate(json!({}));
    let (ann, _, first) = saving(&mut gate);
    let loading = |gate: &mut Gate| at_the_gate(gate).2;
    let step = |gate: &mut Gate, verification: Box<Verification>, ann: &Person| {
        answer(gate, *verification, "200", stored(ann).as_bytes(), ann.now)
    };
    // The second is told to look again, which may be enough, and then to go.
    let second = loading(&mut gate);
    let Progress::CallOut(call_out, second) = step(&mut gate, second, &ann) else { panic!("gave up") };
    assert_eq!(header(&call_out, ":method"), "GET");
    let Progress::Judged(judgement) = step(&mut gate, second, &ann) else { panic!("computed beside the first") };
    assert_eq!(refused(&judgement), Some((503, "storage_conflict".to_owned())));
    // Another user need not wait, and nobody does after a write, a lost race, or when the client went away.
    let mut bob = Person::enrolled("bob", ann.policy.clone());
    let of_bob = headers("/reports", &[("cookie", "sid=s"), ("x-otp", "000000"), ("x-otp-ticket", &bob.ticket())]);
    let Verdict::Verify(_, verification) = judge(&mut gate, &of_bob, bob.now) else { panic!("decided at once") };
    assert!(matches!(step(&mut gate, verification, &bob), Progress::CallOut(call_out, _) if header(&call_out, ":method") == "PUT"));
    let puts = |gate: &mut Gate| {
        let verification = loading(gate);
        match step(gate, verification, &ann) {
            Progress::CallOut(call_out, verification) if header(&call_out, ":method") == "PUT" => Some(verification),
            Progress::CallOut(..) | Progress::Judged(_) => None,
        }
    };
    assert!(puts(&mut gate).is_none());
    let Progress::Judged(_) = answer(&mut gate, *first, "204", b"", ann.now) else { panic!("one more call-out") };
    let lost = puts(&mut gate).expect("written");
    let Progress::CallOut(..) = answer(&mut gate, *lost, "412", b"", ann.now) else { panic!("gave up") };
    let left = puts(&mut gate).expect("lost");
    drop(left);
    assert!(puts(&mut gate).is_some(), "gone away");
    // What costs no attempt takes no turn.
    let malformed = headers("/reports", &[("cookie", "sid=s"), ("x-otp", "1234567"), ("x-otp-ticket", &ann.clone().ticket())]);
    let Verdict::Verify(_, verification) = judge(&mut gate, &malformed, ann.now) else { panic!("decided at once") };
    let Progress::Judged(judgement) = step(&mut gate, verification, &ann) else { panic!("charged") };
    assert_eq!(refused(&judgement), Some((400, "code_malformed".to_owned())));
    assert!(puts(&mut gate).is_some());
}

#[test]
fn no_strange_answer_of_the_storage_opens_the_gate() {
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
        let (ann, _, verification) = at_the_gate(&mut gate);
        match answer(&mut gate, *verification, status, body.as_bytes(), ann.now) {
            Progress::Judged(judgement) => assert_eq!(refused(&judgement), Some((503, "storage_failed".to_owned())), "{status} {body:.60}"),
            Progress::CallOut(..) => panic!("believed {status} {body:.60}"),
        }
    }
    for (status, body) in
        [("200", ""), ("200", "{}"), ("201", ""), ("202", ""), ("400", ""), ("409", ""), ("500", ""), ("503", ""), ("", "")]
    {
        let (ann, _, verification) = saving(&mut gate);
        match answer(&mut gate, *verification, status, body.as_bytes(), ann.now) {
            Progress::Judged(judgement) => {
                assert_eq!(refused(&judgement), Some((503, "storage_failed".to_owned())), "{status}");
                assert_eq!(judgement.counters.last(), Some(&Counter::CalloutError));
            }
            Progress::CallOut(..) => panic!("went on after {status}"),
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

    /// The gate takes this list in, `later` seconds after the ticket was made.
    fn list(&mut self, list: &str, later: u64) -> bool {
        let response = CallOutResponse { status: Some(b"200"), body: Some(list.as_bytes()) };
        self.gate.take_revocations(&response, UnixSeconds::new(self.ann.now + later).unwrap())
    }

    fn outcome(&mut self, headers: &[(String, Vec<u8>)], later: u64) -> String {
        match judge(&mut self.gate, headers, self.ann.now + later) {
            Verdict::Judged(judgement) => refused(&judgement).map_or("admitted".to_owned(), |(_, reason)| reason),
            Verdict::Verify(..) => "to be verified".to_owned(),
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

    /// Ann's code verified, with this list in between the right code and the end of its write.
    fn verified(&mut self, meanwhile: &str, later: u64) -> Judgement {
        let now = self.ann.now + later;
        let Verdict::Verify(_, verification) = judge(&mut self.gate, &self.with_code, self.ann.now) else { panic!("decided at once") };
        let body = stored(&self.ann);
        let Progress::CallOut(_, verification) = answer(&mut self.gate, *verification, "200", body.as_bytes(), self.ann.now) else {
            panic!("decided before the write");
        };
        assert!(self.list(meanwhile, later));
        match answer(&mut self.gate, *verification, "204", b"", now) {
            Progress::Judged(judgement) => judgement,
            Progress::CallOut(..) => panic!("one more call-out"),
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
    assert_eq!((all.pass(61).as_str(), all.code(61).as_str()), ("revocation_stale", "revocation_stale"), "after the last");
    // The clock was set back, and a list of who knows when is there.
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
        assert_eq!((all.pass(0).as_str(), all.code(0).as_str()), ("admitted", "to be verified"), "of another");
    }
}

#[test]
fn a_session_that_ends_while_its_code_is_verified_stays_outside() {
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
fn t19_the_session_of_a_pass_made_here_is_no_cookie() {
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
    // Whoever reads the pass can send what it says, which is on no list.
    assert_eq!(all.outcome(&with(sid), 0), "no_session");
    assert_eq!(all.outcome(&with(&sid.to_uppercase()), 0), "other_session");
    assert!(all.list(r#"{"v":1,"sessions":["s"]}"#, 0));
    assert_eq!(all.outcome(&with("s"), 0), "pass_revoked");
    assert_eq!(all.outcome(&with(sid), 0), "no_session");
}

#[test]
fn t26_a_session_that_another_parser_would_read_comes_twice() {
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
fn t26_no_session_hides_behind_a_pass_that_is_handed_on() {
    let mut gate = gate(json!({"pass": {"forward": true}}));
    let mut ann = ann();
    ann.now += 60;
    let (ticket, code) = (ann.ticket(), ann.code());
    for cookie in ["sid=s; __Host-second-factor=x sid=victim", "__Host-second-factor=x,sid=victim; sid=s"] {
        let given = headers("/reports", &[("cookie", cookie), ("x-otp", &code), ("x-otp-ticket", &ticket)]);
        assert_eq!(refused(&judged(judge(&mut gate, &given, ann.now))), Some((400, "duplicate_header".to_owned())), "{cookie}");
    }
}

/// Cookies in which one parser or another finds one of the name `sid`.
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
    let mut gate = gate(json!({"require": "policy", "routes": routes, "programs": {"prefixes": ["/payroll/api/", "/api/"]}}));
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
    // Unforced, a program comes in from anywhere, but not where a route is stricter.
    assert_eq!(reason("/api/x", &[], 0), None);
    assert_eq!(reason("/payroll/api/x", &[], 0).as_deref(), Some("no_pass"));
}

#[test]
fn the_log_tells_the_operator_what_is_wrong_with_a_pass_and_the_answer_tells_nobody() {
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
    // Of the storage API likewise.
    let (ann, _, verification) = at_the_gate(&mut gate);
    let Progress::Judged(judgement) = answer(&mut gate, *verification, "401", b"", ann.now) else { panic!("went on") };
    assert!(judgement.log.unwrap().contains(r#""detail":"status_401""#));
}

#[test]
fn in_shadow_everything_goes_on_and_is_counted() {
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

    /// T28: whatever the headers are, the answer is a refusal, and one line of JSON in the log.
    #[test]
    fn t28_no_headers_open_the_gate_or_make_it_panic(mut more in proptest::collection::vec(any_header(), 0..12), path in "/[a-z/%;.\\\\?=-]{0,20}") {
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
