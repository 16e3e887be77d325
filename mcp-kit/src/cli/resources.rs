//! `resources` lists the resources, templates and providers of the server, `read`
//! prints the contents of one resource.

use std::fmt::Write as _;
use std::process::ExitCode;

use super::build::Failure;
use super::call::outcome;
use super::content::shown_contents;
use super::output::{count, print};
use super::runtime::LazyRuntime;
use crate::client::ReadResourceResult;
use crate::primitive::{Kind, ResourceDefinition};
use crate::server::Server;

/// Prints every resource, template and provider. What a provider has is listed by
/// its handler, which does not run here.
pub(super) fn resources(server: &Server, as_json: bool) -> Result<ExitCode, Failure> {
    if as_json {
        let mut lists = server.listed(Kind::Resource);
        let mut templates = server.listed(Kind::ResourceTemplate);
        let member = Kind::ResourceTemplate.plural();
        lists[member] = templates[member].take();
        return print(&format!("{lists:#}\n"));
    }
    let (fixed, templates) = (server.resources(), server.resource_templates());
    let providers = server.resource_providers();
    let mut numbers = vec![count(fixed.len(), "resource")];
    for (number, what) in [(templates.len(), "template"), (providers.len(), "provider")] {
        if number > 0 {
            numbers.push(count(number, what));
        }
    }
    let (name, version) = (server.name(), server.version());
    let mut text = format!("{name} {version}: {}\n", numbers.join(", "));
    for resource in fixed.iter().chain(&templates).chain(&providers) {
        text.push('\n');
        describe(&mut text, resource);
    }
    print(&text)
}

// Writing into a `String` cannot fail.
fn describe(text: &mut String, resource: &ResourceDefinition) {
    text.push_str(resource.uri());
    let name = resource.title().unwrap_or_else(|| resource.name());
    let _ = write!(text, " – {name}");
    let mut facts = Vec::new();
    if resource.is_provider {
        facts.push("provider".to_owned());
    }
    facts.extend(resource.mime_type().map(str::to_owned));
    facts.extend(resource.size().map(|bytes| format!("{bytes} bytes")));
    if !facts.is_empty() {
        let _ = write!(text, " ({})", facts.join(", "));
    }
    text.push('\n');
    for line in resource.description().trim().lines() {
        let _ = writeln!(text, "{}", format!("  {line}").trim_end());
    }
}

/// Reads the resource `uri` and prints its contents: text as it is, and one line
/// for bytes.
pub(super) fn read(
    server: &Server,
    runtime: &LazyRuntime,
    uri: &str,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    let result = outcome(server, runtime, false, |client| client.read_resource(uri))?;
    let result: ReadResourceResult = match result {
        Ok(result) => result,
        Err(code) => return Ok(code),
    };
    if as_json {
        return print(&format!("{:#}\n", result.json()));
    }
    let mut text = String::new();
    for contents in result.contents() {
        let shown = shown_contents(contents);
        text.push_str(&shown);
        if !shown.ends_with('\n') {
            text.push('\n');
        }
    }
    print(&text)
}
