//! Email through Amazon SES.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageHeader};

use crate::fit::{cut, one_line};
use crate::outbound::Outbound;
use crate::send_error::SendError;

/// Header with the notification's id, by which a receiver recognizes a repeated delivery.
pub const ID_HEADER: &str = "X-Leadwatch-Notification";

/// Length of a subject, in UTF-16 units.
pub const SUBJECT_MAX: usize = 200;

/// Error codes for too many requests.
const THROTTLED: [&str; 4] =
    ["TooManyRequestsException", "LimitExceededException", "ThrottlingException", "Throttling"];
/// Error codes for an account or a sender that may not send.
const DEPLOYMENT_FAULT: [&str; 6] = [
    "AccountSuspendedException",
    "SendingPausedException",
    "MailFromDomainNotVerifiedException",
    "AccessDeniedException",
    "ExpiredTokenException",
    "UnrecognizedClientException",
];

/// Sends email.
pub struct Email {
    client: Client,
    from: Option<String>,
}

impl Email {
    /// `from` is the sender; `None` or blank when the deployment sends no email.
    #[must_use]
    pub fn new(client: Client, from: Option<String>) -> Self {
        Self { client, from: from.filter(|address| !address.trim().is_empty()) }
    }

    /// Makes one attempt. The SDK itself repeats a call that failed in transit.
    ///
    /// # Errors
    /// [`SendError::Permanent`] when SES rejects the message. [`SendError::Transient`] when SES throttles,
    /// does not answer, or temporarily refuses this account.
    pub async fn send(&self, address: &str, outbound: &Outbound) -> Result<(), SendError> {
        let from = self.from.as_deref().ok_or(SendError::NotConfigured)?;
        let message = message(outbound)
            .map_err(|_| SendError::Permanent("the message is not valid as an email".to_owned()))?;
        let sent = self
            .client
            .send_email()
            .from_email_address(from)
            .destination(Destination::builder().to_addresses(address).build())
            .content(EmailContent::builder().simple(message).build())
            .send()
            .await;
        sent.map(|_| ()).map_err(|error| refusal(&error))
    }
}

fn message(outbound: &Outbound) -> Result<Message, aws_sdk_sesv2::error::BuildError> {
    let content = |text: String| Content::builder().data(text).charset("UTF-8").build();
    let body = Body::builder().text(content(text(outbound))?).build();
    let id = MessageHeader::builder().name(ID_HEADER).value(&outbound.id).build()?;
    Ok(Message::builder().subject(content(subject(outbound))?).body(body).headers(id).build())
}

/// The subject: one line, without control characters, so that nobody can slip in a header.
#[must_use]
pub fn subject(outbound: &Outbound) -> String {
    let line: String = outbound
        .title()
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect();
    cut(&line, SUBJECT_MAX)
}

/// The body, in plain text.
#[must_use]
pub fn text(outbound: &Outbound) -> String {
    let mut body = String::new();
    for line in outbound.text.lines() {
        body.push_str(line);
        body.push('\n');
    }
    if !outbound.fields.is_empty() {
        body.push('\n');
    }
    for (label, value) in &outbound.fields {
        body.push_str(&format!("{}: {}\n", one_line(label), one_line(value)));
    }
    for (label, url) in outbound.links() {
        body.push_str(&format!("\n{}:\n{url}\n", one_line(label)));
    }
    body.push_str(&format!("\n-- \nLeadwatch, notification {}\n", one_line(&outbound.id)));
    body
}

fn refusal(error: &SdkError<SendEmailError>) -> SendError {
    let answer = match error {
        SdkError::ServiceError(answer) => answer,
        SdkError::ConstructionFailure(_) => {
            return SendError::Permanent("the message is not valid as an email".to_owned());
        }
        SdkError::TimeoutError(_) => return SendError::transient("time-out"),
        _ => return SendError::transient("no connection"),
    };
    let code = answer.err().code().unwrap_or("unknown error");
    let status = answer.raw().status().as_u16();
    if THROTTLED.contains(&code) || status == 429 || status >= 500 {
        SendError::transient(code)
    } else if DEPLOYMENT_FAULT.contains(&code) || status == 403 {
        SendError::deployment_fault(code)
    } else {
        SendError::Permanent(code.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::units;
    use crate::outbound::UNTITLED;
    use crate::test_server::{Reply, Server};
    use aws_sdk_sesv2::config::retry::RetryConfig;
    use aws_sdk_sesv2::config::timeout::TimeoutConfig;
    use aws_sdk_sesv2::config::{BehaviorVersion, Credentials, Region};
    use serde_json::json;
    use std::time::Duration;

    fn outbound() -> Outbound {
        let text = "Acme <!channel> & Söhne".to_owned();
        Outbound { id: "n-1".to_owned(), title: "Held".to_owned(), text, ..Outbound::default() }
    }

    fn email(server: &Server, from: Option<&str>) -> Email {
        let timeout = Duration::from_millis(500);
        let config = aws_sdk_sesv2::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .endpoint_url(server.url())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::builder().operation_timeout(timeout).build())
            .build();
        Email::new(Client::from_conf(config), from.map(str::to_owned))
    }

    async fn send(reply: Reply) -> (Result<(), SendError>, Server) {
        let server = Server::start(vec![reply]).await;
        let email = email(&server, Some("leads@example.com"));
        (email.send("ana@example.com", &outbound()).await, server)
    }

    #[tokio::test]
    async fn a_message_goes_out_as_plain_text_with_its_id() {
        let (outcome, server) = send(Reply::json(json!({"MessageId": "m"}))).await;
        outcome.unwrap();
        let sent = server.requests()[0].json();
        assert_eq!(sent["FromEmailAddress"], "leads@example.com");
        assert_eq!(sent["Destination"], json!({"ToAddresses": ["ana@example.com"]}));
        let message = &sent["Content"]["Simple"];
        assert_eq!(message["Subject"]["Data"], "Held");
        assert_eq!(message["Headers"], json!([{"Name": ID_HEADER, "Value": "n-1"}]));
        let text = message["Body"]["Text"]["Data"].as_str().unwrap();
        assert!(text.starts_with("Acme <!channel> & Söhne\n"));
    }

    #[tokio::test]
    async fn each_refusal_says_whether_another_attempt_can_help() {
        let permanent = |code: &str| SendError::Permanent(code.to_owned());
        let cases = [
            (429, "TooManyRequestsException", SendError::transient("TooManyRequestsException")),
            (400, "ThrottlingException", SendError::transient("ThrottlingException")),
            (500, "InternalFailure", SendError::transient("InternalFailure")),
            (400, "MessageRejected", permanent("MessageRejected")),
            (400, "BadRequestException", permanent("BadRequestException")),
            (403, "AccessDeniedException", SendError::deployment_fault("AccessDeniedException")),
            (400, "SendingPausedException", SendError::deployment_fault("SendingPausedException")),
        ];
        for (status, code, expected) in cases {
            let reply = Reply::error(status, json!({"message": "to jane@example.com"}));
            let (outcome, _server) = send(reply.header("x-amzn-errortype", code)).await;
            assert_eq!(outcome, Err(expected), "{code}");
        }
    }

    #[tokio::test]
    async fn a_silence_is_transient() {
        let (outcome, _server) = send(Reply::never()).await;
        assert_eq!(outcome, Err(SendError::transient("time-out")));
    }

    #[tokio::test]
    async fn without_a_sender_email_is_not_configured() {
        let server = Server::start(Vec::new()).await;
        for from in [None, Some(" ")] {
            let outcome = email(&server, from).send("ana@example.com", &outbound()).await;
            assert_eq!(outcome, Err(SendError::NotConfigured));
        }
        assert!(server.requests().is_empty());
    }

    #[test]
    fn a_subject_is_one_line() {
        let odd = Outbound { title: "Lead\r\nBcc: all@example.com".to_owned(), ..outbound() };
        assert_eq!(subject(&odd), "Lead  Bcc: all@example.com");
    }

    #[test]
    fn a_subject_is_never_empty_and_never_too_long() {
        assert_eq!(subject(&Outbound::default()), UNTITLED);
        for character in ["&", "𝄞", "x"] {
            let huge = Outbound { title: character.repeat(5000), ..Outbound::default() };
            assert!(units(&subject(&huge)) <= SUBJECT_MAX);
        }
    }

    #[test]
    fn an_email_has_text_facts_links_and_the_notification_id() {
        let expected = "Acme <!channel> & Söhne\n\nLeft: 12 min\n\nOpen:\nhttps://crm.example/L-1?a=1&b=2\n\n-- \nLeadwatch, notification n-1\n";
        let whole = Outbound {
            fields: vec![("Left".to_owned(), "12 min".to_owned())],
            buttons: vec![("Open".to_owned(), "https://crm.example/L-1?a=1&b=2".to_owned())],
            ..outbound()
        };
        assert_eq!(text(&whole), expected);
    }
}
