//! How a text fits into text messages: what it costs, and where it is cut.

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

/// What Twilio takes in one message (error 21617). It speaks of 1,600 "characters" and adds that some
/// take more space; counted in [`Segments::units`], a text is within the limit by every reading.
pub const MAX_SMS_UNITS: u32 = 1_600;

/// The alphabet of a whole text message (3GPP TS 23.038).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    /// Seven bits a character, two units for those of the extension table.
    #[serde(rename = "GSM-7")]
    Gsm7,
    /// UTF-16 in practice: one character outside GSM-7 switches the whole text.
    #[serde(rename = "UCS-2")]
    Ucs2,
}

impl Encoding {
    fn of(text: &str) -> Self {
        match text.chars().all(|c| septets(c).is_some()) {
            true => Self::Gsm7,
            false => Self::Ucs2,
        }
    }

    /// What a message of one segment holds, and what each holds of several, which carry a header.
    fn room(self) -> (u32, u32) {
        match self {
            Self::Gsm7 => (160, 153),
            Self::Ucs2 => (70, 67),
        }
    }

    fn units(self, text: &str) -> u32 {
        match self {
            Self::Gsm7 => text.chars().filter_map(septets).sum(),
            Self::Ucs2 => text.chars().map(|c| c.len_utf16() as u32).sum(),
        }
    }
}

/// What a text costs as a text message: Twilio bills each segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segments {
    pub encoding: Encoding,
    /// At least 1.
    pub count: u32,
    /// Septets or UTF-16 code units, without headers.
    pub units: u32,
}

/// Counts as Twilio's own calculator does (npm `sms-segments-calculator`): a character that a phone
/// shows as one is never divided between two segments.
pub fn segments(text: &str) -> Segments {
    let encoding = Encoding::of(text);
    let units = encoding.units(text);
    let (alone, each) = encoding.room();
    let count = if units <= alone {
        1
    } else {
        let (mut count, mut used) = (1, 0);
        for character in characters(text, each, |text| encoding.units(text)) {
            let size = encoding.units(character);
            if used + size > each {
                (count, used) = (count + 1, 0);
            }
            used += size;
        }
        count
    };
    Segments { encoding, count, units }
}

/// Cuts a text that is too long for one message into parts that each begin with `(1/3) `, which counts
/// too. The cuts are at white space where there is some, which is then left out; no character that a
/// phone shows as one is divided. A text that fits stays as it is.
pub fn parts(text: &str) -> Vec<String> {
    if segments(text).units <= MAX_SMS_UNITS {
        return vec![text.to_owned()];
    }
    // How long a prefix is depends on how many parts there are: `(9/9) `, `(99/99) `.
    for digits in 1.. {
        let cut = cut(text, MAX_SMS_UNITS - (4 + 2 * digits));
        if cut.len() < 10_usize.pow(digits) {
            let of = cut.len();
            let numbered = cut.iter().enumerate();
            return numbered.map(|(n, part)| format!("({}/{of}) {part}", n + 1)).collect();
        }
    }
    unreachable!("with more digits there is always an end")
}

/// Pieces of at most `most` units each, whichever alphabet they turn out to need.
fn cut(text: &str, most: u32) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.trim_end().is_empty() {
        let mut end = 0;
        let (mut used, mut space) = (0, None);
        for character in characters(rest, most, dearest) {
            let is_space = character.chars().all(char::is_whitespace);
            // White space at a cut goes, so it may stand past the end.
            if is_space && end > 0 {
                space = Some(end);
            }
            used += dearest(character);
            if used > most {
                break;
            }
            end += character.len();
        }
        let at = if used <= most { rest.len() } else { space.unwrap_or(end) };
        let (piece, after) = rest.split_at(at);
        let piece = piece.trim_end();
        if !piece.is_empty() {
            pieces.push(piece);
        }
        rest = if used <= most { "" } else { after.trim_start() };
    }
    pieces
}

/// An upper bound of what it takes in either alphabet.
fn dearest(text: &str) -> u32 {
    let dearest = |c: char| septets(c).unwrap_or(0).max(c.len_utf16() as u32);
    text.chars().map(dearest).sum()
}

/// What a phone shows as one character; one that is larger than `most` by itself comes in pieces.
fn characters(text: &str, most: u32, size: impl Fn(&str) -> u32) -> impl Iterator<Item = &str> {
    text.graphemes(true).flat_map(move |grapheme| {
        // A line break of two characters may be divided.
        let divide = grapheme == "\r\n" || size(grapheme) > most;
        let (whole, pieces) = if divide { (None, grapheme) } else { (Some(grapheme), "") };
        whole.into_iter().chain(pieces.split_inclusive(|_| true))
    })
}

/// The characters of GSM-7: 1 for the basic table, 2 for the extension table, which needs an escape.
fn septets(c: char) -> Option<u32> {
    match c {
        '\n' | '\r' | ' '..='#' | '%'..='?' | 'A'..='Z' | 'a'..='z' => Some(1),
        '@' | '£' | '$' | '¥' | 'è' | 'é' | 'ù' | 'ì' | 'ò' | 'Ç' | 'Ø' | 'ø' | 'Å' | 'å' | 'Δ' | '_' | 'Φ' | 'Γ'
        | 'Λ' | 'Ω' | 'Π' | 'Ψ' | 'Σ' | 'Θ' | 'Ξ' | 'Æ' | 'æ' | 'ß' | 'É' | '¤' | '¡' | 'Ä' | 'Ö' | 'Ñ' | 'Ü' | '§'
        | '¿' | 'ä' | 'ö' | 'ñ' | 'ü' | 'à' => Some(1),
        '\u{c}' | '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|' | '€' => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn segments_are_those_of_twilios_calculator() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../tests/data/twilio/segment_vectors.json")).unwrap();
        let vectors = vectors["vectors"].as_array().unwrap();
        assert_eq!(vectors.len(), 26);
        for vector in vectors {
            let found = segments(vector["text"].as_str().unwrap());
            let (name, bits) = match found.encoding {
                Encoding::Gsm7 => ("GSM-7", 7),
                Encoding::Ucs2 => ("UCS-2", 16),
            };
            assert_eq!(vector["encoding"], name, "{vector}");
            assert_eq!(vector["segments"], found.count, "{vector}");
            assert_eq!(vector["message_bits"], found.units * bits, "{vector}");
        }
    }

    #[test]
    fn what_a_phone_shows_as_one_character_stays_in_one_segment() {
        let family = "👨‍👩‍👧‍👦"; // 11 units: six of them make a segment's 67
        assert_eq!(segments(&format!("a{}", family.repeat(12))).count, 2);
        assert_eq!(
            segments(&format!("aa{}", family.repeat(12))).count,
            3,
            "134 units, but they do not come apart"
        );
        let tower = format!("a{}", "\u{301}".repeat(200));
        assert_eq!(segments(&tower).count, 3, "one that fits nowhere is divided");
    }

    #[test]
    fn a_text_that_fits_has_no_prefix_and_one_more_has() {
        for one in ["x", "漏"] {
            let text = one.repeat(1_600);
            assert_eq!(parts(&text), [text.as_str()]);
        }
        assert_eq!(parts(""), [""]);
        for text in ["x".repeat(1_601), "€".repeat(801), "👍".repeat(801)] {
            let parts = parts(&text);
            assert_eq!(parts.len(), 2);
            assert!(parts[0].starts_with("(1/2) ") && parts[1].starts_with("(2/2) "));
            assert_eq!(
                joined(&parts, ""),
                text,
                "a word without end is cut, and nothing is lost"
            );
        }
    }

    #[test]
    fn the_cut_is_at_white_space() {
        // Six characters each, so that a part's end is in the middle of one.
        let words = "words ".repeat(600);
        let parts = parts(words.trim());
        assert_eq!(parts.len(), 3);
        for part in &parts {
            assert!(part.ends_with(" words"), "{part}");
        }
        assert_eq!(joined(&parts, " "), words.trim());
        let exact = format!("{} {}", "a".repeat(1_594), "b".repeat(100));
        assert_eq!(super::parts(&exact)[1], format!("(2/2) {}", "b".repeat(100)));
    }

    #[test]
    fn ten_parts_and_more_have_longer_prefixes() {
        let parts = parts(&"x".repeat(16_000));
        assert_eq!(parts.len(), 11);
        assert!(parts[0].starts_with("(1/11) ") && parts[10].starts_with("(11/11) "));
    }

    #[test]
    fn what_a_phone_shows_as_one_character_stays_in_one_part() {
        let family = "👨‍👩‍👧‍👦";
        let parts = parts(&family.repeat(300));
        assert_eq!(parts.len(), 3);
        for part in &parts {
            let (_, bare) = part.split_once(") ").unwrap();
            assert_eq!(bare, family.repeat(bare.len() / family.len()));
        }
    }

    #[test]
    fn white_space_alone_makes_no_parts() {
        let text = format!("a{}b", " ".repeat(4_000));
        assert_eq!(parts(&text), ["(1/2) a", "(2/2) b"]);
    }

    fn joined(parts: &[String], glue: &str) -> String {
        let bare = parts.iter().map(|part| part.split_once(") ").unwrap().1);
        bare.collect::<Vec<_>>().join(glue)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn every_part_is_within_the_limit_and_no_word_is_lost(
            words in proptest::collection::vec("[a-z€👍🏽漏\u{301}\u{200d}👨]{1,300}", 1..60),
        ) {
            let text = words.join(" ");
            let parts = parts(&text);
            for part in &parts {
                prop_assert!(segments(part).units <= MAX_SMS_UNITS);
            }
            let bare = |text: &str| text.split_whitespace().collect::<String>();
            let all = if parts.len() == 1 { parts[0].clone() } else { joined(&parts, "") };
            prop_assert_eq!(bare(&all), bare(&text));
        }
    }
}
