//! Whom a notification is for, and where they are told, as the directory says now.

use crate::channel::Destination;
use rules::directory::Directory;
use rules::ids::PersonId;
use rules::notification::Recipient;

/// Why somebody has no place to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAddress {
    /// A person who is not in the directory (any more), or without a channel there.
    Person(PersonId),
    /// A team that is not in the directory (any more).
    Team,
}

/// Where a recipient is told.
///
/// # Errors
/// [`NoAddress`] when the directory does not have them.
pub fn destination(recipient: &Recipient, directory: &Directory) -> Result<Destination, NoAddress> {
    let document = directory.document();
    match recipient {
        Recipient::Person { person: id, .. } => {
            let person = directory.person(id).ok_or_else(|| NoAddress::Person(id.clone()))?;
            match person.notify.as_deref() {
                None | Some("slack") => Ok(Destination::SlackDm { email: person.email.clone() }),
                Some("email") => Ok(Destination::Email { address: person.email.clone() }),
                Some(other) => {
                    let name = other.strip_prefix("webhook:").unwrap_or(other);
                    let url = document.webhooks.get(name).ok_or_else(|| NoAddress::Person(id.clone()))?;
                    Ok(Destination::Webhook { name: name.to_owned(), url: url.clone() })
                }
            }
        }
        Recipient::TeamChannel { team, .. } => {
            let team = directory.team(team).ok_or(NoAddress::Team)?;
            Ok(Destination::SlackChannel { channel: team.channel.clone() })
        }
        Recipient::ComplianceDesk => {
            Ok(Destination::SlackChannel { channel: document.compliance.channel.clone() })
        }
        Recipient::OperationsDesk => {
            Ok(Destination::SlackChannel { channel: document.operations.channel.clone() })
        }
    }
}
