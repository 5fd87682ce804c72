//! `crewline simulator` as a child process: a Twilio with phones, asked over HTTP.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_crewline");
const READY_WITHIN: Duration = Duration::from_secs(30);

pub struct Simulator {
    child: Child,
    pub url: String,
    pub account: String,
    pub token: String,
    http: reqwest::Client,
}

impl Simulator {
    /// One that is as quick as it can be.
    pub async fn start(more: &[&str]) -> Self {
        let mut child = Command::new(BINARY)
            .args(["simulator", "--json", "--listen", "127.0.0.1:0", "--step-ms", "0"])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let stdout = child.stdout.take().expect("piped");
        let (ready, line) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
            let _ = ready.send(lines.next());
            lines.for_each(drop);
        });
        let line = tokio::time::timeout(READY_WITHIN, line)
            .await
            .expect("in time")
            .expect("a line");
        let line: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        let text = |name: &str| line[name].as_str().expect(name).to_owned();
        Self {
            child,
            url: text("url"),
            account: text("account_sid"),
            token: text("auth_token"),
            http: reqwest::Client::new(),
        }
    }

    /// Its own side, below `/simulator`: see `src/sms/simulator/mod.rs`.
    pub async fn ask(&self, method: &str, path: &str, body: Value) -> Value {
        let method = method.parse().expect("an HTTP method");
        let request = self.http.request(method, format!("{}/simulator/{path}", self.url));
        let answer = request
            .json(&body)
            .send()
            .await
            .unwrap_or_else(|e| panic!("{path}: {e:?}"));
        let (status, text) = (answer.status(), answer.text().await.unwrap_or_default());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// A number of the account, whose incoming texts are told to `webhook`.
    pub async fn put_number(&self, number: &str, webhook: &str) {
        self.ask("PUT", &format!("numbers/{number}"), json!({ "webhook": webhook }))
            .await;
    }

    /// A phone sends a text; how the webhook took it.
    pub async fn text(&self, phone: &str, to: &str, body: &str) -> Value {
        let path = format!("phones/{phone}/texts");
        self.ask("POST", &path, json!({ "to": to, "body": body })).await["webhook"].take()
    }

    /// Every create call that there was.
    pub async fn creates(&self) -> Vec<Value> {
        let mut ledger = self.ask("GET", "ledger", json!(null)).await;
        serde_json::from_value(ledger["creates"].take()).expect("a list")
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
