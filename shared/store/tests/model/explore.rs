//! Explores all states of a model, and reports violations with a trace.

use super::state::State;
use super::steps::{Bundle, Step};
use stateright::{Checker, Expectation, HasDiscoveries, Model};
use std::collections::HashMap;
use std::fmt::Write;

/// A violation.
pub struct Violation {
    /// The violated property, or the corner case that is never reached.
    pub name: &'static str,
    /// The trace; empty for an unreached corner case.
    pub trace: Vec<Step>,
}

impl Violation {
    pub fn story(&self) -> String {
        let steps = self.trace.iter().fold(String::new(), |mut story, step| {
            let _ = write!(story, "\n    lead {}, {:?}: {:?}", step.lead, step.who, step.what);
            story
        });
        format!("{}:{steps}", self.name)
    }
}

/// Explores the whole model, or up to the first violation. Returns the number of states.
pub fn explore(bundle: &Bundle) -> (usize, Vec<Violation>) {
    let until = HasDiscoveries::AnyFailures;
    let checker = bundle.clone().checker().threads(2).finish_when(until).spawn_bfs().join();
    let (states, steps, depth) = (checker.unique_state_count(), checker.state_count(), checker.max_depth());
    println!("{bundle:?}: {states} states, {steps} steps, at most {depth} on a path");
    let mut discoveries = checker.discoveries();
    let wrong = bundle.properties().into_iter().filter_map(|property| {
        let trace = match (property.expectation, discoveries.remove(property.name)) {
            (Expectation::Sometimes, None) => Vec::new(),
            (Expectation::Always, Some(path)) => {
                path.into_actions().into_iter().map(|(step, _)| step).collect()
            }
            _ => return None,
        };
        Some(Violation { name: property.name, trace })
    });
    (states, wrong.collect())
}

/// All properties hold and all corner cases are reached; the number of states.
pub fn assert_it_holds(bundle: &Bundle) -> usize {
    let (states, wrong) = explore(bundle);
    let stories: Vec<String> = wrong.iter().map(Violation::story).collect();
    assert!(wrong.is_empty(), "{}", stories.join("\n"));
    states
}

/// No state repeats on a path, so each path ends in any order. A path ends only when nothing is left to do,
/// so a property of every end is certain to hold eventually.
pub fn assert_no_path_is_endless(bundle: &Bundle) {
    // Whether all successors of a state were explored; until then the state is on the path.
    let mut is_done: HashMap<State, bool> = HashMap::new();
    let mut path: Vec<(State, Vec<(Step, State)>)> = Vec::new();
    let after = |state: &State| {
        let mut steps = Vec::new();
        bundle.steps(state, &mut steps);
        steps
    };
    let beginning = bundle.beginning();
    is_done.insert(beginning, false);
    path.push((beginning, after(&beginning)));
    while let Some((state, steps)) = path.last_mut() {
        let Some((step, next)) = steps.pop() else {
            is_done.insert(*state, true);
            path.pop();
            continue;
        };
        match is_done.get(&next) {
            Some(true) => {}
            Some(false) => panic!("after {step:?} it is where it was before: {next:?}"),
            None => {
                is_done.insert(next, false);
                path.push((next, after(&next)));
            }
        }
    }
    assert!(is_done.values().all(|is_done| *is_done));
}
