//! Words that no customer may ever see are planted everywhere in an org; then every byte that
//! customers received is searched for them.

use serde_json::{Value, json};

use crate::support::phones::{NUMBER, Phones};
use crate::support::{Client, Hub, Org, Person, fresh_id};

const SECRETS: [&str; 9] = [
    "sub-canary",
    "kim-canary",
    "revoked-canary",
    "Quartermaine",
    "note-canary",
    "bob-canary",
    "2025550143",
    "2025550188",
    "Bobtrue",
];

/// How the org shows its staff, what customers then see, and what besides is a secret.
const SHOWN: [(&str, &str, &[&str]); 3] = [
    ("first", "Zebulon", &[]),
    ("business", " Plumbing", &["Zebulon"]),
    ("name", "Zebulon Quartermaine", &[]),
];

/// Everything that can happen in an org, with a canary in whatever is not for Ana.
async fn live(hub: &Hub, org: &Org, ana: &Person, bob: &Person) -> Vec<Client> {
    let zeb = org.staff("sub-canary", "Zebulon Quartermaine").join(hub).await;
    let kim = org.staff("kim-canary", "Kim Quartermaine").join(hub).await;
    let (portal, bobs) = (ana.join(hub).await, bob.join(hub).await);
    let thread = ana.thread();

    bobs.say(bob.thread(), "bob-canary: my own business").await;
    let asked = portal.say(thread, "The leak is back").await["seq"].as_i64().unwrap();
    zeb.note(thread, "note-canary: pays late").await;
    kim.note(bob.thread(), "note-canary: pays early").await;
    for staff in [&zeb, &kim] {
        staff.received(thread, asked);
        staff.read(thread, asked);
        staff.ping().await;
    }
    for on in [true, false] {
        zeb.tell(&json!({"type": "typing", "thread": thread, "on": on}));
        kim.tell(&json!({"type": "typing", "thread": thread, "on": on, "internal": true}));
        kim.tell(&json!({"type": "typing", "thread": bob.thread(), "on": on}));
        bobs.tell(&json!({"type": "typing", "on": on}));
    }
    zeb.handled(thread, asked);
    let answered = zeb.say(thread, "On our way").await["seq"].as_i64().unwrap();
    kim.say(thread, "With the long ladder").await;
    kim.say(bob.thread(), "bob-canary: to Bob").await;
    hub.post(&org.service, "/v1/revocations", &json!({"sub": "revoked-canary"}))
        .await
        .ok();

    // A stale reply of hers is answered with what she missed.
    let stale = json!({"type": "send", "id": fresh_id(), "text": "one more thing", "seen": asked});
    assert_eq!(
        portal.submit(&stale).await.expect_err("she missed two")["code"],
        "stale"
    );
    portal.received(thread, answered);
    portal.read(thread, answered);
    portal.ping().await;
    let last = portal.say(thread, "Thanks").await["seq"].as_i64().unwrap();
    for staff in [&zeb, &kim] {
        staff.read(thread, last);
        staff.ping().await;
    }
    portal.until("typing", |s| s.named("typing").count() >= 2).await;
    let history = json!({"type": "history", "id": fresh_id(), "limit": 200});
    portal.submit(&history).await.expect("a page");
    // All the other ways in which a socket learns: live from now, and from the very beginning.
    let (fresh, resumed) = (ana.load(hub).await, ana.join(hub).await);
    let typing = |on| json!({"type": "typing", "thread": thread, "on": on});
    zeb.tell(&typing(true));
    fresh.until("typing", |s| s.named("typing").count() >= 1).await;
    let end = zeb.say(thread, "Bye").await["seq"].as_i64().unwrap();
    for client in [&portal, &fresh, &resumed] {
        client.at(end).await;
    }
    vec![portal, fresh, resumed]
}

/// The same with texts: business phones, attempts and unrouted texts are the team's alone, and what is
/// public of a text names no number.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_business_phone_and_nothing_of_the_courier_reaches_a_customer() {
    const TRUCK: &str = "+14155557701";
    const ANA: &str = "+14155557712";
    let phones = Phones::start().await;
    let hub = phones.hub().await;
    let settings = json!({"number": NUMBER, "business_phones": [TRUCK], "copy_answers": true});
    let org = Org::with(&hub, "texts", settings).await;
    let ana = org
        .customer_with(&hub, "ana", json!({"name": "Ana Souza", "phone": ANA}))
        .await;
    let bob = json!({"name": "Bobtrue Hale", "phone": "+14155557715"});
    org.customer_with(&hub, "bob", bob).await;
    let sam = org.staff("sam", "Sam Ortiz").join(&hub).await;
    let portal = ana.join(&hub).await;
    let thread = ana.thread();
    // Every kind of record that texts make, each seen by the team.
    portal.say(thread, "The leak is back").await;
    phones.gets(TRUCK, "#1 Ana Souza: The leak is back").await;
    phones.text(TRUCK, "#1 on my way").await;
    phones.text("+14155557715", "Bob's own business").await;
    phones.text(TRUCK, "which of you?").await;
    phones.text("+14155557799", "a stranger").await;
    phones.switch(ANA, "unreachable").await;
    sam.say(thread, "Can you hear me?").await;
    phones.fault(ANA, json!({"kind": "unavailable"})).await;
    sam.say(thread, "And now?").await;
    phones.text(ANA, "STOP").await;
    sam.say(thread, "Not by text").await;
    let wanted = ["failed", "unknown", "not_texted"];
    sam.until("every outcome", |s| {
        let has = |state: &str| s.changes.iter().any(|c| c["kind"] == "delivery" && c["state"] == state);
        wanted.into_iter().all(has)
            && ["unrouted", "consent"]
                .iter()
                .all(|k| s.changes.iter().any(|c| c["kind"] == *k))
    })
    .await;
    let head = portal.ping().await;
    portal.at(head).await;
    let attempt = sam
        .state()
        .changes
        .iter()
        .find_map(|c| c["attempt"].as_str().map(str::to_owned))
        .unwrap();

    let mut bytes: Vec<String> = Vec::new();
    let resumed = ana.join(&hub).await;
    for client in [&portal, &resumed] {
        let history = json!({"type": "history", "id": fresh_id(), "limit": 200});
        client.submit(&history).await.expect("a page");
        bytes.extend(client.state().heard.clone());
    }
    let messages = format!("/v1/threads/{thread}/messages");
    let resend = format!("/v1/threads/{thread}/resend");
    for (method, path, body) in [
        ("GET", format!("/v1/threads/{thread}"), None),
        ("GET", format!("{messages}?limit=200"), None),
        ("POST", messages, Some(json!({"id": "stale", "text": "x", "seen": 1}))),
        ("POST", resend, Some(json!({"attempt": attempt}))),
        ("GET", "/v1/unrouted".to_owned(), None),
        ("GET", "/v1/search?q=you&sort=newest".to_owned(), None),
        ("GET", "/v1/line".to_owned(), None),
        ("GET", "/v1/inbox?filter=failed".to_owned(), None),
        ("GET", "/v1/log?after=0".to_owned(), None),
    ] {
        let answer = hub.ask(method, &path, Some(&ana.token), body.as_ref()).await;
        bytes.push(format!("{:?} {}", answer.headers, answer.text));
    }
    // Her own number, told to her by her own contact's record, is no secret.
    let hers = ANA.trim_start_matches('+');
    let planted = serde_json::to_string(&org.log(&hub).await).unwrap();
    for secret in [
        "415555",
        "phone:+",
        "\"sid\"",
        "attempt",
        "\"reason\"",
        "\"texts\":[",
        "\"rule\"",
        "\"tag\"",
        "Bob",
        "which of",
    ] {
        assert!(planted.contains(secret), "{secret} was never planted");
        let leak = bytes
            .iter()
            .map(|text| text.replace(hers, ""))
            .find(|text| text.contains(secret));
        assert_eq!(leak, None, "{secret:?} reached a customer");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_of_the_team_or_of_a_neighbour_reaches_a_customer() {
    let hub = Hub::start().await;
    for (show, shown, besides) in SHOWN {
        let settings = json!({"show_staff": show, "business_phones": ["+12025550143"]});
        let org = Org::with(&hub, &format!("org-{show}"), settings).await;
        let ana = org.customer(&hub, "ana", "Ana Souza").await;
        let bob = org
            .customer_with(&hub, "bob", json!({"name": "Bobtrue Hale", "phone": "+12025550188"}))
            .await;
        let sockets = live(&hub, &org, &ana, &bob).await;

        let mut bytes = Vec::new();
        for client in &sockets {
            let state = client.state();
            bytes.extend(state.heard.clone());
            assert_eq!(state.named("presence").count(), 0, "who is at work is the team's alone");
            for change in &state.changes {
                assert!(
                    ["message", "receipt"].contains(&change["kind"].as_str().unwrap()),
                    "{change}"
                );
            }
            let from: Vec<_> = state.changes.iter().filter(|c| c["from"]["kind"] == "staff").collect();
            let is_shown = |name: &Value| name.as_str().is_some_and(|name| name.ends_with(shown));
            let zebs = from
                .iter()
                .filter(|c| c["text"] == "On our way")
                .all(|c| is_shown(&c["from"]["name"]));
            assert!(zebs, "{show}: {from:?}");
        }
        assert!(sockets[0].state().changes.len() >= 8, "she saw her own conversation");

        let thread = ana.thread();
        let asked = [
            ("GET", format!("/v1/threads/{thread}"), None),
            ("GET", format!("/v1/threads/{thread}/messages?limit=200"), None),
            (
                "POST",
                format!("/v1/threads/{thread}/messages"),
                Some(json!({"id": "h1", "text": "by HTTP"})),
            ),
            (
                "POST",
                format!("/v1/threads/{thread}/messages"),
                Some(json!({"id": "h2", "text": "stale", "seen": 1})),
            ),
            ("GET", format!("/v1/threads/{}", bob.thread()), None),
            ("GET", format!("/v1/threads/{}/messages", bob.thread()), None),
            ("GET", "/v1/inbox?filter=all".to_owned(), None),
            ("GET", "/v1/log?after=0".to_owned(), None),
            ("GET", "/v1/search?q=canary".to_owned(), None),
            ("GET", "/v1/search?q=way&sort=newest".to_owned(), None),
            ("GET", "/v1/search?q=l&sort=newest".to_owned(), None),
            ("GET", "/portal".to_owned(), None),
        ];
        for (method, path, body) in &asked {
            let answer = hub.ask(method, path, Some(&ana.token), body.as_ref()).await;
            bytes.push(format!("{:?} {}", answer.headers, answer.text));
        }

        let allowed_by_name: &[&str] = if show == "name" { &["Quartermaine"] } else { &[] };
        let secrets = SECRETS
            .iter()
            .chain(besides)
            .filter(|secret| !allowed_by_name.contains(*secret));
        for secret in secrets {
            let leak = bytes.iter().find(|text| text.contains(secret));
            assert!(
                leak.is_none(),
                "show_staff {show}: {secret:?} reached a customer in {}",
                leak.unwrap()
            );
        }
        // A rev would show by its gaps how busy the org is.
        let rev = bytes.iter().find(|text| text.contains(r#""rev""#));
        assert!(rev.is_none(), "a customer was told a rev: {}", rev.unwrap());
        let planted = org.log(&hub).await;
        let planted = serde_json::to_string(&planted).unwrap();
        let unplanted = SECRETS.iter().find(|secret| !planted.contains(*secret));
        assert_eq!(unplanted, None, "a canary that was never planted proves nothing");
    }
}
