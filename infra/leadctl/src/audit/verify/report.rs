//! The outcome of a verification, for a person and for a program.

use policy::InForce;
use rules::record::{End, Header};
use serde::Serialize;

use super::against::Against;
use super::finding::{Finding, Findings, Place, Wrong};
use super::history::History;
use crate::audit::export::Live;
use crate::output::print;

/// So many findings are printed.
const PRINTED_MAX: usize = 20;

/// What was gone through.
#[derive(Debug, Default, Serialize)]
pub struct Counts {
    /// Histories.
    pub subjects: u64,
    /// Their commits.
    pub commits: u64,
    /// Their entries, as far as histories are whole.
    pub entries: u64,
    /// Published policies.
    pub policies: u64,
    /// Published directories.
    pub directories: u64,
    /// Lines that say what sealed texts say.
    pub opened: u64,
    #[serde(skip)]
    named: InForce,
}

impl Counts {
    /// Nothing yet but the revisions.
    pub fn of(found: &End, opened: u64) -> Self {
        Self { policies: found.policies, directories: found.directories, opened, ..Self::default() }
    }

    /// Takes a history in.
    pub fn take(&mut self, history: &History) {
        self.subjects += 1;
        self.entries += history.seq;
        let InForce { policy, directory } = &mut self.named;
        *policy = history.revisions.policy.max(*policy);
        *directory = history.revisions.directory.max(*directory);
    }

    /// Of each kind the highest revision that an entry names, and how many are there.
    pub fn revisions(&self) -> [(&'static str, u64, u64); 2] {
        let InForce { policy, directory } = &self.named;
        [
            ("policy", u64::from(*policy), self.policies),
            ("directory", u64::from(*directory), self.directories),
        ]
    }
}

/// The checkpoints that count.
#[derive(Debug, Serialize)]
struct Checkpoints {
    first: u64,
    last: u64,
    last_at: String,
    key_id: String,
    /// Commits that none of them knows yet.
    uncovered: u64,
}

/// How the live tables stand to the export.
#[derive(Debug, Default, Serialize)]
pub struct LiveCounts {
    /// Subjects that are as the export has them.
    pub same: u64,
    /// Subjects that went on since.
    pub moved: u64,
    /// Subjects that came since.
    pub new: u64,
}

/// The outcome.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether nothing is wrong.
    intact: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    export: Option<Header>,
    #[serde(flatten)]
    counts: Counts,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoints: Option<Checkpoints>,
    #[serde(skip_serializing_if = "Option::is_none")]
    live: Option<LiveCounts>,
    findings: Vec<Finding>,
    /// How many there are; the first of them are told.
    findings_count: u64,
    /// What nothing can be said of, and why.
    not_checked: Vec<String>,
}

impl Report {
    /// Puts together what was found.
    pub fn of(
        header: Option<Header>,
        counts: Counts,
        against: Option<Against>,
        asked_for_checkpoints: bool,
        findings: Findings,
    ) -> Self {
        let mut not_checked = Vec::new();
        let mut not = |what: String| not_checked.push(what);
        match &against {
            None if asked_for_checkpoints => {
                not("nothing was held against checkpoints: none of them counts".to_owned());
            }
            None => not("no checkpoints were given: a cut tail, a missing subject and a history that was \
                         written anew cannot be seen without them"
                .to_owned()),
            Some(against) => gaps(against, &mut not),
        }
        if header.is_none() {
            not("the histories: the export has no header that can be read".to_owned());
        }
        if counts.opened > 0 {
            not(format!(
                "{} lines that say what sealed texts say: only the sealed texts are under the chain",
                counts.opened
            ));
        }
        let checkpoints = against.map(|against| {
            let last = &against.series.last.checkpoint;
            Checkpoints {
                first: against.series.known.keys().next().copied().unwrap_or(last.number),
                last: last.number,
                last_at: last.at.to_rfc3339(),
                key_id: against.key_id.to_string(),
                uncovered: against.uncovered,
            }
        });
        let Findings { first, count } = findings;
        Self {
            intact: count == 0,
            export: header,
            counts,
            checkpoints,
            live: None,
            findings: first,
            findings_count: count,
            not_checked,
        }
    }

    /// Takes in what the live tables say, which are these.
    pub fn take_live(&mut self, tables: &Live, mut findings: Findings, counts: LiveCounts) {
        if let Some(header) = &self.export {
            for (what, exported, live) in [
                ("deployment", &header.deployment, &tables.deployment),
                ("table of leads", &header.leads_table, &tables.leads_table),
                ("table of the audit", &header.audit_table, &tables.audit_table),
            ] {
                if exported != live {
                    let why =
                        format!("the export names the {what} `{exported}`, and the live one is `{live}`");
                    findings.add(Place::default(), Wrong::Live { why });
                }
            }
        }
        self.findings_count += findings.count;
        self.findings.extend(findings.first);
        self.intact = self.findings_count == 0;
        self.live = Some(counts);
    }

    /// Whether nothing is wrong.
    pub fn is_intact(&self) -> bool {
        self.intact
    }

    /// What is wrong; of much, the first.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What nothing can be said of, and why.
    pub fn not_checked(&self) -> &[String] {
        &self.not_checked
    }

    /// Prints it: what is wrong first, a line each.
    ///
    /// # Errors
    /// None in practice: it can be written as JSON.
    pub fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            print(&serde_json::to_string(self)?);
            return Ok(());
        }
        for finding in self.findings.iter().take(PRINTED_MAX) {
            print(&finding.to_string());
        }
        let more = self.findings_count.saturating_sub(PRINTED_MAX as u64);
        if more > 0 {
            print(&format!("… and {more} more"));
        }
        let Counts { subjects, commits, entries, .. } = &self.counts;
        let verdict = if self.intact { "intact" } else { "NOT INTACT" };
        print(&format!("{verdict}: {entries} entries in {commits} commits of {subjects} subjects"));
        if let Some(header) = &self.export {
            print(&format!(
                "  export of `{}`, taken at {}",
                header.deployment,
                header.exported_at.to_rfc3339()
            ));
        }
        if let Some(Checkpoints { first, last, last_at, key_id, .. }) = &self.checkpoints {
            print(&format!("  checkpoints {first} to {last} ({last_at}), signed by the key {key_id}"));
        }
        if let Some(LiveCounts { same, moved, new, .. }) = &self.live {
            print(&format!("  live: {same} subjects are the same, {moved} went on since, {new} came since"));
        }
        for what in &self.not_checked {
            print(&format!("  not checked: {what}"));
        }
        Ok(())
    }
}

fn gaps(against: &Against, not: &mut dyn FnMut(String)) {
    let (first, last) = (against.series.known.keys().next().copied(), against.series.last.checkpoint.number);
    if !against.is_whole() {
        not(format!(
            "the checkpoints before number {}: subjects that did not change since, and the trees' roots",
            first.unwrap_or(last)
        ));
    }
    if against.uncovered > 0 {
        not(format!(
            "commits that are under no checkpoint yet ({}): a cut among what came after checkpoint {last} cannot be seen",
            against.uncovered
        ));
    }
    if against.newer > 0 {
        not(format!("heads of checkpoints that are newer than the export ({})", against.newer));
    }
}
