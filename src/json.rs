//! JSON in, strictly. Every document, record, command and token is read here.
//!
//! The text is read by serde_json into a tree, and the types are made from the tree by code that
//! `countersign-derive` writes, after the `#[serde(…)]` attributes by which serde writes the types.
//! It stands here instead of serde's own `Deserialize`, because here
//!
//! - an object is an object (serde's derived code also takes a list, in the order of the fields),
//!   and no name comes twice in one;
//! - an error has the path of its field, and quotes no value, which may be a secret;
//! - numbers are whole and not negative: no document of ours has others;
//! - reading is a small part of the module and not a third of it: serde's derived code is made for
//!   every format there is, and the compiler makes a copy of it for each type.

use core::fmt;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::{slice, vec};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

pub(crate) use countersign_derive::FromJson;

use crate::error::{Error, ErrorCode};

/// Reads a JSON object: an unknown key, a missing field or trailing text is an error with its path.
///
/// # Errors
/// `code`, with the path of the field.
pub(crate) fn from_json<T: FromJson>(text: &str, code: ErrorCode) -> Result<T, Error> {
    let mut faults = Faults::default();
    let value = T::read(document(text, code)?, &mut faults);
    match faults.0 {
        None => Ok(value),
        Some(error) => Err(Error { code, ..*error }),
    }
}

fn document(text: &str, code: ErrorCode) -> Result<Node<'_>, Error> {
    let node = serde_json::from_str(text)
        .map_err(|error| Error::new(code, "", format!("not valid JSON at line {}, column {}", error.line(), error.column())))?;
    if matches!(node, Node::Object(_)) { Ok(node) } else { Err(Error::new(code, "", "must be a JSON object")) }
}

/// Writes JSON.
pub(crate) fn to_json(value: &impl serde::Serialize) -> String {
    #[expect(clippy::expect_used, reason = "our types have text keys and no fallible parts: serde_json cannot fail on them")]
    serde_json::to_string(value).expect("JSON")
}

/// A JSON value.
pub(crate) enum Node<'de> {
    /// A field that is not there.
    Absent,
    Null,
    Flag(bool),
    Whole(u64),
    /// A number that is negative, has a fraction, or is too large.
    Number,
    Text(Cow<'de, str>),
    List(Vec<Node<'de>>),
    /// As it was written. Whoever takes it apart sees to it that no name comes twice.
    Object(Vec<(String, Node<'de>)>),
}

impl<'de> Deserialize<'de> for Node<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NodeVisitor;

        impl<'de> Visitor<'de> for NodeVisitor {
            type Value = Node<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }

            fn visit_unit<E>(self) -> Result<Node<'de>, E> {
                Ok(Node::Null)
            }

            fn visit_bool<E>(self, flag: bool) -> Result<Node<'de>, E> {
                Ok(Node::Flag(flag))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Node<'de>, E> {
                Ok(Node::Whole(number))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Node<'de>, E> {
                Ok(Node::Number)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Node<'de>, E> {
                Ok(Node::Number)
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Node<'de>, E> {
                Ok(Node::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Node<'de>, E> {
                Ok(Node::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node<'de>, A::Error> {
                let mut list = Vec::new();
                while let Some(node) = access.next_element()? {
                    list.push(node);
                }
                Ok(Node::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node<'de>, A::Error> {
                let mut object = Vec::new();
                while let Some(entry) = access.next_entry()? {
                    object.push(entry);
                }
                Ok(Node::Object(object))
            }
        }

        deserializer.deserialize_any(NodeVisitor)
    }
}

/// What is wrong with a document, and where: the first thing found.
///
/// Reading does not stop at a fault. It goes on as if nothing were there, and what comes of it is
/// seen by no one, for [`from_json`] drops it. So the code of a type is one call for each field; a
/// way out after each, undoing what was read before, is most of what serde derives.
#[derive(Default)]
pub(crate) struct Faults(Option<Box<Error>>);

impl Faults {
    pub(crate) fn note(&mut self, message: fmt::Arguments<'_>) {
        if self.0.is_none() {
            self.0 = Some(Box::new(Error::new(ErrorCode::InvalidInput, "", message.to_string())));
        }
    }

    pub(crate) fn expected(&mut self, what: &str) {
        self.note(format_args!("expected {what}"));
    }

    fn expected_one_of(&mut self, wrong: &str, names: &[&str]) {
        self.note(format_args!("{wrong}expected one of `{}`", names.join("`, `")));
    }

    const fn found(&self) -> bool {
        self.0.is_some()
    }

    /// The fault, if there is one, is in this part of the whole.
    fn within(&mut self, part: &str) {
        if let Some(fault) = &mut self.0 {
            let joint = if fault.path.is_empty() || fault.path.starts_with('[') { "" } else { "." };
            fault.path = format!("{part}{joint}{}", fault.path);
        }
    }

    fn within_element(&mut self, index: usize) {
        self.within(&format!("[{index}]"));
    }
}

/// What can be read from JSON. Derived, but for a few types.
pub(crate) trait FromJson: Sized {
    /// Whether a field of this type may be left out.
    const OPTIONAL: bool = false;

    /// What the node says. Where it does not fit, that is noted, and what is given means nothing.
    fn read(node: Node<'_>, faults: &mut Faults) -> Self;
}

impl FromJson for bool {
    fn read(node: Node<'_>, faults: &mut Faults) -> Self {
        if let Node::Flag(flag) = node {
            return flag;
        }
        faults.expected("a boolean");
        false
    }
}

impl FromJson for u64 {
    fn read(node: Node<'_>, faults: &mut Faults) -> Self {
        node.whole(Self::MAX, "u64", faults)
    }
}

impl FromJson for u32 {
    fn read(node: Node<'_>, faults: &mut Faults) -> Self {
        node.whole(Self::MAX.into(), "u32", faults).try_into().unwrap_or_default()
    }
}

impl FromJson for u8 {
    fn read(node: Node<'_>, faults: &mut Faults) -> Self {
        node.whole(Self::MAX.into(), "u8", faults).try_into().unwrap_or_default()
    }
}

impl FromJson for String {
    fn read(node: Node<'_>, faults: &mut Faults) -> Self {
        if let Node::Text(text) = node {
            return text.into_owned();
        }
        faults.expected("a string");
        Self::new()
    }
}

impl FromJson for char {
    fn read(node: Node<'_>, faults: &mut Faults) -> Self {
        if let Node::Text(text) = node {
            let mut letters = text.chars();
            if let (Some(letter), None) = (letters.next(), letters.next()) {
                return letter;
            }
        }
        faults.expected("a character");
        Self::default()
    }
}

impl<T: FromJson> FromJson for Option<T> {
    const OPTIONAL: bool = true;

    fn read(node: Node<'_>, faults: &mut Faults) -> Self {
        if matches!(node, Node::Absent | Node::Null) { None } else { Some(T::read(node, faults)) }
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn read(node: Node<'_>, faults: &mut Faults) -> Self {
        let mut list = Self::new();
        for (index, node) in node.list(faults).enumerate() {
            list.push(T::read(node, faults));
            if faults.found() {
                faults.within_element(index);
                break;
            }
        }
        list
    }
}

impl FromJson for BTreeSet<String> {
    fn read(node: Node<'_>, faults: &mut Faults) -> Self {
        let mut set = Self::new();
        for text in Vec::read(node, faults) {
            set.insert(text);
        }
        set
    }
}

impl<T: FromJson> FromJson for BTreeMap<String, T> {
    fn read(node: Node<'_>, faults: &mut Faults) -> Self {
        let mut map = Self::new();
        for (key, node) in node.object("a map", faults) {
            let value = T::read(node, faults);
            faults.within(&key);
            if map.insert(key, value).is_some() {
                faults.note(format_args!("a key comes twice"));
            }
            if faults.found() {
                break;
            }
        }
        map
    }
}

impl<'de> Node<'de> {
    fn whole(self, most: u64, name: &str, faults: &mut Faults) -> u64 {
        if let Self::Whole(number) = self
            && number <= most
        {
            return number;
        }
        faults.expected(name);
        0
    }

    /// What is in a list; nothing, after a fault.
    fn list(self, faults: &mut Faults) -> vec::IntoIter<Self> {
        if let (Self::List(list), false) = (self, faults.found()) {
            return list.into_iter();
        }
        faults.expected("a sequence");
        Vec::new().into_iter()
    }

    /// What is in an object; nothing, after a fault.
    fn object(self, name: &str, faults: &mut Faults) -> vec::IntoIter<(String, Self)> {
        if let (Self::Object(object), false) = (self, faults.found()) {
            return object.into_iter();
        }
        faults.expected(name);
        Vec::new().into_iter()
    }
}

/// The fields of an object, to be taken in the order of their names in the type.
pub(crate) struct Fields<'a, 'de> {
    names: slice::Iter<'static, &'static str>,
    nodes: vec::IntoIter<Node<'de>>,
    faults: &'a mut Faults,
    /// The field that is being read, unless a fault came before it.
    current: Option<&'static str>,
}

impl<'a, 'de> Fields<'a, 'de> {
    /// An object with these names and no others.
    pub(crate) fn of(node: Node<'de>, names: &'static [&'static str], faults: &'a mut Faults) -> Self {
        Self::sort(node, names, false, faults)
    }

    /// An object with these names among others.
    pub(crate) fn among_others(node: Node<'de>, names: &'static [&'static str], faults: &'a mut Faults) -> Self {
        Self::sort(node, names, true, faults)
    }

    fn sort(node: Node<'de>, names: &'static [&'static str], others: bool, faults: &'a mut Faults) -> Self {
        let mut nodes: Vec<_> = names.iter().map(|_| Node::Absent).collect();
        for (key, node) in node.object("an object", faults) {
            match names.iter().zip(&mut nodes).find(|(name, _)| **name == key) {
                Some((_, slot @ Node::Absent)) => *slot = node,
                Some((name, _)) => faults.note(format_args!("the field `{name}` comes twice")),
                None if others || faults.found() => {}
                None => {
                    faults.expected_one_of("unknown field, ", names);
                    faults.within(&key);
                }
            }
        }
        Self { names: names.iter(), nodes: nodes.into_iter(), faults, current: None }
    }

    fn begin(&mut self, optional: bool) -> Node<'de> {
        let name = self.names.next().copied().unwrap_or_default();
        let node = self.nodes.next().unwrap_or(Node::Absent);
        if matches!(node, Node::Absent) && !optional {
            self.faults.note(format_args!("missing field `{name}`"));
        }
        self.current = (!self.faults.found()).then_some(name);
        node
    }

    fn end(&mut self) {
        if let Some(name) = self.current {
            self.faults.within(name);
        }
    }

    /// Passes by the next field if it is not there.
    fn skip(&mut self) -> bool {
        let absent = matches!(self.nodes.as_slice(), [Node::Absent, ..]);
        if absent {
            self.begin(true);
        }
        absent
    }

    /// The next field.
    pub(crate) fn next<T: FromJson>(&mut self) -> T {
        let node = self.begin(T::OPTIONAL);
        let value = T::read(node, self.faults);
        self.end();
        value
    }

    /// The next field, or what stands for it when it is not there.
    pub(crate) fn next_or<T: FromJson>(&mut self, default: T) -> T {
        if self.skip() { default } else { self.next() }
    }

    #[cfg_attr(not(test), expect(dead_code, reason = "no type has a variant with fields now"))]
    /// The next field, which is an object with these names.
    pub(crate) fn next_object<T>(&mut self, names: &'static [&'static str], read: fn(Fields<'_, 'de>) -> T) -> T {
        let node = self.begin(false);
        let value = read(Fields::of(node, names, self.faults));
        self.end();
        value
    }
}

/// Which of the variants of an enum it is, `"name"` or `{"name": content}`, and the content as the
/// one field of an object.
pub(crate) fn variant<'a, 'de>(
    node: Node<'de>,
    names: &'static [&'static str],
    has_content: &'static [bool],
    faults: &'a mut Faults,
) -> (usize, Fields<'a, 'de>) {
    let (name, content) = match node {
        Node::Text(name) => (name.into_owned(), None),
        Node::Object(mut object) if object.len() == 1 => object.pop().map(|(name, content)| (name, Some(content))).unwrap_or_default(),
        Node::Absent | Node::Null | Node::Flag(_) | Node::Whole(_) | Node::Number | Node::List(_) | Node::Object(_) => Default::default(),
    };
    let index = names.iter().position(|known| *known == name);
    match (index.and_then(|index| has_content.get(index)), &content) {
        (None, _) => faults.expected_one_of("", names),
        (Some(true), None) => faults.note(format_args!("expected an object with this one name")),
        (Some(false), Some(_)) => faults.note(format_args!("expected the name alone")),
        (Some(true), Some(_)) | (Some(false), None) => {}
    }
    let index = index.unwrap_or_default();
    let names = names.get(index..).unwrap_or_default().iter();
    let nodes: Vec<_> = content.into_iter().collect();
    (index, Fields { names, nodes: nodes.into_iter(), faults, current: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, FromJson)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the reading is tested")]
    struct Sample {
        text: String,
        #[serde(default)]
        number: Option<u8>,
        #[serde(default)]
        list: Vec<Inner>,
        #[serde(default)]
        choice: Choice,
        #[serde(default)]
        map: BTreeMap<String, u32>,
    }

    #[derive(Debug, FromJson)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the reading is tested")]
    struct Inner {
        flag: bool,
    }

    #[derive(Debug, Default, FromJson)]
    #[serde(rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
    enum Choice {
        #[default]
        None,
        #[expect(dead_code, reason = "only the reading is tested")]
        Some(Vec<String>),
        #[expect(dead_code, reason = "only the reading is tested")]
        Pair {
            first_one: char,
            #[serde(default = "two")]
            second: u8,
        },
    }

    const fn two() -> u8 {
        2
    }

    fn read(text: &str) -> Result<Sample, (String, String)> {
        from_json(text, ErrorCode::InvalidInput).map_err(|error| (error.path, error.message))
    }

    #[test]
    fn an_error_names_the_field_and_quotes_no_value() {
        for good in [
            r#"{"text":"a"}"#,
            r#" {"text":"\u0061\n","number":null,"list":[{"flag":true}],"choice":{"some":["x"]}} "#,
            r#"{"choice":"none","text":""}"#,
            r#"{"choice":{"pair":{"firstOne":"é"}},"text":"","map":{"a":4294967295,"b":0}}"#,
        ] {
            assert!(read(good).is_ok(), "{good}");
        }
        for (bad, path) in [
            (r#"{"text":"hidden","number":256}"#, "number"),
            (r#"{"text":"hidden","number":-1}"#, "number"),
            (r#"{"text":"hidden","number":1.0}"#, "number"),
            (r#"{"text":"hidden","number":"hidden"}"#, "number"),
            (r#"{"text":["hidden"]}"#, "text"),
            (r#"{"text":null}"#, "text"),
            (r#"{"text":"hidden","list":[{"flag":true},{"flag":"hidden"}]}"#, "list[1].flag"),
            (r#"{"text":"hidden","list":[[true]]}"#, "list[0]"),
            (r#"{"text":"hidden","list":[{}]}"#, "list[0]"),
            (r#"{"text":"hidden","list":[{"flag":true,"other":1}]}"#, "list[0].other"),
            (r#"{"text":"hidden","choice":{"some":["x",2]}}"#, "choice.some[1]"),
            (r#"{"text":"hidden","choice":{"some":[],"none":null}}"#, "choice"),
            (r#"{"text":"hidden","choice":"hidden"}"#, "choice"),
            (r#"{"text":"hidden","choice":"some"}"#, "choice"),
            (r#"{"text":"hidden","choice":{"none":[]}}"#, "choice"),
            (r#"{"number":1}"#, ""),
            (r#"["hidden"]"#, ""),
            (r#"{"text":"hidden","text":"hidden"}"#, ""),
            (r#"{"text":"hidden","\u0074ext":"hidden"}"#, ""),
            (r#"{"text":"hidden","list":[{"flag":true,"flag":true}]}"#, "list[0]"),
            (r#"{"text":"hidden","choice":{"some":[],"some":[]}}"#, "choice"),
            (r#"{"text":"hidden","map":{"a":1,"a":1}}"#, "map"),
            (r#"{"text":"hidden","map":{"a":1,"b":"hidden"}}"#, "map.b"),
            (r#"{"text":"hidden","map":[]}"#, "map"),
            (r#"{"text":"hidden","list":null}"#, "list"),
            (r#"{"text":"hidden","choice":null}"#, "choice"),
            (r#"{"text":"hidden","choice":{"pair":{"firstOne":"hidden"}}}"#, "choice.pair.firstOne"),
            (r#"{"text":"hidden","choice":{"pair":{}}}"#, "choice.pair"),
            (r#"{"text":"hidden","choice":{"pair":{"firstOne":"a","other":"hidden"}}}"#, "choice.pair.other"),
            (r#"{"text":"hidden","choice":{"pair":["a"]}}"#, "choice.pair"),
            (r#"{"text":"hidden","choice":{"some":["x",2]},"number":"hidden"}"#, "number"),
            (r#"{"text":"hidden"} x"#, ""),
            (r#"{"text":"hidden""#, ""),
            ("", ""),
        ] {
            let (at, message) = read(bad).unwrap_err();
            assert_eq!(at, path, "{bad}");
            assert!(!message.contains("hidden") && !message.is_empty(), "{bad}: {message}");
        }
    }
    #[test]
    fn messages_say_what_was_expected() {
        for (bad, message) in [
            (r#"{"text":1}"#, "expected a string"),
            (r#"{"text":"","number":256}"#, "expected u8"),
            (r#"{"text":"","list":{}}"#, "expected a sequence"),
            (r#"{"text":"","list":[1]}"#, "expected an object"),
            (r#"{"text":"","list":[{}]}"#, "missing field `flag`"),
            (r#"{"text":"","list":[{"flag":0}]}"#, "expected a boolean"),
            (r#"{"text":"","list":[{"x":0}]}"#, "unknown field, expected one of `flag`"),
            (r#"{"text":"","choice":"x"}"#, "expected one of `none`, `some`, `pair`"),
            (r#"{"text":"","choice":{"none":null}}"#, "expected the name alone"),
            (r#"{"text":"","choice":"some"}"#, "expected an object with this one name"),
            (r#"{"text":"","choice":{"pair":{"firstOne":"ab"}}}"#, "expected a character"),
            (r#"{"text":"","text":""}"#, "the field `text` comes twice"),
            (r#"{"text":"}"#, "not valid JSON at line 1, column 10"),
            ("[]", "must be a JSON object"),
        ] {
            assert_eq!(read(bad).unwrap_err().1, message, "{bad}");
        }
    }
}
