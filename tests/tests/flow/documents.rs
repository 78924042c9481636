//! The policy and the directory of the run: those of a fresh stack, and beside them markets and
//! sources of which a test can say beforehand what happens. They are published once.

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use policy::Policy;
use policy::directory::{Directory, DirectoryDocument};
use serde_json::{Value, json};

/// The market where nothing happens unless a test asks for it.
pub const PLAIN: &str = "plain";
/// Its rep: senior, so that a high-value lead stays.
pub const SUE: &str = "rep-sue";
/// A source whose leads have a window of three seconds.
pub const HASTY: &str = "hasty";
/// That window, in seconds.
pub const HASTY_S: i64 = 3;

/// A rep whose quiet hours do not end while the tests run.
pub const OWL: &str = "rep-owl";
/// A rep whose quiet hours end soon after the run's beginning.
pub const LARK: &str = "rep-lark";
/// The team nobody of which takes leads by routing.
const ODD: [&str; 6] = ["rep-gone", "rep-hook", "rep-mail", "rep-cora", OWL, LARK];

/// A whole minute, since quiet hours end on one, and at least a quarter of a minute away.
pub fn end_of_larks_quiet_hours(begun: DateTime<Utc>) -> DateTime<Utc> {
    let late = begun + TimeDelta::seconds(75);
    late.duration_trunc(TimeDelta::minutes(1)).expect("an instant of these years")
}

/// The directory of the run.
pub fn directory(seeded: &DirectoryDocument, sink_url: &str, now: DateTime<Utc>) -> Directory {
    let mut document = serde_json::to_value(seeded).unwrap();
    let market = |team: &str| json!({"calendar": "always", "team": team, "licensed_for": ["US", "CA"]});
    let senior = json!({"seniority": "senior", "capacity": 100_000});
    let team = |manager: &str, reps: &[&str]| {
        let reps: serde_json::Map<String, Value> =
            reps.iter().map(|rep| ((*rep).to_owned(), senior.clone())).collect();
        json!({"manager": manager, "reps": reps})
    };
    let teams = [
        (PLAIN, team("mgr-plain", &[SUE])),
        ("story", team("mgr-story", &["rep-ida", "rep-jon"])),
        ("limited", team("mgr-limited", &["rep-lim"])),
        ("missing", team("mgr-missing", &["rep-mis"])),
        ("away", team("mgr-away", &["rep-kit", "rep-lea"])),
        // Nobody of this team takes leads by routing: the capacity of each is none.
        ("odd", team("mgr-odd", &ODD)),
    ];
    for (name, mut team) in teams {
        team["channel"] = json!(format!("#{name}-sales"));
        document["markets"][name] = market(&format!("{name}-sales"));
        document["teams"][format!("{name}-sales")] = team;
    }
    document["markets"]["story"]["regional_vp"] = json!("vp-ruth");
    for rep in ODD {
        document["teams"]["odd-sales"]["reps"][rep]["capacity"] = json!(0);
    }
    let people = [
        ("mgr-plain", "pam"),
        ("mgr-story", "stu"),
        ("mgr-limited", "lou"),
        ("mgr-missing", "moe"),
        ("mgr-odd", "oda"),
        ("mgr-away", "amy"),
        ("rep-kit", "kit"),
        ("rep-lea", "lea"),
        (SUE, "sue"),
        ("rep-ida", "ida"),
        ("rep-jon", "jon"),
        ("rep-lim", "lim"),
        ("rep-mis", "mis"),
        ("rep-hook", "hook"),
        ("rep-mail", "mail"),
        // The officer who signs in under this address.
        ("rep-cora", "cora"),
        (OWL, "owl"),
        (LARK, "lark"),
    ];
    for (id, name) in people {
        document["people"][id] = json!({"name": name, "email": format!("{name}@example.test")});
    }
    document["people"]["rep-gone"] = json!({"name": "gone", "email": "gone@unreachable.test"});
    document["people"]["rep-hook"]["notify"] = json!("webhook:flow");
    document["people"]["rep-mail"]["notify"] = json!("email");
    let clock = |at: DateTime<Utc>| at.format("%H:%M").to_string();
    let quiet = |until: DateTime<Utc>| json!({"from": clock(now - TimeDelta::hours(8)), "to": clock(until)});
    for (rep, until) in [(OWL, now + TimeDelta::hours(8)), (LARK, end_of_larks_quiet_hours(now))] {
        document["people"][rep]["time_zone"] = json!("UTC");
        document["people"][rep]["quiet_hours"] = quiet(until);
    }
    document["webhooks"]["flow"] = json!(format!("{sink_url}/outgoing/flow"));
    document["sources"] =
        json!({crate::guarded::LIMITED: {"markets": [PLAIN], "fields": ["score", "owner"]}});
    Directory::check(serde_json::from_value(document).unwrap()).expect("the directory of the run is sound")
}

/// What the policy of the run says of a held lead, in its own words.
const HELD_IN_OWN_WORDS: &str = "{company} is out of bounds, {owner}: {lead} waits for compliance.";

/// The policy of the run.
pub fn policy(seeded: Policy, directory: &Directory) -> Policy {
    let mut document = serde_json::to_value(&seeded).unwrap();
    document["name"] = json!("Flow tests");
    let row = |source: &str, window: &str| json!({"state": "NEW", "source": source, "window": window, "calendar": "always"});
    let workflows = &mut document["workflows"];
    let sla = workflows["sla-breach"]["windows"].as_array_mut().unwrap();
    // One state without a window, to see it explained.
    sla.retain(|row| row["state"] != "NEGOTIATION");
    sla.extend([row("story", "5s"), row(HASTY, &format!("{HASTY_S}s"))]);
    workflows["stuck-lead"]["windows"] = json!([row("story", "14s"), row(HASTY, "24h")]);
    workflows["compliance-flag"]["messages"]["held"] = json!({"text": HELD_IN_OWN_WORDS});
    let policy: Policy = serde_json::from_value(document).expect("the policy of the run can be read");
    policy.check().expect("the policy of the run is sound");
    policy.check_against(directory).expect("the policy of the run fits its directory");
    policy
}
