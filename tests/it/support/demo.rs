//! The demo as a browser and a hand on its phones meet it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::chromium::Browser;
use super::pages::{Tab, row};
use super::{Hub, PATIENCE};

/// The demo with its pages open and its phones in reach.
pub struct Demo {
    pub hub: Hub,
    pub browser: Browser,
}

/// Somebody of the demo: a customer has a thread and a phone.
pub struct Somebody {
    pub name: String,
    pub page: String,
    pub thread: String,
    pub phone: String,
}

impl Demo {
    pub async fn start() -> Self {
        // What is uncertain is looked for soon.
        let settings = [
            ("CREWLINE_FRAMES_PER_SECOND", "100000"),
            ("CREWLINE_RECONCILE_AFTER_MS", "200"),
        ];
        Self {
            hub: Hub::with(&settings).await,
            browser: Browser::start().await,
        }
    }

    pub fn customer(&self, contact: &str) -> Somebody {
        let customers = self.hub.demo["customers"].as_array().expect("customers");
        let found = customers.iter().find(|customer| customer["contact"] == contact);
        Somebody::of(found.expect("a customer of the demo"))
    }

    pub fn staff(&self, sub: &str) -> Somebody {
        let staff = self.hub.demo["staff"].as_array().expect("staff");
        Somebody::of(staff.iter().find(|one| one["sub"] == sub).expect("one of the crew"))
    }

    pub fn number(&self) -> &str {
        self.hub.demo["twilio"]["number"].as_str().expect("a number")
    }

    pub fn truck(&self) -> &str {
        let phones = &self.hub.demo["twilio"]["business_phones"];
        phones[0].as_str().expect("a business phone")
    }

    pub async fn open(&self, who: &Somebody) -> Tab {
        let tab = Tab(self.browser.open(&who.page).await);
        tab.live().await;
        tab
    }

    /// The CRM with the customer's thread open.
    pub async fn crm_at(&self, sub: &str, customer: &Somebody) -> Tab {
        let tab = self.open(&self.staff(sub)).await;
        tab.0.click(&row(&customer.thread)).await;
        tab.0.until(r#"$$('[data-testid="message"]').length > 0"#).await;
        tab
    }

    pub async fn simulator(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = self
            .hub
            .ask(method, &format!("/simulator/{path}"), None, Some(&body))
            .await;
        match answer.status {
            204 => Value::Null,
            _ => answer.ok(),
        }
    }

    pub async fn switch(&self, phone: &str, switch: &str) {
        self.simulator("PUT", &format!("phones/{phone}"), json!({ "switch": switch }))
            .await;
    }

    pub async fn text(&self, phone: &str, body: &str) {
        let text = json!({ "to": self.number(), "body": body });
        self.simulator("POST", &format!("phones/{phone}/texts"), text).await;
    }

    /// What stands on a phone and came from the number.
    pub async fn got(&self, phone: &str) -> Vec<Value> {
        let shown = self.hub.ask("GET", "/simulator/phones", None, None).await.ok();
        let phones = shown["phones"].as_array().expect("phones");
        let found = phones.iter().find(|one| one["phone"] == phone).expect("the phone");
        let messages = found["messages"].as_array().expect("messages").iter();
        messages.filter(|message| message["by"] == "number").cloned().collect()
    }

    /// Waits for a text on a phone that begins and ends so.
    pub async fn gets(&self, phone: &str, begin: &str, end: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let got = self.got(phone).await;
            let fits = |message: &&Value| {
                let text = message["text"].as_str().expect("a text");
                text.starts_with(begin) && text.ends_with(end)
            };
            if let Some(message) = got.iter().find(fits) {
                return message.clone();
            }
            assert!(
                Instant::now() < deadline,
                "{phone} never got {begin:?}…{end:?}: {got:?}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The create call for a text, once it was answered.
    pub async fn created(&self, body: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ledger = self.hub.ask("GET", "/simulator/ledger", None, None).await.ok();
            let mut creates = ledger["creates"].as_array().expect("creates").iter();
            if let Some(create) = creates.find(|create| create["body"] == body) {
                return create.clone();
            }
            assert!(Instant::now() < deadline, "{body:?} was never handed over");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Somebody {
    fn of(person: &Value) -> Self {
        let text = |field: &str| person[field].as_str().unwrap_or_default().to_owned();
        Self {
            name: text("name"),
            page: text("page"),
            thread: text("thread"),
            phone: text("phone"),
        }
    }
}
