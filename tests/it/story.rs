//! What somebody finds who starts the demo: each thing that the product does, once.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::support::{Hub, PATIENCE};

const YEAR_MS: i64 = 365 * 24 * 3_600_000;

fn person<'a>(hub: &'a Hub, list: &str, key: &str, id: &str) -> &'a Value {
    let people = hub.demo[list].as_array().expect("people");
    people.iter().find(|one| one[key] == id).expect("somebody of the demo")
}

fn token(person: &Value) -> &str {
    person["token"].as_str().expect("a token")
}

async fn log(hub: &Hub) -> Vec<Value> {
    let service = hub.demo["service_token"].as_str().expect("a token");
    let page = hub.get(service, "/v1/log?after=0").await.ok();
    page["records"].as_array().expect("records").clone()
}

/// Waits until nothing is on its way any more.
async fn settled(hub: &Hub) -> Vec<Value> {
    let start = Instant::now();
    loop {
        let log = log(hub).await;
        let texts: usize = log.iter().filter_map(|one| one["texts"].as_array()).map(Vec::len).sum();
        let brief = log.iter().filter_map(|one| one["brief"]["texts"].as_array());
        let texts = texts + brief.map(Vec::len).sum::<usize>();
        let ends = ["delivered", "failed"];
        let ended = log
            .iter()
            .filter(|one| one["kind"] == "delivery" && ends.iter().any(|end| one["state"] == *end));
        if texts > 0 && ended.count() >= texts {
            return log;
        }
        assert!(start.elapsed() < PATIENCE, "texts that never ended: {log:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_tells_what_the_product_is_for() {
    let mut hub = Hub::with(&[]).await;
    let log = settled(&hub).await;
    let sam = token(person(&hub, "staff", "sub", "sam")).to_owned();

    // The inbox has a thread in each state.
    let inbox = hub.get(&sam, "/v1/inbox").await.ok();
    let rows = inbox["threads"].as_array().unwrap();
    let row = |name: &str| rows.iter().find(|row| row["contact"]["name"] == name).expect(name);
    assert_eq!(
        (&row("Ana Souza")["new"], row("Ana Souza")["waiting_since"].is_i64()),
        (&false.into(), true)
    );
    assert_eq!(
        (&row("Bob Miller")["new"], &row("Bob Miller")["waiting_since"]),
        (&false.into(), &Value::Null)
    );
    assert_eq!(row("Chen Wei")["new"], true);
    assert_eq!(
        (&row("Dana Reyes")["handoff"], &row("Dana Reyes")["contact"]["unknown"]),
        (&true.into(), &true.into())
    );
    assert_eq!(row("Dee Novak")["failed"], true);
    assert_eq!(row("+14155550199")["contact"]["unknown"], true);
    let unrouted = hub.get(&sam, "/v1/unrouted").await.ok();
    assert_eq!(unrouted["records"][0]["reason"], "shared_phone");

    // Notes, markers with links for either side, and photos that can be seen.
    let of = |kind: &str| log.iter().filter(move |one| one["kind"] == kind).collect::<Vec<_>>();
    assert!(of("note").len() >= 3);
    for public in [true, false] {
        assert!(
            of("marker")
                .iter()
                .any(|one| one["public"] == public && one["link"].is_string())
        );
    }
    let ana = person(&hub, "customers", "contact", "ana");
    let shown = log
        .iter()
        .find(|one| one["photos"].as_array().is_some_and(|photos| photos.len() == 2));
    for photo in shown.expect("two photos")["photos"].as_array().unwrap() {
        let path = format!("/v1/photos/{}?size=thumb", photo["id"].as_str().unwrap());
        let served = crate::photos::get(&hub, Some(token(ana)), &path).await;
        assert_eq!(served.status, 200);
        assert!(image::load_from_memory(&served.bytes).is_ok());
    }

    // Something said more than a year ago, which a search finds.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
    for who in [&sam, token(ana)] {
        let found = hub.get(who, "/v1/search?q=boiler").await.ok();
        let at = found["hits"]
            .as_array()
            .unwrap()
            .iter()
            .map(|hit| hit["record"]["at"].as_i64().unwrap());
        assert!(at.min().expect("a hit") < now - YEAR_MS);
    }
    assert!(log.is_sorted_by_key(|one| one["at"].as_i64()));

    // It leaves room for whoever plays with it: no more than ten copies go to a phone within a minute.
    assert!(!log.iter().any(|one| one["state"] == "not_texted"));
    let copies = of("delivery")
        .into_iter()
        .filter(|one| one["leg"] == "copy" && one["state"] == "delivered");
    assert_eq!(copies.count(), 4);

    // Started once more it has happened already.
    hub.sigterm();
    hub.exited(PATIENCE).await;
    hub.verify();
    hub.restart().await;
    assert_eq!(self::log(&hub).await, log);
}
