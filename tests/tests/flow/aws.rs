//! The emulator's own APIs, for what a test does behind the functions' backs. Clients exist only
//! for the services whose SDK is compiled anyway; the others are called by hand, as rarely as
//! they are needed.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_sqs::types::QueueAttributeName;
use leadctl::state::State;
use serde_json::Value;

/// The emulator.
pub struct Aws {
    /// The tables.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// The queues.
    pub sqs: aws_sdk_sqs::Client,
    /// The bus.
    pub events: aws_sdk_eventbridge::Client,
    /// The secrets.
    pub secrets: aws_sdk_secretsmanager::Client,
    endpoint: String,
    client: reqwest::Client,
}

/// The clients' configuration, with credentials that the emulator knows.
pub async fn config(endpoint: &str, region: &str, credentials: Credentials) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new(region.to_owned()))
        .credentials_provider(credentials)
        .load()
        .await
}

impl Aws {
    /// Clients for the emulator of a stack. The emulator takes these credentials for its owner's.
    pub async fn new(state: &State, client: reqwest::Client) -> Self {
        let credentials = Credentials::new("test", "test", None, None, "local");
        let config = config(&state.endpoint, &state.region, credentials).await;
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            events: aws_sdk_eventbridge::Client::new(&config),
            secrets: aws_sdk_secretsmanager::Client::new(&config),
            endpoint: state.endpoint.clone(),
            client,
        }
    }

    /// Invokes a function and gives its answer.
    pub async fn invoke(&self, function: &str, event: &Value) -> Value {
        let (failed, answer) = self.invoked(function, event).await;
        assert!(!failed, "{function} failed: {answer}");
        answer
    }

    /// Invokes a function that has to fail, and gives its error.
    pub async fn invoke_to_fail(&self, function: &str, event: &Value) -> Value {
        let (failed, answer) = self.invoked(function, event).await;
        assert!(failed, "{function} answered {answer}");
        answer
    }

    async fn invoked(&self, function: &str, event: &Value) -> (bool, Value) {
        let url = format!("{}/2015-03-31/functions/{function}/invocations", self.endpoint);
        let request = self.client.post(url).header("authorization", as_owner("lambda")).json(event);
        let response = request.send().await.expect("the emulator answers");
        let failed = response.headers().contains_key("x-amz-function-error");
        let text = response.text().await.unwrap();
        (failed, serde_json::from_str(&text).unwrap_or_else(|_| panic!("{function} answered {text}")))
    }

    /// The configuration of a function.
    pub async fn function(&self, function: &str) -> Value {
        let url = format!("{}/2015-03-31/functions/{function}", self.endpoint);
        let response = self.client.get(url).header("authorization", as_owner("lambda")).send().await.unwrap();
        let answer: Value = response.json().await.unwrap();
        answer["Configuration"].clone()
    }

    /// Calls a service of the older kind; gives its XML.
    pub async fn query(&self, service: &str, parameters: &[(&str, &str)]) -> String {
        let mut url = reqwest::Url::parse("http://form/").unwrap();
        url.query_pairs_mut().extend_pairs(parameters);
        let response = self
            .client
            .post(&self.endpoint)
            .header("authorization", as_owner(service))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(url.query().unwrap_or_default().to_owned())
            .send()
            .await
            .expect("the emulator answers");
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "{service} answered {status}: {text}");
        text
    }

    /// Credentials of a role, with nothing but its permissions.
    pub async fn as_role(&self, role_arn: &str, region: &str) -> SdkConfig {
        let name = role_arn.rsplit('/').next().unwrap();
        // Who may be the role is of no matter here; what it may do is.
        let trust = r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"},
            {"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}"#;
        let update = [
            ("Action", "UpdateAssumeRolePolicy"),
            ("Version", "2010-05-08"),
            ("RoleName", name),
            ("PolicyDocument", trust),
        ];
        self.query("iam", &update).await;
        let assume = [
            ("Action", "AssumeRole"),
            ("Version", "2011-06-15"),
            ("RoleArn", role_arn),
            ("RoleSessionName", "flow"),
        ];
        let xml = self.query("sts", &assume).await;
        let of = |tag: &str| {
            let (_, rest) = xml.split_once(&format!("<{tag}>")).expect("the answer has credentials");
            rest.split('<').next().unwrap_or_default().to_owned()
        };
        let credentials = Credentials::new(
            of("AccessKeyId"),
            of("SecretAccessKey"),
            Some(of("SessionToken")),
            None,
            "role",
        );
        config(&self.endpoint, region, credentials).await
    }

    /// One of a queue's attributes.
    pub async fn queue_attribute(&self, url: &str, name: QueueAttributeName) -> Option<String> {
        let answer = self
            .sqs
            .get_queue_attributes()
            .queue_url(url)
            .attribute_names(name.clone())
            .send()
            .await
            .expect("the queue answers");
        answer.attributes()?.get(&name).cloned()
    }

    /// Takes messages from a queue that the caller wants, and leaves the rest; gives their bodies.
    pub async fn take(&self, url: &str, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let answer = self
            .sqs
            .receive_message()
            .queue_url(url)
            .max_number_of_messages(10)
            .visibility_timeout(2)
            .send()
            .await
            .expect("the queue answers");
        let mut bodies = Vec::new();
        for message in answer.messages() {
            let body = message.body().unwrap_or_default();
            if !wanted(body) {
                continue;
            }
            let handle = message.receipt_handle().unwrap_or_default();
            self.sqs.delete_message().queue_url(url).receipt_handle(handle).send().await.unwrap();
            bodies.push(body.to_owned());
        }
        bodies
    }
}

/// The emulator looks at the key and the service, and not at the signature.
fn as_owner(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=none"
    )
}

/// Runs a function's binary by itself, as Lambda does, with its AWS endpoint at a port where
/// nobody listens; gives its answer to one event.
pub async fn invoke_alone(binary: &str, event: &Value) -> Value {
    use axum::routing::{get, post};
    let (sender, mut answers) = tokio::sync::mpsc::channel::<Value>(1);
    let waiting = std::sync::Arc::new(tokio::sync::Mutex::new(Some(event.to_string())));
    let next = async move || {
        let Some(event) = waiting.lock().await.take() else { return std::future::pending().await };
        let headers = [
            ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
            ("lambda-runtime-deadline-ms", "4102444800000"),
            ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:000000000000:function:alone"),
        ];
        (headers, event)
    };
    let answered = async move |answer: String| {
        sender.send(serde_json::from_str(&answer).expect("it is JSON")).await.expect("the test waits for it");
        axum::http::StatusCode::ACCEPTED
    };
    let runtime = axum::Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(answered));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, runtime).await });
    // Bound and let go: nobody listens there.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();

    // The stack has built it, beside this test.
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(std::path::Path::parent).unwrap().join(binary);
    let mut function = std::process::Command::new(path)
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", "alone")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "none")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "none")
        .env("AWS_ENDPOINT_URL", format!("http://{closed}"))
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("LEADS_TABLE", "none")
        .env("AUDIT_TABLE", "none")
        .env("NOTIFICATION_QUEUE_URL", format!("http://{closed}/none"))
        .env("HOOK_SECRET_PREFIX", "none/")
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("the function starts");
    let answer = tokio::time::timeout(std::time::Duration::from_secs(60), answers.recv()).await;
    let _ = function.kill();
    let _ = function.wait();
    server.abort();
    answer.expect("the function answers in time").expect("the function answers")
}
