//! Names in a policy.

use crate::document::Problems;

/// A name is 1 to 64 characters without control characters and without a space at an end.
pub(super) fn check_name(problems: &mut Problems, at: String, name: &str) {
    if name.is_empty() {
        problems.add(at, "is empty; write a name of 1 to 64 characters");
    } else if name.chars().count() > 64 {
        problems.add(at, format!("`{name}` is too long; write at most 64 characters"));
    } else if name.trim() != name || name.contains(char::is_control) {
        problems
            .add(at, format!("`{name}` starts or ends with a space, or has a control character; remove it"));
    }
}
