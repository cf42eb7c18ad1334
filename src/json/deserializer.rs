//! Types from a tree of JSON, by serde.
//!
//! A form that no document of ours has (a tuple, a negative number, an ignored field) is refused,
//! so that a type which asks for it fails in its first test.

use core::fmt;
use std::collections::BTreeSet;
use std::slice;

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, EnumAccess, Expected, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::error::{Error, ErrorCode};

use super::tree::{Name, Node};

/// The first mistake found in a document, with its path. Boxed, because most results that carry it are good.
#[derive(Debug)]
pub(super) struct JsonError(Box<Error>);

impl JsonError {
    #[cold]
    fn new(message: impl fmt::Display) -> Self {
        Self(Box::new(Error::new(ErrorCode::InvalidInput, "", message.to_string())))
    }

    #[cold]
    fn expected(what: &dyn fmt::Display) -> Self {
        // serde names types of Rust, which a reader of the message may not know.
        match what.to_string().as_str() {
            "u8" => Self::new("expected a whole number from 0 to 255"),
            "u32" => Self::new("expected a whole number from 0 to 4294967295"),
            "u64" => Self::new("expected a whole number"),
            "a boolean" => Self::new("expected true or false"),
            "a sequence" => Self::new("expected a list"),
            "a map" => Self::new("expected an object"),
            other => Self::new(format_args!("expected {other}")),
        }
    }

    #[cold]
    fn expected_one_of(wrong: &str, names: &[&str]) -> Self {
        Self::new(format_args!("{wrong}expected one of `{}`", names.join("`, `")))
    }

    /// The same error with the path from one level up.
    #[cold]
    pub(super) fn within(mut self, part: &str) -> Self {
        let path = &mut self.0.path;
        let joint = if path.is_empty() || path.starts_with('[') { "" } else { "." };
        *path = format!("{part}{joint}{path}");
        self
    }

    #[cold]
    fn within_element(self, index: usize) -> Self {
        self.within(&format!("[{index}]"))
    }

    /// The error as an error with this code.
    #[cold]
    pub(super) fn coded(self, code: ErrorCode) -> Error {
        Error { code, ..*self.0 }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for JsonError {}

/// No message quotes the value that was found: it may be a secret.
impl de::Error for JsonError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message)
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::expected(&expected)
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::expected(&expected)
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::expected(&expected)
    }

    fn unknown_variant(_: &str, names: &'static [&'static str]) -> Self {
        Self::expected_one_of("", names)
    }

    /// The path names the field, see [`Entries::next_key_seed`].
    fn unknown_field(_: &str, names: &'static [&'static str]) -> Self {
        Self::expected_one_of("unknown field, ", names)
    }

    fn missing_field(name: &'static str) -> Self {
        Self::new("is missing").within(name)
    }

    fn duplicate_field(name: &'static str) -> Self {
        Self::new(format_args!("the field `{name}` comes twice"))
    }
}

impl<'de> Deserializer<'de> for &Node<'de> {
    type Error = JsonError;

    /// For a type that is either a text or an object, or either a text or a list.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        match self {
            Node::Object(entries) => visitor.visit_map(Entries::of(entries)),
            Node::List(_) => self.deserialize_seq(visitor),
            Node::Null | Node::Flag(_) | Node::Whole(_) | Node::OtherNumber | Node::Text(_) => self.deserialize_str(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        if let Node::Flag(flag) = self { visitor.visit_bool(*flag) } else { Err(mismatch(&visitor)) }
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        if let Node::Whole(number) = self { visitor.visit_u64(*number) } else { Err(mismatch(&visitor)) }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        if let Node::Text(text) = self { visitor.visit_str(text) } else { Err(mismatch(&visitor)) }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        if let Node::Null = self { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        if let Node::List(nodes) = self { visitor.visit_seq(Elements { nodes: nodes.iter(), index: 0 }) } else { Err(mismatch(&visitor)) }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        let Node::Object(entries) = self else { return Err(mismatch(&visitor)) };
        let mut names = BTreeSet::new();
        if !entries.iter().all(|(name, _)| names.insert(name.as_str())) {
            return Err(JsonError::new("a key comes twice"));
        }
        visitor.visit_map(Entries::of(entries))
    }

    fn deserialize_struct<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, JsonError> {
        // serde's code finds a name that comes twice.
        if let Node::Object(entries) = self { visitor.visit_map(Entries::of(entries)) } else { Err(JsonError::expected(&"an object")) }
    }

    fn deserialize_enum<V: Visitor<'de>>(self, _: &'static str, names: &'static [&'static str], visitor: V) -> Result<V::Value, JsonError> {
        match self {
            Node::Text(name) => visitor.visit_enum(Variant { name, content: None }),
            Node::Object(entries) if let [(name, content)] = entries.as_slice() => {
                visitor.visit_enum(Variant { name: name.as_str(), content: Some(content) })
            }
            Node::Null | Node::Flag(_) | Node::Whole(_) | Node::OtherNumber | Node::List(_) | Node::Object(_) => {
                Err(JsonError::expected_one_of("", names))
            }
        }
    }

    /// Only a type without `deny_unknown_fields` ignores a field.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, JsonError> {
        Err(JsonError::new("unknown field"))
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 f32 f64 bytes byte_buf unit unit_struct newtype_struct tuple tuple_struct identifier
    }
}

fn mismatch<'de>(visitor: &impl Visitor<'de>) -> JsonError {
    de::Error::invalid_type(Unexpected::Other(""), visitor)
}

struct Elements<'a, 'de> {
    nodes: slice::Iter<'a, Node<'de>>,
    index: usize,
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = JsonError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, JsonError> {
        let Some(node) = self.nodes.next() else { return Ok(None) };
        let value = seed.deserialize(node).map_err(|error| error.within_element(self.index))?;
        self.index = self.index.saturating_add(1);
        Ok(Some(value))
    }
}

struct Entries<'a, 'de> {
    entries: slice::Iter<'a, (Name<'de>, Node<'de>)>,
    /// The entry whose name is read and whose value is not.
    current: Option<&'a (Name<'de>, Node<'de>)>,
}

impl<'a, 'de> Entries<'a, 'de> {
    fn of(entries: &'a [(Name<'de>, Node<'de>)]) -> Self {
        Self { entries: entries.iter(), current: None }
    }
}

impl<'de> MapAccess<'de> for Entries<'_, 'de> {
    type Error = JsonError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, JsonError> {
        self.current = self.entries.next();
        let Some((name, _)) = self.current else { return Ok(None) };
        seed.deserialize(StrDeserializer::new(name.as_str())).map(Some).map_err(|error: JsonError| error.within(name.as_str()))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, JsonError> {
        let Some((name, node)) = self.current else { return Err(JsonError::expected(&"a name before the value")) };
        seed.deserialize(node).map_err(|error| error.within(name.as_str()))
    }
}

/// `"name"` or `{"name": content}`.
struct Variant<'a, 'de> {
    name: &'a str,
    content: Option<&'a Node<'de>>,
}

impl<'a, 'de> Variant<'a, 'de> {
    fn content(&self) -> Result<&'a Node<'de>, JsonError> {
        self.content.ok_or_else(|| JsonError::expected(&"an object with this one name"))
    }
}

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = JsonError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), JsonError> {
        seed.deserialize(StrDeserializer::<JsonError>::new(self.name)).map(|value| (value, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = JsonError;

    fn unit_variant(self) -> Result<(), JsonError> {
        if self.content.is_none() { Ok(()) } else { Err(JsonError::expected(&"the name alone")) }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, JsonError> {
        seed.deserialize(self.content()?).map_err(|error| error.within(self.name))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, JsonError> {
        Err(mismatch(&visitor))
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, JsonError> {
        self.content()?.deserialize_struct("", fields, visitor).map_err(|error| error.within(self.name))
    }
}
