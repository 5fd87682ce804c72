//! What photos cost, and that nobody has more of it than there is for one.

use std::time::Duration;

use serde_json::json;

use crate::photos::{file, get, sent, upload, uploaded};
use crate::support::{Scene, fresh_id};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_at_once_take_bounded_memory() {
    let Scene { hub, sam, kim, .. } = Scene::start().await;
    uploaded(&hub, &sam.token, "plain.jpg").await;
    let before = hub.resident();
    // The two that cost most, twice each, among such as phones take.
    let costly = [file("large.jpg"), file("large-progressive.jpg")];
    let usual = file("usual.jpg");
    let mut uploads = tokio::task::JoinSet::new();
    for n in 0..20 {
        let bytes = if n < 4 { &costly[n % 2] } else { &usual }.clone();
        let request = reqwest::Client::new().post(format!("{}/v1/photos", hub.url));
        // Each of them may ten at once.
        let who = if n < 10 { &sam } else { &kim };
        uploads.spawn(sent(request.bearer_auth(&who.token).body(bytes)));
    }
    let mut most = 0;
    let mut taken = 0;
    while !uploads.is_empty() {
        most = most.max(hub.resident());
        if let Ok(Some(done)) = tokio::time::timeout(Duration::from_millis(20), uploads.join_next()).await {
            let got = done.unwrap();
            assert_eq!(got.status, 201, "{}", String::from_utf8_lossy(&got.bytes));
            taken += 1;
        }
    }
    let grown = most.saturating_sub(before) / 1_000_000;
    println!("20 uploads at once, four of 49.9 megapixels: resident memory rose by {grown} MB at most");
    assert_eq!(taken, 20);
    assert!(grown <= 600, "{grown} MB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_that_inflates_to_much_is_left_aside() {
    let Scene { hub, sam, .. } = Scene::start().await;
    let (bomb, plain) = (file("bomb-profile.png"), file("plain.png"));
    assert!(bomb.len() < 300_000, "{} bytes: a test that cannot fail", bomb.len());
    let taken = async |bytes: &[u8]| {
        let got = upload(&hub, &sam.token, bytes.to_vec()).await;
        assert_eq!(got.status, 201, "{}", String::from_utf8_lossy(&got.bytes));
        let id = got.json()["id"].as_str().unwrap().to_owned();
        get(&hub, Some(&sam.token), &format!("/v1/photos/{id}")).await.bytes
    };
    let expected = taken(&plain).await;
    let before = hub.peak();
    assert!(taken(&bomb).await == expected, "its pixels are as good");
    let grown = hub.peak().saturating_sub(before) / 1_000_000;
    assert!(grown < 50, "it took {grown} MB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_uploads_slowly_keeps_nobody_else_from_it() {
    let Scene { hub, ana, bob, .. } = Scene::start().await;
    let mut slow = tokio::task::JoinSet::new();
    for _ in 0..70 {
        let bytes = futures_util::stream::unfold((), async |()| {
            tokio::time::sleep(Duration::from_millis(200)).await;
            Some((Ok::<_, std::io::Error>(vec![0xff]), ()))
        });
        let request = reqwest::Client::new().post(format!("{}/v1/photos", hub.url));
        let request = request.bearer_auth(&ana.token);
        slow.spawn(request.body(reqwest::Body::wrap_stream(bytes)).send());
    }
    let again = async || {
        tokio::time::sleep(Duration::from_millis(30)).await;
        upload(&hub, &ana.token, file("plain.jpg")).await
    };
    let mut refused = again().await;
    while refused.status == 201 {
        refused = again().await;
    }
    uploaded(&hub, &bob.token, "plain.jpg").await;
    let problem = refused.json();
    assert_eq!(
        (refused.status, problem["code"].as_str(), problem["retry"].as_bool()),
        (429, Some("too_many_uploads"), Some(true)),
        "{problem}"
    );
    assert!(problem["detail"].as_str().unwrap().contains("at once"), "{problem}");
    // What breaks off holds nobody up.
    slow.shutdown().await;
    while again().await.status != 201 {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_person_uploads_and_does_not_send_is_bounded() {
    let Scene { hub, ana, bob, .. } = Scene::start().await;
    let mut ids = Vec::new();
    for _ in 0..50 {
        ids.push(uploaded(&hub, &ana.token, "plain.jpg").await);
    }
    let refused = upload(&hub, &ana.token, file("plain.jpg")).await;
    let problem = refused.json();
    assert_eq!(
        (refused.status, problem["code"].as_str(), problem["retry"].as_bool()),
        (429, Some("too_many_uploads"), Some(true)),
        "{problem}"
    );
    uploaded(&hub, &bob.token, "plain.jpg").await;
    // What was sent counts no more.
    let portal = ana.join(&hub).await;
    let message = json!({"type": "send", "id": fresh_id(), "text": "", "photos": ids[..5]});
    portal.submit(&message).await.expect("sent");
    for _ in 0..5 {
        uploaded(&hub, &ana.token, "plain.jpg").await;
    }
    assert_eq!(upload(&hub, &ana.token, file("plain.jpg")).await.status, 429);
}
