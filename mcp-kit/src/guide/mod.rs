#![doc = include_str!("links.md")]
#![doc = include_str!("../../docs/guide/README.md")]
// The pages are files of `docs/guide`, so that they can be read without rustdoc.
// There they link to each other by file name: each page ends with definitions
// such as `[errors]: errors.md`. Of two definitions of a label, markdown takes
// the first, so `links.md` in front of a page makes its links lead to modules.
// `tests/guide.rs` compares the two, and follows the links.

/// `page!(module, "file.md", "feature"…)`: a page, and the features that its
/// snippets use. rustdoc always renders it; its snippets are tests only if these
/// features are enabled.
macro_rules! page {
    ($name:ident, $file:literal $(, $feature:literal)*) => {
        #[cfg(any(not(doctest), all($(feature = $feature),*)))]
        #[doc = include_str!("links.md")]
        #[doc = include_str!(concat!("../../docs/guide/", $file))]
        pub mod $name {}
    };
}

page!(overview, "overview.md");
page!(writing_a_tool, "writing-a-tool.md");
page!(arguments, "arguments.md");
page!(results, "results.md");
page!(errors, "errors.md");
page!(asking, "asking.md");
page!(prompts, "prompts.md");
page!(resources, "resources.md");
page!(changes, "changes.md");
page!(completion, "completion.md");
page!(describing, "describing.md");
page!(tasks, "tasks.md");
page!(extensions, "extensions.md");
page!(skills, "skills.md", "skills");
page!(middleware, "middleware.md");
page!(testing, "testing.md", "http");
page!(portability, "portability.md");

page!(command_line, "command-line.md", "cli");
page!(stdio, "stdio.md", "stdio", "logging");
page!(http, "http.md", "http", "redis");
page!(keys, "keys.md", "http", "oauth");
page!(limits, "limits.md", "redis");
page!(logging, "logging.md");
page!(metrics, "metrics.md", "metrics");
page!(going_live, "going-live.md");

page!(files, "files.md", "fs");
page!(fetching, "fetching.md", "net");
page!(running_programs, "running-programs.md", "process");
page!(databases, "databases.md");
page!(secrets, "secrets.md");
