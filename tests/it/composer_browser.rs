//! The composer in a real browser: it loses nothing, sends once, and takes photos however they come.

use serde_json::json;

use crate::support::Person;
use crate::support::pages::{Cast, Tab, row};
use crate::support::pictures::{paste, previews};

const TEXT: &str = r#"$('[data-testid="composer"]').value"#;
const HELD: &str = r#"!$('[data-testid="held"]').hidden"#;
const LOG: &str = r#"$('[data-testid="thread"]')"#;

/// For elements that are there already, which look at their attributes when they are opened.
async fn undo_seconds(tab: &Tab, seconds: u32) {
    let script = format!(
        "(() => {{ const one = document.querySelector('crewline-thread'); const {{ token }} = one; \
         one.setAttribute('undo-seconds', '{seconds}'); one.token = null; one.token = token; }})()"
    );
    tab.0.eval(&script).await;
    tab.live().await;
}

/// What the org's log says was said.
async fn said(cast: &Cast) -> Vec<String> {
    let log = cast.org.log(&cast.hub).await;
    let texts = log.iter().filter_map(|record| record["text"].as_str());
    texts.map(str::to_owned).collect()
}

async fn bob(cast: &Cast) -> Person {
    cast.org
        .customer_with(&cast.hub, "bob", json!({"name": "Bob Miller"}))
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_begun_is_there_after_a_reload_and_nobody_else_sees_it() {
    let cast = Cast::start().await;
    let bob = bob(&cast).await;
    let ana = cast.portal(&cast.ana).await;
    ana.write("It drips agai").await;
    paste(&ana, &["plain.jpg"], None).await;
    previews(&ana, "uploaded", 1).await;
    ana.0.reload().await;
    ana.live().await;
    assert_eq!(ana.written().await, "It drips agai");
    previews(&ana, "uploaded", 1).await;
    ana.0
        .until(r#"$('[data-testid="photo-preview"] img').naturalWidth > 0"#)
        .await;

    // Another person in the same browser, with a link of their own or in the same element.
    let token = |person: &Person| {
        format!(
            "document.querySelector('crewline-thread').token = {}",
            json!(person.token)
        )
    };
    ana.0.eval(&token(&bob)).await;
    ana.0.until(&format!("{TEXT} === ''")).await;
    previews(&ana, "uploaded", 0).await;
    ana.write("Bob's own").await;
    ana.0.eval(&token(&cast.ana)).await;
    ana.0.until(&format!("{TEXT} === 'It drips agai'")).await;
    ana.0.go(&format!("{}/portal#token={}", cast.hub.url, bob.token)).await;
    ana.0.until(&format!("{TEXT} === \"Bob's own\"")).await;
    ana.0
        .go(&format!("{}/portal#token={}", cast.hub.url, cast.ana.token))
        .await;
    ana.0.until(&format!("{TEXT} === 'It drips agai'")).await;
    ana.live().await;

    // It is sent whole, and then forgotten.
    ana.write("n").await;
    ana.0.press("Enter").await;
    ana.has_message("It drips again").await;
    ana.0
        .until(r#"$$('[data-testid="message"] [data-testid="photo"]').length === 1"#)
        .await;
    ana.0.reload().await;
    ana.live().await;
    assert_eq!(ana.written().await, "");
    previews(&ana, "uploaded", 0).await;
    ana.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_stays_in_its_thread_and_a_note_stays_a_note() {
    let cast = Cast::start().await;
    let (ana, bob) = (cast.ana.thread().to_owned(), bob(&cast).await);
    for person in [&cast.ana, &bob] {
        person.join(&cast.hub).await.say(person.thread(), "Hello").await;
    }
    let sam = cast.crm("sam", "Sam Ortiz").await;
    let note = r#"$('[data-testid="note-toggle"]').checked"#;
    sam.0.click(&row(&ana)).await;
    sam.write("Bring the ladder").await;
    // Alt+N, and what was written stays.
    sam.0
        .eval(
            r#"$('[data-testid="composer"]').dispatchEvent(
                new KeyboardEvent('keydown', { key: 'n', code: 'KeyN', altKey: true, bubbles: true, cancelable: true }))"#,
        )
        .await;
    sam.0.until(note).await;
    assert_eq!(sam.written().await, "Bring the ladder");
    sam.picture("composer-note").await;

    // The next conversation begins as a message; the note waits where it was begun.
    sam.0.click(&row(bob.thread())).await;
    sam.0.until(&format!("{TEXT} === '' && !{note}")).await;
    sam.write("For Bob").await;
    // An upload that ends elsewhere belongs to where it was begun.
    paste(&sam, &["plain.jpg"], None).await;
    sam.0.click(&row(&ana)).await;
    sam.0.until(&format!("{TEXT} === 'Bring the ladder' && {note}")).await;
    previews(&sam, "uploaded", 0).await;
    let kept =
        r#"Object.keys(localStorage).filter((key) => JSON.parse(localStorage[key]).photos?.length === 1).length"#;
    sam.0.until(&format!("{kept} === 1")).await;
    sam.0.reload().await;
    sam.live().await;
    sam.0.until(&format!("{TEXT} === 'Bring the ladder' && {note}")).await;
    sam.0.click(r#"[data-testid="composer"]"#).await;
    sam.0.press("Enter").await;
    sam.shows(&["Hello", "Bring the ladder"]).await;
    let notes = r#"$$('[data-testid="note"]').length"#;
    sam.0.until(&format!("{notes} === 1")).await;
    // The next one is a note as well, until it is switched back.
    assert_eq!(sam.0.eval(note).await, true);
    // It has arrived, and the list is in its new order.
    let first = format!("$('[data-testid=thread-row]').matches({})", json!(row(&ana)));
    sam.0.until(&first).await;
    sam.0.click(&row(bob.thread())).await;
    sam.0.until(&format!("{TEXT} === 'For Bob' && !{note}")).await;
    previews(&sam, "uploaded", 1).await;

    // Escape leaves the text alone, and leads to the messages.
    sam.0.click(r#"[data-testid="composer"]"#).await;
    sam.0.press("Escape").await;
    assert_eq!(sam.0.eval(&format!("{LOG}.matches(':focus')")).await, true);
    assert_eq!(sam.written().await, "For Bob");
    sam.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sent_can_be_taken_back_and_otherwise_goes_once() {
    let cast = Cast::start().await;
    let ana = cast.portal(&cast.ana).await;
    undo_seconds(&ana, 30).await;
    paste(&ana, &["plain.jpg"], None).await;
    previews(&ana, "uploaded", 1).await;
    ana.say("Come at nine").await;
    ana.0.until(HELD).await;
    ana.receipt("Come at nine", "Not sent yet").await;
    ana.0
        .until(r#"/^Sending in \d+ s·Undo$/.test($('[data-testid="held"]').textContent)"#)
        .await;
    ana.picture("composer-undo").await;
    ana.write("or later").await;
    ana.0.click(r#"[data-testid="undo"]"#).await;
    ana.0
        .until(&format!("{TEXT} === 'Come at nine\\nor later' && !({HELD})"))
        .await;
    previews(&ana, "uploaded", 1).await;
    ana.shows(&[]).await;
    assert_eq!(said(&cast).await, Vec::<String>::new());

    // Escape does the same.
    ana.0.press("Enter").await;
    ana.0.until(HELD).await;
    ana.0.press("Escape").await;
    ana.0.until(&format!("{TEXT} === 'Come at nine\\nor later'")).await;

    // The next one lets it go; the one that was last goes when the page is left.
    ana.0.press("Enter").await;
    ana.0.until(HELD).await;
    ana.say("Thank you").await;
    ana.has_message("Come at nine\nor later").await;
    ana.receipt("Thank you", "Not sent yet").await;
    ana.0.reload().await;
    ana.live().await;
    ana.has_message("Thank you").await;
    assert_eq!(said(&cast).await, ["Come at nine\nor later", "Thank you"]);
    ana.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_do_what_hands_expect_and_nothing_is_lost_when_it_is_refused() {
    let cast = Cast::start().await;
    let ana = cast.portal(&cast.ana).await;
    let says = r#"$('[data-testid="composer-says"]').textContent"#;
    ana.write("one").await;
    ana.0.press("Shift+Enter").await;
    ana.0.type_text("two").await;
    assert_eq!(ana.written().await, "one\ntwo");
    ana.0.press("Enter").await;
    ana.has_message("one\ntwo").await;

    // It grows to a bound, and the end of the conversation stays in view.
    let height = r#"$('[data-testid="composer"]').clientHeight"#;
    let small = ana.0.eval(height).await.as_f64().unwrap();
    ana.write(&"line\n".repeat(6)).await;
    let grown = ana.0.eval(height).await.as_f64().unwrap();
    assert!(grown > 4.0 * small, "{small} and {grown}");
    ana.0.type_text(&"line\n".repeat(60)).await;
    assert_eq!(
        ana.0.eval(&format!("{height} < innerHeight / 2")).await,
        true,
        "it stays within its bound"
    );
    ana.0
        .until(&format!(
            "{LOG}.scrollHeight - {LOG}.scrollTop - {LOG}.clientHeight < 2"
        ))
        .await;

    // Too long: it says so, and stays.
    let fill = |length: usize| {
        format!(
            "(() => {{ const field = $('[data-testid=\"composer\"]'); field.value = 'x'.repeat({length}); \
             field.dispatchEvent(new Event('input')); }})()"
        )
    };
    ana.0.eval(&fill(3_900)).await;
    ana.0.until(&format!("{says} === '100 characters left'")).await;
    ana.0.eval(&fill(4_001)).await;
    ana.0.press("Enter").await;
    ana.0.until(&format!("{says} === '1 characters too many'")).await;
    assert_eq!(ana.written().await.as_str().unwrap().len(), 4_001);

    // Not taken: the queue is full.
    ana.0.eval(&fill(5)).await;
    ana.0
        .eval("(() => { const { client } = document.querySelector('crewline-thread'); client.send = () => { throw new Error('500 messages wait'); }; })()")
        .await;
    ana.0.press("Enter").await;
    ana.0.until(&format!("{says} === 'Not sent: 500 messages wait.'")).await;
    assert_eq!(ana.written().await, "xxxxx");
    ana.0
        .eval("delete document.querySelector('crewline-thread').client.send")
        .await;

    // Refused by the server, then edited while something else was begun.
    let refused = "bell \u{7}";
    ana.0
        .eval(&format!(
            "(() => {{ const field = $('[data-testid=\"composer\"]'); field.value = {}; field.dispatchEvent(new Event('input')); }})()",
            json!(refused)
        ))
        .await;
    ana.0.press("Enter").await;
    ana.0.until(r#"$('[data-testid="edit"]')"#).await;
    ana.write("Meanwhile").await;
    ana.0.click(r#"[data-testid="edit"]"#).await;
    ana.0
        .until(&format!("{TEXT} === {}", json!(format!("{refused}\nMeanwhile"))))
        .await;

    // Where fingers type, Enter makes a line and the button sends.
    ana.0.touch().await;
    ana.0.reload().await;
    ana.live().await;
    ana.0.eval(&fill(0)).await;
    ana.write("with").await;
    ana.0.press("Enter").await;
    ana.0.type_text("fingers").await;
    assert_eq!(ana.written().await, "with\nfingers");
    ana.0.click(r#"[data-testid="send"]"#).await;
    ana.has_message("with\nfingers").await;
    ana.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_offline_waits_through_a_reload_and_goes_once() {
    let cast = Cast::start().await;
    let ana = cast.portal(&cast.ana).await;
    ana.0.offline(true).await;
    ana.0
        .until(r#"$('[data-testid="state"]').dataset.state === 'offline'"#)
        .await;
    ana.say("From the basement").await;
    ana.receipt("From the basement", "Waiting to be sent").await;
    // A page that is loaded again before anything could go.
    ana.0.eval("WebSocket.prototype.send = function () {}").await;
    ana.0.offline(false).await;
    ana.0.reload().await;
    ana.live().await;
    ana.has_message("From the basement").await;
    ana.0.reload().await;
    ana.live().await;
    ana.has_message("From the basement").await;
    assert_eq!(said(&cast).await, ["From the basement"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sent_before_its_photos_were_there_goes_from_wherever_its_writer_is_by_then() {
    let cast = Cast::start().await;
    let (ana, bob) = (cast.ana.thread().to_owned(), bob(&cast).await);
    for person in [&cast.ana, &bob] {
        person.join(&cast.hub).await.say(person.thread(), "Hello").await;
    }
    let sam = cast.crm("sam", "Sam Ortiz").await;
    // Uploads take until they are let go.
    sam.0
        .eval(
            "(() => { const real = XMLHttpRequest.prototype.send; window.uploads = []; \
             XMLHttpRequest.prototype.send = function (...body) { uploads.push(() => real.apply(this, body)); }; })()",
        )
        .await;
    let says = r#"$('[data-testid="composer-says"]').textContent"#;
    let waits = format!("{says}.startsWith('It goes as soon')");
    let sent_to = async |thread: &str, text: &str| {
        sam.0.click(&row(thread)).await;
        sam.shows(&["Hello"]).await;
        sam.write(text).await;
        paste(&sam, &["plain.jpg", "cmyk.jpg"], None).await;
        previews(&sam, "uploading", 2).await;
        sam.0.press("Enter").await;
        sam.0.until(&waits).await;
    };
    sent_to(&ana, "For Ana").await;
    sent_to(bob.thread(), "For Bob").await;
    // Whoever comes back finds it waiting; whoever writes on wants it to wait no more.
    sam.0.click(&row(&ana)).await;
    sam.0.until(&format!("{TEXT} === 'For Ana' && {waits}")).await;
    sam.0.click(&row(bob.thread())).await;
    sam.0.until(&format!("{TEXT} === 'For Bob' && {waits}")).await;
    sam.0.click(r#"[data-testid="composer"]"#).await;
    sam.0.type_text("!").await;
    sam.0.until(&format!("!({waits})")).await;
    sam.0.press("Escape").await;
    sam.0.press("u").await;
    sam.0.eval("uploads.shift()()").await;
    let photos = r#"Object.keys(localStorage).map((key) => JSON.parse(localStorage[key]).photos?.length ?? 0).join()"#;
    sam.0.until(&format!("{photos} === '1,0' || {photos} === '0,1'")).await;
    assert_eq!(said(&cast).await, ["Hello", "Hello"]);
    for _ in 0..3 {
        sam.0.eval("uploads.shift()()").await;
    }
    sam.0.click(&row(&ana)).await;
    sam.shows(&["Hello", "For Ana"]).await;
    sam.0
        .until(r#"$$('[data-testid="message"][data-seq] [data-testid="photo"]').length === 2"#)
        .await;
    assert_eq!(sam.written().await, "");
    sam.0.click(&row(bob.thread())).await;
    sam.shows(&["Hello"]).await;
    assert_eq!(sam.written().await, "For Bob!");
    previews(&sam, "uploaded", 2).await;
    assert_eq!(said(&cast).await, ["Hello", "Hello", "For Ana"]);
    sam.is_sound().await;
}
