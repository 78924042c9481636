//! The compliance review queue: reviews in full context, decisions on them, reopenings, and the erasure of personal data.
//!
//! Only the compliance group has access, which this function checks in addition to the gateway. No other route shows
//! contacts' personal details.

mod answer;
mod call;
mod decision;
mod erasure;
mod officer;
mod reopening;
mod reviews;
mod view;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use call::Call;
use chrono::{DateTime, Utc};
use platform::caller::{Caller, Group};
use platform::http::Request;
use platform::problem::Problem;
use platform::refusals;
use service::Service;

/// The largest body of a request.
const BODY_BYTES_MAX: usize = 16 * 1024;

#[derive(Clone, Copy)]
enum Route {
    List,
    Show,
    Decide,
    Reopen,
    Erase,
}

const ROUTES: [(&str, Route); 5] = [
    ("GET /v1/compliance/reviews", Route::List),
    ("GET /v1/compliance/reviews/{lead_id}", Route::Show),
    ("POST /v1/compliance/reviews/{lead_id}/decision", Route::Decide),
    ("POST /v1/compliance/reviews/{lead_id}/reopening", Route::Reopen),
    ("POST /v1/leads/{id}/erasure", Route::Erase),
];

/// The handler's configuration and clients.
pub struct Compliance {
    /// The store and the queues.
    pub service: Service,
    /// The claim of the token that holds the groups.
    pub groups_claim: String,
}

impl Compliance {
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
        let request = Request::decode(event, BODY_BYTES_MAX)?;
        let caller = Caller::of(request.event(), &self.groups_claim)?;
        let route = request.route(&ROUTES)?;
        let call = Call { service: &self.service, request: &request, caller: &caller, now };
        if let Err(forbidden) = caller.require_any(&[Group::Compliance]) {
            if let Route::Decide | Route::Reopen = route {
                let why = "the caller is not in the compliance group";
                officer::record_attempt(&call, &call.lead_id()?, why).await?;
            }
            return Err(forbidden);
        }
        request.knows_query(match route {
            Route::List => &["limit", "cursor"],
            Route::Show | Route::Decide | Route::Reopen | Route::Erase => &[],
        })?;
        match route {
            Route::List => reviews::list(&call).await,
            Route::Show => reviews::show(&call).await,
            Route::Decide => decision::decide(&call).await,
            Route::Reopen => reopening::reopen(&call).await,
            Route::Erase => erasure::erase(&call).await,
        }
    }
}
