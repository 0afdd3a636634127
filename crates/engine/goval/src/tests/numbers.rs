use crate::{FloatBits, format_float, format_g, parse_bool, parse_float, parse_int, parse_uint};

use super::data::{bytes, for_each_row, same};

fn bits_of(row: u64) -> FloatBits {
    if row == 32 { FloatBits::F32 } else { FloatBits::F64 }
}

#[test]
fn a_float_is_formatted_as_go_formats_it() {
    for_each_row(include_str!("../../tests/data/format_float.json"), |row| {
        let value = f64::from_bits(u64::from_str_radix(row[0].as_str().unwrap(), 16).unwrap());
        let format = row[1].as_str().unwrap().as_bytes()[0];
        let precision = row[2].as_i64().and_then(|precision| usize::try_from(precision).ok());
        let bits = bits_of(row[3].as_u64().unwrap());
        same(format_float(value, format, precision, bits), row[4].as_str().unwrap().to_owned())
    });
}

#[test]
fn texts_are_read_as_numbers_as_go_reads_them() {
    for_each_row(include_str!("../../tests/data/parse.json"), |row| {
        let text = bytes(&row[1]);
        let base = u32::try_from(row[2].as_u64().unwrap()).unwrap();
        let bits = u32::try_from(row[3].as_u64().unwrap()).unwrap();
        let got = match row[0].as_str().unwrap() {
            "int" => parse_int(&text, base, bits).map(|value| value.to_string()),
            "uint" => parse_uint(&text, base, bits).map(|value| value.to_string()),
            "bool" => parse_bool(&text).map(|value| value.to_string()),
            _ => parse_float(&text, bits_of(u64::from(bits))).map(|value| {
                if value.is_nan() { "nan".to_owned() } else { format!("{:x}", value.to_bits()) }
            }),
        };
        let expected = match row[5].as_str() {
            Some(error) => Err(error.to_owned()),
            None if row[4].as_str().unwrap().starts_with("7ff8") => Ok("nan".to_owned()),
            None => Ok(row[4].as_str().unwrap().to_owned()),
        };
        same(got.map_err(|error| error.to_string()), expected)
    });
}

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
        (f64::NEG_INFINITY, "-Inf"),
        (f64::NAN, "NaN"),
    ] {
        assert_eq!(format_g(value, FloatBits::F64), text);
    }
    // Between two texts that are equally near.
    let halfway = 651_953_407_183_905.0;
    assert_eq!(format_g(halfway + 0.25, FloatBits::F64), "6.519534071839052e+14");
    assert_eq!(format_g(halfway + 0.75, FloatBits::F64), "6.519534071839058e+14");
    assert_eq!(format_g(1.1, FloatBits::F32), "1.1");
    assert_eq!(format_g(16_777_217.0, FloatBits::F32), "1.6777216e+07");
}
