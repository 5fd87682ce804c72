//! The ledger in one SQLite file: nothing to install, and as durable as the disk.
//!
//! WAL with `synchronous = FULL`: COMMIT returns after the fsync. One connection writes; readers have
//! a pool, and those who catch up have another, so that neither waits for the writer or each other.

mod outbox;
mod photos;
mod search;
mod store;
mod texting;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqlitePool, Transaction};
use tokio::sync::mpsc;

use super::clerk::Clerk;
use super::rows::{Cells, Reading};
use super::writer::{Engine, Failed, Locks, Transacted, Writer};
use super::{
    Admission, Command, Commit, Find, Found, Inbox, InboxFilter, Indexed, Ledger, Page, Pending, Projections, Result,
    Slice, ThreadState, ViewHead, audit, contacts, read,
};
use crate::domain::{Contact, ContactId, OrgId, Phone, Record, Seek, Sub, ThreadId, View};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");

/// Commits that the hub has not taken yet. When it is full the writer waits: nothing is dropped.
const COMMITS: usize = 1_024;

pub struct Sqlite {
    writer: Writer,
    commits: parking_lot::Mutex<Option<mpsc::Receiver<Commit>>>,
    readers: SqlitePool,
    catching_up: SqlitePool,
    courier: SqlitePool,
    searching: SqlitePool,
}

/// What a transaction tells the time by.
#[derive(Debug, Clone)]
pub enum Clock {
    Database,
    /// In ms since 1970, set by whoever writes the demo's example, which began long ago.
    Set(Arc<AtomicI64>),
}

impl Sqlite {
    /// Opens the file, makes it if it is not there, and brings its tables up to date.
    pub async fn open(file: &Path) -> anyhow::Result<Self> {
        Self::open_by(file, Clock::Database).await
    }

    pub async fn open_by(file: &Path, clock: Clock) -> anyhow::Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5))
            .disable_statement_logging();
        let mut writing = options
            .connect()
            .await
            .with_context(|| format!("cannot open {}", file.display()))?;
        MIGRATIONS
            .run_direct(None, &mut writing, false)
            .await
            .context("cannot migrate the ledger")?;
        search::fill(&mut writing).await.context("cannot fill the index")?;
        contacts::fold_names(&mut writing).await.context("cannot fold names")?;
        sqlx::query("INSERT INTO log_identity (one, id) VALUES (1, $1) ON CONFLICT DO NOTHING")
            .bind(uuid::Uuid::new_v4().to_string())
            .execute(&mut writing)
            .await?;
        let log: String = sqlx::query_scalar("SELECT id FROM log_identity")
            .fetch_one(&mut writing)
            .await?;
        let pool = |connections, options: &SqliteConnectOptions| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(Duration::from_secs(30))
                .connect_lazy_with(options.clone())
        };
        let reading = options.clone().read_only(true);
        let (sender, receiver) = mpsc::channel(COMMITS);
        Ok(Self {
            writer: Writer::start(
                vec![Writing {
                    log: log.into(),
                    clock,
                    connection: Some(writing),
                }],
                Vec::new(),
                sender,
            ),
            commits: parking_lot::Mutex::new(Some(receiver)),
            readers: pool(4, &reading),
            catching_up: pool(2, &reading),
            courier: pool(1, &options),
            searching: pool(1, &reading),
        })
    }
}

/// Gives the log in `file` a new identity, so that every client that knew the old one loads afresh.
/// For after a restore, when numbers may be given out a second time.
pub async fn new_log_id(file: &Path) -> anyhow::Result<String> {
    let id = uuid::Uuid::new_v4().to_string();
    let mut connection = SqliteConnectOptions::new().filename(file).connect().await?;
    let changed = sqlx::query("UPDATE log_identity SET id = $1")
        .bind(&id)
        .execute(&mut connection)
        .await?;
    anyhow::ensure!(
        changed.rows_affected() == 1,
        "{} holds no log; run `crewline migrate` first",
        file.display()
    );
    connection.close().await?;
    Ok(id)
}

struct Writing {
    /// It cannot become another one while the file is open: `migrate --new-log` is for a hub that stands.
    log: Arc<str>,
    clock: Clock,
    /// None once it is closed.
    connection: Option<SqliteConnection>,
}

#[async_trait]
impl Engine for Writing {
    async fn transact(&mut self, batch: &[&Command], _: Locks) -> Result<Transacted, Failed> {
        let connection = self.connection.as_mut().expect("closed last");
        let mut transaction = connection
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(|error| Failed::Unavailable(error.into()))?;
        let store = store::Transaction(&mut transaction, Arc::clone(&self.log), &self.clock);
        let done = carry_out(store, batch).await.map_err(Failed::Refused)?;
        transaction
            .commit()
            .await
            .map_err(|error| Failed::Unknown(error.into()))?;
        Ok(done)
    }

    async fn close(&mut self) {
        if let Some(connection) = self.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the ledger did not close cleanly");
        }
    }
}

async fn carry_out(mut store: store::Transaction<'_>, batch: &[&Command]) -> anyhow::Result<Transacted> {
    let mut clerk = Clerk::open(&mut store).await?;
    let mut answers = Vec::with_capacity(batch.len());
    for command in batch {
        answers.push(Some(clerk.carry_out(command).await?));
    }
    clerk.finish(answers).await
}

#[async_trait]
impl Ledger for Sqlite {
    fn submit(&self, command: Command) -> Pending {
        self.writer.submit(command)
    }

    fn commits(&self) -> Option<mpsc::Receiver<Commit>> {
        self.commits.lock().take()
    }

    async fn log_id(&self) -> Result<String> {
        let row = self.reader().await?.row("SELECT id FROM log_identity", &[]).await?;
        Ok(row.context("the file holds no log")?.text(0)?.to_owned())
    }

    async fn admit(&self, org: &OrgId, sub: &Sub, contact: Option<&ContactId>) -> Result<Option<Admission>> {
        Ok(read::admit(&mut *self.reader().await?, org, sub, contact).await?)
    }

    async fn sites(&self) -> Result<Vec<(OrgId, Vec<String>)>> {
        Ok(read::sites(&mut *self.reader().await?).await?)
    }

    async fn heads(&self, orgs: &[OrgId]) -> Result<Vec<(OrgId, i64)>> {
        let sql = "SELECT h.org, h.rev FROM json_each($1) j JOIN heads h ON h.org = j.value";
        Ok(read::heads(&mut *self.reader().await?, sql, orgs).await?)
    }

    async fn head(&self, view: &View) -> Result<Option<ViewHead>> {
        Ok(read::head(&mut *snapshot(&self.readers).await?, view).await?)
    }

    async fn after(&self, view: &View, cursor: i64, limit: u32) -> Result<Slice> {
        Ok(read::after(&mut *snapshot(&self.catching_up).await?, view, cursor, limit).await?)
    }

    async fn history(&self, view: &View, thread: &ThreadId, seek: Seek, limit: u32) -> Result<Page> {
        Ok(read::history(&mut *snapshot(&self.readers).await?, view, thread, seek, limit).await?)
    }

    async fn inbox(&self, org: &OrgId, filter: InboxFilter, before: Option<i64>, limit: u32) -> Result<Inbox> {
        Ok(read::inbox(&mut *snapshot(&self.readers).await?, org, filter, before, limit).await?)
    }

    async fn contacts(&self, org: &OrgId, like: &str, limit: u32) -> Result<Vec<Contact>> {
        Ok(contacts::find(&mut *self.reader().await?, org, like, limit).await?)
    }

    async fn unrouted(&self, org: &OrgId, before: Option<i64>, limit: u32) -> Result<Page> {
        Ok(read::unrouted(&mut *snapshot(&self.readers).await?, org, before, limit).await?)
    }

    async fn search(&self, view: &View, find: &Find, limit: usize) -> Result<Found> {
        Ok(search::search(&mut *snapshot(&self.searching).await?, view, find, limit).await?)
    }

    async fn stopped(&self, org: &OrgId) -> Result<Vec<Phone>> {
        Ok(super::texting::stopped(&mut *self.reader().await?, org).await?)
    }

    async fn thread(&self, org: &OrgId, thread: &ThreadId) -> Result<Option<ThreadState>> {
        Ok(read::thread(&mut *snapshot(&self.readers).await?, org, thread).await?)
    }

    async fn orgs(&self) -> Result<Vec<OrgId>> {
        Ok(audit::orgs(&mut *self.reader().await?).await?)
    }

    async fn records(&self, org: &OrgId, after: i64, limit: u32) -> Result<Vec<Record>> {
        Ok(audit::records(&mut *self.reader().await?, org, after, limit).await?)
    }

    async fn indexed(&self, org: &OrgId, after: i64, up_to: i64) -> Result<Vec<Indexed>> {
        let reader = &mut *self.reader().await?;
        Ok(super::search::indexed(reader, search::INDEXED, org, after, up_to).await?)
    }

    async fn projections(&self, org: &OrgId) -> Result<Projections> {
        Ok(audit::projections(&mut *snapshot(&self.readers).await?, org).await?)
    }

    async fn close(&self) {
        self.writer.close().await;
        self.readers.close().await;
        self.catching_up.close().await;
        self.courier.close().await;
        self.searching.close().await;
    }
}

impl Sqlite {
    async fn reader(&self) -> anyhow::Result<PoolConnection<sqlx::Sqlite>> {
        Ok(self.readers.acquire().await?)
    }

    async fn courier(&self) -> anyhow::Result<PoolConnection<sqlx::Sqlite>> {
        Ok(self.courier.acquire().await?)
    }
}

/// A transaction reads one snapshot, from its first query on.
async fn snapshot(pool: &SqlitePool) -> anyhow::Result<Transaction<'static, sqlx::Sqlite>> {
    Ok(pool.begin().await?)
}
