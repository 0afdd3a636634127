//! Times, and what is said of what is none.

use crate::gotime::Moment;

#[test]
fn times_are_written_in_utc_to_the_second() {
    for (input, output) in [
        ("2020-02-03T04:05:06+02:00", "2020-02-03T02:05:06Z"),
        ("2024-02-29T23:59:59.999Z", "2024-02-29T23:59:59Z"),
        ("1969-12-31T23:00:00-01:30", "1970-01-01T00:30:00Z"),
        ("2024-01-01T5:06:07Z", "2024-01-01T05:06:07Z"),
        ("0001-01-01T00:00:01Z", "0001-01-01T00:00:01Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
    ] {
        assert_eq!(Moment::parse(input).map(Moment::to_seconds_text), Ok(output.to_owned()));
    }
    assert!(Moment::parse("0001-01-01T00:00:00Z").is_ok_and(Moment::is_zero));
}

#[test]
fn times_that_are_none_are_refused_in_the_servers_words() {
    for (input, said) in [
        ("", r#"parsing time "" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "2006""#),
        (
            "2024-01-01",
            r#"parsing time "2024-01-01" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T""#,
        ),
        ("2024-13-01T00:00:00Z", r#"parsing time "2024-13-01T00:00:00Z": month out of range"#),
        ("2024-02-30T00:00:00Z", r#"parsing time "2024-02-30T00:00:00Z": day out of range"#),
        ("2024-01-01T24:00:00Z", r#"parsing time "2024-01-01T24:00:00Z": hour out of range"#),
        ("2024-01-01T00:00:00Zx", r#"parsing time "2024-01-01T00:00:00Zx": extra text: "x""#),
    ] {
        assert_eq!(Moment::parse(input), Err(said.to_owned()));
    }
}
