//! The client and the webhooks' reader against the simulator, over HTTP: the two halves of what is known
//! about Twilio, each held to the other.

mod courier;
mod receiving;
mod sending;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use crewline::domain::{Phone, parts};
use crewline::sms::simulator::{Behaviour, Order};
use crewline::sms::{
    CreateError, Direction, Form, Inbound, OptOut, Outgoing, Query, Simulator, SimulatorSettings, Status, StatusUpdate,
    Twilio, TwilioSettings, Validator,
};
use crewline::ws::listener;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const ACCOUNT: &str = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const TOKEN: &str = "12345";
const NUMBER: &str = "+15005550100";
const ANA: &str = "+15558675310";
const PATIENCE: Duration = Duration::from_secs(10);

fn now_s() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.unwrap().as_secs() as i64
}

async fn serve(router: impl FnOnce(SocketAddr) -> Router) -> String {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let router = router(address);
    tokio::spawn(listener::serve(
        tcp,
        router,
        1_000,
        CancellationToken::new(),
        TaskTracker::new(),
    ));
    format!("http://{address}")
}

/// Where webhooks arrive. What is not signed for it is not heard.
#[derive(Clone)]
struct Desk {
    validator: Arc<Validator>,
    heard: mpsc::UnboundedSender<(String, Form)>,
    /// What it answers: the next, or 204.
    answers: Arc<Mutex<Vec<Response>>>,
}

async fn hear(State(desk): State<Desk>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let target = uri.to_string();
    match desk.validator.check(&target, &headers, &body) {
        Ok(form) => {
            let _ = desk.heard.send((target, form));
            let mut answers = desk.answers.lock().unwrap();
            answers.pop().unwrap_or_else(|| StatusCode::NO_CONTENT.into_response())
        }
        Err(_) => StatusCode::FORBIDDEN.into_response(),
    }
}

struct Scene {
    twilio: Twilio,
    /// The simulator's URL, and the desk's.
    url: String,
    desk: String,
    heard: mpsc::UnboundedReceiver<(String, Form)>,
    answers: Arc<Mutex<Vec<Response>>>,
    http: reqwest::Client,
}

impl Scene {
    async fn new(behaviour: Behaviour) -> Self {
        let (told, heard) = mpsc::unbounded_channel();
        let answers = Arc::new(Mutex::new(Vec::new()));
        let on_desk = Arc::clone(&answers);
        let desk = serve(|address| {
            let desk = Desk {
                validator: Arc::new(Validator::new(TOKEN.into(), &format!("http://{address}"))),
                heard: told,
                answers: on_desk,
            };
            let photo = get(|| async { ([(header::CONTENT_TYPE, "image/png")], "a photo") });
            Router::new()
                .route("/photo", photo)
                .fallback(any(hear))
                .with_state(desk)
        })
        .await;
        let inbound = format!("{desk}/twilio/inbound");
        let url = serve(|address| {
            let settings = SimulatorSettings {
                account_sid: ACCOUNT.into(),
                auth_token: TOKEN.into(),
                url: format!("http://{address}"),
                numbers: vec![(Phone::parse(NUMBER).unwrap(), inbound)],
                phones: vec![(Phone::parse(ANA).unwrap(), "Ana".into())],
                behaviour: Behaviour {
                    step_ms: 0,
                    ..behaviour
                },
            };
            Simulator::new(settings).unwrap().router()
        })
        .await;
        let twilio = Twilio::new(TwilioSettings {
            url: url.clone(),
            account: ACCOUNT.into(),
            user: ACCOUNT.into(),
            password: TOKEN.into(),
            time_out: Duration::from_secs(2),
        });
        Self {
            twilio: twilio.unwrap(),
            url,
            desk,
            heard,
            answers,
            http: reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
        }
    }

    async fn send(&self, body: &str, media: &[String]) -> Result<String, CreateError> {
        let callback = format!("{}/twilio/status?attempt=7", self.desk);
        let text = Outgoing {
            to: ANA,
            from: NUMBER,
            body,
            media,
            status_callback: &callback,
        };
        self.twilio.create(&text).await.map(|accepted| accepted.sid)
    }

    async fn hear(&mut self) -> (String, Form) {
        let heard = tokio::time::timeout(PATIENCE, self.heard.recv());
        heard.await.expect("a webhook").unwrap()
    }

    /// The next status callback.
    async fn status(&mut self) -> StatusUpdate {
        let (target, form) = self.hear().await;
        assert_eq!(target, "/twilio/status?attempt=7");
        StatusUpdate::read(&form).unwrap()
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> Value {
        let method = method.parse().unwrap();
        let request = self.http.request(method, format!("{}{path}", self.url));
        let answer = request.json(&body).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Ana's phone sends a text.
    async fn text(&self, body: &str) -> Value {
        let path = format!("/simulator/phones/{ANA}/texts");
        self.ask("POST", &path, json!({ "to": NUMBER, "body": body })).await
    }

    /// What Ana's phone shows, as (by, text, status).
    async fn screen(&self) -> Vec<(String, String, String)> {
        let shown = self.ask("GET", "/simulator/phones", json!(null)).await;
        let phones = shown["phones"].as_array().unwrap().iter();
        let ana = phones.clone().find(|phone| phone["phone"] == ANA).unwrap();
        assert_eq!(ana["name"], "Ana");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let messages = ana["messages"].as_array().unwrap().iter();
        messages
            .map(|one| (text(&one["by"]), text(&one["text"]), text(&one["status"])))
            .collect()
    }
}
