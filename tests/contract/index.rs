//! What was stored before there was an index is indexed when the ledger is brought up to date.

use std::sync::Arc;

use crewline::domain::{ContactDraft, ContactId, OrgId, Query, View};
use crewline::ledger::{Command, Find, Ledger, Order, Place, Postgres, Sqlite};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::book::{Book, Engine, settings, sqlite};
use super::cluster::{cluster, run};

/// More than is read at once, and a second org.
async fn talk(book: &Book) {
    let mut pending = Vec::new();
    for n in 0..600 {
        pending.push(book.ledger.submit(book.say("ana", "ana", &format!("m{n}"), "the leak")));
        pending.push(book.ledger.submit(book.say("Sam", "bob", &format!("m{n}"), "the bill")));
        if n % 100 == 99 {
            for one in pending.drain(..) {
                one.await.unwrap();
            }
        }
    }
}

async fn hits(ledger: &dyn Ledger, view: &View, query: &str) -> usize {
    let find = Find {
        query: Query::parse(query).unwrap(),
        order: Order::Newest,
        from: Place::START,
    };
    ledger.search(view, &find, 10_000).await.unwrap().hits.len()
}

async fn is_filled(book: &Book) {
    assert_eq!(hits(&*book.ledger, &book.team(), "leak").await, 600);
    assert_eq!(hits(&*book.ledger, &book.customer("ana"), "the").await, 600);
    assert_eq!(hits(&*book.ledger, &book.customer("ana"), "bill").await, 0);
    book.run(book.say("ana", "ana", "new", "another leak")).await.unwrap();
    assert_eq!(hits(&*book.ledger, &book.team(), "leak").await, 601);
    book.is_clean().await;
}

#[tokio::test]
async fn what_sqlite_had_before_is_indexed() {
    let book = Book::open(sqlite().await).await;
    talk(&book).await;
    book.ledger.close().await;
    let file = book.dir.path().join("crewline.db");
    let mut connection = SqliteConnectOptions::new().filename(&file).connect().await.unwrap();
    let back = "DROP TABLE search; DROP TABLE search_words; PRAGMA user_version = 0;
                DELETE FROM _sqlx_migrations WHERE version = 5";
    sqlx::raw_sql(back).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    // Opened twice: what is indexed already is not indexed again.
    Sqlite::open(&file).await.unwrap().close().await;
    let ledger = Arc::new(Sqlite::open(&file).await.unwrap());
    let Engine { ledger, outbox, .. } = Engine::of(ledger);
    is_filled(&Book { ledger, outbox, ..book }).await;
}

#[tokio::test]
async fn what_postgres_had_before_is_indexed() {
    let database = cluster().migrated().await;
    let book = Book::open(Engine::of(cluster().open(&database).await)).await;
    talk(&book).await;
    book.ledger.close().await;
    let mut session = cluster().session(&database).await;
    run(
        &mut session,
        "DROP TABLE search; DELETE FROM _sqlx_migrations WHERE version = 6",
    )
    .await;
    Postgres::migrate(&cluster().url("owner", &database)).await.unwrap();
    // A node of before that still runs writes records without lines; the next `migrate` finds them.
    run(&mut session, "DELETE FROM search WHERE rev % 7 = 0").await;
    Postgres::migrate(&cluster().url("owner", &database)).await.unwrap();
    let Engine { ledger, outbox, .. } = Engine::of(cluster().open(&database).await);
    is_filled(&Book { ledger, outbox, ..book }).await;
}

/// A frequent and a rare word over several blocks of revs, by the statement that asks block after block.
#[tokio::test]
async fn postgres_asks_each_block_of_revs() {
    let database = cluster().migrated().await;
    let book = Book::open(Engine::of(cluster().open(&database).await)).await;
    let rare = |n| n % 5_600 == 17;
    let said = 17_500;
    let mut pending = Vec::new();
    for n in 0..said {
        let text = if rare(n) { "the needle" } else { "the hay" };
        pending.push(book.ledger.submit(book.say("ana", "ana", &format!("m{n}"), text)));
        if pending.len() == 250 || n == said - 1 {
            for one in pending.drain(..) {
                one.await.unwrap();
            }
        }
    }
    for view in [book.team(), book.customer("ana")] {
        assert_eq!(
            hits(&*book.ledger, &view, "needle").await,
            (0..said).filter(|n| rare(*n)).count()
        );
        assert_eq!(
            hits(&*book.ledger, &view, "nee").await,
            (0..said).filter(|n| rare(*n)).count()
        );
        assert_eq!(hits(&*book.ledger, &view, "the").await, 10_000);
        let find = Find {
            query: Query::parse("the").unwrap(),
            order: Order::Newest,
            from: Place::START,
        };
        let found = book.ledger.search(&view, &find, 17_000).await.unwrap();
        let last = view.number(&found.hits[0].0).unwrap();
        let numbers: Vec<_> = found
            .hits
            .iter()
            .filter_map(|(record, _)| view.number(record))
            .collect();
        let newest: Vec<_> = (last - 16_999..=last).rev().collect();
        assert!(numbers == newest, "the newest, without a gap");
    }
    let mut session = cluster().session(&database).await;
    let blocks: i64 = sqlx::query_scalar("SELECT count(DISTINCT rev >> 14) FROM search")
        .fetch_one(&mut session)
        .await
        .unwrap();
    assert_eq!(blocks, 2);
    // What another org said stands behind other keys, but even with the same ones it would not be found.
    run(&mut session, "UPDATE search SET org = 'other' WHERE rev < 10000").await;
    assert_eq!(hits(&*book.ledger, &book.team(), "needle").await, 2);
    run(&mut session, "UPDATE search SET team = 0 WHERE rev < 16600").await;
    assert_eq!(hits(&*book.ledger, &book.team(), "needle").await, 1);
}

/// Keys make the index quick; two may be alike. So what decides is the columns and the log, which are
/// changed here as nobody who serves could.
async fn only_the_columns_decide(book: &Book, change: impl AsyncFn(&str)) {
    let mut revs = Vec::new();
    for n in 0..5 {
        let said = book.run(book.say("ana", "ana", &format!("leak-{n}"), "a leak")).await;
        revs.push(crate::book::numbers(said).rev);
    }
    // Another org has records of the same revs.
    let other = OrgId::parse("other").unwrap();
    book.run(Command::PutOrg {
        org: other.clone(),
        settings: settings("Other"),
    })
    .await
    .unwrap();
    for n in 0..revs[4] {
        book.run(Command::PutContact {
            org: other.clone(),
            contact: ContactId::parse(&format!("c{n}")).unwrap(),
            draft: ContactDraft {
                name: "Somebody".into(),
                phone: None,
            },
        })
        .await
        .unwrap();
    }
    let (team, ana) = (book.team(), book.customer("ana"));
    let found = async |view: &View| {
        let find = Find {
            query: Query::parse("leak").unwrap(),
            order: Order::Newest,
            from: Place::START,
        };
        let found = book.ledger.search(view, &find, 100).await.unwrap();
        let mut places: Vec<_> = found
            .hits
            .iter()
            .map(|(record, _)| revs.iter().position(|rev| *rev == record.rev).unwrap())
            .collect();
        places.sort_unstable();
        places
    };
    assert_eq!(
        (found(&team).await, found(&ana).await),
        (vec![0, 1, 2, 3, 4], vec![0, 1, 2, 3, 4])
    );
    change(&format!("UPDATE search SET org = 'other' WHERE rev = {}", revs[0])).await;
    assert_eq!(
        (found(&team).await, found(&ana).await),
        (vec![1, 2, 3, 4], vec![1, 2, 3, 4])
    );
    change(&format!("UPDATE search SET team = 0 WHERE rev = {}", revs[1])).await;
    assert_eq!(
        (found(&team).await, found(&ana).await),
        (vec![2, 3, 4], vec![1, 2, 3, 4])
    );
    change(&format!("UPDATE search SET public = 0 WHERE rev = {}", revs[2])).await;
    assert_eq!((found(&team).await, found(&ana).await), (vec![2, 3, 4], vec![1, 3, 4]));
    // One that is another thread's, and one that is internal.
    let bob = book.threads["bob"].as_str();
    change(&format!(
        "UPDATE log SET thread = '{bob}', seq = 99 WHERE org = 'acme' AND rev = {}",
        revs[3]
    ))
    .await;
    assert_eq!((found(&team).await, found(&ana).await), (vec![2, 3, 4], vec![1, 4]));
    change(&format!(
        "UPDATE log SET seq = NULL, body_public = NULL WHERE org = 'acme' AND rev = {}",
        revs[4]
    ))
    .await;
    assert_eq!((found(&team).await, found(&ana).await), (vec![2, 3, 4], vec![1]));
}

#[tokio::test]
async fn what_the_index_of_sqlite_says_is_held_against_the_log() {
    let book = Book::open(sqlite().await).await;
    let file = book.dir.path().join("crewline.db");
    let options = SqliteConnectOptions::new().filename(&file);
    let session = tokio::sync::Mutex::new(options.connect().await.unwrap());
    let change = async |sql: &str| {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        sqlx::raw_sql(sql).execute(&mut *session.lock().await).await.unwrap();
    };
    change("DROP TRIGGER log_no_update").await;
    only_the_columns_decide(&book, change).await;
}

#[tokio::test]
async fn what_the_index_of_postgres_says_is_held_against_the_log() {
    let database = cluster().migrated().await;
    let book = Book::open(Engine::of(cluster().open(&database).await)).await;
    let session = tokio::sync::Mutex::new(cluster().session(&database).await);
    let change = async |sql: &str| run(&mut *session.lock().await, sql).await;
    change("DROP TRIGGER log_no_update ON log").await;
    only_the_columns_decide(&book, change).await;
}
