//! The crates that are compiled. Their structs have the same fields.

use std::{fs, io, path::Path};

/// The crates that are checked: structs first, which the events are compared with.
pub(super) const CHECKED: [&str; 2] = ["structs", "events"];

/// The program whose size is told.
pub(super) const HELLO: &str = "hello";

/// Sets of events; a hundred events in all.
const SETS: usize = 5;

/// Events of each set.
const PASSES: usize = 8;
const REQUESTS: usize = 6;

const FIELDS: &str =
    "{\n    id: u64,\n    name: String,\n    tags: Vec<String>,\n    at: Option<f64>,\n}\n\n";

const VALUES: &str = "{ id: 1, name: String::new(), tags: Vec::new(), at: None }";

/// Writes a workspace of all crates, which depend on the project as it lies there.
pub(super) fn write(folder: &Path, project: &Path) -> io::Result<()> {
    let protocol = format!(
        "protocol-core = {{ path = '{}' }}\n",
        project.join("protocol-core").display()
    );
    let tokio = r#"tokio = { version = "1", features = ["macros", "rt-multi-thread"] }"#;
    let serde = r#"serde = { version = "1", features = ["derive"] }"#;
    fs::create_dir_all(folder)?;
    fs::write(
        folder.join("Cargo.toml"),
        format!(
            "[workspace]\nresolver = \"3\"\nmembers = [{:?}, {:?}, {HELLO:?}]\n\n\
             [profile.release]\ncodegen-units = 1\nstrip = true\n",
            CHECKED[0], CHECKED[1]
        ),
    )?;
    // The versions that the project is tested with.
    fs::copy(project.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    let hello = fs::read_to_string(project.join("examples/hello.rs"))?;
    let crates = [
        (CHECKED[0], serde.to_owned(), "lib.rs", structs()),
        (CHECKED[1], protocol.clone(), "lib.rs", events()),
        (HELLO, protocol + tokio, "main.rs", hello),
    ];
    for (name, dependencies, root, source) in crates {
        let source_folder = folder.join(name).join("src");
        fs::create_dir_all(&source_folder)?;
        fs::write(source_folder.join(root), source)?;
        let package = format!("[package]\nname = {name:?}\nedition = \"2024\"\npublish = false\n");
        fs::write(
            folder.join(name).join("Cargo.toml"),
            format!("{package}\n[dependencies]\n{dependencies}\n"),
        )?;
    }
    Ok(())
}

fn structs() -> String {
    let mut source = "//! Structs.\n#![allow(missing_docs)]\n\n".to_owned();
    for number in 0..SETS * (PASSES + 2 * REQUESTS) {
        let derives = "#[derive(Debug, serde::Serialize, serde::Deserialize)]\n";
        source.extend([derives, &format!("pub struct Struct{number} {FIELDS}")]);
    }
    source
}

fn events() -> String {
    let mut source = "//! Events, a handler for each that comes, a call for each that goes.\n\
        #![allow(missing_docs)]\n\n\
        use protocol_core::{Client, Context, Event, EventSet, Protocol};\n\n"
        .to_owned();
    let (mut handlers, mut calls, mut sets) = (String::new(), String::new(), Vec::new());
    for set in 0..SETS {
        let (mut variants, mut methods) = (String::new(), String::new());
        for number in 0..PASSES {
            let name = format!("Pass{set}x{number}");
            event(&mut source, "pass", &name);
            variants.extend([format!("    {name}({name}),\n")]);
            methods += &handler(&name, "", "drop(event);");
            let call = if number % 2 == 0 { "send" } else { "confirm" };
            calls.extend([format!("    client.{call}({name} {VALUES}).await?;\n")]);
        }
        for number in 0..REQUESTS {
            let (name, answer) = (
                format!("Ask{set}x{number}"),
                format!("Answer{set}x{number}"),
            );
            event(&mut source, &format!("request, response = {answer}"), &name);
            event(&mut source, "response", &answer);
            variants.extend([format!("    {name}({name}),\n")]);
            let body = format!(
                "let {name} {{ id, name, tags, at }} = event;\n        {answer} {{ id, name, tags, at }}"
            );
            methods += &handler(&name, &format!(" -> {answer}"), &body);
            calls.extend([format!(
                "    let _: {answer} = client.request({name} {VALUES}).await?;\n"
            )]);
        }
        source.extend([format!(
            "#[derive(Debug, EventSet)]\npub enum Set{set} {{\n{variants}}}\n\n"
        )]);
        handlers.extend([format!(
            "impl Set{set}Handler<Spoken> for Handler {{\n{methods}}}\n\n"
        )]);
        sets.push(format!("Set{set}"));
    }
    source.extend([format!(
        "#[derive(Debug, Protocol)]\n#[protocol(version = \"1\", to_server = ({}))]\n\
         pub struct Spoken;\n\npub struct Handler;\n\n{handlers}",
        sets.join(", ")
    )]);
    let error = "Box<dyn std::error::Error>";
    source.extend([format!(
        "pub async fn call(client: &Client<Spoken>) -> Result<(), {error}> {{\n{calls}    Ok(())\n}}\n"
    )]);
    source
}

fn event(source: &mut String, kind: &str, name: &str) {
    source.extend([format!(
        "#[derive(Debug, Event)]\n#[event({kind})]\npub struct {name} {FIELDS}"
    )]);
}

fn handler(event: &str, returns: &str, body: &str) -> String {
    // `Pass0x1` is handled by `on_pass0x1`.
    let method = event.to_lowercase();
    let context = "_: &Context<Spoken>";
    format!(
        "    async fn on_{method}(&self, {context}, event: {event}){returns} {{\n        {body}\n    }}\n\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_have_a_hundred() {
        assert_eq!(structs().matches("pub struct ").count(), 100);
        assert_eq!(events().matches("derive(Debug, Event)").count(), 100);
        assert_eq!(events().matches("async fn on_").count(), 70);
    }
}
