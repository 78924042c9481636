//! How long ago a person started the command that became this process.

use std::time::Duration;

/// Clock ticks per second in `/proc`: the kernel's `USER_HZ`, which is 100 on every architecture that Rust supports.
const TICKS_PER_S: f64 = 100.0;
/// The place of `starttime` in `/proc/self/stat`, counted behind the command's name (proc_pid_stat(5)).
const START_TIME: usize = 19;

/// The age of this process. `cargo run` replaces itself with the program, so it includes cargo's own build. `None` on a
/// system that does not tell.
pub(crate) fn process_age() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
    age(&stat, &uptime)
}

fn age(stat: &str, uptime: &str) -> Option<Duration> {
    // The name stands in brackets and may hold anything, brackets and spaces included.
    let (_, after_name) = stat.rsplit_once(')')?;
    let start_ticks: f64 = after_name.split_whitespace().nth(START_TIME)?.parse().ok()?;
    let uptime_s: f64 = uptime.split_whitespace().next()?.parse().ok()?;
    Duration::try_from_secs_f64(uptime_s - start_ticks / TICKS_PER_S).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_is_read_behind_any_name() {
        let stat =
            "15903 (a) R (b) R 15901 15901 4800 0 -1 4194304 131 0 0 0 0 0 0 0 20 0 1 0 936085 3133440 390";
        assert_eq!(age(stat, "9370.85 1.00\n"), Some(Duration::from_secs(10)));
        assert_eq!(age(stat, "9000.00 1.00\n"), None);
        assert_eq!(age("", ""), None);
    }

    #[test]
    fn this_process_is_younger_than_the_system() {
        assert!(process_age().is_none_or(|age| age < Duration::from_secs(86_400)));
    }
}
