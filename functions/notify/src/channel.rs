//! What is sent, and where to.

use chrono::{DateTime, Utc};
use platform::standard_webhooks::SigningKey;

use crate::email::Email;
use crate::send_error::SendError;
use crate::slack::Slack;
use crate::webhook::Webhook;

/// Where a message goes.
#[derive(Clone, PartialEq, Eq)]
pub enum Destination {
    /// A direct message in Slack to the person with this address.
    SlackDm {
        /// The person's e-mail address.
        email: String,
    },
    /// A channel in Slack.
    SlackChannel {
        /// The channel's id, or its name.
        channel: String,
    },
    /// A mailbox.
    Email {
        /// The address.
        address: String,
    },
    /// A channel in Microsoft Teams, through a workflow's URL.
    Teams {
        /// What the deployment calls it.
        name: String,
        /// Where it goes. The URL is the secret.
        url: String,
    },
    /// A signed POST.
    Webhook {
        /// What the deployment calls it.
        name: String,
        /// Where it goes.
        url: String,
    },
}

impl Destination {
    /// The kind, for logs and the audit.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::SlackDm { .. } => "slack-dm",
            Self::SlackChannel { .. } => "slack-channel",
            Self::Email { .. } => "email",
            Self::Teams { .. } => "teams",
            Self::Webhook { .. } => "webhook",
        }
    }
}

/// Addresses and URLs stay out of logs: the first are personal, the second may carry a secret.
impl std::fmt::Debug for Destination {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SlackChannel { channel: name } | Self::Teams { name, .. } | Self::Webhook { name, .. } => {
                write!(formatter, "{}({name})", self.kind())
            }
            Self::SlackDm { .. } | Self::Email { .. } => write!(formatter, "{}(…)", self.kind()),
        }
    }
}

/// A message, before it takes the form of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outbound {
    /// The notification's id: the same whenever it is sent again.
    pub id: String,
    /// One line.
    pub title: String,
    /// What happened and what to do, in plain text.
    pub text: String,
    /// Facts, as label and value.
    pub fields: Vec<(String, String)>,
    /// Links, as label and URL.
    pub buttons: Vec<(String, String)>,
}

/// The channels of a deployment.
pub struct Channels {
    /// Slack.
    pub slack: Slack,
    /// E-mail.
    pub email: Email,
    /// Webhooks, and Teams.
    pub webhook: Webhook,
}

impl Channels {
    /// Whether a message has been delivered since an instant, by somebody who could not record it. Only Slack can be
    /// asked; a webhook's receiver drops what it has by its id, and other channels get it again.
    ///
    /// # Errors
    /// [`SendError`] where the channel does not answer; it has to be asked again.
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

    /// Makes one attempt to deliver a message. `signing` is the key of the webhook; other channels need none, and a
    /// webhook without one is not configured: it never goes out unsigned.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_urls_stay_out_of_logs() {
        let all = [
            Destination::SlackDm { email: "ana@example.com".to_owned() },
            Destination::Email { address: "ana@example.com".to_owned() },
            Destination::Webhook { name: "ops".to_owned(), url: "https://example.com/?sig=s".to_owned() },
            Destination::Teams { name: "vp".to_owned(), url: "https://example.com/?sig=s".to_owned() },
            Destination::SlackChannel { channel: "#emea".to_owned() },
        ];
        let shown = format!("{all:?}");
        assert_eq!(shown, "[slack-dm(…), email(…), webhook(ops), teams(vp), slack-channel(#emea)]");
    }
}
