//! The stack, and what a test does with it: it posts events as a CRM, calls the API as a member
//! of staff, reads histories, and looks at what was sent.

use crate::aws::Aws;
use crate::documents;
use chrono::{DateTime, SecondsFormat, Utc};
use leadctl::sink::Message;
use leadctl::stack::{Binaries, Profile, Stack, StackOptions};
use leadctl::state::State;
use leadctl::{seed, token};
use libtest_mimic::Failed;
use platform::standard_webhooks::SigningKey;
use reqwest::Method;
use rules::entry::Actor;
use rules::publication::Publishing;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};
use store::Store;
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// How long anything may take. Far longer than it does; nothing is asserted on it.
const PATIENCE: Duration = Duration::from_secs(240);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long one call may take, with a function's first start in it.
const CALL_MAX: Duration = Duration::from_secs(60);

static WORLD: OnceCell<Result<World, String>> = OnceCell::const_new();

/// The world of this run, which begins with the first test that asks.
pub async fn started() -> Result<&'static World, Failed> {
    let world = WORLD.get_or_init(async || World::begin().await.map_err(|e| format!("{e:#}"))).await;
    world.as_ref().map_err(|error| format!("the stack did not start: {error}").into())
}

/// Ends the stack, if there is one. After a failure its logs stay.
pub async fn end(failed: bool) {
    let Some(Ok(world)) = WORLD.get() else { return };
    let stack = world.stack.lock().unwrap().take();
    if let Some(stack) = stack {
        stack.stop().await;
    }
    let directory = world.directory.lock().unwrap().take();
    if let Some(directory) = directory.filter(|_| failed) {
        eprintln!("the logs of the stack are in {}/log", directory.keep().display());
    }
}

/// A stack with the documents of the run.
pub struct World {
    /// What runs where.
    pub state: State,
    /// The store, for what no API shows.
    pub store: Store,
    /// The emulator.
    pub aws: Aws,
    stack: Mutex<Option<Stack>>,
    directory: Mutex<Option<TempDir>>,
    tokens: BTreeMap<String, String>,
    client: reqwest::Client,
    /// When the documents of the run were written.
    pub begun: DateTime<Utc>,
    /// Begins the ids of this run.
    run: i64,
    ids: AtomicU32,
}

/// What an API answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The content type.
    pub content_type: String,
    /// The entity tag as it came.
    pub etag: Option<String>,
    /// Seconds of `retry-after`.
    pub retry_after: Option<String>,
    /// The body; null where it is no JSON.
    pub body: Value,
}

impl Answer {
    /// It is so, or the test fails and shows what it was.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:#}", self.body);
        self
    }

    /// It is a problem, at a field if one is named.
    #[track_caller]
    pub fn shows_problem(self, status: u16, field: Option<&str>) -> Self {
        let answer = self.is(status);
        assert_eq!(answer.content_type, "application/problem+json", "{:#}", answer.body);
        assert_eq!(answer.body["status"], status, "{:#}", answer.body);
        assert_eq!(answer.body["field"].as_str(), field, "{:#}", answer.body);
        for member in ["type", "title", "detail"] {
            let text = answer.body[member].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "no `{member}` in {:#}", answer.body);
        }
        answer
    }

    /// What the problem says to a person.
    pub fn detail(&self) -> &str {
        self.body["detail"].as_str().unwrap_or_default()
    }
}

/// Looks until something is there.
#[track_caller]
pub fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut look: impl FnMut() -> F,
) -> impl Future<Output = T> {
    let caller = std::panic::Location::caller();
    async move {
        let begun = Instant::now();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            assert!(begun.elapsed() < PATIENCE, "this did not happen: {what} ({caller})");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// The present instant, as the functions have it.
pub fn now() -> DateTime<Utc> {
    platform::clock::instant(SystemTime::now())
}

/// An instant as events carry it.
pub fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

impl World {
    async fn begin() -> anyhow::Result<Self> {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let mut options = StackOptions::private(root, directory.path());
        options.binaries = Binaries::Build(Profile::WithTest("flow"));
        let stack = Stack::start(options).await?;
        let state = stack.state.clone();
        let store = seed::local_store(&state).await?;
        let seeded = store.current_directory().await?;
        let begun = now();
        let team = documents::directory(seeded.document(), &state.sink_url, begun);
        let policy = documents::policy(seed::default_policy(root)?.into_policy(), &team);
        let by = Actor::system("flow tests");
        let publishing =
            Publishing { by: &by, publisher: None, why: "for the tests", cause: "tests", now: now() };
        store.publish_directory(&team, &publishing, None, None).await?;
        store.publish_policy(&policy.checked()?, &publishing, None, None).await?;
        let mut tokens = BTreeMap::new();
        for user in &state.users {
            tokens.insert(user.name.clone(), token::issue(&state, &user.name).await?.token);
        }
        let client = reqwest::Client::builder().no_proxy().timeout(CALL_MAX).build()?;
        Ok(Self {
            aws: Aws::new(&state, client.clone()).await,
            state,
            store,
            stack: Mutex::new(Some(stack)),
            directory: Mutex::new(Some(directory)),
            tokens,
            client,
            begun,
            run: begun.timestamp() % 10_000_000,
            ids: AtomicU32::new(1),
        })
    }

    /// An id that nothing else has, in this run or another. None is the beginning of another.
    pub fn id(&self, kind: &str) -> String {
        format!("{kind}-{}-{:04}", self.run, self.ids.fetch_add(1, Ordering::Relaxed))
    }

    /// A lead of the market where nothing happens by itself, in the hands of its one rep.
    pub fn plain_lead(&self, id: &str) -> Value {
        json!({"id": id, "market": documents::PLAIN, "country": "US", "source": "partner", "company": "Acme",
               "state": "NEW", "owner": documents::SUE, "score": 50})
    }

    /// An event as a source words it; `body` holds `lead` or `account`.
    pub fn event(&self, kind: &str, body: Value) -> Value {
        let mut event = json!({"id": self.id("evt"), "type": kind, "occurred_at": written(now())});
        event.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        event
    }

    /// Posts a document to the generic hook, signed.
    pub async fn send(&self, document: &Value) -> Answer {
        self.post_signed("generic", &self.state.hook_secret, now(), document.to_string().into_bytes()).await
    }

    /// Posts an event that has to be taken.
    #[track_caller]
    pub fn take(&self, kind: &str, body: Value) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        let event = self.event(kind, body);
        async move {
            let answer = self.send(&event).await;
            assert_eq!(answer.status, 200, "{caller}: {:#}", answer.body);
            answer.body
        }
    }

    /// Makes a plain lead with these fields changed; gives its id.
    pub async fn lead(&self, changes: Value) -> String {
        let id = self.id("L");
        let mut lead = self.plain_lead(&id);
        lead.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        self.take("lead.upserted", json!({"lead": lead})).await;
        id
    }

    /// Makes a lead that is held for one sanctions match; gives its id and the match's.
    pub async fn held_lead(&self, changes: Value) -> (String, String) {
        let (lead, match_id) = (self.lead(changes).await, self.id("ofac"));
        self.take(
            "lead.flagged",
            json!({"lead": {"id": lead, "flags": {"sanctions": [sanction(&match_id)]}}}),
        )
        .await;
        (lead, match_id)
    }

    /// Posts bytes to a hook, signed with a secret at an instant.
    pub async fn post_signed(&self, source: &str, secret: &str, at: DateTime<Utc>, body: Vec<u8>) -> Answer {
        let key = SigningKey::parse(secret).unwrap();
        let headers = key.headers(&self.id("msg"), at, &body);
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.post_raw(source, &headers, body).await
    }

    /// Posts bytes to a hook with these headers.
    pub async fn post_raw(&self, source: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let url = format!("{}/v1/hooks/{source}", self.state.api_url);
        let mut request = self.client.post(url).header("content-type", "application/json").body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request).await
    }

    /// The token of a member of staff.
    pub fn token(&self, who: &str) -> &str {
        &self.tokens[who]
    }

    /// Reads as a member of staff.
    pub async fn get(&self, who: &str, path: &str) -> Answer {
        self.call(Method::GET, path, &[("authorization", &self.bearer(who))], None).await
    }

    /// Posts as a member of staff.
    pub async fn post(&self, who: &str, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, &[("authorization", &self.bearer(who))], Some(body)).await
    }

    /// What goes into the header of that name.
    pub fn bearer(&self, who: &str) -> String {
        format!("Bearer {}", self.token(who))
    }

    /// Calls the API with these headers.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let mut request = self.client.request(method, format!("{}{path}", self.state.api_url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        answer(request).await
    }

    /// The whole history of `leads/ID` or `accounts/ID`, as operations sees it.
    pub async fn history(&self, of: &str) -> Vec<Value> {
        self.all("otto", &format!("/v1/{of}/audit?limit=100"), "entries").await
    }

    /// A whole list, page by page.
    pub async fn all(&self, who: &str, path: &str, member: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(who, &format!("{path}{cursor}")).await.is(200);
            items.extend(page.body[member].as_array().unwrap().clone());
            match page.body["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }

    /// Waits for an entry of `leads/ID` or `accounts/ID`; gives it.
    #[track_caller]
    pub fn entry<'a>(
        &'a self,
        of: &'a str,
        what: &'a str,
        wanted: impl Fn(&Value) -> bool + 'a,
    ) -> impl Future<Output = Value> + 'a {
        let wanted = std::sync::Arc::new(wanted);
        eventually(what, move || {
            let wanted = std::sync::Arc::clone(&wanted);
            async move { self.history(of).await.into_iter().find(|entry| wanted(entry)) }
        })
    }

    /// Waits until everybody was told who was to be; gives the history then.
    #[track_caller]
    pub fn told<'a>(&'a self, of: &'a str) -> impl Future<Output = Vec<Value>> + 'a {
        eventually("everybody is told", move || async move {
            let history = self.history(of).await;
            let open = count(&history, "notification.requested")
                - count(&history, "notification.delivered")
                - count(&history, "notification.failed")
                // The lead was held or over before it went out.
                - count(&history, "notification.withdrawn")
                - count(&history, "recipient.unreachable");
            (open == 0).then_some(history)
        })
    }

    /// What was sent about a lead or an account, oldest first.
    pub fn messages(&self, about: &str) -> Vec<Message> {
        let stack = self.stack.lock().unwrap();
        let all = stack.as_ref().unwrap().sink().messages(0);
        all.into_iter().filter(|message| serde_json::to_string(message).unwrap().contains(about)).collect()
    }

    /// Waits for a message about something to somebody.
    #[track_caller]
    pub fn message<'a>(&'a self, about: &'a str, to: &'a str) -> impl Future<Output = Message> + 'a {
        eventually("a message", move || async move {
            self.messages(about).into_iter().find(|message| message.to() == to)
        })
    }

    /// What the functions said in their logs.
    pub fn log(&self) -> String {
        let stack = self.stack.lock().unwrap();
        std::fs::read_to_string(stack.as_ref().unwrap().function_log()).unwrap_or_default()
    }
}

/// A match on a sanctions list, with a name that nobody outside compliance may read.
pub fn sanction(match_id: &str) -> Value {
    json!({"match_id": match_id, "list": "OFAC-SDN", "list_version": "2026-02-27", "strength": 92,
           "name": "Zebedee Quill"})
}

/// How many entries are of a type.
pub fn count(history: &[Value], kind: &str) -> usize {
    history.iter().filter(|entry| entry["type"] == kind).count()
}

/// Whether an entry is of a type.
pub fn is(kind: &str) -> impl Fn(&Value) -> bool {
    move |entry| entry["type"] == kind
}

/// The types of a history.
pub fn types(history: &[Value]) -> Vec<&str> {
    history.iter().map(|entry| entry["type"].as_str().unwrap()).collect()
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.expect("the API answers");
    let header = |name: &str| {
        let value = response.headers().get(name)?;
        Some(value.to_str().unwrap_or_default().to_owned())
    };
    Answer {
        status: response.status().as_u16(),
        content_type: header("content-type").unwrap_or_default(),
        etag: header("etag"),
        retry_after: header("retry-after"),
        body: serde_json::from_str(&response.text().await.expect("the answer ends")).unwrap_or_default(),
    }
}
