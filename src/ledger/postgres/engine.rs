//! One writer's session: a batch, one transaction, and what to think of it when it fails.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, Executor};

use super::session;
use super::transaction::Transaction;
use crate::ledger::Command;
use crate::ledger::clerk::Clerk;
use crate::ledger::writer::{Engine, Failed, Locks, Transacted};

/// For all that comes before COMMIT. Beyond it the connection is given up: the callers' patience ends
/// soon, and nothing can have been committed.
const WORK_WITHIN: Duration = Duration::from_secs(4);
/// For COMMIT itself.
const COMMIT_WITHIN: Duration = Duration::from_secs(10);
const ROLL_BACK_WITHIN: Duration = Duration::from_secs(1);

pub(super) struct Writing {
    pub options: PgConnectOptions,
    /// The log that the connection was opened to.
    pub log: Arc<str>,
    /// None before the first batch, and after a failure that it may not have survived.
    pub connection: Option<PgConnection>,
}

#[async_trait]
impl Engine for Writing {
    async fn connect(&mut self) -> anyhow::Result<()> {
        if self.connection.is_none() {
            let (connection, log) = session::writes(&self.options).await?;
            // Restored or promoted. Nothing is kept here between transactions, so it is simply gone on
            // with; each commit says which log it is of, and the hub resets whoever knew the other.
            if log != *self.log {
                tracing::warn!(now = log, was = &*self.log, "the database is another log now");
                self.log = log.into();
            }
            self.connection = Some(connection);
        }
        Ok(())
    }

    async fn transact(&mut self, batch: &[&Command], locks: Locks) -> Result<Transacted, Failed> {
        // Taken out: unless it is put back, it is closed, whatever state it was left in.
        let Some(mut connection) = self.connection.take() else {
            return Err(Failed::Unavailable(anyhow::anyhow!("there is no connection")));
        };
        let work = tokio::time::timeout(
            WORK_WITHIN,
            carry_out(&mut connection, Arc::clone(&self.log), batch, locks),
        )
        .await;
        let done = match work {
            Ok(Ok(done)) => done,
            Ok(Err(error)) => {
                if roll_back(&mut connection).await {
                    self.connection = Some(connection);
                }
                return Err(blame(error));
            }
            Err(_) => return Err(Failed::Unavailable(anyhow::anyhow!("the database does not answer"))),
        };
        if done.commits.is_empty() {
            // Nothing to keep, so no fsync to wait for.
            if roll_back(&mut connection).await {
                self.connection = Some(connection);
            }
            return Ok(done);
        }
        match tokio::time::timeout(COMMIT_WITHIN, connection.execute("COMMIT")).await {
            Ok(Ok(_)) => {
                self.connection = Some(connection);
                Ok(done)
            }
            Ok(Err(error)) => Err(blame_commit(error)),
            Err(_) => Err(Failed::Unknown(anyhow::anyhow!("COMMIT was not answered"))),
        }
    }

    async fn close(&mut self) {
        if let Some(connection) = self.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the ledger did not close cleanly");
        }
    }
}

async fn carry_out(
    connection: &mut PgConnection,
    log: Arc<str>,
    batch: &[&Command],
    locks: Locks,
) -> anyhow::Result<Transacted> {
    connection.execute("BEGIN").await?;
    let mut transaction = Transaction::open(connection, log, batch, locks).await?;
    let held = std::mem::take(&mut transaction.held);
    let mut clerk = Clerk::open(&mut transaction).await?;
    let mut answers = Vec::with_capacity(batch.len());
    for command in batch {
        answers.push(match held.contains(command.org()) {
            true => None,
            false => Some(clerk.carry_out(command).await?),
        });
    }
    clerk.finish(answers).await
}

async fn roll_back(connection: &mut PgConnection) -> bool {
    let rolled_back = tokio::time::timeout(ROLL_BACK_WITHIN, connection.execute("ROLLBACK")).await;
    matches!(rolled_back, Ok(Ok(_)))
}

/// Before COMMIT: is it the batch, or the database?
fn blame(error: anyhow::Error) -> Failed {
    match error.downcast_ref::<sqlx::Error>() {
        Some(sqlx::Error::Database(refused)) if !passes(refused.code().as_deref()) => Failed::Refused(error),
        Some(sqlx::Error::Database(_) | sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_)) => {
            Failed::Unavailable(error)
        }
        _ => Failed::Refused(error),
    }
}

/// States that say nothing against the batch: https://www.postgresql.org/docs/15/errcodes-appendix.html
fn passes(state: Option<&str>) -> bool {
    let state = state.unwrap_or_default();
    // No connection; transaction rolled back; out of resources; operator's doing; system error.
    ["08", "40", "53", "57", "58"].iter().any(|class| state.starts_with(class))
        // Idle in transaction for too long; read-only, as a standby is; lock not available in time.
        || ["25P03", "25006", "55P03"].contains(&state)
}

/// COMMIT failed: only an answer that says so proves that nothing was committed.
fn blame_commit(error: sqlx::Error) -> Failed {
    let state = error
        .as_database_error()
        .and_then(|error| error.code())
        .unwrap_or_default();
    match &*state {
        "25P03" => Failed::Unavailable(error.into()),
        state if state.starts_with("23") || state.starts_with("40") => Failed::Refused(error.into()),
        _ => Failed::Unknown(error.into()),
    }
}
