//! One node of the cluster: a process on a port that stays its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::process::Child;
use tokio::time::{Instant, sleep, timeout};

use super::clock;
use super::process::{Log, mortal, signal};
use crate::engines::free_address;
use crate::http::Http;
use crate::local::without_accounts;

/// Other faults may keep it from getting ready for as long as they last.
const STARTS_WITHIN: Duration = Duration::from_secs(90);
const ENDS_WITHIN: Duration = Duration::from_secs(30);
const DRAIN_MS: &str = "1000";
/// More than any run has.
const NO_LIMIT: &str = "1000000";

pub struct Node {
    pub address: SocketAddr,
    binary: PathBuf,
    env: Vec<(String, String)>,
    log: Log,
    child: Option<Child>,
}

impl Node {
    pub fn new(binary: PathBuf, env: Vec<(String, String)>, log: Log) -> Result<Self> {
        Ok(Self {
            address: free_address()?,
            binary,
            env,
            log,
            child: None,
        })
    }

    /// Returns when it is ready; until then it is started again, as by whoever watches over it.
    /// `clock` is its environment besides.
    pub async fn run(&mut self, clock: &[(&str, String)]) -> Result<()> {
        let started = Instant::now();
        loop {
            let mut command = mortal(&self.binary);
            without_accounts(&mut command)
                .args(["serve", "--listen", &self.address.to_string()])
                .args(["--connections", NO_LIMIT, "--connections-per-org", NO_LIMIT])
                .args(["--frames-per-second", NO_LIMIT, "--drain-window-ms", DRAIN_MS])
                .envs(self.env.iter().cloned())
                .envs(clock.iter().cloned())
                .stdout(Stdio::null())
                .stderr(self.log.open()?);
            let mut child = command.spawn().context("setpriv")?;
            let pid = child.id();
            while child.try_wait()?.is_none() {
                if self.is_ready().await {
                    self.child = Some(child);
                    return Ok(());
                }
                ensure!(started.elapsed() < STARTS_WITHIN, "a node does not get ready");
                sleep(Duration::from_millis(20)).await;
            }
            pid.into_iter().for_each(clock::clear_after);
            ensure!(started.elapsed() < STARTS_WITHIN, "a node does not start");
            sleep(Duration::from_millis(100)).await;
        }
    }

    async fn is_ready(&self) -> bool {
        let asked = async {
            let mut http = Http::connect(self.address, "").await?;
            http.text("GET", "/readyz", &Value::Null).await
        };
        timeout(Duration::from_secs(2), asked)
            .await
            .is_ok_and(|answer| answer.is_ok())
    }

    /// `kill -9`.
    pub async fn kill(&mut self) -> Result<()> {
        let mut child = self.child.take().context("the node is gone")?;
        let pid = child.id();
        child.kill().await?;
        pid.into_iter().for_each(clock::clear_after);
        Ok(())
    }

    /// SIGTERM, and waits until it has gone.
    pub async fn stop(&mut self) -> Result<()> {
        let mut child = self.child.take().context("the node is gone")?;
        let pid = child.id().context("the node ended by itself")?;
        signal("TERM", pid).await?;
        let status = timeout(ENDS_WITHIN, child.wait())
            .await
            .context("a node does not end")??;
        clock::clear_after(pid);
        ensure!(status.success(), "a node ended with {status}");
        Ok(())
    }

    /// Whether it ended without being told to.
    pub fn died(&mut self) -> bool {
        self.child
            .as_mut()
            .is_some_and(|child| matches!(child.try_wait(), Ok(Some(_))))
    }
}
