//! The whole bundle, running on this machine.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::emulator::Emulator;
use crate::progress::Progress;
use crate::sink::{Sink, SinkOptions};
use crate::state::{DIRECTORY, Lock, State, User};
use crate::{binaries, clean, deploy, emulator, python, seed};

/// Where AWS emulators usually listen.
pub const EMULATOR_PORT: u16 = 4566;
/// Where the message sink listens unless told otherwise.
pub const SINK_PORT: u16 = 4580;
/// What the stack is deployed as.
pub const STACK_NAME: &str = "leadwatch";
/// The password of all local staff. It is no secret: it opens nothing but an emulator on this machine.
pub const PASSWORD: &str = "Leadwatch-local-1";

/// How often a port is tried that was free a moment ago and is not any more.
const PORT_TRIES: u32 = 3;

/// Local staff, by name and group.
const STAFF: [(&str, &str); 6] = [
    ("vera", "viewer"),
    ("ana", "rep"),
    ("cora", "compliance"),
    ("cleo", "compliance"),
    ("otto", "operations"),
    ("sam", "customer-success"),
];

/// How the functions are compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Quick to build; the one that `leadctl` itself is built with.
    Dev,
    /// As deployed.
    Release,
    /// As `cargo test --workspace` compiles: tests ask more features of shared dependencies than the functions do, and
    /// what is compiled with them is used again. It names a test of the workspace, which is compiled already.
    WithTest(&'static str),
}

/// Where the functions' binaries come from.
#[derive(Clone, Debug)]
pub enum Binaries {
    /// Cargo builds them first.
    Build(Profile),
    /// They are there already: each one's path by its logical id in the template, such as `Ingest`.
    At(BTreeMap<String, PathBuf>),
}

/// A port to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// This one if it is free, otherwise any; which one is said.
    Usually(u16),
    /// Any that is free.
    Any,
}

/// What to run, and where.
#[derive(Clone, Debug)]
pub struct StackOptions {
    /// The project's root, with `template.yaml`.
    pub root: PathBuf,
    /// Where state, logs and scratch files go. One stack runs per directory.
    pub state_dir: PathBuf,
    /// Where the emulator listens.
    pub emulator_port: Port,
    /// Where the message sink listens.
    pub sink_port: Port,
    /// An emulator that runs already, LocalStack or another, to be used instead of starting one.
    pub endpoint: Option<String>,
    /// The functions' binaries.
    pub binaries: Binaries,
    /// Template parameters, over those that a local stack has.
    pub parameters: BTreeMap<String, String>,
    /// Who is told about the steps.
    pub progress: Progress,
}

impl StackOptions {
    /// What `leadctl up` runs: in the project's own directory, on the usual ports.
    #[must_use]
    pub fn usual(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            state_dir: root.join(DIRECTORY),
            emulator_port: Port::Usually(EMULATOR_PORT),
            sink_port: Port::Usually(SINK_PORT),
            endpoint: None,
            binaries: Binaries::Build(Profile::Dev),
            parameters: BTreeMap::new(),
            progress: Progress::detect(),
        }
    }

    /// A stack beside any other, as a test wants it: in a directory of its own, on free ports, without a word.
    #[must_use]
    pub fn private(root: &Path, state_dir: &Path) -> Self {
        Self {
            state_dir: state_dir.to_owned(),
            emulator_port: Port::Any,
            sink_port: Port::Any,
            progress: Progress::Silent,
            ..Self::usual(root)
        }
    }
}

/// A running stack. Dropping it ends everything that it started; [`Stack::stop`] does so in good order.
#[derive(Debug)]
pub struct Stack {
    /// What runs and where; the same that is written to the state file.
    pub state: State,
    sink: Sink,
    emulator: Option<Emulator>,
    python: PathBuf,
    request: deploy::Request,
    options: StackOptions,
    /// Let go last, when all else has ended.
    _lock: Lock,
}

/// Why no stack was started.
#[derive(Debug)]
pub enum StartError {
    /// One runs already in that directory.
    Running {
        /// The process that runs it.
        pid: u32,
    },
    /// Something went wrong.
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for StartError {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl std::fmt::Display for StartError {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Running { pid } => write!(to, "a stack runs here already, as process {pid}"),
            Self::Failed(error) => write!(to, "{error:#}"),
        }
    }
}

impl std::error::Error for StartError {}

impl Stack {
    /// Starts everything, in the order in which one needs the other, and returns when the API can be called.
    ///
    /// # Errors
    /// When a stack runs already with that state directory, or a step fails. Nothing is left running then.
    pub async fn start(options: StackOptions) -> Result<Self, StartError> {
        let state_dir = &options.state_dir;
        let logs = state_dir.join("log");
        std::fs::create_dir_all(&logs).with_context(|| format!("cannot make `{}`", logs.display()))?;
        let lock = match Lock::take(state_dir)? {
            Ok(lock) => lock,
            Err(pid) => return Err(StartError::Running { pid }),
        };
        State::remove(state_dir);
        Ok(Self::start_locked(options, lock).await?)
    }

    async fn start_locked(options: StackOptions, lock: Lock) -> anyhow::Result<Self> {
        let (root, state_dir, progress) = (&options.root, &options.state_dir, options.progress);
        let orphans = emulator::end_orphans(state_dir).await?;
        if orphans > 0 {
            progress.note(&format!("ended {orphans} processes that an earlier run had left behind"));
        }
        let (venv, logs) = (root.join(DIRECTORY).join("venv"), state_dir.join("log"));
        let python = progress.step("Python environment", python::interpreter(root, &venv, &logs)).await?;
        let binaries = match &options.binaries {
            Binaries::At(paths) => paths.clone(),
            Binaries::Build(profile) => {
                let build = binaries::build(root, *profile, progress == Progress::Silent);
                progress.loud_step("functions", build).await?
            }
        };

        let slack_token = format!("xoxb-local-{}", random_text(12)?.replace(['+', '/', '='], "0"));
        let (hook_secret, webhook_secret) = (signing_secret()?, signing_secret()?);
        let sink_options =
            SinkOptions { slack_token: slack_token.clone(), webhook_secret: webhook_secret.clone() };
        let mut sink = Sink::start(listener(options.sink_port, "message sink", progress)?, sink_options)?;

        let emulator = match options.endpoint {
            Some(_) => None,
            None => Some(progress.step("AWS emulator", start_emulator(&python, &options)).await?),
        };
        let endpoint = match (&options.endpoint, &emulator) {
            (Some(endpoint), _) => endpoint.trim_end_matches('/').to_owned(),
            (None, Some(emulator)) => emulator.endpoint.clone(),
            (None, None) => anyhow::bail!("there is no emulator to deploy to"),
        };

        let mut parameters: BTreeMap<String, String> = [
            ("DeletionProtection", "false"),
            ("AllowPasswordSignIn", "true"),
            ("RequireTls", "false"),
            ("AllowPrivateWebhooks", "true"),
            ("MailFrom", "leadwatch@example.test"),
            ("LogRetentionDays", "1"),
            ("CheckpointRetentionDays", "1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        parameters.insert("SlackApiUrl".into(), format!("{}/slack/api", sink.url));
        parameters.extend(options.parameters.clone());
        let request = deploy::Request {
            endpoint: endpoint.clone(),
            region: clean::REGION.to_owned(),
            stack: STACK_NAME.to_owned(),
            template: root.join("template.yaml"),
            binaries,
            parameters,
            secrets: [
                (format!("{STACK_NAME}/hooks/generic"), json!({"active": [hook_secret]})),
                (format!("{STACK_NAME}/slack"), json!({"bot_token": slack_token})),
                (format!("{STACK_NAME}/outgoing-webhook"), json!({"active": [webhook_secret]})),
            ]
            .into(),
            users: staff(),
            password: PASSWORD.to_owned(),
        };
        let outputs = progress.step("deployment", deploy::deploy(&python, root, &request)).await?;

        if emulator.is_some() {
            sink.fetch_mail(&endpoint);
        }
        let api_url = api_url(&endpoint, output(&outputs, "ApiUrl")?, output(&outputs, "ApiId")?);
        let state = State {
            pid: std::process::id(),
            endpoint,
            region: clean::REGION.to_owned(),
            stack_name: STACK_NAME.to_owned(),
            api_url,
            sink_url: sink.url.clone(),
            outputs,
            hook_secret,
            users: staff(),
            password: PASSWORD.to_owned(),
        };
        progress.step("policy and directory", seed::seed(root, &state)).await?;
        state.save(state_dir)?;
        Ok(Self { state, sink, emulator, python, request, options, _lock: lock })
    }

    /// The message sink, to see what was sent.
    #[must_use]
    pub fn sink(&self) -> &Sink {
        &self.sink
    }

    /// The file that the functions' log lines go to, each with the function's name before it. Nothing is written there
    /// when the stack uses an emulator that it did not start.
    #[must_use]
    pub fn function_log(&self) -> PathBuf {
        emulator::function_log(&self.options.state_dir)
    }

    /// Returns when the emulator has ended by itself, which it should not.
    ///
    /// # Errors
    /// Always: it says what happened.
    pub async fn broken(&mut self) -> anyhow::Result<()> {
        match &mut self.emulator {
            Some(emulator) => {
                let status = emulator.ended().await?;
                let log = self.options.state_dir.join("log/emulator.log");
                anyhow::bail!("the AWS emulator ended ({status}); its log is `{}`", log.display())
            }
            None => std::future::pending().await,
        }
    }

    /// Ends everything. On an emulator that it did not start, it deletes what it deployed.
    pub async fn stop(mut self) {
        match self.emulator.take() {
            Some(emulator) => emulator.stop().await,
            None => {
                if let Err(error) = deploy::delete(&self.python, &self.options.root, &self.request).await {
                    crate::output::say(&format!("{error:#}"));
                }
            }
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        State::remove(&self.options.state_dir);
    }
}

/// Starts the emulator; a free port may be taken by somebody else before it is used, and then another is tried.
async fn start_emulator(python: &Path, options: &StackOptions) -> anyhow::Result<Emulator> {
    let mut tries = 0;
    let mut port = options.emulator_port;
    loop {
        let number = listener(port, "AWS emulator", options.progress)?.local_addr()?.port();
        match Emulator::start(python, &options.root, &options.state_dir, number).await {
            Ok(emulator) => return Ok(emulator),
            Err(_) if tries < PORT_TRIES && TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_err() => {
                tries += 1;
                port = Port::Any;
            }
            Err(error) => return Err(error),
        }
    }
}

fn listener(port: Port, what: &str, progress: Progress) -> anyhow::Result<TcpListener> {
    if let Port::Usually(number) = port {
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, number)) {
            return Ok(listener);
        }
        let listener = listener(Port::Any, what, progress)?;
        progress.note(&format!(
            "port {number} is taken; the {what} listens on {}",
            listener.local_addr()?.port()
        ));
        return Ok(listener);
    }
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).with_context(|| format!("no port is free for the {what}"))
}

/// Where to call the API. Names under `localhost` do not resolve everywhere, so for those it is the emulator's own
/// address with a path that it understands.
fn api_url(endpoint: &str, named: &str, api_id: &str) -> String {
    let host = named.split("://").nth(1).and_then(|rest| rest.split([':', '/']).next()).unwrap_or_default();
    if host.ends_with(".localhost") {
        format!("{endpoint}/_aws/execute-api/{api_id}")
    } else {
        named.to_owned()
    }
}

fn staff() -> Vec<User> {
    STAFF
        .into_iter()
        .map(|(name, group)| User {
            name: name.to_owned(),
            email: format!("{name}@example.test"),
            groups: vec![group.to_owned()],
        })
        .collect()
}

fn output<'a>(outputs: &'a BTreeMap<String, String>, name: &str) -> anyhow::Result<&'a str> {
    outputs.get(name).map(String::as_str).with_context(|| format!("the template has no output `{name}`"))
}

/// A signing key in the form of Standard Webhooks.
fn signing_secret() -> anyhow::Result<String> {
    Ok(format!("whsec_{}", random_text(24)?))
}

fn random_text(bytes: usize) -> anyhow::Result<String> {
    let mut buffer = vec![0; bytes];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut buffer))
        .context("cannot read random bytes from `/dev/urandom`")?;
    Ok(STANDARD.encode(buffer))
}

#[cfg(test)]
mod tests {
    use super::api_url;

    #[test]
    fn an_api_is_called_by_a_name_only_if_the_name_resolves() {
        let at = |named| api_url("http://127.0.0.1:4566", named, "abc");
        assert_eq!(at("http://abc.execute-api.localhost:4566"), "http://127.0.0.1:4566/_aws/execute-api/abc");
        let public = "http://abc.execute-api.localhost.localstack.cloud:4566";
        assert_eq!(at(public), public);
    }
}
