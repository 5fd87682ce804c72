//! Whose turn it is to upload: of many people at once, but of each only a few, so that nobody keeps the others
//! from it by being slow.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::domain::{Code, OrgId, Refusal};

/// Uploads under way at once.
const AT_ONCE: usize = 64;
/// The same of one person: all photos of a message, on two devices.
const OF_ONE: usize = 10;

/// A submitter within an org.
type Person = (OrgId, String);

#[derive(Default)]
pub struct Turns {
    held: Mutex<HashMap<Person, usize>>,
}

/// Given back when it is dropped.
pub struct Turn<'a> {
    turns: &'a Turns,
    person: Person,
}

impl Turns {
    /// Refuses with `too_many_uploads` who has too many of them, with `busy` if all are taken.
    pub fn take(&self, org: &OrgId, submitter: &str) -> Result<Turn<'_>, Refusal> {
        let person = (org.clone(), submitter.to_owned());
        let mut held = self.held.lock();
        let (all, own) = (held.values().sum::<usize>(), held.get(&person).copied().unwrap_or(0));
        if own >= OF_ONE {
            let why = format!("at most {OF_ONE} photos are uploaded at once; try again when one of yours is there");
            return Err(Refusal::new(Code::TooManyUploads, why));
        }
        if all >= AT_ONCE {
            return Err(Refusal::new(
                Code::Busy,
                "too many photos are being uploaded; try again",
            ));
        }
        held.insert(person.clone(), own + 1);
        Ok(Turn { turns: self, person })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut held = self.turns.held.lock();
        if let Some(own) = held.get_mut(&self.person) {
            *own -= 1;
            if *own == 0 {
                held.remove(&self.person);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_gets_a_few_and_all_together_no_more_than_there_are() {
        let (turns, org) = (Turns::default(), OrgId::parse("acme").unwrap());
        let refused = |who: &str| turns.take(&org, who).err().map(|refusal| refusal.code);
        let mut anas: Vec<_> = (0..OF_ONE).map(|_| turns.take(&org, "ana").unwrap()).collect();
        assert_eq!(refused("ana"), Some(Code::TooManyUploads));
        assert_eq!(refused("bob"), None);
        let elsewhere = OrgId::parse("rival").unwrap();
        assert!(turns.take(&elsewhere, "ana").is_ok(), "another of the same name");
        let others: Vec<_> = (OF_ONE..AT_ONCE)
            .map(|n| turns.take(&org, &format!("c{n}")).unwrap())
            .collect();
        assert_eq!(refused("bob"), Some(Code::Busy));
        anas.pop();
        assert_eq!((refused("bob"), refused("ana")), (None, None));
        drop((anas, others));
        assert!(turns.held.lock().is_empty());
    }
}
