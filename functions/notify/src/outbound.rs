//! A message before it takes the form of a channel, and its destination.

/// The destination of a message.
#[derive(Clone, PartialEq, Eq)]
pub enum Destination {
    /// A direct message in Slack to the person with this address.
    SlackDm {
        /// The person's email address.
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
        /// Its name in the directory.
        name: String,
        /// The workflow's URL, which is itself the secret.
        url: String,
    },
    /// A signed POST.
    Webhook {
        /// Its name in the directory.
        name: String,
        /// The receiver's URL.
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

/// Keeps addresses and URLs out of logs: addresses are personal, and a URL may carry a secret.
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
    /// The notification's id, the same on every attempt.
    pub id: String,
    /// The title, on one line.
    pub title: String,
    /// The event and the action to take, in plain text.
    pub text: String,
    /// Facts, as label and value.
    pub fields: Vec<(String, String)>,
    /// Links, as label and URL.
    pub buttons: Vec<(String, String)>,
}

/// Stands for a missing title: no channel takes an empty one.
pub const UNTITLED: &str = "Leadwatch notification";
/// Longest URL of a link, in UTF-16 units: the strictest channel's limit.
pub const URL_MAX: usize = 3000;

impl Outbound {
    /// The title, or [`UNTITLED`] where it is blank.
    #[must_use]
    pub fn title(&self) -> &str {
        let title = self.title.trim();
        if title.is_empty() { UNTITLED } else { title }
    }

    /// The links that a channel can show, as label and URL. Anything but a web address is left out, because
    /// Slack would refuse the whole message.
    pub fn links(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.buttons.iter().map(|(label, url)| (label.trim(), url.trim()));
        all.filter(|(label, url)| {
            let is_web = reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "https" | "http"));
            !label.is_empty() && is_web && url.encode_utf16().count() <= URL_MAX
        })
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

    #[test]
    fn only_web_addresses_become_links() {
        let link = |url: &str| ("Open".to_owned(), url.to_owned());
        let odd = Outbound {
            buttons: ["javascript:alert(1)", "", "/relative", "https://ok.example/"].map(link).into(),
            ..Outbound::default()
        };
        assert_eq!(odd.links().collect::<Vec<_>>(), [("Open", "https://ok.example/")]);
    }
}
