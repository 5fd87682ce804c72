//! A hundred who stop reading cost the others nothing, and the hub next to nothing.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::state::{Keep, digest};
use crate::support::traffic::pour;
use crate::support::{Client, Dial, Person, Scene, State, fresh_id};

const SLEEPERS: usize = 100;
const MESSAGES: usize = 10_000;
/// What each sleeper itself sends, before and while it sleeps: below `limits.in_flight`.
const OWN: usize = 20;
/// A million changes in all, in a test that is not optimised: their speed is nothing promised.
const WAKING: Duration = Duration::from_secs(120);
const GROWTH: u64 = 40 * 1024 * 1024;

/// A reader whose system buffers next to nothing, so that the hub feels at once that it stopped.
async fn sleeper(scene: &Scene, who: &Person, knew: Option<State>) -> Client {
    let state = knew.unwrap_or_else(|| State::new(Keep::Digest));
    let (cursor, log) = (state.cursor, state.log.clone());
    let dial = Dial::to(&scene.hub.ws).receive_buffer(4_096).knowing(state);
    let client = dial.open().await.expect("open");
    client.hello(&who.token, Some(cursor), log.as_deref());
    client.ready().await;
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_readers_that_sleep_through_ten_thousand_messages_cost_nobody_anything() {
    let mut scene = Scene::start().await;
    let hub = &scene.hub;
    let thread = scene.ana.thread().to_owned();
    let crew: Vec<_> = (0..10)
        .map(|n| scene.org.staff(&format!("s{n}"), &format!("Sleeper {n}")))
        .collect();
    let owners: Vec<_> = (0..SLEEPERS).map(|n| &crew[n % crew.len()]).collect();
    let sleepers = join_all(owners.iter().map(|who| sleeper(&scene, who, None))).await;
    let (sam, ana, bob) = (
        scene.sam.join(hub).await,
        scene.ana.join(hub).await,
        scene.bob.join(hub).await,
    );
    let kim = scene.kim.join(hub).await;
    let before = hub.resident();
    sleepers.iter().for_each(Client::pause);

    let most = {
        let mut most = before;
        let lines = |name: &'static str| {
            (0..MESSAGES / 2).map(move |n| format!("{name} {n}: {}", "and what about the kitchen sink? ".repeat(4)))
        };
        let traffic = async { tokio::join!(pour(&ana, &thread, lines("Ana")), pour(&kim, &thread, lines("Kim"))) };
        // Every fifth sleeper writes while it does not read.
        let writing = async {
            for n in 0..OWN {
                for sleeper in sleepers.iter().step_by(5) {
                    let text = format!("asleep {n}");
                    sleeper.tell(&json!({"type": "send", "id": fresh_id(), "thread": thread, "text": text}));
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let awake = async {
            tokio::join!(traffic, writing);
            // Order and completeness of the others: their cursor rule has watched each change.
            let poured = |s: &State| {
                let messages = s.fold.threads.get(&thread).map(|t| &t.messages);
                let is_asleep = |m: &Value| m["text"].as_str().is_some_and(|text| text.starts_with("asleep"));
                messages.is_some_and(|all| {
                    all.len() >= MESSAGES && all.values().filter(|m| !is_asleep(m)).count() == MESSAGES
                })
            };
            ana.until("everything", poured).await;
            sam.until("everything", poured).await;
            bob.say(scene.bob.thread(), "I am served as ever").await;
        };
        tokio::pin!(awake);
        loop {
            tokio::select! {
                () = &mut awake => break,
                () = tokio::time::sleep(Duration::from_millis(100)) => most = most.max(hub.resident()),
            }
        }
        most.max(hub.resident())
    };
    let growth = most - before;
    println!(
        "resident: {before} before, {most} at most, +{:.1} MB",
        growth as f64 / 1048576.0
    );
    assert!(
        growth <= GROWTH,
        "the hub grew by {} kB for {SLEEPERS} sleepers",
        growth / 1024
    );

    // They wake: on the same socket, or on a new one if the hub took theirs for dead. First all of
    // them get the acks for what they wrote; then all are at the head.
    sleepers.iter().for_each(Client::wake);
    let woken = sleepers
        .into_iter()
        .zip(&owners)
        .map(|(client, who)| reach(&scene, client, who, 0));
    let woken = join_all(woken).await;
    let log = scene.org.log(&scene.hub).await;
    let (head, expected) = (log.len() as i64, digest(&log));
    let woken = woken
        .into_iter()
        .zip(&owners)
        .map(|(client, who)| reach(&scene, client, who, head));
    let woken = join_all(woken).await;
    for client in &woken {
        let state = client.state();
        assert_eq!(
            (state.cursor, state.digest),
            (head, expected),
            "{} woke to another log",
            state.you("name")
        );
    }
    drop(woken);
    scene.hub.kill9();
    scene.hub.verify();
}

/// Reads until the head, with an ack for all that was sent. Whoever was closed comes back with the
/// cursor and sends again what has no ack.
async fn reach(scene: &Scene, mut client: Client, who: &Person, head: i64) -> Client {
    let is_there = |s: &State| s.cursor >= head && s.sent.keys().all(|id| s.acked(id));
    loop {
        client
            .until_within(WAKING, "the head, or the end", |s| s.closed.is_some() || is_there(s))
            .await;
        if is_there(&client.state()) {
            return client;
        }
        client = sleeper(scene, who, Some(client.vanish())).await;
        let open: Vec<_> = {
            let state = client.state();
            let open = state.sent.iter().filter(|(id, _)| !state.acked(id));
            open.map(|(_, frame)| frame.clone()).collect()
        };
        open.iter().for_each(|frame| client.tell(frame));
    }
}
