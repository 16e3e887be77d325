//! A PostgreSQL server of the tests' own, from the programs of Debian's package
//! `postgresql`: in a temporary folder, on a Unix socket and on 127.0.0.1, as the user `postgres`
//! where the tests run as root.
//!
//! It ends with the last test that uses it, and also if the test process is
//! killed.

#![allow(
    clippy::disallowed_methods,
    reason = "tests start a server of their own"
)]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError, Weak, mpsc},
    thread,
};

use mcp_kit::guard::Sensitive;

const SETUP: &str = include_str!("setup.sql");

/// A running server with the database `shop`.
pub struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
    port: u16,
    server: Mutex<Child>,
}

/// The server that the tests share. None, with a line on stdout, if PostgreSQL is
/// not installed; in CI that is a failure.
pub fn cluster() -> Option<Arc<Cluster>> {
    static SHARED: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(cluster) = shared.upgrade() {
        return Some(cluster);
    }
    let Some(programs) = programs() else {
        let missing = "PostgreSQL is not installed: apt-get install postgresql";
        assert!(std::env::var_os("CI").is_none(), "{missing}");
        println!("SKIPPED: {missing}");
        return None;
    };
    let cluster = Arc::new(Cluster::start(programs));
    *shared = Arc::downgrade(&cluster);
    Some(cluster)
}

/// The folder with the programs, which Debian does not put into PATH.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut folders: Vec<_> = versions
        .flatten()
        .map(|version| version.path().join("bin"))
        .collect();
    folders.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path: Vec<_> = std::env::split_paths(&path).collect();
    let has_all = |folder: &PathBuf| {
        let programs = ["initdb", "postgres", "psql"];
        programs.iter().all(|program| folder.join(program).exists())
    };
    folders.into_iter().rev().chain(path).find(has_all)
}

impl Cluster {
    fn start(programs: PathBuf) -> Self {
        // A socket's path must be short.
        let folder = std::env::temp_dir().join(format!("mcp-kit-pg-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).expect("a temporary folder");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("permissions");
        fs::write(folder.join("password"), "hunter2-admin").expect("a file");
        if is_root() {
            run(Command::new("chown").arg("-R").arg("postgres").arg(&folder));
        }
        run(as_postgres(&programs.join("initdb"), &folder).args([
            "--pgdata=data",
            "--username=admin",
            "--auth=scram-sha-256",
            "--pwfile=password",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ]));
        run(as_postgres(Path::new("openssl"), &folder).args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-keyout",
            "data/server.key",
            "-out",
            "server.crt",
        ]));
        // Nothing else of this machine has been given the port a moment ago.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = port.expect("a port").port();
        let server = serve(&programs.join("postgres"), &folder, port);
        let cluster = Self {
            folder,
            programs,
            port,
            server: Mutex::new(server),
        };
        cluster.admin_in("postgres", "CREATE DATABASE shop");
        cluster.admin(SETUP);
        cluster
    }

    /// The URL of a role, whose password is `hunter2-ROLE`.
    pub fn url(&self, role: &str, name: &str) -> Sensitive<String> {
        self.url_of(&[&self.folder], role, name)
    }

    /// The URL of a role, with a Unix socket in each of these folders.
    pub fn url_of(&self, folders: &[&Path], role: &str, name: &str) -> Sensitive<String> {
        let port = self.port;
        let hosts = folders.iter().map(|folder| {
            let folder = folder.to_str().expect("a path").replace('/', "%2F");
            format!("{folder}:{port}")
        });
        let hosts = hosts.collect::<Vec<_>>().join(",");
        format!("postgres://{role}:hunter2-{role}@{hosts}/shop?application_name={name}").into()
    }

    /// The folder of the server's Unix socket.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The Unix socket of a server whose folder is `folder`.
    pub fn socket(&self, folder: &Path) -> PathBuf {
        folder.join(format!(".s.PGSQL.{}", self.port))
    }

    /// A folder in which something else than the server can listen.
    pub fn other_folder(&self, name: &str) -> PathBuf {
        let folder = self.folder.join(name);
        fs::create_dir(&folder).expect("a folder");
        folder
    }

    /// The URL of a role over TCP.
    pub fn tcp_url(&self, role: &str, name: &str, mode: &str) -> String {
        let port = self.port;
        format!(
            "postgres://{role}:hunter2-{role}@localhost:{port}/shop?application_name={name}&sslmode={mode}"
        )
    }

    /// The file of the certificate that the server shows.
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("server.crt")
    }

    /// Runs SQL as the superuser, and returns what psql prints.
    pub fn admin(&self, sql: &str) -> String {
        self.admin_in("shop", sql)
    }

    /// The same in another database.
    pub fn admin_in(&self, database: &str, sql: &str) -> String {
        let output = Command::new(self.programs.join("psql"))
            .args([
                "-qAtX",
                "-v",
                "ON_ERROR_STOP=1",
                "-U",
                "admin",
                "-d",
                database,
                "-c",
                sql,
                "-h",
            ])
            .arg(&self.folder)
            .args(["-p", &self.port.to_string()])
            .env("PGPASSWORD", "hunter2-admin")
            .output()
            .expect("psql runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{sql}: {errors}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Waits until `count` connections of an application run a query.
    pub fn wait_for_running(&self, application: &str, count: usize) {
        let sql = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{application}' AND state = 'active' AND query ~ 'FETCH'"
        );
        self.wait(&sql, &count.to_string());
    }

    /// Waits until an application has no connection.
    pub fn wait_for_none(&self, application: &str) {
        let sql = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{application}'"
        );
        self.wait(&sql, "0");
    }

    fn wait(&self, sql: &str, expected: &str) {
        let mut last = String::new();
        for _ in 0..1_000 {
            last = self.admin(sql);
            if last == expected {
                return;
            }
        }
        panic!("{sql}: {last} and not {expected}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        let id = server.id().to_string();
        let _ = Command::new("kill").args(["-QUIT", &id]).status();
        let _ = server.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Starts the server and waits until it is ready. A thread of its own does so:
/// the server ends with the thread that started it.
fn serve(postgres: &Path, folder: &Path, port: u16) -> Child {
    let mut command = as_postgres(postgres, folder);
    command
        .args([
            "-D",
            "data",
            "-c",
            "listen_addresses=localhost",
            "-c",
            "fsync=off",
            "-k",
        ])
        .arg(folder)
        .args([
            "-p",
            &port.to_string(),
            "-c",
            "ssl=on",
            "-c",
            "ssl_cert_file=../server.crt",
        ])
        .stderr(Stdio::piped());
    let (ready, started) = mpsc::channel();
    thread::spawn(move || {
        let mut server = command.spawn().expect("postgres runs");
        let log = BufReader::new(server.stderr.take().expect("a pipe"));
        let mut server = Some(server);
        let mut seen = String::new();
        for line in log.lines().map_while(Result::ok) {
            if server.is_some() {
                seen.push_str(&line);
                seen.push('\n');
            }
            if line.contains("ready to accept connections") {
                let _ = server.take().map(|server| ready.send(Ok(server)));
            }
        }
        if server.is_some() {
            let _ = ready.send(Err(seen));
        }
    });
    started
        .recv()
        .expect("the thread answers")
        .expect("postgres starts")
}

/// A program that ends with this process, as a user that PostgreSQL accepts.
fn as_postgres(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.arg("--pdeathsig=QUIT");
    if is_root() {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    }
    command.arg(program).current_dir(folder);
    command
}

fn is_root() -> bool {
    let own = fs::metadata("/proc/self").expect("Linux");
    std::os::unix::fs::MetadataExt::uid(&own) == 0
}

fn run(command: &mut Command) {
    let output = command.output().expect("the program runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
}
