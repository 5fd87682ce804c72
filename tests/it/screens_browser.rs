//! The pages as people have set up their screens: twice as large, in 4K, without motion, from right to left.

use serde_json::json;

use crate::keyboard::walk;
use crate::support::axe;
use crate::support::demo::Demo;
use crate::support::pages::{Tab, row};

/// JavaScript: what sticks out of the screen sideways, or is cut off without a sign of it.
const CUT_OFF: &str = "
    (() => {
        const scrolls = (e) => {
            for (; e; e = e.parentElement ?? e.getRootNode().host) if (/auto|scroll/.test(getComputedStyle(e).overflowX) && e.scrollWidth > e.clientWidth) return true;
            return false;
        };
        return $$('*').flatMap((e) => {
            const box = e.getBoundingClientRect();
            if (box.width <= 1 || box.height <= 1 || !e.checkVisibility({ visibilityProperty: true }) || e.closest('svg, textarea')) return [];
            const style = getComputedStyle(e);
            const cuts = (overflow) => overflow === 'hidden' || overflow === 'clip';
            const said = style.textOverflow === 'ellipsis' || style.webkitLineClamp !== 'none';
            const wrong = [
                (box.left < -1 || box.right > innerWidth + 1) && !scrolls(e) && 'sticks out',
                cuts(style.overflowX) && e.scrollWidth > e.clientWidth + 1 && !said && 'is too wide',
                cuts(style.overflowY) && e.scrollHeight > e.clientHeight + 1 && !said && 'is too high',
            ].filter(Boolean);
            return wrong.map((what) => `${e.localName}.${e.className} ${what}: ${e.textContent.trim().slice(0, 60)}`);
        });
    })()
";

/// JavaScript: what would move.
const MOVES: &str = "
    $$('*').flatMap((e) => [undefined, '::before', '::after'].flatMap((part) => {
        const style = getComputedStyle(e, part);
        const lasts = (times) => times.split(', ').some((time) => parseFloat(time) > 0);
        const moves = lasts(style.transitionDuration) || (style.animationName !== 'none' && lasts(style.animationDuration)) || style.scrollBehavior === 'smooth';
        return moves ? [`${e.localName}.${e.className}${part ?? ''}`] : [];
    }))
";

async fn is_whole(tab: &Tab, what: &str) {
    assert_eq!(tab.0.eval(CUT_OFF).await, json!([]), "{what}");
    let scrolls =
        "document.documentElement.scrollWidth > innerWidth || document.documentElement.scrollHeight > innerHeight";
    assert_eq!(tab.0.eval(scrolls).await, false, "{what} as a whole");
}

/// A screen of 1280 × 800 at 200 %: as many pixels for half of what they showed.
async fn zoom(tab: &Tab) {
    let metrics = json!({"width": 640, "height": 400, "deviceScaleFactor": 2, "mobile": false});
    tab.0.call("Emulation.setDeviceMetricsOverride", metrics).await;
    tab.0.until("innerWidth === 640 && devicePixelRatio === 2").await;
}

async fn at_work(tab: &Tab) {
    tab.0.until("$('[data-testid=thread]').clientHeight > 100").await;
    let inside = "['[data-testid=composer]', '[data-testid=send]', '.add-photos'].every((what) => (r => r.top >= 0 && r.bottom <= innerHeight && r.left >= 0 && r.right <= innerWidth)($(what).getBoundingClientRect()))";
    tab.0.until(inside).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_200_percent_nothing_is_cut_off_and_all_is_in_reach() {
    let demo = Demo::start().await;
    let ana = demo.customer("ana");
    demo.text("+14155550199", "Is this the plumber?").await;
    let portal = demo.open(&ana).await;
    zoom(&portal).await;
    portal.0.until("$$('[data-testid=photo]').length > 0").await;
    at_work(&portal).await;
    is_whole(&portal, "the portal").await;
    portal.picture("zoom-portal").await;
    walk(&portal, "the portal at 200 %").await;
    portal.write(&"A long story, told in many words. ".repeat(20)).await;
    at_work(&portal).await;
    is_whole(&portal, "the portal, writing").await;
    portal
        .0
        .eval("$('[data-testid=photo]').closest('button').click()")
        .await;
    portal.0.until("$('[data-testid=photo-full]')?.naturalWidth > 0").await;
    is_whole(&portal, "a photo").await;

    let crm = demo.open(&demo.staff("sam")).await;
    zoom(&crm).await;
    crm.0.until("$$('[data-testid=thread-row]').length > 2").await;
    is_whole(&crm, "the list").await;
    crm.picture("zoom-list").await;
    walk(&crm, "the list at 200 %").await;
    for opener in ["new-conversation", "bell"] {
        crm.0.click(&format!("[data-testid={opener}]")).await;
        crm.0.until("$('dialog:modal')").await;
        is_whole(&crm, opener).await;
        crm.picture(&format!("zoom-{opener}")).await;
        crm.0.press("Escape").await;
    }
    crm.0.click(&row(&ana.thread)).await;
    crm.0.until("$$('[data-testid=message]').length > 0").await;
    at_work(&crm).await;
    is_whole(&crm, "a conversation").await;
    crm.picture("zoom-crm").await;
    walk(&crm, "a conversation at 200 %").await;
    crm.0.click("[data-testid=contact-toggle]").await;
    crm.0.until("$('[data-testid=contact-panel]').matches(':modal')").await;
    is_whole(&crm, "the contact's panel").await;
    for tab in [&portal, &crm] {
        tab.is_sound().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_wants_no_motion_sees_none_and_4k_is_used() {
    let demo = Demo::start().await;
    let ana = demo.customer("ana");
    let portal = demo.open(&ana).await;
    let crm = demo.crm_at("sam", &ana).await;
    let start = Tab(demo.browser.open(&demo.hub.url).await);
    start.0.until("$$('[data-testid=message]').length > 3").await;
    // A phone that buzzes, in a window where the panels are gone through sideways.
    start.0.viewport(700, 800).await;
    let buzz = "$$('crewline-phone').forEach((phone) => phone.shadowRoot.querySelector('.phone').setAttribute('data-buzz', ''))";
    start.0.eval(buzz).await;
    assert_ne!(crm.0.eval(MOVES).await, json!([]));
    let moves = start.0.eval(MOVES).await;
    for what in ["main.stage", "section.case"] {
        assert!(moves.as_array().unwrap().contains(&json!(what)), "{what} of {moves}");
    }
    let reduced = json!({"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]});
    for (tab, what) in [(&portal, "the portal"), (&crm, "the crm"), (&start, "the start page")] {
        tab.0.call("Emulation.setEmulatedMedia", reduced.clone()).await;
        assert_eq!(tab.0.eval(MOVES).await, json!([]), "{what}");
    }

    for (tab, what) in [(&portal, "portal"), (&crm, "crm")] {
        tab.0.viewport(3840, 2160).await;
        tab.0.until("innerWidth === 3840").await;
        is_whole(tab, what).await;
        at_work(tab).await;
        // Lines that are too long are not read.
        let widest = "Math.max(...$$('[data-testid=message]').map((message) => message.getBoundingClientRect().width))";
        let widest = tab.0.eval(widest).await.as_f64().unwrap();
        assert!(widest < 700.0, "{what}: {widest} pixels");
        tab.picture(&format!("4k-{what}")).await;
        tab.is_sound().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_from_right_to_left_is_the_mirror_of_the_other() {
    let demo = Demo::start().await;
    let ana = demo.customer("ana");
    let portal = Tab(axe::open(&demo.browser, &ana.page).await);
    let crm = Tab(axe::open(&demo.browser, &demo.staff("sam").page).await);
    crm.live().await;
    crm.0.click(&row(&ana.thread)).await;
    for tab in [&portal, &crm] {
        tab.0.viewport(1280, 800).await;
        tab.0.until("$$('[data-testid=message]').length > 3").await;
        tab.0.eval("document.documentElement.dir = 'rtl'").await;
    }
    // In pixels from the middle of the log, positive on its right side.
    let side = |what: &str| {
        format!(
            "(r => r.left + r.width / 2)($({what:?}).getBoundingClientRect()) - (r => r.left + r.width / 2)($('[data-testid=thread]').getBoundingClientRect())"
        )
    };
    for (tab, what) in [(&portal, "portal"), (&crm, "crm")] {
        for (part, right) in [
            (".message.own .bubble", false),
            (".message:not(.own, .handoff) .bubble", true),
            ("[data-testid=send]", false),
            (".add-photos", true),
        ] {
            let found = tab.0.eval(&side(part)).await.as_f64().unwrap();
            assert_eq!(found > 0.0, right, "{what}: {part} at {found}");
        }
        is_whole(tab, what).await;
        tab.picture(&format!("rtl-{what}")).await;
        assert_eq!(axe::violations(&tab.0).await, Vec::<String>::new(), "{what}");
    }
    // A name in other letters still begins where lines begin.
    for name in ["contact", "panel-name"] {
        let apart = format!(
            "(() => {{ const name = $('[data-testid={name}]'); const words = document.createRange(); words.selectNodeContents(name); \
             return name.getBoundingClientRect().right - words.getBoundingClientRect().right; }})()"
        );
        let apart = crm.0.eval(&apart).await.as_f64().unwrap();
        assert!(apart.abs() < 1.0, "{name}: {apart} pixels");
    }
    let list = side("crewline-inbox-list");
    assert!(crm.0.eval(&list).await.as_f64().unwrap() > 0.0, "the list is first");
    crm.0.viewport(360, 740).await;
    crm.0.until("$('[data-testid=back]').checkVisibility()").await;
    assert_eq!(
        crm.0
            .eval("getComputedStyle($('[data-testid=back] svg')).transform")
            .await,
        "matrix(-1, 0, 0, 1, 0, 0)"
    );
    for tab in [&portal, &crm] {
        tab.0.viewport(360, 740).await;
        is_whole(tab, "on a phone").await;
        tab.is_sound().await;
    }
    crm.picture("rtl-phone").await;
}
