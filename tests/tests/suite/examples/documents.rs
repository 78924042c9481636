//! Excerpts of a policy or a directory are sound in the seeded one.

use leadwatch_tests::seeded::seeded_value;
use policy::Policy;
use policy::directory::Directory;
use serde_json::Value;

/// Puts the excerpt into the document whose members it has, and checks both documents.
pub fn check(excerpt: &str) -> Result<(), String> {
    let excerpt: Value = serde_saphyr::from_str(excerpt).map_err(|error| error.to_string())?;
    let members: Vec<&String> = excerpt.as_object().ok_or("an excerpt has members")?.keys().collect();
    let (mut policy, mut directory) = (seeded_value("default.yaml"), seeded_value("directory.yaml"));
    let knows = |schema: &Value| members.iter().all(|member| schema["properties"].get(member).is_some());
    if knows(&policy::schema::policy()) {
        put(&mut policy, &excerpt);
    } else if knows(&policy::schema::directory()) {
        put(&mut directory, &excerpt);
    } else {
        return Err(format!("neither a policy nor a directory has all of {members:?}"));
    }
    let directory = Directory::parse(&directory.to_string()).map_err(|error| error.to_string())?;
    let policy = Policy::parse(&policy.to_string()).map_err(|error| error.to_string())?;
    policy.check_against(&directory).map_err(|error| error.to_string())
}

/// Members are put into members, and an element into the list's element of the same name.
fn put(document: &mut Value, excerpt: &Value) {
    match (document, excerpt) {
        (Value::Object(document), Value::Object(excerpt)) => {
            for (name, value) in excerpt {
                put(document.entry(name.as_str()).or_insert(Value::Null), value);
            }
        }
        (Value::Array(document), Value::Array(excerpt))
            if excerpt.iter().all(|element| name(element).is_some()) =>
        {
            for element in excerpt {
                match document.iter_mut().find(|other| name(other) == name(element)) {
                    Some(other) => put(other, element),
                    None => document.push(element.clone()),
                }
            }
        }
        (document, excerpt) => *document = excerpt.clone(),
    }
}

fn name(element: &Value) -> Option<&Value> {
    element.get("state").or_else(|| element.get("step"))
}
