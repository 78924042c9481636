//! The channels of a deployment: looks for a message at its destination, and sends it there.

use chrono::{DateTime, Utc};
use platform::standard_webhooks::SigningKey;

use crate::email::Email;
use crate::outbound::{Destination, Outbound};
use crate::send_error::SendError;
use crate::slack::Slack;
use crate::webhook::Webhook;

/// The channels of a deployment.
pub struct Channels {
    /// Slack.
    pub slack: Slack,
    /// Email.
    pub email: Email,
    /// Webhooks, and Teams.
    pub webhook: Webhook,
}

impl Channels {
    /// Whether a message has been delivered since a time, by a function that could not record it. Only Slack
    /// can tell. A webhook's receiver drops a repeated id; the other channels get the message again.
    ///
    /// # Errors
    /// [`SendError`] if the channel does not answer: ask again.
    pub async fn has(
        &self,
        destination: &Destination,
        outbound: &Outbound,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, SendError> {
        match destination {
            Destination::SlackDm { email } => self.slack.has_dm(email, outbound, since, now).await,
            Destination::SlackChannel { channel } => {
                self.slack.has_in_channel(channel, outbound, since, now).await
            }
            Destination::Email { .. } | Destination::Teams { .. } | Destination::Webhook { .. } => Ok(false),
        }
    }

    /// Makes one attempt to deliver a message. `signing` is the key for webhooks. Without it a webhook is not
    /// configured, because no message goes out unsigned.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn send(
        &self,
        destination: &Destination,
        outbound: &Outbound,
        signing: Option<&SigningKey>,
        now: DateTime<Utc>,
    ) -> Result<(), SendError> {
        match destination {
            Destination::SlackDm { email } => self.slack.send_dm(email, outbound, now).await,
            Destination::SlackChannel { channel } => self.slack.send_to_channel(channel, outbound, now).await,
            Destination::Email { address } => self.email.send(address, outbound).await,
            Destination::Teams { url, .. } => self.webhook.send_to_teams(url, outbound, now).await,
            Destination::Webhook { url, .. } => {
                let key = signing.ok_or(SendError::NotConfigured)?;
                self.webhook.send(url, key, outbound, now).await
            }
        }
    }
}
