//! The real binary as a child process: started, killed, restarted on the same data, asked over HTTP.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::token::SECRET;

const BINARY: &str = env!("CARGO_BIN_EXE_crewline");
/// Enough of the log to understand a failure.
const LOG_LINES: usize = 400;

pub struct Hub {
    child: Child,
    data: TempDir,
    settings: Vec<(String, String)>,
    log: Arc<Mutex<VecDeque<String>>>,
    http: reqwest::Client,
    /// `http://127.0.0.1:…`
    pub url: String,
    /// `ws://127.0.0.1:…/v1/ws`
    pub ws: String,
    /// The line that the demo prints when it is ready.
    pub demo: Value,
}

/// An HTTP answer, whole, so that two can be compared byte for byte.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub bytes: Vec<u8>,
    /// The bytes, if they are text.
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|e| panic!("HTTP {} with a body that is not JSON ({e}): {}", self.status, self.text))
    }

    /// The JSON of an answer that had to be a success.
    pub fn ok(&self) -> Value {
        assert!((200..300).contains(&self.status), "HTTP {}: {}", self.status, self.text);
        self.json()
    }

    /// A header's values, joined by commas as HTTP has it.
    pub fn header(&self, name: &str) -> Option<String> {
        let values = self.headers.iter().filter(|(found, _)| found == name);
        let values: Vec<_> = values.map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl Hub {
    /// As a user would start it, but with a rate that lets tests write as fast as they can.
    pub async fn start() -> Self {
        Self::with(&[("CREWLINE_FRAMES_PER_SECOND", "100000")]).await
    }

    /// With exactly these settings, and the defaults for all others.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        Self::at("127.0.0.1:0", settings).await
    }

    /// The same at an address that others have to know before.
    pub async fn at(address: &str, settings: &[(&str, &str)]) -> Self {
        let data = tempfile::tempdir().expect("a folder for the data");
        let settings: Vec<_> = settings.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        let log = Arc::default();
        let (child, demo) = launch(address, &data, &settings, &log).await;
        let mut hub = Self {
            child,
            data,
            settings,
            log,
            http: reqwest::Client::new(),
            url: String::new(),
            ws: String::new(),
            demo,
        };
        hub.learn();
        hub
    }

    /// Starts the binary again on the same data and at the same address, so that a page finds it.
    pub async fn restart(&mut self) {
        let gone = self.child.try_wait().expect("the child can be asked").is_some();
        assert!(gone, "the old process must have ended before its data is opened again");
        let address = self.url.trim_start_matches("http://").to_owned();
        (self.child, self.demo) = launch(&address, &self.data, &self.settings, &self.log).await;
        self.learn();
    }

    fn learn(&mut self) {
        self.url = self.demo["url"].as_str().expect("url").trim_end_matches('/').to_owned();
        self.ws = self.demo["ws"].as_str().expect("ws").to_owned();
    }

    /// From the next start on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// Whether a line of its log has all of these.
    pub fn logged(&self, words: &[&str]) -> bool {
        let log = self.log.lock().unwrap_or_else(|e| e.into_inner());
        log.iter().any(|line| words.iter().all(|word| line.contains(word)))
    }

    /// The folder of its data.
    pub fn data(&self) -> &std::path::Path {
        self.data.path()
    }

    /// `kill -9`: no chance to say goodbye or to flush anything.
    pub fn kill9(&mut self) {
        self.child.kill().expect("the child is ours");
        self.child.wait().expect("the child is ours");
    }

    /// STOP or CONT: it stands still, and nobody is told.
    pub fn signal(&self, name: &str) {
        let kill = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status();
        assert!(kill.expect("kill is there").success());
    }

    pub fn sigterm(&self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(sent.is_ok_and(|status| status.success()), "could not signal the hub");
    }

    pub async fn exited(&mut self, within: Duration) -> ExitStatus {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait().expect("the child can be asked") {
                return status;
            }
            assert!(Instant::now() < deadline, "the hub still runs after {within:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// `crewline verify` over the data of a hub that does not run.
    pub fn verify(&self) {
        let mut command = Command::new(BINARY);
        command.arg("verify");
        if !is_shared(&self.settings) {
            command.arg("--data").arg(self.data.path());
        }
        let out = command
            .env("CREWLINE_JWT_SECRET", SECRET)
            .envs(self.settings.iter().map(|(k, v)| (k.as_str(), v.as_str())))
            .output()
            .expect("the binary runs");
        let told = format!(
            "{}{}",
            String::from_utf8_lossy(&out.stdout),
            String::from_utf8_lossy(&out.stderr)
        );
        assert!(out.status.success(), "crewline verify: {}\n{told}", out.status);
    }

    /// Resident memory of the hub in bytes.
    pub fn resident(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// The most of it that there ever was.
    pub fn peak(&self) -> u64 {
        self.memory("VmHWM:")
    }

    fn memory(&self, which: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("the hub runs");
        let line = status
            .lines()
            .find(|line| line.starts_with(which))
            .expect("Linux tells it");
        let kib: u64 = line
            .split_whitespace()
            .nth(1)
            .and_then(|n| n.parse().ok())
            .expect("a number of kB");
        kib * 1024
    }

    pub async fn get(&self, token: &str, path: &str) -> Answer {
        self.ask("GET", path, Some(token), None).await
    }

    pub async fn put(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.ask("PUT", path, Some(token), Some(body)).await
    }

    pub async fn post(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, Some(token), Some(body)).await
    }

    pub async fn ask(&self, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Answer {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
        self.send(method, path, &headers, body).await
    }

    /// With exactly these headers, besides those that a body needs.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Answer {
        let method = method.parse().expect("an HTTP method");
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap_or_else(|e| panic!("{path}: {e:?}"));
        let status = answer.status().as_u16();
        let headers = answer.headers().iter();
        let headers = headers
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let bytes = answer.bytes().await.unwrap_or_else(|e| panic!("{path}: {e:?}"));
        Answer {
            status,
            headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
            bytes: bytes.into(),
        }
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log.lock().unwrap_or_else(|e| e.into_inner());
            eprintln!("--- the hub's log, its last {} lines", log.len());
            log.iter().for_each(|line| eprintln!("{line}"));
        }
    }
}

/// Nodes of one cluster share a database; otherwise each has a folder of its own.
fn is_shared(settings: &[(String, String)]) -> bool {
    settings.iter().any(|(name, _)| name == "DATABASE_URL")
}

/// Starts the demo and waits for its line.
async fn launch(
    listen: &str,
    data: &TempDir,
    settings: &[(String, String)],
    log: &Arc<Mutex<VecDeque<String>>>,
) -> (Child, Value) {
    let mut command = Command::new(BINARY);
    command.args(["demo", "--json", "--listen", listen]);
    if !is_shared(settings) {
        command.arg("--data").arg(data.path());
    }
    let mut child = command
        .env("CREWLINE_JWT_SECRET", SECRET)
        .env("CREWLINE_PHOTOS", data.path().join("photos"))
        .envs(settings.iter().map(|(k, v)| (k.as_str(), v.as_str())))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");

    let stderr = child.stderr.take().expect("piped");
    let kept = Arc::clone(log);
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let mut kept = kept.lock().unwrap_or_else(|e| e.into_inner());
            if kept.len() == LOG_LINES {
                kept.pop_front();
            }
            kept.push_back(line);
        }
    });

    let stdout = child.stdout.take().expect("piped");
    let (ready, line) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let _ = ready.send(lines.next());
        // Read on, or the hub would block on a full pipe.
        lines.for_each(drop);
    });
    let line = tokio::time::timeout(Duration::from_secs(30), line).await;
    match line {
        Ok(Ok(Some(line))) => {
            let demo = serde_json::from_str(&line).unwrap_or_else(|e| panic!("the demo's line ({e}): {line}"));
            (child, demo)
        }
        _ => {
            let _ = child.kill();
            let _ = child.wait();
            // Its last words may still be in the pipe.
            tokio::time::sleep(Duration::from_millis(200)).await;
            let log = log.lock().unwrap_or_else(|e| e.into_inner());
            panic!(
                "the hub did not say that it is ready:\n{}",
                Vec::from(log.clone()).join("\n")
            );
        }
    }
}
