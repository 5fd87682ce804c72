//! What is shown of a text that was found: pieces, of which some are what was looked for. Never markup:
//! whoever shows them decides how.

use std::ops::Range;

use serde::Serialize;

use super::{Query, Word, words};

/// In characters. Of a longer text the part around the first hit is shown.
const SHOWN: usize = 240;
const BEFORE_THE_HIT: usize = 60;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Piece {
    pub text: String,
    pub hit: bool,
}

impl Query {
    /// `text` in pieces; an ellipsis stands for what is left out.
    pub fn pieces(&self, text: &str) -> Vec<Piece> {
        let hits = self.hits(text);
        let shown = window(text, hits.first().map_or(0, |hit| hit.start));
        let mut pieces = Vec::new();
        let mut put = |text: &str, hit| {
            if !text.is_empty() {
                pieces.push(Piece {
                    text: text.to_owned(),
                    hit,
                });
            }
        };
        put(if shown.start > 0 { "…" } else { "" }, false);
        let mut at = shown.start;
        for hit in hits {
            let hit = hit.start.clamp(at, shown.end)..hit.end.clamp(at, shown.end);
            put(&text[at..hit.start], false);
            put(&text[hit.clone()], true);
            at = hit.end;
        }
        put(&text[at..shown.end], false);
        put(if shown.end < text.len() { "…" } else { "" }, false);
        pieces
    }

    /// Where the terms stand, in order and apart from each other.
    fn hits(&self, text: &str) -> Vec<Range<usize>> {
        let words: Vec<Word> = words(text).collect();
        let mut hits: Vec<Range<usize>> = Vec::new();
        for start in 0..words.len() {
            let longest = self
                .terms
                .iter()
                .filter_map(|term| term.stands_at(&words[start..]))
                .max();
            let Some(long) = longest else { continue };
            let (from, to) = (words[start].at.start, words[start + long - 1].at.end);
            match hits.last_mut() {
                Some(last) if from < last.end => last.end = last.end.max(to),
                _ => hits.push(from..to),
            }
        }
        hits
    }
}

/// What is shown, its ends not within a word that is shorter than the way to its edge.
fn window(text: &str, first_hit: usize) -> Range<usize> {
    let before = text[..first_hit].char_indices().rev().take(BEFORE_THE_HIT).last();
    let from = match before {
        Some((at, _)) if at > 0 => {
            let mut spaces = text[at..first_hit].match_indices(char::is_whitespace);
            spaces.next().map_or(at, |(space, c)| at + space + c.len())
        }
        _ => 0,
    };
    let to = match text[from..].char_indices().nth(SHOWN) {
        None => text.len(),
        Some((long, _)) => from + long,
    };
    from..to
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(query: &str, text: &str) -> String {
        let pieces = Query::parse(query).unwrap().pieces(text);
        assert!(pieces.iter().all(|piece| !piece.text.is_empty()));
        let show = |piece: &Piece| match piece.hit {
            true => format!("[{}]", piece.text),
            false => piece.text.clone(),
        };
        pieces.iter().map(show).collect()
    }

    #[test]
    fn what_was_looked_for_is_marked_as_it_was_written() {
        assert_eq!(
            shown("leak", "The LEAK is back, leaking"),
            "The [LEAK] is back, [leaking]"
        );
        assert_eq!(shown("leak back", "leaks back"), "leaks [back]");
        assert_eq!(shown("ete", "L'été!"), "L'[été]!");
        assert_eq!(shown("010-2041", "call 010 2041 or 010"), "call [010 2041] or 010");
        assert_eq!(shown("漏れ", "水漏れがひどい"), "水[漏れ]がひどい");
        assert_eq!(shown("\"a b\" \"b c\"", "a b c"), "[a b c]");
    }

    #[test]
    fn markup_stays_text() {
        assert_eq!(shown("img", "<img src=x>&amp;"), "<[img] src=x>&amp;");
    }

    #[test]
    fn of_a_long_text_the_part_around_the_hit_is_shown() {
        let text = format!("{} needle {}", "hay ".repeat(200), "straw ".repeat(200));
        let shown = shown("needle", &text);
        assert!(
            shown.starts_with("…hay") && shown.ends_with('…') && shown.contains("[needle]"),
            "{shown}"
        );
        assert!(shown.chars().count() <= SHOWN + 4, "{shown}");
        let spaces = format!("{}\u{3000}needle", "漏\u{3000}れ".repeat(200));
        assert!(
            Query::parse("needle").unwrap().pieces(&spaces)[1]
                .text
                .starts_with('れ')
        );
        let wide = "漏".repeat(4_000);
        assert_eq!(Query::parse("漏").unwrap().pieces(&wide).last().unwrap().text, "…");
    }

    #[test]
    fn the_pieces_of_any_text_are_that_text() {
        let together =
            |query: &Query, text: &str| -> String { query.pieces(text).into_iter().map(|piece| piece.text).collect() };
        // Short enough to be shown whole wherever the hit is, and any.
        proptest::proptest!(|(short in ".{0,60}", long in "[a-c\\s\u{3000}.水]{0,600}", query in "[a-c \u{301}水]{1,6}")| {
            if let Ok(query) = Query::parse(&query) {
                assert_eq!(together(&query, &short), short);
                let part = together(&query, &long);
                assert!(long.contains(part.trim_matches('…')), "{part}");
            }
        });
    }
}
