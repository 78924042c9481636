//! Which reason code a decision may name, and how many officers must agree on it.

use super::content::ComplianceFlag;
use super::reasons::ReasonCode;
use crate::vocabulary::Verdict;

/// Why a decision cannot name a reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// The policy does not have it.
    #[error("the policy has no reason code `{code}`; its codes to {verdict}: {}", listed(.known))]
    Unknown {
        /// The code.
        code: String,
        /// What was to be decided.
        verdict: &'static str,
        /// The codes for that.
        known: Vec<String>,
    },
    /// It is a reason for the other verdict.
    #[error("`{code}` is a reason to {other}, not to {verdict}; the policy's codes to {verdict}: {}", listed(.known))]
    OtherVerdict {
        /// The code.
        code: String,
        /// What it is a reason for.
        other: &'static str,
        /// What was to be decided.
        verdict: &'static str,
        /// The codes for that.
        known: Vec<String>,
    },
    /// The policy does not say which verdict it is for, and a lead is not cleared on a guess.
    #[error(
        "the policy does not say which verdict `{code}` is for, so it cannot clear a lead; \
         add its `verdict` to the policy and publish it"
    )]
    Undefined {
        /// The code.
        code: String,
    },
}

fn listed(codes: &[String]) -> String {
    if codes.is_empty() { "none".to_owned() } else { codes.join(", ") }
}

impl ComplianceFlag {
    /// The reason that a decision names, if it is one for that verdict.
    ///
    /// # Errors
    /// [`CodeError`] says which reasons there are.
    pub fn code_for(&self, code: &str, verdict: Verdict) -> Result<&ReasonCode, CodeError> {
        let known = || {
            let fits = |(code, reason): &(&String, &ReasonCode)| reason.verdict_of(code) == Some(verdict);
            self.reason_codes.iter().filter(fits).map(|(code, _)| code.clone()).collect()
        };
        let (code, verdict_name) = (code.to_owned(), verdict.as_str());
        let Some(reason) = self.reason_codes.get(&code) else {
            return Err(CodeError::Unknown { code, verdict: verdict_name, known: known() });
        };
        match reason.verdict_of(&code) {
            Some(own) if own == verdict => Ok(reason),
            // Nothing is let through by a rejection.
            None if verdict == Verdict::Reject => Ok(reason),
            None => Err(CodeError::Undefined { code }),
            Some(other) => Err(CodeError::OtherVerdict {
                code,
                other: other.as_str(),
                verdict: verdict_name,
                known: known(),
            }),
        }
    }

    /// How many officers must agree on a decision for a reason.
    pub fn officers_for(&self, code: &str) -> u8 {
        self.reason_codes.get(code).map_or(self.officers, |reason| reason.officers.max(self.officers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn flag(codes: serde_json::Value) -> ComplianceFlag {
        let about = json!({"what": "a", "when": "b", "why": "c"});
        serde_json::from_value(json!({"about": about, "officers": 1, "reminders": [], "reason_codes": codes}))
            .unwrap()
    }

    #[test]
    fn a_reason_is_for_one_verdict() {
        let flag = flag(json!({
            "fine": {"means": "Fine.", "verdict": "clear", "officers": 2},
            "bad": {"means": "Bad.", "verdict": "reject"},
            "false-match": "Written before verdicts were.",
            "odd": "Of the customer's own, from before.",
        }));
        let refused = |code, verdict| flag.code_for(code, verdict).unwrap_err().to_string();
        assert_eq!((flag.officers_for("fine"), flag.officers_for("bad")), (2, 1));
        assert!(flag.code_for("fine", Verdict::Clear).is_ok());
        assert!(flag.code_for("false-match", Verdict::Clear).is_ok());
        assert!(flag.code_for("odd", Verdict::Reject).is_ok());
        assert_eq!(
            refused("bad", Verdict::Clear),
            "`bad` is a reason to reject, not to clear; the policy's codes to clear: false-match, fine"
        );
        assert!(
            refused("false-match", Verdict::Reject)
                .contains("`false-match` is a reason to clear, not to reject")
        );
        assert!(refused("odd", Verdict::Clear).contains("does not say which verdict `odd` is for"));
        assert!(refused("none", Verdict::Clear).contains("no reason code `none`"));
    }

    #[test]
    fn a_reason_without_a_verdict_is_written_as_it_was() {
        let codes = json!({"odd": "From before.", "fine": {"means": "Fine.", "verdict": "clear"}});
        let flag = flag(codes.clone());
        assert_eq!(serde_json::to_value(&flag.reason_codes).unwrap(), codes);
    }
}
