//! `leadctl up`: runs everything in the foreground, until Ctrl-C.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::broadcast::error::RecvError;

use crate::logs;
use crate::output::{print, say};
use crate::process_age::process_age;
use crate::sink::Message;
use crate::stack::{Binaries, Port, Profile, Stack, StackOptions, StartError};
use crate::state::State;

/// How much later than a child process this one may receive a signal that goes to both.
const SIGNAL_LAG: Duration = Duration::from_millis(100);
/// How much of a message its log line shows.
const LINE_CHARS_MAX: usize = 120;
/// A shorter time before `leadctl` runs is not worth a line.
const CARGO_MIN: Duration = Duration::from_millis(500);

/// Options of `leadctl up`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Build the functions as they are deployed: slower to build, faster to run
    #[arg(long)]
    release: bool,
    /// The AWS emulator's port [default: 4566, or any other if it is taken]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// The message sink's port [default: 4580, or any other if it is taken]
    #[arg(long, value_name = "PORT")]
    sink_port: Option<u16>,
    /// Deploy to a running emulator, such as LocalStack, instead of starting one
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// Set a parameter of the template; repeatable
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,
}

fn parameter(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| "write it as NAME=VALUE, as in `LogLevel=debug`".to_owned())
}

/// Runs the stack of this project until a signal ends it.
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
    // Cargo sets it for the programs that it runs.
    let before = process_age().filter(|age| std::env::var_os("CARGO").is_some() && *age >= CARGO_MIN);
    if let Some(before) = before {
        options.progress.done("Build leadctl", before);
    }

    let mut end = End::new()?;
    let start = Instant::now();
    let started = tokio::select! {
        started = Stack::start(options) => started,
        why = end.requested() => {
            say(&format!("\n{why}: stopped during startup"));
            return Ok(());
        }
    };
    let mut stack = match started {
        Ok(stack) => stack,
        Err(StartError::Running { pid }) => anyhow::bail!("{}", runs_already(pid, &state_dir)),
        // Ctrl-C ends cargo and pip as well; their failure is then not worth reporting.
        Err(StartError::Failed(error)) => match tokio::time::timeout(SIGNAL_LAG, end.requested()).await {
            Ok(why) => {
                say(&format!("\n{why}: stopped during startup"));
                return Ok(());
            }
            Err(_) => return Err(error),
        },
    };
    print(&banner(&stack.state, process_age().unwrap_or_else(|| start.elapsed())));
    let outcome = follow(&mut stack, &mut end).await;
    let ending = Instant::now();
    stack.stop().await;
    say(&format!("Stopped everything in {:.1} s.", ending.elapsed().as_secs_f64()));
    outcome
}

fn runs_already(pid: u32, state_dir: &Path) -> String {
    let addresses = State::load(state_dir).map_or_else(
        |_| "  it is still starting".to_owned(),
        |state| format!("  API       {}/v1\n  messages  {}", state.api_url, state.sink_url),
    );
    format!(
        "a stack is already running here (process {pid}); use it, or stop it with `cargo leadctl down`\n{addresses}"
    )
}

/// Prints a line per message and per warning of a function, until a signal comes or the emulator ends.
async fn follow(stack: &mut Stack, end: &mut End) -> anyhow::Result<()> {
    let mut messages = stack.sink().subscribe();
    let mut warnings = logs::follow(stack.function_log());
    let mut has_warnings = true;
    loop {
        tokio::select! {
            why = end.requested() => {
                say(&format!("\n{why}: stopping everything …"));
                return Ok(());
            }
            broken = stack.broken() => return broken,
            message = messages.recv() => match message {
                Ok(message) => print(&message_line(&message)),
                Err(RecvError::Lagged(count)) => print(&format!("({count} more messages)")),
                Err(RecvError::Closed) => anyhow::bail!("the message sink ended; start again with `cargo leadctl up`"),
            },
            line = warnings.recv(), if has_warnings => match line {
                Some(line) => print(&line),
                None => has_warnings = false,
            },
        }
    }
}

fn message_line(message: &Message) -> String {
    let time = message.at.get(11..19).unwrap_or_default();
    let text: String = message.text.lines().next().unwrap_or_default().chars().take(LINE_CHARS_MAX).collect();
    format!("{time}  → {:<24} {text}", message.to())
}

fn banner(state: &State, age: Duration) -> String {
    let State { api_url, sink_url, hook_secret, password, endpoint, .. } = state;
    let staff: Vec<String> =
        state.users.iter().map(|user| format!("{} ({})", user.name, user.groups.join(", "))).collect();
    let (staff, age_s) = (staff.join(", "), age.as_secs_f64());
    format!(
        r#"
  Leadwatch runs on this machine, {age_s:.0} s after you started the command.

    API            {api_url}/v1
    messages       {sink_url}   every message that a person would have received
    AWS emulator   {endpoint}

    staff          {staff}
    password       {password}   the same for all; it opens only this stack
    hook secret    {hook_secret}

  Try first, in another terminal:

    cargo leadctl demo                                             play the whole story, in about a minute
    cargo leadctl send --now infra/policies/example-events.jsonl   post events, signed as a CRM signs them
    cargo leadctl explain L-1001                                   explain why each workflow fired, waits or rests

  Ctrl-C ends everything. Messages and warnings appear below.
"#
    )
}

/// The signals that end everything.
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

    async fn requested(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "Ctrl-C",
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.hang_up.recv() => "the terminal closed",
        }
    }
}
