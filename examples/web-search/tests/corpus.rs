//! What a person notices when searching a folder of documents.

use std::{fs, path::PathBuf};

use web_search::{Corpus, Document, FolderError, MAX_FILE_BYTES, SearchHit, SearchProvider};

fn corpus(documents: &[(&str, &str)]) -> Corpus {
    let documents = documents.iter().map(|&(path, text)| Document {
        path: path.to_owned(),
        text: text.to_owned(),
    });
    Corpus::new("some documents", documents).expect("the index is built")
}

async fn search(corpus: &Corpus, query: &str) -> Vec<SearchHit> {
    corpus
        .search(query, 10)
        .await
        .expect("a search cannot fail")
}

async fn urls(corpus: &Corpus, query: &str) -> Vec<String> {
    let hits = search(corpus, query).await;
    hits.into_iter().map(|hit| hit.url).collect()
}

/// An empty folder that only this test uses.
fn empty_folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("the old folder can be removed");
    }
    fs::create_dir_all(&folder).expect("the folder can be made");
    folder
}

#[tokio::test]
async fn the_best_section_comes_first_with_its_title_and_a_snippet() {
    let corpus = corpus(&[
        (
            "a.md",
            "# Cats\nA text that mentions a drain once, in passing.\n",
        ),
        (
            "b.md",
            "# Plumbing\nPipes.\n\n## The drain\nWater leaves\n   by the pipe.\n",
        ),
    ]);
    let hits = search(&corpus, "drain").await;
    assert_eq!(hits.len(), 2);
    assert_eq!(hits[0].title, "Plumbing › The drain");
    assert_eq!(hits[0].url, "corpus:b.md#the-drain");
    assert_eq!(hits[0].snippet, "Water leaves by the pipe.");
    assert_eq!(hits[1].url, "corpus:a.md");
    assert!(hits[1].snippet.contains("mentions a drain once"));
}

#[tokio::test]
async fn a_long_text_is_shown_around_the_match() {
    let filler = "filler ".repeat(5_000);
    let corpus = corpus(&[("a.txt", &format!("{filler} the needle itself {filler}"))]);
    let hits = search(&corpus, "needle").await;
    assert!(hits[0].snippet.contains("the needle itself"));
    assert!(hits[0].snippet.len() < 500, "{}", hits[0].snippet);
}

#[tokio::test]
async fn word_forms_case_and_accents_do_not_matter() {
    let corpus = corpus(&[("a.txt", "The Résumé was limited by several Limits.")]);
    for query in ["resume", "RÉSUMÉ", "limit", "limiting"] {
        assert_eq!(urls(&corpus, query).await, ["corpus:a.txt"], "{query}");
    }
}

#[tokio::test]
async fn all_words_are_wanted_and_any_word_is_better_than_nothing() {
    let corpus = corpus(&[
        ("both.txt", "apple and pear"),
        ("one.txt", "apple alone, an apple, only apple"),
    ]);
    assert_eq!(urls(&corpus, "apple pear").await, ["corpus:both.txt"]);
    assert_eq!(urls(&corpus, "pear zebra").await, ["corpus:both.txt"]);
    assert_eq!(urls(&corpus, "zebra").await, [""; 0]);
}

#[tokio::test]
async fn an_empty_index_and_a_query_without_words_find_nothing() {
    assert!(search(&corpus(&[]), "anything").await.is_empty());
    let corpus = corpus(&[("a.txt", "some text")]);
    for query in ["", " ", "*", "\"\"", "🦀", "-"] {
        assert!(search(&corpus, query).await.is_empty(), "{query:?}");
    }
}

#[tokio::test]
async fn the_limit_is_kept() {
    let names: Vec<String> = (0..30).map(|n| format!("{n:02}.txt")).collect();
    let documents: Vec<(&str, &str)> = names.iter().map(|name| (&**name, "word")).collect();
    let corpus = corpus(&documents);
    assert_eq!(corpus.search("word", 3).await.expect("hits").len(), 3);
    let again = corpus.search("word", 3).await.expect("hits");
    assert_eq!(again[0].url, "corpus:00.txt", "ties have a fixed order");
}

#[tokio::test]
async fn no_query_is_a_syntax_error() {
    let corpus = corpus(&[("a.md", "# near\nbody title rank AND or NOT\n")]);
    let pieces = [
        "\"",
        "'",
        "*",
        "^",
        ":",
        "-",
        "+",
        "(",
        ")",
        "{",
        "}",
        ",",
        ";",
        "--",
        "/*",
        "%",
        "_",
        "\\",
        "\0",
        "\u{1}",
        "\n",
        " ",
        " ",
        " ",
        "NEAR(",
        "NEAR(a b, 2)",
        "AND",
        "OR",
        "NOT",
        "title:",
        "-title:",
        "{title body}:",
        "section_text",
        "rank",
        "near",
        "body",
        "a",
        "é",
        "e\u{301}",
        "限制",
        "🦀",
        "👩\u{200d}💻",
        "\u{202e}",
        "\u{feff}",
        "\u{fffd}",
        "\u{10ffff}",
        "0x",
        "1e9",
    ];
    // A fixed seed: the same 5,000 queries each time.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for _ in 0..5_000 {
        let length = random(12);
        let query: String = (0..length).map(|_| pieces[random(pieces.len())]).collect();
        let result = corpus.search(&query, 5).await;
        assert!(result.is_ok(), "{query:?}: {result:?}");
    }
    let longest = "NEAR(\"".repeat(100_000);
    assert!(corpus.search(&longest, 5).await.is_ok());
}

#[tokio::test]
async fn a_hit_can_be_read_as_a_section_or_as_the_whole_document() {
    let text = "# Guide\nHello.\n\n## Limits\nFive.\n### Rates\nSix.\n## End\n";
    let corpus = corpus(&[("my guide.md", text), ("empty.txt", "")]);
    let read = async |url: &str| corpus.read(url).await.expect("reading cannot fail");
    assert_eq!(read("corpus:my%20guide.md").await.as_deref(), Some(text));
    let limits = read("corpus:my%20guide.md#limits").await;
    assert_eq!(
        limits.as_deref(),
        Some("## Limits\nFive.\n### Rates\nSix.\n")
    );
    assert_eq!(read("corpus:empty.txt").await.as_deref(), Some(""));
    for url in [
        "corpus:other.md",
        "corpus:my%20guide.md#x",
        "/etc/passwd",
        "",
        "' OR 1 --",
    ] {
        assert_eq!(read(url).await, None, "{url:?}");
    }
}

#[tokio::test]
async fn a_folder_is_searched_with_its_subfolders() {
    let folder = empty_folder("subfolders");
    fs::create_dir_all(folder.join("deep/er")).expect("a folder");
    fs::create_dir_all(folder.join(".git")).expect("a folder");
    for (path, text) in [
        ("top.md", "# Top\nword"),
        ("deep/er/note.TXT", "word"),
        ("program.rs", "word"),
        (".git/hidden.md", "word"),
        (".hidden.md", "word"),
    ] {
        fs::write(folder.join(path), text).expect("a file");
    }
    let corpus = Corpus::folder(&folder).expect("the folder can be searched");
    let mut found = urls(&corpus, "word").await;
    found.sort();
    assert_eq!(found, ["corpus:deep/er/note.TXT", "corpus:top.md"]);
}

#[tokio::test]
async fn unusable_files_are_left_out_and_the_rest_is_found() {
    let folder = empty_folder("unusable");
    let large = "word ".repeat(MAX_FILE_BYTES as usize / 5 + 1);
    fs::write(folder.join("good.txt"), "word").expect("a file");
    fs::write(folder.join("large.txt"), large).expect("a file");
    fs::write(folder.join("latin1.txt"), b"word \xE9\xFF").expect("a file");
    fs::write(folder.join("binary.txt"), b"word \0\0").expect("a file");
    let corpus = Corpus::folder(&folder).expect("the folder can be searched");
    assert_eq!(urls(&corpus, "word").await, ["corpus:good.txt"]);
}

#[cfg(unix)]
#[tokio::test]
async fn links_do_not_lead_out_of_the_folder_or_round_in_circles() {
    use std::os::unix::fs::symlink;

    let outside = empty_folder("links-outside");
    fs::write(outside.join("secret.txt"), "word secret").expect("a file");
    let folder = empty_folder("links");
    fs::write(folder.join("good.txt"), "word").expect("a file");
    symlink(outside.join("secret.txt"), folder.join("file.txt")).expect("a link");
    symlink(&outside, folder.join("folder")).expect("a link");
    symlink(&folder, folder.join("circle")).expect("a link");
    symlink(folder.join("gone.txt"), folder.join("broken.txt")).expect("a link");
    symlink("/dev/zero", folder.join("endless.txt")).expect("a link");
    let corpus = Corpus::folder(&folder).expect("the folder can be searched");
    assert_eq!(urls(&corpus, "word").await, ["corpus:good.txt"]);
}

#[test]
fn a_folder_that_cannot_be_searched_says_why() {
    let folder = empty_folder("useless");
    let missing = Corpus::folder(&folder.join("missing")).err();
    assert!(matches!(missing, Some(FolderError::Unreadable { .. })));
    assert!(matches!(
        Corpus::folder(&folder).err(),
        Some(FolderError::Empty { .. })
    ));
    fs::write(folder.join("file.txt"), "x").expect("a file");
    let file = Corpus::folder(&folder.join("file.txt")).err();
    let message = file.expect("a file is not a folder").to_string();
    assert!(message.starts_with("the folder ") && message.ends_with("cannot be read"));
}

#[tokio::test]
async fn the_built_in_notes_answer_questions() {
    let corpus = Corpus::embedded().expect("the index is built");
    for (question, answer) in [
        ("rate limits", "limits.md#rate-limits"),
        ("how long should a queue be?", "limits.md#queues"),
        ("timeout", "timeouts.md"),
        (
            "deadline for several services",
            "timeouts.md#one-deadline-for-the-whole-request",
        ),
        (
            "Which requests can I retry?",
            "retries.md#what-may-be-retried",
        ),
        ("jitter", "retries.md#backoff-and-jitter"),
        ("shutdown SIGTERM", "deploys.md#shutting-down"),
        ("roll back a version", "deploys.md#rollback"),
        ("what must not be logged", "logs.md#what-stays-out"),
        ("JSON log lines", "logs.md"),
        ("restoring a backup", "backups.md"),
        ("how many copies", "backups.md#where-copies-are-kept"),
        ("first steps in an incident", "incidents.md#first-steps"),
        ("overloaded service", "incidents.md#overload"),
    ] {
        let found = urls(&corpus, question).await;
        let first = &found[..found.len().min(3)];
        assert!(
            first.contains(&format!("corpus:{answer}")),
            "{question}: {first:?}"
        );
    }
}

#[tokio::test]
async fn a_page_cannot_fill_the_answer() {
    let word = "x".repeat(100_000);
    let corpus = corpus(&[(
        "a.md",
        &format!("# needle {word}\nneedle{word} needle {word}\n"),
    )]);
    let hits = search(&corpus, "needle").await;
    assert!(hits[0].title.chars().count() < 250);
    assert!(hits[0].snippet.chars().count() < 650);
}
