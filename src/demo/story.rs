//! What happened at Bright Plumbing. Everybody in it is invented; the numbers are of the range kept free
//! for fiction.

/// The staff: sub and name.
pub const STAFF: [(&str, &str); 2] = [("sam", "Sam Ortiz"), ("kim", "Kim Park")];

/// Customers with a portal: contact, name, phone.
pub const CUSTOMERS: [(&str, &str, &str); 4] = [
    ("ana", "Ana Souza", "+14155550112"),
    ("bob", "Bob Miller", "+14155550115"),
    ("chen", "Chen Wei", "+14155550118"),
    ("dee", "Dee Novak", LANDLINE),
];

/// Contacts of the CRM without one. They share a phone, so that nobody knows which of them texts.
pub const HOUSEHOLD: [(&str, &str, &str); 2] = [
    ("nora", "Nora Quinn", "+14155550127"),
    ("pat", "Pat Quinn", "+14155550127"),
];

/// A phone that gets no texts.
pub const LANDLINE: &str = "+14155550121";
/// A phone that is no contact's.
pub const STRANGER: &str = "+14155550199";

/// What they text today, as phones: nobody knows the one, and the other is two people's.
pub const TEXTS: [(&str, &str); 2] = [
    (
        STRANGER,
        "Hi, do you fix sump pumps? There are two inches of water in our basement.",
    ),
    (HOUSEHOLD[0].2, "Is somebody coming this afternoon?"),
];

pub enum Event {
    /// A message, of a customer or of staff.
    Says(&'static str, &'static str),
    /// The same with the two photos.
    Shows(&'static str, &'static str),
    Note(&'static str, &'static str),
    /// Of the CRM: text and link.
    Marker(&'static str, &'static str),
    /// Of the CRM, for the team alone.
    InternalMarker(&'static str, &'static str),
    /// Somebody reads everything until now.
    Reads(&'static str),
    Handles(&'static str),
}

use Event::{Handles, InternalMarker, Marker, Note, Reads, Says, Shows};

/// So many days ago, so many minutes after nine in the morning in California; in whose thread; what.
pub const PAST: [(i64, i64, &str, Event); 42] = [
    (
        371,
        2,
        "ana",
        Says(
            "ana",
            "Hello! Our boiler makes a knocking noise when it heats up. Is that dangerous?",
        ),
    ),
    (371, 9, "ana", Reads("kim")),
    (
        371,
        11,
        "ana",
        Says(
            "kim",
            "Hi Ana, it is not. It is usually limescale, and we can flush it. Thursday at 10?",
        ),
    ),
    (
        371,
        15,
        "ana",
        Says(
            "ana",
            "Thursday at 10 is good. The key is with the neighbour at number 9.",
        ),
    ),
    (371, 16, "ana", Reads("kim")),
    (371, 17, "ana", Says("kim", "Noted. See you on Thursday.")),
    (371, 40, "ana", Reads("ana")),
    (
        369,
        130,
        "ana",
        Note(
            "sam",
            "Flushed the boiler and changed the relief valve. The copper under the kitchen sink is old: watch the joints.",
        ),
    ),
    (
        368,
        45,
        "ana",
        Marker("Invoice #1302 sent", "https://example.com/invoices/1302"),
    ),
    (368, 120, "ana", Says("ana", "Quiet as a mouse now. Thank you, Sam!")),
    (368, 125, "ana", Reads("sam")),
    (368, 126, "ana", Handles("sam")),
    (
        12,
        30,
        "bob",
        Marker(
            "Quote #2031 sent: 50 gallon water heater",
            "https://example.com/quotes/2031",
        ),
    ),
    (12, 50, "bob", Says("bob", "Got the quote. When could you put it in?")),
    (12, 55, "bob", Reads("kim")),
    (
        12,
        57,
        "bob",
        Says(
            "kim",
            "As soon as it is here, Bob. About a week. I will write to you that day.",
        ),
    ),
    (12, 90, "bob", Reads("bob")),
    (
        8,
        20,
        "ana",
        Says(
            "ana",
            "Hi, the tap under the kitchen sink drips. Can somebody have a look?",
        ),
    ),
    (8, 24, "ana", Reads("sam")),
    (8, 25, "ana", Says("sam", "Sure, Ana. Tomorrow between 9 and 11?")),
    (8, 30, "ana", Reads("ana")),
    (8, 31, "ana", Says("ana", "Perfect, thank you.")),
    (8, 32, "ana", Reads("sam")),
    (8, 33, "ana", Handles("sam")),
    (
        7,
        95,
        "ana",
        InternalMarker(
            "Job #877 closed: shut-off valve, 45 min",
            "https://example.com/jobs/877",
        ),
    ),
    (
        7,
        96,
        "ana",
        Note(
            "sam",
            "New washer in the shut-off valve. It is from the 80s and will not last.",
        ),
    ),
    (
        4,
        15,
        "bob",
        Says(
            "kim",
            "Good morning Bob, your new water heater has arrived. When does it suit you?",
        ),
    ),
    (4, 80, "bob", Says("bob", "Friday afternoon would be great.")),
    (4, 85, "bob", Reads("kim")),
    (
        4,
        86,
        "bob",
        Says("kim", "Friday at 2 it is. It takes about three hours."),
    ),
    (3, 10, "bob", Says("bob", "Will the water be off the whole time?")),
    (3, 14, "bob", Reads("sam")),
    (
        3,
        15,
        "bob",
        Says(
            "sam",
            "An hour at most, and I tell you before. The old one comes with us.",
        ),
    ),
    (3, 20, "bob", Says("bob", "Great, see you on Friday.")),
    (3, 21, "bob", Reads("sam")),
    (3, 22, "bob", Handles("sam")),
    (3, 60, "bob", Reads("bob")),
    (
        2,
        200,
        "dee",
        Says(
            "dee",
            "I am Dee from 12 Birch Lane. Can you move my appointment to next week?",
        ),
    ),
    (2, 240, "dee", Reads("kim")),
    (
        2,
        241,
        "dee",
        Note("kim", "Ask Lee whether Tuesday still has a morning free."),
    ),
    (
        1,
        310,
        "bob",
        Marker("Invoice #2041 sent", "https://example.com/invoices/2041"),
    ),
    (1, 330, "bob", Reads("bob")),
];

pub const TODAY: [(&str, Event); 6] = [
    (
        "ana",
        Shows(
            "ana",
            "The leak is back, and there is water in the cabinet. This is the joint, I think.",
        ),
    ),
    ("ana", Reads("kim")),
    (
        "ana",
        Note(
            "kim",
            "Second time this month. Sam, take the new shut-off valve along; it is on the shelf behind the door.",
        ),
    ),
    ("bob", Says("sam", "All well with the new heater, Bob?")),
    (
        "dee",
        Says(
            "kim",
            "Good news, Dee: Tuesday at 9 is free. Shall I put you down for it?",
        ),
    ),
    ("chen", Says("chen", "Do you also do bathroom renovations?")),
];

/// The call that the AI receptionist took: how many seconds it lasted so far, whether the caller speaks.
pub const CALL: [(i64, bool, &str); 9] = [
    (
        0,
        false,
        "Bright Plumbing, this is the AI receptionist. How can I help?",
    ),
    (
        6,
        true,
        "Hi, this is Dana Reyes. My water heater is leaking. It is all over the garage floor.",
    ),
    (
        15,
        false,
        "I am sorry to hear that, Dana. Have you shut off the water to it?",
    ),
    (22, true, "The valve on top, yes. It still drips from the bottom."),
    (27, false, "Good. What is the address, and how old is the heater?"),
    (
        34,
        true,
        "48 Alder Street. It was put in 2019, I think. Is it under warranty?",
    ),
    (
        43,
        false,
        "I cannot tell, but somebody from the team will. They call you back within two hours.",
    ),
    (50, true, "Please make it sooner if you can."),
    (54, false, "I pass that on. Thank you, Dana."),
];

pub const CALLER: (&str, &str) = ("Dana Reyes", "+14155550143");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_is_told_in_order() {
        let whens = PAST.iter().map(|(days, minute, ..)| (-days, *minute));
        assert!(whens.clone().is_sorted_by(|a, b| a < b));
        assert!(whens.clone().all(|(days, _)| days < 0), "today is told apart");
    }
}
