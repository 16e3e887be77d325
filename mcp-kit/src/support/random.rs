//! Ids that cannot be guessed: of sessions, of tasks.

/// Returns 128 bits of the system's randomness; `None` if the system has none to
/// give.
pub(crate) fn id() -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes)
}
