//! Twilio's side: create, list and fetch messages.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream;
use secrecy::ExposeSecret;
use time::OffsetDateTime;

use super::faults::FaultKind;
use super::ledger::Call;
use super::list;
use super::refusal::Refusal;
use super::{Simulator, message::Message};

/// Longer than any client waits.
const FOREVER: Duration = Duration::from_secs(60);

pub fn router() -> Router<Simulator> {
    Router::new()
        .route("/2010-04-01/Accounts/{account}/Messages.json", get(list).post(create))
        .route("/2010-04-01/Accounts/{account}/Messages/{file}", get(fetch))
}

impl Simulator {
    /// HTTP Basic with the account and its Auth Token, for the account's own resources.
    pub(super) fn authorize(&self, account: &str, headers: &HeaderMap) -> Result<(), Refusal> {
        let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given = value.and_then(|value| value.strip_prefix("Basic "));
        let expected = format!("{}:{}", self.0.account_sid, self.0.auth_token.expose_secret());
        if given != Some(&STANDARD.encode(expected)) {
            return Err(self.refusal(20003));
        }
        match account == self.0.account_sid {
            true => Ok(()),
            false => Err(self.refusal(20404)),
        }
    }

    pub(super) fn refusal(&self, code: u32) -> Refusal {
        let as_problem = self.world(|world| world.behaviour.problem_documents);
        Refusal { code, as_problem }
    }

    /// Takes a message on and sees to it, or refuses it; the call goes into the ledger either way.
    async fn take_on(&self, mut call: Call) -> Result<Message, u32> {
        let (outcome, callbacks_first) = self.world(|world| {
            let outcome = match call.fault {
                Some(FaultKind::Throttle) => Err(20429),
                Some(FaultKind::Refuse { code }) => Err(code),
                Some(fault) if !fault.accepts() => Err(20500),
                _ => world.create(&call),
            };
            call.sid = outcome.as_ref().ok().map(|message| message.sid.clone());
            call.code = outcome.as_ref().err().copied();
            world.ledger.note(call.clone());
            (outcome, world.behaviour.callbacks_first)
        });
        let message = outcome?;
        let carried = tokio::spawn(self.clone().carry(message.clone(), call.media));
        if callbacks_first {
            // It only ends early if the runtime does.
            let _ = carried.await;
        }
        Ok(message)
    }
}

async fn create(
    State(simulator): State<Simulator>,
    Path(account): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    simulator.authorize(&account, &headers)?;
    let mut call = read(&body);
    let latency = simulator.world(|world| {
        call.fault = world.faults.take(&call.to);
        world.behaviour.latency()
    });
    let fault = call.fault;
    let outcome = simulator.take_on(call).await;
    // The books have it before the caller hears of it: in between, callers may die.
    tokio::time::sleep(latency).await;
    match fault {
        Some(FaultKind::AcceptThenTimeout | FaultKind::Timeout) => {
            let _ = tokio::time::timeout(FOREVER, simulator.0.stopped.cancelled()).await;
            Err(simulator.refusal(20500))
        }
        Some(FaultKind::AcceptThen500) => Err(simulator.refusal(20500)),
        Some(FaultKind::AcceptThenBreak) => {
            let broken = stream::once(async { Err::<Bytes, _>(std::io::Error::other("as asked")) });
            Ok((StatusCode::CREATED, Body::from_stream(broken)).into_response())
        }
        _ => {
            let message = outcome.map_err(|code| simulator.refusal(code))?;
            Ok((StatusCode::CREATED, Json(message.resource(&account))).into_response())
        }
    }
}

fn read(body: &[u8]) -> Call {
    let mut call = Call {
        at: (OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000) as i64,
        ..Call::default()
    };
    for (name, value) in form_urlencoded::parse(body).into_owned() {
        match name.as_str() {
            "To" => call.to = value,
            "From" => call.from = value,
            "Body" => call.body = value,
            "MediaUrl" => call.media.push(value),
            "StatusCallback" => call.status_callback = Some(value),
            _ => {}
        }
    }
    call
}

async fn list(
    State(simulator): State<Simulator>,
    Path(account): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    simulator.authorize(&account, &headers)?;
    let page = simulator.world(|world| list::page(world, &account, &query.unwrap_or_default()));
    Ok(Json(page.map_err(|code| simulator.refusal(code))?).into_response())
}

async fn fetch(
    State(simulator): State<Simulator>,
    Path((account, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    simulator.authorize(&account, &headers)?;
    let sid = file.strip_suffix(".json").unwrap_or_default();
    let found = simulator.world(|world| world.message(sid).map(|message| message.resource(&account)));
    Ok(Json(found.ok_or_else(|| simulator.refusal(20404))?).into_response())
}
