use super::*;

fn refused<T: std::fmt::Debug>(result: Result<T, RunError>) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.field.as_deref(), Some("f"));
    error.message
}

#[test]
fn a_name_is_any_script_trimmed_and_counted_in_characters() {
    assert_eq!(name("f", "  Größe \u{a0} und   Maß ").unwrap(), "Größe und Maß");
    assert_eq!(name("f", "東京支店").unwrap(), "東京支店");
    assert_eq!(name("f", &"ä".repeat(100)).unwrap().chars().count(), 100);
    assert!(refused(name("f", &"ä".repeat(101))).contains("at most 100 characters, not 101"));
    assert_eq!(refused(name("f", " \u{a0} ")), "a name is needed");
}

#[test]
fn a_name_that_could_deceive_is_refused() {
    for typed in
        ["a\nb", "a\0b", "abc\u{202e}gpj", "a\u{200b}b", "\u{2066}a", "a\u{feff}", "a\u{2028}b", "\u{e000}", "\u{ad}a"]
    {
        assert!(refused(name("f", typed)).contains("no control characters"), "{typed:?}");
    }
}

#[test]
fn a_slug_fits_into_an_address() {
    assert_eq!(slug("f", " Acme-Berlin2 ").unwrap(), "acme-berlin2");
    for typed in ["a", "2b", "-ab", "ab-", "a--b", "ä-b", "a b", "a/b", "", &"a".repeat(41)] {
        refused(slug("f", typed));
    }
}

#[test]
fn an_address_is_kept_in_the_form_in_which_it_is_compared() {
    assert_eq!(email("f", " Ada.Lovelace+etl@Example.COM ").unwrap(), "ada.lovelace+etl@example.com");
    assert_eq!(email("f", "x@xn--bcher-kva.example").unwrap(), "x@xn--bcher-kva.example");
    for typed in [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@example",
        "a da@example.com",
        ".ada@example.com",
        "a..b@example.com",
        "ada@-example.com",
        "ada@exa_mple.com",
        "ada@127.0.0.1",
        "ada@bücher.example",
        "a\n@example.com",
        "\"a\"@example.com",
        "a@b@example.com",
        "ada@example..com",
        "ada@[::1]",
        "a\r\nbcc: x@example.com",
    ] {
        refused(email("f", typed));
    }
    refused(email("f", &format!("{}@example.com", "a".repeat(65))));
    refused(email("f", &format!("a@{}com", "abcdefgh.".repeat(30))));
}

#[test]
fn an_address_to_call_carries_no_password() {
    assert_eq!(web_address("f", " https://hooks.example.com/a?b=c ").unwrap(), "https://hooks.example.com/a?b=c");
    for typed in [
        "",
        "ftp://example.com",
        "https://",
        "https://user:pw@example.com/",
        "https://a b",
        "javascript:alert(1)",
        "https://a\\b",
    ] {
        refused(web_address("f", typed));
    }
}

#[test]
fn a_long_password_of_any_characters_is_taken_as_it_is() {
    for typed in [
        "granite umbrella tuesday",
        "zwölf Körbe Äpfel",
        "🦀🦞🦐 under the bridge",
        "x7!Kq2-vRt9_Lm",
        &"long words ".repeat(20),
    ] {
        password("f", typed, &["ada@example.com", "Acme"]).unwrap_or_else(|error| panic!("{typed}: {error}"));
    }
}

#[test]
fn length_counts_in_characters() {
    assert!(refused(password("f", "elevenchars", &[])).contains("at least 12"));
    assert!(refused(password("f", "äöüßäöüßäöü", &[])).contains("at least 12"));
    assert!(refused(password("f", &"word ".repeat(52), &[])).contains("at most 256"));
}

#[test]
fn what_everybody_tries_first_is_refused_with_its_decorations() {
    for typed in [
        "password1234",
        "P@ssw0rd2024!",
        "passwordpassword",
        "Welcome123456!",
        "123456789012",
        "qwertyuiop12",
        "abcdefghijkl",
        "adminadmin123",
        "Summer2024!!!",
        "aaaaaaaaaaaa",
        "abababababab",
        "ChangeMe!2026",
        "LetMeIn123456",
        "sluice-sluice-1",
        "correcthorsebatterystaple",
        "qwerty123456789",
        "0987654321098",
    ] {
        let error = password("f", typed, &[]).unwrap_err();
        assert!(!error.to_string().to_lowercase().contains(&typed.to_lowercase()), "{error}");
    }
}

#[test]
fn what_speaks_of_the_person_or_the_tenant_is_refused() {
    let context = ["ada.lovelace@example.com", "Analytical Engines"];
    assert!(refused(password("f", "Lovelace-1815!", &context)).contains("your name"));
    assert!(refused(password("f", "analytical.engines", &context)).contains("your name"));
    refused(password("f", "example.com2024", &context));
    password("f", "lovelace paints with copper wire", &context).unwrap();
}
