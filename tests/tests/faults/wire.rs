//! The wire between the functions and everything that is not them: where the SDK's own HTTP client
//! would be. A request waits here until the simulator takes it up.

use crate::database::Database;
use audit::tampering::Report;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use futures::future::BoxFuture;
use notify::client::{CALL_TIMEOUT, Transport};
use notify::send_error::SendError;
use publish::{ReportError, Reports};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::oneshot;

/// A request.
#[derive(Debug, Clone)]
pub struct Call {
    /// What is asked for, in the service's own words: `TransactWriteItems`, `chat.postMessage`.
    pub operation: String,
    /// The service.
    pub service: Service,
    /// The body, read.
    pub body: Value,
}

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    Database,
    Queues,
    Bus,
    Secrets,
    Keys,
    Mail,
    Slack,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Answer {
    /// It is done.
    pub fn done(body: &Value) -> Self {
        Self { status: 200, headers: Vec::new(), body: body.to_string() }
    }

    /// An error by its code, as AWS writes it.
    pub fn error(status: u16, code: &str) -> Self {
        let body = json!({"__type": code, "message": "of the simulation"}).to_string();
        Self { status, headers: Vec::new(), body }
    }
}

/// What comes back: an answer, or the end of the connection.
pub type Reply = Option<Answer>;

/// A request that waits.
#[derive(Debug)]
pub struct Parked {
    /// Which invocation asks.
    pub invocation: u64,
    pub call: Call,
    /// Where the answer goes. To drop it is to break the connection.
    pub reply: oneshot::Sender<Reply>,
}

/// The state of the wire.
#[derive(Debug, Default)]
pub struct Wire {
    /// Who is being polled.
    pub current: u64,
    /// What waits.
    pub parked: Vec<Parked>,
    /// The reports that the audit was changed: the bucket takes each at once.
    pub reports: Vec<Report>,
    /// While this is there requests go through to it at once: before a run and after it.
    pub through: Option<Arc<Mutex<Database>>>,
}

/// An end of the wire.
#[derive(Debug, Clone, Default)]
pub struct Line(Arc<Mutex<Wire>>);

impl Line {
    /// The wire itself.
    pub fn wire(&self) -> MutexGuard<'_, Wire> {
        self.0.lock().expect("nobody panics while holding it")
    }

    /// As what the SDK takes for an HTTP client.
    pub fn http_client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self.clone());
        http_client_fn(move |_: &HttpConnectorSettings, _: &RuntimeComponents| connector.clone())
    }

    fn ask(&self, call: Call) -> oneshot::Receiver<Reply> {
        let (reply, answer) = oneshot::channel();
        let mut wire = self.wire();
        if let Some(database) = &wire.through {
            let done = match call.service {
                Service::Keys => crate::outside::open(&call),
                _ => database.lock().expect("one thread").execute(&call),
            };
            reply.send(Some(done)).expect("somebody waits");
        } else {
            let invocation = wire.current;
            wire.parked.push(Parked { invocation, call, reply });
        }
        answer
    }
}

impl HttpConnector for Line {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = self.ask(read(&request));
        HttpConnectorFuture::new(async move {
            let broken = || ConnectorError::io("the connection broke".into());
            let Answer { status, headers, body } = answer.await.ok().flatten().ok_or_else(broken)?;
            let status = StatusCode::try_from(status).map_err(|e| ConnectorError::other(e.into(), None))?;
            let mut response = HttpResponse::new(status, SdkBody::from(body));
            for (name, value) in headers {
                response.headers_mut().insert(name, value);
            }
            Ok(response)
        })
    }
}

/// Takes a request of the SDK apart. AWS's JSON protocols name the operation in a header.
fn read(request: &HttpRequest) -> Call {
    let body = request.body().bytes().expect("no body of ours is a stream");
    let body = serde_json::from_slice(body).expect("every protocol in use writes JSON");
    let target = request.headers().get("x-amz-target").unwrap_or("SES.SendEmail");
    let (service, operation) = target.split_once('.').expect("a target is of two parts");
    let service = match service {
        "DynamoDB_20120810" => Service::Database,
        "AmazonSQS" => Service::Queues,
        "AWSEvents" => Service::Bus,
        "secretsmanager" => Service::Secrets,
        "TrentService" => Service::Keys,
        "SES" => Service::Mail,
        other => panic!("nothing stands in for {other}"),
    };
    Call { operation: operation.to_owned(), service, body }
}

impl Reports for Line {
    fn keep<'a>(&'a self, report: &'a Report) -> BoxFuture<'a, Result<(), ReportError>> {
        self.wire().reports.push(report.clone());
        Box::pin(std::future::ready(Ok(())))
    }
}

impl Transport for Line {
    fn call(&self, request: reqwest::Request) -> BoxFuture<'_, Result<reqwest::Response, SendError>> {
        let operation = request.url().path().trim_start_matches("/api/").to_owned();
        let bytes = request.body().and_then(|body| body.as_bytes()).unwrap_or_default();
        // A look-up by address is a form.
        let body =
            serde_json::from_slice(bytes).unwrap_or_else(|_| json!({"form": String::from_utf8_lossy(bytes)}));
        let answer = self.ask(Call { operation, service: Service::Slack, body });
        Box::pin(async move {
            let answer = tokio::time::timeout(CALL_TIMEOUT, answer).await;
            let answer = answer.map_err(|_| SendError::transient("time-out"))?;
            let broken = || SendError::transient("the connection broke");
            let Answer { status, headers, body } = answer.ok().flatten().ok_or_else(broken)?;
            let mut response = axum::http::Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            Ok(response.body(body).expect("a response").into())
        })
    }
}
