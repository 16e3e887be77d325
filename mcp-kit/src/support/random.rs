//! Randomness of the system: keys, and ids of sessions and tasks that cannot be guessed.

/// Returns 128 bits of the system's randomness; `None` if the system has none to
/// give.
pub(crate) fn id() -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    fill(&mut bytes)?;
    Some(bytes)
}

/// Fills `bytes`; `None` if the system has no randomness to give.
pub(crate) fn fill(bytes: &mut [u8]) -> Option<()> {
    getrandom::fill(bytes).ok()
}
