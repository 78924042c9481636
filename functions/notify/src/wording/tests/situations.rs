//! The situations in which messages go out, with their recipients.

use super::fixtures::{at, everything, manager, notification, owner};
use policy::Message;
use rules::lead::PendingNotification;
use rules::notification::{Particulars, Recipient, Role};
use rules::screening::{Criterion, CriterionKind};
use rules::still_true::CurrentMessage;

/// The recipients of a message, each with a label and the facts.
pub fn situations(message: Message) -> Vec<(&'static str, Recipient, CurrentMessage)> {
    let due_at = Some(at("2026-03-02T16:00:00Z"));
    let told = |particulars: Particulars| CurrentMessage { particulars, ..CurrentMessage::default() };
    let plain = || Particulars { reasons: Vec::new(), previous_owner: None, ..everything() };
    let over = || Particulars { elapsed_s: Some(5400), ..plain() };
    let earlier = |message: Message| {
        PendingNotification::of(&notification(owner(), message, Particulars::default()), None)
    };
    let role = |role: Role, person: &str| Recipient::Person { role, person: person.into() };
    let of_account = || Particulars {
        company: Some("Acme".to_owned()),
        owner: Some("rep-ana".into()),
        reasons: vec!["usage is down".to_owned()],
        ..Particulars::default()
    };
    let found = |kind, match_id: &str, list: &str, list_version: &str, strength| Criterion {
        kind,
        match_id: match_id.to_owned(),
        list: list.to_owned(),
        list_version: list_version.to_owned(),
        strength,
    };
    let review = || Particulars {
        state: Some("NEW".into()),
        company: Some("Acme".to_owned()),
        market: Some("dach".into()),
        owner: Some("rep-eva".into()),
        criteria: vec![
            found(CriterionKind::Sanctions, "ofac-123", "OFAC-SDN", "2026-02-27", Some(92)),
            found(CriterionKind::Pep, "pep-7", "World-PEP", "v12", None),
            found(
                CriterionKind::Jurisdiction,
                "jurisdiction-dach-FR",
                "market-licences/dach",
                "AT,CH,DE",
                None,
            ),
            found(CriterionKind::AdverseMedia, "manual-flag-a3801b2e", "raised by hand", "2026-11-27", None),
        ],
        flagged_by: Some("ana@example.test, 0199c3a4-1111-7222-8333-444455556666".to_owned()),
        ..Particulars::default()
    };
    match message {
        Message::SlaWarning => vec![
            ("the owner", owner(), CurrentMessage { due_at, ..told(plain()) }),
            (
                "the owner, whose window ended in quiet hours",
                owner(),
                CurrentMessage {
                    due_at: Some(at("2026-03-01T22:30:00Z")),
                    with: vec![earlier(Message::LeadGiven)],
                    ..told(over())
                },
            ),
            (
                "the manager, as nobody known owns it",
                manager(),
                CurrentMessage { due_at, ..told(Particulars { owner: None, ..plain() }) },
            ),
        ],
        Message::SlaBreached => vec![
            ("the manager", manager(), told(over())),
            ("the manager, before the window is over", manager(), CurrentMessage { due_at, ..told(plain()) }),
            (
                "the manager, and the owner sleeps",
                manager(),
                CurrentMessage { owner_not_told: true, ..told(over()) },
            ),
            (
                "the manager, after the lead moved on",
                manager(),
                CurrentMessage {
                    moved_to: Some("CONTACTED".to_owned()),
                    went_to: Some("rep-bob".into()),
                    ..told(over())
                },
            ),
            ("the manager, and nobody owns it", manager(), told(Particulars { owner: None, ..over() })),
        ],
        Message::LeadTaken => vec![
            (
                "the owner before",
                role(Role::PreviousOwner, "rep-bob"),
                told(Particulars { previous_owner: Some("rep-bob".into()), ..over() }),
            ),
            (
                "the owner before, of a high-value lead",
                role(Role::PreviousOwner, "rep-bob"),
                told(Particulars {
                    previous_owner: Some("rep-bob".into()),
                    reasons: vec!["a high-value lead goes to a senior rep".to_owned()],
                    ..plain()
                }),
            ),
        ],
        Message::LeadGiven => vec![
            (
                "the owner, on arrival",
                owner(),
                CurrentMessage { due_at, ..told(Particulars { elapsed_s: None, window_s: None, ..plain() }) },
            ),
            (
                "the owner after another one",
                owner(),
                CurrentMessage {
                    due_at,
                    ..told(Particulars { previous_owner: Some("rep-bob".into()), ..over() })
                },
            ),
            (
                "the manager, as the owner cannot be reached",
                manager(),
                told(Particulars {
                    previous_owner: Some("rep-bob".into()),
                    instead_of: Some("rep-ana".into()),
                    ..over()
                }),
            ),
        ],
        Message::ReassignmentImpossible => {
            let reasons = vec!["no rep on the team can take it".to_owned()];
            vec![
                ("the manager", manager(), told(Particulars { reasons: reasons.clone(), ..over() })),
                (
                    "the manager, and nobody owns it",
                    manager(),
                    told(Particulars { reasons, owner: None, elapsed_s: None, window_s: None, ..plain() }),
                ),
            ]
        }
        Message::StuckAsk => vec![(
            "the owner",
            owner(),
            CurrentMessage {
                with: vec![earlier(Message::LeadGiven), earlier(Message::SlaWarning)],
                ..told(Particulars { elapsed_s: Some(3 * 86_400), ..plain() })
            },
        )],
        Message::StuckManager => {
            vec![("the manager", manager(), told(Particulars { elapsed_s: Some(4 * 86_400), ..plain() }))]
        }
        Message::Bounced => vec![(
            "the manager",
            manager(),
            told(Particulars {
                reasons: vec!["4 times within 7d".to_owned()],
                elapsed_s: None,
                window_s: None,
                ..plain()
            }),
        )],
        Message::ChangedHands => {
            let reasons = vec!["you now own 2 leads of Cat Chen: L-1, L-2".to_owned()];
            let of_absent = [
                "2 leads went to Bob Baker",
                "1 lead went to the operations queue",
                "3 leads stay with them",
            ];
            let of_absent =
                Particulars { reasons: of_absent.map(str::to_owned).to_vec(), ..Particulars::default() };
            vec![
                ("the new owner", owner(), told(Particulars { reasons, ..Particulars::default() })),
                ("the manager", manager(), told(of_absent)),
            ]
        }
        Message::HighValue => {
            let reasons = vec!["score 91 is at or over 85".to_owned(), "the account is strategic".to_owned()];
            let high =
                || told(Particulars { elapsed_s: None, window_s: None, reasons: reasons.clone(), ..plain() });
            vec![
                ("the owner", owner(), high()),
                ("the manager", manager(), high()),
                ("the regional VP", role(Role::RegionalVp, "vp-ruth"), high()),
            ]
        }
        Message::Held | Message::ClosedByCompliance => {
            let need_to_know = Particulars { company: Some("Acme".to_owned()), ..Particulars::default() };
            vec![("the would-be owner", role(Role::WouldBeOwner, "rep-eva"), told(need_to_know))]
        }
        Message::ReviewNeeded => vec![("the compliance team", Recipient::ComplianceDesk, told(review()))],
        Message::ReviewAgeing => vec![(
            "the compliance team",
            Recipient::ComplianceDesk,
            CurrentMessage {
                with: vec![earlier(Message::ReviewNeeded)],
                ..told(Particulars { elapsed_s: Some(28_800), step: Some("first".into()), ..review() })
            },
        )],
        Message::Cleared => {
            let cleared = || Particulars { elapsed_s: None, window_s: None, ..plain() };
            vec![
                ("the owner", owner(), CurrentMessage { due_at, ..told(cleared()) }),
                (
                    "the manager, as nobody known owns it",
                    manager(),
                    told(Particulars { owner: None, ..cleared() }),
                ),
            ]
        }
        Message::ChurnRisk | Message::TouchpointDue => vec![
            ("the account's owner", role(Role::AccountOwner, "rep-ana"), told(of_account())),
            ("customer success", role(Role::CustomerSuccess, "cs-sam"), told(of_account())),
            ("operations", Recipient::OperationsDesk, told(Particulars { owner: None, ..of_account() })),
        ],
        Message::PublicationDigest => {
            let reasons =
                vec!["sla-breach/breached: 3 leads".to_owned(), "stuck-lead/ask: 1 lead".to_owned()];
            let published_by = Some("ana@example.test".to_owned());
            vec![
                (
                    "the manager",
                    manager(),
                    told(Particulars { reasons: reasons.clone(), published_by, ..Particulars::default() }),
                ),
                (
                    "the manager, of one that nobody is known of",
                    manager(),
                    told(Particulars { reasons, ..Particulars::default() }),
                ),
            ]
        }
    }
}
