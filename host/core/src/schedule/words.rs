//! What a cron expression means, in words, for the common shapes; the others are quoted.

use super::cron::{Cron, Days, all_days, all_months, all_weekdays, members};

const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Monday to Friday, Saturday and Sunday: bit 0 is Sunday.
const WORKDAYS: u64 = 0b011_1110;
const WEEKEND: u64 = 0b100_0001;

/// Most times or days that are listed.
const LISTED: usize = 6;

pub(super) fn describe(cron: &Cron, text: &str) -> String {
    shape(cron).unwrap_or_else(|| format!("at the times that `{}` names", text.trim()))
}

fn shape(cron: &Cron) -> Option<String> {
    let days = days(&cron.days)?;
    let months = months(cron.months)?;
    Some(match beat(cron) {
        Some(beat) => match days {
            None => format!("{beat}{months}"),
            Some(days) => format!("{beat} {days}{months}"),
        },
        None => format!("{} at {}{months}", days.unwrap_or_else(|| "every day".into()), times(cron)?),
    })
}

/// `every 5 minutes`, `every hour at minute 30`, `every 15 minutes from 09:00 to 17:45`, `every 6 hours from 00:30`.
fn beat(cron: &Cron) -> Option<String> {
    let minutes: Vec<u8> = members(cron.minutes).collect();
    let hours: Vec<u8> = members(cron.hours).collect();
    let (first, last) = (*hours.first()?, *hours.last()?);
    let often = match step(&minutes, 60) {
        Some(1) => Some("every minute".to_owned()),
        Some(step) if step < 60 => Some(format!("every {step} minutes")),
        _ => None,
    };
    if cron.every_hour() {
        return often.or_else(|| match minutes.as_slice() {
            [0] => Some("every hour".into()),
            [one] => Some(format!("every hour at minute {one}")),
            few if few.len() <= LISTED => Some(format!("every hour at minutes {}", list(few.iter(), u8::to_string))),
            _ => None,
        });
    }
    if let Some(often) = often {
        let whole = hours.len() == usize::from(last - first) + 1;
        let end = minutes.last()?;
        return whole.then(|| format!("{often} from {first:02}:00 to {last:02}:{end:02}"));
    }
    match (step(&hours, 24), minutes.as_slice()) {
        (Some(step), [0]) if step < 12 => Some(format!("every {step} hours")),
        (Some(step), [minute]) if step < 12 => Some(format!("every {step} hours from 00:{minute:02}")),
        _ => None,
    }
}

/// The step of numbers from 0 on that fill a circle evenly.
fn step(numbers: &[u8], circle: usize) -> Option<usize> {
    let step = circle.checked_div(numbers.len())?;
    let even = step * numbers.len() == circle && numbers.iter().enumerate().all(|(i, n)| usize::from(*n) == i * step);
    even.then_some(step)
}

fn times(cron: &Cron) -> Option<String> {
    let times: Vec<String> = members(cron.hours)
        .flat_map(|hour| members(cron.minutes).map(move |minute| format!("{hour:02}:{minute:02}")))
        .take(LISTED + 1)
        .collect();
    (times.len() <= LISTED).then(|| list(times.iter(), String::clone))
}

/// No words where every day counts; nothing at all where there are no short ones.
#[expect(clippy::option_option, reason = "every day and no words are two answers")]
fn days(days: &Days) -> Option<Option<String>> {
    let any_number = all_days(days.of_month);
    let any_weekday = all_weekdays(days.weekdays);
    let both = days.month_star || days.week_star;
    Some(match (any_number, any_weekday) {
        (true, true) => None,
        (true, false) if both => Some(of_week(days)?),
        (false, true) if both => Some(of_month(days)?),
        (true, false) | (false, true) => None,
        (false, false) if both => return None,
        (false, false) => Some(format!("{} or {}", of_month(days)?, of_week(days)?)),
    })
}

fn of_month(days: &Days) -> Option<String> {
    let numbers: Vec<u8> = members(days.of_month).collect();
    let mut named: Vec<String> = match numbers.as_slice() {
        [first, .., last] if numbers.len() > 3 && numbers.len() == usize::from(last - first) + 1 => {
            vec![format!("the {} to the {}", nth(*first), nth(*last))]
        }
        few if few.len() <= LISTED => few.iter().map(|day| format!("the {}", nth(*day))).collect(),
        _ => return None,
    };
    if days.last_of_month {
        named.push("the last day".into());
    }
    Some(format!("on {} of the month", list(named.iter(), String::clone)))
}

fn of_week(days: &Days) -> Option<String> {
    let mut named: Vec<String> = match days.weekdays {
        WORKDAYS => vec!["weekdays".into()],
        WEEKEND => vec!["weekends".into()],
        // A week is read from Monday on.
        set => members(set & !1).chain(members(set & 1)).map(weekday).collect(),
    };
    let mut rare = Vec::new();
    for (index, set) in days.nth.iter().enumerate() {
        let which = nth(u8::try_from(index + 1).ok()?);
        rare.extend(members(*set).map(|day| format!("the {which} {}", weekday(day))));
    }
    rare.extend(members(days.last_weekdays).map(|day| format!("the last {}", weekday(day))));
    let of_month = if rare.is_empty() { "" } else { " of the month" };
    named.append(&mut rare);
    (named.len() <= LISTED).then(|| format!("on {}{of_month}", list(named.iter(), String::clone)))
}

fn months(set: u64) -> Option<String> {
    if all_months(set) {
        return Some(String::new());
    }
    let named: Vec<&str> = members(set).filter_map(|month| MONTHS.get(usize::from(month) - 1).copied()).collect();
    Some(match named.as_slice() {
        [first, .., last] if named.len() > 3 && contiguous(set) => format!(", from {first} to {last}"),
        few if few.len() <= LISTED => format!(", in {}", list(few.iter(), |name| (*name).to_owned())),
        _ => return None,
    })
}

fn contiguous(set: u64) -> bool {
    (set >> set.trailing_zeros()).trailing_ones() == set.count_ones()
}

fn weekday(day: u8) -> String {
    WEEKDAYS.get(usize::from(day)).copied().unwrap_or_default().to_owned()
}

fn nth(number: u8) -> String {
    let ending = match (number % 10, number % 100) {
        (1, tens) if tens != 11 => "st",
        (2, tens) if tens != 12 => "nd",
        (3, tens) if tens != 13 => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// `a, b and c`.
fn list<T>(items: impl Iterator<Item = T>, word: impl Fn(T) -> String) -> String {
    let mut words: Vec<String> = items.map(word).collect();
    match words.pop() {
        Some(last) if words.is_empty() => last,
        Some(last) => format!("{} and {last}", words.join(", ")),
        None => String::new(),
    }
}
