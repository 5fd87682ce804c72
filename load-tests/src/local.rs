//! A hub of one's own: started, given an org, verified, and ended.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use crate::chance::Chance;
use crate::http::Http;

const ORG: &str = "load-test";
/// More than any run has: its own limits are not what is measured.
const NO_LIMIT: &str = "1000000";
const STARTS_WITHIN: Duration = Duration::from_secs(30);

pub struct Local {
    binary: PathBuf,
    env: Vec<(String, String)>,
    /// Ends with this value, and before its folder goes.
    child: Child,
    _folder: TempDir,
    pub address: SocketAddr,
    pub org: String,
    pub service_token: String,
}

impl Local {
    pub async fn start(binary: &Path, frames_per_second: u32) -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let file = format!("sqlite:{}", folder.path().join("crewline.db").display());
        let env = vec![
            ("DATABASE_URL".to_owned(), std::env::var("DATABASE_URL").unwrap_or(file)),
            ("CREWLINE_JWT_SECRET".to_owned(), secret()?),
            (
                "RUST_LOG".to_owned(),
                std::env::var("RUST_LOG").unwrap_or("warn".into()),
            ),
        ];
        said(command(binary, &env).arg("migrate")).await?;

        let address = free_address()?;
        let child = command(binary, &env)
            .args(["serve", "--listen", &address.to_string()])
            .args(["--connections", NO_LIMIT, "--connections-per-org", NO_LIMIT])
            .args(["--frames-per-second", &frames_per_second.to_string()])
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let mut token = command(binary, &env);
        token.args([
            "token", "--org", ORG, "--role", "service", "--sub", "crm", "--name", "CRM",
        ]);
        let mut local = Self {
            binary: binary.to_owned(),
            service_token: said(&mut token).await?.trim().to_owned(),
            env,
            child,
            _folder: folder,
            address,
            org: ORG.to_owned(),
        };
        local.ready().await?;
        let settings = json!({"name": "Load test", "show_staff": "first"});
        let mut http = Http::connect(address, &local.service_token).await?;
        http.ask("PUT", &format!("/v1/orgs/{ORG}"), &settings).await?;
        Ok(local)
    }

    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    async fn ready(&mut self) -> Result<()> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                anyhow::bail!("the hub ended at once: {status}");
            }
            if let Ok(mut http) = Http::connect(self.address, &self.service_token).await
                && http.text("GET", "/readyz", &Value::Null).await.is_ok()
            {
                return Ok(());
            }
            ensure!(started.elapsed() < STARTS_WITHIN, "the hub is not ready");
            sleep(Duration::from_millis(20)).await;
        }
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

pub fn without_accounts(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().contains("TWILIO") {
            command.env_remove(name);
        }
    }
    command
}

/// What it printed, if it ended well.
pub async fn said(command: &mut Command) -> Result<String> {
    let output = command.output().await.context("the hub's binary cannot be run")?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "the hub's binary: {}", error.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
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

/// Free a moment ago: `serve` does not say which port it was given. Below the range from which the
/// kernel takes the ports of outgoing connections: one of those could have it before, or while what
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
