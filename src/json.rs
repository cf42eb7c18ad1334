//! JSON in, strictly. Every document, record, command and token is read here.
//!
//! The text is read by serde_json into a tree, and the types are made from the tree by serde's
//! derived code. In between stands this reader instead of serde_json's own, because here
//!
//! - an object is an object (serde's derived code also takes a list, in the order of the fields),
//!   and no name comes twice in one;
//! - an error has the path of its field, and quotes no value, which may be a secret;
//! - numbers are whole and not negative: no document of ours has others;
//! - one small reader for all types makes the module a third smaller than serde_json's, of which
//!   the compiler makes a copy for each type.

use core::fmt;
use std::borrow::Cow;
use std::collections::{BTreeMap, btree_map};
use std::vec;

use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::error::{Error, ErrorCode};

/// Reads a JSON object: an unknown key, a missing field or trailing text is an error with its path.
///
/// # Errors
/// `code`, with the path of the field.
pub(crate) fn from_json<T: DeserializeOwned>(text: &str, code: ErrorCode) -> Result<T, Error> {
    let node: Node<'_> = serde_json::from_str(text)
        .map_err(|error| Error::new(code, "", format!("not valid JSON at line {}, column {}", error.line(), error.column())))?;
    if !matches!(node, Node::Object(_)) {
        return Err(Error::new(code, "", "must be a JSON object"));
    }
    T::deserialize(node).map_err(|Fault(error)| Error { code, ..*error })
}

/// Writes JSON.
pub(crate) fn to_json(value: &impl serde::Serialize) -> String {
    #[expect(clippy::expect_used, reason = "our types have text keys and no fallible parts: serde_json cannot fail on them")]
    serde_json::to_string(value).expect("JSON")
}

/// A JSON value.
#[derive(Debug)]
enum Node<'de> {
    Null,
    Flag(bool),
    Whole(u64),
    /// A number that is negative, has a fraction, or is too large.
    Number,
    Text(Cow<'de, str>),
    List(Vec<Node<'de>>),
    Object(BTreeMap<Cow<'de, str>, Node<'de>>),
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
                let mut object = BTreeMap::new();
                while let Some((key, value)) = access.next_entry()? {
                    let Node::Text(key) = key else { return Err(de::Error::custom("a key is no text")) };
                    if object.insert(key, value).is_some() {
                        return Err(de::Error::custom("a key comes twice"));
                    }
                }
                Ok(Node::Object(object))
            }
        }

        deserializer.deserialize_any(NodeVisitor)
    }
}

/// What is wrong with a document, and where. Boxed, for it is handed on at each field of each type.
#[derive(Debug)]
struct Fault(Box<Error>);

impl Fault {
    fn new(message: String) -> Self {
        Self(Box::new(Error::new(ErrorCode::InvalidInput, "", message)))
    }

    fn expected(what: &dyn de::Expected) -> Self {
        Self::new(format!("expected {what}"))
    }

    fn one_of(expected: &[&str]) -> String {
        expected.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    }

    fn within(mut self, step: &str) -> Self {
        let joint = if self.0.path.is_empty() || self.0.path.starts_with('[') { "" } else { "." };
        self.0.path = format!("{step}{joint}{}", self.0.path);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    fn invalid_type(_: de::Unexpected<'_>, what: &dyn de::Expected) -> Self {
        Self::expected(what)
    }

    fn invalid_value(_: de::Unexpected<'_>, what: &dyn de::Expected) -> Self {
        Self::expected(what)
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!("expected one of {}", Self::one_of(expected)))
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!("unknown field, expected one of {}", Self::one_of(expected)))
    }
}

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Flag(flag) => visitor.visit_bool(flag),
            Self::Whole(number) => visitor.visit_u64(number),
            Self::Number => Err(Fault::expected(&visitor)),
            Self::Text(_) => self.deserialize_str(visitor),
            Self::List(_) => self.deserialize_seq(visitor),
            Self::Object(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if let Self::Flag(flag) = self { visitor.visit_bool(flag) } else { Err(Fault::expected(&visitor)) }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if let Self::Whole(number) = self { visitor.visit_u64(number) } else { Err(Fault::expected(&visitor)) }
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if let Self::Text(text) = self { visitor.visit_str(&text) } else { Err(Fault::expected(&visitor)) }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if let Self::Null = self { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if let Self::List(list) = self {
            visitor.visit_seq(ListReader { nodes: list.into_iter(), index: 0 })
        } else {
            Err(Fault::expected(&visitor))
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if let Self::Object(object) = self {
            visitor.visit_map(ObjectReader { entries: object.into_iter(), current: None })
        } else {
            Err(Fault::expected(&visitor))
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        match self {
            Self::Object(_) => self.deserialize_map(visitor),
            Self::Null | Self::Flag(_) | Self::Whole(_) | Self::Number | Self::Text(_) | Self::List(_) => {
                Err(de::Error::custom("expected an object"))
            }
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(self, _: &'static str, variants: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        let wrong = || de::Error::unknown_variant("", variants);
        match self {
            Self::Text(name) => visitor.visit_enum(Variant { name, content: None }),
            Self::Object(object) => {
                let mut entries = object.into_iter();
                match (entries.next(), entries.next()) {
                    (Some((name, content)), None) => visitor.visit_enum(Variant { name, content: Some(content) }),
                    (Some(_) | None, _) => Err(wrong()),
                }
            }
            Self::Null | Self::Flag(_) | Self::Whole(_) | Self::Number | Self::List(_) => Err(wrong()),
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct ignored_any
    }
}

struct ListReader<'de> {
    nodes: vec::IntoIter<Node<'de>>,
    index: usize,
}

impl<'de> SeqAccess<'de> for ListReader<'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let Some(node) = self.nodes.next() else { return Ok(None) };
        let value = seed.deserialize(node).map_err(|fault| fault.within(&format!("[{}]", self.index)))?;
        self.index = self.index.saturating_add(1);
        Ok(Some(value))
    }
}

struct ObjectReader<'de> {
    entries: btree_map::IntoIter<Cow<'de, str>, Node<'de>>,
    current: Option<(Cow<'de, str>, Node<'de>)>,
}

impl<'de> MapAccess<'de> for ObjectReader<'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        let name = seed.deserialize(StrDeserializer::new(&key)).map_err(|fault: Fault| fault.within(&key))?;
        self.current = Some((key, value));
        Ok(Some(name))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let Some((key, value)) = self.current.take() else { return Err(de::Error::custom("expected a value")) };
        seed.deserialize(value).map_err(|fault| fault.within(&key))
    }
}

/// `"name"`, or `{"name": content}`.
struct Variant<'de> {
    name: Cow<'de, str>,
    content: Option<Node<'de>>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Fault> {
        let variant = seed.deserialize(StrDeserializer::new(&self.name))?;
        Ok((variant, self))
    }
}

impl<'de> Variant<'de> {
    fn content(self) -> Result<(Cow<'de, str>, Node<'de>), Fault> {
        let Self { name, content } = self;
        content.map(|content| (name, content)).ok_or_else(|| de::Error::custom("expected an object with this one name"))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        if self.content.is_none() { Ok(()) } else { Err(de::Error::custom("expected the name alone")) }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        let (name, content) = self.content()?;
        seed.deserialize(content).map_err(|fault| fault.within(&name))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        let (name, content) = self.content()?;
        content.deserialize_seq(visitor).map_err(|fault| fault.within(&name))
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        let (name, content) = self.content()?;
        content.deserialize_struct("", fields, visitor).map_err(|fault| fault.within(&name))
    }
}

#[cfg(test)]
mod tests {
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
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the reading is tested")]
    struct Inner {
        flag: bool,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Choice {
        #[default]
        None,
        #[expect(dead_code, reason = "only the reading is tested")]
        Some(Vec<String>),
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
            (r#"{"text":"hidden"} x"#, ""),
            (r#"{"text":"hidden""#, ""),
            ("", ""),
        ] {
            let (at, message) = read(bad).unwrap_err();
            assert_eq!(at, path, "{bad}");
            assert!(!message.contains("hidden") && !message.is_empty(), "{bad}: {message}");
        }
    }
}
