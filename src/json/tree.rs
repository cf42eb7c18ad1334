//! A JSON text as a tree.

use core::fmt;
use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

/// A JSON value.
pub(super) enum Node<'de> {
    Null,
    Flag(bool),
    Whole(u64),
    /// A number that is negative, has a fraction, or is too large.
    OtherNumber,
    Text(Cow<'de, str>),
    List(Vec<Node<'de>>),
    /// As it is written: a name may come twice.
    Object(Vec<(Name<'de>, Node<'de>)>),
}

/// The name of a value in an object.
#[derive(Deserialize)]
pub(super) struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl Name<'_> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
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
                Ok(Node::OtherNumber)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Node<'de>, E> {
                Ok(Node::OtherNumber)
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
                    push(&mut list, node, 4);
                }
                Ok(Node::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = access.next_entry()? {
                    push(&mut entries, entry, 8);
                }
                Ok(Node::Object(entries))
            }
        }

        deserializer.deserialize_any(NodeVisitor)
    }
}

/// Adds an item, with room for the usual number of items from the first one on: freed memory is wiped, so that a list which grows is
/// copied and wiped again and again. An empty list takes none, because a text may hold very many of them.
fn push<T>(list: &mut Vec<T>, item: T, usual: usize) {
    if list.is_empty() {
        list.reserve_exact(usual);
    }
    list.push(item);
}
