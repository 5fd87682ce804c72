//! A hub of one's own, of one node or several: started, given an org, verified, and ended.

use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;

use crate::engines::{Core, Log, Postgres, Redis, Transactions, said};
use crate::http::Http;
use crate::hub::Org;
use crate::node::{Node, without_accounts};

/// As many orgs are made at once.
const AT_ONCE: usize = 16;

/// How a hub is to be started.
pub struct Plan {
    pub binary: PathBuf,
    pub orgs: usize,
    pub nodes: usize,
    /// On engines of its own. Without them DATABASE_URL and REDIS_URL hold, or it is SQLite.
    pub postgres: bool,
    pub core: Core,
    pub frames_per_second: u32,
    /// Settings besides.
    pub env: Vec<(String, String)>,
}

pub struct Local {
    binary: PathBuf,
    env: Vec<(String, String)>,
    /// End with this value, and before what they stand on.
    nodes: Vec<Node>,
    engines: Option<(Postgres, Redis)>,
    _folder: TempDir,
    pub orgs: Vec<Org>,
}

impl Local {
    pub async fn start(plan: Plan) -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let given = |name| std::env::var(name).ok();
        let engines = match plan.postgres {
            true => Some((
                Postgres::start(plan.core, Log::Nowhere).await?,
                Redis::start(plan.core, Log::Nowhere).await?,
            )),
            false => None,
        };
        ensure!(
            plan.nodes == 1 || engines.is_some() || (given("DATABASE_URL").is_some() && given("REDIS_URL").is_some()),
            "several nodes share a Postgres and a Redis: --postgres, or DATABASE_URL and REDIS_URL"
        );
        let file = format!("sqlite:{}", folder.path().join("crewline.db").display());
        let photos = folder.path().join("photos").display().to_string();
        let mut env = vec![
            ("CREWLINE_JWT_SECRET".to_owned(), secret()?),
            ("RUST_LOG".to_owned(), given("RUST_LOG").unwrap_or("warn".into())),
            ("CREWLINE_PHOTOS".to_owned(), given("CREWLINE_PHOTOS").unwrap_or(photos)),
            (
                "CREWLINE_FRAMES_PER_SECOND".to_owned(),
                plan.frames_per_second.to_string(),
            ),
        ];
        let mut owner = given("DATABASE_URL").unwrap_or(file);
        let mut serves = owner.clone();
        if let Some((postgres, redis)) = &engines {
            owner = postgres.url("owner", "crewline");
            serves = postgres.url("app", "crewline");
            env.push(("REDIS_URL".to_owned(), redis.url()));
        }
        said(command(&plan.binary, &env).arg("migrate").env("DATABASE_URL", owner)).await?;
        if let Some((postgres, _)) = &engines {
            postgres.grant().await?;
        }
        env.push(("DATABASE_URL".to_owned(), serves));

        let mut local = Self {
            binary: plan.binary.clone(),
            env,
            nodes: Vec::new(),
            engines,
            _folder: folder,
            orgs: Vec::new(),
        };
        for _ in 0..plan.nodes {
            let env = [&local.env[..], &plan.env].concat();
            let mut node = Node::new(plan.binary.clone(), env, plan.core, Log::Here)?;
            node.start().await?;
            local.nodes.push(node);
        }
        let orgs: Vec<_> = stream::iter(0..plan.orgs)
            .map(|n| local.org(n))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        local.orgs = orgs;
        Ok(local)
    }

    /// Of each node.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.address).collect()
    }

    /// Of each node.
    pub fn pids(&self) -> Vec<u32> {
        self.nodes.iter().filter_map(Node::pid).collect()
    }

    /// The pids of its own Postgres and Redis.
    pub fn engines(&self) -> Option<(u32, u32)> {
        let (postgres, redis) = self.engines.as_ref()?;
        Some((postgres.pid().ok()?, redis.pid().ok()?))
    }

    /// How long its transactions stay open, from now on.
    pub fn watch_transactions(&self) -> Result<Transactions> {
        let (postgres, _) = self.engines.as_ref().context("not on a Postgres of its own")?;
        Transactions::watch(postgres)
    }

    /// Makes an org.
    async fn org(&self, n: usize) -> Result<Org> {
        let name = format!("load-test-{n}");
        let mut token = command(&self.binary, &self.env);
        token.args([
            "token", "--org", &name, "--role", "service", "--sub", "crm", "--name", "CRM",
        ]);
        let service_token = said(&mut token).await?.trim().to_owned();
        let settings = json!({"name": "Load test", "show_staff": "first"});
        let mut http = Http::connect(self.nodes[0].address, &service_token).await?;
        http.ask("PUT", &format!("/v1/orgs/{name}"), &settings).await?;
        Ok(Org { name, service_token })
    }

    pub async fn verify(&self) -> Result<Vec<String>> {
        verify(&self.binary, &self.env).await
    }
}

/// What `crewline verify` finds: nothing, or what differs.
pub async fn verify(binary: &Path, env: &[(String, String)]) -> Result<Vec<String>> {
    let output = command(binary, env).arg("verify").output().await?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.code() {
        Some(0) => Ok(Vec::new()),
        Some(1) => Ok(text.lines().map(str::to_owned).collect()),
        _ => anyhow::bail!("verify: {}", String::from_utf8_lossy(&output.stderr)),
    }
}

/// With our environment, but without anybody's account that sends real texts.
pub fn command(binary: &Path, env: &[(String, String)]) -> Command {
    let mut command = Command::new(binary);
    without_accounts(&mut command).envs(env.iter().cloned());
    command
}

/// The environment's, so that tokens made elsewhere hold too; else one that nobody knows.
pub fn secret() -> Result<String> {
    if let Ok(secret) = std::env::var("CREWLINE_JWT_SECRET") {
        return Ok(secret);
    }
    let mut bytes = [0_u8; 32];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
