//! JSON Schemas of the policy and the directory, generated from their types, so that an editor completes and
//! explains each field. The documents' own checks cover everything beyond the shape.

use crate::calendar::Weekday;
use crate::directory::DirectoryDocument;
use crate::document::REVISION;
use crate::measure::{Days, Money, Percent, TimeOfDay, Window};
use crate::policy::Policy;
use crate::vocabulary::Message;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};
use std::borrow::Cow;

/// The schema of a policy.
#[must_use]
pub fn policy() -> Value {
    of::<Policy>("Leadwatch policy")
}

/// The schema of a directory.
#[must_use]
pub fn directory() -> Value {
    of::<DirectoryDocument>("Leadwatch directory")
}

/// Draft 7, which every editor reads.
fn of<T: JsonSchema>(title: &str) -> Value {
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<T>().to_value();
    if let Value::Object(members) = &mut schema {
        members.insert("title".to_owned(), title.into());
    }
    if let Some(Value::Object(fields)) = schema.get_mut("properties") {
        fields.insert(REVISION.to_owned(), revision());
    }
    name_keys(&mut schema);
    schema
}

/// The field that every document may have beside its content.
fn revision() -> Value {
    json!({
        "type": "integer",
        "minimum": 1,
        "maximum": u32::MAX,
        "description": "The revision that this document was made from. `leadctl policy pull` and `leadctl directory \
                        pull` write it. Publishing is refused if another revision is in force by then. It is not \
                        part of the content.",
    })
}

/// Lists the names of maps whose names are a closed set, so that an editor knows them too.
fn name_keys(schema: &mut Value) {
    let named = [
        ("messages", Message::ALL.map(Message::as_str).to_vec()),
        ("hours", Weekday::ALL.map(Weekday::as_str).to_vec()),
    ];
    let definitions = schema.get_mut("definitions").and_then(Value::as_object_mut);
    for definition in definitions.into_iter().flat_map(|all| all.values_mut()) {
        for (field, names) in &named {
            let map = definition.pointer_mut(&format!("/properties/{field}")).and_then(Value::as_object_mut);
            if let Some(map) = map.filter(|map| map.contains_key("additionalProperties")) {
                map.insert("propertyNames".to_owned(), json!({ "enum": names }));
            }
        }
    }
}

macro_rules! text {
    ($name:ident, $pattern:literal, $description:literal, $example:literal) => {
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "pattern": $pattern,
                    "description": $description,
                    "examples": [$example],
                })
            }
        }
    };
}

text!(Percent, "^0*([1-9][0-9]{0,3}|10000) *%$", "A whole percentage from 1% to 10000%.", "80%");
text!(
    Window,
    "^([0-9]+bd|[0-9]+h([0-9]+m)?([0-9]+s)?|[0-9]+m([0-9]+s)?|[0-9]+s)$",
    "A window in business hours, up to 10000h, or in business days, up to 1000bd.",
    "1h30m"
);
text!(
    Days,
    "^0*([1-9][0-9]{0,3}|[12][0-9]{4}|3[0-5][0-9]{3}|36[0-4][0-9]{2}|36500)d$",
    "Whole days, from 1d to 36500d.",
    "730d"
);
text!(TimeOfDay, "^([01][0-9]|2[0-3]):[0-5][0-9]$", "A time of day, to the minute.", "07:30");

impl JsonSchema for Money {
    fn schema_name() -> Cow<'static, str> {
        "Money".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "An amount of money, as a decimal string in an ISO 4217 currency.",
            "properties": {
                "amount": { "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?$", "examples": ["48000.00"] },
                "currency": { "type": "string", "pattern": "^[A-Z]{3}$", "examples": ["USD"] },
            },
            "required": ["amount", "currency"],
            "additionalProperties": false,
        })
    }
}
