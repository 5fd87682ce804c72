//! The pages' JSDoc types, held to by TypeScript's checker. By hand, once the test has installed it:
//! `node target/tmp/peers/npm/node_modules/typescript/bin/tsc -p .`

use std::process::Command;

use crate::support::peers::node_modules;

#[test]
fn the_pages_keep_to_their_types() {
    let checked = Command::new("node")
        .arg(node_modules().join("typescript/bin/tsc"))
        .args(["--project", ".", "--pretty", "false"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("node starts");
    let told = String::from_utf8_lossy(&checked.stdout);
    assert!(
        checked.status.success(),
        "{told}{}",
        String::from_utf8_lossy(&checked.stderr)
    );
}
