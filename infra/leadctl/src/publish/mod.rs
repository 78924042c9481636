//! `leadctl policy publish` and `leadctl directory publish`: shows what publishing does, asks, puts a document in force
//! through the API, and waits until open leads are updated.
//!
//! A publication names the revision that the document was made from, never the one that happens to be in force: that
//! would silently overwrite a colleague's change.

pub(crate) mod document;
mod effect;
pub mod pull;
pub(crate) mod revisions;
mod stale;
mod yaml;

use crate::api;
use crate::api::{Answer, Api};
use crate::output::{print, say};
use document::Draft;
use policy::ids::PublicationKind;
use revisions::{Revision, route};
use serde_json::{Value, json};
use stale::Stale;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often the publication's progress is read.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Options of `publish`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The document (YAML) with the revision it was made from, as `pull` writes it; `-` reads standard input
    #[arg(required_unless_present = "revision", conflicts_with = "revision")]
    file: Option<PathBuf>,
    /// Roll back: publish this earlier revision again
    #[arg(long, value_name = "N")]
    revision: Option<u32>,
    /// Why; the reason stays in the record
    #[arg(long, value_name = "TEXT")]
    why: String,
    /// The revision that the document was made from, if the document does not say it; publishing is refused if
    /// another one is in force
    #[arg(long, value_name = "N")]
    base: Option<u32>,
    /// Publish without asking
    #[arg(long, short)]
    yes: bool,
    /// Show what publishing does, and publish nothing
    #[arg(long, conflicts_with_all = ["yes", "no_effect"])]
    dry_run: bool,
    /// Do not compute the effect on open leads
    #[arg(long)]
    no_effect: bool,
    /// Do not wait until open leads are updated
    #[arg(long)]
    no_wait: bool,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    api: api::Caller,
}

/// A document to publish, and the revision that it replaces.
struct Plan {
    what: String,
    content: document::Content,
    base: u32,
}

/// Publishes a document. Returns false if it refuses.
///
/// # Errors
/// When no stack runs, or the file cannot be read.
pub async fn run(root: &Path, kind: PublicationKind, arguments: &Arguments) -> anyhow::Result<bool> {
    let name = kind.as_str();
    let draft = match &arguments.file {
        Some(file) => match Draft::read(kind, file)? {
            Ok(draft) => Some(draft),
            Err(error) => {
                say(&format!("Nothing was published: {} is not a valid {name}.\n{error}", file.display()));
                return Ok(false);
            }
        },
        None => None,
    };
    let api = Api::new(root, &arguments.api).await?;
    let in_force = revisions::in_force(&api, kind).await?;
    let plan = match plan(&api, kind, arguments, draft, in_force.as_ref()).await? {
        Ok(plan) => plan,
        Err(refusal) => {
            say(&refusal);
            return Ok(false);
        }
    };
    let body = json!({"base": plan.base, "why": arguments.why, name: plan.content.to_value()?});
    if let Some(same) = in_force.as_ref().filter(|in_force| in_force.content == plan.content) {
        let words =
            format!("Nothing was published: revision {} of the {name} has the same content.", same.number);
        report(arguments, &json!({"revision": same.number, "changed": false}), &words);
        return Ok(true);
    }
    if plan.base != in_force.as_ref().map_or(0, |in_force| in_force.number) {
        return stale(&api, kind, arguments, &plan, in_force.as_ref()).await;
    }
    let tried = match effect::dry_run(&api, kind, &body, arguments.no_effect).await? {
        Ok(tried) => tried,
        Err(answer) if answer.is_of_kind("base-moved-on") => {
            let in_force = revisions::in_force(&api, kind).await?;
            return stale(&api, kind, arguments, &plan, in_force.as_ref()).await;
        }
        Err(answer) => return refused(&answer),
    };
    for line in tried.words() {
        say(&line);
    }
    if arguments.dry_run {
        let shown = json!({"published": false, "base": plan.base, "trial": tried});
        report(arguments, &shown, "Nothing was published: this was a dry run.");
        return Ok(true);
    }
    if !arguments.yes && !confirmed(name, plan.base.saturating_add(1))? {
        return Ok(false);
    }
    let answer = api.post(route(kind), &body).await?;
    if answer.is_of_kind("base-moved-on") {
        let in_force = revisions::in_force(&api, kind).await?;
        return stale(&api, kind, arguments, &plan, in_force.as_ref()).await;
    }
    if !matches!(answer.status, 200 | 201) {
        return refused(&answer);
    }
    let revision = answer.body.get("revision").cloned().unwrap_or_default();
    if arguments.no_wait {
        report(arguments, &answer.body, &format!("Revision {revision} of the {name} is in force."));
        return Ok(true);
    }
    say(&format!("Revision {revision} of the {name} is in force. Updating open leads …"));
    say("(Ctrl-C ends only this display; the update continues.)");
    let applied = follow(&api, &format!("{}/{revision}/publication", route(kind))).await?;
    report(arguments, &applied, &effect::outcome(&applied));
    Ok(true)
}

/// Decides what to publish against which revision. The inner result is the reason to refuse.
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
        let Some(earlier) = revisions::revision(api, kind, &number.to_string()).await? else {
            return Ok(Err(format!(
                "Nothing was published: there is no revision {number} of the {name}; the newest is {current}."
            )));
        };
        if arguments.yes && arguments.base.is_none() {
            return Ok(Err(format!(
                "Nothing was published: with `--yes`, name the revision that you roll back from. Revision {current} \
                 is in force; to roll back from it, add `--base {current}`."
            )));
        }
        // Without `--yes`, the person sees the difference from this revision and confirms it.
        let base = arguments.base.unwrap_or(current);
        return Ok(Ok(Plan { what: format!("revision {number}"), content: earlier.content, base }));
    };
    let base = match (draft.revision, arguments.base) {
        (Some(says), Some(base)) if says != base => {
            return Ok(Err(format!(
                "Nothing was published: {} says that it was made from revision {says}, and `--base` is {base}. \
                 Remove one of them.",
                draft.name
            )));
        }
        (Some(base), _) | (None, Some(base)) => base,
        // Nothing is in force that it could overwrite.
        (None, None) if in_force.is_none() => 0,
        (None, None) => {
            return Ok(Err(format!(
                "Nothing was published: {} does not say which revision of the {name} it was made from. Revision \
                 {current} is in force.\nRun `leadctl {name} pull --out FILE`, make your change in FILE and publish FILE. If you \
                 know the revision that you made {} from, add `--base N`.",
                draft.name, draft.name
            )));
        }
    };
    Ok(Ok(Plan { what: draft.name, content: draft.content, base }))
}

/// Reports that another revision is in force than the one that the document was made from.
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

/// Reports why the API refuses.
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

/// Asks the person at the terminal. Any answer but yes publishes nothing.
fn confirmed(name: &str, revision: u32) -> anyhow::Result<bool> {
    let (input, mut output) = (std::io::stdin(), std::io::stderr());
    if !input.is_terminal() || !output.is_terminal() {
        say(
            "Nothing was published: there is no terminal to ask on. Add `--yes` to publish without a question.",
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

fn report(arguments: &Arguments, published: &Value, words: &str) {
    if arguments.json { print(&published.to_string()) } else { print(words) }
}

/// Waits until all open leads are updated, and shows how many are.
async fn follow(api: &Api, path: &str) -> anyhow::Result<Value> {
    let is_terminal = std::io::stderr().is_terminal();
    loop {
        let shown = api.get(path).await?.ok()?;
        // Another check follows a minute later, for leads that were being written; nobody has to wait for it.
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
