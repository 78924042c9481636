//! Gives each test its own database, reached by the real SDK through a proxy that counts requests and injects
//! faults.
#![allow(dead_code, reason = "each test file uses its part")]

use rules::outcome::Outcome;

pub mod wire;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use policy::Policy;
use policy::directory::{Directory, DirectoryDocument};
use policy::ids::{LeadId, PersonId, PublicationId, PublicationKind, Subject};
use rules::entry::Actor;
use rules::lead::{Command, Input, Lead, LeadEvent};
use rules::patch::Patch;
use rules::publication::{PublicationCommand, PublicationInput, Publishing, Totals};
use rules::rep::{RepCommand, RepInput};
use rules::roster::{Availability, Standing};
use sealing::{DataKey, KeyWrap, LocalWrap, NewKey, WrapError};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::{Cursor, Page, Published, Store, StoreError, StoredCommit, schema};
use wire::Wire;

pub const LEADS: &str = "leads";
pub const AUDIT: &str = "audit";
pub const KEYS: &str = "keys";

/// The tables, a store over them, and the proxy between.
pub struct Bench {
    pub store: Store,
    pub wrap: Arc<Wrap>,
    pub client: Client,
    pub wire: Wire,
}

impl Bench {
    /// Sets a rep's availability.
    pub async fn set_availability(
        &self,
        rep: &PersonId,
        availability: &Availability,
        actor: &Actor,
        (cause, dedupe): (&str, Option<&str>),
        now: DateTime<Utc>,
    ) -> Result<Standing, Outcome> {
        let input = RepInput::Availability(availability.clone());
        let (rep, actor, cause) = (rep.clone(), actor.clone(), cause.to_owned());
        let command = RepCommand { rep, actor, cause, input };
        let done = self.store.execute_rep(&command, dedupe, now).await.unwrap();
        match done.outcome {
            Outcome::Applied | Outcome::Unchanged => Ok(done.state.unwrap_or_default()),
            refused => Err(refused),
        }
    }

    /// All tables, a policy and a directory.
    pub async fn seeded() -> Self {
        let bench = Self::empty().await;
        bench.publish_directory(directory(DIRECTORY).document(), at("00:00")).await.unwrap();
        bench.publish(&policy(), at("00:00"), None).await.unwrap();
        bench
            .applied(PublicationId { kind: PublicationKind::Directory, revision: 1 }, at("00:00"))
            .await
            .unwrap();
        bench.wire.forget();
        bench
    }

    /// All tables, empty.
    pub async fn empty() -> Self {
        let wire = Wire::to_new_database().await;
        let client = client(&wire, RetryConfig::disabled());
        let tables = [schema::leads_table(LEADS), schema::audit_table(AUDIT), schema::keys_table(KEYS)];
        for table in tables.map(Result::unwrap) {
            table.send_with(&client).await.unwrap();
        }
        let wrap = Arc::new(Wrap::new());
        let store = Store::new(client.clone(), LEADS, AUDIT).with_keys_to_erase(KEYS, wrap.clone());
        wire.forget();
        Self { store, wrap, client, wire }
    }

    /// A separate store, as another function has it: an empty cache, and the SDK's own retries.
    pub async fn publish(
        &self,
        policy: &Policy,
        now: DateTime<Utc>,
        base: Option<u32>,
    ) -> Result<Published, StoreError> {
        let published = publish(&self.store, policy, now, base).await?;
        self.applied(PublicationId { kind: PublicationKind::Policy, revision: published.revision }, now)
            .await?;
        Ok(published)
    }

    /// Marks a publication as applied to all affected leads, so that nothing of it is due.
    async fn applied(&self, publication: PublicationId, now: DateTime<Utc>) -> Result<(), StoreError> {
        let input = PublicationInput::Applied(Totals::default());
        let command = PublicationCommand { publication, cause: "applied".to_owned(), input };
        // The first directory comes before any policy, so nothing can be decided yet.
        match self.store.execute_publication(&command, now).await {
            Ok(_) | Err(StoreError::NotPublished { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub async fn publish_directory(
        &self,
        document: &DirectoryDocument,
        now: DateTime<Utc>,
    ) -> Result<Published, StoreError> {
        let by = Actor::staff("ops");
        let publishing = Publishing { by: &by, publisher: None, why: "for the test", cause: "test", now };
        let directory = Directory::check(document.clone()).map_err(StoreError::InvalidDocument)?;
        let published = self.store.publish_directory(&directory, &publishing, None, None).await?;
        let id = PublicationId { kind: PublicationKind::Directory, revision: published.revision };
        self.applied(id, now).await?;
        Ok(published)
    }

    pub fn another_store(&self) -> Store {
        Store::new(client(&self.wire, RetryConfig::standard()), LEADS, AUDIT)
            .with_keys_to_erase(KEYS, self.wrap.clone())
    }

    /// The stored item of a lead.
    pub async fn raw(&self, pk: &str, sk: &str) -> Option<HashMap<String, AttributeValue>> {
        let get = self.client.get_item().table_name(LEADS).consistent_read(true);
        let get = get.key("pk", AttributeValue::S(pk.to_owned())).key("sk", AttributeValue::S(sk.to_owned()));
        get.send().await.unwrap().item
    }

    /// The stored item of a lead.
    pub async fn raw_lead(&self, id: &str) -> HashMap<String, AttributeValue> {
        self.raw(&format!("LEAD#{id}"), "LEAD").await.expect("the lead is there")
    }

    /// The number of items in the leads and audit tables.
    pub async fn count(&self) -> i32 {
        let mut count = 0;
        for table in [LEADS, AUDIT] {
            count += self.client.scan().table_name(table).send().await.unwrap().count;
        }
        count
    }

    /// The capacity units of each request since the last call.
    pub fn units(&self) -> Vec<(String, f64)> {
        let sum = |of: &serde_json::Value| {
            let tables = of.as_array().cloned().unwrap_or_else(|| vec![of.clone()]);
            tables.iter().map(|table| table["CapacityUnits"].as_f64().unwrap()).sum()
        };
        self.wire.consumed().into_iter().map(|(operation, consumed)| (operation, sum(&consumed))).collect()
    }

    /// Every attribute of every item of every table.
    pub async fn dump(&self) -> Vec<String> {
        let mut items = Vec::new();
        for table in [LEADS, AUDIT, KEYS] {
            let scan = self.client.scan().table_name(table).consistent_read(true).send().await.unwrap();
            assert!(scan.last_evaluated_key.is_none(), "one page holds it all");
            let in_order =
                |item: &HashMap<_, _>| format!("{table} {:?}", item.iter().collect::<BTreeMap<_, _>>());
            items.extend(scan.items().iter().map(in_order));
        }
        items
    }

    /// A subject's whole history.
    pub async fn history(&self, subject: &Subject) -> Vec<StoredCommit> {
        all(|cursor| async move { self.store.audit(subject, cursor.as_ref(), 7).await }).await
    }

    /// Checks a lead against its history: numbers without gaps, and a fold equal to the item.
    pub async fn check_fold(&self, id: &str) -> Lead {
        let history = self.history(&Subject::Lead(id.into())).await;
        let mut entries = Vec::new();
        for (n, commit) in history.iter().enumerate() {
            assert_eq!(commit.commit, n as u64 + 1, "commits are numbered without gaps");
            entries.extend(commit.of_lead().unwrap());
        }
        let folded = rules::aggregate::fold::<rules::lead::Lead>(&entries).unwrap();
        let stored = self.store.lead(&id.into()).await.unwrap();
        assert_eq!(folded, stored, "the history folds to the stored lead");
        stored.expect("the lead is there")
    }

    /// A rep's load.
    pub async fn load(&self, rep: &str) -> u32 {
        let rep = PersonId::from(rep);
        self.store.standings([&rep]).await.unwrap().standings.get(&rep).map_or(0, |s| s.load)
    }
}

fn client(wire: &Wire, retries: RetryConfig) -> Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(wire.url())
        .retry_config(retries)
        .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(Duration::from_secs(20)).build())
        .build();
    Client::from_conf(config)
}

/// Reads every page of a list.
pub async fn all<T, R>(read: impl Fn(Option<Cursor>) -> R) -> Vec<T>
where
    R: Future<Output = Result<Page<T>, StoreError>>,
{
    let (mut items, mut cursor) = (Vec::new(), None);
    for _ in 0..1000 {
        let page = read(cursor).await.unwrap();
        items.extend(page.items);
        match page.next {
            Some(next) => cursor = Some(next),
            None => return items,
        }
    }
    panic!("the list does not end");
}

/// A key service that counts its calls and can be unavailable.
#[derive(Debug)]
pub struct Wrap {
    wrap: LocalWrap,
    asked: Mutex<Vec<&'static str>>,
    is_down: AtomicBool,
}

impl Wrap {
    fn new() -> Self {
        let wrap = LocalWrap::random().unwrap();
        Self { wrap, asked: Mutex::default(), is_down: AtomicBool::new(false) }
    }

    /// The calls since the last time.
    pub fn asked(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    /// Makes it unavailable, or available again.
    pub fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    fn ask(&self, what: &'static str) -> Result<(), WrapError> {
        self.asked.lock().unwrap().push(what);
        let is_down = self.is_down.load(Ordering::SeqCst);
        if is_down { Err(WrapError::Unavailable("it is down".into())) } else { Ok(()) }
    }
}

impl KeyWrap for Wrap {
    fn generate<'a>(&'a self, subject: &'a str) -> BoxFuture<'a, Result<NewKey, WrapError>> {
        Box::pin(async move {
            self.ask("generate")?;
            self.wrap.generate(subject).await
        })
    }

    fn open<'a>(&'a self, subject: &'a str, wrapped: &'a [u8]) -> BoxFuture<'a, Result<DataKey, WrapError>> {
        Box::pin(async move {
            self.ask("open")?;
            self.wrap.open(subject, wrapped).await
        })
    }
}

/// A time on the day of the tests, a Monday: `14:00`, `14:00:30`.
pub fn at(time: &str) -> DateTime<Utc> {
    let seconds = if time.len() == 5 { ":00" } else { "" };
    format!("2026-03-02T{time}{seconds}Z").parse().unwrap()
}

pub fn minutes(n: i64) -> TimeDelta {
    TimeDelta::minutes(n)
}

/// A command to a lead from a source's event.
pub fn event(id: &str, cause: &str, occurred_at: DateTime<Utc>, say: impl FnOnce(&mut LeadEvent)) -> Command {
    let mut event = LeadEvent { creates: true, ..LeadEvent::at(occurred_at) };
    say(&mut event);
    let input = Input::Event(Box::new(event));
    Command { lead: LeadId::from(id), actor: Actor::source("crm"), cause: cause.to_owned(), input }
}

/// A lead of the US market, with or without an owner.
pub fn arrival(id: &str, now: DateTime<Utc>, owner: Option<&str>) -> Command {
    event(id, &format!("evt-{id}"), now, |e| {
        e.changes.market = Patch::Set("us".into());
        e.changes.country = Patch::Set("US".into());
        e.changes.source = Patch::Set("inbound_web".into());
        if let Some(owner) = owner {
            e.owner = Patch::Set(owner.into());
        }
    })
}

/// A new score.
pub fn score(id: &str, cause: &str, now: DateTime<Utc>, score: u16) -> Command {
    event(id, cause, now, |e| e.changes.score = Patch::Set(score))
}

/// A wake.
pub fn wake(id: &str, cause: &str) -> Command {
    Command { lead: id.into(), actor: Actor::system("sweep"), cause: cause.to_owned(), input: Input::Wake }
}

pub async fn publish(
    store: &Store,
    policy: &Policy,
    now: DateTime<Utc>,
    base: Option<u32>,
) -> Result<Published, StoreError> {
    let by = Actor::staff("ops");
    store
        .publish_policy(
            &policy.clone().checked().map_err(StoreError::InvalidDocument)?,
            &Publishing { by: &by, publisher: None, why: "for the test", cause: "test", now },
            None,
            base,
        )
        .await
}

pub fn policy() -> Policy {
    Policy::parse(POLICY).unwrap()
}

pub fn directory(yaml: &str) -> Directory {
    Directory::parse(yaml).unwrap()
}

pub const POLICY: &str = r#"
name: Tests
states:
  - { state: NEW, kind: working }
  - { state: CONTACTED, kind: working }
  - { state: WON, kind: terminal }
  - { state: ON_HOLD, kind: hold }
workflows:
  sla-breach:
    about: { what: w, when: w, why: w }
    max_reassignments: 2
    steps:
      - { step: imminent, at: 80%, do: [tell-owner] }
      - { step: breached, at: 100%, do: [record-breach, tell-manager] }
      - { step: significantly-past, at: 150%, do: [reassign] }
    windows:
      - { state: NEW, window: 1h, calendar: always }
      - { state: CONTACTED, window: 24h, calendar: always }
  stuck-lead:
    about: { what: w, when: w, why: w }
    steps:
      - { step: ask-owner, at: 1000%, do: [tell-owner] }
  high-value:
    about: { what: w, when: w, why: w }
    score: 85
    score_margin: 5
    strategic_accounts: true
    deal_size_over: []
    later_windows: 50%
    reassign_juniors: false
  compliance-flag:
    about: { what: w, when: w, why: w }
    officers: 1
    reminders:
      - { step: ageing, after: 24h }
    reason_codes: { false-match: The match is someone else. }
  churn-risk:
    about: { what: w, when: w, why: w }
    touchpoint_after: 2h
    pause_outreach_for: 24h
"#;

pub const DIRECTORY: &str = r##"
calendars: {}
markets:
  us: { calendar: always, team: us-sales, licensed_for: [US, CA] }
teams:
  us-sales:
    manager: mgr-max
    channel: "#us-sales"
    reps:
      rep-ana: { seniority: junior, capacity: 3 }
      rep-bob: { seniority: senior, capacity: 3 }
  eu-sales:
    manager: mgr-max
    channel: "#eu-sales"
    reps:
      rep-eva: { seniority: senior, capacity: 3 }
people:
  rep-ana: { name: Ana, email: ana@example.test }
  rep-bob: { name: Bob, email: bob@example.test }
  rep-eva: { name: Eva, email: eva@example.test }
  mgr-max: { name: Max, email: max@example.test }
compliance: { channel: "#compliance" }
operations: { channel: "#operations" }
"##;
