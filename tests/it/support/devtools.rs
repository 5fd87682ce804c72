//! The DevTools protocol: commands and their answers, and what pages tell by themselves.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

use super::PATIENCE;

/// The DevTools connection: one socket, a session per page.
#[derive(Clone)]
pub(super) struct Wire {
    out: mpsc::UnboundedSender<Message>,
    shared: Arc<Mutex<Shared>>,
    next: Arc<AtomicU64>,
}

#[derive(Default)]
struct Shared {
    waiting: HashMap<u64, oneshot::Sender<Value>>,
    /// By session.
    heard: HashMap<String, Heard>,
}

/// What one page has told so far.
#[derive(Default, Clone)]
pub(super) struct Heard {
    pub errors: Vec<String>,
    pub requests: Vec<String>,
    /// The field that waits for files.
    chooser: Option<Value>,
}

impl Wire {
    pub async fn connect(endpoint: &str) -> Self {
        let host = endpoint.trim_start_matches("ws://").split('/').next().expect("a host");
        let tcp = TcpStream::connect(host).await.expect("chromium listens");
        let (ws, _) = client_async(endpoint, tcp).await.expect("DevTools speak WebSocket");
        let (mut sink, mut stream) = ws.split();
        let (out, mut queue) = mpsc::unbounded_channel();
        let shared = Arc::<Mutex<Shared>>::default();
        let heard = Arc::clone(&shared);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    said = queue.recv() => match said {
                        Some(message) => if sink.send(message).await.is_err() { break },
                        None => break,
                    },
                    frame = stream.next() => match frame {
                        Some(Ok(Message::Text(text))) => hear(&heard, &text),
                        Some(Ok(_)) => {}
                        _ => break,
                    },
                }
            }
        });
        Self {
            out,
            shared,
            next: Arc::new(AtomicU64::new(1)),
        }
    }

    pub fn heard(&self, session: &str) -> Heard {
        self.shared
            .lock()
            .unwrap()
            .heard
            .get(session)
            .cloned()
            .unwrap_or_default()
    }

    pub fn take_chooser(&self, session: &str) -> Option<Value> {
        self.shared.lock().unwrap().heard.get_mut(session)?.chooser.take()
    }

    pub async fn call(&self, session: Option<&str>, method: &str, parameters: Value) -> Value {
        self.ask(session, method, parameters)
            .await
            .unwrap_or_else(|e| panic!("{method}: {e}"))
    }

    pub async fn ask(&self, session: Option<&str>, method: &str, parameters: Value) -> Result<Value, Value> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut command = json!({"id": id, "method": method, "params": parameters});
        if let Some(session) = session {
            command["sessionId"] = json!(session);
        }
        let (answer, answered) = oneshot::channel();
        self.shared.lock().unwrap().waiting.insert(id, answer);
        self.out
            .send(Message::text(command.to_string()))
            .expect("chromium runs");
        let answer = tokio::time::timeout(PATIENCE, answered).await;
        let mut answer = answer
            .unwrap_or_else(|_| panic!("{method}: no answer"))
            .expect("chromium runs");
        match answer.get("error") {
            Some(error) => Err(error.clone()),
            None => Ok(answer["result"].take()),
        }
    }
}

fn hear(shared: &Mutex<Shared>, text: &str) {
    let event: Value = serde_json::from_str(text).expect("DevTools speak JSON");
    let mut shared = shared.lock().unwrap();
    if let Some(id) = event["id"].as_u64() {
        if let Some(waiting) = shared.waiting.remove(&id) {
            let _ = waiting.send(event);
        }
        return;
    }
    let (Some(method), Some(session)) = (event["method"].as_str(), event["sessionId"].as_str()) else {
        return;
    };
    let what = &event["params"];
    let heard = shared.heard.entry(session.to_owned()).or_default();
    let mut error = |error: String| heard.errors.push(error);
    match method {
        "Runtime.exceptionThrown" => error(what["exceptionDetails"].to_string()),
        "Runtime.consoleAPICalled" if what["type"] == "error" => error(what["args"].to_string()),
        "Log.entryAdded" if what["entry"]["level"] == "error" => error(what["entry"].to_string()),
        "Page.javascriptDialogOpening" => error(format!("a dialog: {what}")),
        "Network.requestWillBeSent" => heard
            .requests
            .extend(what["request"]["url"].as_str().map(str::to_owned)),
        "Network.webSocketCreated" => heard.requests.extend(what["url"].as_str().map(str::to_owned)),
        "Page.fileChooserOpened" => heard.chooser = Some(what["backendNodeId"].clone()),
        _ => {}
    }
}
