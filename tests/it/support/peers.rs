//! Programs of others that the tests hold Crewline to: the official libraries, Prism, and an S3. They are
//! installed once beside the build, in the versions that `tests/peers` names; only the first run downloads.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;

pub const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers");
const INSTALL_WITHIN: Duration = Duration::from_secs(300);
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// An official Twilio library.
#[derive(Debug, Clone, Copy)]
pub enum Peer {
    Npm,
    PyPi,
}

impl Peer {
    pub const BOTH: [Peer; 2] = [Peer::Npm, Peer::PyPi];

    /// Has the library do something: `tests/peers/peer.*` says what it can. Blocks.
    pub fn ask(self, request: &Value) -> Value {
        let mut command = match self {
            Peer::Npm => {
                let mut node = Command::new("node");
                node.arg(format!("{SOURCES}/peer.cjs")).env("NODE_PATH", node_modules());
                node
            }
            Peer::PyPi => {
                static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
                let python = INSTALLED.get_or_init(|| python("pypi", "requirements.txt"));
                let mut python = Command::new(python);
                python.arg(format!("{SOURCES}/peer.py"));
                python
            }
        };
        let told = run(&mut command, &request.to_string(), ANSWER_WITHIN);
        serde_json::from_str(&told).unwrap_or_else(|e| panic!("{self:?} said {told:?}: {e}"))
    }
}

/// Node's packages, Prism among them.
pub fn node_modules() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let folder = cache("npm");
        let modules = folder.join("node_modules");
        install(&folder, &["package.json", "package-lock.json"], || {
            let mut npm = Command::new("npm");
            npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
                .current_dir(&folder);
            run(&mut npm, "", INSTALL_WITHIN);
        });
        modules
    })
}

/// A Python that has the packages of a list.
pub fn python(name: &str, list: &str) -> PathBuf {
    let folder = cache(name);
    let environment = folder.join("environment");
    install(&folder, &[list], || {
        let mut venv = Command::new("python3");
        run(
            venv.args(["-m", "venv", "--clear"]).arg(&environment),
            "",
            INSTALL_WITHIN,
        );
        let mut pip = Command::new(environment.join("bin/pip"));
        pip.args(["install", "--quiet", "--no-deps", "-r", list])
            .current_dir(&folder);
        run(&mut pip, "", INSTALL_WITHIN);
    });
    environment.join("bin/python")
}

fn cache(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers").join(name);
    std::fs::create_dir_all(&folder).expect("a folder beside the build");
    folder
}

/// Again only if the lists of versions changed since it succeeded.
fn install(folder: &Path, lists: &[&str], install: impl FnOnce()) {
    let wanted = |list: &str| std::fs::read_to_string(format!("{SOURCES}/{list}")).expect("a list of versions");
    let done = folder.join("installed");
    let all: String = lists.iter().map(|list| wanted(list)).collect();
    if std::fs::read_to_string(&done).is_ok_and(|installed| installed == all) {
        return;
    }
    for list in lists {
        std::fs::write(folder.join(list), wanted(list)).expect("a copy of it");
    }
    install();
    std::fs::write(done, all).expect("a note that it is done");
}

/// Runs to its end, or kills it; its standard output.
fn run(command: &mut Command, input: &str, within: Duration) -> String {
    let pipes = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(input.as_bytes()).expect("it reads");
    drop(stdin);
    let (told, complaints) = (reader(child.stdout.take()), reader(child.stderr.take()));
    let deadline = Instant::now() + within;
    let status = loop {
        if let Some(status) = child.try_wait().expect("the child is ours") {
            break status;
        }
        if Instant::now() > deadline {
            kill(&mut child);
            panic!("{command:?} still ran after {within:?}");
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let complaints = complaints.join().expect("a reader");
    assert!(status.success(), "{command:?}: {status}\n{complaints}");
    told.join().expect("a reader")
}

fn reader(pipe: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<String> {
    let mut pipe = pipe.expect("piped");
    std::thread::spawn(move || {
        let mut text = String::new();
        let _ = pipe.read_to_string(&mut text);
        text
    })
}

fn kill(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Prism, mocking Twilio's own OpenAPI document: it answers with the document's examples, and refuses
/// what the document does not allow.
pub struct Prism {
    child: Child,
    pub url: String,
}

impl Prism {
    pub fn start() -> Self {
        let document = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/data/twilio/twilio_api_v2010.messages.prism.openapi.json"
        );
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("bound").port();
        drop(free);
        let child = Command::new("node")
            .arg(node_modules().join("@stoplight/prism-cli/dist/index.js"))
            .args(["mock", "-h", "127.0.0.1", "-p", &port.to_string(), document])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("node starts");
        let prism = Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
        };
        let deadline = Instant::now() + ANSWER_WITHIN;
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "Prism does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        prism
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        kill(&mut self.child);
    }
}
