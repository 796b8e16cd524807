//! Each kind of entity: what is found, what it means, and what only looks like it.

use workflow::steps::document::entities::entity::{Entity, EntityType};
use workflow::steps::document::entities::find::find;

fn found(text: &str, language: &str, kind: EntityType) -> Vec<Entity> {
    find(text, language, &[kind], &|_| None).entities
}

/// Each text names exactly these values of this kind.
fn check(kind: EntityType, language: &str, cases: &[(&str, &[&str])]) {
    for (text, values) in cases {
        let entities = found(text, language, kind);
        let found: Vec<&str> = entities.iter().map(|entity| entity.value.as_str()).collect();
        assert_eq!(found, *values, "{kind:?} in `{text}`: {entities:?}");
    }
}

#[test]
fn days_are_found_in_german_english_and_iso_form() {
    let cases: &[(&str, &[&str])] = &[
        ("am 05.03.2013 um 10 Uhr", &["2013-03-05"]),
        ("5.3.2013.", &["2013-03-05"]),
        ("vom 01.05.14-31.05.14", &["2014-05-01", "2014-05-31"]),
        ("5. März 2013", &["2013-03-05"]),
        ("den 7. Mai 2014, und 3. Okt. 1999", &["2014-05-07", "1999-10-03"]),
        ("March 5, 2013 and August 3 , 2014", &["2013-03-05", "2014-08-03"]),
        ("on the 22nd of March 2018 or 22 MAR 2018", &["2018-03-22", "2018-03-22"]),
        ("le 02 Juillet 2015", &["2015-07-02"]),
        ("2018-09-20T15:39", &["2018-09-20"]),
        ("2018-09-20, 15:39", &["2018-09-20"]),
        ("29.02.2024", &["2024-02-29"]),
        ("20-10-2015", &["2015-10-20"]),
        ("07/22/2019", &["2019-07-22"]),
        // Not days.
        ("99.99.2013", &[]),
        ("31.02.2013", &[]),
        ("29.02.2023", &[]),
        ("2013-13-01", &[]),
        ("10.0.0.12", &[]),
        ("Version 1.2.2013.4", &[]),
        ("VSNR: 01.234.567.8", &[]),
        ("RE-20140519/499", &[]),
        ("201/113/40209", &[]),
        ("05.03.20135", &[]),
        ("1.2.0999", &[]),
        ("Mai 2014", &[]),
        ("12.05-2013", &[]),
    ];
    check(EntityType::Date, "deu", cases);
}

#[test]
fn an_ambiguous_day_follows_its_neighbours_then_the_language_and_says_so() {
    let first = |text: &str, language: &str| {
        let entities = found(text, language, EntityType::Date);
        (entities[0].value.clone(), entities[0].confidence)
    };
    let (german, german_confidence) = first("05/03/2013", "deu");
    let (english, english_confidence) = first("05/03/2013", "eng");
    assert_eq!((german.as_str(), english.as_str()), ("2013-03-05", "2013-05-03"));
    assert!(german_confidence <= 0.6 && english_confidence <= 0.6);
    let (decided, confidence) = first("05/03/2013 and 28/03/2013", "eng");
    assert_eq!(decided, "2013-03-05");
    assert!(confidence > 0.8);
    assert_eq!(first("05/03/2013 for £5", "eng").0, "2013-03-05");
    assert!(first("05.03.2013", "eng").1 > 0.95);
}

#[test]
fn amounts_are_exact_and_carry_their_currency() {
    for (text, value, currency) in [
        ("1.234,56 €", "1234.56", "EUR"),
        ("EUR 235,62", "235.62", "EUR"),
        ("5,00 Euro", "5.00", "EUR"),
        ("€5", "5", "EUR"),
        ("$1,234.56", "1234.56", "USD"),
        ("US$ 99", "99", "USD"),
        ("USD 12", "12", "USD"),
        ("£0.99", "0.99", "GBP"),
        ("CHF 1'234.50", "1234.50", "CHF"),
        ("₹1,23,456.00", "123456.00", "INR"),
        ("Rs. 319.00", "319.00", "INR"),
        ("of Rs -40.00,", "-40.00", "INR"),
        ("1\u{a0}234,56\u{a0}€", "1234.56", "EUR"),
        ("Rabatt: -0,03 €/Stk.", "-0.03", "EUR"),
        ("Preis 5,- €", "5.00", "EUR"),
        ("€1.234", "1234", "EUR"),
        ("3 EUR 13,50", "13.50", "EUR"),
        ("0,1 EUR", "0.1", "EUR"),
    ] {
        let entities = found(text, "deu", EntityType::Amount);
        let seen: Vec<_> = entities.iter().map(|one| (one.value.as_str(), one.currency)).collect();
        assert_eq!(seen, [(value, Some(currency))], "{text}");
    }
    check(EntityType::Amount, "deu", &[("10-20 €", &["20"]), ("1,00 € und 2,00 €", &["1.00", "2.00"])]);
    for text in ["IRON 5", "Monteur 5", "A4€", "1.2.3,4 €", "EURO", "5 euromünzen", "12,50", "EUR 5%", "RMS 5"] {
        assert_eq!(found(text, "deu", EntityType::Amount), [], "{text}");
    }
}

#[test]
fn a_labelled_sum_needs_no_currency_beside_it() {
    let text = "Beträge in EUR\nSumme netto      198,00\nzzgl. 19 % USt    37,62\nGesamtbetrag    235,62\nPos 9,90";
    let findings = find(text, "deu", &EntityType::ALL, &|_| None);
    let sums: Vec<_> = findings.entities.iter().filter(|one| one.kind == EntityType::Amount).collect();
    let seen: Vec<_> = sums.iter().map(|one| (one.value.as_str(), one.currency, one.text.as_str())).collect();
    let eur = Some("EUR");
    assert_eq!(seen, [("198.00", eur, "198,00"), ("37.62", eur, "37,62"), ("235.62", eur, "235,62")]);
    let fields = findings.fields;
    assert_eq!(fields.net.as_deref(), Some("198.00"));
    assert_eq!(fields.tax.as_deref(), Some("37.62"));
    assert_eq!(fields.total.as_deref(), Some("235.62"));
}

#[test]
fn accounts_need_check_digits_and_country_length() {
    let valid = "DE08700901001234567890";
    let cases: &[(&str, &[&str])] = &[
        ("IBAN: DE08 7009 0100 1234 5678 90 BIC: GENODEF1M04", &[valid]),
        ("DE08700901001234567890", &[valid]),
        ("de08-7009-0100-1234-5678-90.", &[valid]),
        ("GB82 WEST 1234 5698 7654 32", &["GB82WEST12345698765432"]),
        ("FR76 3000 6000 0112 3456 7890 189", &["FR7630006000011234567890189"]),
        ("AT61 1904 3002 3457 3201", &["AT611904300234573201"]),
        ("IBAN DE08 7OO9 O1OO l234 S678 9O", &[valid]),
        // Not accounts.
        ("DE09 7009 0100 1234 5678 90", &[]),
        ("DE75123456780000001234", &[]),
        ("DE08 7009 0100 1234 5678 9", &[]),
        ("DE08 7009 0100 1234 5678 901", &[]),
        ("XX08 7009 0100 1234 5678 90", &[]),
        ("XDE08700901001234567890", &[]),
        ("FR76 ***************************", &[]),
    ];
    check(EntityType::Iban, "deu", cases);
    let misread = found("DE08 7OO9 O1OO l234 S678 9O", "deu", EntityType::Iban);
    assert!(misread[0].confidence < 0.8);
}

#[test]
fn a_broken_account_is_nothing_else_and_is_told() {
    let findings = find("IBAN DE09 7009 0100 1234 5678 90", "deu", &EntityType::ALL, &|_| None);
    assert_eq!(findings.entities, []);
    assert_eq!(findings.warnings.len(), 1);
}

#[test]
fn bank_codes_are_found_by_their_label_only() {
    let cases: &[(&str, &[&str])] = &[
        ("BIC: GENODEF1M04", &["GENODEF1M04"]),
        ("SWIFT HELADEF1GEL", &["HELADEF1GEL"]),
        ("SWIFT/BIC COBADEFF", &["COBADEFF"]),
        ("RECHNUNG", &[]),
        ("BIC COBADEFXXX", &[]),
        ("BIC ABCDXX22", &[]),
    ];
    check(EntityType::Bic, "deu", cases);
}

#[test]
fn addresses_are_found_without_the_punctuation_around_them() {
    let cases: &[(&str, &[&str])] = &[
        ("mail an Max.Muster+x@Firma-Muster.de.", &["max.muster+x@firma-muster.de"]),
        ("(info@a.b.co.uk)", &["info@a.b.co.uk"]),
        ("a@b", &[]),
        ("@heise", &[]),
        ("a..b@c.de", &[]),
        ("x@-c.de", &[]),
    ];
    check(EntityType::Email, "deu", cases);
    let cases: &[(&str, &[&str])] = &[
        ("siehe https://Example.org/A?b=c#d, dort", &["https://example.org/A?b=c#d"]),
        ("(see http://a.org/b_(c))", &["http://a.org/b_(c)"]),
        ("www.qualityhosting.de eMail: info@x.de", &["www.qualityhosting.de"]),
        ("visit aws.amazon.com/contact-us/", &["aws.amazon.com/contact-us/"]),
        ("http://", &[]),
        ("max@firma.de", &[]),
        ("z.B.", &[]),
        ("Datei.des Kunden", &[]),
    ];
    check(EntityType::Url, "deu", cases);
}

#[test]
fn phones_are_found_and_other_numbers_are_not_phones() {
    let cases: &[(&str, &[&str])] = &[
        ("Tel. +49 6051 916 44 10", &["+4960519164410"]),
        ("Telefon : +49 (0)932 431-500", &["+49932431500"]),
        ("Telefon: 015119630027", &["015119630027"]),
        ("Tel.: 0123/45678 Fax.: 01231/99 45678", &["012345678", "012319945678"]),
        ("fon (555) 23 87 -0", &["55523870"]),
        ("Phone: 8756390642", &["8756390642"]),
        ("call (212) 555-0143 now", &["2125550143"]),
        ("0049 30 1234567", &["+49301234567"]),
        ("Rufen Sie 0621 123456 an", &["0621123456"]),
        // Not phones.
        ("Rechnung Nr. 0123 456789", &[]),
        ("DE08 7009 0100 1234 5678 90", &[]),
        ("05.03.2013", &[]),
        ("05-03-2013", &[]),
        ("GLN 4000001123452", &[]),
        ("Kontonr.: 1234 5678 90", &[]),
        ("1800 Euro", &[]),
        ("Tel. 12", &[]),
        ("10.000 bis 20.000", &[]),
    ];
    check(EntityType::Phone, "deu", cases);
}

#[test]
fn tax_numbers_need_their_shape_and_a_label_or_check_digit() {
    let cases: &[(&str, &[&str])] = &[
        ("USt-IdNr: DE123456789", &["DE123456789"]),
        ("UStId DE 232 446 240", &["DE232446240"]),
        ("VAT Reg No GB 123 4567 89", &["GB123456789"]),
        ("UID: ATU12345678", &["ATU12345678"]),
        ("TVA intra communautaire: FR 604 219 388 61", &["FR60421938861"]),
        ("DE136695976", &["DE136695976"]),
        ("DE123456789", &[]),
        ("USt-IdNr: DE12345678", &[]),
        ("USt-IdNr: DE1234567890", &[]),
        ("DE 99199 MUSTERHAUSEN", &[]),
    ];
    check(EntityType::VatId, "deu", cases);
}

#[test]
fn invoice_numbers_follow_their_label() {
    let cases: &[(&str, &[&str])] = &[
        ("Rechnungsnummer: 471102", &["471102"]),
        ("Rechnung Nr. 2013-471102 vom 5.3.2013", &["2013-471102"]),
        ("Rechnungs-Nr. R18/31.", &["R18/31"]),
        ("Mietrechnung Nr. 9314110911/00/M/00/N vom", &["9314110911/00/M/00/N"]),
        ("Rechnung # RE-20140519/499 vom 19.05.2014", &["RE-20140519/499"]),
        ("Invoice No : # BLR_WFLD20151", &["BLR_WFLD20151"]),
        ("Invoice Number:      42183017", &["42183017"]),
        ("INVOICE\n      # invoice_number_1", &["invoice_number_1"]),
        ("Facture n°562044387 du 02 Juillet 2015", &["562044387"]),
        ("RECHNUNG\nRechnungsnummer\n80333 München      471102", &["471102"]),
        // Not invoice numbers.
        ("Ihrer Rechnungsnummer an\nx", &[]),
        ("Bestellnummer: 471102", &[]),
        ("Rechnung vom 05.03.2013", &[]),
        ("Rechnungsnummer: 05.03.2013", &[]),
        ("Rechnung gemäß Bestellung Nr. 2013-471331", &[]),
        ("Invoice Date: 20-10-2015", &[]),
        ("invoice notes 12", &[]),
    ];
    check(EntityType::InvoiceNumber, "deu", cases);
}

#[test]
fn firms_and_persons_are_found_by_their_form_only() {
    let cases: &[(&str, &[&str])] = &[
        ("Die Lieferant GmbH, Berlin", &["Lieferant GmbH"]),
        ("MUSTER-KUNDE GMBH", &["MUSTER-KUNDE GMBH"]),
        ("Müller & Söhne GmbH & Co. KG", &["Müller & Söhne GmbH & Co. KG"]),
        ("by Amazon Web Services, Inc. today", &["Amazon Web Services, Inc."]),
        ("Berlin, Acme Trading Ltd", &["Acme Trading Ltd"]),
        ("Acme Trading Ltd.", &["Acme Trading Ltd."]),
        ("eine GmbH gründen", &[]),
        ("Die AG tagt", &[]),
        ("Apple pie", &[]),
    ];
    check(EntityType::Organisation, "deu", cases);
    let cases: &[(&str, &[&str])] = &[
        ("Sehr geehrter Herr Mustermann,", &["Mustermann"]),
        ("Verordnung von Frau Dr. Heilerin vom", &["Heilerin"]),
        ("Mr. John Smith", &["John Smith"]),
        ("Damen und Herren", &[]),
        ("Max Mustermann", &[]),
    ];
    check(EntityType::Person, "deu", cases);
}

#[test]
fn offsets_count_characters_and_the_text_is_the_slice() {
    let text = "Größe ✓ am 5. März 2013 für 3,00 €";
    for entity in find(text, "deu", &EntityType::ALL, &|_| Some(2)).entities {
        let slice: String = text.chars().skip(entity.start).take(entity.end - entity.start).collect();
        assert_eq!(slice, entity.text);
        assert_eq!(entity.page, Some(2));
    }
}
