//! The list of all sign-in methods: the module, the type, and the configuration section if it has one.

/// Passes the list to the macro `$build`, in the order in which methods are matched to a submission.
macro_rules! methods {
    ($build:ident) => {
        $build! {
            profile: profile::Profile, crate::methods::profile::config::ProfileMethod;
            password: password::Password, crate::methods::password::config::PasswordMethod;
            oidc: oidc::OIDC;
            saml: oidc::SAML;
            code: code::Code, crate::methods::code::config::CodeMethod;
            link: link::Link, crate::methods::link::config::LinkMethod;
            totp: totp::Totp, crate::methods::totp::config::TotpMethod;
            passkey: webauthn::PASSKEY;
            webauthn: webauthn::WEBAUTHN;
            lookup_secret: lookup_secret::LookupSecret, crate::methods::lookup_secret::config::LookupSecretMethod;
            identifier_first: identifier_first::IdentifierFirst;
        }
    };
}

pub(super) use methods;
