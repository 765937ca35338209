//! Every message id with its words. Sorted by id; the ids and the names in braces are a contract with all clients.

use super::Entry;

/// One message after the other: its id, English, German, Arabic.
macro_rules! entries {
    ($($id:literal $english:literal $german:literal $arabic:literal)*) => {
        &[$(Entry { id: $id, english: $english, german: $german, arabic: $arabic }),*]
    };
}

#[rustfmt::skip]
pub(super) const ENTRIES: &[Entry] = entries![
    1_010_001 "Sign in" "Anmelden" "تسجيل الدخول"
    1_010_002 "Sign in with {provider}" "Mit {provider} anmelden" "تسجيل الدخول عبر {provider}"
    1_010_003
        "Please confirm that it is you by signing in again."
        "Bitte bestätigen Sie, dass Sie es sind, und melden Sie sich noch einmal an."
        "يُرجى تأكيد هويتك بتسجيل الدخول مرة أخرى."
    1_010_004
        "Please complete the second step to sign in."
        "Bitte führen Sie den zweiten Schritt der Anmeldung aus."
        "يُرجى إكمال الخطوة الثانية لتسجيل الدخول."
    1_010_005 "Verify" "Prüfen" "تحقق"
    1_010_006
        "Code from your authenticator app"
        "Code aus Ihrer Authentifizierungs-App"
        "الرمز من تطبيق المصادقة"
    1_010_007 "Backup code" "Ersatzcode" "الرمز الاحتياطي"
    1_010_008 "Sign in with a security key" "Mit Sicherheitsschlüssel anmelden" "تسجيل الدخول بمفتاح أمان"
    1_010_009 "Continue" "Weiter" "متابعة"
    1_010_010 "Use a backup code" "Ersatzcode verwenden" "استخدام رمز احتياطي"
    1_010_011 "Continue with a security key" "Mit Sicherheitsschlüssel weiter" "متابعة بمفتاح أمان"
    1_010_012
        "Have your security key ready, then continue."
        "Halten Sie Ihren Sicherheitsschlüssel bereit und fahren Sie fort."
        "جهّز مفتاح الأمان، ثم تابع."
    1_010_013 "Continue" "Weiter" "متابعة"
    1_010_014
        "If the address is known here, a code is on its way to it. Please enter it below."
        "Ist die Adresse bei uns bekannt, ist ein Code dorthin unterwegs. Bitte geben Sie ihn hier ein."
        "إذا كان العنوان معروفًا هنا، فإن رمزًا في طريقه إليه. يُرجى إدخاله أدناه."
    1_010_015 "Send me a sign-in code" "Anmeldecode zuschicken" "إرسال رمز تسجيل الدخول"
    1_010_016
        "You already have an account with {duplicateIdentifier}. Sign in to it once to link it with {provider}."
        "Mit {duplicateIdentifier} haben Sie schon ein Konto. Melden Sie sich einmal daran an, um es mit {provider} zu verknüpfen."
        "لديك حساب بالفعل باسم {duplicateIdentifier}. سجّل الدخول إليه مرة واحدة لربطه بحساب {provider}."
    1_010_017 "Sign in and link" "Anmelden und verknüpfen" "تسجيل الدخول والربط"
    1_010_018 "Confirm with {provider}" "Mit {provider} bestätigen" "التأكيد عبر {provider}"
    1_010_019 "Send me a code to continue" "Code zum Fortfahren zuschicken" "إرسال رمز للمتابعة"
    1_010_020
        "Please complete the second step."
        "Bitte führen Sie den zweiten Schritt aus."
        "يُرجى إكمال الخطوة الثانية."
    1_010_021 "Sign in with a passkey" "Mit Passkey anmelden" "تسجيل الدخول بمفتاح مرور"
    1_010_022 "Sign in" "Anmelden" "تسجيل الدخول"
    1_010_023 "Send a code to {address}" "Code an {address} schicken" "إرسال رمز إلى {address}"
    1_010_024 "Sign in with a hardware key" "Mit Hardwareschlüssel anmelden" "تسجيل الدخول بمفتاح مادي"
    1_010_025
        "A code is on its way to you. Please enter it below."
        "Ein Code ist zu Ihnen unterwegs. Bitte geben Sie ihn hier ein."
        "رمز في طريقه إليك. يُرجى إدخاله أدناه."
    1_040_001 "Continue" "Weiter" "متابعة"
    1_040_002 "Sign up with {provider}" "Mit {provider} registrieren" "إنشاء حساب عبر {provider}"
    1_040_003 "Continue" "Weiter" "متابعة"
    1_040_004 "Sign up with a security key" "Mit Sicherheitsschlüssel registrieren" "إنشاء حساب بمفتاح أمان"
    1_040_005
        "A code is on its way to the address you gave. Please enter it below."
        "Ein Code ist zu der angegebenen Adresse unterwegs. Bitte geben Sie ihn hier ein."
        "رمز في طريقه إلى العنوان الذي أدخلته. يُرجى إدخاله أدناه."
    1_040_006 "Send me a sign-up code" "Registrierungscode zuschicken" "إرسال رمز إنشاء الحساب"
    1_040_007 "Sign up with a passkey" "Mit Passkey registrieren" "إنشاء حساب بمفتاح مرور"
    1_040_008 "Back" "Zurück" "رجوع"
    1_040_009
        "Choose how you want to sign in from now on."
        "Wählen Sie, wie Sie sich künftig anmelden möchten."
        "اختر طريقة تسجيل الدخول من الآن فصاعدًا."
    1_050_001 "Your changes have been saved." "Ihre Änderungen sind gespeichert." "تم حفظ التغييرات."
    1_050_002 "Link {provider}" "{provider} verknüpfen" "ربط {provider}"
    1_050_003 "Unlink {provider}" "{provider} trennen" "إلغاء ربط {provider}"
    1_050_004 "Remove authenticator app" "Authentifizierungs-App entfernen" "إزالة تطبيق المصادقة"
    1_050_005
        "QR code for your authenticator app"
        "QR-Code für Ihre Authentifizierungs-App"
        "رمز QR لتطبيق المصادقة"
    1_050_006 "{secret}" "{secret}" "{secret}"
    1_050_007 "Show backup codes" "Ersatzcodes anzeigen" "عرض الرموز الاحتياطية"
    1_050_008 "Create new backup codes" "Neue Ersatzcodes erzeugen" "إنشاء رموز احتياطية جديدة"
    1_050_009 "{secret}" "{secret}" "{secret}"
    1_050_010
        "Your backup codes. Keep them in a safe place."
        "Ihre Ersatzcodes. Bewahren Sie sie sicher auf."
        "رموزك الاحتياطية. احفظها في مكان آمن."
    1_050_011 "I have saved these codes" "Ich habe diese Codes gesichert" "لقد حفظت هذه الرموز"
    1_050_012 "Add security key" "Sicherheitsschlüssel hinzufügen" "إضافة مفتاح أمان"
    1_050_013 "Name of the security key" "Name des Sicherheitsschlüssels" "اسم مفتاح الأمان"
    1_050_014 "used on {used_at}" "benutzt am {used_at}" "استُخدم في {used_at}"
    1_050_015 "{secrets}" "{secrets}" "{secrets}"
    1_050_016 "Remove this method" "Diese Methode entfernen" "إزالة هذه الطريقة"
    1_050_017
        "If you can’t scan the QR code, enter this key in your app"
        "Wenn Sie den QR-Code nicht scannen können, geben Sie diesen Schlüssel in die App ein"
        "إذا تعذّر مسح رمز QR، فأدخل هذا المفتاح في التطبيق"
    1_050_018
        "Remove security key “{display_name}”"
        "Sicherheitsschlüssel „{display_name}“ entfernen"
        "إزالة مفتاح الأمان «{display_name}»"
    1_050_019 "Add passkey" "Passkey hinzufügen" "إضافة مفتاح مرور"
    1_050_020
        "Remove passkey “{display_name}”"
        "Passkey „{display_name}“ entfernen"
        "إزالة مفتاح المرور «{display_name}»"
    1_050_021 "Remove this device" "Dieses Gerät entfernen" "إزالة هذا الجهاز"
    1_050_022 "Device challenge" "Geräteprüfung" "تحدي الجهاز"
    1_050_023
        "Your account is managed by your organization."
        "Ihr Konto wird von Ihrer Organisation verwaltet."
        "تدير مؤسستك حسابك."
    1_060_001
        "Welcome back. Please choose a new password now, or set up another way to sign in."
        "Willkommen zurück. Bitte wählen Sie jetzt ein neues Passwort oder richten Sie einen anderen Weg zur Anmeldung ein."
        "مرحبًا بعودتك. يُرجى اختيار كلمة مرور جديدة الآن، أو إعداد طريقة أخرى لتسجيل الدخول."
    1_060_002
        "If the address belongs to an account, a recovery link is on its way to it."
        "Gehört die Adresse zu einem Konto, ist ein Link zur Wiederherstellung dorthin unterwegs."
        "إذا كان العنوان يخص حسابًا، فإن رابط الاسترداد في طريقه إليه."
    1_060_003
        "If the address belongs to an account, a recovery code is on its way to it. Please enter it below."
        "Gehört die Adresse zu einem Konto, ist ein Wiederherstellungscode dorthin unterwegs. Bitte geben Sie ihn hier ein."
        "إذا كان العنوان يخص حسابًا، فإن رمز الاسترداد في طريقه إليه. يُرجى إدخاله أدناه."
    1_060_004
        "If {masked_address} belongs to an account, a recovery code is on its way to it. Please enter it below."
        "Gehört {masked_address} zu einem Konto, ist ein Wiederherstellungscode dorthin unterwegs. Bitte geben Sie ihn hier ein."
        "إذا كان {masked_address} يخص حسابًا، فإن رمز الاسترداد في طريقه إليه. يُرجى إدخاله أدناه."
    1_060_005
        "Please type the whole recovery address."
        "Bitte geben Sie die Adresse zur Wiederherstellung vollständig ein."
        "يُرجى كتابة عنوان الاسترداد كاملًا."
    1_060_006
        "How do you want to recover your account?"
        "Wie möchten Sie Ihren Zugang wiederherstellen?"
        "كيف تريد استرداد حسابك؟"
    1_060_007 "Back" "Zurück" "رجوع"
    1_070_001 "Password" "Passwort" "كلمة المرور"
    1_070_002 "{title}" "{title}" "{title}"
    1_070_003 "Save" "Speichern" "حفظ"
    1_070_004 "Email or username" "E-Mail-Adresse oder Benutzername" "البريد الإلكتروني أو اسم المستخدم"
    1_070_005 "Submit" "Absenden" "إرسال"
    1_070_006 "Code" "Code" "الرمز"
    1_070_007 "Email" "E-Mail-Adresse" "البريد الإلكتروني"
    1_070_008 "Send the code again" "Code noch einmal schicken" "إعادة إرسال الرمز"
    1_070_009 "Continue" "Weiter" "متابعة"
    1_070_010 "Recovery code" "Wiederherstellungscode" "رمز الاسترداد"
    1_070_011 "Verification code" "Bestätigungscode" "رمز التحقق"
    1_070_012 "Sign-up code" "Registrierungscode" "رمز إنشاء الحساب"
    1_070_013 "Sign-in code" "Anmeldecode" "رمز تسجيل الدخول"
    1_070_014 "Sign in and link" "Anmelden und verknüpfen" "تسجيل الدخول والربط"
    1_070_015
        "Please solve the captcha to continue."
        "Bitte lösen Sie die Aufgabe, um fortzufahren."
        "يُرجى حل اختبار التحقق للمتابعة."
    1_070_016 "Email or phone number" "E-Mail-Adresse oder Telefonnummer" "البريد الإلكتروني أو رقم الهاتف"
    1_070_017 "Phone number" "Telefonnummer" "رقم الهاتف"
    1_070_018 "Email or phone number" "E-Mail-Adresse oder Telefonnummer" "البريد الإلكتروني أو رقم الهاتف"
    1_080_001
        "If the address is known here, a link to confirm it is on its way to it."
        "Ist die Adresse bei uns bekannt, ist ein Link zur Bestätigung dorthin unterwegs."
        "إذا كان العنوان معروفًا هنا، فإن رابط تأكيده في طريقه إليه."
    1_080_002
        "Your email address is confirmed."
        "Ihre E-Mail-Adresse ist bestätigt."
        "تم تأكيد بريدك الإلكتروني."
    1_080_003
        "If the address is known here, a code to confirm it is on its way to it. Please enter it below."
        "Ist die Adresse bei uns bekannt, ist ein Code zur Bestätigung dorthin unterwegs. Bitte geben Sie ihn hier ein."
        "إذا كان العنوان معروفًا هنا، فإن رمز تأكيده في طريقه إليه. يُرجى إدخاله أدناه."
    1_080_004
        "If the number is known here, a text message with a code is on its way to it. Please enter it below."
        "Ist die Nummer bei uns bekannt, ist eine SMS mit einem Code dorthin unterwegs. Bitte geben Sie ihn hier ein."
        "إذا كان الرقم معروفًا هنا، فإن رسالة نصية تحمل رمزًا في طريقها إليه. يُرجى إدخاله أدناه."
    1_080_005 "Your phone number is confirmed." "Ihre Telefonnummer ist bestätigt." "تم تأكيد رقم هاتفك."
    4_000_001 "{reason}" "{reason}" "{reason}"
    4_000_002 "Please fill in this field." "Bitte füllen Sie dieses Feld aus." "يُرجى ملء هذا الحقل."
    4_000_003
        "Please use at least {min_length} characters."
        "Bitte verwenden Sie mindestens {min_length} Zeichen."
        "يُرجى استخدام {min_length} من الأحرف على الأقل."
    4_000_004
        "This is not in the expected form."
        "Das entspricht nicht der erwarteten Form."
        "هذا لا يطابق الصيغة المتوقعة."
    4_000_005
        "This password can’t be used: {reason}"
        "Dieses Passwort ist nicht möglich: {reason}"
        "لا يمكن استخدام كلمة المرور هذه: {reason}"
    4_000_006
        "This combination is not right. Check for typing mistakes and try again."
        "Diese Kombination stimmt nicht. Bitte prüfen Sie auf Tippfehler und versuchen Sie es noch einmal."
        "هذه البيانات غير صحيحة. تحقق من الأخطاء الإملائية وحاول مرة أخرى."
    4_000_007
        "An account with these details exists already. Sign in to it, or recover it."
        "Mit diesen Angaben gibt es schon ein Konto. Melden Sie sich daran an oder stellen Sie den Zugang wieder her."
        "يوجد حساب بهذه البيانات بالفعل. سجّل الدخول إليه أو استرده."
    4_000_008
        "This code is not right. Please try again with a current one."
        "Dieser Code stimmt nicht. Bitte versuchen Sie es mit einem aktuellen."
        "هذا الرمز غير صحيح. يُرجى المحاولة مرة أخرى برمز حالي."
    4_000_009
        "We found nothing here by which you could sign in later, such as an email address."
        "Es fehlt eine Angabe, mit der Sie sich später anmelden können, etwa eine E-Mail-Adresse."
        "لم نجد هنا ما يمكنك تسجيل الدخول به لاحقًا، مثل بريد إلكتروني."
    4_000_010
        "Please confirm your email address first."
        "Bitte bestätigen Sie zuerst Ihre E-Mail-Adresse."
        "يُرجى تأكيد بريدك الإلكتروني أولًا."
    4_000_011
        "No authenticator app is set up for this account."
        "Für dieses Konto ist keine Authentifizierungs-App eingerichtet."
        "لم يُعدّ تطبيق مصادقة لهذا الحساب."
    4_000_012
        "This backup code has been used already."
        "Dieser Ersatzcode ist schon benutzt."
        "استُخدم هذا الرمز الاحتياطي بالفعل."
    4_000_013
        "No security key is set up for this account."
        "Für dieses Konto ist kein Sicherheitsschlüssel eingerichtet."
        "لم يُعدّ مفتاح أمان لهذا الحساب."
    4_000_014
        "No backup codes are set up for this account."
        "Für dieses Konto sind keine Ersatzcodes eingerichtet."
        "لم تُعدّ رموز احتياطية لهذا الحساب."
    4_000_015
        "This account does not exist, or it has no security key."
        "Dieses Konto gibt es nicht, oder es hat keinen Sicherheitsschlüssel."
        "هذا الحساب غير موجود، أو ليس له مفتاح أمان."
    4_000_016 "This backup code is not right." "Dieser Ersatzcode stimmt nicht." "هذا الرمز الاحتياطي غير صحيح."
    4_000_017
        "Please use at most {max_length} characters."
        "Bitte verwenden Sie höchstens {max_length} Zeichen."
        "يُرجى استخدام {max_length} من الأحرف على الأكثر."
    4_000_018
        "The smallest possible value is {minimum}."
        "Der kleinste mögliche Wert ist {minimum}."
        "أصغر قيمة ممكنة هي {minimum}."
    4_000_019
        "The value must be greater than {minimum}."
        "Der Wert muss größer als {minimum} sein."
        "يجب أن تكون القيمة أكبر من {minimum}."
    4_000_020
        "The greatest possible value is {maximum}."
        "Der größte mögliche Wert ist {maximum}."
        "أكبر قيمة ممكنة هي {maximum}."
    4_000_021
        "The value must be less than {maximum}."
        "Der Wert muss kleiner als {maximum} sein."
        "يجب أن تكون القيمة أصغر من {maximum}."
    4_000_022
        "The value must be a multiple of {base}."
        "Der Wert muss ein Vielfaches von {base} sein."
        "يجب أن تكون القيمة من مضاعفات {base}."
    4_000_023
        "At most {max_items} entries are possible."
        "Höchstens {max_items} Einträge sind möglich."
        "يمكن إدخال {max_items} من العناصر على الأكثر."
    4_000_024
        "At least {min_items} entries are needed."
        "Mindestens {min_items} Einträge sind nötig."
        "يلزم {min_items} من العناصر على الأقل."
    4_000_025 "Two entries are the same." "Zwei Einträge sind gleich." "يوجد عنصران متطابقان."
    4_000_026
        "This kind of value does not fit here."
        "Diese Art von Wert passt hier nicht."
        "هذا النوع من القيم غير مناسب هنا."
    4_000_027
        "An account with these details exists already. Sign in to it to link your social account."
        "Mit diesen Angaben gibt es schon ein Konto. Melden Sie sich daran an, um den anderen Anbieter zu verknüpfen."
        "يوجد حساب بهذه البيانات بالفعل. سجّل الدخول إليه لربط حسابك الآخر."
    4_000_028
        "An account with these details exists already. Sign in to it in the way you are used to."
        "Mit diesen Angaben gibt es schon ein Konto. Melden Sie sich daran so an, wie Sie es gewohnt sind."
        "يوجد حساب بهذه البيانات بالفعل. سجّل الدخول إليه بطريقتك المعتادة."
    4_000_029 "The value must be {expected}." "Der Wert muss {expected} sein." "يجب أن تكون القيمة {expected}."
    4_000_030
        "This value is not possible here."
        "Dieser Wert ist hier nicht möglich."
        "هذه القيمة غير ممكنة هنا."
    4_000_031
        "This password is too similar to your sign-in name."
        "Dieses Passwort ähnelt Ihrem Anmeldenamen zu sehr."
        "كلمة المرور هذه تشبه اسم تسجيل الدخول كثيرًا."
    4_000_032
        "Please use at least {min_length} characters."
        "Bitte verwenden Sie mindestens {min_length} Zeichen."
        "يُرجى استخدام {min_length} من الأحرف على الأقل."
    4_000_033
        "This password is too long. At most {max_length} bytes are possible."
        "Dieses Passwort ist zu lang. Höchstens {max_length} Bytes sind möglich."
        "كلمة المرور هذه طويلة جدًا. الحد الأقصى {max_length} بايت."
    4_000_034
        "This password is known from data breaches elsewhere. Please choose another one."
        "Dieses Passwort ist aus Datenlecks anderswo bekannt. Bitte wählen Sie ein anderes."
        "كلمة المرور هذه معروفة من تسريبات بيانات في مواقع أخرى. يُرجى اختيار كلمة أخرى."
    4_000_035
        "This account does not exist, or it can’t sign in by code."
        "Dieses Konto gibt es nicht, oder es kann sich nicht per Code anmelden."
        "هذا الحساب غير موجود، أو لا يمكنه تسجيل الدخول برمز."
    4_000_036
        "Your details changed after the code was sent. Please start again."
        "Ihre Angaben haben sich geändert, nachdem der Code verschickt war. Bitte beginnen Sie neu."
        "تغيرت بياناتك بعد إرسال الرمز. يُرجى البدء من جديد."
    4_000_037
        "This account does not exist, or it has no way to sign in."
        "Dieses Konto gibt es nicht, oder es hat keinen Weg zur Anmeldung."
        "هذا الحساب غير موجود، أو ليس له طريقة لتسجيل الدخول."
    4_000_038
        "The captcha was not solved. Please try again."
        "Die Aufgabe wurde nicht gelöst. Bitte versuchen Sie es noch einmal."
        "لم يُحل اختبار التحقق. يُرجى المحاولة مرة أخرى."
    4_000_039
        "The new password must differ from the old one."
        "Das neue Passwort muss sich vom alten unterscheiden."
        "يجب أن تختلف كلمة المرور الجديدة عن القديمة."
    4_000_040
        "Please enter a valid email address."
        "Bitte geben Sie eine gültige E-Mail-Adresse ein."
        "يُرجى إدخال بريد إلكتروني صالح."
    4_000_041
        "Please enter a valid phone number with its country code, such as +49."
        "Bitte geben Sie eine gültige Telefonnummer mit Landesvorwahl ein, etwa +49."
        "يُرجى إدخال رقم هاتف صالح مع رمز الدولة، مثل \u{200e}+966."
    4_000_042
        "No device is set up for this account."
        "Für dieses Konto ist kein Gerät eingerichtet."
        "لم يُعدّ جهاز لهذا الحساب."
    4_000_043
        "The security key did not prove that it is yours. Please try again."
        "Der Sicherheitsschlüssel konnte nicht bestätigt werden. Bitte versuchen Sie es noch einmal."
        "لم يثبت مفتاح الأمان أنه لك. يُرجى المحاولة مرة أخرى."
    4_000_044
        "The device’s signature is not right."
        "Die Signatur des Geräts stimmt nicht."
        "توقيع الجهاز غير صحيح."
    4_000_045
        "The device’s attestation is not right."
        "Der Herkunftsnachweis des Geräts stimmt nicht."
        "شهادة الجهاز غير صحيحة."
    4_000_046
        "This device has to be set up again."
        "Dieses Gerät muss neu eingerichtet werden."
        "يجب إعداد هذا الجهاز من جديد."
    4_010_001
        "This page was open for too long. Please sign in again."
        "Diese Seite war zu lange offen. Bitte melden Sie sich noch einmal an."
        "ظلت هذه الصفحة مفتوحة مدة طويلة. يُرجى تسجيل الدخول مرة أخرى."
    4_010_002
        "There is no way to sign in with what was sent. Please try again."
        "Mit den gesendeten Angaben ist keine Anmeldung möglich. Bitte versuchen Sie es noch einmal."
        "لا يمكن تسجيل الدخول بما أُرسل. يُرجى المحاولة مرة أخرى."
    4_010_003
        "There is no way to sign up with what was sent. Please try again."
        "Mit den gesendeten Angaben ist keine Registrierung möglich. Bitte versuchen Sie es noch einmal."
        "لا يمكن إنشاء حساب بما أُرسل. يُرجى المحاولة مرة أخرى."
    4_010_004
        "There is nothing to change with what was sent. Please try again."
        "Mit den gesendeten Angaben ist keine Änderung möglich. Bitte versuchen Sie es noch einmal."
        "لا يمكن تغيير شيء بما أُرسل. يُرجى المحاولة مرة أخرى."
    4_010_005
        "There is no way to recover the account with what was sent. Please try again."
        "Mit den gesendeten Angaben ist keine Wiederherstellung möglich. Bitte versuchen Sie es noch einmal."
        "لا يمكن استرداد الحساب بما أُرسل. يُرجى المحاولة مرة أخرى."
    4_010_006
        "There is no way to confirm the address with what was sent. Please try again."
        "Mit den gesendeten Angaben ist keine Bestätigung möglich. Bitte versuchen Sie es noch einmal."
        "لا يمكن تأكيد العنوان بما أُرسل. يُرجى المحاولة مرة أخرى."
    4_010_007
        "This sign-in was finished already. Please start again."
        "Diese Anmeldung ist schon abgeschlossen. Bitte beginnen Sie neu."
        "اكتمل تسجيل الدخول هذا بالفعل. يُرجى البدء من جديد."
    4_010_008
        "This code is not right, or it was used already. Please try again."
        "Dieser Code stimmt nicht oder ist schon benutzt. Bitte versuchen Sie es noch einmal."
        "هذا الرمز غير صحيح أو استُخدم بالفعل. يُرجى المحاولة مرة أخرى."
    4_010_009
        "The linked accounts do not belong together."
        "Die verknüpften Konten gehören nicht zusammen."
        "الحسابات المرتبطة لا ينتمي بعضها إلى بعض."
    4_010_010
        "This address does not belong to the account."
        "Diese Adresse gehört nicht zu dem Konto."
        "هذا العنوان لا يخص الحساب."
    4_010_011 "This account is switched off." "Dieses Konto ist abgeschaltet." "هذا الحساب معطّل."
    4_040_001
        "This page was open for too long. Please start again."
        "Diese Seite war zu lange offen. Bitte beginnen Sie neu."
        "ظلت هذه الصفحة مفتوحة مدة طويلة. يُرجى البدء من جديد."
    4_040_002
        "This sign-up was finished already."
        "Diese Registrierung ist schon abgeschlossen."
        "اكتمل إنشاء هذا الحساب بالفعل."
    4_040_003
        "This code is not right, or it was used already. Please try again."
        "Dieser Code stimmt nicht oder ist schon benutzt. Bitte versuchen Sie es noch einmal."
        "هذا الرمز غير صحيح أو استُخدم بالفعل. يُرجى المحاولة مرة أخرى."
    4_050_001
        "This page was open for too long. Please make your changes again."
        "Diese Seite war zu lange offen. Bitte nehmen Sie Ihre Änderungen noch einmal vor."
        "ظلت هذه الصفحة مفتوحة مدة طويلة. يُرجى إجراء التغييرات مرة أخرى."
    4_050_002
        "Please change one address at a time."
        "Bitte ändern Sie immer nur eine Adresse auf einmal."
        "يُرجى تغيير عنوان واحد في كل مرة."
    4_060_001
        "This recovery was finished already. Please start again."
        "Diese Wiederherstellung ist schon abgeschlossen. Bitte beginnen Sie neu."
        "اكتمل هذا الاسترداد بالفعل. يُرجى البدء من جديد."
    4_060_002
        "The recovery did not work. Please start again."
        "Die Wiederherstellung hat nicht geklappt. Bitte beginnen Sie neu."
        "لم ينجح الاسترداد. يُرجى البدء من جديد."
    4_060_003
        "The link is not complete. Please open it once more."
        "Der Link ist unvollständig. Bitte öffnen Sie ihn noch einmal."
        "الرابط غير مكتمل. يُرجى فتحه مرة أخرى."
    4_060_004
        "This link is not right, or it was used already. Please ask for a new one."
        "Dieser Link stimmt nicht oder ist schon benutzt. Bitte fordern Sie einen neuen an."
        "هذا الرابط غير صحيح أو استُخدم بالفعل. يُرجى طلب رابط جديد."
    4_060_005
        "This page was open for too long. Please start again."
        "Diese Seite war zu lange offen. Bitte beginnen Sie neu."
        "ظلت هذه الصفحة مفتوحة مدة طويلة. يُرجى البدء من جديد."
    4_060_006
        "This code is not right, or it was used already. Please try again."
        "Dieser Code stimmt nicht oder ist schon benutzt. Bitte versuchen Sie es noch einmal."
        "هذا الرمز غير صحيح أو استُخدم بالفعل. يُرجى المحاولة مرة أخرى."
    4_070_001
        "This link is not right, or it was used already. Please ask for a new one."
        "Dieser Link stimmt nicht oder ist schon benutzt. Bitte fordern Sie einen neuen an."
        "هذا الرابط غير صحيح أو استُخدم بالفعل. يُرجى طلب رابط جديد."
    4_070_002
        "This confirmation was finished already. Please start again."
        "Diese Bestätigung ist schon abgeschlossen. Bitte beginnen Sie neu."
        "اكتمل هذا التأكيد بالفعل. يُرجى البدء من جديد."
    4_070_003
        "The confirmation did not work. Please start again."
        "Die Bestätigung hat nicht geklappt. Bitte beginnen Sie neu."
        "لم ينجح التأكيد. يُرجى البدء من جديد."
    4_070_004
        "The link is not complete. Please open it once more."
        "Der Link ist unvollständig. Bitte öffnen Sie ihn noch einmal."
        "الرابط غير مكتمل. يُرجى فتحه مرة أخرى."
    4_070_005
        "This page was open for too long. Please start again."
        "Diese Seite war zu lange offen. Bitte beginnen Sie neu."
        "ظلت هذه الصفحة مفتوحة مدة طويلة. يُرجى البدء من جديد."
    4_070_006
        "This code is not right, or it was used already. Please try again."
        "Dieser Code stimmt nicht oder ist schon benutzt. Bitte versuchen Sie es noch einmal."
        "هذا الرمز غير صحيح أو استُخدم بالفعل. يُرجى المحاولة مرة أخرى."
    5_000_001 "{reason}" "{reason}" "{reason}"
    5_000_002
        "No way to sign in is available at the moment."
        "Zurzeit ist kein Weg zur Anmeldung verfügbar."
        "لا تتوفر حاليًا أي طريقة لتسجيل الدخول."
    5_000_003
        "Your organization asks for single sign-on, but has not set it up yet."
        "Ihre Organisation verlangt eine zentrale Anmeldung, hat sie aber noch nicht eingerichtet."
        "تطلب مؤسستك تسجيل الدخول الموحد، لكنها لم تُعدّه بعد."
];
