//! The people around the inbox: contacts, colleagues, and who looks elsewhere.

use serde_json::{Value, json};

use crate::inbox_browser::{pictures, say, text_of};
use crate::support::Org;
use crate::support::demo::Demo;
use crate::support::pages::{Cast, row};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_begins_with_somebody_new_and_the_same_phone_leads_back_to_it() {
    let cast = Cast::start().await;
    let sam = cast.crm("sam", "Sam Ortiz").await;
    let begin = async |name: &str, phone: &str| {
        sam.0.press("c").await;
        sam.0.until("$('[data-testid=new-dialog]').open").await;
        sam.0.type_text(name).await;
        sam.0.until("$('[data-testid=new-somebody]').open").await;
        sam.0
            .until(&format!("$('[data-testid=new-name]').value === '{name}'"))
            .await;
        sam.0.click("[data-testid=new-number]").await;
        sam.0.type_text(phone).await;
    };
    begin("Nora Quist", "415 555 0177").await;
    sam.0.click("[data-testid=new-begin]").await;
    sam.0
        .until("$('[data-testid=new-error]').textContent.includes('with its country')")
        .await;
    pictures(&sam, "new").await;
    sam.0
        .eval("$('[data-testid=new-number]').value = '+1 (415) 555-0177'")
        .await;
    sam.0.click("[data-testid=new-begin]").await;
    text_of(&sam, "contact", "Nora Quist").await;
    sam.say("Hello Nora, this is Acme").await;
    sam.shows(&["Hello Nora, this is Acme"]).await;
    let log = cast.org.log(&cast.hub).await;
    let made = log
        .iter()
        .find(|record| record["name"] == "Nora Quist")
        .expect("it is in the log");
    assert_eq!(
        (&made["phone"], &made["by"]["sub"]),
        (&json!("+14155550177"), &json!("sam"))
    );

    sam.0.press("Escape").await;
    sam.0.press("u").await;
    begin("Somebody else", "+14155550177").await;
    sam.0.press("Enter").await;
    text_of(&sam, "contact", "Nora Quist").await;
    sam.shows(&["Hello Nora, this is Acme"]).await;

    // A known one is found by a part of the name, with keys alone.
    sam.0.press("Escape").await;
    sam.0.press("c").await;
    sam.0.type_text("souz").await;
    sam.0.press("ArrowDown").await;
    sam.0.press("Enter").await;
    text_of(&sam, "contact", "Ana Souza").await;
    sam.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contacts_panel_tells_of_consent_and_stands_beside_the_conversation_or_over_it() {
    let demo = Demo::start().await;
    let ana = demo.customer("ana");
    let sam = demo.crm_at("sam", &ana).await;
    sam.0.viewport(1440, 900).await;
    sam.0.until("$('[data-testid=contact-panel]').open").await;
    text_of(&sam, "panel-name", &ana.name).await;
    text_of(&sam, "panel-phone", &ana.phone).await;
    text_of(&sam, "panel-texts", "Texts are on").await;
    sam.0
        .until("/^#\\d+$/.test($('[data-testid=panel-tag]').textContent)")
        .await;
    demo.text(&ana.phone, "STOP").await;
    sam.0
        .until("$('[data-testid=panel-texts]').textContent.startsWith('Texts are off since')")
        .await;
    demo.text(&ana.phone, "START").await;
    sam.0
        .until("$('[data-testid=panel-texts]').textContent.startsWith('Texts are on since')")
        .await;
    sam.0
        .until("$$('[data-testid=panel-consents] b').map(b => b.textContent).join() === 'START,STOP'")
        .await;
    // Closed, it stays closed.
    sam.0.click("[data-testid=panel-close]").await;
    sam.0.until("!$('[data-testid=contact-panel]').open").await;
    sam.0.reload().await;
    sam.live().await;
    text_of(&sam, "contact", &ana.name).await;
    assert_eq!(sam.0.eval("$('[data-testid=contact-panel]').open").await, false);
    pictures(&sam, "panel").await;

    // Without room it lies over the conversation, and Escape leads back.
    sam.0.viewport(360, 720).await;
    sam.0.click("[data-testid=contact-toggle]").await;
    sam.0
        .until(
            "$('[data-testid=contact-panel]').matches(':modal') && $$('[data-testid=panel-consents] li').length === 2",
        )
        .await;
    let inside =
        "(r => r.left >= 0 && r.right <= innerWidth)($('[data-testid=contact-panel]').getBoundingClientRect())";
    assert_eq!(sam.0.eval(inside).await, true);
    sam.picture("inbox-panel-over").await;
    sam.0.press("Escape").await;
    sam.0.until("!$('[data-testid=contact-panel]').open").await;
    text_of(&sam, "contact", &ana.name).await;
    sam.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_looks_elsewhere_is_told_once_a_conversation_when_they_have_said_so() {
    let cast = Cast::start().await;
    let bob = cast.org.customer(&cast.hub, "bob", "Bob Hale").await;
    for person in [&cast.ana, &bob] {
        say(&cast.hub, person, "Hello").await;
    }
    let sam = cast.crm("sam", "Sam Ortiz").await;
    sam.0.grant("notifications").await;
    sam.0
        .eval(
            "window.told = []; window.asked = 0;
             const Real = Notification;
             window.Notification = class extends Real {
               constructor(title, options) { super(title, options); told.push({ title, body: options.body, tag: options.tag, shown: this, open: true }); }
               close() { told.find(({ shown }) => shown === this).open = false; super.close(); }
               static requestPermission() { asked += 1; return Real.requestPermission(); }
             }",
        )
        .await;
    // A second inbox of hers, as another tab would be.
    sam.0
        .eval("(other => { other.token = $('crewline-inbox').token; other.className = 'second'; document.body.append(other); })(document.createElement('crewline-inbox'))")
        .await;
    let told = async |wanted: Value| {
        let shown = "JSON.stringify(told.filter(({ open }) => open).map(({ title, body }) => [title, body]))";
        sam.0.until(&format!("{shown} === JSON.stringify({wanted})")).await;
    };
    // Not switched on: nothing is asked, and nothing told.
    sam.0.focus(false).await;
    say(&cast.hub, &cast.ana, "The leak is back").await;
    sam.0
        .until("$('[data-testid=row-text]').textContent === 'The leak is back'")
        .await;
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    assert_eq!(sam.0.eval("[told.length, asked]").await, json!([0, 0]));

    sam.0.focus(true).await;
    sam.0.click("[data-testid=bell]").await;
    sam.0.click("[data-testid=bell-notify]").await;
    sam.0
        .until("localStorage.getItem('crewline.inbox.notify') === 'on'")
        .await;
    sam.0.press("Escape").await;
    // While somebody looks at the inbox, it tells nothing.
    say(&cast.hub, &cast.ana, "Under the sink").await;
    sam.0
        .until("$('[data-testid=row-text]').textContent === 'Under the sink'")
        .await;
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    told(json!([])).await;

    sam.0.focus(false).await;
    say(&cast.hub, &cast.ana, "Please hurry").await;
    told(json!([["Ana Souza", "Please hurry"]])).await;
    say(&cast.hub, &bob, "Hello again").await;
    told(json!([["Ana Souza", "Please hurry"], ["Bob Hale", "Hello again"]])).await;
    // What a colleague reads is taken back.
    let kim = cast.org.staff("kim", "Kim Doyle").load(&cast.hub).await;
    kim.read(cast.ana.thread(), 4);
    told(json!([["Bob Hale", "Hello again"]])).await;
    // A click leads there.
    sam.0.eval("told.at(-1).shown.onclick()").await;
    sam.shows(&["Hello", "Hello again"]).await;
    told(json!([])).await;
    assert_eq!(sam.0.eval("told.length").await, 2, "one of the two told");
    sam.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn colleagues_see_who_looks_who_answers_and_who_has_just_answered() {
    let cast = Cast::start().await;
    let thread = cast.ana.thread();
    say(&cast.hub, &cast.ana, "The leak is back").await;
    let (sam, kim) = (cast.crm("sam", "Sam Ortiz").await, cast.crm("kim", "Kim Doyle").await);
    kim.0
        .until("$('[data-testid=colleagues]').textContent === 'Also here: Sam Ortiz'")
        .await;
    sam.0.click(&row(thread)).await;
    let in_row = format!("{} [data-testid=row-colleagues]", row(thread));
    kim.0
        .until(&format!("$('{in_row}')?.textContent === 'Sam Ortiz is looking'"))
        .await;
    kim.0.click(&row(thread)).await;
    text_of(&kim, "looking", "Sam Ortiz is looking").await;
    sam.0.click("[data-testid=composer]").await;
    sam.0.type_text("On our").await;
    text_of(&kim, "looking", "Sam Ortiz is answering").await;
    kim.picture("inbox-answering").await;
    sam.0.type_text(" way").await;
    sam.0.press("Enter").await;
    text_of(&kim, "looking", "Sam Ortiz answered just now").await;
    text_of(&sam, "looking", "Kim Doyle is looking").await;
    kim.flags(thread, false, false).await;
    sam.0.press("Escape").await;
    sam.0.press("u").await;
    kim.0.until(&format!("$('{in_row}') === null")).await;
    for tab in [&sam, &kim] {
        tab.is_sound().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_works_for_two_businesses_is_told_by_both() {
    let cast = Cast::start().await;
    let other = Org::with(&cast.hub, "other", json!({"origins": [cast.hub.url]})).await;
    let bob = other.customer(&cast.hub, "bob", "Bob Hale").await;
    let sam = cast.crm("sam", "Sam Ortiz").await;
    sam.0.grant("notifications").await;
    sam.0
        .eval(
            "localStorage.setItem('crewline.inbox.notify', 'on'); window.told = [];
             const Real = Notification;
             window.Notification = class extends Real { constructor(title, options) { super(title, options); told.push(title); } }",
        )
        .await;
    let token = other.staff("sam", "Sam Ortiz").token;
    sam.0
        .eval(&format!(
            "(second => {{ second.className = 'second'; second.token = {}; document.body.append(second); }})(document.createElement('crewline-inbox'))",
            json!(token)
        ))
        .await;
    sam.0.until("$('.second').client?.state === 'live'").await;
    sam.0.focus(false).await;
    say(&cast.hub, &cast.ana, "The leak is back").await;
    say(&cast.hub, &bob, "No hot water").await;
    sam.0.until("told.toSorted().join() === 'Ana Souza,Bob Hale'").await;
    sam.is_sound().await;
}

/// What the page sends does not get through until `arrive()`.
const SLOW_WAY: &str = "(() => {
    const { send } = WebSocket.prototype;
    const waiting = [];
    WebSocket.prototype.send = function (frame) { waiting.push(() => send.call(this, frame)); };
    window.arrive = () => { WebSocket.prototype.send = send; for (const go of waiting) go(); };
})()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_answer_at_once_are_told_of_each_other_and_nothing_is_lost() {
    let cast = Cast::start().await;
    let thread = cast.ana.thread();
    say(&cast.hub, &cast.ana, "When do you come?").await;
    let (sam, kim) = (cast.crm("sam", "Sam Ortiz").await, cast.crm("kim", "Kim Doyle").await);
    let ana = cast.portal(&cast.ana).await;
    for crew in [&sam, &kim] {
        crew.0.click(&row(thread)).await;
        crew.shows(&["When do you come?"]).await;
    }
    let said = async || {
        let log = cast.org.log(&cast.hub).await;
        let texts = log.iter().filter_map(|record| record["text"].as_str());
        texts.map(str::to_owned).collect::<Vec<_>>()
    };

    // Sam has not seen what Kim writes when he sends.
    sam.0.eval(SLOW_WAY).await;
    sam.say("At nine").await;
    sam.receipt("At nine", "Sending…").await;
    kim.say("At ten, with the new valve").await;
    sam.has_message("At ten, with the new valve").await;
    sam.0.eval("arrive()").await;
    sam.receipt("At nine", "Not sent yet: there is something new that you had not seen")
        .await;
    let between = "$$('[data-state=stale] .between li').map((said) => [said.querySelector('b').textContent, said.lastChild.data.trim()])";
    let told = format!("JSON.stringify({between}) === JSON.stringify([['Kim Doyle', 'At ten, with the new valve']])");
    sam.0.until(&told).await;
    for (width, height, scheme) in [(1440, 900, "light"), (360, 720, "dark")] {
        sam.0.viewport(width, height).await;
        sam.0.scheme(scheme).await;
        sam.picture(&format!("inbox-stale-{width}")).await;
    }
    for tab in [&kim, &ana] {
        tab.shows(&["When do you come?", "At ten, with the new valve"]).await;
    }
    assert_eq!(said().await, ["When do you come?", "At ten, with the new valve"]);

    // It waits for his decision, also through a reload; a copy of it can be taken.
    sam.0.reload().await;
    sam.live().await;
    sam.0.until(&told).await;
    sam.0.click("[data-testid=copy]").await;
    text_of(&sam, "copy", "Copied").await;
    sam.0.grant("clipboardReadWrite").await;
    assert_eq!(sam.0.eval("navigator.clipboard.readText()").await, "At nine");

    text_of(&sam, "retry", "Send anyway").await;
    sam.0.click("[data-testid=retry]").await;
    let all = ["When do you come?", "At ten, with the new valve", "At nine"];
    for tab in [&sam, &kim, &ana] {
        tab.shows(&all).await;
    }
    sam.0.until("$('[data-state=stale]') === null").await;

    // Or he says it otherwise, now that he knows.
    sam.0.eval(SLOW_WAY).await;
    sam.say("Or at eleven?").await;
    kim.say("Ten it is").await;
    sam.has_message("Ten it is").await;
    sam.0.eval("arrive()").await;
    sam.0.click("[data-state=stale] [data-testid=edit]").await;
    sam.0.until("$('[data-state=stale]') === null").await;
    assert_eq!(sam.written().await, "Or at eleven?");
    sam.0.type_text(" No: ").await;
    sam.0.press("Enter").await;
    ana.has_message("Or at eleven? No:").await;
    let in_the_end = [&all[..], &["Ten it is", "Or at eleven? No:"]].concat();
    assert_eq!(said().await, in_the_end);
    for tab in [&sam, &kim, &ana] {
        tab.shows(&in_the_end).await;
        tab.is_sound().await;
    }
}
