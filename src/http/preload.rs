//! What a script will load, said at once, so that it comes in one round: in the head of a page, and in what
//! other sites name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use bytes::Bytes;

use super::modules::{imports, resolve, sheets};

/// How every page's head begins. Of two icons a browser shows the last.
const HEAD: &str = r#"<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content">
  <meta name="color-scheme" content="light dark">
  <meta name="referrer" content="no-referrer">
  <link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='M2 2h12v9H7l-4 3v-3H2z' fill='%231f6a73'/%3E%3C/svg%3E">
  <link rel="stylesheet" href="/ui/styles/theme.css">
  <link rel="stylesheet" href="/ui/styles/page.css">
"#;

/// The files as they were written, by name.
pub(super) struct Sources(pub BTreeMap<String, Bytes>);

impl Sources {
    /// Empty for what is not there, or no text.
    pub fn text(&self, name: &str) -> &str {
        let bytes = self.0.get(name).map_or(&[][..], |bytes| bytes);
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

/// A script and all that it loads, by name.
#[derive(Default)]
struct Load {
    /// The script itself last.
    modules: Vec<String>,
    sheets: BTreeSet<String>,
}

impl Load {
    fn add(&mut self, sources: &Sources, name: &str, seen: &mut BTreeSet<String>) {
        if !seen.insert(name.to_owned()) {
            return;
        }
        let source = sources.text(name);
        for imported in imports(source).filter_map(|import| resolve(name, import)) {
            self.add(sources, &imported, seen);
        }
        self.sheets
            .extend(sheets(source).map(|sheet| format!("styles/{sheet}")));
        self.modules.push(name.to_owned());
    }

    fn of(sources: &Sources, name: &str) -> Self {
        let mut load = Self::default();
        load.add(sources, name, &mut BTreeSet::new());
        load
    }
}

/// All that a script loads at once, then what it exports.
pub(super) fn signpost_to(sources: &Sources, version: &str, name: &str) -> String {
    let up = "../".repeat(name.matches('/').count());
    let here = if up.is_empty() { "./" } else { &up };
    let mut signpost = String::new();
    for module in Load::of(sources, name).modules {
        let statement = if module == name { "export * from" } else { "import" };
        let _ = writeln!(signpost, "{statement} \"{here}{version}/{module}\";");
    }
    signpost
}

/// A page that names the version's files, with a head that has what all have, and names all that its scripts
/// will load.
pub(super) fn page_of(sources: &Sources, version: &str, html: &str) -> String {
    let mut load = Load::default();
    let mut seen = BTreeSet::new();
    for script in html.split("<script type=\"module\" src=\"/ui/").skip(1) {
        let name = script.split('"').next().unwrap_or_default();
        load.add(sources, name, &mut seen);
        // The tag itself is as good.
        load.modules.retain(|module| module != name);
    }
    let mut links = String::new();
    for module in load.modules {
        let _ = writeln!(links, "  <link rel=\"modulepreload\" href=\"/ui/{module}\">");
    }
    for sheet in load.sheets {
        let _ = writeln!(
            links,
            "  <link rel=\"preload\" as=\"fetch\" crossorigin href=\"/ui/{sheet}\">"
        );
    }
    html.replacen("<head>\n", HEAD, 1)
        .replacen("</head>", &format!("{links}</head>"), 1)
        .replace("\"/ui/", &format!("\"/ui/{version}/"))
}
