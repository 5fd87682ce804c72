//! `examples/embed.html` as another site serves it: its own address, its own sign-in, its own style.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use serde_json::{Value, json};

use crate::support::axe;
use crate::support::chromium::{Browser, Page};
use crate::support::{Hub, Org, PATIENCE, Person};

const PAGE: &str = include_str!("../../examples/embed.html");

/// The site, and how often its page asked for a token.
struct Site {
    origin: String,
    asked: Arc<AtomicUsize>,
}

/// Serves the example with the hub's address in it, under a policy as strict as the elements allow, and a
/// token to whoever is signed in.
async fn site(hub: &Hub, token: &str) -> Site {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::<AtomicUsize>::default();
    let html = PAGE.replace("https://hub.example", &hub.url);
    assert_ne!(html, PAGE, "the example names the hub");
    let policy = format!(
        "default-src 'none'; script-src {0}; connect-src 'self' {0} {1}; img-src blob: data:; style-src 'unsafe-inline'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        hub.url,
        hub.url.replacen("http", "ws", 1)
    );
    let page = get(move || async move {
        let headers = [
            (header::CONTENT_SECURITY_POLICY, policy),
            (header::SET_COOKIE, "session=ana".to_owned()),
        ];
        (headers, Html(html))
    });
    let (token, count) = (token.to_owned(), Arc::clone(&asked));
    let token = get(move |headers: HeaderMap| async move {
        count.fetch_add(1, Ordering::Relaxed);
        if headers
            .get(header::COOKIE)
            .is_some_and(|cookie| cookie == "session=ana")
        {
            token.into_response()
        } else {
            StatusCode::FORBIDDEN.into_response()
        }
    });
    let app = axum::Router::new()
        .route("/", page)
        .route("/crewline-token", token)
        .route("/favicon.ico", get(|| async { StatusCode::NO_CONTENT }));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    Site { origin, asked }
}

struct Scene {
    hub: Hub,
    org: Org,
    ana: Person,
    sam: Person,
    site: Site,
    browser: Browser,
}

impl Scene {
    async fn set() -> Self {
        let hub = Hub::start().await;
        let org = Org::make(&hub, "acme").await;
        let ana = org.customer(&hub, "ana", "Ana Souza").await;
        let sam = org.staff("sam", "Sam Ortiz");
        let site = site(&hub, &ana.token).await;
        let browser = Browser::start().await;
        Self {
            hub,
            org,
            ana,
            sam,
            site,
            browser,
        }
    }

    async fn list(&self, origins: Value) {
        let settings = json!({"name": "Acme Plumbing", "origins": origins});
        self.hub.put(&self.org.service, "/v1/orgs/acme", &settings).await.ok();
    }

    /// How many are signed in.
    async fn sockets(&self) -> u64 {
        let metrics = self.hub.ask("GET", "/metrics", None, None).await.text;
        let line = metrics.lines().find(|line| line.starts_with("crewline_connections "));
        line.and_then(|line| line.split(' ').next_back()?.parse().ok())
            .expect("a number")
    }

    async fn open(&self) -> Page {
        let page = self.browser.blank().await;
        page.watch_requests().await;
        page.viewport(1280, 900).await;
        page.go(&self.site.origin).await;
        page
    }
}

const LIVE: &str = "$('[data-testid=state]')?.dataset.state === 'live'";

fn says(text: &str) -> String {
    format!(
        "$$('[data-testid=message] [data-testid=text]').some((e) => e.textContent === {})",
        json!(text)
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_talks_on_another_sites_page() {
    let scene = Scene::set().await;
    scene.list(json!([scene.site.origin])).await;
    let sam = scene.sam.join(&scene.hub).await;
    sam.say(scene.ana.thread(), "We are on our way").await;
    let page = scene.open().await;
    page.until(LIVE).await;
    page.until(&says("We are on our way")).await;
    assert_eq!(
        scene.site.asked.load(Ordering::Relaxed),
        1,
        "both elements share one person's token"
    );

    // She writes; the crew has it.
    page.click("[data-testid=composer]").await;
    page.type_text("Ring twice, please").await;
    page.press("Enter").await;
    sam.until("her message", |s| {
        s.changes.iter().any(|c| c["text"] == "Ring twice, please")
    })
    .await;

    // While nobody looks the badge counts, and stops when somebody does.
    page.until("document.querySelector('crewline-badge').count === 0").await;
    page.focus(false).await;
    sam.say(scene.ana.thread(), "Sure").await;
    sam.say(scene.ana.thread(), "Ten minutes").await;
    page.until("document.querySelector('crewline-badge').count === 2").await;
    page.focus(true).await;
    page.until("document.querySelector('crewline-badge').count === 0").await;

    for (size, width, height) in [("wide", 1280, 900), ("phone", 360, 740)] {
        page.viewport(width, height).await;
        assert_eq!(
            page.eval("document.documentElement.scrollWidth <= innerWidth").await,
            true,
            "{size}"
        );
        let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
        page.screenshot(&folder.join(format!("embed-{size}.png"))).await;
    }
    assert_eq!(page.errors(), Vec::<String>::new());

    // The last one that leaves hangs up.
    page.eval("document.querySelector('crewline-thread').remove()").await;
    sam.say(scene.ana.thread(), "Are you there?").await;
    page.until("document.querySelector('crewline-badge').count === 1").await;
    assert_eq!(scene.sockets().await, 2, "hers and Sam's");
    page.eval("document.querySelector('crewline-badge').remove()").await;
    let start = Instant::now();
    while scene.sockets().await > 1 {
        assert!(start.elapsed() < PATIENCE, "her socket outlives the elements");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    let looked_at = axe::open(&scene.browser, &scene.site.origin).await;
    looked_at.until(&says("Ten minutes")).await;
    assert_eq!(axe::violations(&looked_at).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_site_that_is_not_listed_nothing_opens_and_it_is_said() {
    let scene = Scene::set().await;
    let sam = scene.sam.join(&scene.hub).await;
    sam.say(scene.ana.thread(), "We are on our way").await;
    for origins in [json!([]), json!(["https://portal.acme.test"])] {
        scene.list(origins).await;
        let page = scene.open().await;
        page.until("/may not/i.test($('[data-testid=state]')?.textContent ?? '')")
            .await;
        assert_eq!(page.eval("$$('[data-testid=message]').length").await, 0);
        assert_eq!(page.eval("document.querySelector('crewline-badge').count").await, 0);
        let told = page.eval("$$('*').map((e) => e.textContent).join(' ')").await;
        assert!(!told.as_str().unwrap().contains("on our way"), "{told}");
        let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
        page.screenshot(&folder.join("embed-not-listed.png")).await;
    }
}

/// Elements of a conversation, and what of their style a page's own rules might bend.
const STYLES: &str = "
    (() => {
        const names = ['[data-testid=message] [data-testid=text]', '[data-testid=message] [data-testid=time]', '[data-testid=composer]',
            '[data-testid=send]', '[data-testid=message]', '[data-testid=badge]'];
        const properties = ['fontSize', 'lineHeight', 'letterSpacing', 'wordSpacing', 'textTransform', 'textIndent', 'textAlign',
            'whiteSpace', 'fontStyle', 'fontWeight', 'boxSizing', 'position', 'display', 'visibility', 'cursor',
            'paddingTop', 'paddingLeft', 'marginTop', 'borderTopWidth', 'minHeight'];
        return names.map((name) => {
            const style = getComputedStyle($(name));
            return [name, ...properties.map((property) => `${property}: ${style[property]}`)];
        });
    })()
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_page_nor_elements_bend_each_others_style() {
    let scene = Scene::set().await;
    scene.list(json!([scene.site.origin, scene.hub.url])).await;
    let sam = scene.sam.join(&scene.hub).await;
    let ready = format!("{LIVE} && {}", says("We are on our way"));
    let there = scene.open().await;
    let here = scene
        .browser
        .open(&format!("{}/portal#token={}", scene.hub.url, scene.ana.token))
        .await;
    here.viewport(1280, 900).await;
    for page in [&there, &here] {
        page.until(LIVE).await;
        page.focus(false).await;
    }
    sam.say(scene.ana.thread(), "We are on our way").await;
    for page in [&there, &here] {
        page.until(&ready).await;
        page.until("$('[data-testid=badge]') && !$('[data-testid=badge]').hidden")
            .await;
    }
    let (bent, straight) = (there.eval(STYLES).await, here.eval(STYLES).await);
    for (bent, straight) in bent.as_array().unwrap().iter().zip(straight.as_array().unwrap()) {
        assert_eq!(bent, straight, "the page's own rules reach in");
    }
    // What the page says by name arrives: its font and its colour.
    let told = "(() => { const s = getComputedStyle($('[data-testid=composer]')); return [s.fontFamily, s.getPropertyValue('--accent')]; })()";
    let told = there.eval(told).await;
    assert!(told[0].as_str().unwrap().starts_with("Georgia"), "{told}");
    assert_eq!(told[1], "#9a3412", "{told}");

    // And the page is as it was without the elements.
    let look = "['h1', '.visit p', 'header a', 'body', 'html', 'main'].map((name) => { const s = getComputedStyle(document.querySelector(name)); \
         return [s.font, s.color, s.letterSpacing, s.padding, s.marginTop, s.colorScheme, s.textAlign, s.backgroundColor].join(' | '); })";
    let with = there.eval(look).await;
    there
        .eval("document.querySelectorAll('crewline-thread, crewline-badge, script').forEach((e) => e.remove())")
        .await;
    assert_eq!(with, there.eval(look).await);
    assert_eq!(there.eval("document.adoptedStyleSheets.length").await, 0);
}
