//! The archive of checkpoints: a bucket whose objects nobody can change before their retention ends, and a
//! second bucket for data that can be rebuilt.

use audit::checkpoint::{CHECKPOINTS, LEAVES, number_at, path};
use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use std::time::Duration;

/// A million leaves are about 130 MB, in one object.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(60);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(150);
/// S3's status for an object that exists.
const PRECONDITION_FAILED: u16 = 412;

/// An operation of the archive failed.
#[derive(Debug, thiserror::Error)]
#[error("the archive could not {what} `{path}`")]
pub struct ArchiveError {
    what: &'static str,
    path: String,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl ArchiveError {
    /// An operation on a path failed.
    pub fn new(
        what: &'static str,
        path: &str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { what, path: path.to_owned(), source: source.into() }
    }
}

/// An archive of checkpoints.
pub trait Archive {
    /// The object at a path, if there is one.
    fn read(&self, path: &str) -> impl Future<Output = Result<Option<Vec<u8>>, ArchiveError>> + Send;
    /// Writes an object unless one exists. Returns whether it was written.
    fn put_new(
        &self,
        path: &str,
        content: Vec<u8>,
    ) -> impl Future<Output = Result<bool, ArchiveError>> + Send;
    /// The number of the last checkpoint, searched from an existing one; 0 if there is none.
    fn last(&self, from: u64) -> impl Future<Output = Result<u64, ArchiveError>> + Send;
    /// The names of the objects under a prefix, without the prefix.
    fn list(&self, prefix: &'static str) -> impl Future<Output = Result<Vec<String>, ArchiveError>> + Send;
    /// The cached leaves.
    fn read_leaves(&self) -> impl Future<Output = Result<Option<Vec<u8>>, ArchiveError>> + Send;
    /// Replaces the cached leaves.
    fn keep_leaves(&self, content: Vec<u8>) -> impl Future<Output = Result<(), ArchiveError>> + Send;
}

/// Two buckets.
#[derive(Debug, Clone)]
pub struct S3Archive {
    client: Client,
    bucket: String,
    cache: Option<String>,
}

/// Builds a client with time-outs for large objects.
pub fn s3_client(sdk: &SdkConfig) -> Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(platform::config::CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    Client::from_conf(aws_sdk_s3::config::Builder::from(sdk).timeout_config(timeouts).build())
}

impl S3Archive {
    /// Keeps checkpoints in one bucket, and the leaves of the last one in another. Without the second, each
    /// run reads all changes.
    pub fn new(client: Client, bucket: impl Into<String>, cache: Option<String>) -> Self {
        Self { client, bucket: bucket.into(), cache }
    }

    async fn get(&self, bucket: &str, path: &str) -> Result<Option<Vec<u8>>, ArchiveError> {
        let answer = match self.client.get_object().bucket(bucket).key(path).send().await {
            Ok(answer) => answer,
            Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_key()) => {
                return Ok(None);
            }
            Err(error) => return Err(ArchiveError::new("read", path, error)),
        };
        let content = answer.body.collect().await.map_err(|error| ArchiveError::new("read", path, error))?;
        Ok(Some(content.to_vec()))
    }
}

impl Archive for S3Archive {
    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, ArchiveError> {
        self.get(&self.bucket, path).await
    }

    async fn put_new(&self, path: &str, content: Vec<u8>) -> Result<bool, ArchiveError> {
        let put = self.client.put_object().bucket(&self.bucket).key(path);
        match put.if_none_match("*").body(ByteStream::from(content)).send().await {
            Ok(_) => Ok(true),
            Err(error) if is_there(&error) => Ok(false),
            Err(error) => Err(ArchiveError::new("write", path, error)),
        }
    }

    async fn last(&self, from: u64) -> Result<u64, ArchiveError> {
        let list = self.client.list_objects_v2().bucket(&self.bucket).prefix(CHECKPOINTS);
        let mut pages = list.start_after(path(from)).into_paginator().send();
        let mut last = from;
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| ArchiveError::new("list", CHECKPOINTS, error))?;
            let numbers = page.contents().iter().filter_map(|object| number_at(object.key()?));
            last = numbers.fold(last, u64::max);
        }
        Ok(last)
    }

    async fn list(&self, prefix: &'static str) -> Result<Vec<String>, ArchiveError> {
        let list = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let mut pages = list.into_paginator().send();
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| ArchiveError::new("list", prefix, error))?;
            let name =
                |object: &aws_sdk_s3::types::Object| Some(object.key()?.strip_prefix(prefix)?.to_owned());
            names.extend(page.contents().iter().filter_map(name));
        }
        Ok(names)
    }

    async fn read_leaves(&self) -> Result<Option<Vec<u8>>, ArchiveError> {
        match &self.cache {
            Some(bucket) => self.get(bucket, LEAVES).await,
            None => Ok(None),
        }
    }

    async fn keep_leaves(&self, content: Vec<u8>) -> Result<(), ArchiveError> {
        let Some(bucket) = &self.cache else { return Ok(()) };
        let put = self.client.put_object().bucket(bucket).key(LEAVES).body(ByteStream::from(content));
        put.send().await.map_err(|error| ArchiveError::new("keep", LEAVES, error))?;
        Ok(())
    }
}

fn is_there<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    error.raw_response().is_some_and(|response| response.status().as_u16() == PRECONDITION_FAILED)
}
