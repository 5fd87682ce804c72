//! What a status or an error means for a text, in the log's words.

use rand::Rng;

use super::dispositions::{Class, Disposition, disposition};
use super::status::Status;
use crate::domain::{Failure, Report, Retry};

/// "Attempt to send to unsubscribed recipient": <https://www.twilio.com/docs/api/errors/21610>.
const OPTED_OUT: u32 = 21610;

/// What a status says of the `nth` attempt; none if it says nothing.
pub fn report(sid: &str, status: Status, code: Option<u32>, nth: u32) -> Option<Report> {
    let sid = sid.to_owned();
    let status_text = status.as_str().to_owned();
    Some(match status {
        Status::Accepted | Status::Queued | Status::Sending | Status::Sent => Report::Accepted {
            sid,
            status: status_text,
        },
        Status::Delivered => Report::Delivered { sid },
        Status::Undelivered | Status::Failed | Status::Canceled => Report::Failed {
            sid: Some(sid),
            status: status_text,
            failure: failure(code, nth),
        },
        Status::Received | Status::Other => return None,
    })
}

/// Why the `nth` attempt failed, and whether another may do.
pub fn failure(code: Option<u32>, nth: u32) -> Failure {
    let found = disposition(code);
    let retry = retry(found, nth);
    let sentence = match found.portal.as_str() {
        "" => "This message could not be sent to your phone as a text.",
        // Not any more.
        sentence if retry.is_none() && (sentence.contains("Retrying") || sentence.contains("Sending")) => {
            "Not delivered."
        }
        sentence => sentence,
    };
    Failure {
        code,
        sentence: sentence.to_owned(),
        reason: found.staff.clone(),
        retry,
        opted_out: code == Some(OPTED_OUT),
    }
}

/// What time may heal is tried again as it was, each time later. Where the photos stay at fault, the text goes
/// without them: else its words would never arrive.
fn retry(found: &Disposition, nth: u32) -> Option<Retry> {
    let is_left = nth <= found.retries;
    let without_media = match found.class {
        Class::Transient if is_left => false,
        Class::Media if found.retries > 0 => found.without_media || !is_left,
        _ => return None,
    };
    let after_ms = match without_media {
        true => 0,
        false => with_jitter((found.wait().as_millis() as i64) << (nth - 1).min(8)),
    };
    Some(Retry {
        after_ms,
        without_media,
    })
}

/// Up to a fifth more, so that what failed together does not come back together.
fn with_jitter(ms: i64) -> i64 {
    ms + rand::rng().random_range(0..=ms / 5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::AttemptState;

    #[test]
    fn only_what_time_may_heal_is_tried_again_each_time_later() {
        let again = |code, nth| {
            let retry = failure(Some(code), nth).retry?;
            assert!(!retry.without_media);
            Some(retry.after_ms)
        };
        // Unreachable handset; then unknown number, and blocked by its owner.
        assert!(again(30003, 1) > Some(0));
        assert!(again(30003, 2) > again(30003, 1).map(|ms| ms * 3 / 2));
        assert_eq!(again(30003, 9), None);
        assert_eq!(again(21211, 1), None);
        assert_eq!(again(21610, 1), None);
        assert!(failure(Some(21610), 1).opted_out && !failure(Some(30003), 1).opted_out);
    }

    #[test]
    fn a_text_whose_photos_are_at_fault_goes_without_them() {
        let without = |code, nth| {
            let retry = failure(Some(code), nth).retry?;
            assert!(retry.without_media || retry.after_ms >= 60_000);
            Some(retry.without_media)
        };
        // The phone takes no MMS; and what could not be fetched may be there a minute later.
        assert_eq!(without(30011, 1), Some(true));
        assert_eq!((without(63019, 1), without(63019, 2)), (Some(false), Some(true)));
        // Nobody says that anything else would do.
        assert_eq!(without(30019, 1), None);
    }

    /// `verify` reads it back from the log.
    #[test]
    fn the_words_of_a_status_tell_what_was_reported() {
        for status in [
            Status::Accepted,
            Status::Queued,
            Status::Sending,
            Status::Sent,
            Status::Delivered,
            Status::Undelivered,
            Status::Failed,
            Status::Canceled,
        ] {
            let stands = match report("SM1", status, None, 1).unwrap() {
                Report::Accepted { .. } => AttemptState::Accepted,
                Report::Delivered { .. } => AttemptState::Delivered,
                _ => AttemptState::Failed,
            };
            assert_eq!(AttemptState::told(status.as_str()), stands, "{status:?}");
        }
    }

    #[test]
    fn every_status_says_what_it_means_and_an_unknown_one_nothing() {
        assert!(matches!(
            report("SM1", Status::Sent, None, 1),
            Some(Report::Accepted { .. })
        ));
        assert!(matches!(
            report("SM1", Status::Delivered, None, 1),
            Some(Report::Delivered { .. })
        ));
        let Some(Report::Failed { failure, .. }) = report("SM1", Status::Undelivered, Some(30006), 1) else {
            panic!()
        };
        assert!(!failure.sentence.is_empty() && !failure.reason.is_empty());
        assert_eq!(report("SM1", Status::Other, None, 1), None);
    }
}
