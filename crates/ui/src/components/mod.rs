//! The components of the pages. Each is a struct with its template beside it, and may be printed inside another
//! template as it is: `{{ field }}`.

mod alert;
mod button;
mod field;

pub use alert::Alert;
pub use button::{Button, ButtonKind, Confirmation};
pub(crate) use field::ALERTS_ID;
pub use field::{Checkbox, CodeKind, Field, Hidden, Select, SelectOption};

/// Makes a template's output count as finished HTML inside another template. Its own values are escaped already.
macro_rules! component {
    ($($name:ident)*) => { $(impl askama::filters::HtmlSafe for $name {})* };
}
pub(crate) use component;

component! { Alert Button Checkbox Field Hidden Select }
