//! A small server on mcp-kit's command line, for `tests/command_line.rs`.

use std::error::Error;
use std::io::Read as _;
use std::net::TcpStream;
use std::process::{Command, ExitCode};

use mcp_kit::call::Call;
use mcp_kit::content::{Audio, Content, EmbeddedResource, Image, ResourceLink};
use mcp_kit::extension::ProtocolExtension;
use mcp_kit::prelude::*;
use mcp_kit::resource::{ResourceDefinition, ResourcePage, ResourceProvider, ResourceResult};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, JsonSchema, garde::Validate, ToolArgs)]
struct Guest {
    /// Whom to greet.
    #[garde(length(chars, min = 1, max = 40))]
    name: String,
}

#[derive(Serialize, JsonSchema)]
struct Welcome {
    /// What to say.
    text: String,
}

/// Greets a guest in the house's own words.
#[tool(title = "Greet", read_only, open_world = false)]
#[allow(clippy::print_stdout)]
async fn greet(guest: Guest, State(greeting): State<String>) -> Json<Welcome> {
    println!("not for the client");
    tracing::info!("greeted");
    Json(Welcome {
        text: format!("{greeting}, {}!", guest.name),
    })
}

/// Opens a file that does not exist.
#[tool]
async fn lose() -> Result<String, ToolError> {
    Ok(std::fs::read_to_string("no-such-file")?)
}

/// Panics with a secret.
#[tool(read_only, open_world = false)]
#[allow(clippy::panic)]
async fn stumble() -> String {
    panic!("a secret")
}

#[derive(Deserialize, JsonSchema, garde::Validate, ToolArgs)]
struct Room {
    /// Where the decorator waits for the end of a connection.
    #[garde(skip)]
    port: u16,
}

/// Decorates a room, and reports half of it before it waits. Warns of each byte that it reads.
#[tool(blocking, read_only, open_world = false)]
fn decorate(room: Room, progress: Progress) -> Result<&'static str, ToolError> {
    progress.report(1.0, Some(2.0), Some("\u{1b}[31mhanging\nlamps"));
    let mut connection = TcpStream::connect(("127.0.0.1", room.port))?;
    while connection.read(&mut [0])? > 0 {
        tracing::warn!("a lamp is missing");
    }
    Ok("decorated")
}

#[derive(Deserialize, JsonSchema, garde::Validate, ElicitForm)]
struct Place {
    /// The number of the table.
    #[garde(range(min = 1, max = 9))]
    table: u8,
    /// What the guest eats.
    #[garde(skip)]
    dish: Option<Dish>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "lowercase")]
enum Dish {
    /// Soup of the day
    Soup,
    /// Green salad
    Salad,
}

/// Asks where a guest sits.
#[tool(read_only, open_world = false)]
async fn seat(client: Client) -> Result<String, ToolError> {
    Ok(match client.elicit::<Place>("Where does Ada sit?").await? {
        Elicited::Accepted(Place { table, dish }) => format!("table {table}, {dish:?}"),
        Elicited::Declined => "declined".to_owned(),
        Elicited::Cancelled => "cancelled".to_owned(),
    })
}

#[derive(Deserialize, JsonSchema, garde::Validate, ElicitForm)]
struct Consent {}

/// Invites a guest who agrees.
#[prompt]
async fn invite(client: Client) -> Result<&'static str, mcp_kit::Error> {
    match client.elicit::<Consent>("Write to Ada?").await? {
        Elicited::Accepted(Consent {}) => Ok("Write to Ada."),
        _ => Ok("Write to no guest."),
    }
}

/// Prints the menus, which takes a while.
#[tool(task, read_only, open_world = false)]
async fn print_menus() -> &'static str {
    "printed"
}

/// Engraves the rings, with the names if the client agrees.
#[tool(task = "required", destructive, open_world = false)]
async fn engrave(client: Client) -> Result<&'static str, ToolError> {
    if !client.can_elicit() {
        return Ok("engraved");
    }
    match client.elicit::<Consent>("Engrave the names?").await? {
        Elicited::Accepted(Consent {}) => Ok("engraved with names"),
        _ => Ok("engraved without names"),
    }
}

async fn toast() -> Json<Welcome> {
    Json(Welcome {
        text: "Cheers!".to_owned(),
    })
}

/// The parts of the plan.
struct Plan(ResourceDefinition);

#[mcp_kit::async_trait]
impl ResourceProvider for Plan {
    fn definition(&self) -> &ResourceDefinition {
        &self.0
    }

    async fn list(&self, _: Call, _: Option<&str>) -> Result<ResourcePage, mcp_kit::Error> {
        Ok(ResourcePage::new(Vec::new()))
    }

    async fn read(&self, _: Call) -> Result<Option<ResourceResult>, mcp_kit::Error> {
        Ok(None)
    }
}

/// Shows pictures and where there are more.
#[tool(read_only, open_world = false)]
async fn album() -> Vec<Content> {
    vec![
        Image::new([0; 68], "image/png").into(),
        Audio::new([0; 2_048], "audio/wav").into(),
        ResourceLink::new("wedding://photo", "photo").into(),
        EmbeddedResource::from_text("wedding://guests", "Ada").into(),
    ]
}

#[derive(Deserialize, JsonSchema, garde::Validate, ToolArgs)]
struct Speech {
    /// Who is married.
    #[garde(length(chars, min = 1, max = 40))]
    whom: String,
    /// The minutes that it may take.
    #[serde(default)]
    #[garde(range(max = 60))]
    minutes: u8,
    /// How it sounds.
    #[garde(skip)]
    style: Option<Style>,
}

#[derive(Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "lowercase")]
enum Style {
    Formal,
    Cheerful,
}

/// Writes a speech for a wedding.
#[prompt(title = "Wedding speech")]
async fn speech(args: Speech) -> Vec<PromptMessage> {
    vec![
        PromptMessage::user(format!(
            "A {}speech for {} of {} minutes.",
            match args.style {
                Some(Style::Formal) => "formal ",
                Some(Style::Cheerful) => "cheerful ",
                None => "",
            },
            args.whom,
            args.minutes
        )),
        PromptMessage::assistant("Dear guests,"),
    ]
}

/// Opens a file that does not exist.
#[prompt]
async fn misplace() -> Result<String, mcp_kit::Error> {
    Ok(std::fs::read_to_string("no-such-file")?)
}

/// The guests.
#[resource(
    uri = "wedding://guests",
    title = "Guests",
    mime_type = "text/plain",
    size = 9
)]
async fn guests() -> &'static str {
    "Ada\nAlan\n"
}

/// The photograph.
#[resource(uri = "wedding://photo", mime_type = "image/png")]
async fn photo() -> Vec<u8> {
    b"\x89PNG".to_vec()
}

#[derive(Deserialize, JsonSchema, garde::Validate, ToolArgs)]
struct Seat {
    /// The number of the table.
    #[garde(range(min = 1, max = 9))]
    table: u8,
}

/// Who sits at a table.
#[resource(uri = "wedding://tables/{table}")]
async fn table(seat: Seat) -> Result<String, mcp_kit::Error> {
    match seat.table {
        9 => Ok(std::fs::read_to_string("no-such-file")?),
        table => Ok(format!("Table {table} is empty.")),
    }
}

/// Starts children that inherit stdin and stdout: one reads, one prints.
#[tool(blocking, read_only, open_world = false)]
fn delegate() -> Result<String, ToolError> {
    let program = std::env::current_exe()?;
    let reads = Command::new(&program).arg("stdio").status()?;
    let prints = Command::new(&program).arg("--version").status()?;
    Ok(format!("{} {}", reads.success(), prints.success()))
}

/// What this server is told.
#[derive(clap::Args)]
struct Options {
    /// How guests are greeted.
    #[arg(long, default_value = "Hello")]
    greeting: String,
    /// Refuse to start.
    #[arg(long)]
    broken: bool,
    /// A file that the tools need.
    #[arg(long)]
    guest_book: Option<std::path::PathBuf>,
}

fn build(options: Options) -> Result<Server, Box<dyn Error>> {
    if options.broken {
        std::fs::read("no-such-file").map_err(|error| format!("the guest book: {error}"))?;
    }
    if let Some(path) = options.guest_book
        && mcp_kit::cli::command().is_none_or(|command| command.runs_tools())
    {
        std::fs::read(path).map_err(|error| format!("the guest book: {error}"))?;
    }
    Ok(Server::builder("greeter", "1.2.3")
        .state(options.greeting)
        .tool::<greet>()
        .tool::<lose>()
        .tool::<stumble>()
        .tool::<delegate>()
        .tool::<decorate>()
        .tool::<seat>()
        .tool::<album>()
        .tool::<print_menus>()
        .tool::<engrave>()
        .extension(ProtocolExtension::new("com.example/toasts").method("toasts/give", toast))
        .prompt::<speech>()
        .prompt::<misplace>()
        .prompt::<invite>()
        .resource::<guests>()
        .resource::<photo>()
        .resource::<table>()
        .resource_provider(Plan(ResourceDefinition::new(
            "wedding://plan/{+part}",
            "plan",
        )))
        .build()?)
}

fn main() -> ExitCode {
    mcp_kit::cli::run(build)
}
