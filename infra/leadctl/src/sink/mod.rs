//! The message sink: keeps and shows the messages that would have gone to Slack, Teams, webhooks and mailboxes.
//!
//! | path | does |
//! | --- | --- |
//! | `/slack/api/{method}` | the methods of Slack's Web API that the functions call |
//! | `/outgoing/{name}` | receives signed webhooks |
//! | `/teams/{name}` | receives Teams cards |
//! | `/api/messages?after=N` | returns the messages as JSON |
//! | `/` | shows the messages on a page |
//!
//! Email goes through the AWS emulator, and the sink fetches it there.

mod context;
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

use context::{Context, Shared};
use store::Store;

pub use context::SinkOptions;
pub use store::{Message, Signature};

/// The page uses only its own code, and calls only the sink.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'";

/// A running message sink. Dropping it ends it.
#[derive(Debug)]
pub struct Sink {
    /// Its address.
    pub url: String,
    store: Arc<Store>,
    server: JoinHandle<()>,
    mail: Option<JoinHandle<()>>,
}

impl Sink {
    /// Serves on `listener` until dropped.
    ///
    /// # Errors
    /// When the listener cannot be used.
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

    /// Shows the email of the emulator at `endpoint`, too.
    pub(crate) fn fetch_mail(&mut self, endpoint: &str) {
        self.mail = Some(mail::follow(endpoint, Arc::clone(&self.store)));
    }

    /// The messages after this number, oldest first. Numbers begin with one.
    #[must_use]
    pub fn messages(&self, after: u64) -> Vec<Message> {
        self.store.after(after)
    }

    /// Receives each message from now on.
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
    /// The number of the newest message, to ask for later ones.
    pub last: u64,
    /// The newest thousand at most, oldest first.
    pub messages: Vec<Message>,
}

async fn messages(State(context): Shared, Query(After { after }): Query<After>) -> Json<Messages> {
    let messages = context.store.after(after);
    Json(Messages { last: context.store.last(), messages })
}
