//! Words of a text, in any language: cut where Unicode cuts words (UAX 29), and folded, so that case,
//! accents and forms of one letter do not matter. There is no stemming, hence no language to guess.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

/// Longer ones are cut: nobody looks for the end of them, and an index has its limits.
const LONGEST: usize = 64;

/// A word as it is indexed, and where it stands in the text, in bytes. It has letters, digits and marks
/// that belong to letters, and nothing that a query language could read as its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    pub folded: String,
    pub at: Range<usize>,
}

/// Scripts without spaces come letter by letter, so that a phrase finds what stands within.
pub fn words(text: &str) -> impl Iterator<Item = Word> {
    text.split_word_bound_indices().flat_map(|(at, bound)| {
        let mut end = at;
        // `don't`, `3.14` and `crm.example` are one to Unicode; their parts are what is looked for.
        bound.split_inclusive(|c| !belongs(c)).filter_map(move |part| {
            let start = end;
            end += part.len();
            let word = part.trim_end_matches(|c| !belongs(c));
            let folded = fold(word);
            (!folded.is_empty()).then(|| Word {
                folded,
                at: start..start + word.len(),
            })
        })
    })
}

fn belongs(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c)
}

fn fold(word: &str) -> String {
    letters(word).filter(|c| belongs(*c)).take(LONGEST).collect()
}

/// All of a text as its words are folded, with what stands between them.
pub fn folded(text: &str) -> String {
    letters(text).collect()
}

/// Compatible forms become one, and the accents that this takes off are left out.
fn letters(text: &str) -> impl Iterator<Item = char> {
    let is_accent = |c: &char| ('\u{300}'..='\u{36f}').contains(c);
    text.nfkd()
        .flat_map(char::to_lowercase)
        .nfkd()
        .filter(move |c| !is_accent(c))
        .map(|c| if c == 'ς' { 'σ' } else { c })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> Vec<String> {
        words(text).map(|word| word.folded).collect()
    }

    #[test]
    fn case_accents_and_forms_do_not_matter() {
        assert_eq!(folded("Fuite À l'ÉVIER"), ["fuite", "a", "l", "evier"]);
        assert_eq!(folded("Σίσυφος ΣΊΣΥΦΟΣ"), ["σισυφοσ", "σισυφοσ"]);
        assert_eq!(
            folded("ﬁlter Ｆｕｌｌ 𝐁old İstanbul"),
            ["filter", "full", "bold", "istanbul"]
        );
        assert_eq!(folded("e\u{301}te\u{301}"), ["ete"]);
    }

    #[test]
    fn what_stands_between_words_stays() {
        assert_eq!(super::folded("Élodie O'Néill (100 %)"), "elodie o'neill (100 %)");
    }

    #[test]
    fn words_are_cut_where_their_language_cuts_them() {
        assert_eq!(
            folded("don't (555) 010-2041 crm.example"),
            ["don", "t", "555", "010", "2041", "crm", "example"]
        );
        assert_eq!(folded("水漏れ"), ["水", "漏", "れ"]);
        assert_eq!(folded("تسريب المياه"), ["تسريب", "المياه"]);
        assert_eq!(folded("पानी"), ["पानी"]);
        assert_eq!(folded(" \n\t… 🔧 -- ''"), Vec::<String>::new());
    }

    #[test]
    fn a_word_holds_nothing_that_a_query_could_be_made_of() {
        let every = (0..=u32::from(char::MAX))
            .filter_map(char::from_u32)
            .collect::<String>();
        for word in words(&every) {
            let foreign = word.folded.chars().find(|c| !belongs(*c));
            assert_eq!(foreign, None);
            assert!(word.folded.chars().count() <= LONGEST);
        }
    }

    #[test]
    fn a_word_knows_where_it_stands() {
        let text = "«L'été» 水漏";
        let found: Vec<_> = words(text).map(|word| &text[word.at]).collect();
        assert_eq!(found, ["L", "été", "水", "漏"]);
    }
}
