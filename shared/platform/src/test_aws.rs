//! For tests: a local HTTP server that answers the real SDK from a list, in AWS's JSON protocol.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::Value;

/// The answer to one request.
pub struct Answer {
    status: Option<u16>,
    body: Value,
}

impl Answer {
    pub fn json(status: u16, body: Value) -> Self {
        Self { status: Some(status), body }
    }

    /// Never answers.
    pub fn never() -> Self {
        Self { status: None, body: Value::Null }
    }
}

#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    requests: Arc<Mutex<Vec<Value>>>,
}

/// A server that answers in order, and with 500 when the list is used up.
pub struct Server {
    url: String,
    script: Script,
}

impl Server {
    pub async fn start(answers: Vec<Answer>) -> Self {
        let script = Script::default();
        script.answers.lock().unwrap().extend(answers);
        let router = Router::new().fallback(answer).with_state(script.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, script }
    }

    /// The bodies of the requests so far.
    pub fn requests(&self) -> Vec<Value> {
        self.script.requests.lock().unwrap().clone()
    }

    /// A configuration that points the real SDK to this server, with one attempt a call.
    pub fn sdk_config(&self) -> SdkConfig {
        let credentials = aws_sdk_sqs::config::Credentials::new("test", "test", None, None, "test");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .endpoint_url(&self.url)
            .region(Region::new("eu-central-1"))
            .credentials_provider(aws_sdk_sqs::config::SharedCredentialsProvider::new(credentials))
            .retry_config(RetryConfig::disabled())
            .build()
    }
}

async fn answer(State(script): State<Script>, body: String) -> (StatusCode, String) {
    script.requests.lock().unwrap().push(serde_json::from_str(&body).unwrap());
    let answer = script.answers.lock().unwrap().pop_front();
    let Answer { status, body } = answer.unwrap_or_else(|| Answer::json(500, Value::Null));
    let Some(status) = status else {
        return std::future::pending().await;
    };
    (StatusCode::from_u16(status).unwrap(), body.to_string())
}
