//! What the inbox says of the line, of time that passes and of the customer: true while it is looked at.

use serde_json::{Value, json};

use crate::inbox_browser::{say, text_of};
use crate::support::demo::Demo;
use crate::support::pages::{Cast, Tab, row};

/// JavaScript: what is said of the line, where it can be seen.
const LINE: &str = "$$('[data-testid=state]').filter((line) => line.checkVisibility()).map((line) => line.textContent).filter(Boolean).join()";

/// `later(minutes)`: the page's clock goes on, and what it does now and then is done.
const CLOCK: &str = "
    window.ticks = [];
    const set = window.setInterval;
    window.setInterval = (act, ...given) => { ticks.push(act); return set(act, ...given); };
    window.later = (minutes) => {
        const { now } = Date;
        Date.now = () => now() + minutes * 60_000;
        for (const tick of ticks) tick();
    };
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_conversation_on_a_phone_says_how_the_line_is_and_why_nothing_can_be_written() {
    let mut cast = Cast::start().await;
    say(&cast.hub, &cast.ana, "Hello").await;
    let sam = cast.crm("sam", "Sam Ortiz").await;
    sam.0.click(&row(cast.ana.thread())).await;
    sam.shows(&["Hello"]).await;
    sam.0.viewport(360, 720).await;
    cast.hub.kill9();
    let says = async |words: &str| sam.0.until(&format!("{LINE} === {}", json!(words))).await;
    says("Offline – trying to reconnect").await;
    sam.say("On our way").await;
    says("Offline – your message will go when you are back").await;
    sam.picture("inbox-phone-offline").await;
    // Where list and conversation are both in view it is told once.
    sam.0.viewport(1280, 800).await;
    says("Offline – your message will go when you are back").await;
    sam.0.viewport(360, 720).await;
    cast.hub.restart().await;
    says("").await;
    sam.has_message("On our way").await;

    cast.hub
        .post(&cast.org.service, "/v1/revocations", &json!({"sub": "sam"}))
        .await
        .ok();
    says("You are signed out. Please open your link again.").await;
    assert_eq!(sam.0.eval("$('[data-testid=composer]').disabled").await, true);
    sam.picture("inbox-phone-signed-out").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contacts_panel_says_nothing_that_is_not_so() {
    let demo = Demo::start().await;
    let (ana, bob) = (demo.customer("ana"), demo.customer("bob"));
    let sam = demo.open(&demo.staff("sam")).await;
    sam.0.before_each_document(CLOCK).await;
    sam.0.viewport(1440, 900).await;
    sam.0.reload().await;
    sam.live().await;
    let hers = demo.open(&ana).await;
    hers.say("When do you come?").await;
    sam.0.click(&row(&ana.thread)).await;
    text_of(&sam, "panel-texts", "Texts are on").await;

    // What did not change is left alone, whatever else is told.
    sam.0
        .eval("(window.number = $('[data-testid=panel-phone] a')).focus()")
        .await;
    text_of(&sam, "presence", "online").await;
    hers.write("Or").await;
    text_of(&sam, "typing", "Ana Souza is typing…").await;
    hers.0.go("about:blank#").await;
    text_of(&sam, "presence", "offline").await;
    let focused = "$('crewline-inbox').shadowRoot.activeElement === number";
    assert_eq!(sam.0.eval(focused).await, true, "the number is another element");

    // Time passes though nothing happens.
    sam.0.eval("later(5)").await;
    let waits = format!("$('{} [data-testid=flag-waiting]').textContent", row(&ana.thread));
    sam.0.until(&format!("{waits} === 'Waiting 5 min'")).await;
    sam.0
        .until("$('[data-testid=panel-waiting]').textContent.startsWith('5 min, since ')")
        .await;

    // Nobody answers: then nothing is known of him.
    sam.0
        .eval("$('crewline-inbox').client.thread = () => Promise.reject(new Error('Nobody answers'))")
        .await;
    sam.0.click(&row(&bob.thread)).await;
    text_of(&sam, "panel-name", &bob.name).await;
    let told = "['texts', 'tag', 'handler', 'read', 'customer-read'].filter((what) => $(`[data-testid=panel-${what}]`).checkVisibility())";
    assert_eq!(sam.0.eval(told).await, json!([]), "it was said of Ana");
    text_of(&sam, "panel-phone", &bob.phone).await;
    sam.picture("inbox-panel-unknown").await;
    // Of whom not even the name is known there is no heading without words.
    sam.0.eval("$('crewline-inbox').selected = 'elsewhere'").await;
    sam.0.until("$('[data-testid=panel-name]').textContent === ''").await;
    let heading = "$('[data-testid=panel-name]').checkVisibility()";
    assert_eq!(sam.0.eval(heading).await, false);
    sam.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_customer_is_seen_to_come_write_and_go_and_the_phones_stop_is_told() {
    let demo = Demo::start().await;
    let ana = demo.customer("ana");
    let sam = demo.crm_at("sam", &ana).await;
    text_of(&sam, "presence", "offline").await;
    let in_row = |what: &str| format!("$('{} {what}')", row(&ana.thread));
    let here = format!("{}.checkVisibility()", in_row(".dot"));
    assert_eq!(sam.0.eval(&here).await, false);
    let hers = demo.open(&ana).await;
    text_of(&sam, "presence", "online").await;
    sam.0.until(&here).await;
    hers.write("The leak").await;
    let words = format!("{}.textContent", in_row("[data-testid=row-text]"));
    sam.0.until(&format!("{words} === 'is writing…'")).await;
    text_of(&sam, "typing", "Ana Souza is typing…").await;
    sam.picture("inbox-writing").await;
    hers.0.press("Enter").await;
    sam.0.until(&format!("{words} === 'The leak'")).await;
    text_of(&sam, "typing", "").await;
    hers.0.go("about:blank#").await;
    text_of(&sam, "presence", "offline").await;
    sam.0.until(&format!("!({here})")).await;

    let notice = "$('crewline-line-notice')";
    assert_eq!(sam.0.eval(&format!("{notice}.hidden")).await, true);
    for (word, told) in [("STOP", true), ("START", false), ("STOP", true)] {
        demo.text(demo.truck(), word).await;
        let says = format!(
            "!{notice}.hidden && {notice}.textContent.startsWith('No copies go to {}: ')",
            demo.truck()
        );
        sam.0.until(&format!("({says}) === {told}")).await;
    }
    sam.0.reload().await;
    sam.0.until(&format!("!{notice}.hidden")).await;
    sam.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_or_a_page_of_ones_own_leads_to_a_conversation_and_keys_open_the_contact() {
    let cast = Cast::start().await;
    let thread = cast.ana.thread();
    let wire = cast.ana.join(&cast.hub).await;
    for n in 0..120 {
        wire.say(thread, &format!("Story {n}")).await;
    }
    let bob = cast.org.customer(&cast.hub, "bob", "Bob Hale").await;
    say(&cast.hub, &bob, "And me").await;
    let token = cast.org.staff("sam", "Sam Ortiz").token;
    let page = format!("{}/crm#token={token}&thread={thread}", cast.hub.url);
    let sam = Tab(cast.browser.open(&page).await);
    sam.live().await;
    text_of(&sam, "contact", "Ana Souza").await;
    assert_eq!(sam.0.eval("location.hash").await, format!("#thread={thread}"));
    sam.0.eval(&format!("location.hash = 'thread={}'", bob.thread())).await;
    sam.shows(&["And me"]).await;
    sam.0.reload().await;
    sam.shows(&["And me"]).await;

    // What embeds it leads to a record.
    let log = cast.org.log(&cast.hub).await;
    let told = log
        .iter()
        .find(|record| record["text"] == "Story 7")
        .expect("it is in the log");
    sam.0
        .eval(&format!("$('crewline-inbox').reveal('{thread}', {})", told["rev"]))
        .await;
    let sought = "$('.sought')";
    sam.0
        .until(&format!(
            "{sought}?.querySelector('[data-testid=text]').textContent === 'Story 7'"
        ))
        .await;
    let in_view = format!("(r => r.top >= 0 && r.bottom <= innerHeight)({sought}.getBoundingClientRect())");
    sam.0.until(&in_view).await;

    sam.0.viewport(1440, 900).await;
    let panel = "$('[data-testid=contact-panel]').open";
    sam.0.until(panel).await;
    for open in [false, true] {
        sam.0.press("i").await;
        sam.0.until(&format!("{panel} === {open}")).await;
    }
    // Where those keys write other letters they do the same.
    let press = |key: &str, code: &str| {
        format!(
            "document.body.dispatchEvent(new KeyboardEvent('keydown', {{ key: '{key}', code: '{code}', bubbles: true, cancelable: true }}))"
        )
    };
    sam.0.eval("$('crewline-inbox').shadowRoot.activeElement.blur()").await;
    sam.0.eval(&press("ш", "KeyI")).await;
    sam.0.until(&format!("!{panel}")).await;
    // But a letter of the own alphabet means itself, wherever it is.
    sam.0.eval(&press("c", "KeyI")).await;
    sam.0.until("$('[data-testid=new-dialog]').open").await;
    assert_eq!(sam.0.eval(panel).await, false);
    sam.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_soft_sound_is_heard_by_those_who_asked_for_it_and_costs_the_others_nothing() {
    let cast = Cast::start().await;
    say(&cast.hub, &cast.ana, "Hello").await;
    let sam = cast.crm("sam", "Sam Ortiz").await;
    sam.0
        .before_each_document(
            "window.sounds = []; window.contexts = [];
             const Real = AudioContext;
             window.AudioContext = class extends Real {
               constructor() { super(); contexts.push(this); }
               createOscillator() { sounds.push(this.state); return super.createOscillator(); }
             };",
        )
        .await;
    sam.0.reload().await;
    sam.live().await;
    sam.0.click("[data-testid=bell]").await;
    assert_eq!(sam.0.eval("contexts.length").await, 0, "nobody wants to hear anything");
    sam.0.click("[data-testid=bell-sound]").await;
    let rests = "contexts.length === 1 && contexts[0].state === 'suspended'";
    sam.0.until(&format!("sounds.length === 2 && {rests}")).await;
    sam.0.press("Escape").await;

    // In another tab, later: the first click or key there allows it.
    sam.0.reload().await;
    sam.live().await;
    sam.0.click("[data-testid=filter-all]").await;
    sam.0.until(rests).await;
    sam.0.focus(false).await;
    say(&cast.hub, &cast.ana, "The leak is back").await;
    sam.0
        .until(&format!("sounds.join() === 'running,running' && {rests}"))
        .await;
    // While somebody looks there is nothing to be heard.
    sam.0.focus(true).await;
    say(&cast.hub, &cast.ana, "Please hurry").await;
    sam.0
        .until("$('[data-testid=row-text]').textContent === 'Please hurry'")
        .await;
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    assert_eq!(sam.0.eval("sounds.length").await, Value::from(2));
    sam.is_sound().await;
}
