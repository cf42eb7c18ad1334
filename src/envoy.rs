//! The Envoy shell: a proxy-wasm filter around the [gate](crate::gate). It translates and decides
//! nothing.
//!
//! A trap in a filter is an outage, so nothing here may panic: headers and bodies are read as
//! bytes by the fallible calls of the SDK, whose convenience getters unwrap. Whenever the host
//! does not do what it is asked, the request is refused.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, BufferType, ContextType, LogLevel, MapType, MetricType};

use crate::entropy::Entropy;
use crate::gate::{
    Admission, Answer, CallOut, CallOutResponse, Counter, Gate, GateConfig, Judgement, Outcome, Progress, Request, Secrets, Verdict,
    Verification, is_ours,
};
use crate::time::UnixSeconds;

mod start {
    proxy_wasm::main! {{
        proxy_wasm::set_root_context(|_| Box::new(super::Filter::default()));
    }}
}

/// Longest body of a call-out that is copied out of Envoy; the gate reads no longer ones.
const MAX_BODY: usize = 4 * 1024 * 1024;
/// Until the first revocation list is asked for. Without one, nobody comes in.
const AT_ONCE: Duration = Duration::from_millis(10);
/// Until it is asked for again, when it could not be had.
const RETRY: Duration = Duration::from_millis(500);

/// The configured filter, one in each worker.
#[derive(Default)]
struct Filter {
    running: Option<Rc<Running>>,
    /// Why the last revocation list could not be had, which was logged.
    list_lost: Option<String>,
}

struct Running {
    gate: RefCell<Gate>,
    metrics: Vec<(Counter, u32)>,
}

impl Filter {
    fn no_list(&mut self, response: &str) {
        if let Some(running) = &self.running {
            running.count(Counter::CalloutError);
        }
        if self.list_lost.as_deref() != Some(response) {
            let why = match response {
                "not_asked" => "does Envoy know `revocation.cluster`?",
                "no_answer" | "status_503" | "status_504" => "no connection or no answer in time, unless the login service said so itself",
                "status_200" => "what came is no list, or too long",
                "status_401" => "does COUNTERSIGN_STORAGE_TOKEN match the login service's?",
                "status_404" => "is `revocation.path` right, and does the login service give `revoked`?",
                _ => "see the login service's log",
            };
            log(LogLevel::Warn, &format!(": the revocation list could not be had ({response}: {why}); trying again until it can"));
        }
        self.list_lost = Some(response.to_owned());
        let _ = hostcalls::set_tick_period(RETRY);
    }

    fn configure(&self) -> Result<Running, String> {
        let text = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, usize::MAX).ok().flatten().unwrap_or_default();
        let text = String::from_utf8(text).map_err(|_| "the configuration is not UTF-8".to_owned())?;
        let config = GateConfig::parse(&text, &secrets()).map_err(|error| error.to_string())?;
        let define = |counter: Counter| hostcalls::define_metric(MetricType::Counter, &counter.name()).ok().map(|id| (counter, id));
        Ok(Running { gate: RefCell::new(Gate::new(config)), metrics: Counter::all().filter_map(define).collect() })
    }
}

#[expect(clippy::disallowed_methods, reason = "this is a shell: secrets come from Envoy's host_env_keys, never from the configuration")]
fn secrets() -> Secrets {
    let read = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    Secrets { keys: read("COUNTERSIGN_KEYS"), storage_token: read("COUNTERSIGN_STORAGE_TOKEN") }
}

impl Context for Filter {
    fn on_http_call_response(&mut self, _: u32, _: usize, body_size: usize, _: usize) {
        let Some(running) = &self.running else { return };
        let (taken, response) =
            with_response(body_size, |response| (running.gate.borrow_mut().take_revocations(response, now()), response.shown()));
        let every = running.gate.borrow().revocation_seconds().map_or(RETRY, |seconds| Duration::from_secs(seconds.into()));
        if taken {
            self.list_lost = None;
            let _ = hostcalls::set_tick_period(every);
        } else {
            self.no_list(&response);
        }
    }
}

impl RootContext for Filter {
    fn on_configure(&mut self, _: usize) -> bool {
        match self.configure() {
            Ok(running) => {
                if running.gate.borrow().revocation_seconds().is_some() {
                    let _ = hostcalls::set_tick_period(AT_ONCE);
                }
                self.running = Some(Rc::new(running));
                true
            }
            // Envoy does not start, or keeps the configuration it has.
            Err(message) => {
                log(LogLevel::Error, &format!(": {message}"));
                false
            }
        }
    }

    fn on_tick(&mut self) {
        let Some(running) = &self.running else { return };
        // One at a time: its answer, or the end of its time, sets when the next is due.
        let _ = hostcalls::set_tick_period(Duration::from_secs(60));
        let call_out = running.gate.borrow().fetch_revocations();
        if call_out.is_some_and(|call_out| !dispatch(self, &call_out)) {
            self.no_list("not_asked");
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Exchange { running: self.running.clone(), verification: None, admitted: false, set_cookie: None }))
    }
}

impl Running {
    fn count(&self, counter: Counter) {
        if let Some((_, id)) = self.metrics.iter().find(|(known, _)| *known == counter) {
            let _ = hostcalls::increment_metric(*id, 1);
        }
    }
}

/// One request and its response.
struct Exchange {
    running: Option<Rc<Running>>,
    verification: Option<Box<Verification>>,
    admitted: bool,
    set_cookie: Option<String>,
}

impl Context for Exchange {
    fn on_http_call_response(&mut self, _: u32, _: usize, body_size: usize, _: usize) {
        let (Some(running), Some(verification)) = (self.running.clone(), self.verification.take()) else { return };
        let Some(entropy) = entropy() else {
            let judgement = verification.given_up(&running.gate.borrow());
            return self.resume(&running, judgement);
        };
        let progress = with_response(body_size, |response| verification.answered(&mut running.gate.borrow_mut(), response, now(), entropy));
        match progress {
            Progress::CallOut(call_out, verification) => {
                if let Some(judgement) = self.call(&running, &call_out, verification) {
                    self.resume(&running, judgement);
                }
            }
            Progress::Judged(judgement) => self.resume(&running, judgement),
        }
    }
}

impl HttpContext for Exchange {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let headers = hostcalls::get_map_bytes(MapType::HttpRequestHeaders);
        let (Some(running), Ok(headers)) = (self.running.clone(), headers) else {
            return refuse();
        };
        let source = || hostcalls::get_property(vec!["source", "address"]).ok().flatten();
        let verdict = running.gate.borrow_mut().judge(&Request { headers: &headers, source: &source }, now());
        match verdict {
            Verdict::Judged(judgement) => self.carry_out(&running, judgement, &headers),
            Verdict::Verify(call_out, verification) => match self.call(&running, &call_out, verification) {
                None => Action::Pause,
                Some(judgement) => self.carry_out(&running, judgement, &headers),
            },
        }
    }

    /// Envoy holds the body of a held request itself, but with `allow_on_headers_stop_iteration` it
    /// asks here, and would let the headers go on with the body.
    fn on_http_request_body(&mut self, _: usize, _: bool) -> Action {
        if self.admitted { Action::Continue } else { Action::Pause }
    }

    /// HTTP/2 hands trailers on, and services may read them as headers. Of a held request they come
    /// here once, before it goes on.
    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        let Ok(trailers) = hostcalls::get_map_bytes(MapType::HttpRequestTrailers) else {
            return refuse();
        };
        let remove = |(name, _): &(String, Vec<u8>)| hostcalls::set_map_value_bytes(MapType::HttpRequestTrailers, name, None).is_ok();
        if !trailers.iter().filter(|(name, _)| is_ours(name)).all(remove) {
            return refuse();
        }
        if self.admitted { Action::Continue } else { Action::Pause }
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        if let Some(cookie) = self.set_cookie.take() {
            let _ = hostcalls::add_map_value(MapType::HttpResponseHeaders, "set-cookie", &cookie);
            let _ = hostcalls::set_map_value(MapType::HttpResponseHeaders, "cache-control", Some("no-store"));
        }
        Action::Continue
    }
}

impl Exchange {
    /// Makes a call-out and keeps the verification until its answer; what it comes to when that
    /// cannot be done.
    fn call(&mut self, running: &Running, call_out: &CallOut, verification: Box<Verification>) -> Option<Judgement> {
        if dispatch(self, call_out) {
            self.verification = Some(verification);
            None
        } else {
            Some(verification.given_up(&running.gate.borrow()))
        }
    }

    /// After a call-out: the request was held, and goes on only if it was admitted.
    fn resume(&mut self, running: &Running, judgement: Judgement) {
        let Ok(headers) = hostcalls::get_map_bytes(MapType::HttpRequestHeaders) else {
            refuse();
            return;
        };
        if self.carry_out(running, judgement, &headers) == Action::Continue {
            let _ = hostcalls::resume_http_request();
        }
    }

    fn carry_out(&mut self, running: &Running, judgement: Judgement, headers: &[(String, Vec<u8>)]) -> Action {
        let Judgement { outcome, counters, log: line } = judgement;
        for counter in counters {
            running.count(counter);
        }
        if let Some(line) = line {
            log(LogLevel::Warn, &format!(" {line}"));
        }
        match outcome {
            Outcome::Admit(admission) => self.admit(&admission, headers),
            Outcome::Answer(answer) => send(&answer),
        }
    }

    /// A header that cannot be changed as it must be ends the request.
    fn admit(&mut self, admission: &Admission, headers: &[(String, Vec<u8>)]) -> Action {
        let changes = admission.changes(headers);
        let set = |(name, value): &(&str, Option<&[u8]>)| hostcalls::set_map_value_bytes(MapType::HttpRequestHeaders, name, *value).is_ok();
        if !changes.iter().all(set) {
            return refuse();
        }
        self.set_cookie = admission.set_cookie().map(|cookie| cookie.0.clone());
        self.admitted = true;
        Action::Continue
    }
}

/// Answers in the upstream's place. The request stays where it is.
fn send(answer: &Answer) -> Action {
    let headers = answer.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let body = (!answer.body.is_empty()).then_some(answer.body.as_bytes());
    let _ = hostcalls::send_http_response(answer.status.into(), headers, body);
    Action::Pause
}

/// The filter cannot do its work.
fn refuse() -> Action {
    send(&Answer { status: 503, headers: vec![("cache-control", "no-store".to_owned())], body: String::new() })
}

fn dispatch(context: &dyn Context, call_out: &CallOut) -> bool {
    let headers = call_out.headers.iter().map(|(name, value)| (*name, value.0.as_str())).collect();
    let timeout = Duration::from_millis(call_out.timeout_ms.into());
    context.dispatch_http_call(&call_out.cluster, headers, call_out.body.as_deref().map(str::as_bytes), Vec::new(), timeout).is_ok()
}

/// What came back for a call-out. A body that is too long is not read.
fn with_response<T>(body_size: usize, job: impl FnOnce(&CallOutResponse<'_>) -> T) -> T {
    let headers = hostcalls::get_map_bytes(MapType::HttpCallResponseHeaders).unwrap_or_default();
    let status = headers.iter().find(|(name, _)| name == ":status").map(|(_, value)| value.as_slice());
    let body = match body_size {
        0 => Some(Vec::new()),
        1..=MAX_BODY => hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, body_size).ok().flatten(),
        _ => None,
    };
    job(&CallOutResponse { status, body: body.as_deref() })
}

/// Envoy's wall clock. One that says nothing is the epoch, at which every token is from the future.
fn now() -> UnixSeconds {
    let since = hostcalls::get_current_time().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.and_then(|since| UnixSeconds::new(since.as_secs())).unwrap_or(UnixSeconds::EPOCH)
}

fn entropy() -> Option<Entropy> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).ok().map(|()| Entropy::new(seed))
}

/// A line of JSON after a space, or a sentence after a colon.
fn log(level: LogLevel, message: &str) {
    let _ = hostcalls::log(level, &format!("countersign{message}"));
}
