//! Against the signatures that AWS publishes: its test suite of Signature Version 4, and the examples of S3's
//! documentation ("Signature Calculations for the Authorization Header").

use http::Request;
use serde_json::json;

use super::*;

const SUITE_TIME: &str = "2015-08-30T12:36:00Z";
const S3_TIME: &str = "2013-05-24T00:00:00Z";

fn fields() -> Fields<'static> {
    Fields { access_key: "id", secret_key: "secret", session_token: Some("token"), region: "region" }
}

fn suite() -> Sigv4 {
    let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    Sigv4::make(&json!({"id": "AKIDEXAMPLE", "secret": secret, "region": "us-east-1"}), fields(), "service")
        .unwrap()
        .unwrap()
}

fn s3() -> Sigv4 {
    s3_with(json!({}))
}

fn s3_with(more: serde_json::Value) -> Sigv4 {
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    let mut config = json!({"id": "AKIAIOSFODNN7EXAMPLE", "secret": secret, "region": "us-east-1"});
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Sigv4::make(&config, fields(), "s3").unwrap().unwrap()
}

/// The signature of a request with exactly these headers signed besides the host and the date.
fn suite_signature(method: &str, path: &str, query: &str, headers: &[(&'static str, &str)], hash: &str) -> String {
    let time = Time::of(SUITE_TIME.parse().unwrap());
    let mut map = HeaderMap::new();
    map.insert(DATE, HeaderValue::from_str(&time.second).unwrap());
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_str(value).unwrap());
    }
    let mut signed = vec![("host".to_owned(), b"example.amazonaws.com".to_vec())];
    signed.extend(map.keys().map(|name| canonical_header(&map, name)));
    signed.sort();
    let canonical = Canonical {
        method,
        path: encode(normalise(path).as_bytes(), true),
        query: canonical_query(&encode::parameters(query)),
        headers: signed,
        hash,
    };
    let authorization = suite().authorization(&canonical, &time);
    let (start, signature) = authorization.split_once("Signature=").unwrap();
    assert!(
        start.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, Signed")
    );
    signature.to_owned()
}

#[test]
fn the_published_suite_is_signed_as_published() {
    let unreserved = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let twice = format!("{unreserved}={unreserved}");
    let path = format!("/{unreserved}");
    let vanilla = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
    type Case<'a> = (&'a str, &'a str, &'a str, &'a [(&'static str, &'a str)], &'a str);
    let cases: &[Case<'_>] = &[
        ("GET", "/", "", &[], vanilla),
        ("GET", "/example/..", "", &[], vanilla),
        ("GET", "/example1/example2/../..", "", &[], vanilla),
        ("GET", "//", "", &[], vanilla),
        ("GET", "/./", "", &[], vanilla),
        ("GET", "/./example", "", &[], "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"),
        ("GET", "//example//", "", &[], "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"),
        ("GET", "/example space/", "", &[], "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"),
        ("GET", "/ሴ", "", &[], "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
        ("GET", &path, "", &[], "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"),
        ("GET", "/", &twice, &[], "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"),
        ("GET", "/", "%E1%88%B4=bar", &[], "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"),
        (
            "GET",
            "/",
            "Param2=value2&Param1=value1",
            &[],
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "GET",
            "/",
            "",
            &[("my-header1", "value2"), ("my-header1", "value2"), ("my-header1", "value1")],
            "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        ),
        (
            "GET",
            "/",
            "",
            &[("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        ("POST", "/", "", &[], "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        ("POST", "/", "Param1=value1", &[], "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"),
        (
            "POST",
            "/",
            "",
            &[("my-header1", "value1")],
            "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
        ),
    ];
    for (method, path, query, headers, expected) in cases {
        assert_eq!(
            suite_signature(method, path, query, headers, EMPTY),
            *expected,
            "{method} {path} {query} {headers:?}"
        );
    }
    let body = hex(digest::digest(&digest::SHA256, b"Param1=value1").as_ref());
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let expected = "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a";
    assert_eq!(suite_signature("POST", "/", "", &form, &body), expected);
}

/// What goes over the wire for a request of a guest's.
fn sent(sigv4: &Sigv4, request: http::request::Builder, length: Option<u64>, now: &str) -> http::request::Parts {
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    let origin = Origin::of(&parts.uri).unwrap();
    let mut outgoing = Outgoing { parts: &mut parts, origin: &origin, length };
    sigv4.apply(&mut outgoing, now.parse().unwrap()).unwrap();
    parts
}

fn signature(parts: &http::request::Parts) -> &str {
    parts.headers["authorization"].to_str().unwrap().split_once("Signature=").unwrap().1
}

const BUCKET: &str = "https://examplebucket.s3.amazonaws.com";

#[test]
fn the_examples_of_s3_are_signed_as_documented() {
    let cases = [
        (
            Request::get(format!("{BUCKET}/test.txt")).header("range", "bytes=0-9"),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            Request::get(format!("{BUCKET}/?lifecycle")),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            Request::get(format!("{BUCKET}/?prefix=J&max-keys=2")),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ];
    for (request, expected) in cases {
        let parts = sent(&s3(), request, Some(0), S3_TIME);
        assert_eq!(signature(&parts), expected, "{}", parts.uri);
    }
    // The example of a PUT also signs `Date`, which is not needed beside `x-amz-date`.
    let body = hex(digest::digest(&digest::SHA256, b"Welcome to Amazon S3.").as_ref());
    let time = Time::of(S3_TIME.parse().unwrap());
    let header = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
    let canonical = Canonical {
        method: "PUT",
        path: encode(b"/test$file.text", true),
        query: String::new(),
        headers: vec![
            header("date", "Fri, 24 May 2013 00:00:00 GMT"),
            header("host", "examplebucket.s3.amazonaws.com"),
            header("x-amz-content-sha256", &body),
            header("x-amz-date", &time.second),
            header("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ],
        hash: &body,
    };
    let expected = "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd";
    assert!(s3().authorization(&canonical, &time).ends_with(expected));
}

#[test]
fn a_path_is_signed_and_sent_in_one_spelling() {
    let spelled = |path: &str| sent(&s3(), Request::get(format!("{BUCKET}{path}")), Some(0), S3_TIME);
    let plain = spelled("/a%20b/%C3%BC+%2B~//c");
    assert_eq!(plain.uri.path(), "/a%20b/%C3%BC%2B%2B~//c", "S3's keys may hold slashes side by side");
    let other = spelled("/a%20b/%c3%bc%2b+%7e//c");
    assert_eq!(signature(&plain), signature(&other));
    assert_ne!(signature(&plain), signature(&spelled("/a%20b/%C3%BC%2B%2B~/c")));
}

#[test]
fn what_a_guest_signed_itself_is_replaced() {
    let forged = Request::put(format!("{BUCKET}/x"))
        .header("authorization", "AWS4-HMAC-SHA256 Credential=guest")
        .header("x-amz-date", "20000101T000000Z")
        .header("x-amz-security-token", "guest")
        .header("x-amz-content-sha256", "UNSIGNED-PAYLOAD-TRAILER");
    let parts = sent(&s3(), forged, Some(5), S3_TIME);
    assert_eq!(parts.headers["x-amz-date"], "20130524T000000Z");
    assert_eq!(parts.headers["x-amz-content-sha256"], "UNSIGNED-PAYLOAD");
    assert!(!parts.headers.contains_key("x-amz-security-token"));
    let authorization = parts.headers["authorization"].to_str().unwrap();
    assert!(authorization.contains("Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"));
    assert!(authorization.contains("SignedHeaders=host;x-amz-content-sha256;x-amz-date,"));
    assert!(parts.headers["authorization"].is_sensitive());
    // Signing what is signed already changes nothing: a request may be sent again over another connection.
    let again = Request::put(format!("{BUCKET}/x")).header("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    assert_eq!(signature(&sent(&s3(), again, Some(5), S3_TIME)), signature(&parts));
}

#[test]
fn a_hash_that_the_guest_states_and_a_session_token_are_signed() {
    let hash = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
    let temporary = s3_with(json!({"token": "session+token=="}));
    let request = Request::post(format!("{BUCKET}/x")).header("x-amz-content-sha256", hash);
    let parts = sent(&temporary, request, None, S3_TIME);
    assert_eq!(parts.headers["x-amz-content-sha256"], hash);
    assert_eq!(parts.headers["x-amz-security-token"], "session+token==");
    assert!(parts.headers["x-amz-security-token"].is_sensitive());
    let authorization = parts.headers["authorization"].to_str().unwrap();
    assert!(authorization.contains("x-amz-content-sha256;x-amz-date;x-amz-security-token,"), "{authorization}");
}

#[test]
fn the_port_belongs_to_the_signed_host_where_it_is_not_the_schemes_own() {
    let of = |url: &str| signature(&sent(&s3(), Request::get(url), Some(0), S3_TIME)).to_owned();
    assert_eq!(of("https://a.example:443/k"), of("https://a.example/k"));
    assert_ne!(of("https://a.example:9000/k"), of("https://a.example/k"));
}

#[test]
fn half_a_configuration_is_refused_by_the_field_that_is_missing() {
    let field = |config: serde_json::Value| {
        let error = Sigv4::make(&config, fields(), "s3").map(|_| ()).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
        error.field.unwrap()
    };
    assert_eq!(field(json!({"id": "AK", "region": "r"})), "/secret");
    assert_eq!(field(json!({"id": "AK", "secret": "hunter2"})), "/region");
    assert_eq!(field(json!({"secret": "hunter2", "region": "r"})), "/id");
    assert_eq!(field(json!({"id": "AK", "secret": "hunter2\n", "region": "r"})), "/secret");
    assert_eq!(field(json!({"id": "", "secret": "hunter2", "region": "r"})), "/id");
    assert_eq!(field(json!({"id": "AK", "secret": 5, "region": "r"})), "/secret");
    assert!(Sigv4::make(&json!({"region": "r"}), fields(), "s3").unwrap().is_none(), "anonymous");
}

#[test]
fn another_region_is_named_where_the_server_tells_it() {
    let origin = Origin::of(&BUCKET.parse().unwrap()).unwrap();
    let answer = |status: u16, region: &str| {
        let response = Response::builder().status(status).header("x-amz-bucket-region", region).body(()).unwrap();
        s3().explain(&origin, &response).map(|told| told.message)
    };
    let told = answer(301, "eu-west-1").unwrap();
    assert!(told.contains("in the region eu-west-1") && told.contains("field /region"), "{told}");
    assert!(answer(400, "eu-west-1").is_some());
    assert_eq!(answer(200, "eu-west-1"), None);
    assert_eq!(answer(403, "us-east-1"), None);
    assert_eq!(answer(403, "<script>"), None);
}
