//! `POST /twilio/inbound`: a text came in. `POST /twilio/status`: how one fares that went out. Both are
//! believed only with Twilio's signature.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::Deserialize;

use super::door::Asked;
use super::problem::Problem;
use crate::domain::{AttemptId, Code, MessageId, Received, Refusal, clean};
use crate::hub::Hub;
use crate::ledger::Outbox;
use crate::sms::{Form, Inbound, StatusUpdate, Validator, report};

/// An answer with words in it would be texted to the sender.
const NOTHING: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>";

/// What the two webhooks need.
pub struct Line {
    pub hub: Hub,
    pub outbox: Arc<dyn Outbox>,
    pub validator: Validator,
    /// The only account that is listened to.
    pub account: String,
}

pub fn router(line: Arc<Line>) -> Router {
    Router::new()
        .route("/twilio/inbound", post(inbound))
        .route("/twilio/status", post(status))
        .with_state(line)
}

async fn inbound(
    State(line): State<Arc<Line>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let form = line.believe(&uri, &headers, &body)?;
    let inbound = Inbound::read(&form).map_err(|error| Refusal::new(Code::BadField, error.to_string()))?;
    line.ours(&inbound.account)?;
    let to = inbound.to.phone().ok_or_else(Refusal::not_found)?.clone();
    let owner = line.outbox.owner(&to).await.map_err(|_| out_of_order())?;
    let org = owner.ok_or_else(Refusal::not_found)?;
    let text = Received {
        id: MessageId::parse(&inbound.sid)?,
        from: inbound.from.as_str().to_owned(),
        to,
        text: clean(&inbound.text),
        media: inbound
            .media
            .iter()
            .filter_map(|medium| medium.source(&inbound.sid))
            .collect(),
        word: inbound.opt_out.map(Into::into),
        account: inbound.account,
    };
    line.hub.receive(org, text).await.map_err(later)?;
    Ok(([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], NOTHING).into_response())
}

#[derive(Deserialize)]
struct About {
    attempt: Option<String>,
}

async fn status(
    State(line): State<Arc<Line>>,
    uri: Uri,
    Asked(about): Asked<About>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let form = line.believe(&uri, &headers, &body)?;
    let update = StatusUpdate::read(&form).map_err(|error| Refusal::new(Code::BadField, error.to_string()))?;
    line.ours(&update.account)?;
    let named = about.attempt.as_deref().and_then(AttemptId::parse);
    let found = match &named {
        Some(id) => line.outbox.attempt(id).await,
        None => line.outbox.attempt_by_sid(&update.sid).await,
    };
    let attempt = found.map_err(|_| out_of_order())?.ok_or_else(Refusal::not_found)?;
    let heard = report(&update.sid, update.status, update.code, attempt.nth);
    // Most callbacks say nothing new, and since an attempt only moves forward they never will: they need no
    // transaction.
    if let Some(heard) = heard.filter(|heard| attempt.clone().hear(heard)) {
        line.hub.report(attempt.org, attempt.id, heard).await.map_err(later)?;
    }
    Ok(StatusCode::NO_CONTENT)
}

impl Line {
    fn believe(&self, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<Form, Problem> {
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        self.validator.check(target, headers, body).map_err(|refused| {
            metrics::counter!("crewline_webhooks_refused_total").increment(1);
            tracing::warn!(path = uri.path(), %refused, "a webhook was refused");
            Refusal::new(Code::Forbidden, format!("this webhook is not believed: {refused}")).into()
        })
    }

    fn ours(&self, account: &str) -> Result<(), Problem> {
        if account == self.account {
            return Ok(());
        }
        Err(Refusal::new(Code::Forbidden, "this is another account's webhook").into())
    }
}

/// Twilio, told so by the URL's fragment, tries again after a 503.
fn later(refusal: Refusal) -> Problem {
    match refusal.code.retry() {
        true => out_of_order(),
        false => refusal.into(),
    }
}

fn out_of_order() -> Problem {
    Refusal::new(Code::Busy, "it could not be kept; try again").into()
}
