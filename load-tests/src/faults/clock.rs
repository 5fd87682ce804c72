//! A process's clock, an hour off: Debian's `faketime`, preloaded. What measures intervals is left as it
//! is, since no real clock that is wrong runs at another pace.

use std::path::PathBuf;

use anyhow::{Context, Result};

/// So many hours ahead (or behind, if negative) of what it is.
pub struct Clock {
    library: PathBuf,
}

impl Clock {
    pub fn find() -> Result<Self> {
        let folders = std::fs::read_dir("/usr/lib").context("/usr/lib")?;
        let mut found = folders.filter_map(|folder| {
            let library = folder.ok()?.path().join("faketime/libfaketimeMT.so.1");
            library.is_file().then_some(library)
        });
        let library = found.next().context("Debian's package `faketime` is not installed")?;
        Ok(Self { library })
    }

    /// The environment of a program whose clock is to be off by `hours`.
    pub fn env(&self, hours: i32) -> Vec<(&'static str, String)> {
        if hours == 0 {
            return Vec::new();
        }
        vec![
            ("LD_PRELOAD", self.library.display().to_string()),
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
