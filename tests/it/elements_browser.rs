//! Elements as pages treat them: handed to another person, signed out and in again, moved, and two of a kind.

use serde_json::json;

use crate::inbox_browser::{say, text_of};
use crate::support::Person;
use crate::support::demo::Demo;
use crate::support::pages::{Cast, Tab, row};

async fn hand_to(tab: &Tab, element: &str, token: &str) {
    let given = format!("document.querySelector('{element}').token = {}", json!(token));
    tab.0.eval(&given).await;
}

/// A later token of the same person.
fn later(person: &Person) -> String {
    let at = crate::support::now_s();
    person.claims.clone().with("iat", at).expires_in(3_000).mint()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_person_looked_for_is_not_there_for_the_next_one() {
    let cast = Cast::start().await;
    let bob = cast.org.customer(&cast.hub, "bob", "Bob Hale").await;
    say(&cast.hub, &cast.ana, "My leak is back").await;
    say(&cast.hub, &bob, "Another leak").await;
    let tab = cast.portal(&cast.ana).await;
    let hits = "$$('[data-testid=search-hit] .text').map((hit) => hit.textContent).join()";
    tab.0.eval("$('[data-testid=search]').focus()").await;
    tab.0.type_text("leak").await;
    tab.0.until(&format!("{hits} === 'My leak is back'")).await;
    hand_to(&tab, "crewline-thread", &bob.token).await;
    tab.shows(&["Another leak"]).await;
    let found = format!("{hits} === '' && $('[data-testid=search]').value === ''");
    tab.0.until(&found).await;
    tab.0.eval("$('[data-testid=search]').focus()").await;
    assert_eq!(tab.0.eval("$('.found').checkVisibility()").await, false);
    tab.0.type_text("leak").await;
    tab.0.until(&format!("{hits} === 'Another leak'")).await;
    // What was copied from elsewhere was said when it was said there.
    tab.0
        .eval("$('crewline-thread').client.search = async () => ({ next: null, hits: [{ pieces: [{ text: 'old', hit: true }],
            record: { kind: 'message', seq: 1, at: Date.now(), said_at: Date.UTC(2020, 1, 2, 12), from: { kind: 'staff', name: 'Sam' } } }] })")
        .await;
    tab.0.type_text(" old").await;
    tab.0
        .until("$('[data-testid=search-hit] time')?.dateTime.startsWith('2020-02-02')")
        .await;
    tab.0.eval("delete $('crewline-thread').client.search").await;
    // The same line, and another person's token there.
    tab.0
        .eval(&format!(
            "document.querySelector('crewline-thread').client.renew({})",
            json!(cast.ana.token)
        ))
        .await;
    tab.shows(&["My leak is back"]).await;
    tab.0.until(&found).await;
    tab.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_signed_out_writes_and_searches_again_with_a_new_token() {
    let cast = Cast::start().await;
    let ana = cast.portal(&cast.ana).await;
    ana.say("Hello").await;
    ana.has_message("Hello").await;
    let revoked = json!({"sub": "portal-ana"});
    cast.hub.post(&cast.org.service, "/v1/revocations", &revoked).await.ok();
    ana.0
        .until("$('[data-testid=state]').textContent.startsWith('You are signed out')")
        .await;
    let off = "['composer', 'send', 'search'].every((one) => $(`[data-testid=${one}]`).disabled)";
    ana.0.until(off).await;
    ana.picture("thread-signed-out").await;
    // A token is revoked with all of its second.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    hand_to(&ana, "crewline-thread", &later(&cast.ana)).await;
    ana.live().await;
    let on = "['composer', 'search'].every((one) => !$(`[data-testid=${one}]`).disabled)";
    ana.0.until(on).await;
    ana.say("I am back").await;
    ana.has_message("I am back").await;
    ana.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inbox_that_was_moved_does_once_what_it_is_told_once() {
    let cast = Cast::start().await;
    say(&cast.hub, &cast.ana, "The leak is back").await;
    say(&cast.hub, &cast.ana, "Another leak").await;
    let sam = cast.crm("sam", "Sam Ortiz").await;
    sam.0.until("$$('[data-testid=thread-row]').length === 1").await;
    for _ in 0..2 {
        sam.0
            .eval("(inbox => { const home = inbox.parentNode; inbox.remove(); home.append(inbox); })($('crewline-inbox'))")
            .await;
        sam.live().await;
    }
    sam.0.until("$$('[data-testid=thread-row]').length === 1").await;

    sam.0.press("c").await;
    sam.0.until("$('[data-testid=new-dialog]').open").await;
    sam.0.type_text("Nora Quist").await;
    sam.0
        .until("$('[data-testid=new-name]').value === 'Nora Quist' && $('[data-testid=new-somebody]').open")
        .await;
    sam.0.click("[data-testid=new-begin]").await;
    text_of(&sam, "contact", "Nora Quist").await;
    sam.say("Hello Nora").await;
    sam.shows(&["Hello Nora"]).await;
    let log = cast.org.log(&cast.hub).await;
    assert_eq!(
        log.iter().filter(|record| record["name"] == "Nora Quist").count(),
        1,
        "one contact"
    );

    // One step a key.
    sam.0.press("Escape").await;
    sam.0.press("/").await;
    sam.0.type_text("leak").await;
    sam.0.until("$$('[data-testid=search-hit]').length === 2").await;
    sam.0.press("ArrowDown").await;
    sam.0
        .until("$('crewline-inbox').shadowRoot.activeElement === $$('[data-testid=search-hit]')[0]")
        .await;
    sam.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inbox_beside_a_living_line_knows_who_is_here_and_which_phones_have_stopped() {
    let demo = Demo::start().await;
    let ana = demo.customer("ana");
    demo.text(demo.truck(), "STOP").await;
    let (_portal, kim) = (demo.open(&ana).await, demo.open(&demo.staff("kim")).await);
    let sam = demo.open(&demo.staff("sam")).await;
    let name = demo.staff("kim").name;
    let dot = format!("{} .dot", row(&ana.thread));
    let knows = |root: &str| {
        format!(
            "(root => root.querySelector('[data-testid=colleagues]').textContent === 'Also here: {name}' && !root.querySelector({}).hidden \
             && root.querySelector('crewline-line-notice').textContent.includes('{}'))({root})",
            json!(dot),
            demo.truck()
        )
    };
    sam.0.until(&knows("$('crewline-inbox').shadowRoot")).await;
    sam.0
        .eval("(second => { second.className = 'second'; second.token = $('crewline-inbox').token; document.body.append(second); })(document.createElement('crewline-inbox'))")
        .await;
    sam.0.until(&knows("$('.second').shadowRoot")).await;
    // Who leaves is gone from both.
    kim.0.go("about:blank#").await;
    sam.0
        .until("$$('[data-testid=colleagues]').every((line) => line.textContent === '')")
        .await;
    sam.is_sound().await;
}
