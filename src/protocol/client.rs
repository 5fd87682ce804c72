//! What a client may say.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::domain::{Code, Refusal};

/// What a client may say. A field that we do not know is refused: a misspelt `internal` would show
/// a note to the customer.
#[derive(Debug)]
pub enum ClientFrame {
    Hello(Hello),
    Send(Send),
    Received(UpTo),
    Read(UpTo),
    Typing(Typing),
    Viewing(Viewing),
    Handled(Handled),
    History(History),
    Token(Token),
    Ping,
}

macro_rules! frames {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $field:ident: $type:ty),* $(,)? })*) => {
        $($(#[$doc])*
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            #[serde(rename = "type")]
            _type: IgnoredAny,
            $($(#[$attr])* pub $field: $type,)*
        })*
    };
}

frames! {
    Hello { token: String, #[serde(default)] cursor: Option<i64>, #[serde(default)] log: Option<String> }
    Send {
        id: String,
        #[serde(default)] thread: Option<String>,
        text: String,
        #[serde(default)] photos: Vec<String>,
        #[serde(default)] internal: bool,
        #[serde(default)] seen: Option<i64>,
    }
    UpTo { #[serde(default)] thread: Option<String>, up_to: i64 }
    Typing { #[serde(default)] thread: Option<String>, on: bool, #[serde(default)] internal: bool }
    /// `thread` has no default: null says that none is open any more.
    Viewing { #[serde(deserialize_with = "Option::deserialize")] thread: Option<String> }
    Handled { thread: String, seen: i64 }
    History {
        id: String,
        #[serde(default)] thread: Option<String>,
        #[serde(default)] before: Option<i64>,
        #[serde(default)] after: Option<i64>,
        #[serde(default)] around: Option<i64>,
        #[serde(default)] limit: Option<i64>,
    }
    Token { token: String }
    Ping {}
}

#[derive(Deserialize)]
struct Tag {
    #[serde(rename = "type")]
    name: Option<String>,
    /// So that an error can name the frame that it is about.
    id: Option<String>,
}

/// A frame that could not be read, with the client's id where it had one.
#[derive(Debug)]
pub struct Unreadable {
    pub id: Option<String>,
    pub refusal: Refusal,
}

impl ClientFrame {
    pub fn parse(text: &str) -> Result<Self, Box<Unreadable>> {
        let unreadable = |id, code, message: String| {
            Box::new(Unreadable {
                id,
                refusal: Refusal::new(code, message),
            })
        };
        let tag: Tag = match serde_json::from_str(text) {
            // serde would read an array as a struct's fields in order.
            Ok(tag) if text.trim_start().starts_with('{') => tag,
            Ok(_) => {
                return Err(unreadable(None, Code::UnknownFrame, "a frame is a JSON object".into()));
            }
            Err(error) if error.is_data() => {
                return Err(unreadable(
                    None,
                    Code::UnknownFrame,
                    "a frame is a JSON object whose `type` and `id` are strings".into(),
                ));
            }
            Err(error) => {
                return Err(unreadable(
                    None,
                    Code::NotJson,
                    format!("a frame is one JSON object: {error}"),
                ));
            }
        };
        let parsed = match tag.name.as_deref() {
            Some("hello") => serde_json::from_str(text).map(ClientFrame::Hello),
            Some("send") => serde_json::from_str(text).map(ClientFrame::Send),
            Some("received") => serde_json::from_str(text).map(ClientFrame::Received),
            Some("read") => serde_json::from_str(text).map(ClientFrame::Read),
            Some("typing") => serde_json::from_str(text).map(ClientFrame::Typing),
            Some("viewing") => serde_json::from_str(text).map(ClientFrame::Viewing),
            Some("handled") => serde_json::from_str(text).map(ClientFrame::Handled),
            Some("history") => serde_json::from_str(text).map(ClientFrame::History),
            Some("token") => serde_json::from_str(text).map(ClientFrame::Token),
            Some("ping") => serde_json::from_str::<Ping>(text).map(|_| ClientFrame::Ping),
            _ => {
                return Err(unreadable(
                    tag.id,
                    Code::UnknownFrame,
                    "`type` must be hello, send, received, read, typing, viewing, handled, history, token or ping"
                        .into(),
                ));
            }
        };
        parsed.map_err(|error| unreadable(tag.id, Code::BadField, error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Code {
        ClientFrame::parse(text).unwrap_err().refusal.code
    }

    #[test]
    fn a_frame_that_cannot_be_read_says_why() {
        assert_eq!(code("{"), Code::NotJson);
        assert_eq!(code("hello"), Code::NotJson);
        assert_eq!(code("[]"), Code::UnknownFrame);
        assert_eq!(code(r#"["ping","p1"]"#), Code::UnknownFrame);
        assert_eq!(code("{}"), Code::UnknownFrame);
        assert_eq!(code(r#"{"type":"delete","id":"m1"}"#), Code::UnknownFrame);
        assert_eq!(code(r#"{"type":"send","id":"m1"}"#), Code::BadField);
        assert_eq!(
            code(r#"{"type":"send","id":"m1","text":"x","intern":true}"#),
            Code::BadField
        );
        assert_eq!(code(r#"{"type":"read","up_to":1.5}"#), Code::BadField);
        assert_eq!(code(r#"{"type":"viewing"}"#), Code::BadField);
        assert!(ClientFrame::parse(r#"{"type":"viewing","thread":null}"#).is_ok());
        let unreadable = ClientFrame::parse(r#"{"type":"send","id":"m1","text":7}"#).unwrap_err();
        assert_eq!(unreadable.id.as_deref(), Some("m1"));
    }
}
