//! The gate configurations of the documentation: the gate's own parser takes each of them.

use std::path::Path;

use countersign::gate::{GateConfig, Secrets};

const MARK: &str = "<!-- gate configuration -->\n";

#[test]
fn the_gate_takes_every_configuration_that_the_documentation_shows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guides = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = guides.chain([root.join("README.md")]).filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let mut seen = 0;
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        for (at, _) in text.match_indices(MARK) {
            seen += 1;
            let json = configuration(&text[at + MARK.len()..]);
            let secrets = Secrets { keys: None, storage_token: None };
            if let Err(error) = GateConfig::parse(&json, &secrets) {
                panic!("{}: `{}` {}\n{json}", page.display(), error.path, error.message);
            }
        }
    }
    assert!(seen >= 2, "a page shows a configuration");
}

/// The JSON in the block at the beginning of a text: the block itself, or the text at `value: |` in YAML.
fn configuration(text: &str) -> String {
    let (fence, rest) = text.split_once('\n').unwrap();
    let (block, _) = rest.split_once("\n```").unwrap();
    match fence {
        "```json" => block.to_owned(),
        "```yaml" => block.split_once("value: |\n").unwrap().1.to_owned(),
        other => panic!("`{other}` is no language of a configuration"),
    }
}
