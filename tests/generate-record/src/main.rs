//! `cargo generate-record`: writes a made-up audit to a file.

use anyhow::Context as _;
use clap::Parser;
use policy::Policy;
use std::io::BufWriter;
use std::path::PathBuf;

/// Write a made-up audit of thirty days as an export, to measure with
#[derive(Parser)]
struct Arguments {
    /// The number of leads
    #[arg(long, default_value_t = 10_000)]
    leads: u32,
    /// The seed; the same seed gives the same audit
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The policy (YAML)
    #[arg(long, value_name = "FILE", default_value = "infra/policies/default.yaml")]
    policy: PathBuf,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let Arguments { leads, seed, policy: path, out } = Arguments::parse();
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let policy = Policy::parse(&text).with_context(|| format!("{} is not valid", path.display()))?;
    let file = std::fs::File::create(&out).with_context(|| format!("cannot write {}", out.display()))?;
    generate_record::write(BufWriter::new(file), leads, seed, &policy)?;
    Ok(())
}
