//! Errors as RFC 9457 problem documents, with the `code` of the wire.

use std::time::Duration;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use serde_json::value::RawValue;

use crate::domain::{Code, Refusal, View};
use crate::protocol;

pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    retry: bool,
    /// `stale` only: what came in between, as JSON.
    records: Option<Vec<Box<RawValue>>>,
    /// `too_fast` only: when to ask again, in seconds.
    retry_after: Option<u64>,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            retry: false,
            records: None,
            retry_after: None,
        }
    }

    pub fn no_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is no such thing here")
    }

    pub fn no_method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "this cannot be done with it; nothing here is changed or deleted",
        )
    }

    pub fn fault() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "fault",
            "that was our fault; it is in the log",
        )
    }

    pub fn too_fast(wait: Duration) -> Self {
        let refusal = Refusal::new(
            Code::TooFast,
            "slow down: nothing was done; ask again when Retry-After is over",
        );
        Self {
            // Rounded up: a second is the least that the header can say.
            retry_after: Some(wait.as_millis().div_ceil(1_000).max(1) as u64),
            ..Self::from(refusal)
        }
    }

    pub fn unreadable(status: StatusCode, detail: String) -> Self {
        Self::new(status, Code::BadField.as_str(), detail)
    }
}

impl Problem {
    /// A refusal with the records that it carries, as the asker's own view shows them.
    pub fn shown(refusal: Refusal, view: &View) -> Self {
        let shown = refusal.records.iter().filter_map(|one| protocol::record(view, one));
        let mut shown: Vec<_> = shown.collect();
        shown.truncate(protocol::within_page(&shown, 0).end);
        let records = shown
            .into_iter()
            .filter_map(|json| RawValue::from_string(json).ok())
            .collect();
        Self {
            records: (refusal.code == Code::Stale).then_some(records),
            ..Self::from(refusal)
        }
    }
}

/// Without the records of a `stale`: whose view they are for is not known here.
impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.code {
            Code::BadToken | Code::ExpiredToken | Code::RevokedToken => StatusCode::UNAUTHORIZED,
            Code::Forbidden => StatusCode::FORBIDDEN,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::PhotoTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Code::PhotoFormat => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::Stale | Code::Closed | Code::IdReused => StatusCode::CONFLICT,
            Code::TooManyUploads | Code::TooFast | Code::TooManyConnections => StatusCode::TOO_MANY_REQUESTS,
            Code::Busy | Code::NotCommitted | Code::UnknownOutcome => StatusCode::SERVICE_UNAVAILABLE,
            Code::NotJson
            | Code::UnknownFrame
            | Code::BadField
            | Code::HelloExpected
            | Code::HelloRepeated
            | Code::BadId
            | Code::EmptyText
            | Code::TextTooLong
            | Code::ControlCharacter
            | Code::TooManyPhotos
            | Code::UnknownPhoto
            | Code::PhotoBroken
            | Code::PastEnd => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self {
            retry: refusal.code.retry(),
            ..Self::new(status, refusal.code.as_str(), refusal.message)
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or_default();
        let mut body = protocol::problem(self.status.as_u16(), title, self.code, &self.detail, self.retry);
        if let Some(records) = self.records {
            body["records"] = json!(records);
        }
        let headers = [(header::CONTENT_TYPE, protocol::PROBLEM_TYPE)];
        let mut response = (self.status, headers, body.to_string()).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
