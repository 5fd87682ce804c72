//! The demo's start page: portal, CRM and phones on one page, each for the person whose it is.

use std::path::Path;

use serde_json::json;

use crate::support::chromium::Page;
use crate::support::demo::Demo;

/// JavaScript: what matches inside of a panel, in order.
fn within(panel: &str, testid: &str) -> String {
    format!(
        "$$({}, document.querySelector({}))",
        json!(format!(r#"[data-testid="{testid}"]"#)),
        json!(format!(r#"[data-testid="panel-{panel}"]"#)),
    )
}

/// Writes in a panel's composer, behind what stands there, and sends it.
async fn write(page: &Page, panel: &str, text: &str) {
    page.eval(&format!("{}[0].focus()", within(panel, "composer"))).await;
    page.type_text(text).await;
    page.press("Enter").await;
}

/// Waits for a message (or, on a phone, a text) with these words in a panel.
async fn shows(page: &Page, panel: &str, text: &str) {
    let rows = within(panel, "text");
    page.until(&format!(
        "{rows}.some((row) => row.textContent.includes({}))",
        json!(text)
    ))
    .await;
}

async fn steps(page: &Page, done: &[&str]) {
    let told =
        "$$('.steps li').filter((step) => step.hasAttribute('data-done')).map((step) => step.dataset.testid.slice(5))";
    page.until(&format!("{told}.join() === {}", json!(done.join(","))))
        .await;
}

async fn picture(page: &Page, name: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
    page.screenshot(&folder.join(format!("start-{name}.png"))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_sees_one_conversation_at_all_its_ends() {
    let demo = Demo::start().await;
    let page = demo.browser.open(&demo.hub.url).await;
    page.viewport(1440, 900).await;
    // The conversation of the customer who is shown is open in the office.
    shows(&page, "portal", "The leak is back").await;
    shows(&page, "office", "The leak is back").await;
    shows(&page, "crew", "#1 Ana Souza: The leak is back").await;
    steps(&page, &[]).await;
    let hint = r#"$('[data-testid="hint"]').textContent"#;
    page.until(&format!("{hint}.startsWith('Write something as Ana')"))
        .await;

    write(&page, "portal", "The water runs down the wall").await;
    shows(&page, "office", "The water runs down the wall").await;
    shows(&page, "crew", "#1 Ana Souza: The water runs down the wall").await;
    steps(&page, &["written", "seen", "buzzed"]).await;
    page.until(&format!("{hint}.includes('answer on the plumber’s phone')"))
        .await;

    // The tag leads to an answer that has it.
    page.eval(&format!("{}.at(-1).click()", within("crew", "tag"))).await;
    page.until(&format!("{}[0].value === '#1 '", within("crew", "composer")))
        .await;
    write(&page, "crew", "on our way").await;
    for panel in ["portal", "office", "phone"] {
        shows(&page, panel, "on our way").await;
    }
    steps(&page, &["written", "seen", "buzzed", "answered", "read"]).await;
    write(&page, "office", "Sam is there in ten minutes").await;
    for panel in ["portal", "phone"] {
        shows(&page, panel, "Sam is there in ten minutes").await;
    }
    write(&page, "phone", "Thank you").await;
    for panel in ["portal", "office", "crew"] {
        shows(&page, panel, "Thank you").await;
    }

    // Another customer: their conversation, their phone, and nothing of Ana's.
    for panel in ["portal", "phone"] {
        page.eval(&format!("{}[0].focus()", within(panel, "composer"))).await;
        page.type_text("Ana's own").await;
    }
    page.eval(
        r#"(() => { const one = $('[data-testid="customer"]'); one.selectedIndex = 1; one.dispatchEvent(new Event('change')); })()"#,
    )
    .await;
    for panel in ["portal", "office"] {
        shows(&page, panel, "Will the water be off the whole time?").await;
        page.until(&format!(
            "!{}.some((row) => row.textContent.includes('leak'))",
            within(panel, "text")
        ))
        .await;
    }
    shows(&page, "phone", "All well with the new heater, Bob?").await;
    for panel in ["portal", "phone"] {
        page.until(&format!("{}[0].value === ''", within(panel, "composer")))
            .await;
    }
    steps(&page, &[]).await;
    write(&page, "portal", "Hello, this is Bob").await;
    shows(&page, "office", "Hello, this is Bob").await;
    steps(&page, &["written", "seen", "buzzed"]).await;
    assert_eq!(page.errors(), Vec::<String>::new(), "the page's console");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_start_page_fits_every_screen() {
    let demo = Demo::start().await;
    let page = demo.browser.open(&demo.hub.url).await;
    shows(&page, "office", "The leak is back").await;
    for (width, height, scheme) in [
        (1440, 900, "light"),
        (1920, 1080, "dark"),
        (2560, 1440, "light"),
        (3840, 2160, "dark"),
        (768, 1024, "light"),
        (360, 740, "dark"),
    ] {
        page.viewport(width, height).await;
        page.scheme(scheme).await;
        page.until(&format!("innerWidth === {width}")).await;
        let overflows = page
            .eval("document.documentElement.scrollWidth > innerWidth || document.documentElement.scrollHeight > innerHeight")
            .await;
        assert_eq!(overflows, false, "nothing is cut off at {width}");
        // Wide enough, all of them are in view with what they are written with.
        let composers = "['portal', 'office', 'crew', 'phone'].map((name) => \
             $$('[data-testid=\"send\"]', document.querySelector(`[data-testid=\"panel-${name}\"]`))[0].getBoundingClientRect()) \
             .filter((r) => r.left >= 0 && r.right <= innerWidth && r.top >= 0 && r.bottom <= innerHeight).length";
        let all = if width >= 1200 { 4 } else { 1 };
        page.until(&format!("{composers} >= {all}")).await;
        picture(&page, &format!("{width}-{scheme}")).await;
    }
    // On a phone the tabs lead to the others.
    page.click(r#"[data-testid="tab-crew"]"#).await;
    page.until(
        "(r => r.left >= 0 && r.right <= innerWidth)($('[data-testid=\"panel-crew\"]').getBoundingClientRect())",
    )
    .await;
    page.until(r#"$('[data-testid="tab-crew"]').getAttribute('aria-current') === 'true'"#)
        .await;
    page.until(r#"$('[data-testid="tab-portal"]').getAttribute('aria-current') === 'false'"#)
        .await;
    picture(&page, "360-crew").await;
    assert_eq!(page.errors(), Vec::<String>::new(), "the page's console");
}
