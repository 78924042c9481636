//! The message to a manager about the leads of a rep who is away.

use crate::absence::absence;
use crate::rep::event::AbsenceDigest;
use crate::roster::{LeadsOfAbsent, Standing};
use chrono::{DateTime, Utc};
use policy::Policy;
use policy::directory::Directory;
use policy::ids::PersonId;

impl AbsenceDigest {
    /// The digest, with `kept` open leads still theirs; `None` if nothing is new. Leads that stay with them are
    /// reported once per absence.
    pub(crate) fn of(
        directory: &Directory,
        policy: &Policy,
        rep: &PersonId,
        standing: &Standing,
        (untold, kept): (&LeadsOfAbsent, u32),
        now: DateTime<Utc>,
    ) -> Option<Self> {
        let Some(absence) = absence(directory, rep, standing, now) else {
            // They are back, or no longer a rep; other messages cover the remaining leads.
            let leads = untold.clone();
            return (!untold.is_empty()).then_some(Self { until: None, is_over: true, leads, kept: 0 });
        };
        let is_first = absence.counts(policy, now)
            && !standing.told_of.is_some_and(|told_of| told_of.is(absence, standing));
        let is_news = !untold.is_empty() || (is_first && kept > 0);
        is_news.then(|| Self { until: absence.until, is_over: false, leads: untold.clone(), kept })
    }

    /// Its lines, each about some of the leads.
    pub(crate) fn lines(&self, directory: &Directory) -> Vec<String> {
        let name_of = |person| directory.person(person).map(|person| person.name.clone());
        let mut lines: Vec<String> = Vec::new();
        for (to, n) in &self.leads.handed_on {
            let to = name_of(to).unwrap_or_else(|| "another rep".to_owned());
            lines.push(format!("{} went to {to}", leads(*n)));
        }
        if self.leads.queued > 0 {
            lines.push(format!("{} went to the operations queue", leads(self.leads.queued)));
        }
        if self.kept > 0 {
            let stay = if self.kept == 1 { "stays" } else { "stay" };
            lines.push(format!("{} {stay} with them", leads(self.kept)));
        }
        lines
    }
}

fn leads(n: u32) -> String {
    if n == 1 { "1 lead".to_owned() } else { format!("{n} leads") }
}
