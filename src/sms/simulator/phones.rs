//! The phones: what they show, what somebody writes on them, and what is wrong with them.

use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::media::{Found, LARGEST};
use super::message::Message;
use super::world::Switch;
use super::{Simulator, webhooks::Told};
use crate::domain::Phone;
use crate::sms::keywords::OptOut;

const LONGEST_WAIT: Duration = Duration::from_secs(25);
const LONGEST_TEXT: usize = 1_600;
const MOST_MEDIA: usize = 10;

pub fn router() -> Router<Simulator> {
    let texts = post(text).layer(DefaultBodyLimit::max(LARGEST * 2));
    Router::new()
        .route("/simulator/phones", get(phones))
        .route("/simulator/phones/{phone}", put(put_phone))
        .route("/simulator/phones/{phone}/texts", texts)
        .route("/simulator/events", get(events))
}

/// What a person did wrong.
pub struct Wrong(pub StatusCode, pub &'static str);

impl IntoResponse for Wrong {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

pub fn parse(phone: &str) -> Result<Phone, Wrong> {
    Phone::parse(phone).map_err(|_| Wrong(StatusCode::UNPROCESSABLE_ENTITY, "a phone number must be in E.164"))
}

async fn phones(State(simulator): State<Simulator>) -> Json<Value> {
    Json(simulator.world(|world| world.shown()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    switch: Option<Switch>,
    name: Option<String>,
}

async fn put_phone(
    State(simulator): State<Simulator>,
    Path(phone): Path<String>,
    Json(change): Json<Change>,
) -> Result<StatusCode, Wrong> {
    let phone = parse(&phone)?;
    simulator.world(|world| {
        world.put_phone(&phone, |handset| {
            handset.switch = change.switch.unwrap_or(handset.switch);
            handset.name = change.name.or(handset.name.take());
        });
    });
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    to: Phone,
    #[serde(default)]
    body: String,
    #[serde(default)]
    media: Vec<Picture>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Picture {
    content_type: String,
    base64: String,
}

/// The text is told to the number's webhook before it is answered, with how that went.
async fn text(
    State(simulator): State<Simulator>,
    Path(phone): Path<String>,
    Json(text): Json<Text>,
) -> Result<Response, Wrong> {
    let phone = parse(&phone)?;
    let wrong = |sentence| Wrong(StatusCode::UNPROCESSABLE_ENTITY, sentence);
    let webhook = simulator.world(|world| world.webhook(&text.to).map(str::to_owned));
    let webhook = webhook.ok_or_else(|| wrong("that is none of the account's numbers"))?;
    if text.body.chars().count() > LONGEST_TEXT {
        return Err(wrong("a text holds at most 1600 characters"));
    }
    if text.body.is_empty() && text.media.is_empty() {
        return Err(wrong("write something first"));
    }
    let pictures: Option<Vec<Found>> = text.media.into_iter().map(Picture::decode).collect();
    let pictures = pictures.ok_or_else(|| wrong("media must be base64"))?;
    if pictures.len() > MOST_MEDIA || pictures.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > LARGEST {
        return Err(wrong("at most 10 media, of 5 MB together"));
    }
    let (message, asks) = simulator.world(|world| {
        let (message, asks) = world.receive(&phone, &text.to, &text.body, pictures.len());
        let media: Vec<_> = pictures.into_iter().map(|picture| world.store.put(picture)).collect();
        let message = world
            .change(&message.sid, |message| message.media = media)
            .unwrap_or(message);
        (message, asks)
    });
    let told = simulator.tell_text(&webhook, &message, asks).await;
    if let Some(answer) = told.plain_text() {
        simulator.world(|world| world.reply(&message, answer));
    }
    Ok((
        StatusCode::CREATED,
        Json(json!({ "sid": message.sid, "webhook": told })),
    )
        .into_response())
}

impl Picture {
    fn decode(self) -> Option<Found> {
        let bytes = STANDARD.decode(self.base64).ok()?;
        Some((self.content_type, Bytes::from(bytes)))
    }
}

impl Simulator {
    /// The fields of an incoming text: <https://www.twilio.com/docs/messaging/guides/webhook-request>.
    async fn tell_text(&self, webhook: &str, message: &Message, asks: Option<OptOut>) -> Told {
        let account = &self.0.account_sid;
        let mut params = vec![
            ("ToCountry", "US".to_owned()),
            ("ToState", "CA".into()),
            ("SmsMessageSid", message.sid.clone()),
            ("NumMedia", message.num_media.to_string()),
            ("ToCity", String::new()),
            ("FromZip", "94105".into()),
            ("SmsSid", message.sid.clone()),
            ("FromState", "CA".into()),
            ("SmsStatus", "received".into()),
            ("FromCity", "SAN FRANCISCO".into()),
            ("Body", message.body.clone()),
            ("FromCountry", "US".into()),
            ("To", message.to.clone()),
            ("ToZip", String::new()),
            ("NumSegments", message.segments().to_string()),
            ("MessageSid", message.sid.clone()),
            ("AccountSid", account.clone()),
            ("From", message.from.clone()),
            ("ApiVersion", "2010-04-01".into()),
        ];
        if let Some(asks) = asks.filter(|_| self.world(|world| world.behaviour.opt_out_type)) {
            let name = match asks {
                OptOut::Stop => "STOP",
                OptOut::Start => "START",
                OptOut::Help => "HELP",
            };
            params.push(("OptOutType", name.into()));
        }
        let mut params = self.with_extra_fields(params);
        for (n, media) in message.media.iter().enumerate() {
            let url = format!(
                "{}/2010-04-01/Accounts/{account}/Messages/{}/Media/{}",
                self.0.url, message.sid, media.sid
            );
            params.push((format!("MediaContentType{n}"), media.content_type.clone()));
            params.push((format!("MediaUrl{n}"), url));
        }
        self.0.webhooks.tell(webhook, &params).await
    }
}

#[derive(Deserialize)]
struct Since {
    after: u64,
    /// In seconds.
    #[serde(default)]
    wait: u64,
}

/// `{events, last}`, or `{reset, last}` for who is too far behind and must load the phones again.
async fn events(State(simulator): State<Simulator>, Query(since): Query<Since>) -> Json<Value> {
    let mut news = simulator.0.news.subscribe();
    let look = || simulator.world(|world| (world.feed.after(since.after), world.feed.last()));
    let wait = Duration::from_secs(since.wait).min(LONGEST_WAIT);
    let found = tokio::time::timeout(wait, async {
        loop {
            let found = look();
            if found.0.as_ref().is_none_or(|events| !events.is_empty()) {
                return found;
            }
            tokio::select! {
                _ = news.changed() => {}
                () = simulator.0.stopped.cancelled() => return found,
            }
        }
    });
    match found.await.unwrap_or_else(|_| look()) {
        (Some(events), last) => Json(json!({ "events": events, "last": last })),
        (None, last) => Json(json!({ "reset": true, "last": last })),
    }
}
