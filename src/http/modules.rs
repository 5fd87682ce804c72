//! What a script loads besides itself, read from the source: so that a browser can be told of all of it at
//! once, instead of finding out file by file.

/// A script as it is sent: without the comments that begin a line, and without what only indents. No string
/// of the pages goes over lines that look like one.
pub(super) fn without_comments(source: &str) -> String {
    let mut sent = String::with_capacity(source.len());
    let mut within = false;
    for line in source.lines() {
        let mut rest = line.trim_start();
        while within || rest.starts_with("/*") {
            let Some((_, after)) = rest.split_once("*/") else {
                within = true;
                rest = "";
                break;
            };
            within = false;
            rest = after.trim_start();
        }
        if !rest.is_empty() && !rest.starts_with("//") {
            sent.push_str(rest);
            sent.push('\n');
        }
    }
    sent
}

/// The modules that a module imports statically, as it names them.
pub(super) fn imports(source: &str) -> impl Iterator<Item = &str> {
    // Statements begin their line, and end with a semicolon; usage in comments does neither.
    let statements = source.match_indices('\n').map(|(at, _)| &source[at + 1..]);
    std::iter::once(source).chain(statements).filter_map(|rest| {
        let named = ["import ", "import{", "export {", "export{", "export *"];
        if !named.iter().any(|word| rest.starts_with(word)) {
            return None;
        }
        let statement = &rest[..rest.find(';')?];
        let from = match statement.rfind(" from ") {
            Some(at) => &statement[at + " from ".len()..],
            None => statement.strip_prefix("import ")?,
        };
        quoted(from)
    })
}

/// The style sheets that a module asks `base/sheet.js` for, as it names them.
pub(super) fn sheets(source: &str) -> impl Iterator<Item = &str> {
    const CALL: &str = "sheets(";
    let calls = source.match_indices(CALL).filter(|(at, _)| {
        let line = source[..*at].rsplit('\n').next().unwrap_or_default();
        !line.trim_start().starts_with(['*', '/'])
    });
    calls
        .filter_map(|(at, _)| source[at + CALL.len()..].split(')').next())
        .flat_map(|names| names.split(','))
        .filter_map(quoted)
}

fn quoted(text: &str) -> Option<&str> {
    let text = text.trim();
    let mark = text.chars().next().filter(|mark| matches!(mark, '"' | '\''))?;
    text[1..].strip_suffix(mark)
}

/// Where a relative name leads from a file: `../styles/a.css` from `base/b.js` to `styles/a.css`. None if it
/// leads out, or is not relative.
pub(super) fn resolve(from: &str, name: &str) -> Option<String> {
    if !name.starts_with("./") && !name.starts_with("../") {
        return None;
    }
    let mut path: Vec<_> = from.split('/').collect();
    path.pop();
    for part in name.split('/') {
        match part {
            "." => {}
            ".." => {
                path.pop()?;
            }
            part => path.push(part),
        }
    }
    Some(path.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_not_sent_and_code_beside_them_is() {
        let source = "/**\n * What it is.\n */\nimport \"./a.js\";\n  // why\n  /** @type {A} */\n  let a = b / c; // kept\n  /** @type {B} */ (a).b();\n";
        let sent = "import \"./a.js\";\nlet a = b / c; // kept\n(a).b();\n";
        assert_eq!(without_comments(source), sent);
    }

    #[test]
    fn static_imports_are_found_and_what_only_looks_like_one_is_not() {
        let source = r#"/**
 * import { a } from "./comment.js";
 */
import "./bare.js";
import { h } from "../base/dom.js";
import {
  one,
  two,
} from './lines.js';
import Whole, { part } from "./whole.js";
export { name } from "./again.js";
export * from "./all.js";
// import "./line-comment.js";
export class Person {}
export const from = "./value.js";
  import("./later.js");
const later = () => import("./dynamic.js");
/** @type {import("./type.js").Type} */
"#;
        let found: Vec<_> = imports(source).collect();
        let expected = [
            "./bare.js",
            "../base/dom.js",
            "./lines.js",
            "./whole.js",
            "./again.js",
            "./all.js",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn style_sheets_are_found_where_they_are_asked_for() {
        let source = "
 *   static sheets = await sheets(\"comment.css\");
const SHEETS = await sheets(
  \"theme.css\", \"thread.css\",
);
export function sheets(...names) {
";
        assert_eq!(sheets(source).collect::<Vec<_>>(), ["theme.css", "thread.css"]);
    }

    #[test]
    fn a_name_leads_where_a_browser_finds_it() {
        for (from, name, to) in [
            ("thread.js", "./base/dom.js", Some("base/dom.js")),
            ("pages/portal.js", "../thread.js", Some("thread.js")),
            ("inbox/row.js", "./rows.js", Some("inbox/rows.js")),
            ("thread.js", "../../etc/passwd", None),
            ("thread.js", "https://elsewhere.test/a.js", None),
        ] {
            assert_eq!(resolve(from, name).as_deref(), to, "{name} from {from}");
        }
    }
}
