//! Resources over stdio: what they hold, and that their failures are contained.

use std::fs;

use serde_json::{Value, json};

use crate::process::{Chaos, scratch, setup};
use crate::rpc;

fn read(chaos: &mut Chaos, uri: &str) -> Value {
    chaos.request("resources/read", json!({ "uri": uri }))
}

#[track_caller]
fn text(chaos: &mut Chaos, uri: &str) -> String {
    let answer = read(chaos, uri);
    let contents = &rpc::result(&answer)["contents"][0];
    assert_eq!(contents["uri"], uri, "{answer}");
    contents["text"].as_str().expect("a text").to_owned()
}

#[test]
fn resources_are_read_in_both_eras() {
    for mut chaos in [setup().legacy(), setup().modern()] {
        assert_eq!(text(&mut chaos, "note://welcome"), "welcome");
        assert_eq!(text(&mut chaos, "note://alice/7"), "note 7 of alice");
        // On stdio the caller is `local`.
        assert_eq!(text(&mut chaos, "note://bob/7"), "note 7 of bob");
        assert_eq!(text(&mut chaos, "secret://admin"), "welcome");
        let pixel = read(&mut chaos, "blob://pixel");
        let pixel = rpc::result(&pixel)["contents"][0]["blob"].as_str();
        assert!(pixel.is_some_and(|blob| blob.starts_with("iVBORw0KGgo")));
        let answer = read(&mut chaos, "note://Bob/101");
        assert_eq!(rpc::code(&answer), -32602);
        let message = rpc::message(&answer);
        assert!(
            message.contains("owner: ") && message.contains("id: "),
            "{message}"
        );
    }
}

#[test]
fn failures_of_resources_are_errors_without_secrets() {
    for (mut chaos, unknown) in [(setup().legacy(), -32002), (setup().modern(), -32602)] {
        let answer = read(&mut chaos, "note://nobody");
        assert_eq!(rpc::code(&answer), unknown, "{answer}");
        assert_eq!(answer["error"]["data"]["uri"], "note://nobody");
        for uri in ["leak://db", "panic://now"] {
            let answer = read(&mut chaos, uri);
            assert_eq!(rpc::code(&answer), -32603, "{answer}");
            let reference = rpc::reference(rpc::message(&answer));
            assert!(!answer.to_string().contains("hunter2"), "{answer}");
            let line = chaos
                .log
                .wait_for("the reference", |line| line.contains(&reference));
            assert!(line.contains(uri) && line.contains("hunter2"), "{line}");
        }
        let answer = read(&mut chaos, "slow://600000");
        assert_eq!(rpc::code(&answer), -32603);
        assert!(
            rpc::message(&answer).contains("timed out after 500 ms"),
            "{answer}"
        );
        chaos.assert_alive();
    }
}

#[test]
fn files_outside_of_the_folder_are_not_read() {
    let folder = scratch("resource-files");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("root")).unwrap();
    fs::write(folder.join("root/notes.txt"), "notes").unwrap();
    fs::write(folder.join("secret.txt"), "a secret outside").unwrap();
    let mut chaos = setup().env("CHAOS_ROOT", folder.join("root")).modern();
    assert_eq!(text(&mut chaos, "file://notes.txt"), "notes");
    for path in [
        "../secret.txt",
        "..%2Fsecret.txt",
        "%2e%2e%2Fsecret.txt",
        "/etc/passwd",
    ] {
        let answer = read(&mut chaos, &format!("file://{path}"));
        assert_eq!(rpc::code(&answer), -32602, "{path}: {answer}");
        let host = folder.to_string_lossy();
        for part in ["a secret", "root:", &*host] {
            assert!(!answer.to_string().contains(part), "{path}: {answer}");
        }
    }
    let _ = fs::remove_dir_all(&folder);
}
