//! `selfservice.methods`: the configuration sections of all methods. It depends only on the sections, not on the
//! methods, because the methods read the configuration.

use schemars::JsonSchema;
use serde::Deserialize;

macro_rules! sections {
    ($($name:ident: $method:expr $(, $section:ty)?;)+) => {
        /// `selfservice.methods`: the enabled methods and their settings.
        #[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
        #[serde(default)]
        pub struct Methods {
            $($(pub $name: $section,)?)+
        }
    };
}

super::list::methods!(sections);
