//! The outcome of a verification, for people and for programs.

use policy::InForce;
use rules::record::{End, Header};
use serde::Serialize;

use super::coverage::Coverage;
use super::finding::{Finding, Findings, Place, Problem};
use super::history::History;
use crate::audit::tables::Live;
use crate::output::print;

/// How many findings are printed.
const PRINTED_MAX: usize = 20;

/// The numbers of checked things.
#[derive(Debug, Default, Serialize)]
pub struct Counts {
    /// The number of histories.
    pub subjects: u64,
    /// The number of their commits.
    pub commits: u64,
    /// The number of their entries, up to the first problem of each history.
    pub entries: u64,
    /// The number of published policies.
    pub policies: u64,
    /// The number of published directories.
    pub directories: u64,
    /// The number of lines with opened personal data.
    pub opened: u64,
    #[serde(skip)]
    named: InForce,
}

impl Counts {
    /// Begins with the numbers of revisions.
    pub fn of(found: &End, opened: u64) -> Self {
        Self { policies: found.policies, directories: found.directories, opened, ..Self::default() }
    }

    /// Adds a history.
    pub fn add(&mut self, history: &History) {
        self.subjects += 1;
        self.entries += history.seq;
        let InForce { policy, directory } = &mut self.named;
        *policy = history.revisions.policy.max(*policy);
        *directory = history.revisions.directory.max(*directory);
    }

    /// For each kind of document, the highest revision in an entry and the number of revisions.
    pub fn revisions(&self) -> [(&'static str, u64, u64); 2] {
        let InForce { policy, directory } = &self.named;
        [
            ("policy", u64::from(*policy), self.policies),
            ("directory", u64::from(*directory), self.directories),
        ]
    }
}

/// The valid checkpoints.
#[derive(Debug, Serialize)]
struct Checkpoints {
    first: u64,
    last: u64,
    last_at: String,
    key_id: String,
    /// The number of commits in none of them yet.
    uncovered: u64,
}

/// How the live tables compare with the export.
#[derive(Debug, Default, Serialize)]
pub struct LiveCounts {
    /// The number of subjects that are as in the export.
    pub same: u64,
    /// The number of subjects with later commits.
    pub moved: u64,
    /// The number of later subjects.
    pub new: u64,
}

/// The outcome of a verification.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether there is no finding.
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
    /// The number of findings; `findings` has the first ones.
    findings_count: u64,
    /// The parts that could not be checked, and why.
    not_checked: Vec<String>,
}

impl Report {
    /// Assembles the outcome.
    pub fn of(
        header: Option<Header>,
        counts: Counts,
        coverage: Option<Coverage>,
        has_checkpoints: bool,
        findings: Findings,
    ) -> Self {
        let mut not_checked = Vec::new();
        let mut not = |what: String| not_checked.push(what);
        match &coverage {
            None if has_checkpoints => {
                not("the export against checkpoints: no checkpoint is valid".to_owned());
            }
            None => {
                not("cut tails, missing histories and rewritten histories: only checkpoints show them; add \
                         `--checkpoints DIR --key FILE`"
                    .to_owned())
            }
            Some(coverage) => gaps(coverage, &mut not),
        }
        if header.is_none() {
            not("the histories: the header of the export cannot be read".to_owned());
        }
        if counts.opened > 0 {
            not(format!(
                "{} lines with opened personal data: the chain covers only the sealed texts",
                counts.opened
            ));
        }
        let checkpoints = coverage.map(|coverage| {
            let last = &coverage.series.last.checkpoint;
            Checkpoints {
                first: coverage.series.known.keys().next().copied().unwrap_or(last.number),
                last: last.number,
                last_at: last.at.to_rfc3339(),
                key_id: coverage.key_id.to_string(),
                uncovered: coverage.uncovered,
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

    /// Adds the comparison with these live tables.
    pub fn add_live(&mut self, tables: &Live, mut findings: Findings, counts: LiveCounts) {
        if let Some(header) = &self.export {
            for (what, exported, live) in [
                ("deployment", &header.deployment, &tables.deployment),
                ("leads table", &header.leads_table, &tables.leads_table),
                ("audit table", &header.audit_table, &tables.audit_table),
            ] {
                if exported != live {
                    let why =
                        format!("the export names the {what} `{exported}`, and the live one is `{live}`");
                    findings.add(Place::default(), Problem::Live { why });
                }
            }
        }
        self.findings_count += findings.count;
        self.findings.extend(findings.first);
        self.intact = self.findings_count == 0;
        self.live = Some(counts);
    }

    /// Whether there is no finding.
    pub fn is_intact(&self) -> bool {
        self.intact
    }

    /// The first findings.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The parts that could not be checked, and why.
    pub fn not_checked(&self) -> &[String] {
        &self.not_checked
    }

    /// Prints the findings, one per line, and the verdict.
    ///
    /// # Errors
    /// None in practice: the outcome can be written as JSON.
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
            print(&format!("  checkpoints {first} to {last} ({last_at}), signed with the key {key_id}"));
        }
        if let Some(LiveCounts { same, moved, new, .. }) = &self.live {
            print(&format!(
                "  live tables: {same} subjects are the same, {moved} have later commits, {new} are new"
            ));
        }
        for what in &self.not_checked {
            print(&format!("  not checked: {what}"));
        }
        Ok(())
    }
}

fn gaps(coverage: &Coverage, not: &mut dyn FnMut(String)) {
    let (first, last) =
        (coverage.series.known.keys().next().copied(), coverage.series.last.checkpoint.number);
    if !coverage.is_whole() {
        not(format!(
            "the checkpoints before number {}: subjects without later changes, and the roots of the trees",
            first.unwrap_or(last)
        ));
    }
    if coverage.uncovered > 0 {
        not(format!(
            "commits in no checkpoint yet ({}): a cut after checkpoint {last} does not show",
            coverage.uncovered
        ));
    }
    if coverage.newer > 0 {
        not(format!("heads in checkpoints that are newer than the export ({})", coverage.newer));
    }
}
