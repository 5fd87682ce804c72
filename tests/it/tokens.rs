//! A token is renewed in place, or it ends its sockets; a revoked one ends them at once.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Claims, Client, Dial, Hub, Scene, now_s};

const SECOND: Duration = Duration::from_secs(1);

async fn hello(hub: &Hub, token: &str) -> Client {
    let client = Dial::to(&hub.ws).open().await.expect("open");
    client.hello(token, None, None);
    client
}

/// The error comes before the close, so that a page can say what happened.
async fn assert_turned_away(client: &Client, code: &str, within: Duration) {
    assert_eq!(client.closed_within(within).await, Some(4401));
    assert_eq!(client.state().error_codes(), [code]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_is_told_that_its_token_expires_and_ends_with_it() {
    let scene = Scene::start().await;
    let soon = scene.sam.claims.clone().expires_in(4);
    let sam = hello(&scene.hub, &soon.mint()).await;
    sam.ready().await;
    let expires = (now_s() + 4) * 1_000;
    sam.until("expiring", |s| s.named("expiring").count() == 1).await;
    let at = sam.state().named("expiring").next().unwrap()["at"]
        .as_i64()
        .expect("ms since 1970");
    assert!(
        (expires - 2_000..=expires).contains(&at),
        "{at} is not when the token expires, {expires}"
    );
    assert_turned_away(&sam, "expired_token", 6 * SECOND).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_renewed_in_place() {
    let scene = Scene::start().await;
    let sam = hello(&scene.hub, &scene.sam.claims.clone().expires_in(3).mint()).await;
    let ana = hello(&scene.hub, &scene.ana.claims.clone().expires_in(3).mint()).await;
    for (client, person) in [(&sam, &scene.sam), (&ana, &scene.ana)] {
        client.ready().await;
        client.tell(&json!({"type": "token", "token": person.token}));
    }
    tokio::time::sleep(5 * SECOND).await;
    for client in [&sam, &ana] {
        client.say(scene.ana.thread(), "still here").await;
        assert_eq!(client.state().error_codes(), Vec::<&str>::new());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_of_somebody_else_cannot_take_a_socket_over() {
    let scene = Scene::start().await;
    let strangers = [
        scene.kim.claims.clone(),
        scene.ana.claims.clone(),
        scene.sam.claims.clone().with("org", "another"),
        scene.sam.claims.clone().with("role", "service"),
        Claims::customer(&scene.org.id, "ana", "Sam Ortiz").with("sub", "sam"),
    ];
    for claims in strangers {
        let sam = hello(&scene.hub, &scene.sam.token).await;
        sam.ready().await;
        sam.tell(&json!({"type": "token", "token": claims.mint()}));
        sam.refused("forbidden").await;
        // Whether it stays or goes, it is never somebody else's.
        if sam.is_open() {
            sam.say(scene.ana.thread(), "still Sam").await;
        }
    }
    let log = scene.org.log(&scene.hub).await;
    for record in log.iter().filter(|record| record["kind"] == "message") {
        assert_eq!(record["from"]["sub"], "sam");
    }
    let bob = hello(&scene.hub, &scene.bob.token).await;
    bob.ready().await;
    bob.tell(&json!({"type": "token", "token": scene.ana.claims.clone().with("sub", "portal-bob").mint()}));
    bob.refused("forbidden").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_token_cannot_renew_a_socket() {
    let scene = Scene::start().await;
    let bad = [
        (
            "bad_token",
            scene.sam.claims.signed_with("somebody else's secret, also long enough"),
        ),
        ("expired_token", scene.sam.claims.clone().expires_in(-3_600).mint()),
    ];
    for (code, token) in bad {
        let sam = hello(&scene.hub, &scene.sam.token).await;
        sam.ready().await;
        sam.tell(&json!({"type": "token", "token": token}));
        sam.refused(code).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_closes_every_socket_of_that_person_within_a_second() {
    let mut scene = Scene::start().await;
    let mut sockets = Vec::new();
    for _ in 0..5 {
        let sam = hello(&scene.hub, &scene.sam.token).await;
        sam.ready().await;
        sockets.push(sam);
    }
    let (kim, ana) = (scene.kim.join(&scene.hub).await, scene.ana.join(&scene.hub).await);
    sockets[0].say(scene.ana.thread(), "before").await;

    let asked = Instant::now();
    let revoked = scene
        .hub
        .post(&scene.org.service, "/v1/revocations", &json!({"sub": "sam"}))
        .await;
    assert_eq!(revoked.status, 201, "{}", revoked.text);
    for sam in &sockets {
        assert_turned_away(sam, "revoked_token", SECOND.saturating_sub(asked.elapsed())).await;
    }
    kim.say(scene.ana.thread(), "the others stay").await;
    ana.until("Kim's message", |s| s.fold.texts(scene.ana.thread()).len() == 2)
        .await;

    let log = scene.org.log(&scene.hub).await;
    let record = log
        .iter()
        .find(|r| r["kind"] == "revoked")
        .expect("a revocation is in the log");
    assert_eq!(
        (&record["sub"], &record["before"]),
        (&json!("sam"), &revoked.json()["before"])
    );

    // The old token is dead on every door, and stays so.
    for _ in 0..2 {
        let again = hello(&scene.hub, &scene.sam.token).await;
        assert_turned_away(&again, "revoked_token", 5 * SECOND).await;
        let asked = scene.hub.get(&scene.sam.token, "/v1/inbox?filter=all").await;
        assert_eq!((asked.status, asked.code().as_str()), (401, "revoked_token"));
        scene.hub.kill9();
        scene.hub.restart().await;
    }
    // A token from after it works. They count in whole seconds.
    while now_s() <= record["before"].as_i64().expect("seconds") {
        tokio::time::sleep(SECOND / 10).await;
    }
    let sam = scene.org.staff("sam", "Sam Ortiz").join(&scene.hub).await;
    sam.say(scene.ana.thread(), "after").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_can_be_revoked_as_well() {
    let scene = Scene::start().await;
    let (ana, bob) = (scene.ana.join(&scene.hub).await, scene.bob.join(&scene.hub).await);
    let done = scene
        .hub
        .post(&scene.org.service, "/v1/revocations", &json!({"sub": "portal-ana"}))
        .await;
    assert_eq!(done.status, 201, "{}", done.text);
    assert_turned_away(&ana, "revoked_token", SECOND).await;
    bob.say(scene.bob.thread(), "I stay").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_crms_backend_gets_a_users_token() {
    let scene = Scene::start().await;
    let asked = json!({"role": "customer", "sub": "u-77", "name": "Ana Souza", "contact": "ana", "ttl_s": 120});
    let made = scene.hub.post(&scene.org.service, "/v1/tokens", &asked).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let ana = hello(&scene.hub, made.json()["token"].as_str().expect("a token")).await;
    ana.ready().await;
    assert_eq!(ana.state().you("contact"), "ana");
    assert_eq!(ana.state().you("thread"), scene.ana.thread());

    let asked = json!({"role": "staff", "sub": "lee", "name": "Lee Park"});
    let made = scene.hub.post(&scene.org.service, "/v1/tokens", &asked).await.ok();
    let lee = hello(&scene.hub, made["token"].as_str().expect("a token")).await;
    lee.ready().await;
    assert_eq!(
        (lee.state().you("role"), lee.state().you("sub")),
        ("staff".into(), "lee".into())
    );

    for (who, why) in [(&scene.sam, "a staff member"), (&scene.ana, "a customer")] {
        let refused = scene.hub.post(&who.token, "/v1/tokens", &asked).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (403, "forbidden"),
            "{why} makes no tokens"
        );
    }
}
