//! Relation tuples in the query of a URL.
//!
//! A parameter that is present and empty is the empty text; only an absent one is absent. Of a repeated one the first counts, as for
//! Keto, in the requests that ignore unknown ones; in others it is refused.
//! One that is not percent-encoded UTF-8 is refused: replaced characters would be another name.

use std::borrow::Cow;

use base::Context;
use percent_encoding::percent_decode_str;
use url::form_urlencoded;
use web::RestError;
use web::paging::PageQuery;

use crate::Permissions;
use crate::domain::consistency::Consistency;
use crate::domain::relation_tuple::{RelationTuple, Subject, SubjectSet};
use crate::domain::tuple_query::TupleQuery;

/// The parameters of a relation tuple.
pub(super) const TUPLE: &[&str] = &[
    "namespace",
    "object",
    "relation",
    "subject_id",
    "subject_set.namespace",
    "subject_set.object",
    "subject_set.relation",
];

/// The parameters of a URL.
pub(super) struct Parameters<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Parameters<'a> {
    pub(super) fn of(query: Option<&'a str>) -> Result<Self, RestError> {
        let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        pairs.map(decoded_pair).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn find(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(its_name, _)| its_name == name).map(|(_, value)| value.clone().into_owned())
    }

    pub(super) fn page(&self) -> PageQuery {
        PageQuery { page_size: self.find("page_size"), page_token: self.find("page_token") }
    }

    /// Refuses unknown and repeated parameters, where a misspelt one would match more tuples or ask another question, and an empty
    /// token, which is that of a client that lost its own.
    pub(super) fn refuse_others(&self, known: &[&str]) -> Result<(), RestError> {
        if self.find("snaptoken").is_some_and(|token| token.is_empty()) {
            let reason = "snaptoken: must not be empty; leave it out to ask without one";
            return Err(RestError::bad_request(reason).with_detail("field", "snaptoken"));
        }
        if let Some((name, _)) = self.0.iter().find(|(name, _)| !known.contains(&name.as_ref())) {
            let reason = format!("\"{}\" is not a parameter; the parameters are {}", shown(name), known.join(", "));
            return Err(RestError::bad_request(reason));
        }
        let count = |name: &str| self.0.iter().filter(|(its_name, _)| its_name == name).count();
        known.iter().find(|name| count(name) > 1).map_or(Ok(()), |name| {
            Err(RestError::bad_request(format!("{name}: must not be repeated")).with_detail("field", *name))
        })
    }

    /// The subject of a reverse question, if it has one.
    pub(super) fn subject_of_question(&self) -> Result<Option<Subject>, RestError> {
        self.subject().map_err(|error| error.with_detail("field", "subject_id"))
    }

    fn part(&self, name: &str) -> Result<String, RestError> {
        self.find(name).ok_or_else(|| RestError::bad_request(format!("{name}: is required, and may be empty")))
    }

    pub(super) fn tuple_query(&self) -> Result<TupleQuery, RestError> {
        Ok(TupleQuery {
            namespace: self.find("namespace"),
            object: self.find("object"),
            relation: self.find("relation"),
            subject: self.subject()?,
        })
    }

    /// The tuple of a check, which has all parts.
    pub(super) fn tuple(&self) -> Result<RelationTuple, RestError> {
        let Some(subject) = self.subject()? else {
            return Err(RestError::bad_request("subject_id: subject is not allowed to be nil"));
        };
        Ok(RelationTuple {
            namespace: self.part("namespace")?,
            object: self.part("object")?,
            relation: self.part("relation")?,
            subject,
        })
    }

    /// An integer in the notation of Go: decimal, or with the prefix `0x`, `0o`, `0b` or `0`.
    pub(super) fn max_depth(&self) -> Result<Option<i64>, RestError> {
        let Some(text) = self.find("max-depth") else { return Ok(None) };
        let invalid = || RestError::bad_request("max-depth: not a whole number").with_detail("field", "max-depth");
        whole_number(&text).map(Some).ok_or_else(invalid)
    }

    /// How recent the answer must be: `latest=true`, or at least the snapshot of `snaptoken`, as in the requests of Keto's protocol.
    pub(super) async fn consistency(&self, permissions: &Permissions, cx: &Context) -> Result<Consistency, RestError> {
        let token = self.find("snaptoken").filter(|token| !token.is_empty());
        let at_least = match token {
            Some(token) => Consistency::AtLeastAsFresh(permissions.open_snaptoken(cx, &token).await?),
            None => Consistency::MinimizeLatency,
        };
        Ok(if self.flag("latest")? { Consistency::FullyConsistent } else { at_least })
    }

    /// Whether a parameter is `true`. It may be left out.
    pub(super) fn flag(&self, name: &str) -> Result<bool, RestError> {
        match self.find(name).as_deref() {
            None | Some("" | "false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(RestError::bad_request(format!("{name}: must be true or false")).with_detail("field", name)),
        }
    }

    /// Errors are those of Keto: the subject may be a text or all three parts of a set.
    fn subject(&self) -> Result<Option<Subject>, RestError> {
        if self.find("subject").is_some() {
            return Err(RestError::bad_request("subject: is no parameter; use subject_id or subject_set.*"));
        }
        let part = |name| self.find(name);
        let set = (part("subject_set.namespace"), part("subject_set.object"), part("subject_set.relation"));
        match (self.find("subject_id"), set) {
            (id, (None, None, None)) => Ok(id.map(Subject::Id)),
            (Some(_), _) => {
                Err(RestError::bad_request("subject_id: exactly one of subject_set or subject_id has to be provided"))
            }
            (None, (Some(namespace), Some(object), Some(relation))) => {
                Ok(Some(Subject::Set(SubjectSet { namespace, object, relation })))
            }
            (None, _) => Err(RestError::bad_request(
                "subject_set: is incomplete; subject_set.namespace, subject_set.object and subject_set.relation are needed \
                 together, and may be empty",
            )),
        }
    }
}

fn decoded_pair(pair: &str) -> Result<(Cow<'_, str>, Cow<'_, str>), RestError> {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let invalid = |name: &str, problem| {
        let name = shown(name);
        RestError::bad_request(format!("{name}: {problem}")).with_detail("field", name)
    };
    let name = decoded(name).map_err(|problem| invalid(name, problem))?;
    let value = decoded(value).map_err(|problem| invalid(&name, problem))?;
    Ok((name, value))
}

/// Decodes a name or a value of `application/x-www-form-urlencoded`.
fn decoded(text: &str) -> Result<Cow<'_, str>, &'static str> {
    if !text.contains(['%', '+']) {
        return Ok(Cow::Borrowed(text));
    }
    let is_escape = |after: &str| after.len() >= 2 && after.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    if !text.split('%').skip(1).all(is_escape) {
        return Err("a percent sign must be followed by two hexadecimal digits; write a percent sign as %25");
    }
    let bytes = percent_decode_str(&text.replace('+', " ")).collect();
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| "must be percent-encoded UTF-8")
}

/// A name for messages.
fn shown(name: &str) -> String {
    name.chars().take(64).collect()
}

fn whole_number(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (&text[..1], digits),
        None => ("", text),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = [("0x", 16), ("0o", 8), ("0b", 2), ("0", 8)]
        .into_iter()
        .find_map(|(prefix, radix)| Some((radix, lower.strip_prefix(prefix).filter(|rest| !rest.is_empty())?)))
        .unwrap_or((10, &lower));
    // A second sign is no digit.
    if digits.starts_with(['-', '+']) {
        return None;
    }
    // With the sign, because the least number has no positive counterpart.
    i64::from_str_radix(&format!("{sign}{digits}"), radix).ok()
}

/// The query of a tuple, for `Location`.
pub(super) fn of_tuple(tuple: &RelationTuple) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("namespace", &tuple.namespace);
    query.append_pair("object", &tuple.object);
    query.append_pair("relation", &tuple.relation);
    match &tuple.subject {
        Subject::Id(id) => query.append_pair("subject_id", id),
        Subject::Set(set) => query
            .append_pair("subject_set.namespace", &set.namespace)
            .append_pair("subject_set.object", &set.object)
            .append_pair("subject_set.relation", &set.relation),
    };
    query.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<TupleQuery, String> {
        Parameters::of(Some(query)).and_then(|it| it.tuple_query()).map_err(|error| error.to_string())
    }

    #[test]
    fn an_empty_parameter_is_present() {
        let query = parse("namespace=Doc&object=&subject_id=").unwrap();
        assert_eq!(
            (query.namespace.as_deref(), query.object.as_deref(), query.relation),
            (Some("Doc"), Some(""), None)
        );
        assert_eq!(query.subject, Some(Subject::Id(String::new())));
        assert_eq!(parse("").unwrap(), TupleQuery::default());
        assert_eq!(parse("namespace=a&namespace=b").unwrap().namespace.as_deref(), Some("a"));
    }

    #[test]
    fn a_repeated_parameter_is_refused_where_unknown_ones_are() {
        let refused = |query: &str| Parameters::of(Some(query)).and_then(|it| it.refuse_others(TUPLE));
        assert!(refused("namespace=Doc&object=a&subject_id=").is_ok());
        for query in ["object=a&object=b", "object=a&namespace=Doc&object=a", "object=&obj%65ct="] {
            let error = refused(query).unwrap_err().to_string();
            assert!(error.contains("object: must not be repeated"), "{query}: {error}");
        }
    }

    /// Otherwise all of these names would be U+FFFD, and a tuple with that name would be matched by each.
    #[test]
    fn a_parameter_that_is_not_percent_encoded_utf_8_is_refused() {
        for bytes in ["%ff", "%fe", "%c3", "%C3%28", "a%ed%a0%80", "%c0%af"] {
            let error = parse(&format!("namespace=Doc&object={bytes}")).unwrap_err();
            assert!(error.contains("object: must be percent-encoded UTF-8"), "{error}");
        }
        for escape in ["%zz", "%", "a%4", "%%41", "%+1", "%4\u{e9}"] {
            let error = parse(&format!("object={escape}")).unwrap_err();
            assert!(error.contains("object: a percent sign must be followed by"), "{error}");
        }
        assert!(parse("%ff=a").unwrap_err().contains("%ff: must be percent-encoded UTF-8"));
        let object = |text: &str| parse(&format!("&&object={text}&")).unwrap().object.unwrap();
        assert_eq!((object("a+b%2B%25"), object("%EF%BF%BD=%C3%BC")), ("a b+%".into(), "\u{fffd}=\u{fc}".into()));
    }

    #[test]
    fn a_depth_is_in_the_notation_of_go() {
        let depth = |text: &str| Parameters::of(Some(&format!("max-depth={text}"))).ok()?.max_depth().ok()?;
        for (text, number) in
            [("5", 5), ("0x10", 16), ("0b11", 3), ("0o17", 15), ("017", 15), ("0", 0), ("-2", -2), ("-0x8", -8)]
        {
            assert_eq!(depth(text), Some(number), "{text}");
        }
        assert_eq!((depth("-9223372036854775808"), depth("%2B7")), (Some(i64::MIN), Some(7)));
        for text in ["", "-", "x", "1.5", "0x", "--1", "0x-1", "99999999999999999999"] {
            assert_eq!(depth(text), None, "{text}");
        }
        assert!(Parameters::of(None).unwrap().max_depth().unwrap().is_none());
    }

    #[test]
    fn a_subject_is_a_text_or_three_parts() {
        let set = "subject_set.namespace=Group&subject_set.object=a%20b&subject_set.relation=";
        let wanted = SubjectSet { namespace: "Group".into(), object: "a b".into(), relation: String::new() };
        assert_eq!(parse(set).unwrap().subject, Some(Subject::Set(wanted)));
        assert!(parse(&format!("{set}&subject_id=a")).unwrap_err().contains("exactly one of"));
        assert!(parse("subject_set.namespace=Group").unwrap_err().contains("subject_set: is incomplete"));
        assert!(parse("subject=a").unwrap_err().contains("subject: is no parameter"));
    }

    #[test]
    fn the_query_of_a_tuple_is_that_tuple() {
        let set = SubjectSet { namespace: "Group".into(), object: "ü&=#".into(), relation: String::new() };
        for subject in [Subject::Id("a b+c".into()), Subject::Set(set)] {
            let tuple =
                RelationTuple { namespace: "Doc".into(), object: "1/2".into(), relation: "viewer".into(), subject };
            let TupleQuery { namespace, object, relation, subject } = parse(&of_tuple(&tuple)).unwrap();
            let (namespace, object, relation) = (namespace.unwrap(), object.unwrap(), relation.unwrap());
            assert_eq!(RelationTuple { namespace, object, relation, subject: subject.unwrap() }, tuple);
        }
    }
}
