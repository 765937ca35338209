//! Where models come from, and which one is in force.

use std::fmt::Write as _;
use std::path::Path;

use base::TrustStore;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use web::outbound::Destinations;

use super::*;

fn models(namespaces: &Value) -> Result<Models, SourceError> {
    let http = Client::new(Destinations::public_only([]), &TrustStore::bundled());
    Models::new(&serde_json::from_value(namespaces.clone()).unwrap(), false, http)
}

fn names(models: &Models) -> Vec<String> {
    models.current().map_or(Vec::new(), |model| model.model.namespaces.iter().map(|it| it.name.clone()).collect())
}

fn at(path: &Path) -> Value {
    format!("file://{}", path.display()).into()
}

#[tokio::test]
async fn namespaces_are_listed_in_the_configuration() {
    let models = models(&json!([{"id": 0, "name": "videos"}, {"name": "groups", "config": {}}])).unwrap();
    assert!(models.current().is_err());
    models.refresh().await.unwrap();
    assert_eq!(names(&models), ["videos", "groups"]);
    assert!(models.folders().is_empty() && models.fault().is_none());
}

/// Opening it would wait for a writer: no reload ever again, and no end of the process.
#[tokio::test]
async fn a_named_pipe_is_an_error_and_the_next_reload_is_not_delayed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.ts"), "class User implements Namespace {}").unwrap();
    let models = models(&json!({ "location": at(folder.path()) })).unwrap();
    models.refresh().await.unwrap();
    let pipe = folder.path().join("b.ts");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let fault = models.refresh().await.unwrap_err().to_string();
    assert!(fault.ends_with("b.ts cannot be read: it is not a regular file"), "{fault}");
    assert_eq!(names(&models), ["User"], "the previous model stays");
    std::fs::remove_file(&pipe).unwrap();
    std::fs::write(&pipe, "class Doc implements Namespace {}").unwrap();
    models.refresh().await.unwrap();
    assert_eq!(names(&models), ["User", "Doc"]);
}

#[tokio::test]
async fn a_folder_has_one_namespace_in_each_file_and_a_bad_file_keeps_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("b.yml", "name: videos\nid: 1\n");
    write("a.json", r#"{"name": "groups"}"#);
    write("c.toml", "name = \"files\"\n");
    write("read.me", "not one");
    write(".hidden.yml", "name: hidden\n");
    std::fs::create_dir(folder.path().join("more")).unwrap();
    write("more/d.yaml", "name: folders\n");
    let models = models(&at(folder.path())).unwrap();
    models.refresh().await.unwrap();
    assert_eq!(names(&models), ["groups", "videos", "files", "folders"]);
    for (text, reason) in [
        ("names: [a]\n", "b.yml does not declare one namespace"),
        ("[a]\n", "one namespace"),
        ("name: groups\n", "declared twice"),
    ] {
        write("b.yml", text);
        let fault = models.refresh().await.unwrap_err();
        assert!(fault.to_string().contains(reason), "{fault}");
        assert_eq!(models.fault().as_deref(), Some(&fault));
        assert_eq!(models.refresh().await, Err(fault));
        assert_eq!(names(&models).len(), 4);
    }
    write("b.yml", "name: clips\n");
    models.refresh().await.unwrap();
    assert_eq!(names(&models), ["groups", "clips", "files", "folders"]);
    assert_eq!(models.fault(), None);
}

#[tokio::test]
async fn documents_without_a_namespace_are_no_model() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.ts");
    let models_of_file = models(&json!({ "location": at(&file) })).unwrap();
    // A file that is being rewritten is empty for a moment.
    for (text, loaded) in [("", 0), (USERS, 1), ("", 1), ("// class\n", 1), ("interface A {}", 1), (USERS, 1)] {
        std::fs::write(&file, text).unwrap();
        let outcome = models_of_file.refresh().await.map_err(|fault| fault.to_string());
        assert_eq!(outcome.is_ok(), text == USERS, "{text:?}: {outcome:?}");
        assert!(outcome.err().is_none_or(|fault| fault.ends_with("declares no namespace")));
        assert_eq!(names(&models_of_file).len(), loaded, "{text:?}");
        let warning = models_of_file.warning();
        assert_eq!(warning.is_some(), text != USERS && loaded == 1, "{text:?}: {warning:?}");
    }
    let empty = tempfile::tempdir().unwrap();
    for (namespaces, extensions) in
        [(json!({ "location": at(empty.path()) }), "ts, opl"), (at(empty.path()), "yaml, yml, json, toml")]
    {
        let fault = models(&namespaces).unwrap().refresh().await.unwrap_err().to_string();
        assert!(fault.ends_with(&format!("there is no file with the extension {extensions}")), "{fault}");
    }
}

#[tokio::test]
async fn an_empty_list_in_the_configuration_is_a_model_with_a_warning() {
    let models = models(&json!([])).unwrap();
    assert_eq!(models.warning(), None);
    models.refresh().await.unwrap();
    assert_eq!(names(&models), Vec::<String>::new());
    assert!(models.warning().unwrap().contains("every check is denied"));
}

#[tokio::test]
async fn a_missing_folder_is_a_fault_until_it_appears() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("namespaces");
    let models = models(&at(&path)).unwrap();
    assert!(models.refresh().await.unwrap_err().to_string().contains("cannot be read"));
    assert!(models.current().is_err());
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("a.yml"), "name: videos").unwrap();
    models.refresh().await.unwrap();
    assert_eq!(names(&models), ["videos"]);
    assert_eq!(models.folders(), [folder.path().to_owned(), path]);
}

#[tokio::test]
async fn only_the_path_of_a_url_has_escaped_characters() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(file("a%20b.ts"), USERS).unwrap();
    std::fs::write(file("a b.ts"), USERS.replace("User", "Person")).unwrap();
    for (location, expected) in
        [(file("a%20b.ts"), "User"), (file("a b.ts"), "Person"), (format!("file://{}", file("a%20b.ts")), "Person")]
    {
        let models = models(&json!({ "location": location })).unwrap();
        models.refresh().await.unwrap();
        assert_eq!(names(&models), [expected], "{location}");
    }
}

#[tokio::test]
async fn files_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.yml");
    std::fs::write(&file, format!("name: videos\n# {}", "x".repeat(1024 * 1024))).unwrap();
    let models = models(&at(&file)).unwrap();
    let fault = models.refresh().await.unwrap_err();
    assert!(fault.to_string().contains("has more than 1048576 bytes"), "{fault}");
}

#[tokio::test]
async fn private_addresses_are_refused_if_the_client_refuses_them() {
    let models = models(&json!({"location": "http://127.0.0.1:1/model.ts?token=secret"})).unwrap();
    assert!(models.is_remote());
    let fault = models.refresh().await.unwrap_err().to_string();
    assert!(fault.contains("is not a public address") && !fault.contains("secret"), "{fault}");
}

#[test]
fn a_source_that_cannot_be_one_is_a_fault_of_the_configuration() {
    let refused = |namespaces: Value| models(&namespaces).map(drop).unwrap_err().to_string();
    assert!(refused(json!("ws://a/b")).starts_with("namespaces: \"ws://a/b\" must be"));
    assert!(refused(json!({"location": "ftp://a/b"})).starts_with("namespaces.location: the scheme of \"ftp://…\""));
    assert_eq!(refused(json!({"location": "https://"})), "namespaces.location: empty host");
    assert_eq!(refused(json!({"location": "base64://%"})), SourceError::Base64.to_string());
    let not_text = format!("base64://{}", STANDARD.encode([0xff, 0xfe]));
    assert_eq!(refused(json!({"location": not_text})), SourceError::Base64.to_string());
    assert!(refused(json!([{"name": "a"}, {"name": "a"}])).contains("declared twice"));
    assert!(refused(json!([{"name": ""}])).contains("between 1 and 200 bytes"));
}

const USERS: &str = "class User implements Namespace {}";
const DOCS: &str = "class Doc implements Namespace { related: { viewers: User[] } permits = {
    view: (ctx: Context): boolean => this.related.viewers.includes(ctx.subject) } }";

#[tokio::test]
async fn the_files_of_a_folder_are_one_model() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    // A file refers to what another declares.
    write("docs.ts", DOCS);
    write("users.opl", USERS);
    write("notes.md", "# Not a model");
    let models = models(&json!({ "location": at(folder.path()) })).unwrap();
    models.refresh().await.unwrap();
    assert_eq!(names(&models), ["Doc", "User"]);
    write("users.opl", "class Person implements Namespace {}");
    let fault = models.refresh().await.unwrap_err().to_string();
    let place = folder.path().join("docs.ts").display().to_string();
    assert!(fault.contains(&format!("{place}:1:54: error: namespace \"User\" was not declared")), "{fault}");
    assert!(fault.contains("help: "), "{fault}");
    assert_eq!(names(&models), ["Doc", "User"]);
    write("users.opl", &format!("{USERS}\nclass Group implements Namespace {{}}"));
    models.refresh().await.unwrap();
    assert_eq!(names(&models), ["Doc", "User", "Group"]);
}

#[tokio::test]
async fn a_model_may_be_a_text_in_the_configuration_or_any_file() {
    let encoded = format!("base64://{}", STANDARD.encode(format!("{USERS}{DOCS}")));
    let models_of_text = models(&json!({ "location": encoded })).unwrap();
    models_of_text.refresh().await.unwrap();
    assert_eq!(names(&models_of_text), ["User", "Doc"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.txt");
    std::fs::write(&file, USERS).unwrap();
    let models_of_file = models(&json!({ "location": at(&file) })).unwrap();
    models_of_file.refresh().await.unwrap();
    assert_eq!(names(&models_of_file), ["User"]);
    // One name for a relation and a permit loads.
    std::fs::write(&file, DOCS.replace("view:", "viewers:") + USERS).unwrap();
    models_of_file.refresh().await.unwrap();
    assert_eq!(names(&models_of_file), ["Doc", "User"]);
}

/// Keeps the texts of warnings.
#[derive(Clone, Default)]
struct Warnings(Arc<std::sync::Mutex<Vec<String>>>);

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::WARN
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut text = String::new();
        event.record(&mut |field: &tracing::field::Field, value: &dyn std::fmt::Debug| {
            let _ = write!(text, "{field}={value:?} ");
        });
        self.0.lock().unwrap().push(text);
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test]
async fn a_reload_that_adds_a_condition_to_a_type_warns_of_the_tuples_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.ts");
    let condition = "const late: Condition = \"context.hour > 20\"\n";
    let with = DOCS.replace("User[]", "When<User, \"late\">[]");
    let before = format!("\u{feff}{USERS}{DOCS}");
    std::fs::write(&file, &before).unwrap();
    let section = serde_json::from_value(json!({ "location": at(&file) })).unwrap();
    for (strict, expected) in [(false, 1), (true, 0)] {
        std::fs::write(&file, &before).unwrap();
        let http = Client::new(Destinations::public_only([]), &TrustStore::bundled());
        let models = Models::new(&section, strict, http).unwrap();
        let warnings = Warnings::default();
        let _guard = tracing::subscriber::set_default(warnings.clone());
        models.refresh().await.unwrap();
        std::fs::write(&file, format!("{condition}{USERS}{with}")).unwrap();
        models.refresh().await.unwrap();
        let warnings = warnings.0.lock().unwrap().clone();
        let of_type =
            |it: &&String| it.contains("Doc.viewers: User without a condition") && it.contains("strict_mode: true");
        assert_eq!(warnings.iter().filter(of_type).count(), expected, "{warnings:?}");
    }
}
