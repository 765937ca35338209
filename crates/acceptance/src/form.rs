//! HTML forms, filled in as a person does: the fields of the page are sent back, including hidden ones, and a test cannot send
//! a field that the page does not have.

use anyhow::{Context as _, Result, anyhow, bail};
use scraper::{ElementRef, Html, Selector};
use url::Url;

/// A form and the values of its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    pub action: Url,
    /// Upper case.
    pub method: String,
    fields: Vec<Field>,
    buttons: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    name: String,
    value: String,
    /// Whether the field is sent: a checkbox may be unchecked.
    is_sent: bool,
    is_hidden: bool,
}

impl Form {
    pub(crate) fn find(document: &Html, page: &Url, selector: &str) -> Result<Self> {
        let selector = Selector::parse(selector).map_err(|error| anyhow!("{error}"))?;
        let mut forms = document.select(&selector).filter(|element| element.value().name() == "form");
        let form = forms.next().context("no such form")?;
        if forms.next().is_some() {
            bail!("more than one such form");
        }
        Self::read(form, page)
    }

    fn read(form: ElementRef<'_>, page: &Url) -> Result<Self> {
        let action = form.attr("action").filter(|action| !action.is_empty());
        let action = action.map_or_else(|| Ok(page.clone()), |action| page.join(action))?;
        let mut read = Self {
            action,
            method: form.attr("method").unwrap_or("get").to_ascii_uppercase(),
            fields: Vec::new(),
            buttons: Vec::new(),
        };
        let controls = Selector::parse("input, button, select, textarea").map_err(|error| anyhow!("{error}"))?;
        for control in form.select(&controls).filter(|control| control.attr("disabled").is_none()) {
            read.read_control(control)?;
        }
        Ok(read)
    }

    fn read_control(&mut self, control: ElementRef<'_>) -> Result<()> {
        let Some(name) = control.attr("name").map(str::to_owned) else { return Ok(()) };
        let kind = control.attr("type").unwrap_or_default();
        let value = control.attr("value").map(str::to_owned);
        let mut field = Field { name, value: String::new(), is_sent: true, is_hidden: kind == "hidden" };
        match (control.value().name(), kind) {
            ("button", "" | "submit") | ("input", "submit" | "image") => {
                field.value = value.unwrap_or_default();
                self.buttons.push(field);
                return Ok(());
            }
            ("button", _) | ("input", "button" | "reset") => return Ok(()),
            ("input", "checkbox" | "radio") => {
                field.value = value.unwrap_or_else(|| "on".to_owned());
                field.is_sent = control.attr("checked").is_some();
            }
            ("textarea", _) => field.value = control.text().collect(),
            ("select", _) => field.value = selected(control)?,
            _ => field.value = value.unwrap_or_default(),
        }
        self.fields.push(field);
        Ok(())
    }

    /// Enters `value` into the field, or selects it among checkboxes of that name.
    pub fn fill(mut self, name: &str, value: &str) -> Result<Self> {
        let fields: Vec<_> = self.fields.iter_mut().filter(|field| field.name == name && !field.is_hidden).collect();
        let single = fields.len() == 1;
        let mut found = false;
        for field in fields {
            let is_the_choice = !field.is_sent && field.value == value;
            if single || is_the_choice {
                value.clone_into(&mut field.value);
                field.is_sent = true;
                found = true;
            }
        }
        if !found {
            bail!("no field `{name}` to fill; there are: {}", self.names().join(", "));
        }
        Ok(self)
    }

    /// Sets a field of any kind, for tests that tamper with it.
    #[must_use]
    pub fn tamper(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|field| field.name != name);
        self.fields.push(Field { name: name.into(), value: value.into(), is_sent: true, is_hidden: true });
        self
    }

    /// The form as it is sent when the button of that name (and value, unless empty) is pressed.
    pub fn press(mut self, name: &str, value: &str) -> Result<Self> {
        let button =
            self.buttons.iter().find(|button| button.name == name && (value.is_empty() || button.value == value));
        let Some(button) = button.cloned() else {
            let there: Vec<_> = self.buttons.iter().map(|button| format!("{}={}", button.name, button.value)).collect();
            bail!("no button `{name}={value}`; there are: {}", there.join(", "));
        };
        // A hidden field can have the same name; both are sent, and the button comes last, as in a browser.
        self.fields.push(button);
        Ok(self)
    }

    /// The current value of a field.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.name == name).map(|field| field.value.as_str())
    }

    pub fn names(&self) -> Vec<&str> {
        self.fields.iter().map(|field| field.name.as_str()).collect()
    }

    /// The names and values that are sent.
    pub fn pairs(&self) -> Vec<(&str, &str)> {
        let sent = self.fields.iter().filter(|field| field.is_sent);
        sent.map(|field| (field.name.as_str(), field.value.as_str())).collect()
    }
}

fn selected(select: ElementRef<'_>) -> Result<String> {
    let options = Selector::parse("option").map_err(|error| anyhow!("{error}"))?;
    let options: Vec<_> = select.select(&options).collect();
    let chosen = options.iter().find(|option| option.attr("selected").is_some()).or(options.first());
    Ok(chosen.map_or_else(String::new, |option| {
        option.attr("value").map_or_else(|| option.text().collect::<String>(), str::to_owned)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<form id="a" action="/send?flow=1" method="post">
        <input type="hidden" name="csrf_token" value="secret">
        <input name="identifier" value=""><input type="password" name="password">
        <input type="checkbox" name="remember" value="true"><input name="gone" disabled>
        <select name="locale"><option value="en">English<option value="de" selected>Deutsch</select>
        <button name="method" value="password">Sign in</button><button name="method" value="code">Code</button>
        </form><form id="b"></form>"#;

    fn form(selector: &str) -> Result<Form> {
        let page = "http://localhost:4433/login".parse().unwrap();
        Form::find(&Html::parse_document(PAGE), &page, selector)
    }

    #[test]
    fn the_fields_of_the_page_are_sent_back() {
        let form = form("#a").unwrap();
        assert_eq!((form.action.as_str(), form.method.as_str()), ("http://localhost:4433/send?flow=1", "POST"));
        let form = form.fill("identifier", "alice").unwrap().fill("remember", "true").unwrap();
        let form = form.press("method", "password").unwrap();
        assert_eq!(
            form.pairs(),
            [
                ("csrf_token", "secret"),
                ("identifier", "alice"),
                ("password", ""),
                ("remember", "true"),
                ("locale", "de"),
                ("method", "password")
            ]
        );
    }

    #[test]
    fn a_field_that_the_page_lacks_cannot_be_filled() {
        assert!(form("#a").unwrap().fill("gone", "1").is_err());
        assert!(form("#a").unwrap().fill("csrf_token", "1").is_err());
        assert!(form("#a").unwrap().press("method", "oidc").is_err());
        assert!(form("form").is_err());
        assert!(form("#c").is_err());
    }
}
