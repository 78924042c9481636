//! What each function needs around its handler, and nothing of the product's rules.
//!
//! | module | what for |
//! | --- | --- |
//! | [`config`] | the environment, read once at start |
//! | [`telemetry`] | structured logs that carry ids only |
//! | [`http`] | an API request: body, route, parameters, cursors |
//! | [`response`], [`problem`] | the answer, and the answer that says no |
//! | [`caller`] | who is asking, from a verified token's claims |
//! | [`refusals`] | what was refused at the door, by class of reason, in the log |
//! | [`batch`] | a batch from a queue, each record on its own |
//! | [`queue`] | sending to a queue, part failures included |
//! | [`secrets`] | shared secrets, cached |
//! | [`strict_json`] | JSON without duplicate keys and without surprises |
//! | [`standard_webhooks`] | signing and verifying webhooks |
//!
//! **Nothing here reads the wall clock.** The time comes in as `now`; only [`config::Env::from_process`]
//! reads the environment, and only a `main.rs` calls it.

pub mod batch;
pub mod caller;
pub mod clock;
pub mod config;
pub mod http;
pub mod problem;
pub mod queue;
pub mod refusals;
pub mod response;
pub mod secrets;
pub mod standard_webhooks;
pub mod strict_json;
pub mod telemetry;

#[cfg(test)]
mod test_aws;
