//! The keys by which a client returns the answers of a round.

use serde_json::Map;

use super::*;

#[tokio::test]
async fn missing_answers_are_asked_again_and_other_keys_are_ignored() {
    let joined = asking("joined", |client| async move {
        let (one, two) = tokio::join!(ask(&client, "one"), ask(&client, "two"));
        Ok(format!("{} {}", one?, two?))
    });
    let server = builder().add(joined).build().unwrap();
    let client = Modern::new(&server).await;
    let first = client.begin("joined").await;
    let mut answers = first.answers(1);
    let last = first
        .requests
        .as_object()
        .unwrap()
        .keys()
        .next_back()
        .unwrap();
    answers.as_object_mut().unwrap().remove(last);
    answers["other"] = accepted(99);
    answers["01-other-1"] = accepted(99);
    let second = round(client.answer("joined", &first, answers).await);
    assert_eq!(second.messages(), ["two"]);
    // Without any answer, the question is the same.
    let third = client.send(
        json!({"name": "joined"}),
        json!({"requestState": second.state}),
    );
    let third = round(third.await.unwrap());
    assert_eq!(third.requests, second.requests);
    let result = client.answer("joined", &third, third.answers(2)).await;
    assert_eq!(text(&result), "1 2");
}

#[tokio::test]
async fn a_named_question_keeps_its_answer_when_its_content_differs() {
    let runs = Arc::new(AtomicUsize::new(0));
    let named = asking("named", move |client| {
        let price = runs.fetch_add(1, Ordering::SeqCst);
        async move {
            let message = format!("For {price} now?");
            let (one, two) = tokio::join!(
                client.elicit::<Number>(&message).key("price"),
                client.elicit::<Number>(&message)
            );
            let number = |answer: Elicited<Number>| answer.accepted().map(|number| number.n);
            Ok(format!("{:?} {:?}", number(one?), number(two?)))
        }
    });
    let server = builder().add(named).build().unwrap();
    let client = Modern::new(&server).await;
    let first = client.begin("named").await;
    let keys: Vec<_> = first.requests.as_object().unwrap().keys().collect();
    assert_eq!(keys[1], "price");
    assert!(keys[0].starts_with("02-"), "{keys:?}");
    // The other question is another one in the next round.
    let second = round(client.answer("named", &first, first.answers(1)).await);
    assert_eq!(second.messages(), ["For 1 now?"]);
    // The name is the key, and nothing that looks like one.
    let mut answers = first.answers(7);
    answers["01-=price"] = accepted(9);
    answers.as_object_mut().unwrap().remove("price");
    let second = round(client.answer("named", &first, answers).await);
    assert_eq!(second.messages().len(), 2);
}

#[tokio::test]
async fn answer_to_a_named_question_can_come_with_the_first_request() {
    let named = asking("named", |client| async move {
        let one = client.elicit::<Number>("one").key("first").await?;
        let two = client.elicit::<Number>("two").await?;
        let number = |answer: Elicited<Number>| answer.accepted().map(|number| number.n);
        Ok(format!("{:?} {:?}", number(one), number(two)))
    });
    let server = builder().add(named).build().unwrap();
    let client = Modern::new(&server).await;
    let responses = json!({"first": accepted(7), "other": accepted(8)});
    let early = json!({"inputResponses": responses});
    let result = client.send(json!({"name": "named"}), early).await;
    let second = round(result.unwrap());
    assert_eq!(second.messages(), ["two"]);
    let result = client.answer("named", &second, second.answers(2)).await;
    assert_eq!(text(&result), "Some(7) Some(2)");
    // A wrong one is asked again.
    let early = json!({"inputResponses": {"first": accepted(101)}});
    let result = client.send(json!({"name": "named"}), early).await;
    assert_eq!(round(result.unwrap()).messages().len(), 1);
    let early = json!({"inputResponses": 7});
    let refused = client.send(json!({"name": "named"}), early).await;
    let refused = refused.unwrap_err().to_string();
    assert!(
        refused.contains("\"inputResponses\" must be an object"),
        "{refused}"
    );
    // The server keeps no more of them than a call can ask for.
    let many = |last: usize| {
        let names = (1..last).map(|at| at.to_string()).chain(["first".into()]);
        let responses: Map<String, Value> = names.map(|name| (name, accepted(7))).collect();
        json!({"inputResponses": responses})
    };
    let result = client.send(json!({"name": "named"}), many(64)).await;
    assert_eq!(round(result.unwrap()).messages(), ["two"]);
    let refused = client.send(json!({"name": "named"}), many(65)).await;
    assert_eq!(refused.unwrap_err().code(), Some(-32602));
}

#[tokio::test]
async fn two_questions_with_one_name_are_an_error_of_the_handler() {
    let doubled = asking("doubled", |client| async move {
        let one = client.elicit::<Number>("one").key("n").await?;
        let two = client.elicit::<Number>("two").key("n").await?;
        Ok(format!("{one:?} {two:?}").len().to_string())
    });
    let server = builder().add(doubled).build().unwrap();
    let client = Modern::new(&server).await;
    let first = client.begin("doubled").await;
    let result = client.answer("doubled", &first, first.answers(1)).await;
    assert_eq!(result["isError"], true);
    assert!(text(&result).starts_with("An internal error occurred"));
}
