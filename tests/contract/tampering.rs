//! `verify` names what differs, whatever was changed behind the ledger's back.

use crewline::domain::Mark;
use crewline::ledger::{Ledger, Sqlite, verify};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions};

use super::book::{Book, Engine, person, sqlite};
use super::cluster::cluster;
use super::ledger::{photos, texts};

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
        ("UPDATE contacts SET folded = 'eve' WHERE contact = 'ana'", "the folded name of"),
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
        ("INSERT INTO routed VALUES ('acme', 1, 't')", "routed text 1 is stored"),
        ("UPDATE contacts SET phone = '+14155550199' WHERE contact = 'ana'", "contact"),
        ("UPDATE contacts SET unknown = 1 WHERE contact = 'ana'", "contact"),
        ("UPDATE threads SET failed = 0 WHERE failed > 0", "thread"),
        ("UPDATE numbers SET number = '+14155550199'", "the number"),
        ("DELETE FROM numbers", "the number"),
        ("UPDATE numbers SET org = 'nobody'", "org nobody: the number"),
        ("INSERT INTO numbers VALUES ('+14155550199', 'acme')", "the number"),
        ("UPDATE tags SET tag = 9", "tag 9 is stored"),
        ("UPDATE tags SET thread = 'another'", "tag 1 is"),
        ("UPDATE tags SET at = at + 1", "tag 1 is"),
        ("DELETE FROM tags", "tag 1 is missing"),
        ("UPDATE copied SET at = at + 1", "copy ("),
        ("UPDATE copied SET phone = '+14155550199'", "copy ("),
        ("DELETE FROM copied", "copy ("),
        ("UPDATE consents SET off = 0", "consent ("),
        ("UPDATE consents SET phone = '+14155550199'", "consent ("),
        ("DELETE FROM consents", "consent ("),
        ("DELETE FROM outbox WHERE leg = 'customer'", "text ("),
        ("DELETE FROM outbox WHERE leg = 'answer'", "text ("),
        ("UPDATE outbox SET recipient = '+14155550199' WHERE leg = 'copy'", "text ("),
        ("UPDATE outbox SET recipient = '+14155550199' WHERE leg = 'answer'", "text ("),
        ("UPDATE outbox SET sender = '+14155550199' WHERE leg = 'customer'", "text ("),
        ("UPDATE outbox SET thread = 'another' WHERE leg = 'copy'", "text ("),
        ("UPDATE outbox SET of = 99 WHERE leg = 'copy'", "text ("),
        ("UPDATE outbox SET leg = 'copy' WHERE leg = 'customer'", "text ("),
        (
            "INSERT INTO outbox SELECT org, 'b5f5e5a4-7f0f-4a6e-9a57-2a5a8a5d2b11', thread, of, leg, 99, part, parts, nth,
                 sender, recipient, 'pay here', 'due', due_at, queued_at, NULL, NULL, media, 0, 0
             FROM outbox WHERE leg = 'answer'",
            "is stored",
        ),
        // What was called already would be called again; what waits would never be.
        ("UPDATE outbox SET state = 'due' WHERE state = 'failed'", "attempt "),
        ("UPDATE outbox SET state = 'delivered' WHERE state = 'due'", "attempt "),
        ("UPDATE outbox SET sid = 'SM9' WHERE state = 'failed'", "attempt "),
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
    texts::line(book).await;
    book.run(book.say("ana", "ana", "m1", "the leak")).await.unwrap();
    let photo = photos::upload(book, &person("ana").submitter()).await;
    let photo = photos::with("p1", &[&photo], false);
    book.run(book.draft("ana", "ana", photo)).await.unwrap();
    book.run(book.mark("Sam", "ana", Mark::Read, 1)).await.unwrap();
    // A text that fails, one that waits, a tag that is nobody's, and a phone that wants no more.
    book.run(book.say("Sam", "ana", "s1", "On our way")).await.unwrap();
    let sent = texts::send_all(book).await;
    let to_ana = sent.iter().find(|attempt| attempt.to.as_str() == texts::ANA).unwrap();
    texts::report(book, to_ana, texts::failed(to_ana, None)).await;
    book.run(book.say("Sam", "ana", "s2", "Are you there?")).await.unwrap();
    texts::receive(book, texts::text("SM1", texts::TRUCK, "#7 Hello"))
        .await
        .unwrap();
    texts::receive(book, texts::text("SM2", texts::BOB, "STOP"))
        .await
        .unwrap();
    book.is_clean().await;
}

async fn is_found(ledger: &dyn Ledger, (sql, named): (String, &str)) {
    let report = verify::verify(ledger, &mut |_, _| {}).await.unwrap();
    assert!(
        report.differences.iter().any(|difference| difference.contains(named)),
        "{sql}: {:?}",
        report.differences
    );
}

#[tokio::test]
async fn every_change_behind_the_back_of_sqlite_is_found() {
    let book = Book::open(sqlite().await).await;
    prepare(&book).await;
    book.ledger.close().await;
    for change in changes() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("crewline.db");
        std::fs::copy(book.dir.path().join("crewline.db"), &file).unwrap();
        let options = SqliteConnectOptions::new().filename(&file);
        let mut connection = options.connect().await.unwrap();
        for trigger in ["log_no_update", "log_no_delete"] {
            let drop = AssertSqlSafe(format!("DROP TRIGGER {trigger}"));
            sqlx::query(drop).execute(&mut connection).await.unwrap();
        }
        let changed = sqlx::query(AssertSqlSafe(change.0.clone()));
        let changed = changed.execute(&mut connection).await.unwrap();
        assert!(changed.rows_affected() > 0, "{}", change.0);
        is_found(&Sqlite::open(&file).await.unwrap(), change).await;
    }
}

#[tokio::test]
async fn every_change_behind_the_back_of_postgres_is_found() {
    let template = cluster().migrated().await;
    let book = Book::open(Engine::of(cluster().open(&template).await)).await;
    prepare(&book).await;
    book.ledger.close().await;
    for change in changes() {
        let database = cluster().copy(&template).await;
        let mut session = cluster().session(&database).await;
        super::cluster::run(&mut session, "ALTER TABLE log DISABLE TRIGGER ALL").await;
        let changed = sqlx::query(AssertSqlSafe(change.0.clone()));
        let changed = changed.execute(&mut session).await.unwrap();
        assert!(changed.rows_affected() > 0, "{}", change.0);
        is_found(&*cluster().open(&database).await, change).await;
    }
}
