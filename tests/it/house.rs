//! Who may know whom: the code is held to the table in `docs/DESIGN.md`, "The house".

use std::fs;
use std::path::{Path, PathBuf};

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
}

/// Each source file with its room: the first folder or file below `src`.
fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    files(&root, &mut found);
    let room = |path: &Path| {
        let first = path.strip_prefix(&root).unwrap().components().next().unwrap();
        first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
    };
    found
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            // Comments may speak of anything.
            let code = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .collect::<Vec<_>>()
                .join("\n");
            (room(&path), path, code)
        })
        .collect()
}

const MAY_KNOW: [(&str, &[&str]); 12] = [
    ("domain", &[]),
    ("protocol", &["domain"]),
    ("auth", &["domain"]),
    ("ledger", &["domain"]),
    ("sms", &["domain"]),
    ("photos", &["domain"]),
    ("bus", &["domain", "ledger", "protocol"]),
    ("gallery", &["domain", "ledger", "photos"]),
    ("courier", &["domain", "gallery", "ledger", "photos", "sms"]),
    ("hub", &["auth", "bus", "domain", "ledger", "protocol"]),
    ("ws", &["auth", "domain", "hub", "ledger", "protocol"]),
    (
        "http",
        &[
            "auth", "domain", "gallery", "hub", "ledger", "photos", "protocol", "sms",
        ],
    ),
];

#[test]
fn a_room_knows_only_the_rooms_below_it() {
    let rooms = MAY_KNOW.map(|(room, _)| room);
    let mut checked = 0;
    for (room, path, code) in sources() {
        let Some((_, may)) = MAY_KNOW.iter().find(|(name, _)| *name == room) else {
            continue;
        };
        for other in rooms.iter().chain(&["app", "config", "demo"]) {
            let named = code.contains(&format!("crate::{other}::")) || code.contains(&format!("crate::{other}}}"));
            assert!(
                !named || *other == room || may.contains(other),
                "{} knows {other}",
                path.display()
            );
        }
        checked += 1;
    }
    assert!(checked > 40, "only {checked} files looked at");
}

#[test]
fn a_library_is_named_only_in_its_own_room() {
    for (library, room) in [
        ("sqlx::", "ledger"),
        ("redis::", "bus"),
        ("object_store::", "photos"),
        ("axum::serve", "nowhere"),
    ] {
        for (other, path, code) in sources() {
            assert!(
                other == room || !code.contains(library),
                "{} names {library}",
                path.display()
            );
        }
    }
}

#[test]
fn the_domain_waits_for_nothing() {
    for (room, path, code) in sources() {
        let waits = [".await", "async ", "tokio", "std::fs", "std::net"]
            .iter()
            .any(|word| code.contains(word));
        assert!(room != "domain" || !waits, "{}", path.display());
    }
}

/// By such a clock the log would tell when something is said to have happened, not when it was committed.
#[test]
fn only_the_demo_writes_by_a_clock_that_is_set() {
    let set = |code: &str| code.contains("Clock::Set(") || code.contains("open_by(");
    let found = sources().into_iter().filter(|(_, _, code)| set(code));
    let mut rooms: Vec<_> = found.map(|(room, _, _)| room).collect();
    rooms.sort();
    rooms.dedup();
    assert_eq!(rooms, ["demo", "ledger"]);
}

/// The simulator lets anybody write in anybody's name.
#[test]
fn only_the_demo_and_its_own_command_make_a_simulator() {
    let makes = |code: &str| code.contains("Simulator::new") || code.contains("SimulatorSettings {");
    let found = sources().into_iter().filter(|(_, _, code)| makes(code));
    let mut rooms: Vec<_> = found.map(|(room, _, _)| room).collect();
    rooms.dedup();
    rooms.sort();
    assert!(rooms.contains(&"simulator".to_owned()));
    assert!(
        rooms
            .iter()
            .all(|room| ["demo", "simulator", "sms"].contains(&room.as_str())),
        "{rooms:?}"
    );
}

/// What `/metrics` counts is said there, and what to do about it in `docs/OPERATIONS.md`.
#[test]
fn every_metric_is_described() {
    let described = include_str!("../../src/app/recorder.rs");
    let operations = include_str!("../../docs/OPERATIONS.md");
    let mut found = std::collections::BTreeSet::new();
    for (_, _, code) in sources() {
        for of_kind in ["counter!(", "gauge!(", "histogram!("] {
            let named = code.split(of_kind).skip(1).filter_map(|rest| {
                let name = rest.trim_start().strip_prefix('"')?;
                name.split('"').next().map(str::to_owned)
            });
            found.extend(named);
        }
    }
    assert!(found.len() > 25, "{found:?}");
    for metric in found {
        assert!(
            described.contains(&format!("\"{metric}\"")),
            "{metric} is not described"
        );
        assert!(
            operations.contains(&format!("| `{metric}` |")),
            "{metric} is not in OPERATIONS"
        );
    }
}
