-- The row of a login session is also the proof that its login challenge was redeemed. It stays until the challenge has
-- expired, even if the session ended long before: otherwise the same challenge would sign the person in once more.
ALTER TABLE oauth_login_sessions ADD COLUMN challenge_expires_at bigint NOT NULL DEFAULT 0;
-- When somebody signed out of it; `expires_at` says the same to whoever does not know this column.
ALTER TABLE oauth_login_sessions ADD COLUMN ended_at bigint;
-- How long the browser may use it to skip the sign-in; null for as long as it lasts. It lasts longer, because signing out
-- must reach the clients that it was used for.
ALTER TABLE oauth_login_sessions ADD COLUMN remembered_until bigint;
