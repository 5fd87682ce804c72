//! What becomes of a message's texts: which phones they go to, and what is known of each.

use serde::{Deserialize, Serialize};

use super::{Attempt, AttemptState, Author, Encoding, Phone, Segments};

/// Whom a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leg {
    /// The customer's phone: what the team wrote.
    Customer,
    /// A business phone: what somebody else wrote.
    Copy,
    /// A business phone: why its text went nowhere.
    Answer,
}

impl Leg {
    pub fn as_str(self) -> &'static str {
        match self {
            Leg::Customer => "customer",
            Leg::Copy => "copy",
            Leg::Answer => "answer",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Leg::Customer, Leg::Copy, Leg::Answer]
            .into_iter()
            .find(|leg| leg.as_str() == text)
    }

    /// Sent because of somebody else's text, so that two machines could answer each other for ever.
    pub fn is_automatic(self) -> bool {
        self != Leg::Customer
    }
}

/// A text that a message was sent on as, for the team. Frozen into the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    pub leg: Leg,
    pub to: Phone,
    pub encoding: Encoding,
    /// Of all parts together: what Twilio charges for.
    pub segments: u32,
    pub parts: u32,
}

impl Text {
    pub fn of(leg: Leg, to: Phone, parts: &[String]) -> Self {
        let each: Vec<Segments> = parts.iter().map(|part| super::segments(part)).collect();
        let wide = each.iter().any(|part| part.encoding == Encoding::Ucs2);
        Self {
            leg,
            to,
            encoding: if wide { Encoding::Ucs2 } else { Encoding::Gsm7 },
            segments: each.iter().map(|part| part.count).sum(),
            parts: parts.len() as u32,
        }
    }
}

/// How far a leg has got, over all its parts and attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmsState {
    /// Waits to be sent, or to be sent again.
    Sending,
    /// The network has it.
    Sent,
    Delivered,
    Failed,
    /// It may have been sent or not, and is never sent again by itself.
    Unknown,
    /// Not tried: texts to this number are off, or too many went there within a minute.
    NotTexted,
}

/// The team's body of a `delivery`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryBody {
    /// The message's seq; none of an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<i64>,
    pub leg: Leg,
    /// Of the whole leg, after this.
    pub state: SmsState,
    /// What the customer is told of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentence: Option<String>,
    /// What the team is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub to: Phone,
    /// This part's, in Twilio's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u32>,
    pub part: u32,
    pub parts: u32,
    /// Who had it sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Author>,
}

/// The customer is told about the own phone alone, and no more of its number than tells it apart.
#[derive(Serialize)]
pub(super) struct PublicDelivery<'a> {
    of: i64,
    state: SmsState,
    #[serde(skip_serializing_if = "Option::is_none")]
    sentence: Option<&'a str>,
    phone_ending: &'a str,
}

impl DeliveryBody {
    pub(super) fn public(&self) -> Option<PublicDelivery<'_>> {
        let of = self.of.filter(|_| self.leg == Leg::Customer)?;
        Some(PublicDelivery {
            of,
            state: self.state,
            sentence: self.sentence.as_deref(),
            phone_ending: self.to.ending(),
        })
    }
}

/// A leg's state from all attempts at all its parts.
pub fn leg_state<'a>(attempts: impl IntoIterator<Item = &'a Attempt>) -> SmsState {
    let mut parts: std::collections::BTreeMap<u32, Vec<&Attempt>> = Default::default();
    for attempt in attempts {
        parts.entry(attempt.part).or_default().push(attempt);
    }
    let states: Vec<_> = parts.values().map(|attempts| part_state(attempts)).collect();
    let any = |state| states.contains(&state);
    match () {
        () if any(SmsState::Failed) => SmsState::Failed,
        () if any(SmsState::Unknown) => SmsState::Unknown,
        () if any(SmsState::Sending) => SmsState::Sending,
        () if any(SmsState::Sent) => SmsState::Sent,
        () => SmsState::Delivered,
    }
}

/// The newest attempt speaks for its part; once one was delivered, it is.
fn part_state(attempts: &[&Attempt]) -> SmsState {
    if attempts.iter().any(|attempt| attempt.state == AttemptState::Delivered) {
        return SmsState::Delivered;
    }
    let newest = attempts.iter().max_by_key(|attempt| attempt.nth);
    match newest.map(|attempt| attempt.state) {
        Some(AttemptState::Accepted) => SmsState::Sent,
        Some(AttemptState::Delivered) => SmsState::Delivered,
        Some(AttemptState::Failed) => SmsState::Failed,
        Some(AttemptState::Unknown) => SmsState::Unknown,
        Some(AttemptState::Due | AttemptState::Calling | AttemptState::Uncertain) | None => SmsState::Sending,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AttemptId, OrgId};

    fn attempt(part: u32, nth: u32, state: AttemptState) -> Attempt {
        Attempt {
            id: AttemptId::random(),
            org: OrgId::parse("acme").unwrap(),
            message: None,
            leg: Leg::Customer,
            rev: 1,
            part,
            parts: 2,
            nth,
            from: Phone::parse("+14155550100").unwrap(),
            to: Phone::parse("+14155550134").unwrap(),
            body: "x".into(),
            media: Vec::new(),
            counted: 0,
            linked: false,
            state,
            due_at: 0,
            queued_at: 0,
            called_at: None,
            sid: None,
        }
    }

    #[test]
    fn a_leg_is_delivered_when_all_parts_are_and_failed_when_one_is() {
        use AttemptState::{Accepted, Delivered, Due, Failed, Uncertain, Unknown};
        for (first, second, expected) in [
            (Due, Due, SmsState::Sending),
            (Accepted, Due, SmsState::Sending),
            (Accepted, Uncertain, SmsState::Sending),
            (Accepted, Accepted, SmsState::Sent),
            (Delivered, Accepted, SmsState::Sent),
            (Delivered, Delivered, SmsState::Delivered),
            (Delivered, Failed, SmsState::Failed),
            (Unknown, Delivered, SmsState::Unknown),
            (Unknown, Failed, SmsState::Failed),
        ] {
            assert_eq!(leg_state(&[attempt(1, 1, first), attempt(2, 1, second)]), expected);
        }
    }

    #[test]
    fn attachments_that_do_not_go_along_are_counted() {
        let text = |body: &str, counted| {
            let attempt = Attempt {
                body: body.into(),
                counted,
                ..attempt(1, 1, AttemptState::Due)
            };
            attempt.text("https://hub.example")
        };
        assert_eq!(text("look ", 0), "look ");
        assert_eq!(text("look", 1), "look (1 attachment)");
        assert_eq!(text("#1 Ana: ", 2), "#1 Ana: (2 attachments)");
        assert_eq!(text("", 5), "(5 attachments)");
        // What was said comes first, if there is no room for all.
        let full = "x".repeat(1_590);
        assert_eq!(text(&full, 1), full);
    }

    #[test]
    fn photos_that_were_at_fault_are_linked_to_where_whoever_is_texted_sees_them() {
        let thread = crate::domain::ThreadId::random();
        let text = |leg, body: &str| {
            let attempt = Attempt {
                body: body.into(),
                leg,
                message: Some((thread.clone(), 7)),
                media: vec![crate::domain::PhotoId::random()],
                ..attempt(1, 1, AttemptState::Due)
            };
            assert_eq!(attempt.text("https://hub.example"), body);
            attempt.without_media().text("https://hub.example")
        };
        assert_eq!(
            text(Leg::Customer, "look"),
            "look (1 attachment) https://hub.example/portal#message=7"
        );
        assert_eq!(
            text(Leg::Customer, ""),
            "(1 attachment) https://hub.example/portal#message=7"
        );
        let copy = format!("#1 Ana: (1 attachment) https://hub.example/crm#thread={thread}");
        assert_eq!(text(Leg::Copy, "#1 Ana: "), copy);
        let long = "x".repeat(1_570);
        assert_eq!(text(Leg::Customer, &long), format!("{long} (1 attachment)"));
    }

    #[test]
    fn the_newest_attempt_speaks_for_its_part_unless_one_was_delivered() {
        use AttemptState::{Accepted, Delivered, Due, Failed};
        assert_eq!(
            leg_state(&[attempt(1, 1, Failed), attempt(1, 2, Due)]),
            SmsState::Sending
        );
        assert_eq!(
            leg_state(&[attempt(1, 1, Failed), attempt(1, 2, Accepted)]),
            SmsState::Sent
        );
        assert_eq!(
            leg_state(&[attempt(1, 1, Delivered), attempt(1, 2, Failed)]),
            SmsState::Delivered
        );
    }
}
