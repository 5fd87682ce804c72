//! What a newer node stored, while the others are not upgraded yet.

use crewline::domain::OrgId;
use crewline::ledger::{Command, Ledger};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions};

use super::book::{Book, Engine, settings, sqlite};
use super::cluster::cluster;

/// Settings with a field that this version does not know, and some that it cannot read at all.
const STORED: [(&str, &str); 3] = [
    (
        "newer",
        r#"{"name":"Newer","origins":["https://newer.example"],"fax":1}"#,
    ),
    ("other", r#"{"name":"Other","origins":{"all":"https://other.example"}}"#),
    ("broken", r#"{"name":"Broken","origins":["#),
];

async fn prepare(book: &Book) -> Vec<String> {
    for (org, _) in STORED {
        let org = OrgId::parse(org).unwrap();
        let settings = settings(org.as_str());
        book.run(Command::PutOrg { org, settings }).await.unwrap();
    }
    let update = |(org, stored)| format!("UPDATE orgs SET settings = '{stored}' WHERE org = '{org}'");
    STORED.map(update).into()
}

/// The sites of an org that this version cannot read are nobody's; those of the others stay theirs.
async fn the_others_sites_are_known(ledger: &dyn Ledger) {
    let mut sites = ledger.sites().await.unwrap();
    sites.sort();
    let sites: Vec<_> = sites
        .iter()
        .map(|(org, sites)| (org.as_str(), sites[0].as_str()))
        .collect();
    let expected = [("acme", "https://crm.example"), ("newer", "https://newer.example")];
    assert_eq!(sites, expected);
}

#[tokio::test]
async fn settings_that_sqlite_cannot_read_hide_no_other_orgs_sites() {
    let book = Book::open(sqlite().await).await;
    let options = SqliteConnectOptions::new().filename(book.dir.path().join("crewline.db"));
    let mut connection = options.connect().await.unwrap();
    for update in prepare(&book).await {
        sqlx::query(AssertSqlSafe(update))
            .execute(&mut connection)
            .await
            .unwrap();
    }
    the_others_sites_are_known(&*book.ledger).await;
}

#[tokio::test]
async fn settings_that_postgres_cannot_read_hide_no_other_orgs_sites() {
    let database = cluster().migrated().await;
    let book = Book::open(Engine::of(cluster().open(&database).await)).await;
    let mut session = cluster().session(&database).await;
    for update in prepare(&book).await {
        super::cluster::run(&mut session, update).await;
    }
    the_others_sites_are_known(&*book.ledger).await;
}
