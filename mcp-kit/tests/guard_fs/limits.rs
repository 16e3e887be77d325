//! Large files and folders: memory stays small, and work that nobody waits for ends.

use std::fs;
use std::future::poll_fn;
use std::task::Poll;

use mcp_kit::guard::{FileErrorKind, ListLimits};

use crate::{Scratch, path};

/// The resident memory of this process in bytes.
#[cfg(target_os = "linux")]
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn ten_gigabytes_are_read_in_pieces_and_refused_as_a_whole() {
    let scratch = Scratch::new();
    let dir = scratch.open();
    let size = 10 << 30;
    let file = fs::File::create(scratch.inside("huge")).unwrap();
    file.set_len(size).unwrap();
    let huge = path("huge");
    let before = resident();
    let kind = scratch.refused(dir.read(&huge, 1 << 20).await);
    assert_eq!(kind, FileErrorKind::TooLarge);
    assert_eq!(dir.read_range(&huge, size - 3, 100).await.unwrap(), [0; 3]);
    let mut reader = dir.reader(&huge, size - (256 << 20)).await.unwrap();
    assert_eq!(reader.info().size, size);
    let mut read = 0;
    while let Some(piece) = reader.chunk().await.unwrap() {
        read += piece.len();
    }
    assert_eq!(read, 256 << 20);
    let grown = resident().saturating_sub(before);
    assert!(grown < 50 << 20, "{grown} bytes more");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_folder_of_many_entries_takes_no_memory_for_them() {
    let scratch = Scratch::new();
    let dir = scratch.open();
    let many: usize = std::env::var("ENTRIES").map_or(100_000, |many| many.parse().unwrap());
    fs::create_dir(scratch.inside("many")).unwrap();
    for number in 0..many {
        fs::File::create(scratch.inside(&format!("many/file-{number:07}.txt"))).unwrap();
    }
    let before = resident();
    let limits = ListLimits {
        entries: usize::MAX,
        depth: 2,
    };
    let mut listing = dir.list(&path("many"), limits).await.unwrap();
    let mut found = 0;
    while let Some(entry) = listing.next().await.unwrap() {
        assert_eq!(entry.path.as_str().len(), "many/file-0000000.txt".len());
        found += 1;
    }
    assert_eq!((found, listing.has_more()), (many, false));
    let mut listing = dir
        .list(&path("many"), ListLimits::default())
        .await
        .unwrap();
    let mut found = 0;
    while listing.next().await.unwrap().is_some() {
        found += 1;
    }
    assert_eq!((found, listing.has_more()), (1000, true));
    let grown = resident().saturating_sub(before);
    println!("{many} entries: {grown} bytes more");
    assert!(grown < 20 << 20, "{grown} bytes more");
}

/// More at once than there are threads: all wait for their turn, none is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_reads_at_once_wait_for_their_turn() {
    let scratch = Scratch::new();
    let dir = scratch.open();
    fs::write(scratch.inside("large"), vec![b'x'; 4 << 20]).unwrap();
    let reads: Vec<_> = (0..200)
        .map(|_| {
            let dir = dir.clone();
            tokio::spawn(async move { dir.read(&path("large"), 4 << 20).await })
        })
        .collect();
    for read in reads {
        assert_eq!(read.await.unwrap().unwrap().len(), 4 << 20);
    }
}

/// Whoever stops waiting gets nothing, and takes nothing from others: 64 reads of a huge file
/// are begun and dropped, and the next one is served.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_reads_end_soon() {
    let scratch = Scratch::new();
    let dir = scratch.open();
    let file = fs::File::create(scratch.inside("huge")).unwrap();
    file.set_len(100 << 20).unwrap();
    let huge = path("huge");
    for _ in 0..64 {
        let mut read = Box::pin(dir.read(&huge, 100 << 20));
        let pending = poll_fn(|context| Poll::Ready(read.as_mut().poll(context).is_pending()));
        assert!(pending.await, "100 MiB are not read within a millisecond");
    }
    loop {
        match dir.read_text(&path("docs/notes.txt"), 9).await {
            Ok(text) => break assert_eq!(text, "notes"),
            Err(error) => assert_eq!(error.kind(), FileErrorKind::Busy),
        }
    }
}

/// Every piece is asked for twice, and the first question is dropped.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_piece_is_read_again() {
    let scratch = Scratch::new();
    let dir = scratch.open();
    let content: Vec<u8> = (0..1_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    fs::write(scratch.inside("large"), &content).unwrap();
    let mut reader = dir.reader(&path("large"), 0).await.unwrap();
    let mut read = Vec::new();
    loop {
        let mut first = Box::pin(reader.chunk());
        let polled = poll_fn(|context| Poll::Ready(first.as_mut().poll(context))).await;
        drop(first);
        let piece = match polled {
            Poll::Ready(piece) => piece,
            Poll::Pending => reader.chunk().await,
        };
        let Some(piece) = piece.unwrap() else { break };
        read.extend(piece);
    }
    assert_eq!(read, content);
}
