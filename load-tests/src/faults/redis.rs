//! Redis: a private one, on a port of its own, that keeps nothing; or one that somebody named.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Child;
use tokio::time::{Instant, sleep};

use super::process::{Log, mortal, signal};
use crate::engines::free_address;

const STARTS_WITHIN: Duration = Duration::from_secs(20);

pub struct Redis {
    pub address: SocketAddr,
    log: Log,
    child: Option<Child>,
}

impl Redis {
    pub async fn start(log: Log) -> Result<Self> {
        let mut redis = Self {
            address: free_address()?,
            log,
            child: None,
        };
        redis.run().await?;
        Ok(redis)
    }

    /// Returns when it answers.
    pub async fn run(&mut self) -> Result<()> {
        let started = Instant::now();
        loop {
            let mut command = mortal("redis-server");
            command
                .args(["--bind", "127.0.0.1", "--port", &self.address.port().to_string()])
                .args(["--save", "", "--appendonly", "no", "--dir", "/tmp"])
                .stdout(self.log.open()?)
                .stderr(Stdio::null());
            let mut child = command.spawn().context("redis-server")?;
            // It ends at once if the port is still taken.
            while child.try_wait()?.is_none() {
                if self.ask("PING").await.is_ok_and(|said| said == "+PONG") {
                    self.child = Some(child);
                    return Ok(());
                }
                ensure!(started.elapsed() < STARTS_WITHIN, "redis-server does not answer");
                sleep(Duration::from_millis(10)).await;
            }
            ensure!(started.elapsed() < STARTS_WITHIN, "redis-server does not start");
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
        signal(name, self.child.as_ref().and_then(Child::id).context("Redis is gone")?).await
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

/// Where a `redis://` URL points to, and the same URL pointing elsewhere.
pub fn address(url: &str) -> Result<SocketAddr> {
    let host = host(url)?;
    let host = if host.contains(':') {
        host.to_owned()
    } else {
        format!("{host}:6379")
    };
    let found = std::net::ToSocketAddrs::to_socket_addrs(&host).with_context(|| host.clone())?;
    found.into_iter().next().with_context(|| host.clone())
}

pub fn at(url: &str, address: SocketAddr) -> Result<String> {
    Ok(url.replacen(host(url)?, &address.to_string(), 1))
}

fn host(url: &str) -> Result<&str> {
    let Some(rest) = url.strip_prefix("redis://") else {
        bail!("REDIS_URL: only redis:// can be led through a proxy");
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    Ok(authority.rsplit('@').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_led_elsewhere_with_all_it_says() {
        let proxy = "127.0.0.1:7".parse().unwrap();
        assert_eq!(
            at("redis://me:word@127.0.0.1:6380/2?protocol=resp3", proxy).unwrap(),
            "redis://me:word@127.0.0.1:7/2?protocol=resp3"
        );
        assert_eq!(address("redis://127.0.0.1/").unwrap().port(), 6379);
        assert!(at("rediss://cache", proxy).is_err());
    }
}
