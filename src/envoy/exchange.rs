//! One request and its response: headers to the gate, and its verdict to Envoy.

use std::rc::Rc;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, LogLevel, MapType};

use crate::gate::{Admission, CallOut, Judgement, Outcome, Request, Verdict, Verification, is_refused_as_trailer};

use super::host::{dispatch, entropy, log, now, refuse, send, with_response};
use super::running::Running;

pub(super) struct Exchange {
    running: Option<Rc<Running>>,
    /// The verification that waits for a call-out.
    verification: Option<Box<Verification>>,
    is_admitted: bool,
    set_cookie: Option<String>,
}

impl Context for Exchange {
    fn on_http_call_response(&mut self, _: u32, _: usize, body_size: usize, _: usize) {
        let (Some(running), Some(verification)) = (self.running.clone(), self.verification.take()) else { return };
        let Some(entropy) = entropy() else {
            let judgement = running.gate.borrow().give_up(&verification);
            return self.resume(&running, judgement);
        };
        let verdict =
            with_response(body_size, |response| running.gate.borrow_mut().continue_verification(*verification, response, now(), entropy));
        if let Some(judgement) = self.judgement(&running, verdict) {
            self.resume(&running, judgement);
        }
    }
}

impl HttpContext for Exchange {
    fn on_http_request_headers(&mut self, _: usize, end_of_stream: bool) -> Action {
        let headers = hostcalls::get_map_bytes(MapType::HttpRequestHeaders);
        let (Some(running), Ok(headers)) = (self.running.clone(), headers) else {
            return refuse();
        };
        let source = || hostcalls::get_property(vec!["source", "address"]).ok().flatten();
        let request = Request { headers: &headers, has_body: !end_of_stream, source: &source };
        let verdict = running.gate.borrow_mut().judge(&request, now());
        match self.judgement(&running, verdict) {
            Some(judgement) => self.carry_out(&running, judgement, &headers),
            None => Action::Pause,
        }
    }

    /// Envoy holds the body of a held request by itself. But with `allow_on_headers_stop_iteration` it
    /// asks here, and would let the headers go on with the body.
    fn on_http_request_body(&mut self, _: usize, _: bool) -> Action {
        if self.is_admitted { Action::Continue } else { Action::Pause }
    }

    /// HTTP/2 hands trailers on, and services may read them as headers. Those of a held request come
    /// here once, before it goes on.
    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        let Ok(trailers) = hostcalls::get_map_bytes(MapType::HttpRequestTrailers) else {
            return refuse();
        };
        let remove = |(name, _): &(String, Vec<u8>)| hostcalls::set_map_value_bytes(MapType::HttpRequestTrailers, name, None).is_ok();
        if !trailers.iter().filter(|(name, _)| is_refused_as_trailer(name)).all(remove) {
            return refuse();
        }
        if self.is_admitted { Action::Continue } else { Action::Pause }
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
    pub(super) const fn new(running: Option<Rc<Running>>) -> Self {
        Self { running, verification: None, is_admitted: false, set_cookie: None }
    }

    /// The judgement, once there is one; until then the request is held and a call-out is under way.
    fn judgement(&mut self, running: &Running, verdict: Verdict) -> Option<Judgement> {
        match verdict {
            Verdict::Judged(judgement) => Some(judgement),
            Verdict::CallOut(call_out, verification) => self.call(running, &call_out, verification),
        }
    }

    /// Makes a call-out and keeps the verification until the response. Gives a judgement if the call-out fails.
    fn call(&mut self, running: &Running, call_out: &CallOut, verification: Box<Verification>) -> Option<Judgement> {
        if dispatch(self, call_out) {
            self.verification = Some(verification);
            None
        } else {
            Some(running.gate.borrow().give_up(&verification))
        }
    }

    /// Ends the hold of a request, which goes on only if it was admitted.
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

    /// Changes the headers and lets the request go on. If a header cannot be changed, it is refused.
    fn admit(&mut self, admission: &Admission, headers: &[(String, Vec<u8>)]) -> Action {
        let changes = admission.changes(headers);
        let set = |(name, value): &(&str, Option<&[u8]>)| hostcalls::set_map_value_bytes(MapType::HttpRequestHeaders, name, *value).is_ok();
        if !changes.iter().all(set) {
            return refuse();
        }
        self.set_cookie = admission.set_cookie().map(|cookie| cookie.0.clone());
        self.is_admitted = true;
        Action::Continue
    }
}
