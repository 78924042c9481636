//! What the streams tell of items that are put once and never changed: that somebody changed one.

use audit::tampering::{Deed, Report};
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use futures::future::BoxFuture;

/// What S3 answers if the same was reported before.
const PRECONDITION_FAILED: u16 = 412;

/// A report could not be kept. The stream goes on from its record, so that it is not lost.
#[derive(Debug, thiserror::Error)]
#[error("the report `{path}` could not be kept")]
pub struct ReportError {
    path: String,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl ReportError {
    /// A report that was not kept, and why.
    pub fn new(path: &str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { path: path.to_owned(), source: source.into() }
    }
}

/// Where reports are kept: where nobody can take one back.
pub trait Reports: Send + Sync {
    /// Keeps one; doing it again does no harm.
    ///
    /// # Errors
    /// It may not be kept.
    fn keep<'a>(&'a self, report: &'a Report) -> BoxFuture<'a, Result<(), ReportError>>;
}

/// The bucket of the checkpoints.
#[derive(Debug, Clone)]
pub struct CheckpointBucket {
    client: Client,
    bucket: String,
}

impl CheckpointBucket {
    /// This one.
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

/// What a record of a stream says was done; `None` of a new item.
pub(crate) fn deed_of(event_name: &str) -> Option<Deed> {
    match event_name {
        "INSERT" => None,
        "REMOVE" => Some(Deed::Removed),
        // Whatever else there may be, it is not a new item.
        _ => Some(Deed::Replaced),
    }
}
