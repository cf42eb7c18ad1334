//! JSON in, strictly, and JSON out. Every document, record, command and token is read here.
//!
//! serde_json reads the text into a tree ([`tree`]), and serde's derived code makes the types from
//! the tree ([`deserializer`]). The step between is there because
//!
//! - an object is an object: serde's derived code also takes a list, in the order of the fields;
//! - no name comes twice in one object, and a type that does not say `deny_unknown_fields` refuses
//!   unknown fields all the same;
//! - an error has the path of its field, and quotes no value, which may be a secret;
//! - numbers are whole and not negative: no document of ours has others;
//! - there is one deserializer, so the compiler makes one copy of the code of each type.

mod deserializer;
mod tree;

use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorCode};

use tree::{Name, Node};

/// Reads a JSON object: an unknown key, a missing field or trailing text is an error with its path.
///
/// # Errors
/// `code`, with the path of the field.
pub(crate) fn from_json<T: DeserializeOwned>(text: &str, code: ErrorCode) -> Result<T, Error> {
    read(&Node::Object(parse(text, code)?), code)
}

/// Reads these fields of a JSON object, and ignores all others.
///
/// # Errors
/// `code`, with the path of the field.
pub(crate) fn fields_from_json<T: DeserializeOwned>(text: &str, names: &[&str], code: ErrorCode) -> Result<T, Error> {
    let mut entries = parse(text, code)?;
    entries.retain(|(name, _)| names.contains(&name.as_str()));
    read(&Node::Object(entries), code)
}

/// Reads a JSON object, but first these fields of it alone, whatever the others are: `check` says whether to go on.
///
/// # Errors
/// `code`, with the path of the field; or that of `check`.
pub(crate) fn from_json_after<First: DeserializeOwned, T: DeserializeOwned>(
    text: &str,
    names: &[&str],
    code: ErrorCode,
    check: impl FnOnce(First) -> Result<(), Error>,
) -> Result<T, Error> {
    let (first, others): (Vec<_>, Vec<_>) = parse(text, code)?.into_iter().partition(|(name, _)| names.contains(&name.as_str()));
    let mut object = Node::Object(first);
    check(read(&object, code)?)?;
    if let Node::Object(entries) = &mut object {
        entries.extend(others);
    }
    read(&object, code)
}

/// Reads a text that comes by itself, as [`from_json`] reads it at this path.
///
/// # Errors
/// [`ErrorCode::InvalidInput`] at the path.
#[cfg(feature = "npm")]
pub(crate) fn from_text<T: DeserializeOwned>(path: &str, text: &str) -> Result<T, Error> {
    T::deserialize(&Node::Text(text.into())).map_err(|error| error.within(path).coded(ErrorCode::InvalidInput))
}

/// Reads a number that comes by itself, as [`from_json`] reads it at this path.
///
/// # Errors
/// [`ErrorCode::InvalidInput`] at the path.
#[cfg(feature = "npm")]
pub(crate) fn from_number<T: DeserializeOwned>(path: &str, number: u64) -> Result<T, Error> {
    T::deserialize(&Node::Whole(number)).map_err(|error| error.within(path).coded(ErrorCode::InvalidInput))
}

/// A JSON document that is looked at before its type is known.
pub(crate) struct Document<'de>(Node<'de>);

/// The value at a place of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    /// No value, or `null`.
    Nothing,
    Text(&'a str),
    /// A value that is no text.
    Other,
}

impl<'de> Document<'de> {
    /// `None`: the text is no JSON object.
    pub(crate) fn parse(text: &'de str) -> Option<Self> {
        parse(text, ErrorCode::InvalidInput).ok().map(|entries| Self(Node::Object(entries)))
    }

    /// The value under these names, each in the object before it.
    pub(crate) fn at(&self, names: &[&str]) -> Found<'_> {
        let inner = names.iter().try_fold(&self.0, |node, name| match node {
            Node::Object(entries) => entries.iter().find(|(known, _)| known.as_str() == *name).map(|(_, value)| value),
            Node::Null | Node::Flag(_) | Node::Whole(_) | Node::OtherNumber | Node::Text(_) | Node::List(_) => None,
        });
        match inner {
            None | Some(Node::Null) => Found::Nothing,
            Some(Node::Text(text)) => Found::Text(text),
            Some(Node::Flag(_) | Node::Whole(_) | Node::OtherNumber | Node::List(_) | Node::Object(_)) => Found::Other,
        }
    }
}

/// Writes JSON.
pub(crate) fn to_json(value: &impl serde::Serialize) -> String {
    #[expect(clippy::expect_used, reason = "our types have text keys and no fallible parts: serde_json cannot fail on them")]
    serde_json::to_string(value).expect("JSON")
}

fn parse(text: &str, code: ErrorCode) -> Result<Vec<(Name<'_>, Node<'_>)>, Error> {
    match serde_json::from_str(text) {
        Ok(Node::Object(entries)) => Ok(entries),
        Ok(Node::Null | Node::Flag(_) | Node::Whole(_) | Node::OtherNumber | Node::Text(_) | Node::List(_)) => {
            Err(Error::new(code, "", "must be a JSON object"))
        }
        Err(error) => Err(Error::new(code, "", format!("not valid JSON at line {}, column {}", error.line(), error.column()))),
    }
}

fn read<T: DeserializeOwned>(node: &Node<'_>, code: ErrorCode) -> Result<T, Error> {
    T::deserialize(node).map_err(|error| error.coded(code))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
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

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        flag: bool,
    }

    #[derive(Debug, Default, Deserialize)]
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
            (r#"{"text":"hidden","list":[{}]}"#, "list[0].flag"),
            (r#"{"text":"hidden","list":[{"flag":true,"other":1}]}"#, "list[0].other"),
            (r#"{"text":"hidden","choice":{"some":["x",2]}}"#, "choice.some[1]"),
            (r#"{"text":"hidden","choice":{"some":[],"none":null}}"#, "choice"),
            (r#"{"text":"hidden","choice":"hidden"}"#, "choice"),
            (r#"{"text":"hidden","choice":"some"}"#, "choice"),
            (r#"{"text":"hidden","choice":{"none":[]}}"#, "choice"),
            (r#"{"number":1}"#, "text"),
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
            (r#"{"text":"hidden","choice":{"pair":{}}}"#, "choice.pair.firstOne"),
            (r#"{"text":"hidden","choice":{"pair":{"firstOne":"a","other":"hidden"}}}"#, "choice.pair.other"),
            (r#"{"text":"hidden","choice":{"pair":["a"]}}"#, "choice.pair"),
            (r#"{"text":"hidden","choice":{"pair":{"firstOne":"a","firstOne":"b"}}}"#, "choice.pair"),
            (r#"{"text":"hidden","choice":{"some":["x",2]},"number":"hidden"}"#, "choice.some[1]"),
            (r#"{"number":"hidden","choice":{"some":["x",2]},"text":"hidden"}"#, "number"),
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
            (r#"{"text":"","number":256}"#, "expected a whole number from 0 to 255"),
            (r#"{"text":"","list":{}}"#, "expected a list"),
            (r#"{"text":"","list":[1]}"#, "expected an object"),
            (r#"{"text":"","list":[{}]}"#, "is missing"),
            (r#"{"text":"","list":[{"flag":0}]}"#, "expected true or false"),
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

    #[derive(Debug, PartialEq, Deserialize)]
    struct Lenient {
        #[serde(default)]
        list: Vec<Lenient>,
    }

    #[test]
    fn unknown_fields_are_refused_even_where_the_type_would_ignore_them() {
        let read = |text| from_json::<Lenient>(text, ErrorCode::InvalidInput).map_err(|error| (error.path, error.message));
        assert!(read(r#"{"list":[{}]}"#).is_ok());
        assert_eq!(read(r#"{"list":[{},{"other":1}]}"#), Err(("list[1].other".to_owned(), "unknown field".to_owned())));
    }

    #[test]
    fn a_document_is_looked_at_by_the_names_of_its_fields() {
        let document = Document::parse(r#"{"a":{"text":"x","number":1,"null":null,"list":[{"text":"y"}]}}"#).unwrap();
        assert_eq!(document.at(&["a", "text"]), Found::Text("x"));
        for other in [&["a"][..], &["a", "number"], &["a", "list"], &[]] {
            assert_eq!(document.at(other), Found::Other, "{other:?}");
        }
        for nothing in [&["b"][..], &["a", "null"], &["a", "null", "text"], &["a", "list", "text"], &["a", "text", "text"]] {
            assert_eq!(document.at(nothing), Found::Nothing, "{nothing:?}");
        }
        assert!(Document::parse("[]").is_none() && Document::parse("{").is_none());
    }

    #[test]
    fn some_fields_are_read_first_whatever_else_is_there() {
        let no = || Error::new(ErrorCode::InvalidConfig, "flag", "no");
        let check = |first: Inner| if first.flag { Ok(()) } else { Err(no()) };
        let read = |text| from_json_after::<Inner, Inner>(text, &["flag"], ErrorCode::InvalidRecord, check).map(|inner| inner.flag);
        assert_eq!(read(r#"{"flag":true}"#), Ok(true));
        assert_eq!(read(r#"{"other":{"flag":1},"flag":false,"other":[]}"#), Err(no()));
        for (bad, path, message) in [
            (r#"{"other":1}"#, "flag", "is missing"),
            (r#"{"flag":1,"other":1}"#, "flag", "expected true or false"),
            (r#"{"flag":true,"flag":true}"#, "", "the field `flag` comes twice"),
            (r#"{"other":1,"flag":true}"#, "other", "unknown field, expected one of `flag`"),
            ("[true]", "", "must be a JSON object"),
        ] {
            assert_eq!(read(bad), Err(Error::new(ErrorCode::InvalidRecord, path, message)), "{bad}");
        }
    }
}
