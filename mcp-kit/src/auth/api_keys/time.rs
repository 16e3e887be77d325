//! Dates and times in the format of RFC 3339.

use std::time::{Duration, SystemTime};

/// Parses `2027-01-31T18:00:00Z`, with an optional fraction or another offset,
/// or `2027-01-31`, which is the beginning of that day in UTC. Returns `None`
/// for anything else, and for years before 1970.
pub(super) fn parse(text: &str) -> Option<SystemTime> {
    let (date, time) = match text.split_at_checked(10)? {
        (date, "") => (date, None),
        (date, rest) => (date, Some(rest.strip_prefix(['T', 't'])?)),
    };
    let mut parts = date.splitn(3, '-');
    let year = number(parts.next()?, 4, 9999)?;
    let month = number(parts.next()?, 2, 12)?;
    let day = number(parts.next()?, 2, 31)?;
    let days = days_since_1970(year, month, day)?;
    let mut seconds = i64::from(days) * 86_400;
    if let Some(time) = time {
        seconds += seconds_of_day(time)?;
    }
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).ok()?))
}

/// Returns seconds since the day's beginning in UTC; negative if it is still
/// the day before there. Fractions are dropped: the expiry of a key does not
/// need milliseconds.
fn seconds_of_day(text: &str) -> Option<i64> {
    let (clock, rest) = text.split_at_checked(8)?;
    let mut parts = clock.splitn(3, ':');
    let hours = number(parts.next()?, 2, 23)?;
    let minutes = number(parts.next()?, 2, 59)?;
    // 60 is a leap second.
    let seconds = number(parts.next()?, 2, 60)?;
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => {
            let rest = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
            (rest.len() < fraction.len()).then_some(rest)?
        }
        None => rest,
    };
    let seconds = i64::from(hours * 3600 + minutes * 60 + seconds);
    if matches!(rest, "Z" | "z") {
        return Some(seconds);
    }
    let (sign, offset) = rest.split_at_checked(1)?;
    let (hours, minutes) = offset.split_once(':')?;
    let offset = i64::from(number(hours, 2, 23)? * 3600 + number(minutes, 2, 59)? * 60);
    match sign {
        "+" => Some(seconds - offset),
        "-" => Some(seconds + offset),
        _ => None,
    }
}

fn number(digits: &str, length: usize, most: u32) -> Option<u32> {
    let plain = digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse().ok().filter(|_| plain)?;
    (number <= most).then_some(number)
}

fn days_since_1970(year: u32, month: u32, day: u32) -> Option<u32> {
    const BEFORE_MONTH: [u32; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];
    let is_leap = |year: u32| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let leap_day = u32::from(is_leap(year));
    let index = usize::try_from(month).ok()?.checked_sub(1)?;
    let before = BEFORE_MONTH.get(index)?;
    let length = BEFORE_MONTH.get(index + 1)? - before + if month == 2 { leap_day } else { 0 };
    if year < 1970 || day == 0 || day > length {
        return None;
    }
    let past = year - 1;
    let leap_days = (past / 4 - past / 100 + past / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400);
    let this_year = before + if month > 2 { leap_day } else { 0 };
    Some((year - 1970) * 365 + leap_days + this_year + day - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<u64> {
        let since = parse(text)?.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Some(since.as_secs())
    }

    #[test]
    fn times_are_read_as_other_programs_read_them() {
        // From `date -u -d … +%s`.
        for (text, expected) in [
            ("1970-01-01", 0),
            ("2000-02-29", 951_782_400),
            ("2000-03-01", 951_868_800),
            ("2026-11-05", 1_793_836_800),
            ("2027-01-31T18:00:00Z", 1_801_418_400),
            ("2027-01-31t18:00:00.5z", 1_801_418_400),
            ("2027-01-31T18:00:00+02:00", 1_801_411_200),
            ("2027-01-31T23:30:00-01:30", 1_801_443_600),
            ("2100-03-01", 4_107_542_400),
            ("9999-12-31T23:59:60Z", 253_402_300_800),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_time() {
        for text in [
            "",
            "2027",
            "2027-1-1",
            "2027-01-01T",
            "2027-13-01",
            "2027-00-01",
            "2027-01-00",
            "2027-02-29",
            "2100-02-29",
            "2027-04-31",
            "1969-12-31",
            "1970-01-01T00:00:00+01:00",
            "2027-01-01T18:00",
            "2027-01-01T18:00:00",
            "2027-01-01 18:00:00Z",
            "+027-01-01",
            "2027-01-01T24:00:00Z",
            "2027-01-01T18:60:00Z",
            "2027-01-01T18:00:61Z",
            "2027-01-01T18:00:00.Z",
            "2027-01-01T18:00:00+0200",
            "2027-01-01T18:00:00+2:00",
            "2027-01-01T18:00:00Zjunk",
            "2027-01-0é",
            "2027-01-01T18:00:0é",
            "tomorrow",
            "2027/01/01",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
