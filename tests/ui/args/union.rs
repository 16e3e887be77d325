use mcp_kit::ToolArgs;

#[derive(ToolArgs)]
union Args {
    a: u8,
    b: i8,
}

fn main() {}
