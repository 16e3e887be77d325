//! `call` and `prompt` on a terminal: a pseudo-terminal, of which this test is the screen
//! and the keyboard.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::{greeter, text};

/// How long a text may take to appear.
const PATIENCE: Duration = Duration::from_secs(60);

/// The server on a terminal. Its stdout is a pipe, so that the screen has stderr alone.
struct Terminal {
    child: Child,
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    /// What was shown since the last [`until`](Self::until).
    shown: String,
}

/// How the command has ended: its code, its stdout, and the rest of the screen.
struct Ended(Option<i32>, String, String);

impl Terminal {
    fn start(arguments: &[&str]) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let size = Winsize {
            ws_row: 24,
            ws_col: 50,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let name = ptsname(&master, Vec::new()).unwrap();
        let path = std::ffi::OsStr::from_bytes(name.as_bytes());
        let terminal = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .unwrap();
        tcsetwinsize(&terminal, size).unwrap();
        let child = greeter()
            .args(arguments)
            .env("TERM", "xterm")
            .stdin(Stdio::from(terminal.try_clone().unwrap()))
            .stderr(Stdio::from(terminal))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let keyboard = File::from(master);
        let mut reading = keyboard.try_clone().unwrap();
        let (seen, screen) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 4_096];
            // Linux reports an error once the last program has closed the terminal.
            while let Ok(length @ 1..) = reading.read(&mut bytes) {
                if seen.send(bytes[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            keyboard,
            screen,
            shown: String::new(),
        }
    }

    /// Waits until the screen has shown a text, and returns what it has shown up to its
    /// end.
    #[track_caller]
    fn until(&mut self, expected: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.shown.find(expected) {
                let rest = self.shown.split_off(at + expected.len());
                return std::mem::replace(&mut self.shown, rest);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.screen.recv_timeout(left) {
                Ok(bytes) => self.shown.push_str(&text(&bytes)),
                Err(error) => panic!("{expected:?} was not shown ({error}): {:?}", self.shown),
            }
        }
    }

    fn enter(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    fn interrupt(&self) {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
    }

    fn end(mut self) -> Ended {
        let mut printed = String::new();
        let mut stdout = self.child.stdout.take().unwrap();
        stdout.read_to_string(&mut printed).unwrap();
        let code = self.child.wait().unwrap().code();
        while let Ok(bytes) = self.screen.recv_timeout(PATIENCE) {
            self.shown.push_str(&text(&bytes));
        }
        Ended(code, printed, self.shown)
    }
}

#[test]
fn progress_is_a_bar_that_is_cleared_before_the_result() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let room = format!("{{\"port\": {}}}", listener.local_addr().unwrap().port());
    let mut terminal = Terminal::start(&["call", "decorate", &room]);
    let (mut connection, _) = listener.accept().unwrap();
    let bar = "[==========----------]  50 %  \\u{1b}[31mhanging l";
    assert_eq!(terminal.until(bar), format!("\r{bar}"));
    // A line of the log is written in place of the bar, which moves below it.
    connection.write_all(b"!").unwrap();
    let logged = terminal.until(bar);
    let cleared = format!("\r{}\r{{", " ".repeat(49));
    assert!(logged.starts_with(&cleared), "{logged:?}");
    assert!(logged.contains("a lamp is missing"), "{logged:?}");
    assert!(logged.ends_with(&format!("}}\r\n{bar}")), "{logged:?}");
    drop(connection);
    let Ended(code, printed, rest) = terminal.end();
    assert_eq!((code, printed.as_str()), (Some(0), "decorated\n"));
    // The line ends before the last of the 50 columns, and spaces overwrite all of it.
    assert_eq!(rest, format!("\r{}\r", " ".repeat(49)));
}

#[test]
fn without_a_terminal_there_is_no_bar() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let room = format!("{{\"port\": {}}}", listener.local_addr().unwrap().port());
    let connected = thread::spawn(move || drop(listener.accept().unwrap()));
    let output = super::run(&["call", "decorate", &room]);
    connected.join().unwrap();
    assert_eq!(text(&output.stdout), "decorated\n");
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn form_is_filled_in_and_a_wrong_value_is_asked_again() {
    let mut terminal = Terminal::start(&["call", "seat"]);
    terminal.until("greeter asks: Where does Ada sit?\r\nAnswer? [Y/n] ");
    terminal.enter("\n");
    // In the order of the struct's fields.
    terminal.until("table: integer, at least 1, at most 9 – The number of the table.\r\ntable: ");
    terminal.enter("10\n");
    terminal.until("  must be at most 9\r\ntable: ");
    terminal.enter("7\n");
    let shown = terminal.until("Green salad\r\ndish: ");
    assert!(
        shown.contains("  1  soup – Soup of the day\r\n  2  salad – Green salad\r\n"),
        "{shown}"
    );
    terminal.enter("salad\n");
    let Ended(code, printed, _) = terminal.end();
    assert_eq!(
        (code, printed.as_str()),
        (Some(0), "table 7, Some(Salad)\n")
    );
}

#[test]
fn form_is_declined_with_n_and_closed_with_ctrl_d_or_ctrl_c() {
    type Closes = fn(&mut Terminal);
    let ways: [(Closes, &str); 3] = [
        (|terminal| terminal.enter("n\n"), "declined\n"),
        (|terminal| terminal.enter("\u{4}"), "cancelled\n"),
        (|terminal| terminal.interrupt(), "cancelled\n"),
    ];
    for (close, expected) in ways {
        let mut terminal = Terminal::start(&["call", "seat"]);
        terminal.until("Answer? [Y/n] ");
        close(&mut terminal);
        let Ended(code, printed, shown) = terminal.end();
        assert_eq!((code, printed.as_str()), (Some(0), expected), "{shown}");
    }
}

#[test]
fn ctrl_c_without_a_question_ends_the_command() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let room = format!("{{\"port\": {}}}", listener.local_addr().unwrap().port());
    let mut terminal = Terminal::start(&["call", "decorate", &room]);
    let _connection = listener.accept().unwrap();
    terminal.until("50 %");
    terminal.interrupt();
    let Ended(code, printed, shown) = terminal.end();
    assert_eq!((code, printed.as_str()), (Some(1), ""), "{shown}");
    assert!(
        shown.ends_with(" \rerror: the call was ended by a signal\r\n"),
        "{shown:?}"
    );
}

#[test]
fn prompt_asks_its_question() {
    let mut terminal = Terminal::start(&["prompt", "invite"]);
    terminal.until("greeter asks: Write to Ada?\r\nAccept? [y/n] ");
    terminal.enter("perhaps\n");
    terminal.until("Accept? [y/n] ");
    terminal.enter("y\n");
    let Ended(code, printed, _) = terminal.end();
    assert_eq!((code, printed.as_str()), (Some(0), "user: Write to Ada.\n"));
}

#[test]
fn task_asks_its_question() {
    let mut terminal = Terminal::start(&["call", "engrave"]);
    terminal.until("greeter asks: Engrave the names?\r\nAccept? [y/n] ");
    terminal.enter("y\n");
    let Ended(code, printed, _) = terminal.end();
    assert_eq!((code, printed.as_str()), (Some(0), "engraved with names\n"));
}

#[test]
fn question_without_a_terminal_is_refused_with_what_to_do() {
    for command in [["call", "seat"], ["prompt", "invite"]] {
        let (_, said) = super::ends_with(2, &command);
        assert!(
            said.contains("has not declared the capability \"elicitation\"")
                && said.ends_with("Run this command on a terminal to answer the question.\n"),
            "{said}"
        );
    }
}
