//! The order of the source holds: no file uses one further down in `tests/layers.txt`, so that there
//! is no import circle, and no file grows too long.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Most lines of a file.
const MAX_LINES: usize = 500;
/// Most lines of a shell, which only translates.
const MAX_SHELL_LINES: usize = 300;

#[test]
fn each_rust_file_uses_only_those_above_it() {
    let layers = Layers::read("src", "rs");
    layers.assert_complete();
    for (file, text) in &layers.texts {
        for path in rust_paths(text) {
            let Some(used) = layers.rust_file(file, &path) else { continue };
            layers.assert_above(file, &used);
        }
    }
}

#[test]
fn each_typescript_file_imports_only_those_above_it() {
    let layers = Layers::read("js", "ts");
    layers.assert_complete();
    for (file, text) in &layers.texts {
        for import in typescript_imports(text) {
            let Some(used) = layers.typescript_file(file, &import) else { continue };
            layers.assert_above(file, &used);
        }
    }
}

#[test]
fn no_file_is_too_long() {
    for (file, text) in Layers::read("src", "rs").texts.iter().chain(&Layers::read("js", "ts").texts) {
        let is_shell = file.split('/').next().is_some_and(|first| matches!(first, "npm" | "envoy"));
        let most = if is_shell { MAX_SHELL_LINES } else { MAX_LINES };
        let lines = text.lines().count();
        assert!(lines <= most, "{file} has {lines} lines, and {most} are the most: move a rule to a file of its own");
    }
}

/// The files of one language, in order.
struct Layers {
    order: Vec<String>,
    texts: BTreeMap<String, String>,
}

impl Layers {
    fn read(folder: &str, ending: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let list = std::fs::read_to_string(root.join("tests/layers.txt")).unwrap();
        let section = list.split(&format!("[{folder}]\n")).nth(1).unwrap_or_else(|| panic!("no section [{folder}]"));
        let lines = section.lines().take_while(|line| !line.starts_with('['));
        let order = lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect();
        let mut texts = BTreeMap::new();
        collect(&root.join(folder), "", ending, &mut texts);
        Self { order, texts }
    }

    fn assert_complete(&self) {
        for file in self.texts.keys() {
            assert!(self.order.contains(file), "{file} is missing in tests/layers.txt");
        }
        for (index, file) in self.order.iter().enumerate() {
            assert!(self.texts.contains_key(file), "{file} stands in tests/layers.txt and does not exist");
            assert!(!self.order[..index].contains(file), "{file} stands twice in tests/layers.txt");
        }
    }

    fn assert_above(&self, file: &str, used: &str) {
        let rank = |name: &str| self.order.iter().position(|other| other == name).unwrap_or_else(|| panic!("{name} is in no layer"));
        assert!(rank(used) <= rank(file), "{file} must not use {used}, which stands further down in tests/layers.txt");
    }

    /// The file that a path of a Rust file leads to; `None` for a path within the file.
    fn rust_file(&self, file: &str, path: &[String]) -> Option<String> {
        let inside = match file.rsplit_once('/') {
            None => None,
            Some((_, "mod")) => Some(None),
            Some((folder, _)) => Some(Some(folder)),
        };
        match (path[0].as_str(), path.get(1).map(String::as_str), inside) {
            ("crate", Some(first), _) | ("super", Some(first), Some(None)) => Some(self.in_folder(first, path.get(2))),
            ("super", Some("super"), Some(Some(_))) => Some(self.in_folder(&path[2], path.get(3))),
            ("super", first, Some(Some(folder))) => Some(self.in_folder(folder, first.map(str::to_owned).as_ref())),
            ("super", _, None) => None,
            _ => panic!("{file}: {path:?} leads nowhere"),
        }
    }

    fn in_folder(&self, folder: &str, name: Option<&String>) -> String {
        if self.texts.contains_key(folder) {
            return folder.to_owned();
        }
        let file = format!("{folder}/{}", name.map_or("mod", String::as_str));
        if self.texts.contains_key(&file) { file } else { format!("{folder}/mod") }
    }

    /// The file that a relative import leads to; `None` outside the folder.
    fn typescript_file(&self, file: &str, import: &str) -> Option<String> {
        let mut at: Vec<&str> = file.split('/').collect();
        at.pop();
        for part in import.strip_suffix(".js")?.split('/') {
            match part {
                "." => {}
                ".." => {
                    at.pop()?;
                }
                name => at.push(name),
            }
        }
        Some(at.join("/"))
    }
}

fn collect(folder: &Path, prefix: &str, ending: &str, texts: &mut BTreeMap<String, String>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            collect(&path, &format!("{prefix}{name}/"), ending, texts);
        } else if let Some(stem) = name.strip_suffix(&format!(".{ending}")) {
            let is_root = prefix.is_empty() && stem == "lib";
            let is_declaration = stem.ends_with(".d");
            if !is_root && !is_declaration {
                texts.insert(format!("{prefix}{stem}"), std::fs::read_to_string(&path).unwrap());
            }
        }
    }
}

/// All paths that start with `crate` or `super`, use trees taken apart. Comments and the tests of a
/// file do not count.
fn rust_paths(text: &str) -> Vec<Vec<String>> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let code: String = code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let mut paths = Vec::new();
    for root in ["crate::", "super::"] {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':')) {
                continue;
            }
            use_tree(&code[at..], &[], &mut paths);
        }
    }
    paths
}

/// Reads one tree (`a::b`, `a::{b, c::d}`); gives the length read.
fn use_tree(text: &str, prefix: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    let start = text.len() - text.trim_start().len();
    let rest = &text[start..];
    let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '*')).collect();
    let mut read = start + name.len();
    let mut path = prefix.to_vec();
    path.push(name);
    if let Some(list) = text[read..].strip_prefix("::{") {
        read += 3;
        let mut inside = list;
        loop {
            let length = use_tree(inside, &path, paths);
            read += length;
            inside = &inside[length..];
            let close = inside.find([',', '}']).unwrap();
            let ends = inside[close..].starts_with('}') || inside[close + 1..].trim_start().starts_with('}');
            read += close + 1;
            inside = &inside[close + 1..];
            if ends {
                return read;
            }
        }
    }
    if text[read..].starts_with("::") {
        return read + 2 + use_tree(&text[read + 2..], &path, paths);
    }
    paths.push(path);
    read
}

/// All relative imports. Those of the examples in comments are of a reader's files.
fn typescript_imports(text: &str) -> Vec<String> {
    let text: String = text.lines().filter(|line| !line.trim_start().starts_with('*')).collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    for start in ["from '.", "import '.", "import('."] {
        for (at, _) in text.match_indices(start) {
            let path = &text[at + start.len() - 1..];
            found.push(path.split('\'').next().unwrap_or_default().to_owned());
        }
    }
    found
}

#[test]
fn a_use_tree_gives_all_its_paths() {
    let paths = rust_paths("use super::{Reply, context::{Context, View}};\nuse crate::a::B; // crate::c\nfn f() { crate::d::e(); }\n");
    let joined: Vec<String> = paths.iter().map(|path| path.join("::")).collect();
    assert_eq!(joined, ["crate::a::B", "crate::d::e", "super::Reply", "super::context::Context", "super::context::View"]);
}
