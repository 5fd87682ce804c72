//! `verify` names what differs, whatever was changed behind the ledger's back.

use crewline::domain::Mark;
use crewline::ledger::verify;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions};

use super::book::{Book, Engine, sqlite};
use super::cluster::cluster;

/// A change, and what `verify` calls it. In the log itself the triggers have to go first.
fn changes() -> Vec<(String, &'static str)> {
    let log = [
        ("body_team = replace(body_team, 'leak', 'bill')", "hash"),
        ("body_public = replace(body_public, 'leak', 'bill')", "body_public"),
        ("submitter = 'sub:kim'", "hash"),
        ("at = at + 1", "hash"),
        ("customer_count = 9", "counts"),
        ("seq = 99", "seq"),
        ("hash = (SELECT hash FROM log WHERE rev = 1)", "hash"),
        ("body_team = '{}'", "cannot be read"),
    ]
    .map(|(change, named)| (format!("UPDATE log SET {change} WHERE id = 'm1'"), named));
    let others = [
        ("DELETE FROM log WHERE id = 'm1'", "rev"),
        ("UPDATE heads SET new = new + 1", "the head"),
        ("UPDATE heads SET rev = rev + 1", "the head"),
        ("UPDATE threads SET team_read = 0 WHERE team_read > 0", "thread"),
        ("UPDATE threads SET waiting_since = 5 WHERE active > 0", "thread"),
        ("UPDATE contacts SET name = 'Eve'", "contact"),
        ("UPDATE people SET person = 'p_0'", "person"),
        ("UPDATE reads SET up_to = 9", "read mark"),
        ("DELETE FROM reads", "read mark"),
        ("UPDATE photos SET seq = NULL", "photo"),
        ("UPDATE photos SET sha256 = 'x'", "photo"),
        ("UPDATE photos SET thread = 'another'", "photo"),
        (
            "INSERT INTO missing VALUES ('acme', 'ME1', 'MM1', 't', 1, 0, '', 0, 0)",
            "part of an MMS",
        ),
        ("DELETE FROM search", "missing from the index"),
        ("UPDATE search SET rev = rev + 90", "is in the index, but should not be"),
        ("UPDATE search SET team = 0", "missing from the index"),
        ("UPDATE search SET public = 0", "missing from the index"),
        ("UPDATE threads SET handoff = 1 WHERE active > 0", "thread"),
        ("UPDATE threads SET handler = 'ai' WHERE active > 0", "thread"),
        ("UPDATE threads SET attached = 't' WHERE active > 0", "thread"),
        (
            "INSERT INTO phones VALUES ('acme', '+14155550199', 'ana')",
            "the numbers that became contacts'",
        ),
        ("INSERT INTO routed VALUES ('acme', 1, 't')", "routed text"),
        ("INSERT INTO revocations VALUES ('acme', 'sam', 5)", "revocation"),
        (
            "UPDATE orgs SET settings = replace(settings, 'Acme', 'Bcme')",
            "settings",
        ),
    ]
    .map(|(sql, named)| (sql.to_owned(), named));
    log.into_iter().chain(others).collect()
}

async fn prepare(book: &Book) {
    book.run(book.say("ana", "ana", "m1", "the leak")).await.unwrap();
    let photo = super::ledger::photos::upload(book, &super::book::person("ana").submitter()).await;
    let photo = super::ledger::photos::with("p1", &[&photo], false);
    book.run(book.draft("ana", "ana", photo)).await.unwrap();
    book.run(book.mark("Sam", "ana", Mark::Read, 1)).await.unwrap();
    book.is_clean().await;
}

async fn is_found(book: &Book, (sql, named): (String, &str)) {
    let report = verify::verify(&*book.ledger, &mut |_, _| {}).await.unwrap();
    assert!(
        report.differences.iter().any(|difference| difference.contains(named)),
        "{sql}: {:?}",
        report.differences
    );
}

#[tokio::test]
async fn every_change_behind_the_back_of_sqlite_is_found() {
    for change in changes() {
        let book = Book::open(sqlite().await).await;
        prepare(&book).await;
        let options = SqliteConnectOptions::new().filename(book.dir.path().join("crewline.db"));
        let mut connection = options.connect().await.unwrap();
        for trigger in ["log_no_update", "log_no_delete"] {
            let drop = AssertSqlSafe(format!("DROP TRIGGER {trigger}"));
            sqlx::query(drop).execute(&mut connection).await.unwrap();
        }
        let changed = sqlx::query(AssertSqlSafe(change.0.clone()));
        let changed = changed.execute(&mut connection).await.unwrap();
        assert!(changed.rows_affected() > 0, "{}", change.0);
        is_found(&book, change).await;
    }
}

#[tokio::test]
async fn every_change_behind_the_back_of_postgres_is_found() {
    let template = cluster().migrated().await;
    for change in changes() {
        let database = cluster().copy(&template).await;
        let book = Book::open(Engine::of(cluster().open(&database).await)).await;
        prepare(&book).await;
        let mut session = cluster().session(&database).await;
        super::cluster::run(&mut session, "ALTER TABLE log DISABLE TRIGGER ALL").await;
        let changed = sqlx::query(AssertSqlSafe(change.0.clone()));
        let changed = changed.execute(&mut session).await.unwrap();
        assert!(changed.rows_affected() > 0, "{}", change.0);
        is_found(&book, change).await;
    }
}
