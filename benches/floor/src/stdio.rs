//! Lines in, lines out, over non-blocking pipes on one thread.
//!
//! All complete lines of one read are answered in one write. Nothing is read
//! while a write waits, so a client that does not read costs no memory.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe::{self, Receiver, Sender};

/// Room for one read at least, in bytes: a few hundred small calls.
const READ: usize = 32 * 1024;
/// The longest line that is accepted, in bytes.
const LONGEST_LINE: usize = 4 * 1024 * 1024;
/// A buffer that one large message has grown beyond this is given back.
const KEEP: usize = 256 * 1024;

/// Serves stdin and stdout until stdin ends. `answer` gets one line without its
/// newline and appends its answer, or nothing, to the output.
pub fn serve(answer: fn(&[u8], &mut Vec<u8>)) -> io::Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?
        .block_on(exchange(answer))
}

async fn exchange(answer: fn(&[u8], &mut Vec<u8>)) -> io::Result<()> {
    let (mut stdin, mut stdout) = pipes()?;
    let mut input = Vec::with_capacity(2 * READ);
    let mut output = Vec::with_capacity(READ);
    // How much of `input` is known to hold no newline.
    let mut scanned = 0;
    loop {
        input.reserve(READ);
        let ended = stdin.read_buf(&mut input).await? == 0;
        let mut start = 0;
        while let Some(at) = memchr::memchr(b'\n', &input[scanned..]) {
            let end = scanned + at;
            answer_line(answer, &input[start..end], &mut output);
            start = end + 1;
            scanned = start;
        }
        if ended && start < input.len() {
            answer_line(answer, &input[start..], &mut output);
        }
        if !output.is_empty() {
            stdout.write_all(&output).await?;
            output.clear();
            output.shrink_to(KEEP);
        }
        if ended {
            return Ok(());
        }
        input.drain(..start);
        scanned = input.len();
        if scanned > LONGEST_LINE {
            return Err(io::Error::other("a line is longer than 4 MiB"));
        }
        if scanned < READ {
            input.shrink_to(KEEP);
        }
    }
}

fn answer_line(answer: fn(&[u8], &mut Vec<u8>), line: &[u8], output: &mut Vec<u8>) {
    if line.trim_ascii().is_empty() {
        return;
    }
    let before = output.len();
    answer(line, output);
    if output.len() > before {
        output.push(b'\n');
    }
}

/// Opens the two pipes anew. The new descriptions are ours alone, so that making
/// them non-blocking changes nothing for other holders of the same pipes.
fn pipes() -> io::Result<(Receiver, Sender)> {
    let options = pipe::OpenOptions::new();
    let explain = |name: &'static str| {
        move |error| io::Error::other(format!("{name} has to be a pipe: {error}"))
    };
    Ok((
        options
            .open_receiver("/proc/self/fd/0")
            .map_err(explain("stdin"))?,
        options
            .open_sender("/proc/self/fd/1")
            .map_err(explain("stdout"))?,
    ))
}
