//! `kill -9` in mid-traffic: what was acknowledged is there, once, in order, for everybody.

use std::collections::HashMap;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::support::{Client, Person, Scene, fresh_id};

const SEEDS: u64 = 20;
const WINDOW: u64 = 16;

/// Somebody who writes without a pause and numbers what they write.
struct Writer {
    name: &'static str,
    client: Client,
    thread: String,
    /// Ids in the order of writing.
    ids: Vec<String>,
}

impl Writer {
    async fn join(scene: &Scene, name: &'static str, who: &Person, thread: &str) -> Self {
        Self {
            name,
            client: who.join(&scene.hub).await,
            thread: thread.to_owned(),
            ids: Vec::new(),
        }
    }

    fn write_one(&mut self) {
        let mut frame = self.client.frame("send", &self.thread);
        let id = fresh_id();
        (frame["id"], frame["text"]) = (json!(id), json!(format!("{} {}", self.name, self.ids.len())));
        self.ids.push(id);
        self.client.tell(&frame);
    }

    /// Writes until the hub is gone.
    async fn write_until_cut(&mut self) {
        let (answered, mut sent) = (self.client.state().answered, 0);
        while self.client.is_open() {
            self.write_one();
            sent += 1;
            let go_on = |s: &crate::support::State| s.closed.is_some() || s.answered - answered + WINDOW > sent;
            self.client.until("an ack or the end", go_on).await;
        }
    }

    /// Comes back and sends again, in the old order, all that has no ack. Some of it may have been
    /// committed before the crash: the id makes that harmless.
    async fn come_back(mut self, scene: &Scene) -> Self {
        self.client = self.client.come_back(&scene.hub).await;
        let unanswered: Vec<Value> = {
            let state = self.client.state();
            let open = self.ids.iter().filter(|id| !state.acked(id));
            open.map(|id| state.sent[id.as_str()].clone()).collect()
        };
        assert!(
            unanswered.len() as u64 <= WINDOW,
            "no more than the window can be unanswered"
        );
        for frame in unanswered {
            self.client
                .submit(&frame)
                .await
                .unwrap_or_else(|e| panic!("{frame} sent again: {e}"));
        }
        self
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_hub_loses_nothing_that_it_acknowledged_and_doubles_nothing_that_is_sent_again() {
    let mut scene = Scene::start().await;
    let (ana, bob) = (scene.ana.thread().to_owned(), scene.bob.thread().to_owned());
    let mut writers = vec![
        Writer::join(&scene, "Ana", &scene.ana, &ana).await,
        Writer::join(&scene, "Bob", &scene.bob, &bob).await,
        Writer::join(&scene, "Sam", &scene.sam, &ana).await,
        Writer::join(&scene, "Kim", &scene.kim, &bob).await,
    ];

    for seed in 0..SEEDS {
        let pause = StdRng::seed_from_u64(seed).random_range(10..250);
        let cut = async {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            scene.hub.kill9();
        };
        let write = writers.iter_mut().map(Writer::write_until_cut);
        tokio::join!(cut, futures_util::future::join_all(write));
        scene.hub.verify();
        scene.hub.restart().await;
        let mut back = Vec::new();
        for writer in writers {
            back.push(writer.come_back(&scene).await);
        }
        writers = back;
        assert_nothing_lost_or_doubled(&scene, &writers, seed).await;
    }
    scene.hub.kill9();
    scene.hub.verify();
}

async fn assert_nothing_lost_or_doubled(scene: &Scene, writers: &[Writer], seed: u64) {
    let log = scene.org.log(&scene.hub).await;
    let mut by_id: HashMap<&str, &Value> = HashMap::new();
    for record in log.iter().filter(|record| record["kind"] == "message") {
        let id = record["id"].as_str().expect("a message has an id");
        let twice = by_id.insert(id, record);
        assert!(twice.is_none(), "seed {seed}: {id} is twice in the log");
    }
    for writer in writers {
        let mut last = 0;
        let state = writer.client.state();
        for (n, id) in writer.ids.iter().enumerate() {
            let record = by_id
                .get(id.as_str())
                .unwrap_or_else(|| panic!("seed {seed}: {id} was lost"));
            assert_eq!(record["text"], format!("{} {n}", writer.name));
            let rev = record["rev"].as_i64().expect("a rev");
            assert!(
                rev > last,
                "seed {seed}: {} wrote {n} after what now stands behind it",
                writer.name
            );
            last = rev;
            for ack in &state.answers[id.as_str()] {
                assert_eq!(
                    (&ack["seq"], &ack["at"]),
                    (&record["seq"], &record["at"]),
                    "seed {seed}: {ack}"
                );
            }
        }
    }
    let written: usize = writers.iter().map(|writer| writer.ids.len()).sum();
    assert_eq!(by_id.len(), written, "seed {seed}: the log has what nobody wrote");
    for reader in writers.iter().filter(|writer| writer.client.state().is_team()) {
        reader.client.at(log.len() as i64).await;
        assert!(
            reader.client.state().changes == log,
            "seed {seed}: {} read another log",
            reader.name
        );
    }
}
