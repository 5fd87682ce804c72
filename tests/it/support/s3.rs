//! An S3 of another make, on loopback: `tests/peers/s3.py`.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use super::peers::{SOURCES, python};

pub struct S3 {
    child: Child,
    told: BufReader<ChildStdout>,
    url: String,
    bucket: String,
    key: String,
    secret: String,
}

impl S3 {
    /// Blocks until it is ready.
    pub fn start() -> Self {
        static INSTALLED: OnceLock<std::path::PathBuf> = OnceLock::new();
        let python = INSTALLED.get_or_init(|| python("s3", "requirements-s3.txt"));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut child = Command::new(python)
            .args([&format!("{SOURCES}/s3.py"), &port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Python starts");
        let mut told = BufReader::new(child.stdout.take().expect("piped"));
        let ready = line(&mut told);
        let text = |name: &str| ready[name].as_str().expect(name).to_owned();
        Self {
            url: text("url"),
            bucket: text("bucket"),
            key: text("key"),
            secret: text("secret"),
            child,
            told,
        }
    }

    /// What a hub is told to keep its photos here.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("CREWLINE_PHOTOS", format!("s3://{}/crew/line", self.bucket)),
            ("AWS_ENDPOINT", self.url.clone()),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", self.key.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.secret.clone()),
        ]
    }

    /// Every key in the bucket.
    pub fn keys(&mut self) -> Vec<String> {
        let stdin = self.child.stdin.as_mut().expect("piped");
        stdin.write_all(b"\n").expect("it reads");
        serde_json::from_value(line(&mut self.told)).expect("a list")
    }

    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn line(told: &mut impl BufRead) -> Value {
    let mut line = String::new();
    told.read_line(&mut line).expect("a line");
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("S3 said {line:?}: {error}"))
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.kill();
    }
}
