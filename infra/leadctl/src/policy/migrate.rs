//! `leadctl policy migrate`: rewrites a policy of an earlier version for this version, with its comments.
//!
//! The reasons of compliance decisions now name their verdict: `false-match: The match is someone else.` becomes
//! `false-match: { means: The match is someone else., verdict: clear }`.

use crate::document_file::{policy_of, read};
use crate::output::print_text;
use anyhow::bail;
use policy::{Policy, Verdict, well_known};
use std::path::PathBuf;

/// Options of `leadctl policy migrate`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The policy (YAML); `-` reads standard input
    policy: PathBuf,
    /// A reason code of your own that clears a lead; repeatable
    #[arg(long, value_name = "CODE")]
    clear: Vec<String>,
    /// A reason code of your own that rejects a lead; repeatable
    #[arg(long, value_name = "CODE")]
    reject: Vec<String>,
}

/// Prints the policy.
///
/// # Errors
/// When the policy is not valid, or a reason's verdict is unknown.
pub fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let source = read(&arguments.policy)?;
    let policy = policy_of(&source, None)?;
    print_text(&migrated(&source.text, &policy, arguments)?);
    Ok(true)
}

fn migrated(text: &str, policy: &Policy, arguments: &Arguments) -> anyhow::Result<String> {
    let named = |codes: &[String], code: &str| codes.iter().any(|named| named == code);
    let mut verdicts = Vec::new();
    let mut unknown = Vec::new();
    for (code, reason) in &policy.workflows.compliance_flag.reason_codes {
        if reason.verdict.is_some() {
            continue;
        }
        match (named(&arguments.clear, code), named(&arguments.reject, code), well_known(code)) {
            (true, true, _) => bail!("`{code}` is in both `--clear` and `--reject`; keep one"),
            (true, false, _) => verdicts.push((code.as_str(), reason.means.as_str(), Verdict::Clear)),
            (false, true, _) => verdicts.push((code.as_str(), reason.means.as_str(), Verdict::Reject)),
            (false, false, Some(verdict)) => verdicts.push((code.as_str(), reason.means.as_str(), verdict)),
            (false, false, None) => unknown.push(format!("`{code}`")),
        }
    }
    if !unknown.is_empty() {
        bail!(
            "the verdict of {} is unknown; name it with `--clear CODE` or `--reject CODE`",
            unknown.join(", ")
        );
    }
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let begin = lines.iter().position(|line| line.trim_start().starts_with("reason_codes:"));
    for (code, means, verdict) in verdicts {
        let rows = lines.iter_mut().skip(begin.map_or(usize::MAX, |begin| begin + 1));
        let row = rows.into_iter().find(|line| names(line, code));
        let Some(row) = row else {
            bail!("`{code}` is not on a line of its own; write its verdict by hand");
        };
        let indent: String = row.chars().take_while(|c| c.is_whitespace()).collect();
        *row = format!(
            "{indent}{code}: {{ means: {}, verdict: {} }}",
            serde_json::to_string(means)?,
            verdict.as_str()
        );
    }
    let written = lines.join("\n") + "\n";
    // Reads the result again: a line that was mistaken for a reason shows here.
    let again = Policy::parse(&written)?;
    let codes = &again.workflows.compliance_flag.reason_codes;
    let means_the_same =
        policy.workflows.compliance_flag.reason_codes.iter().all(|(code, was)| {
            codes.get(code).is_some_and(|is| is.means == was.means && is.verdict.is_some())
        });
    if !means_the_same || codes.len() != policy.workflows.compliance_flag.reason_codes.len() {
        bail!("the reasons cannot be rewritten line by line; write the verdicts by hand");
    }
    Ok(written)
}

fn names(line: &str, code: &str) -> bool {
    let name = line.trim_start().split_once(':').map(|(name, _)| name.trim_matches(['"', '\'']));
    name == Some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: &str = include_str!("../../../policies/default.yaml");

    /// The default policy, with its reasons in the earlier form.
    fn earlier(own: &str) -> String {
        let (head, rest) = TODAY.split_once("    reason_codes:\n").unwrap();
        let (_, tail) = rest.split_once("\n\n").unwrap();
        format!(
            "{head}    reason_codes:\n      # Kept.\n      false-match: The match is someone else.\n      \"true-match\": 'It is: \"confirmed\".'\n{own}\n{tail}"
        )
    }

    fn arguments(clear: &[&str]) -> Arguments {
        let clear = clear.iter().map(|code| (*code).to_owned()).collect();
        Arguments { policy: "-".into(), clear, reject: Vec::new() }
    }

    #[test]
    fn reasons_get_their_verdict_and_comments_stay() {
        let text = earlier("      home-made: Our own.\n");
        let policy = Policy::parse(&text).unwrap();
        let refused = migrated(&text, &policy, &arguments(&[])).unwrap_err().to_string();
        assert_eq!(
            refused,
            "the verdict of `home-made` is unknown; name it with `--clear CODE` or `--reject CODE`"
        );
        let written = migrated(&text, &policy, &arguments(&["home-made"])).unwrap();
        assert!(written.contains("      # Kept.\n"), "{written}");
        let codes = Policy::parse(&written).unwrap().workflows.compliance_flag.reason_codes;
        let verdicts: Vec<_> = codes.iter().map(|(code, is)| (code.as_str(), is.verdict.unwrap())).collect();
        assert_eq!(
            verdicts,
            [("false-match", Verdict::Clear), ("home-made", Verdict::Clear), ("true-match", Verdict::Reject)]
        );
        assert_eq!(codes["true-match"].means, "It is: \"confirmed\".");
    }

    #[test]
    fn a_policy_of_this_version_stays_as_it_is() {
        let policy = Policy::parse(TODAY).unwrap();
        assert_eq!(migrated(TODAY, &policy, &arguments(&[])).unwrap(), TODAY);
    }
}
