//! A Postgres and a Redis of one's own: on free ports of loopback, with fsync as in a fresh installation, gone
//! at the end.

pub mod clock;
mod postgres;
mod process;
mod redis;
mod transactions;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;

pub use postgres::Postgres;
pub use process::{Core, Log, said, signal};
pub use redis::Redis;
pub use transactions::Transactions;

use crate::chance::Chance;

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
