//! Who is here. Nothing of it is stored: each node repeats who is at it, and what is not repeated is
//! forgotten.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::protocol::Who;

/// How often a node repeats who is at it.
pub const REPEAT: Duration = Duration::from_secs(10);
/// Longer than two repeats: one may be lost.
const FORGET: Duration = Duration::from_secs(25);

/// Who is here in one org, at this node and elsewhere.
#[derive(Default)]
pub struct Presence {
    here: HashMap<String, (Who, usize)>,
    elsewhere: HashMap<(String, String), (Who, Instant)>,
}

impl Presence {
    /// Another connection of this person. True if there was none, anywhere.
    pub fn join(&mut self, who: &Who) -> bool {
        let key = key(who);
        let known = self.is_here(&key);
        self.here.entry(key).or_insert_with(|| (who.clone(), 0)).1 += 1;
        !known
    }

    /// One connection of this person less. True if there is none left, anywhere.
    pub fn leave(&mut self, who: &Who) -> bool {
        let key = key(who);
        if let Some((_, connections)) = self.here.get_mut(&key) {
            *connections -= 1;
            if *connections == 0 {
                self.here.remove(&key);
            }
        }
        !self.is_here(&key)
    }

    /// What another node says of those at it. Returns who came and who went by it.
    pub fn heard(&mut self, node: &str, online: Vec<Who>, offline: Vec<Who>, now: Instant) -> (Vec<Who>, Vec<Who>) {
        let mut came = Vec::new();
        for who in online {
            let key = key(&who);
            let known = self.is_here(&key);
            self.elsewhere.insert((node.to_owned(), key), (who.clone(), now));
            if !known {
                came.push(who);
            }
        }
        let mut went = Vec::new();
        for who in offline {
            let key = key(&who);
            let was = self.elsewhere.remove(&(node.to_owned(), key.clone())).is_some();
            if was && !self.is_here(&key) {
                went.push(who);
            }
        }
        (came, went)
    }

    /// Forgets what was not repeated. Returns who is gone by it.
    pub fn expire(&mut self, now: Instant) -> Vec<Who> {
        let stale: Vec<_> = self
            .elsewhere
            .iter()
            .filter(|(_, (_, heard))| now.duration_since(*heard) > FORGET)
            .map(|(key, _)| key.clone())
            .collect();
        let mut gone = Vec::new();
        for key in stale {
            if let Some((who, _)) = self.elsewhere.remove(&key)
                && !self.is_here(&key.1)
            {
                gone.push(who);
            }
        }
        gone
    }

    /// Who is at this node.
    pub fn here(&self) -> Vec<Who> {
        self.here.values().map(|(who, _)| who.clone()).collect()
    }

    /// Everybody, once each.
    pub fn everybody(&self) -> Vec<Who> {
        let mut all: HashMap<&str, &Who> = HashMap::new();
        all.extend(self.here.iter().map(|(key, (who, _))| (key.as_str(), who)));
        all.extend(self.elsewhere.iter().map(|((_, key), (who, _))| (key.as_str(), who)));
        all.into_values().cloned().collect()
    }

    fn is_here(&self, key: &str) -> bool {
        self.here.contains_key(key) || self.elsewhere.keys().any(|(_, other)| other == key)
    }
}

fn key(who: &Who) -> String {
    match (&who.contact, &who.sub) {
        (Some(contact), _) => format!("contact:{contact}"),
        (None, sub) => format!("sub:{}", sub.as_deref().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sam() -> Who {
        Who {
            kind: "staff".into(),
            name: "Sam".into(),
            sub: Some("sam".into()),
            contact: None,
        }
    }

    #[test]
    fn a_person_is_here_from_the_first_connection_to_the_last_at_any_node() {
        let mut presence = Presence::default();
        let start = Instant::now();
        assert!(presence.join(&sam()));
        assert!(!presence.join(&sam()));
        assert!(!presence.leave(&sam()));
        assert_eq!(presence.heard("b", vec![sam()], vec![], start), (vec![], vec![]));
        assert!(!presence.leave(&sam()), "still at b");
        assert_eq!(presence.everybody(), [sam()]);
        assert_eq!(presence.heard("b", vec![], vec![sam()], start), (vec![], vec![sam()]));
    }

    #[test]
    fn what_is_not_repeated_is_forgotten() {
        let mut presence = Presence::default();
        let start = Instant::now();
        assert_eq!(presence.heard("b", vec![sam()], vec![], start).0, [sam()]);
        assert!(presence.expire(start + FORGET).is_empty());
        assert_eq!(presence.expire(start + FORGET + REPEAT), [sam()]);
        assert!(presence.everybody().is_empty());
    }
}
