//! The layers of `src` hold: each module uses only those before it.

use std::path::Path;

const LAYERS: [&str; 31] = [
    "error",
    "json",
    "time",
    "ids",
    "secret_text",
    "encoding",
    "mac",
    "entropy",
    "keys",
    "client_ip",
    "network",
    "origin",
    "phone",
    "sms_text",
    "typed_code",
    "hashed_codes",
    "totp",
    "otpauth",
    "qr",
    "print",
    "lockout",
    "policy",
    "record",
    "token",
    "event",
    "notice",
    "effect",
    "engine",
    "gate",
    "npm",
    "envoy",
];

#[test]
fn each_layer_uses_only_those_before_it() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = 0;
    for (rank, layer) in LAYERS.iter().enumerate() {
        let file = source.join(format!("{layer}.rs"));
        let folder = source.join(layer);
        let files: Vec<_> =
            if file.exists() { vec![file] } else { std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect() };
        for file in files {
            seen += 1;
            let text = std::fs::read_to_string(&file).unwrap();
            for used in text.match_indices("crate::").map(|(at, _)| &text[at + 7..]) {
                let name: String = used.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                let Some(other) = LAYERS.iter().position(|l| *l == name) else { panic!("{}: `{name}` is in no layer", file.display()) };
                assert!(other <= rank, "{}: {layer} must not use {name}", file.display());
            }
        }
    }
    let modules = std::fs::read_dir(&source).unwrap().count() - 1;
    assert_eq!(modules, LAYERS.len(), "a module is missing from the list");
    assert!(seen >= LAYERS.len());
}
