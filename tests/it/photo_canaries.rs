//! Photos that no customer may ever see are planted everywhere in an org; then every byte that a customer
//! was served is searched for their ids, their hashes and their pixels.

use std::io::Cursor;
use std::time::Instant;

use base64::Engine;
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

use crate::photos::{get, upload};
use crate::sms_line::Line;
use crate::support::phones::NUMBER;
use crate::support::{PATIENCE, Person, fresh_id};

const ANA: &str = "+14155550912";
const BOB: &str = "+14155550915";
const STRANGER: &str = "+14155550999";
const SIZES: [&str; 3] = ["thumb", "sms", "full"];
/// So many bytes in a row of a picture that is like no other are there by no accident.
const TELLING: usize = 48;

/// A PNG like no other.
fn noise(seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    let mut byte = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    let pixels = RgbImage::from_fn(64, 48, |_, _| Rgb([byte(), byte(), byte()]));
    let mut png = Cursor::new(Vec::new());
    pixels.write_to(&mut png, ImageFormat::Png).unwrap();
    png.into_inner()
}

fn mms(seed: u32) -> Value {
    let base64 = base64::engine::general_purpose::STANDARD.encode(noise(seed));
    json!({"to": NUMBER, "body": "look", "media": [{"content_type": "image/png", "base64": base64}]})
}

/// The id of what somebody uploaded.
async fn uploaded(line: &Line, who: &Person, seed: u32) -> String {
    let got = upload(&line.hub, &who.token, noise(seed)).await;
    let answer: Value = serde_json::from_slice(&got.bytes).unwrap();
    assert_eq!(got.status, 201, "{answer}");
    answer["id"].as_str().unwrap().to_owned()
}

async fn send(line: &Line, who: &Person, thread: &str, photo: &str, internal: bool) {
    let message = json!({"id": fresh_id(), "text": "", "photos": [photo], "internal": internal});
    let path = format!("/v1/threads/{thread}/messages");
    line.hub.post(&who.token, &path, &message).await.ok();
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_byte_hash_or_id_of_a_foreign_photo_reaches_a_customer() {
    let line = Line::start().await;
    let (hub, ana, bob, sam) = (&line.hub, &line.ana, &line.bob, &line.sam);
    let (portal, crm) = (ana.join(hub).await, sam.join(hub).await);
    let (hers, his) = (ana.thread(), bob.thread());

    // Her own: one of hers, one that the team sent her.
    let mut own = Vec::new();
    for (who, seed) in [(ana, 1), (sam, 2)] {
        let id = uploaded(&line, who, seed).await;
        send(&line, who, hers, &id, false).await;
        own.push(id);
    }
    // Not hers: in a note of her thread, in another thread from both sides, in a note there, not sent at all,
    // and by MMS from her neighbour and from a stranger.
    let mut foreign = Vec::new();
    for (who, thread, internal, seed) in [
        (sam, hers, true, 3),
        (bob, his, false, 4),
        (sam, his, false, 5),
        (sam, his, true, 6),
    ] {
        let id = uploaded(&line, who, seed).await;
        send(&line, who, thread, &id, internal).await;
        foreign.push(id);
    }
    for (who, seed) in [(sam, 7), (bob, 8)] {
        foreign.push(uploaded(&line, who, seed).await);
    }
    for (phone, seed) in [(BOB, 9), (STRANGER, 10)] {
        line.phones.send(phone, mms(seed)).await;
    }
    line.phones.send(ANA, mms(11)).await;
    crm.until("what came by MMS", |s| {
        s.changes.iter().filter(|c| c["photo"]["id"].is_string()).count() == 3
    })
    .await;
    for media in crm.state().changes.iter().filter(|c| c["photo"]["id"].is_string()) {
        let list = if media["thread"] == hers {
            &mut own
        } else {
            &mut foreign
        };
        list.push(media["photo"]["id"].as_str().unwrap().to_owned());
    }
    assert_eq!((own.len(), foreign.len()), (3, 8));

    // What would tell: ids, the hashes of originals, and a row of bytes of each rendition.
    let log = serde_json::to_string(&line.org.log(hub).await).unwrap();
    let mut telling: Vec<(String, Vec<u8>)> = Vec::new();
    for id in &foreign {
        telling.push((format!("id {id}"), id.clone().into_bytes()));
        let seen_by = [&sam.token, &bob.token];
        for size in SIZES {
            let path = format!("/v1/photos/{id}?size={size}");
            let mut served = Vec::new();
            for token in seen_by {
                let got = get(hub, Some(token), &path).await;
                if got.status == 200 {
                    served = got.bytes;
                }
            }
            let middle = served.len() / 2;
            telling.push((format!("{size} of {id}"), served[middle..middle + TELLING].to_vec()));
        }
    }
    use sha2::Digest;
    for seed in 1..=11 {
        let digest = sha2::Sha256::digest(noise(seed));
        let hash: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let is_unsent = [7, 8].contains(&seed);
        assert!(is_unsent || log.contains(&hash), "the team has the hash of {seed}");
        // Of her own photos, too, the original's hash is the team's.
        telling.push((format!("hash of {seed}"), hash.into_bytes()));
        telling.push((format!("the file {seed}"), noise(seed)[60..60 + TELLING].to_vec()));
    }

    // Whatever a customer can ask for.
    let mut served: Vec<(String, Vec<u8>)> = Vec::new();
    let messages = format!("/v1/threads/{hers}/messages");
    let theirs = format!("/v1/threads/{his}/messages");
    let take = json!({"id": fresh_id(), "text": "mine now", "photos": foreign[..5]});
    let note = json!({"id": fresh_id(), "text": "mine now", "photos": foreign[5..], "internal": true});
    for (method, path, body) in [
        ("GET", format!("/v1/threads/{hers}"), None),
        ("GET", format!("{messages}?limit=200"), None),
        ("GET", format!("{messages}?after=0&limit=200"), None),
        ("GET", format!("{messages}?around=3&limit=200"), None),
        ("GET", format!("{theirs}?limit=200"), None),
        ("POST", messages.clone(), Some(take)),
        ("POST", messages, Some(note)),
        ("POST", theirs, Some(json!({"id": fresh_id(), "text": "hello"}))),
        ("GET", "/v1/inbox?filter=all".to_owned(), None),
        ("GET", "/v1/log?after=0".to_owned(), None),
        ("GET", "/v1/unrouted".to_owned(), None),
        ("GET", "/v1/search?q=look".to_owned(), None),
        ("GET", format!("/v1/search?q={}", foreign[0]), None),
    ] {
        let answer = hub.ask(method, &path, Some(&ana.token), body.as_ref()).await;
        served.push((
            format!("{method} {path}"),
            format!("{:?} {}", answer.headers, answer.text).into_bytes(),
        ));
    }
    for id in foreign.iter().chain(&own) {
        for size in SIZES {
            let photo = format!("/v1/photos/{id}?size={size}");
            let link = format!("/v1/photos/{id}/link?size={size}");
            for path in [photo, link] {
                let got = get(hub, Some(&ana.token), &path).await;
                let expected = if own.contains(id) { 200 } else { 404 };
                assert_eq!(got.status, expected, "{path}");
                served.push((path, [format!("{:?} ", got.headers).into_bytes(), got.bytes].concat()));
            }
        }
    }
    // A link to one of hers, made to lead to another.
    let link = get(hub, Some(&ana.token), &format!("/v1/photos/{}/link", own[0])).await;
    let link: Value = serde_json::from_slice(&link.bytes).unwrap();
    let link = link["url"].as_str().unwrap().replacen(&hub.url, "", 1);
    assert_eq!(get(hub, None, &link).await.status, 200);
    for id in &foreign {
        let got = get(hub, None, &link.replace(&own[0], id)).await;
        assert_eq!(got.status, 404);
        served.push((format!("a link to {id}"), got.bytes));
    }
    let head = portal.ping().await;
    portal.at(head).await;
    let (fresh, resumed) = (ana.load(hub).await, ana.join(hub).await);
    for client in [&portal, &fresh, &resumed] {
        for asked in [json!({}), json!({"around": 2}), json!({"after": 0})] {
            let mut history = json!({"type": "history", "id": fresh_id(), "limit": 200});
            history
                .as_object_mut()
                .unwrap()
                .extend(asked.as_object().unwrap().clone());
            client.submit(&history).await.expect("a page");
        }
        let take = json!({"type": "send", "id": fresh_id(), "text": "", "photos": [foreign[0]]});
        assert_eq!(
            client.submit(&take).await.expect_err("not hers")["code"],
            "unknown_photo"
        );
        let heard = client.state().heard.clone();
        served.extend(heard.into_iter().map(|text| ("socket".to_owned(), text.into_bytes())));
    }
    // Her phone has what the team sent her, and nothing else.
    let start = Instant::now();
    let pictures = loop {
        let shows = line.phones.shows(ANA).await;
        let from_us = shows.iter().filter(|one| one["by"] == "number");
        let urls: Vec<_> = from_us
            .flat_map(|one| one["media"].as_array().unwrap().clone())
            .collect();
        if !urls.is_empty() {
            break urls;
        }
        assert!(start.elapsed() < PATIENCE, "her phone got no picture");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert_eq!(pictures.len(), 1);
    let picture = line.phones.picture(pictures[0]["url"].as_str().unwrap()).await;
    let sent = get(hub, Some(&ana.token), &format!("/v1/photos/{}?size=sms", own[1])).await;
    assert_eq!(picture, sent.bytes);
    served.push(("her phone".to_owned(), picture));

    for id in &own {
        assert!(
            served.iter().any(|(_, bytes)| holds(bytes, id.as_bytes())),
            "she has her own"
        );
    }
    for (what, needle) in &telling {
        // An answer may say the path that was asked for, nothing may come of it.
        let leak = served.iter().find(|(_, bytes)| holds(bytes, needle));
        assert_eq!(leak.map(|(path, _)| path), None, "{what} reached a customer");
    }
    line.verify().await;
}
