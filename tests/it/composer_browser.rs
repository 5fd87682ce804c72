//! The composer in a real browser: it loses nothing, sends once, and takes photos however they come.

use serde_json::{Value, json};

use crate::photos::files;
use crate::support::Person;
use crate::support::pages::{Cast, Tab, row};

const TEXT: &str = r#"$('[data-testid="composer"]').value"#;
const HELD: &str = r#"!$('[data-testid="held"]').hidden"#;
const LOG: &str = r#"$('[data-testid="thread"]')"#;

/// JavaScript: a `DataTransfer` with these pictures.
fn transfer(names: &[&str]) -> String {
    use base64::Engine;
    let files: Vec<_> = names
        .iter()
        .map(|name| {
            let bytes = std::fs::read(files().join(name)).unwrap();
            json!([name, base64::engine::general_purpose::STANDARD.encode(bytes)])
        })
        .collect();
    format!(
        r#"(() => {{
            const all = new DataTransfer();
            for (const [name, base64] of {}) {{
                const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
                all.items.add(new File([bytes], name, {{ type: 'image/jpeg' }}));
            }}
            return all;
        }})()"#,
        json!(files)
    )
}

async fn drag(tab: &Tab, event: &str, names: &[&str]) -> Value {
    let script = format!(
        "!{LOG}.dispatchEvent(new DragEvent('{event}', {{ dataTransfer: {}, bubbles: true, cancelable: true }}))",
        transfer(names)
    );
    tab.0.eval(&script).await
}

async fn paste(tab: &Tab, names: &[&str], text: Option<&str>) -> Value {
    let script = format!(
        "(() => {{ const all = {}; if ({text}) all.setData('text/plain', {text}); \
         return !$('[data-testid=\"composer\"]').dispatchEvent(new ClipboardEvent('paste', {{ clipboardData: all, bubbles: true, cancelable: true }})); }})()",
        transfer(names),
        text = json!(text)
    );
    tab.0.eval(&script).await
}

async fn previews(tab: &Tab, state: &str, count: usize) {
    let shown = format!(r#"$$('[data-testid="photo-preview"][data-state="{state}"]').length"#);
    tab.0.until(&format!("{shown} === {count}")).await;
}

async fn write(tab: &Tab, text: &str) {
    tab.0.click(r#"[data-testid="composer"]"#).await;
    tab.0.type_text(text).await;
}

async fn written(tab: &Tab) -> Value {
    tab.0.eval(TEXT).await
}

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
    write(&ana, "It drips agai").await;
    paste(&ana, &["plain.jpg"], None).await;
    previews(&ana, "uploaded", 1).await;
    ana.0.reload().await;
    ana.live().await;
    assert_eq!(written(&ana).await, "It drips agai");
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
    write(&ana, "Bob's own").await;
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
    write(&ana, "n").await;
    ana.0.press("Enter").await;
    ana.has_message("It drips again").await;
    ana.0
        .until(r#"$$('[data-testid="message"] [data-testid="photo"]').length === 1"#)
        .await;
    ana.0.reload().await;
    ana.live().await;
    assert_eq!(written(&ana).await, "");
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
    write(&sam, "Bring the ladder").await;
    // Alt+N, and what was written stays.
    sam.0
        .eval(
            r#"$('[data-testid="composer"]').dispatchEvent(
                new KeyboardEvent('keydown', { key: 'n', code: 'KeyN', altKey: true, bubbles: true, cancelable: true }))"#,
        )
        .await;
    sam.0.until(note).await;
    assert_eq!(written(&sam).await, "Bring the ladder");
    sam.picture("composer-note").await;

    // The next conversation begins as a message; the note waits where it was begun.
    sam.0.click(&row(bob.thread())).await;
    sam.0.until(&format!("{TEXT} === '' && !{note}")).await;
    write(&sam, "For Bob").await;
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
    sam.0.click(&row(bob.thread())).await;
    sam.0.until(&format!("{TEXT} === 'For Bob' && !{note}")).await;
    previews(&sam, "uploaded", 1).await;

    // Escape leaves the text alone, and leads to the messages.
    sam.0.click(r#"[data-testid="composer"]"#).await;
    sam.0.press("Escape").await;
    assert_eq!(sam.0.eval(&format!("{LOG}.matches(':focus')")).await, true);
    assert_eq!(written(&sam).await, "For Bob");
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
    write(&ana, "or later").await;
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
    write(&ana, "Look").await;
    paste(&ana, &["plain.jpg", "progressive.jpg"], None).await;
    previews(&ana, "failed", 2).await;
    ana.0.press("Enter").await;
    let says = r#"$('[data-testid="composer-says"]').textContent"#;
    ana.0.until(&format!("{says}.startsWith('A photo is missing')")).await;
    assert_eq!(written(&ana).await, "Look", "nothing is sent without them");
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
    assert_eq!(written(&ana).await, "Look");
    ana.0.eval("go()").await;
    ana.has_message("Look").await;
    ana.0
        .until(r#"$$('[data-testid="message"][data-seq] [data-testid="photo"]').length === 3"#)
        .await;
    assert_eq!(written(&ana).await, "");
    ana.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_do_what_hands_expect_and_nothing_is_lost_when_it_is_refused() {
    let cast = Cast::start().await;
    let ana = cast.portal(&cast.ana).await;
    let says = r#"$('[data-testid="composer-says"]').textContent"#;
    write(&ana, "one").await;
    ana.0.press("Shift+Enter").await;
    ana.0.type_text("two").await;
    assert_eq!(written(&ana).await, "one\ntwo");
    ana.0.press("Enter").await;
    ana.has_message("one\ntwo").await;

    // It grows to a bound, and the end of the conversation stays in view.
    let height = r#"$('[data-testid="composer"]').clientHeight"#;
    let small = ana.0.eval(height).await.as_f64().unwrap();
    write(&ana, &"line\n".repeat(6)).await;
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
    assert_eq!(written(&ana).await.as_str().unwrap().len(), 4_001);

    // Not taken: the queue is full.
    ana.0.eval(&fill(5)).await;
    ana.0
        .eval("(() => { const { client } = document.querySelector('crewline-thread'); client.send = () => { throw new Error('500 messages wait'); }; })()")
        .await;
    ana.0.press("Enter").await;
    ana.0.until(&format!("{says} === 'Not sent: 500 messages wait.'")).await;
    assert_eq!(written(&ana).await, "xxxxx");
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
    write(&ana, "Meanwhile").await;
    ana.0.click(r#"[data-testid="edit"]"#).await;
    ana.0
        .until(&format!("{TEXT} === {}", json!(format!("{refused}\nMeanwhile"))))
        .await;

    // Where fingers type, Enter makes a line and the button sends.
    ana.0.touch().await;
    ana.0.reload().await;
    ana.live().await;
    ana.0.eval(&fill(0)).await;
    write(&ana, "with").await;
    ana.0.press("Enter").await;
    ana.0.type_text("fingers").await;
    assert_eq!(written(&ana).await, "with\nfingers");
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
