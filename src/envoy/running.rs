//! A running gate and its metrics, shared by the filter and its requests.

use std::cell::RefCell;

use proxy_wasm::hostcalls;
use proxy_wasm::types::MetricType;

use crate::gate::{Counter, Gate};

pub(super) struct Running {
    pub(super) gate: RefCell<Gate>,
    metrics: Vec<(Counter, u32)>,
}

impl Running {
    pub(super) fn new(gate: Gate) -> Self {
        let define = |counter: Counter| hostcalls::define_metric(MetricType::Counter, &counter.name()).ok().map(|id| (counter, id));
        Self { gate: RefCell::new(gate), metrics: Counter::all().filter_map(define).collect() }
    }

    pub(super) fn count(&self, counter: Counter) {
        if let Some((_, id)) = self.metrics.iter().find(|(known, _)| *known == counter) {
            let _ = hostcalls::increment_metric(*id, 1);
        }
    }
}
