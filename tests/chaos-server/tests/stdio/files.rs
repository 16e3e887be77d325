//! `read_file`: nothing outside of `CHAOS_ROOT` is read, and nothing blocks.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{CWD, Mode, RenameFlags, mkfifoat, renameat_with};
use serde_json::json;

use crate::process::{Chaos, scratch, setup};
use crate::rpc;

const SECRET: &str = "a secret outside";

/// A folder with `root`, which the server is given, and what must not be read.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = scratch(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("root/docs")).unwrap();
        fs::create_dir_all(folder.join("root-too")).unwrap();
        fs::write(folder.join("root/docs/notes.txt"), "notes").unwrap();
        fs::write(folder.join("secret.txt"), SECRET).unwrap();
        fs::write(folder.join("root-too/secret.txt"), SECRET).unwrap();
        Self(folder)
    }

    fn root(&self, path: &str) -> PathBuf {
        self.0.join("root").join(path)
    }

    fn start(&self) -> Chaos {
        setup().env("CHAOS_ROOT", self.root("")).legacy()
    }

    /// Calls `read_file`, which must be refused in words that the client can use.
    fn refusal(&self, chaos: &mut Chaos, path: &str) -> String {
        let text = chaos.failure("read_file", json!({ "path": path }));
        self.assert_clean(&text);
        assert!(
            !text.contains("reference"),
            "{path:?} is the caller's affair: {text}"
        );
        text
    }

    /// Fails if a text shows where the folder is, or what is outside of it.
    fn assert_clean(&self, text: &str) {
        let host = env!("CARGO_TARGET_TMPDIR");
        for part in [host, self.0.to_str().unwrap(), SECRET, "os error", "root:"] {
            assert!(!text.contains(part), "{part} in {text}");
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn files_inside_are_read() {
    let folder = Folder::new("files-inside");
    fs::write(folder.root("..dots.txt"), "dots").unwrap();
    fs::write(folder.root("żółć 🦀.md"), "crab").unwrap();
    symlink("docs/notes.txt", folder.root("link")).unwrap();
    symlink("docs", folder.root("way")).unwrap();
    let mut chaos = folder.start();
    for (path, content) in [
        ("docs/notes.txt", "notes"),
        ("./docs/notes.txt", "notes"),
        ("..dots.txt", "dots"),
        ("żółć 🦀.md", "crab"),
        ("link", "notes"),
        ("way/notes.txt", "notes"),
    ] {
        assert_eq!(
            chaos.text("read_file", json!({ "path": path })),
            content,
            "{path}"
        );
    }
}

#[test]
fn traversal_is_refused_in_every_spelling() {
    let folder = Folder::new("files-traversal");
    let mut chaos = folder.start();
    let absolute = folder.root("docs/notes.txt");
    let words = "path: must be a path inside the folder such as docs/notes.txt";
    for path in [
        "",
        "/",
        "..",
        "../secret.txt",
        "docs/../../secret.txt",
        "docs/..",
        "./../secret.txt",
        "../root-too/secret.txt",
        "../root/docs/notes.txt",
        "/etc/passwd",
        "//etc/passwd",
        "docs//notes.txt",
        "..\\secret.txt",
        "docs\\..\\..\\secret.txt",
        "C:\\Windows\\win.ini",
        "docs/notes.txt\0",
        "\0",
        "docs/\u{1}",
        absolute.to_str().unwrap(),
    ] {
        let text = folder.refusal(&mut chaos, path);
        assert_eq!(text, format!("Invalid arguments: {words}"), "{path:?}");
    }
    // Names that other systems would read as a way out are names here.
    for path in [
        "%2e%2e/secret.txt",
        "%2e%2e%2fsecret.txt",
        "..%c0%af..",
        "....//secret.txt",
        "\u{2025}/secret.txt",
        "~/.ssh/id_rsa",
        "file:///etc/passwd",
        "$HOME",
        "docs:notes.txt",
    ] {
        folder.refusal(&mut chaos, path);
    }
    for path in [json!(null), json!(["docs/notes.txt"]), json!({}), json!(1)] {
        let text = chaos.failure("read_file", json!({ "path": path }));
        assert!(text.starts_with("Invalid arguments: path: "), "{text}");
    }
    chaos.assert_alive();
    folder.assert_clean(&chaos.log.text());
}

#[test]
fn links_that_lead_outside_are_refused() {
    let folder = Folder::new("files-links");
    for (target, name) in [
        ("../secret.txt", "out"),
        ("..", "up"),
        ("../root-too", "sibling"),
        ("/etc", "etc"),
        ("/", "slash"),
        ("/proc/self", "self"),
        ("out", "chain"),
        ("loop", "loop"),
    ] {
        symlink(target, folder.root(name)).unwrap();
    }
    symlink(folder.0.join("secret.txt"), folder.root("absolute")).unwrap();
    symlink("../../secret.txt", folder.root("docs/deep")).unwrap();
    let mut chaos = folder.start();
    for path in [
        "out",
        "absolute",
        "chain",
        "docs/deep",
        "up/secret.txt",
        "up/root/docs/notes.txt",
        "sibling/secret.txt",
        "etc/passwd",
        "slash/etc/passwd",
        "self/environ",
        "self/fd/0",
        "self/cwd/Cargo.toml",
        "loop",
    ] {
        let text = folder.refusal(&mut chaos, path);
        assert!(
            text.contains("leads outside of the folder"),
            "{path}: {text}"
        );
    }
}

#[test]
fn what_is_no_file_is_refused_at_once() {
    let folder = Folder::new("files-special");
    mkfifoat(CWD, folder.root("fifo"), Mode::from_raw_mode(0o600)).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.root("socket"));
    fs::write(folder.root("latin1"), b"caf\xe9").unwrap();
    fs::write(folder.root("large"), vec![b'x'; (256 << 10) + 1]).unwrap();
    let mut chaos = folder.start();
    for (path, words) in [
        ("fifo", "is a device, a pipe or a socket"),
        ("docs", "is a folder"),
        (".", "is a folder"),
        ("docs/", "is a folder"),
        ("none", "does not exist"),
        ("docs/notes.txt/x", "is not a folder"),
        ("latin1", "is not a text file"),
        ("large", "more than 262144 bytes"),
    ] {
        let text = folder.refusal(&mut chaos, path);
        assert!(text.contains(words), "{path}: {text}");
    }
    // A device refuses too, whichever folder it is in.
    let mut devices = setup().env("CHAOS_ROOT", "/dev").legacy();
    for path in ["zero", "null", "random", "tty", "stdin", "fd/0"] {
        folder.refusal(&mut devices, path);
    }
    devices.assert_alive();
}

/// A thread swaps a file, and a folder on the way, for links that lead out, while hundreds of
/// calls read.
#[test]
fn links_swapped_during_calls_show_nothing() {
    let folder = Folder::new("files-race");
    fs::write(folder.root("file"), "notes").unwrap();
    symlink("../secret.txt", folder.root("file-out")).unwrap();
    fs::create_dir(folder.root("way")).unwrap();
    fs::write(folder.root("way/secret.txt"), "notes").unwrap();
    symlink("../root-too", folder.root("way-out")).unwrap();
    let mut chaos = folder.start();
    let ends = Arc::new(AtomicBool::new(false));
    let swaps = {
        let (root, ends) = (fs::File::open(folder.root("")).unwrap(), Arc::clone(&ends));
        std::thread::spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                for (a, b) in [("file", "file-out"), ("way", "way-out")] {
                    renameat_with(&root, a, &root, b, RenameFlags::EXCHANGE).unwrap();
                }
            }
        })
    };
    let (mut read, mut refused) = (0, 0);
    for round in 0..40_u64 {
        for call in 0..20 {
            let path = if call % 2 == 0 {
                "file"
            } else {
                "way/secret.txt"
            };
            chaos.send_call(round * 100 + call, "read_file", json!({ "path": path }));
        }
        for call in 0..20 {
            let result = chaos.answer(round * 100 + call);
            let result = rpc::result(&result);
            let text = rpc::text(result);
            folder.assert_clean(&text);
            if rpc::is_error(result) {
                // The last one where there is no openat2.
                let refusals = ["leads outside", "does not exist", "is not a folder"];
                assert!(refusals.iter().any(|words| text.contains(words)), "{text}");
                refused += 1;
            } else {
                assert_eq!(text, "notes");
                read += 1;
            }
        }
    }
    ends.store(true, Ordering::Relaxed);
    swaps.join().unwrap();
    assert_eq!(read + refused, 800);
    chaos.assert_alive();
}

#[test]
fn without_a_folder_the_tool_says_so_and_a_missing_one_is_an_error_of_the_start() {
    let mut chaos = setup().legacy();
    let text = chaos.failure("read_file", json!({ "path": "docs/notes.txt" }));
    assert_eq!(
        text,
        "This server has no folder of files, so there is nothing to read."
    );

    let folder = Folder::new("files-missing");
    let mut chaos = setup().env("CHAOS_ROOT", folder.root("none")).start();
    assert!(!chaos.wait().success());
    let log = chaos.log.text();
    assert!(
        log.contains("cannot open the folder") && log.contains("root/none"),
        "{log}"
    );
}
