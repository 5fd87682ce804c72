//! STOP, START, HELP: words by which a phone turns texts off and on. Twilio acts on them by itself.

use crate::domain::Word;

/// What a keyword asks for. Twilio has already done it when the webhook comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptOut {
    /// No more texts from this number to this phone.
    Stop,
    /// Texts again. `YES` is one of the words and an everyday answer too: it is a keyword only to a phone
    /// that had stopped.
    Start,
    /// Twilio tells the phone how to stop. Nothing changes.
    Help,
}

impl From<OptOut> for Word {
    fn from(word: OptOut) -> Self {
        match word {
            OptOut::Stop => Word::Stop,
            OptOut::Start => Word::Start,
            OptOut::Help => Word::Help,
        }
    }
}

/// What an incoming text asks for: `OptOutType` (Advanced Opt-Out, which knows an account's own words)
/// first, else Twilio's default words, which count only alone: `STOP PLEASE` is an ordinary text.
///
/// The words: <https://help.twilio.com/articles/223134027>.
pub fn opt_out(opt_out_type: Option<&str>, text: &str) -> Option<OptOut> {
    opt_out_type.and_then(word).or_else(|| word(text))
}

fn word(text: &str) -> Option<OptOut> {
    match text.trim().to_uppercase().as_str() {
        "STOP" | "UNSUBSCRIBE" | "END" | "QUIT" | "STOPALL" | "REVOKE" | "OPTOUT" | "CANCEL" => Some(OptOut::Stop),
        "START" | "UNSTOP" | "YES" => Some(OptOut::Start),
        "HELP" | "INFO" => Some(OptOut::Help),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_alone_counts_in_any_case() {
        for (text, asks) in [
            ("STOP", Some(OptOut::Stop)),
            (" stop\n", Some(OptOut::Stop)),
            ("Unsubscribe", Some(OptOut::Stop)),
            ("Revoke", Some(OptOut::Stop)),
            ("start", Some(OptOut::Start)),
            ("Yes", Some(OptOut::Start)),
            ("help", Some(OptOut::Help)),
            ("STOP PLEASE", None),
            ("stop.", None),
            ("please stop", None),
            ("STOPP", None),
            ("", None),
        ] {
            assert_eq!(opt_out(None, text), asks, "{text:?}");
        }
    }

    #[test]
    fn what_twilio_says_it_did_wins_over_the_text() {
        assert_eq!(opt_out(Some("STOP"), "ARRET"), Some(OptOut::Stop));
        assert_eq!(opt_out(Some("START"), "STOP"), Some(OptOut::Start));
        assert_eq!(opt_out(Some("HELP"), "what?"), Some(OptOut::Help));
        assert_eq!(opt_out(Some("SOMETHING_NEW"), "Stop"), Some(OptOut::Stop));
    }
}
