//! A subscriber that keeps every event and every span's fields, at all levels.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// One event, or the fields of one span.
#[derive(Clone, Debug)]
pub struct Line {
    pub level: Level,
    pub target: String,
    pub fields: BTreeMap<String, String>,
}

impl Line {
    pub fn get(&self, field: &str) -> &str {
        self.fields.get(field).map_or("", String::as_str)
    }
}

/// What this thread logs from `capture` on. Tests run on a thread each.
pub struct Log(());

thread_local! {
    static LINES: RefCell<Option<Vec<Line>>> = const { RefCell::new(None) };
    static PANICS_AT: Cell<&'static str> = const { Cell::new("") };
}

/// The subscriber panics from now on, on this thread, on this event:
/// `new_span`, `enter`, `exit`, `close`, `event`, or of anything.
pub fn panic_at(what: &'static str) {
    PANICS_AT.set(what);
}

fn reach(what: &str) {
    let at = PANICS_AT.get();
    assert!(
        at != what && at != "anything",
        "the subscriber panics at {what}"
    );
}

impl Log {
    pub fn capture() -> Self {
        // One subscriber for the process: with one per thread, what a thread
        // without one meets first is off for all.
        static INSTALL: Once = Once::new();
        INSTALL.call_once(|| {
            tracing::subscriber::set_global_default(Capture(AtomicU64::new(1))).unwrap();
        });
        tracing::callsite::rebuild_interest_cache();
        LINES.set(Some(Vec::new()));
        Self(())
    }

    pub fn lines(&self) -> Vec<Line> {
        LINES.with_borrow(|lines| lines.clone().unwrap_or_default())
    }

    /// The one event of the calls of `tool`.
    #[track_caller]
    pub fn call(&self, tool: &str) -> Line {
        let mut calls = self.calls(tool);
        assert_eq!(calls.len(), 1, "{calls:#?}");
        calls.remove(0)
    }

    pub fn calls(&self, tool: &str) -> Vec<Line> {
        self.lines()
            .into_iter()
            .filter(|line| line.get("message") == "call" && line.get("name") == tool)
            .collect()
    }
}

/// Counts spans, since each needs an id.
struct Capture(AtomicU64);

impl Capture {
    fn keep(&self, metadata: &Metadata<'_>, record: impl FnOnce(&mut Fields)) {
        LINES.with_borrow_mut(|lines| {
            let Some(lines) = lines else { return };
            let mut fields = Fields::default();
            record(&mut fields);
            lines.push(Line {
                level: *metadata.level(),
                target: metadata.target().to_owned(),
                fields: fields.0,
            });
        });
    }
}

impl Subscriber for Capture {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        reach("new_span");
        self.keep(span.metadata(), |fields| span.record(fields));
        Id::from_u64(self.0.fetch_add(1, Ordering::Relaxed))
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        reach("event");
        self.keep(event.metadata(), |fields| event.record(fields));
    }

    fn enter(&self, _: &Id) {
        reach("enter");
    }

    fn exit(&self, _: &Id) {
        reach("exit");
    }

    fn try_close(&self, _: Id) -> bool {
        reach("close");
        false
    }
}

#[derive(Default)]
struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}
