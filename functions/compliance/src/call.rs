//! A request with its caller, and what every route reads of it.

use chrono::{DateTime, Utc};
use platform::caller::Caller;
use platform::http::{Request, whole_number};
use platform::problem::Problem;
use policy::directory::Directory;
use policy::ids::LeadId;
use service::{Service, problem};
use std::sync::Arc;

/// A request with its caller and its time.
pub struct Call<'a> {
    /// The store and the queues.
    pub service: &'a Service,
    /// The request.
    pub request: &'a Request,
    /// The verified caller.
    pub caller: &'a Caller,
    /// When the request came in.
    pub now: DateTime<Utc>,
}

impl Call<'_> {
    /// The lead in the path.
    ///
    /// # Errors
    /// 404 if it is not a usable id.
    pub fn lead_id(&self) -> Result<LeadId, Problem> {
        self.request.path_parameter("lead_id").map(LeadId::from)
    }

    /// The revision of the review that the caller decides on, from `If-Match`.
    ///
    /// # Errors
    /// 412 if it is not a review's `ETag`, 428 if the header is missing.
    pub fn seen(&self) -> Result<u64, Problem> {
        whole_number(self.request.if_match()?).ok_or_else(|| {
            Problem::precondition_failed(
                "`If-Match` is not the `ETag` of a review; read the review and decide on what you saw",
            )
        })
    }

    /// The directory in force.
    ///
    /// # Errors
    /// If the store does not answer.
    pub async fn directory(&self) -> Result<Arc<Directory>, Problem> {
        self.service.store.current_directory().await.map_err(|error| problem(&error))
    }
}
