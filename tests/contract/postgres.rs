//! What protects the log on Postgres: roles, triggers, and what is said at the start.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crewline::domain::Mark;
use crewline::ledger::{Ledger, Postgres};
use parking_lot::Mutex;
use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::book::Book;
use super::cluster::{Cluster, cluster, run};

async fn book() -> (Book, String) {
    let database = cluster().migrated().await;
    let ledger = cluster().open(&database).await;
    let book = Book::open(crate::book::Engine::of(ledger)).await;
    book.run(book.say("ana", "ana", "m1", "the first")).await.unwrap();
    book.run(book.say("ana", "ana", "m2", "the second")).await.unwrap();
    (book, database)
}

async fn refused(connection: &mut PgConnection, sql: &str) -> String {
    let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await;
    match done {
        Ok(_) => panic!("nothing stops {sql}"),
        Err(error) => error.to_string(),
    }
}

/// The log, and every table that holds rows of it: partitions, children, what is stored out of line.
async fn tables(session: &mut PgConnection) -> Vec<String> {
    let sql = "WITH RECURSIVE t (oid) AS (
                   SELECT 'log'::regclass::oid UNION ALL SELECT i.inhrelid FROM pg_inherits i JOIN t ON i.inhparent = t.oid)
               SELECT oid::regclass::text FROM t
               UNION ALL SELECT c.reltoastrelid::regclass::text FROM t JOIN pg_class c USING (oid) WHERE c.reltoastrelid <> 0";
    let rows = sqlx::query(sql).fetch_all(session).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn the_role_that_serves_can_add_to_the_log_and_nothing_else() {
    let (book, database) = book().await;
    let before = book.ledger.records(&book.org, 0, 100).await.unwrap();
    let mut session = cluster().session(&database).await;
    let tables = tables(&mut session).await;
    assert!(tables.len() >= 2, "{tables:?}");
    run(&mut session, "SET ROLE crewline_serve").await;
    for table in &tables {
        let column = if table == "log" { "rev" } else { "chunk_seq" };
        for sql in [
            format!("UPDATE {table} SET {column} = {column}"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
        ] {
            let error = refused(&mut session, &sql).await;
            assert!(error.contains("permission denied"), "{sql}: {error}");
        }
    }
    for sql in [
        "INSERT INTO log SELECT * FROM log WHERE id = 'm2' ON CONFLICT (org, rev) DO UPDATE SET body_team = '{}'",
        "SELECT * FROM log FOR UPDATE",
        "MERGE INTO log l USING log k ON l.rev = k.rev WHEN MATCHED THEN DELETE",
        "DROP TABLE log",
        "DROP TRIGGER log_no_update ON log",
        "ALTER TABLE log DISABLE TRIGGER ALL",
        "CREATE TRIGGER eats AFTER INSERT ON log EXECUTE FUNCTION log_refuses()",
        "CREATE RULE eats AS ON INSERT TO log DO INSTEAD NOTHING",
        "CREATE OR REPLACE FUNCTION log_refuses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
        "UPDATE log_identity SET id = 'x'",
        "DELETE FROM heads",
        "DELETE FROM reads",
        "DELETE FROM search",
        "UPDATE search SET public = 1",
    ] {
        let error = refused(&mut session, sql).await;
        assert!(
            error.contains("permission denied") || error.contains("must be owner"),
            "{sql}: {error}"
        );
    }
    let taken = "INSERT INTO log SELECT * FROM log WHERE id = 'm2'";
    assert!(refused(&mut session, taken).await.contains("duplicate key"));
    assert_eq!(book.ledger.records(&book.org, 0, 100).await.unwrap(), before);
}

const WAYS: [(&str, &str); 4] = [
    ("log_no_update", "UPDATE log SET body_team = '{}' WHERE id = 'm1'"),
    (
        "log_no_update",
        "INSERT INTO log SELECT * FROM log ON CONFLICT (org, rev) DO UPDATE SET body_team = '{}'",
    ),
    ("log_no_delete", "DELETE FROM log WHERE id = 'm1'"),
    ("log_no_truncate", "TRUNCATE log"),
];

#[tokio::test]
async fn each_trigger_is_what_stops_the_owner() {
    let (book, database) = book().await;
    let before = book.ledger.records(&book.org, 0, 100).await.unwrap();
    let mut session = cluster().session(&database).await;
    for prepare in ["SET ROLE owner", "RESET ROLE", "SET session_replication_role = replica"] {
        run(&mut session, prepare).await;
        for (trigger, sql) in WAYS {
            let error = refused(&mut session, sql).await;
            assert!(
                error.contains("the log cannot be changed"),
                "{prepare}: {trigger}: {sql}: {error}"
            );
        }
    }
    assert_eq!(book.ledger.records(&book.org, 0, 100).await.unwrap(), before);
    for (trigger, sql) in WAYS {
        run(&mut session, format!("BEGIN; DROP TRIGGER {trigger} ON log; {sql}")).await;
        let rows = sqlx::query("SELECT count(*) FROM log WHERE body_team <> '{}'")
            .fetch_one(&mut session)
            .await
            .unwrap();
        assert!(rows.get::<i64, _>(0) < before.len() as i64, "{trigger}");
        run(&mut session, "ROLLBACK").await;
    }
}

/// What is logged, as text.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl io::Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_login_that_could_undo_the_protection_is_warned_of() {
    let database = cluster().migrated().await;
    run(
        &mut cluster().session(&database).await,
        "CREATE ROLE half LOGIN IN ROLE crewline_serve; GRANT DELETE ON log TO half;
         CREATE ROLE maker LOGIN CREATEROLE IN ROLE crewline_serve;
         CREATE ROLE friend LOGIN IN ROLE crewline_serve, owner",
    )
    .await;
    for (login, warned) in [
        ("app", None),
        ("super", Some("it is a superuser")),
        ("owner", Some("it owns the log")),
        ("friend", Some("it owns the log")),
        ("half", Some("it was granted more")),
        ("maker", Some("it may create roles")),
    ] {
        let said = Said::default();
        let writer = said.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
        let logging = tracing::subscriber::set_default(subscriber);
        let ledger = Postgres::open(&cluster().url(login, &database)).await.unwrap();
        drop(logging);
        drop(ledger);
        let said = String::from_utf8(said.0.lock().clone()).unwrap();
        let undo = said.contains("could undo that the log only grows");
        assert_eq!(undo, warned.is_some(), "{login}: {said}");
        assert!(warned.is_none_or(|reason| said.contains(reason)), "{login}: {said}");
    }
}

async fn why_not(database: &str, login: &str) -> String {
    match Postgres::open(&cluster().url(login, database)).await {
        Ok(_) => panic!("it opens"),
        Err(error) => format!("{error:#}"),
    }
}

#[tokio::test]
async fn what_is_missing_is_said_at_the_start() {
    let empty = cluster().database().await;
    assert!(why_not(&empty, "app").await.contains("run `crewline migrate`"));

    let database = cluster().migrated().await;
    let mut session = cluster().session(&database).await;
    run(&mut session, "CREATE ROLE stranger LOGIN").await;
    let error = why_not(&database, "stranger").await;
    assert!(error.contains("GRANT crewline_serve TO \"stranger\""), "{error}");

    run(
        &mut session,
        "INSERT INTO _sqlx_migrations SELECT 9999, 'later', now(), true, checksum, 1 FROM _sqlx_migrations LIMIT 1",
    )
    .await;
    assert!(why_not(&database, "app").await.contains("newer than this crewline"));
    run(&mut session, "DELETE FROM _sqlx_migrations").await;
    assert!(why_not(&database, "app").await.contains("older than this crewline"));
}

#[tokio::test]
async fn many_databases_of_one_cluster_are_migrated_at_once() {
    // Its own, in which the role does not exist yet.
    let cluster = Cluster::start();
    let mut databases = Vec::new();
    for _ in 0..6 {
        databases.push(cluster.database().await);
    }
    let migrations = databases.iter().map(|database| {
        let url = cluster.url("owner", database);
        tokio::spawn(async move { Postgres::migrate(&url).await })
    });
    for migration in migrations.collect::<Vec<_>>() {
        migration.await.unwrap().unwrap();
    }
    for database in &databases {
        // A second time changes nothing.
        Postgres::migrate(&cluster.url("owner", database)).await.unwrap();
        Postgres::open(&cluster.url("owner", database)).await.unwrap();
    }
}

#[tokio::test]
async fn a_promoted_standby_and_a_new_log_are_other_logs() {
    let cluster = Cluster::start();
    let database = cluster.migrated().await;
    let here = cluster.open(&database).await;
    let id = here.log_id().await.unwrap();
    let [log, system, timeline]: [&str; 3] = id.split('.').collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(timeline, "00000001");

    let standby = cluster.standby();
    let mut session = standby.session(&database).await;
    let error = Postgres::open(&standby.url("app", &database)).await.err().unwrap();
    assert!(format!("{error:#}").contains("recovery"), "{error:#}");
    run(&mut session, "SELECT pg_promote()").await;
    let there = standby.open(&database).await;
    assert_eq!(there.log_id().await.unwrap(), format!("{log}.{system}.00000002"));
    assert_eq!(here.log_id().await.unwrap(), id);

    let other = Postgres::new_log_id(&cluster.url("owner", &database)).await.unwrap();
    assert_ne!(other, id);
    assert!(other.ends_with(&format!(".{system}.00000001")));
    assert_eq!(here.log_id().await.unwrap(), other, "read anew each time");
    assert!(Postgres::new_log_id(&cluster.url("app", &database)).await.is_err());
}

/// Before its first ANALYZE a table looks empty to the planner, and any index as good as any other.
#[tokio::test]
async fn a_mark_does_not_read_its_whole_thread() {
    let (book, database) = book().await;
    for n in 3..=40 {
        book.run(book.say("ana", "ana", &format!("m{n}"), "more"))
            .await
            .unwrap();
    }
    book.run(book.mark("Sam", "ana", Mark::Read, 20)).await.unwrap();
    let mut session = cluster().session(&database).await;
    let mut scans = async |index: &str| -> i64 {
        let sql = "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = $1";
        let row = sqlx::query(sql).bind(index).fetch_one(&mut session).await.unwrap();
        row.get(0)
    };
    // A session tells within a second what it did.
    let start = Instant::now();
    while scans("log_seq").await == 0 {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "the mark was found otherwise"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(scans("log_thread").await, 0);
}
