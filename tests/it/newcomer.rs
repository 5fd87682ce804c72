//! Six things that people want from the pages, done as somebody does them who was told nothing: by what
//! controls are and are called, and by what is to be read.

use std::time::Duration;

use serde_json::json;

use crate::photos::files;
use crate::support::Claims;
use crate::support::demo::{Demo, Somebody};
use crate::support::newcomer::Newcomer;

const ORG: &str = "bright-plumbing";
const STRANGER: &str = "+14155550199";

async fn sits_at(demo: &Demo, page: &str) -> Newcomer {
    let page = demo.browser.open(page).await;
    page.intercept_file_choosers().await;
    page.viewport(1280, 800).await;
    Newcomer(page)
}

/// Waits when the hub asks for it, as every client should: a person has a rate.
async fn says(demo: &Demo, who: &str, thread: &str, id: &str, text: &str) {
    let path = format!("/v1/threads/{thread}/messages");
    loop {
        let answer = demo.hub.post(who, &path, &json!({"id": id, "text": text})).await;
        if answer.status != 429 {
            answer.ok();
            return;
        }
        let wait = answer.header("retry-after").expect("a 429 says how long").parse();
        tokio::time::sleep(Duration::from_secs(wait.expect("in seconds"))).await;
    }
}

fn token(customer: &Somebody) -> &str {
    customer.page.split_once("#token=").expect("a link with a token").1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_sends_a_photo() {
    let demo = Demo::start().await;
    let ana = sits_at(&demo, &demo.customer("ana").page).await;
    let sam = sits_at(&demo, &demo.staff("sam").page).await;
    ana.click("button", "photo").await;
    ana.chooses(&files().join("plain.jpg")).await;
    ana.write("textbox", "message", "It drips from here").await;
    ana.click("button", "send").await;
    ana.reads("It drips from here").await;
    sam.click("button", "Ana Souza").await;
    sam.reads("It drips from here").await;
    for page in [&ana, &sam] {
        page.meets("image", "photo").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_office_answers() {
    let demo = Demo::start().await;
    let sam = sits_at(&demo, &demo.staff("sam").page).await;
    let chen = sits_at(&demo, &demo.customer("chen").page).await;
    sam.click("button", "Chen Wei").await;
    sam.reads("Do you also do bathroom renovations?").await;
    sam.write("textbox", "message", "We do. Shall we have a look on Monday?")
        .await;
    sam.press("Enter").await;
    sam.reads("We do. Shall we have a look on Monday?").await;
    chen.reads("We do. Shall we have a look on Monday?").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_office_finds_what_was_said_long_ago() {
    let demo = Demo::start().await;
    let bob = demo.customer("bob");
    says(
        &demo,
        token(&bob),
        &bob.thread,
        "old",
        "The serial number of the boiler is BX-2041-K",
    )
    .await;
    for n in 0..300 {
        says(
            &demo,
            token(&bob),
            &bob.thread,
            &format!("since-{n}"),
            &format!("And then, number {n}"),
        )
        .await;
    }
    let sam = sits_at(&demo, &demo.staff("sam").page).await;
    sam.write("searchbox", "search", "serial number boiler").await;
    sam.reads("BX-2041-K").await;
    sam.click("button", "BX-2041-K").await;
    // It stands in the conversation, among what was said then.
    sam.reads("And then, number 0").await;
    sam.reads("The serial number of the boiler is BX-2041-K").await;
    sam.meets("textbox", "message").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_sees_why_a_text_failed() {
    let demo = Demo::start().await;
    let customer = demo.customer("ana");
    demo.switch(&customer.phone, "landline").await;
    let ana = sits_at(&demo, &customer.page).await;
    let sam = Claims::staff(ORG, "sam", "Sam Ortiz").mint();
    says(&demo, &sam, &customer.thread, "tomorrow", "Tomorrow at nine?").await;
    ana.reads("Tomorrow at nine?").await;
    ana.reads("Not delivered: this number cannot get texts").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contractor_answers_by_sms() {
    let demo = Demo::start().await;
    let ana = sits_at(&demo, &demo.customer("ana").page).await;
    let crew = sits_at(&demo, &format!("{}/phones", demo.hub.url)).await;
    ana.write("textbox", "message", "The water runs down the wall").await;
    ana.press("Enter").await;
    crew.reads("Ana Souza: The water runs down the wall").await;
    // How to answer her stands before her name.
    let copy = demo
        .gets(demo.truck(), "#", "Ana Souza: The water runs down the wall")
        .await;
    let tag = copy["text"].as_str().unwrap().split(' ').next().unwrap();
    crew.write_in("Sam's truck", "textbox", "message", &format!("{tag} on my way"))
        .await;
    crew.click_in("Sam's truck", "button", "send").await;
    ana.reads("on my way").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_office_says_whose_an_unknown_number_is() {
    let demo = Demo::start().await;
    demo.text(STRANGER, "It is Bob, from my wife's phone. Is Friday still fine?")
        .await;
    let sam = sits_at(&demo, &demo.staff("sam").page).await;
    sam.click("button", "is Friday still fine").await;
    sam.click("button", "attach").await;
    sam.write("combobox", "contact", "Bob").await;
    sam.click("option", "Bob Miller").await;
    sam.click("checkbox", "theirs").await;
    sam.click("button", "attach").await;
    // What was said goes on with Bob.
    sam.meets("heading", "Bob Miller").await;
    sam.reads("It is Bob, from my wife's phone. Is Friday still fine?")
        .await;
    sam.reads("All well with the new heater, Bob?").await;
}
