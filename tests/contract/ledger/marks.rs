//! How far each side has got, and the badges that follow from it.

use crewline::domain::{Code, Draft, Mark};
use crewline::ledger::Outcome;

use crate::book::{Book, draft, numbers};

pub async fn badges_follow_reading_and_answering(book: Book) {
    assert_eq!(book.badges().await, (0, 0, 0));
    book.run(book.say("ana", "ana", "a1", "1")).await.unwrap(); // seq 1
    book.run(book.say("ana", "ana", "a2", "2")).await.unwrap(); // seq 2
    assert_eq!(book.badges().await, (1, 1, 0));
    book.run(book.mark("Sam", "ana", Mark::Read, 2)).await.unwrap(); // seq 3
    assert_eq!(book.badges().await, (0, 1, 0), "reading clears new, not waiting");
    let seen_first = Draft {
        seen: Some(1),
        ..draft("s1", "about 1")
    };
    assert_eq!(book.run(book.draft("Sam", "ana", seen_first)).await, Err(Code::Stale));
    book.run(book.handle("Sam", "ana", 1)).await.unwrap();
    assert_eq!(book.badges().await, (0, 1, 0), "the second is still unanswered");
    book.run(book.say("Sam", "ana", "s2", "both")).await.unwrap(); // seq 4
    assert_eq!(book.badges().await, (0, 0, 1));
    book.run(book.mark("ana", "ana", Mark::Delivered, 4)).await.unwrap(); // seq 5
    assert_eq!(book.badges().await, (0, 0, 1), "delivered is not read");
    book.run(book.mark("ana", "ana", Mark::Read, 5)).await.unwrap();
    assert_eq!(book.badges().await, (0, 0, 0));
    book.is_clean().await;
}

pub async fn marks_go_forward_only_and_land_on_the_other_sides_last_message(book: Book) {
    for n in 1..=3 {
        book.run(book.say("ana", "ana", &format!("a{n}"), "x")).await.unwrap(); // 1, 2, 3
    }
    book.run(book.say("Sam", "ana", "s1", "x")).await.unwrap(); // 4
    book.run(book.say("ana", "ana", "a4", "x")).await.unwrap(); // 5
    let up_to = async |command| {
        let outcome = book.run(command).await;
        if outcome == Ok(Outcome::Unchanged) {
            return None;
        }
        let records = book
            .ledger
            .records(&book.org, numbers(outcome).rev - 1, 1)
            .await
            .unwrap();
        let body: serde_json::Value = serde_json::from_str(&records[0].body_team).unwrap();
        Some((body["up_to"].as_i64().unwrap(), records[0].seq.is_some()))
    };
    assert_eq!(
        up_to(book.mark("ana", "ana", Mark::Read, 3)).await,
        None,
        "nothing of the team's yet"
    );
    assert_eq!(up_to(book.mark("ana", "ana", Mark::Read, 5)).await, Some((4, true)));
    assert_eq!(up_to(book.mark("ana", "ana", Mark::Read, 5)).await, None);
    assert_eq!(up_to(book.mark("Sam", "ana", Mark::Read, 4)).await, Some((3, true)));
    assert_eq!(
        up_to(book.mark("Kim", "ana", Mark::Read, 2)).await,
        Some((2, false)),
        "does not move the team's mark"
    );
    assert_eq!(up_to(book.mark("Kim", "ana", Mark::Read, 1)).await, None, "backwards");
    assert_eq!(up_to(book.mark("Kim", "ana", Mark::Read, 5)).await, Some((5, true)));
    assert_eq!(
        up_to(book.mark("Kim", "ana", Mark::Delivered, 4)).await,
        Some((3, true)),
        "delivered has its own mark"
    );
    let state = book
        .ledger
        .thread(&book.org, &book.threads["ana"])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (
            state.head.team.read,
            state.head.team.delivered,
            state.head.customer.read
        ),
        (5, 3, 4)
    );
    let readers: Vec<_> = state
        .readers
        .iter()
        .map(|reader| (reader.sub.as_str(), reader.up_to))
        .collect();
    assert_eq!(readers, [("kim", 5), ("sam", 3)]);
    book.is_clean().await;
}
