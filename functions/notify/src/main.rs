//! Start-up: reads the configuration and builds the clients once.

use aws_lambda_events::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use notify::channel::Channels;
use notify::client::{http_client, webhook_client};
use notify::deliver::Notifier;
use notify::email::Email;
use notify::reach::WebhookReach;
use notify::slack::{BASE_URL_DEFAULT, Slack};
use notify::webhook::Webhook;
use notify::wording::Links;
use platform::config::{Env, sdk_config};
use platform::queue::Queue;
use platform::secrets::{Secrets, TTL_DEFAULT};
use platform::{batch, clock, telemetry};
use service::Service;
use std::sync::Arc;
use std::time::SystemTime;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::from_process();
    telemetry::start(env.optional("LOG_LEVEL"));
    let sdk = sdk_config().await;
    let secrets = Secrets::new(aws_sdk_secretsmanager::Client::new(&sdk), TTL_DEFAULT);
    let http = Arc::new(http_client()?);
    let reach = WebhookReach::of(env.flag("ALLOW_PRIVATE_WEBHOOKS")?);
    let sqs = aws_sdk_sqs::Client::new(&sdk);
    let notifier = Notifier {
        service: Service::from_env(&env, &sdk)?,
        channels: Channels {
            slack: Slack::new(http, slack_url(&env)?),
            email: Email::new(aws_sdk_sesv2::Client::new(&sdk), env.optional("MAIL_FROM").map(str::to_owned)),
            webhook: Webhook::new(Arc::new(webhook_client(reach)?), reach),
        },
        secrets,
        slack_secret_id: env.optional("SLACK_SECRET_ID").map(str::to_owned),
        webhook_secret_id: env.optional("OUTGOING_WEBHOOK_SECRET_ID").map(str::to_owned),
        links: Links::new(
            env.optional("LEAD_LINK"),
            env.optional("REVIEW_LINK"),
            env.optional("API_BASE_URL").unwrap_or_default(),
        ),
        queue_url: env.require("NOTIFICATION_QUEUE_URL")?,
        dead_letters: Queue::new(sqs.clone(), env.require("NOTIFICATION_DLQ_URL")?),
        sqs,
    };
    let notifier = &notifier;
    lambda_runtime::run(service_fn(async move |event: LambdaEvent<SqsEvent>| {
        let deliver = async |record: batch::Record<'_>| {
            notifier.deliver(record, clock::instant(SystemTime::now())).await
        };
        Ok::<_, Error>(batch::run(event.payload, deliver).await?)
    }))
    .await
}

/// The base URL, with a slash at the end so that a method's name can follow.
fn slack_url(env: &Env) -> Result<reqwest::Url, Error> {
    let base = env.optional("SLACK_API_URL").unwrap_or(BASE_URL_DEFAULT);
    Ok(format!("{}/", base.trim_end_matches('/')).parse()?)
}
