//! Decimal numbers of any length, in which `addf` and its like calculate.

use num_bigint::{BigInt, Sign};

/// Decimals kept by a division.
const DIVISION_PLACES: i32 = 16;

/// A whole number times a power of ten.
#[derive(Clone, Debug)]
pub(crate) struct Decimal {
    digits: BigInt,
    exponent: i32,
}

impl Decimal {
    /// The shortest decimal that means the float.
    ///
    /// # Errors
    ///
    /// For infinities and what is no number.
    pub(crate) fn from_float(value: f64) -> Result<Self, String> {
        if !value.is_finite() {
            let text = goval::format_g(value, goval::FloatBits::F64);
            return Err(format!("Cannot create a Decimal from {text}"));
        }
        let text = goval::format_float(value, b'e', None, goval::FloatBits::F64);
        let (mantissa, exponent) = text.split_once('e').expect("there is an exponent");
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let exponent: i32 = exponent.parse().expect("it is a number");
        let digits = format!("{whole}{fraction}").parse().expect("these are digits");
        Ok(Self { digits, exponent: exponent - fraction.len() as i32 })
    }

    /// The nearest float.
    pub(crate) fn to_float(&self) -> f64 {
        if self.digits.sign() == Sign::NoSign {
            return 0.0;
        }
        format!("{}e{}", self.digits, self.exponent).parse().expect("these are a float's parts")
    }

    fn scaled_to(&self, exponent: i32) -> BigInt {
        &self.digits * ten_to(self.exponent - exponent)
    }

    pub(crate) fn plus(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        Self { digits: self.scaled_to(exponent) + other.scaled_to(exponent), exponent }
    }

    pub(crate) fn minus(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        Self { digits: self.scaled_to(exponent) - other.scaled_to(exponent), exponent }
    }

    pub(crate) fn times(&self, other: &Self) -> Self {
        Self { digits: &self.digits * &other.digits, exponent: self.exponent + other.exponent }
    }

    /// The quotient, rounded at the sixteenth decimal, halves away from zero.
    ///
    /// # Errors
    ///
    /// For a division by zero.
    pub(crate) fn over(&self, other: &Self) -> Result<Self, String> {
        if other.digits.sign() == Sign::NoSign {
            return Err("decimal division by 0".to_owned());
        }
        let shift = self.exponent - other.exponent + DIVISION_PLACES;
        let (above, below) = if shift < 0 {
            (self.digits.clone(), &other.digits * ten_to(-shift))
        } else {
            (&self.digits * ten_to(shift), other.digits.clone())
        };
        let mut digits = &above / &below;
        let left = &above % &below;
        if left.magnitude() * 2u8 >= *below.magnitude() {
            let away: i8 = if above.sign() == below.sign() { 1 } else { -1 };
            digits += away;
        }
        Ok(Self { digits, exponent: -DIVISION_PLACES })
    }
}

fn ten_to(exponent: i32) -> BigInt {
    BigInt::from(10u8).pow(u32::try_from(exponent).unwrap_or_default())
}
