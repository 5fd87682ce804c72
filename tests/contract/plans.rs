//! A planner knows what a table was like when it was last counted. Statements that share out work must do
//! so whatever it is like now: nothing was due in a quiet hour, and then thousands are.

use std::collections::BTreeSet;
use std::time::Duration;

use crewline::domain::AttemptState;
use sqlx::PgConnection;

use super::book::{Book, Engine};
use super::cluster::{cluster, run};

/// More than any of them asks for.
const MANY: usize = 3_000;
const ASKED: usize = 50;
const AT_ONCE: usize = 8;
const LEASE: Duration = Duration::from_secs(60);

async fn book() -> (Book, PgConnection) {
    let database = cluster().migrated().await;
    let book = Book::open(Engine::of(cluster().open(&database).await)).await;
    (book, cluster().session(&database).await)
}

/// Texts in a state, each to a phone of its own.
fn texts(state: &str) -> String {
    format!(
        "INSERT INTO outbox SELECT 'acme', gen_random_uuid()::text, NULL, NULL, 'answer', n, 1, 1, 1, '+14155550100',
             '+1415' || (5600000 + n), 'x', '{state}', n, n, NULL, NULL, '' FROM generate_series(1, {MANY}) n"
    )
}

/// Of those who ask at once each gets as many as it asked for, and nobody what another has.
fn are_shared(shares: Vec<Vec<String>>) {
    for share in &shares {
        assert_eq!(share.len(), ASKED);
    }
    let all: BTreeSet<_> = shares.into_iter().flatten().collect();
    assert_eq!(all.len(), ASKED * AT_ONCE);
}

/// What `ask` gives to each of those who ask at once.
macro_rules! at_once {
    ($book:expr, |$each:ident| $ask:expr) => {{
        let asking = (0..AT_ONCE).map(|_| {
            let $each = $book.clone();
            tokio::spawn(async move { $ask.await.unwrap() })
        });
        let mut shares = Vec::new();
        for asked in asking.collect::<Vec<_>>() {
            let share = asked.await.unwrap();
            shares.push(share.iter().map(|one| format!("{one:?}")).collect());
        }
        are_shared(shares);
    }};
}

#[tokio::test]
async fn a_claim_takes_what_it_asked_for_however_many_have_become_due() {
    let (book, mut session) = book().await;
    run(&mut session, texts("delivered")).await;
    run(&mut session, "ANALYZE outbox").await;
    run(&mut session, texts("due")).await;
    at_once!(book.outbox, |outbox| outbox.claim(ASKED as u32, LEASE));
    // And when the thousands were counted.
    run(&mut session, "ANALYZE outbox").await;
    at_once!(book.outbox, |outbox| outbox.claim(ASKED as u32, LEASE));
}

#[tokio::test]
async fn a_round_looks_after_as_many_as_it_asked_for_however_many_stand_still() {
    let (book, mut session) = book().await;
    run(&mut session, texts("delivered")).await;
    run(&mut session, "ANALYZE outbox").await;
    run(&mut session, texts("accepted")).await;
    at_once!(book.outbox, |outbox| outbox.revisit(
        AttemptState::Accepted,
        Duration::ZERO,
        LEASE,
        ASKED as u32
    ));
}

#[tokio::test]
async fn uploads_are_removed_by_one_however_many_nobody_sent() {
    let (book, mut session) = book().await;
    let uploads = |state: &str, thread: &str| {
        format!(
            "INSERT INTO photos SELECT 'acme', md5('{state}' || n), 'contact:ana', 4, 3, 1000, 'abc', 'image/png',
                 '{state}', n, {thread}, NULL FROM generate_series(1, {MANY}) n"
        )
    };
    run(&mut session, uploads("sent", "'t'")).await;
    run(&mut session, "ANALYZE photos").await;
    run(&mut session, uploads("uploaded", "NULL")).await;
    let expired = book.photos.expire(Duration::ZERO, ASKED as u32).await.unwrap();
    assert_eq!(expired.len(), ASKED);
}
