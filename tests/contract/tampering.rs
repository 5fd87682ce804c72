//! `verify` names what differs, whatever was changed behind the ledger's back.

use crewline::ledger::verify;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions};

use super::ledger::{Book, sqlite};
use crewline::domain::Mark;

#[tokio::test]
async fn every_change_behind_the_ledgers_back_is_found() {
    // In the log itself the triggers have to go first.
    let log = [
        ("body_team = replace(body_team, 'leak', 'bill')", "hash"),
        ("body_public = replace(body_public, 'leak', 'bill')", "body_public"),
        ("submitter = 'sub:kim'", "hash"),
        ("at = at + 1", "hash"),
        ("customer_count = 9", "counts"),
        ("seq = 99", "seq"),
        ("hash = zeroblob(32)", "hash"),
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
        ("INSERT INTO revocations VALUES ('acme', 'sam', 5)", "revocation"),
        (
            "UPDATE orgs SET settings = replace(settings, 'Acme', 'Bcme')",
            "settings",
        ),
    ]
    .map(|(sql, named)| (sql.to_owned(), named));
    for (sql, named) in log.into_iter().chain(others) {
        let book = Book::open(sqlite().await).await;
        book.run(book.say("ana", "ana", "m1", "the leak")).await.unwrap();
        book.run(book.mark("Sam", "ana", Mark::Read, 1)).await.unwrap();
        book.is_clean().await;
        let options = SqliteConnectOptions::new().filename(book.dir.path().join("crewline.db"));
        let mut connection = options.connect().await.unwrap();
        for trigger in ["log_no_update", "log_no_delete"] {
            let drop = AssertSqlSafe(format!("DROP TRIGGER {trigger}"));
            sqlx::query(drop).execute(&mut connection).await.unwrap();
        }
        let changed = sqlx::query(AssertSqlSafe(sql.clone()))
            .execute(&mut connection)
            .await
            .unwrap();
        assert!(changed.rows_affected() > 0, "{sql}");
        let report = verify::verify(&*book.ledger, &mut |_, _| {}).await.unwrap();
        assert!(
            report.differences.iter().any(|difference| difference.contains(named)),
            "{sql}: {:?}",
            report.differences
        );
    }
}
