//! `leadctl policy publish` and `leadctl directory publish`: puts a document in force, through the
//! API, and follows it through the leads in flight.

use crate::api::{self, Api};
use crate::policy;
use crate::progress::{print, say};
use anyhow::Context as _;
use rules::directory::Directory;
use rules::document::DocumentError;
use rules::ids::PublicationKind;
use rules::policy::Policy;
use serde_json::{Value, json};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often it is looked how far a publication has come.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What is published, and why.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The document (YAML); `-` reads standard input
    #[arg(required_unless_present = "revision", conflicts_with = "revision")]
    file: Option<PathBuf>,
    /// Publish this revision again: a roll-back
    #[arg(long, value_name = "N")]
    revision: Option<u32>,
    /// Why, in words; it is in the record for ever
    #[arg(long, value_name = "TEXT")]
    why: String,
    /// The revision that the document was made from: refused if another one is in force by now;
    /// default: the one in force
    #[arg(long, value_name = "N")]
    base: Option<u32>,
    /// Do not wait until the leads in flight know
    #[arg(long)]
    no_wait: bool,
    /// Print what became of it as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    api: api::Caller,
}

/// Publishes; false when it was refused.
///
/// # Errors
/// When nothing runs here, or the file cannot be read.
pub async fn run(root: &Path, kind: PublicationKind, arguments: &Arguments) -> anyhow::Result<bool> {
    let name = kind.as_str();
    let path = match kind {
        PublicationKind::Policy => "/v1/policies",
        PublicationKind::Directory => "/v1/directories",
    };
    let document = match &arguments.file {
        Some(file) => match read(kind, file)? {
            Ok(document) => Some(document),
            Err(error) => {
                say(&format!("{} is not a sound {name}:\n{error}", file.display()));
                return Ok(false);
            }
        },
        None => None,
    };
    let api = Api::new(root, &arguments.api).await?;
    let current = api.get(&format!("{path}/current")).await?.ok()?;
    let in_force = current.get("revision").cloned().unwrap_or_default();
    let document = match (document, arguments.revision) {
        (Some(document), _) => document,
        (None, revision) => {
            let earlier = api.get(&format!("{path}/{}", revision.unwrap_or_default())).await?;
            if earlier.status == 404 {
                say(&earlier.detail());
                return Ok(false);
            }
            earlier.ok()?.get(name).cloned().context("the API's answer holds no document")?
        }
    };
    let base = arguments.base.map_or(in_force, Value::from);
    let answer = api.post(path, &json!({"base": base, "why": arguments.why, name: document})).await?;
    match answer.status {
        200 | 201 => {}
        403 | 409 | 422 => {
            say(&answer.detail());
            for error in answer.body.get("errors").and_then(Value::as_array).into_iter().flatten().skip(1) {
                say(error.get("detail").and_then(Value::as_str).unwrap_or_default());
            }
            return Ok(false);
        }
        _ => anyhow::bail!("{}", answer.detail()),
    }
    let published = answer.body;
    let revision = published.get("revision").cloned().unwrap_or_default();
    if published.get("changed") == Some(&Value::Bool(false)) {
        tell(
            arguments,
            &published,
            &format!("revision {revision} of the {name} says that already; it stays"),
        );
        return Ok(true);
    }
    for change in published.get("changes").and_then(Value::as_array).into_iter().flatten() {
        say(change.as_str().unwrap_or_default());
    }
    if arguments.no_wait {
        tell(arguments, &published, &format!("revision {revision} of the {name} is in force"));
        return Ok(true);
    }
    say(&format!("revision {revision} of the {name} is in force; the leads in flight are gone through"));
    say("(Ctrl-C only ends this message: it goes on by itself)");
    let applied = follow(&api, &format!("{path}/{revision}/publication")).await?;
    let number = |member: &str| applied.pointer(&format!("/leads/{member}")).cloned().unwrap_or_default();
    let (leads, moved) = (number("leads"), number("moved"));
    tell(arguments, &applied, &format!("{leads} leads were looked at, {moved} wait for another instant now"));
    Ok(true)
}

fn tell(arguments: &Arguments, published: &Value, words: &str) {
    if arguments.json { print(&published.to_string()) } else { print(words) }
}

/// Waits until a publication has gone through the leads in flight, and shows how far it is.
async fn follow(api: &Api, path: &str) -> anyhow::Result<Value> {
    let is_terminal = std::io::stderr().is_terminal();
    loop {
        let shown = api.get(path).await?.ok()?;
        // A last look comes a minute later, for whoever was at a lead just then; it needs nobody.
        if shown.get("stage").is_some_and(|stage| stage != "leads") {
            if is_terminal {
                eprint!("\r\x1b[K");
            }
            return Ok(shown);
        }
        if is_terminal {
            let leads = shown.pointer("/leads/leads").and_then(Value::as_u64).unwrap_or_default();
            eprint!("\r\x1b[K  … {leads} leads");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Reads a document, as what the API takes.
fn read(kind: PublicationKind, file: &Path) -> anyhow::Result<Result<Value, DocumentError>> {
    let text = policy::read(file)?.text;
    Ok(match kind {
        PublicationKind::Policy => match Policy::parse(&text) {
            Ok(policy) => Ok(serde_json::to_value(policy)?),
            Err(error) => Err(error),
        },
        PublicationKind::Directory => match Directory::parse(&text) {
            Ok(directory) => Ok(serde_json::to_value(directory.document())?),
            Err(error) => Err(error),
        },
    })
}
