//! Calls the staff API, as a member of the local staff or with a token.

use crate::state::{DIRECTORY, State};
use crate::token;
use anyhow::Context as _;
use reqwest::Method;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// The options that say which API to call, and as whom.
#[derive(Debug, Clone, clap::Args)]
pub struct Caller {
    /// The API of a deployment, without `/v1` [default: the local stack]
    #[arg(long, value_name = "URL", requires = "token")]
    api: Option<String>,
    /// A token for that API
    #[arg(long, env = "LEADWATCH_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Call the local stack as this member of its staff
    #[arg(long = "as", value_name = "NAME", default_value = "otto", conflicts_with = "api")]
    user: String,
}

/// An API, with the token to call it.
pub struct Api {
    url: String,
    token: String,
    client: reqwest::Client,
}

/// The API's answer.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body; null if it is not JSON.
    pub body: Value,
}

impl Answer {
    /// The problem's detail, for a person.
    pub fn detail(&self) -> String {
        let detail = self.body.get("detail").and_then(Value::as_str);
        detail.map_or_else(|| format!("the API answered {}", self.status), str::to_owned)
    }

    /// Whether the answer is a problem of this type.
    pub fn is_of_kind(&self, kind: &str) -> bool {
        let name = self.body.get("type").and_then(Value::as_str).unwrap_or_default();
        name.rsplit(['/', ':', '#']).next() == Some(kind)
    }

    /// The body of a successful answer.
    ///
    /// # Errors
    /// The problem's detail, if the answer is one.
    pub fn ok(self) -> anyhow::Result<Value> {
        anyhow::ensure!((200..300).contains(&self.status), "{}", self.detail());
        Ok(self.body)
    }
}

impl Api {
    /// Connects to the API that the options name; to the local stack it signs in.
    ///
    /// # Errors
    /// When no stack runs, or there is no such user.
    pub async fn new(root: &Path, caller: &Caller) -> anyhow::Result<Self> {
        if let (Some(url), Some(token)) = (&caller.api, &caller.token) {
            let client = reqwest::Client::builder().timeout(ANSWER_MAX).build()?;
            return Ok(Self { url: url.trim_end_matches('/').to_owned(), token: token.clone(), client });
        }
        Self::local(&State::load(&root.join(DIRECTORY))?, &caller.user).await
    }

    /// Signs in to a local stack as a member of its staff.
    ///
    /// # Errors
    /// When nothing answers, or there is no such user.
    pub async fn local(state: &State, user: &str) -> anyhow::Result<Self> {
        let token = token::issue(state, user).await?.token;
        let client = reqwest::Client::builder().no_proxy().timeout(ANSWER_MAX).build()?;
        Ok(Self { url: state.api_url.clone(), token, client })
    }

    /// Gets a path such as `/v1/leads`.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.call(Method::GET, path, None).await
    }

    /// Posts to a path such as `/v1/policies`.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.call(Method::POST, path, Some(body)).await
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Answer> {
        let request = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token);
        let request = if let Some(body) = body { request.json(body) } else { request };
        let answer = request
            .send()
            .await
            .with_context(|| format!("no answer from {}; is the stack running?", self.url))?;
        let status = answer.status().as_u16();
        Ok(Answer { status, body: answer.json().await.unwrap_or_default() })
    }
}
