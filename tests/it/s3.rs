//! Photos in a bucket, by an S3 that is not ours and that checks who asks.

use std::time::{Duration, Instant};

use base64::Engine;
use serde_json::{Value, json};

use crate::photos::{get, upload, uploaded};
use crate::sms_line::Line;
use crate::support::phones::{NUMBER, Phones};
use crate::support::s3::S3;
use crate::support::{Hub, PATIENCE, Scene, fresh_id};

const TRUCK: &str = "+14155550901";
const ANA: &str = "+14155550912";
const SIZES: [&str; 3] = ["thumb", "sms", "full"];

async fn start() -> S3 {
    tokio::task::spawn_blocking(S3::start).await.expect("an S3")
}

/// The keys of photos, as renditions by id; the demo has photos, too.
fn kept(s3: &mut S3, id: &str) -> Vec<String> {
    let place = format!("crew/line/{}/{id}/", &id[..2]);
    let keys = s3.keys().into_iter();
    keys.filter_map(|key| key.strip_prefix(&place).map(str::to_owned))
        .collect()
}

async fn shows(line: &Line, phone: &str) -> Vec<Vec<u8>> {
    let start = Instant::now();
    loop {
        let shows = line.phones.shows(phone).await;
        let texts = shows.iter().filter(|one| one["by"] == "number");
        let media: Vec<Value> = texts.flat_map(|one| one["media"].as_array().unwrap().clone()).collect();
        if !media.is_empty() {
            let mut pictures = Vec::new();
            for one in media {
                pictures.push(line.phones.picture(one["url"].as_str().unwrap()).await);
            }
            return pictures;
        }
        assert!(start.elapsed() < PATIENCE, "{phone} got no picture: {shows:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Five minutes more than a day from now.
fn tomorrow() -> [(&'static str, String); 3] {
    let folders = std::fs::read_dir("/usr/lib").unwrap();
    let libraries = folders.map(|folder| folder.unwrap().path().join("faketime/libfaketimeMT.so.1"));
    let library = libraries.into_iter().find(|path| path.exists());
    [
        ("LD_PRELOAD", library.expect("Debian's faketime").display().to_string()),
        ("FAKETIME", "+1445m".to_owned()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_keeps_photos_serves_them_and_lets_go_of_what_nobody_sends() {
    let mut s3 = start().await;
    let phones = Phones::start().await;
    let settings = s3.settings();
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let hub = phones.hub_with(&settings).await;
    let mut line = Line::on(phones, hub).await;

    // One that is sent, both ways, one that came by MMS, and one that nobody sends.
    let sent = uploaded(&line.hub, &line.sam.token, "orientation-6.jpg").await;
    let unsent = uploaded(&line.hub, &line.ana.token, "plain.jpg").await;
    let path = format!("/v1/threads/{}/messages", line.ana.thread());
    let message = json!({"id": fresh_id(), "text": "this one?", "photos": [sent]});
    line.hub.post(&line.sam.token, &path, &message).await.ok();
    let png = std::fs::read(crate::photos::files().join("plain.png")).unwrap();
    let base64 = base64::engine::general_purpose::STANDARD.encode(png);
    let mms = json!({"to": NUMBER, "body": "that one", "media": [{"content_type": "image/png", "base64": base64}]});
    line.phones.send(ANA, mms).await;
    let (by_mms, on_truck) = (shows(&line, ANA).await, shows(&line, TRUCK).await);
    assert_eq!((by_mms.len(), on_truck.len()), (1, 1));
    for id in [&sent, &unsent] {
        let mut renditions = kept(&mut s3, id);
        renditions.sort();
        assert_eq!(renditions, ["full", "sms", "thumb"]);
    }
    assert!(!line.hub.data().join("photos").exists(), "nothing lies in a folder");

    // Served by token and by link, the same before and after a restart.
    let mut before = Vec::new();
    for restarted in [false, true] {
        for (n, size) in SIZES.into_iter().enumerate() {
            let path = format!("/v1/photos/{sent}?size={size}");
            let served = get(&line.hub, Some(&line.ana.token), &path).await;
            assert_eq!(served.status, 200, "{size}");
            assert_eq!(image::load_from_memory(&served.bytes).unwrap().width(), 60);
            let link = format!("/v1/photos/{sent}/link?size={size}");
            let link: Value = get(&line.hub, Some(&line.ana.token), &link).await.json();
            let link = link["url"].as_str().unwrap().replacen(&line.hub.url, "", 1);
            let linked = get(&line.hub, None, &link).await;
            assert_eq!((linked.status, &linked.bytes), (200, &served.bytes), "{size}");
            match restarted {
                false => before.push(served.bytes),
                true => assert_eq!(served.bytes, before[n], "{size}"),
            }
        }
        assert_eq!(by_mms[0], before[1], "her phone has the rendition for MMS");
        if !restarted {
            line.hub.sigterm();
            line.hub.exited(PATIENCE).await;
            line.hub.restart().await;
        }
    }

    // A day later what nobody sent is gone, from the bucket as well.
    line.hub.sigterm();
    line.hub.exited(PATIENCE).await;
    for (name, value) in tomorrow() {
        line.hub.set(name, &value);
    }
    line.hub.restart().await;
    let start = Instant::now();
    while !kept(&mut s3, &unsent).is_empty() {
        assert!(start.elapsed() < PATIENCE, "{:?}", kept(&mut s3, &unsent));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(kept(&mut s3, &sent).len(), 3);
    line.verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_cannot_be_used_stops_uploads_alone_and_says_so() {
    let mut s3 = start().await;
    let mut settings = s3.settings();
    settings.last_mut().unwrap().1 = "not the secret".to_owned();
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut hub = Hub::with(&settings).await;
    let scene = Scene::on(hub).await;
    hub = scene.hub;

    let start = Instant::now();
    while !hub.logged(&["photos cannot be kept", "SignatureDoesNotMatch"]) {
        assert!(start.elapsed() < PATIENCE, "nothing is said of it");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!hub.logged(&["not the secret"]), "a secret in the log");
    let is_told = async |hub: &Hub, is: bool| {
        let ready = hub.ask("GET", "/readyz", None, None).await;
        assert_eq!(ready.status, 200, "the chat goes on");
        assert_eq!(ready.text.contains("photos cannot be kept"), is, "{}", ready.text);
        let metrics = hub.ask("GET", "/metrics", None, None).await.text;
        let gauge = format!("crewline_photos_degraded {}", u8::from(is));
        assert!(metrics.lines().any(|line| line == gauge), "never: {gauge}");
    };
    is_told(&hub, true).await;
    let refused = |got: crate::photos::Got| {
        let problem = got.json();
        assert_eq!(
            (got.status, &problem["code"], &problem["retry"]),
            (503, &json!("busy"), &json!(true)),
            "{problem}"
        );
        assert!(
            problem["detail"].as_str().unwrap().contains("photos cannot be kept"),
            "{problem}"
        );
    };
    let plain = std::fs::read(crate::photos::files().join("plain.jpg")).unwrap();
    refused(upload(&hub, &scene.ana.token, plain.clone()).await);
    scene
        .ana
        .join(&hub)
        .await
        .say(scene.ana.thread(), "without a photo")
        .await;

    // With the right one it is well at once, and with none there it says so in bounded time.
    hub.sigterm();
    hub.exited(PATIENCE).await;
    for (name, value) in s3.settings() {
        hub.set(name, &value);
    }
    hub.restart().await;
    uploaded(&hub, &scene.ana.token, "plain.jpg").await;
    is_told(&hub, false).await;
    s3.kill();
    let asked = Instant::now();
    refused(upload(&hub, &scene.ana.token, plain).await);
    assert!(asked.elapsed() < Duration::from_secs(30), "{:?}", asked.elapsed());
    is_told(&hub, true).await;
}
