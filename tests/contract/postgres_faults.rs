//! Postgres cut off, given what it refuses, shared by two nodes, killed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crewline::domain::{Code, OrgId, Person, Sub};
use crewline::ledger::{Command, Ledger, Outcome, Postgres};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

use super::book::{Book, Engine, numbers, settings};
use super::cluster::{Cluster, cluster, run};

pub async fn book_in(cluster: &Cluster, database: &str) -> Book {
    Book::open(Engine::of(cluster.open(database).await)).await
}

pub fn put_org(org: &OrgId, name: &str) -> Command {
    Command::PutOrg {
        org: org.clone(),
        settings: settings(name),
    }
}

/// A way to a server that breaks, every connection at once, whenever `cut` is notified.
async fn breakable(server: u16, cut: Arc<Notify>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = cut.notified() => connections.abort_all(),
                accepted = listener.accept() => {
                    let (mut client, _) = accepted.unwrap();
                    connections.spawn(async move {
                        let mut server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                    });
                }
            }
        }
    });
    port
}

#[tokio::test]
async fn a_connection_that_breaks_before_commit_is_no_refusal() {
    let database = cluster().migrated().await;
    let cut = Arc::new(Notify::new());
    let port = breakable(cluster().port, Arc::clone(&cut)).await;
    let url = format!("postgres://app@127.0.0.1:{port}/{database}");
    let ledger = Arc::new(Postgres::open(&url).await.unwrap());
    let book = Book::open(Engine::of(ledger)).await;
    let mut session = cluster().session(&database).await;
    run(&mut session, "BEGIN; SELECT * FROM heads WHERE org = 'acme' FOR UPDATE").await;
    // Alone in its transaction, which waits for the lock when its connection breaks.
    let pending = book.ledger.submit(book.say("ana", "ana", "m1", "x"));
    tokio::time::sleep(Duration::from_millis(300)).await;
    cut.notify_one();
    tokio::time::sleep(Duration::from_millis(100)).await;
    run(&mut session, "ROLLBACK").await;
    let outcome = pending.await.map_err(|refusal| refusal.code);
    assert!(matches!(outcome, Ok(Outcome::Appended(_))), "{outcome:?}");
    book.is_clean().await;
}

#[tokio::test]
async fn what_the_database_refuses_fails_alone() {
    let database = cluster().migrated().await;
    let book = book_in(cluster(), &database).await;
    let pending: Vec<_> = (0..200)
        .map(|n| {
            let mut command = book.say("Sam", "ana", &format!("m{n}"), "x");
            if let (Command::Say { by, .. }, 77 | 140) = (&mut command, n) {
                // TEXT has no room for this character.
                *by = Person::Staff {
                    sub: Sub::parse(&format!("bad{n}")).unwrap(),
                    name: "Sam\0".into(),
                };
            }
            book.ledger.submit(command)
        })
        .collect();
    let mut last = 0;
    for (n, pending) in pending.into_iter().enumerate() {
        let outcome = pending.await.map_err(|refusal| refusal.code);
        if n == 77 || n == 140 {
            assert_eq!(outcome, Err(Code::NotCommitted), "{n}");
            continue;
        }
        let rev = numbers(outcome).rev;
        assert!(rev > last, "{n}: in the order of submission");
        last = rev;
    }
    assert_eq!(last, 3 + 198);
    book.is_clean().await;
}

#[tokio::test]
async fn two_nodes_write_to_the_same_orgs_without_a_gap_or_a_repeat() {
    let database = cluster().migrated().await;
    let book = Arc::new(book_in(cluster(), &database).await);
    let nodes: [Arc<dyn Ledger>; 2] = [Arc::clone(&book.ledger), cluster().open(&database).await];
    let mut callers = Vec::new();
    for caller in 0..20 {
        let (book, nodes) = (Arc::clone(&book), nodes.clone());
        callers.push(tokio::spawn(async move {
            let thread = ["ana", "bob"][caller % 2];
            let mut last = [0, 0];
            for n in 0..20 {
                let who = if n % 3 == 0 {
                    thread.to_owned()
                } else {
                    format!("S{caller}")
                };
                let command = book.say(&who, thread, &format!("c{caller}-{n}"), "x");
                // As a client does that comes back to another node before it has an answer.
                let pending = [nodes[0].submit(command.clone()), nodes[1].submit(command)];
                let mut answers = Vec::new();
                for pending in pending {
                    answers.push(pending.await.unwrap());
                }
                let appended = answers.iter().filter(|a| matches!(a, Outcome::Appended(_))).count();
                assert_eq!(appended, 1, "{answers:?}");
                let [one, two] = [numbers(Ok(answers[0].clone())), numbers(Ok(answers[1].clone()))];
                assert_eq!(one, two);
                assert!(one.rev > last[0]);
                last = [one.rev, two.rev];
            }
        }));
    }
    // New orgs at both nodes at once.
    for n in 0..10 {
        let org = OrgId::parse(&format!("new{n}")).unwrap();
        let pending = [
            nodes[0].submit(put_org(&org, "New")),
            nodes[1].submit(put_org(&org, "New")),
        ];
        for pending in pending {
            pending.await.unwrap();
        }
        assert_eq!(nodes[0].heads(std::slice::from_ref(&org)).await.unwrap(), [(org, 1)]);
    }
    for caller in callers {
        caller.await.unwrap();
    }
    let revs: Vec<_> = book.ledger.records(&book.org, 0, 10_000).await.unwrap();
    let revs: Vec<_> = revs.iter().map(|record| record.rev).collect();
    assert_eq!(revs, (1..=3 + 20 * 20).collect::<Vec<_>>());
    book.is_clean().await;
}

/// A send, and what was heard of it.
struct Sent {
    id: String,
    thread: &'static str,
    outcome: Result<Outcome, Code>,
    took: Duration,
    at: Instant,
}

async fn traffic(book: Arc<Book>, caller: usize, until: Instant, sent: mpsc::UnboundedSender<Sent>) {
    let thread = ["ana", "bob"][caller % 2];
    for n in 0.. {
        if Instant::now() > until {
            return;
        }
        let (id, at) = (format!("c{caller}-{n}"), Instant::now());
        let outcome = book.run(book.say(thread, thread, &id, "x")).await;
        let took = at.elapsed();
        sent.send(Sent {
            id,
            thread,
            outcome,
            took,
            at,
        })
        .unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kill_9_of_postgres() {
    let cluster = Cluster::start();
    let database = cluster.migrated().await;
    let book = Arc::new(book_in(&cluster, &database).await);
    // A writer waits for whoever takes its commits.
    let mut commits = book.ledger.commits().unwrap();
    tokio::spawn(async move { while commits.recv().await.is_some() {} });
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let until = Instant::now() + Duration::from_secs(14);
    for caller in 0..20 {
        tokio::spawn(traffic(Arc::clone(&book), caller, until, sender.clone()));
    }
    drop(sender);
    let (mut kills, mut back) = (Vec::new(), Vec::new());
    // Down for a moment, in which sends wait, and for longer than anybody waits.
    for down in [Duration::from_millis(300), Duration::from_secs(6)] {
        tokio::time::sleep(Duration::from_secs(1)).await;
        kills.push(Instant::now());
        cluster.kill();
        tokio::time::sleep(down).await;
        cluster.run();
        drop(cluster.session(&database).await);
        back.push(Instant::now());
    }
    let mut all = Vec::new();
    while let Some(sent) = receiver.recv().await {
        all.push(sent);
    }
    let (mut acknowledged, mut others) = (HashMap::new(), Vec::new());
    for sent in &all {
        assert!(sent.took < Duration::from_millis(5_500), "{}: {:?}", sent.id, sent.took);
        match &sent.outcome {
            Ok(Outcome::Appended(numbers)) => {
                acknowledged.insert(sent.id.clone(), *numbers);
            }
            Err(Code::NotCommitted | Code::UnknownOutcome) => others.push(sent),
            other => panic!("{}: {other:?}", sent.id),
        }
    }
    for back in back {
        let resumed = all
            .iter()
            .filter(|sent| sent.outcome.is_ok() && sent.at + sent.took > back)
            .map(|sent| sent.at + sent.took - back)
            .min();
        assert!(resumed.unwrap() < Duration::from_secs(5), "{resumed:?}");
    }
    let gave_up = others
        .iter()
        .any(|sent| sent.outcome == Err(Code::NotCommitted) && sent.at + sent.took < kills[1]);
    assert!(!gave_up, "what was surely not committed is tried again");
    assert!(!others.is_empty(), "six seconds are longer than a caller waits");
    let codes = |code| others.iter().filter(|sent| sent.outcome == Err(code)).count();
    eprintln!(
        "{} acknowledged, {} not_committed, {} unknown_outcome",
        acknowledged.len(),
        codes(Code::NotCommitted),
        codes(Code::UnknownOutcome)
    );
    let records = book.ledger.records(&book.org, 0, 100_000).await.unwrap();
    let mut stored = HashMap::new();
    for record in records {
        if let Some(id) = &record.id {
            assert!(stored.insert(id.clone(), record.rev).is_none(), "{id} is there twice");
        }
    }
    for (id, numbers) in &acknowledged {
        assert_eq!(stored.get(id), Some(&numbers.rev), "{id}");
    }
    for sent in others {
        if sent.outcome == Err(Code::NotCommitted) {
            assert_eq!(stored.get(&sent.id), None, "{} was said not to be there", sent.id);
        }
        let again = book.run(book.say(sent.thread, sent.thread, &sent.id, "x")).await;
        match stored.get(&sent.id) {
            Some(rev) => assert!(
                matches!(again, Ok(Outcome::Duplicate(numbers)) if numbers.rev == *rev),
                "{}: {again:?}",
                sent.id
            ),
            None => assert!(
                matches!(again, Ok(Outcome::Appended(_))),
                "{}: {:?}, {again:?}",
                sent.id,
                sent.outcome
            ),
        }
    }
    book.is_clean().await;
}

#[tokio::test]
async fn each_commit_says_which_log_it_is_of() {
    let database = cluster().migrated().await;
    let book = book_in(cluster(), &database).await;
    let mut commits = book.ledger.commits().unwrap();
    let opened = book.ledger.log_id().await.unwrap();
    for _ in 0..3 {
        // The org, and its two contacts.
        assert_eq!(*commits.recv().await.unwrap().log, *opened);
    }
    let new = Postgres::new_log_id(&cluster().url("owner", &database)).await.unwrap();
    assert_ne!(new, opened);
    let mut session = cluster().session(&database).await;
    let cut = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}' AND usename = 'app'"
    );
    run(&mut session, cut).await;
    assert!(
        book.run(book.say("ana", "ana", "m1", "x")).await.is_ok(),
        "a writer that comes back goes on"
    );
    assert_eq!(*commits.recv().await.unwrap().log, *new);
}
