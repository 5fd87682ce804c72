//! What customers see of each kind, and the chain as the design describes it.

use sha2::{Digest, Sha256};

use super::*;
use crate::domain::{Brief, Fetched, KeptFile, Leg, SmsState, Speaker, Turn};

#[test]
fn the_chain_is_the_one_that_the_design_describes() {
    let mut record = Record {
        org: OrgId::parse("acme").unwrap(),
        rev: 2,
        thread: None,
        seq: None,
        kind: Kind::Org,
        submitter: None,
        id: Some("x".into()),
        body_team: "{}".into(),
        body_public: None,
        counts: Counts { customer: 3, team: 4 },
        at: 5,
        hash: Chain::START,
    };
    let int = |n: u8| [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, n];
    let mut bytes = vec![0u8; 32];
    bytes.extend(*b"\0\0\0\x04acme");
    bytes.extend(int(2));
    bytes.extend([0xff; 8]);
    bytes.extend(*b"\0\0\0\x03org");
    bytes.extend([0xff; 4]);
    bytes.extend(*b"\0\0\0\x01x\0\0\0\x02{}");
    bytes.extend([0xff; 4]);
    bytes.extend(int(3));
    bytes.extend(int(4));
    bytes.extend(int(5));
    let expected: [u8; 32] = Sha256::digest(&bytes).into();
    assert_eq!(Chain::START.next(&record).0, expected);
    record.seq = Some(0);
    assert_ne!(Chain::START.next(&record).0, expected, "null is not zero");
}

/// One of each kind, with a canary in every field that is the team's alone. A new kind does not
/// compile until it stands here, and below with the fields that customers get.
fn sample(kind: Kind) -> Entry {
    let phone = || Phone::parse("+14155557777").unwrap();
    let from = || Author {
        kind: crate::domain::AuthorKind::Staff,
        name: "canary".into(),
        id: PersonId::parse("p_1").unwrap(),
        shown: Some("Sam".into()),
        sub: Some(Sub::parse("canary").unwrap()),
        contact: Some(ContactId::parse("canary").unwrap()),
    };
    let photo = || Photo {
        id: PhotoId::parse(&"0".repeat(32)).unwrap(),
        width: 3,
        height: 2,
        sha256: "canary".into(),
    };
    let copied_from = || CopiedFrom {
        thread: ThreadId::parse("canary").unwrap(),
        rev: 7_777,
        at: 5,
        answered: true,
    };
    match kind {
        Kind::Message => Entry::Message(MessageBody {
            id: Some("m1".into()),
            from: from(),
            via: Via::Crm,
            text: "hello".into(),
            photos: vec![photo()],
            media: vec![Medium {
                source: "canary".into(),
                message: Some("canary".into()),
                content_type: "canary".into(),
            }],
            seen: Some(7_777),
            phone: Some(phone()),
            rule: Some(Rule::Tag),
            tag: Some(7_777),
            texts: vec![Text::of(Leg::Copy, phone(), &["canary".into()])],
            copied_from: Some(copied_from()),
        }),
        Kind::Note => Entry::Note(NoteBody {
            id: Some("canary".into()),
            from: from(),
            text: "canary".into(),
            photos: vec![photo()],
            copied_from: Some(copied_from()),
        }),
        Kind::Handoff => Entry::Handoff(HandoffBody {
            id: Some("h1".into()),
            tag: crate::domain::HANDOFF_TAG.into(),
            index: 0,
            parts: 1,
            of: Some(3),
            transcript: vec![Turn {
                at: 5,
                speaker: Speaker::Caller,
                text: "it leaks".into(),
            }],
            brief: Some(Brief {
                by: from(),
                phone: Some(phone()),
                reason: "canary".into(),
                summary: "canary".into(),
                open_question: Some("canary".into()),
                call_back_at: Some(7_777),
                handler: Handler::Ai,
                digest: "canary".into(),
                copy_tag: Some(7_777),
                texts: vec![Text::of(Leg::Copy, phone(), &["canary".into()])],
            }),
            copied_from: Some(copied_from()),
        }),
        Kind::Marker => Entry::Marker(MarkerBody {
            id: Some("i2041".into()),
            text: "Invoice #2041 sent".into(),
            link: Some("https://crm.example/2041".into()),
            public: true,
            by: from(),
            copied_from: Some(copied_from()),
        }),
        Kind::Receipt => Entry::Receipt(ReceiptBody {
            side: Side::Team,
            mark: crate::domain::Mark::Read,
            up_to: 1,
            by: from(),
        }),
        Kind::Delivery => Entry::Delivery(DeliveryBody {
            of: Some(1),
            leg: Leg::Customer,
            state: SmsState::Failed,
            sentence: Some("it failed".into()),
            reason: Some("canary".into()),
            to: phone(),
            status: Some("canary".into()),
            code: Some(77_777),
            sid: Some("canary".into()),
            attempt: Some("canary".into()),
            nth: Some(1),
            part: 1,
            parts: 1,
            by: Some(from()),
        }),
        Kind::Media => Entry::Media(MediaBody {
            of: 1,
            index: 0,
            fetched: Fetched::Photo(photo()),
            source: "canary".into(),
            content_type: "canary".into(),
        }),
        Kind::Consent => Entry::Consent(ConsentBody {
            texts: crate::domain::Texts::Off,
            phone: phone(),
            number: phone(),
            word: "canary".into(),
        }),
        Kind::Unrouted => Entry::Unrouted(UnroutedBody {
            id: "canary".into(),
            from: "canary".into(),
            text: "canary".into(),
            media: Vec::new(),
            reason: crate::domain::Unroutable::NoTag,
            candidates: Vec::new(),
            answer: Some("canary".into()),
        }),
        Kind::Thread => Entry::Thread(ThreadEvent::Handled {
            seen: 7_777,
            by: from(),
        }),
        Kind::Revoked => Entry::Revoked(RevokedBody {
            sub: Sub::parse("canary").unwrap(),
            before: 7_777,
        }),
        Kind::Org => Entry::Org(OrgSettings {
            name: "canary".into(),
            number: None,
            business_phones: vec![phone()],
            copy_answers: false,
            time_zone: None,
            show_staff: crate::domain::ShowStaff::Name,
            origins: Vec::new(),
            color: Some("#1f6a73".into()),
        }),
    }
}

#[test]
fn a_customer_sees_of_each_kind_what_the_design_says_and_nothing_else() {
    for kind in Kind::ALL {
        let fields: &[&str] = match kind {
            Kind::Message => &["id", "from", "via", "text", "photos", "media_expected", "said_at"],
            Kind::Handoff => &["id", "tag", "index", "parts", "of", "transcript", "said_at"],
            Kind::Marker => &["id", "text", "link", "said_at"],
            Kind::Receipt => &["side", "mark", "up_to"],
            Kind::Delivery => &["of", "state", "sentence", "phone_ending"],
            Kind::Media => &["of", "index", "photo"],
            Kind::Consent => &["texts"],
            Kind::Note | Kind::Unrouted | Kind::Thread | Kind::Revoked | Kind::Org => &[],
        };
        let entry = sample(kind);
        assert_eq!(entry.kind(), kind);
        let team = entry.body_team();
        assert_eq!(Entry::parse(kind, &team).unwrap(), entry, "what is stored reads back");
        let Some(public) = entry.body_public() else {
            assert!(fields.is_empty(), "{kind:?} is shown to customers");
            continue;
        };
        let shown: serde_json::Map<_, _> = serde_json::from_str(&public).unwrap();
        let mut names: Vec<_> = shown.keys().map(String::as_str).collect();
        names.sort_unstable();
        let mut expected = fields.to_vec();
        expected.sort_unstable();
        assert_eq!(names, expected, "{kind:?}");
        assert!(!public.contains("canary") && !public.contains("777"), "{public}");
    }
}

#[test]
fn a_marker_is_the_customers_only_if_the_crm_says_so() {
    let Entry::Marker(body) = sample(Kind::Marker) else {
        panic!()
    };
    assert_eq!(Entry::Marker(MarkerBody { public: false, ..body }).body_public(), None);
}

#[test]
fn a_customer_hears_nothing_of_texts_to_business_phones() {
    for leg in [Leg::Copy, Leg::Answer] {
        let Entry::Delivery(body) = sample(Kind::Delivery) else {
            panic!()
        };
        assert_eq!(Entry::Delivery(DeliveryBody { leg, ..body }).body_public(), None);
    }
}

#[test]
fn a_customer_hears_of_a_part_of_an_mms_what_it_is_and_not_where_it_came_from() {
    let Entry::Media(body) = sample(Kind::Media) else {
        panic!()
    };
    let file = Fetched::File(KeptFile {
        id: PhotoId::parse(&"0".repeat(32)).unwrap(),
        bytes: 5,
        sha256: "canary".into(),
    });
    let failed = Fetched::Failed {
        sentence: "gone".into(),
        reason: "canary".into(),
    };
    let mut shown = Vec::new();
    for fetched in [body.fetched.clone(), file, failed] {
        let entry = Entry::Media(MediaBody {
            fetched,
            ..body.clone()
        });
        assert_eq!(Entry::parse(Kind::Media, &entry.body_team()).unwrap(), entry);
        shown.push(entry.body_public().unwrap());
    }
    let id = "0".repeat(32);
    assert_eq!(
        shown,
        [
            format!(r#"{{"of":1,"index":0,"photo":{{"id":"{id}","width":3,"height":2}}}}"#),
            format!(r#"{{"of":1,"index":0,"file":{{"id":"{id}","bytes":5}}}}"#),
            r#"{"of":1,"index":0,"failed":{"sentence":"gone"}}"#.to_owned(),
        ]
    );
}
