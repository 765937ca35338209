-- The last step of a time-based one-time password that was used: its code, and those of steps before, are used up.

ALTER TABLE identity_credentials ADD COLUMN used_step bigint;
