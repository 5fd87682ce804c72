//! A Postgres and a Redis of one's own: on free ports of loopback, with the settings of a fresh
//! installation (fsync on), gone at the end.

mod postgres;
mod redis;
mod transactions;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};

pub use postgres::Postgres;
pub use redis::Redis;
pub use transactions::Transactions;

use crate::chance::Chance;

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

    /// A program that will run there.
    pub fn command(self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let prefix = self.prefix();
        let Some((first, rest)) = prefix.split_first() else {
            return Command::new(program);
        };
        let mut command = Command::new(first);
        command.args(rest).arg(program);
        command
    }
}

/// Free a moment ago: these programs do not say which port they were given. Below the range from which
/// the kernel takes the ports of outgoing connections: one of those could have it before, or while what
/// listens there is being started again.
pub fn free_address() -> Result<SocketAddr> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as u64;
    let mut chance = Chance::of(now ^ u64::from(std::process::id()));
    for _ in 0..1_000 {
        let port = 20_000 + chance.below(12_000) as u16;
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            return Ok(listener.local_addr()?);
        }
    }
    anyhow::bail!("no free port between 20000 and 32000")
}

/// Runs a program to its end, which must be a good one, and returns what it printed.
pub fn done(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_owned();
    let output = command.output().with_context(|| format!("{name:?} cannot be run"))?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name:?}: {}", error.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
