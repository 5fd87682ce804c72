//! What somebody wants to say, with every limit that can be checked without looking anything up.

use super::{Code, MessageId, PhotoId, Refusal};

/// A character is a Unicode scalar value.
pub const MAX_TEXT_CHARS: usize = 4_000;
/// Of UTF-8.
pub const MAX_TEXT_BYTES: usize = 16 * 1024;
pub const MAX_PHOTOS: usize = 5;
const MAX_LABEL_CHARS: usize = 200;

/// A message or (internal) a note, within the limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub id: MessageId,
    pub text: String,
    /// In this order. Whether they are there is the ledger's to say.
    pub photos: Vec<PhotoId>,
    /// A note: for the team alone.
    pub internal: bool,
    /// The last seq that the writer had seen.
    pub seen: Option<i64>,
}

impl Draft {
    pub fn new(
        id: MessageId,
        text: String,
        photos: &[String],
        internal: bool,
        seen: Option<i64>,
    ) -> Result<Self, Refusal> {
        if photos.len() > MAX_PHOTOS {
            return Err(Refusal::new(
                Code::TooManyPhotos,
                format!("a message carries at most {MAX_PHOTOS} photos; send the others in a second one"),
            ));
        }
        let named: Option<Vec<_>> = photos.iter().map(|id| PhotoId::parse(id)).collect();
        let photos = named.ok_or_else(Refusal::unknown_photo)?;
        if (1..photos.len()).any(|n| photos[n..].contains(&photos[n - 1])) {
            return Err(Refusal::new(Code::BadField, "photos: one of them stands there twice"));
        }
        if text.trim().is_empty() && photos.is_empty() {
            return Err(Refusal::new(Code::EmptyText, "write something first"));
        }
        if text.chars().count() > MAX_TEXT_CHARS || text.len() > MAX_TEXT_BYTES {
            return Err(Refusal::new(
                Code::TextTooLong,
                format!("a message holds at most {MAX_TEXT_CHARS} characters; send it in parts"),
            ));
        }
        if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            return Err(Refusal::new(
                Code::ControlCharacter,
                "only newline and tab are allowed of the control characters",
            ));
        }
        if seen.is_some_and(|seq| seq < 0) {
            return Err(Refusal::new(Code::BadField, "seen: a seq is not negative"));
        }
        Ok(Self {
            id,
            text,
            photos,
            internal,
            seen,
        })
    }
}

/// Names and the like: one line that people read.
pub fn check_label(field: &str, text: &str) -> Result<(), Refusal> {
    if text.trim().is_empty() || text.chars().count() > MAX_LABEL_CHARS || text.chars().any(char::is_control) {
        return Err(Refusal::new(
            Code::BadField,
            format!("{field}: 1 to {MAX_LABEL_CHARS} characters on one line"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(text: &str) -> Result<Draft, Code> {
        let id = MessageId::parse("m1").unwrap();
        Draft::new(id, text.to_owned(), &[], false, None).map_err(|refusal| refusal.code)
    }

    #[test]
    fn four_thousand_characters_of_any_script_pass_and_one_more_does_not() {
        for one in ["x", "🔧", "漏", "ت", "\n"] {
            let text = format!("a{}", one.repeat(3_999));
            assert_eq!(draft(&text).unwrap().text, text);
            assert_eq!(draft(&format!("{text}x")), Err(Code::TextTooLong));
        }
    }

    #[test]
    fn up_to_five_photos_are_named_each_once_and_then_no_text_is_needed() {
        let ids: Vec<_> = (0..6).map(|_| PhotoId::random().as_str().to_owned()).collect();
        let draft = |photos: &[String]| {
            let id = MessageId::parse("m1").unwrap();
            let draft = Draft::new(id, String::new(), photos, false, None);
            draft.map(|draft| draft.photos.len()).map_err(|refusal| refusal.code)
        };
        assert_eq!(draft(&ids[..5]), Ok(5));
        assert_eq!(draft(&ids), Err(Code::TooManyPhotos));
        assert_eq!(draft(&[]), Err(Code::EmptyText));
        assert_eq!(draft(&["../x".into()]), Err(Code::UnknownPhoto));
        assert_eq!(
            draft(&[ids[0].clone(), ids[1].clone(), ids[0].clone()]),
            Err(Code::BadField)
        );
    }

    #[test]
    fn control_characters_other_than_newline_and_tab_are_refused() {
        assert!(draft("a\tb\nc").is_ok());
        for bad in ['\0', '\r', '\u{7}', '\u{1b}', '\u{7f}', '\u{85}', '\u{9f}'] {
            assert_eq!(draft(&format!("a{bad}")), Err(Code::ControlCharacter), "{bad:?}");
        }
        assert_eq!(draft(" \n\t"), Err(Code::EmptyText));
    }
}
