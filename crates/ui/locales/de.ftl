### The German texts of Kleis. `en.ftl` describes the rules, where each text is shown, and what its values are.

## The language itself

language-name = Deutsch
language-direction = ltr

## Dates

moment = { $padded_day }.{ $padded_month }.{ $year }, { $time } UTC

## Every page

page-skip-to-content = Zum Inhalt springen
page-optional = freiwillig
page-or = oder
page-choose = Bitte wählen
page-error-prefix = Fehler:
page-back = Zurück
page-continue = Weiter
page-cancel = Abbrechen
page-start-again = Neu beginnen

page-language = Sprache
page-footer-terms = Nutzungsbedingungen
page-footer-privacy = Datenschutz
page-footer-imprint = Impressum
page-footer-help = Hilfe

## Sign-in

page-sign-in = Anmelden
page-sign-in-intro = Schön, dass Sie wieder da sind.
page-sign-in-toward = Melden Sie sich an, um zu { $client } zu gelangen.
page-confirm-identity = Bestätigen Sie, dass Sie es sind
page-second-factor = Noch ein Schritt
page-second-factor-intro = Ihr Konto ist durch einen zweiten Faktor geschützt.
page-enter-code = Code eingeben
page-account = Konto
page-code-sent-to = Adresse
page-wrong-address = Falsche Adresse?
page-no-account-yet = Neu hier?
page-create-account = Konto anlegen
page-forgot-access = Anmeldung klappt nicht?
page-forgot-password = Passwort vergessen?
page-show-password = Passwort anzeigen
page-use-another-account = Anderes Konto verwenden

page-password-min-length =
    { $min_length ->
        [one] Mindestens ein Zeichen.
       *[other] Mindestens { $min_length } Zeichen.
    }
page-password-unlike-identifier = Ihrem Anmeldenamen nicht ähnlich.
page-password-not-breached = Nicht aus Datenlecks bekannt.

## Sign-up

page-sign-up = Konto anlegen
page-sign-up-intro = Das dauert keine Minute.
page-sign-up-toward = Legen Sie ein Konto an, um zu { $client } zu gelangen.
page-secure-account = Konto schützen
page-have-account = Sie haben schon ein Konto?
page-sign-in-instead = Anmelden

## Recovery of an account, and verification of an address

page-recovery = Zugang wiederherstellen
page-recovery-intro = Geben Sie Ihre Adresse ein. Gehört sie zu einem Konto, schicken wir einen Code oder einen Link dorthin.
page-recovery-link-intro = Mit diesem Link melden Sie sich einmal an, um ein neues Passwort zu setzen. Wenn Sie ihn nicht angefordert haben, schließen Sie diese Seite.
page-back-to-sign-in = Zurück zur Anmeldung

page-verification = Adresse bestätigen
page-verification-intro = Geben Sie Ihre Adresse ein. Wir schicken einen Code oder einen Link dorthin, mit dem Sie bestätigen, dass sie Ihnen gehört.
page-verification-link-intro = Bestätigen Sie, dass diese Adresse Ihnen gehört. Wenn Sie das nicht angefordert haben, schließen Sie diese Seite.
page-verification-done = Adresse bestätigt

page-other-browser = Im anderen Browser fortfahren
page-other-browser-intro = Sie haben in einem anderen Browser oder auf einem anderen Gerät begonnen. Gehen Sie zu der Seite dort zurück und geben Sie den Code aus der Nachricht ein.

## Account settings

page-settings = Ihr Konto
page-settings-intro = Ihre Angaben und die Wege, sich anzumelden.

page-section-profile = Profil
page-section-profile-intro = Was wir über Sie wissen.
page-section-password = Passwort
page-section-password-intro = Wählen Sie eines, das Sie nirgends sonst verwenden.
page-new-password = Neues Passwort
page-section-social = Verknüpfte Konten
page-section-social-intro = Konten anderer Anbieter, mit denen Sie sich hier anmelden.
page-section-totp = Authentifizierungs-App
page-section-totp-intro = Eine App auf Ihrem Telefon zeigt alle 30 Sekunden einen neuen Code.
page-section-lookup = Ersatzcodes
page-section-lookup-intro = Jeder Code gilt einmal. Bewahren Sie sie für den Fall auf, dass Sie Ihr Telefon nicht bei sich haben.
page-no-backup-codes = Sie haben noch keine Ersatzcodes. Mit ihnen können Sie sich anmelden, wenn Sie das Telefon mit Ihrer Authentifizierungs-App verlieren.
page-create-backup-codes = Zu den Ersatzcodes
page-copy-codes = Kopieren
page-codes-copied = Die Codes sind in der Zwischenablage.
page-save-codes = Herunterladen
page-remove-app = Die Codes der App gelten dann nicht mehr. App entfernen?
page-remove-codes = Dann gilt keiner Ihrer Ersatzcodes mehr. Codes entfernen?
page-remove-other = Sie können sich dann nicht mehr damit anmelden. Entfernen?
page-confirm-removal = Ja, entfernen
page-section-webauthn = Sicherheitsschlüssel
page-section-webauthn-intro = Ein kleines Gerät zum Einstecken oder Antippen.
page-section-passkey = Passkeys
page-section-passkey-intro = Anmelden mit Fingerabdruck, Gesicht oder Geräte-PIN.
page-section-other = Weiteres

page-sessions = Angemeldete Geräte
page-sessions-intro = Melden Sie ab, was Sie nicht kennen, und ändern Sie dann Ihr Passwort.
page-this-device = Dieses Gerät
page-unknown-device = Unbekanntes Gerät
page-signed-in-at = Angemeldet am { $time }
page-end-session = Abmelden
page-end-other-sessions = Überall sonst abmelden
page-no-other-sessions = Sie sind nur auf diesem Gerät angemeldet.
page-sessions-ended = Erledigt. Die Geräte sind abgemeldet.

page-connections = Verbundene Anwendungen
page-connections-intro = Sie haben diesen Anwendungen erlaubt, Ihr Konto zu nutzen. Entfernen Sie, was Sie nicht nutzen oder nicht kennen.
page-no-connections = Keine Anwendung nutzt Ihr Konto.
page-connected-since = Erlaubt am { $time }
page-end-connection = Zugriff entfernen
page-connection-ended = Erledigt. Die Anwendung kann Ihr Konto nicht mehr nutzen.
page-connections-unavailable = Die verbundenen Anwendungen können gerade nicht angezeigt werden. Bitte versuchen Sie es später noch einmal.

## Sign-out, and the page of somebody who is signed in

page-sign-out = Abmelden
page-sign-out-question = Abmelden?
page-sign-out-intro = Auf diesem Gerät müssen Sie sich danach neu anmelden.
page-stay-signed-in = Angemeldet bleiben

page-signed-out = Sie sind abgemeldet
page-signed-out-intro = Sie können dieses Fenster schließen.

page-welcome = Sie sind angemeldet
page-signed-in-as = Angemeldet als { $name }
page-manage-account = Konto verwalten

## Errors

page-error = Das hat nicht geklappt
page-error-intro = Wir konnten Ihre Anfrage nicht abschließen. Bitte versuchen Sie es noch einmal.
page-error-not-found = Diese Seite gibt es nicht oder nicht mehr.
page-error-expired = Diese Seite ist abgelaufen. Bitte beginnen Sie neu.
page-error-forbidden = Die Anfrage kam nicht von einer unserer Seiten, oder die Seite ist veraltet. Bitte beginnen Sie neu.
page-error-disabled = Diese Funktion ist ausgeschaltet.
page-error-unavailable = Bei uns gibt es gerade eine Störung. Bitte versuchen Sie es gleich noch einmal.
page-error-code = Status { $status }
page-error-details = Einzelheiten
page-to-start = Zur Startseite

page-refused-page-missing = Diese Seite gibt es nicht
page-refused-page-missing-advice = Prüfen Sie die Adresse, oder beginnen Sie auf der Startseite.
page-refused-method = Diese Adresse lässt sich so nicht öffnen
page-refused-method-advice = Gehen Sie zurück zu der Seite, von der Sie kommen, und verwenden Sie deren Formular oder Link.
page-refused-address = Die Adresse dieser Seite ist ungültig
page-refused-address-advice = Prüfen Sie die Adresse, oder öffnen Sie den Link noch einmal.
page-refused-forbidden = Die Anfrage wurde nicht angenommen
page-refused-forbidden-advice = Die Seite ist vielleicht veraltet, oder Ihr Browser blockiert Cookies. Öffnen Sie die Seite neu und erlauben Sie Cookies.
page-refused-too-large = Was Sie gesendet haben, ist zu groß
page-refused-too-large-advice = Gehen Sie zurück, kürzen Sie Ihre Eingabe und senden Sie sie noch einmal.
page-refused-too-many = Es waren zu viele Anfragen
page-refused-too-many-advice = Warten Sie einige Minuten und versuchen Sie es dann noch einmal.
page-refused-unavailable = Der Dienst kann gerade nicht antworten
page-refused-unavailable-advice = Versuchen Sie es gleich noch einmal.

## The mailbox for development: a page for operators that lists messages instead of sending them

page-mailbox = Postfach
page-mailbox-intro = Nachrichten, die hier abgefangen statt verschickt wurden. Nur für die Entwicklung.
page-mailbox-empty = Noch keine Nachrichten.
page-mail-to = An
page-mail-sent = Zeit
page-mail-status = Status
page-mail-kind = Vorlage
page-mail-no-subject = (ohne Betreff)
page-mail-html = Die Nachricht als HTML
page-mail-open-html = HTML-Teil auf einer eigenen Seite öffnen
page-older = Ältere Nachrichten

## Messages of flows: sign-in

message-1010001 = Anmelden
message-1010002 = Mit { $provider } anmelden
message-1010003 = Bitte bestätigen Sie, dass Sie es sind, und melden Sie sich noch einmal an.
message-1010004 = Bitte führen Sie den zweiten Schritt der Anmeldung aus.
message-1010005 = Prüfen
message-1010006 = Code aus Ihrer Authentifizierungs-App
message-1010007 = Ersatzcode
message-1010008 = Mit Sicherheitsschlüssel anmelden
message-1010009 = Weiter
message-1010010 = Ersatzcode verwenden
message-1010011 = Mit Sicherheitsschlüssel weiter
message-1010012 = Halten Sie Ihren Sicherheitsschlüssel bereit und fahren Sie fort.
message-1010013 = Weiter
message-1010014 = Ist die Adresse bei uns bekannt, ist ein Code dorthin unterwegs. Bitte geben Sie ihn hier ein.
message-1010015 = Anmeldecode zuschicken
message-1010016 = Mit { $duplicateIdentifier } haben Sie schon ein Konto. Melden Sie sich einmal daran an, um es mit { $provider } zu verknüpfen.
message-1010017 = Anmelden und verknüpfen
message-1010018 = Mit { $provider } bestätigen
message-1010019 = Code zum Fortfahren zuschicken
message-1010020 = Bitte führen Sie den zweiten Schritt aus.
message-1010021 = Mit Passkey anmelden
message-1010022 = Anmelden
message-1010023 = Code an { $address } schicken
message-1010024 = Mit Hardwareschlüssel anmelden
message-1010025 = Ein Code ist zu Ihnen unterwegs. Bitte geben Sie ihn hier ein.

## Messages of flows: sign-up

message-1040001 = Weiter
message-1040002 = Mit { $provider } registrieren
message-1040003 = Weiter
message-1040004 = Mit Sicherheitsschlüssel registrieren
message-1040005 = Ein Code ist zu der angegebenen Adresse unterwegs. Bitte geben Sie ihn hier ein.
message-1040006 = Registrierungscode zuschicken
message-1040007 = Mit Passkey registrieren
message-1040008 = Zurück
message-1040009 = Wählen Sie, wie Sie sich künftig anmelden möchten.

## Messages of flows: settings

message-1050001 = Ihre Änderungen sind gespeichert.
message-1050002 = { $provider } verknüpfen
message-1050003 = { $provider } trennen
message-1050004 = Authentifizierungs-App entfernen
message-1050005 = QR-Code für Ihre Authentifizierungs-App
message-1050006 = { $secret }
message-1050007 = Ersatzcodes anzeigen
message-1050008 = Neue Ersatzcodes erzeugen
message-1050009 = { $secret }
message-1050010 = Ihre Ersatzcodes. Bewahren Sie sie sicher auf.
message-1050011 = Ich habe diese Codes gesichert
message-1050012 = Sicherheitsschlüssel hinzufügen
message-1050013 = Name des Sicherheitsschlüssels
message-1050014 = benutzt am { $used_at }
message-1050015 = { $secrets }
message-1050016 = Ersatzcodes entfernen
message-1050017 = Wenn Sie den QR-Code nicht scannen können, geben Sie diesen Schlüssel in die App ein
message-1050018 = Sicherheitsschlüssel „{ $display_name }“ entfernen
message-1050019 = Passkey hinzufügen
message-1050020 = Passkey „{ $display_name }“ entfernen
message-1050021 = Dieses Gerät entfernen
message-1050022 = Geräteprüfung
message-1050023 = Ihr Konto wird von Ihrer Organisation verwaltet.

## Messages of flows: recovery

message-1060001 = Ihr Konto ist wiederhergestellt. Bitte wählen Sie jetzt ein neues Passwort oder richten Sie einen anderen Weg zur Anmeldung ein.
message-1060002 = Gehört die Adresse zu einem Konto, ist ein Link zur Wiederherstellung dorthin unterwegs.
message-1060003 = Gehört die Adresse zu einem Konto, ist ein Wiederherstellungscode dorthin unterwegs. Bitte geben Sie ihn hier ein.
message-1060004 = Gehört { $masked_address } zu einem Konto, ist ein Wiederherstellungscode dorthin unterwegs. Bitte geben Sie ihn hier ein.
message-1060005 = Bitte geben Sie die Adresse zur Wiederherstellung vollständig ein.
message-1060006 = Wie möchten Sie Ihren Zugang wiederherstellen?
message-1060007 = Zurück

## Messages of flows: labels of fields and buttons

message-1070001 = Passwort
message-1070002 = { $title }
message-1070003 = Speichern
message-1070004 = E-Mail-Adresse oder Benutzername
message-1070005 = Absenden
message-1070006 = Code
message-1070007 = E-Mail-Adresse
message-1070008 = Code noch einmal schicken
message-1070009 = Weiter
message-1070010 = Wiederherstellungscode
message-1070011 = Bestätigungscode
message-1070012 = Registrierungscode
message-1070013 = Anmeldecode
message-1070014 = Anmelden und verknüpfen
message-1070015 = Bitte lösen Sie die Aufgabe, um fortzufahren.
message-1070016 = E-Mail-Adresse oder Telefonnummer
message-1070017 = Telefonnummer
message-1070018 = E-Mail-Adresse oder Telefonnummer

## Messages of flows: verification

message-1080001 = Ist die Adresse bei uns bekannt, ist ein Link zur Bestätigung dorthin unterwegs.
message-1080002 = Ihre E-Mail-Adresse ist bestätigt.
message-1080003 = Ist die Adresse bei uns bekannt, ist ein Code zur Bestätigung dorthin unterwegs. Bitte geben Sie ihn hier ein.
    .own_address = Wir haben einen Code an { $address } geschickt. Bitte geben Sie ihn hier ein.
message-1080004 = Ist die Nummer bei uns bekannt, ist eine SMS mit einem Code dorthin unterwegs. Bitte geben Sie ihn hier ein.
    .own_address = Wir haben einen Code per SMS an { $address } geschickt. Bitte geben Sie ihn hier ein.
message-1080005 = Ihre Telefonnummer ist bestätigt.

## Messages of flows: what is wrong with a value

message-4000001 = { $reason }
    .too_many_attempts =
        Zu viele Versuche. Bitte versuchen Sie es in { $minutes ->
            [one] einer Minute
           *[other] { $minutes } Minuten
        } noch einmal.
    .code_exhausted = Mit diesem Code gab es zu viele Versuche. Bitte fordern Sie einen neuen an.
    .flow_changed = Dieses Formular wurde durch eine andere Anfrage geändert. Bitte prüfen Sie es und senden Sie es noch einmal ab.
    .signed_in_already = Sie sind schon angemeldet.
message-4000002 = Bitte füllen Sie dieses Feld aus.
message-4000003 =
    { $min_length ->
        [one] Bitte verwenden Sie mindestens ein Zeichen.
       *[other] Bitte verwenden Sie mindestens { $min_length } Zeichen.
    }
message-4000004 = Dieser Wert hat nicht das erwartete Format.
message-4000005 = Dieses Passwort ist nicht möglich: { $reason }
message-4000006 = Die Anmeldedaten stimmen nicht. Bitte prüfen Sie auf Tippfehler und versuchen Sie es noch einmal.
message-4000007 = Mit diesen Angaben gibt es schon ein Konto. Melden Sie sich daran an oder stellen Sie den Zugang wieder her.
message-4000008 = Dieser Code stimmt nicht. Bitte versuchen Sie es mit einem aktuellen.
message-4000009 = Es fehlt eine Angabe, mit der Sie sich später anmelden können, etwa eine E-Mail-Adresse.
message-4000010 = Bitte bestätigen Sie zuerst Ihre E-Mail-Adresse.
message-4000011 = Für dieses Konto ist keine Authentifizierungs-App eingerichtet.
message-4000012 = Dieser Ersatzcode wurde schon benutzt.
message-4000013 = Für dieses Konto ist kein Sicherheitsschlüssel eingerichtet.
message-4000014 = Für dieses Konto sind keine Ersatzcodes eingerichtet.
message-4000015 = Dieses Konto gibt es nicht, oder es hat keinen Sicherheitsschlüssel.
message-4000016 = Dieser Ersatzcode stimmt nicht.
message-4000017 =
    { $max_length ->
        [one] Bitte verwenden Sie höchstens ein Zeichen.
       *[other] Bitte verwenden Sie höchstens { $max_length } Zeichen.
    }
message-4000018 = Bitte geben Sie { $minimum } oder mehr ein.
message-4000019 = Der Wert muss größer als { $minimum } sein.
message-4000020 = Bitte geben Sie { $maximum } oder weniger ein.
message-4000021 = Der Wert muss kleiner als { $maximum } sein.
message-4000022 = Der Wert muss ein Vielfaches von { $base } sein.
message-4000023 =
    { $max_items ->
        [one] Höchstens ein Eintrag ist möglich.
       *[other] Höchstens { $max_items } Einträge sind möglich.
    }
message-4000024 =
    { $min_items ->
        [one] Mindestens ein Eintrag ist nötig.
       *[other] Mindestens { $min_items } Einträge sind nötig.
    }
message-4000025 = Zwei Einträge sind gleich. Bitte entfernen Sie einen davon.
message-4000026 = Diese Art von Wert ist hier nicht erlaubt.
message-4000027 = Mit diesen Angaben gibt es schon ein Konto. Melden Sie sich daran an, um den anderen Anbieter zu verknüpfen.
message-4000028 = Mit diesen Angaben gibt es schon ein Konto. Melden Sie sich daran so an, wie Sie es gewohnt sind.
message-4000029 = Der Wert muss { $expected } sein.
message-4000030 = Dieser Wert ist hier nicht erlaubt.
message-4000031 = Dieses Passwort ähnelt Ihrem Anmeldenamen zu sehr.
message-4000032 =
    { $min_length ->
        [one] Bitte verwenden Sie mindestens ein Zeichen.
       *[other] Bitte verwenden Sie mindestens { $min_length } Zeichen.
    }
message-4000033 = Dieses Passwort ist zu lang. Möglich sind höchstens { $max_length } Zeichen, mit Umlauten oder Emojis weniger.
message-4000034 = Dieses Passwort ist aus Datenlecks anderswo bekannt. Bitte wählen Sie ein anderes.
message-4000035 = Dieses Konto gibt es nicht, oder es kann sich nicht per Code anmelden.
message-4000036 = Ihre Angaben haben sich geändert, nachdem der Code verschickt war. Bitte beginnen Sie neu.
message-4000037 = Dieses Konto gibt es nicht, oder es hat keinen Weg zur Anmeldung.
message-4000038 = Die Aufgabe wurde nicht gelöst. Bitte versuchen Sie es noch einmal.
message-4000039 = Das neue Passwort muss sich vom alten unterscheiden.
message-4000040 = Bitte geben Sie eine gültige E-Mail-Adresse ein.
message-4000041 = Bitte geben Sie eine gültige Telefonnummer mit Landesvorwahl ein, etwa +49.
message-4000042 = Für dieses Konto ist kein Gerät eingerichtet.
message-4000043 = Der Sicherheitsschlüssel konnte nicht bestätigt werden. Bitte versuchen Sie es noch einmal.
message-4000044 = Die Signatur des Geräts stimmt nicht.
message-4000045 = Der Herkunftsnachweis des Geräts stimmt nicht.
message-4000046 = Dieses Gerät muss neu eingerichtet werden.

## Messages of flows: what is wrong with a flow

message-4010001 = Diese Seite ist abgelaufen. Bitte melden Sie sich noch einmal an.
message-4010002 = Mit den gesendeten Angaben ist keine Anmeldung möglich. Bitte versuchen Sie es noch einmal.
message-4010003 = Mit den gesendeten Angaben ist keine Registrierung möglich. Bitte versuchen Sie es noch einmal.
message-4010004 = Das Formular nennt nicht, was geändert werden soll. Bitte versuchen Sie es noch einmal.
message-4010005 = Mit den gesendeten Angaben ist keine Wiederherstellung möglich. Bitte versuchen Sie es noch einmal.
message-4010006 = Mit den gesendeten Angaben ist keine Bestätigung möglich. Bitte versuchen Sie es noch einmal.
message-4010007 = Diese Anmeldung ist schon abgeschlossen. Bitte beginnen Sie neu.
message-4010008 = Dieser Code stimmt nicht oder wurde schon benutzt. Bitte versuchen Sie es noch einmal.
message-4010009 = Die verknüpften Konten gehören nicht derselben Person.
message-4010010 = Diese Adresse gehört nicht zu dem Konto.
message-4010011 = Dieses Konto ist gesperrt.
message-4040001 = Diese Seite ist abgelaufen. Bitte beginnen Sie neu.
message-4040002 = Diese Registrierung ist schon abgeschlossen.
message-4040003 = Dieser Code stimmt nicht oder wurde schon benutzt. Bitte versuchen Sie es noch einmal.
message-4050001 = Diese Seite ist abgelaufen. Bitte nehmen Sie Ihre Änderungen noch einmal vor.
message-4050002 = Bitte ändern Sie immer nur eine Adresse auf einmal.
message-4060001 = Diese Wiederherstellung ist schon abgeschlossen. Bitte beginnen Sie neu.
message-4060002 = Die Wiederherstellung ist fehlgeschlagen. Bitte beginnen Sie neu.
message-4060003 = Der Link ist unvollständig. Bitte öffnen Sie ihn noch einmal.
message-4060004 = Dieser Link ist ungültig oder wurde schon benutzt. Bitte fordern Sie einen neuen an.
message-4060005 = Diese Seite ist abgelaufen. Bitte beginnen Sie neu.
message-4060006 = Dieser Code stimmt nicht oder wurde schon benutzt. Bitte versuchen Sie es noch einmal.
message-4070001 = Dieser Link ist ungültig oder wurde schon benutzt. Bitte fordern Sie einen neuen an.
message-4070002 = Diese Bestätigung ist schon abgeschlossen. Bitte beginnen Sie neu.
message-4070003 = Die Bestätigung ist fehlgeschlagen. Bitte beginnen Sie neu.
message-4070004 = Der Link ist unvollständig. Bitte öffnen Sie ihn noch einmal.
message-4070005 = Diese Seite ist abgelaufen. Bitte beginnen Sie neu.
message-4070006 = Dieser Code stimmt nicht oder wurde schon benutzt. Bitte versuchen Sie es noch einmal.

## Messages of flows: faults of the server

message-5000001 = { $reason }
message-5000002 = Zurzeit ist kein Weg zur Anmeldung verfügbar.
message-5000003 = Ihre Organisation verlangt eine zentrale Anmeldung, hat sie aber noch nicht eingerichtet.

## Titles of fields

trait-e-mail = E-Mail-Adresse
trait-email = E-Mail-Adresse
trait-email-address = E-Mail-Adresse
trait-your-e-mail = E-Mail-Adresse
trait-name = Name
trait-full-name = Name
trait-first-name = Vorname
trait-last-name = Nachname
trait-username = Benutzername
trait-phone = Telefonnummer
trait-phone-number = Telefonnummer
trait-date-of-birth = Geburtsdatum
trait-address = Anschrift
trait-city = Ort
trait-country = Land
trait-language = Sprache
trait-website = Website
trait-company = Firma

## OAuth: consent

oauth-consent-title = Zugriff erlauben?
oauth-consent-asks = { $client } bittet um Zugriff auf Ihr Konto.
oauth-signed-in-as = Angemeldet als { $name }
oauth-asks-for = Die Anwendung kann dann
oauth-scope-openid = Wissen, wer Sie sind
oauth-scope-profile = Ihren Namen und Ihr Profil sehen
oauth-scope-email = Ihre E-Mail-Adresse sehen
oauth-scope-phone = Ihre Telefonnummer sehen
oauth-scope-address = Ihre Postanschrift sehen
oauth-scope-offline = Den Zugriff behalten, auch wenn Sie abwesend sind
oauth-scope-other = Die Berechtigung nutzen:
oauth-nothing-else = Wissen, dass Sie sich angemeldet haben, und sonst nichts
oauth-will-call = Sie nutzt den Zugriff bei
oauth-goes-to = Sie werden weitergeleitet zu
oauth-remember = Diese Entscheidung merken
oauth-remember-hint = Für denselben Zugriff werden Sie nicht noch einmal gefragt.
oauth-allow = Erlauben
oauth-deny = Nicht erlauben
oauth-terms = Nutzungsbedingungen der Anwendung
oauth-privacy = Datenschutzerklärung der Anwendung

## OAuth: sign-out

oauth-logout-title = Abmelden?
oauth-logout-intro = Sie werden hier und bei den Anwendungen, die Sie benutzt haben, abgemeldet.
oauth-logout-asked-by = { $client } bittet Sie, sich abzumelden.
oauth-sign-out = Abmelden
oauth-stay = Angemeldet bleiben

oauth-stayed-title = Sie sind weiterhin angemeldet
oauth-stayed-intro = Es wurde nichts geändert. Sie können diese Seite schließen.

oauth-signed-out-title = Sie sind abgemeldet
oauth-signed-out-intro = Sie können diese Seite schließen.

oauth-signing-out-title = Sie werden abgemeldet …
oauth-signing-out-intro = Wir melden Sie bei den Anwendungen ab, die Sie benutzt haben. Das dauert einen Moment.
oauth-go-on = Weiter

## OAuth: errors, and the way back to the application

oauth-error-title = Das hat nicht geklappt
oauth-error-intro = Die Anwendung, von der Sie kommen, hat eine ungültige Anfrage gestellt. Ihre Entwickler finden den Grund in den Einzelheiten unten.
oauth-error-expired = Diese Anfrage ist abgelaufen oder wurde schon abgeschlossen. Gehen Sie zurück zur Anwendung und beginnen Sie neu.
oauth-error-cookies = Das wurde in einem anderen Browser begonnen, oder dieser Browser nimmt keine Cookies an. Gehen Sie zurück zur Anwendung und beginnen Sie neu.
oauth-error-ours = Auf unserer Seite ist etwas schiefgegangen. Bitte versuchen Sie es gleich noch einmal.
oauth-error-details = Einzelheiten

oauth-form-post-title = Einen Moment …
oauth-form-post-intro = Sie werden zur Anwendung zurückgeschickt.

## Mails and text messages: what they share

mail-code-validity =
    Der Code gilt { $minutes ->
        [one] eine Minute
       *[other] { $minutes } Minuten
    } und nur einmal.
mail-short-validity =
    Er gilt { $minutes ->
        [one] eine Minute
       *[other] { $minutes } Minuten
    }.
mail-link-validity =
    Der Link gilt { $minutes ->
        [one] eine Minute
       *[other] { $minutes } Minuten
    } und nur einmal.

mail-ignore-code = Wenn Sie diesen Code nicht angefordert haben, ignorieren Sie diese Nachricht, und geben Sie den Code an niemanden weiter.
mail-ignore-link = Wenn Sie diesen Link nicht angefordert haben, ignorieren Sie diese Nachricht. Ohne den Link geschieht nichts.
mail-ignore = Wenn Sie es waren, versuchen Sie es mit einer anderen Adresse. Wenn nicht, ignorieren Sie diese Nachricht.

mail-copy-link = Sie können diese Adresse auch in Ihren Browser kopieren:
mail-at = Zeit: { $at }
mail-sent-by = Diese Nachricht wurde von { $product } gesendet.

## Mails and text messages: each kind

mail-recovery-code =
    .subject = Ihr Code zur Wiederherstellung: { $code }
    .heading = Zugang wiederherstellen
    .lead = Geben Sie diesen Code ein, um wieder in Ihr Konto zu kommen:
    .button = Ohne den Code fortfahren
    .short = Ihr Code zur Wiederherstellung ist: { $code }

mail-recovery-link =
    .subject = Zugang wiederherstellen
    .heading = Zugang wiederherstellen
    .lead = Öffnen Sie diesen Link, um wieder in Ihr Konto zu kommen:
    .button = Zugang wiederherstellen

mail-recovery-unknown =
    .subject = Jemand wollte den Zugang zu einem Konto wiederherstellen
    .heading = Jemand wollte den Zugang zu einem Konto wiederherstellen
    .lead = Jemand, vielleicht Sie selbst, wollte den Zugang zum Konto von { $to } wiederherstellen. Zu dieser Adresse gibt es kein Konto.

mail-verification-code =
    .subject = Ihr Bestätigungscode: { $code }
    .heading = Adresse bestätigen
    .lead = Geben Sie diesen Code ein, um zu bestätigen, dass diese Adresse Ihnen gehört:
    .button = Seite mit ausgefülltem Code öffnen
    .short = Ihr Bestätigungscode ist: { $code }

mail-verification-link =
    .subject = Adresse bestätigen
    .heading = Adresse bestätigen
    .lead = Öffnen Sie diesen Link, um zu bestätigen, dass diese Adresse Ihnen gehört:
    .button = Adresse bestätigen

mail-verification-unknown =
    .subject = Jemand wollte diese Adresse bestätigen
    .heading = Jemand wollte diese Adresse bestätigen
    .lead = Jemand, vielleicht Sie selbst, wollte die Adresse { $to } bestätigen. Zu dieser Adresse gibt es kein Konto.

mail-login-code =
    .subject = Ihr Anmeldecode: { $code }
    .heading = Anmelden
    .lead = Geben Sie diesen Code ein, um sich anzumelden:
    .short = Ihr Anmeldecode ist: { $code }

mail-registration-code =
    .subject = Ihr Registrierungscode: { $code }
    .heading = Registrierung abschließen
    .lead = Geben Sie diesen Code ein, um Ihre Registrierung abzuschließen:
    .short = Ihr Registrierungscode ist: { $code }

mail-address-changed =
    .subject = Eine Adresse Ihres Kontos wurde geändert
    .heading = Eine Adresse Ihres Kontos wurde geändert
    .lead = Eine Adresse Ihres Kontos wurde geändert.
    .advice = Wenn Sie das nicht waren, stellen Sie sofort Ihren Zugang wieder her und informieren Sie den Betreiber dieses Dienstes.
    .short = Eine Adresse Ihres Kontos wurde geändert.

mail-key-added =
    .subject = Ihrem Konto wurde ein Anmeldeschlüssel hinzugefügt
    .heading = Ihrem Konto wurde ein Anmeldeschlüssel hinzugefügt
    .lead = Ihrem Konto wurde ein Anmeldeschlüssel hinzugefügt.
    .advice = Wenn Sie das nicht waren, stellen Sie sofort Ihren Zugang wieder her und informieren Sie den Betreiber dieses Dienstes.
    .short = Ihrem Konto wurde ein Anmeldeschlüssel hinzugefügt.

mail-registration-taken =
    .subject = Jemand wollte sich mit Ihrer Adresse registrieren
    .heading = Sie haben bereits ein Konto
    .lead = Jemand, vielleicht Sie selbst, wollte sich mit { $to } registrieren. Zu dieser Adresse haben Sie bereits ein Konto.
    .advice = Wenn Sie es waren, melden Sie sich an, oder stellen Sie Ihren Zugang wieder her, falls Sie das Passwort vergessen haben. Wenn nicht, ignorieren Sie diese Nachricht: Es wurde nichts geändert, und niemand hat erfahren, dass Sie ein Konto haben.
    .short = Jemand wollte sich mit dieser Nummer registrieren. Sie haben bereits ein Konto: Melden Sie sich an, oder ignorieren Sie diese Nachricht.

## The sample application of `kleis demo`

demo-title = Beispiel-App
demo-intro = Dies ist eine eigenständige Anwendung. Sie meldet Sie mit Kleis über OpenID Connect an.
demo-sign-in = Mit Kleis anmelden

demo-hello = Hallo
demo-hello-name = Hallo, { $name }
demo-signed-in-intro = Sie sind an der Beispiel-App angemeldet.
demo-who = Was die App weiß
demo-who-intro = Die Angaben aus Ihrem ID-Token.
demo-api = Beispiel-API
demo-api-intro = Sie steht hinter dem Gateway, das Ihr Access-Token prüft und der API sagt, wer Sie sind.
demo-call-api = API aufrufen
demo-api-answer = Antwort der API
demo-document = Ihr Dokument
demo-document-intro = Alle, die sich anmelden, besitzen eines. Der Berechtigungsdienst weiß, wer was damit tun darf und welches Beziehungstupel der Grund ist.
demo-reader = E-Mail-Adresse einer anderen Person
demo-no-address = Geben Sie eine E-Mail-Adresse ein.
demo-share = Teilen
demo-revoke = Entziehen
demo-nobody = Mit dieser Adresse hat sich niemand registriert.
demo-own-document = Dieses Dokument gehört Ihnen bereits: Geben Sie die Adresse einer anderen Person ein.
demo-shared = { $reader } darf Ihr Dokument jetzt lesen.
demo-revoked = { $reader } darf Ihr Dokument nicht mehr lesen.
demo-api-failed = Das hat nicht geklappt, weil einer der Dienste nicht geantwortet hat. Versuchen Sie es noch einmal.
demo-open-document = Ein Dokument öffnen
demo-open-document-intro = Das Gateway fragt den Berechtigungsdienst und gibt die Anfrage nur an die API weiter, wenn Sie das Dokument lesen dürfen.
demo-owner = E-Mail-Adresse der Person, der es gehört
demo-open = Öffnen
demo-may-read = Sie dürfen dieses Dokument lesen
demo-may-not-read = Sie dürfen dieses Dokument nicht lesen
demo-not-shared = { $owner } hat dieses Dokument nicht mit Ihnen geteilt: Es gehört Ihnen nicht, und Sie sind nicht unter denen, die es lesen dürfen.
demo-because = Der Grund, vom Berechtigungsdienst:
demo-account = Konto verwalten
demo-sign-out = Abmelden

demo-signed-out = Sie sind abgemeldet
demo-signed-out-intro = Sie sind von der Beispiel-App und von Kleis abgemeldet.
demo-session-ended = Ihre Sitzung in der Beispiel-App ist beendet. Melden Sie sich noch einmal an, um dort weiterzumachen, wo Sie waren.

demo-declined = Sie sind nicht angemeldet
demo-declined-intro = Sie haben der Beispiel-App nicht erlaubt, Ihr Konto zu verwenden. Sie weiß deshalb nichts über Sie. Wenn Sie es sich anders überlegen, melden Sie sich noch einmal an.
demo-over = Diese Anmeldung ist abgelaufen
demo-over-intro = Sie hat zu lange gedauert oder in einem anderen Fenster begonnen. Melden Sie sich noch einmal an.
demo-unavailable = Die Anmeldung ist gerade nicht möglich
demo-unavailable-intro = Kleis antwortet nicht. Versuchen Sie es in einigen Minuten noch einmal.
demo-failed = Sie konnten nicht angemeldet werden
demo-failed-intro = Zwischen der Beispiel-App und Kleis ist etwas schiefgegangen. Versuchen Sie es noch einmal; wenn es wieder nicht klappt, helfen die Einzelheiten denen, die die App betreiben.
