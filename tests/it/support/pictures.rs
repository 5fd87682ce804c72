//! Pictures as people hand them to a page: chosen, pasted, dropped.

use base64::Engine;
use serde_json::{Value, json};

use super::pages::Tab;
use crate::photos::files;

/// JavaScript: a `DataTransfer` with these pictures, said to be of this type.
fn transfer(names: &[&str], media_type: &str) -> String {
    let files: Vec<_> = names
        .iter()
        .map(|name| {
            let bytes = std::fs::read(files().join(name)).unwrap();
            json!([name, base64::engine::general_purpose::STANDARD.encode(bytes)])
        })
        .collect();
    format!(
        r#"(() => {{
            const all = new DataTransfer();
            for (const [name, base64] of {}) {{
                const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
                all.items.add(new File([bytes], name, {{ type: '{media_type}' }}));
            }}
            return all;
        }})()"#,
        json!(files)
    )
}

/// Puts files into the page's picker, as if somebody had chosen them there.
pub async fn choose(tab: &Tab, names: &[&str]) {
    let script = format!(
        r#"(() => {{
            const input = $('[data-testid="photo-input"]');
            input.files = {}.files;
            input.dispatchEvent(new Event("change"));
        }})()"#,
        transfer(names, "")
    );
    tab.0.eval(&script).await;
}

/// Whether the page took the event for itself.
pub async fn drag(tab: &Tab, event: &str, names: &[&str]) -> Value {
    let script = format!(
        "!$('[data-testid=\"thread\"]').dispatchEvent(new DragEvent('{event}', \
         {{ dataTransfer: {}, bubbles: true, cancelable: true }}))",
        transfer(names, "image/jpeg")
    );
    tab.0.eval(&script).await
}

/// Whether the page took it for itself; `text` is what stands beside the pictures in the clipboard.
pub async fn paste(tab: &Tab, names: &[&str], text: Option<&str>) -> Value {
    let script = format!(
        "(() => {{ const all = {}; if ({text}) all.setData('text/plain', {text}); \
         return !$('[data-testid=\"composer\"]').dispatchEvent(new ClipboardEvent('paste', {{ clipboardData: all, bubbles: true, cancelable: true }})); }})()",
        transfer(names, "image/jpeg"),
        text = json!(text)
    );
    tab.0.eval(&script).await
}

/// Waits until so many photos of the message that is being written are in this state.
pub async fn previews(tab: &Tab, state: &str, count: usize) {
    let shown = format!(r#"$$('[data-testid="photo-preview"][data-state="{state}"]').length"#);
    tab.0.until(&format!("{shown} === {count}")).await;
}
