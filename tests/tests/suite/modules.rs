//! No file of tests is forgotten: a file that its binary does not name is not compiled, and nobody notices.

use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn every_file_of_tests_is_in_its_binary() {
    for folder in ["shared/store/tests", "infra/leadctl/tests", "tests/tests/suite"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
        let main = std::fs::read_to_string(folder.join("main.rs")).expect("a binary has a main file");
        let named: BTreeSet<&str> =
            main.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';')).collect();
        for entry in folder.read_dir().expect("the folder can be listed") {
            let path = entry.expect("an entry").path();
            let is_module =
                path.extension().is_some_and(|extension| extension == "rs") || path.join("mod.rs").exists();
            let name = path.file_stem().and_then(|name| name.to_str()).expect("a name");
            assert!(!is_module || name == "main" || named.contains(name), "no binary has {}", path.display());
        }
    }
}
