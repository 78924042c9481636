//! The answer to a source: the outcome of each event, or what is wrong with it.

use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use contracts::FieldProblem;
use platform::problem::Problem;
use platform::response;
use rules::outcome::Outcome;
use rules::unread::PLACES_MAX;
use serde_json::{Value, json};

/// The answer to one event.
pub struct Answer {
    id: Option<String>,
    result: Result<Value, Problem>,
}

impl Answer {
    /// Adds warnings about ignored parts of the event: the first places, and the number of the others.
    #[must_use]
    pub fn with_warnings(mut self, warnings: &[FieldProblem]) -> Self {
        if warnings.is_empty() {
            return self;
        }
        let (named, more) = warnings.split_at(warnings.len().min(PLACES_MAX));
        let mut shown: Vec<Value> = named.iter().map(|warning| json!(warning)).collect();
        if !more.is_empty() {
            shown.push(json!({"pointer": "", "detail": format!("and {} more", more.len())}));
        }
        match &mut self.result {
            Ok(Value::Object(members)) => _ = members.insert("warnings".to_owned(), Value::Array(shown)),
            Ok(_) => {}
            Err(problem) => _ = problem.extra.insert("warnings".to_owned(), Value::Array(shown)),
        }
        self
    }
}

/// The answer to an event that was read.
pub fn of(id: String, outcome: Outcome, duplicate: bool, entries: usize) -> Answer {
    let problem = match &outcome {
        // A refusal by the rules is not an error in the request. It is recorded, and sending again does not help.
        Outcome::Applied
        | Outcome::Unchanged
        | Outcome::Stale
        | Outcome::Recorded { .. }
        | Outcome::Refused { .. } => None,
        Outcome::Invalid { field, why } => {
            let pointer = format!("/{}", field.replace('.', "/"));
            Some(Problem::unprocessable(why.clone()).of_kind("invalid-event").at(pointer))
        }
        Outcome::NotFound => {
            let detail = "the lead is unknown; send `lead.upserted` first";
            Some(Problem::unprocessable(detail).of_kind("unknown-lead").at("/lead/id"))
        }
        Outcome::Conflict { why } => Some(Problem::conflict(why.clone())),
        Outcome::Reused { why } => Some(service::reused(why.clone()).at("/id")),
    };
    let mut body = serde_json::to_value(&outcome).unwrap_or_default();
    if let Value::Object(members) = &mut body {
        members.insert("id".to_owned(), json!(id));
        members.insert("duplicate".to_owned(), json!(duplicate));
        members.insert("entries".to_owned(), json!(entries));
    }
    Answer { id: Some(id), result: problem.map_or(Ok(body), Err) }
}

impl Answer {
    /// Adds the fields that were ignored because the source may not write them.
    #[must_use]
    pub fn without(mut self, pointers: Vec<String>) -> Self {
        match &mut self.result {
            Ok(Value::Object(members)) => _ = members.insert("not_permitted".to_owned(), json!(pointers)),
            Ok(_) => {}
            Err(problem) => {
                problem.extra.insert("not_permitted".to_owned(), json!(pointers));
            }
        }
        self
    }
}

/// The answer to a text that is not an event.
pub fn refused(id: Option<String>, problems: &[FieldProblem]) -> Answer {
    let problem = Problem::of_fields(problems).of_kind("invalid-event");
    Answer { id, result: Err(problem) }
}

/// The answer to an event that the store did not accept. The problem says whether to send it again.
pub fn not_stored(event: &Value, problem: &Problem) -> Answer {
    let id = event.get("id").and_then(Value::as_str).map(str::to_owned);
    Answer { id, result: Err(problem.clone()) }
}

/// The answer to a single event.
pub fn single(answer: Answer) -> ApiGatewayV2httpResponse {
    match answer.result {
        Ok(body) => response::json(200, &body, None),
        Err(problem) => problem.into(),
    }
}

/// The answer to a batch: one result for each event, in order. 503 if any event has to be sent again; the
/// sender may repeat the whole batch, because an applied event is recognized by its id. 500 for an internal
/// error.
pub fn batch(answers: &[Answer]) -> ApiGatewayV2httpResponse {
    let statuses: Vec<u16> = answers.iter().filter_map(|a| Some(a.result.as_ref().err()?.status)).collect();
    let status = if statuses.contains(&503) {
        503
    } else if statuses.iter().any(|status| *status >= 500) {
        500
    } else {
        200
    };
    let results: Vec<Value> = answers
        .iter()
        .map(|answer| match &answer.result {
            Ok(body) => json!({"id": answer.id, "status": 200, "result": body}),
            Err(problem) => {
                json!({"id": answer.id, "status": problem.status, "problem": problem.to_json()})
            }
        })
        .collect();
    let mut response = response::json(status, &json!({ "results": results }), None);
    if status == 503 {
        response::set_header(&mut response, "retry-after", "2");
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_comes_again_only_for_what_goes_away_by_itself() {
        let event = json!({"id": "evt-1"});
        let taken = || of("evt-0".to_owned(), Outcome::Applied, false, 1);
        let busy = || not_stored(&event, &Problem::unavailable(2, "busy"));
        let large = || not_stored(&event, &Problem::unprocessable("too large"));
        let fault = || not_stored(&event, &Problem::internal());
        let status = |answers: &[Answer]| batch(answers).status_code;
        assert_eq!(status(&[taken(), large()]), 200);
        assert_eq!(status(&[taken(), fault()]), 500);
        assert_eq!(status(&[fault(), busy(), taken()]), 503);
    }
}
