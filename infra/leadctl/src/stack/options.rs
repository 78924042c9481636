//! The options of a stack.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::port::Port;
use crate::progress::Progress;
use crate::state::DIRECTORY;

/// The usual port of AWS emulators.
const EMULATOR_PORT: u16 = 4566;
/// The usual port of the message sink.
const SINK_PORT: u16 = 4580;

/// How the functions are compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Fast to build; `leadctl` itself is built with it.
    Dev,
    /// As deployed.
    Release,
    /// As `cargo test --workspace` compiles: tests need more features of shared dependencies than the functions do, and
    /// this build reuses what was compiled for them. The name is that of a test target, which is compiled already.
    WithTest(&'static str),
}

/// The origin of the functions' binaries.
#[derive(Clone, Debug)]
pub enum Binaries {
    /// Cargo builds them first.
    Build(Profile),
    /// They exist already: each one's path by its logical id in the template, such as `Ingest`.
    At(BTreeMap<String, PathBuf>),
}

/// The options of a stack.
#[derive(Clone, Debug)]
pub struct StackOptions {
    /// The project's root, with `template.yaml`.
    pub root: PathBuf,
    /// The directory of state, logs and scratch files. One stack runs per directory.
    pub state_dir: PathBuf,
    /// The emulator's port.
    pub emulator_port: Port,
    /// The message sink's port.
    pub sink_port: Port,
    /// A running emulator, LocalStack or another, to deploy to instead of starting one.
    pub endpoint: Option<String>,
    /// The functions' binaries.
    pub binaries: Binaries,
    /// Template parameters, which override those of a local stack.
    pub parameters: BTreeMap<String, String>,
    /// The audience of the steps.
    pub progress: Progress,
}

impl StackOptions {
    /// The stack of `leadctl up`: in the project's own directory, on the usual ports.
    #[must_use]
    pub fn usual(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            state_dir: root.join(DIRECTORY),
            emulator_port: Port::Usually(EMULATOR_PORT),
            sink_port: Port::Usually(SINK_PORT),
            endpoint: None,
            binaries: Binaries::Build(Profile::Dev),
            parameters: BTreeMap::new(),
            progress: Progress::detect(),
        }
    }

    /// A silent stack beside any other, for a test: in a directory of its own, on free ports.
    #[must_use]
    pub fn private(root: &Path, state_dir: &Path) -> Self {
        Self {
            state_dir: state_dir.to_owned(),
            emulator_port: Port::Any,
            sink_port: Port::Any,
            progress: Progress::Silent,
            ..Self::usual(root)
        }
    }
}
