//! Every message id with its words. Sorted by id; the ids and the names in braces are a contract with all clients.

use super::Entry;

/// One message after the other: its id, English, German.
macro_rules! entries {
    ($($id:literal $english:literal $german:literal)*) => {
        &[$(Entry { id: $id, english: $english, german: $german }),*]
    };
}

#[rustfmt::skip]
pub(super) const ENTRIES: &[Entry] = entries![
    1_010_001 "Sign in" "Anmelden"
    1_010_002 "Sign in with {provider}" "Mit {provider} anmelden"
    1_010_003
        "Please confirm that it is you by signing in again."
        "Bitte bestätigen Sie, dass Sie es sind, und melden Sie sich noch einmal an."
    1_010_004
        "Please complete the second step to sign in."
        "Bitte führen Sie den zweiten Schritt der Anmeldung aus."
    1_010_005 "Verify" "Prüfen"
    1_010_006 "Code from your authenticator app" "Code aus Ihrer Authentifizierungs-App"
    1_010_007 "Backup code" "Ersatzcode"
    1_010_008 "Sign in with a security key" "Mit Sicherheitsschlüssel anmelden"
    1_010_009 "Continue" "Weiter"
    1_010_010 "Use a backup code" "Ersatzcode verwenden"
    1_010_011 "Continue with a security key" "Mit Sicherheitsschlüssel weiter"
    1_010_012
        "Have your security key ready, then continue."
        "Halten Sie Ihren Sicherheitsschlüssel bereit und fahren Sie fort."
    1_010_013 "Continue" "Weiter"
    1_010_014
        "If the address is known here, a code is on its way to it. Please enter it below."
        "Ist die Adresse bei uns bekannt, ist ein Code dorthin unterwegs. Bitte geben Sie ihn hier ein."
    1_010_015 "Send me a sign-in code" "Anmeldecode zuschicken"
    1_010_016
        "You already have an account with {duplicateIdentifier}. Sign in to it once to link it with {provider}."
        "Mit {duplicateIdentifier} haben Sie schon ein Konto. Melden Sie sich einmal daran an, um es mit {provider} zu verknüpfen."
    1_010_017 "Sign in and link" "Anmelden und verknüpfen"
    1_010_018 "Confirm with {provider}" "Mit {provider} bestätigen"
    1_010_019 "Send me a code to continue" "Code zum Fortfahren zuschicken"
    1_010_020
        "Please complete the second step."
        "Bitte führen Sie den zweiten Schritt aus."
    1_010_021 "Sign in with a passkey" "Mit Passkey anmelden"
    1_010_022 "Sign in" "Anmelden"
    1_010_023 "Send a code to {address}" "Code an {address} schicken"
    1_010_024 "Sign in with a hardware key" "Mit Hardwareschlüssel anmelden"
    1_010_025
        "A code is on its way to you. Please enter it below."
        "Ein Code ist zu Ihnen unterwegs. Bitte geben Sie ihn hier ein."
    1_040_001 "Continue" "Weiter"
    1_040_002 "Sign up with {provider}" "Mit {provider} registrieren"
    1_040_003 "Continue" "Weiter"
    1_040_004 "Sign up with a security key" "Mit Sicherheitsschlüssel registrieren"
    1_040_005
        "A code is on its way to the address you gave. Please enter it below."
        "Ein Code ist zu der angegebenen Adresse unterwegs. Bitte geben Sie ihn hier ein."
    1_040_006 "Send me a sign-up code" "Registrierungscode zuschicken"
    1_040_007 "Sign up with a passkey" "Mit Passkey registrieren"
    1_040_008 "Back" "Zurück"
    1_040_009
        "Choose how you want to sign in from now on."
        "Wählen Sie, wie Sie sich künftig anmelden möchten."
    1_050_001 "Your changes have been saved." "Ihre Änderungen sind gespeichert."
    1_050_002 "Link {provider}" "{provider} verknüpfen"
    1_050_003 "Unlink {provider}" "{provider} trennen"
    1_050_004 "Remove authenticator app" "Authentifizierungs-App entfernen"
    1_050_005
        "QR code for your authenticator app"
        "QR-Code für Ihre Authentifizierungs-App"
    1_050_006 "{secret}" "{secret}"
    1_050_007 "Show backup codes" "Ersatzcodes anzeigen"
    1_050_008 "Create new backup codes" "Neue Ersatzcodes erzeugen"
    1_050_009 "{secret}" "{secret}"
    1_050_010
        "Your backup codes. Keep them in a safe place."
        "Ihre Ersatzcodes. Bewahren Sie sie sicher auf."
    1_050_011 "I have saved these codes" "Ich habe diese Codes gesichert"
    1_050_012 "Add security key" "Sicherheitsschlüssel hinzufügen"
    1_050_013 "Name of the security key" "Name des Sicherheitsschlüssels"
    1_050_014 "used on {used_at}" "benutzt am {used_at}"
    1_050_015 "{secrets}" "{secrets}"
    1_050_016 "Remove this method" "Diese Methode entfernen"
    1_050_017
        "If you can’t scan the QR code, enter this key in your app"
        "Wenn Sie den QR-Code nicht scannen können, geben Sie diesen Schlüssel in die App ein"
    1_050_018
        "Remove security key “{display_name}”"
        "Sicherheitsschlüssel „{display_name}“ entfernen"
    1_050_019 "Add passkey" "Passkey hinzufügen"
    1_050_020 "Remove passkey “{display_name}”" "Passkey „{display_name}“ entfernen"
    1_050_021 "Remove this device" "Dieses Gerät entfernen"
    1_050_022 "Device challenge" "Geräteprüfung"
    1_050_023
        "Your account is managed by your organization."
        "Ihr Konto wird von Ihrer Organisation verwaltet."
    1_060_001
        "Welcome back. Please choose a new password now, or set up another way to sign in."
        "Willkommen zurück. Bitte wählen Sie jetzt ein neues Passwort oder richten Sie einen anderen Weg zur Anmeldung ein."
    1_060_002
        "If the address belongs to an account, a recovery link is on its way to it."
        "Gehört die Adresse zu einem Konto, ist ein Link zur Wiederherstellung dorthin unterwegs."
    1_060_003
        "If the address belongs to an account, a recovery code is on its way to it. Please enter it below."
        "Gehört die Adresse zu einem Konto, ist ein Wiederherstellungscode dorthin unterwegs. Bitte geben Sie ihn hier ein."
    1_060_004
        "If {masked_address} belongs to an account, a recovery code is on its way to it. Please enter it below."
        "Gehört {masked_address} zu einem Konto, ist ein Wiederherstellungscode dorthin unterwegs. Bitte geben Sie ihn hier ein."
    1_060_005
        "Please type the whole recovery address."
        "Bitte geben Sie die Adresse zur Wiederherstellung vollständig ein."
    1_060_006
        "How do you want to recover your account?"
        "Wie möchten Sie Ihren Zugang wiederherstellen?"
    1_060_007 "Back" "Zurück"
    1_070_001 "Password" "Passwort"
    1_070_002 "{title}" "{title}"
    1_070_003 "Save" "Speichern"
    1_070_004 "Email or username" "E-Mail-Adresse oder Benutzername"
    1_070_005 "Submit" "Absenden"
    1_070_006 "Code" "Code"
    1_070_007 "Email" "E-Mail-Adresse"
    1_070_008 "Send the code again" "Code noch einmal schicken"
    1_070_009 "Continue" "Weiter"
    1_070_010 "Recovery code" "Wiederherstellungscode"
    1_070_011 "Verification code" "Bestätigungscode"
    1_070_012 "Sign-up code" "Registrierungscode"
    1_070_013 "Sign-in code" "Anmeldecode"
    1_070_014 "Sign in and link" "Anmelden und verknüpfen"
    1_070_015
        "Please solve the captcha to continue."
        "Bitte lösen Sie die Aufgabe, um fortzufahren."
    1_070_016 "Email or phone number" "E-Mail-Adresse oder Telefonnummer"
    1_070_017 "Phone number" "Telefonnummer"
    1_070_018 "Email or phone number" "E-Mail-Adresse oder Telefonnummer"
    1_080_001
        "If the address is known here, a link to confirm it is on its way to it."
        "Ist die Adresse bei uns bekannt, ist ein Link zur Bestätigung dorthin unterwegs."
    1_080_002 "Your email address is confirmed." "Ihre E-Mail-Adresse ist bestätigt."
    1_080_003
        "If the address is known here, a code to confirm it is on its way to it. Please enter it below."
        "Ist die Adresse bei uns bekannt, ist ein Code zur Bestätigung dorthin unterwegs. Bitte geben Sie ihn hier ein."
    1_080_004
        "If the number is known here, a text message with a code is on its way to it. Please enter it below."
        "Ist die Nummer bei uns bekannt, ist eine SMS mit einem Code dorthin unterwegs. Bitte geben Sie ihn hier ein."
    1_080_005 "Your phone number is confirmed." "Ihre Telefonnummer ist bestätigt."
    4_000_001 "{reason}" "{reason}"
    4_000_002 "Please fill in this field." "Bitte füllen Sie dieses Feld aus."
    4_000_003
        "Please use at least {min_length} characters."
        "Bitte verwenden Sie mindestens {min_length} Zeichen."
    4_000_004
        "This is not in the expected form."
        "Das entspricht nicht der erwarteten Form."
    4_000_005
        "This password can’t be used: {reason}"
        "Dieses Passwort ist nicht möglich: {reason}"
    4_000_006
        "This combination is not right. Check for typing mistakes and try again."
        "Diese Kombination stimmt nicht. Bitte prüfen Sie auf Tippfehler und versuchen Sie es noch einmal."
    4_000_007
        "An account with these details exists already. Sign in to it, or recover it."
        "Mit diesen Angaben gibt es schon ein Konto. Melden Sie sich daran an oder stellen Sie den Zugang wieder her."
    4_000_008
        "This code is not right. Please try again with a current one."
        "Dieser Code stimmt nicht. Bitte versuchen Sie es mit einem aktuellen."
    4_000_009
        "We found nothing here by which you could sign in later, such as an email address."
        "Es fehlt eine Angabe, mit der Sie sich später anmelden können, etwa eine E-Mail-Adresse."
    4_000_010
        "Please confirm your email address first."
        "Bitte bestätigen Sie zuerst Ihre E-Mail-Adresse."
    4_000_011
        "No authenticator app is set up for this account."
        "Für dieses Konto ist keine Authentifizierungs-App eingerichtet."
    4_000_012
        "This backup code has been used already."
        "Dieser Ersatzcode ist schon benutzt."
    4_000_013
        "No security key is set up for this account."
        "Für dieses Konto ist kein Sicherheitsschlüssel eingerichtet."
    4_000_014
        "No backup codes are set up for this account."
        "Für dieses Konto sind keine Ersatzcodes eingerichtet."
    4_000_015
        "This account does not exist, or it has no security key."
        "Dieses Konto gibt es nicht, oder es hat keinen Sicherheitsschlüssel."
    4_000_016 "This backup code is not right." "Dieser Ersatzcode stimmt nicht."
    4_000_017
        "Please use at most {max_length} characters."
        "Bitte verwenden Sie höchstens {max_length} Zeichen."
    4_000_018
        "The smallest possible value is {minimum}."
        "Der kleinste mögliche Wert ist {minimum}."
    4_000_019
        "The value must be greater than {minimum}."
        "Der Wert muss größer als {minimum} sein."
    4_000_020
        "The greatest possible value is {maximum}."
        "Der größte mögliche Wert ist {maximum}."
    4_000_021
        "The value must be less than {maximum}."
        "Der Wert muss kleiner als {maximum} sein."
    4_000_022
        "The value must be a multiple of {base}."
        "Der Wert muss ein Vielfaches von {base} sein."
    4_000_023
        "At most {max_items} entries are possible."
        "Höchstens {max_items} Einträge sind möglich."
    4_000_024
        "At least {min_items} entries are needed."
        "Mindestens {min_items} Einträge sind nötig."
    4_000_025 "Two entries are the same." "Zwei Einträge sind gleich."
    4_000_026
        "This kind of value does not fit here."
        "Diese Art von Wert passt hier nicht."
    4_000_027
        "An account with these details exists already. Sign in to it to link your social account."
        "Mit diesen Angaben gibt es schon ein Konto. Melden Sie sich daran an, um den anderen Anbieter zu verknüpfen."
    4_000_028
        "An account with these details exists already. Sign in to it in the way you are used to."
        "Mit diesen Angaben gibt es schon ein Konto. Melden Sie sich daran so an, wie Sie es gewohnt sind."
    4_000_029 "The value must be {expected}." "Der Wert muss {expected} sein."
    4_000_030 "This value is not possible here." "Dieser Wert ist hier nicht möglich."
    4_000_031
        "This password is too similar to your sign-in name."
        "Dieses Passwort ähnelt Ihrem Anmeldenamen zu sehr."
    4_000_032
        "Please use at least {min_length} characters."
        "Bitte verwenden Sie mindestens {min_length} Zeichen."
    4_000_033
        "This password is too long. At most {max_length} bytes are possible."
        "Dieses Passwort ist zu lang. Höchstens {max_length} Bytes sind möglich."
    4_000_034
        "This password is known from data breaches elsewhere. Please choose another one."
        "Dieses Passwort ist aus Datenlecks anderswo bekannt. Bitte wählen Sie ein anderes."
    4_000_035
        "This account does not exist, or it can’t sign in by code."
        "Dieses Konto gibt es nicht, oder es kann sich nicht per Code anmelden."
    4_000_036
        "Your details changed after the code was sent. Please start again."
        "Ihre Angaben haben sich geändert, nachdem der Code verschickt war. Bitte beginnen Sie neu."
    4_000_037
        "This account does not exist, or it has no way to sign in."
        "Dieses Konto gibt es nicht, oder es hat keinen Weg zur Anmeldung."
    4_000_038
        "The captcha was not solved. Please try again."
        "Die Aufgabe wurde nicht gelöst. Bitte versuchen Sie es noch einmal."
    4_000_039
        "The new password must differ from the old one."
        "Das neue Passwort muss sich vom alten unterscheiden."
    4_000_040
        "Please enter a valid email address."
        "Bitte geben Sie eine gültige E-Mail-Adresse ein."
    4_000_041
        "Please enter a valid phone number with its country code, such as +49."
        "Bitte geben Sie eine gültige Telefonnummer mit Landesvorwahl ein, etwa +49."
    4_000_042
        "No device is set up for this account."
        "Für dieses Konto ist kein Gerät eingerichtet."
    4_000_043
        "The security key did not prove that it is yours. Please try again."
        "Der Sicherheitsschlüssel konnte nicht bestätigt werden. Bitte versuchen Sie es noch einmal."
    4_000_044
        "The device’s signature is not right."
        "Die Signatur des Geräts stimmt nicht."
    4_000_045
        "The device’s attestation is not right."
        "Der Herkunftsnachweis des Geräts stimmt nicht."
    4_000_046
        "This device has to be set up again."
        "Dieses Gerät muss neu eingerichtet werden."
    4_010_001
        "This page was open for too long. Please sign in again."
        "Diese Seite war zu lange offen. Bitte melden Sie sich noch einmal an."
    4_010_002
        "There is no way to sign in with what was sent. Please try again."
        "Mit den gesendeten Angaben ist keine Anmeldung möglich. Bitte versuchen Sie es noch einmal."
    4_010_003
        "There is no way to sign up with what was sent. Please try again."
        "Mit den gesendeten Angaben ist keine Registrierung möglich. Bitte versuchen Sie es noch einmal."
    4_010_004
        "There is nothing to change with what was sent. Please try again."
        "Mit den gesendeten Angaben ist keine Änderung möglich. Bitte versuchen Sie es noch einmal."
    4_010_005
        "There is no way to recover the account with what was sent. Please try again."
        "Mit den gesendeten Angaben ist keine Wiederherstellung möglich. Bitte versuchen Sie es noch einmal."
    4_010_006
        "There is no way to confirm the address with what was sent. Please try again."
        "Mit den gesendeten Angaben ist keine Bestätigung möglich. Bitte versuchen Sie es noch einmal."
    4_010_007
        "This sign-in was finished already. Please start again."
        "Diese Anmeldung ist schon abgeschlossen. Bitte beginnen Sie neu."
    4_010_008
        "This code is not right, or it was used already. Please try again."
        "Dieser Code stimmt nicht oder ist schon benutzt. Bitte versuchen Sie es noch einmal."
    4_010_009
        "The linked accounts do not belong together."
        "Die verknüpften Konten gehören nicht zusammen."
    4_010_010
        "This address does not belong to the account."
        "Diese Adresse gehört nicht zu dem Konto."
    4_010_011 "This account is switched off." "Dieses Konto ist abgeschaltet."
    4_040_001
        "This page was open for too long. Please start again."
        "Diese Seite war zu lange offen. Bitte beginnen Sie neu."
    4_040_002
        "This sign-up was finished already."
        "Diese Registrierung ist schon abgeschlossen."
    4_040_003
        "This code is not right, or it was used already. Please try again."
        "Dieser Code stimmt nicht oder ist schon benutzt. Bitte versuchen Sie es noch einmal."
    4_050_001
        "This page was open for too long. Please make your changes again."
        "Diese Seite war zu lange offen. Bitte nehmen Sie Ihre Änderungen noch einmal vor."
    4_050_002
        "Please change one address at a time."
        "Bitte ändern Sie immer nur eine Adresse auf einmal."
    4_060_001
        "This recovery was finished already. Please start again."
        "Diese Wiederherstellung ist schon abgeschlossen. Bitte beginnen Sie neu."
    4_060_002
        "The recovery did not work. Please start again."
        "Die Wiederherstellung hat nicht geklappt. Bitte beginnen Sie neu."
    4_060_003
        "The link is not complete. Please open it once more."
        "Der Link ist unvollständig. Bitte öffnen Sie ihn noch einmal."
    4_060_004
        "This link is not right, or it was used already. Please ask for a new one."
        "Dieser Link stimmt nicht oder ist schon benutzt. Bitte fordern Sie einen neuen an."
    4_060_005
        "This page was open for too long. Please start again."
        "Diese Seite war zu lange offen. Bitte beginnen Sie neu."
    4_060_006
        "This code is not right, or it was used already. Please try again."
        "Dieser Code stimmt nicht oder ist schon benutzt. Bitte versuchen Sie es noch einmal."
    4_070_001
        "This link is not right, or it was used already. Please ask for a new one."
        "Dieser Link stimmt nicht oder ist schon benutzt. Bitte fordern Sie einen neuen an."
    4_070_002
        "This confirmation was finished already. Please start again."
        "Diese Bestätigung ist schon abgeschlossen. Bitte beginnen Sie neu."
    4_070_003
        "The confirmation did not work. Please start again."
        "Die Bestätigung hat nicht geklappt. Bitte beginnen Sie neu."
    4_070_004
        "The link is not complete. Please open it once more."
        "Der Link ist unvollständig. Bitte öffnen Sie ihn noch einmal."
    4_070_005
        "This page was open for too long. Please start again."
        "Diese Seite war zu lange offen. Bitte beginnen Sie neu."
    4_070_006
        "This code is not right, or it was used already. Please try again."
        "Dieser Code stimmt nicht oder ist schon benutzt. Bitte versuchen Sie es noch einmal."
    5_000_001 "{reason}" "{reason}"
    5_000_002
        "No way to sign in is available at the moment."
        "Zurzeit ist kein Weg zur Anmeldung verfügbar."
    5_000_003
        "Your organization asks for single sign-on, but has not set it up yet."
        "Ihre Organisation verlangt eine zentrale Anmeldung, hat sie aber noch nicht eingerichtet."
];
