//! The trace that a request belongs to (W3C Trace Context). Parsed strictly:
//! malformed context is ignored.

use std::str::FromStr as _;

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use serde_json::value::RawValue;

use crate::protocol::json_string;

/// The longest `tracestate` that is passed on, in bytes; the standard requires
/// at least this. A longer one is dropped, and the parent is kept.
const LONGEST_STATE: usize = 512;

/// Returns the parent that a request's `_meta` names.
pub(in crate::observe) fn from_meta(
    traceparent: Option<&RawValue>,
    tracestate: Option<&RawValue>,
) -> Option<SpanContext> {
    let parent = json_string(traceparent?.get())?;
    let state = tracestate.and_then(|state| json_string(state.get()));
    span_context(&parent, state.as_deref())
}

/// Returns the parent that HTTP headers name: the only `traceparent`, and every
/// `tracestate` in order.
#[cfg(any(test, feature = "http"))]
pub(in crate::observe) fn from_headers<'a>(
    mut traceparent: impl Iterator<Item = &'a [u8]>,
    tracestate: impl Iterator<Item = &'a [u8]>,
) -> Option<SpanContext> {
    let parent = traceparent.next()?;
    if traceparent.next().is_some() {
        return None;
    }
    let mut state = Vec::new();
    for part in tracestate {
        if !state.is_empty() {
            state.push(b',');
        }
        state.extend_from_slice(part);
        if state.len() > LONGEST_STATE {
            break; // too long whatever follows
        }
    }
    span_context(
        str::from_utf8(parent).ok()?,
        str::from_utf8(&state)
            .ok()
            .filter(|state| !state.is_empty()),
    )
}

fn span_context(parent: &str, state: Option<&str>) -> Option<SpanContext> {
    let (trace, span, flags) = traceparent(parent)?;
    let state = state
        .filter(|state| state.len() <= LONGEST_STATE)
        .filter(|state| {
            state
                .bytes()
                .all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
        })
        .and_then(|state| TraceState::from_str(state).ok())
        .unwrap_or_default();
    let context = SpanContext::new(trace, span, flags, true, state);
    context.is_valid().then_some(context)
}

/// Parses `00-<trace id>-<span id>-<flags>`; for a later version, the same
/// places, as the standard requires.
fn traceparent(text: &str) -> Option<(TraceId, SpanId, TraceFlags)> {
    const LENGTH: usize = 55;
    let (text, rest) = text.split_at_checked(LENGTH)?;
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let is_formed = text.bytes().enumerate().all(|(at, byte)| match at {
        2 | 35 | 52 => byte == b'-',
        _ => is_hex(byte),
    });
    let version = text.get(..2)?;
    let may_end_here = match version {
        "00" => rest.is_empty(),
        "ff" => false,
        _ => rest.is_empty() || rest.starts_with('-'),
    };
    if !is_formed || !may_end_here {
        return None;
    }
    let trace = u128::from_str_radix(text.get(3..35)?, 16).ok()?;
    let span = u64::from_str_radix(text.get(36..52)?, 16).ok()?;
    let flags = u8::from_str_radix(text.get(53..55)?, 16).ok()?;
    // Only the sampled flag has a meaning for this server.
    let flags = TraceFlags::new(flags) & TraceFlags::SAMPLED;
    Some((trace.into(), span.into(), flags))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_parent_is_read_with_its_state() {
        let context = span_context(GOOD, Some("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE")).unwrap();
        assert_eq!(
            context.trace_id().to_string(),
            "4bf92f3577b34da6a3ce929d0e0e4736"
        );
        assert_eq!(context.span_id().to_string(), "00f067aa0ba902b7");
        assert!(context.is_sampled() && context.is_remote());
        assert_eq!(context.trace_state().get("congo"), Some("t61rcWkgMzE"));
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        let later = GOOD.replacen("00", "cc", 1);
        assert!(traceparent(&later).is_some());
        assert!(traceparent(&format!("{later}-what-follows")).is_some());
        assert!(traceparent(&format!("{later}.what-follows")).is_none());
        assert!(
            !span_context(&GOOD.replace("-01", "-fe"), None)
                .unwrap()
                .is_sampled()
        );
    }

    #[test]
    fn what_is_malformed_is_no_parent() {
        for text in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
            "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-0",
        ] {
            assert!(span_context(text, None).is_none(), "{text}");
        }
    }

    #[test]
    fn a_state_that_is_malformed_or_too_long_leaves_the_parent() {
        for state in [
            "no pair",
            "a=b\u{7f}",
            &format!("a={}", "x".repeat(600)),
            "ü=1",
        ] {
            let context = span_context(GOOD, Some(state)).unwrap();
            assert_eq!(context.trace_state().header(), "", "{state}");
        }
    }

    #[test]
    fn one_header_is_a_parent_and_two_are_none() {
        let good = GOOD.as_bytes();
        let states = [b"a=1".as_slice(), b"b=2"];
        let context = from_headers([good].into_iter(), states.into_iter()).unwrap();
        assert_eq!(context.trace_state().header(), "a=1,b=2");
        assert!(from_headers([good, good].into_iter(), [].into_iter()).is_none());
        assert!(from_headers([].into_iter(), states.into_iter()).is_none());
    }
}
