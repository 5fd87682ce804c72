//! How far a text message has come. Twilio tells in any order, more than once, and at times not at all.

/// A message's status, as in `MessageStatus` and the API's `status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    Accepted,
    Queued,
    Sending,
    Sent,
    Delivered,
    Undelivered,
    Failed,
    Canceled,
    /// Of incoming texts, in lists.
    Received,
    /// One that is not known here. It says nothing.
    Other,
}

impl Status {
    pub fn parse(text: &str) -> Self {
        match text {
            "accepted" => Self::Accepted,
            "queued" => Self::Queued,
            "sending" => Self::Sending,
            "sent" => Self::Sent,
            // No SMS is ever "read"; a channel that says so has delivered it.
            "delivered" | "read" => Self::Delivered,
            "undelivered" => Self::Undelivered,
            "failed" => Self::Failed,
            "canceled" => Self::Canceled,
            "receiving" | "received" => Self::Received,
            _ => Self::Other,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Undelivered => "undelivered",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Received => "received",
            Self::Other => "other",
        }
    }

    /// How far along it is; a message never goes down. All that are final have 10.
    pub fn rank(self) -> u8 {
        match self {
            Self::Accepted | Self::Received | Self::Other => 0,
            Self::Queued => 1,
            Self::Sending => 2,
            Self::Sent => 3,
            Self::Delivered | Self::Undelivered | Self::Failed | Self::Canceled => 10,
        }
    }

    pub fn is_final(self) -> bool {
        self.rank() == 10
    }

    /// Whether it replaces what was `known`, so that every order of telling ends the same: further wins,
    /// and `delivered` over another end, because a carrier's late word is better than its silence.
    pub fn replaces(self, known: Self) -> bool {
        self.rank() > known.rank() || (self == Self::Delivered && known.is_final() && known != Self::Delivered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Status; 10] = [
        Status::Accepted,
        Status::Queued,
        Status::Sending,
        Status::Sent,
        Status::Delivered,
        Status::Undelivered,
        Status::Failed,
        Status::Canceled,
        Status::Received,
        Status::Other,
    ];

    fn end(told: &[Status]) -> Status {
        told.iter().fold(
            Status::Queued,
            |known, &status| if status.replaces(known) { status } else { known },
        )
    }

    #[test]
    fn a_name_is_read_as_it_is_written() {
        for status in ALL {
            assert_eq!(Status::parse(status.as_str()), status);
        }
        assert_eq!(Status::parse("partially_delivered"), Status::Other);
        assert_eq!(Status::parse(""), Status::Other);
    }

    #[test]
    fn every_order_with_repeats_ends_the_same() {
        use Status::*;
        for (told, ends) in [
            ([Sending, Sent, Delivered], Delivered),
            ([Sending, Sent, Undelivered], Undelivered),
            ([Sent, Undelivered, Delivered], Delivered),
            ([Sent, Failed, Other], Failed),
        ] {
            for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
                let told = order.map(|n| told[n]);
                assert_eq!(end(&told), ends, "{told:?}");
                assert_eq!(end(&[told, told].concat()), ends, "{told:?} twice");
            }
        }
    }
}
