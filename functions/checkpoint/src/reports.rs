//! Reports of a changed audit, kept beside the checkpoints until an operator acknowledges each.

use crate::archive::{Archive, ArchiveError};
use audit::tampering::{ACKNOWLEDGED, Report, TAMPERING};
use std::collections::BTreeSet;

/// The names of the reports that nobody has acknowledged.
pub async fn open<A: Archive>(archive: &A) -> Result<Vec<String>, ArchiveError> {
    let acknowledged = acknowledged(archive).await?;
    let reports = archive.list(TAMPERING).await?;
    Ok(reports.into_iter().filter(|name| !acknowledged.contains(name)).collect())
}

/// Keeps reports, and raises the alarm for each. Returns the names of those that nobody has acknowledged.
pub async fn keep<A: Archive>(archive: &A, found: &[Report]) -> Result<Vec<String>, ArchiveError> {
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let acknowledged = acknowledged(archive).await?;
    let mut open = Vec::new();
    for report in found {
        let name = report.name();
        if acknowledged.contains(&name) {
            tracing::warn!(report = name, "an acknowledged alteration is still there");
            continue;
        }
        let text =
            serde_json::to_vec(report).map_err(|error| ArchiveError::new("write", &report.path(), error))?;
        archive.put_new(&report.path(), text).await?;
        tracing::error!(
            alarm = "audit-changed",
            subject = report.subject,
            commit = report.commit,
            event = "ALTERED",
            "an audit entry differs from what was signed"
        );
        open.push(name);
    }
    Ok(open)
}

async fn acknowledged<A: Archive>(archive: &A) -> Result<BTreeSet<String>, ArchiveError> {
    Ok(archive.list(ACKNOWLEDGED).await?.into_iter().collect())
}
