//! Our elements and pages in another site's page, in a browser that holds it to the rules.

use serde_json::{Value, json};

use crate::embedding::{PORTAL, RIVAL, Scene, scene};
use crate::support::chromium::Browser;

/// A site of somebody else's, with one page; returns its Origin.
async fn another_site(html: impl Fn(&str) -> String) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let html = html(&origin);
    let page = axum::routing::get(move || async move { axum::response::Html(html) });
    let site = axum::Router::new().route("/", page);
    tokio::spawn(async move { axum::serve(listener, site).await.unwrap() });
    origin
}

async fn list(scene: &Scene, origins: Value) {
    let settings = json!({"name": "acme Plumbing", "origins": origins});
    scene
        .hub
        .put(&scene.acme.service, "/v1/orgs/acme", &settings)
        .await
        .ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_sites_page_has_the_conversation_and_the_badge() {
    let scene = scene().await;
    let (hub, token) = (scene.hub.url.clone(), scene.ana.token.clone());
    let sam = scene.sam.join(&scene.hub).await;
    sam.say(scene.ana.thread(), "We are on our way").await;
    let origin = another_site(|_| {
        // All at once and one of them alone: still, there is one of each.
        format!(
            r#"<!doctype html><title>Acme</title><link rel="icon" href="data:,">
               <script type="module" src="{hub}/ui/crewline.js"></script>
               <script type="module" src="{hub}/ui/badge.js"></script>
               <crewline-badge token="{token}"></crewline-badge>
               <crewline-thread token="{token}" style="display: block; height: 500px"></crewline-thread>"#
        )
    })
    .await;
    list(&scene, json!([origin])).await;
    let browser = Browser::start().await;
    let page = browser.open(&format!("{origin}/")).await;
    let in_thread =
        |what: &str| format!("document.querySelector('crewline-thread').shadowRoot.querySelector('{what}')");
    page.until(&format!(
        "{}.dataset.state === 'live' && {}.textContent === 'We are on our way'",
        in_thread("[data-testid=state]"),
        in_thread("[data-testid=text]")
    ))
    .await;
    // What an HTTP answer says reaches the page, too.
    let asked = format!(
        "fetch('{hub}/v1/threads/{}', {{headers: {{authorization: 'Bearer {token}'}}}}).then((answer) => answer.json())",
        scene.ana.thread()
    );
    assert_eq!(page.eval(&asked).await["contact"]["name"], "Ana Souza");
    page.screenshot(&std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser/embedded.png"))
        .await;
    assert_eq!(page.errors(), Vec::<String>::new());

    // On a site that is not on the list nothing opens.
    list(&scene, json!([])).await;
    page.reload().await;
    page.until("customElements.get('crewline-thread')").await;
    let refused = page.eval(&format!("{asked}.then(() => 'read', () => 'refused')")).await;
    assert_eq!(refused, "refused");
    let live = page
        .eval(&format!(
            "{}?.dataset.state === 'live'",
            in_thread("[data-testid=state]")
        ))
        .await;
    assert_eq!(live, false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_is_held_in_a_frame_by_the_sites_of_its_org_alone() {
    let scene = scene().await;
    let framed_by = async |path: &str| {
        let page = scene.hub.send("GET", path, &[], None).await;
        assert_eq!(page.status, 200, "{path}");
        let policy = page.header("content-security-policy").expect("a policy");
        let ancestors = policy
            .split("; ")
            .filter_map(|one| one.strip_prefix("frame-ancestors "));
        let ancestors: Vec<_> = ancestors.map(str::to_owned).collect();
        assert_eq!(ancestors.len(), 1, "{policy}");
        ancestors[0].clone()
    };
    for page in ["portal", "crm"] {
        assert_eq!(
            framed_by(&format!("/{page}?org=acme")).await,
            format!("'self' {PORTAL}")
        );
        assert_eq!(
            framed_by(&format!("/{page}?org=rival")).await,
            format!("'self' {RIVAL}")
        );
        for query in [
            "",
            "?org=nobody",
            "?org=",
            "?org=../acme",
            "?org=acme&org=rival",
            "?org=%00",
        ] {
            assert_eq!(framed_by(&format!("/{page}{query}")).await, "'none'", "{query}");
        }
    }
    for path in ["/", "/?org=acme", "/phones", "/phones?org=acme"] {
        assert_eq!(framed_by(path).await, "'none'", "{path}");
    }

    let hub = scene.hub.url.clone();
    let origin = another_site(|_| {
        format!(
            r#"<!doctype html><title>Acme</title>
               <iframe src="{hub}/portal?org=acme#token={0}"></iframe>
               <iframe src="{hub}/portal?org=rival#token={0}"></iframe>
               <iframe src="{hub}/portal#token={0}"></iframe>
               <iframe src="{hub}/"></iframe>"#,
            scene.ana.token
        )
    })
    .await;
    list(&scene, json!([origin])).await;
    let sam = scene.sam.join(&scene.hub).await;
    sam.say(scene.ana.thread(), "Are you there?").await;
    let browser = Browser::start().await;
    let page = browser.open(&format!("{origin}/")).await;
    let frames = page.frames().await;
    assert!(frames[0].starts_with(&format!("{hub}/portal?org=acme")), "{frames:?}");
    for refused in &frames[1..] {
        assert!(refused.starts_with("chrome-error:"), "{frames:?}");
    }
    // The one that is held works: what is delivered there is told.
    sam.until("delivered in the frame", |s| {
        s.changes
            .iter()
            .any(|change| change["kind"] == "receipt" && change["side"] == "customer")
    })
    .await;
}
