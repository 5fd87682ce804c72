//! The files of the pages, as they are served.
//!
//! Scripts and styles are below `/ui/{version}/`, the version being that of all of them together: what is
//! there never changes, so a browser keeps it and asks no more. Other sites name `/ui/thread.js`, which only
//! hands on what is below the version: of each module there is one, whichever way it was named.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use super::encoding::Encoding;
use super::modules::without_comments;
use super::preload::{Sources, page_of, signpost_to};

#[derive(RustEmbed)]
#[folder = "src/ui"]
struct Embedded;

/// Kept by whoever loaded it, for a year.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Asked for each time, and answered with 304 if it is the same.
const ASK: HeaderValue = HeaderValue::from_static("no-cache");

/// Hex digits of a version.
const VERSION: usize = 16;

/// One file. Each encoding is made once; none if it would not be smaller.
pub(super) struct File {
    media_type: &'static str,
    plain: Bytes,
    hash: String,
    /// Takes long, so that nobody waits for it.
    brotli: OnceLock<Option<Bytes>>,
    gzip: OnceLock<Option<Bytes>>,
}

impl File {
    fn new(name: &str, bytes: impl Into<Bytes>) -> Self {
        let plain = bytes.into();
        Self {
            media_type: media_type(name),
            hash: hex(&Sha256::digest(&plain)[..12]),
            plain,
            brotli: OnceLock::new(),
            gzip: OnceLock::new(),
        }
    }

    /// To be asked for each time.
    pub fn answer(&self, asked: &HeaderMap) -> Response {
        self.answer_for(asked, ASK)
    }

    fn answer_for(&self, asked: &HeaderMap, cache: HeaderValue) -> Response {
        let brotli = self.brotli.get().and_then(Option::as_ref);
        let wanted = Encoding::wanted(asked, brotli.is_some());
        let encoded = match wanted {
            Encoding::Brotli => brotli,
            Encoding::Gzip => self.gzip.get_or_init(|| wanted.encode(&self.plain)).as_ref(),
            Encoding::Plain => None,
        };
        let encoding = encoded.and(wanted.name());
        let etag = match encoding {
            Some(encoding) => format!("\"{}-{encoding}\"", self.hash),
            None => format!("\"{}\"", self.hash),
        };
        let mut response = if knows(asked, &etag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            Body::from(encoded.unwrap_or(&self.plain).clone()).into_response()
        };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        headers.insert(header::CACHE_CONTROL, cache);
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if let Some(encoding) = encoding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        if let Ok(etag) = HeaderValue::from_str(&etag) {
            headers.insert(header::ETAG, etag);
        }
        response
    }
}

/// Whether the client has this already (RFC 9110, 13.1.2).
fn knows(asked: &HeaderMap, etag: &str) -> bool {
    let values = asked.get_all(header::IF_NONE_MATCH).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag)
}

/// All files.
pub(super) struct Shelf {
    version: String,
    /// By name below `/ui/{version}/`.
    files: HashMap<String, File>,
    /// What `/ui/thread.js` says: where it is.
    signposts: HashMap<String, File>,
    /// By name, like `portal`.
    pages: HashMap<String, File>,
}

/// Set up when somebody first wants something of it. Until all of it is compressed as tightly as it gets, a
/// second or two later, it is served as gzip.
pub(super) fn shelf() -> &'static Shelf {
    static SHELF: LazyLock<Shelf> = LazyLock::new(|| {
        std::thread::spawn(|| shelf().compress());
        let files = Embedded::iter().filter_map(|name| {
            let bytes = Embedded::get(&name)?.data.into_owned();
            let bytes = match std::str::from_utf8(&bytes) {
                Ok(script) if name.ends_with(".js") => without_comments(script).into_bytes(),
                _ => bytes,
            };
            Some((name.into_owned(), bytes.into()))
        });
        Shelf::new(&Sources(files.collect()))
    });
    &SHELF
}

impl Shelf {
    fn new(sources: &Sources) -> Self {
        let mut hash = Sha256::new();
        for part in sources.0.iter().flat_map(|(name, bytes)| [name.as_bytes(), bytes]) {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let version = hex(&hash.finalize()[..VERSION / 2]);
        let mut shelf = Self {
            files: HashMap::new(),
            signposts: HashMap::new(),
            pages: HashMap::new(),
            version,
        };
        for (name, bytes) in &sources.0 {
            if let Some(page) = name.strip_prefix("pages/").and_then(|name| name.strip_suffix(".html")) {
                let html = page_of(sources, &shelf.version, sources.text(name));
                shelf.pages.insert(page.to_owned(), File::new(name, html));
                continue;
            }
            if name.ends_with(".js") {
                let signpost = signpost_to(sources, &shelf.version, name);
                shelf.signposts.insert(name.clone(), File::new(name, signpost));
            }
            shelf.files.insert(name.clone(), File::new(name, bytes.clone()));
        }
        shelf
    }

    fn compress(&self) {
        let all = self
            .pages
            .values()
            .chain(self.signposts.values())
            .chain(self.files.values());
        for file in all {
            file.brotli.get_or_init(|| Encoding::Brotli.encode(&file.plain));
        }
    }

    pub fn page(&self, name: &str) -> Option<&File> {
        self.pages.get(name)
    }

    /// What is below `/ui/`.
    pub fn answer(&self, path: &str, asked: &HeaderMap) -> Option<Response> {
        match path.split_once('/').filter(|(folder, _)| is_version(folder)) {
            Some((version, name)) if version == self.version => Some(self.files.get(name)?.answer_for(asked, FOR_EVER)),
            // Of a node with other files, during an upgrade: ours will have to do, but not for long.
            Some((_, name)) => Some(self.files.get(name)?.answer(asked)),
            None => Some(self.signposts.get(path).or_else(|| self.files.get(path))?.answer(asked)),
        }
    }
}

fn is_version(folder: &str) -> bool {
    folder.len() == VERSION && folder.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn media_type(file: &str) -> &'static str {
    match file.rsplit_once('.').map(|(_, kind)| kind) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::modules::{imports, resolve, sheets};

    const HTML: &str = r#"<head>
  <title>Messages</title>
  <script type="module" src="/ui/pages/portal.js"></script>
</head>"#;

    fn sources(changed: &str) -> Sources {
        let files = [
            ("pages/portal.html", HTML),
            (
                "pages/portal.js",
                "import \"../thread.js\";\nimport \"../base/dom.js\";\n",
            ),
            (
                "thread.js",
                "import { h } from \"./base/dom.js\";\nawait sheets(\"a.css\");\n",
            ),
            ("base/dom.js", "import \"../thread.js\";\n"),
            ("alone.js", "export const alone = 1;\n"),
            ("styles/a.css", changed),
        ];
        let owned = |(name, source): (&str, &str)| (name.to_owned(), source.to_owned().into());
        Sources(files.into_iter().map(owned).collect())
    }

    fn text(file: &File) -> &str {
        std::str::from_utf8(&file.plain).unwrap()
    }

    #[test]
    fn a_page_names_all_that_it_will_load_under_the_version() {
        let shelf = Shelf::new(&sources(""));
        let version = &shelf.version;
        let page = text(shelf.page("portal").unwrap());
        let sheet = format!(r#"<link rel="stylesheet" href="/ui/{version}/styles/page.css">"#);
        assert!(
            page.starts_with("<head>\n  <meta charset=\"utf-8\">\n") && page.contains(&sheet),
            "{page}"
        );
        let own = format!(
            r#"
  <title>Messages</title>
  <script type="module" src="/ui/{version}/pages/portal.js"></script>
  <link rel="modulepreload" href="/ui/{version}/base/dom.js">
  <link rel="modulepreload" href="/ui/{version}/thread.js">
  <link rel="preload" as="fetch" crossorigin href="/ui/{version}/styles/a.css">
</head>"#
        );
        assert!(page.ends_with(&own), "{page}");
    }

    #[test]
    fn a_script_that_other_sites_name_loads_the_version_at_once() {
        let shelf = Shelf::new(&sources(""));
        let version = &shelf.version;
        assert_eq!(
            text(&shelf.signposts["thread.js"]),
            format!("import \"./{version}/base/dom.js\";\nexport * from \"./{version}/thread.js\";\n")
        );
        assert_eq!(
            text(&shelf.signposts["pages/portal.js"]),
            format!(
                "import \"../{version}/base/dom.js\";\nimport \"../{version}/thread.js\";\nexport * from \
                 \"../{version}/pages/portal.js\";\n"
            )
        );
    }

    #[test]
    fn another_file_is_another_version_and_only_the_own_one_is_kept_for_ever() {
        let (one, other) = (Shelf::new(&sources("")), Shelf::new(&sources("b {}")));
        assert_ne!(one.version, other.version);
        let cached = |path: &str| {
            let response = one.answer(path, &HeaderMap::new())?;
            Some(response.headers()[header::CACHE_CONTROL].clone())
        };
        assert_eq!(cached(&format!("{}/alone.js", one.version)), Some(FOR_EVER));
        assert_eq!(cached(&format!("{}/alone.js", other.version)), Some(ASK));
        assert_eq!(cached("alone.js"), Some(ASK));
        assert_eq!(cached("styles/a.css"), Some(ASK));
        for none in ["none.js", "pages/portal.html", "base/alone.js", "", "../alone.js"] {
            assert_eq!(cached(none), None, "{none}");
            assert_eq!(cached(&format!("{}/{none}", one.version)), None, "{none}");
        }
    }

    #[test]
    fn every_import_of_the_real_files_is_there() {
        let files = &shelf().files;
        let mut found = 0;
        for (name, file) in files.iter().filter(|(name, _)| name.ends_with(".js")) {
            for import in imports(text(file)) {
                let to = resolve(name, import);
                assert!(to.is_some_and(|to| files.contains_key(&to)), "{name} imports {import}");
                found += 1;
            }
            for sheet in sheets(text(file)) {
                assert!(
                    files.contains_key(&format!("styles/{sheet}")),
                    "{name} asks for {sheet}"
                );
            }
            // A signpost hands on what is named; a default it could not.
            assert!(!text(file).contains("\nexport default"), "{name}");
        }
        assert!(found > 50, "{found} imports");
    }
}
