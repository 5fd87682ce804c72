//! A text that came in: whose it is, decided from the state at this moment. When unsure it reaches
//! nobody, and is kept for the team to say.

use anyhow::Result;

use super::texts::PlannedLeg;
use super::{Clerk, Desk, Slip, Store, appended, numbers};
use crate::domain::{
    Author, AuthorKind, Candidate, ConsentBody, Contact, ContactId, Entry, Leg, MessageBody, OrgId, PersonId, Phone,
    Received, Refusal, Rule, Sub, Texts, ThreadEvent, ThreadHead, ThreadId, Unroutable, UnroutedBody, Via, Word,
    tagged,
};
use crate::ledger::writer::Answer;
use crate::ledger::{Outcome, copies, texting};

/// So long a thread that was copied to a business phone may be meant by an answer without a tag.
const COPIED_WITHIN_MS: i64 = 24 * 3_600_000;
/// Candidates named in an answer.
const NAMED: usize = 3;

impl<S: Store> Clerk<'_, S> {
    pub(super) async fn receive(&mut self, org: &OrgId, text: &Received) -> Result<Answer> {
        let first = self.find(org, &text.submitter(), text.id.as_str()).await?;
        if let Some(first) = first {
            return Ok(Ok(Outcome::Duplicate(numbers(&first))));
        }
        let settings = self.orgs[org].settings.clone();
        let Some(settings) = settings.filter(|settings| settings.number.as_ref() == Some(&text.to)) else {
            return Ok(Err(Refusal::not_found()));
        };
        let Ok(from) = Phone::parse(&text.from) else {
            return Ok(Ok(self.keep(org, text, Unroutable::NoPhone, Vec::new(), None)));
        };
        if texting::owner(self.store.connection(), &from).await?.is_some() {
            // One of our own numbers: whatever it says came from here.
            return Ok(Ok(Outcome::Unchanged));
        }
        if settings.business_phones.contains(&from) {
            return self.route_from_the_team(org, text, &from).await.map(Ok);
        }
        self.route_from_outside(org, text, &from).await.map(Ok)
    }

    /// From a customer, or from a number that nobody knows.
    async fn route_from_outside(&mut self, org: &OrgId, text: &Received, from: &Phone) -> Result<Outcome> {
        let contacts = self.with_phone(org, from).await?;
        if let Some(texts) = self.consents(org, text, from).await? {
            let threads = contacts.into_iter().map(|contact| contact.thread).collect();
            return self.consent(org, text, from, texts, threads).await;
        }
        let mut known = contacts.iter().filter(|contact| !contact.unknown);
        let (contact, rule) = match (known.next(), known.next()) {
            (Some(_), Some(_)) => {
                let candidates = contacts.iter().map(candidate).collect();
                return Ok(self.keep(org, text, Unroutable::SharedPhone, candidates, None));
            }
            (Some(contact), None) => (contact.clone(), Rule::Contact),
            (None, _) => match contacts.first() {
                Some(contact) => (contact.clone(), Rule::UnknownNumber),
                None => (self.make_unknown(org, from)?, Rule::UnknownNumber),
            },
        };
        let thread = contact.thread.clone();
        if !self.load_thread(org, &thread).await? {
            anyhow::bail!("contact {} has no thread", contact.id);
        }
        let body = message(text, Author::customer(&contact), from, rule, text.text.clone(), None);
        // The network answers a call for help; to a business phone it would say nothing.
        let carry_on = text.word != Some(Word::Help);
        self.speak(org, &thread, body, text.submitter(), carry_on).await
    }

    /// From a business phone: to the thread that its tag names, or to the only one that can be meant.
    async fn route_from_the_team(&mut self, org: &OrgId, text: &Received, from: &Phone) -> Result<Outcome> {
        if let Some(texts) = self.consents(org, text, from).await? {
            return self.consent(org, text, from, texts, Vec::new()).await;
        }
        let candidates = self.candidates(org, from).await?;
        if text.word == Some(Word::Help) {
            return Ok(self.keep(org, text, Unroutable::NoTag, candidates, None));
        }
        let (thread, rule, tag, said) = match tagged(&text.text) {
            Some((tag, rest)) => match self.tagged(org, tag).await? {
                None => return self.refuse(org, text, from, Unroutable::UnknownTag, candidates).await,
                Some(_) if rest.is_empty() && text.media.is_empty() => {
                    return self.refuse(org, text, from, Unroutable::Empty, candidates).await;
                }
                Some(thread) => (thread, Rule::Tag, Some(tag), rest.to_owned()),
            },
            None => match &candidates[..] {
                [only] => (only.thread.clone(), Rule::Single, None, text.text.clone()),
                _ => return self.refuse(org, text, from, Unroutable::NoTag, candidates).await,
            },
        };
        let Some(thread) = self.current(org, &thread).await? else {
            anyhow::bail!("a tag names thread {thread}, which is not there");
        };
        let author = self.business_phone(org, from).await?;
        let body = message(text, author, from, rule, said, tag);
        self.speak(org, &thread, body, text.submitter(), true).await
    }

    /// Who holds a business phone is not known; the number is what the team sees, and the customer the
    /// business's name.
    pub(super) async fn business_phone(&mut self, org: &OrgId, phone: &Phone) -> Result<Author> {
        let sub = Sub::parse(&format!("phone:{}", phone.as_str())).map_err(anyhow::Error::from)?;
        let name = format!("Phone {}", phone.as_str());
        let shown = self.orgs[org].settings.as_ref().map(|settings| settings.name.clone());
        self.author_of(org, &sub, &name, AuthorKind::Staff, shown).await
    }

    /// The threads that were copied to this phone lately.
    async fn candidates(&mut self, org: &OrgId, phone: &Phone) -> Result<Vec<Candidate>> {
        let since = self.now - COPIED_WITHIN_MS;
        let stored = texting::copied_since(self.store.connection(), org, phone, since).await?;
        let mut threads: Vec<_> = stored.into_iter().map(|(thread, _)| thread).collect();
        for (to, thread) in self.orgs[org].entered.copied.keys() {
            if to == phone && !threads.contains(thread) {
                threads.insert(0, thread.clone());
            }
        }
        let mut candidates: Vec<Candidate> = Vec::new();
        for thread in threads {
            let Some(thread) = self.current(org, &thread).await? else {
                continue;
            };
            if candidates.iter().any(|one| one.thread == thread) {
                continue;
            }
            let name = self.orgs[org].threads[&thread].contact.name.clone();
            let tag = Some(self.tag_for(org, &thread).await?);
            candidates.push(Candidate { thread, tag, name });
        }
        Ok(candidates)
    }

    /// Keeps what cannot be routed, and tells its phone how to say it, though not again and again.
    async fn refuse(
        &mut self,
        org: &OrgId,
        text: &Received,
        from: &Phone,
        reason: Unroutable,
        candidates: Vec<Candidate>,
    ) -> Result<Outcome> {
        let recent = self.automatic(org, from).await?;
        let number = text.to.clone();
        let quiet = recent.contains(&Leg::Answer)
            || recent.len() >= super::texts::AUTOMATIC
            || self.is_off(org, &number, from).await?;
        let answer = (!quiet).then(|| helpful(reason, &candidates));
        Ok(self.keep(
            org,
            text,
            reason,
            candidates,
            answer.map(|answer| (from.clone(), answer)),
        ))
    }

    fn keep(
        &mut self,
        org: &OrgId,
        text: &Received,
        reason: Unroutable,
        candidates: Vec<Candidate>,
        answer: Option<(Phone, String)>,
    ) -> Outcome {
        let body = UnroutedBody {
            id: text.id.as_str().to_owned(),
            from: text.from.clone(),
            text: text.text.clone(),
            media: text.media.clone(),
            reason,
            candidates,
            answer: answer.as_ref().map(|(_, answer)| answer.clone()),
        };
        let slip = Slip {
            submitter: Some(text.submitter()),
            id: Some(text.id.as_str()),
            ..Slip::of_org()
        };
        let record = self.enter(org, &Entry::Unrouted(body), slip);
        if let Some((to, answer)) = answer {
            let leg = PlannedLeg {
                leg: Leg::Answer,
                to,
                parts: vec![answer],
                media: Vec::new(),
                awaited: 0,
                held: None,
            };
            self.queue(org, None, &record, leg);
        }
        appended(&record)
    }

    /// What a text says about texts. YES is also an everyday answer: only from a phone that had
    /// stopped does it mean them.
    async fn consents(&mut self, org: &OrgId, text: &Received, from: &Phone) -> Result<Option<Texts>> {
        let is_yes = text.text.trim().eq_ignore_ascii_case("yes");
        Ok(match text.word {
            Some(Word::Stop) => Some(Texts::Off),
            Some(Word::Start) if is_yes && !self.is_off(org, &text.to, from).await? => None,
            Some(Word::Start) => Some(Texts::On),
            Some(Word::Help) | None => None,
        })
    }

    /// Texts to this phone go on or stop, in each of its threads; a phone without one has it of the org.
    pub(super) async fn consent(
        &mut self,
        org: &OrgId,
        text: &Received,
        from: &Phone,
        texts: Texts,
        threads: Vec<ThreadId>,
    ) -> Result<Outcome> {
        let body = ConsentBody {
            texts,
            phone: from.clone(),
            number: text.to.clone(),
            word: text.text.trim().to_owned(),
        };
        self.enter_consent(org, body, threads, Some((text.submitter(), text.id.as_str())))
            .await
    }

    pub(super) async fn enter_consent(
        &mut self,
        org: &OrgId,
        body: ConsentBody,
        threads: Vec<ThreadId>,
        told: Option<(String, &str)>,
    ) -> Result<Outcome> {
        self.open_mut(org)
            .entered
            .consents
            .insert((body.number.clone(), body.phone.clone()), body.texts == Texts::Off);
        let entry = Entry::Consent(body);
        // Only the first has the id: what is sent again finds it there.
        let (submitter, id) = told.unzip();
        if threads.is_empty() {
            let slip = Slip {
                submitter,
                id,
                ..Slip::of_org()
            };
            return Ok(appended(&self.enter(org, &entry, slip)));
        }
        let mut first = None;
        for thread in threads {
            if !self.load_thread(org, &thread).await? {
                anyhow::bail!("thread {thread} of a contact is not there");
            }
            let slip = Slip {
                thread: Some(&thread),
                submitter: submitter.clone(),
                id: id.filter(|_| first.is_none()),
                public: true,
            };
            let record = self.enter(org, &entry, slip);
            first.get_or_insert(appended(&record));
        }
        Ok(first.unwrap_or(Outcome::Unchanged))
    }

    /// Contacts with this phone, or whose number it became, as they are now.
    pub(super) async fn with_phone(&mut self, org: &OrgId, phone: &Phone) -> Result<Vec<Contact>> {
        let mut contacts = texting::contacts(self.store.connection(), org, phone).await?;
        let entered = &self.orgs[org].entered.contacts;
        contacts.retain(|contact| !entered.contains_key(&contact.id));
        contacts.extend(
            entered
                .values()
                .filter(|one| one.phone.as_ref() == Some(phone))
                .cloned(),
        );
        let mut attached = copies::attached(self.store.connection(), org, phone).await?;
        let entered = &self.orgs[org].entered.phones;
        attached.extend(entered.iter().filter(|(one, _)| one == phone).map(|(_, id)| id.clone()));
        for id in attached {
            if contacts.iter().all(|one| one.id != id)
                && let Some(contact) = self.contact(org, &id).await?
            {
                contacts.push(contact);
            }
        }
        contacts.sort_by(|a, b| (a.unknown, &a.id).cmp(&(b.unknown, &b.id)));
        Ok(contacts)
    }

    /// A thread for a number that is nobody's.
    pub(super) fn make_unknown(&mut self, org: &OrgId, phone: &Phone) -> Result<Contact> {
        self.make_contact(org, &format!("sms:{}", phone.as_str()), phone, None)
    }

    /// A contact that the CRM does not know, with its thread.
    pub(super) fn make_contact(&mut self, org: &OrgId, id: &str, phone: &Phone, name: Option<&str>) -> Result<Contact> {
        let contact = Contact {
            id: ContactId::parse(id).map_err(anyhow::Error::from)?,
            thread: ThreadId::random(),
            person: PersonId::random(),
            name: name.unwrap_or(phone.as_str()).to_owned(),
            phone: Some(phone.clone()),
            unknown: true,
        };
        let desk = Desk::of(contact.clone(), ThreadHead::default());
        self.enter_contact(org, contact.clone(), desk, None);
        Ok(contact)
    }

    /// Appends what a contact is now, and who of the team says so.
    pub(super) fn enter_contact(&mut self, org: &OrgId, contact: Contact, desk: Desk, by: Option<Author>) {
        let thread = contact.thread.clone();
        self.open_mut(org).threads.entry(thread.clone()).or_insert(desk);
        let event = ThreadEvent::Contact {
            contact: contact.id.clone(),
            name: contact.name.clone(),
            phone: contact.phone.clone(),
            id: contact.person.clone(),
            unknown: contact.unknown,
            by,
        };
        self.enter(org, &Entry::Thread(event), Slip::internal(&thread, None));
        let open = self.open_mut(org);
        open.threads.get_mut(&thread).expect("put there above").contact = contact.clone();
        open.entered.contacts.insert(contact.id.clone(), contact);
    }
}

fn candidate(contact: &Contact) -> Candidate {
    Candidate {
        thread: contact.thread.clone(),
        tag: None,
        name: contact.name.clone(),
    }
}

fn message(text: &Received, from: Author, phone: &Phone, rule: Rule, said: String, tag: Option<i64>) -> MessageBody {
    MessageBody {
        id: Some(text.id.as_str().to_owned()),
        from,
        via: Via::Sms,
        text: said,
        photos: Vec::new(),
        media: text.media.clone(),
        seen: None,
        phone: Some(phone.clone()),
        rule: Some(rule),
        tag,
        texts: Vec::new(),
        copied_from: None,
    }
}

/// `Not sent. Start with #12 (Ana) or #15 (Bob).`
fn helpful(reason: Unroutable, candidates: &[Candidate]) -> String {
    let named: Vec<_> = candidates
        .iter()
        .filter_map(|one| Some(format!("#{} ({})", one.tag?, one.name)))
        .take(NAMED)
        .collect();
    match (reason, named.split_last()) {
        (Unroutable::Empty, _) => "Not sent. Write your message behind the tag.".into(),
        (_, None) => "Not sent. Nobody wrote lately: please answer in the CRM.".into(),
        (_, Some((last, []))) => format!("Not sent. Start with {last}."),
        (_, Some((last, others))) => format!("Not sent. Start with {} or {last}.", others.join(", ")),
    }
}
