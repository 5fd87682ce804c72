//! Programs that this one starts, and that do not outlive it.

use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

/// Ends when this program does, however that ends: util-linux has the word for it.
pub fn mortal(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", "--"])
        .arg(program)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

pub async fn signal(name: &str, pid: u32) -> Result<()> {
    let done = Command::new("kill").args(["-s", name, &pid.to_string()]).status().await;
    ensure!(done.context("kill")?.success(), "kill -s {name} {pid}");
    Ok(())
}

/// Where a program's words go: nowhere, or to a file that grows over its restarts.
#[derive(Clone)]
pub struct Log(pub Option<PathBuf>);

impl Log {
    pub fn open(&self) -> Result<Stdio> {
        let Some(path) = &self.0 else {
            return Ok(Stdio::null());
        };
        let file = File::options().create(true).append(true).open(path);
        Ok(file.with_context(|| path.display().to_string())?.into())
    }
}
