//! The ledger in Postgres, for any number of nodes.
//!
//! An org's row in `heads` is its lock. Several writers share the orgs of a node; what another node
//! holds is skipped and committed aside. Sessions that serve take a role that can only add to the log.

mod engine;
mod grow;
mod keys;
mod lock;
mod nodes;
mod outbox;
mod photos;
mod search;
mod session;
mod store;
mod texts;
mod transaction;
mod write;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool, Transaction};
use tokio::sync::mpsc;

use super::writer::Writer;
use super::{
    Admission, Command, Commit, Find, Found, Inbox, InboxFilter, Indexed, Ledger, Page, Pending, Projections, Result,
    Slice, ThreadState, ViewHead, audit, contacts, read, texting,
};
use crate::domain::{Contact, ContactId, OrgId, Phone, Record, Seek, Sub, ThreadId, View};
use engine::Writing;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/postgres");

/// Commits that the hub has not taken yet. When it is full the writers wait: nothing is dropped.
const COMMITS: usize = 1_024;
const WRITERS: usize = 2;
/// Connections for orgs that other nodes hold.
const ASIDE: usize = 4;
const READERS: u32 = 8;
const CATCHING_UP: u32 = 4;
const COURIER: u32 = 2;
/// Searches are heavier than all else that is read: many of them wait for each other.
const SEARCHING: u32 = 2;

pub struct Postgres {
    writer: Writer,
    commits: parking_lot::Mutex<Option<mpsc::Receiver<Commit>>>,
    readers: PgPool,
    catching_up: PgPool,
    courier: PgPool,
    searching: PgPool,
}

impl Postgres {
    /// Opens a ledger that [`Postgres::migrate`] made.
    pub async fn open(url: &str) -> anyhow::Result<Self> {
        let options = session::options(url)?;
        session::check(&options).await?;
        let (connection, log) = session::writes(&options).await?;
        let log: Arc<str> = log.into();
        let writing = |connection| Writing {
            options: options.clone(),
            log: Arc::clone(&log),
            connection,
        };
        let mut writers = vec![writing(Some(connection))];
        writers.resize_with(WRITERS, || writing(None));
        let aside = (0..ASIDE).map(|_| writing(None)).collect();
        let (sender, receiver) = mpsc::channel(COMMITS);
        Ok(Self {
            writer: Writer::start(writers, aside, sender),
            commits: parking_lot::Mutex::new(Some(receiver)),
            readers: pool(&options, READERS, Duration::from_secs(5)),
            // Ten thousand may come back at once: they wait for each other, and for nobody else.
            catching_up: pool(&options, CATCHING_UP, Duration::from_secs(30)),
            courier: waiting(COURIER, Duration::from_secs(5))
                .after_connect(|connection, _| Box::pin(session::claims(connection)))
                .connect_lazy_with(options.clone()),
            searching: pool(&options, SEARCHING, Duration::from_secs(5)),
        })
    }

    /// Makes the tables and the role that serves, or brings them up to date. The login owns them from
    /// then on, and should not be the one that serves.
    pub async fn migrate(url: &str) -> anyhow::Result<()> {
        let mut connection = PgConnection::connect_with(&session::options(url)?)
            .await
            .context("cannot connect to the database")?;
        MIGRATIONS
            .run_direct(None, &mut connection, false)
            .await
            .context("cannot migrate the ledger")?;
        search::fill(&mut connection).await.context("cannot fill the index")?;
        contacts::fold_names(&mut connection)
            .await
            .context("cannot fold names")?;
        connection.close().await?;
        Ok(())
    }

    /// Gives the log a new identity, so that every client that knew the old one loads afresh. For after
    /// a restore, when numbers may be given out a second time.
    pub async fn new_log_id(url: &str) -> anyhow::Result<String> {
        let mut connection = PgConnection::connect_with(&session::options(url)?)
            .await
            .context("cannot connect to the database")?;
        let changed = sqlx::query("UPDATE log_identity SET id = gen_random_uuid()")
            .execute(&mut connection)
            .await?;
        anyhow::ensure!(
            changed.rows_affected() == 1,
            "the database holds no log; run `crewline migrate` first"
        );
        let id = session::log_id(&mut connection).await?;
        connection.close().await?;
        Ok(id)
    }

    async fn reader(&self) -> anyhow::Result<PoolConnection<sqlx::Postgres>> {
        Ok(self.readers.acquire().await?)
    }

    async fn courier(&self) -> anyhow::Result<PoolConnection<sqlx::Postgres>> {
        Ok(self.courier.acquire().await?)
    }
}

fn waiting(connections: u32, patience: Duration) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(patience)
}

fn pool(options: &PgConnectOptions, connections: u32, patience: Duration) -> PgPool {
    waiting(connections, patience)
        .after_connect(|connection, _| Box::pin(session::reads(connection)))
        .connect_lazy_with(options.clone())
}

async fn snapshot(pool: &PgPool) -> anyhow::Result<Transaction<'static, sqlx::Postgres>> {
    Ok(pool
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await?)
}

#[async_trait]
impl Ledger for Postgres {
    fn submit(&self, command: Command) -> Pending {
        self.writer.submit(command)
    }

    fn commits(&self) -> Option<mpsc::Receiver<Commit>> {
        self.commits.lock().take()
    }

    async fn log_id(&self) -> Result<String> {
        Ok(session::log_id(&mut *self.reader().await?).await?)
    }

    async fn admit(&self, org: &OrgId, sub: &Sub, contact: Option<&ContactId>) -> Result<Option<Admission>> {
        Ok(read::admit(&mut *self.reader().await?, org, sub, contact).await?)
    }

    async fn sites(&self) -> Result<Vec<(OrgId, Vec<String>)>> {
        Ok(read::sites(&mut *self.reader().await?).await?)
    }

    async fn heads(&self, orgs: &[OrgId]) -> Result<Vec<(OrgId, i64)>> {
        let sql = "SELECT h.org, h.rev FROM json_array_elements_text($1::json) j (org) JOIN heads h ON h.org = j.org";
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
        Ok(texting::stopped(&mut *self.reader().await?, org).await?)
    }

    async fn thread(&self, org: &OrgId, thread: &ThreadId) -> Result<Option<ThreadState>> {
        Ok(read::thread(&mut *snapshot(&self.readers).await?, org, thread).await?)
    }

    async fn report_unwell(&self, node: &str) -> Result<()> {
        Ok(nodes::report_unwell(&mut *self.reader().await?, node).await?)
    }

    async fn unwell_nodes(&self) -> Result<Vec<String>> {
        Ok(nodes::unwell(&mut *self.reader().await?).await?)
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
