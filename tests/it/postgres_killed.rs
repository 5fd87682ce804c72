//! `kill -9` of Postgres under two nodes in mid-traffic.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::redis::Redis;
use crate::support::{Client, Nodes, fresh_id};

/// How long a send may stay without an answer, and acks may take to resume. A moment for this machine.
const ANSWER_WITHIN: Duration = Duration::from_millis(5_500);
const DOWN: Duration = Duration::from_secs(8);

/// Somebody who sends one message after the other, each until it is acknowledged.
struct Writer {
    client: Client,
    thread: String,
    name: &'static str,
    /// Answers in the order in which they came: when, and to which id; the code of an error.
    answers: Vec<(Instant, String, Option<String>)>,
}

impl Writer {
    async fn write_until(&mut self, enough: &AtomicBool) {
        let mut n = 0;
        while !enough.load(Ordering::Relaxed) {
            let mut frame = self.client.frame("send", &self.thread);
            let id = fresh_id();
            (frame["id"], frame["text"]) = (json!(id), json!(format!("{} {n}", self.name)));
            while let Err(error) = self.submit(&id, &frame).await {
                assert_eq!(error["retry"], true, "{error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            n += 1;
        }
    }

    async fn submit(&mut self, id: &str, frame: &Value) -> Result<(), Value> {
        let sent = Instant::now();
        let answer = self.client.submit(frame).await;
        assert!(sent.elapsed() < ANSWER_WITHIN, "{:?}: {answer:?}", sent.elapsed());
        let code = answer
            .as_ref()
            .err()
            .map(|error| error["code"].as_str().unwrap().to_owned());
        self.answers.push((Instant::now(), id.to_owned(), code));
        answer.map(|_| ())
    }

    fn acks(&self) -> impl Iterator<Item = &(Instant, String, Option<String>)> {
        self.answers.iter().filter(|(_, _, code)| code.is_none())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sends_get_their_code_in_time_acks_resume_and_what_was_acknowledged_is_there_once() {
    let (postgres, redis) = (Cluster::start(), Redis::start());
    let database = postgres.database().await;
    let url = postgres.url("owner", &database);
    let (mut scene, mut other) = Nodes::new(url, redis.url()).two().await;
    let (ana, bob) = (scene.ana.thread().to_owned(), scene.bob.thread().to_owned());
    let kim = scene.kim.join(&other).await;
    let mut writers = Vec::new();
    for (name, who, hub, thread) in [
        ("Ana", &scene.ana, &scene.hub, &ana),
        ("Bob", &scene.bob, &other, &bob),
        ("Sam", &scene.sam, &other, &ana),
    ] {
        writers.push(Writer {
            client: who.join(hub).await,
            thread: thread.clone(),
            name,
            answers: Vec::new(),
        });
    }

    let enough = AtomicBool::new(false);
    let fault = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        postgres.kill();
        let killed = Instant::now();
        tokio::time::sleep(DOWN).await;
        assert_eq!(scene.hub.ask("GET", "/readyz", None, None).await.status, 503);
        postgres.run();
        // Recovered: it accepts.
        drop(postgres.session(&database).await);
        let back = Instant::now();
        tokio::time::sleep(ANSWER_WITHIN + Duration::from_secs(1)).await;
        enough.store(true, Ordering::Relaxed);
        (killed, back)
    };
    let writing = futures_util::future::join_all(writers.iter_mut().map(|one| one.write_until(&enough)));
    let ((killed, back), _) = tokio::join!(fault, writing);

    for writer in &writers {
        let name = writer.name;
        assert!(writer.acks().any(|(at, ..)| *at < killed), "{name} had acks before");
        let resumed = writer.acks().map(|(at, ..)| *at).find(|at| *at > back);
        let resumed = resumed.unwrap_or_else(|| panic!("{name}'s acks did not resume"));
        assert!(resumed - back < ANSWER_WITHIN, "{name}: after {:?}", resumed - back);
        let codes: Vec<_> = writer
            .answers
            .iter()
            .filter_map(|(_, _, code)| code.as_deref())
            .collect();
        assert!(!codes.is_empty(), "{name} had no answer for {DOWN:?}");
        let known = ["not_committed", "unknown_outcome", "busy"];
        assert!(codes.iter().all(|code| known.contains(code)), "{name}: {codes:?}");
    }

    let log = scene.org.log(&scene.hub).await;
    kim.at(log.len() as i64).await;
    assert!(kim.state().changes == log, "who only read has the log, through it all");
    let mut times: HashMap<&str, u32> = HashMap::new();
    for record in log.iter().filter(|record| record["kind"] == "message") {
        *times.entry(record["id"].as_str().unwrap()).or_default() += 1;
    }
    let acked: Vec<_> = writers.iter().flat_map(Writer::acks).collect();
    assert!(acked.iter().all(|(_, id, _)| times.get(id.as_str()) == Some(&1)));
    assert_eq!(times.len(), acked.len(), "and nothing that nobody sent");
    drop(writers);
    drop(kim);
    scene.hub.kill9();
    other.kill9();
    scene.hub.verify();
}
