//! Which addresses are reached: none that is not public, however it is written and whatever a name says.

use workflow::connect::egress::{Egress, Refusal, Settings};
use workflow::connect::http::{HttpError, Method, Request, Url};
use workflow::domain::code;
use workflow::domain::fault::{Again, Fault};

use crate::support::names::{Names, client, egress};
use crate::support::server::{Server, answer};

fn url(text: &str) -> Url {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Every spelling of 127.0.0.1 and its neighbours that a URL can hold.
const LOOPBACK: &[&str] = &[
    "127.0.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "017700000001",
    "127.1",
    "127.0.1",
    "0",
    "0.0.0.0",
    "127.0.0.1.",
    "１２７.０.０.１",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "127.0.0.2",
    "%31%32%37.0.0.1",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:808:808::80ff:fffe]",
    "[2001:0:7f00:1::]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
];

/// What else stands inside a network or belongs to nobody.
const NOT_PUBLIC: &[&str] = &[
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "0xa9fea9fe",
    "2852039166",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "168.63.129.16",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[100::1]",
    "[2001:2::1]",
    "[5f00::1]",
    "[::ffff:0:127.0.0.1]",
];

#[tokio::test]
async fn no_spelling_of_an_inner_address_is_ever_connected_to() {
    let forbidden = Server::forbidden("127.0.0.1:0").await.expect("a free port");
    let names = Names::new(&[]);
    let client = workflow::connect::http::Client::new(egress(&names, &[]));
    for host in LOOPBACK.iter().chain(NOT_PUBLIC) {
        let url = url(&format!("http://{host}:{}/", forbidden.address.port()));
        let refused = client.send(Request::new(Method::GET, url)).await.expect_err(host);
        assert!(matches!(refused, HttpError::Refused(Refusal::Address { .. })), "{host}: {refused:?}");
        let fault = Fault::from(refused);
        assert_eq!((fault.code, fault.again), (code::WF3102, Again::Permanent), "{host}");
        assert!(fault.remedy().contains("`allow` list"), "{host}: {}", fault.remedy());
    }
    assert_eq!(forbidden.connections(), 0);
    assert_eq!(names.lookups(), 0, "no literal is taken for a name");
}

#[tokio::test]
async fn the_address_that_is_refused_is_the_one_that_the_rule_in_the_advice_opens() {
    let server = Server::start(|_| answer("200 OK", &[], "inside")).await;
    let ask = || Request::new(Method::GET, url(&server.url("/")));
    let fault = Fault::from(client(&[]).send(ask()).await.expect_err("not opened"));
    let rule = fault.remedy().split('`').find(|part| part.contains("/32:")).expect("a rule in the advice").to_owned();
    let answer = client(&[rule.parse().expect("a rule")]).send(ask()).await.expect("opened");
    assert_eq!(answer.body, b"inside");
}

#[tokio::test]
async fn a_rule_opens_one_port_and_no_neighbour() {
    let (open, shut) = (Server::start(|_| answer("200 OK", &[], "")).await, Server::forbidden("127.0.0.1:0").await);
    let shut = shut.expect("a free port");
    let client = client(&[open.rule()]);
    assert!(client.send(Request::new(Method::GET, url(&open.url("/")))).await.is_ok());
    assert!(client.send(Request::new(Method::GET, url(&shut.url("/")))).await.is_err());
    assert_eq!((open.connections(), shut.connections()), (1, 0));
}

#[tokio::test]
async fn a_name_is_refused_when_any_of_its_addresses_is_not_public() {
    let forbidden = Server::forbidden("127.0.0.1:0").await.expect("a free port");
    let answers: &[&str] = &[
        "127.0.0.1",
        "8.8.8.8 127.0.0.1",
        "127.0.0.1 8.8.8.8",
        "2606:4700::1111 10.0.0.1",
        "8.8.8.8 ::1",
        "8.8.8.8 ::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "169.254.169.254",
        "0.0.0.0",
        "8.8.8.8 1.1.1.1 fe80::1",
        "8.8.8.1 8.8.8.2 8.8.8.3 8.8.8.4 8.8.8.5 8.8.8.6 8.8.8.7 8.8.8.8 8.8.8.9 8.8.8.10 8.8.8.11 8.8.8.12 8.8.8.13 \
         8.8.8.14 8.8.8.15 8.8.8.16 8.8.8.17 10.0.0.1",
    ];
    for answer in answers {
        let names = Names::new(&[("mixed.internal", &[answer]), ("mixed.internal.", &[answer])]);
        let client = workflow::connect::http::Client::new(egress(&names, &[]));
        for host in ["mixed.internal", "mixed.internal."] {
            let url = url(&format!("http://{host}:{}/", forbidden.address.port()));
            let refused = client.send(Request::new(Method::GET, url)).await.expect_err(answer);
            assert!(matches!(refused, HttpError::Refused(Refusal::Address { .. })), "{answer}: {refused:?}");
        }
    }
    assert_eq!(forbidden.connections(), 0);
}

#[tokio::test]
async fn the_machines_own_name_is_refused_as_any_other() {
    let forbidden = Server::forbidden("127.0.0.1:0").await.expect("a free port");
    let egress =
        Egress::new(Settings { ports: vec![workflow::connect::egress::PortRange(1..=65_535)], ..Settings::default() });
    for host in ["localhost", "localhost.", "LOCALHOST"] {
        let refused = egress.admit(&url(&format!("http://{host}:{}/", forbidden.address.port()))).await;
        assert!(refused.is_err(), "{host}: {refused:?}");
    }
    assert_eq!(forbidden.connections(), 0);
}

#[tokio::test]
async fn a_name_that_changes_its_mind_is_asked_only_once() {
    // The good and the forbidden server share a port, so that only the address tells them apart.
    let (good, forbidden) = loop {
        let good = Server::start(|_| answer("200 OK", &[], "good")).await;
        if let Ok(forbidden) = Server::forbidden(&format!("127.0.0.2:{}", good.address.port())).await {
            break (good, forbidden);
        }
    };
    let names = Names::new(&[("rebind.internal", &["127.0.0.1", "127.0.0.2"])]);
    let client = workflow::connect::http::Client::new(egress(&names, &[good.rule()]));
    let ask = || Request::new(Method::GET, url(&format!("http://rebind.internal:{}/", good.address.port())));
    let answer = client.send(ask()).await.expect("the first address is open");
    assert_eq!((answer.body.as_slice(), names.lookups()), (b"good".as_slice(), 1));
    assert!(client.send(ask()).await.is_err(), "the next request asks again, and is refused");
    assert_eq!((names.lookups(), good.connections(), forbidden.connections()), (2, 1, 0));
    assert!(good.requests()[0].contains(&format!("host: rebind.internal:{}", good.address.port())));
}

#[tokio::test]
async fn public_answers_are_admitted_as_they_are_and_not_endlessly_many() {
    let many: Vec<String> = (1..200).map(|n| format!("8.8.{n}.8")).collect();
    let names = Names::new(&[("public.internal", &["8.8.8.8 2606:4700::1111"]), ("many.internal", &[&many.join(" ")])]);
    let egress = egress(&names, &[]);
    let admitted = egress.admit(&url("https://public.internal/")).await.expect("all public");
    let shown: Vec<_> = admitted.addresses().iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["8.8.8.8:443", "[2606:4700::1111]:443"]);
    assert!(egress.admit(&url("https://many.internal/")).await.expect("all public").addresses().len() <= 16);
    let peer = "9.9.9.9:443".parse().expect("an address");
    assert!(matches!(admitted.confirm(peer), Err(Refusal::Strayed { .. })), "a peer that nobody checked");
}

#[tokio::test]
async fn a_name_without_an_answer_may_be_tried_again() {
    let names = Names::new(&[("empty.internal", &[""]), ("silent.internal", &[])]);
    for host in ["empty.internal", "silent.internal", "unknown.internal"] {
        let (egress, url) = (egress(&names, &[]), url(&format!("http://{host}/")));
        let answered = tokio::time::timeout(std::time::Duration::from_secs(10), egress.admit(&url)).await;
        let refused = answered.expect("the guard does not wait for ever").expect_err(host);
        let fault = Fault::from(refused);
        assert_eq!((fault.code, fault.again), (code::WF3103, Again::Transient { after: None }), "{host}");
        assert!(fault.message.contains(host), "{fault}");
    }
}

#[tokio::test]
async fn schemes_ports_and_user_names_are_judged_before_any_name_is_asked() {
    let names = Names::new(&[]);
    let egress =
        Egress::new(Settings::default()).resolving_with(names.clone(), workflow::domain::time::Span::from_secs(1));
    for (text, expected) in [
        ("file:///etc/passwd", code::WF3101),
        ("gopher://a.internal/", code::WF3101),
        ("ftp://a.internal/", code::WF3101),
        ("data:text/plain,x", code::WF3101),
        ("ws://a.internal/", code::WF3101),
        ("http://user@a.internal/", code::WF3101),
        ("http://user:hunter22@a.internal/", code::WF3101),
        ("http://:hunter22@a.internal/", code::WF3101),
        ("http://a.internal:22/", code::WF3102),
        ("http://a.internal:25/", code::WF3102),
        ("https://a.internal:5432/", code::WF3102),
        ("http://a.internal:7999/", code::WF3102),
        ("http://a.internal:9000/", code::WF3102),
        ("http://8.8.8.8:0/", code::WF3102),
        (r"http://api.example.com\@127.0.0.1/", code::WF3105),
        ("http://127.0.0.1\\@api.example.com/", code::WF3102),
        ("https://sub.api.test/", code::WF3105),
    ] {
        let fault = Fault::from(egress.admit(&url(text)).await.expect_err(text));
        assert_eq!(fault.code, expected, "{text}: {fault}");
        assert!(!fault.to_string().contains("hunter22") && !fault.remedy().contains("hunter22"), "{fault}");
    }
    assert_eq!(names.lookups(), 0);
    for usual in ["http://8.8.8.8/", "https://8.8.8.8/", "http://8.8.8.8:8000/", "https://8.8.8.8:8999/"] {
        assert!(egress.admit(&url(usual)).await.is_ok(), "{usual}");
    }
}
