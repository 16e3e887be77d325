//! What the guard of folders costs: a file read through a `SandboxDir`, beside the same file
//! read by its path. Each pair reads the same bytes on a runtime of the same kind.
//!
//! `plain` is `tokio::fs::read`, which also has a thread of its own do the work: what counts is
//! its ratio to `sandbox`. `blocking` is `std::fs::read` in place, as the least that it could
//! cost.

#![allow(
    clippy::expect_used,
    reason = "a benchmark that cannot be set up has failed"
)]

use std::fs;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use mcp_kit::guard::{SandboxDir, SandboxPath};
use tokio::runtime::Builder;

/// Names of files in a folder three levels deep, and their sizes.
const FILES: [(&str, usize); 3] = [
    ("a/b/c/empty", 0),
    ("a/b/c/4-KiB", 4 << 10),
    ("a/b/c/1-MiB", 1 << 20),
];

fn reads(criterion: &mut Criterion) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("files-bench");
    fs::create_dir_all(folder.join("a/b/c")).expect("a folder");
    let dir = SandboxDir::open(&folder).expect("the folder");
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let mut group = criterion.benchmark_group("read");
    for (name, size) in FILES {
        let host = folder.join(name);
        fs::write(&host, vec![b'x'; size]).expect("a file");
        let path: SandboxPath = name.parse().expect("a path");
        group.bench_function(BenchmarkId::new("sandbox", name), |bencher| {
            bencher.iter(|| {
                let read = dir.read(&path, 2 << 20);
                runtime.block_on(read).expect("the file").len()
            });
        });
        group.bench_function(BenchmarkId::new("plain", name), |bencher| {
            bencher.iter(|| {
                runtime
                    .block_on(tokio::fs::read(&host))
                    .expect("the file")
                    .len()
            });
        });
        group.bench_function(BenchmarkId::new("blocking", name), |bencher| {
            bencher.iter(|| fs::read(&host).expect("the file").len());
        });
    }
    group.finish();
    let _ = fs::remove_dir_all(folder);
}

/// Opens and closes a file, as the guard does on its threads, and as a program without one.
fn opens(criterion: &mut Criterion) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("files-bench-open");
    fs::create_dir_all(folder.join("a/b/c")).expect("a folder");
    let host = folder.join("a/b/c/file");
    fs::write(&host, "x").expect("a file");
    let dir = Dir::open_ambient_dir(&folder, ambient_authority()).expect("the folder");
    let mut group = criterion.benchmark_group("open");
    group.bench_function("sandbox", |bencher| {
        bencher.iter(|| dir.open("a/b/c/file").expect("the file"));
    });
    group.bench_function("plain", |bencher| {
        bencher.iter(|| fs::File::open(&host).expect("the file"));
    });
    group.finish();
    let _ = fs::remove_dir_all(folder);
}

criterion_group!(benches, opens, reads);
criterion_main!(benches);
