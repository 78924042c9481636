//! Email: the functions send it through SES, so the sink fetches it from the emulator and shows it with the rest.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::task::JoinHandle;

use super::store::{Message, Store};
use crate::isolation;

const POLL: Duration = Duration::from_secs(1);

/// The emulator's list of sent mail, by account, oldest first.
#[derive(Deserialize)]
struct Sent {
    messages: HashMap<String, Vec<Mail>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Mail {
    source: String,
    to: Vec<String>,
    subject: String,
    body_text: String,
}

/// Fetches new mail every second. An emulator without such a list yields none.
pub(super) fn follow(endpoint: &str, store: Arc<Store>) -> JoinHandle<()> {
    let url = format!("{endpoint}/_ministack/ses/messages");
    tokio::spawn(async move {
        let Ok(client) = isolation::local_client() else { return };
        let mut seen = 0;
        loop {
            let mails = fetch(&client, &url).await.unwrap_or_default();
            for mail in mails.iter().skip(seen) {
                store.add(message(mail));
            }
            seen = seen.max(mails.len());
            tokio::time::sleep(POLL).await;
        }
    })
}

async fn fetch(client: &reqwest::Client, url: &str) -> Option<Vec<Mail>> {
    let sent: Sent = client.get(url).send().await.ok()?.json().await.ok()?;
    Some(sent.messages.into_values().flatten().collect())
}

fn message(mail: &Mail) -> Message {
    Message {
        seq: 0,
        at: String::new(),
        method: "email".into(),
        channel: mail.source.clone(),
        recipient: Some(mail.to.join(", ")),
        text: format!("{}\n\n{}", mail.subject, mail.body_text),
        blocks: None,
        metadata: None,
        headers: BTreeMap::new(),
        signature: None,
    }
}
