//! Programs that this one starts, and that do not outlive it.

use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

/// Which core a program runs on: its number, or any if there is none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Core(pub Option<u32>);

impl Core {
    /// The words in front of a program, so that it runs there and keeps its pid.
    pub fn prefix(self) -> Vec<String> {
        match self.0 {
            None => Vec::new(),
            Some(core) => vec!["taskset".into(), "-c".into(), core.to_string()],
        }
    }

    /// A program that will run there, and ends when this one does, however that ends: util-linux has the
    /// word for it.
    pub fn mortal(self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "--"])
            .args(self.prefix())
            .arg(program)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }
}

/// Runs a program to its end, which must be a good one, and returns what it printed.
pub async fn said(command: &mut Command) -> Result<String> {
    let name = command.as_std().get_program().to_owned();
    let output = command.output().await;
    let output = output.with_context(|| format!("{name:?} cannot be run"))?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name:?}: {}", error.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

pub async fn signal(name: &str, pid: u32) -> Result<()> {
    let done = Command::new("kill").args(["-s", name, &pid.to_string()]).status().await;
    ensure!(done.context("kill")?.success(), "kill -s {name} {pid}");
    Ok(())
}

/// Where a program's words go.
#[derive(Clone)]
pub enum Log {
    Nowhere,
    /// To where ours go.
    Here,
    /// To a file that grows over its restarts.
    File(PathBuf),
}

impl Log {
    pub fn open(&self) -> Result<Stdio> {
        let path = match self {
            Log::Nowhere => return Ok(Stdio::null()),
            Log::Here => return Ok(Stdio::inherit()),
            Log::File(path) => path,
        };
        let file = File::options().create(true).append(true).open(path);
        Ok(file.with_context(|| path.display().to_string())?.into())
    }
}
