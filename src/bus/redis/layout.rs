//! Which shard carries which channel.

use std::collections::HashMap;
use std::sync::Arc;

use redis::cluster_routing::Slot;

use super::cluster::Master;
use super::shard::Shard;
use crate::domain::OrgId;

const BEATS: &str = "crewline/beat";
const ORG: &str = "crewline/org/";

/// The channel of an org.
pub fn channel(org: &OrgId) -> String {
    format!("{ORG}{org}")
}

/// The org of a channel.
pub fn org(channel: &str) -> Option<OrgId> {
    OrgId::parse(channel.strip_prefix(ORG)?).ok()
}

/// Empty until the servers are known.
#[derive(Clone, Default)]
pub struct Layout {
    shards: Vec<Arc<Shard>>,
    /// The place in `shards`. Empty where one shard has them all.
    slots: Arc<HashMap<Slot, usize>>,
}

impl Layout {
    /// `shard` gives the shard for a master, whose beats go over the channel named.
    pub fn new(masters: &[Master], mut shard: impl FnMut(&Master, &str) -> Arc<Shard>) -> Self {
        if let [only] = masters {
            return Self {
                shards: vec![shard(only, BEATS)],
                slots: Arc::default(),
            };
        }
        let mut slots = HashMap::new();
        for (place, master) in masters.iter().enumerate() {
            let own = master.slots.iter().cloned().flatten().filter_map(Slot::new);
            slots.extend(own.map(|slot| (slot, place)));
        }
        let shards = masters.iter().enumerate().map(|(place, master)| {
            // All nodes find the same one: the first that lies in one of the master's slots.
            let mut names = (0u32..).map(|n| format!("{BEATS}/{n}"));
            let beats = names.find(|name| slots.get(&Slot::for_key(name)) == Some(&place));
            shard(master, beats.as_deref().unwrap_or(BEATS))
        });
        Self {
            shards: shards.collect(),
            slots: Arc::new(slots),
        }
    }

    pub fn shard(&self, channel: &str) -> Option<&Arc<Shard>> {
        match &*self.shards {
            [only] => Some(only),
            shards => shards.get(*self.slots.get(&Slot::for_key(channel))?),
        }
    }

    pub fn shards(&self) -> impl Iterator<Item = &Arc<Shard>> {
        self.shards.iter()
    }
}
