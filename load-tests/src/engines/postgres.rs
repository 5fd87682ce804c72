//! A private Postgres, from the binaries that the system has, on a port of its own over its restarts.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use super::{Core, Log, clock, free_address, said, signal};

const STARTS_WITHIN: Duration = Duration::from_secs(60);

/// Starts the server, says its pid, and stops it when stdin ends: when this program is gone, however it
/// went. Then the data go too, unless they are to be started again. (Running as another user clears the
/// signal that ends the others.)
const GUARD: &str = r#"
    env $CLOCK "$@" -D "$DATA" -k "$DATA" -p "$PORT" -c listen_addresses=127.0.0.1 -c max_connections=200 \
        >&2 </dev/null &
    echo $!
    word=$(cat)
    kill -QUIT $! 2>/dev/null
    wait
    [ "$word" = keep ] || rm -rf "${DATA%/data}"
"#;

/// Killed, it leaves nothing outside its folder, and it is back at once even where fsyncing its thousand files
/// one by one takes seconds.
const TO_BE_KILLED: &[&str] = &[
    "-c",
    "dynamic_shared_memory_type=mmap",
    "-c",
    "recovery_init_sync_method=syncfs",
];

pub struct Postgres {
    /// Ends before its folder goes.
    running: Option<Running>,
    folder: TempDir,
    bin: PathBuf,
    port: u16,
    core: Core,
    log: Log,
    settings: &'static [&'static str],
}

struct Running {
    guard: Child,
    pid: u32,
}

impl Postgres {
    /// With the settings of a fresh installation.
    pub async fn start(core: Core, log: Log) -> Result<Self> {
        Self::with(core, log, &[]).await
    }

    pub async fn start_to_be_killed(log: Log) -> Result<Self> {
        Self::with(Core::default(), log, TO_BE_KILLED).await
    }

    async fn with(core: Core, log: Log, settings: &'static [&'static str]) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("crewline-load").tempdir()?;
        if is_root() {
            said(Command::new("chown").arg("postgres").arg(folder.path())).await?;
        }
        let mut postgres = Self {
            folder,
            bin: bin()?,
            port: free_address()?.port(),
            core,
            log,
            settings,
            running: None,
        };
        let mut initdb = as_postgres(&postgres.bin.join("initdb"));
        initdb
            .args(["-U", "super", "-A", "trust", "-E", "UTF8", "--locale=C", "-D"])
            .arg(postgres.data())
            .current_dir("/");
        said(&mut initdb).await?;
        postgres.run(&[]).await?;
        // As an operator would: one login owns the tables, another serves.
        let logins = "CREATE ROLE owner LOGIN CREATEROLE; CREATE ROLE app LOGIN;";
        postgres.sql("postgres", logins).await?;
        postgres.sql("postgres", "CREATE DATABASE crewline OWNER owner").await?;
        Ok(postgres)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn url(&self, login: &str, database: &str) -> String {
        format!("postgres://{login}@127.0.0.1:{}/{database}", self.port)
    }

    /// The server's own process, whose children are its sessions.
    pub fn pid(&self) -> Result<u32> {
        Ok(self.running.as_ref().context("Postgres is gone")?.pid)
    }

    /// One of the programs that came with it.
    pub fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// Lets the login `app` serve what `owner` has migrated.
    pub async fn grant(&self) -> Result<()> {
        self.sql("crewline", "GRANT crewline_serve TO app").await
    }

    /// Runs SQL as the superuser.
    pub async fn sql(&self, database: &str, sql: &str) -> Result<()> {
        let mut psql = Command::new(self.program("psql"));
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql]);
        said(psql.arg(self.url("super", database))).await?;
        Ok(())
    }

    /// Returns when it accepts connections. `clock` is its environment.
    pub async fn run(&mut self, clock: &[(&str, String)]) -> Result<()> {
        let started = Instant::now();
        loop {
            let mut running = self.spawn(clock).await?;
            // It ends at once if the port, or the memory of the one that was killed, is still taken.
            while running.runs() {
                let mut ready = Command::new(self.program("pg_isready"));
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
            .args(["-c", GUARD, "sh"])
            .args(self.core.prefix())
            .arg(self.program("postgres"))
            .args(self.settings)
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
    let installed = installed.filter_map(|entry| Some(entry.ok()?.path()));
    let newest = newest(installed.filter(|version| version.join("bin/initdb").is_file()));
    let newest =
        newest.context("Debian's package `postgresql` is not installed; or name a database in DATABASE_URL")?;
    Ok(newest.join("bin"))
}

/// Of folders whose names are versions.
fn newest(versions: impl Iterator<Item = PathBuf>) -> Option<PathBuf> {
    versions.max_by_key(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let numbers: Vec<u32> = name.split('.').map_while(|number| number.parse().ok()).collect();
        numbers
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_is_the_highest_number() {
        let newest = |versions: &[&str]| newest(versions.iter().map(PathBuf::from)).unwrap();
        assert_eq!(newest(&["/pg/9.6", "/pg/15", "/pg/9.10"]), PathBuf::from("/pg/15"));
        assert_eq!(newest(&["/pg/9.6", "/pg/9.10", "/pg/old"]), PathBuf::from("/pg/9.10"));
    }
}
