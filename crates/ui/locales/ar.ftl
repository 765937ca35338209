### The Arabic texts of Kleis. `en.ftl` describes the rules, where each text is shown, and what its values are.

## The language itself

language-name = العربية
language-direction = rtl

## Dates

moment =
    { $day } { $month ->
        [1] يناير
        [2] فبراير
        [3] مارس
        [4] أبريل
        [5] مايو
        [6] يونيو
        [7] يوليو
        [8] أغسطس
        [9] سبتمبر
        [10] أكتوبر
        [11] نوفمبر
       *[12] ديسمبر
    } { $year }، { $time } UTC

## Every page

page-skip-to-content = الانتقال إلى المحتوى
page-optional = اختياري
page-or = أو
page-choose = يُرجى الاختيار
page-error-prefix = خطأ:
page-back = رجوع
page-continue = متابعة
page-cancel = إلغاء
page-start-again = البدء من جديد

page-language = اللغة
page-footer-terms = شروط الخدمة
page-footer-privacy = سياسة الخصوصية
page-footer-imprint = بيانات الناشر
page-footer-help = المساعدة

## Sign-in

page-sign-in = تسجيل الدخول
page-sign-in-intro = سعداء برؤيتك من جديد.
page-sign-in-toward = سجّل الدخول للمتابعة إلى { $client }.
page-confirm-identity = تأكيد هويتك
page-second-factor = خطوة أخرى
page-second-factor-intro = حسابك محمي بعامل ثانٍ.
page-enter-code = أدخل الرمز
page-account = الحساب
page-code-sent-to = العنوان
page-wrong-address = العنوان غير صحيح؟
page-no-account-yet = ليس لديك حساب؟
page-create-account = إنشاء حساب
page-forgot-access = يتعذّر تسجيل الدخول؟
page-forgot-password = نسيت كلمة المرور؟
page-show-password = إظهار كلمة المرور
page-use-another-account = استخدام حساب آخر

page-password-min-length =
    { $min_length ->
        [one] حرف واحد على الأقل.
        [two] حرفان على الأقل.
        [few] { $min_length } أحرف على الأقل.
       *[other] { $min_length } حرفًا على الأقل.
    }
page-password-unlike-identifier = لا تشبه اسم تسجيل الدخول.
page-password-not-breached = غير معروفة من تسريبات البيانات.

## Sign-up

page-sign-up = إنشاء حسابك
page-sign-up-intro = يستغرق ذلك أقل من دقيقة.
page-sign-up-toward = أنشئ حسابًا للمتابعة إلى { $client }.
page-secure-account = حماية حسابك
page-have-account = لديك حساب بالفعل؟
page-sign-in-instead = تسجيل الدخول

## Recovery of an account, and verification of an address

page-recovery = استرداد حسابك
page-recovery-intro = أدخل عنوانك. إذا كان يخص حسابًا، فسنرسل إليه رمزًا أو رابطًا.
page-recovery-link-intro = يفتح هذا الرابط حسابك مرة واحدة لتعيين كلمة مرور جديدة. إذا لم تطلبه، فأغلق هذه الصفحة.
page-back-to-sign-in = العودة إلى تسجيل الدخول

page-verification = تأكيد عنوانك
page-verification-intro = أدخل عنوانك. سنرسل إليه رمزًا أو رابطًا لتأكيد أنه لك.
page-verification-link-intro = أكّد أن هذا العنوان لك. إذا لم تطلب ذلك، فأغلق هذه الصفحة.
page-verification-done = تم تأكيد العنوان

page-other-browser = المتابعة في المتصفح الآخر
page-other-browser-intro = بدأت هذا في متصفح آخر أو على جهاز آخر. عُد إلى الصفحة هناك وأدخل الرمز من الرسالة.

## Account settings

page-settings = حسابك
page-settings-intro = بياناتك وطرق تسجيل دخولك.

page-section-profile = الملف الشخصي
page-section-profile-intro = ما نعرفه عنك.
page-section-password = كلمة المرور
page-section-password-intro = اختر كلمة لا تستخدمها في أي مكان آخر.
page-new-password = كلمة المرور الجديدة
page-section-social = الحسابات المرتبطة
page-section-social-intro = حسابات في مواقع أخرى تسجّل دخولك هنا.
page-section-totp = تطبيق المصادقة
page-section-totp-intro = تطبيق على هاتفك يعرض رمزًا جديدًا كل 30 ثانية.
page-section-lookup = الرموز الاحتياطية
page-section-lookup-intro = يعمل كل رمز مرة واحدة، عندما لا يكون هاتفك معك.
page-no-backup-codes = ليست لديك رموز احتياطية بعد. بها تستطيع تسجيل الدخول إذا فقدت الهاتف الذي عليه تطبيق المصادقة.
page-create-backup-codes = الانتقال إلى الرموز الاحتياطية
page-copy-codes = نسخ
page-codes-copied = الرموز في الحافظة.
page-save-codes = تنزيل
page-remove-app = لن تعمل رموز التطبيق بعد ذلك. هل تريد إزالة التطبيق؟
page-remove-codes = لن يعمل أي من رموزك الاحتياطية بعد ذلك. هل تريد إزالتها؟
page-remove-other = لن تستطيع تسجيل الدخول به بعد ذلك. هل تريد إزالته؟
page-confirm-removal = نعم، إزالة
page-section-webauthn = مفاتيح الأمان
page-section-webauthn-intro = جهاز صغير توصله أو تلمسه.
page-section-passkey = مفاتيح المرور
page-section-passkey-intro = سجّل الدخول ببصمة الإصبع أو الوجه أو رمز الجهاز.
page-section-other = المزيد

page-sessions = الأجهزة المسجّل الدخول عليها
page-sessions-intro = أنهِ ما لا تعرفه، ثم غيّر كلمة المرور.
page-this-device = هذا الجهاز
page-unknown-device = جهاز غير معروف
page-signed-in-at = تسجيل الدخول { $time }
page-end-session = تسجيل الخروج
page-end-other-sessions = تسجيل الخروج من كل الأجهزة الأخرى
page-no-other-sessions = سجّلت الدخول على هذا الجهاز فقط.
page-sessions-ended = تم. سُجّل الخروج من تلك الأجهزة.

page-connections = التطبيقات المتصلة
page-connections-intro = سمحت لهذه التطبيقات باستخدام حسابك. أزل ما لا تستخدمه أو لا تعرفه.
page-no-connections = لا يوجد تطبيق يستخدم حسابك.
page-connected-since = سُمح به { $time }
page-end-connection = إزالة الوصول
page-connection-ended = تم. لم يعد بإمكان التطبيق استخدام حسابك.
page-connections-unavailable = لا يمكن عرض التطبيقات المتصلة حاليًا. يُرجى المحاولة مرة أخرى لاحقًا.

## Sign-out, and the page of somebody who is signed in

page-sign-out = تسجيل الخروج
page-sign-out-question = تسجيل الخروج؟
page-sign-out-intro = ستحتاج إلى تسجيل الدخول مرة أخرى على هذا الجهاز.
page-stay-signed-in = البقاء مسجّلًا

page-signed-out = تم تسجيل خروجك
page-signed-out-intro = يمكنك إغلاق هذه النافذة.

page-welcome = تم تسجيل دخولك
page-signed-in-as = سجّلت الدخول باسم { $name }
page-manage-account = إدارة حسابك

## Errors

page-error = حدث خطأ
page-error-intro = لم نتمكن من إتمام طلبك. يُرجى المحاولة مرة أخرى.
page-error-not-found = هذه الصفحة غير موجودة، أو لم تعد موجودة.
page-error-expired = انتهت صلاحية هذه الصفحة. يُرجى البدء من جديد.
page-error-forbidden = لم يأتِ هذا الطلب من إحدى صفحاتنا، أو أن الصفحة قديمة. يُرجى البدء من جديد.
page-error-disabled = هذه الميزة معطّلة.
page-error-unavailable = لدينا مشكلة من جانبنا. يُرجى المحاولة مرة أخرى بعد قليل.
page-error-code = الحالة { $status }
page-error-details = التفاصيل
page-to-start = الانتقال إلى صفحة البداية

page-refused-page-missing = هذه الصفحة غير موجودة
page-refused-page-missing-advice = تحقق من العنوان أو ابدأ من صفحة البداية.
page-refused-method = لا يمكن فتح هذا العنوان بهذه الطريقة
page-refused-method-advice = ارجع إلى الصفحة التي أتيت منها واستخدم النموذج أو الرابط فيها.
page-refused-address = عنوان هذه الصفحة غير صالح
page-refused-address-advice = تحقق من العنوان أو افتح الرابط مرة أخرى.
page-refused-forbidden = لم يُقبل الطلب
page-refused-forbidden-advice = ربما أصبحت الصفحة قديمة أو أن متصفحك يحظر ملفات تعريف الارتباط. افتح الصفحة مرة أخرى واسمح بملفات تعريف الارتباط.
page-refused-too-large = ما أرسلته كبير جدًا
page-refused-too-large-advice = ارجع واختصر ما أدخلته ثم أرسله مرة أخرى.
page-refused-too-many = الطلبات كثيرة جدًا
page-refused-too-many-advice = انتظر بضع دقائق ثم حاول مرة أخرى.
page-refused-unavailable = لا يمكن للخدمة أن تجيب الآن
page-refused-unavailable-advice = حاول مرة أخرى بعد قليل.

## The mailbox for development: a page for operators that lists messages instead of sending them

page-mailbox = صندوق البريد
page-mailbox-intro = رسائل حُفظت هنا بدلًا من إرسالها. للتطوير فقط.
page-mailbox-empty = لا توجد رسائل بعد.
page-mail-to = إلى
page-mail-sent = الوقت
page-mail-status = الحالة
page-mail-kind = القالب
page-mail-no-subject = (بلا موضوع)
page-mail-html = الرسالة بصيغة HTML
page-mail-open-html = فتح جزء HTML في صفحة مستقلة
page-older = رسائل أقدم

## Messages of flows: sign-in

message-1010001 = تسجيل الدخول
message-1010002 = تسجيل الدخول عبر { $provider }
message-1010003 = يُرجى تأكيد هويتك بتسجيل الدخول مرة أخرى.
message-1010004 = يُرجى إكمال الخطوة الثانية لتسجيل الدخول.
message-1010005 = تحقق
message-1010006 = الرمز من تطبيق المصادقة
message-1010007 = الرمز الاحتياطي
message-1010008 = تسجيل الدخول بمفتاح أمان
message-1010009 = متابعة
message-1010010 = استخدام رمز احتياطي
message-1010011 = متابعة بمفتاح أمان
message-1010012 = جهّز مفتاح الأمان، ثم تابع.
message-1010013 = متابعة
message-1010014 = إذا كان العنوان معروفًا هنا، فإن رمزًا في طريقه إليه. يُرجى إدخاله أدناه.
message-1010015 = إرسال رمز تسجيل الدخول
message-1010016 = لديك حساب بالفعل باسم { $duplicateIdentifier }. سجّل الدخول إليه مرة واحدة لربطه بحساب { $provider }.
message-1010017 = تسجيل الدخول والربط
message-1010018 = التأكيد عبر { $provider }
message-1010019 = إرسال رمز للمتابعة
message-1010020 = يُرجى إكمال الخطوة الثانية.
message-1010021 = تسجيل الدخول بمفتاح مرور
message-1010022 = تسجيل الدخول
message-1010023 = إرسال رمز إلى { $address }
message-1010024 = تسجيل الدخول بمفتاح مادي
message-1010025 = رمز في طريقه إليك. يُرجى إدخاله أدناه.

## Messages of flows: sign-up

message-1040001 = متابعة
message-1040002 = إنشاء حساب عبر { $provider }
message-1040003 = متابعة
message-1040004 = إنشاء حساب بمفتاح أمان
message-1040005 = رمز في طريقه إلى العنوان الذي أدخلته. يُرجى إدخاله أدناه.
message-1040006 = إرسال رمز إنشاء الحساب
message-1040007 = إنشاء حساب بمفتاح مرور
message-1040008 = رجوع
message-1040009 = اختر طريقة تسجيل الدخول من الآن فصاعدًا.

## Messages of flows: settings

message-1050001 = تم حفظ التغييرات.
message-1050002 = ربط { $provider }
message-1050003 = إلغاء ربط { $provider }
message-1050004 = إزالة تطبيق المصادقة
message-1050005 = رمز QR لتطبيق المصادقة
message-1050006 = { $secret }
message-1050007 = عرض الرموز الاحتياطية
message-1050008 = إنشاء رموز احتياطية جديدة
message-1050009 = { $secret }
message-1050010 = رموزك الاحتياطية. احفظها في مكان آمن.
message-1050011 = لقد حفظت هذه الرموز
message-1050012 = إضافة مفتاح أمان
message-1050013 = اسم مفتاح الأمان
message-1050014 = استُخدم في { $used_at }
message-1050015 = { $secrets }
message-1050016 = إزالة الرموز الاحتياطية
message-1050017 = إذا تعذّر مسح رمز QR، فأدخل هذا المفتاح في التطبيق
message-1050018 = إزالة مفتاح الأمان «{ $display_name }»
message-1050019 = إضافة مفتاح مرور
message-1050020 = إزالة مفتاح المرور «{ $display_name }»
message-1050021 = إزالة هذا الجهاز
message-1050022 = تحدي الجهاز
message-1050023 = تدير مؤسستك حسابك.

## Messages of flows: recovery

message-1060001 = تم استرداد حسابك. يُرجى اختيار كلمة مرور جديدة الآن، أو إعداد طريقة أخرى لتسجيل الدخول.
message-1060002 = إذا كان العنوان يخص حسابًا، فإن رابط الاسترداد في طريقه إليه.
message-1060003 = إذا كان العنوان يخص حسابًا، فإن رمز الاسترداد في طريقه إليه. يُرجى إدخاله أدناه.
message-1060004 = إذا كان { $masked_address } يخص حسابًا، فإن رمز الاسترداد في طريقه إليه. يُرجى إدخاله أدناه.
message-1060005 = يُرجى كتابة عنوان الاسترداد كاملًا.
message-1060006 = كيف تريد استرداد حسابك؟
message-1060007 = رجوع

## Messages of flows: labels of fields and buttons

message-1070001 = كلمة المرور
message-1070002 = { $title }
message-1070003 = حفظ
message-1070004 = البريد الإلكتروني أو اسم المستخدم
message-1070005 = إرسال
message-1070006 = الرمز
message-1070007 = البريد الإلكتروني
message-1070008 = إعادة إرسال الرمز
message-1070009 = متابعة
message-1070010 = رمز الاسترداد
message-1070011 = رمز التحقق
message-1070012 = رمز إنشاء الحساب
message-1070013 = رمز تسجيل الدخول
message-1070014 = تسجيل الدخول والربط
message-1070015 = يُرجى حل اختبار التحقق للمتابعة.
message-1070016 = البريد الإلكتروني أو رقم الهاتف
message-1070017 = رقم الهاتف
message-1070018 = البريد الإلكتروني أو رقم الهاتف

## Messages of flows: verification

message-1080001 = إذا كان العنوان معروفًا هنا، فإن رابط تأكيده في طريقه إليه.
message-1080002 = تم تأكيد بريدك الإلكتروني.
message-1080003 = إذا كان العنوان معروفًا هنا، فإن رمز تأكيده في طريقه إليه. يُرجى إدخاله أدناه.
    .own_address = أرسلنا رمزًا إلى { $address }. يُرجى إدخاله أدناه.
message-1080004 = إذا كان الرقم معروفًا هنا، فإن رسالة نصية تحمل رمزًا في طريقها إليه. يُرجى إدخاله أدناه.
    .own_address = أرسلنا رمزًا في رسالة نصية إلى { $address }. يُرجى إدخاله أدناه.
message-1080005 = تم تأكيد رقم هاتفك.

## Messages of flows: what is wrong with a value

message-4000001 = { $reason }
    .too_many_attempts =
        محاولات كثيرة جدًا. يُرجى المحاولة مرة أخرى بعد { $minutes ->
            [one] دقيقة واحدة
            [two] دقيقتين
            [few] { $minutes } دقائق
           *[other] { $minutes } دقيقة
        }.
    .code_exhausted = جُرّب هذا الرمز مرات كثيرة جدًا. يُرجى طلب رمز جديد.
    .flow_changed = غيّر طلب آخر هذا النموذج. يُرجى مراجعته وإرساله مرة أخرى.
    .signed_in_already = لقد سجّلت الدخول بالفعل.
message-4000002 = يُرجى ملء هذا الحقل.
message-4000003 =
    { $min_length ->
        [one] يُرجى استخدام حرف واحد على الأقل.
        [two] يُرجى استخدام حرفين على الأقل.
        [few] يُرجى استخدام { $min_length } أحرف على الأقل.
       *[other] يُرجى استخدام { $min_length } حرفًا على الأقل.
    }
message-4000004 = هذا لا يطابق الصيغة المتوقعة.
message-4000005 = لا يمكن استخدام كلمة المرور هذه: { $reason }
message-4000006 = هذه البيانات غير صحيحة. تحقق من الأخطاء الإملائية وحاول مرة أخرى.
message-4000007 = يوجد حساب بهذه البيانات بالفعل. سجّل الدخول إليه أو استرده.
message-4000008 = هذا الرمز غير صحيح. يُرجى المحاولة مرة أخرى برمز حالي.
message-4000009 = لم نجد هنا ما يمكنك تسجيل الدخول به لاحقًا، مثل بريد إلكتروني.
message-4000010 = يُرجى تأكيد بريدك الإلكتروني أولًا.
message-4000011 = لم يُعدّ تطبيق مصادقة لهذا الحساب.
message-4000012 = استُخدم هذا الرمز الاحتياطي بالفعل.
message-4000013 = لم يُعدّ مفتاح أمان لهذا الحساب.
message-4000014 = لم تُعدّ رموز احتياطية لهذا الحساب.
message-4000015 = هذا الحساب غير موجود، أو ليس له مفتاح أمان.
message-4000016 = هذا الرمز الاحتياطي غير صحيح.
message-4000017 =
    { $max_length ->
        [one] يُرجى استخدام حرف واحد على الأكثر.
        [two] يُرجى استخدام حرفين على الأكثر.
        [few] يُرجى استخدام { $max_length } أحرف على الأكثر.
       *[other] يُرجى استخدام { $max_length } حرفًا على الأكثر.
    }
message-4000018 = يُرجى إدخال { $minimum } أو أكثر.
message-4000019 = يجب أن تكون القيمة أكبر من { $minimum }.
message-4000020 = يُرجى إدخال { $maximum } أو أقل.
message-4000021 = يجب أن تكون القيمة أصغر من { $maximum }.
message-4000022 = يجب أن تكون القيمة من مضاعفات { $base }.
message-4000023 =
    { $max_items ->
        [one] يمكن إدخال عنصر واحد على الأكثر.
        [two] يمكن إدخال عنصرين على الأكثر.
        [few] يمكن إدخال { $max_items } عناصر على الأكثر.
       *[other] يمكن إدخال { $max_items } عنصرًا على الأكثر.
    }
message-4000024 =
    { $min_items ->
        [one] يلزم عنصر واحد على الأقل.
        [two] يلزم عنصران على الأقل.
        [few] يلزم { $min_items } عناصر على الأقل.
       *[other] يلزم { $min_items } عنصرًا على الأقل.
    }
message-4000025 = يوجد عنصران متطابقان. يُرجى حذف أحدهما.
message-4000026 = هذا النوع من القيم غير مسموح به هنا.
message-4000027 = يوجد حساب بهذه البيانات بالفعل. سجّل الدخول إليه لربط حسابك الآخر.
message-4000028 = يوجد حساب بهذه البيانات بالفعل. سجّل الدخول إليه بطريقتك المعتادة.
message-4000029 = يجب أن تكون القيمة { $expected }.
message-4000030 = هذه القيمة غير مسموح بها هنا.
message-4000031 = كلمة المرور هذه تشبه اسم تسجيل الدخول كثيرًا.
message-4000032 =
    { $min_length ->
        [one] يُرجى استخدام حرف واحد على الأقل.
        [two] يُرجى استخدام حرفين على الأقل.
        [few] يُرجى استخدام { $min_length } أحرف على الأقل.
       *[other] يُرجى استخدام { $min_length } حرفًا على الأقل.
    }
message-4000033 = كلمة المرور هذه طويلة جدًا. الحد الأقصى لعدد الأحرف اللاتينية هو { $max_length }، وهو أقل مع الأحرف العربية أو الرموز التعبيرية.
message-4000034 = كلمة المرور هذه معروفة من تسريبات بيانات في مواقع أخرى. يُرجى اختيار كلمة أخرى.
message-4000035 = هذا الحساب غير موجود، أو لا يمكنه تسجيل الدخول برمز.
message-4000036 = تغيرت بياناتك بعد إرسال الرمز. يُرجى البدء من جديد.
message-4000037 = هذا الحساب غير موجود، أو ليس له طريقة لتسجيل الدخول.
message-4000038 = لم يُحل اختبار التحقق. يُرجى المحاولة مرة أخرى.
message-4000039 = يجب أن تختلف كلمة المرور الجديدة عن القديمة.
message-4000040 = يُرجى إدخال بريد إلكتروني صالح.
message-4000041 = يُرجى إدخال رقم هاتف صالح مع رمز الدولة، مثل { "\u200E" }+966.
message-4000042 = لم يُعدّ جهاز لهذا الحساب.
message-4000043 = لم يثبت مفتاح الأمان أنه لك. يُرجى المحاولة مرة أخرى.
message-4000044 = توقيع الجهاز غير صحيح.
message-4000045 = شهادة الجهاز غير صحيحة.
message-4000046 = يجب إعداد هذا الجهاز من جديد.

## Messages of flows: what is wrong with a flow

message-4010001 = انتهت صلاحية هذه الصفحة. يُرجى تسجيل الدخول مرة أخرى.
message-4010002 = لا يمكن تسجيل الدخول بما أُرسل. يُرجى المحاولة مرة أخرى.
message-4010003 = لا يمكن إنشاء حساب بما أُرسل. يُرجى المحاولة مرة أخرى.
message-4010004 = لا يحدد النموذج ما يجب تغييره. يُرجى المحاولة مرة أخرى.
message-4010005 = لا يمكن استرداد الحساب بما أُرسل. يُرجى المحاولة مرة أخرى.
message-4010006 = لا يمكن تأكيد العنوان بما أُرسل. يُرجى المحاولة مرة أخرى.
message-4010007 = اكتمل تسجيل الدخول هذا بالفعل. يُرجى البدء من جديد.
message-4010008 = هذا الرمز غير صحيح أو استُخدم بالفعل. يُرجى المحاولة مرة أخرى.
message-4010009 = الحسابات المرتبطة لا تخص الشخص نفسه.
message-4010010 = هذا العنوان لا يخص الحساب.
message-4010011 = هذا الحساب معطّل.
message-4040001 = انتهت صلاحية هذه الصفحة. يُرجى البدء من جديد.
message-4040002 = اكتمل إنشاء هذا الحساب بالفعل.
message-4040003 = هذا الرمز غير صحيح أو استُخدم بالفعل. يُرجى المحاولة مرة أخرى.
message-4050001 = انتهت صلاحية هذه الصفحة. يُرجى إجراء التغييرات مرة أخرى.
message-4050002 = يُرجى تغيير عنوان واحد في كل مرة.
message-4060001 = اكتمل هذا الاسترداد بالفعل. يُرجى البدء من جديد.
message-4060002 = لم ينجح الاسترداد. يُرجى البدء من جديد.
message-4060003 = الرابط غير مكتمل. يُرجى فتحه مرة أخرى.
message-4060004 = هذا الرابط غير صحيح أو استُخدم بالفعل. يُرجى طلب رابط جديد.
message-4060005 = انتهت صلاحية هذه الصفحة. يُرجى البدء من جديد.
message-4060006 = هذا الرمز غير صحيح أو استُخدم بالفعل. يُرجى المحاولة مرة أخرى.
message-4070001 = هذا الرابط غير صحيح أو استُخدم بالفعل. يُرجى طلب رابط جديد.
message-4070002 = اكتمل هذا التأكيد بالفعل. يُرجى البدء من جديد.
message-4070003 = لم ينجح التأكيد. يُرجى البدء من جديد.
message-4070004 = الرابط غير مكتمل. يُرجى فتحه مرة أخرى.
message-4070005 = انتهت صلاحية هذه الصفحة. يُرجى البدء من جديد.
message-4070006 = هذا الرمز غير صحيح أو استُخدم بالفعل. يُرجى المحاولة مرة أخرى.

## Messages of flows: faults of the server

message-5000001 = { $reason }
message-5000002 = لا تتوفر حاليًا أي طريقة لتسجيل الدخول.
message-5000003 = تطلب مؤسستك تسجيل الدخول الموحد، لكنها لم تُعدّه بعد.

## Titles of fields

trait-e-mail = البريد الإلكتروني
trait-email = البريد الإلكتروني
trait-email-address = البريد الإلكتروني
trait-your-e-mail = البريد الإلكتروني
trait-name = الاسم
trait-full-name = الاسم الكامل
trait-first-name = الاسم الأول
trait-last-name = اسم العائلة
trait-username = اسم المستخدم
trait-phone = رقم الهاتف
trait-phone-number = رقم الهاتف
trait-date-of-birth = تاريخ الميلاد
trait-address = العنوان
trait-city = المدينة
trait-country = البلد
trait-language = اللغة
trait-website = الموقع الإلكتروني
trait-company = الشركة

## OAuth: consent

oauth-consent-title = السماح بالوصول؟
oauth-consent-asks = { $client } يطلب الوصول إلى حسابك.
oauth-signed-in-as = سجّلت الدخول باسم { $name }
oauth-asks-for = سيتمكن من
oauth-scope-openid = معرفة من أنت
oauth-scope-profile = الاطلاع على اسمك وملفك الشخصي
oauth-scope-email = الاطلاع على بريدك الإلكتروني
oauth-scope-phone = الاطلاع على رقم هاتفك
oauth-scope-address = الاطلاع على عنوانك البريدي
oauth-scope-offline = الاحتفاظ بالوصول أثناء غيابك
oauth-scope-other = استخدام الإذن
oauth-nothing-else = معرفة أنك سجّلت الدخول، ولا شيء غير ذلك
oauth-will-call = سيستخدم هذا الوصول لدى
oauth-goes-to = ستنتقل إلى
oauth-remember = تذكّر هذا الاختيار
oauth-remember-hint = لن تُسأل مرة أخرى عن الوصول نفسه.
oauth-allow = السماح
oauth-deny = عدم السماح
oauth-terms = شروط خدمة التطبيق
oauth-privacy = سياسة خصوصية التطبيق

## OAuth: sign-out

oauth-logout-title = تسجيل الخروج؟
oauth-logout-intro = سيُسجّل خروجك هنا ومن التطبيقات التي استخدمتها.
oauth-logout-asked-by = { $client } يطلب منك تسجيل الخروج.
oauth-sign-out = تسجيل الخروج
oauth-stay = البقاء مسجّلًا

oauth-stayed-title = ما زلت مسجّل الدخول
oauth-stayed-intro = لم يتغير شيء. يمكنك إغلاق هذه الصفحة.

oauth-signed-out-title = تم تسجيل خروجك
oauth-signed-out-intro = يمكنك إغلاق هذه الصفحة.

oauth-signing-out-title = جارٍ تسجيل خروجك…
oauth-signing-out-intro = نُسجّل خروجك من التطبيقات التي استخدمتها. يستغرق ذلك لحظة.
oauth-go-on = متابعة

## OAuth: errors, and the way back to the application

oauth-error-title = لم ينجح ذلك
oauth-error-intro = أرسل التطبيق الذي أتيت منه طلبًا غير صالح. يجد مطوّروه السبب في التفاصيل أدناه.
oauth-error-expired = انتهت صلاحية هذا الطلب أو اكتمل من قبل. عُد إلى التطبيق وابدأ من جديد.
oauth-error-cookies = بدأ هذا في متصفح آخر، أو أن هذا المتصفح لا يقبل ملفات تعريف الارتباط. عُد إلى التطبيق وابدأ من جديد.
oauth-error-ours = حدث خطأ من جانبنا. يُرجى المحاولة مرة أخرى بعد قليل.
oauth-error-details = التفاصيل

oauth-form-post-title = لحظة واحدة…
oauth-form-post-intro = جارٍ إعادتك إلى التطبيق.

## Mails and text messages: what they share

mail-code-validity =
    الرمز صالح لمدة { $minutes ->
        [one] دقيقة واحدة
        [two] دقيقتين
        [few] { $minutes } دقائق
       *[other] { $minutes } دقيقة
    } ويُستخدم مرة واحدة فقط.
mail-short-validity =
    الرمز صالح لمدة { $minutes ->
        [one] دقيقة واحدة
        [two] دقيقتين
        [few] { $minutes } دقائق
       *[other] { $minutes } دقيقة
    }.
mail-link-validity =
    الرابط صالح لمدة { $minutes ->
        [one] دقيقة واحدة
        [two] دقيقتين
        [few] { $minutes } دقائق
       *[other] { $minutes } دقيقة
    } ويُستخدم مرة واحدة فقط.

mail-ignore-code = إذا لم تطلب هذا الرمز فتجاهل هذه الرسالة ولا تعطِ الرمز لأحد.
mail-ignore-link = إذا لم تطلب هذا الرابط فتجاهل هذه الرسالة. لا يحدث شيء بدون الرابط.
mail-ignore = إذا كنت أنت فجرّب عنوانًا آخر، وإلا فتجاهل هذه الرسالة.

mail-copy-link = يمكنك أيضًا نسخ هذا العنوان إلى متصفحك:
mail-at = الوقت: { $at }
mail-sent-by = أُرسلت هذه الرسالة من { $product }.

## Mails and text messages: each kind

mail-recovery-code =
    .subject = رمز استرداد الحساب: { $code }
    .heading = استرداد حسابك
    .lead = أدخل هذا الرمز للعودة إلى حسابك:
    .button = المتابعة دون الرمز
    .short = رمز استرداد الحساب: { $code }

mail-recovery-link =
    .subject = استرداد حسابك
    .heading = استرداد حسابك
    .lead = افتح هذا الرابط للعودة إلى حسابك:
    .button = استرداد الحساب

mail-recovery-unknown =
    .subject = حاول شخص ما استرداد حساب
    .heading = حاول شخص ما استرداد حساب
    .lead = طلب شخص ما، ربما أنت، استرداد حساب { $to }. لا يوجد هنا حساب بهذا العنوان.

mail-verification-code =
    .subject = رمز التحقق: { $code }
    .heading = تأكيد عنوانك
    .lead = أدخل هذا الرمز لتأكيد أن هذا العنوان لك:
    .button = فتح الصفحة مع تعبئة الرمز
    .short = رمز التحقق: { $code }

mail-verification-link =
    .subject = تأكيد عنوانك
    .heading = تأكيد عنوانك
    .lead = افتح هذا الرابط لتأكيد أن هذا العنوان لك:
    .button = تأكيد العنوان

mail-verification-unknown =
    .subject = حاول شخص ما تأكيد هذا العنوان
    .heading = حاول شخص ما تأكيد هذا العنوان
    .lead = طلب شخص ما، ربما أنت، تأكيد العنوان { $to }. لا يوجد هنا حساب بهذا العنوان.

mail-login-code =
    .subject = رمز تسجيل الدخول: { $code }
    .heading = تسجيل الدخول
    .lead = أدخل هذا الرمز لتسجيل الدخول:
    .short = رمز تسجيل الدخول: { $code }

mail-registration-code =
    .subject = رمز إنشاء الحساب: { $code }
    .heading = إكمال إنشاء حسابك
    .lead = أدخل هذا الرمز لإكمال إنشاء حسابك:
    .short = رمز إنشاء الحساب: { $code }

mail-address-changed =
    .subject = تم تغيير عنوان في حسابك
    .heading = تم تغيير عنوان في حسابك
    .lead = تم تغيير عنوان في حسابك.
    .advice = إذا لم تكن أنت فاسترد حسابك فورًا وأبلغ مشغّل هذه الخدمة.
    .short = تم تغيير عنوان في حسابك.

mail-key-added =
    .subject = أُضيف مفتاح لتسجيل الدخول إلى حسابك
    .heading = أُضيف مفتاح لتسجيل الدخول إلى حسابك
    .lead = أُضيف مفتاح لتسجيل الدخول إلى حسابك.
    .advice = إذا لم تكن أنت فاسترد حسابك فورًا وأبلغ مشغّل هذه الخدمة.
    .short = أُضيف مفتاح لتسجيل الدخول إلى حسابك.

mail-registration-taken =
    .subject = حاول شخص ما إنشاء حساب بعنوانك
    .heading = لديك حساب بالفعل
    .lead = حاول شخص ما، ربما أنت، إنشاء حساب بالعنوان { $to }. لديك حساب بهذا العنوان بالفعل.
    .advice = إذا كنت أنت فسجّل الدخول، أو استرد حسابك إذا نسيت كلمة المرور. وإلا فتجاهل هذه الرسالة: لم يتغيّر شيء ولم يعلم أحد أن لديك حسابًا.
    .short = حاول شخص ما إنشاء حساب بهذا الرقم. لديك حساب بالفعل: سجّل الدخول أو تجاهل هذه الرسالة.

## The sample application of `kleis demo`

demo-title = تطبيق تجريبي
demo-intro = هذا تطبيق مستقل. يسجّل دخولك عبر Kleis باستخدام OpenID Connect.
demo-sign-in = تسجيل الدخول عبر Kleis

demo-hello = مرحبًا
demo-hello-name = مرحبًا، { $name }
demo-signed-in-intro = سجّلت الدخول إلى التطبيق التجريبي.
demo-who = ما يعرفه التطبيق
demo-who-intro = البيانات الواردة في رمز الهوية.
demo-api = واجهة برمجة تجريبية
demo-api-intro = تقف خلف البوابة، التي تتحقق من رمز الوصول وتخبر الواجهة من أنت.
demo-call-api = استدعاء الواجهة
demo-api-answer = جواب الواجهة
demo-document = مستندك
demo-document-intro = لكل من يسجّل الدخول مستند. تعرف خدمة الأذونات من يجوز له فعل ماذا به، وأي صف علاقة هو السبب.
demo-reader = البريد الإلكتروني لزميل
demo-no-address = أدخل عنوان بريد إلكتروني.
demo-share = مشاركة
demo-revoke = إلغاء المشاركة
demo-nobody = لم يسجّل أحد بهذا العنوان.
demo-own-document = هذا المستند ملكك بالفعل: أدخل عنوان شخص آخر.
demo-shared = يجوز الآن للمستخدم { $reader } قراءة مستندك.
demo-revoked = لم يعد يجوز للمستخدم { $reader } قراءة مستندك.
demo-api-failed = لم ينجح ذلك لأن إحدى الخدمات لم تستجب. حاول مرة أخرى.
demo-open-document = فتح مستند
demo-open-document-intro = تسأل البوابة خدمة الأذونات، ولا تمرّر الطلب إلى الواجهة إلا إذا كان يجوز لك قراءة المستند.
demo-owner = البريد الإلكتروني لمالكه
demo-open = فتح
demo-may-read = يجوز لك قراءة هذا المستند
demo-may-not-read = لا يجوز لك قراءة هذا المستند
demo-not-shared = لم يشارك { $owner } هذا المستند معك: لست مالكه ولا من قرّائه.
demo-because = السبب، من خدمة الأذونات:
demo-account = إدارة حسابك
demo-sign-out = تسجيل الخروج

demo-signed-out = تم تسجيل خروجك
demo-signed-out-intro = تم تسجيل خروجك من التطبيق التجريبي ومن Kleis.
demo-session-ended = انتهت جلستك في التطبيق التجريبي. سجّل الدخول مرة أخرى لتواصل من حيث كنت.

demo-declined = لم تسجّل الدخول
demo-declined-intro = لم تسمح للتطبيق التجريبي باستخدام حسابك، فهو لا يعرف عنك شيئًا. إذا غيّرت رأيك فسجّل الدخول مرة أخرى.
demo-over = انتهت محاولة تسجيل الدخول هذه
demo-over-intro = استغرقت وقتًا أطول من اللازم، أو بدأت في نافذة أخرى. سجّل الدخول مرة أخرى.
demo-unavailable = تسجيل الدخول غير متاح الآن
demo-unavailable-intro = لا تستجيب خدمة Kleis. حاول مرة أخرى بعد بضع دقائق.
demo-failed = تعذّر تسجيل دخولك
demo-failed-intro = حدث خطأ بين التطبيق التجريبي وخدمة Kleis. حاول مرة أخرى؛ وإذا تكرر الخطأ فالتفاصيل تفيد من يشغّل التطبيق.
