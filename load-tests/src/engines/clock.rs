//! A process's clock, an hour off: Debian's `faketime`, preloaded. What measures intervals is left as it
//! is, since no real clock that is wrong runs at another pace.

use std::path::PathBuf;

use anyhow::{Context, Result};

/// The library that tells it.
pub struct Clock {
    folder: PathBuf,
}

impl Clock {
    pub fn find() -> Result<Self> {
        let folders = std::fs::read_dir("/usr/lib").context("/usr/lib")?;
        let mut found = folders.filter_map(|folder| {
            let folder = folder.ok()?.path().join("faketime");
            folder.is_dir().then_some(folder)
        });
        let folder = found.next().context("Debian's package `faketime` is not installed")?;
        Ok(Self { folder })
    }

    /// The environment of a node whose clock is ahead by so many hours, or behind, if negative.
    pub fn of_node(&self, hours: i32) -> Vec<(&'static str, String)> {
        self.env("libfaketimeMT.so.1", hours)
    }

    /// The same for Postgres, which has no threads, but asks for the time in signal handlers too: these
    /// would wait for ever for a lock of the variant for threads that they have interrupted.
    pub fn of_postgres(&self, hours: i32) -> Vec<(&'static str, String)> {
        self.env("libfaketime.so.1", hours)
    }

    fn env(&self, library: &str, hours: i32) -> Vec<(&'static str, String)> {
        vec![
            ("LD_PRELOAD", self.folder.join(library).display().to_string()),
            ("FAKETIME", format!("{hours:+}h")),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
    }
}

/// The library shares memory between a process and its children, and cannot take it back from one that
/// was killed.
pub fn clear_after(pid: u32) {
    for name in ["faketime_shm", "sem.faketime_sem"] {
        let _ = std::fs::remove_file(format!("/dev/shm/{name}_{pid}"));
    }
}
