//! Every route and every frame, first by somebody of the team, for whom it has to work with real ids, then
//! by a customer: whatever a customer is served holds none of the words that were planted in every
//! internal field. A route or a frame that is not exercised here fails the test.

mod planted;
mod source;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::handoffs::call;
use crate::support::phones::NUMBER;
use crate::support::{Client, Dial, Hub, Person, fresh_id};

use planted::{BOB, CANARIES, PHOTO, Scene, TRUCK, plant};

/// Who of the team may call a route.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Anybody,
    Staff,
    Service,
    /// A signature instead of a token.
    Twilio,
    /// The simulator alone serves it; the hub does not have it.
    Simulator,
}

const PHOTOS: &str = "/v1/photos";

type Route = (By, &'static str, &'static str, String, Option<Value>);

/// Each route with real ids: who, method, template, path, body.
fn routes(scene: &Scene) -> Vec<Route> {
    use By::{Anybody, Service, Simulator, Staff, Twilio};
    let thread = scene.ana.thread();
    let org = &scene.org.id;
    let settings =
        json!({"name": "acme Plumbing", "number": NUMBER, "business_phones": [TRUCK], "show_staff": "business"});
    let said = json!({"id": fresh_id(), "text": "by HTTP"});
    let marker = json!({"id": fresh_id(), "text": "marker-canary", "public": false});
    let token = json!({"role": "staff", "sub": "kim-canary", "name": "Kim Quartermaine"});
    vec![
        (Anybody, "GET", "/healthz", "/healthz".into(), None),
        (Anybody, "GET", "/readyz", "/readyz".into(), None),
        (Anybody, "GET", "/metrics", "/metrics".into(), None),
        (Anybody, "GET", "/", "/".into(), None),
        (Anybody, "GET", "/portal", "/portal".into(), None),
        (Anybody, "GET", "/crm", "/crm".into(), None),
        (Simulator, "GET", "/phones", "/phones".into(), None),
        (Anybody, "GET", "/ui/{*file}", "/ui/client.js".into(), None),
        (Anybody, "GET", "/demo.json", "/demo.json".into(), None),
        (Twilio, "POST", "/twilio/inbound", "/twilio/inbound".into(), None),
        (
            Twilio,
            "POST",
            "/twilio/status",
            format!("/twilio/status?attempt={}", scene.attempt),
            None,
        ),
        (
            Service,
            "PUT",
            "/v1/orgs/{org}",
            format!("/v1/orgs/{org}"),
            Some(settings),
        ),
        (
            Service,
            "PUT",
            "/v1/orgs/{org}/contacts/{contact}",
            format!("/v1/orgs/{org}/contacts/bob"),
            Some(json!({"name": "Bobtrue Hale", "phone": BOB})),
        ),
        (Service, "POST", "/v1/tokens", "/v1/tokens".into(), Some(token)),
        (
            Service,
            "POST",
            "/v1/revocations",
            "/v1/revocations".into(),
            Some(json!({"sub": "revoked-canary"})),
        ),
        (Staff, "GET", "/v1/inbox", "/v1/inbox?filter=handoff".into(), None),
        (Staff, "GET", "/v1/contacts", "/v1/contacts?q=ana".into(), None),
        (
            Staff,
            "POST",
            "/v1/contacts",
            "/v1/contacts".into(),
            Some(json!({"name": "contact-canary"})),
        ),
        (Staff, "GET", "/v1/unrouted", "/v1/unrouted".into(), None),
        (Staff, "GET", "/v1/line", "/v1/line".into(), None),
        (Staff, "GET", "/v1/search", "/v1/search?q=canary".into(), None),
        (Staff, "GET", "/v1/search", "/v1/search?q=leak&sort=newest".into(), None),
        (Service, "GET", "/v1/log", "/v1/log?after=0".into(), None),
        (Staff, "POST", PHOTOS, PHOTOS.into(), None),
        (
            Staff,
            "GET",
            "/v1/photos/{photo}",
            format!("/v1/photos/{}", scene.photo),
            None,
        ),
        (
            Staff,
            "GET",
            "/v1/photos/{photo}/link",
            format!("/v1/photos/{}/link", scene.photo),
            None,
        ),
        (
            Staff,
            "GET",
            "/v1/threads/{thread}",
            format!("/v1/threads/{thread}"),
            None,
        ),
        (
            Staff,
            "GET",
            "/v1/threads/{thread}/messages",
            format!("/v1/threads/{thread}/messages?limit=200"),
            None,
        ),
        (
            Staff,
            "POST",
            "/v1/threads/{thread}/messages",
            format!("/v1/threads/{thread}/messages"),
            Some(said),
        ),
        (
            Staff,
            "POST",
            "/v1/threads/{thread}/resend",
            format!("/v1/threads/{thread}/resend"),
            Some(json!({"attempt": scene.attempt})),
        ),
        (
            Service,
            "POST",
            "/v1/handoffs",
            "/v1/handoffs".into(),
            Some(call("h2", json!({"contact": "ana"}))),
        ),
        (
            Service,
            "POST",
            "/v1/threads/{thread}/markers",
            format!("/v1/threads/{thread}/markers"),
            Some(marker),
        ),
        (
            Staff,
            "POST",
            "/v1/unrouted/{rev}/route",
            format!("/v1/unrouted/{}/route", scene.unrouted),
            Some(json!({"thread": scene.unknown})),
        ),
        (
            Staff,
            "POST",
            "/v1/threads/{thread}/attach",
            format!("/v1/threads/{}/attach", scene.unknown),
            Some(json!({"contact": "bob", "confirm": true})),
        ),
    ]
}

fn types(heard: &[String]) -> BTreeSet<String> {
    let name = |text: &String| {
        serde_json::from_str::<Value>(text).ok()?["type"]
            .as_str()
            .map(str::to_owned)
    };
    heard.iter().filter_map(name).collect()
}

/// Everything that a client of this role can say, with real ids.
fn frames(client: &Client, thread: &str, seq: i64) -> Vec<Value> {
    let of = |kind: &str, more: Value| {
        let mut frame = client.frame(kind, thread);
        for (field, value) in more.as_object().unwrap() {
            frame[field] = value.clone();
        }
        frame
    };
    vec![
        of("send", json!({"id": fresh_id(), "text": "by socket"})),
        of("received", json!({"up_to": seq})),
        of("read", json!({"up_to": seq})),
        of("typing", json!({"on": true})),
        json!({"type": "viewing", "thread": thread}),
        json!({"type": "handled", "thread": thread, "seen": seq}),
        of("history", json!({"id": fresh_id(), "limit": 200})),
    ]
}

/// A connection that is told of everything which ends one: a cursor that is ahead, a token that runs out.
async fn ending(hub: &Hub, person: &Person) -> Client {
    let client = Dial::to(&hub.ws).open().await.expect("the hub takes the socket");
    client.hello(&person.claims.clone().expires_in(30).mint(), Some(999_999), None);
    client.until("a welcome", |s| s.welcome.is_some()).await;
    client
        .until("that the token runs out", |s| s.named("expiring").count() > 0)
        .await;
    client.tell(&json!({"type": "no such frame"}));
    client.until("an error", |s| s.named("error").count() > 0).await;
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_internal_is_in_any_byte_that_a_customer_is_served() {
    let mut scene = plant().await;
    let thread = scene.ana.thread().to_owned();
    let mut served: Vec<String> = Vec::new();

    // Frames: the team's first.
    let mut said = BTreeSet::from(["hello".to_owned()]);
    let mut clients = Vec::new();
    for (client, person) in [(&scene.sam, &scene.staff), (&scene.portal, &scene.ana)] {
        let is_team = client.state().is_team();
        let errors = client.state().named("error").count();
        for mut frame in frames(client, &thread, 2) {
            said.insert(frame["type"].as_str().unwrap().to_owned());
            if frame["type"] == "viewing" && !is_team {
                frame["thread"] = Value::Null;
            }
            client.tell(&frame);
        }
        client.tell(&json!({"type": "token", "token": person.token}));
        client.ping().await;
        client.until("the page", |s| s.named("page").count() > 0).await;
        said.extend(["token".to_owned(), "ping".to_owned()]);
        if is_team {
            assert_eq!(
                client.state().named("error").count(),
                errors,
                "each frame is right for the team"
            );
        }
        clients.push(ending(&scene.hub, person).await);
    }
    assert_eq!(
        said,
        source::frames("client.rs", &["Some(\""]),
        "a frame is not exercised"
    );

    // Routes: the team's first.
    let routes = routes(&scene);
    let exercised: BTreeSet<_> = routes
        .iter()
        .map(|(_, method, path, ..)| format!("{method} {path}"))
        .collect();
    assert_eq!(exercised, source::routes(), "a route is not exercised");
    for (by, method, _, path, body) in &routes {
        let token = match by {
            By::Staff => Some(scene.staff.token.as_str()),
            By::Service => Some(scene.org.service.as_str()),
            By::Anybody | By::Twilio | By::Simulator => None,
        };
        let status = if *by == By::Twilio {
            let params = [
                ("AccountSid", scene.phones.account()),
                ("MessageSid", "SM00000000000000000000000000000001"),
                ("From", TRUCK),
                ("To", NUMBER),
                ("Body", "#1 signed"),
                ("NumMedia", "0"),
                ("MessageStatus", "delivered"),
            ];
            let signature = scene.phones.sign(path, &params);
            scene.phones.post(path, &params, &signature).await.0
        } else if (*method, path.as_str()) == ("POST", PHOTOS) {
            crate::photos::uploaded(&scene.hub, &scene.staff.token, PHOTO).await;
            201
        } else {
            scene.hub.ask(method, path, token, body.as_ref()).await.status
        };
        let expected = if *by == By::Simulator { 404..405 } else { 200..300 };
        assert!(expected.contains(&status), "{method} {path}: {status} for the team");
    }
    for (_, method, _, path, body) in &routes {
        // What a customer sends is the customer's own: another id, or it would be the team's again.
        let mut body = body.clone();
        if let Some(id) = body.as_mut().and_then(|body| body.get_mut("id")) {
            *id = fresh_id().into();
        }
        let answer = scene.hub.ask(method, path, Some(&scene.ana.token), body.as_ref()).await;
        if path.contains(&scene.photo) {
            assert_eq!(answer.status, 404, "{path}: a note's photo is the team's");
        }
        served.push(format!("{method} {path}: {:?} {}", answer.headers, answer.text));
    }
    let stale = json!({"id": fresh_id(), "text": "x", "seen": 1});
    let messages = format!("/v1/threads/{thread}/messages");
    let answer = scene.hub.post(&scene.ana.token, &messages, &stale).await;
    assert_eq!(answer.status, 409);
    served.push(answer.text);
    for path in [
        format!("/v1/threads/{}", scene.unknown),
        format!("/v1/threads/{}/messages", scene.unknown),
    ] {
        let answer = scene.hub.get(&scene.ana.token, &path).await;
        assert_eq!(answer.status, 404, "{path}");
        served.push(answer.text);
    }

    // What passed live, what is caught up with, and how it ends.
    let resumed = scene.ana.join(&scene.hub).await;
    let head = scene.portal.ping().await;
    scene.portal.at(head).await;
    scene.sam.until("a colleague", |s| s.named("typing").count() > 0).await;
    let planted = serde_json::to_string(&scene.org.log(&scene.hub).await).unwrap();
    scene.hub.sigterm();
    for client in [&scene.sam, &scene.portal] {
        client.until("goodbye", |s| s.named("bye").count() > 0).await;
    }
    scene.hub.exited(Duration::from_secs(20)).await;
    let mut heard = BTreeSet::new();
    for client in [&scene.sam, &clients[0], &scene.portal, &clients[1], &resumed] {
        heard.append(&mut types(&client.state().heard));
    }
    assert_eq!(
        heard,
        source::frames("server.rs", &["\"type\":\"", "[\"type\"]=\"", "r#type:\""]),
        "a frame was never heard"
    );
    for client in [&scene.portal, &clients[1], &resumed] {
        let state = client.state();
        for team_only in ["presence", "viewing"] {
            assert_eq!(state.named(team_only).count(), 0, "{team_only} is the team's alone");
        }
        served.extend(state.heard.iter().cloned());
    }
    assert!(
        served
            .iter()
            .any(|text| text.contains("AI hand-off") && text.contains("The leak is back")),
        "she has her own"
    );

    // Bob's thread got the stranger's words: neither is hers.
    for canary in CANARIES {
        assert!(planted.contains(canary), "{canary} was never planted");
        let leak = served.iter().find(|text| text.contains(canary));
        assert_eq!(leak, None, "{canary:?} reached a customer");
    }
    let rev = served.iter().find(|text| text.contains("\"rev\""));
    assert_eq!(rev, None, "a customer was told a rev");
}
