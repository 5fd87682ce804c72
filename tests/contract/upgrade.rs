//! What an older Crewline stored is as it should be once the ledger is brought up to date.

use std::sync::Arc;

use crewline::domain::{ContactDraft, Entry};
use crewline::ledger::{Command, Postgres, Sqlite};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::book::{Book, Engine, person, sqlite};
use super::cluster::{cluster, run};

/// Staff begin two conversations, which used to be shown as two people's and kept as nobody's.
async fn begin(book: &Book) {
    for (who, name) in [("Sam", "Nora"), ("Kim", "Özgür"), ("Sam", "Petra")] {
        let draft = ContactDraft {
            name: name.into(),
            phone: None,
        };
        let (org, by) = (book.org.clone(), person(who));
        book.run(Command::NewContact { org, by, draft }).await.unwrap();
    }
    book.ledger.close().await;
}

/// And from now on they are who they were.
async fn is_mended(book: &Book) {
    book.is_clean().await;
    let found = book.ledger.contacts(&book.org, "ozgur", 9).await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    book.run(book.say("Sam", "ana", "s1", "Hello")).await.unwrap();
    book.run(book.say("Kim", "ana", "k1", "Hello")).await.unwrap();
    let records = book.ledger.records(&book.org, 0, 100).await.unwrap();
    let mut people: Vec<_> = records
        .iter()
        .filter_map(|record| {
            let entry = Entry::parse(record.kind, &record.body_team).unwrap();
            let author = entry.author()?;
            Some((author.sub.clone()?, author.id.clone()))
        })
        .collect();
    assert_eq!(people.len(), 5);
    people.sort();
    people.dedup();
    assert_eq!(people.len(), 2, "{people:?}");
    book.is_clean().await;
}

#[tokio::test]
async fn what_sqlite_had_before_is_mended() {
    let book = Book::open(sqlite().await).await;
    begin(&book).await;
    let file = book.dir.path().join("crewline.db");
    let mut connection = SqliteConnectOptions::new().filename(&file).connect().await.unwrap();
    let back = "DELETE FROM people; ALTER TABLE contacts DROP COLUMN folded;
                DELETE FROM _sqlx_migrations WHERE version IN (8, 9)";
    sqlx::raw_sql(back).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let ledger = Arc::new(Sqlite::open(&file).await.unwrap());
    let Engine { ledger, outbox, .. } = Engine::of(ledger);
    is_mended(&Book { ledger, outbox, ..book }).await;
}

#[tokio::test]
async fn what_postgres_had_before_is_mended() {
    let database = cluster().migrated().await;
    let book = Book::open(Engine::of(cluster().open(&database).await)).await;
    begin(&book).await;
    let back = "DELETE FROM people; ALTER TABLE contacts DROP COLUMN folded;
                DELETE FROM _sqlx_migrations WHERE version IN (9, 10)";
    run(&mut cluster().session(&database).await, back).await;
    Postgres::migrate(&cluster().url("owner", &database)).await.unwrap();
    let Engine { ledger, outbox, .. } = Engine::of(cluster().open(&database).await);
    is_mended(&Book { ledger, outbox, ..book }).await;
}
