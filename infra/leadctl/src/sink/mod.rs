//! The message sink: what would have gone out to Slack or to a webhook is kept here and shown instead.
//!
//! It speaks as much of Slack's Web API as is used, under `/slack/api`, takes signed webhooks under
//! `/outgoing/{name}` and Teams cards under `/teams/{name}`, answers what it has got as JSON at
//! `/api/messages?after=N`, and shows it on a page at `/`. E-mail, which goes through the AWS emulator, is fetched
//! from there.

mod mail;
mod outgoing;
mod slack;
mod store;
mod teams;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::{any, get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;

use store::Store;
pub use store::{Message, Signature};

/// The page may do what it has on board, and talk to us.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'";

/// What a sink expects of those who call it.
#[derive(Clone, Debug)]
pub struct SinkOptions {
    /// The token that Slack calls must carry.
    pub slack_token: String,
    /// The key that outgoing webhooks are signed with; `whsec_…`.
    pub webhook_secret: String,
}

/// A running message sink. It ends when it is dropped.
#[derive(Debug)]
pub struct Sink {
    /// Where it listens.
    pub url: String,
    store: Arc<Store>,
    server: JoinHandle<()>,
    mail: Option<JoinHandle<()>>,
}

impl Sink {
    /// Serves on `listener` until dropped.
    ///
    /// # Errors
    /// When the listener is not usable.
    pub fn start(listener: std::net::TcpListener, options: SinkOptions) -> anyhow::Result<Self> {
        listener.set_nonblocking(true).context("cannot use the sink's port")?;
        let listener = TcpListener::from_std(listener).context("cannot use the sink's port")?;
        let address: SocketAddr = listener.local_addr().context("the sink's port has no address")?;
        let store = Arc::new(Store::default());
        let router = router(Arc::new(Context { store: Arc::clone(&store), options }));
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                crate::output::say(&format!("the message sink ended: {error}"));
            }
        });
        Ok(Self { url: format!("http://{address}"), store, server, mail: None })
    }

    /// Shows the e-mail of the emulator at `endpoint` as well.
    pub(crate) fn fetch_mail(&mut self, endpoint: &str) {
        self.mail = Some(mail::follow(endpoint, Arc::clone(&self.store)));
    }

    /// The messages after the given number, oldest first. Zero is before the first.
    #[must_use]
    pub fn messages(&self, after: u64) -> Vec<Message> {
        self.store.after(after)
    }

    /// Each message from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Message> {
        self.store.subscribe()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.server.abort();
        if let Some(mail) = &self.mail {
            mail.abort();
        }
    }
}

/// What every handler knows.
struct Context {
    store: Arc<Store>,
    options: SinkOptions,
}

type Shared = State<Arc<Context>>;

fn router(context: Arc<Context>) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/api/messages", get(messages))
        .route("/slack/api/{method}", any(slack::call))
        .route("/outgoing/{name}", post(outgoing::receive))
        .route("/teams/{name}", post(teams::receive))
        .with_state(context)
}

async fn page() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, PAGE_POLICY),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, include_str!("page.html"))
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: u64,
}

/// The answer of `/api/messages`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Messages {
    /// The number of the newest message there is, to ask for what comes after it.
    pub last: u64,
    /// Oldest first; of very many, the newest thousand.
    pub messages: Vec<Message>,
}

async fn messages(State(context): Shared, Query(After { after }): Query<After>) -> Json<Messages> {
    let messages = context.store.after(after);
    Json(Messages { last: context.store.last(), messages })
}
