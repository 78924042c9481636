//! The compliance review queue: what waits, in full context, and decisions on it; and the erasure of
//! personal data.
//!
//! Only the compliance group gets in, checked here as well as at the gateway. Contacts' personal
//! details are shown here and nowhere else: this is behind sign-in, for those who must know.

mod erasure;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use chrono::{DateTime, Utc};
use contracts::api;
use platform::caller::{Caller, Group};
use platform::http::Request;
use platform::problem::Problem;
use platform::{response, strict_json};
use rules::entry::Actor;
use rules::ids::LeadId;
use rules::input::{Command, Input, Outcome, ReviewDecision};
use rules::lead::{Lead, Personal};
use serde_json::{Value, json};
use service::{Service, paging, problem};

/// The largest body of a request.
const BODY_BYTES_MAX: usize = 16 * 1024;

#[derive(Clone, Copy)]
enum Route {
    List,
    Show,
    Decide,
    Erase,
}

const ROUTES: [(&str, Route); 4] = [
    ("GET /v1/compliance/reviews", Route::List),
    ("GET /v1/compliance/reviews/{lead_id}", Route::Show),
    ("POST /v1/compliance/reviews/{lead_id}/decision", Route::Decide),
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
        self.answer(event, now).await.unwrap_or_else(Into::into)
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
            if let Route::Decide = route {
                let why = "the caller is not in the compliance group";
                self.record_attempt(&lead_id(&request)?, &caller, why, now).await?;
            }
            return Err(forbidden);
        }
        match route {
            Route::List => self.list(&request, now).await,
            Route::Show => {
                let lead = self.service.require_lead(&lead_id(&request)?).await?;
                // Contacts' personal details are shown for a review, and there is none.
                let Some(review) = &lead.review else {
                    return Err(Problem::not_found(format!("there is no open review of lead `{}`", lead.id)));
                };
                let personal = self.service.store.personal_of(&lead).await.map_err(|e| problem(&e))?;
                let shown = context(&lead, now, Some(&personal));
                Ok(response::json(200, &shown, Some(&review.revision.to_string())))
            }
            Route::Decide => self.decide(&request, &caller, now).await,
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
        let reviews: Vec<Value> = page.items.iter().map(|lead| context(lead, now, None)).collect();
        let next = paging::next(&page);
        Ok(response::json(200, &json!({"reviews": reviews, "next": next}), None))
    }

    async fn decide(
        &self,
        request: &Request,
        caller: &Caller,
        now: DateTime<Utc>,
    ) -> Result<ApiGatewayV2httpResponse, Problem> {
        let lead = lead_id(request)?;
        let revision: u64 = request.if_match()?.parse().map_err(|_| {
            Problem::precondition_failed(
                "`If-Match` is not the `ETag` of a review; read the review and decide on what you saw",
            )
        })?;
        let body = api::decision(&strict_json::parse(request.body())?)
            .map_err(|found| Problem::of_fields(&found))?;
        let policy = self.service.store.current_policy().await.map_err(|e| problem(&e))?;
        let codes = &policy.policy.workflows.compliance_flag.reason_codes;
        if !codes.contains_key(&body.reason_code) {
            let known: Vec<&str> = codes.keys().map(String::as_str).collect();
            let detail =
                format!("`{}` is none of the policy's reason codes: {}", body.reason_code, known.join(", "));
            return Err(Problem::unprocessable(detail).at("/reason_code"));
        }
        let directory = self.service.store.current_directory().await.map_err(|e| problem(&e))?;
        // Without it nobody can tell whether the officer owns the lead; so it is refused.
        let Some(email) = caller.email.clone() else {
            let why = "a decision needs a token with a verified e-mail address";
            self.record_attempt(&lead, caller, why, now).await?;
            return Err(Problem::forbidden(why));
        };
        let person = directory.person_by_email(&email).cloned();
        let mut also_known_as = vec![caller.username.clone(), email];
        also_known_as.extend(person.as_ref().map(ToString::to_string));
        let key = match request.idempotency_key()? {
            Some(key) => format!("decision/{}/{lead}/{key}", caller.subject),
            None => format!("decision/{}/{lead}/{revision}", caller.subject),
        };
        let input = Input::Decide(ReviewDecision {
            verdict: body.verdict,
            reason_code: body.reason_code,
            reason: body.reason,
            officer: caller.subject.clone(),
            also_known_as,
            person,
            revision,
        });
        let command =
            Command { lead: lead.clone(), actor: Actor::staff(&caller.subject), cause: key.clone(), input };
        let dedupe = request.idempotency_key()?.map(|_| key.as_str());
        let done = self.service.lead(&command, dedupe, now).await.map_err(|e| problem(&e))?;
        match done.outcome {
            Outcome::Applied | Outcome::Unchanged | Outcome::Stale => {
                let lead = self.service.require_lead(&lead).await?;
                // The decision stands, whether or not what it was taken on can be read right now.
                let personal = self.service.store.personal_of(&lead).await;
                let personal = personal.inspect_err(|error| _ = problem(error)).ok();
                Ok(response::json(200, &context(&lead, now, personal.as_ref()), None))
            }
            Outcome::Refused { why } => Err(Problem::forbidden(why)),
            Outcome::Conflict { why } => {
                let lead = self.service.require_lead(&lead).await?;
                Err(Problem::conflict(why)
                    .of_kind("lead-moved-on")
                    .with("current", context(&lead, now, None)))
            }
            Outcome::Invalid { field, why } => Err(Problem::unprocessable(why).at(format!("/{field}"))),
            Outcome::UnknownLead => Err(Problem::not_found(format!("there is no lead `{lead}`"))),
        }
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
        let input = Input::RefusedAtDoor { field, why, matches: Vec::new() };
        let command =
            Command { lead: lead.id, actor: Actor::staff(&caller.subject), cause: cause.clone(), input };
        self.service.lead(&command, Some(&cause), now).await.map(|_| ()).map_err(|e| problem(&e))
    }
}

/// The identity of an attempt: the same until the review changes or, without one, the lead's state does.
fn attempt_key(lead: &Lead, caller: &str) -> String {
    let on = match &lead.review {
        Some(review) => format!("review-{}", review.revision),
        None => format!("state-{}", lead.entered_at.timestamp_millis()),
    };
    format!("attempt/{caller}/{}/{on}", lead.id)
}

fn lead_id(request: &Request) -> Result<LeadId, Problem> {
    request.path_parameter("lead_id").map(LeadId::from)
}

/// A review in its context; with everything personal only where one lead is shown.
fn context(lead: &Lead, now: DateTime<Utc>, personal: Option<&Personal>) -> Value {
    let mut context = json!({
        "lead_id": lead.id,
        "state": lead.state,
        "company": lead.profile.company,
        "country": lead.profile.country,
        "market": lead.profile.market,
        "account_id": lead.profile.account_id,
        "owner": lead.owner,
        "held_from": lead.held_from.as_ref().map(|held| &held.state),
    });
    if let (Some(review), Value::Object(members)) = (&lead.review, &mut context) {
        members.insert("opened_at".to_owned(), json!(review.opened_at));
        members.insert("age_s".to_owned(), json!((now - review.opened_at).num_seconds().max(0)));
        members.insert("revision".to_owned(), json!(review.revision));
        members.insert("criteria".to_owned(), json!(review.criteria));
        members.insert("flagged_by".to_owned(), json!(review.flagged_by));
        members.insert("would_be_owner".to_owned(), json!(review.would_be_owner));
        members.insert("first_vote".to_owned(), json!(review.vote));
    }
    if let (Some(personal), Value::Object(members)) = (personal, &mut context) {
        members.insert("personal".to_owned(), json!(personal));
        members.insert("erased_at".to_owned(), json!(lead.erased_at));
        members.insert("clearances".to_owned(), json!(lead.clearances));
    }
    context
}
