//! What went wrong, by what it means for the message. No token, number or text gets in here.

use std::error::Error;
use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Response, StatusCode};
use serde_json::Value;

/// "Too Many Requests": <https://www.twilio.com/docs/api/errors/20429>.
const TOO_MANY: u32 = 20429;
const LONGEST_MESSAGE: usize = 200;

/// Why a create call brought no SID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CreateError {
    /// Surely not created. [`crate::sms::disposition`] knows what to do about the code.
    #[error("refused with HTTP {status}, code {code:?}")]
    Refused {
        code: Option<u32>,
        /// Twilio's words, with the numbers masked.
        message: String,
        status: u16,
    },
    /// Too many at once: not processed, so it may be tried again.
    #[error("too many calls at once")]
    Throttled { retry_after: Option<Duration> },
    /// There was no connection: the request never left.
    #[error("not reached: {0}")]
    NotSent(String),
    /// It may have been created: a second call might send it twice.
    #[error("outcome unknown: {0}")]
    Uncertain(&'static str),
}

/// Why there can be no client at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Twilio cannot be called: {0}")]
pub struct Unusable(pub(super) &'static str);

/// Why something could not be read. Reading may always be tried again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("there is no such message")]
    NotFound,
    #[error("refused with HTTP {status}, code {code:?}")]
    Refused {
        code: Option<u32>,
        message: String,
        status: u16,
    },
    #[error("too many calls at once")]
    Throttled { retry_after: Option<Duration> },
    #[error("not reached: {0}")]
    Unreachable(String),
    #[error("not understood: {0}")]
    Unreadable(String),
}

impl CreateError {
    /// Only what failed to connect is known not to have gone out.
    pub(super) fn unsent(error: reqwest::Error) -> Self {
        if error.is_connect() || error.is_builder() {
            Self::NotSent(reason(error))
        } else if error.is_timeout() {
            Self::Uncertain("no answer in time")
        } else {
            Self::Uncertain("the connection broke")
        }
    }
}

impl ReadError {
    pub(super) fn unreachable(error: reqwest::Error) -> Self {
        Self::Unreachable(reason(error))
    }
}

/// The innermost cause says it best; the URL is left out.
fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause: &dyn Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// An answer of 4xx or 5xx, in either of Twilio's formats: `{code, message, status}`, or the problem
/// document of RFC 9457.
pub(super) struct Failure {
    status: StatusCode,
    code: Option<u32>,
    message: String,
    retry_after: Option<Duration>,
}

impl Failure {
    pub async fn read(response: Response) -> Self {
        let status = response.status();
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let body = super::body(response).await.unwrap_or_default();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let message = ["message", "detail", "title"]
            .iter()
            .find_map(|field| body[field].as_str());
        Self {
            status,
            code: body["code"].as_u64().and_then(|code| code.try_into().ok()),
            message: masked(message.unwrap_or_default()),
            retry_after: retry_after.map(Duration::from_secs),
        }
    }

    fn is_throttled(&self) -> bool {
        self.status == StatusCode::TOO_MANY_REQUESTS || self.code == Some(TOO_MANY)
    }
}

impl From<Failure> for CreateError {
    fn from(failure: Failure) -> Self {
        if failure.is_throttled() {
            return Self::Throttled {
                retry_after: failure.retry_after,
            };
        }
        Self::Refused {
            code: failure.code,
            message: failure.message,
            status: failure.status.as_u16(),
        }
    }
}

impl From<Failure> for ReadError {
    fn from(failure: Failure) -> Self {
        if failure.is_throttled() {
            return Self::Throttled {
                retry_after: failure.retry_after,
            };
        }
        if failure.status == StatusCode::NOT_FOUND {
            return Self::NotFound;
        }
        Self::Refused {
            code: failure.code,
            message: failure.message,
            status: failure.status.as_u16(),
        }
    }
}

/// On one line, not too long, and of each long number only the last two digits.
fn masked(message: &str) -> String {
    let mut masked = String::new();
    let mut digits = String::new();
    for c in message.chars().take(LONGEST_MESSAGE).chain([' ']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        if digits.len() > 5 {
            masked.push('…');
            masked.push_str(&digits[digits.len() - 2..]);
        } else {
            masked.push_str(&digits);
        }
        digits.clear();
        masked.push(if c.is_control() { ' ' } else { c });
    }
    masked.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_twilios_words_are_masked_and_codes_are_not() {
        let said = "The 'To' number +15005550001 is not valid (21211)\r\n";
        assert_eq!(masked(said), "The 'To' number +…01 is not valid (21211)");
        assert_eq!(masked(&"x".repeat(900)).len(), LONGEST_MESSAGE);
    }
}
