//! What all seeds of a command stand on: Postgres and Redis, private ones or those of the environment.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::sync::Mutex;

use super::plan::Means;
use super::proxy::Proxy;
use super::redis;
use crate::engines::clock::Clock;
use crate::engines::{Core, Log, Postgres, Redis, said};
use crate::local::{command, secret, verify};
use crate::node::{NO_LIMIT, Node};

const DRAIN_MS: &str = "1000";

pub struct Ground {
    pub binary: PathBuf,
    pub clock: Clock,
    /// None if they are somebody else's: then nothing is done to them.
    pub postgres: Option<Mutex<Postgres>>,
    pub redis: Option<Mutex<Redis>>,
    redis_url: String,
    redis_address: SocketAddr,
    /// What a node is told, besides its Redis.
    env: Vec<(String, String)>,
    logs: Option<PathBuf>,
    _photos: TempDir,
}

impl Ground {
    pub async fn prepare(binary: &Path, logs: Option<PathBuf>) -> Result<Self> {
        let clock = Clock::find()?;
        if let Some(logs) = &logs {
            std::fs::create_dir_all(logs).with_context(|| logs.display().to_string())?;
        }
        let log = |name: &str| log(logs.as_deref(), name);
        let photos = tempfile::tempdir().context("cannot make a temporary folder")?;
        let (redis, redis_url) = match std::env::var("REDIS_URL") {
            Ok(url) => (None, url),
            Err(_) => {
                let redis = Redis::start(Core::default(), log("redis.log")).await?;
                let url = redis.url();
                (Some(Mutex::new(redis)), url)
            }
        };
        let postgres = match std::env::var("DATABASE_URL") {
            Ok(_) => None,
            Err(_) => Some(Postgres::start_to_be_killed(log("postgres.log")).await?),
        };
        let env = [
            ("DATABASE_URL", database(binary, postgres.as_ref()).await?),
            ("CREWLINE_JWT_SECRET", secret()?),
            ("CREWLINE_PHOTOS", photos.path().display().to_string()),
            ("CREWLINE_FRAMES_PER_SECOND", NO_LIMIT.to_owned()),
            ("CREWLINE_DRAIN_WINDOW_MS", DRAIN_MS.to_owned()),
            ("RUST_LOG", std::env::var("RUST_LOG").unwrap_or("warn".to_owned())),
        ];
        Ok(Self {
            binary: binary.to_owned(),
            clock,
            postgres: postgres.map(Mutex::new),
            redis,
            redis_address: redis::address(&redis_url)?,
            redis_url,
            env: env.map(|(name, value)| (name.to_owned(), value)).to_vec(),
            logs,
            _photos: photos,
        })
    }

    pub fn means(&self, freeze: Duration) -> Means {
        Means {
            postgres: self.postgres.is_some(),
            redis: self.redis.is_some(),
            freeze,
        }
    }

    /// A node, not started yet, with its wire to Redis. Its words go into a file of that name.
    pub async fn node(&self, name: &str) -> Result<(Node, Proxy)> {
        let wire = Proxy::before(self.redis_address).await?;
        let mut env = self.env.clone();
        env.push(("REDIS_URL".to_owned(), redis::at(&self.redis_url, wire.address)?));
        let log = log(self.logs.as_deref(), &format!("{name}.log"));
        Ok((Node::new(self.binary.clone(), env, Core::default(), log)?, wire))
    }

    /// For an org, good also where the clock is an hour behind.
    pub async fn service_token(&self, org: &str) -> Result<String> {
        let mut token = command(&self.binary, &self.env);
        token
            .args(["token", "--org", org, "--role", "service"])
            .args(["--sub", "crm", "--name", "CRM"])
            .envs(self.clock.of_node(-1));
        Ok(said(&mut token).await?.trim().to_owned())
    }

    pub async fn verify(&self) -> Result<Vec<String>> {
        verify(&self.binary, &self.env).await
    }
}

/// Where the words of a program go.
fn log(logs: Option<&Path>, name: &str) -> Log {
    logs.map_or(Log::Nowhere, |logs| Log::File(logs.join(name)))
}

/// The URL by which nodes serve, with a ledger that is up to date.
async fn database(binary: &Path, postgres: Option<&Postgres>) -> Result<String> {
    let url = match postgres {
        Some(postgres) => postgres.url("owner", "crewline"),
        None => std::env::var("DATABASE_URL").context("DATABASE_URL")?,
    };
    ensure!(url.starts_with("postgres"), "DATABASE_URL: two nodes need Postgres");
    let env = [("DATABASE_URL".to_owned(), url.clone())];
    said(command(binary, &env).arg("migrate")).await?;
    let Some(postgres) = postgres else { return Ok(url) };
    postgres.grant().await?;
    Ok(postgres.url("app", "crewline"))
}
