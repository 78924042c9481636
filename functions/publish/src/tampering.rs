//! Detects changes to items that are written once, and keeps reports of them.

use audit::tampering::{Alteration, Report};
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use futures::future::BoxFuture;

/// S3's status for a report that exists.
const PRECONDITION_FAILED: u16 = 412;

/// A report could not be kept. The stream repeats its record, so that it is not lost.
#[derive(Debug, thiserror::Error)]
#[error("the report `{path}` could not be kept")]
pub struct ReportError {
    path: String,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl ReportError {
    /// A report was not kept, with the cause.
    pub fn new(path: &str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { path: path.to_owned(), source: source.into() }
    }
}

/// Keeps reports where nobody can remove one.
pub trait Reports: Send + Sync {
    /// Keeps a report; repeating it does no harm.
    ///
    /// # Errors
    /// If the report may not be kept.
    fn keep<'a>(&'a self, report: &'a Report) -> BoxFuture<'a, Result<(), ReportError>>;
}

/// The bucket of the checkpoints.
#[derive(Debug, Clone)]
pub struct CheckpointBucket {
    client: Client,
    bucket: String,
}

impl CheckpointBucket {
    /// Takes the bucket's name.
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self { client, bucket: bucket.into() }
    }
}

impl Reports for CheckpointBucket {
    fn keep<'a>(&'a self, report: &'a Report) -> BoxFuture<'a, Result<(), ReportError>> {
        Box::pin(async move {
            let path = report.path();
            let text = serde_json::to_vec(report).map_err(|error| ReportError::new(&path, error))?;
            let put = self.client.put_object().bucket(&self.bucket).key(&path).if_none_match("*");
            match put.body(ByteStream::from(text)).send().await {
                Ok(_) => Ok(()),
                Err(error)
                    if error
                        .raw_response()
                        .is_some_and(|raw| raw.status().as_u16() == PRECONDITION_FAILED) =>
                {
                    Ok(())
                }
                Err(error) => Err(ReportError::new(&path, error)),
            }
        })
    }
}

/// The alteration that a stream's record shows; `None` for a new item.
pub(crate) fn alteration_of(event_name: &str) -> Option<Alteration> {
    match event_name {
        "INSERT" => None,
        "REMOVE" => Some(Alteration::Removed),
        // Any other event is not a new item.
        _ => Some(Alteration::Replaced),
    }
}
