//! Every route and every frame, first by somebody of the team, for whom it has to work with real ids, then
//! by a customer: whatever a customer is served holds none of the words that were planted in every
//! internal field. A route or a frame that is not exercised here fails the test.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::handoffs::call;
use crate::support::phones::{NUMBER, Phones};
use crate::support::{Client, Dial, Hub, Org, Person, fresh_id};

const TRUCK: &str = "+14155557701";
const ANA: &str = "+14155550912";
const BOB: &str = "+14155557715";
const STRANGER: &str = "+14155557799";

/// Planted by [`plant`], each in a field that is not Ana's.
const CANARIES: [&str; 21] = [
    "staff-canary",
    "kim-canary",
    "Quartermaine",
    "note-canary",
    "reason-canary",
    "summary-canary",
    "question-canary",
    "1764003600000",
    "marker-canary",
    "link-canary",
    "bob-canary",
    "Bobtrue",
    "unrouted-canary",
    "stranger-canary",
    "revoked-canary",
    "41555577",
    "copied_from",
    "\"brief\"",
    "\"attempt\"",
    "\"rule\"",
    "crm-backend",
];

struct Scene {
    phones: Phones,
    hub: Hub,
    org: Org,
    ana: Person,
    staff: Person,
    sam: Client,
    portal: Client,
    /// The rev of a text that reached nobody, an unknown number's thread, and a text that failed.
    unrouted: i64,
    unknown: String,
    attempt: String,
}

async fn plant() -> Scene {
    let phones = Phones::start().await;
    let hub = phones.hub().await;
    let settings = json!({"number": NUMBER, "business_phones": [TRUCK], "show_staff": "business"});
    let org = Org::with(&hub, "acme", settings).await;
    let ana = org
        .customer_with(&hub, "ana", json!({"name": "Ana Souza", "phone": ANA}))
        .await;
    let bob = org
        .customer_with(&hub, "bob", json!({"name": "Bobtrue Hale", "phone": BOB}))
        .await;
    let staff = org.staff("staff-canary", "Zebulon Quartermaine");
    let sam = staff.join(&hub).await;
    let kim = org.staff("kim-canary", "Kim Quartermaine").join(&hub).await;
    let (portal, bobs) = (ana.join(&hub).await, bob.join(&hub).await);
    let thread = ana.thread();

    portal.say(thread, "The leak is back").await;
    bobs.say(bob.thread(), "bob-canary: my own business").await;
    sam.note(thread, "note-canary: pays late").await;
    let mut handed = call("h1", json!({"contact": "ana"}));
    handed["summary"] = "summary-canary: the kitchen, again".into();
    hub.post(&org.service, "/v1/handoffs", &handed).await.ok();
    let marker = json!({"id": "i1", "text": "marker-canary", "link": "https://link-canary.example/", "public": false});
    let markers = format!("/v1/threads/{thread}/markers");
    hub.post(&org.service, &markers, &marker).await.ok();
    hub.post(&org.service, "/v1/revocations", &json!({"sub": "revoked-canary"}))
        .await
        .ok();

    phones.text(TRUCK, "#99 unrouted-canary").await;
    phones.text(STRANGER, "Is it me?").await;
    let of = |kind: &'static str| move |c: &&Value| c["kind"] == kind;
    let from_stranger = |c: &&Value| c["kind"] == "message" && c["phone"] == STRANGER;
    sam.until("both texts", |s| {
        s.changes.iter().any(|c| of("unrouted")(&c)) && s.changes.iter().any(|c| from_stranger(&c))
    })
    .await;
    let unrouted = sam.state().changes.iter().find(of("unrouted")).unwrap()["rev"]
        .as_i64()
        .unwrap();
    let unknown = sam.state().changes.iter().find(from_stranger).unwrap()["thread"]
        .as_str()
        .unwrap()
        .to_owned();
    sam.note(&unknown, "stranger-canary: who is it?").await;

    phones.switch(ANA, "landline").await;
    let said = sam.say(thread, "Can you hear me?").await["seq"].clone();
    kim.say(thread, "Or me?").await;
    let failed = |c: &&Value| c["kind"] == "delivery" && c["state"] == "failed" && c["of"] == said;
    sam.until("a failure", |s| s.changes.iter().any(|c| failed(&c))).await;
    let attempt = sam.state().changes.iter().rfind(failed).unwrap()["attempt"]
        .as_str()
        .unwrap()
        .to_owned();
    Scene {
        phones,
        hub,
        org,
        ana,
        staff,
        sam,
        portal,
        unrouted,
        unknown,
        attempt,
    }
}

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
        (Anybody, "GET", "/ui/{file}", "/ui/client.js".into(), None),
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
        (Staff, "GET", "/v1/unrouted", "/v1/unrouted".into(), None),
        (Staff, "GET", "/v1/line", "/v1/line".into(), None),
        (Staff, "GET", "/v1/search", "/v1/search?q=canary".into(), None),
        (Staff, "GET", "/v1/search", "/v1/search?q=leak&sort=newest".into(), None),
        (Service, "GET", "/v1/log", "/v1/log?after=0".into(), None),
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

/// `method template` of every route that the source names.
fn routes_of_the_source() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in std::fs::read_dir(source("http")).unwrap() {
        let code = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for call in code.split(".route(").skip(1) {
            let Some(path) = call.split('"').nth(1).filter(|_| call.trim_start().starts_with('"')) else {
                continue;
            };
            let mut depth = 1;
            let end = call.find(|c| {
                depth += i32::from(c == '(') - i32::from(c == ')');
                depth == 0
            });
            let handlers = &call[..end.unwrap_or(call.len())];
            for method in ["get", "post", "put", "patch", "delete"] {
                let named = handlers.match_indices(&format!("{method}(")).any(|(at, _)| {
                    let before = handlers[..at].chars().next_back();
                    before.is_some_and(|c| c == '.' || c == ' ')
                });
                if named {
                    found.insert(format!("{} {path}", method.to_uppercase()));
                }
            }
        }
    }
    found
}

/// The names of frames that the protocol's source says or hears.
fn frames_of_the_source(file: &str, before: &[&str]) -> BTreeSet<String> {
    let code = std::fs::read_to_string(source("protocol").join(file)).unwrap();
    let code = code.split("#[cfg(test)]").next().unwrap().replace(['\\', ' '], "");
    let names = |before| code.split(before).skip(1).filter_map(|rest| rest.split('"').next());
    before
        .iter()
        .flat_map(|before| names(*before))
        .filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        .map(str::to_owned)
        .collect()
}

fn source(room: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room)
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
        frames_of_the_source("client.rs", &["Some(\""]),
        "a frame is not exercised"
    );

    // Routes: the team's first.
    let routes = routes(&scene);
    let exercised: BTreeSet<_> = routes
        .iter()
        .map(|(_, method, path, ..)| format!("{method} {path}"))
        .collect();
    assert_eq!(exercised, routes_of_the_source(), "a route is not exercised");
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
        frames_of_the_source("server.rs", &["\"type\":\"", "[\"type\"]=\""]),
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
