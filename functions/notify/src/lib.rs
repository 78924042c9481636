//! Delivers notifications: Slack, Teams, email, signed webhooks.
//!
//! | module | purpose |
//! | --- | --- |
//! | [`deliver`] | takes a notification from the queue, sends it and records the result |
//! | [`claims`] | whether a notification is still true; claims it with the earlier ones it covers |
//! | [`address`] | the recipient's destination |
//! | [`wording`] | the text |
//! | [`outbound`] | a message before it takes the form of a channel, and its destination |
//! | [`channel`] | hands a message to its channel |
//! | [`slack`], [`email`], [`webhook`], [`teams`] | one channel each, with its own form of a message |
//! | [`fit`] | cuts text to a channel's limits |
//! | [`send_error`] | why a message was not delivered, and whether to try again |
//! | [`retry`] | attempts and waits, as constant data |
//! | [`client`] | the HTTP clients |
//! | [`reach`] | which addresses webhooks may reach |
//!
//! A channel knows neither the store nor the queue. A notification is sent at least once, always under its own stable
//! id.

pub mod address;
pub mod channel;
pub mod claims;
pub mod client;
pub mod deliver;
pub mod email;
pub mod fit;
pub mod outbound;
pub mod reach;
pub mod retry;
pub mod send_error;
pub mod slack;
pub mod teams;
pub mod webhook;
pub mod wording;

#[cfg(test)]
mod test_server;
