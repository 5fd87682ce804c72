//! A ledger for a test, and short ways to say what happens in it.

use std::collections::HashMap;
use std::sync::Arc;

use crewline::domain::{
    Code, ContactDraft, ContactId, Draft, Mark, MessageId, OrgId, OrgSettings, Person, ShowStaff, Sub, ThreadId, Via,
    View,
};
use crewline::ledger::{Badge, Command, Ledger, Numbers, Outbox, Outcome, Photos, Sqlite, verify};
use tempfile::TempDir;

use super::cluster::cluster;

/// A ledger with one org and, in it, a contact for each name.
pub struct Book {
    pub ledger: Arc<dyn Ledger>,
    pub outbox: Arc<dyn Outbox>,
    pub photos: Arc<dyn Photos>,
    pub org: OrgId,
    pub threads: HashMap<&'static str, ThreadId>,
    pub dir: TempDir,
}

/// An engine, as each of the things that it is.
pub struct Engine {
    pub ledger: Arc<dyn Ledger>,
    pub outbox: Arc<dyn Outbox>,
    pub photos: Arc<dyn Photos>,
    pub dir: TempDir,
}

pub async fn sqlite() -> Engine {
    let dir = tempfile::tempdir().unwrap();
    let engine = Arc::new(Sqlite::open(&dir.path().join("crewline.db")).await.unwrap());
    Engine {
        dir,
        ..Engine::of(engine)
    }
}

pub async fn postgres() -> Engine {
    let cluster = cluster();
    Engine::of(cluster.open(&cluster.migrated().await).await)
}

impl Engine {
    pub fn of<E: Ledger + Outbox + Photos>(engine: Arc<E>) -> Self {
        Self {
            ledger: engine.clone(),
            outbox: engine.clone(),
            photos: engine,
            dir: tempfile::tempdir().unwrap(),
        }
    }
}

pub fn settings(name: &str) -> OrgSettings {
    OrgSettings {
        name: name.into(),
        number: None,
        business_phones: Vec::new(),
        copy_answers: false,
        time_zone: None,
        show_staff: ShowStaff::First,
        origins: vec!["https://crm.example".into()],
        color: None,
    }
}

impl Book {
    pub async fn open(engine: Engine) -> Self {
        let Engine {
            ledger,
            outbox,
            photos,
            dir,
        } = engine;
        let org = OrgId::parse("acme").unwrap();
        let mut book = Book {
            ledger,
            outbox,
            photos,
            org,
            threads: HashMap::new(),
            dir,
        };
        // The hub takes the commits; here nobody waits for them unless the test does.
        book.run(Command::PutOrg {
            org: book.org.clone(),
            settings: settings("Acme"),
        })
        .await
        .unwrap();
        for name in ["ana", "bob"] {
            let thread = book.contact(name).await;
            book.threads.insert(name, thread);
        }
        book
    }

    pub async fn run(&self, command: Command) -> Result<Outcome, Code> {
        self.ledger.submit(command).await.map_err(|refusal| refusal.code)
    }

    pub async fn contact(&self, name: &str) -> ThreadId {
        let command = Command::PutContact {
            org: self.org.clone(),
            contact: ContactId::parse(name).unwrap(),
            draft: ContactDraft {
                name: name.to_uppercase(),
                phone: None,
            },
        };
        match self.run(command).await.unwrap() {
            Outcome::Contact { thread, .. } => thread,
            other => panic!("{other:?}"),
        }
    }

    pub fn say(&self, who: &str, thread: &'static str, id: &str, text: &str) -> Command {
        self.draft(who, thread, draft(id, text))
    }

    pub fn draft(&self, who: &str, thread: &'static str, draft: Draft) -> Command {
        let by = person(who);
        let via = if matches!(by, Person::Customer { .. }) {
            Via::Portal
        } else {
            Via::Crm
        };
        Command::Say {
            org: self.org.clone(),
            thread: self.threads[thread].clone(),
            by,
            via,
            draft,
        }
    }

    pub fn mark(&self, who: &str, thread: &'static str, mark: Mark, up_to: i64) -> Command {
        Command::Mark {
            org: self.org.clone(),
            thread: self.threads[thread].clone(),
            by: person(who),
            mark,
            up_to,
        }
    }

    pub fn handle(&self, who: &str, thread: &'static str, seen: i64) -> Command {
        Command::Handle {
            org: self.org.clone(),
            thread: self.threads[thread].clone(),
            by: person(who),
            seen,
        }
    }

    pub fn team(&self) -> View {
        View::Team { org: self.org.clone() }
    }

    pub fn customer(&self, name: &'static str) -> View {
        View::Customer {
            org: self.org.clone(),
            thread: self.threads[name].clone(),
        }
    }

    pub async fn is_clean(&self) {
        let report = verify::verify(&*self.ledger, &mut |_, _| {}).await.unwrap();
        assert_eq!(report.differences, Vec::<String>::new());
    }

    /// (new, waiting, ana's badge)
    pub async fn badges(&self) -> (i64, i64, i64) {
        let team = self.ledger.head(&self.team()).await.unwrap().unwrap().badge;
        let ana = self.ledger.head(&self.customer("ana")).await.unwrap().unwrap().badge;
        match (team, ana) {
            (Badge::Team(team), Badge::Customer(ana)) => (team.new, team.waiting, ana.unread),
            other => panic!("{other:?}"),
        }
    }
}

/// Lower case is a contact, a capital a staff member.
pub fn person(who: &str) -> Person {
    if who.starts_with(char::is_uppercase) {
        Person::Staff {
            sub: Sub::parse(&who.to_lowercase()).unwrap(),
            name: format!("{who} Ortiz"),
        }
    } else {
        Person::Customer {
            contact: ContactId::parse(who).unwrap(),
        }
    }
}

pub fn draft(id: &str, text: &str) -> Draft {
    Draft::new(MessageId::parse(id).unwrap(), text.into(), &[], false, None).unwrap()
}

pub fn numbers(outcome: Result<Outcome, Code>) -> Numbers {
    match outcome {
        Ok(Outcome::Appended(numbers) | Outcome::Duplicate(numbers)) => numbers,
        other => panic!("{other:?}"),
    }
}
