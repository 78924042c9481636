//! Start-up: configuration is read and clients are built once.

use aws_lambda_events::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use notify::channel::Channels;
use notify::client::http_client;
use notify::deliver::Notifier;
use notify::email::Email;
use notify::slack::{BASE_URL_DEFAULT, Slack, SlackConfig};
use notify::webhook::Webhook;
use notify::wording::Links;
use platform::config::{Env, sdk_config};
use platform::queue::Queue;
use platform::secrets::{SecretError, Secrets, TTL_DEFAULT};
use platform::{batch, clock, telemetry};
use service::Service;
use std::time::SystemTime;

#[derive(serde::Deserialize)]
struct SlackSecret {
    bot_token: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::from_process();
    telemetry::start(env.optional("LOG_LEVEL"));
    let sdk = sdk_config().await;
    let secrets = Secrets::new(aws_sdk_secretsmanager::Client::new(&sdk), TTL_DEFAULT);
    let http = http_client()?;
    let sqs = aws_sdk_sqs::Client::new(&sdk);
    let notifier = Notifier {
        service: Service::from_env(&env, &sdk)?,
        channels: Channels {
            slack: Slack::new(http.clone(), slack_config(&env, &secrets).await?),
            email: Email::new(aws_sdk_sesv2::Client::new(&sdk), env.optional("MAIL_FROM").map(str::to_owned)),
            webhook: Webhook::new(http),
        },
        secrets,
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

/// A deployment without Slack has no such secret; one whose store does not answer must not start.
async fn slack_config(env: &Env, secrets: &Secrets) -> Result<SlackConfig, Error> {
    let base = env.optional("SLACK_API_URL").unwrap_or(BASE_URL_DEFAULT);
    let base_url = format!("{}/", base.trim_end_matches('/')).parse()?;
    let now = clock::instant(SystemTime::now());
    let token = match env.optional("SLACK_SECRET_ID") {
        None => None,
        Some(id) => match secrets.json::<SlackSecret>(id, "an object with `bot_token`", now).await {
            Ok(secret) => Some(secret.bot_token.clone()),
            Err(SecretError::NotFound { .. }) => None,
            Err(error) => return Err(error.into()),
        },
    };
    Ok(SlackConfig { base_url, token })
}
