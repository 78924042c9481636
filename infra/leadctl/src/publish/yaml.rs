//! Writes a document as YAML that is easy to edit: members in the order of the JSON text, and short rows on one line.

use anyhow::Context as _;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};
use serde_json::Value;
use serde_saphyr::{FlowMap, FlowSeq};

/// The longest row on one line, in characters.
const ROW_CHARS_MAX: usize = 100;

/// Rewrites JSON as YAML.
///
/// # Errors
/// When the text is not JSON.
pub(super) fn written(json: &str) -> anyhow::Result<String> {
    let tree: Tree = serde_json::from_str(json).context("the document is not JSON")?;
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false, compact_list_indent: false };
    serde_saphyr::to_string_with_options(&tree, options).context("the document cannot be written as YAML")
}

/// A JSON document that keeps the order of its members.
enum Tree {
    Value(Value),
    List(Vec<Tree>),
    Block(Vec<(String, Tree)>),
}

impl Tree {
    /// Whether it is a row: a short list or block of plain values.
    fn is_row(&self) -> bool {
        let mut length = 0;
        let mut is_value = |tree: &Self| match tree {
            Self::Value(value) => {
                length += value.to_string().len() + 2;
                true
            }
            Self::List(items) => items.iter().all(|item| {
                length += 2;
                matches!(item, Self::Value(value) if { length += value.to_string().len(); true })
            }),
            Self::Block(_) => false,
        };
        let only_values = match self {
            Self::Value(_) => false,
            Self::List(items) => items.iter().all(|item| matches!(item, Self::Value(_)) && is_value(item)),
            Self::Block(members) => members.iter().all(|(_, member)| is_value(member)),
        };
        let names = match self {
            Self::Block(members) => members.iter().map(|(name, _)| name.len() + 2).sum(),
            _ => 0,
        };
        only_values && length + names <= ROW_CHARS_MAX
    }

    /// How it is written inside another tree: a row on one line, anything else as a block.
    fn part(&self) -> Part<'_> {
        match self {
            Self::List(_) if self.is_row() => Part::RowOfItems(self),
            Self::Block(_) if self.is_row() => Part::RowOfMembers(self),
            _ => Part::Plain(self),
        }
    }
}

/// A part of a document and how it is written.
enum Part<'t> {
    Plain(&'t Tree),
    RowOfItems(&'t Tree),
    RowOfMembers(&'t Tree),
}

impl Serialize for Part<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(tree) => tree.serialize(to),
            Self::RowOfItems(tree) => FlowSeq(tree).serialize(to),
            Self::RowOfMembers(tree) => FlowMap(tree).serialize(to),
        }
    }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(to),
            Self::List(items) => {
                let mut list = to.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(&item.part()))?;
                list.end()
            }
            Self::Block(members) => {
                let mut block = to.serialize_map(Some(members.len()))?;
                members.iter().try_for_each(|(name, member)| block.serialize_entry(name, &member.part()))?;
                block.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Tree;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("JSON")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
                Ok(Tree::Value(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
                Ok(Tree::Value(value.into()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
                Ok(Tree::Value(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
                Ok(Tree::Value(value.into()))
            }

            fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
                Ok(Tree::Value(value.into()))
            }

            fn visit_unit<E>(self) -> Result<Tree, E> {
                Ok(Tree::Value(Value::Null))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Tree, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = from.next_element()? {
                    items.push(item);
                }
                Ok(Tree::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Tree, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = from.next_entry()? {
                    members.push(member);
                }
                Ok(Tree::Block(members))
            }
        }

        from.deserialize_any(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_rows_their_line() {
        let json = r#"{"name":"x","rows":[{"state":"NEW","window":"1h","do":["a","b"]}],"also":["US","CA"],
            "deep":{"b":{"c":{"d":1}},"a":"yes"}}"#;
        let expected = "\
name: x
rows:
  - {state: NEW, window: 1h, do: [a, b]}
also: [US, CA]
deep:
  b:
    c: {d: 1}
  a: 'yes'
";
        assert_eq!(written(json).unwrap().replace('"', "'"), expected);
    }
}
