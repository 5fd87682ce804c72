//! axe-core, Deque's checker of accessibility, in a page. It comes in by DevTools, which no policy of the
//! page concerns, and looks into shadow roots and frames.

use super::chromium::{Browser, Page};
use super::peers::node_modules;

/// WCAG 2.2 up to AA, and what axe calls best practice.
const RUN: &str = "
    (async () => {
        const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'];
        const { violations } = await axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] });
        return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary, html }) =>
            `${id} at ${target.flat().join(' ')}: ${failureSummary.split('\\n').slice(1).join(';')} in ${html.slice(0, 160)}`));
    })()
";

/// A tab in which [`violations`] can be asked for.
pub async fn open(browser: &Browser, url: &str) -> Page {
    let source = tokio::task::spawn_blocking(|| {
        std::fs::read_to_string(node_modules().join("axe-core/axe.min.js")).expect("axe is installed")
    });
    let page = browser.blank().await;
    page.before_each_document(&source.await.expect("it is read")).await;
    page.go(url).await;
    page
}

/// What axe finds wrong with the page as it is now, one line each.
pub async fn violations(page: &Page) -> Vec<String> {
    serde_json::from_value(page.eval(RUN).await).expect("a list of texts")
}
