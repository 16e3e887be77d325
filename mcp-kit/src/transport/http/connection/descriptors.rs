//! Raises the limit on the process's open files at the start, as far as the
//! system allows, and computes how many connections it leaves room for. Each
//! connection takes one descriptor.

/// Descriptors that connections do not take: for probes above the limit on
/// connections (16), connections that are closing (32), the listener, the log, the
/// keys file, and what tools open.
#[cfg(unix)]
const RESERVE: usize = 96;

/// The limit is not raised above this unless connections need it: programs that
/// a tool starts inherit it, and some close every descriptor up to it.
#[cfg(unix)]
const RAISED_TO: u64 = 65_536;

/// The largest limit that macOS accepts although it reports no limit.
#[cfg(unix)]
const MACOS_MOST: u64 = 10_240;

/// Raises the limit on open files. Returns the number of connections, at most
/// `wanted`, that can be open at once.
#[cfg(unix)]
pub(crate) fn connections(wanted: usize) -> usize {
    let Some(limit) = raised(wanted) else {
        return wanted;
    };
    let most = left(limit);
    if most >= wanted {
        return wanted;
    }
    tracing::warn!(
        target: "mcp_kit::http",
        open_files = limit,
        connections = most,
        "the limit on open files allows fewer than {wanted} connections at once: raise the hard limit (ulimit -Hn, LimitNOFILE= of systemd, --ulimit nofile= of a container)"
    );
    most
}

#[cfg(not(unix))]
pub(crate) fn connections(wanted: usize) -> usize {
    wanted
}

/// The limit in force after it was raised; `None` for no limit.
#[cfg(unix)]
fn raised(connections: usize) -> Option<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let current = current?;
    let needed = u64::try_from(connections.saturating_add(RESERVE)).unwrap_or(u64::MAX);
    let aim = needed.max(RAISED_TO).min(maximum.unwrap_or(u64::MAX));
    let raised = [aim, MACOS_MOST].into_iter().find(|&aim| {
        let new = Rlimit {
            current: Some(aim),
            maximum,
        };
        aim > current && setrlimit(Resource::Nofile, new).is_ok()
    });
    usize::try_from(raised.unwrap_or(current)).ok()
}

/// The number of descriptors that a limit on open files leaves to connections.
#[cfg(unix)]
fn left(limit: usize) -> usize {
    (limit - RESERVE.min(limit / 2)).max(1)
}
