//! Tokens that contain the sealed key of their row: a prefix by which users and scanners recognize the type of token, then
//! a sealed payload. Tokens that this server did not issue are rejected without a database read.

use base::seal::Purpose;
use base::{PlainToken, Sealer, TenantId};

/// The type of a token.
#[derive(Clone, Copy, Debug)]
pub struct TokenKind {
    pub prefix: &'static str,
    purpose: Purpose,
}

pub const ACCESS_TOKEN: TokenKind = TokenKind { prefix: "ory_at_", purpose: Purpose("oauth access token") };
pub const REFRESH_TOKEN: TokenKind = TokenKind { prefix: "ory_rt_", purpose: Purpose("oauth refresh token") };
pub const AUTHORIZATION_CODE: TokenKind = TokenKind { prefix: "ory_ac_", purpose: Purpose("oauth authorization code") };
/// The `jti` of a JWT access token: it contains the sealed grant, so that the token can be revoked.
pub const JWT_ID: TokenKind = TokenKind { prefix: "", purpose: Purpose("oauth jwt id") };

impl TokenKind {
    pub fn seal(self, sealer: &Sealer, tenant: TenantId, payload: &[u8]) -> PlainToken {
        let mut text = self.prefix.to_owned();
        text.push_str(&sealer.seal_text(self.purpose, tenant, payload));
        PlainToken::received(text)
    }

    pub fn open(self, sealer: &Sealer, tenant: TenantId, token: &str) -> Option<Vec<u8>> {
        sealer.open_text(self.purpose, tenant, token.strip_prefix(self.prefix)?).ok()
    }
}
