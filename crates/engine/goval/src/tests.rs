use crate::{FloatBits, format_g, quote};

#[test]
fn a_float_has_the_fewest_digits_and_an_exponent_from_a_million_on() {
    for (value, text) in [
        (100_000.0, "100000"),
        (999_999.0, "999999"),
        (1_000_000.0, "1e+06"),
        (1_234_567.0, "1.234567e+06"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (-0.0, "-0"),
        (0.1, "0.1"),
        (-12.5, "-12.5"),
        (1e21, "1e+21"),
        (f64::INFINITY, "+Inf"),
        (f64::NEG_INFINITY, "-Inf"),
        (f64::NAN, "NaN"),
    ] {
        assert_eq!(format_g(value, FloatBits::F64), text);
    }
    assert_eq!(format_g(1.1, FloatBits::F32), "1.1");
    assert_eq!(format_g(16_777_217.0, FloatBits::F32), "1.6777216e+07");
}

#[test]
fn a_quoted_string_escapes_as_go_does() {
    assert_eq!(
        quote("a\"b\\c\n\u{1}\u{7f}é\u{a0}\u{1F600}"),
        "\"a\\\"b\\\\c\\n\\x01\\x7fé\\u00a0\u{1F600}\""
    );
}
