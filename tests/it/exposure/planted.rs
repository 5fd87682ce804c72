//! An org with a word planted in every field that is not its customer's.

use serde_json::{Value, json};

use crate::handoffs::call;
use crate::support::phones::{NUMBER, Phones};
use crate::support::{Client, Hub, Org, Person, fresh_id};

pub const TRUCK: &str = "+14155557701";
const ANA: &str = "+14155550912";
pub const BOB: &str = "+14155557715";
const STRANGER: &str = "+14155557799";

/// Planted by [`plant`], each in a field that is not Ana's.
pub const CANARIES: [&str; 21] = [
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

/// Of those that the photos' tests make.
pub const PHOTO: &str = "plain.jpg";

pub struct Scene {
    pub phones: Phones,
    pub hub: Hub,
    pub org: Org,
    pub ana: Person,
    pub staff: Person,
    pub sam: Client,
    pub portal: Client,
    /// The rev of a text that reached nobody, an unknown number's thread, and a text that failed.
    pub unrouted: i64,
    pub unknown: String,
    pub attempt: String,
    /// In a note of her own thread.
    pub photo: String,
}

pub async fn plant() -> Scene {
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
    let photo = crate::photos::uploaded(&hub, &staff.token, PHOTO).await;
    let note = json!({"id": fresh_id(), "text": "note-canary: a photo", "internal": true, "photos": [photo]});
    let path = format!("/v1/threads/{}/messages", ana.thread());
    hub.post(&staff.token, &path, &note).await.ok();
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
        photo,
    }
}
