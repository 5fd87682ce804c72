//! Hand-offs, markers and what the team decides by hand, as people see them in Chromium.

use serde_json::{Value, json};

use crate::handoffs::call;
use crate::support::pages::{Cast, Tab, row};
use crate::support::phones::{NUMBER, Phones};

const TRUCK: &str = "+14155550901";
const STRANGER: &str = "+14155550999";

async fn cast(phones: &Phones) -> Cast {
    let cast = Cast::on(phones.hub().await, None).await;
    let settings =
        json!({"name": "acme Plumbing", "number": NUMBER, "business_phones": [TRUCK], "origins": [cast.hub.url]});
    cast.hub
        .put(&cast.org.service, &format!("/v1/orgs/{}", cast.org.id), &settings)
        .await
        .ok();
    cast
}

/// In light and dark, wide and on a phone.
async fn pictures(tab: &Tab, name: &str) {
    for (size, width, height) in [("wide", 1280, 800), ("phone", 360, 640)] {
        for scheme in ["light", "dark"] {
            tab.0.viewport(width, height).await;
            tab.0.scheme(scheme).await;
            let scrolls = tab.0.eval("document.documentElement.scrollWidth > innerWidth").await;
            assert_eq!(scrolls, false, "{name} {size} is wider than its window");
            tab.picture(&format!("{name}-{size}-{scheme}")).await;
        }
    }
    tab.0.viewport(1280, 800).await;
}

fn says(testid: &str, text: &str) -> String {
    format!(
        r#"($('[data-testid="{testid}"]')?.textContent ?? '').includes({})"#,
        json!(text)
    )
}

fn is_there(selector: &str, there: bool) -> String {
    format!("($({}) !== null) === {there}", json!(selector))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_handed_over_call_is_a_card_on_both_pages_and_each_side_sees_its_own() {
    let phones = Phones::start().await;
    let cast = cast(&phones).await;
    let thread = cast.ana.thread();
    let (ana, sam) = (cast.portal(&cast.ana).await, cast.crm("sam", "Sam Ortiz").await);
    let kim = cast.crm("kim", "Kim Doyle").await;
    cast.hub
        .post(
            &cast.org.service,
            "/v1/handoffs",
            &call(
                "h1",
                json!({"contact": "ana", "call_back_at": crate::support::now_s() * 1_000}),
            ),
        )
        .await
        .ok();
    sam.flags(thread, true, true).await;
    sam.0
        .until(&is_there(
            &format!(r#"{} [data-testid="flag-handoff"]"#, row(thread)),
            true,
        ))
        .await;
    sam.0.click(&row(thread)).await;
    sam.0.until(&says("handoff-tag", "AI hand-off")).await;
    for (testid, text) in [
        ("handoff-summary", "The leak is back, in the kitchen"),
        ("handoff-reason", "reason-canary"),
        ("handoff-question", "question-canary"),
        ("handoff-call-back", "Call back promised"),
    ] {
        sam.0.until(&says(testid, text)).await;
    }
    sam.0.until("!$('[data-testid=handler]').hidden").await;
    // Times are told beside those of the record, whatever day it is now.
    let tomorrow = "(() => { const now = Date.now; Date.now = () => now() + 86_400_000; })()";
    kim.0.eval(tomorrow).await;
    kim.0.click(&row(thread)).await;
    kim.0.until(&says("handoff-call-back", "Call back promised")).await;
    let promised = "$('[data-testid=handoff-call-back] time')";
    let clock = format!(
        "new Intl.DateTimeFormat(undefined, {{ hour: 'numeric', minute: '2-digit' }}).format(new Date({promised}.dateTime))"
    );
    let told = kim.0.eval(&format!("{promised}.textContent")).await;
    assert_eq!(told, kim.0.eval(&clock).await);
    let chip = "(async () => {
        const { markerChip } = await import(new URL('../thread/marker-chip.js', document.querySelector('script[src*=\"/pages/\"]').src));
        const record = { text: 'Invoice', rev: 9, public: true, at: Date.UTC(2026, 10, 24, 12), copied_from: { at: Date.UTC(2026, 9, 3, 12) } };
        return markerChip({ record }, { you: { role: 'staff' } }).textContent;
    })()";
    assert!(kim.0.eval(chip).await.as_str().unwrap().contains("Oct 3"));
    // Folded, for both; the transcript has its own times.
    for tab in [&ana, &sam] {
        tab.0.until(&says("handoff-tag", "AI hand-off")).await;
        let open = "$('[data-testid=transcript]').open";
        assert_eq!(tab.0.eval(open).await, false);
        tab.0.click("[data-testid=transcript] summary").await;
        tab.0.until(open).await;
        tab.0.until(&says("transcript", "The leak is back")).await;
        let times = "[...$$('[data-testid=transcript] li time')].map(t => t.dateTime)";
        assert_eq!(
            tab.0.eval(times).await,
            json!(["2025-11-24T16:00:00.000Z", "2025-11-24T16:00:04.000Z"])
        );
    }
    assert_eq!(
        ana.0.eval("document.body.textContent.includes('canary')").await,
        false,
        "the briefing is the team's"
    );

    // A marker for each, and a colleague who looks.
    let markers = format!("/v1/threads/{thread}/markers");
    for (id, text, public) in [("i1", "Invoice #2041 sent", true), ("i2", "Second reminder", false)] {
        let marker = json!({"id": id, "text": text, "link": "https://crm.example/2041", "public": public});
        cast.hub.post(&cast.org.service, &markers, &marker).await.ok();
    }
    ana.0.until(&says("marker", "Invoice #2041 sent")).await;
    let count = "$$('[data-testid=marker]').length";
    sam.0.until(&format!("{count} === 2")).await;
    assert_eq!(ana.0.eval(count).await, 1);
    let link = "$('[data-testid=marker] a').href";
    assert_eq!(ana.0.eval(link).await, "https://crm.example/2041");
    sam.0.until(&says("looking", "Kim Doyle is looking")).await;
    pictures(&ana, "handoff-portal").await;
    pictures(&sam, "handoff-crm").await;

    // The AI says something more, and it is said that it was the AI.
    let messages = format!("/v1/threads/{thread}/messages");
    let seen = cast
        .hub
        .ask("GET", &format!("/v1/threads/{thread}"), Some(&cast.org.service), None)
        .await
        .ok();
    let more = json!({"id": "ai-1", "text": "Somebody will call you", "as": "ai", "seen": seen["seq"]});
    cast.hub.post(&cast.org.service, &messages, &more).await.ok();
    for tab in [&ana, &sam] {
        tab.has_message("Somebody will call you").await;
        assert_eq!(tab.via("Somebody will call you").await, "by the AI");
    }

    // Sam answers: it is no longer the AI's, and no longer a hand-off that waits.
    sam.say("I will come at ten").await;
    sam.0.until("$('[data-testid=handler]').hidden").await;
    sam.flags(thread, false, false).await;
    sam.0
        .until(&is_there(
            &format!(r#"{} [data-testid="flag-handoff"]"#, row(thread)),
            false,
        ))
        .await;
    ana.shows(&["Somebody will call you", "I will come at ten"]).await;
    for tab in [&ana, &sam, &kim] {
        tab.is_sound().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_long_transcript_is_one_card() {
    let phones = Phones::start().await;
    let cast = cast(&phones).await;
    let mut long = call("h1", json!({"contact": "ana"}));
    let turns: Vec<Value> = (0..90)
        .map(|n| json!({"at": 1_764_000_000_000_i64 + n, "speaker": "caller", "text": format!("{n} {}", "漏れ".repeat(300))}))
        .collect();
    long["transcript"] = turns.into();
    let live = cast.portal(&cast.ana).await;
    cast.hub.post(&cast.org.service, "/v1/handoffs", &long).await.ok();
    // As it comes, and loaded in pages from the end.
    let loaded = cast.portal(&cast.ana).await;
    for tab in [&live, &loaded] {
        let cards = "$$('[data-testid=handoff]').length === 1";
        let turns = "[...$$('[data-testid=transcript] li p')].map(p => parseInt(p.textContent))";
        // Thousands of turns are not built before somebody wants to read them.
        tab.0.until(cards).await;
        // The one that is there at first may be a part that joins the others.
        tab.0
            .until(&format!(
                "($('[data-testid=transcript]').open = true) && {cards} && JSON.stringify({turns}) === JSON.stringify([...Array(90).keys()])"
            ))
            .await;
        tab.is_sound().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_unknown_number_is_attached_and_a_lost_text_routed_with_a_few_clicks() {
    let phones = Phones::start().await;
    let cast = cast(&phones).await;
    let (ana, sam) = (cast.portal(&cast.ana).await, cast.crm("sam", "Sam Ortiz").await);
    ana.say("The leak is back").await;
    phones.text(STRANGER, "It is me, on my work phone").await;
    phones.text(TRUCK, "#99 on my way").await;
    sam.0.until("$$('[data-testid=thread-row]').length === 2").await;
    sam.0
        .click(r#"[data-testid="thread-row"]:has([data-testid="unknown"]:not([hidden]))"#)
        .await;
    sam.0.click("[data-testid=attach]").await;
    // The one who had it open is led to another unknown number: what the dialog was about is not that one.
    let here = sam.0.eval("$('crewline-inbox').selected").await;
    phones.text("+14155550888", "Wrong number").await;
    sam.0.until("$$('[data-testid=thread-row]').length === 3").await;
    let open = "$('dialog.attach').open";
    sam.0.until(open).await;
    sam.0
        .eval("(row => row.click())($$('[data-testid=thread-row]').find((row) => row.textContent.includes('Wrong number')))")
        .await;
    sam.shows(&["Wrong number"]).await;
    sam.0.until(&format!("!{open}")).await;
    sam.0.eval(&format!("$('crewline-inbox').selected = {here}")).await;
    sam.shows(&["It is me, on my work phone"]).await;
    sam.0.click("[data-testid=attach]").await;
    sam.0.click("[data-testid=attach-contact]").await;
    sam.0.type_text("Ana Souza (ana)").await;
    pictures(&sam, "attach").await;
    // Without the second word nothing happens.
    sam.0.click("[data-testid=attach-confirm]").await;
    assert_eq!(sam.0.eval("$('dialog.attach').open").await, true);
    sam.0.click("[data-testid=attach-sure]").await;
    sam.0.click("[data-testid=attach-confirm]").await;
    sam.shows(&["The leak is back", "It is me, on my work phone"]).await;
    ana.shows(&["The leak is back", "It is me, on my work phone"]).await;
    sam.0.until("$$('[data-testid=thread-row]').length === 2").await;
    sam.0
        .until("$('[data-testid=attach]').closest('crewline-attach').hidden")
        .await;

    sam.0.click("[data-testid=unrouted-summary]").await;
    sam.0.click("[data-testid=route-thread]").await;
    sam.0.type_text("souz").await;
    sam.0.click("[data-testid=contact-option][data-contact=ana]").await;
    pictures(&sam, "route").await;
    sam.0.click("[data-testid=route]").await;
    ana.shows(&["The leak is back", "It is me, on my work phone", "on my way"])
        .await;
    sam.0.until("$('crewline-unrouted').hidden").await;
    pictures(&sam, "attached").await;
    for tab in [&ana, &sam] {
        tab.is_sound().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_field_stays_under_the_pointer_when_the_contacts_come() {
    let phones = Phones::start().await;
    let cast = cast(&phones).await;
    let sam = cast.crm("sam", "Sam Ortiz").await;
    phones.text(STRANGER, "It is me, on my work phone").await;
    sam.0.click("[data-testid=thread-row]").await;
    sam.0.until("$('[data-testid=attach]')?.checkVisibility()").await;
    for (width, height) in [(1280, 800), (360, 740)] {
        sam.0.viewport(width, height).await;
        for (opener, field) in [("attach", "attach-contact"), ("new-conversation", "new-contact")] {
            let moved = format!(
                "(async () => {{
                    $('[data-testid={opener}]').click();
                    const field = $('[data-testid={field}]');
                    const {{ top }} = field.getBoundingClientRect();
                    const deadline = Date.now() + 10_000;
                    const came = () => field.getAttribute('aria-expanded') === 'true';
                    while (!came() && Date.now() < deadline) await new Promise(requestAnimationFrame);
                    const by = came() ? field.getBoundingClientRect().top - top : 'nobody came';
                    field.closest('dialog').close();
                    return by;
                }})()"
            );
            assert_eq!(sam.0.eval(&moved).await, 0, "{opener} at {width}");
        }
    }
    // Whoever chooses before what they typed was looked up has chosen: its answer opens the list no more.
    sam.0.click("[data-testid=attach]").await;
    sam.0.until("$('[data-testid=contact-option]')").await;
    let chooses = "(async () => {
            const field = $('[data-testid=attach-contact]');
            field.value = 'Ana';
            field.dispatchEvent(new Event('input'));
            $('[data-testid=contact-option][data-contact=ana]').click();
            await new Promise((done) => setTimeout(done, 1_000));
            return [field.value, field.getAttribute('aria-expanded')];
        })()";
    assert_eq!(sam.0.eval(chooses).await, json!(["Ana Souza", "false"]));
    sam.is_sound().await;
}
