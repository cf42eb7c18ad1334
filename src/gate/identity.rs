//! The identity headers, by which the upstream learns who is there: `x-second-factor-sub`,
//! `-account` where there is one, `-amr`, `-method` and `-at`, made from a good pass.

use crate::encoding::percent_encode;
use crate::token::{Pass, amr};

/// A pass found good, and the headers made from it.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) pass: Pass,
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Identity {
    pub(super) fn new(pass: Pass) -> Self {
        let account = pass.subject().account().map(|account| ("x-second-factor-account", header_text(account.as_str())));
        let mut headers = vec![
            ("x-second-factor-sub", header_text(pass.subject().user().as_str())),
            ("x-second-factor-amr", amr(pass.method()).join(",")),
            ("x-second-factor-method", pass.method().as_str().to_owned()),
            ("x-second-factor-at", pass.auth_time().seconds().to_string()),
        ];
        headers.extend(account);
        Self { pass, headers }
    }
}

/// Visible ASCII characters as they are, all others and `%` percent-encoded.
fn header_text(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        if character.is_ascii_graphic() && character != '%' {
            out.push(character);
        } else {
            percent_encode(&mut out, character.encode_utf8(&mut [0; 4]));
        }
    }
    out
}
