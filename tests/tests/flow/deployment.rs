//! What is deployed is what the template says, and what the template says is safe.

use crate::world::{World, now};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};

crate::flows![
    no_function_can_change_or_delete_what_is_in_the_audit,
    a_function_can_do_what_it_is_for_and_no_more,
    a_function_writes_the_kinds_of_items_that_it_is_for,
    every_queue_gives_up_after_five_attempts_six_time_outs_apart,
    the_tables_can_be_restored_and_the_audit_has_a_stream,
];

const TEMPLATE: &str = include_str!("../../../template.yaml");

/// The template's resources. Its tags (`!If`, `!Ref`) do not matter here, and are taken off.
fn resources() -> serde_json::Map<String, Value> {
    let plain: String = TEMPLATE
        .split('!')
        .enumerate()
        .map(|(n, part)| match part.find([' ', '\n']) {
            Some(end) if n > 0 && part.starts_with(|c: char| c.is_ascii_uppercase()) => &part[end..],
            _ => part,
        })
        .collect();
    let template: Value = serde_saphyr::from_str(&plain).unwrap();
    template["Resources"].as_object().unwrap().clone()
}

/// The permissions of a function.
pub async fn role_of(world: &World, name: &str) -> aws_config::SdkConfig {
    let function = world.aws.function(&format!("{}-{name}", world.state.stack_name)).await;
    let role = function["Role"].as_str().expect("a function has a role").to_owned();
    world.aws.as_role(&role, &world.state.region).await
}

/// A client with the permissions of a function.
async fn as_function(world: &World, name: &str) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(&role_of(world, name).await)
}

/// The code of what went wrong; `None` when it went through.
pub fn code<T, E>(result: Result<T, aws_sdk_dynamodb::error::SdkError<E>>) -> Option<String>
where
    E: ProvideErrorMetadata,
{
    result.err().map(|error| error.code().unwrap_or("no answer").to_owned())
}

pub const DENIED: Option<&str> = Some("AccessDeniedException");

async fn no_function_can_change_or_delete_what_is_in_the_audit(world: &'static World) {
    let lead = world.lead(json!({})).await;
    let audit = world.state.output("AuditTableName").unwrap();
    let key = [
        ("pk", AttributeValue::S(format!("lead/{lead}"))),
        ("sk", AttributeValue::S("000000000001".to_owned())),
    ];
    for name in ["ingest", "escalate", "compliance", "operations", "notify", "sweep", "publish", "checkpoint"]
    {
        let db = as_function(world, name).await;
        let mut update = db.update_item().table_name(audit).update_expression("SET x = :x");
        update = update.expression_attribute_values(":x", AttributeValue::S("x".to_owned()));
        let mut delete = db.delete_item().table_name(audit);
        for (name, value) in &key {
            update = update.key(*name, value.clone());
            delete = delete.key(*name, value.clone());
        }
        assert_eq!(code(update.send().await).as_deref(), DENIED, "{name} updates");
        assert_eq!(code(delete.send().await).as_deref(), DENIED, "{name} deletes");
        let wanted = KeysAndAttributes::builder().keys(key.clone().map(|(n, v)| (n.to_owned(), v)).into());
        let read = db.batch_get_item().request_items(audit, wanted.build().unwrap()).send().await;
        // What makes checkpoints reads histories by a query, and no single items.
        if matches!(name, "sweep" | "publish" | "checkpoint") {
            assert_eq!(code(read).as_deref(), DENIED, "{name} reads the audit");
        } else {
            // So that it is this that is denied, and not everything.
            assert_eq!(read.unwrap().responses().unwrap()[audit].len(), 1, "{name} reads the audit");
        }
    }
}

async fn a_function_can_do_what_it_is_for_and_no_more(world: &'static World) {
    let leads = world.state.output("LeadsTableName").unwrap();
    let publisher = as_function(world, "publish").await;
    assert_eq!(code(publisher.scan().table_name(leads).send().await).as_deref(), DENIED);
    let sweep = as_function(world, "sweep").await;
    let item = sweep.put_item().table_name(leads);
    let item =
        item.item("pk", AttributeValue::S(world.id("x"))).item("sk", AttributeValue::S("x".to_owned()));
    assert_eq!(code(item.send().await).as_deref(), DENIED);
    for name in ["ingest", "escalate", "compliance", "operations", "notify", "sweep", "checkpoint"] {
        let db = as_function(world, name).await;
        assert_eq!(
            code(db.scan().table_name(leads).send().await).as_deref(),
            DENIED,
            "{name} reads all leads"
        );
    }
    // And the due index is what the sweep reads.
    let due = sweep
        .query()
        .table_name(leads)
        .index_name("due")
        .key_condition_expression("due_shard = :s AND wake_at <= :t")
        .expression_attribute_values(":s", AttributeValue::S("DUE#0".to_owned()))
        .expression_attribute_values(":t", AttributeValue::S(crate::world::written(now())));
    assert_eq!(code(due.send().await), None);
}

/// Who may put, update and delete an item of which kind; everything else is denied.
async fn a_function_writes_the_kinds_of_items_that_it_is_for(world: &'static World) {
    let [leads, audit, keys] =
        ["LeadsTableName", "AuditTableName", "KeysTableName"].map(|name| world.state.output(name).unwrap());
    let nobody = world.id("nobody");
    let writers = ["ingest", "escalate", "compliance", "operations", "notify"];
    for name in writers.into_iter().chain(["sweep", "publish", "checkpoint"]) {
        let db = as_function(world, name).await;
        let key = |pk: &str| AttributeValue::S(format!("{pk}{nobody}"));
        let sk = || AttributeValue::S("x".to_owned());
        let delete = async |table: &str, pk: &str| {
            code(db.delete_item().table_name(table).key("pk", key(pk)).key("sk", sk()).send().await)
        };
        // A condition that cannot hold: whoever may do it is told so, and nothing is written.
        let put = async |table: &str, pk: &str| {
            let put = db.put_item().table_name(table).item("pk", key(pk)).item("sk", sk());
            code(put.condition_expression("attribute_exists(pk)").send().await)
        };
        let may = |answer: Option<String>| answer.as_deref() != DENIED;
        for (family, whose) in [
            ("LEAD#", writers.as_slice()),
            ("OUTBOX#", writers.as_slice()),
            ("ACCOUNT#", &["ingest", "escalate", "operations", "notify"]),
            ("SEEN#", &["ingest", "compliance", "operations"]),
            ("PUBLICATION#", &["escalate", "operations", "notify"]),
            ("REP#", &["escalate", "operations", "notify"]),
            ("OTHER#", &[]),
        ] {
            assert_eq!(may(put(leads, family).await), whose.contains(&name), "{name} puts {family}");
        }
        for family in ["LEAD#", "ACCOUNT#", "REP#", "SEEN#", "PUBLICATION#"] {
            assert!(!may(delete(leads, family).await), "{name} deletes {family}");
        }
        assert_eq!(may(delete(leads, "OUTBOX#").await), name == "notify", "{name} deletes from the outbox");
        for (family, whose) in [
            ("lead/", writers.as_slice()),
            ("rep/", &["escalate", "operations", "notify"]),
            ("policy/", &["escalate", "operations", "notify"]),
        ] {
            assert_eq!(may(put(audit, family).await), whose.contains(&name), "{name} puts {family}");
        }
        let makes = ["ingest", "operations"].contains(&name);
        let erases = ["compliance", "escalate"].contains(&name);
        assert_eq!(may(put(keys, "KEY#lead/").await), makes, "{name} makes data keys");
        assert_eq!(may(put(keys, "ERASED#lead/").await), erases, "{name} says that a key was destroyed");
        assert_eq!(may(delete(keys, "KEY#lead/").await), erases, "{name} destroys data keys");
        assert!(!may(delete(keys, "ERASED#lead/").await), "{name} takes back that a key was destroyed");
    }
}

async fn every_queue_gives_up_after_five_attempts_six_time_outs_apart(world: &'static World) {
    let resources = resources();
    let time_out = |function: &str| resources[function]["Properties"]["Timeout"].as_u64().unwrap();
    let mut fed = 0;
    for (id, resource) in &resources {
        let properties = &resource["Properties"];
        match resource["Type"].as_str().unwrap() {
            "AWS::SQS::Queue" if !id.ends_with("DeadLetters") => {
                assert_eq!(properties["RedrivePolicy"]["maxReceiveCount"], 5, "{id}");
                // It is deployed so.
                let url = world.state.output(&format!("{id}Url")).unwrap();
                let policy = world.aws.queue_attribute(url, QueueAttributeName::RedrivePolicy).await.unwrap();
                let policy: Value = serde_json::from_str(&policy).unwrap();
                assert_eq!(
                    policy["maxReceiveCount"]
                        .as_u64()
                        .or_else(|| policy["maxReceiveCount"].as_str()?.parse().ok()),
                    Some(5),
                    "{policy}"
                );
                assert!(policy["deadLetterTargetArn"].as_str().unwrap().contains("DeadLetters"), "{policy}");
            }
            "AWS::SQS::Queue" => assert_eq!(properties["MessageRetentionPeriod"], 14 * 86_400, "{id}"),
            "AWS::Lambda::EventSourceMapping" => {
                assert_eq!(properties["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]), "{id}");
                let source = properties["EventSourceArn"].as_str().unwrap();
                let source = source.split('.').next().unwrap();
                if resources[source]["Type"] == "AWS::SQS::Queue" {
                    let visible = resources[source]["Properties"]["VisibilityTimeout"].as_u64().unwrap();
                    assert_eq!(visible, 6 * time_out(properties["FunctionName"].as_str().unwrap()), "{id}");
                    fed += 1;
                }
            }
            _ => {}
        }
    }
    assert_eq!(fed, 2, "two queues feed a function");
}

async fn the_tables_can_be_restored_and_the_audit_has_a_stream(world: &'static World) {
    let resources = resources();
    let tables: Vec<_> = resources.iter().filter(|(_, r)| r["Type"] == "AWS::DynamoDB::Table").collect();
    assert_eq!(tables.len(), 3);
    for (name, table) in tables {
        let properties = &table["Properties"];
        // A data key that can be brought back was not destroyed.
        let can_be_restored =
            properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] == true;
        assert_eq!(can_be_restored, name != "KeysTable", "{name}");
        assert_eq!(properties["SSESpecification"]["SSEEnabled"], true);
        assert_eq!(
            (&table["DeletionPolicy"], &table["UpdateReplacePolicy"]),
            (&json!("Retain"), &json!("Retain"))
        );
    }
    let audit = world.state.output("AuditTableName").unwrap();
    let described = world.aws.dynamodb.describe_table().table_name(audit).send().await.unwrap();
    let table = described.table().unwrap();
    let stream = table.stream_specification().expect("the audit has a stream");
    assert_eq!(stream.stream_view_type().map(|view| view.as_str()), Some("NEW_IMAGE"));
    let leads = world.state.output("LeadsTableName").unwrap();
    let described = world.aws.dynamodb.describe_table().table_name(leads).send().await.unwrap();
    let mut indexes: Vec<&str> = described
        .table()
        .unwrap()
        .global_secondary_indexes()
        .iter()
        .filter_map(|index| index.index_name())
        .collect();
    indexes.sort_unstable();
    assert_eq!(
        indexes,
        [
            "by-account",
            "by-market",
            "by-owner",
            "by-state",
            "compliance-reviews",
            "due",
            "heads",
            "operations-reviews"
        ]
    );
}
