//! The quantities a policy is written in: percentages, windows of working time, money.
//! Each is written as text in a document and held as an integer, never as a float.

use crate::calendar::{Calendar, WorkingTime};
use chrono::TimeDelta;
use iso_currency::Currency;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A text that is not the quantity expected there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` is not {expected}")]
pub struct QuantityError {
    value: String,
    expected: &'static str,
}

fn wrong(value: &str, expected: &'static str) -> QuantityError {
    QuantityError { value: value.chars().take(80).collect(), expected }
}

macro_rules! text_form {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

/// A whole percentage of a window, 1–10,000 (`80%`; `200%` is twice the window).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(u16);

impl Percent {
    const EXPECTED: &str = "a percentage from 1% to 10000%; write e.g. `80%`";

    /// The number before the `%`.
    pub fn get(self) -> u16 {
        self.0
    }
}

impl FromStr for Percent {
    type Err = QuantityError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.strip_suffix('%').ok_or_else(|| wrong(text, Self::EXPECTED))?;
        match number.trim_end().parse::<u16>() {
            Ok(n @ 1..=10_000) => Ok(Self(n)),
            _ => Err(wrong(text, Self::EXPECTED)),
        }
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}
text_form!(Percent);

/// A window of working time as a policy writes it: `90s`, `30m`, `4h`, `1h30m`, or whole
/// business days, `5bd`. How long a business day is, the calendar says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Window {
    /// So many seconds of working time.
    Working(WorkingTime),
    /// So many business days of the calendar.
    BusinessDays(u16),
}

impl Window {
    const EXPECTED: &str =
        "a window; write e.g. `90s`, `30m`, `4h`, `1h30m`, or `5bd` (at most 10000h or 1000bd)";
    const SECS_MAX: i64 = 10_000 * 3600;

    /// Its length on this calendar.
    pub fn on(self, calendar: &Calendar) -> WorkingTime {
        match self {
            Self::Working(time) => time,
            Self::BusinessDays(days) => {
                WorkingTime::from_secs(calendar.business_day().secs().saturating_mul(i64::from(days)))
            }
        }
    }
}

impl FromStr for Window {
    type Err = QuantityError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || wrong(text, Self::EXPECTED);
        if let Some(days) = text.strip_suffix("bd") {
            return match days.parse::<u16>() {
                Ok(n @ 1..=1000) => Ok(Self::BusinessDays(n)),
                _ => Err(error()),
            };
        }
        let mut total: i64 = 0;
        let mut rest = text;
        // Units go from large to small and none comes twice: `1h30m`, never `30m1h`.
        for (unit, secs) in [('h', 3600), ('m', 60), ('s', 1)] {
            if let Some((number, after)) = rest.split_once(unit) {
                let n: u32 = number.parse().map_err(|_| error())?;
                total = total.saturating_add(i64::from(n).saturating_mul(secs));
                rest = after;
            }
        }
        if !rest.is_empty() || !(1..=Self::SECS_MAX).contains(&total) {
            return Err(error());
        }
        Ok(Self::Working(WorkingTime::from_secs(total)))
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BusinessDays(days) => write!(f, "{days}bd"),
            Self::Working(time) => f.write_str(&spelled(*time)),
        }
    }
}
text_form!(Window);

/// `1h30m`, `48m`, `90s`: working time for a person's eye, exact.
pub fn spelled(time: WorkingTime) -> String {
    let secs = time.secs().max(0);
    let parts = [(secs / 3600, 'h'), (secs % 3600 / 60, 'm'), (secs % 60, 's')];
    let text: String = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// A time of the day to the minute, by the clock on the wall: `07:30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay {
    minutes: u16,
}

impl TimeOfDay {
    const EXPECTED: &str = "a time of day; write e.g. `07:30`, from `00:00` to `23:59`";

    /// The hour, 0–23.
    pub fn hour(self) -> u16 {
        self.minutes / 60
    }

    /// The minute, 0–59.
    pub fn minute(self) -> u16 {
        self.minutes % 60
    }
}

impl FromStr for TimeOfDay {
    type Err = QuantityError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || wrong(text, Self::EXPECTED);
        let two_digits = |part: &str| {
            let plain = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
            part.parse::<u16>().ok().filter(|_| plain)
        };
        let (hour, minute) = text.split_once(':').ok_or_else(error)?;
        match (two_digits(hour), two_digits(minute)) {
            (Some(hour @ 0..=23), Some(minute @ 0..=59)) => Ok(Self { minutes: hour * 60 + minute }),
            _ => Err(error()),
        }
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour(), self.minute())
    }
}
text_form!(TimeOfDay);

/// Quiet hours that end when they begin are all day or none, and nobody can tell which is meant.
pub(crate) fn whole_day(to: TimeOfDay) -> String {
    format!("`{to}` is also when they start; write another time, or remove the quiet hours")
}

/// Whole days by the clock on the wall, 1–36,500: `730d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Days(u16);

impl Days {
    const EXPECTED: &str = "a number of days from 1d to 36500d; write e.g. `730d`";

    /// As a span of time.
    pub fn to_time(self) -> TimeDelta {
        TimeDelta::days(i64::from(self.0))
    }
}

impl FromStr for Days {
    type Err = QuantityError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_suffix('d').filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
        match digits.and_then(|digits| digits.parse::<u16>().ok()) {
            Some(n @ 1..=36_500) => Ok(Self(n)),
            _ => Err(wrong(text, Self::EXPECTED)),
        }
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}d", self.0)
    }
}
text_form!(Days);

/// A number with its thousands set apart.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// An amount of money in the currency's minor unit (ISO 4217 says how many digits that has).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Money {
    minor: u64,
    currency: Currency,
}

/// Why a pair of amount and currency is no money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The code is not in ISO 4217.
    #[error("`{0}` is not an ISO 4217 currency code; write e.g. `USD`")]
    UnknownCurrency(String),
    /// The amount is below zero.
    #[error("`{0}` is negative; write zero or more")]
    Negative(String),
    /// Not a decimal number, or more digits than the currency has, or too large.
    #[error(
        "`{amount}` is not an amount of {currency}; write a decimal string with at most {digits} decimal places"
    )]
    NotAnAmount {
        /// As written.
        amount: String,
        /// The currency's code.
        currency: &'static str,
        /// Digits after the point that the currency has.
        digits: u16,
    },
}

impl Money {
    /// Reads a decimal string (`"48000.00"`) in a currency (`"USD"`).
    pub fn parse(amount: &str, currency: &str) -> Result<Self, MoneyError> {
        let code = Currency::from_code(currency)
            .ok_or_else(|| MoneyError::UnknownCurrency(currency.chars().take(16).collect()))?;
        let digits = code.exponent().unwrap_or(0);
        let shown: String = amount.chars().take(40).collect();
        if amount.starts_with('-') {
            return Err(MoneyError::Negative(shown));
        }
        let error = || MoneyError::NotAnAmount { amount: shown.clone(), currency: code.code(), digits };
        let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
        let plain = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        // Trailing zeros past the currency's digits say nothing and are let pass (`100.00` JPY).
        let fraction = fraction.trim_end_matches('0');
        if whole.is_empty()
            || amount.ends_with('.')
            || !plain(whole)
            || !plain(fraction)
            || fraction.len() > usize::from(digits)
        {
            return Err(error());
        }
        let padded = format!("{whole}{fraction:0<width$}", width = usize::from(digits));
        Ok(Self { minor: padded.parse().map_err(|_| error())?, currency: code })
    }

    /// The currency's code.
    pub fn currency(&self) -> &'static str {
        self.currency.code()
    }

    /// The decimal string, with all of the currency's digits.
    pub fn amount(&self) -> String {
        let digits = u32::from(self.currency.exponent().unwrap_or(0));
        match 10u64.checked_pow(digits) {
            Some(unit) if digits > 0 => {
                format!("{}.{:0width$}", self.minor / unit, self.minor % unit, width = digits as usize)
            }
            _ => self.minor.to_string(),
        }
    }

    /// Whether it is over a threshold of the same currency; other currencies never are.
    pub fn is_over(&self, threshold: &Money) -> bool {
        self.currency == threshold.currency && self.minor > threshold.minor
    }
}

/// As it is stored: what a later version adds is passed over.
#[derive(Serialize, Deserialize)]
struct MoneyText {
    amount: String,
    currency: String,
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        MoneyText { amount: self.amount(), currency: self.currency().to_owned() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = MoneyText::deserialize(deserializer)?;
        Self::parse(&text.amount, &text.currency).map_err(serde::de::Error::custom)
    }
}

/// As people write it in a document: there a member that nobody knows is a mistake.
struct WrittenMoney(Money);

impl<'de> Deserialize<'de> for WrittenMoney {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            amount: String,
            currency: String,
        }
        let text = Written::deserialize(deserializer)?;
        Money::parse(&text.amount, &text.currency).map(Self).map_err(serde::de::Error::custom)
    }
}

/// Reads amounts of a document.
pub(crate) fn written_amounts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Money>, D::Error> {
    Ok(Vec::<WrittenMoney>::deserialize(deserializer)?.into_iter().map(|written| written.0).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_that_is_stored_may_have_members_of_a_later_version_and_money_of_a_document_none() {
        let text = r#"{"amount":"10.00","currency":"EUR","of_later":1}"#;
        assert_eq!(serde_json::from_str::<Money>(text).unwrap(), Money::parse("10.00", "EUR").unwrap());
        let documents = &mut serde_json::Deserializer::from_str(r#"[{"amount":"1","currency":"EUR","x":1}]"#);
        assert!(written_amounts(documents).unwrap_err().to_string().contains("unknown field `x`"));
    }

    #[test]
    fn windows_read_as_they_are_written() {
        for text in ["90s", "30m", "4h", "1h30m", "5bd", "1h30s"] {
            let window: Window = text.parse().unwrap();
            assert_eq!(window.to_string(), if text == "90s" { "1m30s" } else { text });
        }
        for text in ["", "0h", "1", "bd", "0bd", "30m1h", "-1h", "1.5h", "1d", "99999999h", "1h1h"] {
            assert!(text.parse::<Window>().is_err(), "{text}");
        }
    }

    #[test]
    fn percentages_are_whole_and_bounded() {
        assert_eq!("80%".parse::<Percent>().unwrap().get(), 80);
        for text in ["80", "0%", "-1%", "10001%", "8.5%", "%"] {
            assert!(text.parse::<Percent>().is_err(), "{text}");
        }
    }

    #[test]
    fn times_of_the_day_are_whole_minutes() {
        let time: TimeOfDay = "07:30".parse().unwrap();
        assert_eq!((time.hour(), time.minute(), time.to_string()), (7, 30, "07:30".to_owned()));
        for text in ["", "7:30", "24:00", "07:60", "07:3", "+7:30", "07:30:00", "0730"] {
            assert!(text.parse::<TimeOfDay>().is_err(), "{text}");
        }
    }

    #[test]
    fn money_keeps_every_digit_and_no_more() {
        assert_eq!(Money::parse("48000", "USD").unwrap().amount(), "48000.00");
        assert_eq!(Money::parse("0.5", "USD").unwrap().amount(), "0.50");
        assert_eq!(Money::parse("100.00", "JPY").unwrap().amount(), "100");
        assert!(matches!(Money::parse("-1", "USD"), Err(MoneyError::Negative(_))));
        assert!(matches!(Money::parse("1", "XYZ"), Err(MoneyError::UnknownCurrency(_))));
        for amount in ["", ".", "1.", ".5", "1.005", "1e3", "1,000", "99999999999999999999"] {
            assert!(matches!(Money::parse(amount, "USD"), Err(MoneyError::NotAnAmount { .. })), "{amount}");
        }
        let k50 = Money::parse("50000", "USD").unwrap();
        assert!(Money::parse("50000.01", "USD").unwrap().is_over(&k50));
        assert!(!Money::parse("90000", "EUR").unwrap().is_over(&k50));
    }
}
