//! Readers, and the audiences they belong to.

use rules::notification::Recipient;

/// Who reads.
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
    /// Whoever holds an export without personal data, or may read the tables.
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

/// Whom a row is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    /// Every role, every recipient, and the bus.
    Everyone,
    /// Everybody who is known: every role and every recipient, not the bus.
    Staff,
    /// Those who judge signals of churn: customer success and operations, opened from its seal.
    Judges,
    /// Compliance and operations, their channels, and whoever holds an export.
    MustKnow,
    /// Nobody by these ways: it is sealed. A compliance review opens it.
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

    /// Whether any of them is told.
    pub fn includes_any(self, readers: &[Reader]) -> bool {
        readers.iter().any(|reader| self.includes(*reader))
    }

    /// Whether what is inside a member of this audience is hidden with it.
    pub(super) fn hides(self) -> bool {
        matches!(self, Self::Judges | Self::MustKnow | Self::Sealed)
    }
}
