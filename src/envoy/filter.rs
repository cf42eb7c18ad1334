//! The filter of a worker: configuration and secrets, and the revocation list.

use std::rc::Rc;
use std::time::Duration;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{BufferType, ContextType, LogLevel};

use crate::gate::{Counter, Gate, GateConfig, Secrets};

use super::exchange::Exchange;
use super::host::{dispatch, log, now, with_response};
use super::running::Running;

/// Time until the first revocation list is asked for. Before it is there, every pass is refused.
const AT_ONCE: Duration = Duration::from_millis(10);
/// Time until the list is asked for again after a failure.
const RETRY: Duration = Duration::from_millis(500);

/// The filter, one in each worker.
#[derive(Default)]
pub(super) struct Filter {
    running: Option<Rc<Running>>,
    /// The last failure to get the revocation list that was logged.
    list_failure: Option<String>,
}

impl Filter {
    fn configure() -> Result<Running, String> {
        let text = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, usize::MAX).ok().flatten().unwrap_or_default();
        let text = String::from_utf8(text).map_err(|_| "the configuration is not UTF-8".to_owned())?;
        let config = GateConfig::parse(&text, &secrets()).map_err(|error| error.to_string())?;
        Ok(Running::new(Gate::new(config)))
    }

    /// Asks for the list again soon. The same failure is logged once.
    fn list_failed(&mut self, response: &str) {
        if let Some(running) = &self.running {
            running.count(Counter::CalloutError);
        }
        if self.list_failure.as_deref() != Some(response) {
            let hint = match response {
                "not_asked" => "does Envoy know `revocation.cluster`?",
                "no_answer" | "status_503" | "status_504" => "no connection or no answer in time, unless the login service said so itself",
                "status_200" => "the response is no list, or too long",
                "status_401" => "does COUNTERSIGN_STORAGE_TOKEN match the login service's?",
                "status_404" => "is `revocation.path` right, and does the login service give `revoked`?",
                _ => "see the login service's log",
            };
            log(LogLevel::Warn, &format!(": the revocation list could not be had ({response}: {hint}); trying again until it can"));
        }
        self.list_failure = Some(response.to_owned());
        let _ = hostcalls::set_tick_period(RETRY);
    }
}

#[expect(clippy::disallowed_methods, reason = "this is a shell: secrets come from Envoy's host_env_keys, never from the configuration")]
fn secrets() -> Secrets {
    let read = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    Secrets { keys: read("COUNTERSIGN_KEYS"), storage_token: read("COUNTERSIGN_STORAGE_TOKEN") }
}

impl Context for Filter {
    /// The revocation list arrives, or fails to.
    fn on_http_call_response(&mut self, _: u32, _: usize, body_size: usize, _: usize) {
        let Some(running) = &self.running else { return };
        let (taken, response) =
            with_response(body_size, |response| (running.gate.borrow_mut().take_revocations(response, now()), response.shown()));
        let every = running.gate.borrow().revocation_seconds().map_or(RETRY, |seconds| Duration::from_secs(seconds.into()));
        if taken {
            self.list_failure = None;
            let _ = hostcalls::set_tick_period(every);
        } else {
            self.list_failed(&response);
        }
    }
}

impl RootContext for Filter {
    fn on_configure(&mut self, _: usize) -> bool {
        match Self::configure() {
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
        // One call-out at a time: its response or time-out sets when the next is due.
        let _ = hostcalls::set_tick_period(Duration::from_secs(60));
        let call_out = running.gate.borrow().fetch_revocations();
        if call_out.is_some_and(|call_out| !dispatch(self, &call_out)) {
            self.list_failed("not_asked");
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Exchange::new(self.running.clone())))
    }
}
