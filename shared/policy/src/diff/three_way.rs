//! Two people change a document that was the same once: what each of them changed, and where both
//! touch the same thing.

use super::change::Change;

/// What became of one document in two hands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreeWay {
    /// What both changed alike.
    pub both: Vec<Change>,
    /// What only the others changed.
    pub theirs: Vec<Change>,
    /// What only you changed.
    pub yours: Vec<Change>,
    /// Changes of the same thing that do not come to the same: theirs and yours.
    pub conflicts: Vec<(Change, Change)>,
}

impl ThreeWay {
    /// Holds the changes of others against yours, both from the same base.
    #[must_use]
    pub fn of(theirs: Vec<Change>, yours: Vec<Change>) -> Self {
        let (both, theirs): (Vec<Change>, Vec<Change>) =
            theirs.into_iter().partition(|change| yours.contains(change));
        let yours: Vec<Change> = yours.into_iter().filter(|change| !both.contains(change)).collect();
        let mut conflicts = Vec::new();
        for their in &theirs {
            let same = yours.iter().filter(|your| is_same_thing(their, your));
            conflicts.extend(same.map(|your| (their.clone(), your.clone())));
        }
        Self { both, theirs, yours, conflicts }
    }
}

/// Whether two changes touch the same thing, or one of them touches what the other is a part of.
fn is_same_thing(a: &Change, b: &Change) -> bool {
    let within = |outer: &str, inner: &str| {
        let rest = inner.strip_prefix(outer);
        rest.is_some_and(|rest| outer.is_empty() || rest.is_empty() || rest.starts_with('/'))
    };
    a.section == b.section
        && a.market == b.market
        && (within(&a.touches, &b.touches) || within(&b.touches, &a.touches))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff;
    use crate::directory::Directory;
    use crate::policy::Policy;

    const POLICY: &str = include_str!("../../../../infra/policies/default.yaml");
    const DIRECTORY: &str = include_str!("../../../../infra/policies/directory.yaml");

    fn edited(text: &str, edits: &[(&str, &str)]) -> String {
        edits.iter().fold(text.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        })
    }

    fn policies(theirs: &[(&str, &str)], yours: &[(&str, &str)]) -> ThreeWay {
        let base = Policy::parse(POLICY).unwrap();
        let changed = |edits| diff::policies(&base, &Policy::parse(&edited(POLICY, edits)).unwrap());
        ThreeWay::of(changed(theirs), changed(yours))
    }

    fn directories(theirs: &[(&str, &str)], yours: &[(&str, &str)]) -> ThreeWay {
        let base = Directory::parse(DIRECTORY).unwrap();
        let changed = |edits| {
            let directory = Directory::parse(&edited(DIRECTORY, edits)).unwrap();
            diff::directories(base.document(), directory.document())
        };
        ThreeWay::of(changed(theirs), changed(yours))
    }

    fn shown(of: &ThreeWay) -> [Vec<String>; 4] {
        let words = |changes: &[Change]| changes.iter().map(ToString::to_string).collect();
        let conflicts = of.conflicts.iter().map(|(their, your)| format!("{their} | {your}")).collect();
        [words(&of.both), words(&of.theirs), words(&of.yours), conflicts]
    }

    #[test]
    fn changes_of_different_things_are_no_conflict() {
        let found = policies(&[("at: 80%", "at: 70%")], &[("score: 85", "score: 90")]);
        let [both, theirs, yours, conflicts] = shown(&found);
        assert_eq!((both.len(), conflicts.len()), (0, 0));
        assert_eq!(theirs, ["sla-breach: imminent 80 % → 70 %"]);
        assert_eq!(yours, ["high-value: score: 85 → 90"]);
    }

    #[test]
    fn the_same_value_changed_to_two_others_is_a_conflict_and_to_the_same_is_none() {
        let [_, _, _, conflicts] = shown(&policies(&[("at: 80%", "at: 70%")], &[("at: 80%", "at: 90%")]));
        assert_eq!(conflicts, ["sla-breach: imminent 80 % → 70 % | sla-breach: imminent 80 % → 90 %"]);
        let [both, theirs, yours, conflicts] =
            shown(&policies(&[("at: 80%", "at: 70%")], &[("at: 80%", "at: 70%")]));
        assert_eq!(both, ["sla-breach: imminent 80 % → 70 %"]);
        assert_eq!((theirs.len(), yours.len(), conflicts.len()), (0, 0, 0));
    }

    #[test]
    fn a_step_that_one_takes_away_and_the_other_changes_is_a_conflict() {
        let step = "      - { step: imminent, at: 80%, do: [tell-owner] }\n";
        let found = policies(&[(step, "")], &[("do: [tell-owner] }", "do: [tell-owner, tell-manager] }")]);
        assert_eq!(found.conflicts.len(), 1, "{:?}", shown(&found));
    }

    #[test]
    fn two_windows_are_two_things() {
        let found = policies(
            &[("source: partner, window: 4h", "source: partner, window: 3h")],
            &[("state: NEW, window: 1h", "state: NEW, window: 2h")],
        );
        assert_eq!(found.conflicts, [], "{:?}", shown(&found));
    }

    #[test]
    fn a_market_that_one_takes_away_and_the_other_changes_is_a_conflict() {
        let gone = "  dach:\n    calendar: berlin\n    team: dach-sales\n    licensed_for: [DE, AT, CH]\n    regional_vp: vp-ruth\n";
        let found = directories(&[(gone, "")], &[("[DE, AT, CH]", "[DE, AT]")]);
        assert_eq!(found.conflicts.len(), 1, "{:?}", shown(&found));
    }

    #[test]
    fn members_of_a_set_and_two_reps_are_not_in_each_others_way() {
        let found = directories(&[("[DE, AT, CH]", "[DE, AT]")], &[("[DE, AT, CH]", "[DE, AT, CH, LI]")]);
        assert_eq!(found.conflicts, [], "{:?}", shown(&found));
        let rep = "rep-ana: { seniority: junior, capacity: 40 }";
        let other = "rep-bob: { seniority: senior, capacity: 40 }";
        let found = directories(&[(rep, &rep.replace("40", "30"))], &[(other, &other.replace("40", "30"))]);
        assert_eq!(found.conflicts, [], "{:?}", shown(&found));
        let gone = format!("      {rep}\n");
        let found = directories(&[(&gone, "")], &[(rep, &rep.replace("40", "30"))]);
        assert_eq!(found.conflicts.len(), 1, "a rep who is gone for one and changed by the other");
    }
}
