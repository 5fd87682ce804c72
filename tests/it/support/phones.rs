//! A simulator that outlives hubs, a hub that texts through it, and the phones.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::hub::Hub;
use super::simulator::Simulator;

pub const NUMBER: &str = "+14155550900";
/// The demo's own org has one, too, and texts when it is seeded.
const DEMO_NUMBER: &str = "+14155550100";

pub struct Phones {
    simulator: Simulator,
    /// Where the hub is to listen: Twilio's webhooks are signed for it, so it is known before.
    pub hub: String,
}

impl Phones {
    /// A simulator that tells the hub at [`Phones::hub`] what [`NUMBER`] gets.
    pub async fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let hub = format!("127.0.0.1:{port}");
        let webhook = format!("http://{hub}/twilio/inbound");
        let simulator = Simulator::start(&[]).await;
        for number in [NUMBER, DEMO_NUMBER] {
            simulator.put_number(number, &webhook).await;
        }
        Self { simulator, hub }
    }

    /// A hub that texts through this simulator.
    pub async fn hub(&self) -> Hub {
        self.hub_with(&[]).await
    }

    pub async fn hub_with(&self, besides: &[(&str, &str)]) -> Hub {
        let public_url = format!("http://{}", self.hub);
        let mut settings = vec![
            ("TWILIO_ACCOUNT_SID", self.simulator.account.as_str()),
            ("TWILIO_AUTH_TOKEN", &self.simulator.token),
            ("CREWLINE_TWILIO_URL", &self.simulator.url),
            ("CREWLINE_PUBLIC_URL", &public_url),
            ("CREWLINE_TEXTS_PER_SECOND", "1000"),
            ("CREWLINE_RECONCILE_AFTER_MS", "1000"),
            ("CREWLINE_FRAMES_PER_SECOND", "100000"),
        ];
        settings.extend(besides);
        Hub::at(&self.hub, &settings).await
    }

    /// Writes on a phone. Returns how the hub's webhook answered.
    pub async fn text(&self, from: &str, body: &str) -> Value {
        self.simulator.text(from, NUMBER, body).await
    }

    /// The same with pictures: `{to, body?, media: [{content_type, base64}]}`.
    pub async fn send(&self, from: &str, text: Value) {
        self.simulator.ask("POST", &format!("phones/{from}/texts"), text).await;
    }

    pub async fn switch(&self, phone: &str, switch: &str) {
        self.simulator
            .ask("PUT", &format!("phones/{phone}"), json!({"switch": switch}))
            .await;
    }

    pub async fn behave(&self, behaviour: Value) {
        self.simulator.ask("PUT", "behaviour", behaviour).await;
    }

    /// What goes wrong with the next creates to a phone: others text as well.
    pub async fn fault(&self, to: &str, mut fault: Value) {
        fault["to"] = to.into();
        self.simulator.ask("POST", "faults", fault).await;
    }

    /// What a phone shows, the oldest first: `by` is `number` or `phone`.
    pub async fn shows(&self, phone: &str) -> Vec<Value> {
        let all = self.simulator.ask("GET", "phones", Value::Null).await;
        let phones = all["phones"].as_array().expect("phones");
        let found = phones.iter().find(|one| one["phone"] == phone);
        found.map_or_else(Vec::new, |one| one["messages"].as_array().expect("messages").clone())
    }

    /// A picture that a phone shows, by its `url`.
    pub async fn picture(&self, url: &str) -> Vec<u8> {
        let answer = reqwest::get(format!("{}{url}", self.simulator.url)).await;
        let answer = answer.expect("the simulator answers").bytes().await;
        answer.expect("a picture").to_vec()
    }

    /// The texts that a phone got from [`NUMBER`].
    pub async fn got(&self, phone: &str) -> Vec<String> {
        let shows = self.shows(phone).await;
        let got = shows
            .iter()
            .filter(|one| one["by"] == "number" && one["number"] == NUMBER);
        got.map(|one| one["text"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Waits until a phone got a text, for as long as is promised and a little.
    pub async fn gets(&self, phone: &str, text: &str) {
        let start = Instant::now();
        while !self.got(phone).await.iter().any(|one| one == text) {
            let got = self.got(phone).await;
            assert!(start.elapsed() < super::PATIENCE, "{phone} never got {text:?}: {got:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Every create call from [`NUMBER`], the oldest first.
    pub async fn creates(&self) -> Vec<Value> {
        let mut creates = self.simulator.creates().await;
        creates.retain(|call| call["from"] == NUMBER);
        creates
    }

    /// A webhook as Twilio's own libraries sign it: HMAC-SHA1 over the URL and the sorted parameters.
    pub fn sign(&self, path: &str, params: &[(&str, &str)]) -> String {
        use base64::Engine;
        use hmac::{Hmac, KeyInit, Mac};
        let mut sorted = params.to_vec();
        sorted.sort_unstable();
        let mut mac = Hmac::<sha1::Sha1>::new_from_slice(self.simulator.token.as_bytes()).expect("any key");
        mac.update(format!("http://{}{path}", self.hub).as_bytes());
        for (key, value) in sorted {
            mac.update(key.as_bytes());
            mac.update(value.as_bytes());
        }
        base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
    }

    pub fn account(&self) -> &str {
        &self.simulator.account
    }

    /// Posts a webhook; without a signature if it is empty.
    pub async fn post(&self, path: &str, params: &[(&str, &str)], signature: &str) -> (u16, String) {
        let mut request = reqwest::Client::new()
            .post(format!("http://{}{path}", self.hub))
            .form(params);
        if !signature.is_empty() {
            request = request.header("X-Twilio-Signature", signature);
        }
        let answer = request.send().await.expect("the hub answers");
        (answer.status().as_u16(), answer.text().await.expect("a body"))
    }
}
