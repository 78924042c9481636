//! Finds the destination of a recipient in the current directory.

use crate::outbound::Destination;
use policy::directory::Directory;
use policy::ids::PersonId;
use rules::notification::Recipient;

/// Why a recipient has no destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoDestination {
    /// A person who is not in the directory, or has no channel there.
    Person(PersonId),
    /// A team that is not in the directory.
    Team,
}

/// The destination of a recipient.
///
/// # Errors
/// [`NoDestination`] when the directory does not have them.
pub fn destination(recipient: &Recipient, directory: &Directory) -> Result<Destination, NoDestination> {
    let document = directory.document();
    match recipient {
        Recipient::Person { person: id, .. } => {
            let person = directory.person(id).ok_or_else(|| NoDestination::Person(id.clone()))?;
            match person.notify.as_deref() {
                None | Some("slack") => Ok(Destination::SlackDm { email: person.email.clone() }),
                Some("email") => Ok(Destination::Email { address: person.email.clone() }),
                Some(other) if other.starts_with("teams:") => {
                    let name = other.trim_start_matches("teams:");
                    let url =
                        document.teams_channels.get(name).ok_or_else(|| NoDestination::Person(id.clone()))?;
                    Ok(Destination::Teams { name: name.to_owned(), url: url.clone() })
                }
                Some(other) => {
                    let name = other.strip_prefix("webhook:").unwrap_or(other);
                    let url = document.webhooks.get(name).ok_or_else(|| NoDestination::Person(id.clone()))?;
                    Ok(Destination::Webhook { name: name.to_owned(), url: url.clone() })
                }
            }
        }
        Recipient::TeamChannel { team, .. } => {
            let team = directory.team(team).ok_or(NoDestination::Team)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use rules::notification::Role;

    const DIRECTORY: &str = r##"
calendars: {}
markets: {}
teams: {}
people:
  vp-kim: { name: Kim, email: kim@example.test, notify: "teams:board" }
compliance: { channel: "#compliance" }
operations: { channel: "#operations" }
teams_channels: { board: "https://example.test/workflow" }
"##;

    #[test]
    fn a_person_gets_messages_in_teams_where_the_directory_says_so() {
        let directory = Directory::parse(DIRECTORY).unwrap();
        let to = |person: &str| Recipient::Person { role: Role::RegionalVp, person: person.into() };
        let (name, url) = ("board".to_owned(), "https://example.test/workflow".to_owned());
        assert_eq!(destination(&to("vp-kim"), &directory), Ok(Destination::Teams { name, url }));
        assert_eq!(destination(&to("vp-lee"), &directory), Err(NoDestination::Person("vp-lee".into())));
        let unknown = Directory::parse(&DIRECTORY.replace("teams:board", "teams:bord"));
        assert!(unknown.unwrap_err().to_string().contains("Teams channel"));
    }
}
