//! What fails when: derived from the seed, and from nothing that differs between two runs of a command.

use std::fmt;
use std::time::Duration;

use crate::chance::Chance;

/// Kills and cuts last no longer: past five seconds, what waits for the database has been answered.
const LONGEST: Duration = Duration::from_secs(7);
const SHORTEST: Duration = Duration::from_millis(100);
/// Within it the faults of a round begin.
const TOGETHER: Duration = Duration::from_millis(600);
/// So long after the beginning of a burst there is still something of it under way.
const BURST: Duration = Duration::from_millis(25);
/// As many publishes are lost, one after the other.
const LOST: usize = 5;

/// What this program may break.
#[derive(Clone, Copy, Debug)]
pub struct Means {
    /// Postgres and Redis are its own.
    pub postgres: bool,
    pub redis: bool,
    /// What is stopped stands still for so long.
    pub freeze: Duration,
}

#[derive(Debug, PartialEq)]
pub struct Plan {
    pub seed: u64,
    /// The faults of a round overlap; after each the cluster has to heal.
    pub rounds: Vec<Round>,
}

#[derive(Debug, PartialEq)]
pub struct Round {
    /// Untroubled chat before.
    pub pause: Duration,
    pub faults: Vec<Fault>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Into the round. Then everybody writes,
    pub after: Duration,
    /// and so much later it strikes.
    pub into_burst: Duration,
    pub what: What,
    pub lasts: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum What {
    KillNode(usize),
    /// SIGTERM, wait, start, one after the other.
    RestartNodes,
    /// Restarted with a clock that is so many hours off, and restarted again.
    NodeClock(usize, i32),
    KillPostgres,
    PostgresClock(i32),
    KillRedis,
    StopRedis,
    KillSubscriptions,
    /// So many publishes do not reach a node that is subscribed.
    LosePublishes(usize, usize),
    /// Every connection between a node and Redis.
    CutWire(usize),
    /// A third of the clients, from the first, the second or the third on.
    StopClients(usize),
}

/// What a fault has for itself: two of a round never meet at the same.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Nodes,
    Postgres,
    Redis,
    Wires,
    Clients,
}

impl Plan {
    /// Every kind of fault that the means allow, once.
    pub fn of(seed: u64, means: Means) -> Self {
        let mut chance = Chance::of(seed);
        let (node, other) = (chance.below(2), chance.below(2));
        let hours = |chance: &mut Chance| [-1, 1][chance.below(2)];
        let mut deck = vec![
            What::KillNode(node),
            What::RestartNodes,
            What::NodeClock(other, hours(&mut chance)),
            What::LosePublishes(chance.below(2), 1 + chance.below(LOST)),
            What::CutWire(chance.below(2)),
            What::StopClients(chance.below(3)),
        ];
        let (of_postgres, of_redis) = (
            [What::KillPostgres, What::PostgresClock(hours(&mut chance))],
            [What::KillRedis, What::StopRedis, What::KillSubscriptions],
        );
        if means.postgres {
            deck.extend(of_postgres);
        }
        if means.redis {
            deck.extend(of_redis);
        }
        chance.shuffle(&mut deck);
        let mut rounds = Vec::new();
        while let Some(first) = deck.pop() {
            let mut together = vec![first];
            for _ in 0..chance.below(3) {
                let apart = |what: &What| together.iter().all(|other| other.may_meet(*what));
                if let Some(at) = deck.iter().rposition(apart) {
                    together.push(deck.remove(at));
                }
            }
            rounds.push(Round {
                pause: chance.between(SHORTEST * 5, SHORTEST * 15),
                faults: together
                    .into_iter()
                    .map(|what| Fault {
                        after: chance.between(Duration::ZERO, TOGETHER),
                        into_burst: chance.between(Duration::ZERO, BURST),
                        what,
                        lasts: what.lasts(&mut chance, means.freeze),
                    })
                    .collect(),
            });
        }
        Self { seed, rounds }
    }

    /// At least; healing comes on top.
    pub fn lasts(&self) -> Duration {
        let round = |round: &Round| {
            let ends = round.faults.iter().map(|fault| fault.after + fault.lasts);
            round.pause + ends.max().unwrap_or_default()
        };
        self.rounds.iter().map(round).sum()
    }
}

impl What {
    fn place(self) -> Place {
        match self {
            Self::KillNode(_) | Self::RestartNodes | Self::NodeClock(..) => Place::Nodes,
            Self::KillPostgres | Self::PostgresClock(_) => Place::Postgres,
            Self::KillRedis | Self::StopRedis | Self::KillSubscriptions => Place::Redis,
            Self::LosePublishes(..) | Self::CutWire(_) => Place::Wires,
            Self::StopClients(_) => Place::Clients,
        }
    }

    /// What is lost quietly is lost alone: any other fault has the nodes look for it sooner.
    fn may_meet(self, other: Self) -> bool {
        let quiet = |what| matches!(what, Self::LosePublishes(..));
        self.place() != other.place() && !quiet(self) && !quiet(other)
    }

    fn lasts(self, chance: &mut Chance, freeze: Duration) -> Duration {
        match self {
            Self::StopRedis => freeze,
            // Some of them so long that the hub gives them up.
            Self::StopClients(_) => chance.between(freeze / 2, freeze * 4 / 3),
            Self::RestartNodes | Self::KillSubscriptions => Duration::ZERO,
            _ => chance.between(SHORTEST, freeze.min(LONGEST)),
        }
    }

    /// The kind, as a word of the table.
    pub fn kind(self) -> &'static str {
        match self {
            Self::KillNode(_) => "kill_node",
            Self::RestartNodes => "rolling_restart",
            Self::NodeClock(..) => "node_clock",
            Self::KillPostgres => "kill_postgres",
            Self::PostgresClock(_) => "postgres_clock",
            Self::KillRedis => "kill_redis",
            Self::StopRedis => "stop_redis",
            Self::KillSubscriptions => "kill_subscriptions",
            Self::LosePublishes(..) => "lose_publishes",
            Self::CutWire(_) => "cut_wire",
            Self::StopClients(_) => "stop_clients",
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}", self.seed)?;
        for (n, round) in self.rounds.iter().enumerate() {
            write!(f, "\n  {}. after {:?}: ", n + 1, round.pause)?;
            for (n, fault) in round.faults.iter().enumerate() {
                write!(f, "{}{fault}", if n > 0 { "; " } else { "" })?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            after,
            into_burst,
            what,
            lasts,
        } = self;
        write!(f, "+{:?} {}", *after + *into_burst, what.kind())?;
        match what {
            What::KillNode(node) | What::CutWire(node) => write!(f, " {node}")?,
            What::NodeClock(node, hours) => write!(f, " {node} {hours:+} h")?,
            What::PostgresClock(hours) => write!(f, " {hours:+} h")?,
            What::LosePublishes(node, many) => return write!(f, " {many} to {node}"),
            What::StopClients(first) => write!(f, " {first}, {}, …", first + 3)?,
            What::RestartNodes | What::KillSubscriptions => return Ok(()),
            What::KillPostgres | What::KillRedis | What::StopRedis => {}
        }
        write!(f, " for {lasts:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Means = Means {
        postgres: true,
        redis: true,
        freeze: Duration::from_secs(30),
    };

    #[test]
    fn a_seed_is_one_plan_and_another_seed_another() {
        assert_eq!(Plan::of(7, ALL), Plan::of(7, ALL));
        assert_ne!(Plan::of(7, ALL).rounds, Plan::of(8, ALL).rounds);
    }

    #[test]
    fn every_fault_comes_once_and_none_meets_another_at_its_place() {
        for seed in 0..200 {
            let plan = Plan::of(seed, ALL);
            let mut kinds: Vec<_> = plan
                .rounds
                .iter()
                .flat_map(|r| &r.faults)
                .map(|f| f.what.kind())
                .collect();
            kinds.sort_unstable();
            kinds.dedup();
            assert_eq!(kinds.len(), 11, "{plan}");
            for round in &plan.rounds {
                for (n, fault) in round.faults.iter().enumerate() {
                    let others = &round.faults[..n];
                    assert!(others.iter().all(|other| other.what.may_meet(fault.what)), "{plan}");
                }
            }
        }
    }

    #[test]
    fn what_belongs_to_others_is_left_alone() {
        let means = Means {
            postgres: false,
            redis: false,
            ..ALL
        };
        let plan = Plan::of(1, means);
        let foreign = |fault: &Fault| matches!(fault.what.place(), Place::Postgres | Place::Redis);
        assert!(
            !plan.rounds.iter().flat_map(|round| &round.faults).any(foreign),
            "{plan}"
        );
    }
}
