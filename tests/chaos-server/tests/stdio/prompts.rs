//! Prompts over stdio: their bytes in both eras, and that they contain what the
//! tools contain.

use serde_json::{Value, json};

use crate::process::{Chaos, setup};
use crate::rpc;

fn get(chaos: &mut Chaos, prompt: &str, arguments: Value) -> Value {
    let params = json!({ "name": prompt, "arguments": arguments });
    chaos.request("prompts/get", params)
}

#[test]
fn prompts_are_listed_and_greet_in_both_eras() {
    for mut chaos in [setup().legacy(), setup().modern()] {
        let list = chaos.request("prompts/list", json!({}));
        let prompts = rpc::result(&list)["prompts"]
            .as_array()
            .expect("a list")
            .clone();
        let names: Vec<_> = prompts
            .iter()
            .map(|prompt| prompt["name"].clone())
            .collect();
        for name in [
            "greet",
            "leak_prompt",
            "panic_prompt",
            "admin_prompt",
            "slow_prompt",
        ] {
            assert!(names.contains(&json!(name)), "{name}: {names:?}");
        }
        let arguments = prompts[0]["arguments"].as_array().expect("arguments");
        let of = |argument: &Value| (argument["name"].clone(), argument["required"].clone());
        let arguments: Vec<_> = arguments.iter().map(of).collect();
        let (name, tone) = ((json!("name"), json!(true)), (json!("tone"), json!(false)));
        assert_eq!(arguments, [name, tone]);
        for (arguments, text) in [
            (json!({ "name": "Ada" }), "Greet Ada, casual."),
            (
                json!({ "name": "Ada", "tone": "formal" }),
                "Greet Ada, formal.",
            ),
        ] {
            let answer = get(&mut chaos, "greet", arguments);
            let content = json!({ "type": "text", "text": text });
            let messages = json!([{ "role": "user", "content": content }]);
            assert_eq!(rpc::result(&answer)["messages"], messages);
        }
    }
}

#[test]
fn prompts_leak_nothing_and_the_server_goes_on() {
    for mut chaos in [setup().legacy(), setup().modern()] {
        for prompt in ["leak_prompt", "panic_prompt"] {
            let answer = get(&mut chaos, prompt, json!({}));
            assert_eq!(rpc::code(&answer), -32603);
            let text = rpc::message(&answer);
            assert!(
                text.starts_with("An internal error occurred (reference "),
                "{text}"
            );
            assert!(!answer.to_string().contains("hunter2"), "{answer}");
        }
        let late = get(&mut chaos, "slow_prompt", json!({ "ms": "600000" }));
        assert_eq!(rpc::code(&late), -32603);
        assert!(
            rpc::message(&late).contains("timed out after 500 ms"),
            "{late}"
        );
        let soon = get(&mut chaos, "slow_prompt", json!({ "ms": "1" }));
        assert_eq!(
            rpc::result(&soon)["messages"][0]["content"]["text"],
            "slept 1"
        );

        let wrong = get(
            &mut chaos,
            "greet",
            json!({ "name": "", "tone": "rude", "ton": "x" }),
        );
        assert_eq!(rpc::code(&wrong), -32602);
        for part in ["name: ", "tone: ", "did you mean \"tone\"?"] {
            assert!(rpc::message(&wrong).contains(part), "{wrong}");
        }
    }
}

#[test]
fn without_its_scope_a_prompt_is_like_one_that_does_not_exist() {
    let of = |scopes: &str| setup().env("CHAOS_LOCAL_SCOPES", scopes);
    for mut chaos in [of("none").legacy(), of("read+write").modern()] {
        let list = chaos.request("prompts/list", json!({}));
        assert!(!list.to_string().contains("admin_prompt"), "{list}");
        let hidden = get(&mut chaos, "admin_prompt", json!({}));
        assert_eq!(
            hidden["error"],
            json!({ "code": -32602, "message": "Unknown prompt: admin_prompt" })
        );
        let tool = chaos.request("tools/call", json!({ "name": "admin" }));
        assert_eq!(
            tool["error"],
            json!({ "code": -32602, "message": "Unknown tool: admin" })
        );
    }
    let mut chaos = of("read+admin").modern();
    let welcome = get(&mut chaos, "admin_prompt", json!({}));
    assert_eq!(
        rpc::result(&welcome)["messages"][0]["content"]["text"],
        "welcome"
    );
}
