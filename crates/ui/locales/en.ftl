### The English texts of Kleis: every page, message of a flow, and mail. English is complete, and replaces each text
### that another language lacks.
###
### This is a Fluent file (https://projectfluent.org). A text is one line: a name, an equals sign, the text. To translate,
### copy this file to `<language>.ftl` in the same folder, named by the two letters of ISO 639-1, and translate what stands
### to the right of each equals sign. `docs/guides/write-messages.md` describes the steps.
###
### - Do not translate names (`page-sign-in`, `.subject`), what stands in braces (`{ $client }`), `Kleis`, `OpenID Connect`,
###   `QR`, and the names of keys in brackets (`[one]`).
### - `{ $client }` is a value. It may stand anywhere in the text, and must stand in it. The comment above a text or a section
###   says what the value is. Values are put in as they are; on a page they are escaped.
### - Text cannot contain HTML, and a line break ends it unless the next line is indented.
### - A text that depends on a number has a form for each category of your language (`[one]`, `[few]`, …, `*[other]`); Unicode
###   CLDR lists them: https://www.unicode.org/cldr/charts/latest/supplemental/language_plural_rules.html
### - A comment that begins with one `#` belongs to the text below it, one with `##` to the section below it.

## The language itself

# Its name in the language itself: the label of the link that chooses the language, at the end of each page.
language-name = English
# Not text: `ltr` for a language that is written from left to right, `rtl` for one from right to left.
language-direction = ltr

## Dates

# A date with its time, in a list of devices or mails and in sentences: 5 Mar 2026, 09:07 UTC.
# $day (number), $month (number, 1 to 12), $year and $time (09:07); $padded_day and $padded_month have two digits.
# `UTC` is the name of the time zone and stays.
moment =
    { $day } { $month ->
        [1] Jan
        [2] Feb
        [3] Mar
        [4] Apr
        [5] May
        [6] Jun
        [7] Jul
        [8] Aug
        [9] Sep
        [10] Oct
        [11] Nov
       *[12] Dec
    } { $year }, { $time } UTC

## Every page

# The first link of each page, for people who use the keyboard: it jumps over the head of the page.
page-skip-to-content = Skip to content
# Behind the label of a field that may stay empty.
page-optional = optional
# Between two ways to sign in.
page-or = or
# The first line of a list to choose from, while nothing is chosen.
page-choose = Please choose
# Before the text of an error at a field, and before the title of a window with an error. Read by screen readers.
page-error-prefix = Error:
page-back = Back
page-continue = Continue
page-cancel = Cancel
page-start-again = Start again

# The name of the list of languages, read by screen readers.
page-language = Language
# The links at the end of each page.
page-footer-terms = Terms of service
page-footer-privacy = Privacy policy
page-footer-imprint = Imprint
page-footer-help = Help

## Sign-in

# The title of the page, and the label of links to it.
page-sign-in = Sign in
page-sign-in-intro = Good to see you again.
# In place of the sentence above, when an application asked for the sign-in.
# $client (text): the name of the application, shown bold.
page-sign-in-toward = Sign in to continue to { $client }.
# The title, when a signed-in user must sign in once more, for instance before they change a password.
page-confirm-identity = Confirm it’s you
# The title of the second step.
page-second-factor = One more step
page-second-factor-intro = Your account is protected by a second factor.
# The title of the page that asks for a code from a mail or text message.
page-enter-code = Enter your code
# Before the name of the account that the user signs in to. Read by screen readers.
page-account = Account
# Before the address that a code was sent to. Read by screen readers.
page-code-sent-to = Address
# A link beside that address, back to the field for the address.
page-wrong-address = Wrong address?
# A question before the link below it.
page-no-account-yet = New here?
page-create-account = Create an account
# A link to the recovery page, where the sign-in has no password.
page-forgot-access = Can’t sign in?
# A link to the recovery page, beside the field of the password.
page-forgot-password = Forgot password?
# A button in the field of a password.
page-show-password = Show password
# A link back to the field for the name of the account.
page-use-another-account = Use another account

# The rules for a new password, each a sentence.
# $min_length (number): the least number of characters.
page-password-min-length =
    { $min_length ->
        [one] At least one character.
       *[other] At least { $min_length } characters.
    }
page-password-unlike-identifier = Not similar to your sign-in name.
page-password-not-breached = Not known from data breaches.

## Sign-up

# The title of the page.
page-sign-up = Create your account
page-sign-up-intro = It takes less than a minute.
# In place of the sentence above, when an application asked for the sign-up.
# $client (text): the name of the application, shown bold.
page-sign-up-toward = Create an account to continue to { $client }.
# The title of the second step, which asks for a password or another way to sign in.
page-secure-account = Protect your account
# A question before the link below it.
page-have-account = Already have an account?
page-sign-in-instead = Sign in

## Recovery of an account, and verification of an address

page-recovery = Recover your account
page-recovery-intro = Enter your address. If an account has it, we will send a code or a link to it.
# On the page that the link in a recovery mail opens.
page-recovery-link-intro = This link lets you sign in once to set a new password. If you did not request it, close this page.
# A link on the recovery page.
page-back-to-sign-in = Back to sign in

page-verification = Confirm your address
page-verification-intro = Enter your address. We will send a code or a link to it, so that you can confirm that it is yours.
# On the page that the link in a verification mail opens.
page-verification-link-intro = Confirm that this address is yours. If you did not request this, close this page.
# The title, once the address is verified.
page-verification-done = Address confirmed

# The title of the page for a user who opened the link of a mail in another browser than the one that they began in.
page-other-browser = Continue in the other browser
page-other-browser-intro = You started in another browser or on another device. Go back to the page there and enter the code from the mail.

## Account settings

page-settings = Your account
page-settings-intro = Your details and how you sign in.

# The sections of the page, each with a sentence below its title.
page-section-profile = Profile
page-section-profile-intro = What we know about you.
page-section-password = Password
page-section-password-intro = Choose one that you use nowhere else.
# The label of the field for a new password.
page-new-password = New password
page-section-social = Linked accounts
page-section-social-intro = Accounts at other providers that you can sign in with.
page-section-totp = Authenticator app
page-section-totp-intro = An app on your phone that shows a new code every 30 seconds.
page-section-lookup = Backup codes
page-section-lookup-intro = Each code works once. Use one when you do not have your phone.
# A notice above the settings of a person who has an authenticator app and no backup codes, and the link behind it to the
# section in which they are created.
page-no-backup-codes = You have no backup codes yet. With them you can sign in if you lose the phone with your authenticator app.
page-create-backup-codes = Go to the backup codes
# Two buttons under new backup codes. The first one puts them into the clipboard, the second one saves a file with them.
page-copy-codes = Copy
page-codes-copied = The codes are in the clipboard.
page-save-codes = Download
# Questions after the button that removes a sign-in method was pressed, and the button that does it.
page-remove-app = The codes of the app will no longer work. Remove the app?
page-remove-codes = None of your backup codes will work any more. Remove them?
page-remove-other = You will no longer be able to sign in with it. Remove it?
page-confirm-removal = Yes, remove
page-section-webauthn = Security keys
page-section-webauthn-intro = A small device that you plug in or tap.
page-section-passkey = Passkeys
page-section-passkey-intro = Sign in with your fingerprint, face or device PIN.
# A section that has no title of its own.
page-section-other = More

# The list of devices that are signed in.
page-sessions = Signed-in devices
page-sessions-intro = Sign out any device that you don’t recognize, then change your password.
page-this-device = This device
# A device whose browser and system are not known.
page-unknown-device = Unknown device
# $time (text): date and time of the sign-in.
page-signed-in-at = Signed in { $time }
# A button in the line of one device: it signs that device out.
page-end-session = Sign out
page-end-other-sessions = Sign out everywhere else
page-no-other-sessions = You are signed in on this device only.
# A note above the page, after the button was pressed.
page-sessions-ended = Done. Those devices are signed out.

# The list of applications that may use the account.
page-connections = Connected applications
page-connections-intro = You allowed these applications to use your account. Remove any that you don’t use or recognize.
page-no-connections = No application uses your account.
# $time (text): date and time when the user allowed it.
page-connected-since = Allowed { $time }
# A button in the line of one application.
page-end-connection = Remove access
# A note above the page, after the button was pressed.
page-connection-ended = Done. The application can no longer use your account.
# When the list cannot be read.
page-connections-unavailable = Connected applications cannot be shown at the moment. Please try again later.

## Sign-out, and the page of a signed-in user

# The title of the page, and the label of buttons and links.
page-sign-out = Sign out
page-sign-out-question = Sign out?
page-sign-out-intro = You will need to sign in again on this device.
page-stay-signed-in = Stay signed in

page-signed-out = You are signed out
page-signed-out-intro = You can close this window.

page-welcome = You are signed in
# $name (text): an address or a name of the user, shown bold.
page-signed-in-as = Signed in as { $name }
page-manage-account = Manage your account

## Errors

# The title of the page of an error, and below it one of the sentences that follow.
page-error = Something went wrong
page-error-intro = We could not complete your request. Please try again.
page-error-not-found = This page does not exist, or it was removed.
page-error-expired = This page has expired. Please start again.
# A form that was sent from another site, or whose protection against that is outdated.
page-error-forbidden = This request did not come from one of our pages, or the page is outdated. Please start again.
# A feature that the operator has switched off.
page-error-disabled = This feature is turned off.
page-error-unavailable = Something is wrong on our side. Please try again in a moment.
# $status (number): the HTTP status, for instance 404. For support.
page-error-code = Status { $status }
# Opens the details for support.
page-error-details = Details
page-to-start = Go to the start page

# A request that cannot be answered: what happened, and what to do about it. This is status 404.
page-refused-page-missing = This page does not exist
page-refused-page-missing-advice = Check the address, or go to the start page.
# Status 405.
page-refused-method = This address cannot be opened in this way
page-refused-method-advice = Go back to the page that you came from, and use its form or link.
# Status 400 and 414.
page-refused-address = The address of this page is not valid
page-refused-address-advice = Check the address, or open the link again.
# Status 403.
page-refused-forbidden = The request was not accepted
page-refused-forbidden-advice = The page may be outdated, or your browser blocks cookies. Open the page again and allow cookies.
# Status 413.
page-refused-too-large = What you sent is too large
page-refused-too-large-advice = Go back, shorten what you entered, and send it again.
# Status 429.
page-refused-too-many = There were too many requests
page-refused-too-many-advice = Wait a few minutes, then try again.
# Status 500, 502 and 503.
page-refused-unavailable = The service cannot answer right now
page-refused-unavailable-advice = Try again in a moment.

## The mailbox for development: a page for operators that lists messages instead of sending them

page-mailbox = Mailbox
page-mailbox-intro = Messages that were kept here instead of being sent. For development only.
page-mailbox-empty = No messages yet.
# Labels before the facts of a message.
page-mail-to = To
page-mail-sent = Time
page-mail-status = Status
# The kind of the message, by the name of its template.
page-mail-kind = Template
# In place of an empty subject.
page-mail-no-subject = (no subject)
# The heading above the HTML part of a message.
page-mail-html = The message as HTML
page-mail-open-html = Open the HTML part on a page of its own
# A link to the next page of the list.
page-older = Older messages

## Messages of flows: sign-in
##
## The messages of the self-service API of Ory Kratos, by their ids. They are shown above a form, at a field, or as the label
## of a field or button. Do not change the names: clients know the ids.
## The values of a message are the members of its `context` in the API. A message whose context lacks a value is shown in the
## text of the API.
##
## $provider (text): the name of a sign-in provider, such as Google. $address (text): an email address or phone number.

message-1010001 = Sign in
message-1010002 = Sign in with { $provider }
message-1010003 = Please confirm that it is you by signing in again.
message-1010004 = Please complete the second step to sign in.
message-1010005 = Verify
message-1010006 = Code from your authenticator app
message-1010007 = Backup code
message-1010008 = Sign in with a security key
message-1010009 = Continue
message-1010010 = Use a backup code
message-1010011 = Continue with a security key
message-1010012 = Have your security key ready, then continue.
message-1010013 = Continue
# Shown to anyone, so it must not say whether there is such an account.
message-1010014 = If an account has this address, we sent a code to it. Please enter it below.
message-1010015 = Send me a sign-in code
# $duplicateIdentifier (text): an email address or user name.
message-1010016 = You already have an account with { $duplicateIdentifier }. Sign in to it once to link it with { $provider }.
message-1010017 = Sign in and link
message-1010018 = Confirm with { $provider }
message-1010019 = Send me a code to continue
message-1010020 = Please complete the second step.
message-1010021 = Sign in with a passkey
message-1010022 = Sign in
message-1010023 = Send a code to { $address }
message-1010024 = Sign in with a hardware key
message-1010025 = We sent you a code. Please enter it below.

## Messages of flows: sign-up
##
## $provider (text): the name of a sign-in provider, such as Google.

message-1040001 = Continue
message-1040002 = Sign up with { $provider }
message-1040003 = Continue
message-1040004 = Sign up with a security key
message-1040005 = We sent a code to the address that you entered. Please enter it below.
message-1040006 = Send me a sign-up code
message-1040007 = Sign up with a passkey
message-1040008 = Back
message-1040009 = Choose how you want to sign in from now on.

## Messages of flows: settings
##
## $provider (text): the name of a sign-in provider, such as Google. $display_name (text): the name that a user gave to a key.

message-1050001 = Your changes have been saved.
message-1050002 = Link { $provider }
message-1050003 = Unlink { $provider }
message-1050004 = Remove authenticator app
message-1050005 = QR code for your authenticator app
# Nothing to translate: the key of an authenticator app.
message-1050006 = { $secret }
message-1050007 = Show backup codes
message-1050008 = Create new backup codes
# Nothing to translate: a backup code.
message-1050009 = { $secret }
message-1050010 = Your backup codes. Keep them in a safe place.
message-1050011 = I have saved these codes
message-1050012 = Add security key
message-1050013 = Name of the security key
# In place of a backup code that was used. $used_at (text): date and time.
message-1050014 = used on { $used_at }
# Nothing to translate: the list of backup codes.
message-1050015 = { $secrets }
message-1050016 = Remove backup codes
message-1050017 = If you can’t scan the QR code, enter this key in your app
message-1050018 = Remove security key “{ $display_name }”
message-1050019 = Add passkey
message-1050020 = Remove passkey “{ $display_name }”
message-1050021 = Remove this device
# Hidden label of a field that a script fills in.
message-1050022 = Device challenge
message-1050023 = Your account is managed by your organization.

## Messages of flows: recovery

message-1060001 = Your account is recovered. Please choose a new password now, or set up another way to sign in.
# The next three are shown to anyone, so they must not say whether there is such an account.
message-1060002 = If an account has this address, we sent a recovery link to it.
message-1060003 = If an account has this address, we sent a recovery code to it. Please enter it below.
# $masked_address (text): an address of which most letters are hidden.
message-1060004 = If an account has the address { $masked_address }, we sent a recovery code to it. Please enter it below.
message-1060005 = Please enter the complete recovery address.
message-1060006 = How do you want to recover your account?
message-1060007 = Back

## Messages of flows: labels of fields and buttons

message-1070001 = Password
# Nothing to translate: the title that the operator gave to a field. The section of titles below translates common ones.
message-1070002 = { $title }
message-1070003 = Save
message-1070004 = Email or username
message-1070005 = Submit
message-1070006 = Code
message-1070007 = Email
message-1070008 = Send the code again
message-1070009 = Continue
message-1070010 = Recovery code
message-1070011 = Verification code
message-1070012 = Sign-up code
message-1070013 = Sign-in code
message-1070014 = Sign in and link
message-1070015 = Please solve the captcha to continue.
message-1070016 = Email or phone number
message-1070017 = Phone number
message-1070018 = Email or phone number

## Messages of flows: verification
##
## $address (text): an email address or phone number.

# The texts for an address that a user typed must not say whether it has an account.
message-1080001 = If an account has this address, we sent a verification link to it.
message-1080002 = Your email address is confirmed.
# `.own_address`: the address is that of the account of the user, so the text may name it.
message-1080003 = If an account has this address, we sent a verification code to it. Please enter it below.
    .own_address = We sent a code to { $address }. Please enter it below.
message-1080004 = If an account has this number, we sent a text message with a code to it. Please enter it below.
    .own_address = We sent a code to { $address } by text message. Please enter it below.
message-1080005 = Your phone number is confirmed.

## Messages of flows: what is wrong with a value
##
## Numbers: $min_length, $max_length, $min_items, $max_items, $minutes. $minimum, $maximum and $base are numbers that may have a
## fraction. $expected (text): a fixed value. $reason (text): a sentence of the API in English.

# The attributes are sentences for the commonest reasons.
message-4000001 = { $reason }
    .too_many_attempts =
        Too many attempts. Please try again in { $minutes ->
            [one] one minute
           *[other] { $minutes } minutes
        }.
    .code_exhausted = There were too many attempts with this code. Please request a new one.
    .flow_changed = This form was changed by another request. Please check it and submit it again.
    .signed_in_already = You are already signed in.
message-4000002 = Please fill in this field.
message-4000003 =
    { $min_length ->
        [one] Please use at least one character.
       *[other] Please use at least { $min_length } characters.
    }
message-4000004 = This value does not have the expected format.
message-4000005 = This password can’t be used: { $reason }
# Shown when the account, the password or both are wrong: it must not say which.
message-4000006 = The sign-in details are not correct. Check for typing mistakes and try again.
message-4000007 = An account with these details already exists. Sign in to it, or recover it.
message-4000008 = This code is not correct. Please try again with a current code.
message-4000009 = Please enter something that you can sign in with later, such as an email address.
message-4000010 = Please confirm your email address first.
message-4000011 = No authenticator app is set up for this account.
message-4000012 = This backup code was already used.
message-4000013 = No security key is set up for this account.
message-4000014 = No backup codes are set up for this account.
message-4000015 = This account does not exist, or it has no security key.
message-4000016 = This backup code is not correct.
message-4000017 =
    { $max_length ->
        [one] Please use at most one character.
       *[other] Please use at most { $max_length } characters.
    }
message-4000018 = Please enter { $minimum } or more.
message-4000019 = The value must be greater than { $minimum }.
message-4000020 = Please enter { $maximum } or less.
message-4000021 = The value must be less than { $maximum }.
message-4000022 = The value must be a multiple of { $base }.
message-4000023 =
    { $max_items ->
        [one] At most one entry is possible.
       *[other] At most { $max_items } entries are possible.
    }
message-4000024 =
    { $min_items ->
        [one] At least one entry is needed.
       *[other] At least { $min_items } entries are needed.
    }
message-4000025 = Two entries are the same. Please remove one of them.
message-4000026 = This type of value is not allowed here.
message-4000027 = An account with these details already exists. Sign in to it to link your social account.
message-4000028 = An account with these details already exists. Sign in to it as you usually do.
message-4000029 = The value must be { $expected }.
message-4000030 = This value is not allowed here.
message-4000031 = This password is too similar to your sign-in name.
message-4000032 =
    { $min_length ->
        [one] Please use at least one character.
       *[other] Please use at least { $min_length } characters.
    }
message-4000033 = This password is too long. Use at most { $max_length } characters, fewer with accented letters or emoji.
message-4000034 = This password has appeared in data breaches. Please choose another one.
# These texts must not say whether there is such an account.
message-4000035 = This account does not exist, or it can’t sign in by code.
message-4000036 = Your details changed after the code was sent. Please start again.
message-4000037 = This account does not exist, or it has no way to sign in.
message-4000038 = The captcha was not solved. Please try again.
message-4000039 = The new password must differ from the old one.
message-4000040 = Please enter a valid email address.
message-4000041 = Please enter a valid phone number with its country code, such as +49.
message-4000042 = No device is set up for this account.
message-4000043 = The security key could not be verified. Please try again.
message-4000044 = The signature of the device is not valid.
message-4000045 = The attestation of the device is not valid.
message-4000046 = This device has to be set up again.

## Messages of flows: what is wrong with a flow

message-4010001 = This page has expired. Please sign in again.
message-4010002 = No sign-in method matches the submitted fields. Please try again.
message-4010003 = No sign-up method matches the submitted fields. Please try again.
message-4010004 = The form does not say what to change. Please try again.
message-4010005 = No recovery method matches the submitted fields. Please try again.
message-4010006 = No verification method matches the submitted fields. Please try again.
message-4010007 = This sign-in is already complete. Please start again.
message-4010008 = This code is not correct, or it was already used. Please try again.
message-4010009 = The linked accounts do not belong to the same person.
message-4010010 = This address does not belong to the account.
message-4010011 = This account is disabled.
message-4040001 = This page has expired. Please start again.
message-4040002 = This sign-up is already complete.
message-4040003 = This code is not correct, or it was already used. Please try again.
message-4050001 = This page has expired. Please make your changes again.
message-4050002 = Please change one address at a time.
message-4060001 = This recovery is already complete. Please start again.
message-4060002 = The recovery failed. Please start again.
message-4060003 = The link is not complete. Please open it again.
message-4060004 = This link is not valid, or it was already used. Please request a new one.
message-4060005 = This page has expired. Please start again.
message-4060006 = This code is not correct, or it was already used. Please try again.
message-4070001 = This link is not valid, or it was already used. Please request a new one.
message-4070002 = This verification is already complete. Please start again.
message-4070003 = The verification failed. Please start again.
message-4070004 = The link is not complete. Please open it again.
message-4070005 = This page has expired. Please start again.
message-4070006 = This code is not correct, or it was already used. Please try again.

## Messages of flows: faults of the server
##
## $reason (text): a sentence of the API in English.

message-5000001 = { $reason }
message-5000002 = No sign-in method is available at the moment.
message-5000003 = Your organization requires single sign-on, but has not set it up yet.

## Titles of fields
##
## Common titles of fields in the identity schema of an operator, in English. A title is looked up in lower case with `-`
## between its words. A title that is not here is shown as the operator wrote it. In English all are.

trait-e-mail = Email
trait-email = Email
trait-email-address = Email address
trait-your-e-mail = Your E-Mail
trait-name = Name
trait-full-name = Full name
trait-first-name = First name
trait-last-name = Last name
trait-username = Username
trait-phone = Phone
trait-phone-number = Phone number
trait-date-of-birth = Date of birth
trait-address = Address
trait-city = City
trait-country = Country
trait-language = Language
trait-website = Website
trait-company = Company

## OAuth: consent

# An application asks for access to the account. The title of the page.
oauth-consent-title = Allow access?
# $client (text): the name of the application, shown bold.
oauth-consent-asks = { $client } asks for access to your account.
# $name (text): an address or a name of the user, shown bold.
oauth-signed-in-as = Signed in as { $name }
# The start of a sentence that the list below continues: each of the permissions that follow.
oauth-asks-for = It will be able to
# The permissions, by the scope that the application asks for.
oauth-scope-openid = Know who you are
oauth-scope-profile = See your name and profile
oauth-scope-email = See your email address
oauth-scope-phone = See your phone number
oauth-scope-address = See your postal address
oauth-scope-offline = Keep access while you are away
# A scope that has no text: its name follows.
oauth-scope-other = Use the permission
# In place of the list, when the application asks for no permission.
oauth-nothing-else = Know that you signed in, and nothing else
# The label before the address of an API.
oauth-will-call = It will use this access at
# The label before the host that the browser goes on to.
oauth-goes-to = You will be sent to
oauth-remember = Remember this choice
oauth-remember-hint = You will not be asked again for the same access.
# The two buttons.
oauth-allow = Allow
oauth-deny = Do not allow
# Links of the application. Those at the end of the page are the links of the operator.
oauth-terms = Terms of service of the application
oauth-privacy = Privacy policy of the application

## OAuth: sign-out

oauth-logout-title = Sign out?
oauth-logout-intro = You will be signed out here and from the applications that you used.
# $client (text): the name of the application that began the sign-out, shown bold.
oauth-logout-asked-by = { $client } asks you to sign out.
# The two buttons.
oauth-sign-out = Sign out
oauth-stay = Stay signed in

# After the button to stay.
oauth-stayed-title = You are still signed in
oauth-stayed-intro = Nothing was changed. You can close this page.

# After the sign-out, when no application is there to go back to.
oauth-signed-out-title = You are signed out
oauth-signed-out-intro = You can close this page.

# While applications are notified in the background.
oauth-signing-out-title = Signing you out …
oauth-signing-out-intro = We are signing you out of the applications that you used. This takes a moment.
# A button for browsers that are not redirected automatically.
oauth-go-on = Continue

## OAuth: errors, and the way back to the application

oauth-error-title = This did not work
# The request of the application is wrong.
oauth-error-intro = The application that sent you here made a request that is not valid. Its developers can find the reason in the details below.
# The sign-in began too long ago, or was completed already.
oauth-error-expired = This request has expired, or it was already completed. Go back to the application and start again.
# The browser does not have the cookie of the request.
oauth-error-cookies = This was started in another browser, or this browser does not accept cookies. Go back to the application and start again.
oauth-error-ours = Something is wrong on our side. Please try again in a moment.
# Opens the details for developers.
oauth-error-details = Details

# A page that submits itself to the application.
oauth-form-post-title = One moment …
oauth-form-post-intro = You are being sent back to the application.

## Mails and text messages: what they share
##
## Mails are sent as plain text and as HTML. $minutes (number).

mail-code-validity =
    The code is valid for { $minutes ->
        [one] one minute
       *[other] { $minutes } minutes
    } and can be used once.
# The same in a text message, where each character counts.
mail-short-validity =
    It is valid for { $minutes ->
        [one] one minute
       *[other] { $minutes } minutes
    }.
mail-link-validity =
    The link is valid for { $minutes ->
        [one] one minute
       *[other] { $minutes } minutes
    } and can be used once.

# What to do about a code that the user did not ask for.
mail-ignore-code = If you did not request this code, ignore this message, and do not give the code to anyone.
mail-ignore-link = If you did not request this link, ignore this message. Nothing happens unless you open the link.
# To a user who asked for a mail, and whose address belongs to no account.
mail-ignore = If it was you, try another address. If not, ignore this message.

# Before the address of a link, for mail programs in which it cannot be clicked.
mail-copy-link = You can also copy this address into your browser:
# $at (text): when it happened, as 2026-03-05T09:07:31Z.
mail-at = Time: { $at }
# The last line. $product (text): the name that the operator gave to the service.
mail-sent-by = This message was sent by { $product }.

## Mails and text messages: each kind
##
## `.subject` is the subject of the mail, `.heading` and `.lead` its first lines, `.button` the label of its link, `.advice` what to do
## about it, `.short` the first line of a text message. Do not add or omit one.
## $code (text): the code. $to (text): the address that the message is sent to.

mail-recovery-code =
    .subject = Your recovery code: { $code }
    .heading = Recover your account
    .lead = Enter this code to recover your account:
    .button = Continue without the code
    .short = Your recovery code is: { $code }

mail-recovery-link =
    .subject = Recover your account
    .heading = Recover your account
    .lead = Open this link to recover your account:
    .button = Recover your account

# A user asked for a recovery with an address that belongs to no account.
mail-recovery-unknown =
    .subject = Someone tried to recover an account
    .heading = Someone tried to recover an account
    .lead = Someone, perhaps you, asked to recover the account of { $to }. No account has this address.

mail-verification-code =
    .subject = Your verification code: { $code }
    .heading = Confirm your address
    .lead = Enter this code to confirm that this address is yours:
    .button = Open the page with the code filled in
    .short = Your verification code is: { $code }

mail-verification-link =
    .subject = Confirm your address
    .heading = Confirm your address
    .lead = Open this link to confirm that this address is yours:
    .button = Confirm your address

# A user asked for a verification of an address that belongs to no account.
mail-verification-unknown =
    .subject = Someone tried to confirm this address
    .heading = Someone tried to confirm this address
    .lead = Someone, perhaps you, asked to confirm the address { $to }. No account has this address.

mail-login-code =
    .subject = Your sign-in code: { $code }
    .heading = Sign in
    .lead = Enter this code to sign in:
    .short = Your sign-in code is: { $code }

mail-registration-code =
    .subject = Your sign-up code: { $code }
    .heading = Finish signing up
    .lead = Enter this code to finish signing up:
    .short = Your sign-up code is: { $code }

# A notice to the old address.
mail-address-changed =
    .subject = An address of your account was changed
    .heading = An address of your account was changed
    .lead = An address of your account was changed.
    .advice = If it was not you, recover your account at once and inform the operator of this service.
    .short = An address of your account was changed.

mail-key-added =
    .subject = A sign-in key was added to your account
    .heading = A sign-in key was added to your account
    .lead = A sign-in key was added to your account.
    .advice = If it was not you, recover your account at once and inform the operator of this service.
    .short = A sign-in key was added to your account.

# To the owner of an address that another person tried to sign up with.
mail-registration-taken =
    .subject = Someone tried to sign up with your address
    .heading = You already have an account
    .lead = Someone, perhaps you, tried to sign up with { $to }. You already have an account with this address.
    .advice = If it was you, sign in, or recover your account if you forgot the password. If not, ignore this message: nothing was changed, and the other person did not learn that you have an account.
    .short = Someone tried to sign up with this number. You already have an account: sign in, or ignore this message.

## The sample application of `kleis demo`

demo-title = Sample app
demo-intro = This is a separate application. It signs you in with Kleis by OpenID Connect.
demo-sign-in = Sign in with Kleis

# The heading for a user whose name is unknown, and the title of the window.
demo-hello = Hello
# $name (text): the name or the address of the user.
demo-hello-name = Hello, { $name }
demo-signed-in-intro = You are signed in to the sample app.
demo-who = What the app knows
demo-who-intro = The claims of your ID token.
demo-api = Sample API
demo-api-intro = It is behind the gateway, which checks your access token and passes your id to the API.
demo-call-api = Call the API
# Before the HTTP status of the answer.
demo-api-answer = The API’s answer
demo-document = Your document
demo-document-intro = Everyone who signs in owns one. The permission service knows who may do what with it, and which relation tuple is the reason.
demo-reader = Email address of a colleague
demo-no-address = Enter an email address.
demo-share = Share
demo-revoke = Revoke
demo-nobody = Nobody has signed up with this address.
demo-own-document = You own this document already: enter the address of someone else.
demo-shared = { $reader } may read your document now.
demo-revoked = { $reader } may no longer read your document.
# A part of the demo failed: the permission service, or the list of identities.
demo-api-failed = This did not work, because one of the services did not answer. Try again.
demo-open-document = Open a document
demo-open-document-intro = The gateway asks the permission service, and passes the request to the API only if you may read the document.
demo-owner = Email address of its owner
demo-open = Open
demo-may-read = You may read this document
demo-may-not-read = You may not read this document
demo-not-shared = { $owner } has not shared this document with you: you are neither its owner nor among its readers.
# Before the steps of an explanation.
demo-because = The reason, from the permission service:
demo-account = Manage your account
demo-sign-out = Sign out

demo-signed-out = You are signed out
demo-signed-out-intro = You are signed out of the sample app and of Kleis.
# On the start page, after a form was sent when the session had already ended.
demo-session-ended = Your session in the sample app has ended. Sign in again to continue where you were.

# A sign-in that ended without success has a title and a sentence with what to do. The user did not allow the access.
demo-declined = You are not signed in
demo-declined-intro = You did not allow the sample app to use your account, so it knows nothing about you. If you change your mind, sign in again.
# It took too long, or continues a sign-in of another browser.
demo-over = This sign-in is over
demo-over-intro = It took too long, or it began in another window. Sign in again.
demo-unavailable = Signing in does not work right now
demo-unavailable-intro = Kleis does not answer. Try again in a few minutes.
demo-failed = You could not be signed in
demo-failed-intro = Something went wrong between the sample app and Kleis. Try again; if it fails again, the details help whoever runs the app.
