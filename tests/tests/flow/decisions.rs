//! Compliance decisions: who may take them, on what, and what stays of an attempt.

use crate::world::{Answer, World, count, sanction};
use reqwest::Method;
use serde_json::{Value, json};

crate::flows![
    a_rep_who_decides_is_refused_and_the_attempt_is_in_the_leads_history,
    whoever_raised_the_flag_cannot_decide,
    whoever_owns_the_lead_cannot_decide,
    a_decision_names_what_it_was_taken_on,
    a_decision_on_what_has_moved_on_is_answered_with_what_is_so_now,
    a_decision_needs_a_reason_of_the_policy,
    there_is_nothing_to_decide_on_a_lead_that_is_not_held,
    a_reason_for_the_other_verdict_decides_nothing,
    a_rejected_lead_is_closed,
    two_officers_open_the_review_of_a_rejected_lead_again,
    a_clearance_does_not_cover_another_person,
    a_match_that_cannot_be_read_holds_the_lead,
    the_review_queue_shows_what_waits_the_oldest_first,
    what_a_screening_found_is_for_those_who_must_know,
    who_flagged_and_who_decided_and_why_is_for_those_who_must_know,
];

async fn decide(world: &World, who: &str, lead: &str, if_match: Option<&str>, body: Value) -> Answer {
    let bearer = world.bearer(who);
    let mut headers = vec![("authorization", bearer.as_str())];
    headers.extend(if_match.map(|tag| ("if-match", tag)));
    world.call(Method::POST, &format!("/v1/compliance/reviews/{lead}/decision"), &headers, Some(body)).await
}

fn verdict(decision: &str) -> Value {
    let code = if decision == "reject" { "true-match" } else { "false-match" };
    json!({"decision": decision, "reason_code": code, "reason": "Somebody else of that name."})
}

async fn etag(world: &World, lead: &str) -> String {
    world
        .get("cora", &format!("/v1/compliance/reviews/{lead}"))
        .await
        .is(200)
        .etag
        .expect("a review has an ETag")
}

/// The last entry of a lead is a refusal with these words.
async fn refused(world: &World, lead: &str, why: &str) {
    let history = world.told(&format!("leads/{lead}")).await;
    let last = history.iter().rev().find(|entry| entry["type"] != "notification.delivered").unwrap();
    assert_eq!(last["type"], "input.refused", "{last}");
    assert_eq!(last["data"]["what"], "review decision", "{last}");
    assert!(last["data"]["why"].as_str().unwrap().contains(why), "{last}");
    assert_eq!(last["actor"]["kind"], "staff", "{last}");
    let shown = world.get("vera", &format!("/v1/leads/{lead}")).await.is(200);
    assert_eq!(shown.body["state"], "COMPLIANCE_HOLD", "it is still held");
}

async fn a_rep_who_decides_is_refused_and_the_attempt_is_in_the_leads_history(world: &'static World) {
    let (lead, _) = world.held_lead(json!({})).await;
    let tag = etag(world, &lead).await;
    for who in ["ana", "otto", "vera", "sam"] {
        decide(world, who, &lead, Some(&tag), verdict("clear")).await.shows_problem(403, None);
    }
    refused(world, &lead, "not in the compliance group").await;
    assert_eq!(count(&world.history(&format!("leads/{lead}")).await, "input.refused"), 4);
    // Nor may they read the review.
    for path in ["/v1/compliance/reviews".to_owned(), format!("/v1/compliance/reviews/{lead}")] {
        world.get("otto", &path).await.shows_problem(403, None);
    }
}

async fn whoever_raised_the_flag_cannot_decide(world: &'static World) {
    let lead = world.lead(json!({})).await;
    let flag = json!({"kind": "adverse_media", "note": "An article about Zebedee Quill."});
    world.post("cora", &format!("/v1/leads/{lead}/flags"), flag).await.is(200);
    let tag = etag(world, &lead).await;
    decide(world, "cora", &lead, Some(&tag), verdict("clear")).await.shows_problem(403, None);
    refused(world, &lead, "who flagged the lead").await;
    // A colleague can.
    decide(world, "cleo", &lead, Some(&tag), verdict("clear")).await.is(200);
}

async fn whoever_owns_the_lead_cannot_decide(world: &'static World) {
    let (lead, _) = world.held_lead(json!({"owner": "rep-cora"})).await;
    let tag = etag(world, &lead).await;
    decide(world, "cora", &lead, Some(&tag), verdict("clear")).await.shows_problem(403, None);
    refused(world, &lead, "the owner of the lead").await;
    decide(world, "cleo", &lead, Some(&tag), verdict("reject")).await.is(200);
}

async fn a_decision_names_what_it_was_taken_on(world: &'static World) {
    let (lead, _) = world.held_lead(json!({})).await;
    decide(world, "cora", &lead, None, verdict("clear")).await.shows_problem(428, None);
    decide(world, "cora", &lead, Some("*"), verdict("clear")).await.shows_problem(400, None);
    decide(world, "cora", &lead, Some("\"yesterday\""), verdict("clear")).await.shows_problem(412, None);
    assert_eq!(
        world.get("vera", &format!("/v1/leads/{lead}")).await.is(200).body["state"],
        "COMPLIANCE_HOLD"
    );
}

async fn a_decision_on_what_has_moved_on_is_answered_with_what_is_so_now(world: &'static World) {
    let (lead, _) = world.held_lead(json!({})).await;
    let seen = etag(world, &lead).await;
    let another = world.id("ofac");
    world
        .take("lead.flagged", json!({"lead": {"id": lead, "flags": {"sanctions": [sanction(&another)]}}}))
        .await;
    let answer = decide(world, "cora", &lead, Some(&seen), verdict("clear")).await.shows_problem(409, None);
    let current = &answer.body["current"];
    assert_eq!(current["state"], "COMPLIANCE_HOLD");
    let matches: Vec<&Value> =
        current["criteria"].as_array().unwrap().iter().map(|c| &c["match_id"]).collect();
    assert!(matches.contains(&&json!(another)), "{matches:?}");
    let fresh = etag(world, &lead).await;
    assert_eq!(fresh, format!("\"{}\"", current["revision"]), "the answer names the revision to decide on");
    decide(world, "cora", &lead, Some(&fresh), verdict("clear")).await.is(200);
}

async fn a_decision_needs_a_reason_of_the_policy(world: &'static World) {
    let (lead, _) = world.held_lead(json!({})).await;
    let tag = etag(world, &lead).await;
    let with = |field: &str, value: Value| {
        let mut body = verdict("clear");
        body[field] = value;
        body
    };
    for (field, value) in [
        ("reason_code", json!("gut-feeling")),
        ("reason", json!("")),
        ("decision", json!("maybe")),
        ("reason", Value::Null),
    ] {
        let pointer = format!("/{field}");
        decide(world, "cora", &lead, Some(&tag), with(field, value)).await.shows_problem(422, Some(&pointer));
    }
    let answer = decide(world, "cora", &lead, Some(&tag), with("reason_code", json!("gut-feeling"))).await;
    assert!(answer.detail().contains("false-match"), "it names those there are: {}", answer.detail());
}

async fn a_reason_for_the_other_verdict_decides_nothing(world: &'static World) {
    let (lead, _) = world.held_lead(json!({})).await;
    let tag = etag(world, &lead).await;
    for (decision, code) in [("clear", "true-match"), ("clear", "prohibited"), ("reject", "false-match")] {
        let mut body = verdict(decision);
        body["reason_code"] = json!(code);
        let answer = decide(world, "cora", &lead, Some(&tag), body).await;
        let detail = answer.shows_problem(422, Some("/reason_code")).detail().to_owned();
        assert!(detail.starts_with(&format!("`{code}` is a reason to ")), "{detail}");
    }
    assert_eq!(etag(world, &lead).await, tag, "nothing was decided");
}

async fn reopen(world: &World, who: &str, lead: &str, if_match: &str, reason: &str) -> Answer {
    let bearer = world.bearer(who);
    let headers = [("authorization", bearer.as_str()), ("if-match", if_match)];
    let path = format!("/v1/compliance/reviews/{lead}/reopening");
    world.call(Method::POST, &path, &headers, Some(json!({"reason": reason}))).await
}

async fn two_officers_open_the_review_of_a_rejected_lead_again(world: &'static World) {
    let (lead, match_id) = world.held_lead(json!({})).await;
    let tag = etag(world, &lead).await;
    reopen(world, "cora", &lead, &tag, "Too early.").await.shows_problem(409, None);
    decide(world, "cora", &lead, Some(&tag), verdict("reject")).await.is(200);
    // Whoever flags it again is told what became of it.
    let flag = json!({"kind": "pep", "note": "A minister."});
    let told = world.post("otto", &format!("/v1/leads/{lead}/flags"), flag).await.is(200);
    assert_eq!(told.body["state"], "DISQUALIFIED_COMPLIANCE");
    assert!(told.body["recorded"].as_str().unwrap().contains("compliance rejected the lead"), "{told:?}");
    let shown = world.get("cora", &format!("/v1/compliance/reviews/{lead}")).await.is(200);
    assert_eq!(shown.body["decided"]["reason_code"], "true-match");
    assert_eq!(shown.body["criteria"].as_array().unwrap().len(), 2, "and what was found since");
    assert!(shown.body["personal"].to_string().contains("Zebedee Quill"), "what it was rejected on");
    let tag = shown.etag.unwrap();
    reopen(world, "vera", &lead, &tag, "Please.").await.shows_problem(403, None);
    let asked = reopen(world, "cora", &lead, &tag, "The list was wrong.").await.is(200);
    assert_eq!(asked.body["state"], "DISQUALIFIED_COMPLIANCE", "one officer is not enough");
    reopen(world, "cleo", &lead, &tag, "So I think.").await.shows_problem(409, None);
    let waiting = world.all("cleo", "/v1/compliance/reviews?limit=50", "reviews").await;
    let waiting = waiting.iter().find(|review| review["lead_id"] == *lead).unwrap();
    assert_eq!(waiting["reopening_asked"]["reason"], "The list was wrong.");
    let tag = etag(world, &lead).await;
    reopen(world, "cora", &lead, &tag, "Once more.").await.shows_problem(403, None);
    let opened = reopen(world, "cleo", &lead, &tag, "So I think.").await.is(200);
    assert_eq!(
        (&opened.body["state"], &opened.body["held_from"]),
        (&json!("COMPLIANCE_HOLD"), &json!("NEW"))
    );
    assert_eq!(opened.body["criteria"][0]["match_id"], *match_id);
    let tag = opened.etag.unwrap();
    decide(world, "cleo", &lead, Some(&tag), verdict("clear")).await.is(200);
    let shown = world.get("vera", &format!("/v1/leads/{lead}")).await.is(200);
    assert_eq!(shown.body["state"], "NEW");
    for hidden in ["rejection", "clearances", "true-match"] {
        assert!(!shown.body.to_string().contains(hidden), "{:#}", shown.body);
    }
}

async fn a_clearance_does_not_cover_another_person(world: &'static World) {
    let contact = |name: &str| json!({"name": name, "email": format!("{name}@example.test")});
    let (lead, match_id) = world.held_lead(json!({"contact": contact("Harmless")})).await;
    let tag = etag(world, &lead).await;
    decide(world, "cora", &lead, Some(&tag), verdict("clear")).await.is(200);
    let state = async || world.get("vera", &format!("/v1/leads/{lead}")).await.is(200).body["state"].clone();
    let flag = async |contact: Value| {
        let flags = json!({"sanctions": [sanction(&match_id)]});
        let lead = json!({"id": lead, "contact": contact, "flags": flags});
        world.take("lead.upserted", json!({ "lead": lead })).await;
    };
    flag(contact("HARMLESS")).await;
    assert_eq!(state().await, "NEW", "the same person, written otherwise");
    flag(contact("Harmful")).await;
    assert_eq!(state().await, "COMPLIANCE_HOLD");
    let review = world.get("cora", &format!("/v1/compliance/reviews/{lead}")).await.is(200).body;
    assert_eq!(review["criteria"][0]["earlier"][0]["different"], json!(["contact"]), "{review:#}");
    assert_eq!(review["criteria"][0]["earlier"][0]["decided"]["reason_code"], "false-match");
}

async fn a_match_that_cannot_be_read_holds_the_lead(world: &'static World) {
    for flags in [json!({"sanctions": [{"match_id": "a\u{7}b"}]}), json!({"sanktions": [sanction("ofac-1")]})]
    {
        let lead = world.lead(json!({})).await;
        let moved = json!({"lead": {"id": lead, "state": "CONTACTED", "flags": flags}});
        world.take("lead.state_changed", moved).await;
        let review = world.get("cora", &format!("/v1/compliance/reviews/{lead}")).await.is(200).body;
        assert_eq!(review["state"], "COMPLIANCE_HOLD");
        assert_eq!(review["criteria"][0]["kind"], "unreadable", "{review:#}");
        assert!(
            review["personal"].to_string().contains("sanctions")
                || review["personal"].to_string().contains("sanktions")
        );
    }
}

async fn there_is_nothing_to_decide_on_a_lead_that_is_not_held(world: &'static World) {
    let lead = world.lead(json!({})).await;
    decide(world, "cora", &lead, Some("\"1\""), verdict("clear")).await.shows_problem(409, None);
    let nobody = world.id("L");
    decide(world, "cora", &nobody, Some("\"1\""), verdict("clear")).await.shows_problem(404, None);
    world.get("cora", &format!("/v1/compliance/reviews/{nobody}")).await.shows_problem(404, None);
}

async fn a_rejected_lead_is_closed(world: &'static World) {
    let (lead, _) = world.held_lead(json!({})).await;
    let tag = etag(world, &lead).await;
    decide(world, "cora", &lead, Some(&tag), verdict("reject")).await.is(200);
    let of = format!("leads/{lead}");
    world.take("lead.state_changed", json!({"lead": {"id": lead, "state": "CONTACTED"}})).await;
    let shown = world.get("vera", &format!("/v1/{of}")).await.is(200);
    assert_eq!(shown.body["state"], "DISQUALIFIED_COMPLIANCE");
    let history = world.told(&of).await;
    let decided = history.iter().find(|entry| entry["type"] == "review.decided").unwrap();
    assert_eq!(decided["data"]["verdict"], "reject");
    assert_eq!(decided["data"]["reason_code"], "true-match");
    assert_eq!(decided["data"]["to"], "DISQUALIFIED_COMPLIANCE");
    assert_eq!(count(&history, "input.refused"), 1, "the attempt to work it is recorded");
    decide(world, "cora", &lead, Some(&tag), verdict("clear")).await.shows_problem(409, None);
}

async fn the_review_queue_shows_what_waits_the_oldest_first(world: &'static World) {
    let mut leads = Vec::new();
    for _ in 0..3 {
        leads.push(world.held_lead(json!({})).await.0);
    }
    // Page by page: the pages together are the queue.
    let reviews = world.all("cora", "/v1/compliance/reviews?limit=2", "reviews").await;
    let opened: Vec<&str> = reviews.iter().map(|review| review["opened_at"].as_str().unwrap()).collect();
    assert!(opened.is_sorted(), "{opened:?}");
    let waiting: Vec<&str> = reviews
        .iter()
        .map(|review| review["lead_id"].as_str().unwrap())
        .filter(|id| leads.iter().any(|l| l == id))
        .collect();
    assert_eq!(waiting, leads);
    let review = reviews.iter().find(|review| review["lead_id"] == *leads[0]).unwrap();
    assert!(review["age_s"].as_i64().unwrap() >= 0);
    assert_eq!((&review["held_from"], &review["would_be_owner"]), (&json!("NEW"), &json!("rep-sue")));
    assert!(review.get("personal").is_none(), "the list names no person");
    let tag = etag(world, &leads[0]).await;
    decide(world, "cora", &leads[0], Some(&tag), verdict("clear")).await.is(200);
    let reviews = world.all("cora", "/v1/compliance/reviews?limit=50", "reviews").await;
    assert!(!reviews.iter().any(|review| review["lead_id"] == *leads[0]), "what is decided waits no more");
}

async fn what_a_screening_found_is_for_those_who_must_know(world: &'static World) {
    let contact = json!({"name": "Robin Reader", "email": "robin@acme.test"});
    let (lead, match_id) = world.held_lead(json!({"contact": contact})).await;
    let shown = async |who: &str| {
        let lead_shown = world.get(who, &format!("/v1/leads/{lead}")).await.is(200).body;
        let audit = world.get(who, &format!("/v1/leads/{lead}/audit?limit=100")).await.is(200).body;
        format!("{lead_shown}{audit}")
    };
    for who in ["vera", "ana", "sam"] {
        let text = shown(who).await;
        for hidden in [&match_id, "OFAC-SDN", "Zebedee", "Robin", "robin@acme.test", "\"personal\""] {
            assert!(!text.contains(hidden), "{who} sees `{hidden}`: {text}");
        }
        assert!(text.contains("compliance.held"), "that it is held is no secret");
    }
    for who in ["otto", "cora"] {
        let text = shown(who).await;
        assert!(text.contains(&match_id) && text.contains("OFAC-SDN"), "{who}: {text}");
        assert!(
            !text.contains("Zebedee") && !text.contains("Robin"),
            "personal details are in the review alone"
        );
    }
    let review = world.get("cora", &format!("/v1/compliance/reviews/{lead}")).await.is(200).body;
    let text = review["personal"].to_string();
    assert!(text.contains("Robin Reader") && text.contains("Zebedee Quill"), "{review:#}");
    assert_eq!(review["criteria"][0]["match_id"], *match_id);
}

async fn who_flagged_and_who_decided_and_why_is_for_those_who_must_know(world: &'static World) {
    let lead = world.lead(json!({})).await;
    let flag = json!({"kind": "adverse_media", "note": "An article about Zebedee Quill."});
    world.post("ana", &format!("/v1/leads/{lead}/flags"), flag).await.is(200);
    let tag = etag(world, &lead).await;
    // An attempt, a decision, and work that comes after it: each leaves its trace in the record.
    decide(world, "sam", &lead, Some(&tag), verdict("reject")).await.shows_problem(403, None);
    let mut body = verdict("reject");
    body["reason_code"] = json!("true-match");
    decide(world, "cora", &lead, Some(&tag), body).await.is(200);
    world.take("lead.state_changed", json!({"lead": {"id": lead, "state": "CONTACTED"}})).await;

    let of = format!("leads/{lead}");
    let history = world.told(&of).await;
    let actor_of = |kind: &str| -> String {
        let entry = history.iter().find(|entry| entry["type"] == kind).unwrap();
        entry["actor"]["id"].as_str().unwrap().to_owned()
    };
    let (flagger, officer, refused) =
        (actor_of("compliance.held"), actor_of("review.decided"), actor_of("input.refused"));
    for who in ["vera", "ana", "sam"] {
        let mut text = String::new();
        for path in ["", "/audit?limit=100", "/explain"] {
            text += &world.get(who, &format!("/v1/{of}{path}")).await.is(200).body.to_string();
        }
        for hidden in
            [&*flagger, &officer, &refused, "true-match", "Somebody else", "in_review_s", "review decision"]
        {
            assert!(!text.contains(hidden), "{who} sees `{hidden}`: {text}");
        }
        for open in ["review.decided", "DISQUALIFIED_COMPLIANCE", "compliance closed the lead"] {
            assert!(text.contains(open), "{who} does not see `{open}`: {text}");
        }
    }
    for who in ["otto", "cora"] {
        let audit = world.get(who, &format!("/v1/{of}/audit?limit=100")).await.is(200).body.to_string();
        for known in [&*flagger, &officer, &refused, "true-match", "Somebody else", "review decision"] {
            assert!(audit.contains(known), "{who} does not see `{known}`: {audit}");
        }
    }
}
