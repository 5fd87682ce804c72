//! A private Redis that keeps nothing, on a port of its own over its restarts.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Child;
use tokio::time::{Instant, sleep};

use super::{Core, Log, free_address, signal};

const STARTS_WITHIN: Duration = Duration::from_secs(20);

pub struct Redis {
    address: SocketAddr,
    core: Core,
    log: Log,
    child: Option<Child>,
}

impl Redis {
    pub async fn start(core: Core, log: Log) -> Result<Self> {
        let mut redis = Self {
            address: free_address()?,
            core,
            log,
            child: None,
        };
        redis.run().await?;
        Ok(redis)
    }

    pub fn url(&self) -> String {
        format!("redis://{}/", self.address)
    }

    pub fn pid(&self) -> Result<u32> {
        self.child.as_ref().and_then(Child::id).context("Redis is gone")
    }

    /// Returns when it answers.
    pub async fn run(&mut self) -> Result<()> {
        let started = Instant::now();
        loop {
            let mut command = self.core.mortal("redis-server");
            command
                .args(["--bind", "127.0.0.1", "--port", &self.address.port().to_string()])
                .args(["--save", "", "--appendonly", "no", "--dir", "/tmp"])
                .stdout(self.log.open()?)
                .stderr(Stdio::null());
            let mut child = command.spawn().context("setpriv")?;
            // It ends at once if the port is still taken.
            while child.try_wait()?.is_none() {
                if self.ask("PING").await.is_ok_and(|said| said == "+PONG") {
                    self.child = Some(child);
                    return Ok(());
                }
                ensure!(started.elapsed() < STARTS_WITHIN, "redis-server does not answer");
                sleep(Duration::from_millis(10)).await;
            }
            let missing = "redis-server does not start; is Debian's package `redis-server` installed?";
            ensure!(started.elapsed() < STARTS_WITHIN, missing);
            sleep(Duration::from_millis(100)).await;
        }
    }

    pub async fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill().await?;
        }
        Ok(())
    }

    /// STOP, or CONT.
    pub async fn signal(&self, name: &str) -> Result<()> {
        signal(name, self.pid()?).await
    }

    pub async fn kill_subscriptions(&self) -> Result<()> {
        let said = self.ask("CLIENT KILL TYPE pubsub").await?;
        ensure!(said.starts_with(':'), "CLIENT KILL: {said}");
        Ok(())
    }

    /// The first line of the answer.
    async fn ask(&self, command: &str) -> Result<String> {
        let asked = async {
            let mut stream = BufReader::new(TcpStream::connect(self.address).await?);
            stream.write_all(format!("{command}\r\n").as_bytes()).await?;
            let mut line = String::new();
            stream.read_line(&mut line).await?;
            anyhow::Ok(line.trim_end().to_owned())
        };
        tokio::time::timeout(Duration::from_secs(5), asked).await?
    }
}
