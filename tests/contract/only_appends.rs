//! Nothing in the log can be updated, deleted or replaced: by nobody who opens the file as SQLite does.
//! Each trigger is also taken away, to see that it was this one that held.

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, SqliteConnection};

use super::book::{Book, sqlite};

async fn book() -> (Book, SqliteConnection) {
    let book = Book::open(sqlite().await).await;
    book.run(book.say("ana", "ana", "m1", "the first")).await.unwrap();
    book.run(book.say("ana", "ana", "m2", "the second")).await.unwrap();
    let file = book.dir.path().join("crewline.db");
    let connection = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    (book, connection)
}

/// A row like the last, with other keys in the places named.
fn replace(rev: &str, seq: &str, id: &str) -> String {
    format!(
        "INSERT OR REPLACE INTO log SELECT org, {rev}, thread, {seq}, kind, submitter, {id}, '{{}}', '{{}}',
             customer_count, team_count, at, hash FROM log WHERE id = 'm2'"
    )
}

async fn run(connection: &mut SqliteConnection, sql: String) -> Result<u64, String> {
    let done = sqlx::query(AssertSqlSafe(sql)).execute(connection).await;
    done.map(|done| done.rows_affected()).map_err(|error| error.to_string())
}

/// Every way to change or lose a record, and the trigger that stands before it.
fn ways() -> Vec<(&'static str, String)> {
    vec![
        ("log_no_update", "UPDATE log SET body_team = '{}'".into()),
        ("log_no_update", "UPDATE log SET rev = rev + 100".into()),
        ("log_no_delete", "DELETE FROM log".into()),
        ("log_no_delete", "DELETE FROM log WHERE id = 'm1'".into()),
        ("log_no_replace_rev", replace("4", "77", "'new'")),
        ("log_no_replace_seq", replace("77", "1", "'new'")),
        ("log_no_replace_id", replace("77", "77", "'m1'")),
    ]
}

#[tokio::test]
async fn no_statement_changes_or_removes_a_record() {
    let (book, mut connection) = book().await;
    let before = book.ledger.records(&book.org, 0, 100).await.unwrap();
    for (trigger, sql) in ways() {
        let error = run(&mut connection, sql.clone()).await.unwrap_err();
        assert!(error.contains("the log cannot be"), "{trigger}: {sql}: {error}");
    }
    let upsert =
        replace("4", "77", "'new'").replace("OR REPLACE ", "") + " AND true ON CONFLICT DO UPDATE SET body_team = '{}'";
    assert!(run(&mut connection, upsert).await.is_err());
    assert_eq!(book.ledger.records(&book.org, 0, 100).await.unwrap(), before);
}

#[tokio::test]
async fn each_trigger_is_what_holds() {
    for (trigger, sql) in ways() {
        let (book, mut connection) = book().await;
        let before = book.ledger.records(&book.org, 0, 100).await.unwrap();
        run(&mut connection, format!("DROP TRIGGER {trigger}")).await.unwrap();
        let done = run(&mut connection, sql.clone()).await;
        assert!(done.is_ok(), "without {trigger} nothing stops {sql}: {done:?}");
        assert_ne!(
            book.ledger.records(&book.org, 0, 100).await.unwrap(),
            before,
            "{trigger}"
        );
    }
}
