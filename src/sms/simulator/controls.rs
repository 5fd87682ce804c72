//! What tests turn and read.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::Value;

use super::Simulator;
use super::behaviour::Behaviour;
use super::faults::Fault;
use super::phones::{Wrong, parse};
use super::webhooks::Told;
use crate::sms::status::Status;

pub fn router() -> Router<Simulator> {
    Router::new()
        .route("/simulator/numbers/{number}", put(put_number))
        .route("/simulator/behaviour", get(behaviour).put(put_behaviour))
        .route("/simulator/faults", post(add_fault).delete(clear_faults))
        .route("/simulator/messages/{sid}/callbacks", post(callback))
        .route("/simulator/ledger", get(ledger))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Number {
    webhook: String,
}

async fn put_number(
    State(simulator): State<Simulator>,
    Path(number): Path<String>,
    Json(Number { webhook }): Json<Number>,
) -> Result<StatusCode, Wrong> {
    let number = parse(&number)?;
    simulator.world(|world| world.put_number(number, webhook));
    Ok(StatusCode::NO_CONTENT)
}

async fn behaviour(State(simulator): State<Simulator>) -> Json<Behaviour> {
    Json(simulator.world(|world| world.behaviour.clone()))
}

async fn put_behaviour(State(simulator): State<Simulator>, Json(behaviour): Json<Behaviour>) -> StatusCode {
    simulator.world(|world| world.behaviour = behaviour);
    StatusCode::NO_CONTENT
}

async fn add_fault(State(simulator): State<Simulator>, Json(fault): Json<Fault>) -> StatusCode {
    simulator.world(|world| world.faults.add(fault));
    StatusCode::NO_CONTENT
}

async fn clear_faults(State(simulator): State<Simulator>) -> StatusCode {
    simulator.world(|world| world.faults.clear());
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Callback {
    status: String,
    code: Option<u32>,
}

async fn callback(
    State(simulator): State<Simulator>,
    Path(sid): Path<String>,
    Json(callback): Json<Callback>,
) -> Result<Json<Told>, Wrong> {
    let told = simulator
        .tell_status(&sid, Status::parse(&callback.status), callback.code)
        .await;
    told.map(Json)
        .ok_or(Wrong(StatusCode::NOT_FOUND, "there is no such message"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    /// So many calls are known already.
    #[serde(default)]
    after: u64,
}

async fn ledger(State(simulator): State<Simulator>, Query(seen): Query<Seen>) -> Json<Value> {
    Json(simulator.world(|world| world.ledger.shown(seen.after)))
}
