//! The pages by the keyboard alone: Tab reaches every control and shows where it is, and whatever is done,
//! the focus stays somewhere.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::Claims;
use crate::support::demo::Demo;
use crate::support::pages::{Tab, row};

/// `focused()` is the element that has the focus, through shadow roots, or null.
const FOCUSED: &str = "
    window.focused = () => {
        let element = document.activeElement;
        while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
        return element === document.body ? null : element;
    };
    window.named = (element) => element && [element.localName, element.dataset.testid, element.getAttribute('aria-label') ?? element.textContent.trim().slice(0, 40)].join(' ');
";

/// What can be seen and used, and takes the focus in its turn.
const STOPS: &str = "
    $$('a[href], button, input, select, textarea, summary, [tabindex]').filter((element) => {
        const box = element.getBoundingClientRect();
        return element.tabIndex >= 0 && !element.disabled && !element.closest('[inert]') && box.width > 0 && box.height > 0
            && element.checkVisibility({ visibilityProperty: true }) && !(element.type === 'radio' && !element.checked);
    })
";

/// In view, and an outline, or a shadow or border that is there for the focus, on it or around it.
const IS_SHOWN: &str = "
    (() => {
        // What had it is gone meanwhile, as a button is when its work is done.
        if (!focused()) return true;
        const { top, right, bottom, left } = focused().getBoundingClientRect();
        if (bottom < 1 || top > innerHeight - 1 || right < 1 || left > innerWidth - 1) return false;
        for (let element = focused(), up = 0; element && up < 4; element = element.parentElement, up++) {
            const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
            if (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) return true;
            // A ring of the field around it.
            if (element.matches(':focus-within') && / 0px 0px 0px [1-9]/.test(boxShadow)) return true;
        }
        return false;
    })()
";

/// What is scrolled into view softly takes a moment.
async fn is_shown(tab: &Tab) -> bool {
    for _ in 0..40 {
        if tab.0.eval(IS_SHOWN).await == true {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    false
}

pub async fn walk(tab: &Tab, page: &str) {
    tab.0.eval(FOCUSED).await;
    // From the very beginning, and without whatever has the focus now.
    tab.0.eval("focused()?.blur()").await;
    tab.0
        .eval(&format!("window.stops = {STOPS}; window.reached = new Set()"))
        .await;
    let stops = tab.0.eval("stops.length").await.as_u64().unwrap();
    assert!(stops > 3, "{page} has {stops} controls");
    let mut unseen = Vec::new();
    for _ in 0..stops * 2 + 10 {
        tab.0.press("Tab").await;
        tab.0.eval("reached.add(focused())").await;
        if tab.0.eval("focused() !== null").await == true && !is_shown(tab).await {
            unseen.push(tab.0.eval("named(focused())").await);
        }
        if tab
            .0
            .eval("stops.every((stop) => reached.has(stop) || !stop.isConnected)")
            .await
            == true
        {
            break;
        }
    }
    let missed = tab
        .0
        .eval("stops.filter((stop) => stop.isConnected && !reached.has(stop)).map(named)")
        .await;
    assert_eq!(missed, json!([]), "{page}: not reached by Tab");
    assert_eq!(
        unseen,
        Vec::<Value>::new(),
        "{page}: it is not to be seen where the focus is"
    );
}

/// After something was done: the focus has not fallen off the page.
async fn keeps(tab: &Tab, done: &str) {
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_ne!(
        tab.0.eval("named(focused())").await,
        Value::Null,
        "the focus is lost after {done}"
    );
}

async fn focus(tab: &Tab, selector: &str) {
    let selector = json!(selector);
    tab.0.until(&format!("$({selector})?.checkVisibility()")).await;
    tab.0.eval(&format!("$({selector}).focus()")).await;
    tab.0.until(&format!("focused() === $({selector})")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tab_reaches_every_control_and_shows_where_it_is() {
    let demo = Demo::start().await;
    let ana = demo.customer("ana");
    let portal = demo.open(&ana).await;
    portal.0.until(r#"$$('[data-testid="photo"]').length > 0"#).await;
    walk(&portal, "the portal").await;
    let crm = demo.crm_at("sam", &ana).await;
    walk(&crm, "the crm").await;
    for (path, ready) in [
        ("phones", "$$('crewline-phone').length > 3"),
        ("", r#"$$('[data-testid="message"]').length > 3"#),
    ] {
        let tab = Tab(demo.browser.open(&format!("{}/{path}", demo.hub.url)).await);
        tab.0.until(ready).await;
        walk(&tab, &format!("/{path}")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_focus_is_kept_whatever_is_done() {
    let demo = Demo::start().await;
    let ana = demo.customer("ana");
    let portal = demo.open(&ana).await;
    portal.0.eval(FOCUSED).await;
    focus(&portal, r#"[data-testid="composer"]"#).await;
    portal.0.type_text("I have a question").await;
    portal.0.press("Enter").await;
    portal.has_message("I have a question").await;
    keeps(&portal, "sending").await;
    portal.0.until(r#"$$('[data-testid="photo"]').length > 0"#).await;
    let opener = r#"$('[data-testid="photo"]').closest('button')"#;
    portal.0.eval(&format!("{opener}.focus()")).await;
    portal.0.press("Enter").await;
    portal.0.until(r#"$('[data-testid="photo-full"]')"#).await;
    keeps(&portal, "opening a photo").await;
    portal.0.press("Escape").await;
    portal
        .0
        .until(r#"!$('[data-testid="photo-full"]')?.checkVisibility()"#)
        .await;
    keeps(&portal, "closing a photo").await;
    assert_eq!(
        portal.0.eval(&format!("focused() === {opener}")).await,
        true,
        "it goes back to the photo"
    );
    focus(&portal, r#"[data-testid="search"]"#).await;
    portal.0.type_text("drips").await;
    portal
        .0
        .until(r#"$$('[data-testid="search-hits"] li').length > 0"#)
        .await;
    portal.0.press("Tab").await;
    keeps(&portal, "going on from a search").await;
    portal.0.press("Escape").await;
    keeps(&portal, "leaving a search").await;

    let crm = demo.open(&demo.staff("sam")).await;
    crm.0.eval(FOCUSED).await;
    focus(&crm, &row(&ana.thread)).await;
    crm.0.press("Enter").await;
    crm.has_message("I have a question").await;
    keeps(&crm, "opening a conversation").await;
    focus(&crm, r#"[data-testid="note-toggle"]"#).await;
    crm.0.press(" ").await;
    keeps(&crm, "switching to a note").await;
    focus(&crm, r#"[data-testid="handled"]"#).await;
    crm.0.press("Enter").await;
    crm.flags(&ana.thread, false, false).await;
    keeps(&crm, "marking it handled").await;
    focus(&crm, r#"[data-testid="filter-new"]"#).await;
    crm.0.press("Enter").await;
    keeps(&crm, "choosing a filter").await;
}

/// JavaScript: what the page asks of the hub by this name fails, until `mended()`.
fn broken(element: &str, asked: &str) -> String {
    format!(
        "(() => {{ const {{ client }} = $('{element}'); client.{asked} = () => Promise.reject(new Error('Nobody answers')); \
         window.mended = () => delete client.{asked}; }})()"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_focus_is_handed_on_when_what_had_it_goes() {
    let demo = Demo::start().await;
    let ana = demo.customer("ana");
    let sams = Claims::staff("bright-plumbing", "sam", "Sam Ortiz").mint();
    for n in 0..25 {
        let said = json!({"id": format!("drip-{n}"), "text": format!("It drips, {n} times a minute")});
        demo.hub
            .post(&sams, &format!("/v1/threads/{}/messages", ana.thread), &said)
            .await
            .ok();
    }
    let portal = demo.open(&ana).await;
    portal.0.eval(FOCUSED).await;

    // A refused message is left alone while the line comes and goes, and while it is refused again.
    portal
        .0
        .eval("$('crewline-thread').client.send({ text: 'x'.repeat(4001) })")
        .await;
    focus(&portal, "[data-testid=retry]").await;
    portal.0.eval("window.pressed = focused()").await;
    for offline in [true, false] {
        portal.0.offline(offline).await;
        let state = if offline { "offline" } else { "live" };
        portal
            .0
            .until(&format!("$('[data-testid=state]').dataset.state === '{state}'"))
            .await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(portal.0.eval("focused() === pressed").await, true, "it is {state}");
    }
    portal.0.press("Enter").await;
    keeps(&portal, "trying again").await;
    focus(&portal, "[data-testid=discard]").await;
    portal.0.press("Enter").await;
    portal.0.until("$('[data-state=refused]') === null").await;
    keeps(&portal, "discarding").await;

    focus(&portal, "[data-testid=search]").await;
    portal.0.type_text("drips").await;
    focus(&portal, "[data-testid=search-more]").await;
    portal.0.press("Enter").await;
    portal
        .0
        .until("$$('[data-testid=search-hit]').length > 20 && $('[data-testid=search-more]').hidden")
        .await;
    keeps(&portal, "asking for more").await;
    portal.0.press("ArrowDown").await;
    portal.0.until("focused() === $$('[data-testid=search-hit]')[20]").await;
    portal.0.press("Escape").await;

    portal.0.eval(&broken("crewline-thread", "history")).await;
    portal
        .0
        .eval("(one => one.parentNode.append(one))($('crewline-thread'))")
        .await;
    focus(&portal, "[data-testid=load-again]").await;
    portal.0.eval("mended()").await;
    portal.0.press("Enter").await;
    portal.0.until("$$('[data-testid=message]').length > 5").await;
    keeps(&portal, "loading again").await;

    demo.switch(&ana.phone, "landline").await;
    let crm = demo.crm_at("sam", &ana).await;
    crm.0.viewport(1440, 900).await;
    crm.0.eval(FOCUSED).await;
    crm.say("Nobody gets this").await;
    crm.texting("Nobody gets this", "failed", "").await;
    focus(&crm, "[data-testid=resend]").await;
    crm.0.eval("window.pressed = focused()").await;
    crm.0.press("Enter").await;
    crm.0.until("!pressed.isConnected").await;
    keeps(&crm, "sending a text again").await;

    focus(&crm, "[data-testid=panel-close]").await;
    crm.0.press("Enter").await;
    keeps(&crm, "closing the contact's panel").await;
    crm.0.eval("$('crewline-inbox').selected = null").await;
    crm.0
        .eval(&format!("$('crewline-inbox').selected = '{}'", ana.thread))
        .await;
    crm.has_message("Nobody gets this").await;
    // Further back than it looks by itself.
    crm.0
        .eval(
            "(() => { const { client } = $('crewline-inbox'); const { history } = client; let asked = 0;
             client.history = async (thread, how) => how.limit !== 200 ? history.call(client, thread, how) : ({ records: Array.from({ length: 200 }, (_, n) => ({ kind: 'note', rev: -n })), before: ++asked > 2 ? null : 1 });
             window.mended = () => delete client.history; })()",
        )
        .await;
    focus(&crm, "[data-testid=contact-toggle]").await;
    crm.0.press("Enter").await;
    focus(&crm, "[data-testid=panel-older]").await;
    crm.0.press("Enter").await;
    crm.0.until("$('[data-testid=panel-older]').hidden").await;
    keeps(&crm, "looking further back").await;
    crm.0.eval("mended()").await;

    // Two texts that reached nobody: from the first to the second, and from that to the list.
    demo.text(demo.truck(), "to nobody in particular").await;
    crm.0.until("$$('[data-testid=unrouted]').length === 2").await;
    crm.0.click("[data-testid=unrouted-summary]").await;
    for left in [1, 0] {
        focus(&crm, "[data-testid=route-thread]").await;
        crm.0.type_text("Souza").await;
        let found = "$$('[role=option]').map((one) => one.textContent)";
        crm.0
            .until(&format!(
                "{found}.length > 0 && {found}.every((name) => name.includes('Ana'))"
            ))
            .await;
        crm.0.press("ArrowDown").await;
        crm.0.press("Enter").await;
        crm.0.until("$('[data-testid=route-thread]').value.length > 3").await;
        crm.0.press("Enter").await;
        crm.0
            .until(&format!("$$('[data-testid=unrouted]').length === {left}"))
            .await;
        keeps(&crm, "routing a text").await;
    }

    // On a phone the list goes when a conversation opens, and comes back.
    crm.0.viewport(360, 740).await;
    focus(&crm, "[data-testid=back]").await;
    crm.0.press("Enter").await;
    crm.0.until("$('crewline-inbox-list').checkVisibility()").await;
    keeps(&crm, "going back").await;
    crm.0.press("Enter").await;
    crm.0.until("!$('crewline-inbox-list').checkVisibility()").await;
    keeps(&crm, "opening a conversation on a phone").await;
    crm.0.eval("history.back()").await;
    crm.0.until("$('crewline-inbox-list').checkVisibility()").await;
    keeps(&crm, "the browser's own way back").await;
    crm.0.viewport(1440, 900).await;

    crm.0.eval(&broken("crewline-inbox", "inbox")).await;
    crm.0
        .eval("$('crewline-inbox').client.dispatchEvent(new CustomEvent('reset', { detail: { reason: 'log' } }))")
        .await;
    focus(&crm, "[data-testid=list-note] button").await;
    crm.0.eval("mended()").await;
    crm.0.press("Enter").await;
    crm.0.until("$$('[data-testid=thread-row]').length > 2").await;
    keeps(&crm, "loading the list again").await;
}
