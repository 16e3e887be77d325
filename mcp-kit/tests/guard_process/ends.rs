//! How runs end, and that nothing of them is left.

use std::future::{Future, poll_fn};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::pin::{Pin, pin};
use std::time::Duration;

use mcp_kit::guard::{Command, CommandErrorKind};
use mcp_kit::prelude::*;
use mcp_kit::testing::TestClient;
use serde_json::json;

use crate::scripts::{Lease, ended, family, is_running, numbers, pause, script, script_is_running};

#[tokio::test]
async fn output_has_both_streams_and_the_status() {
    let output = script("words").run().await.unwrap();
    assert!(output.status.success());
    assert_eq!(
        (&*output.stdout, &*output.stderr),
        (&b"stdout"[..], &b"stderr"[..])
    );
    assert!(!output.stdout_truncated && !output.stderr_truncated);
    assert_eq!(output.text().unwrap(), "stdout");
}

#[tokio::test]
async fn failure_of_the_program_is_in_the_status_and_its_words_are_not_for_the_client() {
    let output = script("fails").run().await.unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(!format!("{output:?}").contains("hunter2"));
    let error = output.text().unwrap_err();
    assert_eq!(error.kind(), CommandErrorKind::Failed);
    assert_eq!(
        error.to_string(),
        "the program ended with exit status: 3; it wrote to stderr: \"password=hunter2\""
    );
    assert_eq!(ToolError::from(error).message(), None);
    let output = script("killed").run().await.unwrap();
    assert_eq!(output.status.signal(), Some(6));
}

#[tokio::test]
async fn what_the_program_leaves_behind_is_killed_and_holds_nothing_up() {
    let numbers = numbers("leaves");
    let output = script("leaves")
        .value(numbers.to_str().unwrap())
        .run()
        .await
        .unwrap();
    assert_eq!(output.text().unwrap(), "leader\n");
    for id in family(&numbers).await {
        ended(id).await;
    }
}

/// Such a process is not killed, but it is not waited for either.
#[tokio::test]
async fn descendant_with_a_session_of_its_own_does_not_hold_the_run_up() {
    let numbers = numbers("escapes");
    let run = script("escapes").value(numbers.to_str().unwrap());
    assert_eq!(run.run().await.unwrap().text().unwrap(), "leader\n");
    let escaped = std::fs::read_to_string(&numbers).unwrap();
    let killed = std::process::Command::new("kill")
        .args(["-KILL", escaped.trim()])
        .status();
    assert!(killed.unwrap().success(), "{escaped}");
}

/// Polls a run until its three processes have started.
async fn started<T>(mut run: Pin<&mut impl Future<Output = T>>, numbers: &Path) -> Vec<u32> {
    let mut family = pin!(family(numbers));
    poll_fn(|cx| {
        assert!(run.as_mut().poll(cx).is_pending());
        family.as_mut().poll(cx)
    })
    .await
}

#[tokio::test]
async fn time_limit_kills_the_whole_group() {
    let numbers = numbers("time");
    let limit = Duration::from_secs(600);
    let run = script("family").value(numbers.to_str().unwrap());
    let mut run = pin!(run.time_limit(limit).run());
    let family = started(run.as_mut(), &numbers).await;
    tokio::time::pause();
    tokio::time::advance(limit).await;
    let error = run.await.unwrap_err();
    tokio::time::resume();
    assert_eq!(error.kind(), CommandErrorKind::TimedOut);
    assert_eq!(
        error.to_string(),
        "The program did not end within 600s, and was stopped."
    );
    for id in family {
        ended(id).await;
    }
}

#[tokio::test]
async fn start_that_hangs_ends_at_the_time_limit_and_holds_up_no_other_program() {
    let lease = Lease::take("stalled");
    let stalled = script("stalled").concurrency(1);
    let brief = stalled.clone().time_limit(Duration::from_millis(50));
    let error = brief.clone().value("stay").run().await.unwrap_err();
    assert_eq!(error.kind(), CommandErrorKind::TimedOut);
    assert_eq!(
        script("words").run().await.unwrap().text().unwrap(),
        "stdout"
    );
    // The start that hangs is one of the runs that may go on.
    let error = brief.value("stay").run().await.unwrap_err();
    assert_eq!(error.kind(), CommandErrorKind::Busy);

    drop(lease);
    // What has been started at last is killed, and its turn is free.
    assert_eq!(stalled.run().await.unwrap().text().unwrap(), "end\n");
    while script_is_running("stalled") {
        pause().await;
    }
}

#[tokio::test]
async fn dropping_the_run_kills_the_whole_group() {
    let numbers = numbers("drop");
    let family = {
        let mut run = pin!(script("family").value(numbers.to_str().unwrap()).run());
        started(run.as_mut(), &numbers).await
    };
    assert_eq!(family.len(), 3);
    for id in family {
        ended(id).await;
    }
}

/// Run the family.
#[tool]
async fn start(State(command): State<Command>) -> Result<String, ToolError> {
    Ok(command.run().await?.text()?)
}

#[tokio::test]
async fn cancelled_call_kills_its_program() {
    let numbers = numbers("cancel");
    let command = script("family").value(numbers.to_str().unwrap());
    let server = Server::builder("test", "1")
        .state(command)
        .tool::<start>()
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    let call = client.call("start", json!({}));
    let family = family(&numbers).await;
    assert!(family.iter().all(|id| is_running(*id)));
    call.cancel();
    for id in family {
        ended(id).await;
    }
}

#[tokio::test]
async fn client_that_leaves_ends_its_program() {
    let numbers = numbers("leave");
    let command = script("family").value(numbers.to_str().unwrap());
    let server = Server::builder("test", "1")
        .state(command)
        .tool::<start>()
        .limits(|limits| limits.drain_time = Duration::from_millis(10))
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    let _call = client.call("start", json!({}));
    let family = family(&numbers).await;
    drop(client);
    for id in family {
        ended(id).await;
    }
}

#[tokio::test]
async fn output_above_the_limit_is_read_and_dropped() {
    let output = script("flood")
        .value("1000000")
        .output_limit(70)
        .run()
        .await
        .unwrap();
    assert!(output.status.success());
    assert_eq!((output.stdout.len(), output.stderr.len()), (70, 70));
    assert!(output.stdout_truncated && output.stderr_truncated);
    let text = output.text().unwrap();
    assert!(
        text.ends_with("\0\n[cut off: the output has more than 70 bytes]"),
        "{text}"
    );
    let output = script("flood")
        .value("100")
        .output_limit(100)
        .run()
        .await
        .unwrap();
    assert_eq!((output.stdout.len(), output.stderr.len()), (100, 100));
    assert!(!output.stdout_truncated && !output.stderr_truncated);
    let output = script("words").output_limit(0).run().await.unwrap();
    assert!(output.stdout.is_empty() && output.stdout_truncated);
}

#[tokio::test]
async fn runs_above_the_concurrency_wait_and_then_are_refused() {
    let numbers = numbers("busy");
    let command = script("family")
        .value(numbers.to_str().unwrap())
        .concurrency(1);
    let first = tokio::spawn(command.clone().run());
    let family = family(&numbers).await;
    let waits = command.clone().time_limit(Duration::from_millis(1));
    let error = waits.run().await.unwrap_err();
    assert_eq!(error.kind(), CommandErrorKind::Busy);
    assert_eq!(
        ToolError::from(error).kind(),
        mcp_kit::tool::ErrorKind::Busy
    );
    first.abort();
    for id in family {
        ended(id).await;
    }
    // Its turn comes when the first one has ended.
    let error = command
        .time_limit(Duration::from_millis(200))
        .run()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), CommandErrorKind::TimedOut);
}
