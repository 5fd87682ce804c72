//! `crewline simulator` as a process of its own, so that it outlives hubs, and the phones in it.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::hub::Hub;

pub const NUMBER: &str = "+14155550900";
/// The demo's own org has one, too, and texts when it is seeded.
const DEMO_NUMBER: &str = "+14155550100";

pub struct Phones {
    child: Child,
    http: reqwest::Client,
    pub url: String,
    account_sid: String,
    auth_token: String,
    /// Where the hub is to listen: Twilio's webhooks are signed for it, so it is known before.
    pub hub: String,
}

impl Phones {
    /// A simulator that tells the hub at [`Phones::hub`] what [`NUMBER`] gets.
    pub async fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let hub = format!("127.0.0.1:{port}");
        let mut command = Command::new(env!("CARGO_BIN_EXE_crewline"));
        command.args(["simulator", "--json", "--listen", "127.0.0.1:0", "--step-ms", "5"]);
        for number in [NUMBER, DEMO_NUMBER] {
            command.args(["--number", &format!("{number}=http://{hub}/twilio/inbound")]);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the binary starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("the simulator says where it is");
        let line: Value = serde_json::from_str(&line).expect("a line of JSON");
        let text = |name: &str| line[name].as_str().expect(name).to_owned();
        Self {
            child,
            http: reqwest::Client::new(),
            url: text("url"),
            account_sid: text("account_sid"),
            auth_token: text("auth_token"),
            hub,
        }
    }

    /// A hub that texts through this simulator.
    pub async fn hub(&self) -> Hub {
        self.hub_with(&[]).await
    }

    pub async fn hub_with(&self, besides: &[(&str, &str)]) -> Hub {
        let public_url = format!("http://{}", self.hub);
        let mut settings = vec![
            ("TWILIO_ACCOUNT_SID", self.account_sid.as_str()),
            ("TWILIO_AUTH_TOKEN", &self.auth_token),
            ("CREWLINE_TWILIO_URL", &self.url),
            ("CREWLINE_PUBLIC_URL", &public_url),
            ("CREWLINE_TEXTS_PER_SECOND", "1000"),
            ("CREWLINE_RECONCILE_AFTER_MS", "1000"),
            ("CREWLINE_FRAMES_PER_SECOND", "100000"),
        ];
        settings.extend(besides);
        Hub::at(&self.hub, &settings).await
    }

    pub async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let method = method.parse().expect("an HTTP method");
        let mut request = self.http.request(method, format!("{}/simulator/{path}", self.url));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap_or_else(|e| panic!("{path}: {e:?}"));
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    /// Writes on a phone. Returns how the hub's webhook answered.
    pub async fn text(&self, from: &str, body: &str) -> Value {
        let path = format!("phones/{from}/texts");
        let (status, answer) = self
            .ask("POST", &path, Some(&json!({"to": NUMBER, "body": body})))
            .await;
        assert_eq!(status, 201, "{answer}");
        answer["webhook"].clone()
    }

    pub async fn switch(&self, phone: &str, switch: &str) {
        self.ask("PUT", &format!("phones/{phone}"), Some(&json!({"switch": switch})))
            .await;
    }

    pub async fn behave(&self, behaviour: Value) {
        assert_eq!(self.ask("PUT", "behaviour", Some(&behaviour)).await.0, 204);
    }

    /// What goes wrong with the next creates to a phone: others text as well.
    pub async fn fault(&self, to: &str, mut fault: Value) {
        fault["to"] = to.into();
        assert_eq!(self.ask("POST", "faults", Some(&fault)).await.0, 204, "{fault}");
    }

    /// What a phone shows, the oldest first: `by` is `number` or `phone`.
    pub async fn shows(&self, phone: &str) -> Vec<Value> {
        let (_, all) = self.ask("GET", "phones", None).await;
        let phones = all["phones"].as_array().expect("phones");
        let found = phones.iter().find(|one| one["phone"] == phone);
        found.map_or_else(Vec::new, |one| one["messages"].as_array().expect("messages").clone())
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
        let (_, ledger) = self.ask("GET", "ledger", None).await;
        let creates = ledger["creates"].as_array().expect("creates");
        creates.iter().filter(|call| call["from"] == NUMBER).cloned().collect()
    }

    /// A webhook as Twilio's own libraries sign it: HMAC-SHA1 over the URL and the sorted parameters.
    pub fn sign(&self, path: &str, params: &[(&str, &str)]) -> String {
        use base64::Engine;
        use hmac::{Hmac, KeyInit, Mac};
        let mut sorted = params.to_vec();
        sorted.sort_unstable();
        let mut mac = Hmac::<sha1::Sha1>::new_from_slice(self.auth_token.as_bytes()).expect("any key");
        mac.update(format!("http://{}{path}", self.hub).as_bytes());
        for (key, value) in sorted {
            mac.update(key.as_bytes());
            mac.update(value.as_bytes());
        }
        base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
    }

    pub fn account(&self) -> &str {
        &self.account_sid
    }

    /// Posts a webhook; without a signature if it is empty.
    pub async fn post(&self, path: &str, params: &[(&str, &str)], signature: &str) -> (u16, String) {
        let mut request = self.http.post(format!("http://{}{path}", self.hub)).form(params);
        if !signature.is_empty() {
            request = request.header("X-Twilio-Signature", signature);
        }
        let answer = request.send().await.expect("the hub answers");
        (answer.status().as_u16(), answer.text().await.expect("a body"))
    }
}

impl Drop for Phones {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
