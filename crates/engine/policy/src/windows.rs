//! Sync windows: when syncs may happen, and when not (SYN-70, SYN-71).

use crd::{Application, SyncWindow, parse_go_duration};
use globs::Glob;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A schedule never looks back further than this.
const LOOK_BACK_MINUTES_MAX: i64 = 366 * 24 * 60;

/// One sync that is asked about.
#[derive(Clone, Copy, Debug)]
pub struct SyncAsked {
    /// Whether a person asked for it.
    pub manual: bool,
    /// When it began, if it runs already: it may run over the edge of a window that allows that.
    pub began: Option<Timestamp>,
}

/// Decides whether the project's windows let an Application be synced now.
///
/// # Errors
///
/// Words for people where a window that concerns the Application does not read; nothing is synced then.
pub fn windows_permit(
    windows: &[SyncWindow],
    application: &Application,
    asked: SyncAsked,
    now: Timestamp,
) -> Result<bool, String> {
    let mine = concerning(windows, application);
    if mine.is_empty() {
        return Ok(true);
    }
    let at = |time| permits_at(&mine, asked.manual, time);
    let state = at(now)?;
    let over = match state {
        At::Permitted => return Ok(true),
        At::Denied { overrun } | At::OutsideAllowed { overrun } => overrun,
    };
    match asked.began {
        Some(began) if over => Ok(matches!(at(began)?, At::Permitted)),
        _ => Ok(false),
    }
}

/// Returns the windows that concern an Application, in their order.
pub fn concerning<'w>(windows: &'w [SyncWindow], application: &Application) -> Vec<&'w SyncWindow> {
    windows.iter().filter(|window| concerns(window, application)).collect()
}

enum At {
    Permitted,
    /// A window that denies is open; whether what began before it may go on.
    Denied {
        overrun: bool,
    },
    /// No window that allows is open; whether what began in one may go on.
    OutsideAllowed {
        overrun: bool,
    },
}

fn permits_at(windows: &[&SyncWindow], manual: bool, at: Timestamp) -> Result<At, String> {
    let mut open = Vec::new();
    let mut shut = Vec::new();
    for window in windows {
        match is_open(window, at)? {
            true => open.push(*window),
            false => shut.push(*window),
        }
    }
    let denying: Vec<_> = open.iter().filter(|window| window.kind == "deny").collect();
    if !denying.is_empty() {
        if manual && denying.iter().all(|window| window.manual_sync) {
            return Ok(At::Permitted);
        }
        return Ok(At::Denied { overrun: denying.iter().all(|window| window.sync_overrun) });
    }
    if open.iter().any(|window| window.kind == "allow") {
        return Ok(At::Permitted);
    }
    let allowing: Vec<_> = shut.iter().filter(|window| window.kind == "allow").collect();
    if allowing.is_empty() || (manual && allowing.iter().all(|window| window.manual_sync)) {
        return Ok(At::Permitted);
    }
    Ok(At::OutsideAllowed { overrun: allowing.iter().all(|window| window.sync_overrun) })
}

fn concerns(window: &SyncWindow, application: &Application) -> bool {
    let glob = |pattern: &String, text: &str| {
        pattern == "*" || Glob::new(pattern, &[]).is_ok_and(|glob| glob.matches(text))
    };
    let destination = &application.spec.destination;
    let by_name = window.applications.iter().any(|one| glob(one, &application.metadata.name));
    let by_cluster = window.clusters.iter().any(|one| {
        [&destination.name, &destination.server]
            .into_iter()
            .any(|text| !text.is_empty() && glob(one, text))
    });
    let by_namespace = window.namespaces.iter().any(|one| glob(one, &destination.namespace));
    if !window.and_operator {
        return by_name || by_cluster || by_namespace;
    }
    let selectors = [
        (&window.applications, by_name),
        (&window.clusters, by_cluster),
        (&window.namespaces, by_namespace),
    ];
    let mut said = selectors.iter().filter(|(list, _)| !list.is_empty()).peekable();
    said.peek().is_some() && said.all(|(_, matched)| *matched)
}

/// Tells whether a window is open: its schedule began it less than its duration ago.
///
/// # Errors
///
/// Words for people, where its schedule or duration cannot be read.
pub fn is_open(window: &SyncWindow, at: Timestamp) -> Result<bool, String> {
    let schedule = Schedule::parse(&window.schedule).ok_or_else(|| {
        format!("invalid sync windows: cannot parse schedule '{}'", window.schedule)
    })?;
    let duration = parse_go_duration(&window.duration).map_err(|_| {
        format!("invalid sync windows: cannot parse duration '{}'", window.duration)
    })?;
    let zone = match window.time_zone.as_str() {
        "" | "UTC" => TimeZone::UTC,
        name => TimeZone::get(name).unwrap_or(TimeZone::UTC),
    };
    // As upstream: the zone's present offset holds for the whole look back.
    let offset = SignedDuration::from_secs(i64::from(zone.to_offset(at).seconds()));
    let wall = at.checked_add(offset).unwrap_or(at);
    let seconds = wall.as_second();
    let start = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    // The last full minute before now, and back until the window would have ended.
    let mut minute = (seconds - 1).div_euclid(60) * 60;
    let first = seconds.saturating_sub(start);
    let mut left = LOOK_BACK_MINUTES_MAX;
    while minute > first && left > 0 {
        if Timestamp::from_second(minute).is_ok_and(|time| schedule.matches(time)) {
            return Ok(true);
        }
        minute -= 60;
        left -= 1;
    }
    Ok(false)
}

/// Five cron fields, each a set of numbers.
#[derive(Debug)]
struct Schedule {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Where neither day field is a star, one of them is enough.
    either_day: bool,
}

impl Schedule {
    fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields.as_slice() else { return None };
        const MONTHS: [&str; 12] =
            ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
        const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
        // What skips days is no star.
        let star = |field: &str| {
            let mut parts = field.split(',');
            parts.any(|part| ["*", "?", "*/1", "?/1"].contains(&part))
        };
        Some(Self {
            minutes: set(minutes, 0, 59, &[])?,
            hours: set(hours, 0, 23, &[])?,
            days: set(days, 1, 31, &[])?,
            months: set(months, 1, 12, &MONTHS)?,
            weekdays: set(weekdays, 0, 6, &WEEKDAYS)?,
            either_day: !star(days) && !star(weekdays),
        })
    }

    fn matches(&self, wall: Timestamp) -> bool {
        let time = wall.to_zoned(TimeZone::UTC).datetime();
        let has = |set: u64, number: i8| u32::try_from(number).is_ok_and(|at| set & (1 << at) != 0);
        let day = has(self.days, time.day());
        let weekday = has(self.weekdays, time.weekday().to_sunday_zero_offset());
        has(self.minutes, time.minute())
            && has(self.hours, time.hour())
            && has(self.months, time.month())
            && if self.either_day { day || weekday } else { day && weekday }
    }
}

/// Reads one field: numbers, names, ranges, steps, separated by commas.
fn set(field: &str, low: u32, high: u32, names: &[&str]) -> Option<u64> {
    let number = |text: &str| {
        let by_name = names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let named = by_name.and_then(|at| u32::try_from(at).ok()).map(|at| at + low);
        named.or_else(|| text.parse().ok())
    };
    let mut bits = 0_u64;
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse::<u32>().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (first, last) = match range {
            "*" | "?" => (low, high),
            range => match range.split_once('-') {
                Some((first, last)) => (number(first)?, number(last)?),
                // `5/10` counts on to the end.
                None if part.contains('/') => (number(range)?, high),
                None => (number(range)?, number(range)?),
            },
        };
        if first < low || last > high || first > last {
            return None;
        }
        let mut at = first;
        while at <= last {
            bits |= 1 << at;
            at += step;
        }
    }
    Some(bits)
}
