//! `leadctl policy publish` and `leadctl directory publish`: puts a document in force through the API,
//! after it has shown what that does, and follows it through the leads in flight.
//!
//! A document is published against the revision it was made from, never against the one that happens to
//! be in force: a colleague's change would be overwritten without a word.

pub(crate) mod document;
mod effect;
pub(crate) mod published;
pub mod pull;
mod stale;
mod yaml;

use crate::api;
use crate::api::{Answer, Api};
use crate::output::{print, say};
use document::Draft;
use policy::ids::PublicationKind;
use published::{Revision, route};
use serde_json::{Value, json};
use stale::Stale;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often it is looked how far a publication has come.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What is published, and why.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The document (YAML), with the revision it was made from, as `pull` writes it; `-` reads standard input
    #[arg(required_unless_present = "revision", conflicts_with = "revision")]
    file: Option<PathBuf>,
    /// Publish this revision again: a roll-back
    #[arg(long, value_name = "N")]
    revision: Option<u32>,
    /// Why, in words; it is in the record for ever
    #[arg(long, value_name = "TEXT")]
    why: String,
    /// The revision the document was made from, where the document does not say it; publishing is refused if
    /// another one is in force by now
    #[arg(long, value_name = "N")]
    base: Option<u32>,
    /// Publish without asking
    #[arg(long, short)]
    yes: bool,
    /// Show what publishing would do, and publish nothing
    #[arg(long, conflicts_with_all = ["yes", "no_effect"])]
    dry_run: bool,
    /// Do not work out how many leads are affected
    #[arg(long)]
    no_effect: bool,
    /// Do not wait until the leads in flight know
    #[arg(long)]
    no_wait: bool,
    /// Print what became of it as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    api: api::Caller,
}

/// What is to be published, and against which revision.
struct Plan {
    what: String,
    content: document::Content,
    base: u32,
}

/// Publishes; false when nothing was published.
///
/// # Errors
/// When nothing runs here, or the file cannot be read.
pub async fn run(root: &Path, kind: PublicationKind, arguments: &Arguments) -> anyhow::Result<bool> {
    let name = kind.as_str();
    let draft = match &arguments.file {
        Some(file) => match Draft::read(kind, file)? {
            Ok(draft) => Some(draft),
            Err(error) => {
                say(&format!("{} is not a sound {name}:\n{error}", file.display()));
                return Ok(false);
            }
        },
        None => None,
    };
    let api = Api::new(root, &arguments.api).await?;
    let in_force = published::in_force(&api, kind).await?;
    let plan = match plan(&api, kind, arguments, draft, in_force.as_ref()).await? {
        Ok(plan) => plan,
        Err(refusal) => {
            say(&refusal);
            return Ok(false);
        }
    };
    let body = json!({"base": plan.base, "why": arguments.why, name: plan.content.to_value()?});
    if let Some(same) = in_force.as_ref().filter(|in_force| in_force.content == plan.content) {
        let says =
            format!("Revision {} of the {name} already says the same; nothing was published.", same.number);
        tell(arguments, &json!({"revision": same.number, "changed": false}), &says);
        return Ok(true);
    }
    if plan.base != in_force.as_ref().map_or(0, |in_force| in_force.number) {
        return stale(&api, kind, arguments, &plan, in_force.as_ref()).await;
    }
    let tried = match effect::of(&api, kind, &body, arguments.no_effect).await? {
        Ok(tried) => tried,
        Err(answer) if answer.is_of_kind("base-moved-on") => {
            let in_force = published::in_force(&api, kind).await?;
            return stale(&api, kind, arguments, &plan, in_force.as_ref()).await;
        }
        Err(answer) => return refused(&answer),
    };
    for line in tried.words() {
        say(&line);
    }
    if arguments.dry_run {
        let shown = json!({"published": false, "base": plan.base, "trial": tried});
        tell(arguments, &shown, "Nothing was published: this was a dry run.");
        return Ok(true);
    }
    if !arguments.yes && !confirmed(name, plan.base.saturating_add(1))? {
        return Ok(false);
    }
    let answer = api.post(route(kind), &body).await?;
    if answer.is_of_kind("base-moved-on") {
        let in_force = published::in_force(&api, kind).await?;
        return stale(&api, kind, arguments, &plan, in_force.as_ref()).await;
    }
    if !matches!(answer.status, 200 | 201) {
        return refused(&answer);
    }
    let revision = answer.body.get("revision").cloned().unwrap_or_default();
    if arguments.no_wait {
        tell(arguments, &answer.body, &format!("Revision {revision} of the {name} is in force."));
        return Ok(true);
    }
    say(&format!("Revision {revision} of the {name} is in force. Updating open leads …"));
    say("(Ctrl-C ends only this display; the update goes on.)");
    let applied = follow(&api, &format!("{}/{revision}/publication", route(kind))).await?;
    tell(arguments, &applied, &effect::outcome(&applied));
    Ok(true)
}

/// What is to be published against which revision, or why that cannot be told.
async fn plan(
    api: &Api,
    kind: PublicationKind,
    arguments: &Arguments,
    draft: Option<Draft>,
    in_force: Option<&Revision>,
) -> anyhow::Result<Result<Plan, String>> {
    let name = kind.as_str();
    let current = in_force.map_or(0, |in_force| in_force.number);
    let Some(draft) = draft else {
        let number = arguments.revision.unwrap_or_default();
        let Some(earlier) = published::revision(api, kind, &number.to_string()).await? else {
            return Ok(Err(format!(
                "There is no revision {number} of the {name}; the newest is {current}. Nothing was published."
            )));
        };
        if arguments.yes && arguments.base.is_none() {
            return Ok(Err(format!(
                "Nothing was published: with `--yes`, name the revision that you roll back from. Revision {current} \
                 is in force; if you mean that one, add `--base {current}`."
            )));
        }
        // Without `--yes` the difference from this very revision is shown, and confirmed.
        let base = arguments.base.unwrap_or(current);
        return Ok(Ok(Plan { what: format!("revision {number}"), content: earlier.content, base }));
    };
    let base = match (draft.revision, arguments.base) {
        (Some(says), Some(base)) if says != base => {
            return Ok(Err(format!(
                "Nothing was published: {} says that it was made from revision {says}, and `--base` is {base}. Leave \
                 one of them out.",
                draft.name
            )));
        }
        (Some(base), _) | (None, Some(base)) => base,
        // There is nothing that could be overwritten.
        (None, None) if in_force.is_none() => 0,
        (None, None) => {
            return Ok(Err(format!(
                "Nothing was published: {} does not say which revision of the {name} it was made from. Revision \
                 {current} is in force.\n`leadctl {name} pull --out FILE` writes that one with `revision: {current}` in \
                 it: make your change there and publish FILE. If you made {} from a revision that you know, add \
                 `--base N`.",
                draft.name, draft.name
            )));
        }
    };
    Ok(Ok(Plan { what: draft.name, content: draft.content, base }))
}

/// Another revision is in force than the one that the document was made from.
async fn stale(
    api: &Api,
    kind: PublicationKind,
    arguments: &Arguments,
    plan: &Plan,
    in_force: Option<&Revision>,
) -> anyhow::Result<bool> {
    let stale = Stale::find(api, kind, plan.base, &plan.what, &plan.content, in_force).await?;
    if arguments.json {
        print(&stale.json().to_string());
    } else {
        say(&stale.words());
    }
    Ok(false)
}

/// The API does not take it.
fn refused(answer: &Answer) -> anyhow::Result<bool> {
    if !matches!(answer.status, 400 | 403 | 409 | 413 | 422) {
        anyhow::bail!("{}", answer.detail());
    }
    say(&answer.detail());
    for error in answer.body.get("errors").and_then(Value::as_array).into_iter().flatten().skip(1) {
        say(error.get("detail").and_then(Value::as_str).unwrap_or_default());
    }
    Ok(false)
}

/// Asks the person at the terminal. Anything but a yes publishes nothing.
fn confirmed(name: &str, revision: u32) -> anyhow::Result<bool> {
    let (input, mut output) = (std::io::stdin(), std::io::stderr());
    if !input.is_terminal() || !output.is_terminal() {
        say(
            "Nothing was published: there is no terminal to ask on. Add `--yes` to publish without being asked.",
        );
        return Ok(false);
    }
    write!(output, "Publish this as revision {revision} of the {name}? [y/N] ")?;
    output.flush()?;
    let mut answer = String::new();
    input.lock().read_line(&mut answer)?;
    let is_yes = matches!(answer.trim().to_lowercase().as_str(), "y" | "yes");
    if !is_yes {
        say("Nothing was published.");
    }
    Ok(is_yes)
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
