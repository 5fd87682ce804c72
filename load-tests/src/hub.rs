//! The hub under load: one that this program starts, or one that is running already.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::client::Http;

/// Which hub to load.
#[derive(clap::Args)]
pub struct Which {
    /// Start this binary's demo on this machine, and end it afterwards
    #[arg(
        long,
        value_name = "PATH_TO_CREWLINE",
        conflicts_with = "url",
        required_unless_present = "url"
    )]
    local: Option<PathBuf>,
    /// A hub that is running: http://address:port
    #[arg(long, requires_all = ["service_token", "org", "pid"])]
    url: Option<String>,
    /// Its service token
    #[arg(long)]
    service_token: Option<String>,
    /// The org of that token. The scenario makes contacts in it
    #[arg(long)]
    org: Option<String>,
    /// Its process on this machine, to read its memory
    #[arg(long)]
    pid: Option<u32>,
}

pub struct Hub {
    /// Ends with the hub's life; none if the hub is not ours.
    _child: Option<Child>,
    pid: u32,
    /// `host:port`
    pub address: String,
    pub org: String,
    service_token: String,
}

impl Which {
    pub async fn hub(self) -> Result<Hub> {
        match (self.local, self.url) {
            (Some(binary), _) => Hub::start(&binary).await,
            (None, Some(url)) => Ok(Hub {
                _child: None,
                pid: self.pid.context("--pid")?,
                address: address(&url)?,
                org: self.org.context("--org")?,
                service_token: self.service_token.context("--service-token")?,
            }),
            (None, None) => bail!("--local or --url"),
        }
    }
}

impl Hub {
    async fn start(binary: &Path) -> Result<Self> {
        let mut child = Command::new(binary)
            .args(["demo", "--json", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let pid = child.id().context("the hub ended at once")?;
        let mut lines = BufReader::new(child.stdout.take().context("stdout")?).lines();
        let line = tokio::time::timeout(Duration::from_secs(30), lines.next_line())
            .await
            .context("the hub did not say that it is ready")??
            .context("the hub ended without a word")?;
        let demo: Value = serde_json::from_str(&line).context("the demo's line")?;
        let text = |field: &str| demo[field].as_str().map(str::to_owned).context(field.to_owned());
        Ok(Self {
            _child: Some(child),
            pid,
            address: address(&text("url")?)?,
            org: text("org")?,
            service_token: text("service_token")?,
        })
    }

    /// A connection that speaks with the service token.
    pub async fn http(&self) -> Result<Http> {
        Http::connect(&self.address, &self.service_token).await
    }

    /// Its resident memory in bytes. From `status`, whose unit does not depend on the page size.
    pub fn resident(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).context("the hub is gone")?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        Ok(kib.context("VmRSS")? * 1024)
    }
}

fn address(url: &str) -> Result<String> {
    let rest = url
        .strip_prefix("http://")
        .context("only http:// is spoken: load it from beside it")?;
    let address = rest.trim_end_matches('/');
    ensure!(
        !address.is_empty() && !address.contains('/'),
        "{url} is not http://address:port"
    );
    Ok(address.to_owned())
}
