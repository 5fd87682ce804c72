//! A private Postgres cluster, from the binaries that the system has.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use super::{Core, done, free_address};

/// Starts the server, says its pid, and stops it when stdin ends: when this process is gone, however
/// it went.
const GUARD: &str = r#"
    "$@" -D "$DATA" -k "$DATA" -p "$PORT" -c listen_addresses=127.0.0.1 -c max_connections=200 \
        >>"$DATA/server.log" 2>&1 </dev/null &
    echo $!
    cat
    kill -QUIT $! 2>/dev/null
    wait
    rm -rf "$DATA"
"#;
const STARTS_WITHIN: Duration = Duration::from_secs(20);

pub struct Postgres {
    /// The server's own process, whose children are its sessions.
    pub pid: u32,
    pub port: u16,
    bin: PathBuf,
    stdin: Option<ChildStdin>,
    shell: Child,
    _dir: TempDir,
}

impl Postgres {
    pub fn start(core: Core) -> Result<Self> {
        let bin = bin()?;
        let dir = tempfile::Builder::new().prefix("crewline-load-pg").tempdir()?;
        if is_root()? {
            done(Command::new("chown").arg("postgres").arg(dir.path()))?;
        }
        let data = dir.path().join("data");
        done(
            as_postgres(bin.join("initdb"))?
                .args(["-U", "super", "-A", "trust", "-E", "UTF8", "--locale=C", "-D"])
                .arg(&data),
        )?;
        let port = free_address()?.port();
        let mut shell = as_postgres("sh")?
            .args(["-c", GUARD, "sh"])
            .args(core.prefix())
            .arg(bin.join("postgres"))
            .env("DATA", &data)
            .env("PORT", port.to_string())
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("Postgres cannot be started")?;
        let stdin = shell.stdin.take();
        let mut pid = String::new();
        BufReader::new(shell.stdout.take().context("its stdout")?).read_line(&mut pid)?;
        let postgres = Self {
            pid: pid.trim().parse().context("the pid of Postgres")?,
            port,
            bin,
            stdin,
            shell,
            _dir: dir,
        };
        postgres.answers()?;
        // As an operator would: one login owns the tables, another serves.
        postgres.run("CREATE ROLE owner LOGIN CREATEROLE; CREATE ROLE app LOGIN;")?;
        postgres.run("CREATE DATABASE crewline OWNER owner")?;
        Ok(postgres)
    }

    pub fn url(&self, login: &str, database: &str) -> String {
        format!("postgres://{login}@127.0.0.1:{}/{database}", self.port)
    }

    /// Lets the login `app` serve what `owner` has migrated.
    pub fn grant(&self) -> Result<()> {
        self.psql("crewline", "GRANT crewline_serve TO app").map(drop)
    }

    /// One of the programs that came with it.
    pub fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// Runs SQL as the superuser.
    pub fn run(&self, sql: &str) -> Result<()> {
        self.psql("postgres", sql).map(drop)
    }

    fn psql(&self, database: &str, sql: &str) -> Result<String> {
        let mut psql = Command::new(self.program("psql"));
        done(
            psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql])
                .arg(self.url("super", database)),
        )
    }

    fn answers(&self) -> Result<()> {
        let started = Instant::now();
        while let Err(error) = self.psql("postgres", "SELECT 1") {
            ensure!(started.elapsed() < STARTS_WITHIN, "Postgres does not start: {error:#}");
            std::thread::sleep(Duration::from_millis(30));
        }
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.shell.wait();
    }
}

/// Where initdb and postgres are: of the newest version that Debian's packages have installed.
fn bin() -> Result<PathBuf> {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let found = installed
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").is_file());
    found.max().context("there is no Postgres here: install postgresql")
}

/// Postgres refuses to run as root.
fn as_postgres(program: impl AsRef<std::ffi::OsStr>) -> Result<Command> {
    if !is_root()? {
        return Ok(Command::new(program));
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program);
    Ok(command)
}

fn is_root() -> Result<bool> {
    Ok(done(Command::new("id").arg("-u"))?.trim() == "0")
}
