//! `leadctl up`: the whole bundle in the foreground, until Ctrl-C.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::broadcast::error::RecvError;

use crate::logs;
use crate::output::{print, say};
use crate::sink::Message;
use crate::stack::{Binaries, Port, Profile, Stack, StackOptions, StartError};
use crate::state::State;

/// How much later than a child of ours we may learn of a signal to both.
const SIGNAL_LAG: Duration = Duration::from_millis(100);
/// How much of a message its log line shows.
const LINE_CHARS_MAX: usize = 120;

/// What `leadctl up` is told.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Build the functions as they are deployed: slower to build, quicker to run
    #[arg(long)]
    release: bool,
    /// Where the AWS emulator listens, instead of 4566
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Where the message sink listens, instead of 4580
    #[arg(long, value_name = "PORT")]
    sink_port: Option<u16>,
    /// Deploy to an emulator that runs already, such as LocalStack, instead of starting one
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// Set a parameter of the template; may be given several times
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,
}

fn parameter(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| "is not of the form NAME=VALUE".to_owned())
}

/// Runs the stack of this project until it is told to end.
///
/// # Errors
/// When it cannot be started, or the emulator ends by itself.
pub async fn run(root: &Path, arguments: Arguments) -> anyhow::Result<()> {
    let mut options = StackOptions::usual(root);
    if arguments.release {
        options.binaries = Binaries::Build(Profile::Release);
    }
    options.emulator_port = arguments.port.map_or(options.emulator_port, Port::Usually);
    options.sink_port = arguments.sink_port.map_or(options.sink_port, Port::Usually);
    options.endpoint = arguments.endpoint;
    options.parameters = BTreeMap::from_iter(arguments.parameters);
    let state_dir = options.state_dir.clone();

    let mut end = End::new()?;
    let start = Instant::now();
    let started = tokio::select! {
        started = Stack::start(options) => started,
        why = end.asked() => {
            say(&format!("\n{why}: stopped before it had started"));
            return Ok(());
        }
    };
    let mut stack = match started {
        Ok(stack) => stack,
        Err(StartError::Running { pid }) => anyhow::bail!("{}", runs_already(pid, &state_dir)),
        // Ctrl-C reaches cargo and pip as well; that they then fail is not the news.
        Err(StartError::Failed(error)) => match tokio::time::timeout(SIGNAL_LAG, end.asked()).await {
            Ok(why) => {
                say(&format!("\n{why}: stopped before it had started"));
                return Ok(());
            }
            Err(_) => return Err(error),
        },
    };
    print(&summary(&stack.state, start.elapsed().as_secs_f64()));
    let outcome = follow(&mut stack, &mut end).await;
    let ending = Instant::now();
    stack.stop().await;
    say(&format!("ended everything in {:.1} s", ending.elapsed().as_secs_f64()));
    outcome
}

fn runs_already(pid: u32, state_dir: &Path) -> String {
    let places = State::load(state_dir).map_or_else(
        |_| "  it is still starting".to_owned(),
        |state| format!("  API   {}\n  sink  {}", state.api_url, state.sink_url),
    );
    format!("a stack runs here already, as process {pid}; `cargo leadctl down` ends it\n{places}")
}

/// The live log: a line for each message and each warning, until there is a reason to end.
async fn follow(stack: &mut Stack, end: &mut End) -> anyhow::Result<()> {
    let mut messages = stack.sink().subscribe();
    let mut warnings = logs::follow(stack.function_log());
    let mut warn = true;
    loop {
        tokio::select! {
            why = end.asked() => {
                say(&format!("\n{why}: ending …"));
                return Ok(());
            }
            broken = stack.broken() => return broken,
            message = messages.recv() => match message {
                Ok(message) => print(&message_line(&message)),
                Err(RecvError::Lagged(count)) => print(&format!("({count} messages more)")),
                Err(RecvError::Closed) => anyhow::bail!("the message sink ended"),
            },
            line = warnings.recv(), if warn => match line {
                Some(line) => print(&line),
                None => warn = false,
            },
        }
    }
}

fn message_line(message: &Message) -> String {
    let time = message.at.get(11..19).unwrap_or_default();
    let text: String = message.text.lines().next().unwrap_or_default().chars().take(LINE_CHARS_MAX).collect();
    format!("{time}  → {:<24} {text}", message.to())
}

fn summary(state: &State, took_s: f64) -> String {
    let State { api_url, sink_url, hook_secret, password, endpoint, .. } = state;
    let staff: Vec<String> =
        state.users.iter().map(|user| format!("{} ({})", user.name, user.groups.join(", "))).collect();
    let staff = staff.join(", ");
    format!(
        r#"
  Leadwatch runs on this machine ({took_s:.0} s).

    API            {api_url}/v1
    messages       {sink_url}   what people would have been told
    AWS emulator   {endpoint}

    staff          {staff}
    password       {password}   the same for all; it opens nothing but this
    hook secret    {hook_secret}

  Try it, in another terminal:

    token=$(cargo leadctl token --user otto)
    curl -H "authorization: Bearer $token" "{api_url}/v1/leads?market=us"

  Ctrl-C ends all of it. Messages and warnings appear below as they come.
"#
    )
}

/// The ways in which a person or the system asks us to end.
struct End {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl End {
    fn new() -> anyhow::Result<Self> {
        let on = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self {
            interrupt: on(SignalKind::interrupt())?,
            terminate: on(SignalKind::terminate())?,
            hang_up: on(SignalKind::hangup())?,
        })
    }

    async fn asked(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "Ctrl-C",
            _ = self.terminate.recv() => "asked to end",
            _ = self.hang_up.recv() => "the terminal is gone",
        }
    }
}
