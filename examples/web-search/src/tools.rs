//! What the model can call: `search_web`, and `read_page` for documents.
//!
//! The argument structs are the whole truth about the arguments: the schema
//! that the model reads and the checks come from them.

use std::time::Duration;

use garde::Validate;
use mcp_kit::{Json, ResultExt, State, ToolArgs, ToolError, tool, user_error};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Corpus, MAX_QUERY_CHARS, Search, SearchError, SearchHit, searchable};

/// A longer text is cut, so that one page cannot fill a model's memory.
const MAX_READ_CHARS: usize = 40_000;

/// What to search for.
#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[serde(rename_all = "camelCase")]
pub struct SearchArgs {
    /// What to search for: a few words, as typed into a search box.
    #[garde(length(chars, min = 1, max = MAX_QUERY_CHARS), custom(searchable))]
    #[tool_args(
        rule = "must contain text to search for, at most 50 words, and no control characters"
    )]
    pub query: String,
    /// How many results to return.
    #[serde(default = "five")]
    #[garde(range(min = 1, max = 10))]
    pub max_results: u8,
}

fn five() -> u8 {
    5
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SearchResults {
    /// What was searched.
    pub searched: String,
    /// The best results first. Empty if nothing fits.
    pub results: Vec<SearchHit>,
}

/// Search for pages about a topic. Returns their titles and URLs, and the
/// passage of each that fits best.
///
/// Each answer says in `searched` what was searched: the web, or a collection
/// of documents.
#[tool(title = "Web search", read_only, open_world, timeout = "15s")]
pub async fn search_web(
    args: SearchArgs,
    State(search): State<Search>,
) -> Result<Json<SearchResults>, ToolError> {
    let found = search
        .search(args.query.trim(), usize::from(args.max_results))
        .await;
    Ok(Json(SearchResults {
        searched: search.searches().to_owned(),
        results: explained(found)?,
    }))
}

/// Which page to read.
#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
pub struct ReadArgs {
    /// A URL from a search result. With its `#…` it is one section, without it
    /// the whole page.
    #[garde(length(chars, min = 1, max = 2000))]
    pub url: String,
}

/// Read a page that `search_web` found, as markdown.
#[tool(title = "Read a page", read_only, open_world = false, timeout = "5s")]
pub async fn read_page(args: ReadArgs, State(corpus): State<Corpus>) -> Result<String, ToolError> {
    let text = corpus
        .read(&args.url)
        .await?
        .or_user("There is no such page. Use a URL exactly as search_web returned it.")?;
    Ok(cut(text))
}

/// Words for the model in place of each error's own text: what happened, and
/// what to do next. The error itself goes to the log.
fn explained<T>(found: Result<T, SearchError>) -> Result<T, ToolError> {
    let error = match found {
        Ok(found) => return Ok(found),
        Err(error) => error,
    };
    let words = match error {
        SearchError::RateLimited {
            retry_after: Some(wait),
        } => {
            let wait = in_words(wait);
            return Err(user_error!(
                "Search rate limit reached. Try again in {wait}."
            ));
        }
        SearchError::RateLimited { retry_after: None } => {
            "Search rate limit reached. Try again in a minute."
        }
        SearchError::Unauthorized { .. } => {
            "The search service refused this server's API key. Searching again will not help: tell the user to check BRAVE_API_KEY."
        }
        SearchError::Timeout => {
            "The search service did not answer in time. Try again, or search for fewer words."
        }
        SearchError::BadStatus { status: 400..=499 } => {
            "The search service did not accept this search. Search with other words."
        }
        SearchError::BadStatus { .. } | SearchError::BadAnswer { .. } => {
            "The search service has a problem of its own. Try again in a minute."
        }
        SearchError::Unreachable(_) => {
            "The search service cannot be reached. Try again in a minute; if that fails, tell the user to check the network."
        }
        SearchError::Index(_) => return Err(error.into()),
    };
    Err(error).or_user(words)
}

/// `60 seconds`, `16 days`: rounded up, in the largest unit that says enough.
fn in_words(wait: Duration) -> String {
    let seconds = wait.as_secs();
    let (unit, name) = match seconds {
        0..=120 => (1, "second"),
        121..=7_200 => (60, "minute"),
        7_201..=172_800 => (3_600, "hour"),
        _ => (86_400, "day"),
    };
    let count = seconds.div_ceil(unit);
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {name}{plural}")
}

/// At most [`MAX_READ_CHARS`] characters, and a word about what is missing.
fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_READ_CHARS) {
        let missing = text[end..].chars().count();
        text.truncate(end);
        text.push_str(&format!(
            "\n\n[{missing} more characters are not shown. Search for the part that you need.]"
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(error: SearchError) -> String {
        let error = explained::<()>(Err(error)).expect_err("an error stays one");
        error.message().unwrap_or("(internal)").to_owned()
    }

    #[test]
    fn each_error_says_what_to_do_next() {
        let limited = |wait| SearchError::RateLimited {
            retry_after: Some(Duration::from_secs(wait)),
        };
        for (error, message) in [
            (
                limited(1),
                "Search rate limit reached. Try again in 1 second.",
            ),
            (
                limited(60),
                "Search rate limit reached. Try again in 60 seconds.",
            ),
            (
                limited(121),
                "Search rate limit reached. Try again in 3 minutes.",
            ),
            (
                limited(1_419_704),
                "Search rate limit reached. Try again in 17 days.",
            ),
            (
                SearchError::RateLimited { retry_after: None },
                "Search rate limit reached. Try again in a minute.",
            ),
            (
                SearchError::BadStatus { status: 422 },
                "The search service did not accept this search. Search with other words.",
            ),
            (
                SearchError::BadStatus { status: 500 },
                "The search service has a problem of its own. Try again in a minute.",
            ),
        ] {
            assert_eq!(words(error), message);
        }
        assert!(words(SearchError::Unauthorized { status: 401 }).contains("BRAVE_API_KEY"));
    }

    #[test]
    fn no_source_text_reaches_the_model() {
        let source = || "secret path and query".into();
        assert!(!words(SearchError::Unreachable(source())).contains("secret"));
        assert_eq!(words(SearchError::Index(source())), "(internal)");
    }

    #[test]
    fn a_long_page_is_cut_between_characters() {
        assert_eq!(
            cut("é".repeat(MAX_READ_CHARS)).chars().count(),
            MAX_READ_CHARS
        );
        let text = cut("é".repeat(MAX_READ_CHARS + 7));
        assert!(text.starts_with("éé"));
        assert!(
            text.ends_with("[7 more characters are not shown. Search for the part that you need.]")
        );
    }

    #[test]
    fn schema_and_checks_agree() {
        mcp_kit::testing::assert_schema_agrees::<SearchArgs>();
        mcp_kit::testing::assert_schema_agrees::<ReadArgs>();
    }
}
