//! Steps that run once per logical call.

use super::*;

#[tokio::test]
async fn a_step_runs_once_however_often_a_round_is_sent() {
    let effects = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&effects);
    let charge = asking("charge", move |client| {
        let counted = Arc::clone(&counted);
        async move {
            ask(&client, "sure").await?;
            let effect = async { Ok(counted.fetch_add(1, Ordering::SeqCst)) };
            let number = client.once("charge", effect).await?;
            let again = async { Ok(counted.fetch_add(1, Ordering::SeqCst)) };
            let same = client.once("charge", again).await?;
            let tip = ask(&client, "tip").await?;
            Ok(format!("{number} {same} {tip}"))
        }
    });
    let server = builder().add(charge).build().unwrap();
    let client = Modern::new(&server).await;
    let first = client.begin("charge").await;
    let second = round(client.answer("charge", &first, first.answers(1)).await);
    assert_eq!(effects.load(Ordering::SeqCst), 1);
    // The same round again, from this process.
    let replayed = round(client.answer("charge", &first, first.answers(1)).await);
    assert_eq!(effects.load(Ordering::SeqCst), 1);
    let result = client
        .answer("charge", &replayed, replayed.answers(5))
        .await;
    assert_eq!(text(&result), "0 0 5");
    // The next round, in a process that does not know the step.
    let result = client.answer("charge", &second, second.answers(3)).await;
    assert_eq!(text(&result), "0 0 3");
    assert_eq!(effects.load(Ordering::SeqCst), 1);
    // Another call is another call.
    let other = client.begin("charge").await;
    round(client.answer("charge", &other, other.answers(1)).await);
    assert_eq!(effects.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn of_two_equal_rounds_at_once_the_second_waits_for_the_step_of_the_first() {
    let effects = Arc::new(AtomicUsize::new(0));
    let (started, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let held = (
        Arc::clone(&effects),
        Arc::clone(&started),
        Arc::clone(&release),
    );
    let charge = asking("charge", move |client| {
        let (effects, started, release) = held.clone();
        async move {
            ask(&client, "sure").await?;
            let effect = async {
                started.notify_one();
                release.notified().await;
                Ok(effects.fetch_add(1, Ordering::SeqCst))
            };
            Ok(client.once("charge", effect).await?.to_string())
        }
    });
    let server = builder().add(charge).build().unwrap();
    let client = Modern::new(&server).await;
    let first = client.begin("charge").await;
    let both = async {
        let one = client.answer("charge", &first, first.answers(1));
        let two = client.answer("charge", &first, first.answers(1));
        tokio::join!(one, two)
    };
    let (both, ()) = tokio::join!(both, async {
        started.notified().await;
        // A ping behind both calls: they have been read.
        let _ = client.send(json!({"name": "charge"}), json!({})).await;
        release.notify_one();
    });
    assert_eq!((text(&both.0), text(&both.1)), ("0", "0"));
    assert_eq!(effects.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_step_that_fails_runs_again() {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let flaky = asking("flaky", move |client| {
        let counted = Arc::clone(&counted);
        async move {
            ask(&client, "sure").await?;
            let step = async {
                match counted.fetch_add(1, Ordering::SeqCst) {
                    0 => Err(ToolError::user("not now")),
                    run => Ok(run),
                }
            };
            Ok(client.once("step", step).await?.to_string())
        }
    });
    let server = builder().add(flaky).build().unwrap();
    let client = Modern::new(&server).await;
    let first = client.begin("flaky").await;
    for expected in ["not now", "1", "1"] {
        let result = client.answer("flaky", &first, first.answers(1)).await;
        assert_eq!(text(&result), expected);
    }
}
