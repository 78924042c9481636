//! The deployed bundle, running on this machine.

mod binaries;
mod deploy;
pub(crate) mod emulator;
mod options;
mod port;
mod python;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::isolation::REGION;
use crate::output::say;
use crate::progress::Progress;
use crate::seed;
use crate::sink::{Sink, SinkOptions};
use crate::state::{DIRECTORY, Lock, State, User};
use emulator::Emulator;

pub use options::{Binaries, Profile, StackOptions};
pub use port::Port;

/// The name under which the stack is deployed.
const STACK_NAME: &str = "leadwatch";
/// The password of all local staff. It is no secret: it opens nothing but an emulator on this machine.
const PASSWORD: &str = "Leadwatch-local-1";
/// How often another port is tried when a free one was taken in the meantime.
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

/// The template's parameters on a local stack, besides the address of the message sink.
const PARAMETERS: [(&str, &str); 7] = [
    ("DeletionProtection", "false"),
    ("AllowPasswordSignIn", "true"),
    ("RequireTls", "false"),
    ("AllowPrivateWebhooks", "true"),
    ("MailFrom", "leadwatch@example.test"),
    ("LogRetentionDays", "1"),
    ("CheckpointRetentionDays", "1"),
];

/// A running stack. Dropping it ends everything that it started; [`Stack::stop`] does so in good order.
#[derive(Debug)]
pub struct Stack {
    /// The content of the state file.
    pub state: State,
    sink: Sink,
    emulator: Option<Emulator>,
    python: PathBuf,
    request: deploy::Request,
    options: StackOptions,
    /// Released last, when everything else has ended.
    _lock: Lock,
}

/// Why no stack was started.
#[derive(Debug)]
pub enum StartError {
    /// A stack runs already with that state directory.
    Running {
        /// The process that runs it.
        pid: u32,
    },
    /// A step failed.
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
            Self::Running { pid } => write!(to, "a stack is already running here (process {pid})"),
            Self::Failed(error) => write!(to, "{error:#}"),
        }
    }
}

impl std::error::Error for StartError {}

/// Keys that a stack makes up when it starts.
struct Secrets {
    slack_token: String,
    hook: String,
    webhook: String,
}

impl Secrets {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            slack_token: format!("xoxb-local-{}", random_text(12)?.replace(['+', '/', '='], "0")),
            hook: signing_secret()?,
            webhook: signing_secret()?,
        })
    }
}

impl Stack {
    /// Starts everything, each part after those that it needs, and returns when the API can be called.
    ///
    /// # Errors
    /// When a stack runs already with that state directory, or a step fails. Nothing is left running then.
    pub async fn start(options: StackOptions) -> Result<Self, StartError> {
        let state_dir = &options.state_dir;
        let logs = state_dir.join("log");
        std::fs::create_dir_all(&logs).with_context(|| format!("cannot create `{}`", logs.display()))?;
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
            progress.note(&format!("ended {orphans} processes that an earlier run left behind"));
        }
        let (venv, logs) = (root.join(DIRECTORY).join("venv"), state_dir.join("log"));
        let python =
            progress.step("Install the AWS emulator", python::interpreter(root, &venv, &logs)).await?;
        let binaries = match &options.binaries {
            Binaries::At(paths) => paths.clone(),
            Binaries::Build(profile) => {
                let build = binaries::build(root, *profile, progress == Progress::Silent);
                progress.loud_step("Build the functions", build).await?
            }
        };

        let secrets = Secrets::new()?;
        let listener = options.sink_port.listen("message sink", progress)?;
        let sink_options =
            SinkOptions { slack_token: secrets.slack_token.clone(), webhook_secret: secrets.webhook.clone() };
        let mut sink = Sink::start(listener, sink_options)?;
        let (emulator, endpoint) = match &options.endpoint {
            Some(endpoint) => (None, endpoint.trim_end_matches('/').to_owned()),
            None => {
                let start = start_emulator(&python, &options);
                let emulator = progress.step("Start the AWS emulator", start).await?;
                let endpoint = emulator.endpoint.clone();
                (Some(emulator), endpoint)
            }
        };

        let request = request(&options, &endpoint, &sink.url, binaries, &secrets);
        let deployed = deploy::deploy(&python, root, &request);
        let outputs = progress.step("Deploy the template, add users", deployed).await?;
        if emulator.is_some() {
            sink.fetch_mail(&endpoint);
        }
        let api_url = api_url(&endpoint, output(&outputs, "ApiUrl")?, output(&outputs, "ApiId")?);
        let state = State {
            pid: std::process::id(),
            endpoint,
            region: REGION.to_owned(),
            stack_name: STACK_NAME.to_owned(),
            api_url,
            sink_url: sink.url.clone(),
            outputs,
            hook_secret: secrets.hook,
            users: staff(),
            password: PASSWORD.to_owned(),
        };
        progress.step("Publish policy and directory", seed::seed(root, &state)).await?;
        state.save(state_dir)?;
        Ok(Self { state, sink, emulator, python, request, options, _lock: lock })
    }

    /// The message sink, to see what was sent.
    #[must_use]
    pub fn sink(&self) -> &Sink {
        &self.sink
    }

    /// The file with the functions' log lines, each behind the function's name. It stays empty when the stack uses an
    /// emulator that it did not start.
    #[must_use]
    pub fn function_log(&self) -> PathBuf {
        emulator::function_log(&self.options.state_dir)
    }

    /// Returns when the emulator has ended by itself, which it should not.
    ///
    /// # Errors
    /// Always: the error says how it ended.
    pub async fn broken(&mut self) -> anyhow::Result<()> {
        match &mut self.emulator {
            Some(emulator) => {
                let status = emulator.ended().await?;
                let log = self.options.state_dir.join("log/emulator.log");
                anyhow::bail!("the AWS emulator ended ({status}); read `{}`", log.display())
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
                    say(&format!("{error:#}"));
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

/// Starts the emulator. Another process may take a free port first; then it tries another one.
async fn start_emulator(python: &Path, options: &StackOptions) -> anyhow::Result<Emulator> {
    let mut tries = 0;
    let mut port = options.emulator_port;
    loop {
        let number = port.listen("AWS emulator", options.progress)?.local_addr()?.port();
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

fn request(
    options: &StackOptions,
    endpoint: &str,
    sink_url: &str,
    binaries: BTreeMap<String, PathBuf>,
    secrets: &Secrets,
) -> deploy::Request {
    let mut parameters: BTreeMap<String, String> =
        PARAMETERS.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    parameters.insert("SlackApiUrl".into(), format!("{sink_url}/slack/api"));
    parameters.extend(options.parameters.clone());
    deploy::Request {
        endpoint: endpoint.to_owned(),
        region: REGION.to_owned(),
        stack: STACK_NAME.to_owned(),
        template: options.root.join("template.yaml"),
        binaries,
        parameters,
        secrets: [
            (format!("{STACK_NAME}/hooks/generic"), json!({"active": [secrets.hook]})),
            (format!("{STACK_NAME}/slack"), json!({"bot_token": secrets.slack_token})),
            (format!("{STACK_NAME}/outgoing-webhook"), json!({"active": [secrets.webhook]})),
        ]
        .into(),
        users: staff(),
        password: PASSWORD.to_owned(),
    }
}

/// The address of the API. Names under `localhost` do not resolve everywhere, so it replaces them with the emulator's
/// own address and a path that the emulator understands.
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
