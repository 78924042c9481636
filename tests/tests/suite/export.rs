//! A live audit, exported and replayed: what the store writes is what a replay needs.

use audit::ChainedCommit;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, TimeDelta, Utc};
use insight::backtest::{Backtest, BaselineChoice, Trial};
use leadctl::audit::export::{Live, export};
use leadctl::audit::{Order, Reader, sorted, verify};
use leadwatch_tests::seeded::{beginning, seeded};
use leadwatch_tests::tables;
use policy::directory::Directory;
use policy::{CheckedPolicy, Policy};
use rules::account::{AccountCommand, AccountInput, Signal};
use rules::entry::Actor;
use rules::lead::{Command, Erasure, Input, LeadEvent};
use rules::notification::{Delivery, DeliveryResult};
use rules::patch::Patch;
use rules::personal::Contact;
use rules::publication::Publishing;
use rules::rep::{RepCommand, RepInput};
use rules::roster::Availability;
use rules::unread::Unread;
use sealing::LocalWrap;
use serde_json::json;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use store::Store;
use tokio::net::TcpListener;

/// All tables in a database that nobody else has.
async fn store() -> (Client, Store) {
    let database = dynoxide::Database::memory().expect("a database");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(url)
        .build();
    let client = Client::from_conf(config);
    tables::create(&client, "leads", "audit", "keys").await;
    let wrap = LocalWrap::random().expect("a key");
    let store = Store::new(client.clone(), "leads", "audit").with_keys_to_erase("keys", Arc::new(wrap));
    (client, store)
}

/// An item as it is stored.
async fn item(client: &Client, pk: &str, sk: &str) -> HashMap<String, AttributeValue> {
    let key = |value: &str| AttributeValue::S(value.to_owned());
    let item = client.get_item().table_name("leads").key("pk", key(pk)).key("sk", key(sk));
    item.send().await.expect("read").item.expect("an item")
}

/// Writes an item as nobody should be able to.
async fn put(client: &Client, item: HashMap<String, AttributeValue>) {
    client.put_item().table_name("leads").set_item(Some(item)).send().await.expect("written");
}

/// Changes what a document says.
async fn change(client: &Client, pk: &str, sk: &str, from: &str, to: &str) {
    let mut item = item(client, pk, sk).await;
    let before = item["doc"].as_s().expect("a text").clone();
    let text = before.replacen(from, to, 1);
    assert_ne!(text, before);
    item.insert("doc".to_owned(), AttributeValue::S(text));
    put(client, item).await;
}

/// Publishes what is in force from the beginning.
async fn publish_first(store: &Store, by: &Actor, now: DateTime<Utc>) -> Policy {
    let policy = CheckedPolicy::parse(&seeded("default.yaml")).expect("a sound policy");
    let directory = Directory::parse(&seeded("directory.yaml")).expect("a sound directory");
    let publishing = Publishing { by, publisher: None, why: "the first", cause: "test", now };
    store.publish_directory(&directory, &publishing, None, None).await.expect("published");
    store.publish_policy(&policy, &publishing, None, None).await.expect("published");
    policy.into_policy()
}

fn live(store: Store) -> Live {
    Live {
        store,
        deployment: "test".to_owned(),
        leads_table: "leads".to_owned(),
        audit_table: "audit".to_owned(),
    }
}

fn event(lead: &str, cause: &str, at: DateTime<Utc>, say: impl FnOnce(&mut LeadEvent)) -> Command {
    let mut event = LeadEvent { creates: true, ..LeadEvent::at(at) };
    say(&mut event);
    let (actor, cause) = (Actor::source("crm"), cause.to_owned());
    Command { lead: lead.into(), actor, cause, input: Input::Event(Box::new(event)) }
}

/// The names in an export, each once.
fn names(export: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(export).expect("text");
    let names: BTreeSet<String> = text
        .split("Kim ")
        .skip(1)
        .map(|rest| format!("Kim {}", rest.split(['"', '\\']).next().unwrap_or_default()))
        .collect();
    names.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_store_writes_is_exported_and_replays_to_the_letter() {
    let (_, store) = store().await;
    let mut now = beginning();
    let by = Actor::staff("otto");
    let policy = publish_first(&store, &by, now).await;

    let mut written = 2;
    for n in 0..12u32 {
        now += TimeDelta::minutes(3);
        let arrives = event(&format!("L-{n}"), &format!("arrives-{n}"), now, |e| {
            e.changes.market = Patch::Set("us".into());
            e.changes.country = Patch::Set("US".into());
            e.changes.source = Patch::Set("paid_social".into());
            e.changes.account_id = Patch::Set("A-1".into());
            e.contact = Patch::Set(Contact { name: Some(format!("Kim {n}")), ..Contact::default() });
        });
        let done = store.execute(&arrives, Some(&arrives.cause), now).await.expect("executed");
        written += 1;
        let id = done.notifications.first().expect("whoever is given it is told").id.clone();
        let result = DeliveryResult::Delivered { channel: "slack".to_owned(), reference: None };
        let input = Input::Delivery(Delivery { id, attempts: 1, result, with: Vec::new() });
        let (actor, cause) = (Actor::system("notify"), format!("told-{n}"));
        let told = Command { lead: arrives.lead.clone(), actor, cause, input };
        store.execute(&told, None, now).await.expect("executed");
        written += 1;
    }
    let away = Availability { available: false, until: None };
    let input = RepInput::Availability(away);
    let away = RepCommand { rep: "rep-bob".into(), actor: by.clone(), cause: "away".to_owned(), input };
    store.execute_rep(&away, None, now).await.expect("written");
    let signal = AccountCommand {
        account: "A-1".into(),
        actor: Actor::source("crm"),
        cause: "signal".to_owned(),
        input: AccountInput::Signal {
            occurred_at: now,
            signal: Signal::UsageDown,
            evidence: Some(json!({"said by": "Kim", "share": 0.1}).to_string()),
            unread: Unread::default(),
        },
    };
    store.execute_account(&signal, None, now).await.expect("executed");
    written += 2;
    for n in 0..12u32 {
        now += TimeDelta::minutes(20);
        let (actor, cause) = (Actor::system("clock"), format!("wake-{n}"));
        let wake = Command { lead: format!("L-{n}").as_str().into(), actor, cause, input: Input::Wake };
        let done = store.execute(&wake, None, now).await.expect("executed");
        written += u64::from(!done.entries.is_empty());
    }

    // Two are erased: one with all that comes later, one between two things that its source says.
    for lead in ["L-0", "L-1"] {
        now += TimeDelta::minutes(1);
        let erasure = Erasure { reference: "DSR-1".to_owned(), reason: "asked for".to_owned() };
        let (actor, cause) = (Actor::staff("cora"), format!("erase-{lead}"));
        let erase = Command { lead: lead.into(), actor, cause, input: Input::Erase(erasure) };
        store.execute(&erase, None, now).await.expect("erased");
        let again = event(lead, &format!("again-{lead}"), now, |e| {
            e.changes.score = Patch::Set(40);
            e.contact = Patch::Set(Contact { name: Some("Kim again".to_owned()), ..Contact::default() });
        });
        store.execute(&again, None, now).await.expect("executed");
        written += 2;
    }

    let live = live(store);
    let (bytes, end) = export(&live, Vec::new(), false).await.expect("exported");
    assert_eq!((end.policies, end.directories, end.commits), (1, 1, written));
    assert_eq!(names(&bytes), [""; 0], "nothing personal is in it");
    let (opened, _) = export(&live, Vec::new(), true).await.expect("exported");
    let mut known: Vec<String> = (2..12).map(|n| format!("Kim {n}")).collect();
    known.sort();
    assert_eq!(names(&opened), known, "what was erased nobody reads any more");
    let commits = |bytes: &[u8]| -> BTreeSet<String> {
        let lines = std::str::from_utf8(bytes).expect("text").lines();
        lines.filter(|line| line.starts_with(r#"{"kind":"commit""#)).map(str::to_owned).collect()
    };
    assert_eq!(commits(&opened), commits(&bytes), "the commits stay what they are");
    for line in commits(&bytes) {
        let commit: ChainedCommit = serde_json::from_str(&line).expect("a commit");
        assert_eq!(commit.links().expect("links").head, commit.head, "{line}");
    }
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), &opened).expect("written");
    let arguments = verify::Arguments { export: file.path().to_owned(), ..verify::Arguments::default() };
    let report = verify::against_live(&arguments, &live).await.expect("it can be read");
    assert_eq!(report.findings(), [], "with what is under the seals beside it");
    std::fs::write(file.path(), &bytes).expect("written");
    let arguments = verify::Arguments { export: file.path().to_owned(), ..verify::Arguments::default() };
    let report = verify::against_live(&arguments, &live).await.expect("it can be read");
    assert_eq!(report.findings(), []);

    let (contents, records) = sorted(Reader::new(bytes.as_slice(), "live"), Order::Time).expect("an export");
    let trial =
        Trial { policy: policy.clone(), directory: None, since: None, against: BaselineChoice::History };
    let mut backtest =
        Backtest::new(Arc::clone(&contents.revisions), trial).expect("history is the baseline");
    for record in records {
        backtest.follow(&record.expect("a commit")).expect("it can be replayed");
    }
    let report = backtest.finish(None).expect("what was kept can be read");
    assert_eq!(report.replay_check.first, []);
    // The publications decide nothing about leads by themselves.
    assert_eq!(report.replay_check.commits, written - 2);
    assert_eq!((report.replay_check.without_input, report.leads_different), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_changed_behind_the_stores_back_is_told() {
    let (client, store) = store().await;
    let mut now = beginning();
    publish_first(&store, &Actor::staff("otto"), now).await;
    let live = live(store);
    let say = async |lead: &str, cause: &str, now| {
        let said = event(lead, cause, now, |e| e.changes.company = Patch::Set(cause.to_owned()));
        live.store.execute(&said, Some(cause), now).await.expect("executed");
    };
    for lead in ["L-back", "L-head", "L-gone", "L-on", "L-state"] {
        now += TimeDelta::minutes(1);
        say(lead, &format!("first-{lead}"), now).await;
    }
    let before = item(&client, "LEAD#L-back", "LEAD").await;
    say("L-back", "second", now + TimeDelta::minutes(1)).await;

    let (bytes, _) = export(&live, Vec::new(), false).await.expect("exported");
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), &bytes).expect("written");
    let arguments = verify::Arguments { export: file.path().to_owned(), ..verify::Arguments::default() };
    let report = verify::against_live(&arguments, &live).await.expect("it can be read");
    assert_eq!(report.findings(), []);

    put(&client, before).await;
    let mut head = item(&client, "LEAD#L-head", "LEAD").await;
    head.insert("head".to_owned(), AttributeValue::B(Blob::new([7; 32])));
    put(&client, head).await;
    let gone = item(&client, "LEAD#L-gone", "LEAD").await;
    let (pk, sk) = (gone["pk"].clone(), gone["sk"].clone());
    client.delete_item().table_name("leads").key("pk", pk).key("sk", sk).send().await.expect("deleted");
    change(&client, "LEAD#L-state", "LEAD", r#""company":"first-L-state""#, r#""company":"Other""#).await;
    change(&client, "POLICY", "REV#0000000001", r#""score":85"#, r#""score":95"#).await;
    // These two may be: whoever works on does so.
    say("L-on", "third", now + TimeDelta::minutes(2)).await;
    say("L-new", "fourth", Utc::now() + TimeDelta::hours(1)).await;
    let report = verify::against_live(&arguments, &live).await.expect("it can be read");
    let mut told: Vec<String> = report.findings().iter().map(ToString::to_string).collect();
    told.sort();
    let expected = [
        ("lead/L-back seq ", "the live table went back to commit 1; the export has 2"),
        ("lead/L-gone seq ", "it is missing in the live table"),
        ("lead/L-head seq ", "the live head is another one"),
        ("lead/L-state seq ", "the live table has another state at commit 1 than its history"),
        ("policy/1 seq 1: ", "the live table has another text of it than was published"),
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, (begins, says)) in told.iter().zip(expected) {
        assert!(told.starts_with(begins) && told.ends_with(says), "{told}");
    }
    let report = serde_json::to_value(&report).expect("JSON");
    assert_eq!((&report["live"]["moved"], &report["live"]["new"]), (&json!(1), &json!(1)), "{report:#}");
    let elsewhere = Live { deployment: "other".to_owned(), ..self::live(live.store.clone()) };
    let report = verify::against_live(&arguments, &elsewhere).await.expect("it can be read");
    let told: Vec<String> = report.findings().iter().map(ToString::to_string).collect();
    let says = "the export names the deployment `test`, and the live one is `other`";
    assert!(told.iter().any(|line| line == says), "{told:#?}");
    // One that was there when the export was taken, and is not in it.
    say("L-kept-back", "fifth", now).await;
    let report = verify::against_live(&arguments, &live).await.expect("it can be read");
    let told: Vec<String> = report.findings().iter().map(ToString::to_string).collect();
    let is_told = |line: &String| line.starts_with("lead/L-kept-back seq 1: ") && line.contains("not in it");
    assert!(told.iter().any(is_told), "{told:#?}");
}
