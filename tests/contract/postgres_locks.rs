//! Orgs that another node holds.

use std::time::{Duration, Instant};

use crewline::domain::{Code, OrgId};

use super::book::numbers;
use super::cluster::{cluster, run};
use super::postgres_faults::{book_in, put_org};

#[tokio::test]
async fn an_org_that_another_holds_delays_no_other() {
    let database = cluster().migrated().await;
    let book = book_in(cluster(), &database).await;
    // More than there are writers, so that some share one with the org that is held.
    let others: Vec<_> = (0..16).map(|n| OrgId::parse(&format!("other{n}")).unwrap()).collect();
    for org in &others {
        book.run(put_org(org, "one")).await.unwrap();
    }
    let mut session = cluster().session(&database).await;
    run(&mut session, "BEGIN; SELECT * FROM heads WHERE org = 'acme' FOR UPDATE").await;
    let started = Instant::now();
    let mut held = vec![book.ledger.submit(book.say("ana", "ana", "m0", "x"))];
    for n in 0..3 {
        let mut free = Vec::new();
        for org in &others {
            free.push(book.ledger.submit(put_org(org, &format!("name {n}"))));
            held.push(
                book.ledger
                    .submit(book.say("ana", "ana", &format!("m{}", held.len()), "x")),
            );
        }
        for pending in free {
            pending.await.unwrap();
        }
    }
    assert!(
        started.elapsed() < Duration::from_millis(900),
        "{:?}",
        started.elapsed()
    );
    // For longer than one lock time-out: it is tried again.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    run(&mut session, "ROLLBACK").await;
    let mut last = 0;
    for pending in held {
        let rev = numbers(pending.await.map_err(|refusal| refusal.code)).rev;
        assert!(rev > last, "in the order of submission");
        last = rev;
    }
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());

    run(&mut session, "BEGIN; SELECT * FROM heads WHERE org = 'acme' FOR UPDATE").await;
    let started = Instant::now();
    let outcome = book.run(book.say("ana", "ana", "late", "x")).await;
    assert!(
        matches!(outcome, Err(Code::NotCommitted | Code::UnknownOutcome)),
        "{outcome:?}"
    );
    assert!(
        started.elapsed() < Duration::from_millis(5_500),
        "{:?}",
        started.elapsed()
    );
    run(&mut session, "ROLLBACK").await;
    book.run(book.say("ana", "ana", "after", "x")).await.unwrap();
    book.is_clean().await;
}

#[tokio::test]
async fn what_comes_for_an_org_that_waits_aside_waits_behind_it() {
    let database = cluster().migrated().await;
    let book = book_in(cluster(), &database).await;
    // As many held orgs as there are connections aside, so that one more waits for its turn there.
    let held: Vec<_> = (0..4).map(|n| OrgId::parse(&format!("held{n}")).unwrap()).collect();
    for org in &held {
        book.run(put_org(org, "one")).await.unwrap();
    }
    let mut session = cluster().session(&database).await;
    run(
        &mut session,
        "BEGIN; SELECT * FROM heads WHERE org <> 'acme' FOR UPDATE",
    )
    .await;
    let mut others: Vec<_> = held.iter().map(|org| book.ledger.submit(put_org(org, "two"))).collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut of_acme = cluster().session(&database).await;
    run(&mut of_acme, "BEGIN; SELECT * FROM heads WHERE org = 'acme' FOR UPDATE").await;
    let mut said: Vec<_> = (0..3)
        .map(|n| book.ledger.submit(book.say("ana", "ana", &format!("m{n}"), "x")))
        .collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    // The org is free, but what was said first still waits aside: nothing may overtake it.
    run(&mut of_acme, "ROLLBACK").await;
    said.extend((3..6).map(|n| book.ledger.submit(book.say("ana", "ana", &format!("m{n}"), "x"))));
    let mut revs = Vec::new();
    for pending in said {
        revs.push(numbers(pending.await.map_err(|refusal| refusal.code)).rev);
    }
    assert!(revs.is_sorted(), "in the order of submission: {revs:?}");
    run(&mut session, "ROLLBACK").await;
    for pending in others.drain(..) {
        pending.await.unwrap();
    }
    book.is_clean().await;
}
