//! `selfservice.methods`: the sections of all methods. It names no room, only their sections: the configuration is under
//! everything that reads it.

use schemars::JsonSchema;
use serde::Deserialize;

macro_rules! sections {
    ($($name:ident: $method:expr $(, $section:ty)?;)+) => {
        /// `selfservice.methods`: which proofs are offered.
        #[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
        #[serde(default)]
        pub struct Methods {
            $($(pub $name: $section,)?)+
        }
    };
}

super::list::methods!(sections);
