//! Readers, and the audiences they belong to.

use rules::notification::Recipient;

/// A kind of reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reader {
    /// Signed in, in the group `viewer`.
    Viewer,
    /// Signed in, in the group `rep`.
    Rep,
    /// Signed in, in the group `customer-success`.
    CustomerSuccess,
    /// Signed in, in the group `operations`.
    Operations,
    /// Signed in, in the group `compliance`.
    Compliance,
    /// Any subscriber of the event bus.
    Bus,
    /// A person who gets a message.
    Person,
    /// A team's channel.
    TeamChannel,
    /// The channel of operations.
    OperationsDesk,
    /// The channel of the compliance team.
    ComplianceDesk,
    /// Anyone who holds an export without personal data, or may read the tables.
    Export,
}

impl Reader {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Viewer,
        Self::Rep,
        Self::CustomerSuccess,
        Self::Operations,
        Self::Compliance,
        Self::Bus,
        Self::Person,
        Self::TeamChannel,
        Self::OperationsDesk,
        Self::ComplianceDesk,
        Self::Export,
    ];

    /// The reader that a message to this recipient reaches.
    pub fn of(recipient: &Recipient) -> Self {
        match recipient {
            Recipient::Person { .. } => Self::Person,
            Recipient::TeamChannel { .. } => Self::TeamChannel,
            Recipient::OperationsDesk => Self::OperationsDesk,
            Recipient::ComplianceDesk => Self::ComplianceDesk,
        }
    }
}

/// The audience of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    /// Every role, every recipient, and the bus.
    Everyone,
    /// Every role and every recipient, but not the bus.
    Staff,
    /// Those who judge churn signals: customer success and operations, who see the decrypted evidence.
    Judges,
    /// Compliance and operations, their channels, and holders of an export.
    MustKnow,
    /// No reader here, because it is encrypted. A compliance review decrypts it.
    Sealed,
}

impl Audience {
    /// Whether it includes a reader.
    pub fn includes(self, reader: Reader) -> bool {
        match self {
            Self::Everyone => true,
            Self::Staff => reader != Reader::Bus,
            Self::Judges => matches!(reader, Reader::CustomerSuccess | Reader::Operations),
            Self::MustKnow => matches!(
                reader,
                Reader::Operations
                    | Reader::Compliance
                    | Reader::OperationsDesk
                    | Reader::ComplianceDesk
                    | Reader::Export
            ),
            Self::Sealed => false,
        }
    }

    /// Whether it includes any of the readers.
    pub fn includes_any(self, readers: &[Reader]) -> bool {
        readers.iter().any(|reader| self.includes(*reader))
    }

    /// Whether the contents of a member with this audience are hidden too.
    pub(super) fn hides(self) -> bool {
        matches!(self, Self::Judges | Self::MustKnow | Self::Sealed)
    }
}
