//! What another site's page may ask with a person's token. It must be on the list of the person's org.

use serde_json::{Value, json};

use crate::support::hub::Answer;
use crate::support::{Hub, Org, Person, fresh_id};

pub const PORTAL: &str = "https://portal.acme.test";
pub const RIVAL: &str = "https://rival.test";
const UNLISTED: &str = "https://evil.test";

pub struct Scene {
    pub hub: Hub,
    pub acme: Org,
    pub rival: Org,
    pub ana: Person,
    pub sam: Person,
}

pub async fn scene() -> Scene {
    let hub = Hub::start().await;
    let acme = Org::with(&hub, "acme", json!({"origins": [PORTAL], "color": "#1F6a73"})).await;
    let rival = Org::with(&hub, "rival", json!({"origins": [RIVAL]})).await;
    let ana = acme.customer(&hub, "ana", "Ana Souza").await;
    let sam = acme.staff("sam", "Sam Ortiz");
    Scene {
        hub,
        acme,
        rival,
        ana,
        sam,
    }
}

/// The names of all headers by which CORS allows something.
fn allowed(answer: &Answer) -> Vec<&str> {
    let names = answer.headers.iter().map(|(name, _)| name.as_str());
    names.filter(|name| name.starts_with("access-control-")).collect()
}

fn varies_by_origin(answer: &Answer) -> bool {
    let varies = answer.header("vary").unwrap_or_default().to_ascii_lowercase();
    varies.split(',').any(|one| one.trim() == "origin")
}

/// As a browser asks before it lets a page of another site ask.
pub async fn preflight(hub: &Hub, origin: &str, method: &str, path: &str) -> Answer {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", method),
        ("access-control-request-headers", "authorization,content-type"),
    ];
    hub.send("OPTIONS", path, &headers, None).await
}

/// With a token, from a page of this Origin.
async fn from(hub: &Hub, origin: &str, token: &str, path: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    hub.send("GET", path, &[("origin", origin), ("authorization", &bearer)], None)
        .await
}

/// Each route that pages ask, with a method that it has.
fn asked_by_pages(scene: &Scene) -> Vec<(&'static str, String)> {
    let thread = scene.ana.thread();
    let of_thread = |what: &str| format!("/v1/threads/{thread}{what}");
    vec![
        ("GET", "/v1/inbox".into()),
        ("GET", "/v1/contacts?q=ana".into()),
        ("POST", "/v1/contacts".into()),
        ("GET", of_thread("")),
        ("GET", of_thread("/messages")),
        ("POST", of_thread("/messages")),
        ("POST", of_thread("/resend")),
        ("POST", of_thread("/attach")),
        ("POST", "/v1/unrouted/1/route".into()),
        ("GET", "/v1/unrouted".into()),
        ("GET", "/v1/line".into()),
        ("GET", "/v1/search?q=leak".into()),
        ("POST", "/v1/photos".into()),
        ("GET", "/v1/photos/none".into()),
        ("GET", "/v1/photos/none/link".into()),
    ]
}

/// The paths that the pages' client names, with a star for what it fills in.
fn named_by_the_client() -> Vec<String> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/ui/client/requests.js");
    let source = std::fs::read_to_string(file).unwrap();
    let named = source.match_indices("/v1/").map(|(at, _)| {
        let quote = source[..at].chars().next_back().unwrap();
        let path = source[at..].split(quote).next().unwrap();
        let mut parts = path.split("${");
        let first = parts.next().unwrap().to_owned();
        parts.fold(first, |path, part| path + "*" + part.split_once('}').unwrap().1)
    });
    named.collect()
}

fn is_of(path: &str, template: &str) -> bool {
    let path = path.split('?').next().unwrap();
    path.split('/').count() == template.split('/').count()
        && path
            .split('/')
            .zip(template.split('/'))
            .all(|(is, of)| of == "*" || is == of)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_signs_in_is_told_the_business_and_its_color_and_no_other_setting() {
    let scene = scene().await;
    let sam = scene.sam.join(&scene.hub).await;
    let ana = scene.ana.join(&scene.hub).await;
    for client in [&ana, &sam] {
        let welcome = client.state().welcome.clone().unwrap();
        assert_eq!(welcome["org"], json!({"name": "acme Plumbing", "color": "#1F6a73"}));
    }
    let plain = scene.rival.staff("kim", "Kim Doyle").join(&scene.hub).await;
    let welcome = plain.state().welcome.clone().unwrap();
    assert_eq!(welcome["org"], json!({"name": "rival Plumbing"}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_color_that_is_none_is_refused_and_the_settings_stay() {
    let scene = scene().await;
    for color in [
        json!("red"),
        json!("#fff"),
        json!("#1f6a73 "),
        json!("#1f6a7g"),
        json!(7),
    ] {
        let settings = json!({"name": "Acme", "color": color});
        let refused = scene.hub.put(&scene.acme.service, "/v1/orgs/acme", &settings).await;
        assert_eq!((refused.status, refused.code().as_str()), (422, "bad_field"), "{color}");
    }
    let ana = scene.ana.join(&scene.hub).await;
    assert_eq!(ana.state().welcome.as_ref().unwrap()["org"]["name"], "acme Plumbing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listed_site_may_ask_whatever_pages_ask() {
    let scene = scene().await;
    let listed = asked_by_pages(&scene);
    let named = named_by_the_client();
    assert!(named.len() >= 10, "{named:?}");
    for template in named {
        let known = listed.iter().any(|(_, path)| is_of(path, &template));
        assert!(known, "pages ask {template}, and nobody looks whether they may");
    }
    for (method, path) in listed {
        let asked = preflight(&scene.hub, PORTAL, method, &path).await;
        let what = format!("{method} {path}");
        assert_eq!(asked.status, 204, "{what}");
        assert_eq!(
            asked.header("access-control-allow-origin").as_deref(),
            Some(PORTAL),
            "{what}"
        );
        let methods = asked.header("access-control-allow-methods").unwrap();
        assert!(
            methods.split(", ").any(|allowed| allowed == method),
            "{what}: {methods}"
        );
        assert_eq!(
            asked.header("access-control-allow-headers").as_deref(),
            Some("authorization, content-type"),
            "{what}"
        );
        let age: u32 = asked.header("access-control-max-age").unwrap().parse().unwrap();
        assert!((3_600..=86_400).contains(&age), "{what}: {age} s");
        assert!(varies_by_origin(&asked), "{what}");
        assert_eq!(
            asked.header("access-control-allow-credentials"),
            None,
            "there are no cookies"
        );
    }
    // When to ask again is not shown to pages unless it is named.
    let got = from(&scene.hub, PORTAL, &scene.sam.token, "/v1/inbox").await;
    assert_eq!(
        got.header("access-control-expose-headers").as_deref(),
        Some("retry-after")
    );
    // Answers, also those that refuse: a page must be able to read why.
    let thread = format!("/v1/threads/{}", scene.ana.thread());
    let expired = scene.sam.claims.clone().expires_in(-3_600).mint();
    for (status, token, path) in [
        (200, scene.sam.token.as_str(), thread.as_str()),
        (200, &scene.ana.token, &thread),
        (200, &scene.sam.token, "/v1/inbox"),
        (401, "nonsense", "/v1/inbox"),
        (401, &expired, "/v1/inbox"),
        (403, &scene.ana.token, "/v1/inbox"),
        (404, &scene.sam.token, "/v1/threads/none"),
        (404, &scene.sam.token, "/v1/photos/none"),
        (405, &scene.sam.token, "/v1/unrouted/1/route"),
        (400, &scene.sam.token, "/v1/inbox?filter=none"),
    ] {
        let got = from(&scene.hub, PORTAL, token, path).await;
        assert_eq!(got.status, status, "{path}: {}", got.text);
        assert_eq!(
            got.header("access-control-allow-origin").as_deref(),
            Some(PORTAL),
            "{status} {path}"
        );
        assert!(varies_by_origin(&got), "{status} {path}");
    }
    let bearer = format!("Bearer {}", scene.ana.token);
    let headers = [("origin", PORTAL), ("authorization", bearer.as_str())];
    let said = json!({"id": fresh_id(), "text": "from another site"});
    let got = scene
        .hub
        .send("POST", &format!("{thread}/messages"), &headers, Some(&said))
        .await;
    assert_eq!(
        (got.status, got.header("access-control-allow-origin").as_deref()),
        (201, Some(PORTAL))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_that_nobody_lists_is_told_nothing() {
    let scene = scene().await;
    let look_alikes = [
        UNLISTED,
        "null",
        "https://portal.acme.test.evil.test",
        "https://sub.portal.acme.test",
        "http://portal.acme.test",
        "https://portal.acme.test:444",
        "*",
    ];
    for origin in look_alikes {
        for (method, path) in asked_by_pages(&scene) {
            let asked = preflight(&scene.hub, origin, method, &path).await;
            assert_eq!(allowed(&asked), Vec::<&str>::new(), "{origin}: {method} {path}");
        }
        for (token, status) in [(scene.sam.token.as_str(), 403), ("nonsense", 401)] {
            let got = from(&scene.hub, origin, token, "/v1/inbox").await;
            assert_eq!(got.status, status, "{origin}");
            assert_eq!(allowed(&got), Vec::<&str>::new(), "{origin}");
            assert!(varies_by_origin(&got), "no cache may hand this to a listed site");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_of_another_org_may_not_ask_with_this_ones_tokens() {
    let scene = scene().await;
    let thread = format!("/v1/threads/{}", scene.ana.thread());
    for token in [&scene.ana.token, &scene.sam.token] {
        let got = from(&scene.hub, RIVAL, token, &thread).await;
        assert_eq!((got.status, got.code().as_str()), (403, "forbidden"));
        assert_eq!(
            got.header("access-control-allow-origin").as_deref(),
            Some(RIVAL),
            "it may read why"
        );
        assert!(!got.text.contains("Ana"), "{}", got.text);
    }
    let bearer = format!("Bearer {}", scene.ana.token);
    let headers = [("origin", RIVAL), ("authorization", bearer.as_str())];
    let said = json!({"id": fresh_id(), "text": "from a rival's site"});
    let got = scene
        .hub
        .send("POST", &format!("{thread}/messages"), &headers, Some(&said))
        .await;
    assert_eq!((got.status, got.code().as_str()), (403, "forbidden"));
    let log = scene.acme.log(&scene.hub).await;
    assert!(log.iter().all(|record| record["kind"] != "message"), "nothing was said");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hubs_own_pages_and_those_who_are_no_page_ask_as_before() {
    let hub = Hub::with(&[("CREWLINE_ORIGINS", "https://Crm.Everywhere.test")]).await;
    let acme = Org::make(&hub, "acme").await;
    let sam = acme.staff("sam", "Sam Ortiz");
    let own = hub.url.clone();
    for origin in [own.as_str(), "https://crm.everywhere.test"] {
        let got = from(&hub, origin, &sam.token, "/v1/inbox").await;
        assert_eq!(
            (got.status, got.header("access-control-allow-origin").as_deref()),
            (200, Some(origin))
        );
    }
    let bearer = format!("Bearer {}", sam.token);
    let got = hub.send("GET", "/v1/inbox", &[("authorization", &bearer)], None).await;
    assert_eq!((got.status, allowed(&got)), (200, vec![]));
    // No preflight, only a method that is not there.
    for headers in [&[][..], &[("origin", own.as_str())]] {
        let got = hub.send("OPTIONS", "/v1/inbox", headers, None).await;
        assert_eq!(got.status, 405);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_page_asks_is_open_to_no_site() {
    let scene = scene().await;
    let own = scene.hub.url.clone();
    let thread = scene.ana.thread();
    let closed = [
        ("PUT", "/v1/orgs/acme".to_owned()),
        ("PUT", "/v1/orgs/acme/contacts/ana".to_owned()),
        ("POST", "/v1/tokens".to_owned()),
        ("POST", "/v1/revocations".to_owned()),
        ("POST", "/v1/handoffs".to_owned()),
        ("POST", format!("/v1/threads/{thread}/markers")),
        ("GET", "/v1/log".to_owned()),
        ("POST", "/twilio/inbound".to_owned()),
        ("POST", "/twilio/status".to_owned()),
        ("GET", "/simulator/phones".to_owned()),
        ("GET", "/metrics".to_owned()),
        ("GET", "/demo.json".to_owned()),
        ("GET", "/portal".to_owned()),
    ];
    for origin in [PORTAL, &own] {
        for (method, path) in &closed {
            let asked = preflight(&scene.hub, origin, method, path).await;
            assert_eq!(allowed(&asked), Vec::<&str>::new(), "{origin}: {method} {path}");
            let got = from(&scene.hub, origin, &scene.sam.token, path).await;
            assert_eq!(allowed(&got), Vec::<&str>::new(), "{origin}: GET {path}");
        }
    }
    // The backend's token in a page is a mistake that its maker should hear of.
    for origin in [PORTAL, UNLISTED, &own] {
        for path in ["/v1/log?after=0", "/v1/inbox"] {
            let got = from(&scene.hub, origin, &scene.acme.service, path).await;
            assert_eq!((got.status, got.code().as_str()), (403, "forbidden"), "{origin} {path}");
        }
    }
    scene.hub.get(&scene.acme.service, "/v1/log?after=0").await.ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_is_in_from_when_it_is_listed_until_it_is_not() {
    let scene = scene().await;
    let put = async |origins: Value| {
        let settings = json!({"name": "Acme", "origins": origins});
        scene
            .hub
            .put(&scene.acme.service, "/v1/orgs/acme", &settings)
            .await
            .ok();
    };
    for _ in 0..3 {
        put(json!([UNLISTED])).await;
        let asked = preflight(&scene.hub, UNLISTED, "GET", "/v1/inbox").await;
        assert_eq!(asked.header("access-control-allow-origin").as_deref(), Some(UNLISTED));
        assert_eq!(
            from(&scene.hub, UNLISTED, &scene.sam.token, "/v1/inbox").await.status,
            200
        );
        assert_eq!(
            from(&scene.hub, PORTAL, &scene.sam.token, "/v1/inbox").await.status,
            403
        );
        put(json!([PORTAL])).await;
        let asked = preflight(&scene.hub, UNLISTED, "GET", "/v1/inbox").await;
        assert_eq!(allowed(&asked), Vec::<&str>::new());
        assert_eq!(
            from(&scene.hub, UNLISTED, &scene.sam.token, "/v1/inbox").await.status,
            403
        );
    }
}
