//! Delivers notifications: Slack, Teams, e-mail, signed webhooks.
//!
//! | module | what for |
//! | --- | --- |
//! | [`deliver`] | takes a notification from the queue and sees it through |
//! | [`together`] | whether it is still true, and what the same message tells too |
//! | [`address`] | whom it is for, and where they are told |
//! | [`wording`] | what it says |
//! | [`channel`] | what is sent and where to; hands a message to its channel |
//! | [`render`] | a message in Block Kit, as e-mail, as webhook document |
//! | [`slack`], [`email`], [`webhook`] | one channel each |
//! | [`teams`] | the card that a workflow of Teams takes |
//! | [`send_error`] | why a message was not delivered, and what follows from that |
//! | [`retry`] | attempts and waits, as constant data |
//! | [`client`] | the HTTP clients |
//! | `public_dns` | where the names of webhooks may lead |
//!
//! A channel knows neither the store nor the queue. Sends are at least once, under the notification's own stable id.

pub mod address;
pub mod channel;
pub mod client;
pub mod deliver;
pub mod email;
mod public_dns;
pub mod render;
pub mod retry;
pub mod send_error;
pub mod slack;
pub mod teams;
pub mod together;
pub mod webhook;
pub mod wording;

#[cfg(test)]
mod test_server;
