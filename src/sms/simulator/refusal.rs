//! Twilio's errors: <https://www.twilio.com/docs/api/errors>.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An error by its code, answered in either of Twilio's formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    pub code: u32,
    pub as_problem: bool,
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self.code {
            20003 => StatusCode::UNAUTHORIZED,
            20404 => StatusCode::NOT_FOUND,
            20429 => StatusCode::TOO_MANY_REQUESTS,
            20500 => StatusCode::INTERNAL_SERVER_ERROR,
            21611 => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (code, status, message) = (self.code, self.status(), message(self.code));
        let number = status.as_u16();
        let (body, kind) = if self.as_problem {
            let about = format!("https://www.twilio.com/docs/api/errors/{code}");
            let body = json!({ "type": about, "title": message, "status": number, "code": code, "detail": message });
            (body, "application/problem+json")
        } else {
            let more = format!("https://www.twilio.com/docs/errors/{code}");
            let body = json!({ "code": code, "message": message, "more_info": more, "status": number });
            (body, "application/json")
        };
        let mut response = (status, [(header::CONTENT_TYPE, kind)], body.to_string()).into_response();
        let headers = response.headers_mut();
        match code {
            20003 => headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Basic realm=\"Twilio API\""),
            ),
            20429 => headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1")),
            _ => None,
        };
        response
    }
}

fn message(code: u32) -> &'static str {
    match code {
        20001 => "Invalid parameter",
        20003 => "Authenticate",
        20404 => "The requested resource was not found",
        20429 => "Too Many Requests",
        20500 => "An internal server error has occurred",
        21211 => "Invalid 'To' Phone Number",
        21212 => "Invalid From Number (caller ID)",
        21266 => "'To' and 'From' number cannot be the same",
        21408 => "Permission to send an SMS has not been enabled for the region indicated by the 'To' number",
        21603 => "A 'From' phone number is required",
        21604 => "A 'To' phone number is required",
        21606 => {
            "The 'From' phone number provided is not a valid message-capable Twilio phone number for this destination"
        }
        21609 => "The 'StatusCallback' URL is not a valid URL",
        21610 => "Attempt to send to unsubscribed recipient",
        21611 => "This 'From' number has exceeded the maximum number of queued messages",
        21612 => "The 'To' phone number is not currently reachable using the 'From' phone number via SMS",
        21614 => "'To' number is not a valid mobile number",
        21617 => "The concatenated message body exceeds the 1600 character limit",
        21619 => "A text message body or media urls must be specified",
        21620 => "Invalid media URL(s)",
        21623 => "Number of media files exceeds allowed limit",
        _ => "Unknown error",
    }
}
