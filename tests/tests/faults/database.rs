//! DynamoDB, in process: an implementation that others keep, asked in its wire's own words. Beside
//! it a second one that the same writes reach later, which stands for an index that is behind.

use crate::wire::{Answer, Call};
use dynoxide::actions;
use leadwatch_tests::seeded::beginning;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::{BTreeSet, VecDeque};
use store::{PK, SK};

/// The names of the tables.
pub const LEADS: &str = "leads";
pub const AUDIT: &str = "audit";
pub const KEYS: &str = "keys";

/// The database, and the one behind it.
pub struct Database {
    front: dynoxide::Database,
    behind: Option<dynoxide::Database>,
    /// What the one behind has yet to do.
    to_do: VecDeque<(i64, Call)>,
    /// Items of the audit in the order in which they were written, as the stream has them.
    pub stream: Vec<Value>,
    /// When each of them was written, in milliseconds.
    pub written: Vec<i64>,
    known: BTreeSet<(String, String)>,
    /// What has an end: items by when they are removed.
    ends: BTreeSet<(i64, String, String)>,
    /// What was written since somebody asked what is due.
    pub is_changed: bool,
    /// The instant of the simulation, in milliseconds.
    pub now_ms: i64,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("written", &self.stream.len()).finish_non_exhaustive()
    }
}

impl Database {
    /// An empty one; with one behind it, where a plan asks for stale reads.
    pub fn new(with_one_behind: bool) -> Self {
        let memory = || dynoxide::Database::memory().expect("a database in memory");
        Self {
            front: memory(),
            behind: with_one_behind.then(memory),
            to_do: VecDeque::new(),
            stream: Vec::new(),
            written: Vec::new(),
            known: BTreeSet::new(),
            ends: BTreeSet::new(),
            is_changed: true,
            now_ms: 0,
        }
    }

    /// Does what is asked.
    pub fn execute(&mut self, call: &Call) -> Answer {
        self.remove_what_has_ended();
        let answer = dispatch(&self.front, call);
        if answer.status == 200 && is_write(&call.operation) {
            self.is_changed = true;
            self.follow(call);
            if self.behind.is_some() {
                self.to_do.push_back((self.now_ms, call.clone()));
            }
        }
        answer
    }

    /// Answers from the database behind, which has all that was written by an instant.
    pub fn execute_behind(&mut self, call: &Call, until_ms: i64) -> Answer {
        let Some(behind) = &self.behind else { return dispatch(&self.front, call) };
        while let Some((_, write)) = self.to_do.pop_front_if(|(at, _)| *at <= until_ms) {
            let answer = dispatch(behind, &write);
            assert_eq!(answer.status, 200, "what was done once is done again: {}", answer.body);
        }
        dispatch(behind, call)
    }

    /// Removes what its own end is past of, as early as the database may.
    fn remove_what_has_ended(&mut self) {
        while self.ends.first().is_some_and(|(at, ..)| *at <= self.now_ms) {
            let Some((_, pk, sk)) = self.ends.pop_first() else { return };
            let key = json!({PK: {"S": pk}, SK: {"S": sk}});
            let delete = json!({"TransactItems": [{"Delete": {"TableName": LEADS, "Key": key}}]});
            let answer = dispatch(&self.front, &Call::to_database("TransactWriteItems", delete));
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
    }

    /// Notes what of a write the stream of the audit carries on; what the SDK repeats is written once.
    fn follow(&mut self, call: &Call) {
        for write in call.body["TransactItems"].as_array().into_iter().flatten() {
            let put = &write["Put"];
            let end = put["Item"][store::schema::TTL_ATTRIBUTE]["N"].as_str();
            if let Some(end) = end.and_then(|end| end.parse::<i64>().ok()) {
                let end = end * 1000 - beginning().timestamp_millis();
                self.ends.insert((end, text(&put["Item"], PK), text(&put["Item"], SK)));
            }
            if put["TableName"] == AUDIT {
                let item = put["Item"].clone();
                if self.known.insert((text(&item, PK), text(&item, SK))) {
                    self.stream.push(item);
                    self.written.push(self.now_ms);
                }
            }
        }
    }

    /// Whether something was written of a subject by an instant.
    pub fn has_known(&self, subject: &str, by_ms: i64) -> bool {
        let mut written = self.stream.iter().zip(&self.written);
        written.any(|(item, at)| *at <= by_ms && text(item, PK) == subject)
    }

    /// All items of a table.
    pub fn all(&self, table: &str) -> Vec<Value> {
        self.scan(json!({"TableName": table}))
    }

    /// What is in the due index, by instant: each item's key and its due key.
    pub fn due(&self) -> Vec<(String, String)> {
        let items = self.scan(json!({"TableName": LEADS, "IndexName": store::schema::DUE.name}));
        let mut due: Vec<_> =
            items.iter().map(|item| (text(item, store::schema::DUE.sort), text(item, PK))).collect();
        due.sort();
        due
    }

    fn scan(&self, mut request: Value) -> Vec<Value> {
        let mut items = Vec::new();
        loop {
            let answer = dispatch(&self.front, &Call::to_database("Scan", request.clone()));
            assert_eq!(answer.status, 200, "{}", answer.body);
            let mut answer: Value = serde_json::from_str(&answer.body).expect("an answer is JSON");
            if let Value::Array(page) = answer["Items"].take() {
                items.extend(page);
            }
            match answer["LastEvaluatedKey"].take() {
                Value::Null => return items,
                key => request["ExclusiveStartKey"] = key,
            }
        }
    }
}

/// A text of an item as it is on the wire.
pub fn text(item: &Value, name: &str) -> String {
    item[name]["S"].as_str().unwrap_or_default().to_owned()
}

pub fn is_write(operation: &str) -> bool {
    matches!(operation, "TransactWriteItems" | "UpdateItem" | "CreateTable")
}

impl Call {
    /// A request to the database.
    pub fn to_database(operation: &str, body: Value) -> Self {
        Self { operation: operation.to_owned(), service: crate::wire::Service::Database, body }
    }
}

fn dispatch(database: &dynoxide::Database, call: &Call) -> Answer {
    let body = call.body.clone();
    match call.operation.as_str() {
        "TransactWriteItems" => run(body, |r: actions::transact_write_items::TransactWriteItemsRequest| {
            database.transact_write_items(r)
        }),
        "UpdateItem" => run(body, |r: actions::update_item::UpdateItemRequest| database.update_item(r)),
        "GetItem" => run(body, |r: actions::get_item::GetItemRequest| database.get_item(r)),
        "BatchGetItem" => {
            run(body, |r: actions::batch_get_item::BatchGetItemRequest| database.batch_get_item(r))
        }
        "Query" => run(body, |r: actions::query::QueryRequest| database.query(r)),
        "Scan" => run(body, |r: actions::scan::ScanRequest| database.scan(r)),
        "CreateTable" => run(body, |r: actions::create_table::CreateTableRequest| database.create_table(r)),
        other => panic!("no function of ours asks for {other}"),
    }
}

fn run<Q: DeserializeOwned, A: Serialize>(body: Value, ask: impl FnOnce(Q) -> dynoxide::Result<A>) -> Answer {
    let request = serde_json::from_value(body).unwrap_or_else(|e| panic!("the SDK's own request: {e}"));
    match ask(request) {
        Ok(answer) => {
            let body = serde_json::to_string(&answer).expect("an answer is JSON");
            Answer { status: 200, headers: Vec::new(), body }
        }
        Err(error) => Answer { status: error.status_code(), headers: Vec::new(), body: error.to_json() },
    }
}
