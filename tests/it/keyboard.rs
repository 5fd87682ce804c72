//! The pages by the keyboard alone: Tab reaches every control and shows where it is, and whatever is done,
//! the focus stays somewhere.

use std::time::Duration;

use serde_json::{Value, json};

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

/// An outline, or a shadow or border that is there for the focus, on it or around it.
const IS_SHOWN: &str = "
    (() => {
        for (let element = focused(), up = 0; element && up < 4; element = element.parentElement, up++) {
            const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
            if (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) return true;
            // A ring of the field around it.
            if (element.matches(':focus-within') && / 0px 0px 0px [1-9]/.test(boxShadow)) return true;
        }
        return false;
    })()
";

async fn walk(tab: &Tab, page: &str) {
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
        if tab.0.eval("focused() !== null").await == true && tab.0.eval(IS_SHOWN).await != true {
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
