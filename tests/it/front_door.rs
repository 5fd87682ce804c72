//! Who may come in: tokens that are wrong in every way, foreign sites, and those who only hold the
//! door open.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::traffic::Bystanders;
use crate::support::wire::Refused;
use crate::support::{Claims, Client, Dial, Hub, Org, PATIENCE, Scene, now_s};

async fn knock(hub: &Hub) -> Client {
    Dial::to(&hub.ws).open().await.expect("open")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_wrong_in_any_way_is_told_so_and_shown_out() {
    let scene = Scene::start().await;
    let others = Bystanders::talk(&scene.hub).await;
    let good = scene.sam.claims.clone();
    let hs256 = json!({"alg": "HS256", "typ": "JWT"});
    let valid = good.mint();
    let (front, signature) = valid.rsplit_once('.').unwrap();
    let secret = Some(crate::support::token::SECRET);
    let mut bad: Vec<(&str, &str, String)> = vec![
        ("bad_token", "nothing", String::new()),
        ("bad_token", "no token at all", "hello".to_owned()),
        ("bad_token", "three dots", "...".to_owned()),
        (
            "bad_token",
            "a foreign secret",
            good.signed_with("a secret of somebody else, and a long one"),
        ),
        ("bad_token", "no signature", format!("{front}.")),
        ("bad_token", "half a signature", format!("{front}.{}", &signature[..20])),
        (
            "bad_token",
            "alg none",
            good.under(&json!({"alg": "none", "typ": "JWT"}), None),
        ),
        (
            "bad_token",
            "alg None, signed",
            good.under(&json!({"alg": "None"}), secret),
        ),
        (
            "bad_token",
            "another alg",
            good.under(&json!({"alg": "HS512", "typ": "JWT"}), secret),
        ),
        (
            "bad_token",
            "an asymmetric alg",
            good.under(&json!({"alg": "RS256", "kid": "1"}), secret),
        ),
        (
            "bad_token",
            "another audience",
            good.clone().with("aud", "billing").mint(),
        ),
        ("bad_token", "no audience", good.clone().without("aud").mint()),
        (
            "bad_token",
            "an unknown role",
            good.clone().with("role", "admin").mint(),
        ),
        (
            "bad_token",
            "a customer without a contact",
            good.clone().with("role", "customer").mint(),
        ),
        (
            "bad_token",
            "from the future",
            good.clone()
                .with("nbf", now_s() + 7_200)
                .with("iat", now_s() + 7_200)
                .mint(),
        ),
        ("expired_token", "an hour old", good.clone().expires_in(-3_600).mint()),
        (
            "expired_token",
            "past any skew of clocks",
            good.clone().expires_in(-61).mint(),
        ),
    ];
    for claim in ["sub", "org", "role", "name", "iat", "exp"] {
        bad.push(("bad_token", claim, good.clone().without(claim).mint()));
    }
    assert_eq!(
        good.under(&hs256, secret),
        valid,
        "but for its fault each of these would do"
    );
    for (code, what, token) in bad {
        let client = knock(&scene.hub).await;
        client.hello(&token, None, None);
        assert_eq!(client.closed_within(PATIENCE).await, Some(4401), "{what}");
        assert_eq!(client.state().error_codes(), [code], "{what}");
        assert!(client.state().welcome.is_none(), "{what}");

        let asked = scene.hub.get(&token, "/v1/inbox?filter=all").await;
        assert_eq!((asked.status, asked.code().as_str()), (401, code), "{what}, over HTTP");
    }
    others.unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_org_or_a_contact_that_nobody_made_is_forbidden() {
    let scene = Scene::start().await;
    for claims in [
        Claims::staff("nobody", "sam", "Sam"),
        Claims::customer("acme", "nobody", "No Body"),
    ] {
        let client = knock(&scene.hub).await;
        client.hello(&claims.mint(), None, None);
        assert_eq!(client.closed_within(PATIENCE).await, Some(4403), "{claims:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_say_hello_first_and_soon_is_shown_out() {
    let scene = Scene::start().await;
    let others = Bystanders::talk(&scene.hub).await;
    let silent = knock(&scene.hub).await;
    let started = Instant::now();
    for frame in [
        json!({"type": "ping"}),
        json!({"type": "send", "id": "m1", "text": "hello"}),
    ] {
        let hasty = knock(&scene.hub).await;
        hasty.tell(&frame);
        hasty.refused("hello_expected").await;
        assert!(hasty.state().welcome.is_none());
    }
    assert_eq!(silent.closed_within(Duration::from_secs(8)).await, Some(4408));
    assert!(started.elapsed() >= Duration::from_secs(4), "five seconds are promised");
    others.unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_comes_in_only_from_a_site_on_the_list() {
    let hub = Hub::start().await;
    let acme = Org::with(
        &hub,
        "acme",
        json!({"origins": ["https://portal.acme.test", "http://localhost:8123"]}),
    )
    .await;
    let rival = Org::with(&hub, "rival", json!({"origins": ["https://rival.test"]})).await;
    let sam = acme.staff("sam", "Sam Ortiz");

    let foreign = [
        "https://evil.test",
        "null",
        "https://portal.acme.test.evil.test",
        "https://evil-portal.acme.test",
        "https://sub.portal.acme.test",
        "http://portal.acme.test",
        "https://portal.acme.test:444",
        "https://portal.acme.test/",
        "https://evil.test/https://portal.acme.test",
        "https://portal.acme.test@evil.test",
        "http://localhost",
        "http://localhost:81234",
        "file://",
    ];
    for origin in foreign {
        let refused = Dial::to(&hub.ws).origin(origin).open().await.err();
        assert_eq!(refused, Some(Refused { status: 403 }), "Origin: {origin}");
    }
    for origin in ["https://portal.acme.test", "http://localhost:8123"] {
        let client = Dial::to(&hub.ws).origin(origin).open().await.expect(origin);
        client.hello(&sam.token, None, None);
        client.ready().await;
    }
    // Somebody's site, but not this org's.
    let client = Dial::to(&hub.ws)
        .origin("https://rival.test")
        .open()
        .await
        .expect("a known site");
    client.hello(&sam.token, None, None);
    assert_eq!(client.closed_within(PATIENCE).await, Some(4403));
    // No browser: no cookies could be abused, so no Origin is needed.
    sam.join(&hub).await;

    // A site that is taken off the list is foreign from then on.
    hub.put(&rival.service, "/v1/orgs/rival", &json!({"name": "Rival"}))
        .await
        .ok();
    let refused = Dial::to(&hub.ws).origin("https://rival.test").open().await.err();
    assert_eq!(refused, Some(Refused { status: 403 }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_person_cannot_take_all_the_sockets() {
    let scene = Scene::on(Hub::with(&[("CREWLINE_CONNECTIONS_PER_USER", "3")]).await).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(scene.ana.load(&scene.hub).await);
    }
    let fourth = knock(&scene.hub).await;
    fourth.hello(&scene.ana.token, None, None);
    assert_eq!(fourth.closed_within(PATIENCE).await, Some(4429));
    scene.bob.load(&scene.hub).await;
    held.pop();
    // The hub may need a moment to see that it has gone.
    for attempt in 0.. {
        let again = knock(&scene.hub).await;
        again.hello(&scene.ana.token, None, None);
        again
            .until("an answer", |s| s.closed.is_some() || s.welcome.is_some())
            .await;
        if again.is_open() {
            break;
        }
        assert!(attempt < 50, "a place that was given up stays taken");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(held.iter().all(Client::is_open), "who was there first stays");
}

/// Dribbles a request and never ends it; answers with how long the hub held still.
async fn dribble(address: String, head: &'static [u8]) -> Duration {
    let mut tcp = TcpStream::connect(address).await.expect("it listens");
    let started = Instant::now();
    let mut bytes = head.iter().chain(std::iter::repeat(&b'x'));
    let mut answer = [0; 1_024];
    while started.elapsed() < Duration::from_secs(15) {
        if tcp.write_all(&[*bytes.next().expect("endless")]).await.is_err() {
            break;
        }
        let answered = tokio::time::timeout(Duration::from_millis(200), tcp.read(&mut answer)).await;
        if let Ok(Ok(0) | Err(_)) = answered {
            break;
        }
    }
    started.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_that_never_end_are_cut_off_within_ten_seconds() {
    let scene = Scene::start().await;
    let others = Bystanders::talk(&scene.hub).await;
    let address = || scene.hub.url.trim_start_matches("http://").to_owned();
    let heads: [&[u8]; 3] = [
        b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ",
        b"GET /v1/ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nX-Slow: ",
        b"G",
    ];
    let held = futures_util::future::join_all(heads.iter().map(|head| dribble(address(), head))).await;
    for (held, head) in held.iter().zip(heads) {
        let what = String::from_utf8_lossy(head);
        assert!(*held <= Duration::from_millis(10_500), "{what:?} was held for {held:?}");
    }
    // Silence from the first moment is no better.
    let mut silent = TcpStream::connect(address()).await.expect("it listens");
    let mut answer = Vec::new();
    let end = tokio::time::timeout(Duration::from_millis(10_500), silent.read_to_end(&mut answer)).await;
    assert!(
        end.is_ok(),
        "a connection without a byte was held for more than ten seconds"
    );
    others.unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_speaks_another_protocol_is_refused_at_the_upgrade() {
    let hub = Hub::start().await;
    let http = reqwest::Client::new();
    let url = hub.ws.replacen("ws://", "http://", 1);
    let upgrade = |changed: &[(&'static str, &'static str)]| {
        let mut headers = vec![
            ("connection", "Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("sec-websocket-protocol", "crewline.v1"),
        ];
        for (name, value) in changed {
            headers.retain(|(old, _)| old != name);
            if !value.is_empty() {
                headers.push((name, value));
            }
        }
        let request = headers
            .into_iter()
            .fold(http.get(&url), |request, (name, value)| request.header(name, value));
        async { request.send().await.expect("an answer").status().as_u16() }
    };
    assert_eq!(upgrade(&[]).await, 101);
    let wrong: [&[(&str, &str)]; 4] = [
        &[("upgrade", "")],
        &[("sec-websocket-version", "8")],
        &[("sec-websocket-key", "")],
        &[("sec-websocket-protocol", "graphql-ws")],
    ];
    for headers in wrong {
        let status = upgrade(headers).await;
        assert!((400..500).contains(&status), "{headers:?} got {status}");
    }
}
