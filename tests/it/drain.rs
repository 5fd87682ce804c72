//! SIGTERM: a goodbye to everybody, a few at a time, and nothing that was acknowledged is lost.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;

use crate::support::traffic::pour;
use crate::support::{Hub, Scene};

const WINDOW: Duration = Duration::from_millis(3_000);
const SOCKETS: usize = 60;

async fn scene() -> Scene {
    let settings = [
        ("CREWLINE_DRAIN_WINDOW_MS", "3000"),
        ("CREWLINE_FRAMES_PER_SECOND", "100000"),
        ("CREWLINE_CONNECTIONS_PER_USER", "100"),
    ];
    Scene::on(Hub::with(&settings).await).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_socket_is_told_within_the_window_and_they_are_not_told_all_at_once() {
    let mut scene = scene().await;
    let people = [&scene.ana, &scene.bob, &scene.sam, &scene.kim];
    let sockets = join_all((0..SOCKETS).map(|n| people[n % 4].load(&scene.hub))).await;
    let http = reqwest::Client::new();
    let readyz = format!("{}/readyz", scene.hub.url);
    let ready = || async { http.get(&readyz).send().await.map(|answer| answer.status().as_u16()) };
    assert_eq!(ready().await.expect("it listens"), 200);

    let started = Instant::now();
    scene.hub.sigterm();
    let goodbyes = sockets.iter().map(|socket| async move {
        let code = socket.closed_within(WINDOW + Duration::from_secs(2)).await;
        (code, started.elapsed())
    });
    let not_ready = async {
        // Before the last socket is gone, the load balancer is told to send nobody here.
        while started.elapsed() < WINDOW {
            if ready().await.is_ok_and(|status| status == 503) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        false
    };
    let (goodbyes, not_ready) = tokio::join!(join_all(goodbyes), not_ready);
    assert!(not_ready, "/readyz never said 503");

    for (socket, (code, _)) in sockets.iter().zip(&goodbyes) {
        assert_eq!(*code, Some(1012));
        let state = socket.state();
        let bye = state.named("bye").next().expect("a bye before the close");
        assert_eq!(bye["code"], 1012, "{bye}");
        assert!(bye["reason"].is_string() && bye["retry_after_ms"].is_u64(), "{bye}");
    }
    let mut times: Vec<_> = goodbyes.iter().map(|(_, after)| *after).collect();
    times.sort();
    let (first, last) = (times[0], times[SOCKETS - 1]);
    assert!(
        last <= WINDOW + Duration::from_secs(1),
        "the last goodbye came after {last:?}"
    );
    assert!(
        last - first >= WINDOW / 4,
        "all within {:?}: they would all come back at once",
        last - first
    );
    let half_second = Duration::from_millis(500);
    let crowd = times
        .iter()
        .map(|at| times.iter().filter(|t| **t >= *at && **t < *at + half_second).count());
    let crowd = crowd.max().unwrap_or(0);
    assert!(
        crowd <= SOCKETS * 2 / 3,
        "{crowd} of {SOCKETS} goodbyes within half a second"
    );

    let status = scene.hub.exited(WINDOW + Duration::from_secs(5)).await;
    assert_eq!(status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_was_acknowledged_before_and_while_draining_is_there_after_the_restart() {
    let mut scene = scene().await;
    let thread = scene.ana.thread().to_owned();
    let (ana, sam) = (scene.ana.join(&scene.hub).await, scene.sam.join(&scene.hub).await);
    pour(&ana, &thread, (0..300).map(|n| format!("before {n}"))).await;

    scene.hub.sigterm();
    let mut n = 0;
    while ana.is_open() {
        n += 1;
        let mut frame = ana.frame("send", &thread);
        (frame["id"], frame["text"]) = (json!(format!("drain-{n}")), json!(format!("while {n}")));
        ana.tell(&frame);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(ana.closed_within(Duration::ZERO).await, Some(1012));
    assert_eq!(scene.hub.exited(WINDOW + Duration::from_secs(5)).await.code(), Some(0));
    scene.hub.verify();
    scene.hub.restart().await;

    let log = scene.org.log(&scene.hub).await;
    let state = ana.state();
    for id in state.sent.keys().filter(|id| state.acked(id)) {
        let found = log.iter().filter(|record| record["id"] == id.as_str()).count();
        assert_eq!(found, 1, "{id} was acknowledged");
    }
    let acked = state.sent.keys().filter(|id| state.acked(id)).count();
    assert!(acked >= 300, "only {acked} acks");
    drop(state);
    let (ana, sam) = (ana.come_back(&scene.hub).await, sam.come_back(&scene.hub).await);
    sam.at(log.len() as i64).await;
    assert!(sam.state().changes == log);
    assert_eq!(ana.state().fold.texts(&thread), sam.state().fold.texts(&thread));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_without_sockets_leaves_at_once() {
    let mut scene = scene().await;
    scene.hub.sigterm();
    let status = scene.hub.exited(WINDOW + Duration::from_secs(2)).await;
    assert_eq!(status.code(), Some(0));
    scene.hub.restart().await;
    scene
        .ana
        .join(&scene.hub)
        .await
        .say(scene.ana.thread(), "back again")
        .await;
}
