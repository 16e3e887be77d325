//! Answers the questions of handlers: a person fills in forms, agrees to open URLs, and
//! answers in place of a model. The root is the current directory.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::EndRequest;
use super::form::Field;
use super::input::Entry;
use crate::answers::{Answer, Asked};
use crate::content::shown;
use crate::support::json::Members as _;
use crate::support::text::{one_line, plain};

/// Where questions are shown and answers come from.
pub(super) trait Console: Send {
    /// Prints a text, which is safe for a terminal.
    fn print(&mut self, text: &str);

    /// Prints a prompt, and waits for an entry.
    fn read(&mut self, prompt: &str) -> Entry;
}

/// Asks the questions of one server.
pub(super) struct Questions<C> {
    server: String,
    console: C,
    end: EndRequest,
    /// The last form and its answer: after a wrong answer the server asks the form again.
    last: Option<(Value, Map<String, Value>)>,
}

/// A person has closed the question.
struct Closed;

impl<C: Console> Questions<C> {
    pub(super) fn new(server: &str, console: C, end: EndRequest) -> Self {
        Self {
            server: one_line(server),
            console,
            end,
            last: None,
        }
    }

    /// Asks a question, and returns the answer.
    pub(super) fn answer(&mut self, asked: &Asked) -> Answer {
        let answer = match asked.method() {
            "elicitation/create" if asked.params().at("mode") == "url" => self.url(asked),
            "elicitation/create" => self.form(asked),
            "sampling/createMessage" => return self.sample(asked),
            _ => return self.roots(),
        };
        answer.unwrap_or_else(|Closed| Answer::cancel())
    }

    fn form(&mut self, asked: &Asked) -> Result<Answer, Closed> {
        let message = plain(asked.message().trim());
        self.print(&format!("{} asks: {message}\n", self.server));
        let schema = asked.params().at("requestedSchema");
        let fields = Field::all_of(schema, asked.fields());
        if fields.is_empty() {
            return Ok(match self.yes_or_no("Accept? [y/n] ", None)? {
                true => Answer::accept(Value::Object(Map::new())),
                false => Answer::decline(),
            });
        }
        if !self.yes_or_no("Answer? [Y/n] ", Some(true))? {
            return Ok(Answer::decline());
        }
        let earlier = match self.last.take() {
            Some((form, answer)) if form == *schema => answer,
            _ => Map::new(),
        };
        let mut content = Map::new();
        for field in fields {
            let field = field.with_default_of(&earlier);
            if let Some(value) = self.field(&field)? {
                content.insert(field.name().to_owned(), value);
            }
        }
        self.last = Some((schema.clone(), content.clone()));
        Ok(Answer::accept(Value::Object(content)))
    }

    /// Asks for a field until its value is right; `None` leaves it out.
    fn field(&mut self, field: &Field<'_>) -> Result<Option<Value>, Closed> {
        self.print(&field.heading());
        loop {
            let line = self.line(&field.prompt())?;
            match field.read(&line) {
                Ok(value) => return Ok(value),
                Err(problem) => self.print(&format!("  {}\n", plain(&problem))),
            }
        }
    }

    fn url(&mut self, asked: &Asked) -> Result<Answer, Closed> {
        let message = plain(asked.message().trim());
        let url = one_line(asked.params().at("url").as_str().unwrap_or_default());
        self.print(&format!(
            "{} asks to open a URL: {message}\n  {url}\n",
            self.server
        ));
        Ok(
            match self.yes_or_no("Open the URL in your browser, then continue? [y/n] ", None)? {
                true => Answer::open(),
                false => Answer::decline(),
            },
        )
    }

    /// Shows a request to a model, and returns what a person answers in its place.
    fn sample(&mut self, asked: &Asked) -> Answer {
        let params = asked.params();
        let mut text = format!("{} asks a model:\n", self.server);
        if let Some(system) = params.at("systemPrompt").as_str() {
            text.push_str(&format!("  system: {}\n", plain(system)));
        }
        for message in params.at("messages").as_array().into_iter().flatten() {
            let role = one_line(message.at("role").as_str().unwrap_or_default());
            let content = plain(&shown::block(message.at("content")));
            text.push_str(&format!("  {role}: {content}\n"));
        }
        text.push_str("There is no model here: write its answer in one line.\n");
        self.print(&text);
        match self.line("answer: ") {
            Ok(line) => Answer::result(json!({
                "role": "assistant",
                "content": {"type": "text", "text": line},
                "model": "person",
                "stopReason": "endTurn",
            })),
            Err(Closed) => {
                // A request to a model cannot be declined in the modern era.
                (self.end)("the handler asked a model, and no answer was given");
                Answer::error(-1, "")
            }
        }
    }

    fn roots(&mut self) -> Answer {
        let directory = std::env::current_dir().ok();
        let root = directory.as_deref().map(file_uri);
        if let Some(root) = &root {
            self.print(&format!("{} asks for roots: {root}\n", self.server));
        }
        Answer::roots(root.as_deref())
    }

    fn yes_or_no(&mut self, prompt: &str, default: Option<bool>) -> Result<bool, Closed> {
        loop {
            let line = self.line(prompt)?;
            match (yes_or_no(&line), default) {
                (Some(yes), _) => return Ok(yes),
                (None, Some(default)) if line.trim().is_empty() => return Ok(default),
                _ => self.print("  write y or n; Ctrl-D closes the question\n"),
            }
        }
    }

    fn line(&mut self, prompt: &str) -> Result<String, Closed> {
        loop {
            match self.console.read(prompt) {
                Entry::Line(line) => return Ok(line),
                Entry::Unreadable => self.print("  must be UTF-8\n"),
                Entry::Closed => return Err(Closed),
            }
        }
    }

    fn print(&mut self, text: &str) {
        self.console.print(text);
    }
}

/// Reads "y" or "no"; `None` for anything else.
pub(super) fn yes_or_no(line: &str) -> Option<bool> {
    match line.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" | "true" => Some(true),
        "n" | "no" | "false" => Some(false),
        _ => None,
    }
}

/// Returns the `file://` URI of an absolute path.
fn file_uri(path: &Path) -> String {
    let mut uri = String::from("file://");
    let path = path.as_os_str().as_encoded_bytes();
    if !path.starts_with(b"/") {
        uri.push('/'); // before the drive of Windows
    }
    for byte in path {
        match byte {
            b'\\' if cfg!(windows) => uri.push('/'),
            b'/' | b':' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(*byte)),
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// Enters lines, and records what was printed.
    struct Script {
        entries: VecDeque<Entry>,
        printed: String,
    }

    impl Console for &mut Script {
        fn print(&mut self, text: &str) {
            self.printed.push_str(text);
        }

        fn read(&mut self, prompt: &str) -> Entry {
            self.printed.push_str(prompt);
            let entry = self.entries.pop_front().unwrap_or(Entry::Closed);
            if let Entry::Line(line) = &entry {
                self.printed.push_str(&format!("{line}\n"));
            }
            entry
        }
    }

    /// Returns the answer to a question by a person who enters these lines and then
    /// Ctrl-D, and what the terminal shows.
    fn ask(method: &str, params: Value, lines: &[&str]) -> (Value, String) {
        let mut script = script(lines);
        let answer = Questions::new("inn", &mut script, Box::new(|_| {}))
            .answer(&Asked::new(method, params));
        (answer.into_outcome().unwrap_or_default(), script.printed)
    }

    fn script(lines: &[&str]) -> Script {
        let entries = lines.iter().map(|line| Entry::Line((*line).to_owned()));
        Script {
            entries: entries.collect(),
            printed: String::new(),
        }
    }

    fn elicit(schema: Value, lines: &[&str]) -> (Value, String) {
        let params =
            json!({"mode": "form", "message": "Which \u{1b}[31mroom?", "requestedSchema": schema});
        ask("elicitation/create", params, lines)
    }

    fn accepted(content: Value) -> Value {
        json!({"action": "accept", "content": content})
    }

    #[test]
    fn form_is_asked_field_by_field_and_a_wrong_value_again() {
        let schema = json!({
            "type": "object",
            "properties": {
                "floor": {"type": "integer", "minimum": 1, "maximum": 3, "title": "Floor",
                    "description": "Counted from the street."},
                "smoke": {"type": "boolean", "default": false},
                "view": {"type": "string", "oneOf": [
                    {"const": "sea", "title": "To the sea"},
                    {"const": "yard", "title": "To the yard"},
                ]},
            },
            "required": ["floor"]
        });
        let lines = ["", "four", "4", "", "2", "", "meadow", "2"];
        let (answer, shown) = elicit(schema, &lines);
        assert_eq!(
            answer,
            accepted(json!({"floor": 2, "smoke": false, "view": "yard"}))
        );
        assert_eq!(
            shown,
            "inn asks: Which \\u{1b}[31mroom?
Answer? [Y/n] 
Floor: integer, at least 1, at most 3 – Counted from the street.
floor: four
  must be a whole number
floor: 4
  must be at most 3
floor: 
  is required
floor: 2
smoke: boolean, optional
smoke [n]: 
view: a choice, optional
  1  sea – To the sea
  2  yard – To the yard
view: meadow
  must be one of the choices: write its number or its value
view: 2
"
        );
    }

    #[test]
    fn form_without_fields_asks_for_consent() {
        let schema = json!({"type": "object", "properties": {}});
        for (lines, answer) in [
            (&["", "yes"][..], accepted(json!({}))),
            (&["n"], json!({"action": "decline"})),
            (&[], json!({"action": "cancel"})),
        ] {
            assert_eq!(elicit(schema.clone(), lines).0, answer, "{lines:?}");
        }
    }

    #[test]
    fn form_can_be_declined_and_closed() {
        let schema = json!({"type": "object", "properties": {"name": {"type": "string"}}});
        for (lines, answer) in [
            (&["n"][..], json!({"action": "decline"})),
            (&["y"], json!({"action": "cancel"})),
            (&["y", ""], accepted(json!({}))),
            (&["y", "Ada "], accepted(json!({"name": "Ada "}))),
        ] {
            assert_eq!(elicit(schema.clone(), lines).0, answer, "{lines:?}");
        }
    }

    #[test]
    fn form_that_is_asked_again_keeps_the_earlier_answers() {
        let schema = json!({
            "type": "object",
            "properties": {"a": {"type": "string"}, "b": {"type": "integer"}},
            "required": ["a", "b"]
        });
        let asked = Asked::new(
            "elicitation/create",
            json!({"message": "?", "requestedSchema": schema}),
        );
        let mut script = script(&["", "x", "1", "", "", "2"]);
        let mut questions = Questions::new("inn", &mut script, Box::new(|_| {}));
        questions.answer(&asked);
        let again = questions.answer(&asked);
        assert_eq!(again, Answer::accept(json!({"a": "x", "b": 2})));
        assert!(script.printed.contains("a [x]: \n"), "{}", script.printed);
    }

    #[test]
    fn url_is_shown_and_agreed_to() {
        let params =
            json!({"mode": "url", "message": "Log in.", "url": "https://example.com/\u{7}x"});
        let (answer, shown) = ask("elicitation/create", params.clone(), &["y"]);
        assert_eq!(answer, json!({"action": "accept"}));
        assert!(
            shown.contains("Log in.\n  https://example.com/\\u{7}x\n"),
            "{shown}"
        );
        let (answer, _) = ask("elicitation/create", params, &["n"]);
        assert_eq!(answer, json!({"action": "decline"}));
    }

    #[test]
    fn model_is_played_by_the_person() {
        let params = json!({
            "systemPrompt": "Be short.",
            "messages": [{"role": "user", "content": {"type": "text", "text": "Name it."}}],
        });
        let (answer, shown) = ask("sampling/createMessage", params, &["Moss"]);
        assert_eq!(answer["content"]["text"], "Moss");
        assert!(
            shown.contains("  system: Be short.\n  user: Name it.\n"),
            "{shown}"
        );
    }

    #[test]
    fn model_without_an_answer_ends_the_request() {
        let (end, ended) = std::sync::mpsc::channel();
        let end = move |reason| end.send(reason).unwrap();
        let mut script = script(&[]);
        let asked = Asked::new("sampling/createMessage", json!({"messages": []}));
        Questions::new("inn", &mut script, Box::new(end)).answer(&asked);
        assert!(ended.recv().unwrap().contains("asked a model"));
    }

    #[test]
    fn root_is_the_current_directory() {
        let (answer, _) = ask("roots/list", json!({}), &[]);
        let root = answer["roots"][0]["uri"].as_str().unwrap_or_default();
        assert!(
            root.starts_with("file:///") && root.ends_with("mcp-kit"),
            "{root}"
        );
        #[cfg(unix)]
        assert_eq!(file_uri(Path::new("/a b/ü%")), "file:///a%20b/%C3%BC%25");
    }
}
