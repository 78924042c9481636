//! Checkpoints: the hour signed by KMS into a bucket where nothing can be changed, and refused when
//! a history is not what was signed.

use crate::deployment::role_of;
use crate::world::{World, eventually, now, written};
use audit::checkpoint::Envelope;
use audit::leaves::{Leaves, read_changes};
use audit::proof::{Proof, ProofBuilder};
use audit::signature::SigningKey;
use audit::tampering::Acknowledgment;
use audit::{ChainedCommit, Hash};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use checkpoint::{S3Archive, s3_client};
use futures::join;
use leadctl::audit::acknowledge;
use leadctl::audit::checkpoint::make;
use leadctl::audit::checkpoints::{Fetched, fetch_local};
use leadctl::audit::export::{Live, export};
use leadctl::audit::verify;
use serde_json::{Value, json};
use std::path::Path;
use store::ScanCursor;

crate::flows![
    an_hour_has_one_checkpoint_also_an_idle_one_and_it_proves_each_entry,
    nobody_takes_a_checkpoint_back_or_puts_another_in_its_place,
    no_checkpoint_is_made_over_a_head_that_was_changed,
    an_entry_that_is_replaced_is_seen_at_once_and_stops_checkpoints,
];

fn function(world: &World) -> String {
    format!("{}-checkpoint", world.state.stack_name)
}

fn tick() -> Value {
    json!({"kind": "tick", "scheduled_time": written(now())})
}

async fn hour(world: &World) -> Value {
    let made = world.aws.invoke(&function(world), &tick()).await;
    assert_eq!(made["made"], true, "{made}");
    made
}

/// What a directory of checkpoints comes to: the last one, and its leaves.
fn read(dir: &Path) -> (Envelope, Leaves) {
    let (mut leaves, mut last) = (Leaves::default(), None::<Envelope>);
    for number in 1.. {
        let Ok(text) = std::fs::read_to_string(dir.join(audit::checkpoint::path(number))) else { break };
        let envelope = Envelope::read(&text).unwrap();
        envelope.checkpoint.follows(last.as_ref().map(|last| &last.checkpoint)).unwrap();
        let changes = std::fs::read_to_string(dir.join(envelope.checkpoint.changes_path())).unwrap();
        leaves.apply(read_changes(&changes).unwrap()).unwrap();
        envelope.checkpoint.covers(&leaves).unwrap();
        last = Some(envelope);
    }
    (last.unwrap(), leaves)
}

async fn commits(world: &World, subject: &str) -> Vec<ChainedCommit> {
    let (mut commits, mut after) = (Vec::new(), None::<ScanCursor>);
    loop {
        let (page, next) = world.store.scan_audit(0, 1, after).await.unwrap();
        commits.extend(page.into_iter().filter(|commit| commit.subject.to_string() == subject));
        match next {
            Some(next) => after = Some(next),
            None => return commits,
        }
    }
}

async fn an_hour_has_one_checkpoint_also_an_idle_one_and_it_proves_each_entry(world: &'static World) {
    let lead = world.lead(json!({})).await;
    world.told(&format!("leads/{lead}")).await;
    let first = hour(world).await;
    let idle = hour(world).await;
    assert_eq!(idle["number"], first["number"].as_u64().unwrap() + 1);

    // Twice at once, and once more: one checkpoint.
    let tick = tick();
    let name = function(world);
    let (one, other) = join!(world.aws.invoke(&name, &tick), world.aws.invoke(&name, &tick));
    let again = world.aws.invoke(&name, &tick).await;
    let made = [&one, &other, &again].map(|made| made["made"] == true);
    assert_eq!(made.iter().filter(|made| **made).count(), 1, "{one} {other} {again}");
    assert_eq!(again["number"], idle["number"].as_u64().unwrap() + 1);

    // An outsider has the checkpoints and the key, and is shown one entry.
    let dir = tempfile::tempdir().unwrap();
    let Fetched { new, last, key } = fetch_local(&world.state, dir.path()).await.unwrap();
    assert_eq!((new, last), (last, again["number"].as_u64().unwrap()));
    let (envelope, leaves) = read(dir.path());
    envelope.verify(&key).unwrap();
    let subject = format!("lead/{lead}");
    let mut history = commits(world, &subject).await.into_iter();
    let mut proof = ProofBuilder::new(&history.next().unwrap(), 1).unwrap();
    let covered = leaves.find(&subject).unwrap().1.commit;
    for commit in history.take_while(|commit| commit.commit <= covered) {
        proof.follow(&commit).unwrap();
    }
    let text = proof.finish(envelope, &leaves).unwrap().text().unwrap();
    let proof = Proof::read(&text).unwrap();
    proof.check(&key).unwrap();
    assert_eq!(proof.entry["type"], "lead.created");

    // What is fetched again is what is new.
    hour(world).await;
    let fetched = fetch_local(&world.state, dir.path()).await.unwrap();
    assert_eq!((fetched.new, fetched.last), (1, last + 1));

    // With an export beside them, the whole record is verified offline.
    let live = Live {
        store: world.store.clone(),
        deployment: world.state.stack_name.clone(),
        leads_table: world.state.output("LeadsTableName").unwrap().to_owned(),
        audit_table: world.state.output("AuditTableName").unwrap().to_owned(),
    };
    let file = tempfile::NamedTempFile::new().unwrap();
    export(&live, file.reopen().unwrap(), false).await.unwrap();
    let arguments = verify::Arguments {
        export: file.path().to_owned(),
        checkpoints: Some(dir.path().to_owned()),
        key: Some(dir.path().join("public-key.pem")),
        ..verify::Arguments::default()
    };
    let report = tokio::task::spawn_blocking(move || verify::verify(&arguments)).await.unwrap().unwrap();
    assert_eq!(report.findings(), []);

    // Whoever runs it may keep checkpoints of their own, with a key of their own.
    let own = tempfile::tempdir().unwrap();
    let key = || SigningKey::from_seed(&[9; 32]).unwrap();
    assert_eq!(make(&live, key(), own.path()).await.unwrap().number, 1);
    assert_eq!(make(&live, key(), own.path()).await.unwrap().number, 2);
    let (envelope, leaves) = read(own.path());
    envelope.verify(&key().public_key()).unwrap();
    assert!(leaves.find(&subject).is_some());
}

async fn nobody_takes_a_checkpoint_back_or_puts_another_in_its_place(world: &'static World) {
    let number = hour(world).await["number"].as_u64().unwrap();
    let path = audit::checkpoint::path(number);
    let bucket = world.state.output("CheckpointBucketName").unwrap();
    let name = function(world);
    let role = world.aws.function(&name).await["Role"].as_str().unwrap().to_owned();
    let as_function = s3_client(&world.aws.as_role(&role, &world.state.region).await);
    let as_owner = s3_client(&leadctl::seed::local_sdk(&world.state).await);
    let stands = as_owner.head_object().bucket(bucket).key(&path).send().await.unwrap();
    assert_eq!(stands.object_lock_mode().map(|mode| mode.as_str()), Some("COMPLIANCE"));
    assert!(stands.object_lock_retain_until_date().is_some());
    let version = stands.version_id().unwrap();

    for (who, s3) in [("the function", &as_function), ("the owner", &as_owner)] {
        let delete = s3.delete_object().bucket(bucket).key(&path).version_id(version).send().await;
        let code = delete.err().and_then(|error| error.code().map(str::to_owned));
        assert_eq!(code.as_deref(), Some("AccessDenied"), "{who} deletes");
        let put = s3.put_object().bucket(bucket).key(&path).if_none_match("*");
        let put = put.body(ByteStream::from_static(b"{}")).send().await;
        let code = put.err().and_then(|error| error.code().map(str::to_owned));
        assert_eq!(code.as_deref(), Some("PreconditionFailed"), "{who} puts over it");
    }
    let over = as_function.put_object().bucket(bucket).key(&path);
    let over = over.body(ByteStream::from_static(b"{}")).send().await;
    let code = over.err().and_then(|error| error.code().map(str::to_owned));
    assert_eq!(code.as_deref(), Some("AccessDenied"), "a new version would hide it");
    let hide = as_function.delete_object().bucket(bucket).key(&path).send().await;
    let code = hide.err().and_then(|error| error.code().map(str::to_owned));
    assert_eq!(code.as_deref(), Some("AccessDenied"), "so would a delete marker");

    let stands = as_owner.get_object().bucket(bucket).key(&path).send().await.unwrap();
    let text = stands.body.collect().await.unwrap().to_vec();
    assert_eq!(Envelope::read(std::str::from_utf8(&text).unwrap()).unwrap().checkpoint.number, number);
}

async fn no_checkpoint_is_made_over_a_head_that_was_changed(world: &'static World) {
    let lead = world.lead(json!({})).await;
    world.take("lead.upserted", json!({"lead": {"id": lead, "score": 51}})).await;
    world.told(&format!("leads/{lead}")).await;
    let before = hour(world).await["number"].as_u64().unwrap();
    let subject = format!("lead/{lead}");
    let stands = world.store.head(&subject).await.unwrap().unwrap();
    let set = async |commit: u64, head: Hash| {
        let update = world
            .aws
            .dynamodb
            .update_item()
            .table_name(world.state.output("LeadsTableName").unwrap())
            .key("pk", AttributeValue::S(format!("LEAD#{lead}")))
            .key("sk", AttributeValue::S("LEAD".to_owned()))
            .update_expression("SET head = :head, head_commit = :commit")
            .expression_attribute_values(":head", AttributeValue::B(Blob::new(head.as_bytes())))
            .expression_attribute_values(":commit", AttributeValue::N(commit.to_string()));
        update.send().await.unwrap();
    };
    for (commit, head, why) in
        [(stands.commit, Hash::ZERO, "forked"), (stands.commit - 1, stands.head, "went back")]
    {
        set(commit, head).await;
        let error = world.aws.invoke_to_fail(&function(world), &tick()).await;
        let message = error["errorMessage"].as_str().unwrap();
        assert!(message.contains(&subject) && message.contains(why), "{message}");
    }
    set(stands.commit, stands.head).await;
    assert_eq!(hour(world).await["number"], before + 1, "nothing was signed meanwhile");
}

/// Somebody inside a function puts over an entry what its role lets it put.
async fn an_entry_that_is_replaced_is_seen_at_once_and_stops_checkpoints(world: &'static World) {
    let lead = world.lead(json!({})).await;
    world.take("lead.upserted", json!({"lead": {"id": lead, "score": 51}})).await;
    world.told(&format!("leads/{lead}")).await;
    let before = hour(world).await["number"].as_u64().unwrap();
    let audit = world.state.output("AuditTableName").unwrap();
    let key = |name: &str, value: &str| (name.to_owned(), AttributeValue::S(value.to_owned()));
    let keys = [key("pk", &format!("lead/{lead}")), key("sk", "000000000001")];
    let read = world.aws.dynamodb.get_item().table_name(audit).set_key(Some(keys.clone().into()));
    let stands = read.send().await.unwrap().item.unwrap();

    let intruder = aws_sdk_dynamodb::Client::new(&role_of(world, "ingest").await);
    let mut forged = stands.clone();
    let entries = stands["entries"].as_s().unwrap().replace("Acme", "Acne");
    forged.insert("entries".to_owned(), AttributeValue::S(entries));
    assert_ne!(forged, stands);
    intruder.put_item().table_name(audit).set_item(Some(forged)).send().await.expect("IAM lets it");

    let bucket = world.state.output("CheckpointBucketName").unwrap();
    let archive = S3Archive::new(s3_client(&leadctl::seed::local_sdk(&world.state).await), bucket, None);
    let archive = &archive;
    let report = eventually("a report", || async {
        acknowledge::open(archive).await.unwrap().into_iter().find(|name| name.contains(&lead))
    })
    .await;
    assert!(report.starts_with(&format!("lead~{lead}_000000000001_replaced_")), "{report}");
    let alarm = eventually("an alarm in the log", || async {
        world
            .log()
            .lines()
            .find(|line| line.contains("audit-changed") && line.contains(&lead))
            .map(str::to_owned)
    })
    .await;
    assert!(alarm.contains("MODIFY") && !alarm.contains("Acne"), "{alarm}");
    let refused = world.aws.invoke_to_fail(&function(world), &tick()).await;
    assert!(refused["errorMessage"].as_str().unwrap().contains(&report), "{refused}");

    // Put back as it was it is still a change, and another one.
    world.aws.dynamodb.put_item().table_name(audit).set_item(Some(stands)).send().await.unwrap();
    let all = eventually("the other report", || async {
        let open = acknowledge::open(archive).await.unwrap();
        (open.len() == 2).then_some(open)
    })
    .await;
    let said = Acknowledgment { by: "otto".to_owned(), at: now(), why: "put back".to_owned() };
    acknowledge::acknowledge(archive, &all, &said).await.unwrap();
    assert_eq!(hour(world).await["number"], before + 1);

    // Nobody takes a report back.
    let s3 = s3_client(&role_of(world, "publish").await);
    let hide = s3.delete_object().bucket(bucket).key(format!("tampering/{report}")).send().await;
    let code = hide.err().and_then(|error| error.code().map(str::to_owned));
    assert_eq!(code.as_deref(), Some("AccessDenied"));
}
