//! The compliance review queue: what waits, in full context, and decisions on it; and the erasure of
//! personal data.
//!
//! Only the compliance group gets in, checked here as well as at the gateway. Contacts' personal
//! details are shown here and nowhere else: this is behind sign-in, for those who must know.

mod erasure;
mod reopening;
mod view;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use chrono::{DateTime, Utc};
use contracts::api;
use platform::caller::{Caller, Group};
use platform::http::{Request, whole_number};
use platform::problem::Problem;
use platform::{refusals, response, strict_json};
use policy::directory::Directory;
use policy::ids::{LeadId, PersonId};
use rules::entry::Actor;
use rules::lead::{Command, Input, Lead, ReviewDecision};
use rules::outcome::Outcome;
use serde_json::{Value, json};
use service::{Service, paging, problem};
use std::sync::Arc;

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

/// What the handler works with.
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
        self.answer(event, now).await.unwrap_or_else(|problem| refusals::noted(&route, problem, now).into())
    }

    async fn answer(
        &self,
        event: ApiGatewayV2httpRequest,
        now: DateTime<Utc>,
    ) -> Result<ApiGatewayV2httpResponse, Problem> {
        let request = Request::decode(event, BODY_BYTES_MAX)?;
        let caller = Caller::of(request.event(), &self.groups_claim)?;
        let route = request.route(&ROUTES)?;
        if let Err(forbidden) = caller.require_any(&[Group::Compliance]) {
            if let Route::Decide | Route::Reopen = route {
                let why = "the caller is not in the compliance group";
                self.record_attempt(&lead_id(&request)?, &caller, why, now).await?;
            }
            return Err(forbidden);
        }
        request.knows_query(match route {
            Route::List => &["limit", "cursor"],
            Route::Show | Route::Decide | Route::Reopen | Route::Erase => &[],
        })?;
        match route {
            Route::List => self.list(&request, now).await,
            Route::Show => {
                let lead = self.service.require_lead(&lead_id(&request)?).await?;
                // Contacts' personal details are shown for a review, and there is none.
                let Some(revision) = view::revision(&lead) else {
                    return Err(Problem::not_found(format!("there is no open review of lead `{}`", lead.id)));
                };
                let personal = self.service.store.personal_of(&lead).await.map_err(|e| problem(&e))?;
                let shown = view::of(&lead, &*self.directory().await?, now, Some(&personal));
                Ok(response::json(200, &shown, Some(&revision.to_string())))
            }
            Route::Decide => self.decide(&request, &caller, now).await,
            Route::Reopen => self.reopen(&request, &caller, now).await,
            Route::Erase => self.erase(&request, &caller, now).await,
        }
    }

    async fn list(&self, request: &Request, now: DateTime<Utc>) -> Result<ApiGatewayV2httpResponse, Problem> {
        let part = paging::part(request)?;
        let page = self
            .service
            .store
            .compliance_reviews(part.limit, part.after.as_ref())
            .await
            .map_err(|e| problem(&e))?;
        let directory = self.directory().await?;
        let reviews: Vec<Value> =
            page.items.iter().map(|lead| view::of(lead, &directory, now, None)).collect();
        let next = paging::next(request, &page);
        Ok(response::json(200, &json!({"reviews": reviews, "next": next}), None))
    }

    async fn decide(
        &self,
        request: &Request,
        caller: &Caller,
        now: DateTime<Utc>,
    ) -> Result<ApiGatewayV2httpResponse, Problem> {
        let lead = lead_id(request)?;
        let revision = seen(request)?;
        let body = api::decision(&strict_json::parse(request.body())?)
            .map_err(|found| Problem::of_fields(&found))?;
        let officer = self.officer(&lead, caller, now).await?;
        let key = match request.idempotency_key()? {
            Some(key) => format!("decision/{}/{lead}/{key}", caller.subject),
            None => format!("decision/{}/{lead}/{revision}", caller.subject),
        };
        let input = Input::Decide(ReviewDecision {
            verdict: body.verdict,
            reason_code: body.reason_code,
            reason: body.reason,
            officer: caller.subject.clone(),
            also_known_as: officer.also_known_as,
            person: officer.person,
            revision,
        });
        let command =
            Command { lead: lead.clone(), actor: Actor::staff(&caller.subject), cause: key.clone(), input };
        let dedupe = request.idempotency_key()?.map(|_| key.as_str());
        let done = self.service.lead(&command, dedupe, now).await.map_err(|e| problem(&e))?;
        self.told(&lead, done.outcome, now).await
    }

    /// What an officer is told of what they did.
    async fn told(
        &self,
        id: &LeadId,
        outcome: Outcome,
        now: DateTime<Utc>,
    ) -> Result<ApiGatewayV2httpResponse, Problem> {
        match outcome {
            Outcome::Applied | Outcome::Unchanged | Outcome::Stale | Outcome::Recorded { .. } => {
                let lead = self.service.require_lead(id).await?;
                // The decision stands, whether or not what it was taken on can be read right now.
                let personal = self.service.store.personal_of(&lead).await;
                let personal = personal.inspect_err(|error| _ = problem(error)).ok();
                let revision = view::revision(&lead).map(|revision| revision.to_string());
                let shown = view::of(&lead, &*self.directory().await?, now, personal.as_ref());
                Ok(response::json(200, &shown, revision.as_deref()))
            }
            Outcome::Refused { why } => Err(Problem::forbidden(why)),
            Outcome::Conflict { why } => {
                let lead = self.service.require_lead(id).await?;
                let shown = view::of(&lead, &*self.directory().await?, now, None);
                Err(Problem::conflict(why).of_kind("lead-moved-on").with("current", shown))
            }
            Outcome::Reused { why } => Err(service::reused(why)),
            Outcome::Invalid { field, why } => Err(Problem::unprocessable(why).at(format!("/{field}"))),
            Outcome::NotFound => Err(Problem::not_found(format!("there is no lead `{id}`"))),
        }
    }

    async fn directory(&self) -> Result<Arc<Directory>, Problem> {
        self.service.store.current_directory().await.map_err(|error| problem(&error))
    }

    /// All names that the caller goes by: whoever raised a flag or owns the lead cannot decide on it.
    async fn officer(&self, lead: &LeadId, caller: &Caller, now: DateTime<Utc>) -> Result<Officer, Problem> {
        // Without it nobody can tell whether the officer owns the lead; so it is refused.
        let Some(email) = caller.email.clone() else {
            let why = "a decision needs a token with a verified e-mail address";
            self.record_attempt(lead, caller, why, now).await?;
            return Err(Problem::forbidden(why));
        };
        let person = self.directory().await?.person_by_email(&email).cloned();
        let mut also_known_as = vec![caller.username.clone(), email];
        also_known_as.extend(person.as_ref().map(ToString::to_string));
        Ok(Officer { also_known_as, person })
    }

    /// Somebody who may not decide tried to: that belongs into the lead's record. Once for each of them and what they
    /// tried it on, so that nobody can fill the record.
    async fn record_attempt(
        &self,
        id: &LeadId,
        caller: &Caller,
        why: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Problem> {
        let Some(lead) = self.service.store.lead(id).await.map_err(|e| problem(&e))? else { return Ok(()) };
        let cause = attempt_key(&lead, &caller.subject);
        let (field, why) = ("review decision".to_owned(), why.to_owned());
        let (actor, input) = (Actor::staff(&caller.subject), Input::refused(field, why));
        let command = Command { lead: lead.id, actor, cause: cause.clone(), input };
        self.service.lead(&command, Some(&cause), now).await.map(|_| ()).map_err(|e| problem(&e))
    }
}

/// The identity of an attempt: the same until the review changes or, without one, the lead's state does.
fn attempt_key(lead: &Lead, caller: &str) -> String {
    let on = match view::revision(lead) {
        Some(revision) => format!("review-{revision}"),
        None => format!("state-{}", lead.entered_at.timestamp_millis()),
    };
    format!("attempt/{caller}/{}/{on}", lead.id)
}

/// The names that an officer goes by, beside the token's subject.
struct Officer {
    also_known_as: Vec<String>,
    person: Option<PersonId>,
}

/// The revision that a decision was taken on.
fn seen(request: &Request) -> Result<u64, Problem> {
    whole_number(request.if_match()?).ok_or_else(|| {
        Problem::precondition_failed(
            "`If-Match` is not the `ETag` of a review; read the review and decide on what you saw",
        )
    })
}

fn lead_id(request: &Request) -> Result<LeadId, Problem> {
    request.path_parameter("lead_id").map(LeadId::from)
}
