//! What somebody looks for.

use super::words;
use crate::domain::{Code, Refusal};

const LONGEST: usize = 200;
const MOST_WORDS: usize = 32;

/// Terms that must all be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    pub terms: Vec<Term>,
}

/// Folded words that follow each other: one, or a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    pub words: Vec<String>,
    /// Its last word may go on.
    pub open: bool,
}

impl Query {
    /// Any text. What is between quotation marks, or hangs together (`010-2041`), is a phrase; the last
    /// word may be the beginning of one, unless it is quoted. Refuses with `bad_field`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let refuse = |why: String| Err(Refusal::new(Code::BadField, format!("q: {why}")));
        if text.chars().count() > LONGEST {
            return refuse(format!("at most {LONGEST} characters"));
        }
        let mut terms = Vec::new();
        for (n, part) in text.split(['"', '“', '”', '„']).enumerate() {
            let quoted = n % 2 == 1;
            match quoted {
                true => terms.extend(Term::of(part, false)),
                false => terms.extend(part.split_whitespace().filter_map(|part| Term::of(part, true))),
            }
        }
        let last = terms.len().saturating_sub(1);
        for term in &mut terms[..last] {
            term.open = false;
        }
        match terms.iter().map(|term| term.words.len()).sum() {
            0 => refuse("write a word to look for".into()),
            1..=MOST_WORDS => Ok(Self { terms }),
            _ => refuse(format!("at most {MOST_WORDS} words")),
        }
    }
}

impl Term {
    fn of(text: &str, open: bool) -> Option<Self> {
        let words: Vec<_> = words(text).map(|word| word.folded).collect();
        (!words.is_empty()).then_some(Self { words, open })
    }

    /// How many words of `text`, from its first on, this is; none if it does not stand there.
    pub(super) fn stands_at(&self, text: &[super::Word]) -> Option<usize> {
        let long = self.words.len();
        let last = long - 1;
        let stands = text.len() >= long
            && self.words.iter().zip(text).enumerate().all(|(n, (word, there))| {
                there.folded == *word || n == last && self.open && there.folded.starts_with(word.as_str())
            });
        stands.then_some(long)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str) -> Vec<(String, bool)> {
        let query = Query::parse(text).unwrap();
        let terms = query.terms.into_iter();
        terms.map(|term| (term.words.join(" "), term.open)).collect()
    }

    fn code(text: &str) -> Code {
        Query::parse(text).unwrap_err().code
    }

    #[test]
    fn words_phrases_and_the_word_that_is_being_written() {
        let of = |terms: &[(&str, bool)]| {
            terms
                .iter()
                .map(|(t, open)| ((*t).to_owned(), *open))
                .collect::<Vec<_>>()
        };
        assert_eq!(terms(" The  LEAK"), of(&[("the", false), ("leak", true)]));
        assert_eq!(
            terms("\"burst pipe\" sink"),
            of(&[("burst pipe", false), ("sink", true)])
        );
        assert_eq!(
            terms("sink “burst pipe”"),
            of(&[("sink", false), ("burst pipe", false)])
        );
        assert_eq!(terms("call 010-2041"), of(&[("call", false), ("010 2041", true)]));
        assert_eq!(terms("水漏"), of(&[("水 漏", true)]));
        assert_eq!(terms("\"never closed"), of(&[("never closed", false)]));
    }

    #[test]
    fn operators_are_words_or_nothing() {
        assert_eq!(terms("a & !b | (c)").len(), 3);
        assert_eq!(terms("NEAR(a b) OR words:x*").len(), 4);
        assert_eq!(terms("'); DROP TABLE search --").len(), 3);
    }

    #[test]
    fn nothing_to_look_for_and_too_much_are_refused() {
        for bad in ["", "  ", "!!!", "\"\"", "🔧"] {
            assert_eq!(code(bad), Code::BadField, "{bad:?}");
        }
        assert!(Query::parse(&"x".repeat(200)).is_ok());
        assert_eq!(code(&"x".repeat(201)), Code::BadField);
        assert!(Query::parse(&"x ".repeat(32)).is_ok());
        assert_eq!(code(&"x ".repeat(33)), Code::BadField);
    }
}
