//! Somebody who has never seen the pages: knows controls by what they are and are called, as a screen
//! reader tells it, and by what is to be read, and nothing else of how a page is made.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::PATIENCE;
use super::chromium::{Page, stands_still};

pub struct Newcomer(pub Page);

/// A node of the accessibility tree: what it is, how it is called, and what it is in.
#[derive(Debug, Clone)]
struct Thing {
    id: String,
    parent: Option<String>,
    role: String,
    name: String,
    element: Value,
    is_disabled: bool,
}

impl Newcomer {
    /// Clicks on what is called so, once it can be: a part of its name, in any case, will do.
    pub async fn click(&self, role: &str, name: &str) {
        let thing = self.find(None, role, name).await;
        self.click_on(&thing).await;
    }

    /// The same for one inside of something: the phone that is called so.
    pub async fn click_in(&self, place: &str, role: &str, name: &str) {
        let thing = self.find(Some(place), role, name).await;
        self.click_on(&thing).await;
    }

    pub async fn write(&self, role: &str, name: &str, text: &str) {
        self.click(role, name).await;
        self.0.type_text(text).await;
    }

    pub async fn write_in(&self, place: &str, role: &str, name: &str, text: &str) {
        self.click_in(place, role, name).await;
        self.0.type_text(text).await;
    }

    pub async fn press(&self, key: &str) {
        self.0.press(key).await;
    }

    /// Chooses a file where the page asks for one.
    pub async fn chooses(&self, file: &Path) {
        let deadline = Instant::now() + PATIENCE;
        let asked = loop {
            if let Some(asked) = self.0.asked_for_files() {
                break asked;
            }
            assert!(Instant::now() < deadline, "no page asked for a file");
            tokio::time::sleep(Duration::from_millis(25)).await;
        };
        let chosen = json!({"files": [file], "backendNodeId": asked});
        self.0.call("DOM.setFileInputFiles", chosen).await;
    }

    /// Waits until this can be read within the window, not somewhere above or below it.
    pub async fn reads(&self, text: &str) {
        let (start, wanted) = (Instant::now(), plain(text));
        loop {
            let shown = self.0.eval(SHOWN).await;
            if plain(shown.as_str().unwrap_or_default()).contains(&wanted) {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "{text:?} is nowhere to be read in {shown}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until there is one of these.
    pub async fn meets(&self, role: &str, name: &str) {
        self.find(None, role, name).await;
    }

    async fn find(&self, place: Option<&str>, role: &str, name: &str) -> Thing {
        let start = Instant::now();
        loop {
            let things = self.things().await;
            let is =
                |thing: &&Thing| thing.role == role && !thing.is_disabled && plain(&thing.name).contains(&plain(name));
            let mut fitting = things.iter().filter(is);
            let found = match place {
                None => fitting.next(),
                Some(place) => fitting.find(|thing| is_within(thing, place, &things)),
            };
            if let Some(found) = found {
                return found.clone();
            }
            let told = things
                .iter()
                .filter(|one| !one.name.is_empty() && !one.role.ends_with("Text") && !one.role.ends_with("TextBox"));
            let seen: Vec<_> = told.map(|thing| format!("{} {:?}", thing.role, thing.name)).collect();
            assert!(
                start.elapsed() < PATIENCE,
                "there is no {role} called {name:?} ({place:?}) among:\n{}",
                seen.join("\n")
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn things(&self) -> Vec<Thing> {
        let tree = self.0.call("Accessibility.getFullAXTree", json!({})).await;
        let nodes = tree["nodes"].as_array().expect("nodes");
        let text = |value: &Value| value.as_str().map(str::to_owned);
        nodes
            .iter()
            .map(|node| Thing {
                id: text(&node["nodeId"]).expect("an id"),
                parent: text(&node["parentId"]),
                role: text(&node["role"]["value"]).unwrap_or_default(),
                name: text(&node["name"]["value"]).unwrap_or_default(),
                element: node["backendDOMNodeId"].clone(),
                is_disabled: node["properties"].as_array().is_some_and(|all| {
                    all.iter()
                        .any(|one| one["name"] == "disabled" && one["value"]["value"] == true)
                }),
            })
            .collect()
    }

    async fn click_on(&self, thing: &Thing) {
        let element = json!({"backendNodeId": thing.element});
        self.0.call("DOM.scrollIntoViewIfNeeded", element.clone()).await;
        let quads = async || self.0.call("DOM.getContentQuads", element.clone()).await["quads"][0].clone();
        let corners: Vec<f64> = serde_json::from_value(stands_still(quads).await)
            .unwrap_or_else(|_| panic!("{thing:?} is nowhere on the screen"));
        let middle = |from: usize| (corners[from] + corners[from + 4]) / 2.0;
        self.0.click_at(middle(0), middle(1)).await;
    }
}

/// What stands in the window, shadow roots included, and is not covered or hidden.
const SHOWN: &str = "
    (() => {
        const shown = [];
        const inside = (r) => r.width > 0 && r.height > 0 && r.bottom > 0 && r.right > 0 && r.top < innerHeight && r.left < innerWidth;
        const read = (root) => {
            for (const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT); walker.nextNode();) {
                const node = walker.currentNode;
                if (node.shadowRoot) read(node.shadowRoot);
                if (node.nodeType !== Node.TEXT_NODE || !node.data.trim()) continue;
                if (!node.parentElement?.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
                const range = document.createRange();
                range.selectNodeContents(node);
                const box = range.getBoundingClientRect();
                // What only screen readers tell is a dot.
                if (inside(box) && box.width > 2) shown.push(node.data);
            }
        };
        read(document.body);
        return shown.join(' ');
    })()
";

/// Inside of the smallest part of the page that holds this name: a landmark, a group, or what follows a heading.
fn is_within(thing: &Thing, place: &str, all: &[Thing]) -> bool {
    let called = |one: &Thing| plain(&one.name).contains(&plain(place));
    let parent = |one: &Thing| {
        one.parent
            .as_ref()
            .and_then(|id| all.iter().find(|other| other.id == *id))
            .cloned()
    };
    let above = |one: &Thing| std::iter::successors(parent(one), parent).collect::<Vec<_>>();
    let own = above(thing);
    own.iter().any(|one| called(one) && one.role != "RootWebArea")
        || all
            .iter()
            .filter(|one| one.role == "heading" && called(one))
            .any(|heading| {
                let theirs = above(heading);
                let common = own.iter().find(|one| theirs.iter().any(|other| other.id == one.id));
                // No other heading stands there.
                common.is_some_and(|common| {
                    let mut headings = all.iter().filter(|one| one.role == "heading");
                    headings.all(|one| one.id == heading.id || above(one).iter().all(|other| other.id != common.id))
                })
            })
}

fn plain(text: &str) -> String {
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}
