//! Compares a document that was made from an older revision with the revision in force: what others changed since, what
//! you changed, and where both changed the same thing.

use super::document::Content;
use super::revisions;
use super::revisions::Revision;
use crate::api::Api;
use policy::diff::{Change, ThreeWay};
use policy::ids::PublicationKind;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// How many publications are listed: the last ones.
const NAMED_MAX: u32 = 10;

/// Why a document cannot be published as it is.
pub(super) struct Stale {
    kind: PublicationKind,
    base: u32,
    in_force: u32,
    what: String,
    /// The revisions since the base, with their publishers' reasons.
    since: Vec<(u32, String)>,
    /// `None` if the base does not exist.
    changes: Option<ThreeWay>,
}

impl Stale {
    /// Compares both sides with the base.
    ///
    /// # Errors
    /// When the API does not answer.
    pub async fn find(
        api: &Api,
        kind: PublicationKind,
        base: u32,
        what: &str,
        yours: &Content,
        in_force: Option<&Revision>,
    ) -> anyhow::Result<Self> {
        let before = match base {
            0 => None,
            _ => revisions::revision(api, kind, &base.to_string()).await?,
        };
        let current = in_force.map_or(0, |in_force| in_force.number);
        let mut since = Vec::new();
        for number in base.max(current.saturating_sub(NAMED_MAX)).saturating_add(1)..=current {
            since.push((number, revisions::why(api, kind, number).await?));
        }
        let changes = before.zip(in_force).map(|(before, in_force)| {
            let before = before.content;
            ThreeWay::of(before.changes_to(&in_force.content), before.changes_to(yours))
        });
        Ok(Self { kind, base, in_force: current, what: what.to_owned(), since, changes })
    }

    /// The comparison in words.
    pub fn words(&self) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let Self { kind, base, in_force, what, since, changes } = self;
        let name = kind.as_str();
        let Some(ThreeWay { both, theirs, yours, conflicts }) = changes else {
            let is = match in_force {
                0 => format!("no {name} is published yet"),
                _ => format!("revision {in_force} is in force"),
            };
            return write!(
                out,
                "Nothing was published: {what} was made from revision {base} of the {name}, which does not exist; {is}."
            );
        };
        writeln!(
            out,
            "Nothing was published: {what} was made from revision {base} of the {name}, and revision {in_force} is in force."
        )?;
        for (number, why) in since {
            writeln!(out, "  revision {number}: “{why}”")?;
        }
        part(out, &format!("Others changed since ({base} → {in_force}):"), theirs)?;
        part(out, &format!("You changed ({base} → {what}):"), yours)?;
        if !both.is_empty() {
            part(out, "Both made the same change:", both)?;
        }
        if conflicts.is_empty() {
            writeln!(out, "Nobody else changed what you changed.")?;
        } else {
            writeln!(out, "Both changed the same thing:")?;
        }
        for (their, your) in conflicts {
            writeln!(out, "  theirs: {their}\n  yours:  {your}")?;
        }
        write!(
            out,
            "Next: run `leadctl {name} pull --out FILE`, make your changes in FILE, and publish FILE."
        )
    }

    /// The comparison for programs.
    pub fn json(&self) -> Value {
        let words = |changes: &[Change]| changes.iter().map(ToString::to_string).collect::<Vec<_>>();
        let mut shown = json!({"published": false, "base": self.base, "in_force": self.in_force});
        if let (Some(changes), Value::Object(members)) = (&self.changes, &mut shown) {
            let conflicts = changes.conflicts.iter();
            let conflicts = conflicts
                .map(|(their, your)| json!({"theirs": their.to_string(), "yours": your.to_string()}));
            members.insert("theirs".to_owned(), json!(words(&changes.theirs)));
            members.insert("yours".to_owned(), json!(words(&changes.yours)));
            members.insert("both".to_owned(), json!(words(&changes.both)));
            members.insert("conflicts".to_owned(), conflicts.collect());
        }
        shown
    }
}

fn part(out: &mut String, title: &str, changes: &[Change]) -> std::fmt::Result {
    writeln!(out, "{title}")?;
    if changes.is_empty() {
        writeln!(out, "  nothing")?;
    }
    changes.iter().try_for_each(|change| writeln!(out, "  {change}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::{Policy, diff};

    const POLICY: &str = include_str!("../../../policies/default.yaml");

    #[test]
    fn a_stale_document_shows_both_sides_and_their_conflicts() {
        let base = Policy::parse(POLICY).unwrap();
        let changed = |from: &str, to: &str| {
            diff::policies(&base, &Policy::parse(&POLICY.replacen(from, to, 1)).unwrap())
        };
        let (mut theirs, mut yours) = (changed("at: 80%", "at: 70%"), changed("at: 80%", "at: 90%"));
        theirs.extend(changed("max_reassignments: 2", "max_reassignments: 3"));
        yours.extend(changed("score: 85", "score: 90"));
        let stale = Stale {
            kind: PublicationKind::Policy,
            base: 12,
            in_force: 13,
            what: "new.yaml".to_owned(),
            since: vec![(13, "warn earlier".to_owned())],
            changes: Some(ThreeWay::of(theirs, yours)),
        };
        let expected = "\
Nothing was published: new.yaml was made from revision 12 of the policy, and revision 13 is in force.
  revision 13: “warn earlier”
Others changed since (12 → 13):
  sla-breach: imminent 80 % → 70 %
  sla-breach: maximum reassignments: 2 → 3
You changed (12 → new.yaml):
  sla-breach: imminent 80 % → 90 %
  high-value: score: 85 → 90
Both changed the same thing:
  theirs: sla-breach: imminent 80 % → 70 %
  yours:  sla-breach: imminent 80 % → 90 %
Next: run `leadctl policy pull --out FILE`, make your changes in FILE, and publish FILE.";
        assert_eq!(stale.words(), expected);
        let conflict = json!([{"theirs": "sla-breach: imminent 80 % → 70 %",
            "yours": "sla-breach: imminent 80 % → 90 %"}]);
        assert_eq!(stale.json()["conflicts"], conflict);
    }
}
