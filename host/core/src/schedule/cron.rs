//! A cron expression: five fields, and the wall times that they name.
//!
//! Minute, hour, day of the month, month, day of the week, as in Vixie's cron: `*`, numbers, `jan`–`dec` and `sun`–`sat`,
//! lists, ranges and steps; 0 and 7 are Sunday. Beyond that: `L` as the last day of the month, `friL` (or `5L`) as the month's last
//! Friday, `mon#2` as its second Monday; and `@hourly`, `@daily` (`@midnight`), `@weekly`, `@monthly`, `@yearly` (`@annually`).
//!
//! Where both days are restricted, a day counts that either names; where one of the fields begins with `*`, a day counts that
//! both name. That is Vixie's rule, odd as it is for `*/2`: people's crontabs are written for it.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time};

/// Longest expression that is read, bytes.
const LONGEST: usize = 256;

/// Years after which an expression that named no day is taken to name none: 29 February falls on a certain weekday at least once
/// in forty years, also across a century without a leap day.
const YEARS: i16 = 41;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const MINUTE: Unit = Unit { name: "minute", least: 0, most: 59, names: &[] };
const HOUR: Unit = Unit { name: "hour", least: 0, most: 23, names: &[] };
const DAY: Unit = Unit { name: "day of the month", least: 1, most: 31, names: &[] };
const MONTH: Unit = Unit { name: "month", least: 1, most: 12, names: &MONTHS };
const WEEKDAY: Unit = Unit { name: "day of the week", least: 0, most: 7, names: &WEEKDAYS };

/// A parsed expression. Sets are bits: bit 5 of `minutes` is minute 5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cron {
    pub(super) minutes: u64,
    pub(super) hours: u64,
    pub(super) months: u64,
    pub(super) days: Days,
}

/// The two fields that name days.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Days {
    pub(super) of_month: u64,
    pub(super) last_of_month: bool,
    pub(super) month_star: bool,
    /// Bit 0 is Sunday.
    pub(super) weekdays: u64,
    /// The weekdays of which only the first, second, … fifth of a month counts.
    pub(super) nth: [u64; 5],
    pub(super) last_weekdays: u64,
    pub(super) week_star: bool,
}

/// A field: what it is called and which numbers and names it takes.
struct Unit {
    name: &'static str,
    least: u8,
    most: u8,
    names: &'static [&'static str],
}

impl Cron {
    /// Reads an expression; the error says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("a cron expression has at most {LONGEST} characters"));
        }
        let text = spelled_out(text.trim())?;
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(format!(
                "a cron expression has five fields (minute, hour, day of the month, month, day of the week), not {}",
                fields.len()
            ));
        };
        let mut days =
            Days { month_star: day.starts_with('*'), week_star: weekday.starts_with('*'), ..Days::default() };
        for item in day.split(',') {
            if item.eq_ignore_ascii_case("l") {
                days.last_of_month = true;
            } else {
                days.of_month |= DAY.item(item)?;
            }
        }
        for item in weekday.split(',') {
            days.add_weekday(item)?;
        }
        let cron = Self { minutes: MINUTE.list(minute)?, hours: HOUR.list(hour)?, months: MONTH.list(month)?, days };
        let day = Date::constant(2000, 1, 1).to_datetime(Time::midnight());
        if cron.at_or_after(day, None).is_none() {
            return Err("it names a day that never comes".into());
        }
        Ok(cron)
    }

    /// Whether every hour is named: such a schedule is a beat, not a time of the day.
    pub(super) fn every_hour(&self) -> bool {
        self.hours == HOUR.all()
    }

    /// The first wall time named at or after `from`, and before `end` if there is one.
    pub(super) fn at_or_after(&self, from: DateTime, end: Option<DateTime>) -> Option<DateTime> {
        let whole = floor_minute(from);
        let from = if whole < from { whole.checked_add(1.minute()).ok()? } else { whole };
        let last_year = from.year().saturating_add(YEARS);
        let mut day = from.date();
        let mut earliest = (from.hour(), from.minute());
        while day.year() < last_year && end.is_none_or(|end| day <= end.date()) {
            if !has(self.months, day.month()) {
                day = day.last_of_month().tomorrow().ok()?;
                earliest = (0, 0);
                continue;
            }
            if self.days.name(day)
                && let Some(time) = self.time_at_or_after(earliest)
            {
                let found = DateTime::from_parts(day, time);
                return end.is_none_or(|end| found < end).then_some(found);
            }
            day = day.tomorrow().ok()?;
            earliest = (0, 0);
        }
        None
    }

    fn time_at_or_after(&self, (hour, minute): (i8, i8)) -> Option<Time> {
        if has(self.hours, hour)
            && let Some(minute) = next_bit(self.minutes, minute)
        {
            return Time::new(hour, minute, 0, 0).ok();
        }
        let hour = next_bit(self.hours, hour.saturating_add(1))?;
        Time::new(hour, next_bit(self.minutes, 0)?, 0, 0).ok()
    }
}

impl Days {
    fn name(&self, day: Date) -> bool {
        let (number, length) = (day.day(), day.days_in_month());
        let by_number = has(self.of_month, number) || self.last_of_month && number == length;
        let weekday = day.weekday().to_sunday_zero_offset();
        let nth = self.nth.get(usize::try_from((number - 1) / 7).unwrap_or_default()).copied().unwrap_or_default();
        let by_weekday = has(self.weekdays, weekday)
            || has(nth, weekday)
            || has(self.last_weekdays, weekday) && number.saturating_add(7) > length;
        if self.month_star || self.week_star { by_number && by_weekday } else { by_number || by_weekday }
    }

    fn add_weekday(&mut self, item: &str) -> Result<(), String> {
        if let Some((weekday, nth)) = item.split_once('#') {
            let which = nth.parse::<usize>().ok().and_then(|nth| self.nth.get_mut(nth.wrapping_sub(1)));
            let Some(which) = which else {
                return Err(format!("{item}: behind # stands which of the month's five it is, 1 to 5"));
            };
            *which |= WEEKDAY.single(weekday)?;
            return Ok(());
        }
        match item.strip_suffix(['l', 'L']) {
            Some(weekday) if !weekday.is_empty() => self.last_weekdays |= WEEKDAY.single(weekday)?,
            _ => self.weekdays |= WEEKDAY.item(item)?,
        }
        Ok(())
    }
}

impl Unit {
    fn list(&self, text: &str) -> Result<u64, String> {
        text.split(',').try_fold(0, |set, item| Ok(set | self.item(item)?))
    }

    /// `*`, `a`, `a-b`, each with `/step` behind it or not.
    fn item(&self, item: &str) -> Result<u64, String> {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(self.step(step)?)),
            None => (item, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (self.least, self.last()),
            Some((from, to)) => (self.number(from)?, self.number(to)?),
            None => {
                let number = self.number(range)?;
                (number, if step.is_some() { self.last() } else { number })
            }
        };
        if from > to {
            return Err(format!("{item}: a range goes up; write the {} as two ranges, with a comma", self.name));
        }
        let numbers = (from..=to).step_by(usize::from(step.unwrap_or(1)));
        Ok(numbers.fold(0, |set, number| set | self.bit(number)))
    }

    fn single(&self, text: &str) -> Result<u64, String> {
        Ok(self.bit(self.number(text)?))
    }

    fn number(&self, text: &str) -> Result<u8, String> {
        let named = self.names.iter().position(|name| text.eq_ignore_ascii_case(name));
        if let Some(number) = named.and_then(|place| u8::try_from(place).ok()) {
            return Ok(number.saturating_add(self.least));
        }
        if text == "?" {
            return Err("write * instead of ?".into());
        }
        match digits(text) {
            Some(number) if (self.least..=self.most).contains(&number) => Ok(number),
            _ => Err(format!(
                "{text:?} is not a valid {} ({} to {}{})",
                self.name,
                self.least,
                self.most,
                self.or_names()
            )),
        }
    }

    fn or_names(&self) -> String {
        match self.names {
            [first, .., last] => format!(", {first} to {last}"),
            _ => String::new(),
        }
    }

    fn step(&self, text: &str) -> Result<u8, String> {
        match digits(text) {
            Some(step) if step >= 1 && step <= self.most => Ok(step),
            _ => Err(format!("{text:?} is not a valid step of the {} (1 to {})", self.name, self.most)),
        }
    }

    /// Sunday has two numbers and one bit.
    fn bit(&self, number: u8) -> u64 {
        if self.name == WEEKDAY.name && number == 7 { 1 } else { 1 << number }
    }

    /// Where `*` and `a/step` end.
    fn last(&self) -> u8 {
        if self.name == WEEKDAY.name { 6 } else { self.most }
    }

    fn all(&self) -> u64 {
        (self.least..=self.last()).fold(0, |set, number| set | self.bit(number))
    }
}

/// Whether a field's set holds all that the field can name.
pub(super) fn all_weekdays(set: u64) -> bool {
    set == WEEKDAY.all()
}

/// Whether every month is in the set.
pub(super) fn all_months(set: u64) -> bool {
    set == MONTH.all()
}

/// Whether every day of the month is in the set.
pub(super) fn all_days(set: u64) -> bool {
    set == DAY.all()
}

/// The numbers in a set, in order.
pub(super) fn members(set: u64) -> impl Iterator<Item = u8> {
    (0..64).filter(move |bit| set & (1 << bit) != 0)
}

/// The time with seconds and less cut off.
pub(super) fn floor_minute(time: DateTime) -> DateTime {
    let parts = (time.date(), Time::new(time.hour(), time.minute(), 0, 0));
    parts.1.map_or(time, |whole| DateTime::from_parts(parts.0, whole))
}

fn digits(text: &str) -> Option<u8> {
    let plain = !text.is_empty() && text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

fn has(set: u64, number: i8) -> bool {
    u32::try_from(number).is_ok_and(|number| set & (1 << number.min(63)) != 0)
}

fn next_bit(set: u64, from: i8) -> Option<i8> {
    let from = u32::try_from(from).ok()?;
    let rest = set.checked_shr(from)?;
    if rest == 0 { None } else { i8::try_from(from + rest.trailing_zeros()).ok() }
}

fn spelled_out(text: &str) -> Result<&str, String> {
    Ok(match text.to_ascii_lowercase().as_str() {
        "@hourly" => "0 * * * *",
        "@daily" | "@midnight" => "0 0 * * *",
        "@weekly" => "0 0 * * 0",
        "@monthly" => "0 0 1 * *",
        "@yearly" | "@annually" => "0 0 1 1 *",
        other if other.starts_with('@') => {
            return Err(format!(
                "{text} is not known; there are @hourly, @daily, @weekly, @monthly and @yearly, or five fields"
            ));
        }
        _ => text,
    })
}
