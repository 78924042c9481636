//! The API for staff and consoles: leads and their histories, the operations queue, accounts at risk, reps'
//! availability, workflows, policies and directories.

mod accounts;
mod call;
mod candidate;
mod dry_run;
mod explain;
pub mod explanation;
mod history;
mod knowledge;
mod leads;
mod publications;
mod reps;
mod sight;
mod workflows;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use call::Call;
use chrono::{DateTime, Utc};
use platform::caller::{Caller, Group};
use platform::http::Request;
use platform::problem::Problem;
use platform::refusals;
use policy::ids::PublicationKind;
use service::Service;

/// The largest body of a request.
const BODY_BYTES_MAX: usize = 16 * 1024;
/// The largest document that is published: a directory of some thousand people.
const DOCUMENT_BYTES_MAX: usize = 256 * 1024;

#[derive(Clone, Copy)]
enum Route {
    Leads,
    Lead,
    LeadAudit,
    Explain,
    Flag,
    Reviews,
    Resolve,
    Account,
    AccountAudit,
    Signal,
    Retention,
    Workflows,
    Workflow,
    Policy,
    Publish(PublicationKind),
    Publications(PublicationKind),
    Publication(PublicationKind),
    Directory,
    Reps,
    Availability,
}

const ROUTES: [(&str, Route); 23] = [
    ("GET /v1/leads", Route::Leads),
    ("GET /v1/leads/{id}", Route::Lead),
    ("GET /v1/leads/{id}/audit", Route::LeadAudit),
    ("GET /v1/leads/{id}/explain", Route::Explain),
    ("POST /v1/leads/{id}/flags", Route::Flag),
    ("GET /v1/operations/reviews", Route::Reviews),
    ("POST /v1/operations/reviews/{lead_id}/resolution", Route::Resolve),
    ("GET /v1/accounts/{id}", Route::Account),
    ("GET /v1/accounts/{id}/audit", Route::AccountAudit),
    ("POST /v1/accounts/{id}/churn-signals", Route::Signal),
    ("POST /v1/accounts/{id}/retention", Route::Retention),
    ("GET /v1/workflows", Route::Workflows),
    ("GET /v1/workflows/{id}", Route::Workflow),
    ("GET /v1/policies/{revision}", Route::Policy),
    ("GET /v1/policies", Route::Publications(PublicationKind::Policy)),
    ("POST /v1/policies", Route::Publish(PublicationKind::Policy)),
    ("GET /v1/policies/{revision}/publication", Route::Publication(PublicationKind::Policy)),
    ("GET /v1/directories", Route::Publications(PublicationKind::Directory)),
    ("POST /v1/directories", Route::Publish(PublicationKind::Directory)),
    ("GET /v1/directories/{revision}", Route::Directory),
    ("GET /v1/directories/{revision}/publication", Route::Publication(PublicationKind::Directory)),
    ("GET /v1/reps", Route::Reps),
    ("PUT /v1/reps/{id}/availability", Route::Availability),
];

/// The handler's configuration and clients.
pub struct Operations {
    /// The store and the queues.
    pub service: Service,
    /// The claim of the token that holds the groups.
    pub groups_claim: String,
    /// Whether a directory may name webhooks on this machine or a private network.
    pub takes_private_webhooks: bool,
}

impl Operations {
    /// Answers a request.
    pub async fn handle(
        &self,
        event: ApiGatewayV2httpRequest,
        now: DateTime<Utc>,
    ) -> ApiGatewayV2httpResponse {
        let route = event.route_key.clone().unwrap_or_default();
        self.answer(event, now).await.unwrap_or_else(|problem| refusals::logged(&route, problem, now).into())
    }

    async fn answer(
        &self,
        event: ApiGatewayV2httpRequest,
        now: DateTime<Utc>,
    ) -> Result<ApiGatewayV2httpResponse, Problem> {
        let request = Request::decode(event, DOCUMENT_BYTES_MAX)?;
        let caller = Caller::of(request.event(), &self.groups_claim)?;
        let route = request.route(&ROUTES)?;
        caller.require_any(who_may(route))?;
        if request.body().len() > BODY_BYTES_MAX && !matches!(route, Route::Publish(_)) {
            return Err(Problem::payload_too_large(BODY_BYTES_MAX));
        }
        request.knows_query(query_of(route))?;
        let (service, takes_private_webhooks) = (&self.service, self.takes_private_webhooks);
        let call = Call { service, request: &request, caller: &caller, now, takes_private_webhooks };
        match route {
            Route::Leads => leads::list(&call).await,
            Route::Lead => leads::show(&call).await,
            Route::LeadAudit => leads::audit(&call).await,
            Route::Explain => explain::show(&call).await,
            Route::Flag => leads::flag(&call).await,
            Route::Reviews => leads::reviews(&call).await,
            Route::Resolve => leads::resolve(&call).await,
            Route::Account => accounts::show(&call).await,
            Route::AccountAudit => accounts::audit(&call).await,
            Route::Signal => accounts::signal(&call).await,
            Route::Retention => accounts::retention(&call).await,
            Route::Workflows => workflows::list(&call).await,
            Route::Workflow => workflows::show(&call).await,
            Route::Policy => publications::policy(&call).await,
            Route::Publish(kind) => publications::publish(&call, kind).await,
            Route::Publications(kind) => publications::list(&call, kind).await,
            Route::Publication(kind) => publications::show(&call, kind).await,
            Route::Directory => publications::directory(&call).await,
            Route::Reps => reps::list(&call).await,
            Route::Availability => reps::set_availability(&call).await,
        }
    }
}

/// The query parameters of a route.
fn query_of(route: Route) -> &'static [&'static str] {
    match route {
        Route::Leads => &["owner", "market", "account", "state", "dismissed", "limit", "cursor"],
        Route::LeadAudit | Route::AccountAudit | Route::Reviews | Route::Publications(_) => {
            &["limit", "cursor"]
        }
        Route::Explain => &["at"],
        Route::Reps => &["team"],
        Route::Lead
        | Route::Flag
        | Route::Resolve
        | Route::Account
        | Route::Signal
        | Route::Retention
        | Route::Workflows
        | Route::Workflow
        | Route::Policy
        | Route::Publication(_)
        | Route::Directory
        | Route::Availability => &[],
        Route::Publish(_) => &["dry_run", "cursor"],
    }
}

/// The groups that may call a route.
fn who_may(route: Route) -> &'static [Group] {
    match route {
        Route::Leads | Route::Lead | Route::LeadAudit | Route::Explain => &[Group::Viewer],
        Route::Account | Route::AccountAudit => &[Group::Viewer],
        Route::Workflows
        | Route::Workflow
        | Route::Policy
        | Route::Publications(_)
        | Route::Publication(_) => &[Group::Viewer],
        // It holds everyone's email address.
        Route::Directory => &[Group::Operations],
        Route::Publish(_) => &[Group::Operations],
        Route::Reps => &[Group::Viewer],
        Route::Flag => &[Group::Rep, Group::Compliance, Group::Operations, Group::CustomerSuccess],
        Route::Reviews | Route::Resolve => &[Group::Operations],
        Route::Signal | Route::Retention => &[Group::Operations, Group::CustomerSuccess],
        // Reps only for themselves, which `reps` checks.
        Route::Availability => &[Group::Operations, Group::Rep],
    }
}
