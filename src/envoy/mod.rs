//! The Envoy shell: a proxy-wasm filter around the [gate](crate::gate). It translates and decides
//! nothing.
//!
//! A trap in a filter is an outage, so nothing here may panic: headers and bodies are read as
//! bytes by the fallible calls of the SDK, whose convenience getters unwrap. Whenever a call
//! into Envoy fails, the request is refused.
//!
//! Files, each using only those before it: `host → running → exchange → filter → mod`.

mod exchange;
mod filter;
mod host;
mod running;

mod start {
    proxy_wasm::main! {{
        proxy_wasm::set_root_context(|_| Box::new(crate::envoy::filter::Filter::default()));
    }}
}
