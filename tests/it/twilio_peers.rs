//! The official Twilio libraries, of npm and PyPI, as independent peers: their clients talk to our
//! simulator, their validators judge what it signs, ours judges what they sign. And Prism, mocking
//! Twilio's own OpenAPI document, judges what our client asks.
//!
//! The library is used where a peer needs something to talk to: its client and its validator.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Uri};
use crewline::sms::{CreateError, Outgoing, Query, ReadError, Status, Twilio, TwilioSettings, Validator};
use crewline::ws::listener;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::support::PATIENCE;
use crate::support::peers::{Peer, Prism};
use crate::support::simulator::Simulator;

const NUMBER: &str = "+15005550100";
const ANA: &str = "+15558675310";
const TOKEN: &str = "12345";

async fn ask(peer: Peer, request: Value) -> Value {
    tokio::task::spawn_blocking(move || peer.ask(&request))
        .await
        .expect("the peer answers")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_clients_send_fetch_and_list_through_the_simulator() {
    for peer in Peer::BOTH {
        let simulator = Simulator::start(&["--number", &format!("{NUMBER}=http://127.0.0.1:9/")]).await;
        let text = |body: &str| json!({ "to": ANA, "from": NUMBER, "body": body });
        let bodies = ["Añade ☕ & 50% más – “ok”? 👍🏽\n+ more", "two", "three", "four", "five"];
        let mut texts = bodies.map(text);
        let photo = format!("{}/simulator/cdn/none", simulator.url);
        texts[4]["mediaUrl"] = json!([photo, photo]);
        texts[1]["statusCallback"] = json!("http://127.0.0.1:9/status?attempt=1");
        let with = |more: Value| {
            let mut request = json!({ "url": simulator.url, "account": simulator.account, "token": simulator.token });
            request
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            request
        };
        let told = ask(
            peer,
            with(json!({ "do": "client", "texts": texts, "to": ANA, "from": NUMBER })),
        )
        .await;

        let created = told["created"].as_array().unwrap();
        for (message, body) in created.iter().zip(bodies) {
            assert_eq!(
                (&message["body"], &message["status"]),
                (&json!(body), &json!("queued")),
                "{peer:?}"
            );
            assert_eq!((&message["to"], &message["from"]), (&json!(ANA), &json!(NUMBER)));
            assert_eq!(
                (&message["direction"], &message["code"]),
                (&json!("outbound-api"), &json!(null))
            );
        }
        assert_eq!(
            (&created[0]["segments"], &created[4]["media"]),
            (&json!("1"), &json!("2"))
        );
        assert!(created[4]["sid"].as_str().unwrap().starts_with("MM"));
        let sids = |value: &Value| -> Vec<String> {
            let all = value.as_array().unwrap().iter();
            all.map(|one| one["sid"].as_str().or(one.as_str()).unwrap().to_owned())
                .collect()
        };
        let mut expected = sids(&told["created"]);
        expected.reverse();
        assert_eq!(
            sids(&told["listed"]),
            expected,
            "{peer:?}: three pages, the newest first"
        );
        assert_eq!(told["fetched"]["sid"], created[0]["sid"]);
        assert_eq!(sids(&told["sent_before"]), Vec::<String>::new());
        let sent = sids(&told["sent_after"]);
        assert!(sent.iter().all(|sid| expected.contains(sid)), "{peer:?}");

        for (to, token, code, status) in [
            ("+15005550001", simulator.token.as_str(), 21211, 400),
            (NUMBER, &simulator.token, 21266, 400),
            (ANA, "wrong", 20003, 401),
        ] {
            let text = json!({ "to": to, "from": NUMBER, "body": "hi" });
            let request = with(json!({ "do": "refused", "text": text, "token": token }));
            assert_eq!(
                ask(peer, request).await,
                json!({ "code": code, "status": status }),
                "{peer:?}"
            );
        }
        assert_eq!(simulator.creates().await.len(), 7, "five and two refused");
    }
}

/// What arrives at a webhook: its URL, its headers and its raw body.
type Heard = (String, HeaderMap, Bytes);

async fn webhook() -> (String, mpsc::UnboundedReceiver<Heard>) {
    let tcp = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", tcp.local_addr().expect("bound"));
    let (told, heard) = mpsc::unbounded_channel();
    let here = base.clone();
    let app = Router::new().fallback(move |uri: Uri, headers: HeaderMap, body: Bytes| async move {
        let _ = told.send((format!("{here}{uri}"), headers, body));
    });
    tokio::spawn(listener::serve(
        tcp,
        app,
        100,
        CancellationToken::new(),
        TaskTracker::new(),
    ));
    (base, heard)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_validators_accept_what_the_simulator_signs() {
    let (base, mut heard) = webhook().await;
    let simulator = Simulator::start(&[]).await;
    simulator
        .put_number(
            NUMBER,
            &format!("{base}/twilio/inbound?tenant=a%20b&n=It's+ok#rc=1&rp=ct"),
        )
        .await;
    let behaviour = json!({ "step_ms": 0, "opt_out_type": true, "extra_fields": { "Zz_New.Field": " x & y " } });
    simulator.ask("PUT", "behaviour", behaviour).await;
    for body in ["  Añade ☕ & 50% más – “ok”? 👍🏽\nline 2 + plus ", "STOP", "START"] {
        assert_eq!(simulator.text(ANA, NUMBER, body).await["status"], 200);
    }
    let twilio = client(&simulator.url, &simulator.account, &simulator.token);
    let callback = format!("{base}/twilio/status?attempt=0192f0c1-7d3e-7a10-8c55-2f3b0e0a9d11");
    let text = Outgoing {
        to: ANA,
        from: NUMBER,
        body: "hi",
        media: &[],
        status_callback: &callback,
    };
    twilio.create(&text).await.expect("created");

    let mut requests = Vec::new();
    for _ in 0..6 {
        let heard = tokio::time::timeout(PATIENCE, heard.recv());
        let (url, headers, body) = heard.await.expect("a webhook").unwrap();
        let params: serde_json::Map<String, Value> = form_urlencoded::parse(&body)
            .map(|(name, value)| (name.into_owned(), json!(value)))
            .collect();
        assert_eq!(params["Zz_New.Field"], " x & y ");
        let signature = headers["x-twilio-signature"].to_str().unwrap();
        requests.push(json!({ "url": url, "params": params, "signature": signature }));
    }
    assert!(
        requests[0]["url"]
            .as_str()
            .unwrap()
            .ends_with("/twilio/inbound?tenant=a%20b&n=It%27s+ok")
    );
    let tampered: Vec<_> = requests.iter().flat_map(tamper).collect();
    for peer in Peer::BOTH {
        let judge = |requests: &[Value]| {
            let request = json!({ "do": "validate", "token": simulator.token, "requests": requests });
            ask(peer, request)
        };
        assert_eq!(judge(&requests).await, json!(vec![true; 6]), "{peer:?}");
        assert_eq!(judge(&tampered).await, json!(vec![false; tampered.len()]), "{peer:?}");
    }
}

/// The same with another text, another sender's field, another URL, and nobody's signature.
fn tamper(request: &Value) -> Vec<Value> {
    let change = |pointer: &str, value: Value| {
        let mut changed = request.clone();
        *changed.pointer_mut(pointer).expect(pointer) = value;
        changed
    };
    let url = request["url"].as_str().unwrap();
    let (scheme, rest) = url.split_once("://").unwrap();
    let other = if scheme == "http" { "https" } else { "http" };
    let mut more = request.clone();
    more["params"]["Extra"] = json!("");
    vec![
        change("/params/From", json!("+15550177777")),
        change("/params/MessageSid", json!("SM00000000000000000000000000000000")),
        change("/url", json!(format!("{url}&x=1"))),
        change("/url", json!(format!("{other}://{rest}"))),
        change("/signature", json!("AAAAAAAAAAAAAAAAAAAAAAAAAAA=")),
        more,
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ours_accepts_what_the_official_libraries_sign_and_refuses_it_tampered() {
    let fixtures = include_str!("../data/twilio/webhook_fixtures.json");
    let fixtures: Value = serde_json::from_str(fixtures).unwrap();
    let mut requests: Vec<Value> = fixtures["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fixture| {
            let body = fixture["raw_body"].as_str().unwrap().as_bytes();
            let params: serde_json::Map<String, Value> = form_urlencoded::parse(body)
                .map(|(name, value)| (name.into_owned(), json!(value)))
                .collect();
            json!({ "url": fixture["url"], "params": params })
        })
        .collect();
    for params in [
        json!({}),
        json!({ "From": "+1", "Body": "", "b": "1", "B": "2", "a": "3", "_": "4", "Ä": "5", "0": "6" }),
        json!({ "Body": " \u{0}\t\r\n\u{feff}👨‍👩‍👧‍👦\u{202e} ", "From": "x&y=z", "MessageSid": "%2B+" }),
        json!({ "Digits": ["5678", "1234", "1234"], "From": "+1", "A.B": ["z", "a"] }),
    ] {
        requests.push(json!({ "url": "https://hub.example.com:8443/twilio/inbound?q=%C3%A9&e=", "params": params }));
    }
    for peer in Peer::BOTH {
        let request = json!({ "do": "sign", "token": TOKEN, "requests": requests });
        let signatures = ask(peer, request).await;
        for (request, signature) in requests.iter().zip(signatures.as_array().unwrap()) {
            let mut request = request.clone();
            request["signature"] = signature.clone();
            assert!(accepts(TOKEN, &request), "{peer:?}: {request}");
            assert!(!accepts("12346", &request), "{peer:?}: {request}");
            if request["params"].get("MessageSid").is_some() {
                for tampered in tamper(&request) {
                    assert!(!accepts(TOKEN, &tampered), "{peer:?}: {tampered}");
                }
            }
        }
    }
}

/// What our validator says of a request, as it would arrive.
fn accepts(token: &str, request: &Value) -> bool {
    let url = request["url"].as_str().unwrap();
    let path = url.find("://").unwrap() + 3;
    let path = path + url[path..].find('/').unwrap();
    let mut body = form_urlencoded::Serializer::new(String::new());
    for (name, value) in request["params"].as_object().unwrap() {
        for value in value.as_array().unwrap_or(&vec![value.clone()]) {
            body.append_pair(name, value.as_str().unwrap());
        }
    }
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
    headers.insert(
        "x-twilio-signature",
        request["signature"].as_str().unwrap().parse().unwrap(),
    );
    let validator = Validator::new(token.into(), &url[..path]);
    validator
        .check(&url[path..], &headers, body.finish().as_bytes())
        .is_ok()
}

fn client(url: &str, account: &str, token: &str) -> Twilio {
    let settings = TwilioSettings {
        url: url.into(),
        account: account.into(),
        user: account.into(),
        password: token.into(),
        time_out: Duration::from_secs(10),
    };
    Twilio::new(settings).expect("a client")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prism_accepts_every_kind_of_request_that_our_client_makes() {
    let prism = tokio::task::spawn_blocking(Prism::start).await.expect("it starts");
    let account = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let twilio = client(&prism.url, account, TOKEN);
    let photos = [
        "https://hub.example/1?sig=a%20b".to_owned(),
        "https://hub.example/2".to_owned(),
    ];
    let text = Outgoing {
        to: ANA,
        from: NUMBER,
        body: "Añade ☕ & 50% más – “ok”? 👍🏽\n+ more",
        media: &[],
        status_callback: "https://hub.example/twilio/status?attempt=0192f0c1-7d3e-7a10-8c55-2f3b0e0a9d11",
    };
    for (body, media) in [(text.body, &[][..]), (text.body, &photos[..1]), ("", &photos)] {
        let accepted = twilio.create(&Outgoing { body, media, ..text }).await.expect("created");
        assert_eq!((accepted.status, accepted.segments), (Status::Queued, 1));
        assert_eq!(accepted.sid, "SMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    }
    let fetched = twilio
        .fetch("SMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
        .await
        .expect("fetched");
    assert!(fetched.date_created > 1_400_000_000_000);
    // The document's example of a list has a next page that is itself; one that is too old ends it.
    for (to, from) in [(Some(ANA), Some(NUMBER)), (Some(NUMBER), None), (None, None)] {
        let query = Query {
            to,
            from,
            since: Some(1_900_000_000_000),
            page_size: 1_000,
        };
        assert_eq!(twilio.list(&query).await.expect("listed"), []);
    }
    let forever = Query {
        page_size: 2,
        ..Query::default()
    };
    assert_eq!(
        twilio.list(&forever).await.expect("listed").len(),
        100,
        "two each of fifty pages"
    );

    // It does judge.
    let elsewhere = client(&prism.url, "acme", TOKEN).create(&text).await;
    assert!(
        matches!(elsewhere, Err(CreateError::Refused { status: 422, .. })),
        "{elsewhere:?}"
    );
    let too_large = Query {
        page_size: 1_001,
        ..Query::default()
    };
    let refused = twilio.list(&too_large).await;
    assert!(
        matches!(refused, Err(ReadError::Refused { status: 422, .. })),
        "{refused:?}"
    );
}
