//! Connections: as which role, with which time-outs, and to which log.

use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use super::MIGRATIONS;
use crate::ledger::rows::{Cells, Reading};

/// The role that serves: SELECT and INSERT on the log, and it owns nothing.
const ROLE: &str = "crewline_serve";
const CONNECT_WITHIN: Duration = Duration::from_secs(3);

/// A node that was stopped in the middle of a transaction, or that the network lost, holds its locks
/// for some seconds and no longer.
const TIMES: &str = "
    SET lock_timeout = '1s';
    SET statement_timeout = '4s';
    SET idle_in_transaction_session_timeout = '3s';
    SET tcp_keepalives_idle = 3;
    SET tcp_keepalives_interval = 1;
    SET tcp_keepalives_count = 3;";

/// Writers and couriers look up by key and nothing else, so the plans are known; one that is made from
/// statistics can turn, some day, into a scan of the whole log under the locks of hundreds of orgs.
const PLANS: &str = "
    SET synchronous_commit = on;
    SET jit = off;
    SET plan_cache_mode = force_generic_plan;
    SET enable_seqscan = off;
    SET enable_hashjoin = off;
    SET enable_mergejoin = off;";

pub(super) fn options(url: &str) -> Result<PgConnectOptions> {
    let options = PgConnectOptions::from_str(url).context("the database's URL cannot be read")?;
    Ok(options.application_name("crewline").disable_statement_logging())
}

/// A session that reads.
pub(super) async fn reads(connection: &mut PgConnection) -> sqlx::Result<()> {
    let set = format!("SET ROLE {ROLE}; {TIMES}");
    sqlx::raw_sql(AssertSqlSafe(set)).execute(connection).await?;
    Ok(())
}

/// A session that shares out work.
pub(super) async fn claims(connection: &mut PgConnection) -> sqlx::Result<()> {
    let set = format!("SET ROLE {ROLE}; {TIMES} {PLANS}");
    sqlx::raw_sql(AssertSqlSafe(set)).execute(connection).await?;
    Ok(())
}

/// A new session that writes, and the log that it writes to.
pub(super) async fn writes(options: &PgConnectOptions) -> Result<(PgConnection, String)> {
    let connecting = async {
        let mut connection = options.connect().await.context("cannot connect to the database")?;
        claims(&mut connection)
            .await
            .context("cannot take the role that serves")?;
        let log = log_id(&mut connection).await?;
        Ok((connection, log))
    };
    tokio::time::timeout(CONNECT_WITHIN, connecting)
        .await
        .context("the database does not answer")?
}

/// The stored id changes after `migrate --new-log`, the system identifier with another cluster, the
/// timeline when a standby was promoted or a backup was recovered. Only the name of a WAL file shows
/// an ordinary role the timeline as it is now; pg_control_checkpoint() lags behind a promotion.
pub(super) async fn log_id(connection: &mut PgConnection) -> Result<String> {
    let sql = "SELECT i.id || '.' || s.system_identifier || '.' || left(pg_walfile_name(pg_current_wal_lsn()), 8)
               FROM log_identity i, pg_control_system() s";
    let row = connection.row(sql, &[]).await?;
    Ok(row
        .context("the database holds no log; run `crewline migrate`")?
        .text(0)?
        .to_owned())
}

/// Says clearly what is missing before anything is served.
pub(super) async fn check(options: &PgConnectOptions) -> Result<()> {
    let mut connection = tokio::time::timeout(CONNECT_WITHIN, options.connect())
        .await
        .context("the database does not answer")?
        .context("cannot connect to the database")?;
    let there = "SELECT 1 WHERE to_regclass('log') IS NOT NULL AND to_regclass('_sqlx_migrations') IS NOT NULL";
    ensure!(
        connection.row(there, &[]).await?.is_some(),
        "the database holds no ledger; run `crewline migrate` with a login that may create tables and roles"
    );
    let login = options.get_username();
    let set = format!("SET ROLE {ROLE}");
    sqlx::raw_sql(AssertSqlSafe(set))
        .execute(&mut connection)
        .await
        .with_context(|| {
            format!("{login:?} may not serve; let the owner of the tables run GRANT {ROLE} TO {login:?}")
        })?;
    check_version(&mut connection).await?;
    for reason in undoing(&mut connection).await? {
        tracing::warn!(
            login,
            "this login could undo that the log only grows: {reason}; serve with another"
        );
    }
    connection.close().await?;
    Ok(())
}

async fn check_version(connection: &mut PgConnection) -> Result<()> {
    let sql = "SELECT checksum, version FROM _sqlx_migrations WHERE success ORDER BY version";
    let done = connection.rows(sql, &[]).await?;
    for row in &done {
        let version = row.int(1)?;
        match MIGRATIONS.iter().find(|migration| migration.version == version) {
            None => bail!("the database is newer than this crewline: it has migration {version}"),
            Some(known) => ensure!(
                *known.checksum == *row.bytes(0)?,
                "the database's migration {version} is another than this crewline's"
            ),
        }
    }
    ensure!(
        done.len() == MIGRATIONS.iter().count(),
        "the database is older than this crewline; run `crewline migrate`"
    );
    Ok(())
}

/// Reasons why the login, beside the role it takes, could take the log's protection away.
async fn undoing(connection: &mut PgConnection) -> Result<Vec<String>> {
    let sql = "
        SELECT why FROM pg_roles r, pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
        LATERAL (VALUES
            (r.rolsuper, 'it is a superuser'),
            (pg_has_role(session_user, c.relowner, 'MEMBER'), 'it owns the log'),
            (pg_has_role(session_user, n.nspowner, 'MEMBER'), 'it owns the schema or the database'),
            (r.rolcreaterole, 'it may create roles and so take others'),
            (has_table_privilege(session_user, c.oid, 'UPDATE, DELETE, TRUNCATE, TRIGGER'),
                'it was granted more on the log than SELECT and INSERT')
        ) AS t (holds, why)
        WHERE r.rolname = session_user AND c.oid = to_regclass('log') AND holds";
    let found = connection.rows(sql, &[]).await?;
    let mut reasons = found
        .iter()
        .map(|row| Ok(row.text(0)?.to_owned()))
        .collect::<Result<Vec<_>>>()?;
    // A superuser has every other reason too.
    if reasons.iter().any(|reason| reason.contains("superuser")) {
        reasons.truncate(1);
    }
    Ok(reasons)
}
