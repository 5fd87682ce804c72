//! Orgs of a test's own, and the people in them.

use serde_json::{Value, json};

use super::hub::Hub;
use super::state::State;
use super::token::Claims;
use super::wire::{Client, Dial};

/// An org that only this test knows.
#[derive(Clone)]
pub struct Org {
    pub id: String,
    pub service: String,
}

/// Somebody with a token. A customer has a thread.
#[derive(Clone)]
pub struct Person {
    pub name: String,
    pub token: String,
    pub claims: Claims,
    pub thread: Option<String>,
}

/// The usual cast: Acme Plumbing with a customer, a neighbour of hers, and two of the crew.
pub struct Scene {
    pub hub: Hub,
    pub org: Org,
    pub ana: Person,
    pub bob: Person,
    pub sam: Person,
    pub kim: Person,
}

impl Scene {
    pub async fn start() -> Self {
        Self::on(Hub::start().await).await
    }

    pub async fn on(hub: Hub) -> Self {
        let org = Org::make(&hub, "acme").await;
        Self {
            ana: org.customer(&hub, "ana", "Ana Souza").await,
            bob: org.customer(&hub, "bob", "Bob Hale").await,
            sam: org.staff("sam", "Sam Ortiz"),
            kim: org.staff("kim", "Kim Doyle"),
            org,
            hub,
        }
    }
}

impl Org {
    pub async fn make(hub: &Hub, id: &str) -> Self {
        Self::with(hub, id, json!({})).await
    }

    /// `settings` besides the name, as `PUT /v1/orgs/{org}` takes them.
    pub async fn with(hub: &Hub, id: &str, mut settings: Value) -> Self {
        let org = Self {
            id: id.to_owned(),
            service: Claims::service(id).mint(),
        };
        settings["name"] = json!(format!("{id} Plumbing"));
        hub.put(&org.service, &format!("/v1/orgs/{id}"), &settings).await.ok();
        org
    }

    /// Makes the contact, and with it the thread.
    pub async fn customer(&self, hub: &Hub, contact: &str, name: &str) -> Person {
        self.customer_with(hub, contact, json!({"name": name})).await
    }

    pub async fn customer_with(&self, hub: &Hub, contact: &str, record: Value) -> Person {
        let path = format!("/v1/orgs/{}/contacts/{contact}", self.id);
        let made = hub.put(&self.service, &path, &record).await.ok();
        let name = record["name"].as_str().expect("a contact has a name").to_owned();
        let claims = Claims::customer(&self.id, contact, &name);
        Person {
            token: claims.mint(),
            thread: Some(made["thread"].as_str().expect("a contact has a thread").to_owned()),
            name,
            claims,
        }
    }

    pub fn staff(&self, sub: &str, name: &str) -> Person {
        let claims = Claims::staff(&self.id, sub, name);
        Person {
            name: name.to_owned(),
            token: claims.mint(),
            claims,
            thread: None,
        }
    }

    /// The whole log, read in pages through `GET /v1/log`, with its numbers checked.
    pub async fn log(&self, hub: &Hub) -> Vec<Value> {
        let mut records: Vec<Value> = Vec::new();
        loop {
            let page = hub
                .get(&self.service, &format!("/v1/log?after={}", records.len()))
                .await
                .ok();
            let new = page["records"].as_array().expect("records").clone();
            assert!(new.len() <= 500, "a page of the log holds at most 500 records");
            for record in new {
                let rev = record["rev"].as_i64();
                assert_eq!(rev, Some(records.len() as i64 + 1), "revs have no gap: {record}");
                records.push(record);
            }
            assert_eq!(page["cursor"].as_i64(), Some(records.len() as i64));
            if page["head"].as_i64() == Some(records.len() as i64) {
                return records;
            }
        }
    }
}

impl Person {
    /// A customer's thread.
    pub fn thread(&self) -> &str {
        self.thread.as_deref().expect("a customer has a thread")
    }

    /// Connects from the very beginning of the view, so that the client holds all of it.
    pub async fn join(&self, hub: &Hub) -> Client {
        self.resume(hub, 0).await
    }

    pub async fn resume(&self, hub: &Hub, cursor: i64) -> Client {
        let client = Dial::to(&hub.ws).open().await.expect("the hub takes the socket");
        client.hello(&self.token, Some(cursor), None);
        client.ready().await;
        client
    }

    /// Comes back with what an earlier connection knew.
    pub async fn return_with(&self, hub: &Hub, knew: State) -> Client {
        let (cursor, log) = (knew.cursor, knew.log.clone());
        let client = Dial::to(&hub.ws)
            .knowing(knew)
            .open()
            .await
            .expect("the hub takes the socket");
        client.hello(&self.token, Some(cursor), log.as_deref());
        client.ready().await;
        client
    }

    /// Connects without a cursor: live from now on, as a page does that is loaded afresh.
    pub async fn load(&self, hub: &Hub) -> Client {
        let client = Dial::to(&hub.ws).open().await.expect("the hub takes the socket");
        client.hello(&self.token, None, None);
        client.ready().await;
        client
    }
}
