use proptest::prelude::*;

use super::*;

fn written(value: &Value) -> String {
    let mut out = String::new();
    push_value(&mut out, value);
    out
}

fn call_of(value: &str) -> String {
    format!(
        "<methodCall><methodName>m</methodName><params><param>{value}</param></params></methodCall>"
    )
}

fn read(value: &str) -> Result<Value, Unreadable> {
    call(call_of(value).as_bytes()).map(|mut call| call.params.remove(0))
}

#[test]
fn every_type_is_read() {
    let text = |text: &str| Value::Text(text.to_owned());
    let cases = [
        ("<value><int> 5 </int></value>", Value::Int(5)),
        ("<value><i4>-5</i4></value>", Value::Int(-5)),
        (
            "<value><i8>9000000000</i8></value>",
            Value::Int(9_000_000_000),
        ),
        ("<value>\n<boolean>1</boolean>\n</value>", Value::Bool(true)),
        ("<value> a </value>", text(" a ")),
        ("<value/>", text("")),
        ("<value><string/></value>", text("")),
        (
            "<value><string>a&amp;&#x62;&lt;<![CDATA[<c>&]]></string></value>",
            text("a&b<<c>&"),
        ),
        ("<value><double>1.5</double></value>", Value::Double(1.5)),
        ("<value><nil/></value>", Value::Nil),
        (
            "<value><base64>\nYQ\n==\n</base64></value>",
            Value::Bytes(b"a".to_vec()),
        ),
        (
            "<value><dateTime.iso8601>20240101T10:02:02</dateTime.iso8601></value>",
            Value::Moment("20240101T10:02:02".to_owned()),
        ),
        (
            "<value><array><data> <value>a</value><!-- b --><value><i4>1</i4></value></data></array></value>",
            Value::Array(vec![text("a"), Value::Int(1)]),
        ),
        (
            "<value><array><data/></array></value>",
            Value::Array(Vec::new()),
        ),
        (
            "<value><struct><member> <name>a&lt;</name> <value>b</value></member></struct></value>",
            Value::members([("a<", text("b"))]),
        ),
    ];
    for (value, expected) in cases {
        assert_eq!(read(value), Ok(expected), "{value}");
    }
}

#[test]
fn values_that_are_not_of_their_type_are_named() {
    for value in [
        "<value><int>x</int></value>",
        "<value><int>99999999999999999999</int></value>",
        "<value><boolean>2</boolean></value>",
        "<value><double>x</double></value>",
        "<value><base64>?</base64></value>",
    ] {
        assert!(matches!(read(value), Err(Unreadable::Value(_))), "{value}");
    }
}

#[test]
fn what_is_no_call_is_refused_with_its_place() {
    let deep = format!(
        "{}1{}",
        "<value><array><data>".repeat(65),
        "</data></array></value>".repeat(65)
    );
    let bomb =
        "<!DOCTYPE x [<!ENTITY a \"b\">]><methodCall><methodName>&a;</methodName></methodCall>";
    let cases = [
        String::new(),
        "garbage".to_owned(),
        "<a".to_owned(),
        "<methodResponse/>".to_owned(),
        "<methodCall/>".to_owned(),
        "<methodCall><methodName>m</methodName>".to_owned(),
        "<methodCall><methodName>m</methodName></methodcall>".to_owned(),
        "<methodCall><methodName>m</methodName></methodCall><b/>".to_owned(),
        "<methodCall><methodName>&unknown;</methodName></methodCall>".to_owned(),
        "<methodCall><methodName>&#1;</methodName></methodCall>".to_owned(),
        "<methodCall><methodName>\u{1}</methodName></methodCall>".to_owned(),
        "<?xml version='1.0' encoding='klingon'?><methodCall/>".to_owned(),
        bomb.to_owned(),
        call_of(&deep),
        call_of("<value>a<int>1</int></value>"),
        call_of("<value><int>1</int><int>2</int></value>"),
        call_of("<value><what>1</what></value>"),
        call_of("<value><struct><member><name>a</name></member></struct></value>"),
    ];
    for text in cases {
        match call(text.as_bytes()) {
            Err(Unreadable::Xml(what)) => assert!(what.contains(": line 1, column "), "{what}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    assert!(call(b"<methodCall><methodName>\xff</methodName></methodCall>").is_err());
    let placed = call(b"<methodCall>\n\n  <a/></methodCall>");
    assert_eq!(
        placed,
        Err(Unreadable::Xml(
            "<methodName> expected, not <a>: line 3, column 6".to_owned()
        ))
    );
}

#[test]
fn values_lie_sixty_four_deep() {
    let deep = format!(
        "{}{}",
        "<value><array><data>".repeat(64),
        "</data></array></value>".repeat(64)
    );
    assert!(read(&deep).is_ok());
}

#[test]
fn the_encoding_is_the_one_declared() {
    let latin = "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<methodCall><methodName>\u{e9}</methodName></methodCall>";
    let bytes: Vec<u8> = latin.chars().map(|c| c as u8).collect();
    assert_eq!(call(&bytes).map(|call| call.method), Ok("é".to_owned()));
    let utf8 = "\u{feff}<?xml version='1.0'?><methodCall><methodName>é</methodName><params/></methodCall>\n";
    assert_eq!(
        call(utf8.as_bytes()).map(|call| call.method),
        Ok("é".to_owned())
    );
}

#[test]
fn texts_are_written_so_that_they_come_back() {
    let cases = [
        ("a&b<c>", "a&amp;b&lt;c&gt;"),
        ("a\r\n\tb", "a&#13;\n\tb"),
        (
            "\u{c}\u{0}\u{1b}\u{fffe}",
            "\u{fffd}\u{fffd}\u{fffd}\u{fffd}",
        ),
        ("é\"'☃😀", "é\"'☃😀"),
    ];
    for (text, expected) in cases {
        let text = Value::Text(text.to_owned());
        assert_eq!(
            written(&text),
            format!("<value><string>{expected}</string></value>")
        );
    }
}

#[test]
fn base64_stands_in_lines() {
    assert_eq!(
        written(&Value::encoded(None)),
        "<value><base64>\nTm9uZQ==\n</base64></value>"
    );
    let long = written(&Value::Bytes(vec![0; 100]));
    let lines: Vec<usize> = long.lines().map(str::len).collect();
    assert_eq!(lines[1..3], [76, 60]);
    assert_eq!(
        written(&Value::Bytes(Vec::new())),
        "<value><base64>\n</base64></value>"
    );
}

#[test]
fn members_keep_their_order() {
    let value = Value::members([
        ("b", Value::Int(1)),
        ("a", Value::Array(vec![Value::Bool(false)])),
    ]);
    assert_eq!(
        written(&value),
        "<value><struct>\n<member><name>b</name><value><int>1</int></value></member>\n\
         <member><name>a</name><value><array><data>\n<value><boolean>0</boolean></value>\n</data></array></value></member>\n\
         </struct></value>"
    );
}

fn values() -> impl Strategy<Value = Value> {
    let text = "[\\PC\r\n\t]{0,12}";
    let leaf = prop_oneof![
        any::<i64>().prop_map(Value::Int),
        any::<bool>().prop_map(Value::Bool),
        text.prop_map(Value::Text),
        proptest::collection::vec(any::<u8>(), 0..100).prop_map(Value::Bytes),
        Just(Value::Nil),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            proptest::collection::vec((text, inner), 0..6).prop_map(Value::Struct),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(value in values()) {
        prop_assert_eq!(read(&written(&value)), Ok(value));
    }

    #[test]
    fn no_bytes_are_a_surprise(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = call(&bytes);
        let begun = [call_of("<value>").as_bytes(), &bytes].concat();
        let _ = call(&begun);
    }
}
