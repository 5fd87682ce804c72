//! A private Postgres cluster, from the binaries that the system has: on a free port, in a folder of
//! its own, with fsync on.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crewline::ledger::Postgres;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;

/// Starts the server, says its pid, and stops it when stdin ends: when this process is gone, however
/// it went. Then the data go too, unless they are to be started again. `syncfs`: a server that was killed
/// fsyncs its thousand files one by one otherwise, for seconds on a busy disk.
const GUARD: &str = r#"
    "$BIN/postgres" -D "$DATA" -k "$DATA" -p "$PORT" -c listen_addresses=127.0.0.1 -c max_connections=200 \
        -c recovery_init_sync_method=syncfs >>"$DATA/server.log" 2>&1 </dev/null &
    echo $!
    word=$(cat)
    kill -QUIT $! 2>/dev/null
    wait
    [ "$word" = keep ] || rm -rf "${DATA%/data}"
"#;

pub struct Cluster {
    dir: TempDir,
    bin: PathBuf,
    pub port: u16,
    guard: parking_lot::Mutex<Option<Guard>>,
}

struct Guard {
    shell: Child,
    stdin: Option<ChildStdin>,
    postgres: u32,
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.shell.wait();
    }
}

/// One for all tests of this process.
pub fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start)
}

/// Where initdb and postgres are: the newest that is installed, if none is named.
fn bin() -> PathBuf {
    let given = std::env::var_os("CREWLINE_TEST_POSTGRES_BIN").map(PathBuf::from);
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let installed = installed
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|version| version.join("bin/initdb").is_file());
    // 15 comes after 9.6.
    let newest = installed.max_by_key(|version| {
        let name = version.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let numbers: Vec<u32> = name.split('.').map_while(|number| number.parse().ok()).collect();
        numbers
    });
    let bin = given.or_else(|| Some(newest?.join("bin")));
    bin.expect("the tests need Postgres: install postgresql, or name its bin folder in CREWLINE_TEST_POSTGRES_BIN")
}

/// Postgres refuses to run as root.
fn as_postgres(program: impl AsRef<std::ffi::OsStr>) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program);
    command
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.trim_ascii() == b"0"
}

fn done(command: &mut Command) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Cluster {
    pub fn start() -> Self {
        let cluster = Self::folder();
        done(
            as_postgres(cluster.bin.join("initdb"))
                .args(["-U", "super", "-A", "trust", "-E", "UTF8", "--locale=C", "-D"])
                .arg(cluster.data()),
        );
        cluster.run();
        cluster
    }

    /// A standby of this one, that follows it until it is promoted.
    pub fn standby(&self) -> Self {
        let standby = Self::folder();
        done(
            self.tool("pg_basebackup")
                .args(["-R", "-X", "stream", "-c", "fast", "-D"])
                .arg(standby.data()),
        );
        standby.run();
        standby
    }

    /// One of Postgres's own programs, about to connect to this server as its superuser.
    pub fn tool(&self, name: &str) -> Command {
        let mut tool = as_postgres(self.bin.join(name));
        tool.args(["-h", "127.0.0.1", "-U", "super", "-p", &self.port.to_string()]);
        tool
    }

    fn folder() -> Self {
        let dir = tempfile::Builder::new().prefix("crewline-pg").tempdir().unwrap();
        if is_root() {
            done(Command::new("chown").arg("postgres").arg(dir.path()));
        }
        Self {
            dir,
            bin: bin(),
            port: free_port(),
            guard: parking_lot::Mutex::new(None),
        }
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Starts the server; returns before it accepts.
    pub fn run(&self) {
        let mut shell = as_postgres("sh")
            .args(["-c", GUARD])
            .env("BIN", &self.bin)
            .env("DATA", self.data())
            .env("PORT", self.port.to_string())
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = shell.stdin.take();
        let mut pid = String::new();
        BufReader::new(shell.stdout.take().unwrap())
            .read_line(&mut pid)
            .unwrap();
        *self.guard.lock() = Some(Guard {
            shell,
            stdin,
            postgres: pid.trim().parse().unwrap(),
        });
    }

    /// `kill -9` of the server and of every process it has.
    pub fn kill(&self) {
        let mut guard = self.guard.lock().take().unwrap();
        guard.stdin.as_mut().unwrap().write_all(b"keep").unwrap();
        // One that stands still starts no more of them.
        done(Command::new("kill").args(["-STOP", &guard.postgres.to_string()]));
        let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", guard.postgres));
        let mut kill = Command::new("kill");
        kill.args(["-9", &guard.postgres.to_string()]);
        for child in children.unwrap_or_default().split_whitespace() {
            kill.arg(child);
        }
        let _ = kill.output();
        drop(guard);
    }

    pub fn url(&self, login: &str, database: &str) -> String {
        format!("postgres://{login}@127.0.0.1:{}/{database}", self.port)
    }

    /// A session that may do everything.
    pub async fn session(&self, database: &str) -> PgConnection {
        let url = self.url("super", database);
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            match PgConnection::connect(&url).await {
                Ok(connection) => return connection,
                Err(error) if Instant::now() > until => {
                    let log = std::fs::read_to_string(self.data().join("server.log"));
                    panic!("Postgres does not start: {error}\n{}", log.unwrap_or_default())
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(30)).await,
            }
        }
    }

    /// A new, empty database. The login `owner` owns it.
    pub async fn database(&self) -> String {
        self.copy("template1").await
    }

    /// A new database with what is in another, that nobody uses at the moment.
    pub async fn copy(&self, template: &str) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("db{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut session = self.session("postgres").await;
        let logins = "DO $$ BEGIN
                CREATE ROLE owner LOGIN CREATEROLE;
                CREATE ROLE app LOGIN;
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$";
        run(&mut session, logins).await;
        run(
            &mut session,
            format!("CREATE DATABASE {name} OWNER owner TEMPLATE {template}"),
        )
        .await;
        name
    }

    /// A new database with a ledger, that the login `app` may serve.
    pub async fn migrated(&self) -> String {
        // Grants to one login at the same moment collide; who grants by hand does not do that.
        static ONE_BY_ONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
        let database = self.database().await;
        Postgres::migrate(&self.url("owner", &database)).await.unwrap();
        let _turn = ONE_BY_ONE.lock().await;
        run(&mut self.session(&database).await, "GRANT crewline_serve TO app").await;
        database
    }

    pub async fn open(&self, database: &str) -> Arc<Postgres> {
        Arc::new(Postgres::open(&self.url("app", database)).await.unwrap())
    }
}

pub async fn run(connection: &mut PgConnection, sql: impl Into<String>) {
    let sql: String = sql.into();
    if let Err(error) = sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(connection).await {
        panic!("{sql}: {error}");
    }
}
