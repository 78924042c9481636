//! How properties are tried.

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

/// On so many cases, or on as many as `PROPTEST_CASES` says. A case that fails is kept in `tests/proptest-regressions`,
/// in a file named after the test's, and tried first from then on.
pub fn config(cases: u32) -> ProptestConfig {
    // From the folder of the binary's `main.rs`, in which proptest looks for it.
    let kept = FileFailurePersistence::SourceParallel("../proptest-regressions");
    let asked = ProptestConfig { failure_persistence: Some(Box::new(kept)), ..ProptestConfig::default() };
    let is_asked = std::env::var_os("PROPTEST_CASES").is_some();
    if is_asked { asked } else { ProptestConfig { cases, ..asked } }
}
