use super::*;

/// Made by other programs (crypt(3), OpenSSL, Python) from this password.
const PASSWORD: &[u8] = "correct horse ä".as_bytes();

const VECTORS: &[(&str, &str)] = &[
    ("bcrypt_2a", "$2a$04$abcdefghijklmnopqrstuu960j13X6kQlzbqdzgQcooaqGRvuvICC"),
    ("bcrypt_2b", "$2b$04$abcdefghijklmnopqrstuu960j13X6kQlzbqdzgQcooaqGRvuvICC"),
    ("bcrypt_2y", "$2y$04$abcdefghijklmnopqrstuu960j13X6kQlzbqdzgQcooaqGRvuvICC"),
    ("md5crypt", "$md5-crypt$saltsalt$2uanLcrOYVhZ7IvZy8yEc."),
    ("sha256crypt", "$sha256-crypt$saltstring$jMO2sY1l1Yml1TX98W38vcDoej7oc77JvTYBFdFPM1B"),
    ("sha256crypt_rounds", "$sha256-crypt$rounds=1500$anothersalt$kN/R3rN5jKTXs7S8LtmQFxJgv5mz9eHYnBegg7yYWM9"),
    (
        "sha512crypt",
        "$sha512-crypt$saltstring$I5B7bv50D9KQCT8mPUywRFNswwFTqZ3SlkR/wxt.PCWQy96VeLu30A2OfXCago772FSzldha0VgORWJF5lDOE.",
    ),
    (
        "sha512crypt_rounds",
        "$sha512-crypt$rounds=2000$longersaltstring$udzRUlQYB.QOEMicR5O3gLogoN19l5OJJ9zHRj.PIRS7uDVH1LeykOgZ4W.2Fl2cK9zBySd1.5fndsJuSzaTw/",
    ),
    ("argon2id", "$argon2id$v=19$m=1024,t=2,p=2$MDEyMzQ1Njc4OWFiY2RlZg$/BZG/j/MlUHmQLB34qPGtQYo9XatFlGEeQPtBSKlm+I"),
    ("argon2i", "$argon2i$v=19$m=64,t=3,p=1$MDEyMzQ1Njc4OWFiY2RlZg$MSm2XoTxapkIW+t2xOtiK3K1vY92d+pj"),
    ("pbkdf2_sha1", "$pbkdf2-sha1$i=1000,l=20$MDEyMzQ1Njc4OWFiY2RlZg$x/RTX0ZYH2V5BxUrqVKIqQAxRvs"),
    ("pbkdf2_sha224", "$pbkdf2-sha224$i=1000,l=28$MDEyMzQ1Njc4OWFiY2RlZg$WiPhPSkfmYc+8LMM/mAjLfcONeTC8dakQijuqA"),
    ("pbkdf2_sha256", "$pbkdf2-sha256$i=1000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$l56eoOqBsX+VjfgiRup8qry+tRtVG1Q3MrWnPtdWKMg"),
    (
        "pbkdf2_sha384",
        "$pbkdf2-sha384$i=1000,l=48$MDEyMzQ1Njc4OWFiY2RlZg$q5FYYGfhEJevsEUTinFLwi5grdbwE6dHLTY/DhrL/Q7k7FSiqYzTQtdNQ87gLebd",
    ),
    (
        "pbkdf2_sha512",
        "$pbkdf2-sha512$i=1000,l=64$MDEyMzQ1Njc4OWFiY2RlZg$xEnUg9Fi9lnBC7ak/pCbkHDTfhmFlQdYVVa8IIhsbHgrFk8FNJvo9np+rMncWoaeWtrX5+V+Ee55xpNdsfIw3A",
    ),
    ("scrypt", "$scrypt$ln=1024,r=8,p=2$MDEyMzQ1Njc4OWFiY2RlZg==$kpC3TSxNy1cOdj29JmyjytO+t6m07qIbI7/Cbvw6W1E="),
    ("ssha", "{SSHA}WQM65oC848+N4H/ylCvrEOP3Jp0wMTIzNDU2Nzg5YWJjZGVm"),
    ("ssha256", "{SSHA256}5oT1qFf0ndu6wtl6V4+edAFHfDoFgFtZIPehh6J9ciwwMTIzNDU2Nzg5YWJjZGVm"),
    (
        "ssha512",
        "{SSHA512}vPQPe7Q9kUjRrMPQSaBeotkHhSmX0DqeWyhIOFXXD5s5kPc2BLxcscSrS/IHT/3dnd3JpNuJXHUeWj2oL+ma3DAxMjM0NTY3ODlhYmNkZWY=",
    ),
    (
        "sha1_format",
        "$sha1$pf=e1NBTFR9JCR7UEFTU1dPUkR9OntTQUxUfQ==$MDEyMzQ1Njc4OWFiY2RlZg==$qvrB23L+cVjBomBObVk93jEb7zs=",
    ),
    (
        "sha256_format",
        "$sha256$pf=e1NBTFR9JCR7UEFTU1dPUkR9OntTQUxUfQ==$MDEyMzQ1Njc4OWFiY2RlZg==$snSUIS4r4SntYwYXkYw3QuWKJjjftlI13+eYqEEgcWA=",
    ),
    (
        "sha512_format",
        "$sha512$pf=e1NBTFR9JCR7UEFTU1dPUkR9OntTQUxUfQ==$MDEyMzQ1Njc4OWFiY2RlZg==$apFBcTW+ftlqjr7vJtV0UPgr6PsFF2UTNITeH8p0PR8enkHDAQn9P04qZmOpeWCE8X5v6ttDzAEhEOxk8aKyeg==",
    ),
    ("md5_format", "$md5$pf=e1NBTFR9JCR7UEFTU1dPUkR9OntTQUxUfQ==$MDEyMzQ1Njc4OWFiY2RlZg==$Oybx0bCUDV6YozzpUgz14g=="),
    ("md5", "$md5$s5UCc0ch88GxoLrZrLoEaA=="),
    ("hmac_md5", "$hmac-md5$NWEwN2E4MTg3NWM3ZjMyMGQxZjNiZjg2YzUzZGIyM2U=$YSBobWFjIGtleQ=="),
    ("hmac_sha1", "$hmac-sha1$OGUyZmI0MWNlZTE3MWE4YWUyNzFkMzdiOWQ0YzUzMWIwNTMyN2Q3Mw==$YSBobWFjIGtleQ=="),
    (
        "hmac_sha224",
        "$hmac-sha224$OGE4ZGRmZmFiYzZhMjUwYjAyNTgxYjZmNDg1NGIwYmRkY2FlNjY4MWE1MWFlZGYxMTY0OTVmZmM=$YSBobWFjIGtleQ==",
    ),
    (
        "hmac_sha256",
        "$hmac-sha256$NmUyMDUzZDliN2U3MjdhNTM5MTJhMWFiZDllMGUzMzhjZTk4ZjMxMzM4YmQ5YmQ3NTFkN2YzMDM0MWFhNTlhMA==$YSBobWFjIGtleQ==",
    ),
    (
        "hmac_sha384",
        "$hmac-sha384$NDc1MmEyYmMyNzNjMjUxODYwZDYxY2FmZGE2M2I1ZDY3ZTQxYTVkMjQxYmU1MGU3NjBmNjFmMTJiMzI0OGM5ODc4MGI1ZDNlOTE3MDBkMWZlYTAyM2VjNDdhYTY5YTE4$YSBobWFjIGtleQ==",
    ),
    (
        "hmac_sha512",
        "$hmac-sha512$ZWIyOWQwOTNlNGNhZDA5MTI4YWVlMDZkNTZjOWQxZjAxMTJhZjUxZWJlZTU3YTIzYjJmNjYzMWFlMDg1NTQ5NGY5ZjA5YThjZGU4Y2FmYTg4MmIyYTg5YjMyNDJjMThhOTRiZGRmMGJjZjRlYzUzODE1NTIwNzRiN2RjYmE5NGY=$YSBobWFjIGtleQ==",
    ),
    ("hmac_md4", "$hmac-md4$MDIwN2RiMzk0MDVmYjZlZmRhZTk1ZmRlNzgxNDgxZDk=$YSBobWFjIGtleQ=="),
    (
        "firescrypt",
        "$firescrypt$ln=10,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg==$jqChLG47cMh3IWOJC4ok6FamXOAo8wZPiB56jlWjWzmfdO4acZvcXmysoCp68i4JfmrH4Cpp61lZGehecosbjg==$CoE=$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==",
    ),
];

#[test]
fn every_format_verifies_its_password_and_no_other() {
    let mut memory = WorkMemory::default();
    for (name, text) in VECTORS {
        let hash = PasswordHash::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(hash.verify(PASSWORD, &mut memory), "{name} rejects its password");
        assert!(!hash.verify(b"correct horse", &mut memory), "{name} accepts another password");
        assert!(!hash.verify(b"", &mut memory), "{name} accepts an empty password");
    }
}

#[test]
fn the_length_of_a_pbkdf2_hash_is_used_instead_of_its_parameter() {
    let text = "$pbkdf2-sha256$i=1000,l=128$e8/arsEf4cvQihdNgqj0Nw$5xQQKNTyeTHx2Ld5/JDE7A";
    let hash = PasswordHash::parse(text).unwrap();
    assert!(hash.verify(b"123456", &mut WorkMemory::default()));
    assert!(!hash.verify(b"1234567", &mut WorkMemory::default()));
    let short = "$pbkdf2-sha256$i=1000,l=128$e8/arsEf4cvQihdNgqj0Nw$5xQQKNTy";
    assert!(PasswordHash::parse(short).is_err(), "fewer than 16 bytes");
}

#[test]
fn a_truncated_or_changed_hash_is_rejected_or_fails() {
    let mut memory = WorkMemory::default();
    // A prefix of a derived key is a shorter derived key, which is valid down to the minimum length.
    let is_derived = |name: &str| name == "scrypt" || name.starts_with("pbkdf2");
    for (name, text) in VECTORS.iter().filter(|(name, _)| !is_derived(name)) {
        // Padding may be missing.
        let padded = text.trim_end_matches('=').len();
        for end in (0..padded).step_by(5) {
            if let Ok(hash) = PasswordHash::parse(&text[..end]) {
                assert!(!hash.verify(PASSWORD, &mut memory), "{name} truncated at {end}");
            }
        }
    }
}

#[test]
fn our_own_hashes_are_read_back() {
    let mut memory = WorkMemory::default();
    let parameters = Argon2Parameters { memory_kib: 64, iterations: 1, parallelism: 1, key_length: 32 };
    let text = hash_argon2id(PASSWORD, b"0123456789abcdef", parameters, &mut memory).unwrap();
    let hash = PasswordHash::parse(&text).unwrap();
    assert_eq!(hash.argon2id_parameters(), Some(parameters));
    assert!(hash.verify(PASSWORD, &mut memory));

    let text = hash_bcrypt(PASSWORD, [7; 16], 4).unwrap();
    assert!(text.starts_with("$2a$04$"), "{text}");
    let hash = PasswordHash::parse(&text).unwrap();
    assert_eq!(hash.bcrypt_cost(), Some(4));
    assert!(hash.verify(PASSWORD, &mut memory));
    assert_eq!(hash_bcrypt(&[b'a'; 73], [7; 16], 4), None, "bcrypt would truncate it");
    let full = PasswordHash::parse(&hash_bcrypt(&[b'a'; 72], [7; 16], 4).unwrap()).unwrap();
    assert!(full.verify(&[b'a'; 72], &mut memory));
    assert!(!full.verify(&[b'a'; 73], &mut memory), "a longer password does not match");
    assert!(!full.verify(&[&[b'a'; 72][..], &[0]].concat(), &mut memory));
}

#[test]
fn used_memory_does_not_affect_the_result() {
    let mut memory = WorkMemory::default();
    let (_, argon2) = VECTORS.iter().find(|(name, _)| *name == "argon2id").unwrap();
    let (_, other) = VECTORS.iter().find(|(name, _)| *name == "argon2i").unwrap();
    for text in [argon2, other, argon2] {
        assert!(PasswordHash::parse(text).unwrap().verify(PASSWORD, &mut memory));
    }
    memory.shrink_to_kib(8);
    assert!(PasswordHash::parse(argon2).unwrap().verify(PASSWORD, &mut memory));
}

#[test]
fn an_expensive_hash_is_rejected_before_it_is_computed() {
    for text in [
        "$2a$16$abcdefghijklmnopqrstuu960j13X6kQlzbqdzgQcooaqGRvuvICC",
        "$argon2id$v=19$m=2097152,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$/BZG/j/MlUHmQLB34qPGtQYo9XatFlGEeQPtBSKlm+I",
        "$argon2id$v=19$m=1024,t=11,p=1$MDEyMzQ1Njc4OWFiY2RlZg$/BZG/j/MlUHmQLB34qPGtQYo9XatFlGEeQPtBSKlm+I",
        "$pbkdf2-sha1$i=10000001,l=20$MDEyMzQ1Njc4OWFiY2RlZg$x/RTX0ZYH2V5BxUrqVKIqQAxRvs",
        "$scrypt$ln=262144,r=8,p=1$MDEy$kpC3TSxNy1cOdj29JmyjytO+t6m07qIbI7/Cbvw6W1E=",
        "$scrypt$ln=1024,r=9,p=1$MDEy$kpC3TSxNy1cOdj29JmyjytO+t6m07qIbI7/Cbvw6W1E=",
        "$firescrypt$ln=18,r=8,p=1$MDEy$jqCh$CoE=$AAEC",
        "$sha256-crypt$rounds=10000001$salt$jMO2sY1l1Yml1TX98W38vcDoej7oc77JvTYBFdFPM1B",
    ] {
        assert!(matches!(PasswordHash::parse(text), Err(HashFormatError::TooExpensive(_))), "{text}");
    }
    for text in [
        "",
        "plain text",
        "$2x$04$abcdefghijklmnopqrstuu960j13X6kQlzbqdzgQcooaqGRvuvICC",
        "$scrypt$ln=1000,r=8,p=1$MDEy$kpC3TSxNy1cOdj29JmyjytO+t6m07qIbI7/Cbvw6W1E=",
        "$scrypt$ln=1024,r=8,p=2$MDEyMzQ1Njc4OWFiY2RlZg==$kpC3",
        "$unknown$abc",
    ] {
        assert!(PasswordHash::parse(text).is_err(), "{text}");
    }
}

#[test]
fn an_import_is_limited_in_work_and_memory_for_every_algorithm() {
    let argon2 = |cost: &str| {
        format!("$argon2id$v=19${cost}$MDEyMzQ1Njc4OWFiY2RlZg$/BZG/j/MlUHmQLB34qPGtQYo9XatFlGEeQPtBSKlm+I")
    };
    let pbkdf2 = |iterations: u32, length: usize| {
        format!("$pbkdf2-sha256$i={iterations},l={length}$MDEyMzQ1Njc4OWFiY2RlZg${}", encode(&vec![7; length]))
    };
    let bcrypt = |cost: u32| format!("$2a${cost}$abcdefghijklmnopqrstuu960j13X6kQlzbqdzgQcooaqGRvuvICC");
    let scrypt = |p: u32| {
        format!("$scrypt$ln=131072,r=8,p={p}$MDEyMzQ1Njc4OWFiY2RlZg==$kpC3TSxNy1cOdj29JmyjytO+t6m07qIbI7/Cbvw6W1E=")
    };
    let crypt =
        |rounds: u32| format!("$sha256-crypt$rounds={rounds}$anothersalt$kN/R3rN5jKTXs7S8LtmQFxJgv5mz9eHYnBegg7yYWM9");
    let long = format!("$md5$pf={}$MDEy$Oybx0bCUDV6YozzpUgz14g==", encode(&vec![b'x'; 4096]));
    for text in [
        pbkdf2(10_000_000, 512),
        pbkdf2(10_000_000, 32),
        pbkdf2(1_000_000, 512),
        argon2("m=1048576,t=10,p=1"),
        argon2("m=1048576,t=1,p=1"),
        argon2("m=262144,t=6,p=4"),
        bcrypt(15),
        scrypt(10),
        crypt(5_000_000),
        long,
    ] {
        assert!(matches!(PasswordHash::parse_import(&text), Err(HashFormatError::TooExpensive(_))), "{text}");
    }
    // Defaults of frameworks and recommendations of OWASP.
    for text in [
        pbkdf2(1_200_000, 32),
        pbkdf2(600_000, 64),
        argon2("m=131072,t=4,p=2"),
        argon2("m=65536,t=3,p=4"),
        argon2("m=262144,t=4,p=1"),
        bcrypt(14),
        scrypt(3),
        crypt(656_000),
    ] {
        assert!(PasswordHash::parse_import(&text).is_ok(), "{text}");
    }
    for (name, text) in VECTORS {
        assert!(PasswordHash::parse_import(text).is_ok(), "{name}");
    }
}
