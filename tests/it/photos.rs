//! Photos as strangers send them: what is taken, what is made of it, and who may see it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use image::GenericImageView;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Hub, Scene, fresh_id};

/// The files of `tests/data/photos/make.py`.
pub fn files() -> &'static Path {
    static FILES: OnceLock<TempDir> = OnceLock::new();
    let made = FILES.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/photos/make.py");
        let made = Command::new("/usr/bin/python3").arg(script).arg(folder.path()).output();
        let made = made.expect("Debian has a python3");
        let told = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "Pillow and exiftool are needed: {told}");
        folder
    });
    made.path()
}

pub fn file(name: &str) -> Vec<u8> {
    std::fs::read(files().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub struct Got {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub bytes: Vec<u8>,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }
}

pub async fn sent(request: reqwest::RequestBuilder) -> Got {
    let answer = request.send().await.unwrap();
    Got {
        status: answer.status().as_u16(),
        headers: answer.headers().clone(),
        bytes: answer.bytes().await.unwrap().to_vec(),
    }
}

/// Posts raw bytes.
pub async fn upload(hub: &Hub, token: &str, bytes: Vec<u8>) -> Got {
    let request = reqwest::Client::new().post(format!("{}/v1/photos", hub.url));
    sent(request.bearer_auth(token).body(bytes)).await
}

/// Uploads what must be taken, and returns its id.
pub async fn uploaded(hub: &Hub, token: &str, name: &str) -> String {
    let got = upload(hub, token, file(name)).await;
    assert_eq!(got.status, 201, "{name}: {}", String::from_utf8_lossy(&got.bytes));
    got.json()["id"].as_str().unwrap().to_owned()
}

pub async fn get(hub: &Hub, token: Option<&str>, path: &str) -> Got {
    let mut request = reqwest::Client::new().get(format!("{}{path}", hub.url));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    sent(request).await
}

/// All that exiftool finds besides what every JPEG has.
fn metadata(bytes: &[u8]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("served.jpg");
    std::fs::write(&path, bytes).unwrap();
    let told = Command::new("exiftool")
        .args(["-j", "-G", "-a", "-u"])
        .arg(&path)
        .output();
    let told: Value = serde_json::from_slice(&told.expect("exiftool is there").stdout).unwrap();
    let all = told[0].as_object().unwrap().keys();
    let is_own = |name: &&String| {
        ![
            "SourceFile",
            "ExifTool:",
            "File:",
            "Composite:ImageSize",
            "Composite:Megapixels",
        ]
        .iter()
        .any(|known| name.starts_with(known))
    };
    let mut found: Vec<_> = all.filter(is_own).cloned().collect();
    found.retain(|name| !name.starts_with("JFIF:"));
    // These would stand among what describes the file.
    found.extend(told[0].get("File:Comment").map(|comment| comment.to_string()));
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_a_photo_is_taken_and_shown_upright_without_any_metadata() {
    let Scene { hub, sam, .. } = Scene::start().await;
    let mut names: Vec<_> = (1..=8).map(|n| format!("orientation-{n}.jpg")).collect();
    names.extend(
        [
            "plain.jpg",
            "progressive.jpg",
            "cmyk.jpg",
            "grey.jpg",
            "plain.png",
            "palette.png",
            "bits16.png",
            "interlaced.png",
        ]
        .map(str::to_owned),
    );
    assert!(
        metadata(&file("orientation-6.jpg"))
            .iter()
            .any(|name| name.contains("GPS")),
        "a test that cannot fail"
    );
    for name in &names {
        let original = file(name);
        let got = upload(&hub, &sam.token, original.clone()).await;
        assert_eq!(got.status, 201, "{name}: {}", String::from_utf8_lossy(&got.bytes));
        let answer = got.json();
        let said = (&answer["width"], &answer["height"], &answer["bytes"]);
        assert_eq!(said, (&json!(60), &json!(40), &json!(original.len())), "{name}");
        for size in ["thumb", "sms", "full"] {
            let path = format!("/v1/photos/{}?size={size}", answer["id"].as_str().unwrap());
            let served = get(&hub, Some(&sam.token), &path).await;
            assert_eq!(
                (served.status, served.header("content-type")),
                (200, "image/jpeg"),
                "{name} {size}"
            );
            assert_eq!(served.header("x-content-type-options"), "nosniff");
            assert!(served.header("content-disposition").starts_with("inline; filename="));
            assert!(
                served.header("cache-control").starts_with("private")
                    && served.header("cache-control").ends_with("immutable")
            );
            assert_eq!(metadata(&served.bytes), Vec::<String>::new(), "{name} {size}");
            let canary = served.bytes.windows(6).any(|window| window == b"Canary");
            assert!(!canary, "{name} {size}");
            let picture = image::load_from_memory(&served.bytes).unwrap();
            assert_eq!(picture.dimensions(), (60, 40), "{name} {size}");
            let corner = |x, y| picture.get_pixel(x, y).0.map(|c| c > 127);
            let corners = [corner(5, 5), corner(55, 5), corner(5, 35), corner(55, 35)];
            if name != "grey.jpg" {
                let [red, green, blue] = [
                    [true, false, false, true],
                    [false, true, false, true],
                    [false, false, true, true],
                ];
                assert_eq!(corners, [red, green, blue, [true; 4]], "{name} {size}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_photo_is_refused_with_its_code() {
    let Scene { hub, sam, .. } = Scene::start().await;
    let before = hub.resident();
    for (name, status, code, says) in [
        ("bomb.png", 413, "photo_too_large", "megapixels"),
        ("bomb.jpg", 413, "photo_too_large", "megapixels"),
        ("long.png", 413, "photo_too_large", "a side"),
        ("heavy.jpg", 413, "photo_too_large", "10 MB"),
        ("truncated.jpg", 422, "photo_broken", "not whole"),
        ("truncated.png", 422, "photo_broken", "not whole"),
        ("garbled.png", 422, "photo_broken", "damaged"),
        ("polyglot-zip.jpg", 415, "photo_format", "something else"),
        ("polyglot-html.png", 415, "photo_format", "something else"),
        ("polyglot-comment.jpg", 415, "photo_format", "something else"),
        ("polyglot.pdf.jpg", 415, "photo_format", "JPG or a PNG"),
        ("svg.png", 415, "photo_format", "JPG or a PNG"),
        ("html.png", 415, "photo_format", "JPG or a PNG"),
        ("a.gif", 415, "photo_format", "JPG or a PNG"),
        ("a.webp", 415, "photo_format", "JPG or a PNG"),
        ("phone.heic", 415, "photo_format", "send it as JPEG"),
        ("empty.jpg", 422, "photo_broken", "empty"),
    ] {
        let got = upload(&hub, &sam.token, file(name)).await;
        let problem = got.json();
        assert_eq!(
            (got.status, problem["code"].as_str()),
            (status, Some(code)),
            "{name}: {problem}"
        );
        assert!(problem["detail"].as_str().unwrap().contains(says), "{name}: {problem}");
    }
    let grown = hub.resident().saturating_sub(before);
    assert!(grown < 100_000_000, "refusing took {grown} bytes");
    // One that says no length is counted as it comes.
    let chunks = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![0xff; 65_536])).take_chunks(200);
    let request = reqwest::Client::new()
        .post(format!("{}/v1/photos", hub.url))
        .bearer_auth(&sam.token);
    let answer = request.body(reqwest::Body::wrap_stream(chunks)).send().await;
    // It may stop listening before everything was said.
    assert!(answer.is_err() || answer.unwrap().status() == 413);
    let nobody = upload(&hub, "x", file("plain.jpg")).await;
    assert_eq!(nobody.status, 401);
}

trait TakeChunks: futures_util::Stream + Sized {
    fn take_chunks(self, n: usize) -> futures_util::stream::Take<Self> {
        futures_util::StreamExt::take(self, n)
    }
}

impl<S: futures_util::Stream> TakeChunks for S {}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_photo_is_seen_by_whoever_may_see_its_thread_and_a_foreign_one_is_like_none() {
    let Scene {
        hub,
        ana,
        bob,
        sam,
        kim,
        ..
    } = Scene::start().await;
    let (portal, crm, bobs) = (ana.join(&hub).await, sam.join(&hub).await, bob.join(&hub).await);
    let hers = uploaded(&hub, &ana.token, "plain.jpg").await;
    let none = "0".repeat(32);
    let status = async |who: &str, id: &str| {
        let [photo, link] = [
            get(&hub, Some(who), &format!("/v1/photos/{id}?size=thumb")).await,
            get(&hub, Some(who), &format!("/v1/photos/{id}/link")).await,
        ];
        assert_eq!(photo.status, link.status);
        if photo.status == 404 {
            let like_none = get(&hub, Some(who), &format!("/v1/photos/{none}?size=thumb")).await;
            assert_eq!(photo.bytes, like_none.bytes);
        }
        photo.status
    };
    assert_eq!(status(&ana.token, &hers).await, 200, "her own, before she sends it");
    for other in [&bob.token, &sam.token] {
        assert_eq!(status(other, &hers).await, 404);
    }
    // Nobody else can send it, not even once it is sent.
    let send = |id: &str, photos: &[&String]| json!({"type": "send", "id": id, "text": "", "photos": photos});
    let refused = bobs.submit(&send("m1", &[&hers])).await.expect_err("it is Ana's");
    assert_eq!(refused["code"], "unknown_photo");
    let id = fresh_id();
    let ack = portal.submit(&send(&id, &[&hers])).await.expect("sent");
    assert_eq!(
        portal.submit(&send(&id, &[&hers])).await.expect("again")["duplicate"],
        true
    );
    assert_eq!(
        portal.submit(&send(&fresh_id(), &[&hers])).await.expect_err("sent")["code"],
        "unknown_photo"
    );
    let other = uploaded(&hub, &ana.token, "plain.png").await;
    assert_eq!(
        portal.submit(&send(&id, &[&other])).await.expect_err("another")["code"],
        "id_reused"
    );
    crm.until("the photo", |s| {
        s.changes
            .iter()
            .any(|c| c["id"] == id.as_str() && c["photos"][0]["sha256"].is_string())
    })
    .await;
    portal.at(ack["seq"].as_i64().unwrap()).await;
    let shown = portal.state().changes.iter().find(|c| c["id"] == id.as_str()).unwrap()["photos"].clone();
    assert_eq!(shown, json!([{"id": hers, "width": 60, "height": 40}]));
    assert_eq!(
        [
            status(&ana.token, &hers).await,
            status(&sam.token, &hers).await,
            status(&kim.token, &hers).await
        ],
        [200; 3]
    );
    assert_eq!(status(&bob.token, &hers).await, 404);
    // A note's photo is the team's alone.
    let internal = uploaded(&hub, &sam.token, "plain.jpg").await;
    let note = json!({"type": "send", "id": fresh_id(), "thread": ana.thread(), "text": "", "internal": true, "photos": [internal]});
    crm.submit(&note).await.expect("a note");
    assert_eq!(
        [status(&ana.token, &internal).await, status(&kim.token, &internal).await],
        [404, 200]
    );
    // Six are too many.
    let six: Vec<String> = (0..6).map(|n| format!("{n:032}")).collect();
    let six = json!({"type": "send", "id": fresh_id(), "text": "", "photos": six});
    assert_eq!(portal.submit(&six).await.expect_err("six")["code"], "too_many_photos");

    // A link opens it without a token, as long as nothing in it is changed.
    let link = get(&hub, Some(&ana.token), &format!("/v1/photos/{hers}/link?size=sms"))
        .await
        .json();
    let url = link["url"].as_str().unwrap();
    assert_eq!(sent(reqwest::Client::new().get(url)).await.status, 200);
    assert_eq!(sent(reqwest::Client::new().head(url)).await.status, 200);
    for bad in [
        url.replace("size=sms", "size=full"),
        url.replace(&hers, &internal),
        url.replace("exp=1", "exp=2"),
        url[..url.len() - 1].to_owned(),
    ] {
        assert_eq!(sent(reqwest::Client::new().get(&bad)).await.status, 404, "{bad}");
    }
    let unsigned = get(&hub, None, &format!("/v1/photos/{hers}")).await;
    assert_eq!(unsigned.status, 401);
    for path in ["../../../etc/passwd", "..%2f..%2fcrewline.db", "%00", "x"] {
        assert_eq!(
            get(&hub, Some(&sam.token), &format!("/v1/photos/{path}")).await.status,
            404,
            "{path}"
        );
    }
}
