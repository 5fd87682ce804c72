//! What the crew alone sees of texts, in Chromium: outcomes that nobody knows, copies, numbers that no
//! contact has, and what a text costs.

use serde_json::{Value, json};

use crate::support::demo::Demo;
use crate::support::pages::{bubble, row, sms};

/// A phone of the demo that is no contact's.
const STRANGER: &str = "+14155550199";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_of_unknown_outcome_is_sent_again_only_by_somebody_who_was_warned() {
    let demo = Demo::start().await;
    let chen = demo.customer("chen");
    let (portal, sam) = (demo.open(&chen).await, demo.crm_at("sam", &chen).await);
    let text = "We do bathrooms as well";
    // Twilio answers 500 and does not have it: that cannot be told from one that it has.
    let fault = json!({ "kind": "unavailable", "to": chen.phone });
    demo.simulator("POST", "faults", fault).await;
    sam.say(text).await;
    portal.texting(text, "unknown", "It is not known whether").await;
    sam.texting(text, "unknown", "may have failed").await;
    let sign = format!("{}.querySelector('.sign').textContent", sms(text));
    assert_eq!(sam.0.eval(&sign).await, "?");
    sam.flagged_failed(&chen.thread, true).await;

    // The first click only asks, and can be taken back.
    sam.0.click(r#"[data-testid="resend"]"#).await;
    let asks = format!("{}.textContent.includes('this may text it twice')", sms(text));
    assert_eq!(sam.0.eval(&asks).await, true);
    sam.picture("sms-unknown-asks").await;
    sam.0.click(r#"[data-testid="resend-not"]"#).await;
    sam.0.click(r#"[data-testid="resend"]"#).await;
    let got = demo.got(&chen.phone).await;
    assert!(got.iter().all(|message| message["text"] != text), "{got:?}");
    sam.0.click(r#"[data-testid="resend-sure"]"#).await;
    demo.gets(&chen.phone, text, "").await;
    for tab in [&portal, &sam] {
        tab.texting(text, "delivered", "Texted to").await;
    }
    sam.flagged_failed(&chen.thread, false).await;
    portal.is_sound().await;
    sam.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_failed_and_a_number_that_nobody_knows_are_shown_to_the_team() {
    let demo = Demo::start().await;
    let ana = demo.customer("ana");
    let (portal, sam) = (demo.open(&ana).await, demo.crm_at("sam", &ana).await);
    let copy = |text: &str| format!(r#"{}?.querySelector('[data-testid="copy"]')"#, bubble(text));

    // A copy that did not arrive is a small line on the customer's message; one that did says nothing.
    demo.switch(demo.truck(), "blocked").await;
    portal.say("Is anybody there?").await;
    let lost = copy("Is anybody there?");
    let words = format!("No copy to {}: Recipient or carrier blocks this message.", demo.truck());
    let words = format!("{lost}?.textContent.includes({})", json!(words));
    sam.0
        .until(&format!("{lost}?.dataset.state === 'failed' && {words}"))
        .await;
    demo.switch(demo.truck(), "normal").await;
    portal.say("Hello?").await;
    demo.gets(demo.truck(), "#", "Hello?").await;
    sam.has_message("Hello?").await;
    assert_eq!(sam.0.eval(&format!("{} ?? null", copy("Hello?"))).await, Value::Null);

    // A picture from a number that no contact has.
    let picture = json!({
        "to": demo.number(),
        "media": [{ "content_type": "image/png", "base64": "iVBORw0KGgo=" }],
    });
    demo.simulator("POST", &format!("phones/{STRANGER}/texts"), picture)
        .await;
    let theirs = format!(
        "[...$$('[data-testid=\"thread-row\"]')]
             .find(row => row.querySelector('.name').textContent === '{STRANGER}')"
    );
    sam.0
        .until(&format!(
            r#"{theirs}?.querySelector('[data-testid="unknown"]').hidden === false"#
        ))
        .await;
    let hers = format!(r#"$('{} [data-testid="unknown"]').hidden"#, row(&ana.thread));
    assert_eq!(sam.0.eval(&hers).await, true, "Ana is known");
    let thread = sam.0.eval(&format!("{theirs}.dataset.thread")).await;
    sam.0.click(&row(thread.as_str().unwrap())).await;
    sam.0
        .until(r#"$('[data-testid="file"]')?.textContent === 'Download a file (1 KB)'"#)
        .await;
    assert_eq!(sam.0.eval("$('[data-testid=contact-unknown]').hidden").await, false);
    sam.picture("sms-unknown-number").await;

    let page = portal.0.eval("document.documentElement.outerHTML").await;
    assert!(
        !page.as_str().unwrap().contains(&demo.truck()[2..]),
        "a business phone is the team's"
    );
    portal.is_sound().await;
    sam.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_composer_tells_what_is_recorded_and_all_of_it_fits_a_phone() {
    let demo = Demo::start().await;
    let ana = demo.customer("ana");
    demo.switch(demo.truck(), "blocked").await;
    demo.switch(&ana.phone, "landline").await;
    let (portal, sam) = (demo.open(&ana).await, demo.crm_at("sam", &ana).await);
    portal.say("Where are you?").await;
    sam.has_message("Where are you?").await;
    sam.say("On our way").await;
    sam.texting("On our way", "failed", "30006").await;
    portal.texting("On our way", "failed", "Not delivered").await;
    demo.text(&ana.phone, "STOP").await;
    let banner = r#"!$('[data-testid="texts-off"]').hidden"#;
    for tab in [&portal, &sam] {
        tab.0.until(banner).await;
    }
    sam.say("Can you read this here?").await;
    portal
        .texting("Can you read this here?", "not_texted", "Not texted")
        .await;
    demo.text(demo.truck(), "#99 five minutes").await;
    let kept = r#"!$('crewline-unrouted').hidden"#;
    sam.0.until(kept).await;

    for (tab, name) in [(&portal, "portal"), (&sam, "crm")] {
        for scheme in ["light", "dark"] {
            tab.0.scheme(scheme).await;
            tab.0.viewport(1280, 800).await;
            tab.picture(&format!("sms-{name}-desk-{scheme}")).await;
            tab.0.viewport(360, 640).await;
            tab.picture(&format!("sms-{name}-phone-{scheme}")).await;
            let wide = tab.0.eval("document.documentElement.scrollWidth - innerWidth").await;
            assert_eq!(wide, 0, "{name} scrolls sideways");
        }
    }
    sam.0.click(r#"[data-testid="back"]"#).await;
    sam.0.click(r#"[data-testid="unrouted-summary"]"#).await;
    sam.picture("sms-inbox-phone-dark").await;
    let wide = sam.0.eval("document.documentElement.scrollWidth - innerWidth").await;
    assert_eq!(wide, 0, "the inbox scrolls sideways");

    demo.text(&ana.phone, "START").await;
    sam.0.click(&row(&ana.thread)).await;
    sam.0.until(&format!("!({banner})")).await;
    let text = format!("{}\u{1f527}", "We bring a new tap. ".repeat(6));
    sam.0.click(r#"[data-testid="composer"]"#).await;
    sam.0.type_text(&text).await;
    sam.0
        .until(r#"$('[data-testid="segments"]').textContent === '2 texts (UCS-2)'"#)
        .await;
    sam.picture("sms-segments-phone-dark").await;
    sam.0.click(r#"[data-testid="send"]"#).await;
    sam.has_message(&text).await;
    let messages = format!("/v1/threads/{}/messages", ana.thread);
    let service = demo.hub.demo["service_token"].as_str().unwrap();
    let page = demo.hub.get(service, &messages).await.ok();
    let mut records = page["records"].as_array().unwrap().iter();
    let record = records.find(|record| record["text"] == text).expect("the message");
    assert_eq!(record["texts"][0]["segments"], 2);
    assert_eq!(record["texts"][0]["encoding"], "UCS-2");
    portal.is_sound().await;
    sam.is_sound().await;
}
