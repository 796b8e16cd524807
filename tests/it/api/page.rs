//! The page in the binary.

use crate::support::service::Served;

#[tokio::test]
async fn every_address_that_is_no_file_shows_the_page_and_nothing_else_does() {
    let served = Served::start();
    let page = served.request(reqwest::Method::GET, "/").send().await.expect("an answer");
    assert_eq!(page.status(), 200);
    let headers = page.headers().clone();
    assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(headers["cache-control"], "no-cache");
    assert!(headers["content-security-policy"].to_str().expect("text").contains("script-src 'self'"));
    assert_eq!(
        (&headers["x-content-type-options"], &headers["referrer-policy"]),
        (&"nosniff".parse().expect("a value"), &"no-referrer".parse().expect("a value"))
    );
    let index = page.text().await.expect("text");

    let tag = headers["etag"].to_str().expect("text");
    let known = served.request(reqwest::Method::GET, "/").header("if-none-match", tag).send().await.expect("an answer");
    assert_eq!(known.status(), 304);

    let deep = served.request(reqwest::Method::GET, "/runs/exec_1").send().await.expect("an answer");
    assert_eq!((deep.status().as_u16(), deep.text().await.expect("text")), (200, index));
    assert_eq!(served.get("/favicon-of-nobody.png").await.status, 404);
    assert_eq!(served.get("/api/nothing").await.json["code"], "WF5114");
    assert_eq!(served.get("/api").await.status, 404);
    assert_eq!(served.post("/runs", &serde_json::json!({})).await.status, 405);
}
