//! Which program runs, and what it gets: arguments, environment, folder, descriptors.

use mcp_kit::guard::{Command, CommandErrorKind};
use mcp_kit::prelude::*;

use crate::scripts::{path, script};

async fn said(command: Command) -> String {
    command.run().await.unwrap().text().unwrap()
}

async fn refused(command: Command) -> String {
    let error = command.run().await.unwrap_err();
    assert_eq!(error.kind(), CommandErrorKind::InvalidArgument);
    let shown = error.to_string();
    assert_eq!(ToolError::from(error).message(), Some(shown.as_str()));
    shown
}

#[tokio::test]
async fn arguments_reach_the_program_as_they_are() {
    let hostile = "a b; $(id) `id` \"'\\ * \n | & > <";
    let command = script("arguments")
        .arg("log")
        .value(hostile)
        .values(["", "é"])
        .option("--since", "-1 day")
        .arg("--")
        .hyphen_value("-rf");
    let expected = format!("<log><{hostile}><><é><--since=-1 day><--><-rf>");
    assert_eq!(said(command).await, expected);
}

#[tokio::test]
async fn value_that_looks_like_an_option_is_refused() {
    for value in ["-rf", "--output=/etc/passwd", "-"] {
        let text = refused(script("arguments").value("good").value(value)).await;
        let expected = format!(
            "\"{value}\" begins with a character that marks options, which is not allowed here."
        );
        assert_eq!(text, expected);
        refused(script("arguments").values(["good", value])).await;
    }
}

#[tokio::test]
async fn nul_and_long_arguments_are_refused() {
    let nul = "a\0b";
    for command in [
        script("arguments").value(nul),
        script("arguments").hyphen_value(nul),
        script("arguments").option("--x", nul),
    ] {
        assert!(refused(command).await.contains("has a NUL character"));
    }
    let text = refused(script("arguments").env("TOKEN", nul)).await;
    assert_eq!(
        text,
        "The value for the variable TOKEN has a NUL character, which is not allowed here."
    );
    let long = "a".repeat(131_000);
    assert_eq!(said(script("arguments").value(&long)).await.len(), 131_002);
    let text = refused(script("arguments").value(&long).value("b".repeat(100))).await;
    refused(
        script("arguments")
            .value("a")
            .env("X", &long)
            .env("Y", "y".repeat(100)),
    )
    .await;
    assert_eq!(
        text,
        "The arguments have more than 131072 bytes, which is the limit here."
    );
}

#[tokio::test]
async fn author_learns_of_a_wrong_option() {
    for name in ["-n", "n", "--"] {
        let error = script("arguments")
            .option(name, "1")
            .run()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), CommandErrorKind::Internal);
        assert!(
            error.to_string().contains("does not begin with `--`"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn environment_is_empty_but_for_what_the_author_adds() {
    assert!(std::env::vars_os().count() > 0);
    let env = Command::new("/usr/bin/printenv").unwrap();
    assert_eq!(said(env.clone()).await, "");
    let env = env.env("LC_ALL", "C").env("TOKEN", "hunter2");
    assert!(!format!("{env:?}").contains("hunter2"));
    assert_eq!(said(env).await, "LC_ALL=C\nTOKEN=hunter2\n");
}

#[tokio::test]
async fn stdin_is_empty() {
    assert_eq!(said(script("input")).await, "end\n");
}

#[tokio::test]
async fn each_run_has_an_empty_folder_that_is_removed() {
    let mut folders = Vec::new();
    for _ in 0..2 {
        let text = said(script("folder")).await;
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1..], ["inside", "left"]);
        folders.push(lines[0].to_owned());
    }
    assert_ne!(folders[0], folders[1]);
    for folder in folders {
        while std::path::Path::new(&folder).exists() {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn program_runs_in_the_folder_of_its_author() {
    let pwd = Command::new("/bin/pwd").unwrap().folder("/usr");
    assert_eq!(said(pwd).await, "/usr\n");
    let missing = Command::new("/bin/pwd").unwrap().folder("/no-such-folder");
    let error = missing.run().await.unwrap_err();
    assert_eq!(error.kind(), CommandErrorKind::Internal);
    assert_eq!(ToolError::from(error).message(), None);
}

#[cfg(feature = "fs")]
#[tokio::test]
async fn program_runs_in_a_sandboxed_folder_also_after_it_was_renamed() {
    let before = path("sandbox-before");
    std::fs::create_dir_all(before.join("here")).unwrap();
    let sandbox = mcp_kit::guard::SandboxDir::open(&before).unwrap();
    let after = path("sandbox-after");
    std::fs::rename(&before, &after).unwrap();
    let ls = Command::new("/bin/ls").unwrap().sandbox(&sandbox);
    assert_eq!(said(ls).await, "here\n");
    let pwd = Command::new("/bin/pwd").unwrap().sandbox(&sandbox);
    assert_eq!(said(pwd).await.trim(), after.to_str().unwrap());
}

#[test]
fn program_is_resolved_once_and_refused_at_the_start() {
    let new = |program: &std::path::Path| Command::new(program).map_err(|error| error.to_string());
    let refused = |program: &str| new(program.as_ref()).unwrap_err();
    assert!(
        refused("no-such-program")
            .starts_with("cannot run the program no-such-program: it is in no folder of PATH (")
    );
    assert!(refused("/no/such/program").starts_with("cannot run the program /no/such/program: "));
    for relative in ["./ls", "bin/ls", "../ls", ".", ""] {
        assert!(
            refused(relative).contains("write its absolute path"),
            "{relative}"
        );
    }
    assert!(refused("/usr/bin").contains("it is not a file"));
    for shell in ["/bin/sh", "sh", "bash", "/bin/../bin/bash"] {
        assert!(refused(shell).contains("it is a shell"), "{shell}");
    }
    assert!(new(&path("linked")).unwrap_err().contains("it is a shell"));
    for shell in [
        "bash-5.2",
        "ksh93",
        "ksh93u+m",
        "zsh-5.9",
        "zsh-static",
        "nu",
        "rbash",
        "pwsh-preview",
    ] {
        let shell = path("named").join(shell);
        assert!(
            new(&shell).unwrap_err().contains("it is a shell"),
            "{shell:?}"
        );
    }
    for launcher in ["/usr/bin/env", "env"] {
        assert!(refused(launcher).contains("that its arguments name"));
    }
    for launcher in ["busybox", "busybox.static", "linked-env"] {
        let error = new(&path("named").join(launcher)).unwrap_err();
        assert!(error.contains("that its arguments name"), "{error}");
    }
    for other in ["bash-language-server", "shfmt", "envsubst", "numfmt"] {
        new(&path("named").join(other)).unwrap();
    }
    // On Alpine most programs are links to it.
    new(&path("named").join("linked-busybox")).unwrap();
    assert!(
        new(&path("plain"))
            .unwrap_err()
            .contains("it is not executable")
    );

    let folder = path("");
    let found = Command::in_path("arguments", &folder).unwrap();
    assert!(format!("{found:?}").contains(path("arguments").to_str().unwrap()));
    // Folders of PATH that are relative mean nothing to a server.
    assert!(Command::in_path("arguments", "").is_err());
    assert!(Command::in_path("ls", ".:bin").is_err());
}
