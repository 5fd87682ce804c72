//! One node of a hub: a process on a port that stays its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::engines::{Core, Log, clock, free_address, signal};
use crate::http::Http;

const STARTS_WITHIN: Duration = Duration::from_secs(30);
/// Faults of what it stands on may keep it from getting ready for as long as they last.
const STARTS_AGAIN_WITHIN: Duration = Duration::from_secs(90);
const ENDS_WITHIN: Duration = Duration::from_secs(30);
/// More than any run has: a hub's own limits are not what is looked at.
pub const NO_LIMIT: &str = "1000000";

pub struct Node {
    pub address: SocketAddr,
    binary: PathBuf,
    /// All that it is told but where to listen.
    env: Vec<(String, String)>,
    core: Core,
    log: Log,
    child: Option<Child>,
}

impl Node {
    pub fn new(binary: PathBuf, env: Vec<(String, String)>, core: Core, log: Log) -> Result<Self> {
        Ok(Self {
            address: free_address()?,
            binary,
            env,
            core,
            log,
            child: None,
        })
    }

    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// Returns when it is ready.
    pub async fn start(&mut self) -> Result<()> {
        let until = Instant::now() + STARTS_WITHIN;
        match self.try_start(&[], until).await? {
            None => Ok(()),
            Some(status) => anyhow::bail!("the hub ended at once: {status}"),
        }
    }

    /// Returns when it is ready; until then it is started again, as by whoever watches over it.
    /// `clock` is its environment besides.
    pub async fn run(&mut self, clock: &[(&str, String)]) -> Result<()> {
        let until = Instant::now() + STARTS_AGAIN_WITHIN;
        while self.try_start(clock, until).await?.is_some() {
            ensure!(Instant::now() < until, "a node does not start");
            sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// Returns when it is ready, or how it has ended.
    async fn try_start(&mut self, clock: &[(&str, String)], until: Instant) -> Result<Option<ExitStatus>> {
        let mut command = self.core.mortal(&self.binary);
        without_accounts(&mut command)
            .args(["serve", "--listen", &self.address.to_string()])
            .args(["--connections", NO_LIMIT, "--connections-per-org", NO_LIMIT])
            .env("CREWLINE_PUBLIC_URL", format!("http://{}", self.address))
            .envs(self.env.iter().cloned())
            .envs(clock.iter().cloned())
            .stdout(Stdio::null())
            .stderr(self.log.open()?);
        let mut child = command.spawn().context("setpriv")?;
        let pid = child.id();
        loop {
            if let Some(status) = child.try_wait()? {
                pid.into_iter().for_each(clock::clear_after);
                return Ok(Some(status));
            }
            if self.is_ready().await {
                self.child = Some(child);
                return Ok(None);
            }
            ensure!(Instant::now() < until, "a node does not get ready");
            sleep(Duration::from_millis(20)).await;
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

/// Nobody's account that sends real texts.
pub fn without_accounts(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().contains("TWILIO") {
            command.env_remove(name);
        }
    }
    command
}
