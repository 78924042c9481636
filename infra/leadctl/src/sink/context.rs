//! The state that all handlers share.

use std::sync::Arc;

use axum::extract::State;

use super::store::Store;

/// The credentials that callers of the sink must have.
#[derive(Clone, Debug)]
pub struct SinkOptions {
    /// The token of Slack calls.
    pub slack_token: String,
    /// The key that signs outgoing webhooks: `whsec_…`.
    pub webhook_secret: String,
}

/// The state of every handler.
pub(super) struct Context {
    pub store: Arc<Store>,
    pub options: SinkOptions,
}

/// The state as handlers receive it.
pub(super) type Shared = State<Arc<Context>>;
