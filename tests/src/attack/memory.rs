//! The memory of this process.

use std::fs;

/// How much memory grew since it was warmed up.
#[derive(Debug, Default)]
pub(super) struct Memory {
    base: Option<u64>,
    /// Told by the attack itself, where it is not the peak that counts.
    growth: Option<u64>,
}

impl Memory {
    /// From here on memory counts.
    pub(super) fn is_warm(&mut self) {
        if self.base.is_none() {
            // Peaks before this one are forgotten.
            fs::write("/proc/self/clear_refs", "5").expect("this process may forget its peak");
            self.base = Some(resident());
        }
    }

    /// What grew is this, in KiB, and not the peak.
    pub(super) fn grew(&mut self, growth: u64) {
        self.growth = Some(growth);
    }

    /// In KiB.
    pub(super) fn growth(&self) -> u64 {
        let base = self.base.expect("an attack says when it is warm");
        self.growth.unwrap_or_else(|| of_status("VmHWM:").saturating_sub(base))
    }
}

/// What this process has in memory, in KiB.
pub(super) fn resident() -> u64 {
    of_status("VmRSS:")
}

fn of_status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux tells of this process");
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).expect("a number of KiB")
}
