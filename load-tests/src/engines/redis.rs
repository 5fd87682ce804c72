//! A private Redis that keeps nothing.

use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::{Core, free_address};

const STARTS_WITHIN: Duration = Duration::from_secs(10);

pub struct Redis {
    address: SocketAddr,
    child: Child,
}

impl Redis {
    pub fn start(core: Core) -> Result<Self> {
        let address = free_address()?;
        let child = core
            .command("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &address.port().to_string()])
            .args(["--save", "", "--appendonly", "no", "--dir", "/tmp"])
            .stdout(Stdio::null())
            .spawn()
            .context("there is no Redis here: install redis-server")?;
        let redis = Self { address, child };
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            ensure!(started.elapsed() < STARTS_WITHIN, "redis-server does not answer");
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(redis)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn url(&self) -> String {
        format!("redis://{}/", self.address)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
