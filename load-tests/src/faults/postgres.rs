//! A private Postgres, from the binaries that the system has, with fsync on.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use super::clock;
use super::process::{Log, signal};
use crate::engines::free_address;
use crate::local::said;

const STARTS_WITHIN: Duration = Duration::from_secs(60);

/// Starts the server, says its pid, and stops it when stdin ends: when this program is gone, however it
/// went. Then the data go too, unless they are to be started again. (Running as another user clears the
/// signal that ends the others.) Killed, it leaves nothing outside its folder, and it is back at once
/// even where fsyncing its thousand files one by one takes seconds.
const GUARD: &str = r#"
    env $CLOCK "$BIN/postgres" -D "$DATA" -k "$DATA" -p "$PORT" -c listen_addresses=127.0.0.1 \
        -c max_connections=200 -c dynamic_shared_memory_type=mmap -c recovery_init_sync_method=syncfs \
        >&2 </dev/null &
    echo $!
    word=$(cat)
    kill -QUIT $! 2>/dev/null
    wait
    [ "$word" = keep ] || rm -rf "${DATA%/data}"
"#;

pub struct Postgres {
    /// Ends before its folder goes.
    running: Option<Running>,
    folder: TempDir,
    bin: PathBuf,
    port: u16,
    log: Log,
}

struct Running {
    guard: Child,
    pid: u32,
}

impl Postgres {
    pub async fn start(log: Log) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("crewline-load").tempdir()?;
        if is_root() {
            said(Command::new("chown").arg("postgres").arg(folder.path())).await?;
        }
        let mut postgres = Self {
            folder,
            bin: bin()?,
            port: free_address()?.port(),
            log,
            running: None,
        };
        let mut initdb = as_postgres(&postgres.bin.join("initdb"));
        initdb
            .args(["-U", "owner", "-A", "trust", "-E", "UTF8", "--locale=C", "-D"])
            .arg(postgres.data())
            .current_dir("/");
        said(&mut initdb).await?;
        postgres.run(&[]).await?;
        Ok(postgres)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn url(&self, login: &str) -> String {
        format!("postgres://{login}@127.0.0.1:{}/postgres", self.port)
    }

    pub async fn sql(&self, sql: &str) -> Result<()> {
        let mut psql = Command::new(self.bin.join("psql"));
        said(psql.args(["-v", "ON_ERROR_STOP=1", "-c", sql, &self.url("owner")])).await?;
        Ok(())
    }

    /// Returns when it accepts connections. `clock` is its environment.
    pub async fn run(&mut self, clock: &[(&str, String)]) -> Result<()> {
        let started = Instant::now();
        loop {
            let mut running = self.spawn(clock).await?;
            // It ends at once if the port, or the memory of the one that was killed, is still taken.
            while running.runs() {
                let mut ready = Command::new(self.bin.join("pg_isready"));
                ready.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
                if ready.status().await?.success() {
                    self.running = Some(running);
                    return Ok(());
                }
                ensure!(started.elapsed() < STARTS_WITHIN, "Postgres does not get ready");
                sleep(Duration::from_millis(20)).await;
            }
            running.keep_data().await;
            ensure!(started.elapsed() < STARTS_WITHIN, "Postgres does not start");
            sleep(Duration::from_millis(100)).await;
        }
    }

    async fn spawn(&self, clock: &[(&str, String)]) -> Result<Running> {
        let clock: Vec<_> = clock.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut guard = as_postgres(Path::new("sh"))
            .args(["-c", GUARD])
            .env("BIN", &self.bin)
            .env("DATA", self.data())
            .env("PORT", self.port.to_string())
            .env("CLOCK", clock.join(" "))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(self.log.open()?)
            .spawn()
            .context("sh")?;
        let mut line = String::new();
        let stdout = guard.stdout.take().context("a pipe")?;
        BufReader::new(stdout).read_line(&mut line).await?;
        let pid = line.trim().parse().context("the pid of Postgres")?;
        Ok(Running { guard, pid })
    }

    /// `kill -9` of the server and of every process it has.
    pub async fn kill(&mut self) -> Result<()> {
        let mut running = self.running.take().context("Postgres is gone")?;
        // One that stands still starts no more of them.
        signal("STOP", running.pid).await?;
        let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", running.pid));
        let mut kill = Command::new("kill");
        kill.args(["-9", &running.pid.to_string()])
            .args(children.unwrap_or_default().split_whitespace())
            // Some may have ended by themselves.
            .stderr(Stdio::null());
        kill.status().await?;
        running.keep_data().await;
        Ok(())
    }
}

impl Running {
    /// One that has ended stays listed, as a zombie, until the guard looks for it.
    fn runs(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid));
        stat.is_ok_and(|stat| !stat.contains(") Z "))
    }

    /// The guard goes, and leaves the data for the next.
    async fn keep_data(&mut self) {
        if let Some(mut stdin) = self.guard.stdin.take() {
            let _ = stdin.write_all(b"keep").await;
        }
        let _ = self.guard.wait().await;
        clock::clear_after(self.pid);
    }
}

/// Where initdb and postgres are: the newest that is installed.
fn bin() -> Result<PathBuf> {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut found: Vec<_> = installed
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").is_file())
        .collect();
    found.sort();
    found
        .pop()
        .context("Debian's package `postgresql` is not installed; or name a database in DATABASE_URL")
}

/// Postgres refuses to run as root.
fn as_postgres(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program);
    command
}

fn is_root() -> bool {
    // The owner of a process's folder is who runs it.
    std::fs::metadata("/proc/self").is_ok_and(|of| std::os::unix::fs::MetadataExt::uid(&of) == 0)
}
