//! The pages in a real browser: a customer, two of the crew, and what each of them sees.

use serde_json::Value;

use crate::redis::Redis;
use crate::support::chromium::Browser;
use crate::support::pages::{Cast, Tab, row};
use crate::support::{Hub, Nodes};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_between_a_customer_and_two_of_the_crew() {
    conversation(Cast::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_conversation_with_the_crew_at_another_node() {
    let redis = Redis::start();
    let nodes = Nodes::on(redis.url()).await;
    let hub = nodes.node().await;
    let crew = nodes.node().await;
    conversation(Cast::on(hub, Some(crew)).await).await;
}

async fn conversation(cast: Cast) {
    let thread = cast.ana.thread().to_owned();
    let (sam, kim) = (cast.crm("sam", "Sam Ortiz").await, cast.crm("kim", "Kim Doyle").await);
    let ana = cast.portal(&cast.ana).await;
    for crew in [&sam, &kim] {
        crew.badge(0).await;
    }

    // What Ana writes is in both lists at once, flagged new and waiting.
    ana.say("The leak is back").await;
    ana.say("Under the sink").await;
    ana.shows(&["The leak is back", "Under the sink"]).await;
    for crew in [&sam, &kim] {
        crew.flags(&thread, true, true).await;
        crew.badge(1).await;
        let text = format!(r#"$('{} [data-testid="row-text"]').textContent"#, row(&thread));
        crew.0.until(&format!("{text} === 'Under the sink'")).await;
    }
    ana.receipt("Under the sink", "Delivered").await;

    // Sam reads: the receipt moves for Ana, "new" and the badge clear for both; "waiting" stays.
    sam.0.click(&row(&thread)).await;
    sam.shows(&["The leak is back", "Under the sink"]).await;
    for crew in [&sam, &kim] {
        crew.flags(&thread, false, true).await;
        crew.badge(0).await;
        crew.waiting(1).await;
    }
    ana.receipt("Under the sink", "Read").await;
    // A page that is loaded afresh finds the same, so it is the hub that says so.
    kim.0.reload().await;
    kim.flags(&thread, false, true).await;
    ana.picture("portal-read").await;
    sam.picture("crm-read").await;

    // Kim answers, while Ana looks elsewhere: that clears "waiting", and Ana has a badge.
    ana.0.focus(false).await;
    kim.0.click(&row(&thread)).await;
    kim.shows(&["The leak is back", "Under the sink"]).await;
    kim.say("On our way").await;
    for crew in [&sam, &kim] {
        crew.flags(&thread, false, false).await;
        crew.waiting(0).await;
        crew.shows(&["The leak is back", "Under the sink", "On our way"]).await;
        crew.receipt("On our way", "Delivered").await;
        assert!(!crew.shown().await[2][3].contains("Read"), "Ana has not looked yet");
    }
    ana.shows(&["The leak is back", "Under the sink", "On our way"]).await;
    ana.badge(1).await;
    // She looks: the badge clears, and the crew sees that she has read.
    ana.0.focus(true).await;
    ana.badge(0).await;
    for crew in [&sam, &kim] {
        crew.receipt("On our way", "Read").await;
    }

    // A note is the crew's alone. The message after it shows that everything before has arrived.
    sam.0.click(r#"[data-testid="note-toggle"]"#).await;
    sam.say("Bring the long ladder").await;
    kim.shows(&[
        "The leak is back",
        "Under the sink",
        "On our way",
        "Bring the long ladder",
    ])
    .await;
    sam.0.click(r#"[data-testid="note-toggle"]"#).await;
    sam.say("See you at nine").await;
    let all = [
        "The leak is back",
        "Under the sink",
        "On our way",
        "Bring the long ladder",
        "See you at nine",
    ];
    for crew in [&sam, &kim] {
        crew.shows(&all).await;
        let notes = crew.0.eval(r#"$$('[data-testid="note"]').length"#).await;
        assert_eq!(notes, 1);
    }
    ana.shows(&["The leak is back", "Under the sink", "On our way", "See you at nine"])
        .await;
    let page = ana
        .0
        .eval("document.documentElement.outerHTML + JSON.stringify({...localStorage})")
        .await;
    assert!(
        !page.as_str().unwrap().contains("ladder"),
        "a note reached the customer's page"
    );

    // Everybody sees who wrote, and when.
    let names = |shown: &[[String; 4]]| shown.iter().map(|[name, ..]| name.clone()).collect::<Vec<_>>();
    let at_ana = ana.shown().await;
    assert_eq!(names(&at_ana), ["You", "You", "Kim Doyle", "Sam Ortiz"]);
    let expected = ["Ana Souza", "Ana Souza", "Kim Doyle", "Sam Ortiz", "Sam Ortiz"];
    assert_eq!(names(&sam.shown().await), expected);
    assert_eq!(names(&kim.shown().await), expected);
    let is_clock = |[_, time, ..]: &[String; 4]| time.contains(':') && time.starts_with(|c: char| c.is_ascii_digit());
    assert!(at_ana.iter().all(is_clock), "{at_ana:?}");
    for (tab, name) in [(&ana, "portal-end"), (&sam, "crm-sam-end"), (&kim, "crm-kim-end")] {
        tab.picture(name).await;
        tab.is_sound().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_needs_no_answer_is_marked_handled_and_the_filters_follow() {
    let cast = Cast::start().await;
    let bob = cast.org.customer(&cast.hub, "bob", "Bob Hale").await;
    for person in [&cast.ana, &bob] {
        person
            .join(&cast.hub)
            .await
            .say(person.thread(), "Thank you, all is dry")
            .await;
    }
    let (sam, kim) = (cast.crm("sam", "Sam Ortiz").await, cast.crm("kim", "Kim Doyle").await);
    let listed = |count: usize| format!(r#"$$('[data-testid="thread-row"]').length === {count}"#);
    kim.0.click(r#"[data-testid="filter-waiting"]"#).await;
    kim.0.until(&listed(2)).await;
    sam.0.click(&row(cast.ana.thread())).await;
    sam.flags(cast.ana.thread(), false, true).await;
    sam.0.click(r#"[data-testid="handled"]"#).await;
    sam.flags(cast.ana.thread(), false, false).await;
    // For Kim it leaves the list of those who wait, by itself.
    kim.0.until(&listed(1)).await;
    kim.flags(bob.thread(), true, true).await;
    kim.0.click(r#"[data-testid="filter-new"]"#).await;
    kim.0.until(&listed(1)).await;
    kim.0.click(r#"[data-testid="filter-all"]"#).await;
    kim.0.until(&listed(2)).await;
    kim.badge(1).await;
    sam.is_sound().await;
    kim.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scrolling_back_ends_at_the_start_of_the_conversation_with_nothing_left_out() {
    let cast = Cast::start().await;
    let thread = cast.ana.thread();
    let writer = cast.ana.join(&cast.hub).await;
    let expected: Vec<_> = (0..230)
        .map(|n| format!("message {n}, {}", "and so on ".repeat(n % 7)))
        .collect();
    let expected: Vec<_> = expected.iter().map(|text| text.trim().to_owned()).collect();
    for text in &expected {
        writer.say(thread, text).await;
    }
    let (ana, sam) = (cast.portal(&cast.ana).await, cast.crm("sam", "Sam Ortiz").await);
    sam.0.click(&row(thread)).await;
    for tab in [&ana, &sam] {
        tab.0.until(r#"$$('[data-testid="message"]').length > 0"#).await;
        let at_first = tab.texts().await.len();
        assert!(
            at_first < expected.len(),
            "at first only the newest are loaded, not {at_first}"
        );
        tab.0
            .until(
                r#"($('[data-testid="thread"]').scrollTop = 0,
                    !$('[data-testid="start"]').hidden)"#,
            )
            .await;
        let start = tab.0.eval(r#"$('[data-testid="start"]').textContent"#).await;
        assert_eq!(start, "Start of the conversation");
        // What is far from the view is folded, so it is read on the way down.
        let all = tab
            .0
            .eval(
                r#"(async () => {
                    const log = $('[data-testid="thread"]');
                    const found = new Map();
                    for (let before = -1; before !== log.scrollTop;) {
                        for (const row of $$('[data-testid="message"]'))
                            found.set(Number(row.dataset.seq), row.querySelector('[data-testid="text"]').textContent);
                        before = log.scrollTop;
                        log.scrollTop += 500;
                        for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
                    }
                    return [...found].sort(([one], [other]) => one - other).map(([, text]) => text);
                })()"#,
            )
            .await;
        assert_eq!(all, serde_json::json!(expected));
        tab.is_sound().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_waits_outlives_a_reload_and_a_dead_hub_and_is_sent_once() {
    let mut cast = Cast::start().await;
    let ana = cast.portal(&cast.ana).await;
    // The network swallows what the page sends, and says nothing.
    ana.0.eval("WebSocket.prototype.send = function () {}").await;
    ana.say("Sent into the void").await;
    ana.shows(&["Sent into the void"]).await;
    let numbered = |text: &str| {
        format!(
            r#"[...$$('[data-testid="message"][data-seq]')]
             .some(m => m.querySelector('[data-testid="text"]').textContent === '{text}')"#
        )
    };
    assert_eq!(
        ana.0.eval(&numbered("Sent into the void")).await,
        false,
        "nobody has it yet"
    );
    ana.0.reload().await;
    ana.0.until(&numbered("Sent into the void")).await;

    // The hub dies; what is written now waits, and goes when it is back.
    cast.hub.kill9();
    ana.say("Written in the dark").await;
    ana.receipt("Written in the dark", "Waiting").await;
    ana.0
        .until(r#"$('[data-testid="state"]').textContent.includes('Offline')"#)
        .await;
    ana.picture("portal-offline").await;
    cast.hub.restart().await;
    ana.0.until(&numbered("Written in the dark")).await;
    ana.live().await;
    ana.shows(&["Sent into the void", "Written in the dark"]).await;

    let log = cast.org.log(&cast.hub).await;
    let texts: Vec<_> = log.iter().filter_map(|record| record["text"].as_str()).collect();
    assert_eq!(texts, ["Sent into the void", "Written in the dark"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_fit_a_phone_in_the_dark() {
    let cast = Cast::start().await;
    let endless = "w".repeat(300);
    let wire = cast.ana.join(&cast.hub).await;
    wire.say(cast.ana.thread(), &endless).await;
    wire.say(
        cast.ana.thread(),
        "https://example.test/a/rather/long/address?with=a&query=of&some=length#and-more",
    )
    .await;
    let (portal, crm) = (cast.portal(&cast.ana).await, cast.crm("sam", "Sam Ortiz").await);
    for (tab, name) in [(&portal, "portal"), (&crm, "crm")] {
        tab.0.viewport(360, 640).await;
        tab.0.scheme("dark").await;
        tab.picture(&format!("{name}-phone-dark")).await;
        if name == "crm" {
            tab.0.click(&row(cast.ana.thread())).await;
        }
        tab.0.until(r#"$$('[data-testid="message"]').length === 2"#).await;
        tab.picture(&format!("{name}-phone-dark-thread")).await;
        let wide = tab.0.eval("document.documentElement.scrollWidth - innerWidth").await;
        assert_eq!(wide, 0, "{name} scrolls sideways");
        let inside = tab.0.eval(
            r#"(r => r.top >= 0 && r.bottom <= innerHeight && r.right <= innerWidth)
               ($('[data-testid="send"]').getBoundingClientRect())"#,
        );
        assert_eq!(inside.await, true, "{name}: the button is within reach");
        let background = tab
            .0
            .eval("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)")
            .await;
        let light: f64 = background.as_array().unwrap().iter().filter_map(Value::as_f64).sum();
        assert!(light < 3.0 * 80.0, "{name} is not dark: {background}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_opens_by_its_links_alone() {
    let hub = Hub::with(&[]).await;
    let browser = Browser::start().await;
    let start = browser.open(&hub.url).await;
    // And one to their phones.
    let links = 1 + hub.demo["customers"].as_array().unwrap().len() + hub.demo["staff"].as_array().unwrap().len();
    start.until(&format!("$$('#people a').length === {links}")).await;
    let (customer, staff) = (&hub.demo["customers"][0], &hub.demo["staff"][0]);
    let link = |person: &Value| {
        let page = person["page"].as_str().expect("a page");
        if page.starts_with("http") {
            page.to_owned()
        } else {
            format!("{}{page}", hub.url)
        }
    };
    let (portal, crm) = (
        Tab(browser.open(&link(customer)).await),
        Tab(browser.open(&link(staff)).await),
    );
    portal.live().await;
    crm.live().await;
    crm.0.click(&row(customer["thread"].as_str().unwrap())).await;
    portal.say("Hello from the demo").await;
    crm.0
        .until(r#"[...$$('[data-testid="text"]')].some(t => t.textContent === 'Hello from the demo')"#)
        .await;
    crm.say("Hello back").await;
    portal
        .0
        .until(r#"[...$$('[data-testid="text"]')].some(t => t.textContent === 'Hello back')"#)
        .await;
    portal.is_sound().await;
    crm.is_sound().await;
}
