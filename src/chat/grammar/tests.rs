use proptest::prelude::*;

use super::lexer::{Shape, lex};
use super::*;

const OPEN: Place<'_> = Place { names: &["workflow"], is_open: true, run: None };
const SHARED: Place<'_> = Place { names: &["workflow", "bot"], is_open: false, run: None };

fn verb(text: &str, place: &Place<'_>) -> Verb {
    match hear(text, place) {
        Ok(Heard::Verb(verb)) => *verb,
        other => panic!("{text}: {other:?}"),
    }
}

fn trouble(text: &str) -> Trouble {
    hear(text, &SHARED).expect_err(text)
}

fn run(text: &str) -> (String, Vec<(String, String)>) {
    match verb(text, &SHARED) {
        Verb::Run(run) => (run.workflow, run.inputs),
        other => panic!("{text}: {other:?}"),
    }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn every_way_of_writing_one_command_means_the_same() {
    let expected = ("document_processing".to_owned(), pairs(&[("languages", "[eng,deu]"), ("note", "a b")]));
    for text in [
        "/workflow run document_processing languages=[eng,deu] note=\"a b\"",
        "/wf run document_processing languages:[eng,deu] note='a b'",
        "@bot run document_processing languages: [eng,deu] note: “a b”",
        "<@U1|bot> workflow run document_processing languages=[eng,deu] note=„a b“",
        "  /workflow\u{a0}run\u{a0}document_processing languages=[eng,deu] note=`a b` \u{200b}",
        "／ｗｏｒｋｆｌｏｗ ＲＵＮ document_processing languages=[eng,deu] note=«a b»",
        "@workflow /workflow run\ndocument_processing\r\nlanguages=[eng,deu]\nnote=```a b```",
        "/workflow run \"document_processing\" languages=[eng,deu] note=‘a b’",
    ] {
        assert_eq!(run(text), expected, "{text}");
    }
}

#[test]
fn values_arrive_as_they_were_written() {
    for (written, value) in [
        ("0007", "0007"),
        ("{\"a\": \"}\", \"b\": [1, 2]}", "{\"a\": \"}\", \"b\": [1, 2]}"),
        ("\"say \\\"yes\\\" \\\\ \\n\"", "say \"yes\" \\ \\n"),
        ("'raw \\ \"text\"'", "raw \\ \"text\""),
        ("{{ secrets.x }}", "{{ secrets.x }}"),
        ("${{ secrets.x }}", "${{ secrets.x }}"),
        ("<https://example.com/a?b=c|example.com>", "https://example.com/a?b=c"),
        ("<mailto:ana@example.com|ana>", "ana@example.com"),
        ("```yaml\nname: x\n  \"y\"\n```", "name: x\n  \"y\"\n"),
        ("\"\"", ""),
        ("10:05", "10:05"),
        ("it's", "it's"),
        ("a\u{202e}b", "a\\u{202e}b"),
        ("a\0b", "a\\u{0}b"),
        ("👩\u{200d}🔧", "👩\u{200d}🔧"),
    ] {
        assert_eq!(run(&format!("/wf run w v={written}")).1, pairs(&[("v", value)]), "{written}");
    }
}

#[test]
fn options_are_written_as_flags_or_as_pairs() {
    let expected = verb("/wf logs last --step=2 --tail=50", &SHARED);
    for text in ["/wf logs last step=2 --tail 50", "/wf logs —step=2 last –tail=50", "/wf logs tail: 50 step: 2 last"]
    {
        assert_eq!(verb(text, &SHARED), expected, "{text}");
    }
    let Verb::Search(search) = verb("/wf search -rf --limit=3 \"--json\"", &SHARED) else { panic!("search") };
    assert_eq!((search.words, search.json, search.limit), (vec!["-rf".to_owned(), "--json".to_owned()], false, 3));
}

#[test]
fn nothing_is_heard_that_is_not_meant_for_us() {
    for text in ["good morning", "run invoice", "@ana run invoice", "", "/workflows run x", "a /workflow run x", "“"]
    {
        assert_eq!(hear(text, &SHARED), Ok(Heard::Nothing), "{text}");
    }
    assert_eq!(hear("4711", &OPEN), Ok(Heard::Text("4711".to_owned())));
    assert_eq!(hear("wrong \"IBAN", &OPEN), Ok(Heard::Text("wrong \"IBAN".to_owned())));
    assert_eq!(hear("/workflow", &SHARED), Ok(Heard::Help(None)));
    assert_eq!(hear("@bot", &SHARED), Ok(Heard::Help(None)));
    assert_eq!(hear("help retires", &OPEN), Ok(Heard::Help(Some("retry".to_owned()))));
    assert_eq!(hear("/wf run --help", &SHARED), Ok(Heard::Help(Some("run".to_owned()))));
}

#[test]
fn in_a_thread_its_execution_is_meant() {
    let thread = Place { run: Some("exec_7f3a"), ..OPEN };
    for (text, expected) in [
        ("retry", "/wf retry exec_7f3a"),
        ("retry step=2", "/wf retry exec_7f3a --step=2"),
        ("output total", "/wf output exec_7f3a total"),
        ("output last total", "/wf output last total"),
        ("answer cost_center=4711", "/wf answer exec_7f3a cost_center=4711"),
        ("rerun languages=[fra]", "/wf rerun exec_7f3a languages=[fra]"),
        ("status #3", "/wf status \"#3\""),
        ("/workflow cancel reason=\"wrong file\"", "/wf cancel exec_7f3a --reason=\"wrong file\""),
    ] {
        assert_eq!(verb(text, &thread), verb(expected, &SHARED), "{text}");
    }
    // Elsewhere inputs are for the one that asks, or the newest.
    assert_eq!(verb("answer n=1", &OPEN), verb("/wf answer last n=1", &SHARED));
    assert_eq!(verb("rerun n=1", &OPEN), verb("/wf rerun last n=1", &SHARED));
}

#[test]
fn what_cannot_be_read_is_refused_with_its_place() {
    for (text, message) in [
        ("/workflow run w a=\"open", "unclosed quote at character 19"),
        ("/workflow run <@U1|ana> \"x", "unclosed quote at character 25"),
        ("/workflow run w a=[1, 2", "unclosed bracket at character 19"),
        ("/workflow run w a=[\"1, 2]", "unclosed quote inside the bracket at character 19"),
        ("/workflow validate ```name: x", "unclosed block at character 20"),
        ("/workflow run w a=1 b=2 a=3", "`a` is given twice, at characters 17 and 25"),
        ("/workflow rum w", "there is no verb `rum`"),
        ("/workflow r\u{200b}un w", "there is no verb `r\\u{200b}un`"),
        ("/workflow run", "`run` wants the name of a workflow"),
        ("/workflow logs last --tial=3", "`logs` does not take `--tial`"),
        ("/workflow logs last tail=no", "`no` does not fit `--tail`: invalid digit found in string"),
        (
            "/workflow run w word",
            "`word` does not fit `[KEY=VALUE]...`: write inputs as key=value, and files as --file PATH",
        ),
    ] {
        assert_eq!(trouble(text).message, message, "{text}");
    }
    assert_eq!(trouble("/workflow rum w").kind, Kind::Verb { typed: "rum".to_owned(), near: Some("run") });
    assert_eq!(trouble("/workflow @everyone").message, "there is no verb `@\u{2060}everyone`");
    assert!(trouble(&format!("/workflow run w a={}", "x".repeat(40_000))).message.contains("longer than 40000"));
    assert!(trouble(&format!("/workflow search {}", "x ".repeat(1_001))).message.contains("more than 1000 words"));
}

#[test]
fn a_foreign_text_is_shown_inert() {
    assert_eq!(
        inert("@everyone <!channel> http://x\nrow \u{202e}", 100).replace('\u{2060}', "|"),
        "@|everyone <|!channel> http:|//x row \\u{202e}"
    );
    assert_eq!(inert("abcdef", 3), "abc…");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(text in "(/wf |@bot )?\\PC{0,60}", open in any::<bool>(), run in any::<bool>()) {
        let place = Place { is_open: open, run: run.then_some("exec_1"), ..SHARED };
        let _ = hear(&text, &place);
    }

    #[test]
    fn no_heap_of_signs_makes_it_panic(text in "/wf (run|search|logs|help|x)[ =:\"'`“”„«»\\[\\]{}$<>@#|!\\\\\\-—a0\n\t\u{202e}\u{200b}]{0,60}") {
        let _ = hear(&text, &SHARED);
    }

    #[test]
    fn what_is_printed_reads_back_the_same(typed in proptest::collection::vec("[^<`]{0,12}[ \"'=:a-]{0,3}", 0..6)) {
        let text = |marks: Vec<normalise::Mark>| marks.iter().map(|mark| mark.c).collect::<String>();
        let words: Vec<String> = typed.iter().map(|word| text(normalise::normalise(word.chars()))).collect();
        let token = |word: &String| lexer::Token { shape: Shape::Word, value: Some(word.clone()), at: 0 };
        let line = print(&words.iter().map(token).collect::<Vec<_>>());
        let normal = normalise::normalise(line.chars());
        let read: Vec<_> = lex(&normal).expect("readable").into_iter().map(|token| (token.shape, token.value)).collect();
        let meant: Vec<_> = words.into_iter().map(|word| (Shape::Word, Some(word))).collect();
        prop_assert_eq!(read, meant);
        prop_assert_eq!(text(normal), line, "normalising is stable");
    }
}

#[test]
fn words_that_are_no_verb_are_heard_where_we_are_spoken_to_and_with_a_sign_everywhere() {
    let there = Place { names: &["workflow"], is_open: false, run: None };
    let open = Place { is_open: true, ..there };
    for (text, place, expected) in [
        ("/workflow invoice 4711", &there, Some("invoice 4711")),
        ("@workflow  Invoice 4711", &there, Some("Invoice 4711")),
        ("invoice 4711", &open, Some("invoice 4711")),
        ("invoice 4711", &there, None),
        ("!deploy now", &there, Some("!deploy now")),
        ("  !deploy", &there, Some("!deploy")),
        ("/workflow run x", &there, None),
        ("help", &open, None),
        ("/workflow", &there, None),
    ] {
        assert_eq!(super::spoken(text, place).as_deref(), expected, "{text}");
    }
    let arguments = super::arguments("4711 \"two words\" urgent=true --dry").expect("readable");
    assert_eq!(arguments.words, ["4711", "two words"]);
    let pairs: Vec<_> = arguments.pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(pairs, [("urgent", "true"), ("dry", "true")]);
}
