//! The time of questions and of their calls, and the permits that calls lend.

use super::*;

fn timed(builder: ServerBuilder) -> Server {
    let server = builder.build().unwrap();
    server.inner().ticker.use_timer();
    server
}

#[tokio::test(start_paused = true)]
async fn question_has_its_own_time() {
    let (builder, ..) = builder();
    let server = timed(builder);
    for client in clients(&server).await {
        let began = Instant::now();
        let call = client.call("ask", json!({}));
        let asked = question(&client).await;
        let result = call.await;
        let took = began.elapsed().as_secs();
        assert_eq!(took, 600, "{}", result.text());
        assert!(result.is_error());
        assert_eq!(
            result.text(),
            "The client did not answer a question within 10 min."
        );
        withdrawn(&client, &asked).await;
    }
}

#[tokio::test(start_paused = true)]
async fn clock_of_a_call_stops_while_its_question_is_open() {
    let (builder, ..) = builder();
    let server = timed(builder);
    for client in clients(&server).await {
        let call = client.call("ask", json!({}));
        let asked = question(&client).await;
        sleep(Duration::from_secs(2)).await;
        answer(&client, &asked, "yes");
        assert_eq!(call.await.text(), r#"{"is":"yes"}"#);
        // And goes on afterwards.
        let call = client.call("slow", json!({}));
        let asked = question(&client).await;
        sleep(Duration::from_secs(2)).await;
        let answered = Instant::now();
        answer(&client, &asked, "yes");
        let result = call.await;
        assert_eq!(
            result.text(),
            "The tool timed out after 500 ms. It may have done part of its work."
        );
        let took = answered.elapsed();
        assert!(took <= Duration::from_millis(600), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn handler_may_drop_its_question() {
    let (builder, ..) = builder();
    let server = timed(builder);
    for client in clients(&server).await {
        let call = client.call("impatient", json!({}));
        let asked = question(&client).await;
        assert_eq!(call.await.text(), "gave up");
        withdrawn(&client, &asked).await;
    }
}

/// One permit of each kind: every one is given back while the question is open.
fn narrow(builder: ServerBuilder) -> ServerBuilder {
    builder.limits(|limits| {
        limits.calls_per_server = 1;
        limits.calls_per_principal = 1;
        limits.calls_per_connection = 1;
    })
}

#[tokio::test(start_paused = true)]
async fn permits_are_given_back_while_a_question_is_open() {
    let (builder, gate, mut entered) = builder();
    let server = timed(narrow(builder));
    for client in clients(&server).await {
        let call = client.call("ask", json!({}));
        let asked = question(&client).await;
        // Another call has the permits now, and a question of its own after it.
        let holds = client.call("hold", json!({}));
        entered.recv().await.unwrap();
        answer(&client, &asked, "yes");
        client.request("ping", json!({})).await.unwrap();
        gate.open.add_permits(1);
        assert_eq!(holds.await.text(), "held");
        assert_eq!(call.await.text(), r#"{"is":"yes"}"#);
        gate.open.forget_permits(1);
        assert_eq!(server.inner().permits().available_permits(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn clock_counts_while_a_call_waits_for_its_permits() {
    let (builder, gate, mut entered) = builder();
    let server = timed(narrow(builder));
    for client in clients(&server).await {
        let call = client.call("ask", json!({}));
        let asked = question(&client).await;
        sleep(Duration::from_secs(2)).await;
        let holds = client.call("hold", json!({}));
        entered.recv().await.unwrap();
        answer(&client, &asked, "yes");
        let text = call.await.text();
        assert!(text.contains("timed out after 500 ms"), "{text}");
        gate.open.add_permits(1);
        assert_eq!(holds.await.text(), "held");
        gate.open.forget_permits(1);
    }
}

/// However questions end, every permit comes back.
#[tokio::test(start_paused = true)]
async fn no_permit_is_lost_however_questions_end() {
    let (builder, gate, mut entered) = builder();
    let builder = builder.limits(|limits| {
        limits.calls_per_server = 2;
        limits.calls_per_principal = 2;
        limits.calls_per_connection = 2;
        limits.question_time = Duration::from_secs(2);
    });
    let server = timed(builder);
    gate.open.add_permits(1_000);
    for client in clients(&server).await {
        for round in 0..60 {
            let call = client.call(["ask", "two", "impatient", "slow"][round % 4], json!({}));
            let other = client.call("ask", json!({}));
            let asked = question(&client).await;
            match round % 5 {
                0 => answer(&client, &asked, "yes"),
                1 => call.cancel(),
                2 => drop(call),
                3 => {
                    let id = &asked["id"];
                    let error = json!({"code": 1, "message": "no"});
                    let line = json!({"jsonrpc": "2.0", "id": id, "error": error});
                    client.send_line(line.to_string());
                }
                _ => sleep(Duration::from_secs(1)).await,
            }
            other.cancel();
            // Those that were not answered end by their own time.
            sleep(Duration::from_secs(3)).await;
            assert_eq!(server.inner().questions.counts().open, 0);
            while let Ok(Some(_)) = timeout(Duration::from_millis(1), client.next_message()).await {
            }
            assert_eq!(client.call("hold", json!({})).await.text(), "held");
            entered.recv().await.unwrap();
            assert_eq!(server.inner().permits().available_permits(), 2, "{round}");
        }
        // So do both shares of the connection.
        gate.open.forget_permits(1_000);
        let holds = [
            client.call("hold", json!({})),
            client.call("hold", json!({})),
        ];
        for _ in 0..2 {
            entered.recv().await.unwrap();
        }
        gate.open.add_permits(1_000);
        for held in holds {
            assert_eq!(held.await.text(), "held");
        }
    }
}
