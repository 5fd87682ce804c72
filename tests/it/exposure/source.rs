//! What the source says there is: whoever adds a route or a frame has to exercise it.

use std::collections::BTreeSet;
use std::path::Path;

/// `method template` of every route that the source names.
pub fn routes() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in std::fs::read_dir(source("http")).unwrap() {
        let code = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for call in code.split(".route(").skip(1) {
            let Some(path) = call.split('"').nth(1).filter(|_| call.trim_start().starts_with('"')) else {
                continue;
            };
            let mut depth = 1;
            let end = call.find(|c| {
                depth += i32::from(c == '(') - i32::from(c == ')');
                depth == 0
            });
            let handlers = &call[..end.unwrap_or(call.len())];
            for method in ["get", "post", "put", "patch", "delete"] {
                let named = handlers.match_indices(&format!("{method}(")).any(|(at, _)| {
                    let before = handlers[..at].chars().next_back();
                    before.is_some_and(|c| c == '.' || c == ' ')
                });
                if named {
                    found.insert(format!("{} {path}", method.to_uppercase()));
                }
            }
        }
    }
    found
}

/// The names of frames that the protocol's source says or hears.
pub fn frames(file: &str, before: &[&str]) -> BTreeSet<String> {
    let code = std::fs::read_to_string(source("protocol").join(file)).unwrap();
    let code = code.split("#[cfg(test)]").next().unwrap().replace(['\\', ' '], "");
    let names = |before| code.split(before).skip(1).filter_map(|rest| rest.split('"').next());
    before
        .iter()
        .flat_map(|before| names(*before))
        .filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        .map(str::to_owned)
        .collect()
}

fn source(room: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room)
}
