//! Two officers open the review of a rejected lead again, each with a reason.

use crate::{Compliance, lead_id, seen};
use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use chrono::{DateTime, Utc};
use contracts::api;
use platform::caller::Caller;
use platform::http::Request;
use platform::problem::Problem;
use platform::strict_json;
use rules::entry::Actor;
use rules::lead::{Command, Input, Reopening};
use service::problem;

impl Compliance {
    /// `POST /v1/compliance/reviews/{lead_id}/reopening`. The first officer asks; the second one opens
    /// the review, and the lead is held again.
    pub(crate) async fn reopen(
        &self,
        request: &Request,
        caller: &Caller,
        now: DateTime<Utc>,
    ) -> Result<ApiGatewayV2httpResponse, Problem> {
        let lead = lead_id(request)?;
        let revision = seen(request)?;
        let reason = api::reopening(&strict_json::parse(request.body())?)
            .map_err(|found| Problem::of_fields(&found))?;
        let officer = self.officer(&lead, caller, now).await?;
        let key = request.idempotency_key()?;
        let what = key.map_or(revision.to_string(), str::to_owned);
        let cause = format!("reopening/{}/{lead}/{what}", caller.subject);
        let input = Input::Reopen(Reopening {
            reason,
            officer: caller.subject.clone(),
            also_known_as: officer.also_known_as,
            person: officer.person,
            revision,
        });
        let actor = Actor::staff(&caller.subject);
        let command = Command { lead: lead.clone(), actor, cause: cause.clone(), input };
        let dedupe = key.map(|_| cause.as_str());
        let done = self.service.lead(&command, dedupe, now).await.map_err(|e| problem(&e))?;
        self.told(&lead, done.outcome, now).await
    }
}
