//! What the functions ask of AWS, held against what their roles grant in the template: each call is
//! granted, and each grant is used by a call. A grant that nobody uses is a right for whoever gets
//! into the function.

use crate::bundle::Function;
use crate::database::{AUDIT, KEYS, LEADS};
use crate::queues::{DUE, NOTIFICATIONS};
use crate::wire::{Call, Service};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

const TEMPLATE: &str = include_str!("../../../template.yaml");

/// A use of a right: who, which action, on what, and for an item a key like it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    pub function: &'static str,
    action: &'static str,
    resource: String,
    key: Option<String>,
}

/// Grants that no call of a run uses, or few do, and why they are there all the same: the function, what
/// of the grant's name says which it is, and the reason.
const NOT_IN_A_RUN: [(&str, &str, &str); 28] = [
    ("escalate", "Receive ", "Lambda polls the queue with the function's role"),
    ("notify", "Receive ", "Lambda polls the queue with the function's role"),
    ("publish", "AuditStream", "Lambda reads the streams with the function's role"),
    ("publish", "Unpublished ", "Lambda leaves there what it gave up"),
    ("publish", "ReportTampering ", "a run keeps reports itself; the flows replace an item of the audit"),
    ("sweep", "FailedTicks ", "Lambda leaves there the ticks that failed"),
    ("escalate", "DestroyDataKeys ", "few runs last until the retention of personal data is over"),
    ("escalate", "Tombstones ", "few runs last until the retention of personal data is over"),
    (
        "escalate",
        "UpdateLeads dynamodb:UpdateItem LeadsTable.Arn ACCOUNT#*",
        "moves the due key of an account whose touchpoint a publication moved; plans change no touchpoint",
    ),
    ("escalate", "/index/by-market", "no run takes a licence away by a publication; the flows do"),
    (
        "compliance",
        "ConditionCheckItem",
        "a clearance seldom rests on an account or a rep who did not get the lead",
    ),
    (
        "notify",
        "ConditionCheckItem",
        "what is settled with a delivery seldom rests on an account or such a rep",
    ),
    ("compliance", "DueQueue.Arn", "a decision seldom brings about what is due before the next tick"),
    (
        "notify",
        "AuditAppend dynamodb:PutItem AuditTable.Arn directory/",
        "a directory's digest is seldom told in a run",
    ),
    ("notify", "NotificationDeadLetters.Arn", "a run has no message that cannot be read; the flows have"),
    ("notify", "/outgoing-webhook-", "nobody in a run is told by webhook; the flows do that"),
    ("notify", "Mail ", "nobody in a run is told by e-mail; the flows do that"),
    ("operations", "/index/operations-reviews", "staff of a run read no list; the flows do"),
    ("operations", "/index/by-owner", "staff of a run read no list; the flows do"),
    ("operations", "/index/by-account", "staff of a run read no list; the flows do"),
    ("operations", "/index/by-market", "staff of a run read no list; the flows do"),
    ("operations", "/index/by-state", "staff of a run try no publication; the flows do"),
    ("operations", "/index/compliance-reviews", "staff of a run try no publication; the flows do"),
    ("compliance", "/index/compliance-reviews", "staff of a run read no list; the flows do"),
    ("operations", "DataKeys ", "staff of a run say nothing personal, and read no history; the flows do"),
    ("operations", "ReadAudit dynamodb:Query", "staff of a run read no history; the flows do"),
    (
        "operations",
        "ReadAudit dynamodb:BatchGetItem",
        "few commits of staff are looked up after a lost answer",
    ),
    ("operations", "NotificationQueue.Arn", "what staff of a run do is seldom told to anybody at once"),
];

/// What a call uses.
pub fn uses(function: Function, call: &Call) -> Vec<Use> {
    let function = function.name();
    let of = |action, resource: String, key: Option<String>| Use { function, action, resource, key };
    let body = &call.body;
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    match (call.service, call.operation.as_str()) {
        (Service::Database, "TransactWriteItems") => {
            let writes = body["TransactItems"].as_array().into_iter().flatten();
            let kinds = [
                ("Put", "dynamodb:PutItem"),
                ("Update", "dynamodb:UpdateItem"),
                ("Delete", "dynamodb:DeleteItem"),
                ("ConditionCheck", "dynamodb:ConditionCheckItem"),
            ];
            let each = writes.flat_map(|write| kinds.map(|(kind, action)| (&write[kind], action)));
            each.filter(|(write, _)| !write.is_null())
                .map(|(write, action)| of(action, table(&write["TableName"]), key_of(write)))
                .collect()
        }
        (Service::Database, "BatchGetItem") => {
            let tables = body["RequestItems"].as_object().into_iter().flat_map(Map::keys);
            tables.map(|name| of("dynamodb:BatchGetItem", table(&Value::from(name.as_str())), None)).collect()
        }
        (Service::Database, "GetItem") => {
            vec![of("dynamodb:GetItem", table(&body["TableName"]), key_of(body))]
        }
        (Service::Database, "UpdateItem") => {
            vec![of("dynamodb:UpdateItem", table(&body["TableName"]), key_of(body))]
        }
        (Service::Database, "Query") => {
            let table = table(&body["TableName"]);
            let resource = match body["IndexName"].as_str() {
                Some(index) => format!("${{{table}}}/index/{index}"),
                None => table,
            };
            vec![of("dynamodb:Query", resource, None)]
        }
        (Service::Queues, operation) => {
            let action = match operation {
                "SendMessage" | "SendMessageBatch" => "sqs:SendMessage",
                "ChangeMessageVisibility" | "ChangeMessageVisibilityBatch" => "sqs:ChangeMessageVisibility",
                "GetQueueAttributes" => "sqs:GetQueueAttributes",
                other => panic!("no function of ours asks a queue for {other}"),
            };
            let resource = match text("QueueUrl").rsplit('/').next().unwrap_or_default() {
                DUE => "DueQueue.Arn",
                NOTIFICATIONS => "NotificationQueue.Arn",
                _ => "NotificationDeadLetters.Arn",
            };
            vec![of(action, resource.to_owned(), None)]
        }
        (Service::Bus, _) => vec![of("events:PutEvents", "EventBus.Arn".to_owned(), None)],
        (Service::Secrets, _) => {
            let resource = match text("SecretId").split('/').next().unwrap_or_default() {
                "hooks" => "/hooks/*",
                "slack" => "/slack-??????",
                _ => "/outgoing-webhook-??????",
            };
            vec![of("secretsmanager:GetSecretValue", resource.to_owned(), None)]
        }
        (Service::Keys, "GenerateDataKey") => vec![of("kms:GenerateDataKey", "DataKey.Arn".to_owned(), None)],
        (Service::Keys, _) => vec![of("kms:Decrypt", "DataKey.Arn".to_owned(), None)],
        (Service::Mail, _) => vec![of("ses:SendEmail", "*".to_owned(), None)],
        (Service::Slack, _) => Vec::new(),
        (Service::Database, other) => panic!("no function of ours asks for {other}"),
    }
}

fn table(name: &Value) -> String {
    match name.as_str().unwrap_or_default() {
        LEADS => "LeadsTable.Arn",
        AUDIT => "AuditTable.Arn",
        KEYS => "KeysTable.Arn",
        other => panic!("there is no table {other}"),
    }
    .to_owned()
}

/// A key like that of an item: its family, and something in the place of what tells it from others.
fn key_of(write: &Value) -> Option<String> {
    let key = if write["Item"].is_null() { &write["Key"] } else { &write["Item"] };
    let pk = crate::database::text(key, store::PK);
    let like = match (pk.find('#'), pk.rfind('/')) {
        // `KEY#lead/L-1`, `lead/L-1`, `policy/3`, `REP#rep-ana`; of publications the slash is in the name.
        (Some(hash), Some(slash)) if pk.starts_with("KEY#") || pk.starts_with("ERASED#") => {
            pk.get(..slash.max(hash))
        }
        (Some(hash), _) => pk.get(..=hash),
        (None, Some(slash)) => pk.get(..=slash),
        (None, None) => return Some(pk),
    };
    like.map(|family| format!("{}{}x", family, if family.ends_with(['#', '/']) { "" } else { "/" }))
}

/// A statement of a role.
struct Statement {
    sid: String,
    is_allow: bool,
    actions: Vec<String>,
    resources: Vec<String>,
    keys: Option<Vec<String>>,
    /// Whether a request that says nothing of keys is denied.
    needs_keys: bool,
}

/// The statements of each function's role.
fn roles() -> BTreeMap<String, Vec<Statement>> {
    let plain: String = TEMPLATE
        .split('!')
        .enumerate()
        .map(|(n, part)| match part.find([' ', '\n']) {
            Some(end) if n > 0 && part.starts_with(|c: char| c.is_ascii_uppercase()) => &part[end..],
            _ => part,
        })
        .collect();
    let template: Value = serde_saphyr::from_str(&plain).expect("the template is YAML");
    let resources = template["Resources"].as_object().expect("it has resources");
    let functions = resources.iter().filter(|(_, r)| r["Type"] == "AWS::Serverless::Function");
    let roles = functions.map(|(id, function)| {
        let policies = function["Properties"]["Policies"].as_array().expect("a function has policies");
        let written = policies.iter().flat_map(|policy| policy["Statement"].as_array().into_iter().flatten());
        // One that there is only under a condition is the second of three.
        let statements = written.map(|one| one.get(1).unwrap_or(one)).map(statement).collect();
        (id.to_lowercase(), statements)
    });
    roles.collect()
}

fn statement(written: &Value) -> Statement {
    let list = |value: &Value| -> Vec<String> {
        match value {
            Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            one => one.as_str().into_iter().map(str::to_owned).collect(),
        }
    };
    let condition = &written["Condition"];
    let keys = &condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
    Statement {
        sid: written["Sid"].as_str().unwrap_or_default().to_owned(),
        is_allow: written["Effect"] == "Allow",
        actions: list(&written["Action"]),
        resources: list(&written["Resource"]),
        keys: (!keys.is_null()).then(|| list(keys)),
        needs_keys: condition["Null"]["dynamodb:LeadingKeys"] == "false",
    }
}

/// Whether a pattern of IAM matches.
fn is_like(text: &str, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => text.starts_with(beginning),
        None => text == pattern,
    }
}

impl Statement {
    fn is_about(&self, used: &Use) -> bool {
        // Secrets are named by an ARN that ends in the name.
        let is_it =
            |resource: &String| *resource == used.resource || resource.ends_with(used.resource.as_str());
        self.actions.iter().any(|action| action == used.action) && self.resources.iter().any(is_it)
    }

    fn covers(&self, used: &Use) -> bool {
        let is_key = |key: &String| {
            self.keys.as_ref().is_none_or(|patterns| patterns.iter().any(|pattern| is_like(key, pattern)))
        };
        self.is_about(used) && used.key.as_ref().map_or(!self.needs_keys, is_key)
    }

    /// Each part of what is granted, by a name, with the use that would use it.
    fn parts(&self, function: &str) -> Vec<(String, String, Vec<String>)> {
        let mut parts = Vec::new();
        for action in &self.actions {
            for resource in &self.resources {
                for key in self.keys.clone().unwrap_or_else(|| vec![String::new()]) {
                    let name = format!("{function}: {} {action} {resource} {key}", self.sid);
                    parts.push((name, action.clone(), vec![resource.clone(), key]));
                }
            }
        }
        parts
    }
}

/// What of the uses no role grants, or a role denies.
pub fn not_granted(uses: &BTreeSet<Use>) -> Vec<String> {
    let roles = roles();
    let is_granted = |used: &&Use| {
        let statements = &roles[used.function];
        statements.iter().any(|statement| statement.is_allow && statement.covers(used))
            && !statements.iter().any(|statement| !statement.is_allow && statement.is_about(used))
    };
    uses.iter().filter(|used| !is_granted(used)).map(|used| format!("not granted: {used:?}")).collect()
}

/// What the roles grant and no use is of. Of the function that makes checkpoints, which is in no run,
/// nothing is said.
pub fn not_used(uses: &BTreeSet<Use>) -> Vec<String> {
    let mut unused = Vec::new();
    for (function, statements) in roles().iter().filter(|(function, _)| *function != "checkpoint") {
        for statement in statements.iter().filter(|statement| statement.is_allow) {
            for (name, action, of) in statement.parts(function) {
                let [resource, key] = [&of[0], &of[1]];
                let is_it = |used: &&Use| {
                    used.function == function
                        && used.action == action
                        && (used.resource == *resource || resource.ends_with(used.resource.as_str()))
                        && (key.is_empty() || used.key.as_ref().is_some_and(|used| is_like(used, key)))
                };
                let is_known =
                    NOT_IN_A_RUN.iter().any(|(of, which, _)| of == function && name.contains(which));
                if !uses.iter().any(|used| is_it(&used)) && !is_known {
                    unused.push(format!("granted and not used: {name}"));
                }
            }
        }
    }
    unused
}
