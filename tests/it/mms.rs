//! MMS that are carried on: what came by one reaches the other side's phones as one.

use std::io::Cursor;
use std::time::{Duration, Instant};

use base64::Engine;
use image::{ImageFormat, RgbImage};
use serde_json::{Value, json};

use crate::sms_line::Line;
use crate::support::PATIENCE;
use crate::support::phones::NUMBER;

const TRUCK: &str = "+14155550901";
const ANA: &str = "+14155550912";
/// So long a text waits for what its message brought.
const WAITS: Duration = Duration::from_secs(20);
/// Pictures that the carrier could not fetch go again after a minute and its jitter.
const TRIED_AGAIN: Duration = Duration::from_secs(90);

/// A picture that its width tells apart.
fn picture(width: u32) -> Value {
    let mut png = Cursor::new(Vec::new());
    let pixels = RgbImage::from_pixel(width, 30, image::Rgb([200, 90, 30]));
    pixels.write_to(&mut png, ImageFormat::Png).unwrap();
    let base64 = base64::engine::general_purpose::STANDARD.encode(png.into_inner());
    json!({"content_type": "image/png", "base64": base64})
}

fn pictures(widths: impl IntoIterator<Item = u32>) -> Vec<Value> {
    widths.into_iter().map(picture).collect()
}

async fn send(line: &Line, from: &str, body: &str, media: Vec<Value>) {
    let mms = json!({"to": NUMBER, "body": body, "media": media});
    line.phones.send(from, mms).await;
}

/// What a phone got from the number, by its text: that, and how wide its pictures are. What failed it has not.
async fn got(line: &Line, phone: &str) -> Vec<(String, Vec<u32>)> {
    let mut got = Vec::new();
    let shows = line.phones.shows(phone).await;
    let arrived = |one: &&Value| one["by"] == "number" && one["status"] != "failed";
    for one in shows.iter().filter(arrived) {
        let mut widths = Vec::new();
        for media in one["media"].as_array().unwrap() {
            assert_eq!(media["content_type"], "image/jpeg");
            let bytes = line.phones.picture(media["url"].as_str().unwrap()).await;
            widths.push(image::load_from_memory(&bytes).unwrap().width());
        }
        got.push((one["text"].as_str().unwrap().to_owned(), widths));
    }
    got.sort();
    got
}

async fn gets(line: &Line, phone: &str, expected: &[(&str, Vec<u32>)], within: Duration) {
    let mut expected: Vec<_> = expected
        .iter()
        .map(|(text, widths)| ((*text).to_owned(), widths.clone()))
        .collect();
    expected.sort();
    let start = Instant::now();
    loop {
        let got = got(line, phone).await;
        if got == expected {
            return;
        }
        assert!(start.elapsed() < within, "{phone} got {got:?}, not {expected:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Parts that were fetched, by their places.
async fn fetched(line: &Line) -> Vec<(i64, i64)> {
    let log = line.org.log(&line.hub).await;
    let media = log.iter().filter(|one| one["kind"] == "media");
    let place = |one: &Value| (one["of"].as_i64().unwrap(), one["index"].as_i64().unwrap());
    let mut places: Vec<_> = media.map(place).collect();
    places.sort_unstable();
    places
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn photos_by_mms_reach_the_other_sides_phones_in_their_order() {
    let line = Line::start().await;
    send(&line, ANA, "Under the sink", pictures(40..45)).await;
    line.phones.text(ANA, "Can you come?").await;
    let copies = [
        ("#1 Ana: Under the sink", (40..45).collect()),
        ("#1 Ana: Can you come?", vec![]),
    ];
    gets(&line, TRUCK, &copies, PATIENCE).await;
    // Back from the truck: pictures alone, one that Twilio takes in five megabytes and one more.
    send(&line, TRUCK, "#1", pictures(50..56)).await;
    let answer = [("(1 attachment)", (50..55).collect())];
    gets(&line, ANA, &answer, PATIENCE).await;
    // A page that calls itself a picture is no photo: it stands in the portal.
    let page = json!({"content_type": "image/png", "base64": "PGh0bWw+PC9odG1sPg=="});
    send(&line, ANA, "and this", vec![page, picture(60)]).await;
    let copies = [&copies[..], &[("#1 Ana: and this (1 attachment)", vec![60])]].concat();
    gets(&line, TRUCK, &copies, PATIENCE).await;
    line.verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_does_not_wait_for_ever_for_what_its_message_brought() {
    let line = Line::start().await;
    let late = WAITS + Duration::from_secs(4);
    line.phones
        .behave(json!({"step_ms": 0, "media_latency_ms": late.as_millis() as u64}))
        .await;
    let sent = Instant::now();
    send(&line, ANA, "Under the sink", pictures([40, 41])).await;
    let counted = ("#1 Ana: Under the sink (2 attachments)", vec![]);
    gets(&line, TRUCK, std::slice::from_ref(&counted), WAITS + PATIENCE).await;
    assert!(sent.elapsed() >= WAITS, "{:?}", sent.elapsed());
    // They come all the same, into the thread alone.
    let start = Instant::now();
    while fetched(&line).await.len() < 2 {
        assert!(start.elapsed() < PATIENCE, "never fetched");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    line.phones.text(ANA, "Hello?").await;
    let copies = [counted, ("#1 Ana: Hello?", vec![])];
    gets(&line, TRUCK, &copies, PATIENCE).await;
    line.verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_while_an_mms_is_fetched_loses_no_part_and_texts_nothing_twice() {
    let mut line = Line::start().await;
    line.phones
        .behave(json!({"step_ms": 0, "media_latency_ms": 1_500}))
        .await;
    // While all of them are fetched; and about when they are appended and texted.
    let kills = [700, 1_700, 2_000];
    for (round, kill_after) in kills.into_iter().enumerate() {
        let widths = (0..5).map(|n| 40 + 10 * round as u32 + n);
        send(&line, ANA, &format!("round {round}"), pictures(widths)).await;
        tokio::time::sleep(Duration::from_millis(kill_after)).await;
        line.hub.kill9();
        line.hub.restart().await;
        let start = Instant::now();
        // It goes on when the lease of what was fetched has run out, well before texts wait no longer.
        while !(fetched(&line).await.len() == 5 * (round + 1) && is_told(&line, round).await) {
            assert!(start.elapsed() < WAITS + PATIENCE, "round {round} never came to an end");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let mut places = fetched(&line).await;
    places.dedup();
    assert_eq!(places.len(), 5 * kills.len(), "each part once");
    line.phones.behave(json!({"step_ms": 0})).await;
    // Killed in the call itself, nobody knows whether it was made: then it is not made again.
    let told = line.phones.got(TRUCK).await;
    let rounds = 0..kills.len() as u32;
    let rounds = rounds.map(|round| {
        (
            format!("#1 Ana: round {round}"),
            (0..5).map(|n| 40 + 10 * round + n).collect(),
        )
    });
    let rounds: Vec<_> = rounds.filter(|(text, _)| told.contains(text)).collect();
    let expected: Vec<_> = rounds
        .iter()
        .map(|(text, widths)| (&**text, Vec::clone(widths)))
        .collect();
    // Killed before the carrier had fetched the pictures, that attempt fails, and the next one brings them.
    let shows = line.phones.shows(TRUCK).await;
    let failed = shows.iter().any(|one| one["status"] == "failed");
    let within = if failed { PATIENCE + TRIED_AGAIN } else { PATIENCE };
    gets(&line, TRUCK, &expected, within).await;
    line.verify().await;
}

/// Whether the copy of a round's message got through, or is known to be unknown.
async fn is_told(line: &Line, round: usize) -> bool {
    if line
        .phones
        .got(TRUCK)
        .await
        .iter()
        .any(|text| text.contains(&format!("round {round}")))
    {
        return true;
    }
    let log = line.org.log(&line.hub).await;
    let of = log
        .iter()
        .find(|one| one["text"] == format!("round {round}"))
        .map(|one| &one["seq"]);
    let unknown = |one: &&Value| one["kind"] == "delivery" && one["state"] == "unknown";
    log.iter().filter(unknown).any(|one| Some(&one["of"]) == of)
}
