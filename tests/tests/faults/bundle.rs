//! The bundle: each function's own library in a container of its own, as its `main` would build it.

use crate::database::{AUDIT, KEYS, LEADS};
use crate::outside::{HOOK_SECRET_PREFIX, MASTER_KEY, SLACK_SECRET, SLACK_URL, WEBHOOK_SECRET};
use crate::queues::{DUE, NOTIFICATIONS};
use crate::wire::Line;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use aws_sdk_dynamodb::config::StalledStreamProtectionConfig;
use aws_sdk_dynamodb::config::retry::RetryPartition;
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::LocalBoxFuture;
use notify::channel::Channels;
use notify::deliver::Notifier;
use notify::email::Email;
use notify::reach::WebhookReach;
use notify::slack::Slack;
use notify::webhook::Webhook;
use notify::wording::Links;
use platform::batch;
use platform::caller::GROUPS_CLAIM_DEFAULT;
use platform::config::{ATTEMPT_TIMEOUT, ATTEMPTS_MAX, CONNECT_TIMEOUT, OPERATION_TIMEOUT};
use platform::queue::Queue;
use platform::secrets::{Secrets, TTL_DEFAULT};
use publish::Publisher;
use sealing::{KeyWrap, KmsWrap};
use serde_json::Value;
use service::{Relay, Service};
use std::rc::Rc;
use std::sync::Arc;
use store::Store;
use sweep::Tick;
use tokio::time::Instant;

/// The functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Function {
    Ingest,
    Sweep,
    Escalate,
    Compliance,
    Operations,
    Notify,
    Publish,
}

impl Function {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Sweep => "sweep",
            Self::Escalate => "escalate",
            Self::Compliance => "compliance",
            Self::Operations => "operations",
            Self::Notify => "notify",
            Self::Publish => "publish",
        }
    }

    /// How long it may run, in seconds; the template says the same.
    pub fn timeout_s(self) -> i64 {
        match self {
            Self::Ingest | Self::Compliance | Self::Operations => 25,
            Self::Escalate | Self::Publish => 30,
            Self::Sweep => 50,
            Self::Notify => 60,
        }
    }
}

/// What a function is called with.
pub enum Work {
    Http(Box<ApiGatewayV2httpRequest>),
    Tick(DateTime<Utc>),
    Messages(Value),
    Records(Value),
}

/// What a function answers.
pub enum Ended {
    Http(Box<ApiGatewayV2httpResponse>),
    Swept(bool),
    /// The messages that it could not deal with; none: the whole batch failed.
    Batch(Option<Vec<String>>),
    /// From which record on the stream has to come again.
    Published(Option<String>),
}

enum Handler {
    Ingest(ingest::Ingest),
    Sweep(Service),
    Escalate(Service),
    Compliance(compliance::Compliance),
    Operations(operations::Operations),
    Notify(Box<Notifier>),
    Publish(Publisher),
}

/// A container: one function, started once, that is called again and again until it dies.
pub struct Container {
    pub function: Function,
    pub is_next_version: bool,
    handler: Rc<Handler>,
    clock: Clock,
}

/// The clock of a machine.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    pub beginning: DateTime<Utc>,
    pub begun: Instant,
    pub skew: TimeDelta,
}

impl Clock {
    /// What it shows.
    pub fn now(self) -> DateTime<Utc> {
        let passed = i64::try_from(self.begun.elapsed().as_millis()).expect("a run is short");
        self.beginning + TimeDelta::milliseconds(passed) + self.skew
    }
}

impl Container {
    /// Starts one: everything is built, nothing is asked.
    pub fn start(function: Function, is_next_version: bool, line: &Line, clock: Clock) -> Self {
        let handler = Rc::new(Handler::new(function, line));
        Self { function, is_next_version, handler, clock }
    }

    /// Calls it.
    pub fn call(&self, work: Work) -> LocalBoxFuture<'static, Ended> {
        let (handler, clock) = (Rc::clone(&self.handler), self.clock);
        Box::pin(async move { handler.handle(work, clock).await })
    }
}

impl Handler {
    fn new(function: Function, line: &Line) -> Self {
        let clients = Clients::new(line);
        let groups_claim = GROUPS_CLAIM_DEFAULT.to_owned();
        match function {
            Function::Ingest => Self::Ingest(ingest::Ingest {
                service: clients.service(),
                secrets: clients.secrets(),
                secret_prefix: HOOK_SECRET_PREFIX.to_owned(),
            }),
            Function::Sweep => Self::Sweep(clients.service()),
            Function::Escalate => Self::Escalate(clients.service_that_erases()),
            Function::Compliance => {
                let service = clients.service_that_erases();
                Self::Compliance(compliance::Compliance { service, groups_claim })
            }
            Function::Operations => {
                let (service, takes_private_webhooks) = (clients.service(), false);
                Self::Operations(operations::Operations { service, groups_claim, takes_private_webhooks })
            }
            Function::Notify => Self::Notify(Box::new(clients.notifier(line))),
            Function::Publish => Self::Publish(clients.publisher(line)),
        }
    }

    async fn handle(&self, work: Work, clock: Clock) -> Ended {
        match (self, work) {
            (Self::Ingest(ingest), Work::Http(request)) => {
                Ended::Http(Box::new(ingest.handle(*request, clock.now()).await))
            }
            (Self::Compliance(compliance), Work::Http(request)) => {
                Ended::Http(Box::new(compliance.handle(*request, clock.now()).await))
            }
            (Self::Operations(operations), Work::Http(request)) => {
                Ended::Http(Box::new(operations.handle(*request, clock.now()).await))
            }
            (Self::Sweep(service), Work::Tick(scheduled_time)) => {
                Ended::Swept(sweep::sweep(service, &Tick { scheduled_time }, clock.now()).await.is_ok())
            }
            (Self::Escalate(service), Work::Messages(event)) => {
                let event = serde_json::from_value(event).expect("an event of a queue");
                let wake =
                    async |record: batch::Record<'_>| escalate::escalate(service, record, clock.now()).await;
                Ended::Batch(failed(batch::run(event, wake).await))
            }
            (Self::Notify(notifier), Work::Messages(event)) => {
                let event = serde_json::from_value(event).expect("an event of a queue");
                let deliver = async |record: batch::Record<'_>| notifier.deliver(record, clock.now()).await;
                Ended::Batch(failed(batch::run(event, deliver).await))
            }
            (Self::Publish(publisher), Work::Records(event)) => {
                let event = serde_json::from_value(event).expect("an event of a stream");
                let answer = publisher.publish(event).await;
                Ended::Published(answer.batch_item_failures.into_iter().find_map(|f| f.item_identifier))
            }
            _ => unreachable!("a function is called with what it is for"),
        }
    }
}

fn failed(
    answer: Result<aws_lambda_events::sqs::SqsBatchResponse, batch::UnnamedRecordError>,
) -> Option<Vec<String>> {
    Some(answer.ok()?.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect())
}

/// The SDK's clients, as a function has them, on this wire.
pub struct Clients {
    sdk: SdkConfig,
}

/// Each client has a retry quota of its own: the SDK's is shared by all clients of a process, which
/// here are those of all runs.
macro_rules! client {
    ($sdk:expr, $crate_name:ident) => {{
        let partition = RetryPartition::custom("of this container").build();
        let config = $crate_name::config::Builder::from($sdk).retry_partition(partition).allow_no_auth();
        $crate_name::Client::from_conf(config.build())
    }};
}

impl Clients {
    /// As `platform::config::sdk_config` sets them up; nothing is signed, since nobody checks it.
    pub fn new(line: &Line) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(OPERATION_TIMEOUT)
            .build();
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("eu-central-1"))
            .endpoint_url("http://simulated.invalid")
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX))
            .timeout_config(timeouts)
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .http_client(line.http_client())
            .build();
        Self { sdk }
    }

    /// The database's client.
    pub fn database(&self) -> aws_sdk_dynamodb::Client {
        client!(&self.sdk, aws_sdk_dynamodb)
    }

    /// The store and the queues behind it.
    pub fn service(&self) -> Service {
        self.service_with(Store::with_keys)
    }

    /// The same, of a function whose role may destroy data keys.
    fn service_that_erases(&self) -> Service {
        self.service_with(Store::with_keys_to_erase)
    }

    fn service_with(&self, with_keys: fn(Store, String, Arc<dyn KeyWrap>) -> Store) -> Service {
        let sqs = client!(&self.sdk, aws_sdk_sqs);
        let queue = |name: &str| Queue::new(sqs.clone(), queue_url(name));
        let relay = Relay::new(Some(queue(DUE)), queue(NOTIFICATIONS), TimeDelta::seconds(60));
        let wrap = KmsWrap::new(client!(&self.sdk, aws_sdk_kms), MASTER_KEY);
        let store = with_keys(Store::new(self.database(), LEADS, AUDIT), KEYS.to_owned(), Arc::new(wrap));
        Service { store, relay }
    }

    fn secrets(&self) -> Secrets {
        Secrets::new(client!(&self.sdk, aws_sdk_secretsmanager), TTL_DEFAULT)
    }

    fn notifier(&self, line: &Line) -> Notifier {
        let sqs = client!(&self.sdk, aws_sdk_sqs);
        let far_end = Arc::new(line.clone());
        let mail = client!(&self.sdk, aws_sdk_sesv2);
        Notifier {
            service: self.service(),
            channels: Channels {
                slack: Slack::new(Arc::<Line>::clone(&far_end), SLACK_URL.parse().expect("a URL")),
                email: Email::new(mail, Some("leads@example.test".to_owned())),
                webhook: Webhook::new(far_end, WebhookReach::PublicOnly),
            },
            secrets: self.secrets(),
            slack_secret_id: Some(SLACK_SECRET.to_owned()),
            webhook_secret_id: Some(WEBHOOK_SECRET.to_owned()),
            links: Links::new(None, None, ""),
            queue_url: queue_url(NOTIFICATIONS),
            sqs: sqs.clone(),
            dead_letters: Queue::new(sqs, queue_url("notifications-dead")),
        }
    }

    fn publisher(&self, line: &Line) -> Publisher {
        let client = client!(&self.sdk, aws_sdk_eventbridge);
        Publisher { client, bus: "leadwatch".to_owned(), reports: Arc::new(line.clone()) }
    }
}

fn queue_url(name: &str) -> String {
    format!("http://simulated.invalid/000000000000/{name}")
}
