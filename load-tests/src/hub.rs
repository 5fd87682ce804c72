//! The hub under load: one that this program starts, or one that is running already.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::dial::Dial;
use crate::engines::Core;
use crate::http::Http;
use crate::local::{Local, Plan};

/// Which hub to load.
#[derive(clap::Args)]
pub struct Which {
    /// Start this binary on this machine, and end it afterwards. DATABASE_URL and REDIS_URL hold as they
    /// are; without the first, its data is gone at the end
    #[arg(
        long,
        value_name = "PATH_TO_CREWLINE",
        conflicts_with = "url",
        required_unless_present = "url"
    )]
    local: Option<PathBuf>,
    /// With --local: so many nodes, on one Postgres and one Redis; sockets are scattered over them
    #[arg(long, value_name = "N", requires = "local", default_value_t = 1)]
    nodes: usize,
    /// With --local: on a Postgres and a Redis of its own, started on free ports and gone at the end
    #[arg(long, requires = "local")]
    postgres: bool,
    /// With --local: the nodes, and its own Postgres and Redis, run on this core alone
    #[arg(long, value_name = "N", requires = "local")]
    core: Option<u32>,
    /// With --local: the frames per second that the hub allows each socket
    #[arg(long, value_name = "N", requires = "local", default_value_t = 20)]
    frames_per_second: u32,
    /// A hub that is running: http://address:port. What is written there stays for ever. Repeated, these
    /// are nodes of one cluster, and sockets are scattered over them
    #[arg(long, requires_all = ["service_token", "org"])]
    url: Vec<String>,
    /// Its service token
    #[arg(long, env = "CREWLINE_SERVICE_TOKEN", hide_env_values = true)]
    service_token: Option<String>,
    /// The org of that token. The scenario makes contacts in it
    #[arg(long)]
    org: Option<String>,
    /// Its process on this machine, to read its memory and CPU; repeated, one for each node
    #[arg(long)]
    pid: Vec<u32>,
    /// Settings besides, for the hub that this program starts.
    #[arg(skip)]
    pub env: Vec<(String, String)>,
    /// From how many addresses (127.0.0.2 and on) sockets come [default: one per 25,000 sockets]
    #[arg(long, value_name = "N")]
    sources: Option<u32>,
}

/// An org, and who speaks for it.
#[derive(Clone)]
pub struct Org {
    pub name: String,
    pub service_token: String,
}

pub struct Hub {
    pub local: Option<Local>,
    /// Of its nodes; none if they run elsewhere.
    pub pids: Vec<u32>,
    pub dial: Dial,
    pub orgs: Vec<Org>,
}

impl Which {
    /// The binary that this program starts.
    pub fn local(&self) -> Option<&Path> {
        self.local.as_deref()
    }

    /// With room for so many sockets. Only with `--local` can there be more than one org.
    pub async fn hub(self, orgs: usize, sockets: usize) -> Result<Hub> {
        let hub = match self.local {
            Some(binary) => {
                let local = Local::start(Plan {
                    binary,
                    orgs,
                    nodes: self.nodes,
                    postgres: self.postgres,
                    core: Core(self.core),
                    frames_per_second: self.frames_per_second,
                    env: self.env,
                })
                .await?;
                Hub {
                    pids: local.pids(),
                    dial: Dial::new(local.addresses(), self.sources, sockets)?,
                    orgs: local.orgs.clone(),
                    local: Some(local),
                }
            }
            None => {
                ensure!(orgs == 1, "several orgs need --local: a service token is of one");
                let mut addresses = Vec::new();
                for url in &self.url {
                    addresses.push(address(url).await?);
                }
                Hub {
                    local: None,
                    pids: self.pid,
                    dial: Dial::new(addresses, self.sources, sockets)?,
                    orgs: vec![Org {
                        name: self.org.context("--org")?,
                        service_token: self.service_token.context("--service-token")?,
                    }],
                }
            }
        };
        hub.refuse_real_texts().await?;
        if hub.local.is_none() {
            eprintln!(
                "What is written to {} is permanent: the contacts and messages of this run stay in {} for ever.",
                hub.dial.first(),
                hub.orgs[0].name
            );
        }
        Ok(hub)
    }
}

impl Hub {
    /// One that somebody else started.
    pub fn at(address: SocketAddr, org: &str, service_token: &str) -> Result<Self> {
        Ok(Self {
            local: None,
            pids: Vec::new(),
            dial: Dial::new(vec![address], None, 1)?,
            orgs: vec![Org {
                name: org.to_owned(),
                service_token: service_token.to_owned(),
            }],
        })
    }

    /// A connection that speaks for an org.
    pub async fn http(&self, org: usize) -> Result<Http> {
        Http::connect(self.dial.first(), &self.orgs[org].service_token).await
    }

    /// Invented customers must never cause a text to somebody's phone.
    async fn refuse_real_texts(&self) -> Result<()> {
        let metrics = self.http(0).await?.text("GET", "/metrics", &Value::Null).await?;
        ensure!(
            !has_twilio(&metrics),
            "{} sends texts by Twilio: load one whose gateway is the simulator",
            self.dial.first()
        );
        Ok(())
    }

    /// Its resident memory in bytes, of all nodes. From `status`, whose unit does not depend on the page
    /// size.
    pub fn resident(&self) -> Result<u64> {
        ensure!(!self.pids.is_empty(), "--pid: whose memory?");
        self.pids.iter().map(|pid| resident(*pid)).sum()
    }
}

fn resident(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).context("the hub is gone")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    Ok(kib.context("VmRSS")? * 1024)
}

fn has_twilio(metrics: &str) -> bool {
    metrics
        .lines()
        .filter(|line| line.starts_with("crewline_gateway{") && line.contains("twilio"))
        .any(|line| !line.ends_with(" 0"))
}

async fn address(url: &str) -> Result<SocketAddr> {
    let rest = url
        .strip_prefix("http://")
        .context("only http:// is spoken: load it from beside it")?;
    let address = rest.trim_end_matches('/');
    ensure!(
        !address.is_empty() && !address.contains('/'),
        "{url} is not http://address:port"
    );
    let mut found = tokio::net::lookup_host(address)
        .await
        .with_context(|| format!("{url} is not http://address:port"))?;
    found.next().with_context(|| format!("{address} has no address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_that_is_real_is_noticed() {
        assert!(has_twilio("a 1\ncrewline_gateway{kind=\"twilio\"} 1\n"));
        assert!(!has_twilio(
            "crewline_gateway{kind=\"twilio\"} 0\ncrewline_gateway{kind=\"simulator\"} 1"
        ));
        assert!(!has_twilio("# HELP crewline_gateway twilio or simulator"));
    }
}
