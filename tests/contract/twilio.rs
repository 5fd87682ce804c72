//! The client and the webhooks' reader against the simulator, over HTTP: the two halves of what is known
//! about Twilio, each held to the other.

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

#[tokio::test]
async fn a_text_arrives_and_every_step_is_told() {
    let mut scene = Scene::new(Behaviour::default()).await;
    let sid = scene.send("On our way 👍🏽 + more", &[]).await.unwrap();
    for status in [Status::Sending, Status::Sent, Status::Delivered] {
        let told = scene.status().await;
        assert_eq!(
            (&*told.sid, &*told.account, told.status, told.code),
            (&*sid, ACCOUNT, status, None)
        );
        assert_eq!((told.to.as_str(), told.from.as_str()), (ANA, NUMBER));
    }
    let line = ("number".into(), "On our way 👍🏽 + more".into(), "delivered".into());
    assert_eq!(scene.screen().await, [line]);
    let kept = scene.twilio.fetch(&sid).await.unwrap();
    assert_eq!(
        (kept.status, kept.direction, &*kept.body),
        (Status::Delivered, Direction::OutboundApi, "On our way 👍🏽 + more")
    );
    assert!((kept.date_created / 1_000 - now_s()).abs() < 60);
    let query = Query {
        to: Some(ANA),
        from: Some(NUMBER),
        since: Some(kept.date_created),
        page_size: 1,
    };
    assert_eq!(scene.twilio.list(&query).await.unwrap(), [kept]);
}

fn now_s() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.unwrap().as_secs() as i64
}

#[tokio::test]
async fn callbacks_in_every_order_and_twice_end_the_same() {
    for order in [Order::Forward, Order::Reverse, Order::Shuffled] {
        let behaviour = Behaviour {
            order,
            copies: 2,
            callbacks_first: true,
            ..Behaviour::default()
        };
        let mut scene = Scene::new(behaviour).await;
        scene.send("hi", &[]).await.unwrap();
        // All of it was told before the create was answered.
        let mut told = Vec::new();
        while let Ok((_, form)) = scene.heard.try_recv() {
            told.push(StatusUpdate::read(&form).unwrap().status);
        }
        assert_eq!(told.len(), 6, "{told:?}");
        let first = if order == Order::Reverse {
            Status::Delivered
        } else {
            Status::Sending
        };
        assert!(order == Order::Shuffled || told[0] == first, "{told:?}");
        let end = told.iter().fold(
            Status::Queued,
            |known, &one| if one.replaces(known) { one } else { known },
        );
        assert_eq!(end, Status::Delivered);
    }
}

#[tokio::test]
async fn a_phone_that_cannot_get_it_says_why() {
    let mut scene = Scene::new(Behaviour::default()).await;
    for (switch, code) in [("unreachable", 30003), ("landline", 30006), ("blocked", 30004)] {
        scene
            .ask("PUT", &format!("/simulator/phones/{ANA}"), json!({ "switch": switch }))
            .await;
        let sid = scene.send("hi", &[]).await.unwrap();
        let mut last = scene.status().await;
        while !last.status.is_final() {
            last = scene.status().await;
        }
        assert_eq!((last.status, last.code), (Status::Undelivered, Some(code)));
        assert_eq!(scene.twilio.fetch(&sid).await.unwrap().error_code, Some(code));
    }
    scene
        .ask(
            "PUT",
            &format!("/simulator/phones/{ANA}"),
            json!({ "switch": "invalid" }),
        )
        .await;
    for problem_documents in [false, true] {
        scene
            .ask(
                "PUT",
                "/simulator/behaviour",
                json!({ "problem_documents": problem_documents }),
            )
            .await;
        let refused = scene.send("hi", &[]).await.unwrap_err();
        assert!(
            matches!(
                refused,
                CreateError::Refused {
                    code: Some(21211),
                    status: 400,
                    ..
                }
            ),
            "{refused:?}"
        );
    }
}

/// What a client is told, and whether there is a message: the ledger knows what the client cannot.
#[tokio::test]
async fn every_fault_is_told_by_what_it_means_for_the_text() {
    let scene = Scene::new(Behaviour::default()).await;
    let uncertain = |error: &CreateError| matches!(error, CreateError::Uncertain(_));
    let throttled = |error: &CreateError| {
        *error
            == CreateError::Throttled {
                retry_after: Some(Duration::from_secs(1)),
            }
    };
    let refused = |error: &CreateError| {
        matches!(
            error,
            CreateError::Refused {
                code: Some(20003),
                status: 401,
                ..
            }
        )
    };
    type Means<'a> = &'a dyn Fn(&CreateError) -> bool;
    let faults: [(Value, Means<'_>, bool); 7] = [
        (json!({ "kind": "accept_then_timeout" }), &uncertain, true),
        (json!({ "kind": "accept_then_500" }), &uncertain, true),
        (json!({ "kind": "accept_then_break" }), &uncertain, true),
        (json!({ "kind": "timeout" }), &uncertain, false),
        (json!({ "kind": "unavailable", "to": ANA }), &uncertain, false),
        (json!({ "kind": "throttle" }), &throttled, false),
        (json!({ "kind": "refuse", "code": 20003 }), &refused, false),
    ];
    for (n, (fault, means, is_created)) in faults.into_iter().enumerate() {
        scene.ask("POST", "/simulator/faults", fault.clone()).await;
        let body = format!("text {n}");
        let error = scene.send(&body, &[]).await.unwrap_err();
        assert!(means(&error), "{fault}: {error:?}");
        let query = Query {
            to: Some(ANA),
            from: Some(NUMBER),
            ..Query::default()
        };
        let listed = scene.twilio.list(&query).await.unwrap();
        assert_eq!(listed.iter().any(|message| message.body == body), is_created, "{fault}");
    }
    assert!(scene.send("fine", &[]).await.is_ok(), "each fault was for one create");
    let ledger = scene.ask("GET", "/simulator/ledger", json!(null)).await;
    let creates = ledger["creates"].as_array().unwrap();
    assert_eq!(creates.len(), 8);
    assert_eq!(creates[1]["fault"], json!({ "kind": "accept_then_500" }));
    assert!(creates[1]["sid"].as_str().unwrap().starts_with("SM") && creates[4]["sid"].is_null());
    let callback = format!("{}/twilio/status?attempt=7", scene.desk);
    assert!(creates.iter().all(|create| create["status_callback"] == callback));
}

#[tokio::test]
async fn stop_and_start_from_a_phone() {
    let mut scene = Scene::new(Behaviour {
        opt_out_type: true,
        ..Behaviour::default()
    })
    .await;
    for (text, asks) in [
        ("Stop ", Some(OptOut::Stop)),
        ("Why?", None),
        ("START", Some(OptOut::Start)),
    ] {
        assert_eq!(scene.text(text).await["webhook"]["status"], 204);
        let (target, form) = scene.hear().await;
        let heard = Inbound::read(&form).unwrap();
        assert_eq!((&*target, &*heard.text, heard.opt_out), ("/twilio/inbound", text, asks));
        assert_eq!((heard.from.as_str(), heard.to.as_str()), (ANA, NUMBER));
        assert_eq!(form.get("OptOutType").is_some(), asks.is_some());
        let sent = scene.send("hi", &[]).await;
        let is_refused = matches!(sent, Err(CreateError::Refused { code: Some(21610), .. }));
        assert_eq!(is_refused, text != "START", "{text}: {sent:?}");
    }
    let told = scene
        .screen()
        .await
        .into_iter()
        .filter(|(by, text, _)| by == "number" && text.contains("subscribed"));
    assert_eq!(told.count(), 2);
}

#[tokio::test]
async fn a_photo_waits_behind_credentials_and_a_redirect() {
    let mut scene = Scene::new(Behaviour::default()).await;
    let photo = json!({ "content_type": "image/jpeg", "base64": "YSBwaG90bw==" });
    let path = format!("/simulator/phones/{ANA}/texts");
    let sent = scene
        .ask("POST", &path, json!({ "to": NUMBER, "media": [photo, photo] }))
        .await;
    let heard = Inbound::read(&scene.hear().await.1).unwrap();
    assert!(heard.sid.starts_with("MM") && sent["sid"] == heard.sid);
    assert_eq!(
        (heard.media.len(), &*heard.media[1].content_type, &*heard.text),
        (2, "image/jpeg", "")
    );
    let url = &heard.media[1].url;
    assert!(url.starts_with(&format!(
        "{}/2010-04-01/Accounts/{ACCOUNT}/Messages/{}/Media/ME",
        scene.url, heard.sid
    )));
    assert_eq!(scene.http.get(url).send().await.unwrap().status(), 401);
    let here = scene
        .http
        .get(url)
        .basic_auth(ACCOUNT, Some(TOKEN))
        .send()
        .await
        .unwrap();
    assert_eq!(here.status(), 307);
    let there = here.headers()["location"].to_str().unwrap().to_owned();
    let photo = scene.http.get(there).send().await.unwrap();
    assert_eq!(photo.headers()["content-type"], "image/jpeg");
    assert_eq!(photo.text().await.unwrap(), "a photo");
}

#[tokio::test]
async fn a_photo_is_fetched_and_one_that_is_not_there_fails() {
    let mut scene = Scene::new(Behaviour::default()).await;
    let sid = scene.send("", &[format!("{}/photo", scene.desk)]).await.unwrap();
    while scene.status().await.status != Status::Delivered {}
    assert_eq!(scene.twilio.fetch(&sid).await.unwrap().num_media, 1);
    let shown = scene.ask("GET", "/simulator/phones", json!(null)).await;
    let media = &shown["phones"][0]["messages"][0]["media"][0];
    assert_eq!(media["content_type"], "image/png");
    let url = format!("{}{}", scene.url, media["url"].as_str().unwrap());
    assert_eq!(
        scene.http.get(url).send().await.unwrap().text().await.unwrap(),
        "a photo"
    );

    scene
        .send("", &[format!("{}/twilio/nothing", scene.desk)])
        .await
        .unwrap();
    let told = scene.status().await;
    assert_eq!((told.status, told.code), (Status::Failed, Some(63019)));
}

#[tokio::test]
async fn a_webhook_is_tried_again_only_as_its_url_asks() {
    let mut scene = Scene::new(Behaviour::default()).await;
    let unavailable = |n: usize| -> Vec<Response> {
        (0..n)
            .map(|_| StatusCode::SERVICE_UNAVAILABLE.into_response())
            .collect()
    };
    *scene.answers.lock().unwrap() = unavailable(1);
    let told = scene.text("one").await;
    assert_eq!(
        (&told["webhook"]["status"], &told["webhook"]["tries"]),
        (&json!(503), &json!(1))
    );
    let webhook = format!("{}/twilio/inbound?tenant=acme#rc=3&rp=ct,5xx", scene.desk);
    scene
        .ask(
            "PUT",
            &format!("/simulator/numbers/{NUMBER}"),
            json!({ "webhook": webhook }),
        )
        .await;
    *scene.answers.lock().unwrap() = unavailable(2);
    let told = scene.text("two").await;
    assert_eq!(
        (&told["webhook"]["status"], &told["webhook"]["tries"]),
        (&json!(204), &json!(3))
    );
    let heard: Vec<_> = [
        scene.hear().await,
        scene.hear().await,
        scene.hear().await,
        scene.hear().await,
    ]
    .into();
    let sids: Vec<_> = heard.iter().map(|(_, form)| form.get("MessageSid")).collect();
    assert!(sids[1] == sids[2] && sids[2] == sids[3] && sids[0] != sids[1]);
    assert_eq!(
        heard[3].0, "/twilio/inbound?tenant=acme",
        "the fragment is neither sent nor signed"
    );
}

#[tokio::test]
async fn plain_text_from_a_webhook_is_texted_to_the_sender_and_twiml_is_not() {
    let scene = Scene::new(Behaviour::default()).await;
    let twiml = ([(header::CONTENT_TYPE, "text/xml")], "<Response/>").into_response();
    *scene.answers.lock().unwrap() = vec![twiml, "Thank you".into_response()];
    scene.text("one").await;
    scene.text("two").await;
    let texts: Vec<_> = scene.screen().await.into_iter().map(|(_, text, _)| text).collect();
    assert_eq!(texts, ["one", "Thank you", "two"]);
}

#[tokio::test]
async fn who_watches_the_phones_sees_texts_as_they_come() {
    let scene = Scene::new(Behaviour {
        order: Order::ByHand,
        ..Behaviour::default()
    })
    .await;
    let last = scene.ask("GET", "/simulator/phones", json!(null)).await["last"]
        .as_u64()
        .unwrap();
    let path = format!("/simulator/events?after={last}&wait=10");
    let (news, sid) = tokio::join!(scene.ask("GET", &path, json!(null)), scene.send("hi", &[]));
    assert_eq!(news["events"][0]["message"]["text"], "hi");
    assert_eq!(news["events"][0]["phone"]["phone"], ANA);
    let last = news["last"].as_u64().unwrap();
    let (path, sid) = (format!("/simulator/events?after={last}&wait=10"), sid.unwrap());
    let by_hand = format!("/simulator/messages/{sid}/callbacks");
    let callback = json!({ "status": "undelivered", "code": 30007 });
    let (news, told) = tokio::join!(
        scene.ask("GET", &path, json!(null)),
        scene.ask("POST", &by_hand, callback)
    );
    assert_eq!(told["status"], 204);
    assert_eq!(news["events"][0]["message"]["code"], 30007);
    let far = scene.ask("GET", "/simulator/events?after=99", json!(null)).await;
    assert_eq!(far["reset"], true);
}

#[tokio::test]
async fn a_long_text_goes_in_parts_that_twilio_takes() {
    let scene = Scene::new(Behaviour::default()).await;
    let long = "Grüße – “see you” 👍🏽 ".repeat(200);
    assert!(matches!(
        scene.send(&long, &[]).await,
        Err(CreateError::Refused { code: Some(21617), .. })
    ));
    let parts = parts(&long);
    assert!(parts.len() > 2);
    for part in &parts {
        scene.send(part, &[]).await.unwrap();
    }
}

#[tokio::test]
async fn fifty_creates_at_once_take_as_long_as_one() {
    let scene = Scene::new(Behaviour {
        latency_ms: 200,
        order: Order::ByHand,
        ..Behaviour::default()
    })
    .await;
    let texts: Vec<_> = (0..50).map(|n| format!("text {n}")).collect();
    let began = std::time::Instant::now();
    let sent = futures_util::future::join_all(texts.iter().map(|text| scene.send(text, &[]))).await;
    assert!(sent.iter().all(Result::is_ok));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let query = Query {
        page_size: 7,
        ..Query::default()
    };
    assert_eq!(scene.twilio.list(&query).await.unwrap().len(), 50, "over eight pages");
}
