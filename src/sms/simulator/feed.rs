//! What happened on the phones, for whoever watches them.

use std::collections::VecDeque;

use serde_json::Value;

/// Who is further behind loads afresh.
const MOST_EVENTS: usize = 5_000;

#[derive(Default)]
pub struct Feed {
    news: VecDeque<Value>,
    last: u64,
}

impl Feed {
    pub fn tell(&mut self, news: Value) {
        self.last += 1;
        self.news.push_back(news);
        if self.news.len() > MOST_EVENTS {
            self.news.pop_front();
        }
    }

    /// The number of the last event; the first is 1.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// What happened after event `n`; nothing if that is not known any more, or not yet.
    pub fn after(&self, n: u64) -> Option<Vec<Value>> {
        let newer = usize::try_from(self.last.checked_sub(n)?).ok()?;
        let skip = self.news.len().checked_sub(newer)?;
        Some(self.news.iter().skip(skip).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_is_too_far_behind_is_told_so() {
        let mut feed = Feed::default();
        assert_eq!(feed.after(0), Some(Vec::new()));
        for n in 1..=5_001 {
            feed.tell(json!(n));
        }
        assert_eq!(feed.after(5_001), Some(Vec::new()));
        assert_eq!(feed.after(4_999), Some(vec![json!(5_000), json!(5_001)]));
        assert_eq!(feed.after(1).map(|news| news.len()), Some(5_000));
        assert_eq!(feed.after(0), None);
        assert_eq!(feed.after(6_000), None, "of another simulator");
    }
}
