use std::borrow::Cow;

use base::{Context, RequestId, TenantId, Timestamp};
use http::{HeaderMap, HeaderValue, Method};
use serde_json::json;

use super::*;
use crate::domain::path::RequestPath;
use crate::domain::session::{Extra, Session};
use crate::domain::target::{Host, Scheme, Target};
use crate::pipeline::{Evaluation, Inbound};

fn render(template: &str) -> Result<String, String> {
    let cx = Context::for_background(Timestamp::EPOCH, TenantId::DEFAULT, RequestId(uuid::Uuid::nil()));
    let target = Target::new(
        Method::POST,
        Scheme::Https,
        &Host::parse("api.example:8443").unwrap(),
        &RequestPath::parse("/a/b%20c").unwrap(),
        Some("k=v&k=w&x=1%202"),
    );
    let mut headers = HeaderMap::new();
    headers.insert("x-foo-bar", HeaderValue::from_static("foo"));
    headers.insert("host", HeaderValue::from_static("api.example:8443"));
    let captures = || vec!["one".to_owned(), "two".to_owned()];
    let inbound = Inbound::new(&cx, &target, &headers, Evaluation::Recheck, &captures);
    let mut session = Session::authenticated(
        "jwt",
        "alice".to_owned(),
        Extra::new(
            json!({"n": 1_000_000, "f": 1.5, "list": ["a", "b"], "deep": {"name": "x<y"}, "nothing": null, "yes": true}),
        ),
    );
    session.headers.insert(http::HeaderName::from_static("x-done"), HeaderValue::from_static("d"));
    let template = Template::compile(template).map_err(|error| error.to_string())?;
    let view = TemplateView { session: &session, inbound: &inbound };
    template.render(&view).map(Cow::into_owned).map_err(|error| error.to_string())
}

const URL: &str = "https://api.example:8443/a/b%20c?k=v&k=w&x=1%202";

#[test]
fn templates_render_as_in_go() {
    for (template, expected) in [
        ("plain", "plain"),
        ("", ""),
        ("{{ print .Subject }}", "alice"),
        ("{{.Subject}}", "alice"),
        ("user:{{ .Subject | upper }}", "user:ALICE"),
        ("{{ print .Extra.deep.name }}", "x<y"),
        ("{{ print .Extra.n }}", "1e+06"),
        ("{{ print .Extra.f }}", "1.5"),
        ("{{ print .Extra.yes }}", "true"),
        ("{{ print .Extra.list }}", "[a b]"),
        ("{{ print .Extra.deep }}", "map[name:x<y]"),
        ("{{ print .Extra.nothing }}", ""),
        ("{{ print .Extra.missing }}", ""),
        ("{{ print .Extra.missing.deeper }}", ""),
        ("{{ .Extra.missing }}", "<no value>"),
        ("{{ printIndex .MatchContext.RegexpCaptureGroups 1 }}", "two"),
        ("{{ printIndex .MatchContext.RegexpCaptureGroups 7 }}", ""),
        ("{{ printIndex .Extra.missing 0 }}", ""),
        ("{{ printIndex .MatchContext.RegexpCaptureGroups (sub 1 1 | int) }}", "one"),
        ("{{ .MatchContext.Method }} {{ .MatchContext.URL.Path }}", "POST /a/b c"),
        (
            "{{ .MatchContext.URL.Host }}|{{ .MatchContext.URL.Hostname }}|{{ .MatchContext.URL.Port }}",
            "api.example:8443|api.example|8443",
        ),
        ("{{ .MatchContext.URL.Query.Get \"k\" }}", "v"),
        ("{{ .MatchContext.URL.Query.Get \"x\" }}{{ .MatchContext.URL.Query.Get \"none\" }}", "1 2"),
        ("{{ .MatchContext.URL.RawQuery }}", "k=v&k=w&x=1%202"),
        ("{{ .MatchContext.URL.String }}", "https://api.example:8443/a/b%20c?k=v&k=w&x=1%202"),
        ("{{ .MatchContext.URL }}", URL),
        ("{{ print .MatchContext.URL }}", URL),
        (
            "{{ printf \"%s %v\" .MatchContext.URL .MatchContext.Method }}",
            "https://api.example:8443/a/b%20c?k=v&k=w&x=1%202 POST",
        ),
        (
            "{{ toString .MatchContext.URL | trunc 8 }}{{ .MatchContext.URL | urlPathEscape | trunc 10 }}",
            "https://https:%2F%",
        ),
        (
            "{{ $u := .MatchContext.URL }}{{ $u }}|{{ $u.Port }}|{{ $u.Query.Get \"k\" }}",
            "https://api.example:8443/a/b%20c?k=v&k=w&x=1%202|8443|v",
        ),
        (
            "{{ with .MatchContext.URL }}{{ . }}{{ .Path }}{{ (.Query).k }}{{ end }}",
            "https://api.example:8443/a/b%20c?k=v&k=w&x=1%202/a/b c[v w]",
        ),
        (
            "{{ with .MatchContext }}{{ .URL.Host }}{{ end }}{{ (.MatchContext.URL).Host }}",
            "api.example:8443api.example:8443",
        ),
        ("{{ define \"t\" }}{{ .Scheme }}{{ $.Port }}{{ end }}{{ template \"t\" .MatchContext.URL }}", "https8443"),
        ("{{ range .Extra.list }}{{ $.MatchContext.URL.Port }}{{ end }}", "84438443"),
        ("{{ .MatchContext.URL.RequestURI }}", "/a/b%20c?k=v&k=w&x=1%202"),
        (
            "{{ .MatchContext.URL.IsAbs }}{{ .MatchContext.URL.Fragment }}{{ .MatchContext.URL.Opaque }}{{ .MatchContext.URL.User }}",
            "true",
        ),
        ("{{ .MatchContext.URL.Query.Has \"k\" }}{{ .MatchContext.URL.Query.Has \"n\" }}", "truefalse"),
        ("{{ $q := .MatchContext.URL.Query }}{{ if $q.Has \"x\" }}{{ $q.Get \"x\" }}{{ end }}", "1 2"),
        (
            "{{ toJson .MatchContext.URL }}",
            "{\"ForceQuery\":false,\"Fragment\":\"\",\"Host\":\"api.example:8443\",\"OmitHost\":false,\"Opaque\":\"\",\
             \"Path\":\"/a/b c\",\"RawFragment\":\"\",\"RawPath\":\"\",\"RawQuery\":\"k=v\\u0026k=w\\u0026x=1%202\",\
             \"Scheme\":\"https\",\"User\":null}",
        ),
        ("{{ .MatchContext.Header.Get \"host\" }}", ""),
        ("{{ .MatchContext.Header.Get \"x-FOO-bar\" }}", "foo"),
        ("{{ $h := .MatchContext.Header }}{{ $h.Get \"x-foo-bar\" | upper }}", "FOO"),
        ("{{ print (.MatchContext.Header.Get \"X-Foo-Bar\") }}", "foo"),
        ("{{ with .MatchContext }}{{ .Header.Get \"X-Foo-Bar\" }}{{ end }}", "foo"),
        ("{{ .Header.Get \"X-Done\" }}", "d"),
        ("{{ if .Authenticated }}{{ .Authenticator }}{{ else }}none{{ end }}", "jwt"),
        ("{{ range $i, $x := .Extra.list }}{{ if $i }},{{ end }}{{ $x }}{{ end }}", "a,b"),
        ("{{ .Extra.deep | toJson }}", "{\"name\":\"x\\u003cy\"}"),
        ("{{ toJson .Extra.n }} {{ toJson .Extra.missing }}", "1000000 null"),
        ("{{ default \"none\" .Extra.missing }}", "none"),
        ("{{ .Extra.list | join \",\" | b64enc }}", "YSxi"),
        ("{{ b64dec \"YSxi\" | trimSuffix \"b\" | trimAll \",\" }}", "a"),
        ("{{ int .Extra.n }}", "1000000"),
        ("{{ add 1 2 }} {{ mul 2 3 }} {{ div 7 2 }} {{ mod 7 2 }} {{ max 1 5 2 }}", "3 6 3 1 5"),
        ("{{ ternary \"a\" \"b\" true }}{{ empty \"\" }}{{ coalesce \"\" nil \"c\" }}", "atruec"),
        ("{{ trunc 3 \"abcdef\" }}{{ trunc -2 \"abcdef\" }}{{ substr 1 3 \"abcdef\" }}", "abcefbc"),
        ("{{ quote \"a\\\"b\" }}{{ squote \"c\" }}", "\"a\\\"b\"'c'"),
        ("{{ dict \"a\" 1 | toJson }}{{ list 1 \"b\" | toJson }}", "{\"a\":1}[1,\"b\"]"),
        ("{{ regexReplaceAll \"[0-9]+\" \"a12b3\" \"#\" }}{{ regexMatch \"^a\" \"abc\" }}", "a#b#true"),
        ("{{ splitList \"/\" \"a/b\" | last }}{{ has \"a\" .Extra.list }}", "btrue"),
        ("{{ quote \"a\\tb\\u00a0c\\ad\\x1b\\U000e0001é\" }}", "\"a\\tb\\u00a0c\\ad\\x1b\\U000e0001é\""),
        ("{{ title \"ab-cd ef_gh 1x\" }}|{{ untitle \"AB CD\" }}", "Ab-Cd Ef_gh 1x|aB cD"),
        ("{{ splitList \"\" \"ab\" | toJson }}", "[\"a\",\"b\"]"),
        ("{{ sha256sum \"\" | trunc 8 }}", "e3b0c442"),
        ("{{ (fromJson \"{\\\"a\\\":[1,2]}\").a | len }}", "2"),
        ("{{ printf \"%s-%d\" .Subject 3 }}", "alice-3"),
        ("{{ index .Extra.list 1 }}", "b"),
        ("{{ define \"t\" }}[{{ . }}]{{ end }}{{ template \"t\" .Subject }}", "[alice]"),
        ("{\"sub\": {{ .Subject | toJson }}}", "{\"sub\": \"alice\"}"),
    ] {
        assert_eq!(render(template).as_deref(), Ok(expected), "{template}");
    }
}

#[test]
fn an_invalid_template_is_rejected_when_its_rule_is_loaded() {
    for (template, part) in [
        ("{{ env \"HOME\" }}", "templates cannot read the environment"),
        ("{{ now }}", "templates cannot read the clock"),
        ("{{ if uuidv4 }}{{ end }}", "templates must be deterministic"),
        ("{{ frobnicate 1 }}", "calls `frobnicate`, which is not supported"),
        ("{{ .Subject", "is not valid"),
        ("{{ range }}", "is not valid"),
    ] {
        let error = Template::compile(template).unwrap_err().to_string();
        assert!(error.contains(part), "{template}: {error}");
    }
}

#[test]
fn a_failing_template_reports_the_reason() {
    assert!(render("{{ .Subject.x }}").unwrap_err().contains("can't evaluate field x"));
    for template in [
        "{{ .MatchContext.URL.Nosuch }}",
        "{{ print .MatchContext.URL.Nosuch }}",
        "{{ with .MatchContext.URL }}{{ .Nosuch }}{{ end }}",
        "{{ $u := .MatchContext.URL }}{{ $u.Nosuch }}",
        "{{ with .MatchContext }}{{ .URL.Nosuch }}{{ end }}",
        "{{ (.MatchContext.URL).Nosuch }}",
        "{{ $.MatchContext.URL.Nosuch }}",
    ] {
        assert!(render(template).unwrap_err().contains("can't evaluate field Nosuch in type *url.URL"), "{template}");
    }
    for template in [
        "{{ .MatchContext.URL.Path 1 }}",
        "{{ range .MatchContext.URL }}{{ end }}",
        "{{ .MatchContext.Header.Has \"a\" }}",
    ] {
        assert!(render(template).is_err(), "{template}");
    }
    assert!(render("{{ div 1 0 }}").unwrap_err().contains("division by zero"));
    assert!(render("{{ repeat 999999999 \"x\" }}").is_err());
    assert!(render("{{ range 1000000 }}{{ end }}").is_err());
}

#[test]
fn short_forms_need_no_interpreter() {
    let compiled = |text: &str| Template::compile(text).unwrap();
    assert_eq!((compiled("x").constant(), compiled("").constant()), (Some("x"), Some("")));
    assert!(matches!(compiled("{{ print .Subject }}").0.form, Form::Subject));
    assert!(matches!(&compiled("{{print .Extra.a.b}}").0.form, Form::Extra(path) if path == &["a", "b"]));
    assert!(matches!(compiled("{{ print .Subject }}x").0.form, Form::General(_)));
}

proptest::proptest! {
    #[test]
    fn the_compiler_never_panics(text in "(\\{\\{|\\}\\}| |\\.|Subject|MatchContext\\.URL|Path|Extra|print|\\||\\(|\\)|\"|range|end|if|with|\\$x|:=|index|1|-|Get){0,16}") {
        let _ = render(&text);
    }
}
