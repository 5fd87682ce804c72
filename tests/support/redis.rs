//! A private Redis, or a cluster of three, for one test: on free ports of loopback, with nothing kept,
//! gone at the end.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub struct Redis {
    port: u16,
    dir: TempDir,
    is_master: bool,
    child: Option<Child>,
}

impl Redis {
    pub fn start() -> Self {
        Self::with(false)
    }

    fn with(is_master: bool) -> Self {
        let dir = tempfile::Builder::new().prefix("crewline-redis").tempdir().unwrap();
        let port = free_port(is_master);
        let mut redis = Self {
            port,
            dir,
            is_master,
            child: None,
        };
        redis.restart();
        redis
    }

    pub fn url(&self) -> String {
        format!("redis://{}/", self.address())
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Kills it if it runs, and starts it on the same port.
    pub fn restart(&mut self) {
        self.kill();
        let mut command = Command::new("redis-server");
        command
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string()])
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(self.dir.path());
        if self.is_master {
            command.args(["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"]);
        }
        let child = command
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is missing; scripts/test installs it");
        self.child = Some(child);
        let start = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(
                start.elapsed() < Duration::from_secs(10),
                "redis-server does not answer"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// SIGSTOP or SIGCONT: it stands still, its connections do not notice.
    pub fn signal(&self, name: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", name, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    pub fn command(&self, args: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .args(["-p", &self.port.to_string()])
            .args(args)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.signal("CONT");
        }
        self.kill();
    }
}

/// A cluster's nodes talk to each other on a second port, 10,000 above the first.
fn free_port(is_master: bool) -> u16 {
    loop {
        let one = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = one.local_addr().unwrap().port();
        let is_second_free = || Some(TcpListener::bind(("127.0.0.1", port.checked_add(10_000)?)).is_ok());
        if !is_master || is_second_free() == Some(true) {
            return port;
        }
    }
}

/// Three masters, without replicas.
pub struct RedisCluster {
    pub masters: [Redis; 3],
}

impl RedisCluster {
    pub fn start() -> Self {
        let masters = std::array::from_fn(|_| Redis::with(true));
        let cluster = Self { masters };
        let made = Command::new("redis-cli")
            .args(["--cluster", "create"])
            .args(cluster.masters.iter().map(Redis::address))
            .args(["--cluster-replicas", "0", "--cluster-yes"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&made.stdout);
        assert!(made.status.success(), "{said}");
        let start = Instant::now();
        let is_ready = |one: &Redis| one.command(&["cluster", "info"]).contains("cluster_state:ok");
        while !cluster.masters.iter().all(is_ready) {
            assert!(start.elapsed() < Duration::from_secs(20), "the cluster does not form");
            std::thread::sleep(Duration::from_millis(50));
        }
        cluster
    }

    pub fn url(&self) -> String {
        let addresses: Vec<_> = self.masters.iter().map(Redis::address).collect();
        format!("redis-cluster://{}", addresses.join(","))
    }

    /// Which of the masters serves a key or channel. All of them must run.
    pub fn master_of(&self, key: &str) -> usize {
        let serves = |one: &Redis| one.command(&["get", key]).trim().is_empty();
        self.masters.iter().position(serves).expect("the cluster is up")
    }

    /// Names of orgs, the first on the first master and so on.
    pub fn one_on_each(&self, name: impl Fn(u32) -> String) -> [String; 3] {
        let is_on = |master, org: &String| self.master_of(&format!("crewline/org/{org}")) == master;
        std::array::from_fn(|master| (0..).map(&name).find(|org| is_on(master, org)).unwrap())
    }

    /// As `redis-cli --cluster reshard` does it: https://redis.io/docs/latest/commands/cluster-setslot/
    pub fn move_slot_of(&self, key: &str, from: usize, to: usize) {
        let ids = [from, to].map(|one| self.masters[one].command(&["cluster", "myid"]).trim().to_owned());
        let slot = self.masters[from]
            .command(&["cluster", "keyslot", key])
            .trim()
            .to_owned();
        let set = |one: usize, state: &str, id: &str| {
            let said = self.masters[one].command(&["cluster", "setslot", &slot, state, id]);
            assert_eq!(said.trim(), "OK");
        };
        set(to, "importing", &ids[0]);
        set(from, "migrating", &ids[1]);
        set(to, "node", &ids[1]);
        set(from, "node", &ids[1]);
    }
}
