//! Everything a function needs around its handler, without any of the product's rules.
//!
//! | module | purpose |
//! | --- | --- |
//! | [`config`] | the environment, read once at start |
//! | [`telemetry`] | structured logs that carry ids only |
//! | [`http`] | an API request: body, route, parameters, cursors |
//! | [`response`], [`problem`] | the answer, and the refusal |
//! | [`caller`] | the caller, from a verified token's claims |
//! | [`refusals`] | logs refused requests by class of reason |
//! | [`batch`] | a batch from a queue, each record on its own |
//! | [`queue`] | sends to a queue, with partial failures |
//! | [`secrets`] | shared secrets, cached |
//! | [`strict_json`] | JSON without duplicate keys, within bounds |
//! | [`standard_webhooks`] | signs and verifies webhooks |
//!
//! **Nothing here reads the system clock.** The time comes in as `now`; only [`config::Env::from_process`]
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
