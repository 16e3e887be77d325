//! Work at once, and work that no caller waits for any more.

use std::collections::BTreeSet;
use std::fs;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use mcp_kit::guard::{FileErrorKind, ListLimits};

use crate::{Scratch, path};

/// More at once than there are threads: all wait for their turn, none is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_reads_at_once_wait_for_their_turn() {
    let scratch = Scratch::new();
    let dir = scratch.open();
    fs::write(scratch.inside("large"), vec![b'x'; 1 << 20]).unwrap();
    let reads: Vec<_> = (0..100)
        .map(|_| {
            let dir = dir.clone();
            tokio::spawn(async move { dir.read(&path("large"), 1 << 20).await })
        })
        .collect();
    for read in reads {
        assert_eq!(read.await.unwrap().unwrap().len(), 1 << 20);
    }
}

/// 64 reads of a huge file are begun and dropped; their threads serve the next one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_reads_end_soon() {
    let scratch = Scratch::new();
    let dir = scratch.open();
    let file = fs::File::create(scratch.inside("huge")).unwrap();
    file.set_len(100 << 20).unwrap();
    let huge = path("huge");
    for _ in 0..64 {
        let mut read = Box::pin(dir.read(&huge, 100 << 20));
        let polled = poll_fn(|context| Poll::Ready(read.as_mut().poll(context))).await;
        if let Poll::Ready(Err(error)) = polled {
            assert_eq!(error.kind(), FileErrorKind::Busy);
        }
    }
    loop {
        match dir.read_text(&path("docs/notes.txt"), 9).await {
            Ok(text) => break assert_eq!(text, "notes"),
            Err(error) => assert_eq!(error.kind(), FileErrorKind::Busy),
        }
    }
}

/// Each piece is requested twice, and the first request is dropped.
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

/// Is woken when the work of a request has ended.
#[derive(Default)]
struct Ended(AtomicBool);

impl Wake for Ended {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Each request that has to wait is dropped when its work has ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_of_a_dropped_request_are_listed_by_the_next_one() {
    let scratch = Scratch::new();
    let dir = scratch.open();
    fs::create_dir(scratch.inside("many")).unwrap();
    let mut expected = BTreeSet::new();
    for number in 0..2000 {
        let name = format!("many/{number}");
        fs::write(scratch.inside(&name), "").unwrap();
        expected.insert(name);
    }
    let limits = ListLimits::new(usize::MAX);
    let mut listing = dir.list(&path("many"), limits).await.unwrap();
    let (mut found, mut dropped) = (BTreeSet::new(), 0);
    loop {
        let mut first = Box::pin(listing.next());
        let ended = Arc::new(Ended::default());
        let waker = Waker::from(Arc::clone(&ended));
        let entry = match first.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(entry) => entry,
            Poll::Pending => {
                dropped += 1;
                while !ended.0.load(Ordering::Relaxed) {
                    tokio::task::yield_now().await;
                }
                drop(first);
                listing.next().await
            }
        };
        let Some(entry) = entry.unwrap() else { break };
        assert!(found.insert(entry.path.to_string()), "{} twice", entry.path);
    }
    assert!(dropped > 0, "no request was dropped");
    let lost: Vec<_> = expected.difference(&found).take(3).collect();
    assert!(lost.is_empty(), "{lost:?} and more");
}
