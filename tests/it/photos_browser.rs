//! Photos as people see them: five from the portal to the CRM and to a business phone, five back by MMS.

use serde_json::{Value, json};

use crate::photos::{files, uploaded};
use crate::support::chromium::Browser;
use crate::support::pages::{Cast, Tab, row};
use crate::support::phones::{NUMBER, Phones};
use crate::support::pictures::{choose, drag, paste, previews};
use crate::support::{Org, PATIENCE};

const TRUCK: &str = "+14155556701";
const ANA: &str = "+14155556712";

/// Waits for so many photos in the thread whose pictures are really there.
async fn photos(tab: &Tab, count: usize) {
    let there = r#"[...$$('[data-testid="message"]:not(.pending) [data-testid="photo"]')]
        .filter((photo) => photo.complete && photo.naturalWidth > 0).length"#;
    tab.0.until(&format!("{there} === {count}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_photos_go_from_the_portal_to_the_crm_and_a_business_phone_and_five_come_back() {
    use base64::Engine;
    let phones = Phones::start().await;
    let hub = phones.hub().await;
    let settings = json!({"number": NUMBER, "business_phones": [TRUCK], "origins": [hub.url]});
    let org = Org::with(&hub, "pictures", settings).await;
    let ana = org
        .customer_with(&hub, "ana", json!({"name": "Ana Souza", "phone": ANA}))
        .await;
    let browser = Browser::start().await;
    let open = async |page: &str, token: &str| {
        let tab = Tab(browser.open(&format!("{}/{page}#token={token}", hub.url)).await);
        tab.live().await;
        tab
    };
    let portal = open("portal", &ana.token).await;
    let crm = open("crm", &org.staff("sam", "Sam Ortiz").token).await;

    // Four, then three more: the sixth and the seventh are refused, and one that is none.
    choose(
        &portal,
        &["orientation-6.jpg", "progressive.jpg", "cmyk.jpg", "html.png"],
    )
    .await;
    previews(&portal, "uploaded", 3).await;
    previews(&portal, "failed", 1).await;
    let refused = r#"$('[data-testid="photo-preview"][data-code="photo_format"]')"#;
    assert!(
        portal
            .0
            .eval(&format!("{refused}.textContent"))
            .await
            .as_str()
            .unwrap()
            .contains("JPG or a PNG")
    );
    portal
        .0
        .click(r#"[data-code="photo_format"] [data-testid="photo-remove"]"#)
        .await;
    choose(&portal, &["bits16.png", "interlaced.png", "plain.jpg"]).await;
    previews(&portal, "uploaded", 5).await;
    let refusal = r#"$('[data-testid="photo-refusal"]')"#;
    assert_eq!(
        portal.0.eval(&format!("{refusal}.dataset.code")).await,
        "too_many_photos"
    );
    portal.picture("photos-chosen").await;
    portal.say("Under the sink").await;
    previews(&portal, "uploaded", 0).await;
    photos(&portal, 5).await;
    crm.0.click(&row(ana.thread())).await;
    photos(&crm, 5).await;
    crm.picture("photos-crm").await;

    // A click opens the whole picture.
    crm.0.click(r#"[data-testid="message"] [data-testid="photo"]"#).await;
    let whole = r#"$('.lightbox [data-testid="photo-full"]')"#;
    crm.0
        .until(&format!("{whole}?.naturalWidth === 60 && {whole}.naturalHeight === 40"))
        .await;
    crm.0.click(r#"[data-testid="photo-close"]"#).await;
    crm.0.until("$('.lightbox') === null").await;
    // To look at the first photo it was scrolled up to.
    let end = r#"(() => { const log = $('[data-testid="thread"]'); log.scrollTop = log.scrollHeight; })()"#;
    crm.0.eval(end).await;

    // The business phone has them as one MMS, of pictures that it can show.
    phones.gets(TRUCK, "#1 Ana Souza: Under the sink").await;
    let pictures = async |phone: &str, by: &str| -> Vec<Value> {
        let shows = phones.shows(phone).await;
        let last = shows.iter().rfind(|one| one["by"] == by);
        last.map_or_else(Vec::new, |one| one["media"].as_array().unwrap().clone())
    };
    let start = std::time::Instant::now();
    while pictures(TRUCK, "number").await.len() < 5 {
        assert!(start.elapsed() < PATIENCE, "{:?}", phones.shows(TRUCK).await);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(
        pictures(TRUCK, "number")
            .await
            .iter()
            .all(|one| one["content_type"] == "image/jpeg")
    );

    // Back by MMS: five of the kinds that phones send.
    let media: Vec<_> = [
        ("orientation-3.jpg", "image/jpeg"),
        ("plain.png", "image/png"),
        ("animated.gif", "image/gif"),
        ("a.webp", "image/webp"),
        ("a.gif", "image/gif"),
    ]
    .map(|(name, kind)| {
        let bytes = std::fs::read(files().join(name)).unwrap();
        json!({"content_type": kind, "base64": base64::engine::general_purpose::STANDARD.encode(bytes)})
    })
    .to_vec();
    phones
        .send(TRUCK, json!({"to": NUMBER, "body": "#1 Like this", "media": media}))
        .await;
    photos(&portal, 10).await;
    photos(&crm, 10).await;
    phones.gets(ANA, "Like this").await;
    // What calls itself a picture and is a page is a file that is only ever downloaded.
    let page = json!({"content_type": "image/png", "base64": "PGh0bWw+PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=="});
    phones
        .send(ANA, json!({"to": NUMBER, "body": "look", "media": [page]}))
        .await;
    crm.0.until(r#"$('[data-testid="file"]') !== null"#).await;
    // One that cannot be had says so.
    let without = "(act => { const { client } = $('crewline-inbox'); client.photo = () => Promise.reject(new Error('no')); act(); delete client.photo; })";
    crm.0
        .eval(&format!("{without}(() => $('[data-testid=file]').click())"))
        .await;
    crm.0
        .until("$('[data-testid=file-says]').textContent.includes('could not be downloaded')")
        .await;
    let log = org.log(&hub).await;
    let id = log
        .iter()
        .find_map(|one| one["file"]["id"].as_str())
        .expect("a file")
        .to_owned();
    let served = crate::photos::get(&hub, Some(&ana.token), &format!("/v1/photos/{id}")).await;
    let header = |name: &str| served.headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/octet-stream");
    assert!(header("content-disposition").starts_with("attachment;"));
    assert!(served.bytes.starts_with(b"<html>"));

    // Staff answer with photos: the customer's phone has them, too.
    let photo = uploaded(&hub, &org.staff("sam", "Sam Ortiz").token, "plain.jpg").await;
    let said = json!({"id": "p1", "text": "", "photos": [photo]});
    let path = format!("/v1/threads/{}/messages", ana.thread());
    assert_eq!(
        hub.post(&org.staff("sam", "Sam Ortiz").token, &path, &said)
            .await
            .status,
        201
    );
    photos(&portal, 11).await;
    let start = std::time::Instant::now();
    while pictures(ANA, "number").await.len() != 1 {
        assert!(start.elapsed() < PATIENCE, "{:?}", phones.shows(ANA).await);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    portal.0.reload().await;
    portal.live().await;
    // What is out of view is not fetched before somebody looks.
    let all = r#"$$('[data-testid="photo"]').length"#;
    portal.0.until(&format!("{all} === 11")).await;
    portal.0.eval(r#"$('[data-testid="thread"]').scrollTop = 0"#).await;
    photos(&portal, 11).await;
    portal.picture("photos-portal").await;
    // Nothing is wrong but that upload, which a browser always tells.
    assert!(
        portal.0.errors().iter().all(|error| error.contains("415")),
        "{:?}",
        portal.0.errors()
    );
    crm.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn photos_are_pasted_and_dropped_and_the_sixth_is_refused() {
    let cast = Cast::start().await;
    let ana = cast.portal(&cast.ana).await;
    let sign = r#"$('[data-testid="drop"]').hidden"#;
    assert_eq!(ana.0.eval(sign).await, true);
    assert_eq!(drag(&ana, "dragenter", &["plain.jpg"]).await, true);
    assert_eq!(ana.0.eval(sign).await, false);
    ana.picture("composer-drop").await;
    drag(&ana, "dragleave", &["plain.jpg"]).await;
    assert_eq!(ana.0.eval(sign).await, true);
    drag(&ana, "dragenter", &["plain.jpg"]).await;
    assert_eq!(
        drag(&ana, "drop", &["plain.jpg", "progressive.jpg", "cmyk.jpg"]).await,
        true,
        "the browser does not open it"
    );
    assert_eq!(ana.0.eval(sign).await, true);
    previews(&ana, "uploaded", 3).await;
    assert_eq!(paste(&ana, &["bits16.png"], None).await, true);
    previews(&ana, "uploaded", 4).await;
    // Beside a text the picture is only what the text looks like.
    assert_eq!(paste(&ana, &["bits16.png"], Some("a cell")).await, false);
    previews(&ana, "uploaded", 4).await;
    drag(&ana, "drop", &["plain.jpg", "interlaced.png"]).await;
    previews(&ana, "uploaded", 5).await;
    let refusal = r#"$('[data-testid="photo-refusal"]')"#;
    assert_eq!(ana.0.eval(&format!("{refusal}.dataset.code")).await, "too_many_photos");
    for (width, scheme) in [(1280, "light"), (360, "dark")] {
        ana.0.viewport(width, 740).await;
        ana.0.scheme(scheme).await;
        ana.picture(&format!("composer-photos-{width}-{scheme}")).await;
        let wide = ana.0.eval("document.documentElement.scrollWidth - innerWidth").await;
        assert_eq!(wide, 0, "it scrolls sideways");
    }
    ana.0.click(r#"[data-testid="photo-remove"]"#).await;
    previews(&ana, "uploaded", 4).await;
    assert_eq!(
        ana.0
            .eval("$('[data-testid=\"photo-remove\"]').matches(':focus')")
            .await,
        true,
        "the focus goes to the next one"
    );
    ana.0.click(r#"[data-testid="send"]"#).await;
    ana.0
        .until(r#"$$('[data-testid="message"][data-seq] [data-testid="photo"]').length === 4"#)
        .await;
    ana.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_broke_off_is_tried_again_and_sending_waits_for_it() {
    let cast = Cast::start().await;
    let ana = cast.portal(&cast.ana).await;
    // The network takes no uploads.
    ana.0
        .eval(
            "(() => { const real = XMLHttpRequest.prototype.send; window.mend = () => { XMLHttpRequest.prototype.send = real; }; \
             XMLHttpRequest.prototype.send = function () { setTimeout(() => this.dispatchEvent(new ProgressEvent('error'))); }; })()",
        )
        .await;
    ana.write("Look").await;
    paste(&ana, &["plain.jpg", "progressive.jpg"], None).await;
    previews(&ana, "failed", 2).await;
    ana.0.press("Enter").await;
    let says = r#"$('[data-testid="composer-says"]').textContent"#;
    ana.0.until(&format!("{says}.startsWith('A photo is missing')")).await;
    assert_eq!(ana.written().await, "Look", "nothing is sent without them");
    ana.picture("composer-failed-upload").await;
    // By hand, and by itself when the line is back.
    ana.0.eval("mend()").await;
    ana.0.click(r#"[data-testid="photo-retry"]"#).await;
    previews(&ana, "uploaded", 1).await;
    previews(&ana, "failed", 1).await;
    ana.0
        .eval("(() => { const { client } = document.querySelector('crewline-thread'); client.close(); client.connect(); })()")
        .await;
    previews(&ana, "uploaded", 2).await;

    // An upload that takes long: it is sent when it is there, and not before.
    ana.0
        .eval(
            "(() => { const real = XMLHttpRequest.prototype.send; \
             XMLHttpRequest.prototype.send = function (...body) { window.go = () => real.apply(this, body); }; })()",
        )
        .await;
    paste(&ana, &["cmyk.jpg"], None).await;
    previews(&ana, "uploading", 1).await;
    ana.0.click(r#"[data-testid="send"]"#).await;
    ana.0.until(&format!("{says}.startsWith('It goes as soon')")).await;
    assert_eq!(ana.written().await, "Look");
    ana.0.eval("go()").await;
    ana.has_message("Look").await;
    ana.0
        .until(r#"$$('[data-testid="message"][data-seq] [data-testid="photo"]').length === 3"#)
        .await;
    assert_eq!(ana.written().await, "");
    ana.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_photo_that_could_not_be_fetched_is_shown_when_the_line_is_back() {
    let cast = Cast::start().await;
    let photo = uploaded(&cast.hub, &cast.ana.token, "plain.jpg").await;
    let said = json!({"id": "p1", "text": "Look", "photos": [photo]});
    let path = format!("/v1/threads/{}/messages", cast.ana.thread());
    cast.hub.post(&cast.ana.token, &path, &said).await.ok();
    let ana = Tab(cast.browser.blank().await);
    let broken = "window.broken = true; const real = fetch; window.fetch = (what, ...more) =>
        broken && String(what).includes('/v1/photos/') ? Promise.reject(new TypeError('no network')) : real(what, ...more);";
    ana.0.before_each_document(broken).await;
    ana.0
        .go(&format!("{}/portal#token={}", cast.hub.url, cast.ana.token))
        .await;
    ana.live().await;
    let alt = r#"$('[data-testid="photo"]')?.alt"#;
    ana.0.until(&format!("{alt} === 'This photo cannot be shown'")).await;
    ana.0.eval("broken = false").await;
    ana.0
        .eval("(({ client }) => { client.close(); client.connect(); })(document.querySelector('crewline-thread'))")
        .await;
    photos(&ana, 1).await;
    assert_eq!(ana.0.eval(alt).await, "Photo");
    ana.is_sound().await;
}
