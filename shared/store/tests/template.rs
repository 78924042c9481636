//! The deployment's template declares the tables that the store expects.

use aws_sdk_dynamodb::types::ProjectionType;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use store::schema::{self, TTL_ATTRIBUTE};

const TEMPLATE: &str = include_str!("../../../template.yaml");

/// A resource of the template, without its tags (`!If`, `!Ref`), which do not matter here.
fn properties(resource: &str) -> Value {
    let plain: String = TEMPLATE
        .split('!')
        .enumerate()
        .map(|(n, part)| match part.find([' ', '\n']) {
            Some(end) if n > 0 && part.starts_with(|c: char| c.is_ascii_uppercase()) => &part[end..],
            _ => part,
        })
        .collect();
    let template: Value = serde_saphyr::from_str(&plain).unwrap();
    template["Resources"][resource]["Properties"].clone()
}

/// A list whose order has no meaning.
fn set(list: &Value) -> BTreeSet<String> {
    list.as_array().unwrap().iter().map(ToString::to_string).collect()
}

fn key_schema(elements: &[aws_sdk_dynamodb::types::KeySchemaElement]) -> Value {
    elements
        .iter()
        .map(|e| json!({"AttributeName": e.attribute_name(), "KeyType": e.key_type().as_str()}))
        .collect()
}

fn definitions(table: &aws_sdk_dynamodb::operation::create_table::CreateTableInput) -> BTreeSet<String> {
    table
        .attribute_definitions()
        .iter()
        .map(|d| {
            json!({"AttributeName": d.attribute_name(), "AttributeType": d.attribute_type().as_str()})
                .to_string()
        })
        .collect()
}

#[test]
fn the_template_declares_the_leads_table_as_the_store_expects_it() {
    let (declared, meant) =
        (properties("LeadsTable"), schema::leads_table("leads").unwrap().build().unwrap());
    assert_eq!(declared["KeySchema"], key_schema(meant.key_schema()));
    assert_eq!(set(&declared["AttributeDefinitions"]), definitions(&meant));
    assert_eq!(declared["TimeToLiveSpecification"]["AttributeName"], TTL_ATTRIBUTE);
    let indexes: BTreeSet<String> = meant
        .global_secondary_indexes()
        .iter()
        .map(|index| {
            let projection = index.projection().unwrap();
            let mut kind = json!({"ProjectionType": projection.projection_type().unwrap().as_str()});
            if projection.projection_type() == Some(&ProjectionType::Include) {
                kind["NonKeyAttributes"] = json!(projection.non_key_attributes());
            }
            json!({"IndexName": index.index_name(), "KeySchema": key_schema(index.key_schema()), "Projection": kind})
                .to_string()
        })
        .collect();
    assert_eq!(set(&declared["GlobalSecondaryIndexes"]), indexes);
}

#[test]
fn the_template_declares_the_audit_table_as_the_store_expects_it() {
    let (declared, meant) =
        (properties("AuditTable"), schema::audit_table("audit").unwrap().build().unwrap());
    assert_eq!(declared["KeySchema"], key_schema(meant.key_schema()));
    assert_eq!(set(&declared["AttributeDefinitions"]), definitions(&meant));
    let stream =
        meant.stream_specification().and_then(|s| s.stream_view_type()).map(|v| v.as_str().to_owned());
    assert_eq!(declared["StreamSpecification"]["StreamViewType"].as_str().map(str::to_owned), stream);
}

#[test]
fn the_template_declares_the_table_of_data_keys_without_backups() {
    let (declared, meant) = (properties("KeysTable"), schema::keys_table("keys").unwrap().build().unwrap());
    assert_eq!(declared["KeySchema"], key_schema(meant.key_schema()));
    assert_eq!(set(&declared["AttributeDefinitions"]), definitions(&meant));
    assert_eq!(declared["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], json!(false));
    assert_eq!(declared["StreamSpecification"]["StreamViewType"], json!("KEYS_ONLY"));
    let stream = meant.stream_specification().and_then(|stream| stream.stream_view_type());
    assert_eq!(stream.map(|view| view.as_str()), Some("KEYS_ONLY"));
    assert_eq!(properties("DataKey")["EnableKeyRotation"], json!(true));
}
