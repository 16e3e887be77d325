//! The counts that the benchmarks report are the allocator's.

use std::hint::black_box;

use mcp_kit_benches::allocations::{COUNTING, CountingAllocator, per_call};

#[global_allocator]
static ALLOCATOR: &CountingAllocator = &COUNTING;

#[test]
fn allocations_and_growth_are_counted_per_call() {
    let nothing = per_call(100, || {
        black_box(1);
    });
    assert_eq!(nothing.total(), 0.0);

    let boxes = per_call(100, || {
        drop((black_box(Box::new(1_u64)), black_box(Box::new(2_u64))));
    });
    assert_eq!((boxes.allocations, boxes.reallocations), (2.0, 0.0));
    assert_eq!(boxes.bytes, 16.0);

    let growing = per_call(100, || {
        let mut bytes = black_box(Vec::<u8>::with_capacity(10));
        bytes.reserve_exact(black_box(30));
        drop(black_box(bytes));
    });
    assert_eq!((growing.allocations, growing.reallocations), (1.0, 1.0));
    assert_eq!(growing.bytes, 30.0);

    let elsewhere = per_call(10, || {
        let thread = std::thread::spawn(|| drop(black_box(Box::new([0_u8; 1000]))));
        assert!(thread.join().is_ok());
    });
    assert!(elsewhere.bytes >= 1000.0);
}
